"""A house to measure and to break: the real processes on free ports of loopback, in a folder that is thrown away."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from flask import Flask

from app.config import Settings
from app.db import db
from app.demo import ensure_demo
from benchmarks.load import API, NoAnswer
from migrations.run import upgrade
from tests.servers import PostgresServer
from workers import ROOT
from workers.bare import bare_app
from workers.launch import free_port

HALL = "luolong"
PASSWORD = "password-of-the-benchmarks"  # of a house that lives for a minute
SECRET = "secret of a house that lives for a minute"
READY_S = 120.0
DATABASES = ("sqlite", "postgresql")


class Client:
    """HTTP with kept connections, one a thread."""

    def __init__(self, port: int, timeout_s: float = 15.0) -> None:
        self.port, self._timeout_s, self._local = port, timeout_s, threading.local()

    def ask(self, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
        """Status and JSON. Raises NoAnswer when the connection is refused or breaks."""
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self._timeout_s)
            self._local.connection = connection
        data = json.dumps(body).encode() if body is not None else None
        sent = {**headers, "Content-Type": "application/json"} if data is not None else headers
        try:
            connection.request(method, path, data, sent)
            answer = connection.getresponse()
            raw = answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            self._local.connection = None
            raise NoAnswer(type(error).__name__) from error
        is_json = "json" in (answer.headers.get("Content-Type") or "")
        return answer.status, json.loads(raw) if raw and is_json else None

    def leave(self, method: str, path: str, body: Any, headers: dict[str, str]) -> None:
        """Send a request and break the connection before the answer can come."""
        data = json.dumps(body).encode() if body is not None else None
        sent = {**headers, "Content-Type": "application/json"} if data is not None else headers
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self._timeout_s)
        with suppress(OSError, http.client.HTTPException):
            connection.request(method, path, data, sent)
        connection.close()

    def must(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        status, answer = self.ask(method, API + path, body, headers)
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {answer}")
        return answer

    def sign_in(self, username: str) -> str:
        return str(self.must("POST", "/sessions", {"username": username, "password": PASSWORD})["token"])

    def device(self, kind: str, admin: str) -> str:
        return str(self.must("POST", "/devices", {"hall": HALL, "kind": kind}, admin)["token"])


class House:
    """The processes of one installation: `command` is what `python -m workers` is told, `launch` by default."""

    def __init__(self, database_url: str = "", command: str = "launch") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="yichuang-bench-"))
        self.port = free_port()
        self.command = command
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("HALL_")} | {
            "HALL_DATA_DIR": str(self.folder),
            "HALL_DATABASE_URL": database_url,
            "HALL_DEMO_PASSWORD": PASSWORD,
            "HALL_SECRET_KEY": SECRET,
            "HALL_PORT": str(self.port),
            "HALL_LOGIN_LIMIT": "100000/minute",
            "HALL_TICKET_LIMIT": "100000/minute",
            "HALL_CODE_LIMIT": "100000/minute",
        }
        self.client = Client(self.port)
        self.log = (self.folder / "house.log").open("ab")
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> House:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        if self.command != "launch":
            self._run("prepare")
        self.process = subprocess.Popen(
            (sys.executable, "-m", "workers", self.command), cwd=ROOT, env=self.env, stdout=self.log, stderr=self.log
        )
        path = "/readyz" if self.command == "launch" else "/healthz"
        self.until(lambda: self.client.ask("GET", path, None, {})[0] == 200, READY_S)

    def _run(self, command: str) -> None:
        subprocess.run(
            (sys.executable, "-m", "workers", command), cwd=ROOT, env=self.env, check=True, stdout=subprocess.DEVNULL
        )

    def until(self, said: Callable[[], Any], seconds: float) -> Any:
        """What `said` answers once it is true. Raises TimeoutError with the end of the house's log."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if answer := said():
                    return answer
            except NoAnswer:
                pass
            gone = self.process is None or self.process.poll() is not None
            if gone or time.monotonic() > deadline:
                raise TimeoutError((self.folder / "house.log").read_text(errors="replace")[-3000:])
            time.sleep(0.05)

    def stop(self) -> None:
        """As Ctrl-C does; whoever stays is killed."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    # ── its processes ──────────────────────────────────────────────────────────────────────────────────────────

    def pids(self, part: str) -> list[int]:
        """The descendants of our own launcher whose command line names the part, oldest first."""
        assert self.process is not None
        family, found = {self.process.pid}, []
        for pid, parent in sorted(_parents().items()):
            if parent in family:
                family.add(pid)
                if part in _command(pid):
                    found.append(pid)
        return found

    def kill(self, pid: int) -> None:
        """`kill -9` for one of ours; gone already is as good."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    @property
    def redis_url(self) -> str:
        """Where the launcher has put its Redis."""
        return f"redis://127.0.0.1:{_command(self.pids('redis-server')[0]).split('127.0.0.1:')[1].split()[0]}/0"


def _parents() -> dict[int, int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    return parents


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


@contextmanager
def furnished(kind: str) -> Iterator[Flask]:
    """The demo network on an empty database, in this process, with an application context; no pages, no other processes."""
    with database(kind) as (url, _), tempfile.TemporaryDirectory(prefix="yichuang-bench-") as folder:
        env = {"HALL_DATA_DIR": folder, "HALL_DATABASE_URL": url, "HALL_SECRET_KEY": SECRET}
        settings = replace(Settings.from_env(env), demo_password=PASSWORD)
        upgrade(settings)
        app = bare_app(settings)
        ensure_demo(app)
        with app.app_context():
            yield app
            db.session.remove()
            db.engine.dispose()


@contextmanager
def database(kind: str) -> Iterator[tuple[str, PostgresServer | None]]:
    """The address of an empty database, and its server when it is PostgreSQL of our own; "" is SQLite in the folder."""
    if kind == "sqlite":
        yield "", None
        return
    server = PostgresServer(durable=True)
    try:
        server.create_database("hall")
        yield server.url("hall"), server
    finally:
        server.stop()
