"""Reading cases: the staff view (masked), the citizen's view, the inbox, the lights. Nothing here writes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from app import eventlog, events, privacy
from app.action import Transaction
from app.casework.cases import (
    calendar_of,
    clocks_of,
    ended_at,
    material_states,
    open_field,
    reviews_of,
    stands,
    stops_of,
)
from app.casework.joint_models import Manifest, ManifestEntry
from app.casework.licences import shared_with
from app.casework.models import Case, CaseAlarm, CaseMaterial
from app.casework.parts import open_words, times_asked
from app.casework.rules.alarms import Alarm
from app.casework.rules.clocks import Clock, Standing, ledger
from app.casework.rules.states import CaseState
from app.casework.steps import steps_of
from app.casework.urges import overdue_of, urges_of
from app.catalog.queries import department_en
from app.db import db
from app.errors import Refusal
from app.hall.models import Window
from app.hall.rules.clock import Unit
from app.notices.queries import notices_of_case
from app.now import iso

PER_PAGE = 20
_TO_BRING = ("name", "name_en", "problem", "form", "copies", "tolerated", "bring_by")
_ASKING = (CaseState.CORRECTION, CaseState.REVIEW_CORRECTION)  # a notice waits for its papers


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
    guide, now, materials = case.guide, stands(session, case, at), _materials(session, case)
    applicant, agent = open_field(case, "applicant"), open_field(case, "agent")
    request = open_field(case, "no_request") if case.no_request_kind else None
    stops, urges = stops_of(session, case.hall, case.id), urges_of(session, case)
    gap, urged = any(m["tolerated"] for m in materials), any(not urge["answered_at"] for urge in urges)
    return {
        "number": case.number,
        "acceptance_number": case.acceptance_number,
        "hall": case.hall,
        "item": item_view(case),
        "state": case.state,
        "applicant": {"kind": case.applicant_kind, **_masked(applicant)},
        "agent": _masked(agent) if agent else None,
        "materials": materials,
        "light": case.light,
        "flags": _flags(case),
        "clocks": {clock.value: clock_view(case, clock, now) for clock in Clock},
        "notice_due_at": iso(case.notice_due_at),
        "gap_due_at": iso(case.gap_due_at),
        "supplement_due_at": iso(supplement_due_at(session, case)),
        "routing": guide["routing"],
        "departments": [
            {
                "department": review.department,
                "department_en": department_en(review.department),
                "position": review.position,
                "state": review.state,
                "taken_by": review.taken_by,
                "proposed_by": review.proposed_by,
                "proposal": review.proposal,
                "note": open_words(review, "note"),
                "signatures": review.signatures,
                "decided_by": review.decided_by,
                "decided_at": iso(review.decided_at),
                "asked": times_asked(stops, review.department) > 0,
            }
            for review in reviews_of(session, case.hall, case.id)
        ],
        "stops": [
            {
                "clocks": s.clocks,
                "ground": s.ground,
                "days": s.days,
                "department": s.department,
                "from_at": iso(s.from_at),
                "until_at": iso(s.until_at),
            }
            for s in stops
        ],
        "commitment": open_field(case, "commitment"),
        "extension": open_field(case, "extension"),
        "conversion": {"limit": case.converted, "reason": open_field(case, "conversion")} if case.converted else None,
        "backdated": open_field(case, "backdate"),
        "overdue": overdue_of(case),
        "explained": case.explained,
        "urges": urges,
        "no_request": {"kind": case.no_request_kind, "answer": case.no_request_answer, **request} if request else None,
        "received_at": iso(case.received_at),
        "accepted_at": iso(case.accepted_at),
        "decided_at": iso(case.decided_at),
        "ready_at": iso(case.ready_at),
        "returned_at": iso(case.returned_at),
        "delivered_at": iso(case.delivered_at),
        "outcome": case.outcome,
        "result": {**_result(guide), "shelf": case.shelf},
        "window": case.window,
        **_window_name(session, case),
        "forwarded_to": case.forwarded_to,
        "handled_in": case.handled_in,
        "delivered_how": case.delivered_how,
        "delivery": _staff_delivery(case),
        "check": _check(case),
        "ended": open_field(case, "end"),
        "printed_due_at": iso(case.printed_due_at),
        "history": [
            {"seq": r.seq, "kind": r.event.kind, "actor": r.actor, "at": iso(r.at), "body": _told(r.event)}
            for r in eventlog.read_subject(case.hall, f"case:{case.id}")
        ],
        "notices": notices_of_case(case.hall, case.id),
        "steps": [step.value for step in steps_of(case, gap=gap, urged=urged)],
    }


def supplement_due_at(session: Session, case: Case) -> datetime | None:
    """Until when the applicant is to bring what was asked for; None when nothing is asked, or the law sets no day."""
    if case.state not in _ASKING:
        return None
    mine = (CaseAlarm.hall == case.hall, CaseAlarm.case_id == case.id, CaseAlarm.kind == Alarm.SUPPLEMENT)
    return session.execute(select(CaseAlarm.due_at).where(*mine)).scalar_one_or_none()


def _flags(case: Case) -> dict[str, bool]:
    names = ("tolerant", "deemed_accepted", "extended", "on_commitment")
    return {"told": case.supplement_notices > 0, **{name: getattr(case, name) for name in names}}


def _delivery(case: Case) -> dict[str, Any] | None:
    """How the result went to the applicant, and whether that was signed for."""
    if case.delivered_how is None:
        return None
    courier = case.courier or {"carrier": None, "zone": None, "fee_fen": None}
    return {
        "how": case.delivered_how,
        **courier,
        "dispatched_at": iso(case.dispatched_at),
        "signed": case.signed_at is not None or case.signature_sealed is not None,
        "signed_at": iso(case.signed_at or (case.delivered_at if case.signature_sealed else None)),
    }


def _staff_delivery(case: Case) -> dict[str, Any] | None:
    shown = _delivery(case)
    return shown and shown | {"tracking_number": (open_field(case, "receiver") or {}).get("tracking_number")}


def _check(case: Case) -> dict[str, Any] | None:
    """The check after a decision on the applicant's word: what was found, if it is over."""
    if not case.on_commitment:
        return None
    return {"outcome": case.check_outcome, "at": iso(case.checked_at), "note": open_field(case, "check")}


def _window_name(session: Session, case: Case) -> dict[str, str | None]:
    names = select(Window.name_zh, Window.name_en).where(Window.hall == case.hall, Window.code == case.window)
    row = session.execute(names).one_or_none() if case.window else None
    return {"window_name": row.name_zh if row else None, "window_name_en": row.name_en if row else None}


def _told(event: events.Event) -> dict[str, Any]:
    own = ("case", "number") if isinstance(event, events.CaseEvent) else ("case",)
    return {key: value for key, value in events.encode(event).items() if key not in own}


def item_view(case: Case) -> dict[str, Any]:
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
    rows, asked_by = material_states(session, case.hall, case.id), supplement_due_at(session, case)
    result = []
    for material in case.guide["materials"]:
        row = rows.get(material["code"])
        problem = None
        if row is not None and row.problem_sealed:
            context = f"case_materials.problem|{case.hall}|{case.id}|{row.code}"
            problem = privacy.open_sealed(row.problem_sealed, context)
        state, requested = (row.state, row.requested) if row else ("missing", False)
        tolerated = bool(row and row.tolerated)
        asked = state == "missing" and (requested or (material["required"] and case.state == CaseState.CORRECTION))
        wanted = tolerated or (asked and case.state in _ASKING)
        told = {"state": state, "requested": requested, "tolerated": tolerated, "problem": problem, "wanted": wanted}
        due_at = case.gap_due_at if tolerated else asked_by if wanted else None
        result.append({**material, **told, "bring_by": iso(due_at), "licences": _licences(row)})
    return result


def _licences(row: CaseMaterial | None) -> list[dict[str, Any]]:
    """The e-licences that stand for a material, their numbers masked."""
    shared = shared_with(row) if row is not None else []
    return [{**licence, "number": privacy.mask_id(licence["number"])} for licence in shared]


def clock_view(case: Case, clock: Clock, now: Standing | None) -> dict[str, Any]:
    """A clock as the API shows it. `remaining` is in days (WD, ND) or minutes (WH, NH), below zero when overdue.

    `limit` is the guide's own, `longer` by how much it was extended: together they are used and remaining. `late` from
    the due instant on, when nothing need be overdrawn yet.
    """
    limit = (clock is Clock.PROMISED and case.converted) or case.guide[clock.value]
    days = Unit(limit["unit"]).in_days
    size = limit["amount"] if days else limit["amount"] * 60
    shown: dict[str, Any] = {
        "limit": limit,
        "longer": 0,
        "unit": "day" if days else "minute",
        "due_at": None,
        "remaining": size,
        "used": 0,
        "light": case.light,
        "late": False,
        "kept": False,
        "provisional": False,
        "stopped": False,
        "running": False,
    }
    if now is None:
        return shown
    stand = now.of(clock)
    return shown | {
        "longer": stand.limit.amount - limit["amount"],
        "due_at": iso(stand.due_at),
        "remaining": stand.remaining,
        "used": stand.used,
        "light": case.light,
        "late": now.late(clock),
        "kept": clock is Clock.PROMISED and now.kept,
        "provisional": stand.provisional,
        "stopped": stand.stopped,
        "running": ended_at(case) is None and not stand.stopped,
    }


def deadline_ledger(hall: str, case_id: int, at: datetime) -> dict[str, list[dict[str, Any]]]:
    """The days behind both clocks (K9); empty before acceptance. Refuses case.unknown."""
    session = db.session()
    case = _one(session, hall, case_id)
    clocks = clocks_of(session, case)
    if clocks is None:
        return {clock.value: [] for clock in Clock}
    ended = ended_at(case)
    moment = min(at, ended) if ended else at
    calendar = calendar_of(session, case)
    return {clock.value: [row.to_dict() for row in ledger(clocks, clock, calendar, moment)] for clock in Clock}


def public_view(hall: str, case_id: int, at: datetime) -> dict[str, Any]:
    """What the applicant sees: where the case is, how long it still takes, what to bring. No personal data."""
    session = db.session()
    case = _one(session, hall, case_id)
    now = stands(session, case, at)
    promised = clock_view(case, Clock.PROMISED, now)
    to_bring = [material for material in _materials(session, case) if material["wanted"]]
    return {
        "number": case.number,
        "acceptance_number": case.acceptance_number,
        "hall": case.hall,
        "handled_in": case.handled_in,
        "under_way_to": _under_way_to(session, case),
        "item": item_view(case),
        "state": case.state,
        "outcome": case.outcome,
        "received_at": iso(case.received_at),
        "accepted_at": iso(case.accepted_at),
        "decided_at": iso(case.decided_at),
        "ready_at": iso(case.ready_at),
        "delivered_at": iso(case.delivered_at),
        "overdue": overdue_of(case),
        "promised": promised,
        "statutory": clock_view(case, Clock.STATUTORY, now),
        "to_bring": [{name: material[name] for name in _TO_BRING} for material in to_bring],
        "bring_by": min(filter(None, (material["bring_by"] for material in to_bring)), default=None),
        "departments": [
            {"department": r.department, "department_en": department_en(r.department), "state": r.state}
            for r in reviews_of(session, hall, case_id)
        ],
        "result": _result(case.guide),
        "delivery": _delivery(case),
        "flags": _flags(case),
    }


def _under_way_to(session: Session, case: Case) -> str | None:
    """The hall to which its papers or results travel at this moment."""
    road = and_(Manifest.hall == ManifestEntry.hall, Manifest.id == ManifestEntry.manifest_id)
    mine = (ManifestEntry.hall == case.hall, ManifestEntry.case_id == case.id, ManifestEntry.state == "sent")
    return session.execute(select(Manifest.to_hall).join(ManifestEntry, road).where(*mine)).scalar_one_or_none()


def codes_of(hall: str, case_id: int) -> dict[str, str]:
    """The query code, query token and pickup code again, for a reprint. Only for staff who hold the case."""
    return open_field(_one(db.session(), hall, case_id), "codes")


def frozen_guide(hall: str, case_id: int) -> dict[str, Any]:
    """The guide as it stood when the case was received. Refuses case.unknown."""
    return dict(_one(db.session(), hall, case_id).guide)
