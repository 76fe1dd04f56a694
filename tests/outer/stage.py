"""A stage for processes: a Redis that can be killed, and the house's own processes on free ports."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import redis

from app.broker import redis_client
from app.config import Settings
from tests.conftest import PASSWORD, SECRET, make_settings
from workers import ROOT
from workers.embedded import redis_command
from workers.launch import free_port


def until(said: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What `said` answers once it is true; fails when it does not become so in time."""
    deadline = time.monotonic() + seconds
    while not (answer := said()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return answer


class Redis:
    """A Redis of the test's own, always on the same port."""

    def __init__(self, folder: Path) -> None:
        self._command = redis_command(free_port(), folder)
        self.url = f"redis://127.0.0.1:{self._command[self._command.index('--port') + 1]}/0"
        self.client = redis_client(self.url)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        until(self.answers)

    def answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.kill()
        self.client.close()


class Stage:
    """Processes of one installation. All of them end with the test."""

    def __init__(self, folder: Path, database_url: str, redis_url: str) -> None:
        self.ports = {"web": free_port(), "gateway": free_port()}
        self.settings: Settings = replace(
            make_settings(folder, database_url),
            redis_url=redis_url,
            web_port=self.ports["web"],
            gateway_port=self.ports["gateway"],
        )
        self._env = {name: value for name, value in os.environ.items() if not name.startswith("HALL_")} | {
            "HALL_DATA_DIR": str(folder),
            "HALL_DATABASE_URL": database_url,
            "HALL_REDIS_URL": redis_url,
            "HALL_SECRET_KEY": SECRET,
            "HALL_DEMO_PASSWORD": PASSWORD,
            "HALL_WEB_PORT": str(self.ports["web"]),
            "HALL_GATEWAY_PORT": str(self.ports["gateway"]),
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str, **env: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-m", "workers", *command], cwd=ROOT, env=self._env | env)
        self.processes.append(process)
        if (port := self.ports.get(command[0])) is not None:
            until(lambda: _answers(port), 60)
        return process

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(port: int) -> bool:
    """Whether an HTTP server answers there, whatever it says."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2):
            return True
    except urllib.error.HTTPError as answer:
        answer.close()
        return True
    except OSError:
        return False
