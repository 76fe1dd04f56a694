"""At the accepting window: receive, accept, ask the chief representative, withdraw (C1–C4, C10).

The parts without @action are steps inside other actions: a joint case takes in, accepts and ends its children.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from app.action import Transaction, action, visiting_action
from app.casework import licences, papers
from app.casework.application import enter
from app.casework.cases import (
    add_review,
    change,
    checked,
    clear_alarms,
    end_stop,
    lacking_papers,
    next_serial,
    open_field,
    papers_of,
    said,
    seal_field,
    set_alarm,
    to_state,
    wait,
)
from app.casework.models import Case, CaseMaterial
from app.casework.moves import move_clocks
from app.casework.parts import await_taking, close_parts
from app.casework.pledges import close_gap, commit, gap_limit, tolerate
from app.casework.pre_review import await_sending_up
from app.casework.queries import case_answer
from app.casework.rules.alarms import Alarm
from app.casework.rules.clocks import read_limit
from app.casework.rules.materials import MaterialState
from app.casework.rules.states import INTAKE, TAB_OF, CaseState, CaseStep
from app.casework.steps import question_open
from app.catalog.queries import item as guide_of
from app.catalog.rules.classes import TimeClass
from app.errors import Refusal
from app.events import (
    CaseAccepted,
    CaseCollected,
    CaseReceived,
    CaseRouted,
    CaseWithdrawn,
    NoRequestAnswered,
    NoRequestRaised,
)
from app.now import due_day, iso
from app.words import clean

NO_REQUESTS = ("out_of_scope", "conditions_unmet", "materials_short", "grey_area")
LAPSED = "lapsed"  # of a no-request: nobody answered in time, so the case is accepted


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
    case = take_in(
        tx,
        item=item,
        applicant=applicant,
        materials=materials,
        ticket_id=ticket_id,
        agent=agent,
        delivery=delivery,
        window=window,
    )
    papers.issue(tx, case, "receipt")
    return case_answer(tx, case) | open_field(case, "codes")


def take_in(
    tx: Transaction,
    *,
    item: str,
    applicant: Mapping[str, Any],
    materials: Sequence[Mapping[str, Any]] = (),
    guide: dict[str, Any] | None = None,
    agent: Mapping[str, Any] | None = None,
    delivery: Mapping[str, Any] | None = None,
    ticket_id: int | None = None,
    window: str | None = None,
    joint_id: int | None = None,
    agency_id: int | None = None,
    collected: bool = False,
) -> Case:
    """Part of an action: enter a case, received or (`collected`) taken in at a point that may not receive 代收.

    `guide` is frozen in place of today's guide of the item. Refuses as `receive_case` does.
    """
    guide = guide or guide_of(item, on=tx.day)
    entered = enter(
        tx,
        kind="case",
        guide=guide,
        applicant=applicant,
        agent=agent,
        delivery=delivery,
        ticket_id=ticket_id,
        window=window,
    )
    known = {paper.code for paper in papers_of(guide)}
    states = given_states(materials, known)
    state = CaseState.DRAFT if collected else CaseState.RECEIVED
    case = Case(
        **entered.columns,
        item=item,
        state=state,
        tab=TAB_OF[state],
        joint_id=joint_id,
        agency_id=agency_id,
        collected_at=tx.at if collected else None,
        received_at=None if collected else tx.at,
    )
    tx.session.add(case)
    tx.session.flush()
    rows = [
        {"hall": tx.hall, "case_id": case.id, "code": code, "state": states.get(code, "missing"), "requested": False}
        for code in sorted(known)
    ]
    if rows:
        tx.execute(insert(CaseMaterial), rows)
    if collected:
        tx.record(CaseCollected(**said(case), item=item))
    else:
        tx.record(CaseReceived(**said(case), item=item, window=window, ticket=ticket_id))
        await_notice(tx, case)
    licences.back(tx, case, [code for code, state in states.items() if state == MaterialState.SHARED])
    return case


def register(tx: Transaction, case: Case) -> None:
    """Part of an action: what was collected below is received now, where its papers have arrived (C12)."""
    change(tx, case, state=to_state(case, CaseStep.RECEIVE), received_at=tx.at, received_by=tx.actor.id)
    tx.record(CaseReceived(**said(case), item=case.item, window=case.window, ticket=case.ticket_id))
    await_notice(tx, case)


def await_notice(tx: Transaction, case: Case) -> None:
    """Part of an action: until when the applicant must have been told what is missing, as the regime has it.

    It counts from the receipt, or from the day on which all that was asked for is in and only an answer is awaited.
    """
    rules = case.guide["rules"]
    if rules["notice_limit"] is None:
        return
    limit, next_day = read_limit(rules["notice_limit"]), rules["receipt_next_day"]
    start = case.supplied_at or case.received_at
    change(tx, case, notice_due_at=wait(tx, case, Alarm.NOTICE, limit, start, next_day=next_day))


def given_states(materials: Sequence[Mapping[str, Any]], known: set[str]) -> dict[str, str]:
    """The states that were given, by code. Refuses case.material_unknown, request.invalid."""
    states = {}
    for material in materials:
        code, state = material.get("code"), material.get("state", MaterialState.RECEIVED)
        if code not in known:
            raise Refusal("case.material_unknown", code=str(code)[:20])
        if state not in set(MaterialState):
            raise Refusal("request.invalid", detail="materials.state")
        states[code] = str(state)
    return states


@visiting_action
def accept_case(
    tx: Transaction,
    *,
    case_id: int,
    tolerant: Mapping[str, Any] | None = None,
    commitment: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Accept 受理: both clocks start, by the regime today or at the receipt, and the departments get the case.

    With `tolerant` {commitment, gap_limit (working days)} secondary papers may follow (C4); with `commitment` {text}
    the applicant's word stands in for them, where the item offers that. Past the time to tell what is missing it is an
    acceptance as of the receipt (行政许可法 §32). Refuses case.illegal_step, case.no_request_open,
    case.materials_missing, case.tolerant_main, case.tolerant_commitment, case.tolerant_gap, case.not_on_commitment,
    case.commitment_required. Locks the hall. Tells CaseAccepted, CaseRouted, ClocksMoved, NoticeIssued.
    """
    case, _ = checked(tx, case_id, CaseStep.ACCEPT)
    step = CaseStep.DEEM_ACCEPT if is_told_late(case, tx.at) else CaseStep.ACCEPT
    ready_to_accept(tx, case, step, tolerant=tolerant, commitment=commitment)
    accept(tx, case, step)
    return case_answer(tx, case)


def ready_to_accept(
    tx: Transaction,
    case: Case,
    step: CaseStep = CaseStep.ACCEPT,
    *,
    tolerant: Mapping[str, Any] | None = None,
    commitment: Mapping[str, Any] | None = None,
) -> None:
    """Part of an action: see that nothing stands against an acceptance by `step`; the applicant's word is kept.

    Refuses as `accept_case` does.
    """
    if question_open(case):
        raise Refusal("case.no_request_open")
    lacking = lacking_papers(tx, case)
    if commitment is not None:
        commit(tx, case, lacking, commitment)
    elif lacking and tolerant is not None:
        tolerate(tx, case, lacking, tolerant, _day_zero(tx, case, step))
    elif lacking:
        raise Refusal("case.materials_missing", names="、".join(paper.name for paper in lacking))


def is_told_late(case: Case, at: datetime) -> bool:
    """Whether the law has already accepted the case: nobody told in time what was missing, or said no."""
    deems = case.guide["rules"]["not_notified"] == "deemed_accepted"
    return deems and case.state in INTAKE and case.notice_due_at is not None and case.notice_due_at <= at


def all_in(tx: Transaction, case: Case, *, paper: bool = True) -> None:
    """Part of an action: all that was asked for is in, so the case is accepted as of today (C3).

    While a no-request waits for its answer so does the case, but no longer than a window may take to tell (C10).
    """
    set_alarm(tx, case, Alarm.SUPPLEMENT, None)
    first = case.supplied_at is None
    change(tx, case, supplied_at=case.supplied_at or tx.at)
    if not question_open(case):
        accept(tx, case, CaseStep.COMPLETE, paper=paper)
    elif first:
        await_notice(tx, case)


def accept(tx: Transaction, case: Case, step: CaseStep = CaseStep.ACCEPT, *, paper: bool = True) -> None:
    """Part of an action: the acceptance itself; DEEM_ACCEPT and COMPLETE follow by themselves from what happened.

    A no-request that nobody has answered is answered by it.
    """
    deemed = step is CaseStep.DEEM_ACCEPT
    if question_open(case):
        change(tx, case, no_request_answer=LAPSED)
        tx.record(NoRequestAnswered(**said(case), answer=LAPSED))
    change(
        tx,
        case,
        state=to_state(case, step),
        acceptance_number=f"{case.number[:2]}SL{tx.day:%Y%m%d}{next_serial(tx, 'acceptance'):04d}",
        accepted_at=tx.at,
        accepted_by=tx.actor.id,
        clock_from_at=_day_zero(tx, case, step),
        deemed_accepted=deemed,
        notice_due_at=None,
    )
    set_alarm(tx, case, Alarm.NOTICE, None)
    set_alarm(tx, case, Alarm.SUPPLEMENT, None)
    tx.record(
        CaseAccepted(**said(case), acceptance_number=case.acceptance_number, tolerant=case.tolerant, deemed=deemed)
    )
    departments, routing = case.guide["departments"], case.guide["routing"]
    for position, department in enumerate(departments):
        add_review(tx, case, department, position, "open" if position == 0 or routing == "parallel" else "waiting")
    tx.record(CaseRouted(**said(case), departments=tuple(departments), routing=routing))
    await_taking(tx, case)
    await_sending_up(tx, case, case.clock_from_at)
    move_clocks(tx, case, "accepted")
    if paper:
        _issue_acceptance(tx, case, deemed=deemed)


def _day_zero(tx: Transaction, case: Case, step: CaseStep) -> datetime:
    """From when the limits count: receipt or acceptance, by the regime; anew from a supplement where it says so."""
    rules = case.guide["rules"]
    restarted = step is CaseStep.COMPLETE and rules["supplement"]["restart"]
    at_receipt = step is CaseStep.DEEM_ACCEPT or (rules["day_zero"] == "receipt" and not restarted)
    return (case.received_at if at_receipt else case.supplied_at) or tx.at


def _issue_acceptance(tx: Transaction, case: Case, *, deemed: bool) -> None:
    """The applicant's slip. Who waits for an instant item gets one slip with the result (《安阳市政务服务条例》§36)."""
    if case.on_commitment:
        offered = case.guide["commitment"]
        within = f"{papers.limit_text(offered['check_within'])}内"
        words = {"conditions": offered["conditions"], "check_limit": within, "committed_at": iso(tx.at)}
        papers.issue(tx, case, "commitment", **words)
    as_of = {"accepted_at": iso(case.received_at)} if deemed else {}  # the law dates it back to the receipt
    if case.tolerant:
        gaps = [line for line in papers.materials(tx, case) if line["state"] == "tolerated"]
        agreed = {"gaps": gaps, "gap_limit": papers.limit_text(gap_limit(tx, case)), "gap_due_on": day(case.gap_due_at)}
        word = {"commitment": open_field(case, "commitment"), "consequence": gap_consequence(case)}
        papers.issue(tx, case, "tolerant_acceptance", deemed=deemed, **as_of, **agreed, **word)
    elif deemed or case.guide["time_class"] != TimeClass.INSTANT:
        papers.issue(tx, case, "acceptance", deemed=deemed, **as_of)
    papers.issue_fee(tx, case)


def day(at: datetime | None) -> str | None:
    """The local day of a due instant, as papers are told it."""
    return due_day(at).isoformat() if at else None


def sources(case: Case, rule: str) -> list[str]:
    """The laws that carry a rule of the case's regime: 《安阳市政务服务条例》第三十六条."""
    carrying = [source for source in case.guide["rules"]["sources"] if rule in source["rule"]]
    laws = [source for source in carrying if source["mark"] == "L"]
    return [papers.basis_text(source) for source in laws or carrying]


def gap_consequence(case: Case) -> str | None:
    """What follows when a tolerated paper does not come in; nothing after a decision, or where the regime is silent."""
    if case.guide["rules"]["gap_overdue"] != "deemed_withdrawn" or case.decided_at is not None:
        return None
    before = "作出决定前" if case.guide["gap_pass"] else ""
    return f"{before}逾期未补齐的，视为撤回申请（{'、'.join(sources(case, 'gap_overdue'))}）。"


@visiting_action
def raise_no_request(tx: Transaction, *, case_id: int, kind: str, reason: str) -> dict[str, Any]:
    """Ask the chief representative whether the case may be refused at the window: a window itself cannot say no (C10).

    Refuses case.illegal_step, case.no_request_kind, case.no_request_open, case.reason_required. Locks the hall. Tells
    NoRequestRaised.
    """
    case, _ = checked(tx, case_id, CaseStep.NO_REQUEST)
    if kind not in NO_REQUESTS:
        raise Refusal("case.no_request_kind")
    if not reason.strip():
        raise Refusal("case.reason_required")
    if question_open(case):
        raise Refusal("case.no_request_open")
    reason = clean(reason, "reason", limit=500, lines=True)
    sealed = seal_field(tx.hall, case.id, "no_request", {"reason": reason, "by": tx.actor.name})
    change(tx, case, no_request_kind=kind, no_request_answer=None, no_request_sealed=sealed)
    tx.record(NoRequestRaised(**said(case), ground=kind))
    return case_answer(tx, case)


@visiting_action
def withdraw_case(tx: Transaction, *, case_id: int) -> dict[str, Any]:
    """The applicant takes the application back 撤回 and gets a slip. Refuses case.illegal_step. Locks the hall.

    Tells CaseWithdrawn, NoticeIssued.
    """
    case, _ = checked(tx, case_id, CaseStep.WITHDRAW)
    withdraw(tx, case)
    return case_answer(tx, case)


def withdraw(tx: Transaction, case: Case, *, paper: bool = True) -> None:
    """Part of an action: the case is over because the applicant says so."""
    _end(tx, case, CaseStep.WITHDRAW)
    if paper:
        papers.issue(tx, case, "withdrawal", withdrawn_at=iso(tx.at), deemed=False)


def give_up(tx: Transaction, case: Case, rule: str, due_at: datetime, *, paper: bool = True) -> None:
    """Part of an action: the case counts as withdrawn 视为撤回, for nothing came in by `due_at`.

    The rule of its regime by which it does: supplement or gap_overdue.
    """
    _end(tx, case, CaseStep.DEEM_WITHDRAW)
    if paper:
        papers.issue(
            tx,
            case,
            "withdrawal",
            withdrawn_at=iso(tx.at),
            deemed=True,
            reasons=["逾期未补齐容缺材料" if rule == "gap_overdue" else "逾期未补正申请材料"],
            legal_basis=sources(case, rule),
            supplement_due_on=day(due_at),
        )


def _end(tx: Transaction, case: Case, step: CaseStep) -> None:
    end_stop(tx, case)
    close_gap(tx, case)
    clear_alarms(tx, case)
    close_parts(tx, case)
    change(tx, case, state=to_state(case, step), decided_at=tx.at, notice_due_at=None)
    tx.record(CaseWithdrawn(**said(case), deemed=step is CaseStep.DEEM_WITHDRAW))
    move_clocks(tx, case, "withdrawn")
