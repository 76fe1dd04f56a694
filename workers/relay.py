"""The relay: gives each consumer the events of every hall, in order, from the consumer's own cursor on.

It polls the heads of the halls (one indexed read) and has no other way to hear of an event, so that there is one
path to test. Redis is not in it: a consumer that cannot reach Redis fails, keeps its place and is tried again.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import DBAPIError

from app import eventlog
from app.broker import redis_client
from app.config import Settings
from app.db import db
from app.errors import Refusal
from app.events import Recorded
from app.realtime import Bus
from workers.bare import bare_app
from workers.consumers import Consumer, all_consumers
from workers.enqueue import Jobs
from workers.sole import Sole

log = logging.getLogger("yichuang.relay")

PACE_S = 0.025  # between two looks at the heads
BATCH = 200  # events given at once
KEEP_S = 1.0  # a lazy consumer's cursor is stored at most this often
RETRY_FIRST_S, RETRY_LAST_S = 0.1, 2.0  # after a failure, doubling
LOCK_S = 1.0  # how often the lock is looked at


@dataclass(slots=True)
class Post:
    """One consumer at one hall: where it stands, what it has folded, and how much of that is stored."""

    consumer: Consumer
    hall: str
    seq: int
    state: Any
    stored: int
    stored_at: float = 0.0
    retry_at: float = 0.0
    failures: int = field(default=0)


class Relay:
    """The turns of the relay. Needs an application context; `clock` counts seconds and never goes back."""

    def __init__(self, consumers: Sequence[Consumer], clock: Callable[[], float] = time.monotonic) -> None:
        self._consumers, self._clock = consumers, clock
        self._posts: dict[tuple[str, str], Post] = {}

    def turn(self) -> int:
        """Give everybody what is new, once; answers how many events were given to somebody.

        A consumer's failure is its own: the others get theirs, and it gets the same events again after a pause.
        """
        given = 0
        try:
            for hall, head in eventlog.heads().items():
                batches: dict[int, list[Recorded]] = {}  # consumers mostly stand at the same place
                for post in self._posts_of(hall):
                    if post.seq < head and self._clock() >= post.retry_at:
                        given += self._give(post, batches)
                    elif post.seq > head:
                        log.warning(
                            "%s: the record of %s ends at %s, before the cursor",
                            post.consumer.name,
                            hall,
                            head,
                        )
                        self._posts.clear()  # the database was put back: read the cursors again
                        break
                    self._store(post)
        finally:
            db.session.remove()
        return given

    def rest(self) -> None:
        """Store every cursor: the end of work."""
        for post in self._posts.values():
            self._store(post, at_once=True)
        db.session.remove()

    def _posts_of(self, hall: str) -> list[Post]:
        posts = []
        for consumer in self._consumers:
            if not consumer.wants(hall):
                continue
            key = (consumer.name, hall)
            if key not in self._posts:
                seq, state = eventlog.cursor(consumer.name, hall)
                self._posts[key] = Post(consumer, hall, seq, state, stored=seq)
            posts.append(self._posts[key])
        return posts

    def _give(self, post: Post, batches: dict[int, list[Recorded]]) -> int:
        try:
            if post.seq not in batches:
                batches[post.seq] = eventlog.read(post.hall, post.seq, BATCH)
            batch = batches[post.seq]
            if not batch:
                return 0
            post.state = post.consumer.take(post.hall, batch, post.state)
        except Exception as error:
            db.session.rollback()
            pause = min(RETRY_FIRST_S * 2**post.failures, RETRY_LAST_S)
            post.failures += 1
            post.retry_at = self._clock() + pause
            level = logging.WARNING if post.failures == 1 else logging.DEBUG
            log.log(level, "%s at %s stands still after %s: %r", post.consumer.name, post.hall, post.seq, error)
            return 0
        if post.failures:
            log.warning("%s at %s goes on after %s", post.consumer.name, post.hall, post.seq)
        post.seq, post.failures = batch[-1].seq, 0
        return len(batch)

    def _store(self, post: Post, *, at_once: bool = False) -> None:
        """Store a cursor that has moved: a lazy one now and then, the others at once."""
        if post.stored == post.seq:
            return
        now = self._clock()
        if not at_once and post.consumer.lazy and now - post.stored_at < KEEP_S:
            return
        eventlog.advance(post.consumer.name, post.hall, post.seq, post.state)
        post.stored, post.stored_at = post.seq, now


def main(settings: Settings) -> int:
    """Run until told to stop; a second relay stands by until the first is gone."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sole = Sole("relay", settings.data_dir, settings.database_url)
    while not sole.take():
        if stop.wait(0.2):
            return 0
    relay = Relay(all_consumers(Bus(settings.redis_url, write_only=True), Jobs(redis_client(settings.redis_url))))
    looked_at = time.monotonic()
    with bare_app(settings).app_context():
        while not stop.is_set():
            if time.monotonic() - looked_at > LOCK_S:
                looked_at = time.monotonic()
                if not sole.holds():
                    log.error("lost the lock with its connection; starting again")
                    return 1
            try:
                if not relay.turn():
                    stop.wait(PACE_S)
            except (DBAPIError, Refusal) as error:
                log.error("cannot read the record or store a cursor: %s", getattr(error, "orig", error))
                stop.wait(RETRY_LAST_S)
        relay.rest()
    sole.release()
    return 0
