"""Actions at the accepting window: receive, tell once what is missing, take supplements, accept, withdraw."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select, update

from app import privacy
from app.action import Transaction, action
from app.casework import papers
from app.casework.cases import (
    change,
    checked,
    end_stop,
    lacking_papers,
    load,
    material_states,
    move_clocks,
    next_serial,
    papers_of,
    said,
    schedule_version,
    seal_field,
    start_stop,
    to_state,
)
from app.casework.models import Case, CaseMaterial, CaseReview
from app.casework.queries import case_answer
from app.casework.review import own_review
from app.casework.rules.clocks import NOTICE_LIMIT, read_limit
from app.casework.rules.materials import MaterialState, Paper, may_tolerate
from app.casework.rules.states import INTAKE, CaseState, CaseStep
from app.catalog.queries import item as guide_of
from app.errors import Refusal
from app.events import (
    CaseAccepted,
    CaseReceived,
    CaseResumed,
    CaseRouted,
    CaseSuspended,
    CaseWithdrawn,
    NoRequestRaised,
    SupplementReceived,
    SupplementRequested,
)
from app.hall.models import Hall
from app.hall.queries import schedule
from app.hall.rules.clock import Limit, Unit, reckon
from app.hall.rules.lights import Light
from app.people.permissions import Permission
from app.words import clean, clean_id_number, clean_phone

NO_REQUESTS = ("out_of_scope", "conditions_unmet", "materials_short", "grey_area")


@action
def receive_case(
    tx: Transaction,
    *,
    item: str,
    applicant: Mapping[str, Any],
    materials: Sequence[Mapping[str, Any]],
    ticket_id: int | None = None,
    agent: Mapping[str, Any] | None = None,
    delivery: Mapping[str, Any] | None = None,
    window: str | None = None,
) -> dict[str, Any]:
    """Take a case in 收件: the number, the receipt, the codes with which the applicant asks and collects (C1).

    Refuses item.unknown, case.applicant_kind, case.material_unknown and bad words. Locks the hall. Tells CaseReceived,
    NoticeIssued.
    """
    guide = guide_of(item)
    person = _party(applicant, kinds=True)
    helper = _party(agent) if agent else None
    known = {paper.code for paper in papers_of(guide)}
    states = _states(materials, known)
    hall = tx.execute(select(Hall.case_prefix).where(Hall.code == tx.hall)).scalar_one()
    number = f"{hall}{tx.day:%Y%m%d}{next_serial(tx, 'case'):04d}"
    case_id = tx.new_id()
    codes = {
        "query_code": privacy.new_code(6),
        "query_token": privacy.new_token(),
        "pickup_code": f"{secrets.randbelow(10**6):06d}",
    }
    calendar = schedule(tx.hall, tx.session)
    case = Case(
        hall=tx.hall,
        id=case_id,
        number=number,
        item=item,
        guide=guide,
        state=CaseState.RECEIVED,
        applicant_kind=person["kind"],
        applicant_key=privacy.blind_index("id_number", person["id_number"]) if person.get("id_number") else None,
        applicant_sealed=seal_field(tx.hall, case_id, "applicant", person),
        agent_sealed=seal_field(tx.hall, case_id, "agent", helper) if helper else None,
        delivery_sealed=seal_field(tx.hall, case_id, "delivery", _delivery(delivery)) if delivery else None,
        ticket_id=ticket_id,
        window=window,
        received_by=tx.actor.id,
        query_hash=privacy.blind_index("query", number + codes["query_code"]),
        query_token_hash=privacy.token_hash(codes["query_token"]),
        codes_sealed=seal_field(tx.hall, case_id, "codes", codes),
        pickup_hash=privacy.blind_index("pickup", number + codes["pickup_code"]),
        tolerant=False,
        deemed_accepted=False,
        extended=False,
        supplement_notices=0,
        provisional=False,
        received_at=tx.at,
        notice_due_at=reckon(tx.at, NOTICE_LIMIT, [], calendar).due_at,
        light=Light.green,
        schedule_version=schedule_version(calendar),
    )
    tx.session.add(case)
    tx.session.flush()
    rows = [
        {"hall": tx.hall, "case_id": case_id, "code": code, "state": states.get(code, "missing"), "requested": False}
        for code in sorted(known)
    ]
    if rows:
        tx.execute(insert(CaseMaterial), rows)
    tx.record(CaseReceived(case=case_id, number=number, item=item, window=window, ticket=ticket_id))
    papers.issue(tx, case, "receipt")
    return case_answer(tx, case) | codes


def _party(given: Mapping[str, Any], *, kinds: bool = False) -> dict[str, str]:
    """An applicant or agent, cleaned. Organisations have a representative."""
    party = {"name": clean(str(given.get("name") or ""), "name", limit=100)}
    if kinds:
        if given.get("kind") not in ("person", "organisation"):
            raise Refusal("case.applicant_kind")
        party["kind"] = given["kind"]
    if given.get("id_number"):
        party["id_number"] = clean_id_number(given["id_number"])
        party["id_type"] = clean(str(given.get("id_type") or "id_card"), "id_type", limit=40)
    if given.get("phone"):
        party["phone"] = clean_phone(given["phone"])
    for name, limit in (("representative", 60), ("letter", 100)):
        if given.get(name):
            party[name] = clean(str(given[name]), name, limit=limit)
    return party


def _delivery(given: Mapping[str, Any]) -> dict[str, str]:
    return {
        str(key)[:20]: clean(str(value), "delivery", limit=200, empty=True) for key, value in list(given.items())[:8]
    }


def _states(materials: Sequence[Mapping[str, Any]], known: set[str]) -> dict[str, str]:
    states = {}
    for material in materials:
        code, state = material.get("code"), material.get("state", MaterialState.RECEIVED)
        if code not in known:
            raise Refusal("case.material_unknown", code=str(code)[:20])
        if state not in set(MaterialState):
            raise Refusal("request.invalid", detail="materials.state")
        states[code] = str(state)
    return states


@action
def accept_case(tx: Transaction, *, case_id: int, tolerant: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Accept 受理: both clocks start today, the departments get the case.

    With `tolerant` {commitment, gap_limit (working days)} secondary papers may still be missing (C4). Refuses
    case.illegal_step, case.no_request_open, case.materials_missing, case.tolerant_main, case.tolerant_commitment,
    case.tolerant_gap. Locks the hall. Tells CaseAccepted, CaseRouted, ClocksMoved, NoticeIssued.
    """
    case, _ = checked(tx, case_id, CaseStep.ACCEPT)
    if case.no_request_kind and not case.no_request_answer:
        raise Refusal("case.no_request_open")
    lacking = lacking_papers(tx, case)
    if lacking:
        if tolerant is None:
            raise Refusal("case.materials_missing", names="、".join(p.name for p in lacking))
        _tolerate(tx, case, lacking, tolerant)
    _accept(tx, case, CaseStep.ACCEPT)
    return case_answer(tx, case)


def _tolerate(tx: Transaction, case: Case, lacking: list[Paper], tolerant: Mapping[str, Any]) -> None:
    if not may_tolerate(lacking):
        raise Refusal("case.tolerant_main", names="、".join(p.name for p in lacking if p.main))
    if not str(tolerant.get("commitment") or "").strip():
        raise Refusal("case.tolerant_commitment")
    given = tolerant.get("gap_limit") or case.guide["promised"]
    try:
        gap = read_limit(given) if isinstance(given, Mapping) else Limit(int(given), Unit.WD)
    except (ValueError, KeyError, TypeError):
        raise Refusal("case.tolerant_gap") from None
    calendar = schedule(tx.hall, tx.session)
    promised = reckon(tx.at, read_limit(case.guide["promised"]), [], calendar)
    due = reckon(tx.at, gap, [], calendar)
    if promised.due_at and (due.due_at is None or due.due_at > promised.due_at):
        raise Refusal("case.tolerant_gap")
    commitment = clean(str(tolerant["commitment"]), "commitment", limit=500, lines=True)
    sealed = seal_field(tx.hall, case.id, "commitment", commitment)
    change(tx, case, tolerant=True, gap_due_at=due.due_at, commitment_sealed=sealed)


def _accept(tx: Transaction, case: Case, step: CaseStep) -> None:
    """Part of an action: the acceptance itself, as of now or, when deemed, as of the receipt."""
    deemed = step is CaseStep.DEEM_ACCEPT
    change(
        tx,
        case,
        state=to_state(case, step),
        acceptance_number=f"{case.number[:2]}SL{tx.day:%Y%m%d}{next_serial(tx, 'acceptance'):04d}",
        accepted_at=tx.at,
        accepted_by=tx.actor.id,
        clock_from_at=case.received_at if deemed else tx.at,
        deemed_accepted=deemed,
        notice_due_at=None,
    )
    tx.record(
        CaseAccepted(**said(case), acceptance_number=case.acceptance_number, tolerant=case.tolerant, deemed=deemed)
    )
    departments, routing = case.guide["departments"], case.guide["routing"]
    for position, department in enumerate(departments):
        state = "open" if position == 0 or routing == "parallel" else "waiting"
        row = {"hall": tx.hall, "case_id": case.id, "department": department, "position": position, "state": state}
        tx.execute(insert(CaseReview), row)
    tx.record(CaseRouted(**said(case), departments=tuple(departments), routing=routing))
    move_clocks(tx, case, "accepted")
    papers.issue(tx, case, "acceptance", deemed=deemed)


@action
def deem_accepted(tx: Transaction, *, case_id: int) -> dict[str, Any]:
    """Accept as of the receipt, because nobody told the applicant in time what was missing (行政许可法 §32).

    Refuses case.illegal_step, also while the five working days last. Locks the hall.
    """
    case, _ = checked(tx, case_id, CaseStep.DEEM_ACCEPT)
    if case.notice_due_at is None or case.notice_due_at > tx.at:
        raise Refusal("case.illegal_step", number=case.number, state=case.state)
    _accept(tx, case, CaseStep.DEEM_ACCEPT)
    return case_answer(tx, case)


@action
def request_supplement(tx: Transaction, *, case_id: int, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Tell the applicant once, in writing, everything that is missing 一次性告知 (C2).

    In review only the deciding department asks, and it stops the promised clock only (C6). Refuses case.illegal_step, case.nothing_missing,
    case.material_unknown, case.second_notice (without case:override). Locks the hall. Tells SupplementRequested,
    NoticeIssued.
    """
    case, state = checked(tx, case_id, CaseStep.REQUEST_SUPPLEMENT)
    if not items:
        raise Refusal("case.nothing_missing")
    in_review = CaseState(case.state) not in INTAKE
    if in_review:
        own_review(tx, case)
    elif not (tx.actor.may(Permission.CASE_ACCEPT) or tx.actor.may(Permission.CASE_OVERRIDE)):
        raise Refusal("auth.forbidden")  # who decides does not take in (C5)
    if case.supplement_notices and not tx.actor.may(Permission.CASE_OVERRIDE):
        raise Refusal("case.second_notice")
    known = {paper.code for paper in papers_of(case.guide)}
    codes = []
    for asked in items:
        code = asked.get("code")
        if code not in known:
            raise Refusal("case.material_unknown", code=str(code)[:20])
        problem = clean(str(asked.get("problem") or "未提交"), "problem", limit=200, lines=True)
        sealed = privacy.seal(problem, f"case_materials.problem|{tx.hall}|{case.id}|{code}")
        one = (CaseMaterial.hall == tx.hall, CaseMaterial.case_id == case.id, CaseMaterial.code == code)
        values = {"state": MaterialState.MISSING, "requested": True, "problem_sealed": sealed}
        tx.execute(update(CaseMaterial).where(*one).values(values))
        codes.append(code)
    tx.session.expire_all()
    change(tx, case, state=state, supplement_notices=case.supplement_notices + 1, notice_due_at=None)
    tx.record(SupplementRequested(**said(case), materials=tuple(codes)))
    if in_review:
        start_stop(tx, case, "promised", "supplement", 0)
        tx.record(CaseSuspended(**said(case), ground="supplement", clock="promised", days=0))
        move_clocks(tx, case, "supplement requested")
    papers.issue(tx, case, "supplement", materials=papers.materials(tx, case, set(codes)))
    return case_answer(tx, case)


@action
def supply(tx: Transaction, *, case_id: int, items: Sequence[Any]) -> dict[str, Any]:
    """Take supplements in 补正. When nothing is missing any more, the case goes on by itself (C3).

    Each item is a material's code or {code, state}. Refuses case.illegal_step, case.nothing_missing,
    case.material_unknown. Locks the hall. Tells SupplementReceived and, when complete, CaseAccepted or CaseResumed.
    """
    case, state = checked(tx, case_id, CaseStep.SUPPLY)
    if not items:
        raise Refusal("case.nothing_missing")
    given = [entry if isinstance(entry, Mapping) else {"code": entry} for entry in items]
    states = _states(given, {paper.code for paper in papers_of(case.guide)})
    for code, material_state in states.items():
        one = (CaseMaterial.hall == tx.hall, CaseMaterial.case_id == case.id, CaseMaterial.code == code)
        tx.execute(update(CaseMaterial).where(*one).values(state=material_state))
    tx.session.expire_all()
    case = load(tx, case_id)
    asked = [row for row in material_states(tx.session, tx.hall, case.id).values() if row.requested]
    here = (MaterialState.RECEIVED, MaterialState.SHARED, MaterialState.NOT_NEEDED)
    complete = all(row.state in here for row in asked) and not lacking_papers(tx, case)
    tx.record(SupplementReceived(**said(case), materials=tuple(sorted(states)), complete=complete))
    if complete and case.state == CaseState.CORRECTION:
        _accept(tx, case, CaseStep.COMPLETE)
    elif complete and case.state == CaseState.REVIEW_CORRECTION:
        change(tx, case, state=to_state(case, CaseStep.COMPLETE))
        tx.record(CaseResumed(**said(case), clock=end_stop(tx, case)))
        move_clocks(tx, case, "supplemented")
    else:
        change(tx, case, state=state, gap_due_at=None if complete else case.gap_due_at)
    return case_answer(tx, case)


@action
def raise_no_request(tx: Transaction, *, case_id: int, kind: str, reason: str) -> dict[str, Any]:
    """Ask the chief representative whether the case may be refused at the window: a window itself cannot say no (C10).

    Refuses case.illegal_step, case.no_request_kind, case.no_request_open, case.reason_required. Locks the hall.
    """
    case, _ = checked(tx, case_id, CaseStep.NO_REQUEST)
    if kind not in NO_REQUESTS:
        raise Refusal("case.no_request_kind")
    if not reason.strip():
        raise Refusal("case.reason_required")
    if case.no_request_kind and not case.no_request_answer:
        raise Refusal("case.no_request_open")
    reason = clean(reason, "reason", limit=500, lines=True)
    sealed = seal_field(tx.hall, case.id, "no_request", {"reason": reason, "by": tx.actor.name})
    change(tx, case, no_request_kind=kind, no_request_answer=None, no_request_sealed=sealed)
    tx.record(NoRequestRaised(**said(case), ground=kind))
    return case_answer(tx, case)


@action
def withdraw_case(tx: Transaction, *, case_id: int) -> dict[str, Any]:
    """The applicant takes the application back 撤回. Refuses case.illegal_step. Locks the hall. Tells CaseWithdrawn."""
    case, state = checked(tx, case_id, CaseStep.WITHDRAW)
    end_stop(tx, case)
    change(tx, case, state=state, decided_at=tx.at, notice_due_at=None, gap_due_at=None)
    tx.record(CaseWithdrawn(**said(case)))
    move_clocks(tx, case, "withdrawn")
    return case_answer(tx, case)
