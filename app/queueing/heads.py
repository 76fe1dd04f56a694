"""The order of those who wait, read from the database: heads of lanes, places, ranks, the hall's rules of calling."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, TextualSelect, bindparam, func, select, text
from sqlalchemy.orm import Session

from app.db import UTCDateTime, db
from app.hall.models import Hall
from app.queueing.models import Ticket, WindowQueue
from app.queueing.rules.order import LaneHead, waits_since
from app.queueing.rules.policy import Policy, read_policy
from app.queueing.rules.states import Lane

_OF = "id, number, queue, lane, queued_us, issued_at, waiting_since"
_HEAD = (
    f"SELECT * FROM (SELECT {_OF}, 0 AS direct FROM tickets WHERE hall = :hall AND day = :day"
    " AND queue = :q{n} AND lane = '{lane}' AND state = 'waiting' AND to_window IS NULL AND to_staff IS NULL"
    " ORDER BY queued_us, id LIMIT 1) AS h{n}{lane}"
)
_DIRECT = (
    f"SELECT * FROM (SELECT {_OF}, 1 AS direct FROM tickets WHERE hall = :hall AND day = :day"
    " AND to_window = :window AND state = 'waiting' AND to_window IS NOT NULL ORDER BY queued_us, id LIMIT 1) AS d"
)
_NAMED = (
    f"SELECT * FROM (SELECT {_OF}, 1 AS direct FROM tickets WHERE hall = :hall AND day = :day"
    " AND to_staff = :staff AND state = 'waiting' AND to_staff IS NOT NULL ORDER BY queued_us, id LIMIT 1) AS s"
)


@lru_cache(maxsize=32)
def _heads_sql(queues: int) -> TextualSelect:
    """One row a lane, each from the head of the partial index: the cost does not grow with the number waiting."""
    parts = [_HEAD.format(n=n, lane=lane.value) for n in range(queues) for lane in Lane]
    return text(" UNION ALL ".join([*parts, _DIRECT, _NAMED])).columns(
        issued_at=UTCDateTime(), waiting_since=UTCDateTime()
    )


def heads_of_lanes(session: Session, hall: str, day: date, window: str, staff: str, policy: Policy) -> list[LaneHead]:
    """The first waiting ticket of every lane of the window's queues, and the first ones sent to this window or this clerk;
    where conditions ask, with how many wait in each queue.
    """
    values = {f"q{n}": queue for n, queue in enumerate(policy.weight_min)}
    given = {"hall": hall, "day": bound(session, day), "window": window, "staff": staff, **values}
    rows = session.execute(_heads_sql(len(values)), given).all()
    lengths = any(each.waiting_over is not None for each in policy.conditions)
    waiting = waiting_in(session, hall, day, {row.queue for row in rows}) if lengths else {}
    return [head_of(row, direct=bool(row.direct), waiting=waiting.get(row.queue, 0)) for row in rows]


def head_of(row: Row[Any], *, direct: bool, waiting: int = 0) -> LaneHead:
    """A ticket as the rule sees it."""
    queued_at = instant(row.queued_us)
    since = waits_since(queued_at, row.issued_at, row.waiting_since)
    return LaneHead(row.id, row.number, row.queue, Lane(row.lane), queued_at, direct, waiting, since)


def waiting_in(session: Session, hall: str, day: date, queues: set[str]) -> dict[str, int]:
    """How many wait in each of these queues for any of its windows; no entry for none."""
    query = select(Ticket.queue, func.count()).where(
        *(Ticket.hall == hall, Ticket.day == day, Ticket.queue.in_(sorted(queues)), Ticket.state == text("'waiting'")),
        *(Ticket.to_window.is_(None), Ticket.to_staff.is_(None)),
    )
    return dict(session.execute(query.group_by(Ticket.queue)).all())


def bound(session: Session, day: date) -> date | str:
    """A day as a plain parameter of text(), in the form that the driver wants."""
    return day.isoformat() if session.get_bind().dialect.name == "sqlite" else day


def instant(queued_us: int) -> datetime:
    """The moment of a queue time in microseconds since 1970 UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=queued_us)


_WEIGHTS = select(WindowQueue.queue, WindowQueue.weight_min).where(
    WindowQueue.hall == bindparam("key"), WindowQueue.window == bindparam("at")
)


def weights_of(session: Session, hall: str, window: str) -> dict[str, int]:
    """The queues that a window serves, each with its weight in minutes."""
    return dict(session.execute(_WEIGHTS, {"key": hall, "at": window}).all())


_SETTINGS = select(Hall.settings).where(Hall.code == bindparam("key"))


def policy_of(session: Session, hall: str, weights: Mapping[str, int]) -> Policy:
    """The hall's calling policy: its settings over the defaults."""
    settings = session.execute(_SETTINGS, {"key": hall}).scalar_one()
    return read_policy(settings.get("queue", {}), weights)


def is_closed_for(settings: Mapping[str, Any], day: str) -> bool:
    """Whether a hall has stopped giving tickets for the rest of this local day (ISO)."""
    return settings.get("closed_on") == day


def start_us(policy: Policy, lane: Lane) -> int:
    """The head start of a lane in microseconds."""
    return policy.head_start_min.get(lane, 0) * 60_000_000


_AHEAD = text(
    "SELECT count(*) FROM tickets WHERE hall = :hall AND day = :day AND queue = :queue AND state = 'waiting'"
    " AND to_window IS NULL AND to_staff IS NULL AND ("
    + " OR ".join(
        f"(lane = '{lane.value}' AND (queued_us < :before_{lane.value} OR queued_us = :before_{lane.value} AND id < :id))"
        for lane in Lane
    )
    + ")"
)


def ahead_of(session: Session, hall: str, day: date, queue: str, lane: str, queued_us: int, ticket_id: int) -> int:
    """How many waiting people of the queue have a smaller rank, by the hall's head starts; ties go to the lower id."""
    policy = policy_of(session, hall, {})
    own = queued_us - start_us(policy, Lane(lane))
    before = {f"before_{each.value}": own + start_us(policy, each) for each in Lane}
    given = {"hall": hall, "day": bound(session, day), "queue": queue, "id": ticket_id, **before}
    return session.execute(_AHEAD, given).scalar_one()


def ranked_waiting(session: Session, hall: str, day: date, queue: str, policy: Policy, limit: int) -> list[int]:
    """The ranks of the first `limit` people of a queue, in microseconds since 1970, in order."""
    ranks: list[int] = []
    for lane in Lane:
        query = select(Ticket.queued_us).where(*in_pool(hall, day, queue), Ticket.lane == lane)
        first = session.execute(query.order_by(Ticket.queued_us).limit(limit)).scalars()
        ranks.extend(queued_us - start_us(policy, lane) for queued_us in first)
    return sorted(ranks)[:limit]


def sent_to(hall: str, day: date, window: str | None, staff: str | None) -> tuple[Any, ...]:
    """Who waits for this one window, or this one clerk."""
    named = Ticket.to_window == window if window is not None else Ticket.to_staff == staff
    return (Ticket.hall == hall, Ticket.day == day, Ticket.state == text("'waiting'"), named)


def in_pool(hall: str, day: date, queue: str) -> tuple[Any, ...]:
    """Who waits in a queue for any of its windows."""
    return (
        Ticket.hall == hall,
        Ticket.day == day,
        Ticket.queue == queue,
        Ticket.state == text("'waiting'"),
        Ticket.to_window.is_(None),
        Ticket.to_staff.is_(None),
    )


def waiting_numbers(hall: str, queue: str, day: date, limit: int = 200) -> list[str]:
    """The waiting numbers of one queue in the order of their ranks, at most `limit`: a phone finds its own place."""
    session = db.session()
    policy = policy_of(session, hall, {})
    columns = (Ticket.number, Ticket.lane, Ticket.queued_us, Ticket.id)
    rows = session.execute(select(*columns).where(*in_pool(hall, day, queue)).order_by(Ticket.queued_us).limit(limit))
    ordered = sorted(rows, key=lambda r: (r.queued_us - start_us(policy, Lane(r.lane)), r.id))
    return [row.number for row in ordered]
