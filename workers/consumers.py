"""Who is told what has happened: screens, phones, staff pages, printers and the paper archive.

Each consumer is given a hall's events in order, in batches, from its own cursor on. It may be given a batch again
after a crash, so all it does is harmless when done twice: frames carry their `seq`, jobs their own name.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Protocol

from app import events
from app.casework.levels_queries import halls_told
from app.db import NETWORK
from app.events import BatchRequested, NoticeIssued, Recorded, TicketEvent, TicketIssued, TicketTransferred
from app.now import local_day, now
from app.realtime import Bus, queue_message, queue_room, ticket_message, ticket_room
from displays import frames
from workers.board import SCREENS, folded
from workers.enqueue import Jobs

STALE = timedelta(seconds=60)  # what happened longer ago is shown as it stands now; nobody is called that late
PRINT_WITHIN = timedelta(minutes=10)  # a slip that comes later lies in the tray for somebody else
PRINTED_AT = ("kiosk", "guide")  # channels whose people stand before a printer
UNTOLD = ("session", "field")  # nouns that no page shows


class Consumer(Protocol):
    """`lazy`: its cursor may be stored up to a second late, for taking the same events again costs nothing."""

    name: str
    lazy: bool

    def wants(self, hall: str) -> bool: ...

    def take(self, hall: str, batch: list[Recorded], state: Any) -> Any:
        """Do what the events ask for and return the state to keep. Raises when it could not: the batch comes again."""


class OfHalls:
    """A consumer of what happens in halls, not of the network's own record."""

    def wants(self, hall: str) -> bool:
        return hall != NETWORK


class Screens(OfHalls):
    """Boards and window screens: one numbered frame an event, and the call where somebody is called.

    Of a backlog only the last frame is sent: it is whole, and calls of minutes ago must not be spoken.
    """

    name = SCREENS
    lazy = True

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def take(self, hall: str, batch: list[Recorded], state: Any) -> Any:
        state = folded(hall, state, batch[0].seq - 1)
        at = now()
        for recorded in batch:
            state = frames.fold(state, recorded)
            fresh = at - recorded.at < STALE
            if fresh or recorded is batch[-1]:
                self._emit("frame", frames.frame(state), hall)
            if fresh and (call := frames.call(state, recorded)) is not None:
                self._emit("call", call, hall)
        return state

    def _emit(self, event: str, data: dict[str, Any], hall: str) -> None:
        self._bus.emit(event, data, namespace="/screens", room=f"hall:{hall}")


class Phones(OfHalls):
    """Citizens' phones: each changed ticket to its holder, and once a batch the waiting numbers of each changed queue."""

    name = "phones"
    lazy = True

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def take(self, hall: str, batch: list[Recorded], state: Any) -> Any:
        today = local_day(now()).isoformat()
        changed: dict[int, None] = {}
        queues: dict[str, None] = {}
        for recorded in batch:
            if isinstance(event := recorded.event, TicketEvent):
                changed[event.ticket] = None
                if event.day == today:
                    queues[event.queue] = None
                    if isinstance(event, TicketTransferred):
                        queues[event.from_queue] = None
        for ticket_id in changed:
            room = ticket_room(hall, ticket_id)
            self._bus.emit("ticket", ticket_message(hall, ticket_id), namespace="/tickets", room=room)
        for queue in queues:
            self._bus.emit("queue", queue_message(hall, queue), namespace="/tickets", room=queue_room(hall, queue))
        return None


class Pages:
    """Staff pages: what changed, once a batch and thing. They fetch it themselves, with their own rights.

    A case that went up, and a bundle of papers, change something for another hall too: its pages are told the same.
    """

    name = "pages"
    lazy = True

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def wants(self, hall: str) -> bool:
        return True

    def take(self, hall: str, batch: list[Recorded], state: Any) -> Any:
        last: dict[tuple[str, str], int] = {}
        for recorded in batch:
            what, thing = named(hall, recorded.event)
            if what not in UNTOLD:
                last.pop((what, thing), None)
                last[what, thing] = recorded.seq
        named_as = {noun: {thing for what, thing in last if what == noun} for noun in ("case", "manifest")}
        others = halls_told(hall, named_as["case"], named_as["manifest"])
        for (what, thing), seq in last.items():
            changed = {"hall": hall, "seq": seq, "what": what, "id": thing}
            for told in (hall, *sorted(others.get((what, thing), ()))):
                self._bus.emit("changed", changed, namespace="/staff", room=f"staff:{told}")
        return None


def named(hall: str, event: events.Event) -> tuple[str, str]:
    """The noun of an event and the id by which the API knows its subject."""
    noun = event.kind.split(".")[0]
    own = getattr(event, noun, None)
    if noun in ("case", "joint", "manifest", "agency"):
        return noun, str(getattr(event, "number", own))
    if noun in ("ticket", "window", "notice", "batch"):
        return noun, f"{hall}-{own}"
    return noun, str(hall if own is None else own)


class Printers(OfHalls):
    """Slip printers: a slip for every ticket taken at a kiosk or the guide's desk."""

    name = "printers"
    lazy = False

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def take(self, hall: str, batch: list[Recorded], state: Any) -> Any:
        for recorded in batch:
            if prints(recorded, now()):
                self._jobs.enqueue("print_slip", hall, recorded.event.ticket)  # type: ignore[attr-defined]
        return None


def prints(recorded: Recorded, at: datetime) -> bool:
    """Whether the event still wants a slip at `at`; not one that a kiosk printed while it was cut off."""
    event = recorded.event
    wants = isinstance(event, TicketIssued) and event.channel in PRINTED_AT and event.arrived_at is None
    return wants and at - recorded.at < PRINT_WITHIN


class Papers(OfHalls):
    """The paper archive: every notice that is issued becomes a file, and so does a batch that is asked for."""

    name = "papers"
    lazy = False

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def take(self, hall: str, batch: list[Recorded], state: Any) -> Any:
        for recorded in batch:
            if isinstance(event := recorded.event, NoticeIssued):
                self._jobs.enqueue("archive_notice", hall, event.notice)
            elif isinstance(event, BatchRequested):
                self._jobs.enqueue("render_batch", hall, event.batch)
        return None


def all_consumers(bus: Bus, jobs: Jobs) -> list[Consumer]:
    """Every consumer, the most visible first."""
    return [Screens(bus), Phones(bus), Pages(bus), Printers(jobs), Papers(jobs)]
