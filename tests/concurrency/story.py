"""A history written by hand: a record, one event a minute, and the requests that it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from app import events as e
from app.events import Event, Recorded
from app.queueing.rules.order import LaneHead, choose_next
from app.queueing.rules.policy import read_policy
from app.queueing.rules.states import Lane
from benchmarks.history import Op, check, told

AT = datetime(2026, 11, 23, 1, tzinfo=UTC)  # nine in the morning
DAY = "2026-11-23"
SYSTEM, CLERK, OTHER, KIOSK = "system:system", "staff:clerk01", "staff:clerk02", "device:kiosk-7"
FAULTS = ("lost", "duplicates", "double_calls", "order", "steps", "why", "record", "answers")


def moment(minutes: float) -> datetime:
    return AT + timedelta(minutes=minutes)


def exactly(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


@dataclass
class Story:
    """A record that is written by hand, one event a minute, and the requests that it came from."""

    rows: list[Recorded] = field(default_factory=list)
    queues: dict[int, str] = field(default_factory=dict)

    def tell(self, event: Event, actor: str = CLERK, at: datetime | None = None) -> Story:
        seq = len(self.rows) + 1
        self.rows.append(Recorded("luolong", seq, event, actor, at or moment(seq)))
        return self

    @property
    def at(self) -> datetime:
        """When the next event happens."""
        return moment(len(self.rows) + 1)

    def said(self, ticket: int) -> dict[str, Any]:
        number = f"A{ticket:03d}"
        return {"ticket": ticket, "number": number, "queue": self.queues.get(ticket, "A"), "day": DAY}

    def opened(self, window: str = "W01", actor: str = CLERK, weight: int = 0) -> Story:
        names = {"window_kind": "comprehensive", "name_zh": "", "name_en": "", "zone": "A"}
        self.tell(e.WindowDefined(window=window, queues=("A", "B"), weights=(weight, 0), **names), SYSTEM)
        return self.tell(e.WindowOpened(window=window, staff=actor[6:]), actor)

    def issued(self, *tickets: int, **more: Any) -> Story:
        for ticket in tickets:
            self.tell(e.TicketIssued(**self.said(ticket) | {"lane": "normal", "channel": "kiosk"} | more), KIOSK)
        return self

    def called(
        self, ticket: int, heads: Sequence[LaneHead], window: str = "W01", actor: str = CLERK, **policy: Any
    ) -> Story:
        """As the hall would call it, given the heads as the test says that they stand."""
        choice = choose_next(heads, read_policy(policy, {"A": 0, "B": 0}), self.at, window)
        assert choice is not None and choice[0].ticket == ticket
        return self.called_because(ticket, choice[1], window, actor)

    def called_because(self, ticket: int, why: dict[str, Any], window: str = "W01", actor: str = CLERK) -> Story:
        event = e.TicketCalled(**self.said(ticket), lane="normal", window=window, waited_s=0, why=why)
        return self.tell(event, actor)

    def served(self, ticket: int) -> Story:
        self.tell(e.TicketStarted(**self.said(ticket), window="W01"))
        return self.tell(e.TicketFinished(**self.said(ticket), window="W01", served_s=1))


def head(
    ticket: int, queued_at: datetime, lane: Lane = Lane.NORMAL, direct: bool = False, queue: str = "A"
) -> LaneHead:
    return LaneHead(ticket, f"A{ticket:03d}", queue, lane, queued_at, direct)


def sound() -> Story:
    """Two people, both called, the first served."""
    story = Story().opened().issued(1, 2)
    return story.called(1, [head(1, moment(3))]).served(1).called(2, [head(2, moment(4))])


def asked(rows: Sequence[Recorded]) -> list[Op]:
    """The requests of a record, one after the other."""
    ops = []
    for row in rows:
        what = told(row)
        if what is not None:
            ops.append(Op(what[0], f"{row.seq}", row.seq, row.seq + 0.5, "ok", what[1]))
    return ops


def faults(rows: Sequence[Recorded], ops: Sequence[Op] | None = None) -> dict[str, list[str]]:
    """What the checker finds, without the lists that are empty."""
    found, _ = check(asked(rows) if ops is None else ops, rows)
    return {name: getattr(found, name) for name in FAULTS if getattr(found, name)}


def at_window() -> Story:
    """One is called, one waits."""
    return Story().opened().issued(1, 2).called(1, [head(1, moment(3))])


def sent(story: Story, ticket: int, **more: Any) -> Story:
    """Pass a called ticket on; it keeps its place unless the test says otherwise."""
    said = story.said(ticket) | {"from_queue": "A", "window": "W01", "queued_at": exactly(moment(3))} | more
    return story.tell(e.TicketTransferred(**said))
