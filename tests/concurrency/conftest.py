"""A hall full of people in one process: real sessions, real threads, HTTP through Flask's test clients."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from app.db import db
from benchmarks.load import API
from tests.conftest import PASSWORD

HALL = "luolong"
THREADS = 8


class Doors:
    """The API as many clients have it at once: each thread its own test client, each request its own context."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._clients = threading.local()
        self._tokens: dict[str, str] = {}

    def ask(self, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
        if not hasattr(self._clients, "own"):
            self._clients.own = self.app.test_client(use_cookies=False)
        answer = self._clients.own.open(path, method=method, json=body, headers=headers)
        return answer.status_code, answer.get_json(silent=True)

    def post(self, path: str, body: Any = None, token: str = "", **headers: str) -> tuple[int, Any]:
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return self.ask("POST", API + path, body, headers)

    def must(self, path: str, body: Any = None, token: str = "") -> Any:
        status, answer = self.post(path, body, token)
        assert status < 300, (path, status, answer)
        return answer

    def sign_in(self, username: str) -> str:
        """A real session; one a name and test."""
        if username not in self._tokens:
            self._tokens[username] = self.must("/sessions", {"username": username, "password": PASSWORD})["token"]
        return self._tokens[username]

    def kiosk(self) -> str:
        device = self.must("/devices", {"hall": HALL, "kind": "kiosk"}, self.sign_in("admin01"))
        return str(device["token"])


@pytest.fixture
def doors(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Doors:
    """As in service: what goes wrong inside is answered with 500, not raised into the client."""
    monkeypatch.setattr(app, "testing", False)
    db.session.remove()
    return Doors(app)


def at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """Run all of them in threads that start together; their answers in the same order."""
    start, answers = threading.Barrier(len(works)), [None] * len(works)

    def run(n: int) -> None:
        start.wait()
        answers[n] = works[n]()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
