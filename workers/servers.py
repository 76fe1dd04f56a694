"""The two gunicorns with their options. Imports next to nothing: this process is about to become another."""

from __future__ import annotations

import os
import resource
import sys
from typing import NoReturn

from app.config import Settings
from workers import ROOT

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
