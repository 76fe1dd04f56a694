"""The history checker finds what it is for: each fault, planted in a sound history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.events import (
    BlockClosed,
    BlockLeased,
    CaseReceived,
    DayClosed,
    Event,
    ItemFollowed,
    PolicyChanged,
    Recorded,
    TicketAbandoned,
    TicketCalled,
    TicketDeferred,
    TicketExpired,
    TicketFinished,
    TicketIssued,
    TicketMissed,
    TicketParked,
    TicketRecalled,
    TicketRejoined,
    TicketReminded,
    TicketRestored,
    TicketStarted,
    TicketTransferred,
    TicketUnparked,
    WindowClosed,
    WindowDefined,
    WindowOpened,
    WindowPaused,
    WindowTakenOver,
)
from app.queueing.rules.order import LaneHead, Tally, choose_next
from app.queueing.rules.policy import read_policy
from app.queueing.rules.states import Lane
from benchmarks.findings import Findings
from benchmarks.history import Op, check, summary, told

AT = datetime(2026, 11, 23, 1, tzinfo=UTC)  # nine in the morning
DAY = "2026-11-23"
SYSTEM, CLERK, OTHER, KIOSK = "system:system", "staff:clerk01", "staff:clerk02", "device:kiosk-7"
FAULTS = ("lost", "duplicates", "double_calls", "order", "steps", "why", "record", "answers")


def moment(minutes: float) -> datetime:
    return AT + timedelta(minutes=minutes)


def exactly(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


@dataclass
class Story:
    """A record that is written by hand, one event a minute, and the requests that it came from."""

    rows: list[Recorded] = field(default_factory=list)
    queues: dict[int, str] = field(default_factory=dict)

    def tell(self, event: Event, actor: str = CLERK, at: datetime | None = None) -> Story:
        seq = len(self.rows) + 1
        self.rows.append(Recorded("luolong", seq, event, actor, at or moment(seq)))
        return self

    @property
    def at(self) -> datetime:
        """When the next event happens."""
        return moment(len(self.rows) + 1)

    def said(self, ticket: int) -> dict[str, Any]:
        number = f"A{ticket:03d}"
        return {"ticket": ticket, "number": number, "queue": self.queues.get(ticket, "A"), "day": DAY}

    def opened(self, window: str = "W01", actor: str = CLERK, weight: int = 0) -> Story:
        names = {"window_kind": "comprehensive", "name_zh": "", "name_en": "", "zone": "A"}
        self.tell(WindowDefined(window=window, queues=("A", "B"), weights=(weight, 0), **names), SYSTEM)
        return self.tell(WindowOpened(window=window, staff=actor[6:]), actor)

    def issued(self, *tickets: int, **more: Any) -> Story:
        for ticket in tickets:
            self.tell(TicketIssued(**self.said(ticket) | {"lane": "normal", "channel": "kiosk"} | more), KIOSK)
        return self

    def called(
        self, ticket: int, heads: Sequence[LaneHead], window: str = "W01", actor: str = CLERK, **policy: Any
    ) -> Story:
        """As the hall would call it, given the heads as the test says that they stand."""
        choice = choose_next(heads, read_policy(policy, {"A": 0, "B": 0}), self.at, window)
        assert choice is not None and choice[0].ticket == ticket
        return self.called_because(ticket, choice[1], window, actor)

    def called_because(self, ticket: int, why: dict[str, Any], window: str = "W01", actor: str = CLERK) -> Story:
        event = TicketCalled(**self.said(ticket), lane="normal", window=window, waited_s=0, why=why)
        return self.tell(event, actor)

    def served(self, ticket: int) -> Story:
        self.tell(TicketStarted(**self.said(ticket), window="W01"))
        return self.tell(TicketFinished(**self.said(ticket), window="W01", served_s=1))


def head(
    ticket: int, queued_at: datetime, lane: Lane = Lane.NORMAL, direct: bool = False, queue: str = "A"
) -> LaneHead:
    return LaneHead(ticket, f"A{ticket:03d}", queue, lane, queued_at, direct)


def sound() -> Story:
    """Two people, both called, the first served."""
    story = Story().opened().issued(1, 2)
    return story.called(1, [head(1, moment(3))]).served(1).called(2, [head(2, moment(4))])


def asked(rows: Sequence[Recorded]) -> list[Op]:
    """The requests of a record, one after the other."""
    ops = []
    for row in rows:
        what = told(row)
        if what is not None:
            ops.append(Op(what[0], f"{row.seq}", row.seq, row.seq + 0.5, "ok", what[1]))
    return ops


def faults(rows: Sequence[Recorded], ops: Sequence[Op] | None = None) -> dict[str, list[str]]:
    """What the checker finds, without the lists that are empty."""
    found, _ = check(asked(rows) if ops is None else ops, rows)
    return {name: getattr(found, name) for name in FAULTS if getattr(found, name)}


def test_a_sound_history_has_no_fault() -> None:
    rows = sound().rows
    found, lives = check(asked(rows), rows)
    assert found.all() == [] and found.acked == 7
    assert {life.number: life.state for life in lives.tickets.values()} == {"A001": "finished", "A002": "called"}
    line = summary(asked(rows), found)
    assert "lost 0 · duplicates 0 · double calls 0 · order violations 0 · illegal steps 0 · wrong reasons 0" in line
    assert "record verifies" in line


# ── what clients were told ──────────────────────────────────────────────────────────────────────────────────────


def test_an_unanswered_request_may_have_happened_or_not() -> None:
    rows = sound().rows
    ops = asked(rows)
    lost = Op("issue", "x", 0, 1, "lost")
    assert faults(rows, [op for op in ops if (op.what, op.number) != ("issue", "A001")] + [lost]) == {}
    assert faults(rows, [*ops, lost]) == {}


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("lost", lambda ops: [*ops, Op("call", "x", 90, 91, "ok", "A003")]),  # acknowledged and never recorded
        ("duplicates", lambda ops: [*ops, Op("issue", "x", 90, 91, "ok", "A001")]),  # one number for two people
        ("duplicates", lambda ops: ops[2:]),  # a ticket that nobody asked for
        ("duplicates", lambda ops: [replace(ops[0], differs="200 …"), *ops[1:]]),  # a repetition told something else
        ("order", lambda ops: [replace(ops[1], began=95, ended=96), *[op for op in ops if op is not ops[1]]]),
        ("answers", lambda ops: [*ops, Op("issue", "x", 90, 91, "failed", detail="500")]),
        ("answers", lambda ops: [*ops, Op("call", "x", 90, 91, "refused", detail="409")]),
    ],
)
def test_every_fault_in_an_answer_is_found(where: str, change: Callable[[list[Op]], list[Op]]) -> None:
    rows = sound().rows
    assert faults(rows, change(asked(rows))).keys() == {where}


def test_what_a_client_was_ready_for_is_no_fault_and_what_the_system_does_nobody_asked_for() -> None:
    story = sound()
    story.tell(TicketExpired(**story.said(2) | {"ticket": 2}, reason="rollover"), SYSTEM)
    declined = Op("call", "x", 90, 91, "declined", detail="409 window.occupied")
    found, _ = check([*asked(story.rows), declined], story.rows)
    assert found.answers == [] and found.duplicates == []


def test_a_broken_chain_a_gap_and_falling_times_are_found() -> None:
    rows = sound().rows
    assert check(asked(rows), rows, broken_at=3)[0].record
    assert "record" in faults([*rows[:4], *rows[5:]], [])
    late = [*rows[:-1], replace(rows[-1], at=AT)]
    assert "the record's times fall" in faults(late)["record"]


# ── numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_numbers_are_given_once_and_without_gaps() -> None:
    assert "order" in faults(Story().opened().issued(1, 3).rows)
    twice = Story().opened().issued(1)
    twice.tell(TicketIssued(**twice.said(1) | {"ticket": 2}, lane="normal", channel="kiosk"))
    assert "duplicates" in faults(twice.rows)
    tomorrow = Story().opened().issued(1)
    day = {"ticket": 2, "day": "2026-11-24"}
    tomorrow.tell(TicketIssued(**tomorrow.said(1) | day, lane="normal", channel="kiosk"), KIOSK, AT + timedelta(days=1))
    assert faults(tomorrow.rows) == {}
    assert "steps" in faults([*tomorrow.rows[:-1], replace(tomorrow.rows[-1], at=moment(9))])  # a day too early


def test_cases_are_numbered_without_gaps() -> None:
    def cases(*serials: int) -> list[Recorded]:
        story = Story()
        for n in serials:
            story.tell(CaseReceived(case=n, number=f"LL20261123{n:04d}", item="x"))
        return story.rows

    assert faults(cases(1, 2)) == {}
    assert "duplicates" in faults(cases(1, 1))
    assert "order" in faults(cases(1, 3))


def block(first: int = 9001, last: int = 9003, n: int = 50) -> Event:
    return BlockLeased(block=n, device=KIOSK, queue="A", day=DAY, first=f"A{first}", last=f"A{last}")


def printed(serial: int, ticket: int) -> Event:
    said = {"ticket": ticket, "number": f"A{serial}", "queue": "A", "day": DAY, "lane": "normal", "channel": "kiosk"}
    return TicketIssued(**said, queued_at=exactly(moment(0)), arrived_at=exactly(moment(0)))


def given_back(used: int, *void: str, n: int = 50) -> Event:
    return BlockClosed(block=n, queue="A", day=DAY, used=used, void=void)


def blocks(*events: Event, actor: str = KIOSK) -> dict[str, list[str]]:
    story = Story()
    for event in events:
        story.tell(event, actor)
    return faults(story.rows)


def test_of_a_block_each_number_is_used_or_void() -> None:
    assert blocks(block(), printed(9001, 1), printed(9003, 2), given_back(2, "A9002"), block(9004, 9005, n=51)) == {}
    assert blocks(block()) == {}  # still out
    assert "lost" in blocks(block(), printed(9001, 1), given_back(1, "A9002"))  # one forgotten
    assert "lost" in blocks(block(), printed(9001, 1), given_back(1, "A9001", "A9002", "A9003"))  # used and void
    assert "duplicates" in blocks(block(), printed(9001, 1), printed(9001, 2))
    assert "duplicates" in blocks(block(), block(9003, 9005, n=51))  # lent to two kiosks
    assert "duplicates" in blocks(block(), printed(9004, 1))  # never lent
    assert "duplicates" in blocks(block(), given_back(0, "A9001", "A9002", "A9003"), printed(9001, 1))  # void before
    assert "duplicates" in blocks(block(), printed(9001, 1), actor="device:kiosk-8")  # another's
    assert "duplicates" in blocks(block(1, 3))  # of the main run
    assert "order" in blocks(block(), block(9005, 9006, n=51))
    assert "steps" in blocks(given_back(0))


# ── the life of a ticket ────────────────────────────────────────────────────────────────────────────────────────


def at_window() -> Story:
    """One is called, one waits."""
    return Story().opened().issued(1, 2).called(1, [head(1, moment(3))])


@pytest.mark.parametrize(
    "steps",
    [
        [TicketRecalled, TicketStarted, ItemFollowed, TicketParked, TicketReminded, TicketUnparked, TicketStarted, TicketFinished],
        [TicketMissed, TicketExpired],
        [TicketAbandoned],
        [TicketStarted, TicketParked, TicketAbandoned],
    ],
)  # fmt: skip
def test_legal_steps_are_no_fault(steps: list[type[Event]]) -> None:
    assert faults(walked(steps).rows) == {}


@pytest.mark.parametrize(
    "steps",
    [
        [TicketFinished],  # of a service that never began
        [TicketStarted, TicketMissed],
        [TicketStarted, TicketFinished, TicketFinished],  # two ends
        [TicketAbandoned, TicketExpired],
        [TicketUnparked],
        [TicketDeferred],  # at the window already
        [TicketMissed, TicketUnparked],
        [TicketStarted, TicketReminded],
    ],
)
def test_illegal_steps_are_found(steps: list[type[Event]]) -> None:
    assert faults(walked(steps).rows).keys() == {"steps"}


def walked(steps: list[type[Event]]) -> Story:
    story, more = (
        at_window(),
        {TicketFinished: {"served_s": 1}, ItemFollowed: {"served_s": 1}, TicketRecalled: {"recall": 1}},
    )
    for step in steps:
        place = {} if step in (TicketExpired, TicketDeferred) else {"window": "W01"}
        actor = SYSTEM if step in (TicketExpired, TicketReminded) else CLERK
        story.tell(step(**story.said(1), **place, **more.get(step, {})), actor)
    return story


def test_whom_a_clerk_set_aside_does_not_queue_again_and_who_went_away_is_not_called_past_it() -> None:
    rejoined = walked([TicketStarted, TicketParked])
    rejoined.tell(TicketRejoined(**rejoined.said(1), queued_at=exactly(rejoined.at)))
    assert "steps" in faults(rejoined.rows)
    unparked = Story().opened().issued(1)
    unparked.tell(TicketDeferred(**unparked.said(1)), KIOSK).tell(TicketUnparked(**unparked.said(1), window="W01"))
    assert faults(unparked.rows).keys() == {"steps"}


def test_who_is_at_no_window_or_at_another_does_nothing_there() -> None:
    story = at_window()
    assert faults(story.tell(TicketStarted(**story.said(1), window="W02")).rows).keys() == {"steps"}
    story = at_window()
    assert faults(story.tell(TicketStarted(**story.said(1), window="W01"), OTHER).rows).keys() == {"steps"}
    story = at_window()
    story.tell(WindowTakenOver(window="W01", staff="clerk02", from_staff="clerk01"), OTHER)
    assert faults(story.tell(TicketStarted(**story.said(1), window="W01"), OTHER).rows) == {}
    closed = Story().opened().issued(1).tell(WindowPaused(window="W01", staff="clerk01"))
    assert faults(closed.called(1, [head(1, moment(3))]).rows).keys() == {"steps"}


@pytest.mark.parametrize(
    ("event", "actor"),
    [
        (WindowOpened(window="W01", staff="clerk02"), OTHER),  # open already
        (WindowOpened(window="W02", staff="clerk01"), CLERK),  # sits elsewhere
        (WindowTakenOver(window="W01", staff="clerk02", from_staff="clerk03"), OTHER),
        (WindowPaused(window="W02", staff="clerk02"), OTHER),
        (WindowClosed(window="W01", staff="clerk02"), OTHER),
        (WindowClosed(window="W01", staff="clerk01"), CLERK),  # with somebody at it
    ],
)
def test_one_clerk_a_window_and_one_window_a_clerk(event: Event, actor: str) -> None:
    assert faults(at_window().tell(event, actor).rows).keys() == {"steps"}


def test_nobody_is_called_twice_and_no_window_has_two() -> None:
    twice = at_window().opened("W02", OTHER)
    assert "double_calls" in faults(twice.called_because(1, {}, "W02", OTHER).rows)
    two = at_window()
    assert faults(two.called(2, [head(2, moment(4))]).rows).keys() == {"double_calls"}


def test_an_event_of_a_ticket_that_is_none_is_found() -> None:
    story = at_window()
    assert faults(story.tell(TicketStarted(**story.said(7), window="W01")).rows).keys() == {"record"}
    story = at_window()
    story.queues[1] = "B"
    assert "record" in faults(story.tell(TicketStarted(**story.said(1), window="W01")).rows)


# ── nobody is lost ──────────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_is_left_behind_when_a_day_is_closed() -> None:
    story = at_window().tell(DayClosed(day=DAY, expired=0), SYSTEM)
    assert faults(story.rows)["lost"] == [f"{DAY} was closed at seq 6 and A002 was left waiting"]
    story = at_window()
    story.tell(TicketExpired(**story.said(2), reason="rollover"), SYSTEM).tell(DayClosed(day=DAY, expired=1), SYSTEM)
    assert faults(story.served(1).rows) == {}  # who is at a window is served to the end


def sent(story: Story, ticket: int, **more: Any) -> Story:
    """Pass a called ticket on; it keeps its place unless the test says otherwise."""
    said = story.said(ticket) | {"from_queue": "A", "window": "W01", "queued_at": exactly(moment(3))} | more
    return story.tell(TicketTransferred(**said))


def test_nobody_waits_for_a_window_that_is_closed() -> None:
    story = sent(at_window().opened("W02", OTHER), 1, to_window="W02")
    assert faults(story.rows) == {}
    story.tell(WindowClosed(window="W02", staff="clerk02"), OTHER)
    assert "lost" in faults(story.rows)
    story.tell(TicketTransferred(**story.said(1), from_queue="A", window=None, queued_at=exactly(moment(3))), OTHER)
    assert faults(story.rows) == {}
    story.tell(TicketTransferred(**story.said(1), from_queue="A", window=None, queued_at=exactly(moment(3))), OTHER)
    assert faults(story.rows).keys() == {"steps"}  # had not been sent any more


# ── order ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_came_first_in_a_lane_is_called_first() -> None:
    story = Story().opened().issued(1, 2)
    found = faults(story.called(2, [head(2, moment(4))]).rows)
    assert found["order"] == ["A002 was called at seq 5 before A001 of lane normal in A"] and "why" in found


def test_a_restored_ticket_stands_where_it_was_put() -> None:
    """Behind three; it came first, and is called fourth. In the right order that is no fault, in any other it is."""

    def story(queued_at: datetime) -> Story:
        told = at_window().issued(3, 4, 5).tell(TicketMissed(**Story().said(1), window="W01"))
        return told.tell(TicketRestored(**told.said(1), queued_at=exactly(queued_at)))

    right = moment(7) + timedelta(microseconds=1)  # behind 2, 3 and 4, who came in minutes 4, 6 and 7
    assert faults(story(right).rows) == {}
    for wrong in (moment(3), moment(6), moment(9)):  # its old place, too early, behind everybody
        assert faults(story(wrong).rows).keys() == {"order"}
    later = story(right).called(2, [head(2, moment(4))]).served(2)
    later = later.called(3, [head(3, moment(6))]).served(3).called(4, [head(4, moment(7))]).served(4)
    assert faults(later.called(1, [head(1, right)]).served(1).rows) == {}
    assert "order" in faults(story(right).called(1, [head(1, right)]).rows)


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
    story = Story().tell(PolicyChanged(policy={"transfer_cap": 1}), SYSTEM).opened().issued(1)
    story = sent(story.called(1, [head(1, moment(4))]), 1, queued_at=exactly(moment(4)))
    assert faults(story.rows) == {}
    story = sent(story.called(1, [head(1, moment(4))]), 1, queued_at=exactly(moment(4)))
    assert faults(story.rows).keys() == {"steps"}


def test_nobody_is_called_on_a_day_that_is_gone() -> None:
    rows = at_window().rows
    assert "steps" in faults([*rows[:-1], replace(rows[-1], at=AT + timedelta(days=1))])


def test_nobody_waits_again_on_a_day_that_is_gone() -> None:
    story = at_window().tell(TicketMissed(**Story().said(1), window="W01"))
    restored = TicketRestored(**story.said(1), queued_at=exactly(moment(4) + timedelta(microseconds=1)))
    assert faults(story.tell(restored).rows) == {}
    assert "steps" in faults([*story.rows[:-1], replace(story.rows[-1], at=AT + timedelta(days=1))])


# ── reasons ─────────────────────────────────────────────────────────────────────────────────────────────────────


def two_lanes(**policy: Any) -> Story:
    story = Story().opened()
    if policy:
        story.tell(PolicyChanged(policy=policy), SYSTEM)
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
        return faults(told.tell(TicketCalled(**told.said(2), lane="normal", window="W01", waited_s=0, **more)).rows)

    assert chosen() == {}
    assert chosen(passed_over=[]).keys() == chosen(by_rule="A002").keys() == chosen(ahead=0).keys() == {"why"}


def test_findings_tell_the_worst_first() -> None:
    found = Findings(lost=["a"], answers=["z"], why=["m"])
    assert found.all() == ["a", "m", "z"]
