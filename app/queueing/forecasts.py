"""What people are told to expect (DOMAIN Q12): the hall as it stands now, read once and played forward, kept for seconds.

Never called inside an action: it reads much, and nobody may wait for it with a hall's lock in hand. Where the server has
threads (`in_background`), who asks is told the last forecast while the next one is being made, if it is not too old.
"""

from __future__ import annotations

import logging
import threading
from bisect import bisect_left
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask import Flask, current_app
from flask.globals import app_ctx
from sqlalchemy import Row, func, select, text

from app.db import HallHead, db
from app.hall.queries import schedule
from app.hall.rules.calendar import CalendarUnknown
from app.now import SHANGHAI, local_day
from app.queueing.heads import ahead_of, instant, policy_of, sent_to
from app.queueing.models import Call, Queue, Ticket, WindowQueue, WindowSession
from app.queueing.rules.day import Desk, Span
from app.queueing.rules.forecast import Forecast, Past, Present, Range, Serving, Waiting, forecast, past_of, planned
from app.queueing.rules.order import Tally, waits_since
from app.queueing.rules.states import AT_WINDOW, Lane, TicketState
from app.queueing.rules.steady import Shown, settle

log = logging.getLogger("yichuang.forecasts")

FRESH = timedelta(seconds=5)  # while things happen, a forecast is as good as new for so long,
EACH = timedelta(milliseconds=50)  # and a little longer for each who waits: it costs more, and moves less
STALE = timedelta(seconds=30)  # and while nothing does
OLD = timedelta(minutes=2)  # beyond, nobody is told it any more: who asks waits for a new one
HOUR = timedelta(hours=1)
CALLS_READ = 400
MOST = 600  # people waiting: beyond, nobody can say
PHONES = 5000  # remembered ranges of phones, a process


@dataclass(slots=True)
class _Kept:
    seq: int
    made: datetime
    seen: Forecast
    able: dict[str, int]  # open windows by queue
    served: frozenset[str]  # queues of which some window will call today, as far as anybody can know


_kept: dict[str, _Kept] = {}
_making: dict[str, threading.Lock] = {}
background = threading.Lock()  # held while the one thread of this process that makes forecasts is at it
_before: dict[str, tuple[date, dict[str, list[float]], dict[str, tuple[Span, ...]]]] = {}
_phones: OrderedDict[tuple[str, int], Shown] = OrderedDict()


def wait_of(hall: str, queue: str, lane: str, at: datetime, ahead: int) -> tuple[int, int] | None:
    """The wait in seconds, as a range, of somebody with so many people of the queue before them; None: nobody can say.

    `ahead` counts by ranks, so it holds the lane already.
    """
    return _pair(_look(hall, at).seen.at_place(queue, ahead), ahead)


def waits(hall: str, at: datetime) -> dict[str, tuple[int, int] | None]:
    """By queue, the wait of who would come now and join the normal lane."""
    seen = _look(hall, at).seen
    return {queue: _pair(range_, len(seen.places.get(queue, ()))) for queue, range_ in seen.newcomers.items()}


def promise(hall: str, queue: str, lane: str, at: datetime) -> tuple[int, int] | None:
    """The same for one who takes a number now: what the slip says and the record keeps. None for a lane that is none."""
    if lane not in set(Lane):
        return None
    seen = _look(hall, at).seen
    start = timedelta(minutes=policy_of(db.session(), hall, {}).head_start_min.get(Lane(lane), 0))
    ahead = bisect_left(seen.ranks.get(queue, ()), at - start)
    return _pair(seen.at_place(queue, ahead), ahead)


def too_late(hall: str, queue: str, at: datetime) -> bool:
    """Whether who takes a number now may still be waiting when the windows close (Q11); False where nothing is known.

    True from one run in five on that ends without a call, as long as the doors are open.
    """
    if not any(opens <= at < closes for opens, closes in _doors(hall, local_day(at))):
        return False
    kept = _look(hall, at)
    found = kept.seen.newcomers.get(queue)
    return queue in kept.served and queue in kept.seen.newcomers and (found is None or found.sure < 0.8)


def steady(hall: str, ticket_id: int, at: datetime) -> dict[str, Any] | None:
    """The range for the phone of who holds this ticket: `low_s`, `high_s`, and `moved`, the reason of its last move.

    None for a ticket that does not wait, or when nobody can say. It begins with what the slip said.
    """
    session = db.session()
    row = session.execute(select(Ticket).where(Ticket.hall == hall, Ticket.id == ticket_id)).scalar_one_or_none()
    if row is None or row.state != TicketState.WAITING:
        _phones.pop((hall, ticket_id), None)
        return None
    kept = _look(hall, at)
    if row.to_window is None and row.to_staff is None:
        ahead = ahead_of(session, hall, row.day, row.queue, row.lane, row.queued_us, row.id)
        seen = kept.seen.at_place(row.queue, ahead)
    else:
        before = (*sent_to(hall, row.day, row.to_window, row.to_staff), Ticket.queued_us < row.queued_us)
        ahead = session.execute(select(func.count()).where(*before)).scalar_one()
        seen = kept.seen.tickets.get(ticket_id)
    if seen is None:
        return None
    windows = kept.able.get(row.queue, 0)
    shown = settle(_phones.get((hall, ticket_id)) or _promised(row, ahead, windows), seen, at, ahead, windows)
    _phones[hall, ticket_id] = shown
    _phones.move_to_end((hall, ticket_id))
    while len(_phones) > PHONES:
        _phones.popitem(last=False)
    low, high = shown.left(at)
    return {"low_s": low, "high_s": high, "moved": shown.moved.value if shown.moved else None}


def _promised(row: Ticket, ahead: int, windows: int) -> Shown | None:
    """What the slip said, as if place and windows had been as they are."""
    if row.forecast_low_s is None or row.forecast_high_s is None:
        return None
    low, high = (row.issued_at + timedelta(seconds=span) for span in (row.forecast_low_s, row.forecast_high_s))
    return Shown(low, high, ahead, windows)


def _pair(found: Range | None, ahead: int) -> tuple[int, int] | None:
    if found is None:
        return None
    least = 60 if ahead else 0
    return max(found.low_s, least), max(found.high_s, least + 60)


# ── the hall as it stands ───────────────────────────────────────────────────────────────────────────────────────


def in_background(app: Flask) -> None:
    """From now on this application makes forecasts in a thread of their own. For servers with threads, not with gevent."""
    app.extensions["forecasts"] = True


def _look(hall: str, at: datetime) -> _Kept:
    """The forecast of this process: made anew when something has happened, at most every few seconds, by one thread."""
    kept = _kept.get(hall)
    if kept is not None and _good(kept, _seq(hall), at):
        return kept
    if kept is None or abs(at - kept.made) > OLD or local_day(kept.made) != local_day(at):
        return make(hall, at)
    if current_app.extensions.get("forecasts"):
        _hand_over(hall, at)
        return kept
    if _making.setdefault(hall, threading.Lock()).locked():
        return kept  # somebody else is at it
    return make(hall, at)


def make(hall: str, at: datetime) -> _Kept:
    """Make the hall's forecast anew, here and now, and keep it; who waited while somebody else did so takes theirs."""
    with _making.setdefault(hall, threading.Lock()):
        kept, seq = _kept.get(hall), _seq(hall)
        if kept is None or not _good(kept, seq, at):
            kept = _kept[hall] = _make(hall, at, seq)
        return kept


def _hand_over(hall: str, at: datetime) -> None:
    """Let the background make it; when it is at another one, whoever asks next does this again."""
    if not background.acquire(blocking=False):
        return
    try:
        threading.Thread(target=_behind, args=(app_ctx.app, hall, at), name="forecasts", daemon=True).start()
    except RuntimeError:  # no more threads: the next one tries again
        background.release()
        log.exception("no thread for the forecast of %s", hall)


def _behind(app: Flask, hall: str, at: datetime) -> None:
    try:
        with app.app_context():
            make(hall, at)
    except Exception:  # nobody waits for this thread: they are told the last forecast, and the next one asks again
        log.exception("the forecast of %s failed", hall)
    finally:
        background.release()


def _seq(hall: str) -> int:
    return db.session.execute(select(HallHead.seq).where(HallHead.hall == hall)).scalar_one_or_none() or 0


def _good(kept: _Kept, seq: int, at: datetime) -> bool:
    keeps = STALE if kept.seq == seq else FRESH + EACH * len(kept.seen.tickets)
    return abs(at - kept.made) < keeps and kept.seq <= seq and local_day(kept.made) == local_day(at)


def forget() -> None:
    """Drop all that this process remembers, as a restart does."""
    for memory in (_kept, _before, _phones):
        memory.clear()


def _make(hall: str, at: datetime, seq: int) -> _Kept:
    present, able = present_of(hall, at)
    silent = _Kept(seq, at, Forecast(at, {}, dict.fromkeys(able), {}, {}), able, frozenset())
    if len(present.waiting) > MOST:
        return silent
    past = past_at(hall, at, present)
    try:
        seen = forecast(present, past, list(able), seed=seq)
    except Exception:  # a number without a forecast is better than no number
        log.exception("the forecast of %s failed", hall)
        return silent
    served = frozenset(queue for desk in present.desks for queue in desk.weight_min)
    return _Kept(seq, at, seen, able, served)


def present_of(hall: str, at: datetime) -> tuple[Present, dict[str, int]]:
    """The hall now: who waits, who is served, which windows will call when; and how many are open for each queue."""
    session, day = db.session(), local_day(at)
    weights: dict[str, dict[str, int]] = {}
    for window, queue, weight in session.execute(
        select(WindowQueue.window, WindowQueue.queue, WindowQueue.weight_min).where(WindowQueue.hall == hall)
    ):
        weights.setdefault(window, {})[queue] = weight
    seats = {
        row.window: row
        for row in session.execute(
            select(WindowSession.window, WindowSession.staff, WindowSession.state).where(
                WindowSession.hall == hall, WindowSession.state != "closed"
            )
        )
    }
    able = dict.fromkeys(session.execute(select(Queue.code).where(Queue.hall == hall)).scalars(), 0)
    for window, row in seats.items():
        for queue in weights.get(window, ()):
            able[queue] += row.state == "open"
    calls = _calls_today(hall, at)
    plan = planned(at, _doors(hall, day), {w: r.state for w, r in seats.items()}, _yesterday(hall, day)[1])
    gaps = _gaps(calls)
    pace = sorted(gaps)[len(gaps) // 2]
    desks = tuple(Desk(w, weights[w], hours, gaps, pace) for w, hours in sorted(plan.items()) if hours and w in weights)
    there = {row.staff: row.window for row in seats.values()}
    columns = (Ticket.id, Ticket.queue, Ticket.lane, Ticket.queued_us, Ticket.issued_at, Ticket.waiting_since)
    lined_up = select(*columns, Ticket.to_window, Ticket.to_staff).where(
        Ticket.hall == hall, Ticket.day == day, Ticket.state == text("'waiting'")
    )
    waiting = tuple(
        Waiting(
            *(row.id, row.queue, Lane(row.lane), instant(row.queued_us), row.to_window or _seat(row.to_staff, there)),
            waits_since(instant(row.queued_us), row.issued_at, row.waiting_since),
        )
        for row in session.execute(lined_up.order_by(Ticket.id).limit(MOST + 1))
    )
    held = select(Ticket.window, Ticket.queue, Ticket.called_at).where(
        Ticket.hall == hall, Ticket.state.in_(sorted(AT_WINDOW))
    )
    serving = tuple(Serving(row.window, row.queue, row.called_at) for row in session.execute(held))
    tallies = {row.window: Tally(row.tally_normal, row.tally_priority) for row in calls}  # the last of each stands
    return Present(at, desks, waiting, serving, policy_of(session, hall, {}), tallies), able


def _seat(staff: str | None, there: dict[str, str]) -> str | None:
    """The window of a clerk to whom somebody was sent; nowhere while the clerk sits at none."""
    return None if staff is None else there.get(staff, "")


def _doors(hall: str, day: date) -> tuple[Span, ...]:
    """When the hall is open on a day; its daily hours in a year whose calendar has not been announced."""
    known = schedule(hall)
    try:
        return known.open_intervals(day)
    except CalendarUnknown:
        return tuple(known.ordinary(day))


_CALL = (
    *(Call.window, Call.queue, Call.lane, Call.called_at, Call.ended_at, Call.waited_s),
    *(Call.tally_normal, Call.tally_priority),
)


def _calls_today(hall: str, at: datetime) -> list[Row[Any]]:
    """The last calls of the day, the oldest first."""
    midnight = datetime.combine(local_day(at), datetime.min.time(), SHANGHAI)
    query = select(*_CALL).where(Call.hall == hall, Call.called_at >= midnight, Call.called_at <= at)
    rows = db.session.execute(query.order_by(Call.called_at.desc(), Call.id.desc()).limit(CALLS_READ)).all()
    return rows[::-1]


def _occupied(rows: list[Row[Any]]) -> dict[str, list[float]]:
    """How long each call kept its window, by queue."""
    spans: dict[str, list[float]] = {}
    for row in rows:
        if row.queue and row.ended_at is not None:
            spans.setdefault(row.queue, []).append((row.ended_at - row.called_at).total_seconds())
    return spans


def _gaps(rows: list[Row[Any]]) -> tuple[float, ...]:
    """How long windows took to call the next one while that person waited already; a quarter of a minute if unknown."""
    last: dict[str, datetime] = {}
    gaps = []
    for row in rows:
        if row.window in last and row.waited_s is not None:
            gap = (row.called_at - last[row.window]).total_seconds()
            if 0 <= gap <= min(row.waited_s, 600):
                gaps.append(gap)
        if row.ended_at is not None:
            last[row.window] = row.ended_at
    return tuple(gaps[-40:]) or (15.0,)


def past_at(hall: str, at: datetime, present: Present) -> Past:
    """How long services last and who keeps coming."""
    calls, before = _calls_today(hall, at), _yesterday(hall, local_day(at))[0]
    coming: dict[tuple[str, Lane], int] = {}
    for each in present.waiting:
        if at - each.queued_at <= HOUR and each.window is None:
            coming[each.queue, each.lane] = coming.get((each.queue, each.lane), 0) + 1
    for row in calls:
        if row.queue and row.lane and at - row.called_at + timedelta(seconds=row.waited_s or 0) <= HOUR:
            key = (row.queue, Lane(row.lane))
            coming[key] = coming.get(key, 0) + 1
    rates = {key: HOUR.total_seconds() / count for key, count in coming.items() if key[1] != Lane.RETURNING}
    return Past(past_of(_occupied(calls), before), rates)


def _yesterday(hall: str, day: date) -> tuple[dict[str, list[float]], dict[str, tuple[Span, ...]]]:
    """From the days before: how long calls kept windows, and the last working day's hours of each window, as of today."""
    kept = _before.get(hall)
    if kept is None or kept[0] != day:
        midnight = datetime.combine(day, datetime.min.time(), SHANGHAI)
        kept = _before[hall] = (day, _earlier(hall, midnight), _usual(hall, midnight))
    return kept[1], kept[2]


def _earlier(hall: str, midnight: datetime) -> dict[str, list[float]]:
    query = select(*_CALL).where(Call.hall == hall, Call.called_at < midnight)
    query = query.where(Call.called_at >= midnight - timedelta(days=14))
    rows = db.session.execute(query.order_by(Call.called_at.desc(), Call.id.desc()).limit(CALLS_READ)).all()
    spans = _occupied(rows[::-1])
    return {queue: [span for span in own if span <= 2 * 3600] for queue, own in spans.items()}


def _usual(hall: str, midnight: datetime) -> dict[str, tuple[Span, ...]]:
    columns = (WindowSession.window, WindowSession.opened_at, WindowSession.closed_at)
    query = select(*columns).where(WindowSession.hall == hall, WindowSession.opened_at < midnight)
    rows = db.session.execute(query.order_by(WindowSession.id.desc()).limit(100)).all()
    rows = [row for row in rows if row.closed_at is not None]
    if not rows:
        return {}
    last = max(local_day(row.opened_at) for row in rows)
    shift = timedelta(days=(local_day(midnight) - last).days)
    found: dict[str, tuple[Span, ...]] = {}
    for row in reversed(rows):
        if local_day(row.opened_at) == last:
            found[row.window] = (*found.get(row.window, ()), (row.opened_at + shift, row.closed_at + shift))
    return found
