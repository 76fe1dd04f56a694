"""Reading the queue: heads of lanes, places, windows, the view of one ticket. Nothing here writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import TextClause, and_, bindparam, func, or_, select, text
from sqlalchemy.orm import Session

from app import privacy
from app.db import db
from app.errors import Refusal
from app.hall.models import Hall, Window
from app.now import iso, local_day
from app.queueing.models import Call, Queue, Ticket, WindowQueue, WindowSession
from app.queueing.rules.order import LaneHead, Policy
from app.queueing.rules.states import AT_WINDOW, Lane, TicketState, legal_steps
from app.queueing.rules.wait import wait_range

_HEAD = (
    "SELECT * FROM (SELECT id, number, queue, lane, queued_us, 0 AS direct FROM tickets WHERE hall = :hall AND day = :day"
    " AND queue = :q{n} AND lane = '{lane}' AND state = 'waiting' AND to_window IS NULL"
    " ORDER BY queued_us, id LIMIT 1) AS h{n}{lane}"
)
_DIRECT = (
    "SELECT * FROM (SELECT id, number, queue, lane, queued_us, 1 AS direct FROM tickets WHERE hall = :hall AND day = :day"
    " AND to_window = :window AND state = 'waiting' AND to_window IS NOT NULL ORDER BY queued_us, id LIMIT 1) AS d"
)


@lru_cache(maxsize=32)
def _heads_sql(queues: int) -> TextClause:
    """One row a lane, each from the head of the partial index: the cost does not grow with the number waiting."""
    parts = [_HEAD.format(n=n, lane=lane.value) for n in range(queues) for lane in Lane]
    return text(" UNION ALL ".join([*parts, _DIRECT]))


def heads_of_lanes(session: Session, hall: str, day: date, window: str, queues: tuple[str, ...]) -> list[LaneHead]:
    """The first waiting ticket of every lane of these queues, and the first one sent to this very window."""
    values = {f"q{n}": queue for n, queue in enumerate(queues)}
    rows = session.execute(
        _heads_sql(len(queues)), {"hall": hall, "day": _bound(session, day), "window": window, **values}
    )
    return [
        LaneHead(row.id, row.number, row.queue, Lane(row.lane), _instant(row.queued_us), bool(row.direct))
        for row in rows
    ]


def _bound(session: Session, day: date) -> date | str:
    return day.isoformat() if session.get_bind().dialect.name == "sqlite" else day


def _instant(micros: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


_SETTINGS = select(Hall.settings).where(Hall.code == bindparam("key"))


def policy_of(session: Session, hall: str, weights: Mapping[str, int]) -> Policy:
    """The hall's calling policy: its settings over the defaults."""
    settings = session.execute(_SETTINGS, {"key": hall}).scalar_one()
    own = settings.get("queue", {})
    policy = Policy(weight_min=weights)
    head_start = dict(policy.head_start_min) | {Lane(k): v for k, v in own.get("head_start_min", {}).items()}
    known = {
        name: own[name] for name in ("recalls", "recall_gap_s", "restore_within_min", "restore_behind") if name in own
    }
    return Policy(head_start_min=head_start, weight_min=weights, **known)


def _start_us(policy: Policy, lane: Lane) -> int:
    return policy.head_start_min.get(lane, 0) * 60_000_000


_AHEAD = text(
    "SELECT count(*) FROM tickets WHERE hall = :hall AND day = :day AND queue = :queue AND state = 'waiting'"
    " AND to_window IS NULL AND ("
    + " OR ".join(
        f"(lane = '{lane.value}' AND (queued_us < :before_{lane.value} OR queued_us = :before_{lane.value} AND id < :id))"
        for lane in Lane
    )
    + ")"
)


def ahead_of(session: Session, hall: str, day: date, queue: str, lane: str, queued_us: int, ticket_id: int) -> int:
    """How many waiting people of the queue have a smaller rank, by the hall's head starts; ties go to the lower id."""
    policy = policy_of(session, hall, {})
    own = queued_us - _start_us(policy, Lane(lane))
    before = {f"before_{each.value}": own + _start_us(policy, each) for each in Lane}
    given = {"hall": hall, "day": _bound(session, day), "queue": queue, "id": ticket_id, **before}
    return session.execute(_AHEAD, given).scalar_one()


def ranked_waiting(session: Session, hall: str, day: date, queue: str, policy: Policy, limit: int) -> list[int]:
    """The ranks of the first `limit` people of a queue, in microseconds since 1970, in order."""
    ranks: list[int] = []
    for lane in Lane:
        query = select(Ticket.queued_us).where(*_waiting(hall, day, queue), Ticket.lane == lane)
        first = session.execute(query.order_by(Ticket.queued_us).limit(limit)).scalars()
        ranks.extend(queued_us - _start_us(policy, lane) for queued_us in first)
    return sorted(ranks)[:limit]


def _waiting(hall: str, day: date, queue: str) -> tuple[Any, ...]:
    return (
        Ticket.hall == hall,
        Ticket.day == day,
        Ticket.queue == queue,
        Ticket.state == text("'waiting'"),
        Ticket.to_window.is_(None),
    )


_RECENT = (
    select(Ticket.started_at, Ticket.finished_at)
    .where(
        Ticket.hall == bindparam("key"),
        Ticket.queue == bindparam("queue"),
        Ticket.finished_at > bindparam("since"),
        Ticket.state == TicketState.FINISHED,
    )
    .order_by(Ticket.finished_at.desc())
    .limit(40)
)


def queue_wait(session: Session, hall: str, queue: str, ahead: int, at: datetime) -> tuple[int, int] | None:
    """The expected wait in seconds as a range, or None without open windows or recent services of the last four hours."""
    windows = _windows_open(session, hall).get(queue, 0)
    given = {"key": hall, "queue": queue, "since": at - timedelta(hours=4)}
    rows = session.execute(_RECENT, given).all() if windows else []
    return wait_range(ahead, [int((r.finished_at - r.started_at).total_seconds()) for r in rows], windows)


_WINDOWS_OPEN = (
    select(WindowQueue.queue, func.count())
    .join(WindowSession, (WindowSession.hall == WindowQueue.hall) & (WindowSession.window == WindowQueue.window))
    .where(WindowQueue.hall == bindparam("key"), WindowSession.state == "open")
    .group_by(WindowQueue.queue)
)


def _windows_open(session: Session, hall: str) -> dict[str, int]:
    return dict(session.execute(_WINDOWS_OPEN, {"key": hall}).all())


def queues_of_hall(hall: str, at: datetime) -> list[dict[str, Any]]:
    """Every queue with how many wait, how many windows serve it, and the wait of somebody who came now."""
    session, day = db.session(), local_day(at)
    counts = dict(
        session.execute(
            select(Ticket.queue, func.count())
            .where(Ticket.hall == hall, Ticket.day == day, Ticket.state == TicketState.WAITING)
            .group_by(Ticket.queue)
        ).all()
    )
    windows = _windows_open(session, hall)
    rows = session.execute(select(Queue).where(Queue.hall == hall).order_by(Queue.prefix)).scalars()
    result = []
    for queue in rows:
        waiting = counts.get(queue.code, 0)
        wait = queue_wait(session, hall, queue.code, waiting, at)
        result.append(
            {
                "code": queue.code,
                "prefix": queue.prefix,
                "name": queue.name_zh,
                "name_en": queue.name_en,
                "zone": queue.zone,
                "waiting": waiting,
                "windows_open": windows.get(queue.code, 0),
                "wait_low_s": wait[0] if wait else None,
                "wait_high_s": wait[1] if wait else None,
                "open": queue.active,
            }
        )
    return result


def queue_for(hall: str, zone: str) -> str:
    """The queue of the hall that takes items of a catalogue zone. Refuses queue.none_for_item."""
    query = select(Queue.code, Queue.takes).where(Queue.hall == hall, Queue.active).order_by(Queue.code)
    for code, takes in db.session.execute(query):
        if zone in takes:
            return code
    raise Refusal("queue.none_for_item")


def zones_taken(hall: str) -> list[str]:
    """The catalogue zones whose items some queue of the hall takes, also while it gives no tickets."""
    taken = db.session.execute(select(Queue.takes).where(Queue.hall == hall)).scalars()
    return sorted({zone for zones in taken for zone in zones})


def windows_of_hall(hall: str) -> list[dict[str, Any]]:
    """Every window with its state, who is there, which queues it serves and the ticket it has."""
    session = db.session()
    queues: dict[str, list[str]] = {}
    for window, queue in session.execute(
        select(WindowQueue.window, WindowQueue.queue).where(WindowQueue.hall == hall).order_by(WindowQueue.queue)
    ):
        queues.setdefault(window, []).append(queue)
    live = {
        row.window: row
        for row in session.execute(
            select(WindowSession).where(WindowSession.hall == hall, WindowSession.state != "closed")
        ).scalars()
    }
    tickets = {
        row.window: row
        for row in session.execute(
            select(Ticket.window, Ticket.id, Ticket.number, Ticket.state, Ticket.called_at).where(
                Ticket.hall == hall, Ticket.state.in_(sorted(AT_WINDOW))
            )
        )
    }
    result = []
    every = session.execute(select(Window).where(Window.hall == hall, Window.active)).scalars()
    order = {"comprehensive": 0, "consult": 1, "pickup": 2}
    for window in sorted(every, key=lambda w: (order[w.kind], w.code)):
        open_, ticket = live.get(window.code), tickets.get(window.code)
        result.append(
            {
                "id": f"{hall}-{window.code}",
                "code": window.code,
                "kind": window.kind,
                "name": window.name_zh,
                "name_en": window.name_en,
                "zone": window.zone,
                "queues": queues.get(window.code, []),
                "state": open_.state if open_ else "closed",
                "staff": open_.staff if open_ else None,
                "since": iso(open_.changed_at) if open_ else None,
                "reason": open_.reason if open_ else None,
                "ticket": {
                    "id": f"{hall}-{ticket.id}",
                    "number": ticket.number,
                    "state": ticket.state,
                    "called_at": iso(ticket.called_at),
                }
                if ticket
                else None,
            }
        )
    return result


def window_of_staff(hall: str, staff_id: int) -> str | None:
    """The window at which this staff member sits now."""
    query = select(WindowSession.window).where(
        WindowSession.hall == hall, WindowSession.staff_id == staff_id, WindowSession.state != "closed"
    )
    return db.session.execute(query).scalar_one_or_none()


def find_by_token(token: str) -> tuple[str, int]:
    """(hall, ticket id) of a citizen's token. Refuses ticket.unknown."""
    query = select(Ticket.hall, Ticket.id).where(Ticket.token_hash == privacy.token_hash(token))
    row = db.session.execute(query).one_or_none()
    if row is None:
        raise Refusal("ticket.unknown")
    return row.hall, row.id


def ticket_view(hall: str, ticket_id: int, at: datetime) -> dict[str, Any]:
    """What a ticket's holder and the clerks see: number, state, place, range, window. No personal data.

    Refuses ticket.unknown.
    """
    session = db.session()
    row = session.execute(select(Ticket).where(Ticket.hall == hall, Ticket.id == ticket_id)).scalar_one_or_none()
    if row is None:
        raise Refusal("ticket.unknown")
    waiting = row.state == TicketState.WAITING
    ahead = ahead_of(session, hall, row.day, row.queue, row.lane, row.queued_us, row.id) if waiting else 0
    wait = queue_wait(session, hall, row.queue, ahead, at) if waiting else None
    queue = session.execute(select(Queue).where(Queue.hall == hall, Queue.code == row.queue)).scalar_one()
    names = select(Window.name_zh, Window.name_en).where(Window.hall == hall, Window.code == row.window)
    window = session.execute(names).one_or_none() if row.window else None
    return {
        "id": f"{hall}-{row.id}",
        "hall": hall,
        "number": row.number,
        "queue": row.queue,
        "queue_name": queue.name_zh,
        "queue_name_en": queue.name_en,
        "zone": queue.zone,
        "lane": row.lane,
        "state": row.state,
        "item": row.item,
        "ahead": ahead,
        "wait_low_s": wait[0] if wait else None,
        "wait_high_s": wait[1] if wait else None,
        "window": row.window if row.state in AT_WINDOW or row.state == TicketState.PARKED else None,
        "window_name": window.name_zh if window else None,
        "window_name_en": window.name_en if window else None,
        "issued_at": iso(row.issued_at),
        "called_at": iso(row.called_at),
        "started_at": iso(row.started_at),
        "recalls": row.recalls,
        "steps": [step.value for step in legal_steps(TicketState(row.state))],
    }


def waiting_numbers(hall: str, queue: str, day: date, limit: int = 200) -> list[str]:
    """The waiting numbers of one queue in the order of their ranks, at most `limit`: a phone finds its own place."""
    session = db.session()
    policy = policy_of(session, hall, {})
    columns = (Ticket.number, Ticket.lane, Ticket.queued_us, Ticket.id)
    rows = session.execute(select(*columns).where(*_waiting(hall, day, queue)).order_by(Ticket.queued_us).limit(limit))
    ordered = sorted(rows, key=lambda r: (r.queued_us - _start_us(policy, Lane(r.lane)), r.id))
    return [row.number for row in ordered]


def person_of(hall: str, ticket_id: int) -> dict[str, str]:
    """Who took the ticket, as far as they said; {} for an anonymous one. Only for staff pages, which mask it."""
    query = select(Ticket.person_sealed).where(Ticket.hall == hall, Ticket.id == ticket_id)
    sealed = db.session.execute(query).scalar_one_or_none()
    return json.loads(privacy.open_sealed(sealed, f"tickets.person|{hall}|{ticket_id}")) if sealed else {}


def token_of(hall: str, ticket_id: int) -> str:
    """The holder's token again, for a reprint of the slip. Refuses ticket.unknown."""
    query = select(Ticket.token_sealed).where(Ticket.hall == hall, Ticket.id == ticket_id)
    sealed = db.session.execute(query).scalar_one_or_none()
    if sealed is None:
        raise Refusal("ticket.unknown")
    return privacy.open_sealed(sealed, f"tickets.token|{hall}|{ticket_id}")


def set_aside(hall: str, day: date, queues: list[str], since: datetime) -> list[dict[str, Any]]:
    """Parked tickets, and missed ones since `since`, of these queues: what a clerk may take up again."""
    missed = and_(Ticket.state == TicketState.NO_SHOW, Ticket.missed_at > since)
    query = select(Ticket.id, Ticket.number, Ticket.queue, Ticket.state, Ticket.window).where(
        Ticket.hall == hall,
        Ticket.day == day,
        Ticket.queue.in_(queues),
        or_(Ticket.state == TicketState.PARKED, missed),
    )
    return [
        {"id": f"{hall}-{r.id}", "number": r.number, "queue": r.queue, "state": r.state, "window": r.window}
        for r in db.session.execute(query.order_by(Ticket.id))
    ]


def why_called(hall: str, ticket_id: int) -> list[dict[str, Any]]:
    """Every call of the ticket with its stored reason, oldest first (Q9)."""
    query = select(Call).where(Call.hall == hall, Call.ticket_id == ticket_id).order_by(Call.id)
    return [
        {"window": c.window, "at": iso(c.called_at), "outcome": c.outcome, "why": c.why}
        for c in db.session.execute(query).scalars()
    ]


def longest_wait_s(hall: str, at: datetime) -> dict[str, int]:
    """Per queue, how many seconds its longest waiting person has been here."""
    query = (
        select(Ticket.queue, func.min(Ticket.issued_at))
        .where(Ticket.hall == hall, Ticket.day == local_day(at), Ticket.state == TicketState.WAITING)
        .group_by(Ticket.queue)
    )
    rows = db.session.execute(query).all()
    return {queue: max(int((at - first).total_seconds()), 0) for queue, first in rows}
