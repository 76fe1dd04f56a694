"""What only PostgreSQL would trip over: numbers too wide for its columns, characters it cannot store."""

from __future__ import annotations

import pytest

from tests.api.asking import Asking
from tests.api.test_problems import BAD_IDS, asked_with


@pytest.fixture
def database() -> str:
    return "postgresql"


def test_ids_that_are_none(ask: Asking) -> None:
    for bad in BAD_IDS:
        for answer in asked_with(ask, bad):
            assert answer.status_code in (403, 404), answer.text


def test_texts_and_numbers_that_do_not_fit(ask: Asking) -> None:
    ask.refused("text.invalid", "GET", "/halls/luolong/items?q=%00")
    ask.refused("text.invalid", "POST", "/halls/luolong/tickets", {"queue": "\0"}, who="guide01")
    ask.refused("text.invalid", "POST", "/sessions", {"username": "\0", "password": "x"})
    ask.refused("request.invalid", "GET", "/halls/luolong/events?after=2147483648", who="supervisor01")
    assert ask.get("/halls/luolong/events?after=2147483647", who="supervisor01") == []
    assert ask.get("/cases?page=100000&per_page=100", who="supervisor01")["items"] == []


def test_ready_and_a_repeated_call(ask: Asking) -> None:
    assert ask.get("/readyz")["checks"]["database"] == {"state": "ok", "dialect": "postgresql"}
    ask.post("/halls/luolong/tickets", {"queue": "A"}, 201, who="guide01")
    ask.post("/windows/luolong-W01/open", who="clerk01")
    called = ask.post("/windows/luolong-W01/call-next", who="clerk01", key="press")
    assert ask.post("/windows/luolong-W01/call-next", who="clerk01", key="press") == called
