"""A hall's day and night that the real actions make, drawn by lot: everything that clerks and citizens may do."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from app.catalog.queries import search_items
from app.errors import Refusal
from app.queueing import calls, closing, serving, tickets, windows
from tests.actions.conftest import MORNING, Hall, number_of

CLERKS = {"W01": "clerk01", "W02": "clerk02", "W03": "clerk03", "W12": "clerk12"}  # the last may call whom they choose
STEPS = 280
FREE = [*["call"] * 8, "unpark", "unpark", "chosen", "pause", "close", "takeover"]
BUSY = [*["start"] * 5, *["finish"] * 4, "next", "recall", "recall", "miss", "park", "transfer", "abandon"]


class BusyDay:
    """Draws what happens next; what the rules refuse does not happen."""

    def __init__(self, hall: Hall, seed: int) -> None:
        self.hall, self.lots, self.clerks = hall, random.Random(seed), dict(CLERKS)
        self.items = [row["code"] for row in search_items("经营")["items"][:4]]
        self.known: list[dict[str, Any]] = []
        self.at: dict[str, dict[str, Any]] = {}
        self.away: set[str] = set()
        self.parked: list[int] = []

    def run(self) -> None:
        """A morning, and a night over midnight with a visit that lasts into the next day."""
        for window in CLERKS:
            self._try(windows.open_window, self.clerks[window], window=window)
        for _ in range(STEPS):
            self.hall.later(microseconds=self.lots.randrange(40_000_000))
            self._step()
        self.hall.at = MORNING.replace(hour=23, minute=50)
        self._come()
        for window in ("W01", "W02"):
            self._clerk(window, "open")
            for what in ("finish", "miss", "call", "start"):
                self._clerk(window, what)
        self.hall.later(minutes=25, microseconds=7)
        self.hall.do(closing.close_day, "admin01", before=self.hall.at.date().isoformat())
        self._clerk("W01", "finish")
        self._clerk("W02", "park")
        self._clerk("W02", "unpark")
        for _ in range(30):
            self.hall.later(microseconds=self.lots.randrange(30_000_000))
            self._step()

    def _step(self) -> None:
        if self.lots.random() < 0.3:
            (self._come if self.lots.random() < 0.7 else self._citizen)()
            return
        window = self.lots.choice(sorted(CLERKS))
        if window in self.away:
            self._clerk(window, "open")
        elif window in self.at:
            self._clerk(window, self.lots.choice(BUSY))
        else:
            self._clerk(window, self.lots.choice(FREE if self.clerks[window] != "clerk12" else ["chosen", *FREE]))

    def _come(self) -> None:
        item = self.lots.choice([None, *self.items])
        lane = self.lots.choice(["normal", "normal", "priority"])
        taken = self._try(
            tickets.issue_ticket, self.hall.kiosk, queue=self.lots.choice("ABC"), channel="kiosk", item=item, lane=lane
        )
        self.known.extend([taken] if taken else [])

    def _citizen(self) -> None:
        if self.known:
            step = self.lots.choice([tickets.cancel_ticket, tickets.defer_ticket, tickets.rejoin_ticket, calls.restore])
            actor = "clerk01" if step is calls.restore else self.hall.kiosk
            self._try(step, actor, ticket_id=number_of(self.lots.choice(self.known)))

    def _clerk(self, window: str, what: str) -> None:
        clerk, held = self.clerks[window], self.at.get(window)
        own = {"ticket_id": number_of(held)} if held else None
        if what == "open":
            self._try(windows.open_window, clerk, window=window)
            self.away.discard(window)
        elif what in ("close", "pause"):
            pauses = what == "pause"
            step, more = (windows.pause_window, {"reason": "培训"}) if pauses else (windows.close_window, {})
            if self._try(step, clerk, window=window, **more):
                self.away.add(window)
        elif what == "takeover":
            other = self.lots.choice(sorted(set(CLERKS) - {window}))
            self._try(windows.close_window, clerk, window=window)
            if self._try(windows.open_window, clerk, window=other, take_over=True):
                self.clerks[window], self.clerks[other] = self.clerks[other], clerk
                self.away.discard(other)
            self.away.add(window)
        elif what == "call" and not held:
            called = self._try(calls.call_next, clerk, window=window)
            self._holds(window, called and called["ticket"])
        elif what == "chosen" and not held and self.known:
            for ticket in self.known[-6:]:
                given = {"ticket_id": number_of(ticket), "window": window, "reason": "frail"}
                called = self._try(calls.call_chosen, clerk, **given) if window not in self.at else None
                self._holds(window, called and called["ticket"])
        elif what == "unpark" and not held and self.parked:
            self._holds(window, self._try(calls.unpark, clerk, ticket_id=self.parked.pop(), window=window))
        elif own:
            self._visit(window, clerk, what, own)

    def _visit(self, window: str, clerk: str, what: str, own: dict[str, Any]) -> None:
        ending: dict[str, Callable[[], Any]] = {
            "finish": lambda: self._try(serving.finish, clerk, **own),
            "miss": lambda: self._try(calls.no_show, clerk, **own),
            "park": lambda: self._try(serving.park, clerk, **own, reason="copy"),
            "abandon": lambda: self._try(serving.abandon, clerk, **own, reason="gone"),
            "transfer": lambda: self._try(serving.transfer, clerk, **own, **self._target()),
        }
        if what in ending:
            if ending[what]():
                self.at.pop(window)
                self.parked.extend([own["ticket_id"]] if what == "park" else [])
        elif what == "start":
            self._try(serving.start, clerk, **own)
        elif what == "next":
            self._try(serving.next_item, clerk, **own, item=self.lots.choice(self.items))
        elif what == "recall":
            self._try(calls.recall, clerk, **own)

    def _target(self) -> dict[str, str]:
        return self.lots.choice([{"queue": "A"}, {"queue": "B"}, {"window": "W01"}, {"staff": "clerk02"}])

    def _holds(self, window: str, ticket: dict[str, Any] | None) -> None:
        if ticket:
            self.at[window] = ticket

    def _try(self, action: Callable[..., Any], who: Any, **given: Any) -> Any:
        try:
            return self.hall.do(action, who, **given)
        except Refusal:
            return None


def busy_day(hall: Hall, seed: int = 11) -> BusyDay:
    day = BusyDay(hall, seed)
    day.run()
    assert day.hall.at - MORNING > timedelta(hours=15)
    return day
