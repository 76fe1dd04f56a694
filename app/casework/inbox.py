"""Lists of cases: inboxes, tabs, what waits at the windows. Nothing here writes.

Every list is read along an index on (tab, due instant), and every count stops at MOST: neither grows with the number
of open cases.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    bindparam,
    false,
    func,
    literal,
    or_,
    select,
    text,
    union_all,
)
from sqlalchemy.orm import Session

from app import privacy
from app.casework.cases import clocks_from, ended_at, open_field
from app.casework.models import ENTERED, TO_COLLECT, UNDER_WAY, Case, CaseReview, CaseStop, CaseUrge
from app.casework.queries import clock_view, item_view
from app.casework.rules.clocks import Clock, standing
from app.casework.rules.states import OPEN_TABS, TAB_OF, TABS, CaseState
from app.catalog.queries import department_en
from app.db import db
from app.hall.queries import halls, schedule, schedule_named
from app.hall.rules.hours import Schedule
from app.now import iso, local

PER_PAGE = 20
MOST = 1000  # as far as cases are counted; more is shown as 1000+
LATE = ("yellow", "red")
_RANK = {**dict.fromkeys(OPEN_TABS, 0), "intake": 1, "draft": 2, "pickup": 3, "done": 4}


def inbox(
    *,
    at: datetime,
    hall: str | None = None,
    department: str | None = None,
    light: str | None = None,
    state: str | None = None,
    q: str = "",
    page: int = 1,
    per_page: int = PER_PAGE,
) -> dict[str, Any]:
    """Cases by due time, soonest first. `state` is a state, a tab, or `overdue`; none: all that is being decided.

    A hall sees its own cases and those that came up to it from below (C12). A department sees the cases whose open part
    is its own; under `done` those in which it has had its say. `total` counts to MOST at most (`more` says that there
    are others), `pages` always reaches past a full page.
    """
    session = db.session()
    page = max(page, 1)
    first, last = (page - 1) * per_page, page * per_page
    branches = _branches(hall, department, light, state, q.strip())
    total = bounded(session, branches)
    found = in_order(session, branches, first, last + 1)
    pages = max(-(-total // per_page), page + (len(found) > per_page), 1)
    shown = lines(session, found[:per_page], at)
    return {"items": shown, "total": total, "more": total >= MOST, "page": page, "pages": pages}


def _branches(
    hall: str | None, department: str | None, light: str | None, state: str | None, q: str
) -> list[tuple[Select[Any], list[Any]]]:
    """The keys of the cases in question, each branch with its order, along one index: a branch a tab and way here.

    A case comes to a hall in two ways, at its own windows or from below; each has its index.
    """
    ways: list[tuple[str, str | None]] = [("hall", hall), ("forwarded_to", hall)] if hall else [("hall", None)]
    return [branch for way in ways for branch in _branches_of(way, department, light, state, q)]


def having(hall: str | None, row: Any = Case) -> list[ColumnElement[bool]]:
    """The ways in which a hall has a case (or a part of one) now, each along its index; without a hall, all there are.

    It has what came up to it from below, and of its own what did not go up. So a case counts once in the network: where
    something can be done about it. The hall below still finds in its inbox what it sent up.
    """
    if hall is None:
        return [row.hall.in_([found["code"] for found in halls()])]
    return [and_(row.hall == hall, row.forwarded_to.is_(None)), row.forwarded_to == hall]


def _branches_of(
    way: tuple[str, str | None], department: str | None, light: str | None, state: str | None, q: str
) -> list[tuple[Select[Any], list[Any]]]:
    if q:
        return [_branch(Case, way, department, [_named(q), *_part_of(department)], 0)]
    row: Any = CaseReview if department else Case
    if state == "overdue":
        late = [_one_of(row.tab, OPEN_TABS), _one_of(row.light, LATE)]
        return [_branch(row, way, department, late + ([CaseReview.state == "open"] if department else []), 0)]
    if state == CaseState.CORRECTION and department is None:  # before the acceptance, and the review's
        states = [Case.state.in_((CaseState.CORRECTION, CaseState.REVIEW_CORRECTION))]
        return [_branch(Case, way, None, states, 0)]
    tabs = [state] if state in TABS else [TAB_OF[CaseState(state)]] if state else list(_RANK)
    if not state and (department or light):
        tabs = list(OPEN_TABS)
    more = [row.light == light, row.tab.in_(OPEN_TABS)] if light else []
    if state and state not in TABS:
        more.append(_in_state(row, state))
    return [_branch(row, way, department, [row.tab == tab, *more], _RANK[tab], tab == "done") for tab in tabs]


def _one_of(column: Any, values: Sequence[str]) -> ColumnElement[bool]:
    """With the values in the statement itself: SQLite takes a partial index only where it can read that it fits."""
    return column.in_(bindparam(None, values, expanding=True, literal_execute=True))


def _branch(
    row: Any, way: tuple[str, str | None], department: str | None, where: list[Any], rank: int, newest: bool = False
) -> tuple[Select[Any], list[Any]]:
    key = row.id if row is Case else row.case_id
    query = select(row.hall, key.label("id"), row.order_at, literal(rank).label("rank")).where(*where)
    if row is CaseReview:
        query = query.where(row.department == department)
    column, hall = way
    if hall:
        query = query.where(getattr(row, column) == hall)
    return query, [row.order_at.desc(), key.desc()] if newest else [row.order_at, key]


def _in_state(row: Any, state: str) -> ColumnElement[bool]:
    """A part has its case's tab but not its state."""
    if row is Case:
        return Case.state == state
    its_case = (Case.hall == CaseReview.hall, Case.id == CaseReview.case_id, Case.state == state)
    return select(Case.hall).where(*its_case).exists()


def _part_of(department: str | None) -> list[Any]:
    if department is None:
        return []
    mine = (CaseReview.hall == Case.hall, CaseReview.case_id == Case.id, CaseReview.department == department)
    return [select(CaseReview.hall).where(*mine).exists()]


def _named(q: str) -> ColumnElement[bool]:
    """A case number (or its beginning), an ID number, or nothing."""
    return or_(
        Case.number.startswith(q.upper(), autoescape=True),
        Case.acceptance_number == q.upper(),
        Case.applicant_key == privacy.blind_index("id_number", q),
    )


def _together(branches: Iterable[Select[Any]]) -> Subquery:
    parts = [select(branch.subquery()) for branch in branches]
    return (union_all(*parts) if len(parts) > 1 else parts[0]).subquery()


def bounded(session: Session, branches: list[tuple[Select[Any], list[Any]]]) -> int:
    """How many cases the branches have, as far as MOST; in their order, which names the one index to count along."""
    some = _together(query.order_by(*order).limit(MOST) for query, order in branches)
    return min(session.execute(select(func.count()).select_from(some)).scalar_one(), MOST)


def in_order(session: Session, branches: list[tuple[Select[Any], list[Any]]], first: int, last: int) -> list[Case]:
    """The cases from `first` up to `last`, which each branch is read no further than."""
    some = _together(query.order_by(*order).limit(last) for query, order in branches)
    newest = all("DESC" in str(order[0]) for _, order in branches)
    order = [some.c.order_at.desc(), some.c.id.desc()] if newest else [some.c.rank, some.c.order_at, some.c.id]
    keys = session.execute(select(some.c.hall, some.c.id).order_by(*order).limit(last - first).offset(first)).all()
    rows = session.execute(select(Case).where(keyed(Case.hall, Case.id, keys))).scalars()
    by_key = {(row.hall, row.id): row for row in rows}
    return [by_key[tuple(key)] for key in keys]


def keyed(hall: Any, key: Any, keys: Iterable[Any]) -> ColumnElement[bool]:
    """The rows of these (hall, id): one range of the index a hall, for SQLite reads the whole table for pairs."""
    by_hall: dict[str, list[int]] = {}
    for code, number in keys:
        by_hall.setdefault(code, []).append(number)
    return or_(false(), *(and_(hall == code, key.in_(numbers)) for code, numbers in sorted(by_hall.items())))


def lines(session: Session, cases: Sequence[Case], at: datetime) -> list[dict[str, Any]]:
    """The lines of a list: four reads for all of them together, whatever their number."""
    keys = [(case.hall, case.id) for case in cases]
    reviews: dict[tuple[str, int], list[CaseReview]] = {key: [] for key in keys}
    stops: dict[tuple[str, int], list[CaseStop]] = {key: [] for key in keys}
    parts = select(CaseReview).where(keyed(CaseReview.hall, CaseReview.case_id, keys))
    for review in session.execute(parts.order_by(CaseReview.position, CaseReview.department)).scalars():
        reviews[review.hall, review.case_id].append(review)
    for stop in session.execute(select(CaseStop).where(keyed(CaseStop.hall, CaseStop.case_id, keys))).scalars():
        stops[stop.hall, stop.case_id].append(stop)
    waiting = select(CaseUrge.hall, CaseUrge.case_id).where(CaseUrge.answered_at.is_(None))
    urged = {
        (row.hall, row.case_id) for row in session.execute(waiting.where(keyed(CaseUrge.hall, CaseUrge.case_id, keys)))
    }
    calendars = {hall: schedule(hall, session) for hall in {case.hall for case in cases if case.decided_at is None}}
    return [
        _line(session, case, at, reviews[case.hall, case.id], stops[case.hall, case.id], calendars.get(case.hall))
        | {"urged": (case.hall, case.id) in urged}
        for case in cases
    ]


def _line(
    session: Session,
    case: Case,
    at: datetime,
    reviews: Iterable[CaseReview],
    stops: Iterable[CaseStop],
    calendar: Schedule | None,
) -> dict[str, Any]:
    clocks, ended = clocks_from(case, stops), ended_at(case)
    if case.decided_at:
        calendar = schedule_named(case.hall, case.schedule_version, session)
    done = ended is not None and ended <= at
    now = standing(clocks, calendar, ended if ended and done else at, done=done) if clocks and calendar else None
    return {
        "number": case.number,
        "hall": case.hall,
        "item": item_view(case),
        "applicant": privacy.mask_name(open_field(case, "applicant")["name"]),
        "state": case.state,
        "light": case.light,
        "received_at": iso(case.received_at),
        "accepted_at": iso(case.accepted_at),
        "decided_at": iso(case.decided_at),
        "ended_at": iso(ended),
        "ready_at": iso(case.ready_at),
        "delivered_at": iso(case.delivered_at),
        "promised": clock_view(case, Clock.PROMISED, now),
        "statutory": clock_view(case, Clock.STATUTORY, now),
        "departments": [
            {"department": r.department, "department_en": department_en(r.department), "state": r.state}
            | {"decided_at": iso(r.decided_at)}
            for r in reviews
        ],
        "shelf": case.shelf,
        "no_request": bool(case.no_request_kind and not case.no_request_answer),
        "explained": case.explained,
    }


def tab_counts(*, department: str | None = None, hall: str | None = None) -> dict[str, int]:
    """How many cases stand under each tab of an inbox, counted to MOST."""
    tabs = [*TABS, "overdue"]
    return {tab: bounded(db.session(), _branches(hall, department, None, tab, "")) for tab in tabs}


def light_counts(hall: str | None = None) -> dict[str, dict[str, int]]:
    """department → light → number of open cases that the hall has now and whose open part is that department's."""
    query = (
        select(CaseReview.department, CaseReview.light, func.count())
        .where(CaseReview.state == "open", CaseReview.tab.in_(OPEN_TABS), or_(*having(hall, CaseReview)))
        .group_by(CaseReview.department, CaseReview.light)
    )
    counts: dict[str, dict[str, int]] = {}
    for department, light, number in db.session.execute(query):
        counts.setdefault(department, {})[light] = number
    return counts


def no_requests(hall: str | None = None) -> list[dict[str, Any]]:
    """Windows' questions that the chief representative has not answered, the oldest first; a hall's, and from below."""
    query = select(Case).where(
        Case.no_request_kind.is_not(None), Case.no_request_answer.is_(None), Case.tab == "intake"
    )
    if hall:
        query = query.where(or_(Case.hall == hall, Case.forwarded_to == hall))
    rows = db.session.execute(query.order_by(Case.received_at)).scalars()
    return [
        {
            "number": c.number,
            "item": item_view(c),
            "kind": c.no_request_kind,
            "window": c.window,
            **open_field(c, "no_request"),
        }
        for c in rows
    ]


def pickup_list(hall: str, at: datetime, limit: int = 200) -> list[dict[str, Any]]:
    """What the pickup window of a hall has to hand out or still expects, the longest waiting first; from below too."""
    query = select(Case).where(Case.handled_in == hall, text(TO_COLLECT))
    session = db.session()
    since = func.coalesce(Case.returned_at, Case.ready_at, Case.decided_at)
    cases = session.execute(query.order_by(since, Case.id).limit(limit)).scalars().all()
    shown = lines(session, cases, at)
    return [
        line
        | {"result": {"name": case.guide["result_name"], "name_en": case.guide.get("result_name_en")}}
        | {"outcome": case.outcome, "since": iso(case.returned_at or case.ready_at or case.decided_at)}
        for line, case in zip(shown, cases, strict=True)
    ]


def unsigned(hall: str, at: datetime, limit: int = 200) -> list[dict[str, Any]]:
    """What a hall has sent by courier and no signed slip has come back for, the longest under way first."""
    query = select(Case).where(Case.handled_in == hall, UNDER_WAY)
    session = db.session()
    cases = session.execute(query.order_by(Case.dispatched_at, Case.id).limit(limit)).scalars().all()
    return [
        line | {"dispatched_at": iso(case.dispatched_at), "courier": case.courier}
        for line, case in zip(lines(session, cases, at), cases, strict=True)
    ]


def cases_of_ticket(hall: str, ticket_id: int) -> list[dict[str, Any]]:
    """The cases that were received during one visit."""
    query = select(Case).where(Case.hall == hall, Case.ticket_id == ticket_id).order_by(Case.id)
    return [{"number": c.number, "state": c.state, "item": item_view(c)} for c in db.session.execute(query).scalars()]


def decided_since(hall: str, since: datetime) -> dict[str, int]:
    """How many cases were received, decided (granted or refused, as reports count) and delivered since an instant."""
    session = db.session()
    told = {
        "received": (Case.received_at >= since, ENTERED),
        "decided": (Case.decided_at >= since, Case.outcome.in_(("granted", "refused"))),
        "delivered": (Case.delivered_at >= since,),
    }
    return {
        name: session.execute(select(func.count()).select_from(Case).where(Case.hall == hall, *which)).scalar_one()
        for name, which in told.items()
    }


def recent_cases(hall: str, staff_id: int, at: datetime, limit: int = 8) -> list[dict[str, Any]]:
    """The last cases that this clerk received today."""
    query = select(Case).where(
        Case.hall == hall, Case.received_by == staff_id, Case.received_at > at - timedelta(hours=24)
    )
    rows: Iterable[Case] = db.session.execute(query.order_by(Case.id.desc()).limit(limit)).scalars()
    today = local(at).date()
    return [
        {"number": c.number, "state": c.state, "item": item_view(c), "received_at": iso(c.received_at)}
        for c in rows
        if c.received_at and local(c.received_at).date() == today
    ]
