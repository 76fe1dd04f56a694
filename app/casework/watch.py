"""What supervision looks at now: signals, urgings, late cases, lights by any side, and what will be late soon.

Nothing here writes, and nothing reads decided cases: every query goes along an index of the open ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, not_, or_, select, text
from sqlalchemy import case as when

from app.casework.inbox import MOST, PER_PAGE, light_counts, lines
from app.casework.models import LATE_OPEN, Case, CaseReview, CaseSignal, CaseUrge
from app.casework.queries import item_view
from app.casework.rules.ladder import Level, Rung
from app.casework.rules.states import DECIDING, OPEN_TABS, CaseState
from app.casework.urges import urge_view
from app.catalog.queries import department_en
from app.db import db
from app.events import Actor
from app.hall.queries import halls, schedule
from app.hall.rules.calendar import CalendarUnknown
from app.hall.rules.hours import ONE_DAY
from app.hall.rules.lights import Light
from app.now import iso, local_day
from app.people.models import Staff
from app.people.permissions import Permission

SIDES = ("department", "hall", "clerk", "stage")  # by which open cases are counted
LATE = (Light.yellow.value, Light.red.value)
DAYS_AHEAD = 5  # working days that the forecast covers
SIGNALS_SHOWN = 50
URGES_READ = 200  # the newest: those of cases decided meanwhile stay unanswered for ever

_OPEN = Case.tab.in_(OPEN_TABS)
_DECIDING = Case.state.in_(sorted(DECIDING))  # the same cases by the index on states
_LATE = text(LATE_OPEN)  # in the very words of the index that holds only these
_TAB = func.coalesce(Case.tab, "")  # of a case found by its key: not worth an index of its own


# ── signals ─────────────────────────────────────────────────────────────────────────────────────────────────────


def addressed_to(actor: Actor) -> ColumnElement[bool] | None:
    """Which signals are the actor's: a department's own, a chief representative's, a supervisor's; None for no one."""
    rungs: list[ColumnElement[bool]] = []
    if actor.department:
        rungs.append(and_(CaseSignal.rung == Rung.OWNER, CaseSignal.department == actor.department))
    elif actor.may(Permission.CASE_ANSWER):
        rungs.append(CaseSignal.rung == Rung.CHIEF)
    if actor.may(Permission.CASE_OVERRIDE):
        rungs.append(CaseSignal.rung == Rung.SUPERVISOR)
    if not rungs:
        return None
    mine = or_(*rungs)
    return and_(CaseSignal.hall == actor.hall, mine) if actor.hall else mine


def _matters() -> ColumnElement[bool]:
    """Whether a signal still asks for something: its case's clocks run on, or it is about what comes after them."""
    running = and_(Case.took.is_(None), _TAB.in_((*OPEN_TABS, "pickup")))
    gap = and_(CaseSignal.level == Level.GAP, Case.gap_due_at.is_not(None))
    return or_(running, gap, CaseSignal.level.in_((Level.CHECK, Level.DELIVERY)))


def _told(mine: ColumnElement[bool], *columns: Any) -> Select[Any]:
    joined = and_(Case.hall == CaseSignal.hall, Case.id == CaseSignal.case_id)
    return select(*columns).join(Case, joined).where(mine, CaseSignal.told_at.is_not(None))


def new_signals(actor: Actor) -> int:
    """How many signals the actor's desk has not opened and that still matter, counted to MOST."""
    mine = addressed_to(actor)
    if mine is None:
        return 0
    new = _told(mine, CaseSignal.id).where(CaseSignal.seen_at.is_(None), _matters()).limit(MOST)
    return db.session.execute(select(func.count()).select_from(new.subquery())).scalar_one()


def signals_of(actor: Actor) -> dict[str, list[dict[str, Any]]]:
    """The desk's signals, the newest first: those that wait to be opened, and the last that were or need not be."""
    mine = addressed_to(actor)
    if mine is None:
        return {"new": [], "seen": []}
    told = _told(mine, CaseSignal, Case).order_by(CaseSignal.told_at.desc(), CaseSignal.id.desc()).limit(SIGNALS_SHOWN)
    rows = {
        "new": db.session.execute(told.where(CaseSignal.seen_at.is_(None), _matters())),
        "seen": db.session.execute(told.where(or_(CaseSignal.seen_at.is_not(None), not_(_matters())))),
    }
    return {name: [_signal(signal, case) for signal, case in found] for name, found in rows.items()}


def _signal(signal: CaseSignal, case: Case) -> dict[str, Any]:
    return {
        "hall": signal.hall,
        "id": signal.id,
        "level": signal.level,
        "rung": signal.rung,
        "department": signal.department,
        "department_en": department_en(signal.department),
        "told_at": iso(signal.told_at),
        "seen_at": iso(signal.seen_at),
        "number": case.number,
        "item": item_view(case),
        "state": case.state,
        "light": case.light,
        "promised_due_at": iso(case.promised_due_at),
        "open": case.tab in OPEN_TABS,
    }


# ── urgings ─────────────────────────────────────────────────────────────────────────────────────────────────────


def open_urges(*, hall: str | None = None, department: str | None = None) -> list[dict[str, Any]]:
    """Urgings that wait for their answer, the one due first on top; of cases that are still being decided."""
    query = select(CaseUrge).where(CaseUrge.answered_at.is_(None))
    if hall:
        query = query.where(CaseUrge.hall == hall)
    if department:
        query = query.where(CaseUrge.department == department)
    urges = db.session.execute(query.order_by(CaseUrge.id.desc()).limit(URGES_READ)).scalars().all()
    cases: dict[tuple[str, int], Case] = {}
    for code in {urge.hall for urge in urges}:
        ids = [urge.case_id for urge in urges if urge.hall == code]
        found = select(Case).where(Case.hall == code, Case.id.in_(ids), _TAB.in_(OPEN_TABS))
        cases |= {(code, case.id): case for case in db.session.execute(found).scalars()}
    waiting = [(urge, cases[urge.hall, urge.case_id]) for urge in urges if (urge.hall, urge.case_id) in cases]
    waiting.sort(key=lambda pair: (pair[0].answer_due_at is None, iso(pair[0].answer_due_at) or "", pair[0].id))
    return [
        urge_view(urge) | {"number": case.number, "item": item_view(case), "light": case.light}
        for urge, case in waiting[:SIGNALS_SHOWN]
    ]


# ── open cases ──────────────────────────────────────────────────────────────────────────────────────────────────


def lights_by(side: str, hall: str | None = None) -> list[dict[str, Any]]:
    """Open cases by light for each department, hall, accepting clerk or stage; the worst first.

    Each row: key, name, name_en, total and a count a light.
    """
    if side == "department":
        counts = light_counts(hall)
        names = {name: (name, department_en(name)) for name in counts}
    else:
        column: Any = {"hall": Case.hall, "clerk": Case.received_by, "stage": Case.state}[side]
        query = select(column, Case.light, func.count()).where(Case.hall.in_(_codes(hall)), _DECIDING)
        counts = {}
        for key, light, number in db.session.execute(query.group_by(column, Case.light)):
            counts.setdefault(str(key), {})[light] = number
        names = {"hall": _halls, "clerk": _clerks, "stage": _stages}[side](list(counts))
    rows = [
        {
            "key": names[key][2] if len(names[key]) > 2 else key,
            "name": names[key][0],
            "name_en": names[key][1],
            "total": sum(found.values()),
            **{light.value: found.get(light.value, 0) for light in Light},
        }
        for key, found in counts.items()
    ]
    return sorted(rows, key=lambda row: (-row["red"], -row["yellow"], -row["amber"], -row["total"], row["key"]))


def _codes(hall: str | None) -> list[str]:
    return [hall] if hall else [row["code"] for row in halls()]


def _halls(_keys: Iterable[str]) -> dict[str, tuple[str, ...]]:
    return {row["code"]: (row["name"], row["name_en"]) for row in halls()}


def _clerks(keys: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Account numbers → name and account: the account is the key that addresses show."""
    found = select(Staff.id, Staff.name, Staff.username).where(Staff.id.in_([int(key) for key in keys]))
    known = {str(row.id): (f"{row.name} {row.username}",) * 2 + (row.username,) for row in db.session.execute(found)}
    return {key: known.get(key, ("—", "—", "")) for key in keys}


def _stages(keys: Iterable[str]) -> dict[str, tuple[str, ...]]:
    return {key: (key, key) for key in keys}


def open_cases(
    *,
    at: datetime,
    hall: str | None = None,
    department: str | None = None,
    clerk: str | None = None,
    stage: str | None = None,
    light: str | None = None,
    late: bool = False,
    due_on: datetime | None = None,
    due_until: datetime | None = None,
    turning: Light = Light.yellow,
    silent: bool = False,
    page: int = 1,
    per_page: int = PER_PAGE,
) -> dict[str, Any]:
    """The open cases behind a figure. Late ones whose reason nobody has published stand on top, then by due instant.

    `due_on` and `due_until` bound the instant at which the light becomes `turning`, yellow or red: [from, until).
    `silent`: only late ones without a public reason.
    """
    conditions: list[Any] = [Case.hall.in_(_codes(hall))]
    if due_on and due_until:
        conditions.append(or_(*_turns(turning, due_on, due_until)))
    else:
        conditions.append(_LATE if late or silent else _OPEN)
    if silent:
        conditions.append(Case.overdue_told_at.is_(None))
    if department:
        part = (CaseReview.hall == Case.hall, CaseReview.case_id == Case.id, CaseReview.department == department)
        conditions.append(exists().where(*part, CaseReview.state == "open"))
    if clerk:
        conditions.append(Case.received_by.in_(select(Staff.id).where(Staff.username == clerk)))
    if stage in set(CaseState):
        conditions.append(Case.state == stage)
    if light:
        conditions.append(Case.light == light)
    session = db.session()
    some = select(Case.id).where(*conditions).limit(MOST).subquery()
    total = session.execute(select(func.count()).select_from(some)).scalar_one()
    page = max(page, 1)
    explained = when((Case.light.in_(LATE) & Case.overdue_told_at.is_(None), 0), else_=1)
    order = [explained, Case.order_at, Case.id] if late or silent else [Case.order_at, Case.id]
    query = select(Case).where(*conditions).order_by(*order).limit(per_page + 1).offset((page - 1) * per_page)
    found = session.execute(query).scalars().all()
    items = lines(session, found[:per_page], at)
    pages = max(-(-total // per_page), page + (len(found) > per_page), 1)
    return {"items": items, "total": total, "more": total >= MOST, "page": page, "pages": pages}


def unexplained(hall: str | None = None) -> int:
    """How many late cases still lack their public reason, counted to MOST."""
    late = select(Case.id).where(Case.hall.in_(_codes(hall)), _LATE)
    late = late.where(Case.overdue_told_at.is_(None)).limit(MOST)
    return db.session.execute(select(func.count()).select_from(late.subquery())).scalar_one()


# ── what is coming ──────────────────────────────────────────────────────────────────────────────────────────────

_COMING = Case.light.in_((Light.green, Light.amber, Light.stopped))  # what has come to no card yet
_PROMISE_FIRST = and_(
    Case.promised_due_at.is_not(None),
    or_(Case.statutory_due_at.is_(None), Case.promised_due_at < Case.statutory_due_at),
)


def _turns(light: Light, from_at: datetime, until_at: datetime) -> list[ColumnElement[bool]]:
    """Which open cases show this card within [from, until) if nobody acts, each way to it by its own index.

    A case turns red from yellow, or straight where the promise stands still or ends with the statutory limit.
    """

    def within(column: Any) -> ColumnElement[bool]:
        return and_(column >= from_at, column < until_at)

    if light is Light.yellow:
        return [and_(_OPEN, _COMING, _PROMISE_FIRST, within(Case.order_at))]
    return [
        and_(_LATE, Case.light == Light.yellow, within(Case.statutory_due_at)),
        and_(_OPEN, _COMING, not_(_PROMISE_FIRST), within(Case.order_at)),
    ]


def forecast(hall: str | None, at: datetime, days: int = DAYS_AHEAD) -> list[dict[str, Any]]:
    """How many cases turn yellow, and how many late ones red, today and on the next working days if nobody acts.

    Each row: day, from_at, until_at, yellow, red. The first begins now and ends tonight; a working day after free
    days takes those in. Days past the announced calendar are left off.
    """
    spans = _days_ahead(_codes(hall)[0], at, days)
    first, last = spans[0][1], spans[-1][2]

    def counted(light: Light) -> list[int]:
        numbers = [0] * len(spans)
        for way in _turns(light, first, last):
            due_at = Case.statutory_due_at if light is Light.red else Case.promised_due_at
            sums = [func.coalesce(func.sum(when((and_(due_at >= a, due_at < b), 1), else_=0)), 0) for _, a, b in spans]
            found = db.session.execute(select(*sums).where(Case.hall.in_(_codes(hall)), way)).one()
            numbers = [number + int(more) for number, more in zip(numbers, found, strict=True)]
        return numbers

    return [
        {"day": day.isoformat(), "from_at": iso(a), "until_at": iso(b), "yellow": yellow, "red": red}
        for (day, a, b), yellow, red in zip(spans, counted(Light.yellow), counted(Light.red), strict=True)
    ]


def _days_ahead(hall: str, at: datetime, days: int) -> list[tuple[Any, datetime, datetime]]:
    """Today and the working days after it: each day with the instants from which and until which it counts."""
    calendar = schedule(hall)
    day = local_day(at)
    spans = [(day, at, calendar.whole(day)[1])]
    try:
        while len(spans) <= days:
            day += ONE_DAY
            if calendar.is_working(day):
                spans.append((day, spans[-1][2], calendar.whole(day)[1]))
    except CalendarUnknown:
        pass
    return spans
