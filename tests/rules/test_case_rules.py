"""The table of a case's life, its materials, and its two clocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.casework.rules.clocks import CaseClocks, Clock, Extension, Stop, extended, ledger, standing
from app.casework.rules.materials import Paper, may_tolerate, missing
from app.casework.rules.states import DECIDING, INTAKE, OVER, PICKUP, STEPS, CaseState, CaseStep
from app.hall.holidays import read
from app.hall.rules.clock import Limit, Unit
from app.hall.rules.hours import OpeningHours, Schedule
from app.hall.rules.lights import Light
from app.now import SHANGHAI

HALL = Schedule(read(), OpeningHours.parse("08:30-12:00 13:30-18:00"), SHANGHAI)
MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=SHANGHAI)
BOTH = frozenset(Clock)


def reachable(start):
    seen, todo = {start}, [start]
    while todo:
        here = todo.pop()
        for (state, _), target in STEPS.items():
            if state == here and target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


def test_every_state_is_reached_from_receipt() -> None:
    assert reachable(CaseState.DRAFT) == set(CaseState)


def test_there_are_no_dead_ends_but_the_ends() -> None:
    left = {state for (state, _), to in STEPS.items() if to != state}
    assert set(CaseState) - left == OVER - {CaseState.DELIVERED}
    for state in CaseState:
        assert reachable(state) & OVER


def test_every_step_is_used_and_every_state_has_one_place() -> None:
    assert {step for _, step in STEPS} == set(CaseStep)
    groups = [{CaseState.DRAFT}, INTAKE, DECIDING, PICKUP, OVER]
    assert sum(map(len, groups)) == len(CaseState) and set().union(*groups) == set(CaseState)


def test_only_what_was_accepted_can_be_decided() -> None:
    assert {state for state, step in STEPS if step in (CaseStep.GRANT, CaseStep.REFUSE)} <= DECIDING


PAPERS = [
    Paper("M1", "申请书", main=True, required=True, sharable=False),
    Paper("M2", "照片", main=False, required=True, sharable=False),
    Paper("M3", "委托书", main=True, required=False, sharable=False),
]


def test_a_paper_nobody_spoke_of_is_missing_only_if_it_is_required() -> None:
    assert [p.code for p in missing(PAPERS, {})] == ["M1", "M2"]


def test_a_required_paper_cannot_be_waved_away() -> None:
    assert [p.code for p in missing(PAPERS, {"M1": "received", "M2": "not_needed"})] == ["M2"]


def test_a_shared_paper_is_there() -> None:
    assert missing(PAPERS, {"M1": "shared", "M2": "received"}) == []


def test_only_secondary_papers_may_wait() -> None:
    assert may_tolerate([PAPERS[1]]) and not may_tolerate(PAPERS[:2])


TEN = Limit(10, Unit.WD)
LENGTHENED = Extension(TEN, BOTH)


def clocks(*stops: Stop, extension: Extension | None = None) -> CaseClocks:
    return CaseClocks(Limit(5, Unit.WD), Limit(20, Unit.WD), MONDAY, stops, extension)


def test_a_special_procedure_stops_both_clocks_and_a_supplement_only_the_promise() -> None:
    during = MONDAY + timedelta(days=3)
    special = standing(clocks(Stop(BOTH, MONDAY + timedelta(days=1), None)), HALL, during)
    assert special.promised.stopped and special.statutory.stopped and special.light is Light.stopped
    supplement = standing(clocks(Stop(frozenset({Clock.PROMISED}), MONDAY + timedelta(days=1), None)), HALL, during)
    assert supplement.promised.stopped and not supplement.statutory.stopped


def test_an_extension_gives_ten_working_days_to_both() -> None:
    before, after = standing(clocks(), HALL, MONDAY), standing(clocks(extension=LENGTHENED), HALL, MONDAY)
    assert before.statutory.due_at.date().isoformat() == "2026-03-30"
    assert after.statutory.due_at.date().isoformat() == "2026-04-14"  # 4–6 April are 清明
    assert after.promised.remaining == before.promised.remaining + 10


def test_an_extension_does_not_lengthen_a_promise_in_hours() -> None:
    spot = CaseClocks(Limit(2, Unit.WH), Limit(20, Unit.WD), MONDAY, ())
    later = extended(spot, TEN, HALL, MONDAY)
    assert later.extension == Extension(TEN, frozenset({Clock.STATUTORY}))
    assert standing(later, HALL, MONDAY).promised.limit == Limit(2, Unit.WH)
    assert standing(later, HALL, MONDAY).statutory.limit == Limit(30, Unit.WD)


@given(st.integers(0, 60 * 24 * 28))
def test_an_extension_never_mends_a_broken_promise(minutes: int) -> None:
    at = MONDAY + timedelta(minutes=minutes)
    before, after = standing(clocks(), HALL, at), standing(extended(clocks(), TEN, HALL, at), HALL, at)
    assert after.statutory.remaining == before.statutory.remaining + 10
    if before.promised.passed_by(at):
        assert after.promised == before.promised and after.light is Light.yellow
    else:
        assert after.promised.remaining == before.promised.remaining + 10 and not after.promised.passed_by(at)


@pytest.mark.parametrize("named", [BOTH, frozenset({Clock.STATUTORY})])
def test_an_extension_is_stored_with_the_clocks_that_it_lengthens(named: frozenset[Clock]) -> None:
    assert Extension.read(Extension(TEN, named).to_json()) == Extension(TEN, named)
    assert Extension.read({"amount": 10, "unit": "WD"}) == LENGTHENED


@pytest.mark.parametrize(
    ("days", "shown"), [(0, Light.green), (3, Light.green), (4, Light.amber), (8, Light.yellow), (29, Light.red)]
)
def test_the_light_follows_the_days(days: int, shown: Light) -> None:
    assert standing(clocks(), HALL, MONDAY + timedelta(days=days)).light is shown


def test_a_kept_promise_counts_as_it_did_when_it_was_printed() -> None:
    """A day became free after the promise was printed: page, ledger and card speak of the printed day."""
    changed = replace(HALL, calendar=HALL.calendar.amended(date(2026, 3, 4), "off", "停工", "通知"))
    printed = standing(clocks(), HALL, MONDAY).promised.due_at
    kept = replace(clocks(), promise_at=printed, promise_by=HALL)
    for days in range(12):
        at = MONDAY + timedelta(days=days)
        now, then = standing(kept, changed, at), standing(clocks(), HALL, at)
        assert now.promised == then.promised and now.late(Clock.PROMISED) is then.late(Clock.PROMISED)
        assert ledger(kept, Clock.PROMISED, changed, at) == ledger(clocks(), Clock.PROMISED, HALL, at)
    assert standing(kept, changed, MONDAY).statutory.due_at == standing(clocks(), changed, MONDAY).statutory.due_at


def test_done_at_the_due_instant_is_in_time() -> None:
    due_at = standing(clocks(), HALL, MONDAY).promised.due_at
    done, still_open = (standing(clocks(), HALL, due_at, done=done) for done in (True, False))
    assert (done.light, done.late(Clock.PROMISED)) == (Light.amber, False)
    assert (still_open.light, still_open.late(Clock.PROMISED)) == (Light.yellow, True)
    after = standing(clocks(), HALL, due_at + timedelta(microseconds=1), done=True)
    assert (after.light, after.late(Clock.PROMISED)) == (Light.yellow, True)


@given(st.integers(0, 60 * 24 * 40))
def test_the_light_changes_when_it_was_said_to_change_and_not_before(minutes: int) -> None:
    at = MONDAY + timedelta(minutes=minutes)
    now = standing(clocks(), HALL, at)
    if now.next_light_at is None:
        assert standing(clocks(), HALL, at + timedelta(days=200)).light is now.light
    else:
        assert now.next_light_at > at
        assert standing(clocks(), HALL, now.next_light_at - timedelta(seconds=1)).light is now.light
        assert standing(clocks(), HALL, now.next_light_at).light is not now.light
