"""Every door of the house: who may open it is said beside it, nobody comes in without, and looking changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import NotFound

from app.people.gate import DEVICE_COOKIE, SESSION_COOKIE
from app.people.permissions import Permission
from tests.architecture.conftest import WHO, actor_of, addressed, fingerprints, username_of
from tools.docs import Route, routes

API = "/api/"


def test_every_route_says_who_may_use_it(house: Flask) -> None:
    assert [route.rule for route in routes(house) if route.demands is None] == []
    known = {*map(str, Permission), "staff"}
    assert [route for route in routes(house) if not route.demands <= known] == []


def test_every_address_leads_somewhere(
    house: Flask, day: dict[str, str], visitor: Callable[[str], FlaskClient]
) -> None:
    """The walks below prove nothing if they walk into 404: each GET route is 200 or a redirect for somebody."""
    clients = [visitor(who) for who in WHO]
    dead = []
    for route in routes(house):
        if "GET" in route.methods and not any(_good(client.get(addressed(route, day))) for client in clients):
            dead.append(f"{route.rule} as {addressed(route, day)}")
    assert dead == []


def _good(answer: Any) -> bool:
    return answer.status_code < 400 or answer.mimetype == "audio/wav"


def test_a_number_that_no_database_holds_leads_nowhere(house: Flask) -> None:
    """Every route with a number in its address refuses a longer one before it asks for it."""
    numbered = [rule for rule in house.url_map.iter_rules() if "<int:" in rule.rule]
    assert len(numbered) > 5
    addresses = house.url_map.bind("hall")
    for rule in numbered:
        method = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})[0]
        path = re.sub(r"<int:\w+>", str(2**31), rule.rule)
        path = re.sub(r"<any\((\w+)[^>]*>", r"\1", path)
        with pytest.raises(NotFound):
            addresses.match(re.sub(r"<\w+>", "x", path), method)


def test_nobody_comes_in_unasked(house: Flask, day: dict[str, str]) -> None:
    """As nobody, and with worthless credentials of each kind."""
    before = fingerprints()
    guarded = [route for route in routes(house) if route.demands]
    assert len(guarded) > 40
    open_doors = []
    for route in guarded:
        for method in route.methods:
            for client, headers in _strangers(house):
                answer = client.open(addressed(route, day), method=method, headers=headers, json={})
                if not _turned_away(route, answer):
                    open_doors.append(f"{method} {route.rule}: {answer.status_code}")
    assert sorted(set(open_doors)) == []
    assert fingerprints() == before


def _strangers(house: Flask) -> list[tuple[FlaskClient, dict[str, str]]]:
    forged = house.test_client()
    forged.set_cookie(SESSION_COOKIE, "forged")
    forged.set_cookie(DEVICE_COOKIE, "forged")
    return [
        (house.test_client(), {}),
        (house.test_client(), {"Authorization": "Bearer forged"}),
        (house.test_client(), {"Authorization": "Basic YTpi"}),
        (forged, {}),
    ]


def _turned_away(route: Route, answer: Any) -> bool:
    """401, 403, to the sign-in or to the pairing; a form without its token is turned away before anything else."""
    if answer.status_code in (302, 303):
        return answer.location.startswith(("/login", "/pair"))
    csrf = answer.status_code == 400 and not route.rule.startswith(API)
    return answer.status_code in (401, 403) or csrf


def test_a_role_without_the_permission_is_forbidden(
    house: Flask, day: dict[str, str], visitor: Callable[[str], FlaskClient]
) -> None:
    from app.people.permissions import DEVICES

    wrong = []
    for who in WHO[1:]:
        own = DEVICES[who] if who in DEVICES else actor_of(username_of(who)).permissions
        client = visitor(who)
        for route in routes(house):
            if not route.demands or route.demands & {"staff", *own} or "GET" not in route.methods:
                continue
            answer = client.get(addressed(route, day))
            if not _turned_away(route, answer):
                wrong.append(f"{who} GET {route.rule}: {answer.status_code}")
    assert wrong == []


@pytest.mark.parametrize("who", WHO)
def test_looking_changes_nothing(
    who: str, house: Flask, day: dict[str, str], visitor: Callable[[str], FlaskClient]
) -> None:
    client = visitor(who)
    before = fingerprints()
    for route in routes(house):
        if "GET" in route.methods:
            for method in ("GET", "HEAD"):
                answer = client.open(addressed(route, day) + "?lang=en&q=食品&page=1&large=1", method=method)
                assert answer.status_code < 500, (method, route.rule, answer.status_code)
                answer.close()
    assert fingerprints() == before


def test_the_fingerprint_sees_one_changed_letter(house: Flask, day: dict[str, str]) -> None:
    from sqlalchemy import text

    from app.db import db

    before = fingerprints()
    db.session.execute(text("UPDATE windows SET name_en = 'window 1' WHERE code = 'W01' AND hall = 'luolong'"))
    db.session.commit()
    after = fingerprints()
    assert {table for table in before if before[table] != after[table]} == {"windows"}
