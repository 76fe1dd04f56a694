"""The two gunicorns, with their options, and the RQ worker."""

from __future__ import annotations

import logging
import os
import resource
import sys
import time
from typing import Any, NoReturn

from redis import RedisError
from rq import Queue, Worker
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer

from app.config import Settings
from app.realtime import redis_client
from workers import ROOT
from workers.enqueue import QUEUES
from workers.hooks import die_with_parent

log = logging.getLogger("yichuang.worker")

REDIS_AWAY_S = 1.0  # between two tries to work again
KEEP_ALIVE_S = 75  # longer than the door's or nginx' own, so that they never send into a closing connection
CONNECTIONS = 20_000


def web(settings: Settings, host: str) -> NoReturn:
    """Become the HTTP server. On SQLite one process, for its writers queue up inside it; else two or what is set."""
    sqlite = settings.database_url.startswith("sqlite")
    size = ("--workers", "1", "--threads", "8") if sqlite else ("--workers", "2", "--threads", "4")
    _become(
        "wsgi:application",
        host,
        settings.web_port or settings.port,
        *("--worker-class", "gthread", *size, "--reuse-port", "--timeout", "60", "--graceful-timeout", "10"),
    )


def gateway(settings: Settings, host: str) -> NoReturn:
    """Become the live gateway: one process on one loop of gevent, whose worker patches before psycopg is imported."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    _become(
        "wsgi:gateway()",
        host,
        settings.gateway_port or settings.port + 1,
        *("--worker-class", "gevent", "--workers", "1", "--worker-connections", str(CONNECTIONS)),
        *("--reuse-port", "--timeout", "60", "--graceful-timeout", "1"),
    )


def _become(application: str, host: str, port: int, *options: str) -> NoReturn:
    beats = ("--worker-tmp-dir", "/dev/shm") if os.access("/dev/shm", os.W_OK) else ()  # noqa: S108  # heartbeats only
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    command = (
        *(sys.executable, "-m", "gunicorn", application, "--bind", address),
        *("--config", "python:workers.hooks", "--chdir", str(ROOT), "--pythonpath", str(ROOT)),
        *("--keep-alive", str(KEEP_ALIVE_S), "--log-level", "warning", "--no-control-socket"),
        *beats,
        *options,
    )
    os.chdir(ROOT)
    os.execv(sys.executable, command)  # noqa: S606  # gunicorn takes this process over, with its pid


class Bench(Worker):
    """The RQ worker; its forked jobs die with it."""

    asked_to_stop = False

    def request_stop(self, signum: Any, frame: Any) -> None:
        self.asked_to_stop = True
        super().request_stop(signum, frame)

    def setup_work_horse_signals(self) -> None:
        super().setup_work_horse_signals()
        die_with_parent(os.getppid())


def worker(settings: Settings, names: list[str]) -> int:
    """Work on the named queues, all of them by default, each job in a fork of this process.

    RQ's worker gives up when Redis goes away in the middle of something; a new one is made until Redis is back.
    """
    from workers import jobs  # fonts and paper, which no other process needs

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
