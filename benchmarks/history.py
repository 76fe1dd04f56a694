"""The history checker: what clients were told, what the hall recorded, and what its boards and tables say.

The method is Jepsen's: every request is logged by its client when it began and when it ended, the record of the hall is
read afterwards, and all must tell the same story. It assumes that the logged load was all that happened in the hall,
but for what the system does by itself.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from app import eventlog
from app.events import (
    SYSTEM,
    BlockClosed,
    BlockLeased,
    CaseAccepted,
    CaseDecided,
    CaseReceived,
    Event,
    Recorded,
    TicketCalled,
    TicketExpired,
    TicketIssued,
    TicketReminded,
    TicketTransferred,
    WindowClosed,
    WindowOpened,
    WindowPaused,
    WindowTakenOver,
)
from benchmarks.boards import board_of, check_board, check_tables
from benchmarks.findings import Findings
from benchmarks.lives import STEP_OF, Lives
from benchmarks.numbers import Numbers
from benchmarks.turns import Turns

__all__ = ["Findings", "Op", "check", "check_hall", "summary"]

ENOUGH = 10_000_000  # more events than any run makes
# what a client was told, by the event that must stand in the record and the field that names its subject
_TOLD: Mapping[type[Event], tuple[str, str]] = {
    CaseReceived: ("receive", "number"),
    CaseAccepted: ("accept", "number"),
    CaseDecided: ("decide", "number"),
    BlockLeased: ("lease", "block"),
    BlockClosed: ("reconcile", "block"),
    WindowOpened: ("open", "window"),
    WindowPaused: ("pause", "window"),
    WindowClosed: ("close", "window"),
    WindowTakenOver: ("open", "window"),
    **{kind: (step.value, "number") for kind, step in STEP_OF.items()},
}


@dataclass(frozen=True, slots=True)
class Op:
    """One request as its client saw it, with all its repetitions. Times are seconds of one monotonic clock.

    `outcome`: ok, same (yes, and nothing happened: it was so already), empty (nobody waits), declined (a refusal that the
    client was ready for), refused (another code below 500), failed (5xx, not repeated), lost (no answer at all: it may or
    may not have happened). `number` is the ticket, case, block or window that the answer named.
    """

    what: str
    key: str
    began: float
    ended: float
    outcome: str
    number: str = ""
    place: str = ""  # the queue of a ticket, the window of a call
    detail: str = ""
    repeats: int = 0  # how often it was asked again with its key
    differs: str = ""  # what a repetition was answered, if that was something else


def told(row: Recorded) -> tuple[str, str] | None:
    """What somebody asked for and the subject, when the event is what came of a request; none for what comes by itself."""
    event = row.event
    by_itself = isinstance(event, TicketExpired | TicketReminded) or row.actor == SYSTEM.ref
    if by_itself or (isinstance(event, TicketTransferred) and event.window is None):
        return None
    if isinstance(event, TicketIssued):
        return ("issue" if event.arrived_at is None else "offline"), event.number
    if isinstance(event, TicketCalled) and event.mode != "rule":
        return event.mode, event.number
    what, name = _TOLD.get(type(event), ("", ""))
    return (what, str(getattr(event, name))) if what else None


def check(ops: Sequence[Op], record: Sequence[Recorded], broken_at: int | None = None) -> tuple[Findings, Lives]:
    """Hold the clients' log against the record of one hall, and the record against the rules.

    `broken_at` is what `eventlog.verify` answered.
    """
    found = Findings(acked=sum(op.outcome == "ok" for op in ops))
    lives, numbers = Lives(found), Numbers(found)
    turns = Turns(found, lives)
    if broken_at is not None:
        found.record.append(f"the record does not verify at seq {broken_at}")
    seqs = [row.seq for row in record]
    if seqs != list(range(1, len(seqs) + 1)):
        found.record.append("the record's seq has gaps or repetitions")
    if any(after.at < row.at for row, after in pairwise(record)):
        found.record.append("the record's times fall")
    for row in record:
        for reader in (turns, lives, numbers):
            reader.tell(row)
    lives.tell_end()
    _acknowledged(found, ops, record)
    _real_time(found, ops, record)
    for op in ops:
        if op.outcome in ("refused", "failed"):
            found.answers.append(f"{op.what} {op.outcome}: {op.detail}")
        if op.differs:
            found.duplicates.append(
                f"{op.what} of {op.number or op.place} was answered twice, differently: {op.differs}"
            )
    return found, lives


def check_hall(ops: Sequence[Op], hall: str, shown: Mapping[str, Any] | None = None) -> tuple[Findings, int]:
    """The whole check of a hall at rest: its record, its chain, its board, its tables, and a frame that a screen `shown`.

    Needs an application context. What was found, and how many events were read.
    """
    record = eventlog.read(hall, 0, ENOUGH)
    found, lives = check(ops, record, eventlog.verify(hall))
    frame = board_of(hall, record) if found.record == [] else None
    if frame is not None:
        check_board(found, lives, frame)
    if shown is not None and shown != frame:
        found.board.append("the screen does not show what the record says")
    check_tables(found, lives, hall)
    return found, len(record)


def _acknowledged(found: Findings, ops: Sequence[Op], record: Iterable[Recorded]) -> None:
    """Whatever was answered with yes stands in the record, once for each answer; and no request worked twice."""
    recorded = Counter(filter(None, map(told, record)))
    happened: Counter[str] = Counter()
    for (what, _), times in recorded.items():
        happened[what] += times
    answered: dict[tuple[str, str], set[str]] = defaultdict(set)
    asked: dict[str, set[str]] = defaultdict(set)
    for op in ops:
        if op.outcome == "ok":
            answered[op.what, op.number].add(op.key)
        if op.outcome in ("ok", "lost", "failed"):
            asked[op.what].add(op.key)
    for (what, number), keys in answered.items():
        if recorded[what, number] == 0:
            found.lost.append(f"{what} of {number} was acknowledged and is not in the record")
        elif len(keys) > recorded[what, number]:
            found.duplicates.append(f"{what} of {number} was answered to {len(keys)} requests")
    for what, times in happened.items():
        if times > len(asked[what]):
            found.duplicates.append(f"{what} happened {times} times for {len(asked[what])} requests")


def _real_time(found: Findings, ops: Iterable[Op], record: Iterable[Recorded]) -> None:
    """What was answered before something else was asked for stands before it in the record.

    Looks at what happened once and was answered once, so that no two can be mistaken for each other.
    """
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in record:
        what = told(row)
        if what is not None:
            places[what].append(row.seq)
    answers: dict[tuple[str, str], list[Op]] = defaultdict(list)
    for op in ops:
        if op.outcome == "ok":
            answers[op.what, op.number].append(op)
    known = [(each[0], places[what][0]) for what, each in answers.items() if len(each) == len(places[what]) == 1]
    by_end = sorted(known, key=lambda one: one[0].ended)
    done, last = 0, (0, "")
    for op, seq in sorted(known, key=lambda one: one[0].began):
        while done < len(by_end) and by_end[done][0].ended < op.began:
            last = max(last, (by_end[done][1], f"{by_end[done][0].what} of {by_end[done][0].number}"))
            done += 1
        if last[0] > seq:
            found.order.append(
                f"{last[1]} was answered before {op.what} of {op.number} was asked for, and stands after it"
            )


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
        "illegal steps": len(found.steps),
        "wrong reasons": len(found.why),
        "wrong boards": len(found.board),
        "record": "verifies" if not found.record else f"{len(found.record)} faults",
        "unexpected answers": len(found.answers),
        **more,
    }
    return " · ".join(f"{name} {value}" for name, value in counts.items())
