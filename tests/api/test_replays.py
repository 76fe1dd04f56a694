"""What would have been, by API, every answer held against the document."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from app.events import Actor
from app.now import local_day, now
from app.queueing import forecasts
from tests.api.asking import Asking

Find = Callable[[str], Actor]
PATH = "/halls/luolong/replays"


@pytest.fixture
def day(app: Flask, ask: Asking) -> str:
    """Four people of queue A at one window, two of them served."""
    forecasts.forget()
    kiosk = ask.device("kiosk")
    ask.post("/windows/luolong-W01/open", who="clerk01")
    for _ in range(4):
        ask.post("/halls/luolong/tickets", {"queue": "A"}, status=201, token=kiosk)
    for _ in range(2):
        ticket = ask.post("/windows/luolong-W01/call-next", who="clerk01")["ticket"]["id"]
        ask.post(f"/tickets/{ticket}/start", who="clerk01")
        ask.post(f"/tickets/{ticket}/finish", who="clerk01")
    return local_day(now()).isoformat()


def test_a_day_is_played_again(ask: Asking, day: str) -> None:
    found = ask.post(PATH, {"suggest": True}, who="supervisor01")
    assert (found["day"], found["people"], found["changes"]) == (day, 4, {})
    assert found["recorded"]["served"] == found["before"]["served"] == 2
    assert found["before"] == found["after"] and found["saved_min"] == 0
    assert found["drift"] == {"calls": 2, "same_window": 2, "mean_min": 0.0, "chosen": 0}
    changes = {
        "day": day,
        "open": [{"window": "W07", "queues": ["A"], "from": "00:00", "until": "23:59"}],
        "teach": [{"window": "W01", "queue": "B", "weight_min": 10}],
        "ratio": [3, 1],
        "call_by_min": 30,
        "conditions": [{"minutes": 10, "queue": "A"}],
        "comprehensive": True,
    }
    found = ask.post(PATH, changes, who="supervisor01")
    assert found["changes"]["ratio"] == [3, 1] and found["changes"]["call_by_min"] == 30
    assert found["changes"]["open"][0]["queues"] == {"A": 0}
    assert [row["window"] for row in found["after"]["windows"]] == ["W01", "W07"]
    again = ask.post(PATH, {"day": day, **found["changes"]} | {"open": changes["open"]}, who="supervisor01")
    assert again["after"] == found["after"]


def test_what_cannot_be_is_refused(ask: Asking, day: str) -> None:
    ask.refused("auth.forbidden", "POST", PATH, {}, who="clerk01")
    ask.refused("auth.required", "POST", PATH, {})
    ask.refused("hall.unknown", "POST", "/halls/nowhere/replays", {}, who="supervisor01")
    for body, code in (
        ({"open": [{"window": "W99", "queues": ["A"]}]}, "window.unknown"),
        ({"open": [{"window": "W07", "queues": ["Z"]}]}, "queue.unknown"),
        ({"teach": [{"window": "W01", "queue": "Z"}]}, "queue.unknown"),
        ({"ratio": [0, 1]}, "policy.invalid"),
        ({"ratio": [1]}, "request.invalid"),
        ({"day": "9999-12-31"}, "request.invalid"),
        ({"day": "0001-01-01"}, "request.invalid"),
        ({"open": [{"window": "W07", "queues": ["A"], "from": "9"}]}, "request.invalid"),
        (
            {"open": [{"window": "W07", "queues": ["A"]}] * 30, "teach": [{"window": "W01", "queue": "B"}] * 40},
            "replay.too_many",
        ),
    ):
        ask.refused(code, "POST", PATH, {"day": day, **body}, who="supervisor01")


def test_the_score_of_forecasts(ask: Asking, day: str) -> None:
    found = ask.get("/halls/luolong/forecast-accuracy", who="supervisor01")
    assert (found["to"], found["people"], found["aim"]) == (day, 2, [0.75, 0.85])
    assert found["told"] == 0 and found["inside"] is None, "nothing was known yet, so nobody was told anything"
    far = ask.get("/halls/luolong/forecast-accuracy?from=2020-01-01&until=2020-01-02", who="supervisor01")
    assert far["people"] == 0 and far["queues"] == []
    ask.refused("auth.forbidden", "GET", "/halls/luolong/forecast-accuracy", who="clerk01")
    for span in ("from=0001-01-01", "until=9999-12-31", "until=0001-01-02"):
        ask.refused("request.invalid", "GET", f"/halls/luolong/forecast-accuracy?{span}", who="supervisor01")
