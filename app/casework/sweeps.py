"""Actions of the timer: lights that change by themselves, alarms that ring, and what a new calendar moves."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, select, text, update
from sqlalchemy.exc import InterfaceError, OperationalError

from app.action import Transaction, action
from app.casework import agency, joint_papers, joint_parts, papers
from app.casework.cases import clocks_of, load_each, open_field, reviews_of, said, stops_of
from app.casework.intake import accept, day, gap_consequence, give_up, is_told_late
from app.casework.joint_models import UNDATED, AgencyOrder, JointCase
from app.casework.models import RUNNING, Case, CaseAlarm, CaseSignal, CaseUrge
from app.casework.moves import move_all
from app.casework.pledges import may_follow, set_gap
from app.casework.rules.alarms import TOLD, UNCLAIMED, Alarm, rings_at
from app.casework.rules.clocks import CaseClocks, Clock, reckoned, standing
from app.casework.rules.ladder import Level, Rung, tell_at, waits
from app.casework.rules.states import INTAKE, PICKUP, CaseState, CaseStep
from app.casework.signals import forget_signals, owners_of, signal
from app.events import CaseOverran, CaseReminded
from app.hall.queries import schedule_named
from app.hall.rules.hours import Schedule
from app.hall.settings import schedule_in
from app.now import iso

log = logging.getLogger("yichuang.sweeps")

# At most so many in one transaction, so that clerks never wait long for the hall's lock.
LIGHTS = 50
RINGS = 20  # alarms, or cases that a new calendar moves: each may write a paper
PASSED_OVER = 100  # that cannot be swept


@action
def sweep_lights(tx: Transaction) -> dict[str, Any]:
    """Change the lights that are due, and only those: found by the index on their next change.

    Locks the hall. Tells LightChanged, and ClocksMoved where a due instant moved.
    """
    due = select(Case).where(Case.hall == tx.hall, Case.next_light_at <= tx.at).order_by(Case.next_light_at)

    def read(skip: int, most: int) -> Sequence[Case]:
        return tx.execute(due.offset(skip).limit(most)).scalars().all()

    changed = _passing_over(tx, "case", LIGHTS, read, lambda cases: move_all(tx, cases, "time"))
    return {"changed": changed, "more": changed == LIGHTS}


def _passing_over(
    tx: Transaction, what: str, most: int, read: Callable[[int, int], Sequence[Any]], do: Callable[[Sequence[Any]], Any]
) -> int:
    """How many of at most `most` rows were done. One that nobody can open or count holds up no other: it is undone, the
    log names it, and `read` (how many to skip, how many to read) goes on behind it. What is done is no longer read.
    """
    done, failed = 0, 0
    while done < most and failed < PASSED_OVER and (rows := read(failed, most - done)):
        bad = 0 if _alone(tx, f"{len(rows)} of {what}", do, rows) else _each(tx, what, do, rows)
        done, failed = done + len(rows) - bad, failed + bad
    return done


def _each(tx: Transaction, what: str, do: Callable[[Sequence[Any]], Any], rows: Sequence[Any]) -> int:
    """How many of the rows cannot be done, each tried alone."""
    keys = [getattr(row, "case_id", None) or row.id for row in rows]
    return sum(not _alone(tx, f"{what}:{key}", do, [row]) for key, row in zip(keys, rows, strict=True))


def _alone(tx: Transaction, what: str, do: Callable[[Sequence[Any]], Any], rows: Sequence[Any]) -> bool:
    """Whether it could be done; if not, it is undone. Raises what is wrong with the database itself."""
    try:
        with tx.alone():
            do(rows)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("%s of %s cannot be swept", what, tx.hall)
        return False
    return True


@action
def sweep_calendar(tx: Transaction) -> dict[str, Any]:
    """Recompute what is open and was computed with another calendar or other hours: cases, alarms, signals (K6).

    Decided cases never change. A printed promise stands; where the new calendar would have put it off, the applicant is
    told what became of both limits, and on which days they end once their year is announced (K7). Locks the hall. Tells
    ClocksMoved, NoticeIssued.
    """
    calendar = schedule_in(tx)
    moved = {"changed": _move_cases(tx, calendar), "joint": _move_joints(tx, calendar)}
    moved |= {"orders": _date_orders(tx, calendar), "alarms": _move_alarms(tx, calendar)}
    moved |= {"signals": _move_signals(tx, calendar)}
    return {**moved, "more": RINGS in moved.values()}


def _move_cases(tx: Transaction, calendar: Schedule) -> int:
    running = text(RUNNING)  # as the index says it, or SQLite would not use that
    stale = _stale(tx, select(Case).where(Case.hall == tx.hall, running), Case.schedule_version, calendar)
    return _passing_over(tx, "case", RINGS, stale, lambda cases: _recompute(tx, cases, calendar))


def _recompute(tx: Transaction, cases: Sequence[Case], calendar: Schedule) -> None:
    before = {case.id: _Before.of(case) for case in cases}
    kept = move_all(tx, cases, "calendar")
    for case in cases:
        was = before[case.id]
        clocks = clocks_of(tx.session, case) if case in kept or was.provisional else None
        if clocks is not None and (told := _change_told(tx, clocks, was, calendar)):
            papers.issue(tx, case, "deadline_change", **told)


def _move_joints(tx: Transaction, calendar: Schedule) -> int:
    """One-thing cases follow as their parts do; the paper speaks of the whole."""
    open_ = select(JointCase).where(JointCase.hall == tx.hall, JointCase.decided_at.is_(None))
    stale = _stale(tx, open_, JointCase.schedule_version, calendar)
    return _passing_over(tx, "joint", RINGS, stale, lambda joints: _recompute_joints(tx, joints, calendar))


def _recompute_joints(tx: Transaction, joints: Sequence[JointCase], calendar: Schedule) -> None:
    for joint in joints:
        parts, was = joint_parts.cases_of(tx.session, joint), _Before.of(joint)
        joint_parts.move_clocks(tx, joint, parts)
        clocks = joint_parts.joint_clocks(tx.session, joint, parts)
        if clocks is None or joint.promise_version is None:  # not accepted as a whole
            continue
        announced = was.provisional and not joint.provisional  # also while its promise stands still
        if clocks.promise_at is None and (announced or joint.promised_due_at is not None):
            joint_parts.write(tx, joint, promise_version=joint.schedule_version)
        if told := _change_told(tx, clocks, was, calendar):
            joint_papers.issue(tx, joint, "deadline_change", **told)


def _date_orders(tx: Transaction, calendar: Schedule) -> int:
    """Errands that began before their year was announced; what was printed of the others stands (C14)."""
    undated = select(AgencyOrder).where(AgencyOrder.hall == tx.hall, text(UNDATED))
    stale = _stale(tx, undated, AgencyOrder.schedule_version, calendar)
    return _passing_over(tx, "agency", RINGS, stale, lambda orders: [agency.tell_day(tx, order) for order in orders])


def _move_alarms(tx: Transaction, calendar: Schedule) -> int:
    stale = _stale(tx, select(CaseAlarm).where(CaseAlarm.hall == tx.hall), CaseAlarm.schedule_version, calendar)

    def move(alarms: Sequence[CaseAlarm]) -> None:
        of = load_each(tx, [alarm.case_id for alarm in alarms])
        for alarm in alarms:
            _move_alarm(tx, alarm, of[alarm.case_id], calendar)

    return _passing_over(tx, "case", RINGS, stale, move)


def _move_signals(tx: Transaction, calendar: Schedule) -> int:
    """What nobody has been told yet is planned anew: neither on a day that became free, nor later than it could be."""
    untold = select(CaseSignal).where(CaseSignal.hall == tx.hall, CaseSignal.told_at.is_(None))
    signals = _stale(tx, untold, CaseSignal.schedule_version, calendar)(0, RINGS)
    for row in signals:
        assert row.from_at is not None  # whatever has a version was planned
        row.tell_at = tell_at(row.from_at, waits(Level(row.level), Rung(row.rung)), calendar)
        row.schedule_version = calendar.version
    return len(signals)


def _stale(tx: Transaction, query: Any, version: Any, calendar: Schedule) -> Callable[[int, int], list[Any]]:
    """Reads rows that carry another version than today's: two ranges of its index, so that rows of today cost nothing."""
    sides: tuple[ColumnElement[bool], ...] = (version < calendar.version, version > calendar.version)

    def read(skip: int, most: int) -> list[Any]:
        rows: list[Any] = []
        for other in sides:
            rows += tx.execute(query.where(other).limit(skip + most - len(rows))).scalars()
        return rows[skip:]

    return read


@dataclass(frozen=True, slots=True)
class _Before:
    """The days on which both limits ended, the schedule that said so, and whether no day could be printed."""

    days: dict[Clock, str | None]
    version: str
    provisional: bool

    @classmethod
    def of(cls, case: Case | JointCase) -> _Before:
        days = {clock: day(getattr(case, f"{clock}_due_at")) for clock in Clock}
        return cls(days, case.schedule_version, case.provisional)


def _change_told(tx: Transaction, clocks: CaseClocks, was: _Before, calendar: Schedule) -> dict[str, Any] | None:
    """What the paper says became of both limits, and that the printed promise stands; None where that is no news.

    Once their year is announced it says when they end; of one that stands still the notice of the stop has told.
    """
    afresh, old = replace(clocks, promise_at=None), schedule_named(tx.hall, was.version, tx.session)
    anew, printed = standing(afresh, calendar, tx.at), clocks.promise_at
    due_at, days = anew.promised.due_at, {clock: day(anew.of(clock).due_at) for clock in Clock}
    kept = printed is not None and due_at is not None and due_at > printed
    moves: list[dict[str, str | None]]
    if was.provisional and not anew.provisional:
        cause, moves = "announced", [{"clock": clock.value, "after_on": on} for clock, on in days.items() if on]
    elif kept and due_at != reckoned(afresh, Clock.PROMISED, old, tx.at).due_at:
        cause = "closure" if old.calendar.version == calendar.calendar.version else "calendar"
        moves = [{"clock": clock.value, "before_on": was.days[clock], "after_on": days[clock]} for clock in Clock]
    else:
        return None
    if kept:
        moves[0]["promise_on"] = day(printed)
    return {"cause": cause, "clocks": moves, "calendar": calendar.calendar.version} if moves else None


def _move_alarm(tx: Transaction, alarm: CaseAlarm, case: Case, calendar: Schedule) -> None:
    """An alarm by the calendar of today; what the applicant is told a day of stands as soon as the day is known."""
    assert alarm.from_at is not None  # whatever has a version was computed
    assert alarm.within is not None
    due_at = rings_at(alarm.from_at, alarm.within, calendar)
    alarm.due_at = due_at
    alarm.schedule_version = None if due_at is not None and alarm.kind in TOLD else calendar.version
    if alarm.kind == Alarm.NOTICE:
        case.notice_due_at = due_at  # all of them are written together at the end
    elif alarm.kind == Alarm.GAP:
        set_gap(tx, case, due_at)
    elif alarm.kind == Alarm.URGE:
        open_ = (CaseUrge.hall == tx.hall, CaseUrge.case_id == case.id, CaseUrge.answered_at.is_(None))
        tx.execute(update(CaseUrge).where(*open_).values(answer_due_at=due_at))


@action
def ring_alarms(tx: Transaction) -> dict[str, Any]:
    """Do what the alarms say that are due, the longest due first, and only those: found by their index.

    Deemed acceptance and withdrawal (C2–C4), reminders (C13), signals about what waits too long. An alarm whose case
    has gone another way is dropped. Locks the hall. Tells CaseAccepted, CaseWithdrawn, CaseReminded, CaseOverran,
    NoticeIssued, each as its case needs it.
    """
    due = select(CaseAlarm.case_id, CaseAlarm.kind, CaseAlarm.due_at)
    due = due.where(CaseAlarm.hall == tx.hall, CaseAlarm.due_at <= tx.at).order_by(CaseAlarm.due_at, CaseAlarm.case_id)

    def read(skip: int, most: int) -> Sequence[Any]:
        return tx.execute(due.offset(skip).limit(most)).all()

    def ring(rows: Sequence[Any]) -> None:
        cases = load_each(tx, [row.case_id for row in rows])
        for case_id, kind, due_at in rows:
            _ring(tx, cases[case_id], kind, due_at)

    rung = _passing_over(tx, "case", RINGS, read, ring)
    return {"rung": rung, "more": rung == RINGS}


def _ring(tx: Transaction, case: Case, alarm: str, due_at: datetime) -> None:
    mine = (CaseAlarm.hall == tx.hall, CaseAlarm.case_id == case.id, CaseAlarm.kind == alarm)
    if not tx.execute(delete(CaseAlarm).where(*mine)).rowcount:  # an alarm before may have ended the case
        return
    match Alarm(alarm):
        case Alarm.NOTICE:
            _notice(tx, case)
        case Alarm.SUPPLEMENT:
            _supplement(tx, case, due_at)
        case Alarm.GAP:
            _gap(tx, case, due_at)
        case Alarm.GAP_SOON:
            _gap_soon(tx, case)
        case Alarm.STOP:
            _stop(tx, case)
        case Alarm.STAGE:
            _stage(tx, case)
        case Alarm.PRE_REVIEW:
            signal(tx, case, Level.PRE_REVIEW)
        case Alarm.UNCLAIMED_3:
            _remind(tx, case, Alarm.UNCLAIMED_3, times=1)
        case Alarm.UNCLAIMED_7:
            _remind(tx, case, Alarm.UNCLAIMED_7, times=2)
        case Alarm.UNCLAIMED_10 | Alarm.DELIVERY:
            _undelivered(tx, case)
        case Alarm.CHECK:
            _check(tx, case)
        case Alarm.URGE:
            signal(tx, case, Level.UNANSWERED)


def _notice(tx: Transaction, case: Case) -> None:
    """Nobody told in time what is missing: accepted as of the receipt where the law says so, else somebody must know.

    Where all that was asked for is in and only an answer is awaited, it is accepted as of the last supplement.
    """
    if is_told_late(case, tx.at):
        asked = case.state == CaseState.CORRECTION
        accept(tx, case, CaseStep.COMPLETE if asked else CaseStep.DEEM_ACCEPT)
    elif case.state in INTAKE:
        _overran(tx, case, "notice")


def _supplement(tx: Transaction, case: Case, due_at: datetime) -> None:
    if case.state == CaseState.CORRECTION and case.guide["rules"]["supplement"]["overdue"] == "deemed_withdrawn":
        give_up(tx, case, "supplement", due_at)
    elif case.state == CaseState.REVIEW_CORRECTION:  # the department may go on without it
        _overran(tx, case, "supplement")


def _gap(tx: Transaction, case: Case, due_at: datetime) -> None:
    if not may_follow(tx.session, case):
        return
    if case.decided_at is None and case.guide["rules"]["gap_overdue"] == "deemed_withdrawn":
        give_up(tx, case, "gap_overdue", due_at)
    else:
        forget_signals(tx, case, Level.GAP)  # what was told two days before
        signal(tx, case, Level.GAP)


def _gap_soon(tx: Transaction, case: Case) -> None:
    """The applicant and the department hear of it two working days before the gap's day."""
    if not may_follow(tx.session, case):
        return
    gaps = [line for line in papers.materials(tx, case) if line["state"] == "tolerated"]
    told = {"materials": gaps, "due_on": day(case.gap_due_at), "consequence": gap_consequence(case)}
    tx.record(CaseReminded(**said(case), of="gap"))
    papers.issue(tx, case, "reminder", of="gap", **told)
    signal(tx, case, Level.GAP)


def _stop(tx: Transaction, case: Case) -> None:
    """What stopped the clock lasts longer than the applicant was told."""
    for stop in stops_of(tx.session, tx.hall, case.id):
        if stop.until_at is None:
            _overran(tx, case, stop.ground)


def _overran(tx: Transaction, case: Case, ground: str) -> None:
    """The department for which the clock stands still has let it stand too long; before the acceptance, the owners."""
    stops = stops_of(tx.session, tx.hall, case.id)
    whose = [stop.department for stop in stops if stop.until_at is None and stop.department] or owners_of(tx, case)
    tx.record(CaseOverran(**said(case), ground=ground, department=whose[0]))
    signal(tx, case, Level.OVERRUN, whose)


def _stage(tx: Transaction, case: Case) -> None:
    """A department has not taken up its part; whoever has is not reproached."""
    if case.state not in (CaseState.ACCEPTED, CaseState.REVIEW, CaseState.FORWARDED):
        return
    parts = reviews_of(tx.session, tx.hall, case.id)
    if untaken := [part.department for part in parts if part.state == "open" and not part.taken_by]:
        signal(tx, case, Level.STAGE, untaken)


def _remind(tx: Transaction, case: Case, alarm: Alarm, times: int) -> None:
    """The result still lies at the pickup window."""
    if case.state != CaseState.READY:
        return
    limit = UNCLAIMED[alarm]
    waited = papers.limit_text({"amount": limit.amount, "unit": limit.unit})
    code = open_field(case, "codes")["pickup_code"]
    tx.record(CaseReminded(**said(case), of="collect"))
    shown = {"times": times, "ready_at": iso(case.returned_at or case.ready_at), "pickup_code": code, "waited": waited}
    papers.issue(tx, case, "reminder", of="collect", **shown)


def _undelivered(tx: Transaction, case: Case) -> None:
    """The result is not in the applicant's hands; one that a courier has may be lost."""
    if CaseState(case.state) in PICKUP or case.under_way:
        signal(tx, case, Level.DELIVERY)


def _check(tx: Transaction, case: Case) -> None:
    if case.checked_at is None and case.state in (CaseState.GRANTED, CaseState.READY, CaseState.DELIVERED):
        signal(tx, case, Level.CHECK)
