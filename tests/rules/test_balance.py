"""Hot and cold windows: what a day looked like, and which change would have helped (the comprehensive window's case)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.queueing.rules.balance import measure, suggest, waited_min
from app.queueing.rules.changes import Changes, changed
from app.queueing.rules.day import Day, Desk, Turn, Visit
from app.queueing.rules.policy import Policy
from app.queueing.rules.simulate import run
from app.queueing.rules.states import Lane
from benchmarks import days

NINE = datetime(2027, 1, 4, 1, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def visit(ticket: int, queue: str, came: float, service: float, **facts: object) -> Visit:
    turn = replace(Turn(queue, service_s=service * 60), **facts)  # type: ignore[arg-type]
    return Visit(ticket, f"{queue}{ticket:03d}", at(came), (turn,))


def two(*visits: Visit, **more: object) -> Day:
    """A window a bureau, open for an hour."""
    hours = ((at(0), at(60)),)
    desks = (Desk("W01", {"A": 0}, hours), Desk("W02", {"B": 0}, hours))
    return Day(NINE, visits, desks, **more)  # type: ignore[arg-type]


HOT = two(visit(1, "A", 0, 20), visit(2, "A", 1, 20), visit(3, "A", 2, 10), visit(4, "B", 30, 5))


def test_the_figures_of_a_small_day() -> None:
    found = measure(HOT, run(HOT))
    assert found.queues["A"].people == found.queues["A"].served == 3
    assert [round(each, 6) for each in (found.queues["A"].mean, found.queues["A"].most)] == [19, 38]
    assert found.everybody.p50 == 19 and found.waiting_min == 57
    first, second = found.windows
    assert (first.calls, first.open, first.busy, first.idle, first.cold) == (3, 60, 50, 0, 0)
    assert (second.calls, second.busy, second.idle) == (1, 5, 0)
    assert second.cold == 34, (
        "from minute 1 to 40 people waited whom it does not serve, less the 5 that it had somebody"
    )
    assert [(each[0], each[2]) for each in found.curve] == [(at(0), 3), (at(30), 1)]


def test_who_was_never_called_waited_to_the_end_or_until_they_left() -> None:
    day = two(visit(1, "A", 0, 90), visit(2, "A", 10, 5), visit(3, "A", 20, 5, leaves_at=at(35)))
    found = measure(day, run(day))
    assert waited_min(day, run(day).waits) == {1: 0, 2: 50, 3: 15}
    assert (found.unserved, found.everybody.served) == (1, 1)


def test_idle_is_time_in_which_somebody_could_have_been_called() -> None:
    slow = replace(HOT, desks=(replace(HOT.desks[0], gap_s=(120.0,), wake_s=120.0), HOT.desks[1]))
    assert measure(slow, run(slow)).windows[0].idle == 6


def test_suggestions_are_sorted_true_and_only_helpful() -> None:
    found = suggest(HOT, ["W07"], HOT.desks[0].hours)
    assert [each.saved_min for each in found] == sorted((each.saved_min for each in found), reverse=True)
    base = measure(HOT, run(HOT)).waiting_min
    for each in found:
        assert each.saved_min > 0
        outcome = run(HOT, each.changes)
        assert base - sum(waited_min(HOT, outcome.waits).values()) == pytest.approx(each.saved_min)
    assert any(each.changes.open for each in found) and any(each.changes.comprehensive for each in found)
    assert any([(own.window, own.queue) for own in each.changes.teach] == [("W02", "A")] for each in found)
    assert suggest(two(visit(1, "A", 0, 5)), [], ()) == []


def test_ratios_are_tried_where_there_is_a_priority_lane() -> None:
    crowd = [visit(n, "A", 0, 2, lane=Lane.PRIORITY if n % 2 else Lane.NORMAL) for n in range(1, 20)]
    tried = suggest(replace(two(*crowd), policy=Policy(ratio=(1, 5))), [], ())
    assert all(each.changes.policy is None or each.changes.policy.ratio != (1, 5) for each in tried)


def test_comprehensive_windows_mend_the_bureaus_of_the_open_data() -> None:
    """The hot-and-cold-window problem: two windows never rest, others serve six people all day; all for one mends it."""
    day = days.load("bureaus").day
    both = changed(day, Changes(comprehensive=True))
    before, after = measure(day, run(day)), measure(both, run(both))
    shares = [load.busy / load.open for load in before.windows]
    assert max(shares) > 0.95 and min(shares) < 0.2
    evened = [load.busy / load.open for load in after.windows]
    assert max(evened) - min(evened) < 0.25
    assert sum(load.cold for load in before.windows) > 1500
    assert sum(load.cold for load in after.windows) == 0
    assert after.everybody.mean < before.everybody.mean / 3
    assert after.everybody.p90 < before.everybody.p90 / 4
    assert after.unserved < before.unserved
    best = suggest(day, [], ())[0]
    assert best.changes.comprehensive and best.mean_min == pytest.approx(after.everybody.mean)
