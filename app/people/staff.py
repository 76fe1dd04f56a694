"""Actions on the people who work here."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select, update

from app.action import Transaction, network_action
from app.errors import Refusal
from app.events import StaffDefined
from app.people.models import Staff, StaffSession
from app.people.permissions import ROLES
from app.people.sessions import hasher

MIN_PASSWORD = 10


@network_action
def add_staff(
    tx: Transaction,
    *,
    username: str,
    name: str,
    roles: list[str],
    home: str | None,
    department: str | None = None,
    password: str | None = None,
    password_hash: str | None = None,
) -> dict[str, Any]:
    """A new account. Give a password, or the argon2 hash of one.

    Refuses staff.exists, staff.weak_password, staff.unknown_role. Tells StaffDefined. Locks the network.
    """
    _check_roles(roles)
    if tx.execute(select(Staff.id).where(Staff.username == username)).first():
        raise Refusal("staff.exists")
    if password_hash is None:
        password_hash = _hash(password or "")
    row = {
        "id": tx.new_id(),
        "username": username,
        "name": name,
        "password_hash": password_hash,
        "roles": roles,
        "hall": home,
        "department": department,
        "active": True,
    }
    tx.execute(insert(Staff), row)
    tx.record(StaffDefined(staff=username, roles=tuple(roles)))
    return {"id": row["id"], "username": username}


@network_action
def change_staff(
    tx: Transaction,
    *,
    username: str,
    roles: list[str],
    home: str | None,
    department: str | None,
    active: bool,
    password: str | None = None,
) -> dict[str, Any]:
    """Change an account; every open session of it ends, so that no old right lives on.

    Refuses staff.unknown, staff.weak_password, staff.unknown_role. Tells StaffDefined. Locks the network.
    """
    _check_roles(roles)
    staff_id = tx.execute(select(Staff.id).where(Staff.username == username)).scalar_one_or_none()
    if staff_id is None:
        raise Refusal("staff.unknown")
    values: dict[str, Any] = {"roles": roles, "hall": home, "department": department, "active": active}
    if password:
        values["password_hash"] = _hash(password)
    tx.execute(update(Staff).where(Staff.id == staff_id).values(values))
    live = (StaffSession.staff_id == staff_id, StaffSession.revoked_at.is_(None))
    tx.execute(update(StaffSession).where(*live).values(revoked_at=tx.at))
    tx.record(StaffDefined(staff=username, roles=tuple(roles), active=active))
    return {"id": staff_id, "username": username}


def _check_roles(roles: list[str]) -> None:
    for role in roles:
        if role not in ROLES:
            raise Refusal("staff.unknown_role", role=role)


def _hash(password: str) -> str:
    if len(password) < MIN_PASSWORD:
        raise Refusal("staff.weak_password")
    return hasher.hash(password)
