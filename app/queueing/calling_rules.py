"""A hall's rules of calling as an admin sets them: those in force, those proposed, and the action that sets them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.action import Transaction, action
from app.db import canonical, db
from app.errors import Refusal
from app.events import PolicyChanged
from app.hall.models import Hall, Window
from app.now import iso
from app.queueing.models import Queue, Ticket, WindowQueue
from app.queueing.replay import day_of
from app.queueing.rules.effect import effect, ruled
from app.queueing.rules.policy import Policy, PolicyInvalid, furthest_min, read_policy, write_policy
from app.queueing.setup import refuse_weights, serve

Weights = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class CallingRules:
    """The policy of a hall, and the minutes that each window's queues count there: {window: {queue: minutes}}."""

    policy: Policy
    weights: Weights

    @property
    def said(self) -> dict[str, Any]:
        """The policy whole, as plain data."""
        return write_policy(self.policy)

    @property
    def seen(self) -> str:
        """The digest by which a confirmation says which rules it was shown."""
        return hashlib.sha256(canonical([self.said, self.weights]).encode()).hexdigest()[:16]

    @property
    def furthest_min(self) -> int:
        """How many minutes later than you somebody may have come and still be called first by rank, at any window."""
        return furthest_min(self.policy, [minutes for own in self.weights.values() for minutes in own.values()])


def rules_in_force(hall: str, session: Session | None = None) -> CallingRules:
    """What the hall calls by now. Refuses hall.unknown."""
    session = session or db.session()
    settings = session.execute(select(Hall.settings).where(Hall.code == hall)).scalar_one_or_none()
    if settings is None:
        raise Refusal("hall.unknown", hall=hall)
    columns = (WindowQueue.window, WindowQueue.queue, WindowQueue.weight_min)
    served = select(*columns).where(WindowQueue.hall == hall).order_by(WindowQueue.window, WindowQueue.queue)
    weights: dict[str, dict[str, int]] = {}
    for window, queue, minutes in session.execute(served):
        weights.setdefault(window, {})[queue] = minutes
    return CallingRules(read_policy(settings.get("queue", {})), weights)


def proposed(
    hall: str, policy: Mapping[str, Any], weights: Weights | None = None, session: Session | None = None
) -> CallingRules:
    """The rules that somebody proposes, over those in force: what they leave out of `weights` stays as it is.

    Refuses hall.unknown, policy.invalid, window.unknown, queue.unknown, weight.invalid.
    """
    session = session or db.session()
    in_force = rules_in_force(hall, session)
    try:
        wanted = read_policy(policy)
    except PolicyInvalid as invalid:
        raise Refusal("policy.invalid", field=invalid.field) from invalid
    queues = set(session.execute(select(Queue.code).where(Queue.hall == hall)).scalars())
    windows = set(session.execute(select(Window.code).where(Window.hall == hall)).scalars())
    for number, each in enumerate(wanted.conditions):
        if each.queue is not None and each.queue not in queues:
            raise Refusal("policy.invalid", field=f"conditions.{number}.queue")
        if each.window is not None and each.window not in windows:
            raise Refusal("policy.invalid", field=f"conditions.{number}.window")
    after = {window: dict(own) for window, own in in_force.weights.items()}
    for window, own in (weights or {}).items():
        if window not in after:
            raise Refusal("window.unknown")
        if not set(own) <= set(after[window]):
            raise Refusal("queue.unknown")
        refuse_weights(own)
        after[window] |= own
    return replace(in_force, policy=wanted, weights=after)


def last_day(hall: str, today: date) -> date:
    """The last day before `today` on which numbers were given; today itself when there was none."""
    query = select(func.max(Ticket.day)).where(Ticket.hall == hall, Ticket.day < today)
    return db.session.execute(query).scalar_one() or today


def preview(hall: str, day: date, at: datetime, wanted: CallingRules) -> dict[str, Any]:
    """What the proposed rules would have made of a recorded day, against those in force now, both by simulation.

    Waits by lane in minutes; `moved` are those whose wait would have been another, the most first. Refuses hall.unknown.
    """
    in_force, kept = rules_in_force(hall), day_of(hall, day, at).day
    found = effect(*(ruled(kept, rules.policy, rules.weights) for rules in (in_force, wanted)))
    before, after = (
        {lane.value: {name: round(value, 1) for name, value in asdict(own).items()} for lane, own in figures.items()}
        for figures in (found.before, found.after)
    )
    moved = [
        {**asdict(each), "lane": each.lane.value, "before_at": iso(each.before_at), "after_at": iso(each.after_at)}
        for each in found.moved
    ]
    return {"day": day.isoformat(), "tickets": found.tickets, "before": before, "after": after, "moved": moved}


@action
def set_policy(
    tx: Transaction,
    *,
    policy: dict[str, Any],
    weights: dict[str, dict[str, int]] | None = None,
    seen: str | None = None,
) -> dict[str, Any]:
    """Change the hall's rules of calling 叫号规则, and what queues count at windows, from the next call on.

    `policy` is the whole policy (what is left out is the default), `weights` changes windows × queues that are served
    already, `seen` is the digest of the rules that were in force when the preview was looked at.
    Refuses policy.changed, policy.invalid, policy.unchanged, window.unknown, queue.unknown, weight.invalid. Tells
    PolicyChanged, and WindowDefined for each window whose weights change. Locks the hall.
    """
    in_force = rules_in_force(tx.hall, tx.session)
    if seen not in (None, in_force.seen):
        raise Refusal("policy.changed")
    wanted = proposed(tx.hall, policy, weights, tx.session)
    if wanted == in_force:
        raise Refusal("policy.unchanged")
    if wanted.policy != in_force.policy:
        settings = tx.execute(select(Hall.settings).where(Hall.code == tx.hall)).scalar_one()
        tx.execute(update(Hall).where(Hall.code == tx.hall).values(settings={**settings, "queue": wanted.said}))
        tx.record(PolicyChanged(policy=wanted.said))
    for window, own in wanted.weights.items():
        if own != in_force.weights[window]:
            serve(tx, window, dict(own))
    return shown(wanted)


def shown(rules: CallingRules) -> dict[str, Any]:
    """The rules as the API and pages show them."""
    return {
        "policy": rules.said,
        "weights": rules.weights,
        "furthest_min": rules.furthest_min,
        "seen": rules.seen,
    }
