"""Actions on agency orders 代办: somebody of the hall runs an errand for one who cannot come, in three working days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from app import privacy
from app.action import Transaction, action
from app.casework.agency_queries import calendar_of, open_words, order_answer, reckoned, seal_words
from app.casework.cases import NO_DUE, change, next_serial
from app.casework.joint_models import AgencyOrder, AgencyStop
from app.casework.models import Case
from app.casework.papers import limit_text, name_of
from app.casework.parties import agent_of
from app.casework.rules.agency import LIMIT, Beneficiary, OrderState, OrderStep, next_state
from app.catalog.queries import item as guide_of
from app.errors import Refusal
from app.events import (
    AgencyAccepted,
    AgencyCalledBack,
    AgencyCancelled,
    AgencyCompleted,
    AgencyInterrupted,
    AgencyOrdered,
    AgencyResumed,
    AgencyStarted,
    FieldRevealed,
)
from app.hall.models import Hall
from app.hall.settings import keep_schedule
from app.notices.issue import issue_notice
from app.now import iso, local
from app.people.permissions import Permission
from app.privacy import REASONS
from app.words import clean

NAMES = {
    Beneficiary.ELDERLY: "老年人",
    Beneficiary.DISABLED: "残疾人",
    Beneficiary.SICK: "病人",
    Beneficiary.WEAK: "行动不便者",
    Beneficiary.ORPHANED: "孤寡老人、留守儿童",
    Beneficiary.OTHER: "其他不便到场者",
}
FREE = "代办不收取任何费用；事项本身依法收取的费用由委托人承担"


@action
def order_errand(
    tx: Transaction,
    *,
    beneficiary: str,
    principal: Mapping[str, Any],
    wish: str,
    letter: str = "",
    item: str | None = None,
    address: str = "",
) -> dict[str, Any]:
    """Take an order 委托: whom it is for, what is wanted, what the helper may do; free of charge.

    Refuses auth.forbidden, agency.beneficiary, item.unknown, text.empty and other bad words. Locks the hall. Tells
    AgencyOrdered, NoticeIssued (代办委托书).
    """
    _may(tx)
    if beneficiary not in set(Beneficiary):
        raise Refusal("agency.beneficiary")
    person = agent_of(principal)
    guide = guide_of(item, on=tx.day) if item else None
    words = {
        "wish": clean(wish, "wish", limit=300, lines=True),
        "letter": clean(letter, "letter", limit=100, empty=True),
        "address": clean(address, "address", limit=100, empty=True),
    }
    prefix = tx.execute(select(Hall.case_prefix).where(Hall.code == tx.hall)).scalar_one()
    order_id = tx.new_id()
    order = AgencyOrder(
        hall=tx.hall,
        id=order_id,
        number=f"{prefix}DB{tx.day:%Y%m%d}{next_serial(tx, 'agency'):04d}",
        state=OrderState.ORDERED,
        beneficiary=beneficiary,
        principal_key=privacy.blind_index("id_number", person["id_number"]) if person.get("id_number") else None,
        principal_sealed=seal_words(tx.hall, order_id, "principal", person),
        wish_sealed=seal_words(tx.hall, order_id, "wish", words),
        item=item,
        ordered_by=tx.actor.name,
        ordered_at=tx.at,
        order_at=NO_DUE,
    )
    tx.session.add(order)
    tx.session.flush()
    tx.record(AgencyOrdered(**_said(order), item=item))
    tasks = [words["wish"], *([f"事项：{guide['name']}"] if guide else [])]
    authority = ["代为提交材料、领取结果", *([words["letter"]] if words["letter"] else [])]
    _paper(tx, order, "order", tasks=tasks, authority=authority)
    return order_answer(tx, order)


@action
def accept_order(tx: Transaction, *, order_id: int, complete: bool = False) -> dict[str, Any]:
    """Take the order on 受理; with `complete` everything needed was handed over, so that the clock starts at once.

    Refuses agency.unknown, agency.illegal_step, auth.forbidden. Locks the hall. Tells AgencyAccepted, AgencyStarted,
    NoticeIssued (代办受理单).
    """
    order = _checked(tx, order_id, OrderStep.ACCEPT)
    _write(tx, order, accepted_at=tx.at, handled_by=tx.actor.name)
    tx.record(AgencyAccepted(**_said(order)))
    if complete:
        _start(tx, order)
    _paper(tx, order, "acceptance")
    return order_answer(tx, order)


@action
def start_order(tx: Transaction, *, order_id: int) -> dict[str, Any]:
    """Everything needed was handed over now: three working days run from today.

    Refuses agency.unknown, agency.illegal_step, auth.forbidden. Locks the hall. Tells AgencyStarted, NoticeIssued (the
    acceptance again, with its day).
    """
    order = _load(tx, order_id)
    _may(tx)
    _start(tx, order)
    _paper(tx, order, "acceptance")
    return order_answer(tx, order)


def _start(tx: Transaction, order: AgencyOrder) -> None:
    _write(tx, order, state=_to(order, OrderStep.START), started_at=tx.at)
    _move_clock(tx, order)
    tx.record(AgencyStarted(**_said(order), due_at=iso(order.due_at)))


@action
def interrupt_order(tx: Transaction, *, order_id: int, reason: str) -> dict[str, Any]:
    """Stop 中止 with a reason that the principal is told; the clock stands still.

    Refuses agency.unknown, agency.illegal_step, auth.forbidden, case.reason_required, bad words. Locks the hall. Tells
    AgencyInterrupted, NoticeIssued (代办中止单).
    """
    words = _reason(reason)
    order = _checked(tx, order_id, OrderStep.INTERRUPT)
    stop_id = tx.new_id()
    row = {"hall": tx.hall, "id": stop_id, "order_id": order.id, "from_at": tx.at, "until_at": None}
    sealed = privacy.seal(words, f"agency_stops.reason|{tx.hall}|{stop_id}")
    tx.execute(insert(AgencyStop), {**row, "reason_sealed": sealed})
    _move_clock(tx, order)
    tx.record(AgencyInterrupted(**_said(order)))
    _paper(tx, order, "interruption", reasons=[words], stopped_at=iso(tx.at))
    return order_answer(tx, order)


@action
def resume_order(tx: Transaction, *, order_id: int) -> dict[str, Any]:
    """Go on 续办. Refuses agency.unknown, agency.illegal_step, auth.forbidden. Locks the hall. Tells AgencyResumed,
    NoticeIssued (the acceptance again, with its new day)."""
    order = _checked(tx, order_id, OrderStep.RESUME)
    _end_stop(tx, order)
    _move_clock(tx, order)
    tx.record(AgencyResumed(**_said(order), due_at=iso(order.due_at)))
    _paper(tx, order, "acceptance")
    return order_answer(tx, order)


@action
def complete_order(
    tx: Transaction, *, order_id: int, result: str = "", case_number: str | None = None
) -> dict[str, Any]:
    """Done 办结: what came of it was handed over, or the case that it became is named and linked.

    Refuses agency.unknown, agency.illegal_step, auth.forbidden, agency.result_required, case.unknown (in this hall),
    agency.foreign_case (of another errand, or for somebody else than the principal), bad words. Locks the hall. Tells AgencyCompleted, NoticeIssued (代办办结单).
    """
    order = _checked(tx, order_id, OrderStep.COMPLETE)
    words = clean(result, "result", limit=300, lines=True, empty=True)
    if not words and not case_number:
        raise Refusal("agency.result_required")
    case = _linked(tx, order, case_number) if case_number else None
    _move_clock(tx, order)
    _write(
        tx,
        order,
        completed_at=tx.at,
        case_id=case.id if case else None,
        result_sealed=seal_words(tx.hall, order.id, "result", words) if words else None,
    )
    in_time = order.due_at is None or tx.at <= order.due_at
    tx.record(AgencyCompleted(**_said(order), case=case.number if case else None, in_time=in_time))
    told = words or f"已代为提交申请，办件编号 {case.number if case else ''}"
    _paper(tx, order, "completion", result=told, completed_at=iso(tx.at), case_number=case.number if case else None)
    return order_answer(tx, order)


def _linked(tx: Transaction, order: AgencyOrder, number: str) -> Case:
    query = select(Case).where(Case.hall == tx.hall, Case.number == number.strip().upper())
    case = tx.execute(query).scalar_one_or_none()
    if case is None:
        raise Refusal("case.unknown")
    people = {order.principal_key, case.applicant_key} - {None}
    if case.agency_id not in (None, order.id) or len(people) > 1:
        raise Refusal("agency.foreign_case", number=case.number)
    change(tx, case, agency_id=order.id)
    return case


@action
def call_back(tx: Transaction, *, order_id: int, satisfied: bool, note: str = "") -> dict[str, Any]:
    """Ask the principal afterwards 回访; the order is closed.

    Refuses agency.unknown, agency.illegal_step, auth.forbidden, bad words. Locks the hall. Tells AgencyCalledBack.
    """
    order = _checked(tx, order_id, OrderStep.CALL_BACK)
    words = clean(note, "note", limit=300, lines=True, empty=True)
    sealed = seal_words(tx.hall, order.id, "call_back", words) if words else None
    _write(tx, order, called_back_at=tx.at, satisfied=satisfied, call_back_sealed=sealed)
    tx.record(AgencyCalledBack(**_said(order), satisfied=satisfied))
    return order_answer(tx, order)


@action
def cancel_order(tx: Transaction, *, order_id: int, reason: str) -> dict[str, Any]:
    """End the order 终止 with nothing done, with the reason. Papers go back to the principal.

    Refuses agency.unknown, agency.illegal_step, auth.forbidden, case.reason_required, bad words. Locks the hall. Tells
    AgencyCancelled, NoticeIssued (代办办结单).
    """
    words = _reason(reason)
    order = _checked(tx, order_id, OrderStep.CANCEL)
    _end_stop(tx, order)
    _move_clock(tx, order)
    _write(tx, order, ended_at=tx.at, end_sealed=seal_words(tx.hall, order.id, "end", words))
    tx.record(AgencyCancelled(**_said(order)))
    _paper(tx, order, "completion", result=f"终止：{words}", completed_at=iso(tx.at))
    return order_answer(tx, order)


@action
def reveal_principal(tx: Transaction, *, order_id: int, reason: str) -> dict[str, Any]:
    """Whom to visit or call, in full; the look is recorded with its reason.

    Refuses agency.unknown, auth.forbidden, reveal.reason. Locks the hall. Tells FieldRevealed.
    """
    if reason not in REASONS:
        raise Refusal("reveal.reason")
    order = _load(tx, order_id)
    _may(tx)
    tx.look(FieldRevealed(of=f"agency:{order.id}", field="principal", reason=reason))
    principal, words = open_words(order, "principal"), open_words(order, "wish")
    return {
        "name": principal["name"],
        "id_number": principal.get("id_number"),
        "phone": principal.get("phone"),
        "address": words["address"] or None,
    }


# ── what they share ─────────────────────────────────────────────────────────────────────────────────────────────


def _may(tx: Transaction) -> None:
    if not tx.actor.may(Permission.AGENCY_HANDLE):
        raise Refusal("auth.forbidden")


def _load(tx: Transaction, order_id: int) -> AgencyOrder:
    query = select(AgencyOrder).where(AgencyOrder.hall == tx.hall, AgencyOrder.id == order_id)
    row = tx.execute(query).scalar_one_or_none()
    if row is None:
        raise Refusal("agency.unknown")
    return row


def _to(order: AgencyOrder, step: OrderStep) -> OrderState:
    state = next_state(OrderState(order.state), step)
    if state is None:
        raise Refusal("agency.illegal_step", number=order.number, state=order.state)
    return state


def _checked(tx: Transaction, order_id: int, step: OrderStep) -> AgencyOrder:
    """The order, in the state that the step leads to. Refuses agency.unknown, agency.illegal_step, auth.forbidden."""
    order = _load(tx, order_id)
    _may(tx)
    _write(tx, order, state=_to(order, step))
    return order


def _write(tx: Transaction, order: AgencyOrder, **values: Any) -> None:
    for name, value in values.items():
        setattr(order, name, value)
    tx.session.flush()


def _said(order: AgencyOrder) -> dict[str, Any]:
    return {"agency": order.id, "number": order.number}


def _reason(reason: str) -> str:
    if not reason.strip():
        raise Refusal("case.reason_required")
    return clean(reason, "reason", limit=300, lines=True)


def _end_stop(tx: Transaction, order: AgencyOrder) -> None:
    open_stop = (AgencyStop.hall == tx.hall, AgencyStop.order_id == order.id, AgencyStop.until_at.is_(None))
    tx.execute(update(AgencyStop).where(*open_stop).values(until_at=tx.at))
    tx.session.expire_all()


def _move_clock(tx: Transaction, order: AgencyOrder) -> None:
    """The due instant after a step, or before the last one; no new calendar puts off what was printed (C14)."""
    calendar = calendar_of(tx.session, order, tx.at)
    stand = reckoned(tx.session, order, tx.at, calendar)
    due: datetime | None = stand.due_at if stand else None
    _write(tx, order, due_at=due, order_at=due or NO_DUE, schedule_version=keep_schedule(tx, calendar))


def tell_day(tx: Transaction, order: AgencyOrder) -> None:
    """Part of an action: the day of an order that began before its year was announced, on paper once it is known (K7)."""
    _move_clock(tx, order)
    if order.due_at is not None:
        _paper(tx, order, "acceptance")


def _paper(tx: Transaction, order: AgencyOrder, form: str, **more: Any) -> None:
    hall = tx.execute(select(Hall).where(Hall.code == tx.hall)).scalar_one()
    principal, words = open_words(order, "principal"), open_words(order, "wish")
    guide = guide_of(order.item, on=tx.day) if order.item else None
    facts = {
        "form": form,
        "hall_name": hall.name_zh,
        "hall_address": hall.address,
        "hall_phone": hall.phone,
        "order_number": order.number,
        "applicant_name": principal["name"],
        "applicant_id_masked": privacy.mask_id(principal["id_number"]) if principal.get("id_number") else None,
        "item_name": guide["name"] if guide else words["wish"][:60].replace("\n", " "),
        "item_code": order.item,
        "beneficiary": NAMES[Beneficiary(order.beneficiary)],
        "agent_name": name_of(tx) or None,
        "agent_phone": hall.phone,
        "ordered_at": iso(order.ordered_at),
        "accepted_at": iso(order.accepted_at),
        "limit": limit_text({"amount": LIMIT.amount, "unit": LIMIT.unit.value}),
        "due_on": local(order.due_at).date().isoformat() if order.due_at else None,
        "fee": FREE,
        "clerk_name": name_of(tx) or None,
        **more,
    }
    told = {key: value for key, value in facts.items() if value not in (None, "", [])}
    issue_notice(tx, kind="agency", facts=told, case_id=order.id)
