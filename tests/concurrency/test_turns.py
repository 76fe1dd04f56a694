"""The history checker knows whose turn it was, and why: each fault planted in a sound history."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from app import events as e
from app.queueing.rules.order import LaneHead, Tally, choose_next
from app.queueing.rules.policy import read_policy
from app.queueing.rules.states import Lane
from tests.concurrency.story import AT, SYSTEM, Story, at_window, exactly, faults, head, moment, sent


def test_who_came_first_in_a_lane_is_called_first() -> None:
    story = Story().opened().issued(1, 2)
    found = faults(story.called(2, [head(2, moment(4))]).rows)
    assert found["order"] == ["A002 was called at seq 5 before A001 of lane normal in A"] and "why" in found


def test_a_restored_ticket_stands_where_it_was_put() -> None:
    """Behind three; it came first, and is called fourth. In the right order that is no fault, in any other it is."""

    def story(queued_at: datetime) -> Story:
        told = at_window().issued(3, 4, 5).tell(e.TicketMissed(**Story().said(1), window="W01"))
        return told.tell(e.TicketRestored(**told.said(1), queued_at=exactly(queued_at)))

    right = moment(7) + timedelta(microseconds=1)  # behind 2, 3 and 4, who came in minutes 4, 6 and 7
    assert faults(story(right).rows) == {}
    for wrong in (moment(3), moment(6), moment(9)):  # its old place, too early, behind everybody
        assert faults(story(wrong).rows).keys() == {"order"}
    later = story(right).called(2, [head(2, moment(4))]).served(2)
    later = later.called(3, [head(3, moment(6))]).served(3).called(4, [head(4, moment(7))]).served(4)
    assert faults(later.called(1, [head(1, right)]).served(1).rows) == {}
    assert "order" in faults(story(right).called(1, [head(1, right)]).rows)


def test_who_came_back_has_waited_since_wherever_they_stand() -> None:
    """One of the returning lane is put behind another: its queue time lies a day ahead, its wait is of two minutes."""
    story = Story().opened().issued(1, lane="returning").issued(2)
    story.called(1, [head(1, moment(3), Lane.RETURNING), head(2, moment(4))])
    story.tell(e.TicketMissed(**story.said(1), window="W01"))
    behind = moment(4) + timedelta(days=1, microseconds=1)
    story.tell(e.TicketRestored(**story.said(1), queued_at=exactly(behind)))
    back = head(1, behind, Lane.RETURNING)
    heads = [head(2, moment(4)), replace(back, since=moment(7))]
    right = choose_next(heads, read_policy({}, {"A": 0, "B": 0}), story.at)
    assert right is not None and right[1]["candidates"][1]["waited_s"] == 60
    wrong = choose_next([heads[0], back], read_policy({}, {"A": 0, "B": 0}), story.at)
    assert wrong is not None
    rows = list(story.rows)
    assert faults(story.called_because(2, right[1]).rows) == {}
    assert faults(Story(rows).called_because(2, wrong[1]).rows).keys() == {"why"}


def test_a_transferred_ticket_stands_where_it_was_put() -> None:
    def story(place: str, queued_at: datetime, **more: Any) -> Story:
        return sent(at_window(), 1, place=place, queued_at=exactly(queued_at), **more)

    first, now = moment(3), moment(6)
    assert faults(story("first", first).rows) == faults(story("sorted", first).rows) == {}
    assert faults(story("last", now).rows) == {}
    assert faults(story("sorted", now).rows).keys() == {"order"}
    assert faults(story("last", first).rows).keys() == {"order"}
    assert faults(story("first", now).rows).keys() == {"order"}


def test_a_ticket_is_passed_on_no_more_often_than_the_rule_says() -> None:
    story = Story().tell(e.PolicyChanged(policy={"transfer_cap": 1}), SYSTEM).opened().issued(1)
    story = sent(story.called(1, [head(1, moment(4))]), 1, queued_at=exactly(moment(4)))
    assert faults(story.rows) == {}
    story = sent(story.called(1, [head(1, moment(4))]), 1, queued_at=exactly(moment(4)))
    assert faults(story.rows).keys() == {"steps"}


def test_nobody_is_called_on_a_day_that_is_gone() -> None:
    rows = at_window().rows
    assert "steps" in faults([*rows[:-1], replace(rows[-1], at=AT + timedelta(days=1))])


def test_nobody_waits_again_on_a_day_that_is_gone() -> None:
    story = at_window().tell(e.TicketMissed(**Story().said(1), window="W01"))
    restored = e.TicketRestored(**story.said(1), queued_at=exactly(moment(4) + timedelta(microseconds=1)))
    assert faults(story.tell(restored).rows) == {}
    assert "steps" in faults([*story.rows[:-1], replace(story.rows[-1], at=AT + timedelta(days=1))])


# ── reasons ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def two_lanes(**policy: Any) -> Story:
    story = Story().opened()
    if policy:
        story.tell(e.PolicyChanged(policy=policy), SYSTEM)
    return story.issued(1).issued(2, lane="priority")


def both(story: Story) -> list[LaneHead]:
    first = len(story.rows) - 1
    return [head(1, moment(first)), head(2, moment(first + 1), Lane.PRIORITY)]


def test_the_stored_reason_is_the_reason() -> None:
    story = two_lanes()
    assert faults(story.called(2, both(story)).rows) == {}
    wrong = two_lanes()
    why = choose_next(both(wrong), read_policy({}, {"A": 0, "B": 0}), wrong.at)[1]  # type: ignore[index]
    lied = {**why, "candidates": why["candidates"][:1]}
    assert faults(wrong.called_because(2, lied).rows).keys() == {"why"}
    assert faults(two_lanes().called_because(1, {"rule": "rank", "chosen": "A001"}).rows).keys() == {"why"}


def test_the_rules_of_the_hall_at_that_moment_count() -> None:
    rules = {"head_start_min": {"priority": 0}}
    story = two_lanes(**rules)
    assert faults(story.called(1, both(story), **rules).rows) == {}
    wrong = two_lanes()
    assert faults(wrong.called(1, both(wrong), **rules).rows).keys() == {"why"}
    weighted = Story().opened(weight=10).issued(1)
    assert faults(weighted.called(1, [head(1, moment(3))]).rows).keys() == {"why"}  # told without the weight


def test_the_ratio_goes_on_from_call_to_call() -> None:
    """After a normal call the priority lane is owed; a hall that forgot its count would call a normal one again."""
    rules = {"ratio": [1, 1], "head_start_min": {"priority": 0}}
    policy = read_policy(rules, {"A": 0, "B": 0})

    def second(tally: Tally) -> Story:
        story = two_lanes(**rules).issued(3)
        priority = head(2, moment(5), Lane.PRIORITY)
        story.called(1, [head(1, moment(4)), priority], **rules).served(1)
        choice = choose_next([head(3, moment(6)), priority], policy, story.at, "W01", tally)
        assert choice is not None
        return story.called_because(choice[0].ticket, choice[1])

    assert faults(second(Tally(normal=1)).rows) == {}
    assert faults(second(Tally()).rows).keys() == {"why"}


def test_whoever_was_passed_over_by_a_choice_is_told() -> None:
    story = Story().opened().issued(1, 2)
    among = choose_next([head(1, moment(3)), head(2, moment(4))], read_policy({}, {"A": 0, "B": 0}), story.at)
    assert among is not None
    why = {"rule": "chosen", "chosen": "A002", "reason": "frail", "by_rule": "A001", "ahead": 1}
    why |= {"candidates": among[1]["candidates"], "passed_over": ["A001"]}

    def chosen(**other: Any) -> dict[str, list[str]]:
        told = Story().opened().issued(1, 2)
        more = {"mode": "chosen", "reason": "frail", "why": why | other}
        return faults(told.tell(e.TicketCalled(**told.said(2), lane="normal", window="W01", waited_s=0, **more)).rows)

    assert chosen() == {}
    assert chosen(passed_over=[]).keys() == chosen(by_rule="A002").keys() == chosen(ahead=0).keys() == {"why"}
