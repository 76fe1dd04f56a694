"""A one-thing case: its state follows from its parts, and its clock stands still only while every part's clock does."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.casework.rules.joint import (
    TABLE,
    JointState,
    JointStep,
    Part,
    Run,
    beginning,
    impossible,
    line_of,
    pauses,
    state_of,
)
from app.casework.rules.states import DECIDING, INTAKE, OVER, PICKUP, CaseState
from app.hall.rules.calendar import WorkCalendar
from app.hall.rules.clock import Limit, Pause, Unit, reckon
from app.hall.rules.hours import OpeningHours, Schedule
from app.hall.rules.ledger import explain
from app.now import SHANGHAI

PLAIN = WorkCalendar.from_json(
    {"version": "t", "years": {str(y): {"source": "t", "days_off": {}, "makeup": {}} for y in range(2025, 2031)}}
)
HALL = Schedule(PLAIN, OpeningHours.parse([["08:30", "12:00"], ["13:30", "18:00"]]), SHANGHAI)
START = datetime(2026, 3, 2, 9, 0, tzinfo=SHANGHAI)
FAR = Limit(25, Unit.WD)  # none of the histories below, of twelve days, uses it up
S = CaseState

instants = st.integers(0, 12 * 24 * 4).map(lambda quarters: START + timedelta(minutes=15 * quarters))


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """A part's clock as actions make it: stops one after the other, the last perhaps open, the decision at the end."""
    begin, *rest = sorted(draw(st.lists(instants, min_size=1, max_size=6)))
    pairs = [(rest[n], rest[n + 1]) for n in range(0, len(rest) - 1, 2)]
    if len(rest) % 2 == 0:
        return Run(begin, None, pairs)
    return Run(begin, rest[-1], pairs) if draw(st.booleans()) else Run(begin, None, [*pairs, (rest[-1], None)])


def counted(run: Run) -> dict:
    """day → whether this part's own clock counts it, by the clock's own rule."""
    gaps = [Pause(gone, back) for gone, back in run.stops]
    if run.end_at:
        gaps.append(Pause(run.end_at, None))
    rows = explain(run.start_at, FAR, gaps, HALL, at=START + timedelta(days=14))
    return {row.date: bool(row.counted) for row in rows}


@settings(max_examples=100)
@given(st.lists(runs(), min_size=1, max_size=4))
def test_a_working_day_is_left_out_exactly_if_no_part_counted_it(parts: list[Run]) -> None:
    start = min(run.start_at for run in parts)
    whole = counted(Run(start, None, [(p.from_at, p.until_at) for p in pauses(parts, start)]))
    own = [counted(run) for run in parts]
    for day, counts in whole.items():
        if day <= (START + timedelta(days=14)).date():
            assert counts == any(part.get(day, False) for part in own), day


@settings(max_examples=200)
@given(st.lists(runs(), min_size=1, max_size=4), instants)
def test_in_hours_the_whole_runs_at_an_instant_exactly_if_some_part_does(parts: list[Run], at: datetime) -> None:
    start = min(run.start_at for run in parts)
    at += timedelta(minutes=7)  # inside a quarter, never on a border
    stands = any(p.from_at <= at and (p.until_at is None or at < p.until_at) for p in pauses(parts, start))

    def ran(run: Run) -> bool:
        stopped = any(gone <= at and (back is None or at < back) for gone, back in run.stops)
        return run.start_at <= at and (run.end_at is None or at < run.end_at) and not stopped

    if at >= start:
        assert stands != any(ran(run) for run in parts)


@settings(max_examples=100)
@given(st.lists(runs(), min_size=1, max_size=4), runs())
def test_a_further_part_never_lengthens_the_time_of_the_whole(parts: list[Run], more: Run) -> None:
    start, end = min(run.start_at for run in parts), START + timedelta(days=12)
    few = reckon(start, FAR, pauses(parts, start), HALL, at=end)
    many = reckon(start, FAR, pauses([*parts, more], start), HALL, at=end)
    assert many.used >= few.used


def test_time_between_two_stages_is_the_applicants() -> None:
    first = Run(START, START + timedelta(days=2))
    second = Run(START + timedelta(days=4), None)
    (gap,) = pauses([first, second], START)
    assert (gap.from_at, gap.until_at) == (first.end_at, second.start_at)
    assert pauses([first], START) == [Pause(START + timedelta(days=2), None)]
    assert pauses([first], START, until=first.end_at) == []


def parts_in(*states: CaseState, **more: object) -> list[Part]:
    return [Part(str(n), 1, state, **more) for n, state in enumerate(states)]


def test_the_state_of_the_whole_follows_from_its_parts() -> None:
    for states, accepted, expected in [
        ((S.RECEIVED, S.RECEIVED), False, JointState.RECEIVED),
        ((S.RECEIVED, S.CORRECTION), False, JointState.CORRECTION),
        ((S.RECEIVED, S.ACCEPTED), False, JointState.RECEIVED),
        ((S.ACCEPTED, S.DRAFT), False, JointState.ACCEPTED),
        ((S.GRANTED, S.CORRECTION), True, JointState.ACCEPTED),
        ((S.GRANTED, S.REFUSED), True, JointState.DECIDED),
        ((S.DELIVERED, S.READY), True, JointState.DECIDED),
        ((S.DELIVERED, S.NOT_ACCEPTED), True, JointState.DELIVERED),
        ((S.WITHDRAWN, S.DEEMED_WITHDRAWN, S.VOID), False, JointState.WITHDRAWN),
        ((S.NOT_ACCEPTED, S.NOT_REQUIRED), False, JointState.DECIDED),
        ((S.NOT_ACCEPTED, S.WITHDRAWN), False, JointState.DECIDED),
    ]:
        assert state_of(parts_in(*states), accepted=accepted) is expected, states
    revoked = parts_in(S.VOID, S.VOID, outcome="granted")
    assert state_of([*revoked, *parts_in(S.WITHDRAWN)], accepted=True) is JointState.DECIDED
    sent = parts_in(S.DELIVERED, outcome="granted", under_way=True)
    assert state_of([*sent, *parts_in(S.DELIVERED)], accepted=True) is JointState.DECIDED


@given(st.lists(st.sampled_from(list(S)), min_size=1, max_size=4), st.booleans())
def test_it_is_decided_exactly_if_every_part_is_settled(states: list[CaseState], accepted: bool) -> None:
    whole = state_of(parts_in(*states), accepted=accepted)
    settled = all(state in PICKUP | OVER for state in states)
    assert settled == (whole in (JointState.DECIDED, JointState.DELIVERED, JointState.WITHDRAWN))
    if whole is JointState.CORRECTION:
        assert S.CORRECTION in states and not accepted
    assert {S.DRAFT} | INTAKE | DECIDING | PICKUP | OVER == set(S)


def test_a_later_part_begins_when_the_earlier_ones_are_settled_and_what_it_leans_on_was_granted() -> None:
    licence = Part("licence", 1, S.GRANTED, "granted")
    seal = Part("seal", 2, S.DRAFT, leans_on=frozenset({"licence"}))
    survey = Part("survey", 2, S.DRAFT)
    later = Part("later", 3, S.DRAFT)
    assert beginning([Part("licence", 1, S.REVIEW), seal, later]) == []
    assert beginning([licence, seal, survey, later]) == [seal, survey]
    for state, outcome in ((S.REFUSED, "refused"), (S.DELIVERED, "refused"), (S.VOID, "granted")):
        ended = Part("licence", 1, state, outcome)
        assert beginning([ended, seal, survey]) == [survey] and impossible([ended, seal, survey]) == [seal]
    taken_back = Part("licence", 1, S.WITHDRAWN)
    assert impossible([taken_back, survey]) == [survey]  # nothing before it was decided at all
    done = [licence, Part("seal", 2, S.VOID), Part("survey", 2, S.VOID)]
    assert beginning([*done, later]) == [later]


def test_the_table_has_one_line_a_step_and_lets_nobody_act_on_what_is_over() -> None:
    assert len({(line.state, line.step) for line in TABLE}) == len(TABLE)
    assert {line.step for line in TABLE} == set(JointStep)
    assert not any(line.state is JointState.WITHDRAWN for line in TABLE)
    after = [line.step for line in TABLE if line.state is JointState.DELIVERED]
    assert after == [JointStep.SUPPLY]  # what was tolerated and may still follow
    assert line_of(JointState.DECIDED, JointStep.WITHDRAW) is None
    assert all(len(line.who) == 1 for line in TABLE)
