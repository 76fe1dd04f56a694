"""Changing a hall's rules of appointments 预约规则."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from app.action import Transaction, action
from app.errors import Refusal
from app.events import AppointmentRulesChanged
from app.hall.models import Hall
from app.queueing.appointment_models import Appointment
from app.queueing.appointment_queries import rules_digest, rules_of
from app.queueing.appointments import move_up
from app.queueing.models import Queue
from app.queueing.rules.appointments import AppointmentState, RulesInvalid, read_rules, write_rules

_of = Appointment.__table__.c


@action
def set_rules(tx: Transaction, *, rules: dict[str, Any], seen: str | None = None) -> dict[str, Any]:
    """Change when and how often people may book 预约规则, from now on; what is booked stays booked, and waiting lists move up
    where there is room now. `rules` are whole (what is left out is the default), `seen` the digest of those looked at.

    Refuses appointment_rules.invalid, .changed, .unchanged. Tells AppointmentRulesChanged, AppointmentPromoted. Locks the
    hall.
    """
    in_force = rules_of(tx.hall, tx.session)
    if seen not in (None, rules_digest(in_force)):
        raise Refusal("appointment_rules.changed")
    try:
        wanted = read_rules(rules)
    except RulesInvalid as invalid:
        raise Refusal("appointment_rules.invalid", field=invalid.field) from invalid
    known = set(tx.execute(select(Queue.code).where(Queue.hall == tx.hall)).scalars())
    unknown = sorted(set(wanted.by_queue) - known)
    if unknown:
        raise Refusal("appointment_rules.invalid", field=f"by_queue.{unknown[0]}")
    if wanted == in_force:
        raise Refusal("appointment_rules.unchanged")
    said = write_rules(wanted)
    settings = tx.execute(select(Hall.settings).where(Hall.code == tx.hall)).scalar_one()
    tx.execute(update(Hall).where(Hall.code == tx.hall).values(settings={**settings, "appointments": said}))
    tx.record(AppointmentRulesChanged(rules=said))
    waited = select(_of.queue, _of.slot_at).where(_of.hall == tx.hall, _of.state == AppointmentState.WAITLISTED)
    for queue, at in tx.execute(waited.distinct().order_by(_of.slot_at, _of.queue)).all():
        move_up(tx, queue, at, wanted)
    return {"rules": said, "seen": rules_digest(wanted)}
