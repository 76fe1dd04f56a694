"""Signing in and out, and finding out who asks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import Row, bindparam, insert, select, update

from app import privacy
from app.action import Transaction, network_action
from app.db import db
from app.errors import Refusal
from app.events import Actor, SessionClosed, SessionOpened
from app.now import iso
from app.people.models import Device, Staff, StaffSession
from app.people.permissions import DEVICES, permissions_of

hasher = PasswordHasher()
_nobody = hasher.hash("nobody has this password")  # so that an unknown account costs the same time

# Every request asks these; building a statement costs as much as running it.
_SIGNED_IN = (
    select(Staff.id, Staff.username, Staff.hall, Staff.roles, Staff.department)
    .join(StaffSession, StaffSession.staff_id == Staff.id)
    .where(StaffSession.token_hash == bindparam("key"), StaffSession.revoked_at.is_(None))
    .where(StaffSession.expires_at > bindparam("at"), Staff.active)
)
_DEVICE = select(Device.id, Device.hall, Device.kind).where(
    Device.token_hash == bindparam("key"), Device.revoked_at.is_(None)
)


def check_password(username: str, password: str) -> Actor:
    """The staff member whose password this is. Refuses `auth.wrong_password`, without saying which part was wrong."""
    row = db.session.execute(select(Staff).where(Staff.username == username)).scalar_one_or_none()
    try:
        hasher.verify(row.password_hash if row else _nobody, password)
    except (VerifyMismatchError, InvalidHashError):
        raise Refusal("auth.wrong_password") from None
    if row is None or not row.active:
        raise Refusal("auth.wrong_password")
    return _staff_actor(row)


@network_action
def open_session(tx: Transaction, *, hours: int) -> dict[str, Any]:
    """A new session of the actor, with a token that is shown once.

    Tells SessionOpened. Locks the network.
    """
    token = privacy.new_token()
    expires_at = tx.at + timedelta(hours=hours)
    row = {
        "token_hash": privacy.token_hash(token),
        "staff_id": tx.actor.id,
        "opened_at": tx.at,
        "expires_at": expires_at,
    }
    tx.execute(insert(StaffSession), row)
    tx.record(SessionOpened(staff=tx.actor.name))
    return {"token": token, "expires_at": iso(expires_at)}


@network_action
def close_session(tx: Transaction, *, token: str) -> None:
    """Revoke the session of this token; an unknown one is nothing. Tells SessionClosed. Locks the network."""
    mine = (StaffSession.token_hash == privacy.token_hash(token), StaffSession.revoked_at.is_(None))
    if tx.execute(update(StaffSession).where(*mine).values(revoked_at=tx.at)).rowcount:
        tx.record(SessionClosed(staff=tx.actor.name))


def staff_of(token: str, at: datetime) -> Actor | None:
    """The staff member of a live session token."""
    row = db.session.execute(_SIGNED_IN, {"key": privacy.token_hash(token), "at": at}).one_or_none()
    return None if row is None else _staff_actor(row)


def device_of(token: str) -> Actor | None:
    """The device of a token that has not been revoked."""
    row = db.session.execute(_DEVICE, {"key": privacy.token_hash(token)}).one_or_none()
    if row is None:
        return None
    return Actor("device", row.id, f"{row.kind}-{row.id}", row.hall, DEVICES[row.kind])


def _staff_actor(row: Staff | Row[Any]) -> Actor:
    return Actor("staff", row.id, row.username, row.hall, permissions_of(row.roles), row.department)
