"""Telling the applicant once what is missing 一次性告知, and taking in what is brought 补正 (DOMAIN C2, C3, C6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import update

from app import privacy
from app.action import Transaction, visiting_action
from app.casework import licences, papers
from app.casework.cases import (
    change,
    end_stop,
    lacking_papers,
    load,
    material_states,
    papers_of,
    permitted,
    said,
    set_alarm,
    start_stop,
    stops_of,
    to_state,
    wait,
)
from app.casework.intake import all_in, day, is_told_late, sources
from app.casework.models import Case, CaseMaterial
from app.casework.moves import move_clocks
from app.casework.parts import SUPPLEMENT, asking_review, await_taking, times_asked
from app.casework.pledges import fill_gap, may_follow
from app.casework.pre_review import await_sending_up, end_pre_review
from app.casework.queries import case_answer
from app.casework.rules.alarms import Alarm
from app.casework.rules.clocks import read_limit
from app.casework.rules.materials import HERE, MaterialState, settles
from app.casework.rules.states import DECIDING, INTAKE, CaseState, CaseStep
from app.casework.steps import question_open
from app.errors import Refusal
from app.events import CaseResumed, CaseSuspended, SupplementReceived, SupplementRequested
from app.now import iso
from app.people.permissions import Permission
from app.words import clean

NOT_BROUGHT = "未提交"
DEFECTS = ("incomplete", "form")  # 不齐全, 不符合法定形式


@visiting_action
def request_supplement(
    tx: Transaction, *, case_id: int, items: Sequence[Mapping[str, Any]], repeat_reason: str = ""
) -> dict[str, Any]:
    """Tell the applicant once, in writing, everything that is missing (C2).

    In review each deciding department asks once, and stops the promised clock only (C6). Whoever may override repeats
    it, with a reason. Refuses case.illegal_step, case.nothing_missing, case.material_unknown, case.told_late,
    case.second_notice (without case:override), case.reason_required, auth.foreign_department. Locks the hall. Tells
    SupplementRequested, NoticeIssued; in review CaseSuspended, ClocksMoved.
    """
    case = load(tx, case_id)
    ask(tx, case, items, repeat_reason=repeat_reason)
    return case_answer(tx, case)


def ask(
    tx: Transaction,
    case: Case,
    items: Sequence[Mapping[str, Any]],
    *,
    repeat_reason: str = "",
    paper: bool = True,
) -> list[str]:
    """Part of an action: the notice itself; answers the codes that were asked for.

    Each item is {code, problem, defect}. At intake every other required paper that is missing is added: what this
    notice does not name may not be asked for later. Refuses as `request_supplement` does.
    """
    state = permitted(tx, case, CaseStep.REQUEST_SUPPLEMENT)
    if not items:
        raise Refusal("case.nothing_missing")
    at_intake = CaseState(case.state) in INTAKE
    if at_intake and is_told_late(case, tx.at):
        raise Refusal("case.told_late")
    department = "" if at_intake else asking_review(tx, case).department
    notices = case.supplement_notices if at_intake else times_asked(stops_of(tx.session, tx.hall, case.id), department)
    if notices and not tx.actor.may(Permission.CASE_OVERRIDE):
        raise Refusal("case.second_notice")
    if notices and not repeat_reason.strip():
        raise Refusal("case.reason_required")
    asked = {str(item.get("code")): item for item in items}
    known = {paper.code for paper in papers_of(case.guide)}
    for code in asked:
        if code not in known:
            raise Refusal("case.material_unknown", code=code[:20])
    if at_intake:
        asked |= {paper.code: {"defect": "incomplete"} for paper in lacking_papers(tx, case) if paper.code not in asked}
    for code, item in asked.items():
        problem = clean(str(item.get("problem") or NOT_BROUGHT), "problem", limit=200, lines=True)
        sealed = privacy.seal(problem, f"case_materials.problem|{tx.hall}|{case.id}|{code}")
        set_material(tx, case, code, state=MaterialState.MISSING, requested=True, problem_sealed=sealed)
    tx.session.expire_all()
    most = max(case.review_notices, notices + 1)
    told = {"supplement_notices": notices + 1, "supplied_at": None} if at_intake else {"review_notices": most}
    change(tx, case, state=state, notice_due_at=None, **told)
    tx.record(SupplementRequested(**said(case), materials=tuple(asked), second=notices > 0))
    set_alarm(tx, case, Alarm.NOTICE, None)
    if not at_intake:
        set_alarm(tx, case, Alarm.STAGE, None)
        end_pre_review(tx, case)
        start_stop(tx, case, department, "promised", SUPPLEMENT, 0)
        tx.record(CaseSuspended(**said(case), ground=SUPPLEMENT, clock="promised", days=0))
        move_clocks(tx, case, "supplement requested")
    facts = _deadline(tx, case, at_intake=at_intake)
    if paper:
        lines = _lines(tx, case, asked, {code: item.get("defect") for code, item in asked.items()})
        reason = clean(repeat_reason, "repeat_reason", limit=500, lines=True, empty=True)
        facts |= {"materials": lines, "repeat_reason": reason if notices else None}
        if at_intake:
            papers.issue(tx, case, "supplement", **facts)
        else:
            papers.issue(tx, case, "review_supplement", from_at=iso(tx.at), **facts)
    return list(asked)


def _deadline(tx: Transaction, case: Case, *, at_intake: bool) -> dict[str, Any]:
    """Until when to bring it, as the regime has it; what follows is said only where something follows.

    A department that asks during its review may go on without an answer, so there nothing is deemed.
    """
    supplement = case.guide["rules"]["supplement"]
    if supplement["limit"] is None:
        set_alarm(tx, case, Alarm.SUPPLEMENT, None)
        return {}
    due_at = wait(tx, case, Alarm.SUPPLEMENT, read_limit(supplement["limit"]))
    within = f"请自收到本告知书之日起 {papers.limit_text(supplement['limit'])}内补正；" if due_at is None else ""
    withdrawn = f"{within}逾期未补正的，视为撤回申请（{'、'.join(sources(case, 'supplement'))}）。"
    deemed = at_intake and supplement["overdue"] == "deemed_withdrawn"
    return {
        "supplement_due_on": day(due_at),
        "consequence": withdrawn if deemed else None,
    }


@visiting_action
def supply(tx: Transaction, *, case_id: int, items: Sequence[Any]) -> dict[str, Any]:
    """Take supplements in, of a notice or of a tolerated gap. When nothing is missing any more, the case goes on (C3).

    After the decision only what was tolerated may still come, where the item was decided over the gap 容缺通过 (C4).
    Each item is a material's code or {code, state}. Refuses case.illegal_step, case.nothing_missing,
    case.material_unknown. Locks the hall. Tells SupplementReceived, NoticeIssued and, when complete, CaseAccepted or
    CaseResumed.
    """
    case = load(tx, case_id)
    supply_to(tx, case, read_states(items))
    return case_answer(tx, case)


def read_states(items: Sequence[Any]) -> dict[str, str]:
    """What was brought, as code → state: received where none is said. Refuses case.nothing_missing for nothing."""
    if not items:
        raise Refusal("case.nothing_missing")
    given = [entry if isinstance(entry, Mapping) else {"code": entry} for entry in items]
    return {str(item.get("code")): str(item.get("state") or MaterialState.RECEIVED) for item in given}


def supply_to(tx: Transaction, case: Case, states: Mapping[str, str], *, paper: bool = True) -> bool:
    """Part of an action: take in what was brought; True when nothing is missing any more and the case has gone on.

    Refuses case.illegal_step, case.nothing_missing, case.material_unknown, request.invalid.
    """
    permitted(tx, case, CaseStep.SUPPLY)
    before = CaseState(case.state)
    if before not in INTAKE | DECIDING and not states.keys() <= may_follow(tx.session, case):
        raise Refusal("case.nothing_missing")
    bring(tx, case, states)
    licences.back(tx, case, [code for code, state in states.items() if state == MaterialState.SHARED])
    fill_gap(tx, case, states.keys())
    outstanding = _outstanding(tx, case)
    complete = not outstanding
    tx.record(SupplementReceived(**said(case), materials=tuple(sorted(states)), complete=complete))
    in_review = before is CaseState.REVIEW_CORRECTION
    number = papers.number_of(tx, case, "review_supplement" if in_review else "supplement")
    answered = {"supplied_at": iso(tx.at), "complete": complete, "supplement_number": number}
    resumed = {}
    if complete and in_review:
        set_alarm(tx, case, Alarm.SUPPLEMENT, None)
        change(tx, case, state=to_state(case, CaseStep.COMPLETE))
        tx.record(CaseResumed(**said(case), clock=end_stop(tx, case)))
        await_taking(tx, case)
        if tx.actor.hall in (None, case.handled_in):  # what was handed in above is there already
            await_sending_up(tx, case)
        move_clocks(tx, case, "supplemented")
        resumed = {"resumed_at": iso(tx.at)}
    if paper:
        kind = "review_supplement_receipt" if in_review else "supplement_receipt"
        brought, left = _lines(tx, case, states), _lines(tx, case, outstanding)
        held = (before is CaseState.CORRECTION and question_open(case)) or None  # it waits for the chief's answer
        papers.issue(tx, case, kind, materials=brought, outstanding=left or None, held=held, **answered, **resumed)
    if complete and before is CaseState.CORRECTION:
        all_in(tx, case, paper=paper)
    return complete


def bring(tx: Transaction, case: Case, states: Mapping[str, str]) -> None:
    """Part of an action: keep what became of these materials; what is required is brought or shared, nothing else.

    Refuses case.material_unknown, request.invalid.
    """
    required = {paper.code: paper.required for paper in papers_of(case.guide)}
    for code, state in states.items():
        if code not in required:
            raise Refusal("case.material_unknown", code=code[:20])
        if not settles(state, required=required[code]):
            raise Refusal("request.invalid", detail="items.state")
        set_material(tx, case, code, state=state)
    tx.session.expire_all()


def _outstanding(tx: Transaction, case: Case) -> list[str]:
    """What the applicant still has to bring: what was asked for, at intake all that is required, later what may follow."""
    if case.state not in (*INTAKE, CaseState.REVIEW_CORRECTION):
        return sorted(may_follow(tx.session, case))
    rows = material_states(tx.session, tx.hall, case.id)
    asked = {code for code, row in rows.items() if row.requested and row.state not in HERE}
    if case.state in INTAKE:  # in review a department asks for its own papers; a gap has its own day
        asked |= {paper.code for paper in lacking_papers(tx, case)}
    return sorted(asked)


def _lines(
    tx: Transaction, case: Case, codes: Iterable[str], defects: Mapping[str, str | None] | None = None
) -> list[dict[str, Any]]:
    """The lines of these materials in the order of the guide."""
    wanted, defects = set(codes), defects or {}
    order = [material["code"] for material in case.guide["materials"] if material["code"] in wanted]
    return [line | {"defect": defects.get(code)} for code in order for line in papers.materials(tx, case, {code})]


def set_material(tx: Transaction, case: Case, code: str, **values: Any) -> None:
    """Part of an action: write columns of one material; the caller expires what is loaded."""
    one = (CaseMaterial.hall == tx.hall, CaseMaterial.case_id == case.id, CaseMaterial.code == code)
    tx.execute(update(CaseMaterial).where(*one).values(values))
