"""Reports of a period: what came in, what was decided, how fast, what was late and why. Nothing here writes.

Three cohorts, each read along an index on its own instant and grouped in SQL: cases received in the period, cases
decided (granted or refused) in it, stops of clocks begun in it. A figure and the list behind it share one condition,
so that every number can be counted again by hand; what each counts, and under which departments, say the figures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, select, tuple_
from sqlalchemy import case as when

from app.casework.cases import ended_at
from app.casework.figures import FIGURES, INSTANT, STOPS, Part, between, cohort, joined, late, whose
from app.casework.inbox import MOST, PER_PAGE, lines
from app.casework.models import Case, CaseReview, CaseStop, KeptGuide
from app.casework.rules.clocks import Clock, Extension, read_limit
from app.casework.rules.tally import Pace, Span, Took, paces, rate
from app.casework.urges import overdue_of
from app.casework.watch import forecast, lights_by, unexplained
from app.catalog.queries import department_en
from app.db import db
from app.hall.queries import halls
from app.hall.rules.lights import Light
from app.now import iso, local_day
from app.people.models import Staff

SIDES = ("department", "hall", "clerk", "item")  # by which the cases of a period are counted
REASONS_SHOWN = 100


def report(*, hall: str | None, span: Span, side: str, at: datetime) -> dict[str, Any]:
    """The whole report of a period: totals, one row a `side`, its pace, the days, the stops, the late cases, the outlook."""
    days, reasons = _days(hall, span), late_reasons(hall=hall, span=span)
    open_ = lights_by("hall", hall)
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
        "open_total": {light: sum(row[light] for row in open_) for light in ("total", *Light)},
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
    for of in ("received", "decided"):
        own = {name: figure for name, figure in FIGURES.items() if figure.of == of}
        for key, guide, numbers in _grouped(side, lambda part, of=of: _sums(of, hall, span, part)):
            tally = counts.setdefault(key, Counter())
            seen[key] = guide
            for (name, figure), number in zip(own.items(), numbers, strict=True):
                if not figure.instant or guide["time_class"] in INSTANT:
                    tally[name] += int(number)
    for key, row in _took(hall, span, side):
        took.setdefault(key, []).append(row)
    for key, guide, (clocks, number) in _grouped(side, lambda part: _stopped(hall, span, part)):
        stops.setdefault(key, Counter())[clocks] += number
        seen[key] = guide
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


def _grouped(side: str, query: Callable[[Part], Select[Any]]) -> Iterator[tuple[str, Mapping[str, Any], Sequence[Any]]]:
    """The rows of a query that is grouped by the digest of the guide: the key of the side, the guide, what was counted.

    By department only what several decide is read part by part; before its acceptance it has none, and counts under
    each of them.
    """
    key = _COLUMNS.get(side)
    whole = query(None)
    keyed = whole.add_columns(literal("")) if key is None else whole.add_columns(key).group_by(key)
    found = db.session.execute(keyed).all()
    guides = _guides(row[0] for row in found)
    parted = set()
    if side == "department":
        parted = {digest for digest, guide in guides.items() if len(guide["departments"]) > 1}
    for digest, *counted, value in found:
        if digest not in parted:
            guide = guides[digest]
            yield guide["departments"][0] if side == "department" else str(value), guide, counted
    if parted:
        parts = query(CaseReview).where(Case.guide_digest.in_(parted))
        of = CaseReview.department
        for digest, *counted, department in db.session.execute(parts.add_columns(of).group_by(of)):
            for name in [department] if department else guides[digest]["departments"]:
                yield name, guides[digest], counted


def _sums(of: str, hall: str | None, span: Span, part: Part) -> Select[Any]:
    """The figures of a cohort."""
    own = (figure for figure in FIGURES.values() if figure.of == of)
    sums = [func.coalesce(func.sum(when((figure.counts(part), 1), else_=0)), 0) for figure in own]
    query = joined(select(Case.guide_digest, *sums).select_from(Case), part)
    return query.where(*cohort(of, hall, span, part)).group_by(Case.guide_digest)


def _took(hall: str | None, span: Span, side: str) -> Iterable[tuple[str, Took]]:
    """Decided cases counted by what they took, as the promised clock counted it at the decision."""

    def counted(part: Part) -> Select[Any]:
        used = Case.took if part is None else func.coalesce(part.took, Case.took)
        columns = (Case.guide_digest, Case.converted, Case.extension, used)
        query = joined(select(*columns, func.count()).select_from(Case), part)
        return query.where(*cohort("decided", hall, span, part), used.is_not(None)).group_by(*columns)

    for key, guide, (converted, extension, used, number) in _grouped(side, counted):
        promised, statutory = read_limit(converted or guide["promised"]), read_limit(guide["statutory"])
        if extension:
            more = Extension.read(extension)
            promised, statutory = more.added(Clock.PROMISED, promised), more.added(Clock.STATUTORY, statutory)
        lawful = statutory.size if statutory.unit is promised.unit else None
        yield key, Took(promised.unit.value, promised.size, lawful, used, number)


def _stopped(hall: str | None, span: Span, part: Part) -> Select[Any]:
    """Cases that were stopped in the period, each once however often it was."""
    query = select(Case.guide_digest, CaseStop.clocks, func.count(Case.number.distinct())).select_from(CaseStop)
    query = query.join(Case, and_(Case.hall == CaseStop.hall, Case.id == CaseStop.case_id))
    begun = between(CaseStop.hall, CaseStop.from_at, hall, span)
    mine = [] if part is None else [whose(part.department)]
    return joined(query, part).where(*begun, *mine).group_by(Case.guide_digest, CaseStop.clocks)


_COLUMNS: dict[str, Any] = {"hall": Case.hall, "clerk": Case.received_by, "item": Case.item}


_seen: dict[str, dict[str, Any]] = {}  # a digest names its content, so that one cache serves every database
_PARTS = ("departments", "time_class", "promised", "statutory", "name", "name_en")


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
        of: Counter(map(local_day, db.session.execute(select(column).where(*cohort(of, hall, span))).scalars()))
        for of, column in (("received", Case.received_at), ("decided", Case.decided_at))
    }
    return [{"day": day.isoformat(), **{of: counts[of][day] for of in counts}} for day in span.days()]


def _grounds(hall: str | None, span: Span) -> list[dict[str, Any]]:
    """Stops begun in the period by their ground, the most frequent first."""
    query = select(CaseStop.ground, CaseStop.clocks, func.count()).group_by(CaseStop.ground, CaseStop.clocks)
    found = db.session.execute(query.where(*between(CaseStop.hall, CaseStop.from_at, hall, span))).all()
    rows = [{"ground": ground, "clocks": clocks, "count": number} for ground, clocks, number in found]
    return sorted(rows, key=lambda row: (-row["count"], row["ground"]))


# ── what is behind the numbers ──────────────────────────────────────────────────────────────────────────────────


def cases_behind(
    *, figure: str, hall: str | None, span: Span, side: str = "", key: str = "", at: datetime, page: int = 1
) -> dict[str, Any]:
    """The cases that a figure counts, in the order of their instant; of one `key` of a `side`, or all."""
    session = db.session()
    part: Part = CaseReview if side == "department" and key else None
    if figure in STOPS:
        of = FIGURES["received"]
        begun = [CaseStop.clocks == STOPS[figure], *between(CaseStop.hall, CaseStop.from_at, hall, span)]
        begun += [whose(key)] if part else []
        stops = select(CaseStop.hall, CaseStop.case_id).where(*begun)
        conditions: list[ColumnElement[bool]] = [tuple_(Case.hall, Case.id).in_(stops)]
    else:
        of = FIGURES[figure]
        conditions = [*cohort(of.of, hall, span, part), of.counts(part)]

    def counted(*columns: Any) -> Select[Any]:
        return joined(select(*columns).select_from(Case), part, CaseReview.department == key).where(*conditions)

    wanted: dict[str, Any] = {"hall": Case.hall == key, "item": Case.item == key}
    if side == "clerk" and key:
        conditions.append(Case.received_by.in_(select(Staff.id).where(Staff.username == key)))
    elif side in wanted and key:
        conditions.append(wanted[side])
    if of.instant or part:
        digests = session.execute(counted(Case.guide_digest).distinct()).scalars().all()
        fits = [
            digest
            for digest, guide in _guides(digests).items()
            if (not of.instant or guide["time_class"] in INSTANT) and (not part or key in guide["departments"])
        ]
        conditions.append(Case.guide_digest.in_(fits))
    some = counted(Case.id).limit(MOST).subquery()
    total = session.execute(select(func.count()).select_from(some)).scalar_one()
    instant = Case.received_at if of.of == "received" else Case.decided_at
    page = max(page, 1)
    query = counted(Case).order_by(instant, Case.id)
    found = session.execute(query.limit(PER_PAGE + 1).offset((page - 1) * PER_PAGE)).scalars().all()
    items = lines(session, found[:PER_PAGE], at)
    pages = max(-(-total // PER_PAGE), page + (len(found) > PER_PAGE), 1)
    return {"items": items, "total": total, "more": total >= MOST, "page": page, "pages": pages}


def late_reasons(*, hall: str | None, span: Span, limit: int = REASONS_SHOWN) -> dict[str, Any]:
    """Cases decided late in the period, by whom, with what the public was told; the earliest due first."""
    query = select(Case).where(*cohort("decided", hall, span), late(None)).order_by(Case.promised_due_at, Case.id)
    found = db.session.execute(query.limit(limit + 1)).scalars().all()
    these = (*cohort("decided", hall, span, CaseReview), Case.number.in_([case.number for case in found]))
    parts = joined(select(Case.number, CaseReview.department).select_from(Case), CaseReview)
    by: dict[str, list[str]] = {}
    for number, department in db.session.execute(parts.where(*these, late(CaseReview)).order_by(CaseReview.position)):
        by.setdefault(number, []).append(department)
    rows = [
        {
            "number": case.number,
            "item": case.guide["name"],
            "item_en": case.guide["name_en"],
            "department": "、".join(by[case.number]),
            "department_en": ", ".join(department_en(name) for name in by[case.number]),
            "light": case.light,
            "due_at": iso(_first_due(case)),
            "decided_at": iso(case.decided_at),
            "ended_at": iso(ended_at(case)),
            "reason": (overdue_of(case) or {}).get("reason") if case.explained else None,
        }
        for case in found[:limit]
    ]
    return {"late": sorted(rows, key=lambda row: row["due_at"]), "more": len(found) > limit}


def _first_due(case: Case) -> datetime:
    """The limit that a late case missed first: the law's, where the promise had stood still."""
    return min(due_at for due_at in (case.promised_due_at, case.statutory_due_at) if due_at is not None)
