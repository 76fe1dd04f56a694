"""Midnight under load: issuers and clerks work through 23:59:58 – 00:00:02, and the timer closes the day beside them.

Actions are handed their time, so the clock is the real one, moved so that its midnight comes soon; seconds are as long as
seconds are.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from flask import Flask

from app.db import db
from app.errors import Refusal
from app.events import SYSTEM, Actor
from app.now import SHANGHAI, local_day, now
from app.people.permissions import DEVICES
from app.queueing import calls, serving, tickets, windows
from app.queueing.closing import close_day
from benchmarks import tables
from benchmarks.history import Op, check_hall
from benchmarks.house import DATABASES, HALL, furnished
from benchmarks.races import clerk_of

ISSUERS, CLERKS, TIMERS = 4, 4, 2
BEFORE_S, AFTER_S = 2.0, 2.0
LEFT = 40  # who waits at 23:59:58: more than the clerks can serve in two seconds
VISIT_S = 0.25


def tomorrow() -> datetime:
    """The next midnight of the hall that is not before now."""
    day = local_day(now()) + timedelta(days=1)
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


@dataclass(slots=True)
class Night:
    """Everybody who is in the hall at midnight."""

    app: Flask
    hall: str = HALL
    queues: str = "ABC"
    seed: int = 1
    ops: list[Op] = field(default_factory=list)
    expired: list[int] = field(default_factory=list)  # by each closing
    midnight: datetime = field(default_factory=tomorrow)
    _keys: Any = field(default_factory=count)
    _moved: timedelta = timedelta(0)
    _at_window: dict[str, int] = field(default_factory=dict)  # window → ticket
    _absent: set[int] = field(default_factory=set)  # tickets whose holders have gone

    def at(self) -> datetime:
        """What the clock on the wall says."""
        return now() + self._moved

    def live(self) -> None:
        """An evening before, so that there is somebody to lose; then everybody at once; then the new day's first calls."""
        kiosk = Actor("device", 7, "kiosk-7", self.hall, DEVICES["kiosk"])
        seats = [(f"W{n:02d}", clerk_of(n)) for n in range(1, CLERKS + 1)]
        self._moved = self.midnight - timedelta(minutes=5) - now()
        for window, clerk in seats:
            self._do("open", windows.open_window, clerk, window=window, number=window)
        self._evening(kiosk, seats)
        self._moved = self.midnight - timedelta(seconds=BEFORE_S) - now()
        works: list[Callable[[], None]] = [lambda n=n: self._issue(kiosk, n) for n in range(ISSUERS)]
        works += [lambda window=window, clerk=clerk: self._serve(window, clerk) for window, clerk in seats]
        works += [self._close] * TIMERS
        threads = [threading.Thread(target=self._in_context, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._morning(kiosk, seats)
        db.session.remove()

    # ── what they do ───────────────────────────────────────────────────────────────────────────────────────────

    def _evening(self, kiosk: Actor, seats: list[tuple[str, Actor]]) -> None:
        """One is set aside, one was missed, one went away, one is at each of two windows, and many wait."""
        (window, clerk), (second, colleague) = seats[:2]
        for steps in ((("start", serving.start), ("park", serving.park)), (("no-show", calls.no_show),), ()):
            self._do("issue", tickets.issue_ticket, kiosk, queue="A", channel="kiosk")
            ticket = _id(self._do("call", calls.call_next, clerk, window=window)["ticket"])
            for what, step in steps:
                self._do(what, step, clerk, ticket_id=ticket)
            self._at_window[window] = ticket
        self._do("issue", tickets.issue_ticket, kiosk, queue="A", channel="kiosk")
        self._call(second, colleague)
        self._absent.add(self._at_window[second])
        held = self._do("issue", tickets.issue_ticket, kiosk, queue="A", channel="kiosk")
        self._do("defer", tickets.defer_ticket, kiosk, ticket_id=_id(held))
        for n in range(LEFT):
            self._do("issue", tickets.issue_ticket, kiosk, queue=self.queues[n % len(self.queues)], channel="kiosk")

    def _morning(self, kiosk: Actor, seats: list[tuple[str, Actor]]) -> None:
        """Whoever is still at a window is served; the day that is gone is closed for good; a new number is called."""
        for window, clerk in seats:
            self._end(window, clerk)
        self._close_once()
        self._do("issue", tickets.issue_ticket, kiosk, queue="A", channel="kiosk")
        self._call(*seats[0])
        self._end(*seats[0])

    def _goes_on(self, seconds: float = AFTER_S) -> bool:
        """Whether that many seconds after midnight are still to come."""
        return self.at() < self.midnight + timedelta(seconds=seconds)

    def _issue(self, kiosk: Actor, n: int) -> None:
        choose = random.Random(self.seed * 100 + n)
        while self._goes_on():
            self._do("issue", tickets.issue_ticket, kiosk, queue=choose.choice(self.queues), channel="kiosk")
            time.sleep(0.02)

    def _serve(self, window: str, clerk: Actor) -> None:
        """One visit after the other. Who is at a window already at 23:59:58 stays there until the day is gone."""
        while window in self._at_window and self._goes_on(0.2):
            time.sleep(0.02)
        while self._goes_on():
            if window in self._at_window:
                self._end(window, clerk)
            self._call(window, clerk)
            time.sleep(VISIT_S)

    def _call(self, window: str, clerk: Actor) -> None:
        called = self._do("call", calls.call_next, clerk, window=window)
        if called is not None:
            self._at_window[window] = _id(called["ticket"])

    def _end(self, window: str, clerk: Actor) -> None:
        """Most are served; every fifth has not come, and may wait again if it is still the same day."""
        ticket = self._at_window.pop(window, None)
        if ticket is None:
            return
        if ticket % 5 and ticket not in self._absent:
            self._do("start", serving.start, clerk, ticket_id=ticket)
            self._do("finish", serving.finish, clerk, ticket_id=ticket)
        else:
            self._do("no-show", calls.no_show, clerk, ticket_id=ticket)
            over = ("ticket.day_over", "ticket.illegal_step")  # yesterday's, or expired meanwhile
            self._do("restore", calls.restore, clerk, ticket_id=ticket, ready_for=over)

    def _close(self) -> None:
        """As the timer does, and a second one that stands by and does not know of the first."""
        while self._goes_on():
            self._close_once()
            time.sleep(0.1)

    def _close_once(self) -> None:
        db.session.remove()
        today = local_day(self.at()).isoformat()
        self.expired.append(close_day(hall=self.hall, actor=SYSTEM, at=self.at(), before=today)["expired"])

    def _in_context(self, work: Callable[[], None]) -> None:
        with self.app.app_context():
            work()

    def _do(
        self, what: str, action: Any, actor: Actor, *, number: str = "", ready_for: tuple[str, ...] = (), **given: Any
    ) -> Any:
        """Do something, and write down what was answered. None for a refusal that was to be expected."""
        db.session.remove()
        began, answer, outcome = time.monotonic(), None, "declined"
        try:
            answer = action(hall=self.hall, actor=actor, at=self.at(), **given)
            outcome = "ok" if answer is not None else "empty"
        except Refusal as refusal:
            if refusal.code not in ready_for:
                raise
        if answer is not None:
            number = number or str(answer.get("ticket", answer)["number"])
        self.ops.append(Op(what, str(next(self._keys)), began, time.monotonic(), outcome, number))
        return answer


def _id(ticket: dict[str, Any]) -> int:
    return int(ticket["id"].rpartition("-")[2])


def measure(kind: str) -> dict[str, Any]:
    """One night on an own database, and what the history checker says of it."""
    with furnished(kind) as app:
        night = Night(app)
        night.live()
        wrong, events = check_hall(night.ops, HALL)
    return {
        "database": kind,
        "requests": len(night.ops),
        "events": events,
        "closings": len(night.expired),
        "expired": sum(night.expired),
        "wrong": wrong.all(),
    }


def main() -> dict[str, Any]:
    """Both databases."""
    results = [measure(kind) for kind in DATABASES]
    columns = ("requests", "events", "closings", "expired")
    rows = [[each["database"], *(each[name] for name in columns), len(each["wrong"])] for each in results]
    title = f"{ISSUERS} issuers, {CLERKS} clerks and {TIMERS} timers from 23:59:58 to 00:00:02"
    tables.show(title, ["", *columns, "found by the checker"], rows)
    result = {"issuers": ISSUERS, "clerks": CLERKS, "timers": TIMERS, "runs": results}
    tables.keep("midnight", result)
    return result
