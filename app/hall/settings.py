"""Actions on the hall itself: defining it, its calendar, its exceptional hours."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from app.action import Transaction, action, network_action
from app.db import HallHead
from app.errors import Refusal
from app.events import (
    CalendarImported,
    ClosureDefined,
    HallDefined,
    HoursChanged,
    PayPlaceChanged,
    WindowDefined,
    ZoneDefined,
)
from app.hall.models import Calendar, Hall, HourException, ScheduleVersion, Window, Zone
from app.hall.queries import calendar as calendar_in_force
from app.hall.queries import schedule as schedule_in_force
from app.hall.rules.calendar import CalendarUnknown, WorkCalendar
from app.hall.rules.hours import OpeningHours, Schedule, cut
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


def define_window(tx: Transaction, values: dict[str, Any], queues: dict[str, int]) -> None:
    """Part of an action: enter or change a window and tell WindowDefined with the queues it serves and their weights."""
    row = {"hall": tx.hall, "active": True, **values}
    changed = {key: value for key, value in row.items() if key not in ("hall", "code")}
    upsert = _insert(tx, Window).values(row)
    tx.execute(upsert.on_conflict_do_update(index_elements=["hall", "code"], set_=changed))
    tx.record(
        WindowDefined(
            window=row["code"],
            window_kind=row["kind"],
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            zone=row["zone"],
            queues=tuple(queues),
            weights=tuple(queues.values()),
            active=row["active"],
        )
    )


def _insert(tx: Transaction, table: type) -> Any:
    """An insert that can say what to do on a conflict, in the words of the dialect."""
    return (pg_insert if tx.session.get_bind().dialect.name == "postgresql" else sqlite_insert)(table)


@network_action
def import_calendar(tx: Transaction, *, data: dict[str, Any]) -> dict[str, Any]:
    """Put a calendar in force, as `WorkCalendar.to_json` gives it. The version before stays for the cases it explains.

    Refuses calendar.cannot_read, calendar.version_taken. Tells CalendarImported. Locks the network.
    """
    try:
        calendar = WorkCalendar.from_json(data)
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal("calendar.cannot_read", detail=str(error)) from error
    return _put_in_force(tx, calendar)


def _put_in_force(tx: Transaction, calendar: WorkCalendar) -> dict[str, Any]:
    known = tx.execute(select(Calendar.data).where(Calendar.version == calendar.version)).scalar_one_or_none()
    if known not in (None, calendar.to_json()):
        raise Refusal("calendar.version_taken", version=calendar.version)
    tx.execute(update(Calendar).where(Calendar.current).values(current=False))
    if known:
        tx.execute(update(Calendar).where(Calendar.version == calendar.version).values(current=True))
    else:
        row = {"version": calendar.version, "imported_at": tx.at, "data": calendar.to_json(), "current": True}
        tx.execute(insert(Calendar), row)
    tx.record(CalendarImported(version=calendar.version, years=tuple(sorted(calendar.years))))
    return {"version": calendar.version, "years": sorted(calendar.years)}


@network_action
def amend_calendar(
    tx: Transaction, *, day: date, kind: str, name: str, notice: str, seen: str | None = None
) -> dict[str, Any]:
    """Change one day of the calendar by a further notice: a new version in force, never the old one edited.

    `seen` is the version whose preview was looked at. Refuses what `amended` below refuses, auth.foreign_hall for staff
    of one hall, schedule.changed. Tells CalendarImported. Locks the network.
    """
    if tx.actor.hall is not None:
        raise Refusal("auth.foreign_hall")
    calendar = calendar_in_force(tx.session)
    if seen not in (None, calendar.version):
        raise Refusal("schedule.changed")
    return _put_in_force(tx, amended(calendar, day, kind, name, notice))


def amended(calendar: WorkCalendar, day: date, kind: str, name: str, notice: str) -> WorkCalendar:
    """The calendar with one day changed, as an admin asks for it.

    Refuses calendar.no_year, calendar.makeup_weekday, schedule.unchanged, request.invalid and bad words.
    """
    if kind not in ("off", "makeup", "ordinary"):
        raise Refusal("request.invalid", detail="kind: off, makeup, ordinary")
    if kind == "makeup" and day.isoweekday() < 6:
        raise Refusal("calendar.makeup_weekday")
    name = clean(name, "name", limit=30, empty=kind == "ordinary")
    notice = clean(notice, "notice", limit=200)
    try:
        return calendar.amended(day, kind, name, notice)
    except CalendarUnknown as error:
        raise Refusal("calendar.no_year", year=error.year) from error
    except ValueError as error:
        raise Refusal("schedule.unchanged") from error


@action
def set_hours(tx: Transaction, *, hours: str, from_on: date, seen: str | None = None) -> dict[str, Any]:
    """Change the hall's daily hours from a local day on; limits that run are computed anew, those that ended are not.

    `seen` is the version of the schedule whose preview was looked at. Refuses what `rehoured` below refuses, and
    schedule.changed. Tells HoursChanged. Locks the hall.
    """
    schedule = schedule_in_force(tx.hall, tx.session)
    if seen not in (None, schedule.version):
        raise Refusal("schedule.changed")
    wanted = rehoured(schedule, read_hours(hours), from_on, tx.at)
    tx.execute(update(Hall).where(Hall.code == tx.hall).values(later_hours=wanted.own()["later_hours"]))
    pairs = wanted.hours_on(from_on).to_json()
    tx.record(HoursChanged(hours=tuple(f"{begin}-{end}" for begin, end in pairs), from_on=from_on.isoformat()))
    return {"hours": pairs, "from_on": from_on.isoformat()}


def rehoured(schedule: Schedule, hours: OpeningHours, from_on: date, at: datetime) -> Schedule:
    """The schedule with other daily hours from a local day on, as an admin asks for it at `at`.

    What has been stays: the day may be today as long as neither the old nor the new hours have differed by now. Refuses
    hours.past, schedule.unchanged.
    """
    wanted, today = schedule.with_hours(hours, from_on), at.astimezone(schedule.zone).date()
    if from_on < today or cut(wanted.ordinary(today), [(at, None)]) != cut(schedule.ordinary(today), [(at, None)]):
        raise Refusal("hours.past")
    if wanted.later_hours == schedule.later_hours:
        raise Refusal("schedule.unchanged")
    return wanted


_AS_TYPED = str.maketrans("：，、；－–—～至", ":   -----")  # what an input method makes of the signs


def read_hours(text: str) -> OpeningHours:
    """Daily hours as somebody typed them: "08:30-12:00 13:30-18:00". Refuses hours.invalid."""
    try:
        return OpeningHours.parse(text[:200].translate(_AS_TYPED))
    except ValueError as error:
        raise Refusal("hours.invalid") from error


def schedule_in(tx: Transaction) -> Schedule:
    """Part of an action: the hall's schedule in force, read once a transaction."""
    if "schedule" not in tx.memo:
        tx.memo["schedule"] = schedule_in_force(tx.hall, tx.session)
    return tx.memo["schedule"]


def keep_schedule(tx: Transaction, schedule: Schedule) -> str:
    """Part of an action: keep the schedule that a deadline of this hall was computed with (K6); returns its version."""
    if tx.memo.get("kept") == schedule.version:
        return schedule.version
    known = schedule.calendar.version if schedule.calendar.years else None
    row = {"hall": tx.hall, "version": schedule.version, "calendar_version": known, "kept_at": tx.at}
    tx.execute(_insert(tx, ScheduleVersion).on_conflict_do_nothing(), {**row, **schedule.own()})
    tx.memo["kept"] = schedule.version
    return schedule.version


@action
def set_pay_place(tx: Transaction, *, words: str, words_en: str) -> dict[str, Any]:
    """Say where fees are paid 缴费地点, in Chinese and English, on the fee notices from now on.

    Refuses bad words. Tells PayPlaceChanged. Locks the hall.
    """
    place = {"words": clean(words, "words", limit=100), "words_en": clean(words_en, "words_en", limit=100)}
    settings = tx.execute(select(Hall.settings).where(Hall.code == tx.hall)).scalar_one()
    tx.execute(update(Hall).where(Hall.code == tx.hall).values(settings={**settings, "pay_place": place}))
    tx.record(PayPlaceChanged(**place))
    return place


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
