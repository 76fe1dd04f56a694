"""Actions of the pickup window: the result arrives, is handed over against code or ID, or sent and signed for.

The hall to which a case went up may give its result out too (C12): `permitted` says whose case it is.
"""

from __future__ import annotations

import base64
import hmac
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app import privacy
from app.action import Transaction, visiting_action
from app.casework import papers
from app.casework.cases import change, checked, open_field, permitted, said, seal_field, set_alarm, wait
from app.casework.finish import stand_still
from app.casework.models import TO_COLLECT, Application, Case, CaseAlarm
from app.casework.queries import case_answer
from app.casework.rules.alarms import UNCLAIMED, UNSIGNED, Alarm
from app.casework.rules.clocks import read_limit
from app.casework.rules.ladder import Level
from app.casework.rules.shelves import next_free
from app.casework.rules.signature import read_signature
from app.casework.rules.states import CaseState, CaseStep
from app.casework.signals import forget_signals
from app.catalog.queries import courier_zones
from app.errors import Refusal
from app.events import CaseCameBack, CaseDelivered, CaseDispatched, CaseReady, CaseSigned
from app.hall.models import Hall
from app.now import SHANGHAI, iso, local_day
from app.words import clean, clean_id_number

AT_WINDOW, BY_COURIER = "window", "courier"
CAME_BACK = ("refused", "absent", "address", "other")  # why a parcel was not taken 退件原因
_BY_LABEL = "以快递面单所填地址为准"


def next_shelf(session: Session, hall: str) -> str:
    """The slot of this hall that the next result may be put in: the first in which none waits to be collected."""
    lying = (Case.handled_in == hall, Case.state == CaseState.READY, text(TO_COLLECT))
    return next_free({slot for slot in session.execute(select(Case.shelf).where(*lying)).scalars() if slot})


@visiting_action
def ready_case(tx: Transaction, *, case_id: int, shelf: str = "") -> dict[str, Any]:
    """The result lies at the pickup window 待领取, in the slot that was named or the next free one.

    A result that lies there already is only moved. Whoever does not collect it is reminded after three and seven working
    days; after ten the light of delivery is red (C13). Refuses case.illegal_step. Locks the hall. Tells CaseReady,
    NoticeIssued.
    """
    case, _ = checked(tx, case_id, CaseStep.READY)
    make_ready(tx, case, shelf)
    return case_answer(tx, case)


def make_ready(tx: Transaction, case: Case, shelf: str = "", *, place: str = "", paper: bool = True) -> None:
    """Part of an action: put the result on a shelf of the hall `place`, by default the actor's, which handles it then.

    Who was told of another hall's shelf is told of this one. Refuses case.illegal_step, auth.forbidden, bad words.
    """
    state, first = permitted(tx, case, CaseStep.READY), case.ready_at is None
    place = place or _here(tx, case)
    moved = place != case.handled_in
    slot = clean(shelf, "shelf", limit=20, empty=True) or (case.shelf if not moved else "") or free_slot(tx, place)
    change(tx, case, state=state, ready_at=case.ready_at or tx.at, shelf=slot or None, handled_in=place)
    if not (first or moved):
        return
    if first:
        _await_collection(tx, case)
        stand_still(tx, case)
    tx.record(CaseReady(**said(case)))
    if paper:
        _tell_where(tx, case)


def _await_collection(tx: Transaction, case: Case) -> None:
    for alarm, limit in UNCLAIMED.items():
        wait(tx, case, alarm, limit)


def _tell_where(tx: Transaction, case: Case) -> None:
    code, what = open_field(case, "codes")["pickup_code"], papers.documents(tx, case)[-1]["name"]
    told = {"pickup_code": code, "ready_at": iso(tx.at), "decided_at": iso(case.decided_at), "result_name": what}
    papers.issue(tx, case, "pickup", **told)


def await_delivery(tx: Transaction, case: Case) -> None:
    """Part of an action: what is decided reaches the applicant within the time that the case's rules set (C8)."""
    limit = case.guide["rules"]["delivery_limit"]
    if limit:
        wait(tx, case, Alarm.DELIVERY, read_limit(limit))


def _here(tx: Transaction, case: Case) -> str:
    """The hall in which the actor has the result in hand."""
    return tx.actor.hall or case.handled_in


def free_slot(tx: Transaction, hall: str) -> str:
    """The next slot, the shelf's hall held to the commit: results of other halls' cases come to the same shelf (C12)."""
    tx.execute(select(Hall.code).where(Hall.code == hall).with_for_update(key_share=True))
    return next_shelf(tx.session, hall)


@visiting_action
def hand_over(
    tx: Transaction,
    *,
    case_id: int,
    receiver: str,
    pickup_code: str | None = None,
    id_number: str | None = None,
    agent: Mapping[str, Any] | None = None,
    signature: str | None = None,
) -> dict[str, Any]:
    """Give the result to whoever shows the code or the applicant's ID; an agent also a letter of authority (C13).

    `signature` is what the receiver drew on the pad, a PNG as a data URL. Refuses case.illegal_step,
    case.receiver_mismatch, case.receiver_name, case.agent_letter, case.signature, bad words. Locks the hall. Tells
    CaseDelivered, NoticeIssued (送达回证).
    """
    case, _ = checked(tx, case_id, CaseStep.HAND_OVER)
    if not matches(case, pickup_code, id_number):
        raise Refusal("case.receiver_mismatch")
    give(tx, case, read_receiver(case, receiver, agent), signature=signature)
    return case_answer(tx, case)


def matches(case: Case, pickup_code: str | None, id_number: str | None) -> bool:
    """Whether the code is the case's, or the number that of its applicant's ID."""
    if pickup_code:
        index = privacy.blind_index("pickup", case.number + pickup_code)
        return hmac.compare_digest(index, case.pickup_hash)
    if id_number and case.applicant_key:
        return hmac.compare_digest(privacy.blind_index("id_number", id_number), case.applicant_key)
    return False


def read_receiver(of: Application, receiver: str, agent: Mapping[str, Any] | None) -> dict[str, Any]:
    """Who takes the result, cleaned: the applicant, or whoever stands for them.

    That is an organisation's representative, the agent named at receipt, or an `agent` with a letter of authority.
    Refuses case.receiver_name, case.agent_letter, person.bad_id, bad words.
    """
    who: dict[str, Any] = {"receiver": clean(receiver, "receiver", limit=60)}
    if agent is None:
        return who | _known(of, who["receiver"])
    if not str(agent.get("letter") or "").strip():
        raise Refusal("case.agent_letter")
    letter = clean(str(agent["letter"]), "letter", limit=100)
    who["agent"] = {"name": clean(str(agent.get("name") or receiver), "name"), "letter": letter}
    if agent.get("id_number"):
        who["agent"]["id_number"] = clean_id_number(str(agent["id_number"]))
    return who | {"relation": _by(letter)}


def _known(of: Application, name: str) -> dict[str, Any]:
    """What somebody of this name, known since the receipt, is to the applicant. Refuses case.receiver_name."""
    applicant, agent = open_field(of, "applicant"), open_field(of, "agent") or {}
    if _same(name, applicant["name"]):
        return {}
    if of.applicant_kind == "organisation" and _same(name, applicant.get("representative", "")):
        return {"relation": "法定代表人"}
    if _same(name, agent.get("name", "")):
        return {"agent": agent, "relation": _by(agent.get("letter"))}
    raise Refusal("case.receiver_name")


def _by(letter: str | None) -> str:
    return f"受托人（{letter}）" if letter else "受托人"


def _same(one: str, other: str) -> bool:
    """Whether two names are one, however they are spaced, dotted and bracketed."""
    written = [[c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum()] for name in (one, other)]
    return written[0] == written[1] != []


def give(
    tx: Transaction,
    case: Case,
    who: dict[str, Any],
    how: str = AT_WINDOW,
    *,
    signature: str | None = None,
    paper: bool = True,
) -> None:
    """Part of an action: the result is in the receiver's hands. Refuses case.illegal_step, auth.forbidden, case.signature."""
    state = permitted(tx, case, CaseStep.HAND_OVER)
    ink = drawn_signature(signature)
    drawn = seal_field(tx.hall, case.id, "signature", ink) if ink else None
    sealed = seal_field(tx.hall, case.id, "receiver", who)
    given = {"delivered_at": tx.at, "delivered_how": how, "receiver_sealed": sealed, "signature_sealed": drawn}
    change(tx, case, state=state, handled_in=_here(tx, case), **given)
    _claimed(tx, case)
    _delivered(tx, case)
    stand_still(tx, case)
    if paper:
        told = {"recipient_relation": who.get("relation"), "signature": ink, "place": _place(tx)}
        _serve(tx, case, "direct", who["receiver"], iso(tx.at), **told)


def _place(tx: Transaction) -> str:
    """Where a result is handed over, as the proof of service names it."""
    here = select(Hall.name_zh).where(Hall.code == (tx.actor.hall or tx.hall))
    return f"{tx.execute(here).scalar_one()}出件窗口"


def drawn_signature(signature: str | None) -> str | None:
    """The PNG of the pad in base64, None where nobody signed on it. Refuses case.signature."""
    try:
        return base64.b64encode(read_signature(signature)).decode() if signature else None
    except ValueError:
        raise Refusal("case.signature") from None


def _claimed(tx: Transaction, case: Case) -> None:
    for alarm in UNCLAIMED:
        set_alarm(tx, case, alarm, None)


def _delivered(tx: Transaction, case: Case) -> None:
    set_alarm(tx, case, Alarm.DELIVERY, None)
    tx.record(CaseDelivered(**said(case), how=case.delivered_how or AT_WINDOW))


def _serve(tx: Transaction, case: Case, mode: str, recipient: str, at: str | None, **more: Any) -> None:
    served = {"documents": papers.documents(tx, case), "mode": mode, "recipient": recipient, "served_at": at}
    papers.issue(tx, case, "service", **served, server_name=papers.name_of(tx) or None, **more)


@visiting_action
def dispatch_case(
    tx: Transaction,
    *,
    case_id: int,
    carrier: str,
    tracking_number: str,
    zone: str | None = None,
    address: str | None = None,
) -> dict[str, Any]:
    """Send the result by courier 邮寄, at the fee of its zone; it waits for the signed slip (`sign_delivery`).

    `address` is where it goes, else what the applicant chose at receipt. Refuses case.illegal_step, case.courier_zone,
    bad words. Locks the hall. Tells CaseDispatched, NoticeIssued.
    """
    case, state = checked(tx, case_id, CaseStep.DISPATCH)
    tariff = _zone(zone) if zone else None
    sent = {
        "carrier": clean(carrier, "carrier", limit=40),
        "tracking_number": clean(tracking_number, "tracking_number", limit=40),
    }
    chosen = open_field(case, "delivery") or {}
    address = clean(address or chosen.get("address") or "", "address", limit=200, empty=True)
    change(
        tx,
        case,
        state=state,
        handled_in=_here(tx, case),
        dispatched_at=tx.at,
        returned_at=None,
        delivered_how=BY_COURIER,
        courier={
            "carrier": sent["carrier"],
            "zone": tariff and tariff["code"],
            "fee_fen": tariff and tariff["fee_fen"],
        },
        receiver_sealed=seal_field(tx.hall, case.id, "receiver", {**sent, "address": address}),
    )
    _claimed(tx, case)
    _await_signature(tx, case)
    stand_still(tx, case)
    tx.record(CaseDispatched(**said(case)))
    applicant = open_field(case, "applicant")
    papers.issue(
        tx,
        case,
        "courier",
        **sent,
        receiver_name=chosen.get("name") or applicant["name"],
        receiver_address=address or _BY_LABEL,
        receiver_phone=chosen.get("phone") or applicant.get("phone"),
        documents=papers.documents(tx, case),
        zone=tariff and tariff["name"],
        courier_fee=tariff and _fee(tariff["fee_fen"]),
        dispatched_at=iso(tx.at),
    )
    return case_answer(tx, case)


def _await_signature(tx: Transaction, case: Case) -> None:
    """The time to deliver runs on; where it is over or there is none, the parcel's own begins."""
    waits = (CaseAlarm.hall == tx.hall, CaseAlarm.case_id == case.id, CaseAlarm.kind == Alarm.DELIVERY)
    if tx.execute(select(CaseAlarm.kind).where(*waits)).first() is None:
        forget_signals(tx, case, Level.DELIVERY)
        wait(tx, case, Alarm.DELIVERY, UNSIGNED)


def _zone(code: str) -> dict[str, Any]:
    for zone in courier_zones():
        if zone["code"] == code:
            return zone
    raise Refusal("case.courier_zone")


def _fee(fen: int | None) -> str:
    return "按承运人资费标准" if fen is None else f"{fen / 100:.2f} 元"


@visiting_action
def sign_delivery(tx: Transaction, *, case_id: int, receiver: str, signed_on: date | None = None) -> dict[str, Any]:
    """The courier's slip came back signed 签收: by whom, and on which day (today).

    Refuses case.illegal_step, case.not_dispatched (nothing was sent, or the slip is in already), case.sign_date (before
    it was sent, or after today), bad words. Locks the hall. Tells CaseSigned, CaseDelivered, NoticeIssued (送达回证).
    """
    case, state = checked(tx, case_id, CaseStep.SIGN)
    if case.dispatched_at is None or not case.under_way:
        raise Refusal("case.not_dispatched")
    day = signed_on or tx.day
    if not local_day(case.dispatched_at) <= day <= tx.day:
        raise Refusal("case.sign_date")
    signed_at = max(case.dispatched_at, min(tx.at, datetime.combine(day, time.max, SHANGHAI)))
    who = {**open_field(case, "receiver"), "receiver": clean(receiver, "receiver", limit=60)}
    sealed = seal_field(tx.hall, case.id, "receiver", who)
    change(tx, case, state=state, signed_at=signed_at, delivered_at=signed_at, receiver_sealed=sealed)
    tx.record(CaseSigned(**said(case)))
    _delivered(tx, case)
    _serve(tx, case, "post", who["receiver"], day.isoformat(), tracking_number=who["tracking_number"])
    return case_answer(tx, case)


@visiting_action
def come_back(tx: Transaction, *, case_id: int, reason: str, shelf: str = "") -> dict[str, Any]:
    """The courier brought the parcel back 退件: it lies on a shelf again, to be collected or sent anew.

    `reason` is one of CAME_BACK. The applicant is told and reminded anew; the time to deliver runs on. Refuses
    case.illegal_step, case.not_dispatched, request.invalid, bad words. Locks the hall. Tells CaseCameBack, NoticeIssued.
    """
    case, state = checked(tx, case_id, CaseStep.COME_BACK)
    if not case.under_way:
        raise Refusal("case.not_dispatched")
    if reason not in CAME_BACK:
        raise Refusal("request.invalid", detail="reason")
    place = _here(tx, case)
    slot = clean(shelf, "shelf", limit=20, empty=True) or free_slot(tx, place)
    lies = {"returned_at": tx.at, "ready_at": case.ready_at or case.dispatched_at, "shelf": slot, "handled_in": place}
    sent = {"dispatched_at": None, "delivered_how": None, "courier": None, "receiver_sealed": None}
    change(tx, case, state=state, **lies, **sent)
    forget_signals(tx, case, Level.DELIVERY)
    _await_collection(tx, case)
    tx.record(CaseCameBack(**said(case), reason=reason))
    _tell_where(tx, case)
    return case_answer(tx, case)
