"""Actions on the hall itself: defining it, its calendar, its exceptional hours."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from app.action import Transaction, action, network_action
from app.db import HallHead
from app.errors import Refusal
from app.events import CalendarImported, ClosureDefined, HallDefined, WindowDefined, ZoneDefined
from app.hall.models import Calendar, Hall, HourException, Window, Zone
from app.hall.rules.calendar import WorkCalendar
from app.now import iso
from app.words import clean


@network_action
def found_hall(tx: Transaction, *, code: str, **values: Any) -> dict[str, Any]:
    """Enter a new hall and the head of its history, from which its own actions can begin. Locks the network."""
    tx.execute(insert(Hall), {"code": code, "settings": {}, **values})
    tx.execute(insert(HallHead), {"hall": code, "seq": 0, "mac": "", "last_id": 0, "last_at": None})
    return {"code": code}


@action
def define_hall(tx: Transaction, *, zones: list[dict[str, str]]) -> dict[str, Any]:
    """Enter a hall's zones and tell its name to whoever reads its record. Tells HallDefined, ZoneDefined. Locks the hall."""
    hall = tx.execute(select(Hall.name_zh, Hall.name_en).where(Hall.code == tx.hall)).one()
    tx.record(HallDefined(hall=tx.hall, name_zh=hall.name_zh, name_en=hall.name_en))
    for zone in zones:
        tx.execute(insert(Zone), {"hall": tx.hall, **zone})
        tx.record(ZoneDefined(zone=zone["code"], name_zh=zone["name_zh"], name_en=zone["name_en"]))
    return {"code": tx.hall}


def define_window(tx: Transaction, values: dict[str, Any], queues: tuple[str, ...]) -> None:
    """Part of an action: enter or change a window and tell WindowDefined with the queues it serves."""
    upsert = (pg_insert if tx.session.get_bind().dialect.name == "postgresql" else sqlite_insert)(Window)
    row = {"hall": tx.hall, "active": True, **values}
    changed = {key: value for key, value in row.items() if key not in ("hall", "code")}
    tx.execute(upsert.values(row).on_conflict_do_update(index_elements=["hall", "code"], set_=changed))
    tx.record(
        WindowDefined(
            window=row["code"],
            window_kind=row["kind"],
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            zone=row["zone"],
            queues=queues,
            active=row["active"],
        )
    )


@network_action
def import_calendar(tx: Transaction, *, data: dict[str, Any]) -> dict[str, Any]:
    """Put a calendar in force, as `WorkCalendar.to_json` gives it. The version before stays for the cases it explains.

    Refuses calendar.cannot_read. Tells CalendarImported. Locks the network.
    """
    try:
        calendar = WorkCalendar.from_json(data)
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal("calendar.cannot_read", detail=str(error)) from error
    known = tx.execute(select(Calendar.version).where(Calendar.version == calendar.version)).one_or_none()
    tx.execute(update(Calendar).where(Calendar.current).values(current=False))
    if known:
        tx.execute(update(Calendar).where(Calendar.version == calendar.version).values(current=True))
    else:
        row = {"version": calendar.version, "imported_at": tx.at, "data": calendar.to_json(), "current": True}
        tx.execute(insert(Calendar), row)
    tx.record(CalendarImported(version=calendar.version, years=tuple(sorted(calendar.years))))
    return {"version": calendar.version, "years": sorted(calendar.years)}


@action
def add_exception(tx: Transaction, *, from_at: datetime, to_at: datetime, opens: bool, reason: str) -> dict[str, Any]:
    """Shut the hall exceptionally, or open it for a voluntary session.

    Refuses closure.invalid and bad words. Tells ClosureDefined. Locks the hall.
    """
    if from_at >= to_at:
        raise Refusal("closure.invalid")
    row = {"hall": tx.hall, "id": tx.new_id(), "from_at": from_at, "to_at": to_at, "opens": opens}
    tx.execute(insert(HourException), {**row, "reason": clean(reason, "reason", limit=100)})
    tx.record(ClosureDefined(from_at=str(iso(from_at)), to_at=str(iso(to_at)), opens=opens))
    return {"id": row["id"]}


@action
def remove_exception(tx: Transaction, *, exception_id: int) -> None:
    """Take an exceptional closure or session back. Refuses closure.invalid. Tells ClosureDefined. Locks the hall."""
    one = (HourException.hall == tx.hall, HourException.id == exception_id)
    row = tx.execute(select(HourException).where(*one)).scalar_one_or_none()
    if row is None:
        raise Refusal("closure.invalid")
    said = ClosureDefined(from_at=str(iso(row.from_at)), to_at=str(iso(row.to_at)), opens=row.opens, removed=True)
    tx.execute(delete(HourException).where(*one))
    tx.record(said)
