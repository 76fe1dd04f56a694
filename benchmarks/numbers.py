"""Numbers against the record: those of a queue and day, those that kiosks were lent, those of cases. Each once, none left out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from app.events import BlockClosed, BlockLeased, CaseReceived, Recorded, TicketIssued
from app.queueing.rules.numbers import OFFLINE_FIRST, OFFLINE_LAST
from benchmarks.findings import Findings

Run = tuple[str, str]  # a day and a queue; or "case" and what its numbers begin with


@dataclass(slots=True)
class Lent:
    """A block that a kiosk has or had: its serials, and those that became tickets."""

    run: Run
    serials: range
    used: set[int] = field(default_factory=set)
    closed: bool = False


class Numbers:
    """The main run of a queue and day is 1, 2, 3 … in the order of the record; its blocks follow each other from 9001.

    Of a block that was given back each number is used or void, and none is both.
    """

    def __init__(self, found: Findings) -> None:
        self._found = found
        self._last: dict[Run, int] = defaultdict(int)
        self._lent_to: dict[Run, int] = defaultdict(lambda: OFFLINE_FIRST - 1)
        self._blocks: dict[int, Lent] = {}

    def tell(self, row: Recorded) -> None:
        """The next event of the record."""
        match row.event:
            case TicketIssued(number=number, day=day, queue=queue, arrived_at=None):
                self._next((day, queue), number, int(number[1:]))
            case TicketIssued() as event:
                self._printed(event, row.actor)
            case CaseReceived(number=number):
                self._next(("case", number[:-4]), number, int(number[-4:]))
            case BlockLeased() as event:
                self._lend(event)
            case BlockClosed() as event:
                self._close(event)

    def _next(self, run: Run, number: str, serial: int) -> None:
        last = self._last[run]
        if serial <= last:
            self._found.duplicates.append(f"{number} was given after {last} in {run}")
        elif serial != last + 1:
            self._found.order.append(f"{number} left a gap after {last} in {run}")
        self._last[run] = max(serial, last)

    def _lend(self, event: BlockLeased) -> None:
        run, first, last = (event.day, event.queue), int(event.first[1:]), int(event.last[1:])
        if first <= self._lent_to[run]:
            self._found.duplicates.append(f"{event.first} was lent twice on {event.day}")
        elif first != self._lent_to[run] + 1:
            self._found.order.append(f"{event.first} left a gap after {self._lent_to[run]} in the blocks of {run}")
        if not OFFLINE_FIRST <= first <= last <= OFFLINE_LAST:
            self._found.duplicates.append(f"{event.first}…{event.last} is not of the run that is lent")
        self._lent_to[run] = max(last, self._lent_to[run])
        self._blocks[event.block] = Lent(run, range(first, last + 1))

    def _printed(self, event: TicketIssued, actor: str) -> None:
        run, serial = (event.day, event.queue), int(event.number[1:])
        lent = next((each for each in self._blocks.values() if each.run == run and serial in each.serials), None)
        if lent is None or lent.closed or not actor.startswith("device:"):
            self._found.duplicates.append(
                f"{event.number} of {event.day} was printed by {actor} from no block that is lent"
            )
        elif serial in lent.used:
            self._found.duplicates.append(f"{event.number} of {event.day} was printed twice")
        else:
            lent.used.add(serial)

    def _close(self, event: BlockClosed) -> None:
        lent = self._blocks.get(event.block)
        if lent is None or lent.closed:
            self._found.steps.append(f"block {event.block} was closed and not lent")
            return
        lent.closed = True
        void = [int(number[1:]) for number in event.void]
        if sorted([*lent.used, *void]) != list(lent.serials) or event.used != len(lent.used):
            self._found.lost.append(
                f"block {event.block}: {len(lent.used)} used ({event.used} told) and {len(void)} void of {len(lent.serials)}"
            )
