"""Who waits for whom: how many people a window might call now, and who of them has waited the longest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who waits: in a queue, or for one window or one clerk."""

    number: str
    queue: str
    since: datetime
    window: str | None = None
    staff: str | None = None

    def may_be_called(self, window: str, staff: str, queues: Collection[str]) -> bool:
        """Whether this window, with this clerk at it and these queues to serve, might call them."""
        if self.window:
            return self.window == window
        return self.staff == staff if self.staff else self.queue in queues


class Crowd:
    """Everybody who waits, by ticket, and counted, so that asking costs nothing while hundreds wait."""

    def __init__(self, waiting: Mapping[int, Waiting]) -> None:
        self.waiting: dict[int, Waiting] = {}
        self._in_queue: Counter[str] = Counter()
        self._for_window: Counter[str] = Counter()
        self._for_staff: Counter[str] = Counter()
        for ticket, person in waiting.items():
            self.add(ticket, person)

    def add(self, ticket: int, person: Waiting) -> None:
        """Let somebody wait; who waits already does so anew."""
        self.remove(ticket)
        self.waiting[ticket] = person
        self._count(person, 1)

    def remove(self, ticket: int) -> Waiting | None:
        """Who has waited with this ticket, and no longer does; None for nobody."""
        person = self.waiting.pop(ticket, None)
        if person is not None:
            self._count(person, -1)
        return person

    def size(self, window: str, staff: str, queues: Collection[str]) -> int:
        """How many people this window might call now."""
        return sum(self._in_queue[queue] for queue in queues) + self._for_window[window] + self._for_staff[staff]

    def longest(self, window: str, staff: str, queues: Collection[str]) -> str | None:
        """The number of who has waited longest among those whom this window might call."""
        own = [person for person in self.waiting.values() if person.may_be_called(window, staff, queues)]
        return min(own, key=lambda person: person.since).number if own else None

    def _count(self, person: Waiting, one: int) -> None:
        if person.window:
            self._for_window[person.window] += one
        elif person.staff:
            self._for_staff[person.staff] += one
        else:
            self._in_queue[person.queue] += one
