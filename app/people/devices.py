"""Actions on devices: registered by an admin, paired by a code, revoked."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select, update

from app import privacy
from app.action import Transaction, action
from app.db import db
from app.errors import Refusal
from app.events import DevicePaired, DeviceRegistered, DeviceRevoked
from app.people.models import Device
from app.people.permissions import DEVICES

PAIRING_MINUTES = 30


@action
def register_device(
    tx: Transaction,
    *,
    device_id: int,
    kind: str,
    zone: str | None = None,
    name: str = "",
    pairing_minutes: int = PAIRING_MINUTES,
) -> dict[str, Any]:
    """A new device with its token and, for a browser that cannot be typed a token into, a six-figure pairing code.

    `device_id` comes from `next_device_id`. Refuses device.kind. Tells DeviceRegistered. Locks the hall.
    """
    if kind not in DEVICES:
        raise Refusal("device.kind")
    token, code = privacy.new_token(), _free_code(tx)
    tx.execute(
        insert(Device),
        {
            "id": device_id,
            "hall": tx.hall,
            "kind": kind,
            "zone": zone,
            "name": name or kind,
            "token_hash": privacy.token_hash(token),
            "pairing_hash": privacy.blind_index("pairing", code),
            "pairing_until": tx.at + timedelta(minutes=pairing_minutes),
            "registered_at": tx.at,
        },
    )
    tx.record(DeviceRegistered(device=device_id, device_kind=kind, zone=zone))
    return {"id": device_id, "hall": tx.hall, "kind": kind, "zone": zone, "token": token, "pairing_code": code}


def _free_code(tx: Transaction) -> str:
    """Six figures that no device of any hall waits with."""
    while True:
        code = f"{secrets.randbelow(10**6):06d}"
        taken = select(Device.id).where(Device.pairing_hash == privacy.blind_index("pairing", code))
        if tx.execute(taken).first() is None:
            return code


def next_device_id() -> int:
    """Device ids are random: they are named in the record, and rows of many halls share one table."""
    return secrets.randbelow(2**31 - 1) + 1


@action
def pair_device(tx: Transaction, *, code: str) -> dict[str, Any]:
    """Give the browser that knows the code the device's token; the code and the token before it die.

    Refuses device.bad_code. Tells DevicePaired. Locks the hall.
    """
    index = privacy.blind_index("pairing", code)
    mine = (
        Device.hall == tx.hall,
        Device.pairing_hash == index,
        Device.pairing_until > tx.at,
        Device.revoked_at.is_(None),
    )
    row = tx.execute(select(Device.id, Device.kind).where(*mine)).one_or_none()
    if row is None:
        raise Refusal("device.bad_code")
    token = privacy.new_token()
    values = {"token_hash": privacy.token_hash(token), "pairing_hash": None, "pairing_until": None}
    tx.execute(update(Device).where(Device.id == row.id).values(values))
    tx.record(DevicePaired(device=row.id))
    return {"id": row.id, "kind": row.kind, "token": token}


def hall_of_code(code: str) -> str:
    """Which hall a pairing code belongs to. Refuses device.bad_code."""
    query = select(Device.hall).where(Device.pairing_hash == privacy.blind_index("pairing", code))
    hall = db.session.execute(query).scalar_one_or_none()
    if hall is None:
        raise Refusal("device.bad_code")
    return hall


@action
def renew_pairing(tx: Transaction, *, device_id: int, minutes: int = PAIRING_MINUTES) -> dict[str, Any]:
    """A fresh pairing code for a device that lost its browser. Refuses device.unknown. Locks the hall."""
    code = _free_code(tx)
    values = {"pairing_hash": privacy.blind_index("pairing", code), "pairing_until": tx.at + timedelta(minutes=minutes)}
    mine = (Device.hall == tx.hall, Device.id == device_id, Device.revoked_at.is_(None))
    if not tx.execute(update(Device).where(*mine).values(values)).rowcount:
        raise Refusal("device.unknown")
    return {"id": device_id, "pairing_code": code}


@action
def revoke_device(tx: Transaction, *, device_id: int) -> None:
    """Take a device's token away for good. Refuses device.unknown. Tells DeviceRevoked. Locks the hall."""
    mine = (Device.hall == tx.hall, Device.id == device_id, Device.revoked_at.is_(None))
    if not tx.execute(update(Device).where(*mine).values(revoked_at=tx.at, pairing_hash=None)).rowcount:
        raise Refusal("device.unknown")
    tx.record(DeviceRevoked(device=device_id))
