"""Reports of a period: what came in, what was decided, how fast, what was late and why. Nothing here writes.

Three cohorts, each read along an index on its own instant and grouped in SQL: cases received in the period, cases
decided (granted or refused) in it, stops of clocks begun in it. A figure and the list behind it share one condition,
so that every number can be counted again by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, not_, or_, select, true, tuple_
from sqlalchemy import case as when

from app.casework.cases import ended_at
from app.casework.inbox import MOST, PER_PAGE, lines
from app.casework.models import Case, CaseStop, KeptGuide
from app.casework.rules.clocks import read_limit
from app.casework.rules.states import CaseState
from app.casework.rules.tally import Pace, Span, Took, paces, rate
from app.casework.urges import overdue_of
from app.casework.watch import LATE, forecast, lights_by, unexplained
from app.catalog.queries import department_en
from app.db import db
from app.hall.queries import halls
from app.hall.rules.lights import Light
from app.now import SHANGHAI, iso, local_day
from app.people.models import Staff

SIDES = ("department", "hall", "clerk", "item")  # by which the cases of a period are counted
INSTANT = frozenset({"instant", "half_day", "one_day"})  # time classes that are promised to be finished on the spot
REASONS_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Figure:
    """One number: which instant puts a case into the period, and which of those cases count.

    `instant`: only items that are finished on the spot.
    """

    of: str  # received or decided
    counts: Callable[[], ColumnElement[bool]]
    instant: bool = False


_WITHDRAWN = (CaseState.WITHDRAWN, CaseState.DEEMED_WITHDRAWN)
_REFUSED_ENTRY = (CaseState.NOT_ACCEPTED, CaseState.NOT_REQUIRED)


def _late() -> ColumnElement[bool]:
    """Past the promise: the light with which the clocks came to stand, or what it is while a result is on its way (K5)."""
    return Case.light.in_(LATE)


FIGURES: dict[str, Figure] = {
    "received": Figure("received", true),
    "not_accepted": Figure("received", lambda: Case.state.in_(_REFUSED_ENTRY)),
    "withdrawn": Figure("received", lambda: Case.state.in_(_WITHDRAWN)),
    "deemed": Figure("received", lambda: Case.deemed_accepted),
    "tolerant": Figure("received", lambda: Case.tolerant),
    "second_notice": Figure("received", lambda: or_(Case.supplement_notices > 1, Case.review_notices > 1)),
    "instant": Figure("received", true, instant=True),
    "converted": Figure("received", lambda: Case.converted.is_not(None), instant=True),
    "decided": Figure("decided", true),
    "granted": Figure("decided", lambda: Case.outcome == "granted"),
    "refused": Figure("decided", lambda: Case.outcome == "refused"),
    "in_time": Figure("decided", lambda: not_(_late())),
    "late": Figure("decided", _late),
    "late_statutory": Figure("decided", lambda: Case.light == Light.red),
    "late_unexplained": Figure("decided", lambda: and_(_late(), Case.overdue_told_at.is_(None))),
    "extended": Figure("decided", lambda: Case.extended),
}


# cases whose clocks were stopped in the period, by which clocks stood
STOPS = {"special": "both", "promised_stops": "promised"}


def report(*, hall: str | None, span: Span, side: str, at: datetime) -> dict[str, Any]:
    """The whole report of a period: totals, one row a `side`, its pace, the days, the stops, the late cases, the outlook."""
    days, reasons = _days(hall, span), late_reasons(hall=hall, span=span)
    return {
        "hall": hall,
        "period": span.period.value,
        "from": span.first.isoformat(),
        "to": span.last.isoformat(),
        "side": side,
        "made_at": iso(at),
        "total": totals(hall, span),
        "rows": _rows(hall, span, side),
        "days": days,
        "grounds": _grounds(hall, span),
        "late": reasons["late"],
        "late_more": reasons["more"],
        "open": lights_by("department", hall),
        "unexplained": unexplained(hall),
        "forecast": forecast(hall, at),
    }


def totals(hall: str | None, span: Span) -> dict[str, Any]:
    """The figures of everything in the period."""
    rows = _rows(hall, span, "")
    return rows[0] if rows else _row(("", "", ""), {}, {}, [])


# ── counting ────────────────────────────────────────────────────────────────────────────────────────────────────


def _rows(hall: str | None, span: Span, side: str) -> list[dict[str, Any]]:
    """One row a key of `side` (of everything, when it is empty), those with most decided cases first."""
    counts: dict[str, Counter[str]] = {}
    took: dict[str, list[Took]] = {}
    stops: dict[str, Counter[str]] = {}
    seen: dict[str, Mapping[str, Any]] = {}
    for cohort in ("received", "decided"):
        own = {name: figure for name, figure in FIGURES.items() if figure.of == cohort}
        sums = [func.coalesce(func.sum(when((figure.counts(), 1), else_=0)), 0) for figure in own.values()]
        key = _key(side)
        query = select(*key, Case.guide_digest, *sums).where(*_cohort(cohort, hall, span))
        found = _counted(query.group_by(*key, Case.guide_digest), key)
        guides = _guides(row[1] for row in found)
        for row in found:
            guide = guides[row[1]]
            of = counts.setdefault(_name(side, row[0], guide), Counter())
            seen[_name(side, row[0], guide)] = guide
            for (name, figure), number in zip(own.items(), row[2:], strict=True):
                if not figure.instant or guide["time_class"] in INSTANT:
                    of[name] += int(number)
    for name, row in _took(hall, span, side):
        took.setdefault(name, []).append(row)
    for name, guide, clocks, number in _stopped(hall, span, side):
        stops.setdefault(name, Counter())[clocks] += number
        seen[name] = guide
    names = _names(side, seen)
    rows = [_row(names[key], counts.get(key, {}), stops.get(key, {}), paces(took.get(key, []))) for key in names]
    return sorted(rows, key=lambda row: (-row["decided"], -row["received"], row["key"]))


def _row(
    names: tuple[str, str, str], counts: Mapping[str, int], stops: Mapping[str, int], pace: list[Pace]
) -> dict[str, Any]:
    figures = {name: counts.get(name, 0) for name in FIGURES}
    return {
        "key": names[0],
        "name": names[1],
        "name_en": names[2],
        **figures,
        "special": stops.get("both", 0),
        "promised_stops": stops.get("promised", 0),
        "in_time_rate": rate(figures["in_time"], figures["decided"]),
        "conversion_rate": rate(figures["converted"], figures["instant"]),
        "pace": [asdict(row) for row in pace],
    }


def _took(hall: str | None, span: Span, side: str) -> Iterable[tuple[str, Took]]:
    """Decided cases counted by what they took, as the promised clock counted it at the decision."""
    key = _key(side)
    columns = (Case.guide_digest, Case.converted, Case.extension, Case.took)
    query = select(*key, *columns, func.count()).where(*_cohort("decided", hall, span), Case.took.is_not(None))
    found = _counted(query.group_by(*key, *columns), key)
    guides = _guides(row[1] for row in found)
    for value, digest, converted, extension, used, number in found:
        guide = guides[digest]
        promised, statutory = read_limit(converted or guide["promised"]), read_limit(guide["statutory"])
        lawful = statutory.size if statutory.unit is promised.unit else None
        more = read_limit(extension) if extension else None
        if more and more.unit is promised.unit and lawful is not None:
            lawful += more.size
        yield _name(side, value, guide), Took(promised.unit.value, promised.size, lawful, used, number)


def _stopped(hall: str | None, span: Span, side: str) -> Iterable[tuple[str, Mapping[str, Any], str, int]]:
    """Cases that were stopped in the period, each once however often it was."""
    key = _key(side)
    stops = select(CaseStop.hall, CaseStop.case_id, CaseStop.clocks).distinct()
    stop = stops.where(*_between(CaseStop.hall, CaseStop.from_at, hall, span)).subquery()
    query = select(*key, Case.guide_digest, stop.c.clocks, func.count()).select_from(stop)
    query = query.join(Case, and_(Case.hall == stop.c.hall, Case.id == stop.c.case_id))
    found = _counted(query.group_by(*key, Case.guide_digest, stop.c.clocks), key)
    guides = _guides(row[1] for row in found)
    for value, digest, clocks, number in found:
        yield _name(side, value, guides[digest]), guides[digest], clocks, number


def _cohort(of: str, hall: str | None, span: Span) -> list[ColumnElement[bool]]:
    if of == "received":
        return _between(Case.hall, Case.received_at, hall, span)
    return [*_between(Case.hall, Case.decided_at, hall, span), Case.outcome.in_(("granted", "refused"))]


def _between(of: Any, column: Any, hall: str | None, span: Span) -> list[ColumnElement[bool]]:
    begin, end = span.instants(SHANGHAI)
    codes = [hall] if hall else [row["code"] for row in halls()]
    return [of.in_(codes), column >= begin, column < end]


_COLUMNS: dict[str, Any] = {"hall": Case.hall, "clerk": Case.received_by, "item": Case.item}


def _key(side: str) -> list[Any]:
    """What SQL groups by besides the guide, from which a department is read."""
    return [_COLUMNS[side]] if side in _COLUMNS else []


def _counted(query: Any, key: list[Any]) -> list[tuple[Any, ...]]:
    """The rows of a query, each beginning with its key, "" where there is none."""
    rows = db.session.execute(query)
    return [tuple(row) if key else ("", *row) for row in rows]


def _name(side: str, value: Any, guide: Mapping[str, Any]) -> str:
    return guide["department"] if side == "department" else str(value)


_seen: dict[str, dict[str, Any]] = {}  # a digest names its content, so that one cache serves every database
_PARTS = ("department", "time_class", "promised", "statutory", "name", "name_en")


def _guides(digests: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The parts of frozen guides that reports count by, each guide read once a process."""
    wanted = set(digests)
    unknown = sorted(wanted - _seen.keys())
    for start in range(0, len(unknown), 200):
        some = select(KeptGuide).where(KeptGuide.digest.in_(unknown[start : start + 200]))
        for kept in db.session.execute(some).scalars():
            _seen[kept.digest] = {part: kept.guide[part] for part in _PARTS}
    return {digest: _seen[digest] for digest in wanted}


def _names(side: str, seen: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[str, str, str]]:
    """What was counted by, with a guide of it → the key that addresses show, and its names in both languages."""
    if side == "department":
        return {key: (key, key, department_en(key)) for key in seen}
    if side == "hall":
        return {row["code"]: (row["code"], row["name"], row["name_en"]) for row in halls() if row["code"] in seen}
    if side == "clerk":
        found = select(Staff.id, Staff.name, Staff.username).where(Staff.id.in_([int(key) for key in seen]))
        rows = db.session.execute(found).all()
        return {str(row.id): (row.username, *(f"{row.name} {row.username}",) * 2) for row in rows}
    if side == "item":
        return {item: (item, guide["name"], guide["name_en"]) for item, guide in seen.items()}
    return {key: (key, "", "") for key in seen}


def _days(hall: str | None, span: Span) -> list[dict[str, Any]]:
    """Received and decided cases of each local day of the period."""
    counts = {
        of: Counter(map(local_day, db.session.execute(select(column).where(*_cohort(of, hall, span))).scalars()))
        for of, column in (("received", Case.received_at), ("decided", Case.decided_at))
    }
    return [{"day": day.isoformat(), **{of: counts[of][day] for of in counts}} for day in span.days()]


def _grounds(hall: str | None, span: Span) -> list[dict[str, Any]]:
    """Stops begun in the period by their ground, the most frequent first."""
    query = select(CaseStop.ground, CaseStop.clocks, func.count()).group_by(CaseStop.ground, CaseStop.clocks)
    found = db.session.execute(query.where(*_between(CaseStop.hall, CaseStop.from_at, hall, span))).all()
    rows = [{"ground": ground, "clocks": clocks, "count": number} for ground, clocks, number in found]
    return sorted(rows, key=lambda row: (-row["count"], row["ground"]))


# ── what is behind the numbers ──────────────────────────────────────────────────────────────────────────────────


def cases_behind(
    *, figure: str, hall: str | None, span: Span, side: str = "", key: str = "", at: datetime, page: int = 1
) -> dict[str, Any]:
    """The cases that a figure counts, in the order of their instant; of one `key` of a `side`, or all."""
    session = db.session()
    if figure in STOPS:
        of = FIGURES["received"]
        begun = (CaseStop.clocks == STOPS[figure], *_between(CaseStop.hall, CaseStop.from_at, hall, span))
        stops = select(CaseStop.hall, CaseStop.case_id).where(*begun)
        conditions: list[ColumnElement[bool]] = [tuple_(Case.hall, Case.id).in_(stops)]
    else:
        of = FIGURES[figure]
        conditions = [*_cohort(of.of, hall, span), of.counts()]
    wanted: dict[str, Any] = {"hall": Case.hall == key, "item": Case.item == key}
    if side == "clerk" and key:
        conditions.append(Case.received_by.in_(select(Staff.id).where(Staff.username == key)))
    elif side in wanted and key:
        conditions.append(wanted[side])
    if of.instant or (side == "department" and key):
        digests = session.execute(select(Case.guide_digest).where(*conditions).distinct()).scalars().all()
        guides = _guides(digests)
        fits = [
            digest
            for digest, guide in guides.items()
            if (not of.instant or guide["time_class"] in INSTANT)
            and (side != "department" or not key or guide["department"] == key)
        ]
        conditions.append(Case.guide_digest.in_(fits))
    some = select(Case.id).where(*conditions).limit(MOST).subquery()
    total = session.execute(select(func.count()).select_from(some)).scalar_one()
    instant = Case.received_at if of.of == "received" else Case.decided_at
    page = max(page, 1)
    query = select(Case).where(*conditions).order_by(instant, Case.id)
    found = session.execute(query.limit(PER_PAGE + 1).offset((page - 1) * PER_PAGE)).scalars().all()
    items = lines(session, found[:PER_PAGE], at)
    pages = max(-(-total // PER_PAGE), page + (len(found) > PER_PAGE), 1)
    return {"items": items, "total": total, "more": total >= MOST, "page": page, "pages": pages}


def late_reasons(*, hall: str | None, span: Span, limit: int = REASONS_SHOWN) -> dict[str, Any]:
    """Cases decided late in the period with what the public was told, the earliest due first."""
    query = select(Case).where(*_cohort("decided", hall, span), _late()).order_by(Case.promised_due_at, Case.id)
    found = db.session.execute(query.limit(limit + 1)).scalars().all()
    rows = [
        {
            "number": case.number,
            "item": case.guide["name"],
            "item_en": case.guide["name_en"],
            "department": case.guide["department"],
            "department_en": department_en(case.guide["department"]),
            "light": case.light,
            "promised_due_at": iso(case.promised_due_at),
            "decided_at": iso(case.decided_at),
            "ended_at": iso(ended_at(case)),
            "reason": (overdue_of(case) or {}).get("reason"),
        }
        for case in found[:limit]
    ]
    return {"late": rows, "more": len(found) > limit}
