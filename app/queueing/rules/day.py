"""A hall's day as plain data: who comes, which windows are open when, and the rules by which they call.

Times are aware datetimes, spans are seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.queueing.rules.order import Tally
from app.queueing.rules.policy import Policy
from app.queueing.rules.states import Lane

Span = tuple[datetime, datetime]  # from inclusive, until exclusive


@dataclass(frozen=True, slots=True)
class Turn:
    """One stay in a queue, ended by one call.

    It is ranked by `queued_at` (an appointment, an arrival that a transfer keeps), else by the moment of joining less
    `ahead_s` (what a restore gave). `walk_s` lies between call and service; of somebody who does not come it is how
    long the window waited.
    """

    queue: str
    lane: Lane = Lane.NORMAL
    service_s: float = 0.0
    walk_s: float = 0.0
    comes: bool = True
    queued_at: datetime | None = None
    since: datetime | None = None  # its wait counts since then, though it joins only now
    ahead_s: float = 0.0
    window: str | None = None  # only this window may call it
    after_s: float = 0.0  # joins so long after the turn before it has ended, the first one after coming
    leaves_at: datetime | None = None  # gives up then, unless called before
    ghost: bool = False  # only asks when it would be called: takes no window's time and nobody's place


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody with a ticket: comes at `at`, and takes one turn after the other (transfers, restores)."""

    ticket: int
    number: str
    at: datetime
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Desk:
    """A window: the weights of the queues it serves, when it calls, and its pace.

    `gap_s`: how long it takes to press "next" after a service when somebody waits; the n-th time the n-th gap, and after
    the last one they begin anew. `wake_s`: how long when somebody comes to a window that has been free.
    """

    window: str
    weight_min: Mapping[str, int]
    hours: tuple[Span, ...]
    gap_s: tuple[float, ...] = (0.0,)
    wake_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Busy:
    """A window has somebody when the simulation begins, and will until `until`."""

    window: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Day:
    """All that the rule needs: who comes, which windows are open, and the hall's policy.

    Nothing happens before `begins`; whoever came earlier waits already.
    """

    begins: datetime
    visits: tuple[Visit, ...]
    desks: tuple[Desk, ...]
    policy: Policy = field(default_factory=Policy)
    busy: tuple[Busy, ...] = ()
    tallies: Mapping[str, Tally] = field(default_factory=dict)


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The spans in order, those that touch made one."""
    result: list[Span] = []
    for begin, end in sorted(spans):
        if result and begin <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((begin, end))
    return tuple(result)
