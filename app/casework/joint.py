"""The middle of a one-thing case 一件事: one acceptance, one notice, one extension for all its parts (C11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, select, update

from app.action import Transaction, action
from app.casework import joint_papers, papers
from app.casework.cases import lacking_papers, seal_field
from app.casework.intake import accept, day, is_told_late, ready_to_accept, sources, withdraw
from app.casework.joint_models import JointCase, JointMaterial
from app.casework.joint_parts import (
    at_intake,
    cases_of,
    checked,
    drop,
    follow,
    joint_clocks,
    load,
    materials_of,
    move_clocks,
    named,
    serves,
    still_following,
    wait_together,
    write,
)
from app.casework.joint_queries import joint_answer
from app.casework.models import Case, CaseAlarm
from app.casework.pledges import may_follow
from app.casework.rules.alarms import Alarm
from app.casework.rules.clocks import extended, read_limit
from app.casework.rules.joint import JointState, JointStep
from app.casework.rules.materials import BROUGHT, MaterialState, settles
from app.casework.rules.states import DECIDING, INTAKE, CaseState, CaseStep
from app.casework.steps import question_open
from app.casework.supplement import NOT_BROUGHT, ask, bring, read_states, supply_to
from app.errors import Refusal
from app.events import JointExtended, JointSupplemented, JointSupplementRequested
from app.hall.settings import schedule_in
from app.now import iso
from app.words import clean

TAKEN_BACK = "申请人撤回一件事申请"


@action
def accept_joint(tx: Transaction, *, joint_id: int) -> dict[str, Any]:
    """Accept the whole at once 一次受理: every part whose turn it is; the joint receipt tells all the dates.

    Past the time to tell what is missing it is an acceptance as of the receipt, as of any case (行政许可法 §32).

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
        _accept(tx, case, paper=False)
        papers.issue_fee(tx, case)
    follow(tx, joint.id)
    return joint_answer(tx, load(tx, joint_id))


def _accept(tx: Transaction, case: Case, *, paper: bool) -> None:
    accept(tx, case, CaseStep.DEEM_ACCEPT if is_told_late(case, tx.at) else CaseStep.ACCEPT, paper=paper)


@action
def request_joint_supplement(tx: Transaction, *, joint_id: int, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Tell the applicant once, on one paper, all that is missing for every part 合并一次性告知 (C2, C11).

    Each item is {code, problem, defect} of a merged material; every other required one that is missing for a part
    whose turn it is goes onto the notice too. Refuses joint.illegal_step, auth.forbidden, case.nothing_missing,
    case.material_unknown, case.told_late, case.second_notice (only a part's own may be given again), bad words. Locks
    the hall. Tells SupplementRequested of the parts, JointSupplementRequested, NoticeIssued.
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

    Each item is a code or {code, state}. A part that lacks nothing any more goes on by itself (C3); a decided one takes
    what was tolerated 容缺通过 (C4), and once all are decided nothing else is taken. Refuses joint.illegal_step, auth.forbidden, case.nothing_missing, case.material_unknown, request.invalid. Locks the hall.
    Tells SupplementReceived of the parts, JointSupplemented, NoticeIssued.
    """
    joint = checked(tx, joint_id, JointStep.SUPPLY)
    rows, states = materials_of(tx.session, joint), read_states(items)
    over = joint.state in (JointState.DECIDED, JointState.DELIVERED)
    if over and not states.keys() <= still_following(tx.session, joint, cases_of(tx.session, joint)):
        raise Refusal("case.nothing_missing")
    required = {material["code"]: material["required"] for material in joint.guide["materials"]}
    for code, state in states.items():
        if code not in rows:
            raise Refusal("case.material_unknown", code=code[:20])
        if not settles(state, required=required[code]):
            raise Refusal("request.invalid", detail="items.state")
        _set_material(tx, joint, code, state=state)
    for case in cases_of(tx.session, joint):
        own = {mine: state for code, state in states.items() for mine in serves(joint.guide, code).get(case.item, ())}
        if own and (case.state in INTAKE or case.state in DECIDING):
            supply_to(tx, case, own, paper=False)
        elif own and case.state == CaseState.DRAFT:
            bring(tx, case, own)
        elif late := {code: state for code, state in own.items() if code in may_follow(tx.session, case)}:
            supply_to(tx, case, late, paper=False)
    cases = cases_of(tx.session, joint)
    left = _outstanding(tx, joint, {case.item for case in at_intake(cases)})
    left |= still_following(tx.session, joint, cases)
    tx.record(JointSupplemented(**named(joint), materials=tuple(sorted(states)), complete=not left))
    lines = joint_papers.lines_of(tx, joint, set(states))
    outstanding = joint_papers.lines_of(tx, joint, left) if left else None
    answered = {"supplied_at": iso(tx.at), "complete": not left, "outstanding": outstanding}
    held = [case for case in cases if case.state == CaseState.CORRECTION and question_open(case)]
    answered["held"] = True if held else None
    joint_papers.issue(tx, joint, "supplement_receipt", materials=lines, **answered)
    for case in at_intake(cases):
        begun = joint.accepted_at is not None and case.state == CaseState.RECEIVED
        if begun and not lacking_papers(tx, case) and not question_open(case):
            _accept(tx, case, paper=True)
    follow(tx, joint.id)
    return joint_answer(tx, load(tx, joint_id))


def _outstanding(tx: Transaction, joint: JointCase, items: set[str]) -> set[str]:
    """The merged materials that these parts still wait for."""
    rows = materials_of(tx.session, joint)
    required = {material["code"] for material in joint.guide["materials"] if material["required"]}
    return {
        code
        for code, row in rows.items()
        if not settles(row.state, required=code in required)
        and (code in required or row.requested)
        and items & set(serves(joint.guide, code))
    }


def _set_material(tx: Transaction, joint: JointCase, code: str, **values: Any) -> None:
    one = (JointMaterial.hall == tx.hall, JointMaterial.joint_id == joint.id, JointMaterial.code == code)
    tx.execute(update(JointMaterial).where(*one).values(values))
    tx.session.expire_all()


@action
def extend_joint(tx: Transaction, *, joint_id: int, reason: str) -> dict[str, Any]:
    """Extend the time of the whole once, before its statutory limit has passed, by the head of the government (§42).

    A promise that has passed already stays broken: then the statutory limit alone grows.

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
    before, cases = joint.statutory_due_at, cases_of(tx.session, joint)
    clocks = joint_clocks(tx.session, joint, cases)
    assert clocks is not None  # no part of it is accepted later than the whole
    given = extended(clocks, read_limit(more), schedule_in(tx), tx.at).extension
    assert given is not None
    sealed = seal_field(tx.hall, joint.id, "extension", words)
    write(tx, joint, extension=given.to_json(), extension_sealed=sealed)
    tx.record(JointExtended(**named(joint), amount=given.more.amount, unit=given.more.unit.value, clock=given.names))
    move_clocks(tx, joint, cases)
    told = {"reasons": [words], "days": more["amount"], "clock": given.names, "joint": True}
    told |= {"approved_by": "本级人民政府负责人"}
    was = day(before) if not joint.provisional else None
    joint_papers.issue(tx, joint, "extension", previous_due_on=was, **told)
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
