"""Signing in and out, devices, and the limits on those who carry no token."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask

from app.config import Settings
from app.db import db
from app.factory import create_app
from app.now import now
from tests.api.asking import Asking
from tests.conftest import PASSWORD

CLERK = {"username": "clerk01", "password": PASSWORD}


def test_a_session_opens_works_and_closes(ask: Asking) -> None:
    session = ask.post("/sessions", CLERK, 201)
    assert datetime.fromisoformat(session["expires_at"]) > now() + timedelta(hours=1)
    assert ask("GET", "/windows", token=session["token"]).status_code == 200
    assert ask("POST", "/sessions/close", token=session["token"]).status_code == 204
    ask.refused("auth.invalid", "GET", "/windows", token=session["token"])


def test_a_wrong_word_is_refused_without_saying_which(ask: Asking) -> None:
    for wrong in (
        {**CLERK, "password": "x"},
        {**CLERK, "username": "nobody"},
        {"username": "", "password": ""},
    ):
        ask.refused("auth.wrong_password", "POST", "/sessions", wrong)
    ask.refused("text.invalid", "POST", "/sessions", {**CLERK, "password": "\ud800"})
    ask.refused("text.too_long", "POST", "/sessions", {**CLERK, "password": "x" * 5000})
    assert "password" in ask.refused("request.invalid", "POST", "/sessions", {"username": "clerk01"})["title"]


def test_the_token_of_a_session_comes_again_only_for_the_password(ask: Asking) -> None:
    first = ask.post("/sessions", CLERK, 201, key="tablet-1")
    assert ask.post("/sessions", CLERK, 201, key="tablet-1") == first
    assert ask.post("/sessions", CLERK, 201, key="tablet-2") != first
    ask.refused("auth.wrong_password", "POST", "/sessions", {**CLERK, "password": "guess"}, key="tablet-1")
    other = ask.post("/sessions", {**CLERK, "username": "clerk02"}, 201, key="tablet-1")
    assert other["token"] != first["token"]


def test_nothing_kept_of_a_keyed_request_can_be_guessed_at(ask: Asking) -> None:
    ask.post("/sessions", CLERK, 201, key="tablet-1")
    row = db.session.connection().exec_driver_sql("SELECT scope, key, body_hash, answer FROM answers").one()
    text = " ".join(row)
    assert PASSWORD not in text and "clerk01" not in text and "token" not in text


def test_a_device_is_registered_paired_anew_and_revoked(ask: Asking) -> None:
    made = ask.post("/devices", {"hall": "luolong", "kind": "kiosk", "zone": "A"}, 201, who="admin01")
    assert made["id"].startswith("luolong-") and len(made["pairing_code"]) == 6
    ask.post("/halls/luolong/tickets", {"queue": "A"}, 201, token=made["token"])
    again = ask.post(f"/devices/{made['id']}/pairing-code", who="admin01")
    assert again["id"] == made["id"] and again["pairing_code"].isdigit()
    assert ask("POST", f"/devices/{made['id']}/revoke", who="admin01").status_code == 204
    ask.refused("auth.invalid", "POST", "/halls/luolong/tickets", {"queue": "A"}, token=made["token"])
    ask.refused("device.unknown", "POST", f"/devices/{made['id']}/revoke", who="admin01")
    ask.refused("device.unknown", "POST", f"/devices/{made['id']}/pairing-code", who="admin01")


def test_a_device_is_refused(ask: Asking) -> None:
    good = {"hall": "luolong", "kind": "screen"}
    ask.refused("auth.forbidden", "POST", "/devices", good, who="supervisor01")
    ask.refused("device.kind", "POST", "/devices", {**good, "kind": "toaster"}, who="admin01")
    for hall in ("nowhere", "network", "", "洛龙"):
        ask.refused("hall.unknown", "POST", "/devices", {**good, "hall": hall}, who="admin01")
    ask.refused("request.invalid", "POST", "/devices", {**good, "zone": "Z"}, who="admin01")
    ask.refused("text.invalid", "POST", "/devices", {**good, "name": "屏\u200b"}, who="admin01")


@pytest.fixture
def strict(settings: Settings) -> Iterator[Flask]:
    made = create_app(replace(settings, login_limit="3/minute", ticket_limit="4/minute", code_limit="10/minute"))
    made.testing = True
    yield made
    with made.app_context():
        db.engine.dispose()


def test_guessing_is_slowed_down_an_account_at_a_time(strict: Flask) -> None:
    ask = Asking(strict)
    wrong = {"username": "clerk09", "password": "guess"}
    for _ in range(3):
        ask.refused("auth.wrong_password", "POST", "/sessions", wrong)
    stopped = ask("POST", "/sessions", wrong)
    assert stopped.json["code"] == "request.too_many" and int(stopped.headers["Retry-After"]) > 0
    ask.refused("request.too_many", "POST", "/sessions", {**CLERK, "username": "clerk09"})
    ask.refused("auth.wrong_password", "POST", "/sessions", {**wrong, "username": "clerk08"})


def test_a_pickup_code_cannot_be_guessed(strict: Flask) -> None:
    ask, guess = Asking(strict), {"receiver": "王小明", "pickup_code": "000000"}
    for path in ("/cases/LL202601010001/hand-over", "/joint-cases/LL202601010001/hand-over"):
        answers = [ask("POST", path, guess, who="pickup01").status_code for _ in range(11)]
        assert answers == [404] * 10 + [429]
        assert ask("POST", path.replace("0001/", "0002/"), guess, who="pickup01").status_code == 404


def test_only_callers_without_a_token_are_slowed_down(strict: Flask) -> None:
    ask = Asking(strict)
    mine = {"number": "LL202601010001", "query_code": "AAAAAA"}
    for n in range(4):
        ask("POST", "/case-queries", mine) if n % 2 else ask("GET", "/tickets/AAAAAAAAAAAAAAAAAAAAAA")
    ask.refused("request.too_many", "POST", "/case-queries", mine)
    ask.refused("request.too_many", "GET", "/tickets/AAAAAAAAAAAAAAAAAAAAAA")
    ask.refused("request.too_many", "POST", "/tickets/AAAAAAAAAAAAAAAAAAAAAA/cancel")
    ask.refused("ticket.unknown", "GET", "/tickets/AAAAAAAAAAAAAAAAAAAAAA", who="clerk01")
    assert ask("GET", "/halls").status_code == 200
    assert ask("POST", "/deadlines/preview", {"start": "2026-03-11", "limit": 1, "unit": "WD"}).status_code == 200
