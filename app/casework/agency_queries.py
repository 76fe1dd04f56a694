"""Reading agency orders 代办: one order, the list with its lights. Nothing here writes."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app import eventlog, events, privacy
from app.action import Transaction
from app.casework.joint_models import AgencyOrder, AgencyStop
from app.casework.models import Case
from app.casework.rules.agency import LIMIT, OPEN, OrderState, legal_steps
from app.catalog.queries import item as guide_of
from app.db import db
from app.errors import Refusal
from app.hall.queries import schedule, schedule_named
from app.hall.rules.clock import Pause, Reckoning, reckon
from app.hall.rules.hours import Schedule
from app.hall.rules.lights import Light, light
from app.notices.queries import notices_of_case
from app.now import iso

PER_PAGE = 20
LISTED = sorted({*OPEN, OrderState.COMPLETED})  # what still asks for something; a completed one for its call-back


def find_order(number: str) -> tuple[str, int]:
    """(hall, id) of a printed number. Refuses agency.unknown."""
    query = select(AgencyOrder.hall, AgencyOrder.id).where(AgencyOrder.number == number.strip().upper())
    row = db.session.execute(query).one_or_none()
    if row is None:
        raise Refusal("agency.unknown")
    return row.hall, row.id


def seal_words(hall: str, order_id: int, column: str, value: Any) -> str:
    return privacy.seal(json.dumps(value, ensure_ascii=False), f"agency_orders.{column}|{hall}|{order_id}")


def open_words(order: AgencyOrder, column: str) -> Any:
    """What a sealed column of an order holds; None when it is empty."""
    sealed = getattr(order, f"{column}_sealed")
    context = f"agency_orders.{column}|{order.hall}|{order.id}"
    return None if sealed is None else json.loads(privacy.open_sealed(sealed, context))


def order_view(hall: str, order_id: int, at: datetime) -> dict[str, Any]:
    """All that staff see of an order, the principal masked. Refuses agency.unknown."""
    session = db.session()
    query = select(AgencyOrder).where(AgencyOrder.hall == hall, AgencyOrder.id == order_id)
    row = session.execute(query).scalar_one_or_none()
    if row is None:
        raise Refusal("agency.unknown")
    return _view(session, row, at)


def order_answer(tx: Transaction, order: AgencyOrder) -> dict[str, Any]:
    """What an action returns: the staff view as it will stand after the commit."""
    tx.write_record()
    tx.session.expire_all()
    return _view(tx.session, order, tx.at)


def reckoned(session: Session, order: AgencyOrder, at: datetime, calendar: Schedule) -> Reckoning | None:
    """Where the three working days stand at `at`, or at the end of the order; None before everything was handed over."""
    if order.started_at is None:
        return None
    pauses = [Pause(stop.from_at, stop.until_at) for stop in _stops(session, order)]
    ended = order.completed_at or order.ended_at
    return reckon(order.started_at, LIMIT, pauses, calendar, at=min(at, ended) if ended else at)


def _stops(session: Session, order: AgencyOrder) -> list[AgencyStop]:
    query = select(AgencyStop).where(AgencyStop.hall == order.hall, AgencyStop.order_id == order.id)
    return list(session.execute(query.order_by(AgencyStop.id)).scalars())


def calendar_of(session: Session, order: AgencyOrder, at: datetime) -> Schedule:
    """The schedule that the clock follows: the one that the printed day was counted with, or today's if that ends sooner.

    An order that is over keeps the one that it ended with (K6); a calendar that knew no day has printed none.
    """
    today = schedule(order.hall, session)
    if order.schedule_version is None:
        return today
    printed = schedule_named(order.hall, order.schedule_version, session)
    if order.completed_at or order.ended_at:
        return printed
    now, then = (reckoned(session, order, at, each) for each in (today, printed))
    if now is None or then is None or then.provisional:
        return today
    return today if now.due_at and (then.due_at is None or now.due_at < then.due_at) else printed


def _standing(session: Session, order: AgencyOrder, at: datetime) -> tuple[Reckoning | None, Light, bool]:
    """The clock, its light, and whether it is late; what was done at the due instant is in time."""
    ended, calendar = order.completed_at or order.ended_at, calendar_of(session, order, at)
    stand = reckoned(session, order, at, calendar)
    if stand is None:
        return None, Light.green, False
    judged_at = min(at, ended - timedelta(microseconds=1)) if ended else at
    return stand, light(stand, None, calendar, judged_at), stand.passed_by(judged_at)


def _line(session: Session, order: AgencyOrder, at: datetime) -> dict[str, Any]:
    stand, shown, late = _standing(session, order, at)
    guide = guide_of(order.item) if order.item else None
    return {
        "number": order.number,
        "hall": order.hall,
        "state": order.state,
        "beneficiary": order.beneficiary,
        "principal": privacy.mask_name(open_words(order, "principal")["name"]),
        "item": {"code": order.item, "name": guide["name"], "name_en": guide["name_en"]} if guide else None,
        "light": shown.value,
        "clock": {
            "limit": {"amount": LIMIT.amount, "unit": LIMIT.unit.value},
            "due_at": iso(stand.due_at) if stand else None,
            "remaining": stand.remaining if stand else LIMIT.size,
            "late": late,
            "stopped": bool(stand and stand.stopped),
            "running": order.state == OrderState.RUNNING,
            "provisional": bool(stand and stand.provisional),
        },
        "handled_by": order.handled_by,
        "ordered_at": iso(order.ordered_at),
        "accepted_at": iso(order.accepted_at),
        "started_at": iso(order.started_at),
        "completed_at": iso(order.completed_at),
        "called_back_at": iso(order.called_back_at),
        "satisfied": order.satisfied,
    }


def _view(session: Session, order: AgencyOrder, at: datetime) -> dict[str, Any]:
    principal, words = open_words(order, "principal"), open_words(order, "wish")
    case = select(Case.number).where(Case.hall == order.hall, Case.id == order.case_id)
    return {
        **_line(session, order, at),
        "principal": {
            "name": privacy.mask_name(principal["name"]),
            "id_number": privacy.mask_id(principal["id_number"]) if principal.get("id_number") else None,
            "phone": privacy.mask_phone(principal["phone"]) if principal.get("phone") else None,
        },
        "wish": words["wish"],
        "letter": words["letter"],
        "has_address": bool(words["address"]),
        "case": session.execute(case).scalar_one_or_none() if order.case_id else None,
        "result": open_words(order, "result"),
        "ended": open_words(order, "end"),
        "call_back": open_words(order, "call_back"),
        "stops": [
            {
                "from_at": iso(stop.from_at),
                "until_at": iso(stop.until_at),
                "reason": privacy.open_sealed(stop.reason_sealed, f"agency_stops.reason|{stop.hall}|{stop.id}"),
            }
            for stop in _stops(session, order)
        ],
        "history": _history(order),
        "notices": notices_of_case(order.hall, order.id),
        "steps": [step.value for step in legal_steps(OrderState(order.state))],
    }


def _history(order: AgencyOrder) -> list[dict[str, Any]]:
    rows = [
        *eventlog.read_subject(order.hall, f"agency:{order.id}"),
        *eventlog.read_subject(order.hall, f"case:{order.id}"),
    ]
    return [
        {"seq": row.seq, "kind": row.event.kind, "actor": row.actor, "at": iso(row.at), "body": _told(row.event)}
        for row in sorted(rows, key=lambda row: row.seq)
    ]


def _told(event: events.Event) -> dict[str, Any]:
    body = events.encode(event)
    hidden = ("agency", "number", *(["case"] if isinstance(event, events.NoticeIssued) else []))
    return {key: value for key, value in body.items() if key not in hidden}


def order_list(
    *, at: datetime, hall: str | None = None, state: str | None = None, page: int = 1, per_page: int = PER_PAGE
) -> dict[str, Any]:
    """Orders by their due instant, soonest first: those that still ask for something, or those of one state."""
    session = db.session()
    conditions: list[Any] = [AgencyOrder.state == state if state else AgencyOrder.state.in_(LISTED)]
    if hall:
        conditions.append(AgencyOrder.hall == hall)
    total = session.execute(select(func.count()).select_from(AgencyOrder).where(*conditions)).scalar_one()
    page = max(page, 1)
    order = [AgencyOrder.ordered_at.desc()] if state else [AgencyOrder.order_at, AgencyOrder.id]
    query = select(AgencyOrder).where(*conditions).order_by(*order).limit(per_page).offset((page - 1) * per_page)
    items = [_line(session, row, at) for row in session.execute(query).scalars()]
    return {"items": items, "total": total, "page": page, "pages": max(-(-total // per_page), 1)}
