"""Reading one-thing cases: the staff view (masked), the citizen's view, the list. Nothing here writes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from app import eventlog, events, privacy
from app.action import Transaction
from app.casework.cases import open_field, stands
from app.casework.joint_models import JointCase
from app.casework.joint_papers import open_problem
from app.casework.joint_parts import (
    awaited,
    cases_of,
    joint_calendar,
    joint_clocks,
    joint_stands,
    materials_of,
    parts_of,
    serves,
    still_following,
)
from app.casework.models import UNDER_WAY, Case
from app.casework.queries import clock_view
from app.casework.rules.clocks import Clock, Standing, ledger
from app.casework.rules.joint import TABLE, JointState, JointStep
from app.casework.rules.states import DECIDING, INTAKE, PICKUP, CaseState
from app.db import db
from app.errors import Refusal
from app.hall.rules.clock import Unit
from app.notices.queries import notices_of_case
from app.now import iso

PER_PAGE = 20
OPEN = (JointState.RECEIVED, JointState.CORRECTION, JointState.ACCEPTED, JointState.DECIDED)


def find_joint(number: str) -> tuple[str, int]:
    """(hall, id) of a printed number. Refuses joint.unknown."""
    return _found(JointCase.number == number.strip().upper(), "joint.unknown")


def find_joint_by_query(number: str, code: str) -> tuple[str, int]:
    """(hall, id) for whoever knows the number and the query code of the joint receipt. Refuses joint.query_mismatch."""
    number = number.strip().upper()
    index = privacy.blind_index("query", number + code.strip().upper())
    return _found((JointCase.number == number) & (JointCase.query_hash == index), "joint.query_mismatch")


def find_joint_by_token(token: str) -> tuple[str, int]:
    """(hall, id) of the link in the joint receipt's QR code. Refuses joint.unknown."""
    return _found(JointCase.query_token_hash == privacy.token_hash(token), "joint.unknown")


def _found(condition: Any, otherwise: str) -> tuple[str, int]:
    row = db.session.execute(select(JointCase.hall, JointCase.id).where(condition)).one_or_none()
    if row is None:
        raise Refusal(otherwise)
    return row.hall, row.id


def joint_number(hall: str, joint_id: int) -> str:
    """The printed number. Refuses joint.unknown."""
    return _one(db.session(), hall, joint_id).number


def joint_view(hall: str, joint_id: int, at: datetime) -> dict[str, Any]:
    """All that staff see of a one-thing case, people masked. Refuses joint.unknown."""
    return _view(db.session(), _one(db.session(), hall, joint_id), at)


def joint_answer(tx: Transaction, joint: JointCase) -> dict[str, Any]:
    """What an action returns: the staff view as it will stand after the commit."""
    tx.write_record()
    tx.session.expire_all()
    return _view(tx.session, joint, tx.at)


def _one(session: Session, hall: str, joint_id: int) -> JointCase:
    query = select(JointCase).where(JointCase.hall == hall, JointCase.id == joint_id)
    row = session.execute(query).scalar_one_or_none()
    if row is None:
        raise Refusal("joint.unknown")
    return row


def _view(session: Session, joint: JointCase, at: datetime) -> dict[str, Any]:
    theme, cases = joint.guide, cases_of(session, joint)
    now = joint_stands(session, joint, cases, at)
    applicant, agent = open_field(joint, "applicant"), open_field(joint, "agent")
    return {
        "number": joint.number,
        "hall": joint.hall,
        "theme": _theme(theme),
        "state": joint.state,
        "applicant": {"kind": joint.applicant_kind, **_masked(applicant)},
        "agent": _masked(agent) if agent else None,
        "form": filled_form(joint),
        "materials": _materials(session, joint, cases),
        "light": light_of(joint, now),
        "clocks": {clock.value: _clock(joint, clock, now) for clock in Clock},
        "children": _children(session, joint, cases, at),
        "stages": theme["stages"],
        "extension": open_field(joint, "extension"),
        "received_at": iso(joint.received_at),
        "accepted_at": iso(joint.accepted_at),
        "decided_at": iso(joint.decided_at),
        "delivered_at": iso(joint.delivered_at),
        "window": joint.window,
        "ticket": f"{joint.hall}-{joint.ticket_id}" if joint.ticket_id else None,
        "history": _history(joint),
        "notices": notices_of_case(joint.hall, joint.id),
        "steps": _steps(session, joint, cases),
    }


def light_of(joint: JointCase, now: Standing | None) -> str:
    """The light as it is at this moment: that of a decided whole stays what it was."""
    return joint.light if now is None or joint.decided_at else now.light.value


def _steps(session: Session, joint: JointCase, cases: list[Case]) -> list[str]:
    """What may be done with the whole now; a step that has nothing to work on is left out."""
    legal = [line.step for line in TABLE if line.state == joint.state]
    states = {CaseState(case.state) for case in cases}
    lacking = {
        JointStep.REQUEST_SUPPLEMENT: not states & INTAKE,
        JointStep.READY: CaseState.GRANTED not in states,
        JointStep.HAND_OVER: not states & PICKUP,
        JointStep.EXTEND: bool(joint.extension) or not joint.guide["art26"],
        JointStep.SUPPLY: all(part.settled for part in parts_of(joint, cases))
        and not still_following(session, joint, cases),
    }
    return [step.value for step in legal if not lacking.get(step, False)]


def _theme(theme: dict[str, Any]) -> dict[str, Any]:
    names = ("code", "name", "name_en", "lead_department", "lead_department_en", "art26", "promised", "statutory")
    return {name: theme[name] for name in (*names, "result_name", "result_name_en")}


def _masked(party: dict[str, str]) -> dict[str, str | None]:
    return {
        "name": privacy.mask_name(party["name"]),
        "id_number": privacy.mask_id(party["id_number"]) if party.get("id_number") else None,
        "phone": privacy.mask_phone(party["phone"]) if party.get("phone") else None,
    }


_MASKS = {"id": privacy.mask_id, "phone": privacy.mask_phone, "address": privacy.mask_address}


def filled_form(joint: JointCase, *, whole: bool = False) -> list[dict[str, Any]]:
    """The merged form as staff read it: names, numbers and addresses masked, or (`whole`) as they were given."""
    theme, answers = joint.guide, open_field(joint, "form")
    rows = []
    for field in theme["form"]:
        answer = answers.get(field["key"])
        if answer is None:
            continue
        choice = next((c for c in field.get("choices") or () if c["code"] == answer), None)
        mask = privacy.mask_name if field.get("person") else _MASKS.get(field["type"], str)
        value = choice["name"] if choice else answer if whole else mask(answer)
        value_en = choice["name_en"] if choice else value
        rows.append({"label": field["label"], "label_en": field["label_en"], "value": value, "value_en": value_en})
    return rows


def _materials(session: Session, joint: JointCase, cases: list[Case]) -> list[dict[str, Any]]:
    """The merged materials; `wanted` when a part whose turn it is or was needs it now, not only a later stage.

    `tolerated` while it may follow what a part was accepted or decided over.
    """
    theme, rows, follow = joint.guide, materials_of(session, joint), still_following(session, joint, cases)
    later = {case.item for case in cases if case.state == CaseState.DRAFT} - awaited(joint, cases)
    names = {child["item"]: child for child in theme["children"]}
    shown = []
    for material in theme["materials"]:
        row, items = rows[material["code"]], list(serves(theme, material["code"]))
        fields = ("code", "name", "name_en", "kind", "form", "copies", "sharable", "source", "required")
        shown.append(
            {
                **{name: material[name] for name in fields},
                "serves": [{"item": i, "name": names[i]["name"], "name_en": names[i]["name_en"]} for i in items],
                "state": row.state,
                "requested": row.requested,
                "problem": open_problem(row),
                "wanted": not later.issuperset(items),
                "tolerated": material["code"] in follow,
            }
        )
    return shown


def _children(session: Session, joint: JointCase, cases: list[Case], at: datetime) -> list[dict[str, Any]]:
    """The parts; `awaited` when a part's turn has come and its papers have not."""
    turn = awaited(joint, cases)
    return [{**_child(session, joint, case, at), "awaited": case.item in turn} for case in cases]


def _child(session: Session, joint: JointCase, case: Case, at: datetime) -> dict[str, Any]:
    child = next(child for child in joint.guide["children"] if child["item"] == case.item)
    now = stands(session, case, at)
    names = ("item", "name", "name_en", "department", "department_en", "position", "stage", "note", "note_en")
    return {
        "number": case.number,
        **{name: child[name] for name in names},
        "result_name": child["result_name"],
        "result_name_en": child["result_name_en"],
        "state": case.state,
        "outcome": case.outcome,
        "light": case.light,
        "promised": clock_view(case, Clock.PROMISED, now),
        "overdue": bool(now and case.state in DECIDING and now.late(Clock.PROMISED)),
        "shelf": case.shelf,
        "accepted_at": iso(case.accepted_at),
        "decided_at": iso(case.decided_at),
        "delivered_at": iso(case.delivered_at),
    }


def _clock(joint: JointCase, clock: Clock, now: Standing | None) -> dict[str, Any]:
    """A clock of the whole as `clock_view` shows that of a case."""
    limit = joint.guide[clock.value]
    days = Unit(limit["unit"]).in_days
    stand = now.of(clock) if now else None
    size = limit["amount"] if days else limit["amount"] * 60
    return {
        "limit": limit,
        "longer": stand.limit.amount - limit["amount"] if stand else 0,
        "unit": "day" if days else "minute",
        "due_at": iso(stand.due_at) if stand else None,
        "remaining": stand.remaining if stand else size,
        "used": stand.used if stand else 0,
        "light": light_of(joint, now),
        "late": bool(now and now.late(clock)),
        "kept": bool(clock is Clock.PROMISED and now and now.kept),
        "provisional": bool(stand and stand.provisional),
        "stopped": bool(stand and stand.stopped),
        "running": bool(stand and joint.state == JointState.ACCEPTED and not stand.stopped),
    }


def _history(joint: JointCase) -> list[dict[str, Any]]:
    """What happened to the whole, its papers included, in the order of the record."""
    rows = [
        *eventlog.read_subject(joint.hall, f"joint:{joint.id}"),
        *eventlog.read_subject(joint.hall, f"case:{joint.id}"),
    ]
    return [
        {"seq": row.seq, "kind": row.event.kind, "actor": row.actor, "at": iso(row.at), "body": _told(row.event)}
        for row in sorted(rows, key=lambda row: row.seq)
    ]


def _told(event: events.Event) -> dict[str, Any]:
    return {key: value for key, value in events.encode(event).items() if key not in ("joint", "number", "case")}


def joint_ledger(hall: str, joint_id: int, at: datetime) -> dict[str, list[dict[str, Any]]]:
    """The days behind both clocks of the whole (K9); empty before acceptance. Refuses joint.unknown."""
    session = db.session()
    joint = _one(session, hall, joint_id)
    clocks = joint_clocks(session, joint, cases_of(session, joint))
    if clocks is None:
        return {clock.value: [] for clock in Clock}
    moment = min(at, joint.decided_at) if joint.decided_at else at
    calendar = joint_calendar(session, joint)
    return {clock.value: [row.to_dict() for row in ledger(clocks, clock, calendar, moment)] for clock in Clock}


def public_joint(hall: str, joint_id: int, at: datetime) -> dict[str, Any]:
    """What the applicant sees: every part in plain words, what to bring, when it ends. No personal data."""
    session = db.session()
    joint = _one(session, hall, joint_id)
    cases = cases_of(session, joint)
    now = joint_stands(session, joint, cases, at)
    hidden = ("shelf", "item", "overdue")
    children = _children(session, joint, cases, at)
    return {
        "number": joint.number,
        "hall": joint.hall,
        "theme": _theme(joint.guide),
        "state": joint.state,
        "received_at": iso(joint.received_at),
        "accepted_at": iso(joint.accepted_at),
        "decided_at": iso(joint.decided_at),
        "delivered_at": iso(joint.delivered_at),
        "promised": _clock(joint, Clock.PROMISED, now),
        "statutory": _clock(joint, Clock.STATUTORY, now),
        "to_bring": to_bring(_materials(session, joint, cases)) if joint.state in OPEN else [],
        "stages": joint.guide["stages"],
        "children": [{name: value for name, value in child.items() if name not in hidden} for child in children],
    }


def to_bring(materials: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The merged materials that are still to be brought for the parts whose turn it is."""
    names = ("name", "name_en", "problem", "form", "copies")
    return [
        {name: material[name] for name in names}
        for material in materials
        if material["wanted"] and material["state"] == "missing" and (material["required"] or material["requested"])
    ]


def _something_left() -> ColumnElement[bool]:
    """Whether a decided whole has a result that is not in the applicant's hands: nothing need ever have been granted."""
    mine = (Case.hall == JointCase.hall, Case.joint_id == JointCase.id)
    return or_(JointCase.state != JointState.DECIDED, exists().where(*mine, or_(Case.tab == "pickup", UNDER_WAY)))


def joint_list(
    *, at: datetime, hall: str | None = None, state: str | None = None, page: int = 1, per_page: int = PER_PAGE
) -> dict[str, Any]:
    """One-thing cases by their due instant, soonest first: those to do something about, or of one state, newest first."""
    session = db.session()
    conditions: list[Any] = [JointCase.state == state] if state else [JointCase.state.in_(OPEN), _something_left()]
    if hall:
        conditions.append(JointCase.hall == hall)
    total = session.execute(select(func.count()).select_from(JointCase).where(*conditions)).scalar_one()
    order = [JointCase.received_at.desc()] if state else [JointCase.order_at, JointCase.id]
    page = max(page, 1)
    query = select(JointCase).where(*conditions).order_by(*order).limit(per_page).offset((page - 1) * per_page)
    items = [_line(session, joint, at) for joint in session.execute(query).scalars()]
    return {"items": items, "total": total, "page": page, "pages": max(-(-total // per_page), 1)}


def _line(session: Session, joint: JointCase, at: datetime) -> dict[str, Any]:
    cases = cases_of(session, joint)
    now = joint_stands(session, joint, cases, at)
    return {
        "number": joint.number,
        "hall": joint.hall,
        "theme": _theme(joint.guide),
        "applicant": privacy.mask_name(open_field(joint, "applicant")["name"]),
        "state": joint.state,
        "light": light_of(joint, now),
        "received_at": iso(joint.received_at),
        "promised": _clock(joint, Clock.PROMISED, now),
        "parts": len(cases),
        "settled": sum(case.decided_at is not None for case in cases),
    }
