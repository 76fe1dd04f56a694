"""The record of a hall: appended inside the action's transaction, numbered without gaps, chained by HMAC."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Index, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app import events, privacy
from app.db import NETWORK, HallHead, Head, JSONText, canonical, db, transaction
from app.events import Event, Recorded


class EventRow(db.Model):
    """One recorded event. `mac` continues the row before; rows are never changed or deleted."""

    __tablename__ = "events"
    __table_args__ = (Index("ix_events_subject", "hall", "subject", "seq"),)

    hall: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str]
    subject: Mapped[str]
    body: Mapped[dict[str, Any]]
    actor: Mapped[str]
    at: Mapped[datetime]
    mac: Mapped[str]


class Cursor(db.Model):
    """How far a consumer has come in a hall's record, and what it has folded so far."""

    __tablename__ = "consumer_cursors"

    consumer: Mapped[str] = mapped_column(primary_key=True)
    hall: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(default=0)
    state: Mapped[Any | None] = mapped_column(JSONText)


_APPEND = insert(EventRow.__table__)


def append(session: Session, head: Head, recorded: Sequence[tuple[Event, str, datetime]]) -> None:
    """Write events after the hall's last one and move the head. The caller holds the hall's lock."""
    rows = []
    for event, actor, at in recorded:
        head.seq += 1
        body = events.encode(event)
        head.mac = _mac(head.mac, head.hall, head.seq, event.kind, event.subject, body, actor, at)
        rows.append(
            {
                "hall": head.hall,
                "seq": head.seq,
                "kind": event.kind,
                "subject": event.subject,
                "body": body,
                "actor": actor,
                "at": at,
                "mac": head.mac,
            }
        )
    if rows:
        session.execute(_APPEND, rows)


def _mac(
    before: str, hall: str, seq: int, kind: str, subject: str, body: dict[str, Any], actor: str, at: datetime
) -> str:
    row = canonical([hall, seq, kind, subject, body, actor, at.astimezone(UTC).isoformat()])
    return hmac.new(privacy.chain_key(), f"{before}\n{row}".encode(), hashlib.sha256).hexdigest()


_columns = (EventRow.seq, EventRow.kind, EventRow.body, EventRow.actor, EventRow.at)


def _recorded(hall: str, row: Any) -> Recorded:
    return Recorded(hall, row.seq, events.decode(row.kind, row.body), row.actor, row.at)


def read(hall: str, after: int, limit: int = 500) -> list[Recorded]:
    """The hall's events with `seq > after`, in order, at most `limit`."""
    query = select(*_columns).where(EventRow.hall == hall, EventRow.seq > after).order_by(EventRow.seq).limit(limit)
    return [_recorded(hall, row) for row in db.session.execute(query)]


def read_subject(hall: str, subject: str) -> list[Recorded]:
    """One thing's own history, in order."""
    query = select(*_columns).where(EventRow.hall == hall, EventRow.subject == subject).order_by(EventRow.seq)
    return [_recorded(hall, row) for row in db.session.execute(query)]


def between(hall: str, begin: datetime, end: datetime) -> list[Recorded]:
    """The hall's events with `begin <= at < end`, in order. Times never fall, so both ends are found by halving."""
    first, last = _first_at(hall, begin), _first_at(hall, end)
    query = select(*_columns).where(EventRow.hall == hall, EventRow.seq >= first, EventRow.seq < last)
    return [_recorded(hall, row) for row in db.session.execute(query.order_by(EventRow.seq))]


def _first_at(hall: str, at: datetime) -> int:
    """The first `seq` that is not before `at`; one behind the last when all are."""
    low, high = 1, heads().get(hall, 0) + 1
    while low < high:
        middle = (low + high) // 2
        moment = select(EventRow.at).where(EventRow.hall == hall, EventRow.seq == middle)
        low, high = (middle + 1, high) if db.session.execute(moment).scalar_one() < at else (low, middle)
    return low


def heads() -> dict[str, int]:
    """The last sequence number of every hall."""
    return dict(db.session.execute(select(HallHead.hall, HallHead.seq)).all())


def verify(hall: str) -> int | None:
    """The `seq` at which the record stops being what was written, or None when all of it holds.

    Finds changed, inserted, swapped and removed rows, and a tail cut off behind the head.
    """
    mac, expected = "", 0
    for row in _all(hall):
        expected += 1
        if row.seq != expected:
            return expected
        mac = _mac(mac, hall, row.seq, row.kind, row.subject, row.body, row.actor, row.at)
        if not hmac.compare_digest(mac, row.mac):
            return row.seq
    head = db.session.execute(select(HallHead.seq, HallHead.mac).where(HallHead.hall == hall)).one_or_none()
    if head is not None and (head.seq, head.mac) != (expected, mac):
        return expected + 1
    return None


def _all(hall: str) -> Iterator[Any]:
    after = 0
    columns = (*_columns, EventRow.subject, EventRow.mac)
    while True:
        query = select(*columns).where(EventRow.hall == hall, EventRow.seq > after).order_by(EventRow.seq).limit(2000)
        rows = db.session.execute(query).all()
        if not rows:
            return
        yield from rows
        after = rows[-1].seq


def cursor(consumer: str, hall: str) -> tuple[int, Any]:
    """Where the consumer stands in the hall's record and its folded state; (0, None) for a new one."""
    query = select(Cursor.seq, Cursor.state).where(Cursor.consumer == consumer, Cursor.hall == hall)
    row = db.session.execute(query).one_or_none()
    return (row.seq, row.state) if row else (0, None)


def advance(consumer: str, hall: str, seq: int, state: Any = None) -> None:
    """Move the consumer's cursor, in a short transaction of its own: consumers stand outside actions.

    Only one process runs a consumer, so this needs no hall's lock and takes the network's, for which no clerk waits.
    Refuses hall.busy.
    """
    with transaction(NETWORK) as (session, _):
        session.merge(Cursor(consumer=consumer, hall=hall, seq=seq, state=state))
