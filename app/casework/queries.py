"""Reading cases: the staff view (masked), the citizen's view, the inbox, the lights. Nothing here writes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy import case as when
from sqlalchemy.orm import Session

from app import eventlog, events, privacy
from app.action import Transaction
from app.casework.cases import clocks_of, material_states, open_field, reviews_of, stands, stops_of
from app.casework.models import Case, CaseReview
from app.casework.rules.clocks import Clock, Standing, ledger
from app.casework.rules.states import DECIDING, INTAKE, PICKUP, CaseState, legal_steps
from app.catalog.queries import department_en
from app.db import db
from app.errors import Refusal
from app.hall.models import Window
from app.hall.queries import schedule
from app.hall.rules.clock import Unit
from app.notices.queries import notices_of_case
from app.now import iso, local

PER_PAGE = 20


def find_case(number: str) -> tuple[str, int]:
    """(hall, case id) of a printed number. Refuses case.unknown."""
    row = db.session.execute(select(Case.hall, Case.id).where(Case.number == number.strip().upper())).one_or_none()
    if row is None:
        raise Refusal("case.unknown")
    return row.hall, row.id


def find_by_query(number: str, code: str) -> tuple[str, int]:
    """(hall, case id) for whoever knows the number and the query code of the receipt. Refuses case.query_mismatch."""
    number = number.strip().upper()
    index = privacy.blind_index("query", number + code.strip().upper())
    query = select(Case.hall, Case.id).where(Case.number == number, Case.query_hash == index)
    row = db.session.execute(query).one_or_none()
    if row is None:
        raise Refusal("case.query_mismatch")
    return row.hall, row.id


def find_by_query_token(token: str) -> tuple[str, int]:
    """(hall, case id) of the link in the receipt's QR code. Refuses case.unknown."""
    query = select(Case.hall, Case.id).where(Case.query_token_hash == privacy.token_hash(token))
    row = db.session.execute(query).one_or_none()
    if row is None:
        raise Refusal("case.unknown")
    return row.hall, row.id


def case_view(hall: str, case_id: int, at: datetime) -> dict[str, Any]:
    """All that staff see of a case, people masked. Refuses case.unknown."""
    return _view(db.session(), _one(db.session(), hall, case_id), at)


def case_answer(tx: Transaction, case: Case) -> dict[str, Any]:
    """What an action on a case returns: the staff view as it will stand after the commit."""
    tx.write_record()
    tx.session.expire_all()
    return _view(tx.session, case, tx.at)


def _one(session: Session, hall: str, case_id: int) -> Case:
    row = session.execute(select(Case).where(Case.hall == hall, Case.id == case_id)).scalar_one_or_none()
    if row is None:
        raise Refusal("case.unknown")
    return row


def _view(session: Session, case: Case, at: datetime) -> dict[str, Any]:
    guide, now = case.guide, stands(session, case, at)
    applicant, agent = open_field(case, "applicant"), open_field(case, "agent")
    request = open_field(case, "no_request") if case.no_request_kind else None
    return {
        "number": case.number,
        "acceptance_number": case.acceptance_number,
        "hall": case.hall,
        "item": _item(case),
        "state": case.state,
        "applicant": {"kind": case.applicant_kind, **_masked(applicant)},
        "agent": _masked(agent) if agent else None,
        "materials": _materials(session, case),
        "light": case.light,
        "flags": {"tolerant": case.tolerant, "deemed_accepted": case.deemed_accepted, "extended": case.extended},
        "clocks": {clock.value: _clock(case, clock, now) for clock in Clock},
        "notice_due_at": iso(case.notice_due_at),
        "gap_due_at": iso(case.gap_due_at),
        "routing": guide["routing"],
        "departments": [
            {
                "department": review.department,
                "department_en": department_en(review.department),
                "position": review.position,
                "state": review.state,
                "taken_by": review.taken_by,
                "decided_by": review.decided_by,
                "decided_at": iso(review.decided_at),
            }
            for review in reviews_of(session, case.hall, case.id)
        ],
        "stops": [
            {
                "clocks": s.clocks,
                "ground": s.ground,
                "days": s.days,
                "from_at": iso(s.from_at),
                "until_at": iso(s.until_at),
            }
            for s in stops_of(session, case.hall, case.id)
        ],
        "commitment": open_field(case, "commitment"),
        "extension": open_field(case, "extension"),
        "no_request": {"kind": case.no_request_kind, "answer": case.no_request_answer, **request} if request else None,
        "received_at": iso(case.received_at),
        "accepted_at": iso(case.accepted_at),
        "decided_at": iso(case.decided_at),
        "ready_at": iso(case.ready_at),
        "delivered_at": iso(case.delivered_at),
        "outcome": case.outcome,
        "result": {**_result(guide), "shelf": case.shelf},
        "window": case.window,
        **_window_name(session, case),
        "forwarded_to": case.forwarded_to,
        "delivered_how": case.delivered_how,
        "history": [
            {"seq": r.seq, "kind": r.event.kind, "actor": r.actor, "at": iso(r.at), "body": _told(r.event)}
            for r in eventlog.read_subject(case.hall, f"case:{case.id}")
        ],
        "notices": notices_of_case(case.hall, case.id),
        "steps": [step.value for step in legal_steps(CaseState(case.state))],
    }


def _window_name(session: Session, case: Case) -> dict[str, str | None]:
    names = select(Window.name_zh, Window.name_en).where(Window.hall == case.hall, Window.code == case.window)
    row = session.execute(names).one_or_none() if case.window else None
    return {"window_name": row.name_zh if row else None, "window_name_en": row.name_en if row else None}


def _told(event: events.Event) -> dict[str, Any]:
    own = ("case", "number") if isinstance(event, events.CaseEvent) else ("case",)
    return {key: value for key, value in events.encode(event).items() if key not in own}


def _item(case: Case) -> dict[str, Any]:
    guide = case.guide
    names = ("name", "name_en", "department", "department_en", "time_class", "regime", "chief_may_decide")
    return {"code": case.item, **{name: guide[name] for name in names}}


def _result(guide: dict[str, Any]) -> dict[str, Any]:
    return {"name": guide["result_name"], "name_en": guide["result_name_en"], "kind": guide["result_kind"]}


def _masked(party: dict[str, str]) -> dict[str, str | None]:
    return {
        "name": privacy.mask_name(party["name"]),
        "id_number": privacy.mask_id(party["id_number"]) if party.get("id_number") else None,
        "phone": privacy.mask_phone(party["phone"]) if party.get("phone") else None,
    }


def _materials(session: Session, case: Case) -> list[dict[str, Any]]:
    rows = material_states(session, case.hall, case.id)
    result = []
    for material in case.guide["materials"]:
        row = rows.get(material["code"])
        problem = None
        if row is not None and row.problem_sealed:
            context = f"case_materials.problem|{case.hall}|{case.id}|{row.code}"
            problem = privacy.open_sealed(row.problem_sealed, context)
        state = row.state if row else "missing"
        result.append({**material, "state": state, "requested": bool(row and row.requested), "problem": problem})
    return result


def _clock(case: Case, clock: Clock, now: Standing | None) -> dict[str, Any]:
    """A clock as the API shows it. `remaining` is in days (WD, ND) or minutes (WH, NH), below zero when overdue."""
    limit = case.guide[clock.value]
    days = Unit(limit["unit"]).in_days
    size = limit["amount"] if days else limit["amount"] * 60
    shown: dict[str, Any] = {
        "limit": limit,
        "unit": "day" if days else "minute",
        "due_at": None,
        "remaining": size,
        "used": 0,
        "light": case.light,
        "provisional": False,
        "stopped": False,
        "running": False,
    }
    if now is None:
        return shown
    stand = now.of(clock)
    return shown | {
        "due_at": iso(stand.due_at),
        "remaining": stand.remaining,
        "used": stand.used,
        "light": case.light,
        "provisional": stand.provisional,
        "stopped": stand.stopped,
        "running": case.state in DECIDING and not stand.stopped,
    }


def deadline_ledger(hall: str, case_id: int, at: datetime) -> dict[str, list[dict[str, Any]]]:
    """The days behind both clocks (K9); empty before acceptance. Refuses case.unknown."""
    session = db.session()
    case = _one(session, hall, case_id)
    clocks = clocks_of(session, case)
    if clocks is None:
        return {clock.value: [] for clock in Clock}
    moment = min(at, case.decided_at) if case.decided_at else at
    calendar = schedule(hall, session)
    return {clock.value: [row.to_dict() for row in ledger(clocks, clock, calendar, moment)] for clock in Clock}


def public_view(hall: str, case_id: int, at: datetime) -> dict[str, Any]:
    """What the applicant sees: where the case is, how long it still takes, what to bring. No personal data."""
    session = db.session()
    case = _one(session, hall, case_id)
    now = stands(session, case, at)
    promised = _clock(case, Clock.PROMISED, now)
    materials = _materials(session, case)
    asked = case.state in (CaseState.CORRECTION, CaseState.REVIEW_CORRECTION) or case.tolerant
    return {
        "number": case.number,
        "acceptance_number": case.acceptance_number,
        "hall": case.hall,
        "item": _item(case),
        "state": case.state,
        "outcome": case.outcome,
        "received_at": iso(case.received_at),
        "accepted_at": iso(case.accepted_at),
        "decided_at": iso(case.decided_at),
        "ready_at": iso(case.ready_at),
        "delivered_at": iso(case.delivered_at),
        "promised": promised,
        "statutory": _clock(case, Clock.STATUTORY, now),
        "to_bring": [
            {
                "name": m["name"],
                "name_en": m["name_en"],
                "problem": m["problem"],
                "form": m["form"],
                "copies": m["copies"],
            }
            for m in materials
            if asked and m["state"] == "missing" and (m["required"] or m["requested"])
        ],
        "departments": [
            {"department": r.department, "department_en": department_en(r.department), "state": r.state}
            for r in reviews_of(session, hall, case_id)
        ],
        "result": _result(case.guide),
        "flags": {"tolerant": case.tolerant, "deemed_accepted": case.deemed_accepted, "extended": case.extended},
    }


TABS = {
    "todo": [CaseState.ACCEPTED, CaseState.REVIEW, CaseState.FORWARDED],
    "intake": sorted(INTAKE),
    "correction": [CaseState.CORRECTION, CaseState.REVIEW_CORRECTION],
    "special": [CaseState.SPECIAL],
    "pickup": sorted(PICKUP),
    "done": sorted(set(CaseState) - DECIDING - INTAKE),
}


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
    """Cases by due time, soonest first. `state` is a state, a tab of TABS, or `overdue`.

    A department sees the cases whose open part is its own; for other states, those in which it has a part.
    """
    session = db.session()
    conditions: list[ColumnElement[bool]] = []
    if hall:
        conditions.append(Case.hall == hall)
    if department:
        part = [CaseReview.hall == Case.hall, CaseReview.case_id == Case.id, CaseReview.department == department]
        if state in (None, "todo", "special"):
            part.append(CaseReview.state == "open")
        conditions.append(exists().where(*part))
    if light:
        conditions.append(and_(Case.light == light, Case.state.in_(sorted(DECIDING))))
    if state == "overdue":
        conditions.append(and_(Case.light.in_(["yellow", "red"]), Case.state.in_(sorted(DECIDING))))
    elif state in TABS:
        conditions.append(Case.state.in_(TABS[state]))
    elif state:
        conditions.append(Case.state == state)
    elif department:
        conditions.append(Case.state.in_(sorted(DECIDING)))
    if q.strip():
        conditions.append(_named(q.strip()))
    total = session.execute(select(func.count()).select_from(Case).where(*conditions)).scalar_one()
    due = func.coalesce(Case.promised_due_at, Case.statutory_due_at)
    done = when((Case.state.in_(sorted(DECIDING)), 0), else_=1)
    page = max(page, 1)
    rows = session.execute(
        select(Case)
        .where(*conditions)
        .order_by(done, due.is_(None), due, Case.received_at.desc(), Case.id.desc())
        .limit(per_page)
        .offset((page - 1) * per_page)
    ).scalars()
    items = [_line(session, case, at) for case in rows]
    return {"items": items, "total": total, "page": page, "pages": max(-(-total // per_page), 1)}


def _named(q: str) -> ColumnElement[bool]:
    """A case number (or its beginning), an ID number, or nothing."""
    return or_(
        Case.number.startswith(q.upper(), autoescape=True),
        Case.acceptance_number == q.upper(),
        Case.applicant_key == privacy.blind_index("id_number", q),
    )


def _line(session: Session, case: Case, at: datetime) -> dict[str, Any]:
    now = stands(session, case, at)
    applicant = open_field(case, "applicant")
    return {
        "number": case.number,
        "hall": case.hall,
        "item": _item(case),
        "applicant": privacy.mask_name(applicant["name"]),
        "state": case.state,
        "light": case.light,
        "received_at": iso(case.received_at),
        "accepted_at": iso(case.accepted_at),
        "decided_at": iso(case.decided_at),
        "ready_at": iso(case.ready_at),
        "delivered_at": iso(case.delivered_at),
        "promised": _clock(case, Clock.PROMISED, now),
        "statutory": _clock(case, Clock.STATUTORY, now),
        "departments": [
            {"department": r.department, "department_en": department_en(r.department), "state": r.state}
            for r in reviews_of(session, case.hall, case.id)
        ],
        "shelf": case.shelf,
        "no_request": bool(case.no_request_kind and not case.no_request_answer),
    }


def tab_counts(*, department: str | None = None, hall: str | None = None) -> dict[str, int]:
    """How many cases stand under each tab of an inbox."""
    session = db.session()
    counts = {}
    for tab, states in {**TABS, "overdue": sorted(DECIDING)}.items():
        query = select(func.count()).select_from(Case).where(Case.state.in_(states))
        if tab == "overdue":
            query = query.where(Case.light.in_(["yellow", "red"]))
        if hall:
            query = query.where(Case.hall == hall)
        if department:
            part = [CaseReview.hall == Case.hall, CaseReview.case_id == Case.id, CaseReview.department == department]
            if tab in ("todo", "special"):
                part.append(CaseReview.state == "open")
            query = query.where(exists().where(*part))
        counts[tab] = session.execute(query).scalar_one()
    return counts


def light_counts(hall: str | None = None) -> dict[str, dict[str, int]]:
    """department → light → number of open cases whose open part is that department's."""
    query = (
        select(CaseReview.department, Case.light, func.count())
        .join(Case, (Case.hall == CaseReview.hall) & (Case.id == CaseReview.case_id))
        .where(CaseReview.state == "open", Case.state.in_(sorted(DECIDING)))
        .group_by(CaseReview.department, Case.light)
    )
    if hall:
        query = query.where(Case.hall == hall)
    counts: dict[str, dict[str, int]] = {}
    for department, light, number in db.session.execute(query):
        counts.setdefault(department, {})[light] = number
    return counts


def no_requests(hall: str | None = None) -> list[dict[str, Any]]:
    """Windows' questions that the chief representative has not answered, the oldest first."""
    query = select(Case).where(
        Case.no_request_kind.is_not(None), Case.no_request_answer.is_(None), Case.state.in_(sorted(INTAKE))
    )
    if hall:
        query = query.where(Case.hall == hall)
    session = db.session()
    rows = session.execute(query.order_by(Case.received_at)).scalars()
    return [
        {
            "number": c.number,
            "item": _item(c),
            "kind": c.no_request_kind,
            "window": c.window,
            **open_field(c, "no_request"),
        }
        for c in rows
    ]


def pickup_list(hall: str, at: datetime, limit: int = 200) -> list[dict[str, Any]]:
    """What the pickup window of a hall has to hand out or still expects, the longest waiting first."""
    query = select(Case).where(Case.hall == hall, Case.state.in_(sorted(PICKUP)))
    session = db.session()
    rows = session.execute(
        query.order_by(func.coalesce(Case.ready_at, Case.decided_at), Case.id).limit(limit)
    ).scalars()
    return [_line(session, case, at) | {"result": {"name": case.guide["result_name"]}} for case in rows]


def cases_of_ticket(hall: str, ticket_id: int) -> list[dict[str, Any]]:
    """The cases that were received during one visit."""
    query = select(Case).where(Case.hall == hall, Case.ticket_id == ticket_id).order_by(Case.id)
    return [{"number": c.number, "state": c.state, "item": _item(c)} for c in db.session.execute(query).scalars()]


def decided_since(hall: str, since: datetime) -> dict[str, int]:
    """How many cases were received, decided and delivered since an instant."""
    session = db.session()
    columns = {"received": Case.received_at, "decided": Case.decided_at, "delivered": Case.delivered_at}
    return {
        name: session.execute(
            select(func.count()).select_from(Case).where(Case.hall == hall, column >= since)
        ).scalar_one()
        for name, column in columns.items()
    }


def recent_cases(hall: str, staff_id: int, at: datetime, limit: int = 8) -> list[dict[str, Any]]:
    """The last cases that this clerk received today."""
    query = select(Case).where(
        Case.hall == hall, Case.received_by == staff_id, Case.received_at > at - timedelta(hours=24)
    )
    rows: Iterable[Case] = db.session.execute(query.order_by(Case.id.desc()).limit(limit)).scalars()
    today = local(at).date()
    return [
        {"number": c.number, "state": c.state, "item": _item(c), "received_at": iso(c.received_at)}
        for c in rows
        if local(c.received_at).date() == today
    ]


def codes_of(hall: str, case_id: int) -> dict[str, str]:
    """The query code, query token and pickup code again, for a reprint. Only for staff who hold the case."""
    return open_field(_one(db.session(), hall, case_id), "codes")
