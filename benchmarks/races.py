"""Races for the last waiting ticket: several clerks press "next" at the same moment, and one of them is given it.

`python -m benchmarks races` runs 10,000 on each database, and the same with the hall's lock taken out, until that has
shown often enough what the lock is for.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app import db as database_module
from app.db import db
from app.errors import Refusal
from app.events import Actor
from app.now import now
from app.people.models import Staff
from app.people.permissions import DEVICES, permissions_of
from app.queueing import calls, serving, tickets, windows
from benchmarks import tables
from benchmarks.history import Op, check_hall
from benchmarks.house import DATABASES, HALL, furnished

RACES, TWIN_RACES = 10_000, 200
CLERKS = 4
PATIENCE_S = 120.0


@dataclass(slots=True)
class Outcome:
    """What came of some races. `overlapping`: those in which two calls at least were under way at the same moment."""

    races: int = 0
    one_winner: int = 0
    overlapping: int = 0
    others: Counter[str] = field(default_factory=Counter)  # what clerks heard besides "you" and "nobody waits"
    seconds: float = 0.0
    ops: list[Op] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pressed:
    """One press of "next": the ticket that it was answered with, or what went wrong."""

    began: float
    ended: float
    ticket: dict[str, Any] | None = None
    fault: str = ""


class Race:
    """Clerks at their windows, who wait for each other at a barrier and press within microseconds of each other."""

    def __init__(self, app: Flask, hall: str = HALL, clerks: int = CLERKS) -> None:
        self.app, self.hall, self.found = app, hall, Outcome()
        self._keys = count()
        self._kiosk = Actor("device", 7, "kiosk-7", hall, DEVICES["kiosk"])
        self._seats = [self._seated(n) for n in range(1, clerks + 1)]

    def run(self, races: int) -> Outcome:
        """One ticket waits and all windows are free; all call at once; as often as wished, or until the hall is stuck."""
        began, answers = time.monotonic(), [Pressed(0, 0)] * len(self._seats)
        ready, over = (threading.Barrier(len(self._seats) + 1, timeout=PATIENCE_S) for _ in range(2))
        going = True

        def clerk(n: int) -> None:
            with self.app.app_context():
                while ready.wait() >= 0 and going:
                    answers[n] = self._press(n)
                    over.wait()

        threads = [threading.Thread(target=clerk, args=(n,), daemon=True) for n in range(len(self._seats))]
        for thread in threads:
            thread.start()
        for _ in range(races):
            self._told("issue", tickets.issue_ticket, self._kiosk, queue="A", channel="kiosk", place="A")
            ready.wait()
            over.wait()
            self._count(answers)
            if not self._cleared(answers):
                break
        going = False
        ready.wait()
        for thread in threads:
            thread.join()
        self.found.seconds = time.monotonic() - began
        return self.found

    def _seated(self, n: int) -> tuple[str, Actor]:
        """A clerk of the demo at an own window."""
        actor, window = clerk_of(n), f"W{n:02d}"
        self._told("open", windows.open_window, actor, window=window, number=window)
        return window, actor

    def _told(self, what: str, action: Any, actor: Actor, *, number: str = "", place: str = "", **given: Any) -> Any:
        """Do something that must work, and write down what was answered."""
        began = time.monotonic()
        db.session.remove()
        answer = action(hall=self.hall, actor=actor, at=now(), **given)
        number = number or answer["number"]
        self.found.ops.append(Op(what, str(next(self._keys)), began, time.monotonic(), "ok", number, place))
        return answer

    def _press(self, n: int) -> Pressed:
        window, actor = self._seats[n]
        began, ticket, fault = time.monotonic(), None, ""
        db.session.remove()
        try:
            called = calls.call_next(hall=self.hall, actor=actor, at=now(), window=window)
            ticket = called["ticket"] if called else None
        except Refusal as refusal:
            fault = refusal.code
        except SQLAlchemyError as error:
            fault = type(error).__name__
        pressed = Pressed(began, time.monotonic(), ticket, fault)
        outcome = "ok" if ticket else "failed" if fault else "empty"
        number = ticket["number"] if ticket else ""
        op = Op("call", str(next(self._keys)), pressed.began, pressed.ended, outcome, number, window, fault)
        self.found.ops.append(op)
        return pressed

    def _count(self, answers: Sequence[Pressed]) -> None:
        winners, faults = (
            sum(each.ticket is not None for each in answers),
            [each.fault for each in answers if each.fault],
        )
        self.found.races += 1
        self.found.one_winner += winners == 1 and not faults
        self.found.others.update(faults)
        if winners != 1:
            self.found.others[f"{winners} winners"] += 1
        second, first_end = sorted(each.began for each in answers)[1], min(each.ended for each in answers)
        self.found.overlapping += second < first_end

    def _cleared(self, answers: Sequence[Pressed]) -> bool:
        """End the winner's visit; where clerks were told of faults, see that nobody waits any more."""
        self._ended((n, each) for n, each in enumerate(answers))
        last = Pressed(0, 0, fault="")
        while any(each.fault for each in answers) and (last := self._press(0)).ticket is not None:
            self._ended([(0, last)])
        return not last.fault

    def _ended(self, answers: Iterable[tuple[int, Pressed]]) -> None:
        for n, each in answers:
            if each.ticket is not None:
                ticket = int(each.ticket["id"].rpartition("-")[2])
                self._told("abandon", serving.abandon, self._seats[n][1], ticket_id=ticket)


def clerk_of(n: int) -> Actor:
    """A clerk of the demo."""
    row = db.session.execute(select(Staff).where(Staff.username == f"clerk{n:02d}")).scalar_one()
    return Actor("staff", row.id, row.username, row.hall, permissions_of(row.roles))


def run(app: Flask, races: int, *, locked: bool = True) -> Outcome:
    """So many races; not `locked`: the twin, with the hall's lock taken out, in which something must go wrong."""
    database_module.LOCKING = locked
    try:
        return Race(app).run(races)
    finally:
        database_module.LOCKING = True


def measure(kind: str, locked: bool) -> dict[str, Any]:
    """The races on an own database, and what the history checker says of them."""
    with furnished(kind) as app:
        found = run(app, RACES if locked else TWIN_RACES, locked=locked)
        wrong, events = check_hall(found.ops, HALL)
    return {
        "database": kind,
        "lock": locked,
        "races": found.races,
        "one_winner": found.one_winner,
        "overlapping": found.overlapping,
        "others": dict(found.others),
        "seconds": round(found.seconds, 1),
        "events": events,
        "wrong": len(wrong.all()),
        "first_wrong": wrong.all()[:5],
    }


def main() -> dict[str, Any]:
    """Both databases, with and without the lock."""
    results = [measure(kind, locked) for locked in (True, False) for kind in DATABASES]
    rows = [
        [
            f"{each['database']}, {'the lock' if each['lock'] else 'no lock'}",
            *(each[name] for name in ("races", "overlapping", "one_winner")),
            each["races"] - each["one_winner"],
            each["wrong"],
            each["seconds"],
        ]
        for each in results
    ]
    head = ["", "races", "overlapping", "one winner", "gone wrong", "found by the checker", "s"]
    tables.show(f"{CLERKS} clerks race for the last waiting ticket", head, rows)
    result = {"clerks": CLERKS, "runs": results}
    tables.keep("races", result)
    return result
