"""A whole house behind HTTP, and somebody who writes down every word that it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask

import wsgi
from app.config import Settings
from app.db import db
from app.people.models import Staff
from tests.conftest import PASSWORD

API = "/api/v1"
HALL = "luolong"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: minutes, not seconds")


_houses: dict[str, Flask] = {}


@pytest.fixture
def house(settings: Settings) -> Iterator[Flask]:
    """Everything that answers HTTP, screens included."""
    if settings.database_url not in _houses:
        _houses[settings.database_url] = wsgi.web(settings)
    made = _houses[settings.database_url]
    with made.app_context():
        yield made
        db.session.remove()
        db.engine.dispose()


@dataclass
class Town:
    """Everybody of the story, each with an own key, and all that was said to them: (address, words)."""

    house: Flask
    heard: list[tuple[str, str]] = field(default_factory=list)
    _keys: dict[str, str] = field(default_factory=dict)
    _presses: int = 0

    def key(self, who: str) -> str:
        """The token of an account, or of a device for its kind."""
        if who not in self._keys:
            if who in ("kiosk", "screen", "printer"):
                made = self.post("/devices", {"hall": HALL, "kind": who}, 201, who="admin01")
            else:
                made = self.post("/sessions", {"username": who, "password": PASSWORD}, 201)
            self._keys[who] = made["token"]
        return self._keys[who]

    def open(self, address: str, method: str = "GET", *, who: str = "", heard: bool = True, **more: Any) -> Any:
        """One request in a context of its own, as in a server."""
        headers = more.pop("headers", {})
        if who:
            headers = headers | {"Authorization": f"Bearer {self.key(who)}"}
        client = more.pop("client", None) or self.house.test_client(use_cookies=False)
        with self.house.app_context():
            answer = client.open(address, method=method, headers=headers, **more)
        if heard:
            words = answer.text if answer.mimetype != "application/pdf" else ""
            self.heard.append((address, f"{words}\n{answer.headers}"))
        return answer

    def post(self, path: str, body: Any = None, status: int = 200, *, who: str = "", heard: bool = True) -> Any:
        """A step through the API that must succeed, pressed twice: the second press changes nothing."""
        self._presses += 1
        headers = {"Idempotency-Key": f"press-{self._presses}"} if path != "/case-queries" else {}
        first = self.open(API + path, "POST", who=who, json=body, headers=headers, heard=heard)
        assert first.status_code == status, (path, first.text)
        if headers:
            again = self.open(API + path, "POST", who=who, json=body, headers=headers, heard=heard)
            assert (again.status_code, again.json) == (status, first.json), path
        return first.json

    def get(self, path: str, *, who: str = "") -> Any:
        answer = self.open(API + path, who=who)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json

    def refused(self, code: str, path: str, body: Any = None, *, who: str = "") -> None:
        answer = self.open(API + path, "POST", who=who, json=body)
        assert answer.json["code"] == code, answer.text

    def approver(self, department: str) -> str:
        """The account that decides for a department."""
        name = db.session.query(Staff.username).filter_by(department=department).order_by(Staff.id).first()[0]
        db.session.rollback()
        return str(name)


@pytest.fixture
def town(house: Flask) -> Town:
    return Town(house)
