"""Actions on a one-thing case 一件事: one form, one set of papers, one notice, one acceptance, one collection (C11)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, insert, select, update

from app import privacy
from app.action import Transaction, action
from app.casework import joint_papers, papers
from app.casework.cases import NO_DUE, change, keep_guide, lacking_papers, next_serial, open_field, seal_field
from app.casework.delivery import give, make_ready, matches, next_shelf, read_receiver
from app.casework.intake import accept, day, ready_to_accept, sources, take_in, withdraw
from app.casework.joint_models import JointCase, JointMaterial
from app.casework.joint_parts import (
    at_intake,
    cases_of,
    checked,
    drop,
    follow,
    load,
    materials_of,
    move_clocks,
    named,
    question_open,
    serves,
    wait_together,
    write,
)
from app.casework.joint_queries import joint_answer
from app.casework.models import Case, CaseAlarm, CaseMaterial
from app.casework.parties import agent_of, applicant_of, delivery_of
from app.casework.rules.alarms import Alarm
from app.casework.rules.joint import JointState, JointStep
from app.casework.rules.materials import HERE, MaterialState
from app.casework.rules.states import DECIDING, INTAKE, PICKUP, CaseState
from app.casework.supplement import NOT_BROUGHT, ask, supply_to
from app.catalog.queries import theme as theme_of
from app.errors import Refusal
from app.events import (
    JointExtended,
    JointHandedOver,
    JointReady,
    JointReceived,
    JointSupplemented,
    JointSupplementRequested,
)
from app.hall.models import Hall
from app.hall.queries import schedule
from app.hall.rules.lights import Light
from app.hall.settings import keep_schedule
from app.now import iso
from app.words import clean, clean_id_number, clean_phone

TAKEN_BACK = "申请人撤回一件事申请"
LONGEST_ANSWER = 300
BROUGHT = (MaterialState.RECEIVED, MaterialState.SHARED)


@action
def receive_joint(
    tx: Transaction,
    *,
    theme: str,
    applicant: Mapping[str, Any],
    form: Mapping[str, Any],
    materials: Sequence[Mapping[str, Any]],
    agent: Mapping[str, Any] | None = None,
    delivery: Mapping[str, Any] | None = None,
    ticket_id: int | None = None,
    window: str | None = None,
) -> dict[str, Any]:
    """Take a one-thing case in: its parts are cases of their own, those of later stages as drafts until their turn.

    A paper that an earlier part's result makes is marked as shared; the applicant brings nothing for it. All parts have
    the query code and the pickup code of the whole. Refuses theme.unknown, case.applicant_kind, case.material_unknown,
    licence.expired, licence.revoked, text.empty and other bad words. Locks the hall. Tells JointReceived, CaseReceived, CaseCollected, NoticeIssued.
    """
    guide = theme_of(theme, on=tx.day)
    person, helper = applicant_of(applicant), agent_of(agent) if agent else None
    sent = delivery_of(delivery) if delivery else None
    states = _states(guide, materials)
    answers = read_form(guide["form"], form)
    prefix = tx.execute(select(Hall.case_prefix).where(Hall.code == tx.hall)).scalar_one()
    number = f"{prefix}YJ{tx.day:%Y%m%d}{next_serial(tx, 'joint'):04d}"
    joint_id = tx.new_id()
    codes = {
        "query_code": privacy.new_code(6),
        "query_token": privacy.new_token(),
        "pickup_code": f"{secrets.randbelow(10**6):06d}",
    }
    joint = JointCase(
        hall=tx.hall,
        id=joint_id,
        number=number,
        theme=theme,
        guide_digest=keep_guide(tx, guide),
        state=JointState.RECEIVED,
        applicant_kind=person["kind"],
        applicant_key=privacy.blind_index("id_number", person["id_number"]) if person.get("id_number") else None,
        applicant_sealed=seal_field(tx.hall, joint_id, "applicant", person),
        agent_sealed=seal_field(tx.hall, joint_id, "agent", helper) if helper else None,
        form_sealed=seal_field(tx.hall, joint_id, "form", answers),
        delivery_sealed=seal_field(tx.hall, joint_id, "delivery", sent) if sent else None,
        ticket_id=ticket_id,
        window=window,
        received_by=tx.actor.id,
        query_hash=privacy.blind_index("query", number + codes["query_code"]),
        query_token_hash=privacy.token_hash(codes["query_token"]),
        codes_sealed=seal_field(tx.hall, joint_id, "codes", codes),
        pickup_hash=privacy.blind_index("pickup", number + codes["pickup_code"]),
        received_at=tx.at,
        order_at=NO_DUE,
        light=Light.green,
        schedule_version=keep_schedule(tx, schedule(tx.hall, tx.session)),
    )
    tx.session.add(joint)
    tx.session.flush()
    rows = [{"hall": tx.hall, "joint_id": joint_id, "code": code, "state": state} for code, state in states.items()]
    if rows:
        tx.execute(insert(JointMaterial), [{**row, "requested": False} for row in rows])
    cases = _take_parts(tx, joint, applicant, agent, delivery, states, codes)
    numbers = tuple(case.number for case in cases)
    tx.record(JointReceived(**named(joint), theme=theme, cases=numbers, window=window, ticket=ticket_id))
    joint_papers.issue_receipt(tx, joint, cases)
    return joint_answer(tx, joint) | codes


def proofread(theme: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """See whether `receive_joint` could take this in; writes nothing. Refuses as it does."""
    applicant_of(given["applicant"])
    if given.get("agent"):
        agent_of(given["agent"])
    read_form(theme["form"], given["form"])
    _states(theme, given["materials"])


def _states(theme: Mapping[str, Any], materials: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The state of every merged material; one nobody spoken of is missing, or not needed if it is not required."""
    states = {m["code"]: str(MaterialState.MISSING if m["required"] else "not_needed") for m in theme["materials"]}
    for material in materials:
        code, state = material.get("code"), material.get("state", MaterialState.RECEIVED)
        if code not in states:
            raise Refusal("case.material_unknown", code=str(code)[:20])
        if state not in set(MaterialState):
            raise Refusal("request.invalid", detail="materials.state")
        states[code] = str(state)
    return states


def read_form(fields: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, str]:
    """The answers to a theme's form, cleaned by the kind of each field; what was not asked is left out.

    Refuses text.empty for a required answer, person.bad_id, person.bad_phone, request.invalid and bad words.
    """
    answers = {}
    for field in fields:
        key, label = field["key"], field["label"]
        text = clean(str(given.get(key) or ""), label, limit=LONGEST_ANSWER, empty=not field["required"])
        if text and field["type"] == "id":
            text = clean_id_number(text)
        elif text and field["type"] == "phone":
            text = clean_phone(text)
        elif text and not _fits(field, text):
            raise Refusal("request.invalid", detail=label)
        if text:
            answers[key] = text
    return answers


def _fits(field: Mapping[str, Any], text: str) -> bool:
    """Whether a number is one, and a choice one of those offered."""
    if field["type"] == "number":
        return re.fullmatch(r"\d{1,12}(\.\d{1,4})?", text, re.ASCII) is not None
    return field["type"] != "choice" or text in {choice["code"] for choice in field["choices"]}


def _take_parts(
    tx: Transaction,
    joint: JointCase,
    applicant: Mapping[str, Any],
    agent: Mapping[str, Any] | None,
    delivery: Mapping[str, Any] | None,
    states: Mapping[str, str],
    codes: Mapping[str, str],
) -> list[Case]:
    theme = joint.guide
    first = min(child["position"] for child in theme["children"])
    cases = []
    for child in theme["children"]:
        item = child["item"]
        own = {code: state for merged, state in states.items() for code in serves(theme, merged).get(item, ())}
        case = take_in(
            tx,
            item=item,
            guide=child["guide"],
            applicant=applicant,
            agent=agent,
            delivery=delivery,
            materials=[{"code": code, "state": state} for code, state in own.items()],
            ticket_id=joint.ticket_id,
            window=joint.window,
            joint_id=joint.id,
            collected=child["position"] > first,
        )
        for paper in theme["handed_on"]:  # the result of an earlier part, which is not there yet: nothing to look up
            if paper["item"] == item:
                _set_own(tx, case, paper["material"], MaterialState.SHARED)
        mine = open_field(case, "codes") | {name: codes[name] for name in ("query_code", "pickup_code")}
        change(
            tx,
            case,
            query_hash=privacy.blind_index("query", case.number + mine["query_code"]),
            pickup_hash=privacy.blind_index("pickup", case.number + mine["pickup_code"]),
            codes_sealed=seal_field(tx.hall, case.id, "codes", mine),
        )
        cases.append(case)
    return cases


@action
def accept_joint(tx: Transaction, *, joint_id: int) -> dict[str, Any]:
    """Accept the whole at once 一次受理: every part whose turn it is; the joint receipt tells all the dates.

    Refuses joint.illegal_step, auth.forbidden, case.no_request_open, case.materials_missing. Locks the hall. Tells
    CaseAccepted, CaseRouted, ClocksMoved of each part, JointAccepted, NoticeIssued.
    """
    joint = checked(tx, joint_id, JointStep.ACCEPT)
    current = [case for case in cases_of(tx.session, joint) if case.state == CaseState.RECEIVED]
    missing = dict.fromkeys(paper.name for case in current for paper in lacking_papers(tx, case))
    if missing:
        raise Refusal("case.materials_missing", names="、".join(missing))
    for case in current:
        ready_to_accept(tx, case)
        accept(tx, case, paper=False)
        papers.issue_fee(tx, case)
    follow(tx, joint.id)
    return joint_answer(tx, load(tx, joint_id))


@action
def request_joint_supplement(tx: Transaction, *, joint_id: int, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Tell the applicant once, on one paper, all that is missing for every part 合并一次性告知 (C2, C11).

    Each item is {code, problem, defect} of a merged material; every other required one that is missing for a part
    whose turn it is goes onto the notice too. Refuses joint.illegal_step, auth.forbidden, case.nothing_missing,
    case.material_unknown, case.second_notice, bad words. Locks the hall. Tells SupplementRequested of the parts,
    JointSupplementRequested, NoticeIssued.
    """
    joint = checked(tx, joint_id, JointStep.REQUEST_SUPPLEMENT)
    current = at_intake(cases_of(tx.session, joint))
    rows = materials_of(tx.session, joint)
    asked = {str(item.get("code")): item for item in items}
    for code in asked:
        if code not in rows:
            raise Refusal("case.material_unknown", code=code[:20])
    turn = {case.item for case in current}
    for material in joint.guide["materials"]:
        code = material["code"]
        if material["required"] and rows[code].state not in BROUGHT and turn & set(serves(joint.guide, code)):
            asked.setdefault(code, {})
    if not items or not current:
        raise Refusal("case.nothing_missing")
    told = False
    for case in current:
        mine = [
            {**item, "code": own}
            for code, item in asked.items()
            for own in serves(joint.guide, code).get(case.item, ())
        ]
        if mine:
            ask(tx, case, mine, paper=False)
            told = True
    if not told:
        raise Refusal("case.nothing_missing")
    wait_together(tx, current)
    for code, item in asked.items():
        problem = clean(str(item.get("problem") or NOT_BROUGHT), "problem", limit=200, lines=True)
        sealed = joint_papers.seal_problem(joint, code, problem)
        _set_material(tx, joint, code, state=MaterialState.MISSING, requested=True, problem_sealed=sealed)
    tx.record(JointSupplementRequested(**named(joint), materials=tuple(asked)))
    joint_papers.issue(tx, joint, "supplement", materials=_defects(tx, joint, asked), **_deadline(tx, current))
    follow(tx, joint.id)
    return joint_answer(tx, load(tx, joint_id))


def _defects(tx: Transaction, joint: JointCase, asked: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    order = [material["code"] for material in joint.guide["materials"] if material["code"] in asked]
    lines = joint_papers.lines_of(tx, joint, set(asked))
    return [line | {"defect": asked[code].get("defect")} for code, line in zip(order, lines, strict=True)]


def _deadline(tx: Transaction, cases: list[Case]) -> dict[str, Any]:
    """Until when to bring it, the earliest day of the parts that were asked; what follows only where something does."""
    asked = [case for case in cases if case.state == CaseState.CORRECTION]
    mine = (CaseAlarm.hall == tx.hall, CaseAlarm.case_id.in_([case.id for case in asked]))
    earliest = select(func.min(CaseAlarm.due_at)).where(*mine, CaseAlarm.kind == Alarm.SUPPLEMENT)
    due_at = tx.execute(earliest).scalar_one_or_none()
    deemed = [case for case in asked if case.guide["rules"]["supplement"]["overdue"] == "deemed_withdrawn"]
    laws = "、".join(dict.fromkeys(law for case in deemed for law in sources(case, "supplement")))
    return {
        "supplement_due_on": day(due_at),
        "consequence": f"请按期补正；逾期未补正的，视为撤回相应事项的申请（{laws}）。" if due_at and deemed else None,
    }


@action
def supply_joint(tx: Transaction, *, joint_id: int, items: Sequence[Any]) -> dict[str, Any]:
    """Take merged materials in: each counts for every part that it serves, also for those whose turn has yet to come.

    Each item is a code or {code, state}. A part that lacks nothing any more goes on by itself (C3). Refuses
    joint.illegal_step, auth.forbidden, case.nothing_missing, case.material_unknown, request.invalid. Locks the hall.
    Tells SupplementReceived of the parts, JointSupplemented, NoticeIssued.
    """
    joint = checked(tx, joint_id, JointStep.SUPPLY)
    rows = materials_of(tx.session, joint)
    given = [entry if isinstance(entry, Mapping) else {"code": entry} for entry in items]
    states = {str(entry.get("code")): str(entry.get("state") or MaterialState.RECEIVED) for entry in given}
    if not states:
        raise Refusal("case.nothing_missing")
    for code, state in states.items():
        if code not in rows:
            raise Refusal("case.material_unknown", code=code[:20])
        if state not in HERE:
            raise Refusal("request.invalid", detail="items.state")
        _set_material(tx, joint, code, state=state)
    for case in cases_of(tx.session, joint):
        own = {mine: state for code, state in states.items() for mine in serves(joint.guide, code).get(case.item, ())}
        if own and (case.state in INTAKE or case.state in DECIDING):
            supply_to(tx, case, own, paper=False)
        elif own and case.state == CaseState.DRAFT:
            for code, state in own.items():
                _set_own(tx, case, code, state)
    cases = cases_of(tx.session, joint)
    left = _outstanding(tx, joint, {case.item for case in at_intake(cases)})
    tx.record(JointSupplemented(**named(joint), materials=tuple(sorted(states)), complete=not left))
    lines = joint_papers.lines_of(tx, joint, set(states))
    outstanding = joint_papers.lines_of(tx, joint, left) if left else None
    answered = {"supplied_at": iso(tx.at), "complete": not left, "outstanding": outstanding}
    joint_papers.issue(tx, joint, "supplement_receipt", materials=lines, **answered)
    for case in at_intake(cases):
        begun = joint.accepted_at is not None and case.state == CaseState.RECEIVED
        if begun and not lacking_papers(tx, case) and not question_open(case):
            accept(tx, case)
    follow(tx, joint.id)
    return joint_answer(tx, load(tx, joint_id))


def _outstanding(tx: Transaction, joint: JointCase, items: set[str]) -> set[str]:
    """The merged materials that these parts still wait for."""
    rows = materials_of(tx.session, joint)
    required = {material["code"] for material in joint.guide["materials"] if material["required"]}
    return {
        code
        for code, row in rows.items()
        if row.state not in (BROUGHT if code in required else HERE)
        and (code in required or row.requested)
        and items & set(serves(joint.guide, code))
    }


def _set_material(tx: Transaction, joint: JointCase, code: str, **values: Any) -> None:
    one = (JointMaterial.hall == tx.hall, JointMaterial.joint_id == joint.id, JointMaterial.code == code)
    tx.execute(update(JointMaterial).where(*one).values(values))
    tx.session.expire_all()


def _set_own(tx: Transaction, case: Case, code: str, state: str) -> None:
    one = (CaseMaterial.hall == tx.hall, CaseMaterial.case_id == case.id, CaseMaterial.code == code)
    tx.execute(update(CaseMaterial).where(*one).values(state=state))
    tx.session.expire_all()


@action
def extend_joint(tx: Transaction, *, joint_id: int, reason: str) -> dict[str, Any]:
    """Extend the time of the whole once, before its statutory limit has passed, by the head of the government (§42).

    Refuses joint.illegal_step, auth.forbidden, case.reason_required, case.not_extendable, case.extended_once,
    case.too_late. Locks the hall. Tells JointExtended, NoticeIssued.
    """
    joint = checked(tx, joint_id, JointStep.EXTEND)
    if not reason.strip():
        raise Refusal("case.reason_required")
    words = clean(reason, "reason", limit=500, lines=True)
    more = joint.guide["rules"]["joint_extension"] if joint.guide["art26"] else None
    if more is None or more["unit"] != joint.guide["statutory"]["unit"]:
        raise Refusal("case.not_extendable")
    if joint.extension:
        raise Refusal("case.extended_once")
    if joint.statutory_due_at is not None and tx.at >= joint.statutory_due_at:
        raise Refusal("case.too_late")
    extension = {"amount": more["amount"], "unit": more["unit"]}
    before = joint.statutory_due_at
    write(tx, joint, extension=extension, extension_sealed=seal_field(tx.hall, joint.id, "extension", words))
    tx.record(JointExtended(**named(joint), **extension))
    move_clocks(tx, joint, cases_of(tx.session, joint))
    told = {"reasons": [words], "days": more["amount"], "approved_by": "本级人民政府负责人", "joint": True}
    was = day(before) if not joint.provisional else None
    joint_papers.issue(tx, joint, "extension", previous_due_on=was, **told)
    return joint_answer(tx, load(tx, joint_id))


@action
def ready_joint(tx: Transaction, *, joint_id: int, shelf: str = "") -> dict[str, Any]:
    """All results that were granted lie in one slot of the pickup window; one notice tells the one code.

    Refuses joint.illegal_step, auth.forbidden, joint.nothing_granted, bad words. Locks the hall. Tells CaseReady of the
    parts, JointReady, NoticeIssued.
    """
    joint = checked(tx, joint_id, JointStep.READY)
    cases = cases_of(tx.session, joint)
    granted = [case for case in cases if case.state == CaseState.GRANTED]
    if not granted:
        raise Refusal("joint.nothing_granted")
    lying = next((case.shelf for case in cases if case.state == CaseState.READY and case.shelf), None)
    slot = shelf or lying or next_shelf(tx.session, tx.hall)
    for case in granted:
        make_ready(tx, case, slot, paper=False)
    tx.record(JointReady(**named(joint), cases=tuple(case.number for case in granted)))
    code = open_field(joint, "codes")["pickup_code"]
    told = {"pickup_code": code, "ready_at": iso(tx.at), "decided_at": iso(joint.decided_at)}
    joint_papers.issue(tx, joint, "pickup", **told, **joint_papers.only(joint, granted))
    follow(tx, joint.id)
    return joint_answer(tx, load(tx, joint_id))


@action
def hand_over_joint(
    tx: Transaction,
    *,
    joint_id: int,
    receiver: str,
    pickup_code: str | None = None,
    id_number: str | None = None,
    agent: Mapping[str, Any] | None = None,
    signature: str | None = None,
    only: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Give out at once all that is decided, against the one code or the applicant's ID, with one proof of service.

    The applicant may take what there is before the rest is decided, and choose: `only` names the cases wanted. Refuses
    joint.illegal_step, auth.forbidden, case.receiver_mismatch, case.agent_letter, case.signature,
    joint.nothing_decided, bad words. Locks the hall. Tells CaseDelivered of the parts, JointHandedOver, NoticeIssued.
    """
    joint = checked(tx, joint_id, JointStep.HAND_OVER)
    if not matches(joint, pickup_code, id_number):
        raise Refusal("case.receiver_mismatch")
    who = read_receiver(receiver, agent)
    decided = [case for case in cases_of(tx.session, joint) if case.state in PICKUP]
    chosen = [case for case in decided if only is None or case.number in only]
    if not chosen or (only is not None and {case.number for case in chosen} != set(only)):
        raise Refusal("joint.nothing_decided")
    served = [document for case in chosen for document in papers.documents(tx, case)]
    for case in chosen:
        give(tx, case, who, signature=signature, paper=False)
    write(tx, joint, receiver_sealed=seal_field(tx.hall, joint.id, "receiver", who))
    tx.record(JointHandedOver(**named(joint), cases=tuple(case.number for case in chosen)))
    proof = {"documents": served, "mode": "direct", "recipient": who["receiver"], "served_at": iso(tx.at)}
    relation = "受托人" if "agent" in who else None
    joint_papers.issue(
        tx, joint, "service", recipient_relation=relation, server_name=papers.name_of(tx) or None, **proof
    )
    follow(tx, joint.id)
    return joint_answer(tx, load(tx, joint_id))


@action
def withdraw_joint(tx: Transaction, *, joint_id: int) -> dict[str, Any]:
    """The applicant takes the whole back: every part that is not decided yet. What is decided stays decided.

    Refuses joint.illegal_step, auth.forbidden. Locks the hall. Tells CaseWithdrawn, CaseVoided of the parts,
    JointWithdrawn, NoticeIssued.
    """
    joint = checked(tx, joint_id, JointStep.WITHDRAW)
    for case in cases_of(tx.session, joint):
        if case.state == CaseState.DRAFT:
            drop(tx, case, TAKEN_BACK)
        elif case.state in INTAKE or case.state in DECIDING:
            withdraw(tx, case, paper=False)
    joint_papers.issue(tx, joint, "withdrawal", withdrawn_at=iso(tx.at), deemed=False)
    follow(tx, joint.id)
    return joint_answer(tx, load(tx, joint_id))
