"""What the console shows of the queue: my window and who waits for it, the visit there, whom I may take up again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import current_app, url_for
from flask_babel import lazy_gettext

from app import eventlog
from app.casework.inbox import cases_of_ticket
from app.catalog.queries import item_asked_for
from app.db import db
from app.events import Actor
from app.now import iso, local_day, now
from app.people.permissions import Permission
from app.queueing.appointment_models import Appointment
from app.queueing.choosing import choosable
from app.queueing.queries import (
    longest_wait_s,
    person_of,
    policy_of,
    queues_of_hall,
    set_aside,
    ticket_view,
    why_called,
    window_of_staff,
    windows_of_hall,
)
from app.queueing.rules.policy import Policy
from app.queueing.rules.reasons import AbandonReason, ChoiceReason, ParkReason, Place
from app.web import wording
from app.web.case_history import names_of
from app.web.desk import staff_of_hall
from app.web.forms import new_key
from app.web.record import told

_ = lazy_gettext

PAUSES = (_("午休"), _("会议"), _("交接"), _("设备故障"), _("临时离开"))
REASONS = {
    "park_reason": ParkReason,
    "abandon_reason": AbandonReason,
    "choice_reason": ChoiceReason,
    "place": Place,
}
LEDGER = "clerk.ledger"  # the page of one's own idle time


def columns() -> dict[str, Any]:
    """All of it, for the clerk who asks."""
    actor, hall = staff_of_hall()
    at = now()
    policy = policy_of(db.session(), hall, {})
    side = _side(actor, hall, at, policy)
    mine = side["mine"]
    visit = (
        _visit(hall, int(mine["ticket"]["id"].rsplit("-", 1)[1]), at) if mine and mine["ticket"] else {"ticket": None}
    )
    return {**side, **visit, "policy": policy, "key": new_key, "hall": hall, "at": at}


def _side(actor: Actor, hall: str, at: datetime, policy: Policy) -> dict[str, Any]:
    """The left column, and what the choices of the middle one need."""
    windows = windows_of_hall(hall)
    seat = window_of_staff(hall, actor.id)
    mine = next((window for window in windows if window["code"] == seat), None)
    served = mine["queues"] if mine else []
    kinds = {"comprehensive", "consult"} if actor.may(Permission.CASE_ACCEPT) else {"pickup"}
    queues = queues_of_hall(hall, at, waits_too=False)
    idle = bool(mine and mine["state"] == "open" and not mine["ticket"])
    return {
        "windows": windows,
        "seats": [window for window in windows if window["kind"] in kinds],
        "people": names_of({window["staff"] for window in windows if window["staff"]}),
        "lost": next((window for window in windows if not mine and window["taken_from"] == actor.name), None),
        "mine": mine,
        "queues": [queue for queue in queues if not mine or queue["code"] in served],
        "targets": queues,
        "longest": longest_wait_s(hall, at),
        "aside": _aside(hall, mine, at, policy),
        "pauses": PAUSES,
        "rests_until": _rests_until(mine, policy) if idle and policy.dispatch else None,
        "choice": choosable(hall, mine["code"], actor.name, at)
        if idle and actor.may(Permission.TICKET_CALL_ANY)
        else None,
        "reasons": {of: [(code.value, wording.word(code, of)) for code in codes] for of, codes in REASONS.items()},
        "ledger_href": url_for(LEDGER) if LEDGER in current_app.view_functions else "",
    }


def _aside(hall: str, mine: Mapping[str, Any] | None, at: datetime, policy: Policy) -> list[dict[str, Any]]:
    """Who may be taken up again at my window; `rang` once the reminder of a ticket that was set aside here has come."""
    if mine is None:
        return []
    since = at - timedelta(minutes=policy.restore_within_min)
    rows = set_aside(hall, local_day(at), mine["queues"], since)
    for row in rows:
        parked = row["state"] == "parked" and not row["deferred"]
        due = row["remind_at"] is None or row["remind_at"] <= (iso(at) or "")
        row["rang"] = parked and due and row["window"] == mine["code"]
    return sorted(rows, key=lambda row: not row["rang"])


def _rests_until(mine: Mapping[str, Any], policy: Policy) -> str | None:
    """When auto-dispatch may send somebody to this free window."""
    if not mine["free_since"]:
        return None
    return iso(datetime.fromisoformat(mine["free_since"]) + timedelta(seconds=policy.rest_s))


def _visit(hall: str, ticket_id: int, at: datetime) -> dict[str, Any]:
    """The middle column: the ticket at my window, why it was called, who came and for what, what has been so far."""
    view = ticket_view(hall, ticket_id, at, staff=True)
    calls = why_called(hall, ticket_id)
    return {
        "ticket": view,
        "ticket_id": ticket_id,
        "item": item_asked_for(view["item"]),
        "person": person_of(hall, ticket_id),
        "call": calls[-1] if calls else None,
        "cases": cases_of_ticket(hall, ticket_id),
        "slot_at": _slot(hall, view["appointment"]),
        "past": _past(hall, ticket_id),
    }


def _slot(hall: str, appointment: str | None) -> datetime | None:
    """For when the ticket's holder had an appointment."""
    if appointment is None:
        return None
    row = db.session.get(Appointment, (hall, int(appointment.rsplit("-", 1)[1])))
    return row.slot_at if row else None


def _past(hall: str, ticket_id: int) -> list[dict[str, Any]]:
    """The visit from the record: when, what happened, and for which item."""
    return [
        {"at": row.at, "told": told(row.event), "item": _item_name(getattr(row.event, "item", None))}
        for row in eventlog.read_subject(hall, f"ticket:{ticket_id}")
    ]


def _item_name(code: str | None) -> str:
    item = item_asked_for(code)
    return wording.named(item) if item else ""
