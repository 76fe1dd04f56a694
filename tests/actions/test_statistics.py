"""Every figure of the statistics made a second time, from the record alone, on a day of the real actions."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from app import eventlog
from app import events as e
from app.catalog.queries import search_items
from app.now import local
from app.queueing import serving, statistics
from tests.actions.busy_day import busy_day
from tests.actions.conftest import MORNING, Hall, refused

FIRST = MORNING.date()
NIGHT = FIRST + timedelta(days=1)
LEVEL_MIN = 15


@dataclass
class Visitor:
    """A ticket as the record tells it."""

    queue: str
    item: str | None
    came: datetime
    since: datetime
    day: date
    state: str = "waiting"
    call: dict[str, Any] = field(default_factory=dict)
    service: dict[str, Any] = field(default_factory=dict)


@dataclass
class Told:
    """What the record tells: calls, services and tickets, each with all that a figure may be counted by."""

    calls: list[dict[str, Any]] = field(default_factory=list)
    services: list[dict[str, Any]] = field(default_factory=list)
    tickets: dict[int, Visitor] = field(default_factory=dict)


def read_record() -> Told:
    told, seats = Told(), {}
    for row in eventlog.read("luolong", 0, 10**6):
        event, at = row.event, row.at
        if isinstance(event, e.WindowOpened | e.WindowTakenOver):
            seats[event.window] = event.staff
        if isinstance(event, e.TicketIssued):
            told.tickets[event.ticket] = Visitor(event.queue, event.item, at, at, date.fromisoformat(event.day))
        if not isinstance(event, e.TicketEvent):
            continue
        ticket = told.tickets[event.ticket]
        ticket.queue = event.queue
        if isinstance(event, e.TicketCalled | e.TicketUnparked):
            ticket.state = "called"
            facts = {"queue": event.queue, "window": event.window, "clerk": seats[event.window], "ticket": ticket}
            mode = getattr(event, "mode", "unpark")
            waited = None if mode == "unpark" else _seconds(ticket.since, at)
            if waited is not None:
                assert waited == event.waited_s
            ticket.call = {**facts, "at": at, "mode": mode, "waiting": waited, "outcome": None}
            told.calls.append(ticket.call)
        elif isinstance(event, e.TicketStarted | e.ItemFollowed):
            if isinstance(event, e.TicketStarted):
                ticket.call["walking"] = _seconds(ticket.call["at"], at)
            else:
                ticket.service["serving"] = _seconds(ticket.service["at"], at)
            ticket.item = event.item
            facts = {"queue": event.queue, "window": event.window, "clerk": row.actor.partition(":")[2]}
            ticket.service = {**facts, "at": at, "item": event.item}
            told.services.append(ticket.service)
            ticket.state = "serving"
        else:
            _step(ticket, event, at)
    for call in told.calls:
        call["item"] = call["ticket"].item
    return told


def _step(ticket: Visitor, event: e.TicketEvent, at: datetime) -> None:
    outcome = {
        e.TicketFinished: "finished",
        e.TicketMissed: "missed",
        e.TicketParked: "parked",
        e.TicketTransferred: "transferred",
        e.TicketAbandoned: "given_up",
    }.get(type(event))
    leaves = getattr(event, "window", None) is not None and ticket.state in ("called", "serving")
    if outcome and leaves:
        ticket.call["outcome"] = outcome
        if ticket.state == "serving":
            ticket.service["serving"] = _seconds(ticket.service["at"], at)
        if outcome == "finished":
            ticket.call["total"] = _seconds(ticket.came, at)
    states = {
        e.TicketFinished: "served",
        e.TicketMissed: "absent",
        e.TicketAbandoned: "left",
        e.TicketCancelled: "left",
        e.TicketExpired: "expired",
        e.TicketParked: "parked",
        e.TicketDeferred: "parked",
        e.TicketTransferred: "waiting",
        e.TicketRestored: "waiting",
        e.TicketRejoined: "waiting",
    }
    ticket.state = states.get(type(event), ticket.state)
    if ticket.state == "waiting" and (leaves or isinstance(event, e.TicketRestored | e.TicketRejoined)):
        ticket.since = at


def _seconds(begin: datetime, end: datetime) -> int:
    return (end - begin) // timedelta(seconds=1)


def key_of(by: str, what: dict[str, Any] | Visitor) -> str:
    facts = what if isinstance(what, dict) else {"queue": what.queue, "item": what.item, "at": what.came}
    if by in ("hour", "day"):
        return f"{local(facts['at']):%H}" if by == "hour" else local(facts["at"]).date().isoformat()
    return facts[by] or ""


def spread(values: list[int]) -> dict[str, Any]:
    if not values:
        return {"count": 0, "mean_s": None, "p50_s": None, "p90_s": None, "most_s": None}
    ordered = sorted(values)
    p50, p90 = (ordered[math.ceil(len(ordered) * percent / 100) - 1] for percent in (50, 90))
    mean = round(sum(values) / len(values), 1)
    return {"count": len(values), "mean_s": mean, "p50_s": p50, "p90_s": p90, "most_s": ordered[-1]}


def row_of(
    calls: list[dict[str, Any]], services: list[dict[str, Any]], tickets: list[Visitor] | None
) -> dict[str, Any]:
    """The figures of one row, worked out one by one."""
    waits = [call["waiting"] for call in calls if call["waiting"] is not None]
    outcomes = Counter(call["outcome"] for call in calls)
    row = {
        "calls": sum(call["mode"] != "unpark" for call in calls),
        "chosen": sum(call["mode"] == "chosen" for call in calls),
        **{name: outcomes[name] for name in ("missed", "transferred", "parked", "given_up")},
        "waiting": spread(waits),
        "walking": spread([call["walking"] for call in calls if "walking" in call]),
        "serving": spread([each["serving"] for each in services if "serving" in each]),
        "total": spread([call["total"] for call in calls if "total" in call]),
        "in_time": sum(wait <= LEVEL_MIN * 60 for wait in waits),
    }
    row["in_time_rate"] = percent(row["in_time"], len(waits))
    if tickets is None:
        return row | dict.fromkeys(("issued", "served", "left", "absent", "expired", "lost_rate"))
    states = Counter(ticket.state for ticket in tickets)
    row |= {"issued": len(tickets), **{name: states[name] for name in ("served", "left", "absent", "expired")}}
    return row | {"lost_rate": percent(row["left"] + row["absent"] + row["expired"], len(tickets))}


def percent(part: int, whole: int) -> float | None:
    return math.floor(1000 * part / whole + 0.5) / 10 if whole else None


def within(at: datetime, first: date, last: date) -> bool:
    return first <= local(at).date() <= last


def test_every_figure_is_made_again_from_the_record(hall: Hall) -> None:
    """All sides, one day, the night after it and both: equal to the last second."""
    busy_day(hall)
    told = read_record()
    assert len(told.calls) > 30 and sum("serving" in each for each in told.services) > 15
    assert {call["outcome"] for call in told.calls} >= {"finished", "missed", "transferred", "parked", "given_up"}
    assert {call["mode"] for call in told.calls} >= {"rule", "chosen", "unpark"}
    for first, last in ((FIRST, FIRST), (NIGHT, NIGHT), (FIRST, NIGHT)):
        calls = [call for call in told.calls if within(call["at"], first, last)]
        services = [each for each in told.services if within(each["at"], first, last)]
        tickets = [ticket for ticket in told.tickets.values() if first <= ticket.day <= last]
        whole = row_of(calls, services, tickets)
        assert statistics.totals("luolong", first, last) == whole
        for by in statistics.SIDES:
            found = statistics.statistics("luolong", first, last, by, hall.at)
            assert found["total"] == whole, by
            rows: dict[str, list[list[Any]]] = defaultdict(lambda: [[], [], []])
            counted = [] if by in ("window", "clerk") else tickets
            for n, those in enumerate((calls, services, counted)):
                for each in those:
                    rows[key_of(by, each)][n].append(each)
            own = {row.pop("key"): row for row in found["rows"]}
            for row in own.values():
                assert all([row.pop("name"), row.pop("name_en")]) or by == "item"
            assert own == {
                key: row_of(calls, services, None if by in ("window", "clerk") else tickets)
                for key, (calls, services, tickets) in rows.items()
            }, by
        waits = [(local(call["at"]), call["waiting"]) for call in calls if call["waiting"] is not None]
        hours = {at.hour: [wait for when, wait in waits if when.hour == at.hour] for at, _ in waits}
        assert {row.pop("hour"): row for row in found["hours"]} == {hour: spread(own) for hour, own in hours.items()}
        heat = defaultdict(list)
        for at, wait in waits:
            heat[at.weekday(), at.hour].append(wait)
        cells = {(cell["weekday"], cell["hour"]): (cell["count"], cell["mean_s"]) for cell in found["heat"]}
        assert cells == {key: (len(own), round(sum(own) / len(own), 1)) for key, own in heat.items()}


@pytest.mark.parametrize("side", ["queue", "window", "clerk", "item"])
def test_one_of_them_alone_is_its_own_row(hall: Hall, side: str) -> None:
    one, other = (row["code"] for row in search_items()["items"][:2])
    taken = [hall.take(queue, item=item) for queue, item in (("A", one), ("B", other), ("A", one), ("B", None))]
    for window, who in (("W01", "clerk01"), ("W02", "clerk02")):
        hall.open(who, window)
        called = hall.later(minutes=3).call(who, window)["ticket"]
        hall.step(serving.start, called, who)
        hall.later(minutes=2)
        hall.step(serving.finish, called, who)
    assert len(taken) == 4
    rows = statistics.statistics("luolong", FIRST, FIRST, side, hall.at)["rows"]
    assert sum(row["calls"] for row in rows) == 2
    for row in rows:
        key = row.pop("key")
        if key:
            alone = statistics.statistics("luolong", FIRST, FIRST, "hour", hall.at, (side, key))
            assert {name: row[name] for name in alone["total"]} == alone["total"]
            assert sum(each["calls"] for each in alone["rows"]) == row["calls"]
            assert sum(hour["count"] for hour in alone["hours"]) == row["waiting"]["count"]
            assert statistics.totals("luolong", FIRST, FIRST, (side, key)) == alone["total"]


def test_a_visit_over_midnight_is_as_long_as_it_was(hall: Hall) -> None:
    """It counts on the day when each part of it began, and nothing wraps at the hour or turns negative."""
    hall.at = MORNING.replace(hour=23, minute=58, second=30)
    taken = hall.take("A", item=None)
    hall.open()
    hall.later(seconds=45)
    hall.call()
    hall.later(seconds=30)
    hall.step(serving.start, taken)
    hall.later(minutes=130)
    hall.step(serving.finish, taken)
    first = statistics.statistics("luolong", FIRST, FIRST, "hour", hall.at)
    (row,) = first["rows"]
    times = {name: row[name]["most_s"] for name in statistics.TIMES}
    assert row["key"] == "23" and times == {"waiting": 45, "walking": 30, "serving": 7800, "total": 7875}
    night = statistics.totals("luolong", NIGHT, NIGHT)
    assert (night["calls"], night["serving"]["count"], night["issued"], night["lost_rate"]) == (0, 0, 0, None)


def test_a_span_has_its_bounds_and_the_one_before_is_as_long(hall: Hall) -> None:
    day = date(2027, 1, 10)
    assert statistics.days_before(day, day + timedelta(days=6)) == (date(2027, 1, 3), date(2027, 1, 9))
    longest = timedelta(days=statistics.LONGEST_DAYS)
    statistics.statistics("luolong", day - longest + timedelta(days=1), day, "queue", hall.at)
    for first in (day - longest, day + timedelta(days=1)):
        with refused("request.invalid"):
            statistics.statistics("luolong", first, day, "queue", hall.at)
