"""A morning at four windows, drawn by lot, with clerks who press as soon as they can: a day that can be played again."""

from __future__ import annotations

import heapq
import itertools
import random
from datetime import datetime, timedelta
from typing import Any

from app.errors import Refusal
from app.now import SHANGHAI
from app.queueing import calls, serving, tickets, windows
from tests.actions.conftest import Hall, number_of

MORNING = datetime(2027, 1, 5, 9, 0, tzinfo=SHANGHAI)
PRESS_S = 8  # from being free with somebody there to the call, for every clerk
CLERKS = {f"W{n:02d}": f"clerk{n:02d}" for n in range(1, 5)}


class Workday:
    """Clerks and citizens who act at drawn times, everything through the real actions."""

    def __init__(self, hall: Hall, seed: int, people: int) -> None:
        self.hall, self.lots, self.people = hall, random.Random(seed), people
        self.order, self.due = itertools.count(), []
        self.free_at: dict[str, datetime] = {}
        self.idle: set[str] = set()
        self.paused: set[str] = set()
        self.holds: dict[str, dict[str, Any]] = {}

    def put(self, after: float, what: str, **facts: Any) -> None:
        heapq.heappush(self.due, (self.hall.at + timedelta(seconds=after), next(self.order), what, facts))

    def run(self, until_h: float = 3) -> None:
        end = MORNING + timedelta(hours=until_h)
        self.hall.at = MORNING
        for window in CLERKS:
            self.put(self.lots.uniform(0, 600), "open", window=window)
        for _ in range(self.people):
            self.put(self.lots.uniform(0, 2 * 3600), "come")
        self.put(4000, "pause", window="W02")
        self.put(5500, "open", window="W02")
        while self.due and self.due[0][0] < end:
            self.hall.at, _, what, facts = heapq.heappop(self.due)
            getattr(self, what)(**facts)

    def wake(self) -> None:
        """Somebody came: idle windows press next, the one that has been free longest first."""
        for window in sorted(self.idle, key=lambda window: (self.free_at[window], window)):
            self.idle.discard(window)
            self.put(PRESS_S, "call", window=window)

    def come(self) -> None:
        lane = "priority" if self.lots.random() < 0.2 else "normal"
        taken = self.hall.take(self.lots.choice("ABC"), lane=lane)
        if self.lots.random() < 0.06:
            self.put(self.lots.uniform(60, 900), "cancel", ticket=taken)
        self.wake()

    def cancel(self, ticket: dict[str, Any]) -> None:
        try:
            self.hall.do(tickets.cancel_ticket, self.hall.kiosk, ticket_id=number_of(ticket))
        except Refusal as refusal:
            assert refusal.code == "ticket.illegal_step"

    def open(self, window: str) -> None:
        self.hall.open(CLERKS[window], window)
        self.paused.discard(window)
        self.free_at[window] = self.hall.at
        self.put(PRESS_S, "call", window=window)

    def pause(self, window: str) -> None:
        if window in self.holds:
            self.put(30, "pause", window=window)
            return
        self.hall.do(windows.pause_window, CLERKS[window], window=window, reason="training")
        self.paused.add(window)
        self.idle.discard(window)

    def call(self, window: str) -> None:
        if window in self.paused or window in self.holds:
            return
        called = self.hall.call(CLERKS[window], window)
        if called is None:
            self.idle.add(window)
            return
        self.holds[window] = called["ticket"]
        if self.lots.random() < 0.12:
            self.put(60, "miss", window=window)
        else:
            self.put(self.lots.uniform(10, 50), "start", window=window)

    def start(self, window: str) -> None:
        self.hall.step(serving.start, self.holds[window], CLERKS[window])
        then = "transfer" if self.lots.random() < 0.08 else "finish"
        self.put(self.lots.expovariate(1 / 260) + 20, then, window=window)

    def free(self, window: str) -> dict[str, Any]:
        self.free_at[window] = self.hall.at
        self.put(PRESS_S, "call", window=window)
        return self.holds.pop(window)

    def finish(self, window: str) -> None:
        self.hall.step(serving.finish, self.free(window), CLERKS[window])

    def transfer(self, window: str) -> None:
        ticket = self.free(window)
        other = next(queue for queue in "ABC" if queue != ticket["queue"])
        self.hall.step(serving.transfer, ticket, CLERKS[window], queue=other)
        self.wake()

    def miss(self, window: str) -> None:
        ticket = self.free(window)
        self.hall.step(calls.no_show, ticket, CLERKS[window])
        if self.lots.random() < 0.7:
            self.put(self.lots.uniform(60, 900), "restore", ticket=ticket)

    def restore(self, ticket: dict[str, Any]) -> None:
        self.hall.step(calls.restore, ticket, "clerk01")
        self.wake()
