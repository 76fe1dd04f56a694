"""The hall's day as a simulation: under the real rule, in order, with windows that come and go."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.queueing.rules.changes import Changes, Lesson, Opening, changed
from app.queueing.rules.day import Busy, Day, Desk, Turn, Visit, joined
from app.queueing.rules.order import LaneHead, Tally, choose_next
from app.queueing.rules.policy import Condition, Policy
from app.queueing.rules.simulate import Floor, run
from app.queueing.rules.states import Lane

NINE = datetime(2027, 1, 4, 1, 0, tzinfo=UTC)  # 09:00 in the hall


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def visit(ticket: int, came: float, *turns: Turn, **facts: object) -> Visit:
    own = turns or (replace(Turn("A", service_s=300), **facts),)  # type: ignore[arg-type]
    return Visit(ticket, f"A{ticket:03d}", at(came), own)


def desk(window: str = "W01", queues: str = "A", hours: tuple[tuple[float, float], ...] = ((0, 480),)) -> Desk:
    return Desk(window, dict.fromkeys(queues, 0), tuple((at(begin), at(end)) for begin, end in hours))


def called(*visits: Visit, desks: tuple[Desk, ...] = (), **more: object) -> list[tuple[int, str, float]]:
    """(ticket, window, minute) of every call."""
    outcome = run(Day(NINE, visits, desks or (desk(),), **more))  # type: ignore[arg-type]
    return [(each.ticket, each.window, (each.at - NINE).total_seconds() / 60) for each in outcome.calls]


def test_one_after_the_other_and_nobody_before_they_come() -> None:
    assert called(visit(2, 1), visit(1, 0), visit(3, 30)) == [(1, "W01", 0), (2, "W01", 5), (3, "W01", 30)]


def test_two_windows_share_a_queue_and_the_one_free_longest_goes_first() -> None:
    both = (desk("W01"), desk("W02", hours=((-10, 480),)))
    assert called(visit(1, 0), visit(2, 0), visit(3, 2), desks=both) == [(1, "W01", 0), (2, "W02", 0), (3, "W01", 5)]
    later = called(visit(1, 0, service_s=60), visit(2, 0, service_s=120), visit(3, 30), desks=both)
    assert later[2] == (3, "W01", 30), "it has been free since minute 1, the other since minute 2"


def visit_(ticket: int, came: float, lane: Lane) -> Visit:
    return visit(ticket, came, Turn("A", lane, 600))


def test_the_priority_lane_has_its_head_start() -> None:
    found = called(visit_(1, 0, Lane.NORMAL), visit_(2, 1, Lane.NORMAL), visit_(3, 9, Lane.PRIORITY))
    assert [ticket for ticket, *_ in found] == [1, 3, 2]


def test_a_window_calls_only_while_it_is_open_and_finishes_whom_it_has() -> None:
    lunch = desk(hours=((0, 10), (60, 480)))
    assert called(visit(1, 0), visit(2, 8), visit(3, 9), desks=(lunch,)) == [
        *((1, "W01", 0), (2, "W01", 8), (3, "W01", 60))
    ]


def test_somebody_in_the_middle_of_a_service_is_finished_first() -> None:
    assert called(visit(1, 0), busy=(Busy("W01", at(7)),)) == [(1, "W01", 7)]


def test_walking_and_no_shows_keep_the_window() -> None:
    walks = Turn("A", service_s=300, walk_s=60)
    gone = Turn("A", service_s=9999, walk_s=90, comes=False)
    found = called(visit(1, 0, walks), visit(2, 0, gone), visit(3, 0))
    assert [minute for *_, minute in found] == [0, 6, 7.5]


def test_who_gives_up_is_not_called() -> None:
    found = called(visit(1, 0), visit(2, 1, Turn("A", service_s=300, leaves_at=at(4))), visit(3, 2))
    assert [ticket for ticket, *_ in found] == [1, 3]


def test_a_transfer_waits_again_with_its_arrival_and_a_restore_behind() -> None:
    twice = visit(1, 0, Turn("A", service_s=60), Turn("B", service_s=60, queued_at=at(0)))
    found = called(twice, visit(2, 0.5, Turn("B", service_s=60)), desks=(desk(queues="AB"),))
    assert [ticket for ticket, *_ in found] == [1, 1, 2]
    missed = visit(1, 0, Turn("A", walk_s=60, comes=False), Turn("A", service_s=60, after_s=120))
    assert [ticket for ticket, *_ in called(missed, visit(2, 2))] == [1, 2, 1]


def test_call_by_finds_who_was_put_behind_others_by_how_long_they_have_waited() -> None:
    """Missed at once and back at minute 1, at the place of who comes in minute 11."""
    place = {"after_s": 60, "ahead_s": -(24 * 3600 + 600)}
    back = visit(1, 0, Turn("A", Lane.RETURNING, comes=False), Turn("A", Lane.RETURNING, **place))
    line = [visit(n, came, service_s=1200) for n, came in ((2, 0), (3, 2), (4, 2), (5, 2))]
    assert [ticket for ticket, *_ in called(back, *line, policy=Policy(call_by_min=90))] == [1, 2, 3, 4, 5, 1]
    assert [ticket for ticket, *_ in called(back, *line, policy=Policy(call_by_min=30))] == [1, 2, 3, 1, 4, 5]


def test_who_is_sent_to_a_window_waits_for_that_one() -> None:
    both = (desk("W01"), desk("W02", queues="B"))
    assert called(visit(1, 0, Turn("A", service_s=60, window="W02")), desks=both) == [(1, "W02", 0)]
    assert called(visit(1, 0, Turn("A", service_s=60, window="W09")), desks=both) == []


def test_a_ghost_takes_nobodys_time() -> None:
    asks = visit(9, 0, Turn("A", ghost=True))
    outcome = run(Day(NINE, (visit(1, 0), visit(2, 0), asks), (desk(),)))
    assert [each.ticket for each in outcome.calls] == [1, 2]
    assert outcome.waits == {1: 0, 2: 300, 9: 600}


def test_the_pace_of_a_window_is_its_own() -> None:
    slow = replace(desk(), gap_s=(90.0, 30.0), wake_s=60.0)
    found = called(*(visit(n, 0) for n in (1, 2, 3, 4)), visit(5, 60), desks=(slow,))
    assert [minute for *_, minute in found] == [1, 7.5, 13, 19.5, 61]


def test_with_dispatch_a_window_rests_first() -> None:
    policy = Policy(dispatch=True, rest_s=60)
    found = called(visit(1, 0), visit(2, 0), visit(3, 30), policy=policy)
    assert [minute for *_, minute in found] == [1, 7, 30], "a window that has rested calls at once"


def test_changes_open_and_teach_and_rule() -> None:
    day = Day(NINE, (visit(1, 0), visit(2, 0, Turn("B", service_s=60))), (desk(),))
    assert [each.ticket for each in run(day).calls] == [1]
    opened = Changes(open=(Opening("W07", {"B": 0}, ((at(10), at(20)),)),))
    assert [(each.ticket, each.window) for each in run(day, opened).calls] == [(1, "W01"), (2, "W07")]
    taught = Changes(teach=(Lesson("W01", "B", 10), Lesson("W99", "B")))
    assert changed(day, taught).desks[0].weight_min == {"A": 0, "B": 10}
    assert [each.ticket for each in run(day, taught).calls] == [2, 1], "the weight counts as waiting"
    assert changed(day, Changes(comprehensive=True)).desks == day.desks, "there is nothing more to serve"
    both = replace(day, desks=(desk(), desk("W02", queues="B")))
    assert [own.weight_min for own in changed(both, Changes(comprehensive=True)).desks] == [
        *({"A": 0, "B": 0}, {"B": 0, "A": 0})
    ]
    assert changed(day, Changes(policy=Policy(ratio=(2, 1)))).policy.ratio == (2, 1)


def test_spans_that_touch_are_one() -> None:
    assert joined([(at(5), at(9)), (at(0), at(5)), (at(20), at(30)), (at(21), at(22))]) == (
        *((at(0), at(9)), (at(20), at(30))),
    )


lanes = st.sampled_from([Lane.NORMAL, Lane.NORMAL, Lane.PRIORITY, Lane.APPOINTMENT])
people = st.lists(
    st.tuples(st.integers(0, 7200), st.sampled_from("ABC"), lanes, st.integers(30, 900)), min_size=1, max_size=40
)
policies = st.builds(
    Policy,
    ratio=st.sampled_from([None, (2, 1), (3, 1)]),
    call_by_min=st.sampled_from([None, 20, 45]),
    conditions=st.sampled_from([(), (Condition(30, queue="B", waiting_over=3),), (Condition(15, waited_over_min=20),)]),
)


def hall(drawn: list[tuple[int, str, Lane, int]], policy: Policy, windows: int) -> Day:
    visits = tuple(
        Visit(n, f"{queue}{n:03d}", NINE + timedelta(seconds=came), (Turn(queue, lane, float(service)),))
        for n, (came, queue, lane, service) in enumerate(sorted(drawn, key=lambda each: each[0]), start=1)
    )
    weights = [{"A": 10, "B": 0}, {"B": 10, "C": 0}, {"A": 0, "B": 0, "C": 10}]
    hours = ((at(0), at(60)), (at(75), at(600)))
    desks = tuple(Desk(f"W{n:02d}", weights[n % 3], hours, (5.0, 11.0), 7.0) for n in range(windows))
    return Day(NINE, visits, desks, policy)


@given(people, policies, st.integers(1, 5))
def test_every_call_is_the_one_that_the_rule_chooses(
    drawn: list[tuple[int, str, Lane, int]], policy: Policy, windows: int
) -> None:
    """The oracle: at each call, the real `choose_next` over all who wait then and may be called there."""
    day = hall(drawn, policy, windows)
    outcome = run(day)
    desks = {own.window: own for own in day.desks}
    tallies = dict.fromkeys(desks, Tally())
    gone: set[int] = set()
    free: dict[str, datetime] = {}
    for call in outcome.calls:
        own = desks[call.window]
        here = [each for each in day.visits if each.at <= call.at and each.ticket not in gone]
        count = {queue: sum(each.turns[0].queue == queue for each in here) for queue in "ABC"}
        heads: dict[tuple[str, Lane], LaneHead] = {}
        for each in here:
            turn = each.turns[0]
            head = LaneHead(each.ticket, each.number, turn.queue, turn.lane, each.at, waiting=count[turn.queue])
            if turn.queue in own.weight_min:
                heads.setdefault((turn.queue, turn.lane), head)
        ruled = replace(policy, weight_min=own.weight_min)
        choice = choose_next(list(heads.values()), ruled, call.at, call.window, tallies[call.window])
        assert choice is not None
        assert (choice[0].ticket, choice[1]["rule"]) == (call.ticket, call.rule)
        tallies[call.window] = choice[2]
        assert any(begin <= call.at < end for begin, end in own.hours)
        assert free.get(call.window, NINE) <= call.at, "one at a time"
        free[call.window] = call.until
        gone.add(call.ticket)
    assert len(outcome.calls) == len(gone)
    assert gone | set(outcome.waiting) == {each.ticket for each in day.visits}


@given(people, policies, st.integers(1, 5), st.randoms(use_true_random=False))
def test_the_order_of_the_input_is_nothing(drawn, policy, windows, lots) -> None:
    day = hall(drawn, policy, windows)
    shuffled = list(day.visits)
    lots.shuffle(shuffled)
    assert run(replace(day, visits=tuple(shuffled))) == run(day)


def test_one_may_look_on_and_stop_in_the_middle() -> None:
    day = Day(NINE, (visit(1, 0), visit(2, 1), visit(3, 2)), (desk(),))
    seen: list[tuple[int, int]] = []
    floor = Floor(day, lambda hall, who: seen.append((who.ticket, len(hall.waiting()))))
    outcome = floor.run(until=at(5))
    assert seen == [(1, 0), (2, 0), (3, 1)]
    assert outcome.waiting == (2, 3)
    assert set(floor.taken()) == {"W01"}
    assert [each.ticket for each in Floor(day).run(asked={2}).calls] == [1, 2]


@pytest.mark.parametrize("ratio", [(1, 1), (3, 1)])
def test_a_ratio_reaches_the_simulation(ratio: tuple[int, int]) -> None:
    drawn = [(0, "A", lane, 60) for lane in (Lane.NORMAL, Lane.PRIORITY) for _ in range(8)]
    outcome = run(hall(drawn, Policy(ratio=ratio), 1))
    first = [each.lane for each in outcome.calls[: sum(ratio)]]
    assert first.count(Lane.PRIORITY) == ratio[1]
