"""The history checker: what clients were told, held against what the hall recorded.

The method is Jepsen's: every request is logged by its client when it began and when it ended, the record of the hall is
read afterwards, and both must tell the same story. It assumes that the logged load was all that happened in the hall.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.events import (
    CaseAccepted,
    CaseDecided,
    CaseReceived,
    Event,
    Recorded,
    TicketAbandoned,
    TicketCalled,
    TicketCancelled,
    TicketExpired,
    TicketFinished,
    TicketIssued,
    TicketMissed,
    TicketParked,
    TicketRecalled,
    TicketRestored,
    TicketStarted,
    TicketTransferred,
)

_LEAVES_WINDOW = (TicketFinished, TicketMissed, TicketParked, TicketTransferred, TicketAbandoned)
_LEAVES_QUEUE = (TicketCalled, TicketCancelled, TicketAbandoned, TicketExpired)
# what a client was told, by the event that must stand in the record and the field that names its subject
_TOLD: dict[str, tuple[type[Event], str]] = {
    "issue": (TicketIssued, "number"),
    "call": (TicketCalled, "number"),
    "start": (TicketStarted, "number"),
    "finish": (TicketFinished, "number"),
    "no-show": (TicketMissed, "number"),
    "receive": (CaseReceived, "number"),
    "accept": (CaseAccepted, "number"),
    "decide": (CaseDecided, "number"),
}


@dataclass(frozen=True, slots=True)
class Op:
    """One request as its client saw it, with all its repetitions. Times are seconds of one monotonic clock.

    `outcome`: ok, empty (nobody waits), refused (a code below 500), failed (5xx, not repeated), lost (no answer at all:
    it may or may not have happened). `number` is the ticket or case that the answer named.
    """

    what: str
    key: str
    began: float
    ended: float
    outcome: str
    number: str = ""
    place: str = ""  # the queue of a ticket, the window of a call
    detail: str = ""


@dataclass(slots=True)
class Findings:
    """What is wrong, one sentence a fault; all lists are empty when both stories agree."""

    acked: int = 0
    lost: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    double_calls: list[str] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    record: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    def all(self) -> list[str]:
        """Every fault, the worst first."""
        return [*self.lost, *self.duplicates, *self.double_calls, *self.order, *self.record, *self.answers]


def check(ops: Sequence[Op], record: Sequence[Recorded], broken_at: int | None = None) -> Findings:
    """Hold the clients' log against the record of one hall. `broken_at` is what `eventlog.verify` answered."""
    found = Findings(acked=sum(op.outcome == "ok" for op in ops))
    if broken_at is not None:
        found.record.append(f"the record does not verify at seq {broken_at}")
    seqs = [row.seq for row in record]
    if seqs != list(range(1, len(seqs) + 1)):
        found.record.append("the record's seq has gaps or repetitions")
    _numbers(found, record)
    _calls(found, record)
    _acknowledged(found, ops, record)
    _real_time(found, ops)
    for op in ops:
        if op.outcome in ("refused", "failed"):
            found.answers.append(f"{op.what} {op.outcome}: {op.detail}")
    return found


def _numbers(found: Findings, record: Iterable[Recorded]) -> None:
    """Numbers of a queue and day, and of cases and day, are 1, 2, 3 … in the order of the record."""
    last: dict[tuple[str, str], int] = defaultdict(int)
    for row in record:
        event = row.event
        if isinstance(event, TicketIssued):
            run, serial = (event.day, event.number[:1]), int(event.number[1:])
        elif isinstance(event, CaseReceived):
            run, serial = ("case", event.number[:-4]), int(event.number[-4:])
        else:
            continue
        if serial <= last[run]:
            found.duplicates.append(f"{event.number} was given after {serial if serial == last[run] else last[run]}")
        elif serial != last[run] + 1:
            found.order.append(f"{event.number} left a gap after {last[run]}")
        last[run] = max(serial, last[run])


def _calls(found: Findings, record: Iterable[Recorded]) -> None:
    """Who is called was waiting, at the head of the lane, to a free window; nobody is called twice.

    A restored or transferred ticket is taken out of the order of its lane: it stands where the rules put it.
    """
    lanes: dict[tuple[str, str], OrderedDict[int, str]] = defaultdict(OrderedDict)
    waiting: dict[int, tuple[str, str] | None] = {}  # ticket → its lane; None: out of order
    at_window: dict[int, str] = {}
    for row in record:
        event = row.event
        if isinstance(event, TicketIssued):
            lane = (event.queue, event.lane)
            waiting[event.ticket], lanes[lane][event.ticket] = lane, event.number
        elif isinstance(event, TicketCalled):
            if event.ticket not in waiting:
                found.double_calls.append(f"{event.number} was called at seq {row.seq} and did not wait")
            if event.window in at_window.values():
                found.double_calls.append(f"{event.window} called {event.number} and was not free")
            own = waiting.get(event.ticket)
            if own is not None and next(iter(lanes[own])) != event.ticket:
                found.order.append(f"{event.number} was called before {next(iter(lanes[own].values()))} in lane {own}")
            at_window[event.ticket] = event.window
        elif isinstance(event, TicketRestored | TicketTransferred):
            waiting[event.ticket] = None
        if isinstance(event, _LEAVES_QUEUE):
            own = waiting.pop(event.ticket, None)
            if own is not None:
                lanes[own].pop(event.ticket, None)
        if isinstance(event, TicketStarted | TicketRecalled | TicketFinished) and event.ticket not in at_window:
            found.record.append(f"{row.event.kind} of {event.number} at seq {row.seq}, which is at no window")
        if isinstance(event, _LEAVES_WINDOW):
            at_window.pop(event.ticket, None)


def _acknowledged(found: Findings, ops: Iterable[Op], record: Iterable[Recorded]) -> None:
    """Whatever was answered with yes stands in the record, once for each answer; and no request worked twice."""
    ops = list(ops)
    recorded: Counter[tuple[str, str]] = Counter()
    happened: Counter[str] = Counter()
    for row in record:
        for what, (kind, name) in _TOLD.items():
            if isinstance(row.event, kind):
                recorded[what, getattr(row.event, name)] += 1
                happened[what] += 1
    told: dict[tuple[str, str], set[str]] = defaultdict(set)
    for op in ops:
        if op.outcome == "ok" and op.what in _TOLD:
            told[op.what, op.number].add(op.key)
    for (what, number), keys in told.items():
        if recorded[what, number] == 0:
            found.lost.append(f"{what} of {number} was acknowledged and is not in the record")
        elif len(keys) > recorded[what, number]:
            found.duplicates.append(f"{what} of {number} was answered to {len(keys)} requests")
    for what in _TOLD:
        asked = {op.key for op in ops if op.what == what and op.outcome in ("ok", "lost", "failed")}
        if happened[what] > len(asked):
            found.duplicates.append(f"{what} happened {happened[what]} times for {len(asked)} requests")


def _real_time(found: Findings, ops: Iterable[Op]) -> None:
    """Whoever had a number before somebody else asked for one has the smaller number of that queue."""
    issued = [op for op in ops if op.what == "issue" and op.outcome == "ok"]
    for place in {op.place for op in issued}:
        by_end = sorted((op for op in issued if op.place == place), key=lambda op: op.ended)
        done, highest = 0, (0, "")
        for op in sorted(by_end, key=lambda op: op.began):
            while done < len(by_end) and by_end[done].ended < op.began:
                highest = max(highest, (_serial(by_end[done]), by_end[done].number))
                done += 1
            if highest[0] > _serial(op):
                found.order.append(f"{highest[1]} was given before {op.number} was asked for")


def _serial(op: Op) -> int:
    return int(re.sub(r"\D", "", op.number) or 0)


def summary(ops: Sequence[Op], found: Findings, **more: Any) -> str:
    """The report line: what was asked, what was acknowledged, what is wrong with it."""
    counts = {
        "ops": len(ops),
        "acked": found.acked,
        "unanswered": sum(op.outcome == "lost" for op in ops),
        "lost": len(found.lost),
        "duplicates": len(found.duplicates),
        "double calls": len(found.double_calls),
        "order violations": len(found.order),
        "record": "verifies" if not found.record else f"{len(found.record)} faults",
        "unexpected answers": len(found.answers),
        **more,
    }
    return " · ".join(f"{name} {value}" for name, value in counts.items())
