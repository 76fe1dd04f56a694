"""Statistics of a hall's queue 统计: how long people waited, walked, were served and stayed, and who was not. Reads only.

Four cohorts, each along an index: calls by when they were made, services by when they began, finished visits by the call
that ended them, tickets by their day. SQL hands over each time in whole seconds, many in one text, so that percentiles
are exact and a hundred thousand calls are quick to read. Every number can be made again from the record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, String, case, cast, func, null, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from app.catalog.models import ServiceItem
from app.db import db
from app.errors import Refusal
from app.hall.models import Window
from app.now import SHANGHAI, iso
from app.people.models import Staff
from app.queueing.heads import policy_of
from app.queueing.models import Call, Queue, Service, Ticket
from app.queueing.rules.measures import Spread, share, spread, within
from app.queueing.rules.states import TicketState

SIDES = ("queue", "window", "clerk", "item", "hour", "day")
AT_WINDOWS = ("window", "clerk")  # which have calls and services, but no tickets of their own
LONGEST_DAYS = 92
MOST_ROWS = 300
OFFSET_S = 8 * 3600  # Asia/Shanghai: without summer time since 1991

TIMES = ("waiting", "walking", "serving", "total")
OUTCOMES = {"no_show": "missed", "transferred": "transferred", "parked": "parked", "abandoned": "given_up"}
FATES = {
    TicketState.FINISHED: "served",
    TicketState.ABANDONED: "left",
    TicketState.CANCELLED: "left",
    TicketState.NO_SHOW: "absent",
    TicketState.EXPIRED: "expired",
}
Only = tuple[str, str]  # one side and a key of it: nothing but what is that
OF_TICKETS = ("issued", "served", "left", "absent", "expired")


class seconds_between(FunctionElement[int]):
    """Whole seconds from one instant to a later one, exactly, in both databases."""

    name = "seconds_between"
    type = Integer()
    inherit_cache = True


class local_hours(FunctionElement[int]):
    """Whole hours of the hall's wall since 1970: of which day, weekday and hour are worked out."""

    name = "local_hours"
    type = Integer()
    inherit_cache = True


def _parts(element: FunctionElement[int], compiler: SQLCompiler, more: dict[str, Any]) -> list[str]:
    return [compiler.process(each, **more) for each in element.clauses]


@compiles(seconds_between, "postgresql")
def _seconds_postgresql(element: seconds_between, compiler: SQLCompiler, **more: Any) -> str:
    begin, end = _parts(element, compiler, more)
    return f"CAST(floor(date_part('epoch', {end} - {begin})) AS INTEGER)"


@compiles(seconds_between, "sqlite")
def _seconds_sqlite(element: seconds_between, compiler: SQLCompiler, **more: Any) -> str:
    begin, end = (
        f"(strftime('%s', substr({at}, 1, 19)) * 1000000 + CAST(substr({at}, 21, 6) AS INTEGER))"
        for at in _parts(element, compiler, more)
    )
    return f"(({end} - {begin}) / 1000000)"


@compiles(local_hours, "postgresql")
def _hours_postgresql(element: local_hours, compiler: SQLCompiler, **more: Any) -> str:
    (at,) = _parts(element, compiler, more)
    return f"CAST(floor((date_part('epoch', {at}) + {OFFSET_S}) / 3600) AS INTEGER)"


@compiles(local_hours, "sqlite")
def _hours_sqlite(element: local_hours, compiler: SQLCompiler, **more: Any) -> str:
    (at,) = _parts(element, compiler, more)
    return f"((strftime('%s', substr({at}, 1, 19)) + {OFFSET_S}) / 3600)"


def _hour(at: Any) -> ColumnElement[int]:
    return local_hours(at) % 24


def _day(at: Any) -> ColumnElement[int]:
    return local_hours(at) // 24


def _key(by: str | None, of: Any, at: Any) -> ColumnElement[Any]:
    """By what the rows of a table are counted; the same for all of them without a side."""
    if by is None:
        return null()
    if by in ("hour", "day"):
        return {"hour": _hour, "day": _day}[by](at)
    if by == "item":
        return Ticket.item if of is Call else of.item
    if by == "queue":
        return of.queue
    return of.window if by == "window" else of.staff


@dataclass(slots=True)
class _Side:
    """What was counted for one key: of each time, how often each second occurs; and how often what happened."""

    times: dict[str, dict[int, int]] = field(default_factory=lambda: {name: {} for name in TIMES})
    counts: Counter[str] = field(default_factory=Counter)


def statistics(hall: str, first: date, last: date, by: str, at: datetime, only: Only | None = None) -> dict[str, Any]:
    """The days from `first` to `last`, both included: in total, by one side, by hour of day, and by hour and weekday.

    `only`: one queue, window, clerk or item alone. Times are in whole seconds. A call counts on the day and in the hour
    when it was made, a service when it began, a ticket when it was taken. Refuses request.invalid for more than
    LONGEST_DAYS, or an end before its beginning.
    """
    if not timedelta() <= last - first < timedelta(days=LONGEST_DAYS):
        raise Refusal("request.invalid", detail=f"from, to: 1–{LONGEST_DAYS} days")
    limit_min = policy_of(db.session(), hall, {}).service_level_min
    sides = _counted(hall, first, last, by, only)
    names = _names(hall, by, sides)
    whole = _merged(sides.values())
    fates = only is None or only[0] not in AT_WINDOWS
    if by in AT_WINDOWS and fates:
        _add_tickets(hall, first, last, None, only, lambda _key: whole)
    rows = [
        {**_said(side, limit_min, fates and by not in AT_WINDOWS), "key": _text(by, key)} for key, side in sides.items()
    ]
    for row in rows:
        row["name"], row["name_en"] = names.get(row["key"], (row["key"], row["key"]))
    rows.sort(
        key=lambda row: (row["key"] if by in ("queue", "window", "hour", "day") else "", -row["calls"], row["key"])
    )
    hours, heat = _by_hour(hall, first, last, only)
    return {
        "hall": hall,
        "from": first.isoformat(),
        "to": last.isoformat(),
        "by": by,
        "made_at": iso(at),
        "service_level_min": limit_min,
        "total": _said(whole, limit_min, fates),
        "rows": rows[:MOST_ROWS],
        "more": len(rows) > MOST_ROWS,
        "hours": hours,
        "heat": heat,
    }


def totals(hall: str, first: date, last: date, only: Only | None = None) -> dict[str, Any]:
    """The total of some days alone, for comparison."""
    limit_min = policy_of(db.session(), hall, {}).service_level_min
    fates = only is None or only[0] not in AT_WINDOWS
    return _said(_merged(_counted(hall, first, last, None, only).values()), limit_min, fates)


def name_of(hall: str, side: str, key: str) -> tuple[str, str]:
    """What a queue, window, clerk or item is called, in Chinese and English."""
    return _names(hall, side, [key]).get(key, (key, key))


def days_before(first: date, last: date) -> tuple[date, date]:
    """As many days just before these."""
    span = last - first + timedelta(days=1)
    return first - span, last - span


# ── counting ────────────────────────────────────────────────────────────────────────────────────────────────────


def _counted(hall: str, first: date, last: date, by: str | None, only: Only | None = None) -> dict[Any, _Side]:
    found: dict[Any, _Side] = {}

    def side(key: Any) -> _Side:
        return found.setdefault(key, _Side())

    for row in _grouped(_key(by, Call, Call.called_at), _calls_said(), _calls(hall, first, last, only)):
        own = side(row.key)
        for name in ("waiting", "walking", "total"):
            own.times[name] = _values(getattr(row, name))
        own.counts.update({name: getattr(row, name) for name in ("calls", "chosen", *OUTCOMES.values())})
    begin, end = _instants(first, last)
    services = (Service.hall == hall, Service.started_at >= begin, Service.started_at < end, *_is(only, Service))
    serving = _listed(seconds_between(Service.started_at, Service.ended_at)).label("serving")
    query = select(_key(by, Service, Service.started_at).label("key"), serving)
    for row in db.session.execute(query.where(*services).group_by("key")):
        side(row.key).times["serving"] = _values(row.serving)
    if by not in AT_WINDOWS and (only is None or only[0] not in AT_WINDOWS):
        _add_tickets(hall, first, last, by, only, side)
    return found


def _instants(first: date, last: date) -> tuple[datetime, datetime]:
    """From inclusive, until exclusive."""
    begin, end = (datetime.combine(day, time.min, SHANGHAI) for day in (first, last + timedelta(days=1)))
    return begin, end


def _calls(hall: str, first: date, last: date, only: Only | None) -> tuple[ColumnElement[bool], ...]:
    begin, end = _instants(first, last)
    return (Call.hall == hall, Call.called_at >= begin, Call.called_at < end, *_is(only, Call))


def _calls_said() -> dict[str, ColumnElement[Any]]:
    """What is asked of calls, with their tickets."""
    return {
        "waiting": _listed(Call.waited_s),
        "walking": _listed(seconds_between(Call.called_at, Call.arrived_at)),
        "total": _listed(case((Call.outcome == "finished", seconds_between(Ticket.issued_at, Call.ended_at)))),
        "calls": func.count(case((Call.mode != "unpark", 1))),
        "chosen": func.count(case((Call.mode == "chosen", 1))),
        **{name: func.count(case((Call.outcome == outcome, 1))) for outcome, name in OUTCOMES.items()},
    }


def _grouped(
    key: Any, said: Mapping[str, Any], where: Iterable[ColumnElement[bool]], *, tickets: bool = True
) -> Iterable[Any]:
    """Calls by a key, with their tickets where these are asked for."""
    columns = [column.label(name) for name, column in said.items()]
    query = select(key.label("key"), *columns).where(*where).group_by("key")
    if tickets:
        query = query.join_from(Call, Ticket, (Ticket.hall == Call.hall) & (Ticket.id == Call.ticket_id))
    return db.session.execute(query)


def _listed(seconds: Any) -> ColumnElement[str]:
    """All values of a group as one text; what is not known is left out."""
    return func.aggregate_strings(cast(seconds, String), ",")


def _values(text: str | None) -> dict[int, int]:
    """How often each value of such a text occurs. A clock that went back makes no time less than nothing."""
    if not text:
        return {}
    values: dict[int, int] = {}
    for value, times in Counter(text.split(",")).items():
        seconds = max(int(value), 0)
        values[seconds] = values.get(seconds, 0) + times
    return values


def _is(only: Only | None, of: Any) -> tuple[ColumnElement[bool], ...]:
    """What leaves nothing but the one side that is asked for."""
    return () if only is None else (_key(only[0], of, None) == only[1],)


def _add_tickets(
    hall: str, first: date, last: date, by: str | None, only: Only | None, side: Callable[[Any], _Side]
) -> None:
    """Count what became of the tickets of these days."""
    query = select(_key(by, Ticket, Ticket.issued_at).label("key"), Ticket.state, func.count()).group_by("key", "state")
    of_days = (Ticket.hall == hall, Ticket.day >= first, Ticket.day <= last, *_is(only, Ticket))
    for key, state, times in db.session.execute(query.where(*of_days)):
        counts = side(key).counts
        counts["issued"] += times
        if state in FATES:
            counts[FATES[state]] += times


def _by_hour(
    hall: str, first: date, last: date, only: Only | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Waits by hour of day, and by weekday and hour: of calls, when they were made."""
    cell = (local_hours(Call.called_at) + 3 * 24) % (7 * 24)  # 1970 began on a Thursday; cell 0 is Monday, midnight
    hours: dict[int, dict[int, int]] = {}
    heat = []
    calls = (*_calls(hall, first, last, only), Call.waited_s.is_not(None))
    of_item = only is not None and only[0] == "item"
    for row in sorted(_grouped(cell, {"waiting": _listed(Call.waited_s)}, calls, tickets=of_item)):
        values = _values(row.waiting)
        _add(hours.setdefault(row.key % 24, {}), values)
        found = spread(values)
        assert found is not None
        where = {"weekday": row.key // 24, "hour": row.key % 24}
        heat.append({**where, "count": found.count, "mean_s": round(found.mean, 1)})
    return [{"hour": hour, **_spread_said(spread(values))} for hour, values in sorted(hours.items())], heat


def _add(values: dict[int, int], more: Mapping[int, int]) -> None:
    for value, times in more.items():
        values[value] = values.get(value, 0) + times


# ── saying ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _merged(sides: Iterable[_Side]) -> _Side:
    whole = _Side()
    for side in sides:
        whole.counts.update(side.counts)
        for name, values in side.times.items():
            _add(whole.times[name], values)
    return whole


def _said(side: _Side, limit_min: int, fates: bool = True) -> dict[str, Any]:
    """The figures of one row. `fates`: also what became of tickets, which no window and no clerk has."""
    waits, counts = side.times["waiting"], side.counts
    in_time = within(waits, limit_min * 60)
    said: dict[str, Any] = {name: counts[name] for name in ("calls", "chosen", *OUTCOMES.values())}
    said |= {name: _spread_said(spread(values)) for name, values in side.times.items()}
    said |= {"in_time": in_time, "in_time_rate": share(in_time, sum(waits.values()))}
    if not fates:
        return said | dict.fromkeys((*OF_TICKETS, "lost_rate"))
    lost = counts["left"] + counts["absent"] + counts["expired"]
    return said | {name: counts[name] for name in OF_TICKETS} | {"lost_rate": share(lost, counts["issued"])}


def _spread_said(found: Spread | None) -> dict[str, Any]:
    if found is None:
        return {"count": 0, "mean_s": None, "p50_s": None, "p90_s": None, "most_s": None}
    figures = {"p50_s": found.p50, "p90_s": found.p90, "most_s": found.most}
    return {"count": found.count, "mean_s": round(found.mean, 1), **figures}


def _text(by: str, key: Any) -> str:
    if key is None:
        return ""
    if by == "hour":
        return f"{key:02d}"
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=key)).date().isoformat() if by == "day" else str(key)


def _names(hall: str, by: str, keys: Iterable[Any]) -> dict[str, tuple[str, str]]:
    """What the keys are called, in Chinese and English."""
    if by == "queue":
        query = select(Queue.code, Queue.name_zh, Queue.name_en).where(Queue.hall == hall)
    elif by == "window":
        query = select(Window.code, Window.name_zh, Window.name_en).where(Window.hall == hall)
    elif by == "clerk":
        query = select(Staff.username, Staff.name, Staff.name).where(Staff.username.in_(_known(keys)))
    elif by == "item":
        query = select(ServiceItem.code, ServiceItem.name, ServiceItem.name_en).where(
            ServiceItem.code.in_(_known(keys))
        )
    else:
        return {}
    return {code: (name, name_en) for code, name, name_en in db.session.execute(query)}


def _known(keys: Iterable[Any]) -> list[str]:
    return sorted(key for key in keys if key)
