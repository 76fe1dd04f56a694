"""How true this hall's promised waits were: what slips said, against when their holders were first called (Q12)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, select

from app.db import db
from app.queueing import days
from app.queueing.models import Call, Ticket, WindowQueue, WindowSession
from app.queueing.rules.accuracy import AIM, Guess, score
from app.queueing.rules.forecast import ENOUGH, KEPT

LONGEST = timedelta(days=92)


def accuracy(hall: str, first: date, last: date) -> dict[str, Any]:
    """The score of the days from `first` to `last`, both included (92 at most), and by queue; spans in minutes.

    Only who was called counts, and only who was told a range counts in the shares and errors. Refuses request.invalid.
    """
    first = max(days.known(first), days.known(last) - LONGEST)
    found: list[Guess] = []
    for n in range((last - first).days + 1):
        found.extend(guesses(hall, first + timedelta(days=n)))
    by_queue: dict[str, list[Guess]] = {}
    for each in found:
        by_queue.setdefault(each.queue, []).append(each)
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "aim": list(AIM),
        **_said(found),
        "queues": [{"queue": queue, **_said(own)} for queue, own in sorted(by_queue.items())],
    }


def _said(found: Sequence[Guess]) -> dict[str, Any]:
    figures = asdict(score(found))
    shares = {name: _rounded(figures[name], 3) for name in ("inside", "sooner", "later")}
    minutes = {
        name.replace("_s", "_min"): None if figures[name] is None else round(figures[name] / 60, 1)
        for name in ("error_s", "naive_error_s", "shared_error_s", "width_s")
    }
    return {"people": figures["people"], "told": figures["told"], **shares, **minutes}


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def guesses(hall: str, day: date) -> list[Guess]:
    """Everybody who took a number on a day and was called: what they were told, what came, and the naive estimate."""
    columns = (Ticket.id, Ticket.queue, Ticket.issued_at, Ticket.first_called_at, Ticket.finished_at)
    query = select(*columns, Ticket.forecast_low_s, Ticket.forecast_high_s).where(
        Ticket.hall == hall, Ticket.day == day
    )
    rows = db.session.execute(query.order_by(Ticket.issued_at, Ticket.id)).all()
    came, gone = _by_queue(rows)
    ended, spans = _services(hall, day)
    open_ = _open(hall, day)
    found = []
    for row in rows:
        if row.first_called_at is None:
            continue
        own = came[row.queue]
        ahead = max(bisect_left(own, row.issued_at) - bisect_left(gone[row.queue], row.issued_at), 0)
        known = spans.get(row.queue, [])[: bisect_left(ended.get(row.queue, []), row.issued_at)][-KEPT:]
        average = sum(known) / len(known) if len(known) >= ENOUGH else 300.0
        able = sum(begin <= row.issued_at < end for begin, end in open_.get(row.queue, ()))
        found.append(
            Guess(
                queue=row.queue,
                ahead=ahead,
                low_s=row.forecast_low_s,
                high_s=row.forecast_high_s,
                naive_s=ahead * average,
                shared_s=ahead * average / max(able, 1),
                waited_s=(row.first_called_at - row.issued_at).total_seconds(),
            )
        )
    return found


def _by_queue(rows: Sequence[Row[Any]]) -> tuple[dict[str, list[datetime]], dict[str, list[datetime]]]:
    """When people of each queue came, and when they stopped waiting, each in order."""
    came: dict[str, list[datetime]] = {}
    gone: dict[str, list[datetime]] = {}
    for row in rows:
        came.setdefault(row.queue, []).append(row.issued_at)
        left = row.first_called_at or row.finished_at
        own = gone.setdefault(row.queue, [])
        if left is not None:
            own.append(left)
    return came, {queue: sorted(own) for queue, own in gone.items()}


def _services(hall: str, day: date) -> tuple[dict[str, list[datetime]], dict[str, list[float]]]:
    """By queue, when calls ended and how long they kept their windows, in the order of the ends."""
    begin, end = days.span(day)
    query = select(Call.queue, Call.called_at, Call.ended_at).where(
        *(Call.hall == hall, Call.called_at >= begin, Call.called_at < end),
        *(Call.ended_at.is_not(None), Call.queue.is_not(None)),
    )
    ended: dict[str, list[datetime]] = {}
    spans: dict[str, list[float]] = {}
    for row in db.session.execute(query.order_by(Call.ended_at, Call.id)):
        ended.setdefault(row.queue, []).append(row.ended_at)
        spans.setdefault(row.queue, []).append((row.ended_at - row.called_at).total_seconds())
    return ended, spans


def _open(hall: str, day: date) -> dict[str, list[tuple[datetime, datetime]]]:
    """By queue, when windows that serve it now were open on that day."""
    begin, end = days.span(day)
    query = (
        select(WindowQueue.queue, WindowSession.opened_at, WindowSession.closed_at)
        .join(WindowSession, (WindowSession.hall == WindowQueue.hall) & (WindowSession.window == WindowQueue.window))
        .where(WindowSession.hall == hall, WindowSession.opened_at >= begin, WindowSession.opened_at < end)
    )
    spans: dict[str, list[tuple[datetime, datetime]]] = {}
    for row in db.session.execute(query):
        spans.setdefault(row.queue, []).append((row.opened_at, row.closed_at or end))
    return spans
