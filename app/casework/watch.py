"""What supervision looks at now: signals, urgings, late cases, lights by any side, and what will be late soon.

A case is the business of the hall that has it now (`inbox.having`), whichever received it. Nothing here writes, and no
query grows with the cases there are: each goes along an index of those it is about.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, not_, or_, select, text
from sqlalchemy import case as when

from app.casework.inbox import MOST, PER_PAGE, bounded, having, in_order, keyed, light_counts, lines
from app.casework.models import LATE_OPEN, NOT_RED_YET, UNEXPLAINED, Case, CaseReview, CaseSignal, CaseUrge
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

_OPEN = Case.tab.in_(OPEN_TABS)
_DECIDING = Case.state.in_(sorted(DECIDING))  # the same cases by the index on states
# each in the very words of the index that holds only these
_LATE, _SILENT, _NOT_RED_YET = text(LATE_OPEN), text(UNEXPLAINED), text(NOT_RED_YET)
_EXPLAINED = text(f"({UNEXPLAINED}) IS NOT TRUE")
# of a case found by its key: not worth an index of their own
_TAB, _now_in = func.coalesce(Case.tab, ""), func.coalesce(Case.forwarded_to, Case.hall)


# ── signals ─────────────────────────────────────────────────────────────────────────────────────────────────────


def addressed_to(actor: Actor) -> ColumnElement[bool] | None:
    """Which signals are the actor's: a department's own, a chief representative's, a supervisor's; None for no one.

    Whoever works in one hall hears of what that hall has now, and of papers and results that lie there.
    """
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
    here = when((CaseSignal.level.in_((Level.PRE_REVIEW, Level.DELIVERY)), Case.handled_in), else_=_now_in)
    return and_(here == actor.hall, mine) if actor.hall else mine


def _matters() -> ColumnElement[bool]:
    """Whether a signal still asks for something: its case's clocks run on, or it is about what comes after them."""
    running = and_(Case.took.is_(None), _TAB.in_((*OPEN_TABS, "pickup")))
    gap = and_(CaseSignal.level == Level.GAP, Case.gap_due_at.is_not(None))
    waiting = (CaseUrge.hall == Case.hall, CaseUrge.case_id == Case.id, CaseUrge.answered_at.is_(None))
    urged = and_(CaseSignal.level.in_((Level.URGED, Level.UNANSWERED)), exists().where(*waiting))
    return or_(running, gap, urged, CaseSignal.level.in_((Level.CHECK, Level.DELIVERY)))


def told_signals(mine: ColumnElement[bool], *columns: Any) -> Select[Any]:
    """Columns of the signals that were told, of those that `addressed_to` says."""
    joined = and_(Case.hall == CaseSignal.hall, Case.id == CaseSignal.case_id)
    return select(*columns).join(Case, joined).where(mine, CaseSignal.told_at.is_not(None))


def new_signals(actor: Actor) -> int:
    """How many signals the actor's desk has not opened and that still matter, counted to MOST."""
    mine = addressed_to(actor)
    if mine is None:
        return 0
    new = told_signals(mine, CaseSignal.id).where(CaseSignal.seen_at.is_(None), _matters()).limit(MOST)
    return db.session.execute(select(func.count()).select_from(new.subquery())).scalar_one()


def halls_of_new(actor: Actor) -> list[str]:
    """In which halls' records the signals are that the actor's desk has not opened: its own, and those below."""
    mine = addressed_to(actor)
    if mine is None:
        return []
    new = told_signals(mine, CaseSignal.hall).where(CaseSignal.seen_at.is_(None)).distinct()
    return list(db.session.execute(new.order_by(CaseSignal.hall)).scalars())


def signals_of(actor: Actor) -> dict[str, list[dict[str, Any]]]:
    """The desk's signals, the newest first: those that wait to be opened, and the last that were or need not be."""
    mine = addressed_to(actor)
    if mine is None:
        return {"new": [], "seen": []}
    newest = (CaseSignal.told_at.desc(), CaseSignal.id.desc())
    told = told_signals(mine, CaseSignal, Case).order_by(*newest).limit(SIGNALS_SHOWN)
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
    """Urgings that wait for their answer, the one due first on top; whatever became of their cases meanwhile.

    They go with their cases: to the hall that has one now, and to each department that answers for it.
    """
    joined = and_(Case.hall == CaseUrge.hall, Case.id == CaseUrge.case_id)
    query = select(CaseUrge, Case).join(Case, joined).where(CaseUrge.answered_at.is_(None))
    if hall:
        query = query.where(_now_in == hall)
    if department:
        query = query.where(_answers(department))
    due = (CaseUrge.answer_due_at.is_(None), CaseUrge.answer_due_at, CaseUrge.id)
    found = db.session.execute(query.order_by(*due).limit(SIGNALS_SHOWN)).all()
    owners = _open_parts([case for _, case in found])
    return [
        urge_view(urge)
        | _named(owners.get((case.hall, case.id), [urge.department]))
        | {"number": case.number, "item": item_view(case), "light": case.light}
        for urge, case in found
    ]


def _open_parts(cases: Iterable[Case]) -> dict[tuple[str, int], list[str]]:
    """The departments whose part of these cases is open, in their order; what is over has none."""
    these = keyed(CaseReview.hall, CaseReview.case_id, [(case.hall, case.id) for case in cases])
    parts = select(CaseReview).where(these, CaseReview.state == "open")
    found: dict[tuple[str, int], list[str]] = {}
    for part in db.session.execute(parts.order_by(CaseReview.position, CaseReview.department)).scalars():
        found.setdefault((part.hall, part.case_id), []).append(part.department)
    return found


def _named(departments: Iterable[str]) -> dict[str, str]:
    names = list(departments)
    return {"department": "、".join(names), "department_en": ", ".join(department_en(name) for name in names)}


# ── open cases ──────────────────────────────────────────────────────────────────────────────────────────────────


def lights_by(side: str, hall: str | None = None) -> list[dict[str, Any]]:
    """Open cases by light for each department, hall that has them now, accepting clerk or stage; the worst first.

    Each row: key, name, name_en, total and a count a light.
    """
    if side == "department":
        counts = light_counts(hall)
        names = {name: (name, department_en(name)) for name in counts}
    else:
        column: Any = {"hall": _now_in, "clerk": Case.received_by, "stage": Case.state}[side]
        query = select(column, Case.light, func.count()).where(or_(*having(hall)), _DECIDING)
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

    `due_on` and `due_until` bound the instant at which the light becomes `turning`, yellow or red: (from, until].
    `silent`: only late ones that still lack their public reason, those that were decided late among them.
    """
    conditions: list[Any] = []
    kinds: list[tuple[int, Any]] = [(0, Case.tab == tab) for tab in OPEN_TABS]  # each with its place in the list
    due_at = Case.order_at
    if due_on and due_until:
        kinds, due_at = [(0, _turns(turning, due_on, due_until))], _due_at(turning)
    elif silent:
        kinds = [(0, _SILENT)]
    elif late:
        kinds = [(0, and_(_LATE, _SILENT)), (1, and_(_LATE, _EXPLAINED))]
    if department:
        conditions.append(_answers(department))
    if clerk:
        conditions.append(Case.received_by.in_(select(Staff.id).where(Staff.username == clerk)))
    if stage in set(CaseState):
        conditions.append(Case.state == stage)
    if light:
        conditions.append(Case.light == light)
    query = select(Case.hall, Case.id, due_at.label("order_at")).where(*conditions)
    branches = [
        (query.add_columns(literal(rank).label("rank")).where(way, kind), [due_at, Case.id])
        for way in having(hall)
        for rank, kind in kinds
    ]
    session, page = db.session(), max(page, 1)
    total = bounded(session, branches)
    found = in_order(session, branches, (page - 1) * per_page, page * per_page + 1)
    items = lines(session, found[:per_page], at)
    pages = max(-(-total // per_page), page + (len(found) > per_page), 1)
    return {"items": items, "total": total, "more": total >= MOST, "page": page, "pages": pages}


def _answers(department: str) -> ColumnElement[bool]:
    """Whether the department answers for the case: its part is open, or it had one in what is over."""
    part = (CaseReview.hall == Case.hall, CaseReview.case_id == Case.id, CaseReview.department == department)
    return exists().where(*part, or_(CaseReview.state == "open", _TAB.not_in(OPEN_TABS)))


def unexplained(hall: str | None = None, department: str | None = None) -> int:
    """How many late cases still lack their public reason, open or decided, counted to MOST."""
    late = select(Case.id).where(_SILENT)
    if department:
        late = late.where(_answers(department))
    return bounded(db.session(), [(late.where(way), [Case.order_at, Case.id]) for way in having(hall)])


# ── what is coming ──────────────────────────────────────────────────────────────────────────────────────────────

_COMING = Case.light.in_((Light.green, Light.amber, Light.stopped))  # what has come to no card yet
_PROMISE_FIRST = and_(
    Case.promised_due_at.is_not(None),
    or_(Case.statutory_due_at.is_(None), Case.promised_due_at < Case.statutory_due_at),
)


def _turns(light: Light, from_at: datetime, until_at: datetime) -> ColumnElement[bool]:
    """Which open cases show this card within (from, until] if nobody acts, by the index on their due instants.

    What ends at midnight ends with its day. Whatever passes its statutory limit turns red; yellow before that, if the
    promise comes first.
    """
    due_at = _due_at(light)
    which = [_NOT_RED_YET] if light is Light.red else [_OPEN, _COMING, _PROMISE_FIRST]
    return and_(*which, due_at > from_at, due_at <= until_at)


def _due_at(light: Light) -> Any:
    """The instant at which a case shows this card; what comes first is also where inboxes find it."""
    return Case.statutory_due_at if light is Light.red else Case.order_at


def forecast(hall: str | None, at: datetime, days: int = DAYS_AHEAD) -> list[dict[str, Any]]:
    """How many cases turn yellow, and how many red, today and on the next working days if nobody acts.

    Each row: day, from_at, until_at, yellow, red. The first begins now and ends tonight; a working day after free
    days takes those in. Days past the announced calendar are left off.
    """
    spans = _days_ahead(hall or halls()[0]["code"], at, days)
    first, last = spans[0][1], spans[-1][2]

    def counted(light: Light) -> list[int]:
        due_at = _due_at(light)
        sums = [func.coalesce(func.sum(when((and_(due_at > a, due_at <= b), 1), else_=0)), 0) for _, a, b in spans]
        turning = (select(*sums).where(way, _turns(light, first, last)) for way in having(hall))  # each by its index
        found = [db.session.execute(query).one() for query in turning]
        return [int(sum(numbers)) for numbers in zip(*found, strict=True)]

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
