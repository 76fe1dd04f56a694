"""The ledger of a hall's day 窗口台账: what windows and clerks did, with the evidence, for supervisors and the clerks themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import or_, select

from app import eventlog
from app.db import db
from app.errors import Refusal
from app.eventlog import EventRow
from app.events import TicketCalled, TicketUnparked
from app.hall.models import Hall, Window
from app.now import iso
from app.people.models import Staff
from app.queueing import days
from app.queueing.models import Call, Ticket, WindowPause, WindowSession
from app.queueing.replay import policy_on, weights_on
from app.queueing.rules.entries import Entry, Kind, recall_patterns
from app.queueing.rules.ledger import AtWindow, DayLedger, Seat, Standing, fold
from app.queueing.rules.stretches import Stretch, Use, sums

COUNTED = ("calls", "recalls", "started", "finished", "missed", "parked", "transferred", "abandoned", "chosen", "quick")
KINDS = tuple(kind.value for kind in Kind)
USES = tuple(use.value for use in Use)


def day_ledger(hall: str, day: date, at: datetime) -> dict[str, Any]:
    """One day of a hall by window and by clerk, its stretches and what is worth a second look; of today, until `at`.

    `of_clerk` makes of it what one clerk sees: the same as the supervisor sees about them. Refuses hall.unknown,
    request.invalid.
    """
    if db.session.execute(select(Hall.code).where(Hall.code == hall)).scalar_one_or_none() is None:
        raise Refusal("hall.unknown", hall=hall)
    begin, midnight = days.span(day)
    end = max(min(midnight, at), begin)
    rows = eventlog.between(hall, begin, min(midnight, at + timedelta(microseconds=1)))
    before = rows[0].seq - 1 if rows else eventlog.heads().get(hall, 0)
    found = fold(rows, begin, end, _standing(hall, before, begin))
    entries = sorted([*found.entries, *recall_patterns(found.misses)], key=lambda each: (each.at, each.to_seq))
    policy = found.standing.policy
    return {
        "hall": hall,
        "day": day.isoformat(),
        "begin": iso(begin),
        "end": iso(end),
        "policy": {name: getattr(policy, name) for name in ("quick_s", "recalls", "recall_gap_s", "rest_s")},
        "windows": _rows(found, entries, "window", _windows(hall)),
        "clerks": _rows(found, entries, "staff", _clerks(found)),
        "stretches": _stretches(found.stretches, _reasons(hall, begin, end)),
        "entries": [_entry_said(each) for each in entries],
    }


def of_clerk(ledger: Mapping[str, Any], staff: str) -> dict[str, Any]:
    """The part of a day's ledger that is about one clerk."""
    stretches = [row for row in ledger["stretches"] if row["staff"] == staff]
    entries = [row for row in ledger["entries"] if staff in (row["staff"], row["facts"].get("from_staff"))]
    clerks = [row for row in ledger["clerks"] if row["key"] == staff]
    return {**ledger, "windows": [], "clerks": clerks, "stretches": stretches, "entries": entries}


def of_window(ledger: Mapping[str, Any], window: str) -> dict[str, Any]:
    """The part of a day's ledger that is about one window."""
    mine = {name: [row for row in ledger[name] if row["window"] == window] for name in ("stretches", "entries")}
    return {**ledger, "windows": [row for row in ledger["windows"] if row["key"] == window], "clerks": [], **mine}


# ── how things stood when the day began ─────────────────────────────────────────────────────────────────────────


def _standing(hall: str, seq: int, begin: datetime) -> Standing:
    """Who sat where at midnight, and with whom. Nobody waits then who could still be called: numbers are of one day."""
    serves = {window: frozenset(own) for window, own in weights_on(hall, seq).items()}
    paused = set(
        _across(WindowPause.window, WindowPause, WindowPause.from_at, WindowPause.to_at, hall, begin).scalars()
    )
    seats = {}
    sessions = _across(
        (WindowSession.window, WindowSession.staff),
        *(WindowSession, WindowSession.opened_at, WindowSession.closed_at, hall, begin),
    )
    for window, staff in sessions:
        seats[window] = Seat(staff, window in paused, _called(hall, window, begin, seq))
    return Standing(serves, seats, policy=policy_on(hall, seq))


def _across(columns: Any, of: Any, begins: Any, ends: Any, hall: str, at: datetime) -> Any:
    """What had begun before `at` and had not ended by then."""
    columns = columns if isinstance(columns, tuple) else (columns,)
    query = select(*columns).where(of.hall == hall, begins < at, or_(ends.is_(None), ends >= at))
    return db.session.execute(query.order_by(begins))


def _called(hall: str, window: str, at: datetime, seq: int) -> AtWindow | None:
    """The call that was open at the window."""
    columns = (Call.ticket_id, Ticket.number, Call.called_at, Call.arrived_at, Call.staff)
    query = (
        select(*columns)
        .join(Ticket, (Ticket.hall == Call.hall) & (Ticket.id == Call.ticket_id))
        .where(Call.hall == hall, Call.window == window, Call.called_at < at)
    )
    row = db.session.execute(query.where(or_(Call.ended_at.is_(None), Call.ended_at >= at))).first()
    if row is None:
        return None
    said = select(EventRow.seq).where(EventRow.hall == hall, EventRow.subject == f"ticket:{row.ticket_id}")
    kinds = EventRow.kind.in_([TicketCalled.kind, TicketUnparked.kind])
    from_seq = (
        db.session.execute(said.where(kinds, EventRow.seq <= seq).order_by(EventRow.seq.desc())).scalars().first()
    )
    started = row.arrived_at is not None and row.arrived_at < at
    return AtWindow(row.ticket_id, row.number, row.called_at, from_seq or seq, row.staff, started)


# ── saying ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _rows(
    found: DayLedger, entries: Sequence[Entry], by: str, names: Mapping[str, tuple[str, str]]
) -> list[dict[str, Any]]:
    """A row for each window or clerk: times in whole seconds, whose sum is the time open; counts; first and last moment."""
    rows = []
    for key, uses in sorted(sums(found.stretches, lambda each: str(getattr(each, by))).items()):
        own = [each for each in found.stretches if getattr(each, by) == key]
        idle = [each.span for each in own if each.use == Use.IDLE]
        times = {f"{use.value}_s": _whole(span) for use, span in uses.items()}
        counts: Counter[str] = Counter()
        for (window, staff), counted in found.counts.items():
            if key == (window if by == "window" else staff):
                counts.update(counted)
        others = sorted({each.staff if by == "window" else each.window for each in own})
        rows.append(
            {
                "key": key,
                "name": names.get(key, (key, key))[0],
                "name_en": names.get(key, (key, key))[1],
                "staff" if by == "window" else "windows": others,
                "from": iso(min(each.begin for each in own)),
                "until": iso(max(each.end for each in own)),
                "open_s": sum(times.values()),
                **times,
                "idle_times": len(idle),
                "longest_idle_s": max(map(_whole, idle), default=0),
                **{name: counts[name] for name in COUNTED},
                "entries": sum(getattr(each, by) == key for each in entries),
            }
        )
    return rows


def _stretches(found: Iterable[Stretch], reasons: Mapping[tuple[str, datetime], str]) -> list[dict[str, Any]]:
    return [
        {
            "window": each.window,
            "staff": each.staff,
            "use": each.use.value,
            "begin": iso(each.begin),
            "end": iso(each.end),
            "seconds": _whole(each.span),
            "from_seq": each.from_seq,
            "to_seq": each.to_seq,
            "number": each.number,
            "waiting": each.waiting,
            "reason": _reason(each, reasons) if each.use == Use.PAUSED else None,
        }
        for each in found
    ]


def _reason(paused: Stretch, reasons: Mapping[tuple[str, datetime], str]) -> str | None:
    """What the clerk gave; of a pause that began before the day, the last one at this window before it."""
    given = [at for window, at in reasons if window == paused.window and at <= paused.begin]
    return reasons[paused.window, max(given)] if given else None


def _entry_said(entry: Entry) -> dict[str, Any]:
    return {
        "kind": entry.kind.value,
        "window": entry.window,
        "staff": entry.staff,
        "at": iso(entry.at),
        "from_seq": entry.from_seq,
        "to_seq": entry.to_seq,
        "number": entry.number,
        "facts": dict(entry.facts),
    }


def _whole(span: timedelta) -> int:
    return span // timedelta(seconds=1)


def _reasons(hall: str, begin: datetime, end: datetime) -> dict[tuple[str, datetime], str]:
    columns = (WindowPause.window, WindowPause.from_at, WindowPause.reason)
    lasted = or_(WindowPause.to_at.is_(None), WindowPause.to_at >= begin)
    query = select(*columns).where(WindowPause.hall == hall, WindowPause.from_at < end, lasted)
    return {(window, from_at): reason for window, from_at, reason in db.session.execute(query)}


def _windows(hall: str) -> dict[str, tuple[str, str]]:
    query = select(Window.code, Window.name_zh, Window.name_en).where(Window.hall == hall)
    return {code: (name, name_en) for code, name, name_en in db.session.execute(query)}


def _clerks(found: DayLedger) -> dict[str, tuple[str, str]]:
    known = sorted({each.staff for each in found.stretches})
    query = select(Staff.username, Staff.name).where(Staff.username.in_(known))
    return {username: (name, name) for username, name in db.session.execute(query)}
