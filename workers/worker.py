"""The RQ worker: prints slips and writes papers, each job in a fork of its own."""

from __future__ import annotations

import logging
import os
import sys
import time
from typing import Any

from redis import RedisError
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer

from app.broker import redis_client
from app.config import Settings
from workers import jobs
from workers.enqueue import QUEUES
from workers.hooks import die_with_parent

log = logging.getLogger("yichuang.worker")

REDIS_AWAY_S = 1.0  # between two tries to work again


class Bench(Worker):
    """The RQ worker; its forked jobs die with it."""

    asked_to_stop = False

    def request_stop(self, signum: Any, frame: Any) -> None:
        self.asked_to_stop = True
        super().request_stop(signum, frame)

    def setup_work_horse_signals(self) -> None:
        super().setup_work_horse_signals()
        die_with_parent(os.getppid())


def main(settings: Settings, names: list[str]) -> int:
    """Work on the named queues, all of them by default, each job in a fork of this process.

    RQ's worker gives up when Redis goes away in the middle of something; a new one is made until Redis is back.
    """
    unknown = sorted(set(names) - set(QUEUES))
    if unknown:
        print(f"no such queue: {', '.join(unknown)} (known: {', '.join(QUEUES)})", file=sys.stderr)
        return 2
    jobs.warm_up()
    connection = redis_client(settings.redis_url)
    queues = [Queue(name, connection=connection, serializer=JSONSerializer) for name in names or QUEUES]
    bench = None
    while bench is None or not bench.asked_to_stop:
        try:
            if bench is not None:
                time.sleep(REDIS_AWAY_S)
            bench = Bench(queues, connection=connection, serializer=JSONSerializer)
            bench.work(logging_level="WARNING")
        except RedisError as error:
            log.warning("Redis is away: %s", error)
            time.sleep(REDIS_AWAY_S)
        except StopRequested:
            break
    return 0
