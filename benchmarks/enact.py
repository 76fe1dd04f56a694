"""A day of open data lived through by the real actions, for tests and pictures: its record is then like any other's."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from app.db import db
from app.errors import Refusal
from app.events import Actor
from app.queueing import calls, forecasts, serving, setup, tickets, windows
from app.queueing.rules.day import Day, Visit


class Enacted:
    """Citizens and clerks who do at a hall what the files say of theirs; every call is the hall's own choice.

    `clerks`: who sits at which window. The day must not lie before the hall's last event. With `promise`, slips say
    how long the wait will be.
    """

    def __init__(
        self, hall: str, day: Day, clerks: Mapping[str, Actor], kiosk: Actor, system: Actor, *, promise: bool = False
    ) -> None:
        self.hall, self.day, self.clerks, self.kiosk, self.promise = hall, day, clerks, kiosk, promise
        self.system = system
        self.at: datetime = day.begins
        self._due: list[tuple[datetime, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = count()
        self._visits: dict[int, Visit] = {}
        self._holds: dict[str, int] = {}
        self._idle: dict[str, datetime] = {}
        self._open: set[str] = set()
        self._gap = timedelta(seconds=day.desks[0].gap_s[0])

    def live(self, until: datetime | None = None) -> None:
        """From morning to evening, or to `until`."""
        for desk in self.day.desks:
            self._do(setup.assign_queues, self.system, window=desk.window, queues=dict(desk.weight_min))
            for opens, closes in desk.hours:
                self._put(opens, self._sit, desk.window)
                self._put(closes, self._rise, desk.window)
        for visit in self.day.visits:
            self._put(visit.at, self._come, visit)
        while self._due and (until is None or self._due[0][0] < until):
            self.at, _, do, given = heapq.heappop(self._due)
            do(*given)

    def _put(self, at: datetime, do: Callable[..., None], *given: Any) -> None:
        heapq.heappush(self._due, (at, next(self._order), do, given))

    def _do(self, action: Callable[..., Any], actor: Actor, **given: Any) -> Any:
        db.session.remove()
        return action(hall=self.hall, actor=actor, at=self.at, **given)

    def _come(self, visit: Visit) -> None:
        turn = visit.turns[0]
        told = forecasts.promise(self.hall, turn.queue, turn.lane, self.at) if self.promise else None
        given = {"queue": turn.queue, "channel": "kiosk", "lane": turn.lane.value, "forecast": told}
        taken = self._do(tickets.issue_ticket, self.kiosk, **given)
        ticket = int(taken["id"].rsplit("-", 1)[1])
        self._visits[ticket] = visit
        if turn.leaves_at:
            self._put(turn.leaves_at, self._leave, ticket)
        for window in sorted(self._idle, key=lambda window: (self._idle[window], window)):
            self._put(self.at + self._gap, self._call, window)

    def _leave(self, ticket: int) -> None:
        try:
            self._do(tickets.cancel_ticket, self.kiosk, ticket_id=ticket)
        except Refusal as refusal:
            if refusal.code != "ticket.illegal_step":  # had been called before
                raise

    def _sit(self, window: str) -> None:
        self._do(windows.open_window, self.clerks[window], window=window)
        self._open.add(window)
        self._idle[window] = self.at
        self._put(self.at + self._gap, self._call, window)

    def _rise(self, window: str) -> None:
        self._open.discard(window)
        self._idle.pop(window, None)
        if window not in self._holds:
            self._do(windows.close_window, self.clerks[window], window=window)

    def _call(self, window: str) -> None:
        if window not in self._idle:
            return
        called = self._do(calls.call_next, self.clerks[window], window=window)
        if called is None:
            return
        del self._idle[window]
        ticket = int(called["ticket"]["id"].rsplit("-", 1)[1])
        self._holds[window] = ticket
        turn = self._visits[ticket].turns[0]
        then = self._start if turn.comes else self._miss
        self._put(self.at + timedelta(seconds=turn.walk_s), then, window)

    def _start(self, window: str) -> None:
        ticket = self._holds[window]
        self._do(serving.start, self.clerks[window], ticket_id=ticket)
        self._put(self.at + timedelta(seconds=self._visits[ticket].turns[0].service_s), self._finish, window)

    def _finish(self, window: str) -> None:
        self._end(serving.finish, window)

    def _miss(self, window: str) -> None:
        self._end(calls.no_show, window)

    def _end(self, action: Callable[..., Any], window: str) -> None:
        self._do(action, self.clerks[window], ticket_id=self._holds.pop(window))
        if window in self._open:
            self._idle[window] = self.at
            self._put(self.at + self._gap, self._call, window)
        else:
            self._do(windows.close_window, self.clerks[window], window=window)
