"""The timer: one list of what happens by itself, each with its interval. One process of the installation runs it."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from redis import RedisError
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from app.action import purge_answers
from app.broker import redis_client
from app.casework.oversight import tell_signals
from app.casework.sweeps import ring_alarms, sweep_calendar, sweep_lights
from app.config import Settings
from app.db import db
from app.errors import Refusal
from app.events import SYSTEM
from app.hall.queries import halls
from app.notices.batches import forget_files, unmade
from app.notices.models import NoticeRow
from app.now import local_day, now
from app.queueing import appointments
from app.queueing.closing import close_day, remind_parked, reminders_due
from app.queueing.dispatch import dispatch_due, dispatch_next
from app.queueing.models import Ticket
from workers.bare import bare_app
from workers.consumers import PRINT_WITHIN, PRINTED_AT
from workers.enqueue import Jobs
from workers.jobs import forget_prints, is_printed, paper_of
from workers.sole import Sole

log = logging.getLogger("yichuang.timer")

KEEP_ANSWERS_H = 48
ROUNDS = 50  # of one sweep at a time; the rest comes at the next
PAPERS = 500  # asked for at a time
SETTLE = timedelta(seconds=5)  # what is younger is still on its way through the relay


class Timer:
    """What the periodic jobs work with. Needs an application context."""

    def __init__(self, settings: Settings, jobs: Jobs) -> None:
        self.settings, self.jobs = settings, jobs
        self._closed: dict[str, str] = {}  # hall → the local day up to which its past is closed
        self._filed: dict[str, int] = {}  # hall → the last notice up to which every paper is in the archive

    def close_days(self) -> None:
        """After a hall's midnight: expire what nobody came for (Q7)."""
        today = local_day(now()).isoformat()
        for hall in _codes():
            if self._closed.get(hall) != today:
                with _tried(f"close_day of {hall}"):
                    done = close_day(hall=hall, actor=SYSTEM, at=now(), before=today)
                    self._closed[hall] = today
                    if done["expired"]:
                        log.info("%s: %s tickets of past days expired", hall, done["expired"])

    def dispatch(self) -> None:
        """Where a hall dispatches: the next ticket for each window that has rested enough, the longest free first."""
        for hall in _codes():
            with _tried(f"dispatch_next of {hall}"):
                while _asked(dispatch_due, hall) and dispatch_next(hall=hall, actor=SYSTEM, at=now()):
                    pass

    def remind(self) -> None:
        """Parked tickets whose time is up, and who went away and is not back."""
        for hall in _codes():
            with _tried(f"remind_parked of {hall}"):
                while _asked(reminders_due, hall) and _more(remind_parked, hall):
                    pass

    def end_appointments(self) -> None:
        """Waiting lists whose slot is near, and appointments that nobody kept, at the close of business (Q10)."""
        for hall in _codes():
            with _tried(f"appointments of {hall}"):
                while _asked(appointments.sweep_due, hall) and _more(appointments.sweep, hall):
                    pass

    def turn_lights(self) -> None:
        """Clocks that a new calendar or new hours have moved, alarms and lights that are due, in this order."""
        for hall in _codes():
            for sweep in (sweep_calendar, ring_alarms, sweep_lights):
                with _tried(f"{sweep.__name__} of {hall}"):
                    _in_rounds(sweep, hall)

    def tell(self) -> None:
        """Signals whose time has come: owners, chief representatives, supervisors, in working hours (K8)."""
        for hall in _codes():
            with _tried(f"tell_signals of {hall}"):
                _in_rounds(tell_signals, hall)

    def file_papers(self) -> None:
        """Ask again for papers that are not in the archive: their job was lost with Redis, or failed."""
        for hall in _codes():
            query = select(NoticeRow.id).where(NoticeRow.hall == hall, NoticeRow.id > self._filed.get(hall, 0))
            settled = NoticeRow.issued_at < now() - SETTLE
            complete = True
            for notice_id in db.session.execute(query.where(settled).order_by(NoticeRow.id).limit(PAPERS)).scalars():
                if not paper_of(self.settings, hall, notice_id).exists():
                    complete = False
                    self.jobs.enqueue("archive_notice", hall, notice_id)
                elif complete:
                    self._filed[hall] = notice_id

    def make_batches(self) -> None:
        """Ask again for batches that have no file: their job was lost with Redis, or failed."""
        for hall in _codes():
            for batch_id in unmade(hall, now() - SETTLE, self.settings):
                self.jobs.enqueue("render_batch", hall, batch_id)

    def print_slips(self) -> None:
        """Ask again for slips that were not printed, as long as somebody may still stand there. A number of a block is on
        paper since the kiosk gave it.
        """
        at = now()
        for hall in _codes():
            query = select(Ticket.id).where(
                Ticket.hall == hall,
                Ticket.day == local_day(at),
                Ticket.issued_at > at - PRINT_WITHIN,
                Ticket.issued_at < at - SETTLE,
                Ticket.channel.in_(PRINTED_AT),
                Ticket.block_id.is_(None),
            )
            for ticket_id in db.session.execute(query).scalars():
                if not is_printed(self.settings, hall, ticket_id):
                    self.jobs.enqueue("print_slip", hall, ticket_id)

    def forget(self) -> None:
        """After two days: answers to repeated requests, prints in the spool, files of batches."""
        purge_answers(actor=SYSTEM, at=now(), hours=KEEP_ANSWERS_H)
        forget_prints(self.settings)
        forget_files(self.settings, now())


@dataclass(slots=True)
class Periodic:
    """A job of the timer; `due` is on the clock of `run`."""

    every_s: float
    work: Callable[[], None]
    due: float = 0.0


def periodic_jobs(timer: Timer) -> list[Periodic]:
    """The whole list."""
    return [
        Periodic(2, timer.dispatch),
        Periodic(15, timer.remind),
        Periodic(30, timer.end_appointments),
        Periodic(60, timer.close_days),
        Periodic(30, timer.turn_lights),
        Periodic(30, timer.tell),
        Periodic(30, timer.file_papers),
        Periodic(30, timer.make_batches),
        Periodic(15, timer.print_slips),
        Periodic(3600, timer.forget),
    ]


def run_due(jobs: list[Periodic], at: float) -> None:
    """Run what is due at `at`, in seconds of one clock. One that fails is tried again at its next time."""
    for job in jobs:
        if at < job.due:
            continue
        job.due = at + job.every_s
        with _tried(job.work.__name__):
            job.work()


@contextmanager
def _tried(what: str) -> Iterator[None]:
    """Go on after what failed: no hall waits for another, no job for another."""
    try:
        yield
    except Refusal as refusal:
        log.warning("%s: %s", what, refusal.code)
    except RedisError as error:
        log.warning("%s: Redis is away: %s", what, error)
    except DBAPIError as error:
        log.error("%s: %s", what, error.orig)
    except Exception:
        log.exception("%s failed", what)
    finally:
        db.session.remove()


def _in_rounds(sweep: Callable[..., dict[str, Any]], hall: str) -> None:
    """Sweep as long as there is more, but no longer than others can wait."""
    for _ in range(ROUNDS):
        if not _more(sweep, hall):
            break


def _more(sweep: Callable[..., dict[str, Any]], hall: str) -> bool:
    return bool(sweep(hall=hall, actor=SYSTEM, at=now())["more"])


def _asked(due: Callable[[str, datetime], bool], hall: str) -> bool:
    """Whether there is something to do in the hall; the read is over before an action begins its own transaction."""
    found = due(hall, now())
    db.session.rollback()
    return found


def _codes() -> list[str]:
    codes = [hall["code"] for hall in halls()]
    db.session.rollback()  # an action begins its own transaction; a read must not stay open over it
    return codes


def main(settings: Settings) -> int:
    """Run until told to stop; a second timer stands by until the first is gone."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sole = Sole("timer", settings.data_dir, settings.database_url)
    while not sole.take():
        if stop.wait(1.0):
            return 0
    with bare_app(settings).app_context():
        jobs = periodic_jobs(Timer(settings, Jobs(redis_client(settings.redis_url))))
        while not stop.wait(1.0):
            if not sole.holds():
                log.error("lost the lock with its connection; starting again")
                return 1
            run_due(jobs, time.monotonic())
    sole.release()
    return 0
