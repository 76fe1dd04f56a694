"""The promised wait: never a lie that can be seen, true often enough on open data, and steady on a phone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.queueing.rules import forecast as rules
from app.queueing.rules.accuracy import AIM, Guess, score
from app.queueing.rules.day import Desk
from app.queueing.rules.forecast import (
    Past,
    Present,
    Range,
    Serving,
    Waiting,
    forecast,
    past_of,
    planned,
    said,
)
from app.queueing.rules.policy import Condition, Policy
from app.queueing.rules.simulate import Floor, Outcome
from app.queueing.rules.states import Lane
from app.queueing.rules.steady import Moved, Shown, settle
from benchmarks import days
from benchmarks.wait import DAYS, guesses_of

NOON = datetime(2027, 1, 4, 2, 0, tzinfo=UTC)
ALL_DAY = ((NOON - timedelta(hours=2), NOON + timedelta(hours=8)),)
SERVICES = {"A": [200.0, 240, 300, 320, 400, 500] * 5, "B": [100.0] * 20}


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def desks(count: int, queues: str = "AB") -> tuple[Desk, ...]:
    return tuple(Desk(f"W{n}", dict.fromkeys(queues, 0), ALL_DAY, (5.0,), 5.0) for n in range(count))


def line(people: int, queue: str = "A") -> tuple[Waiting, ...]:
    return tuple(Waiting(n + 1, queue, Lane.NORMAL, at(n - people)) for n in range(people))


def see(present: Present, queues: str = "AB", past: Past = Past(SERVICES)):
    return forecast(present, past, queues, seed=7)


def test_nobody_ahead_and_a_free_window_is_now() -> None:
    assert see(Present(NOON, desks(1))).newcomers["A"] == Range(0, 60)


def test_without_windows_hours_or_services_nobody_can_say() -> None:
    assert see(Present(NOON, ())).newcomers == {"A": None, "B": None}
    closed = tuple(replace(desk, hours=()) for desk in desks(2))
    assert see(Present(NOON, closed)).newcomers["A"] is None
    assert see(Present(NOON, desks(1)), past=Past({})).newcomers == {}
    assert see(Present(NOON, desks(1, "B"))).newcomers["A"] is None


def test_more_windows_shorten_and_more_people_lengthen_the_wait() -> None:
    one, two = (see(Present(NOON, desks(n), line(8))).newcomers["A"] for n in (1, 2))
    few = see(Present(NOON, desks(1), line(3))).newcomers["A"]
    assert one is not None and two is not None and few is not None
    assert two.high_s < one.low_s and few.high_s < one.low_s
    middle = (one.low_s + one.high_s) / 2
    assert 8 * 325 * 0.8 < middle < 8 * 325 * 1.25


def test_every_place_has_its_own_range_and_they_rise() -> None:
    seen = see(Present(NOON, desks(2), line(10), (Serving("W0", "A", at(-2)), Serving("W1", "A", at(-1)))))
    assert seen.places["A"] == tuple(range(1, 11))
    ranges = [seen.at_place("A", ahead) for ahead in range(11)]
    assert all(each is not None for each in ranges)
    assert [each.low_s for each in ranges] == sorted(each.low_s for each in ranges)
    assert ranges[10] == seen.newcomers["A"] == seen.at_place("A", 99)


def test_who_ranks_before_has_the_earlier_place() -> None:
    waiting = (*line(4), Waiting(9, "A", Lane.PRIORITY, at(0)))
    assert see(Present(NOON, desks(1), waiting)).places["A"] == (9, 1, 2, 3, 4), "15 minutes of head start"


def test_a_lunch_break_lies_in_the_range() -> None:
    before_noon = Desk("W0", {"A": 0}, ((at(-60), at(10)), (at(100), at(400))), (5.0,), 5.0)
    seen = see(Present(NOON, (before_noon,), line(6)))
    assert seen.at_place("A", 0).high_s < 600
    assert seen.newcomers["A"].low_s >= 100 * 60


def test_when_the_windows_close_before_ones_turn_nobody_can_say() -> None:
    soon = tuple(replace(desk, hours=((at(-60), at(20)),)) for desk in desks(1))
    found = see(Present(NOON, soon, line(30))).newcomers["A"]
    assert found is None
    unsure = see(Present(NOON, soon, line(3))).newcomers["A"]
    assert unsure is not None and 0.5 <= unsure.sure < 1


def test_the_same_present_and_seed_give_the_same_ranges() -> None:
    present = Present(NOON, desks(2), line(7), (Serving("W0", "A", at(-3)),))
    past = Past(SERVICES, {("A", Lane.PRIORITY): 200.0, ("A", Lane.NORMAL): 120.0}, leaving=0.1)
    assert see(present, past=past) == see(present, past=past)
    assert forecast(present, past, "AB", seed=8).newcomers["A"] is not None


def test_lots_are_drawn_in_the_same_order_in_every_process() -> None:
    today, before = ({queue: [300.0] * 5 for queue in queues} for queues in ("FBDAEC", "CHGAB"))
    assert list(past_of(today, before)) == list("ABCDEFGH")


def test_who_may_overtake_is_counted() -> None:
    present = Present(NOON, desks(1, "A"), line(5), policy=Policy(ratio=(1, 3)))
    rush = Past(SERVICES, {("A", Lane.PRIORITY): 100.0})
    alone, rushed = see(present, "A").newcomers["A"], see(present, "A", rush).newcomers["A"]
    assert rushed.low_s > alone.high_s


def test_a_dear_forecast_makes_do_with_fewer_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    played: list[int] = []

    class Counted(Floor):
        def run(self, **how: Any) -> Outcome:
            played.append(1)
            return super().run(**how)

    def runs(people: int, policy: Policy = Policy()) -> int:
        played.clear()
        see(Present(NOON, desks(12), line(people), policy=policy), past=Past(SERVICES, {("A", Lane.PRIORITY): 40.0}))
        return len(played)

    monkeypatch.setattr(rules, "Floor", Counted)
    dear = Policy(ratio=(3, 1), conditions=(Condition(5, waiting_over=10),) * 18)
    assert (runs(5), runs(5, dear), runs(200)) == (40, 40, 16)
    assert runs(200, dear) == 8


@settings(max_examples=25)
@given(
    st.integers(0, 12),
    st.integers(1, 3),
    st.lists(st.floats(1, 3600), min_size=5, max_size=12),
    st.sampled_from([None, (2, 1)]),
)
def test_a_range_is_never_negative_backward_or_nothing_with_people_ahead(people, windows, spans, ratio) -> None:
    present = Present(NOON, desks(windows, "A"), line(people), policy=Policy(ratio=ratio))
    seen = see(present, "A", Past({"A": spans}, {("A", Lane.PRIORITY): 300.0}))
    for ahead in range(people + 1):
        found = seen.at_place("A", ahead)
        if found is not None:
            assert 0 <= found.low_s < found.high_s
            assert found.low_s >= (60 if ahead else 0)


@pytest.mark.parametrize(
    ("low", "high", "ahead", "range_"),
    [
        (0, 0, 0, (0, 60)),
        (3, 10, 1, (60, 120)),
        (130, 400, 2, (120, 420)),
        (1000, 1700, 5, (900, 1800)),
        (4000, 6100, 9, (3600, 6600)),
    ],
)
def test_ranges_are_said_in_steps_rounded_outwards(low, high, ahead, range_) -> None:
    assert (said(low, high, ahead).low_s, said(low, high, ahead).high_s) == range_


def test_what_is_known_comes_from_today_then_before_then_the_hall() -> None:
    known = past_of({"A": [1.0] * 20, "B": [2.0] * 3}, {"B": [3.0] * 40, "C": [4.0]})
    assert known["A"] == [1.0] * 20
    assert known["B"] == [3.0] * 40 + [2.0] * 3
    assert known["C"] == ([3.0] * 40 + [4.0] + [1.0] * 20 + [2.0] * 3)[-60:], "too few of its own: all of the hall's"
    assert past_of({"A": [1.0]}, {}) == {}


# ── which windows will call ─────────────────────────────────────────────────────────────────────────────────────

DOORS = ((at(-60), at(60)), (at(150), at(400)))


def plan(state: str, minute: float = 0, usual: tuple[tuple[float, float], ...] = ()) -> list[tuple[float, float]]:
    known = {"W0": tuple((at(begin), at(end)) for begin, end in usual)}
    spans = planned(at(minute), DOORS, {"W0": state}, known)["W0"]
    return [tuple((each - NOON).total_seconds() / 60 for each in span) for span in spans]


def test_an_open_window_stays_and_comes_back_after_noon() -> None:
    assert plan("open") == [(0, 60), (150, 400)]
    assert plan("paused") == [(10, 60), (150, 400)]
    assert plan("closed") == []


def test_a_window_comes_when_it_came_the_last_time() -> None:
    assert plan("closed", usual=((-40, 55),)) == [], "it is not coming any more"
    assert plan("closed", usual=((20, 55), (155, 400))) == [(20, 60), (155, 400)]
    assert plan("closed", -90, usual=((-58, 55), (155, 400))) == [(-58, 60), (155, 400)]
    assert plan("closed", 10, usual=((0, 55),)) == [(10, 60)], "only a little late"


def test_who_stays_over_noon_does_so_again() -> None:
    assert plan("open", usual=((-60, 400),)) == [(0, 400)]
    assert plan("open", 90) == [(90, 400)], "it is open while the doors are shut"
    assert plan("closed", 90, usual=((-60, 55), (152, 400))) == [(152, 400)]


def test_a_window_that_is_open_after_hours_goes_on_for_a_while() -> None:
    assert plan("open", 420) == [(420, 540)]


# ── on open data ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_open_data_are_what_their_generator_makes(tmp_path) -> None:
    for path in days.write(tmp_path):
        assert path.read_bytes() == (days.FOLDER / path.name).read_bytes(), path.name


@pytest.fixture(scope="module")
def told() -> dict[str, list[Guess]]:
    """Every third person of each day."""
    return {name: guesses_of(name, every=3)[0] for name in DAYS}


def test_four_in_five_are_called_within_their_range(told) -> None:
    together = score([each for own in told.values() for each in own])
    assert together.told == together.people > 250
    assert AIM[0] <= together.inside <= AIM[1]
    for name, own in told.items():
        assert AIM[0] - 0.03 <= score(own).inside <= AIM[1] + 0.03, name


def test_the_middle_of_the_range_is_nearer_than_any_naive_estimate(told) -> None:
    for name, own in told.items():
        found = score(own)
        assert found.error_s < 0.6 * found.naive_error_s, name
        assert found.error_s < 0.6 * found.shared_error_s, name


def test_no_range_on_open_data_is_nothing_with_people_ahead(told) -> None:
    for own in told.values():
        assert all(each.low_s >= 60 for each in own if each.ahead)


def test_a_score_counts_what_it_says() -> None:
    given_ = [
        Guess("A", 2, 60, 120, 600.0, 300.0, 90.0),
        Guess("A", 2, 60, 120, 600.0, 300.0, 200.0),
        Guess("A", 0, 300, 360, 0.0, 0.0, 10.0),
        Guess("A", 1, None, None, 300.0, 300.0, 10.0),
    ]
    found = score(given_)
    assert (found.people, found.told) == (4, 3)
    assert (found.inside, found.later, found.sooner) == (1 / 3, 1 / 3, 1 / 3)
    assert found.error_s == pytest.approx((0 + 110 + 320) / 3)
    assert found.naive_error_s == pytest.approx((510 + 400 + 10) / 3)
    assert score(given_[3:]).inside is None


# ── steady on a phone ───────────────────────────────────────────────────────────────────────────────────────────


def shown(low: float, high: float, ahead: int = 5, windows: int = 2) -> Shown:
    return Shown(at(low), at(high), ahead, windows)


def test_a_range_counts_down_and_stays_while_nothing_happens() -> None:
    first = settle(None, Range(1200, 1800), NOON, 5, 2)
    later = settle(first, Range(840, 1500), at(6), 5, 2)
    assert later is first
    assert later.left(at(6)) == (840, 1440)


@pytest.mark.parametrize(
    ("seen", "ahead", "windows", "moved"),
    [
        (Range(2400, 3000), 5, 2, Moved.SLOWER),
        (Range(120, 300), 5, 2, Moved.FASTER),
        (Range(900, 1500), 4, 2, Moved.UP),
        (Range(1500, 1800), 6, 2, Moved.BACK),
        (Range(300, 600), 5, 3, Moved.OPENED),
        (Range(2400, 3000), 5, 1, Moved.CLOSED),
        (Range(2400, 3000), 4, 2, Moved.SLOWER),
        (Range(2400, 3000), 7, 2, Moved.BACK),
    ],
)
def test_a_range_moves_only_for_a_reason_that_is_said(seen, ahead, windows, moved) -> None:
    found = settle(shown(20, 30), seen, NOON, ahead, windows)
    assert found.moved == moved
    assert found.left(NOON) == (seen.low_s, seen.high_s)


def test_a_promise_that_has_run_out_is_made_anew() -> None:
    found = settle(shown(20, 30), Range(60, 180), at(31), 5, 2)
    assert found.moved == Moved.SLOWER
    assert found.left(at(31)) == (60, 180)


def test_nobody_with_people_ahead_is_told_nothing_is_left() -> None:
    assert shown(0, 30).left(at(10)) == (60, 1200)
    assert shown(0, 30, ahead=0).left(at(10)) == (0, 1200)
