"""What protects a browser: headers on every answer, cookies out of reach, sessions that end, forms that only we can send."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.events import SYSTEM
from app.now import now
from app.people.devices import revoke_device
from app.people.gate import DEVICE_COOKIE, SESSION_COOKIE
from app.people.staff import change_staff
from tests.architecture.conftest import HALL, WHO, addressed, fingerprints
from tests.conftest import PASSWORD
from tools.docs import routes

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
POLICY = ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'")


@pytest.mark.parametrize("who", WHO)
def test_every_answer_carries_the_headers(
    who: str, house: Flask, day: dict[str, str], visitor: Callable[[str], FlaskClient]
) -> None:
    client = visitor(who)
    addresses = [addressed(route, day) for route in routes(house) if "GET" in route.methods]
    for address in [*addresses, "/no/such/page", "/api/v1/no-such", "/static/no-such.js"]:
        answer = client.get(address)
        for name, value in HEADERS.items():
            assert answer.headers.get(name) == value, (address, name)
        policy = answer.headers["Content-Security-Policy"]
        for rule in POLICY:
            assert rule in policy, (address, rule)
        assert "unsafe" not in policy and "*" not in policy.replace("ws:", "").replace("wss:", ""), (address, policy)
        if answer.mimetype == "text/html":
            _nothing_inline(address, answer.text, policy)
            if answer.status_code == 200:
                assert answer.headers["Cache-Control"] == "no-store", address


def _nothing_inline(address: str, page: str, policy: str) -> None:
    """Scripts and styles come from files, or carry the nonce of this very answer."""
    nonce = re.search(r"'nonce-([^']+)'", policy)
    for tag in re.findall(r"<(?:script|style)\b[^>]*>", page):
        if "src=" in tag or re.search(r'type="(application/(ld\+)?json|text/template)"', tag):
            continue
        assert nonce and f'nonce="{nonce[1]}"' in tag, (address, tag)
    assert not re.findall(r"<[^>]+\son[a-z]+\s*=", page), address
    assert not re.findall(r'<[^>]+\sstyle\s*=\s*"', page), address
    assert not re.findall(r'(?:src|href|action)\s*=\s*"(?:https?:)?//', page), address
    assert "javascript:" not in page, address


def test_a_nonce_is_used_once(house: Flask) -> None:
    client = house.test_client()
    seen = [re.findall(r"'nonce-([^']+)'", client.get("/login").headers["Content-Security-Policy"]) for _ in range(3)]
    flat = [nonce for nonces in seen for nonce in set(nonces)]
    assert len(flat) == len(set(flat))


def form_token(client: FlaskClient, page: str = "/pair") -> str:
    found = re.search(r'name="csrf(?:_|-)token"[^>]*(?:value|content)="([^"]+)"', client.get(page).text)
    assert found, page
    return found[1]


def sign_in(client: FlaskClient, username: str = "clerk01", password: str = PASSWORD) -> Any:
    form = {"csrf_token": form_token(client), "username": username, "password": password}
    return client.post("/login", data=form)


def session_of(client: FlaskClient) -> str:
    cookie = client.get_cookie(SESSION_COOKIE)
    assert cookie is not None
    return cookie.value


def is_in(house: Flask, token: str) -> bool:
    """Whether the token still opens the API."""
    answer = house.test_client(use_cookies=False).get(
        "/api/v1/windows?hall=luolong", headers={"Authorization": f"Bearer {token}"}
    )
    return answer.status_code == 200


def test_cookies_are_out_of_reach(house: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    settings = house.extensions["settings"]
    for secure in (False, True):
        monkeypatch.setitem(house.extensions, "settings", replace(settings, secure_cookies=secure))
        monkeypatch.setitem(house.config, "SESSION_COOKIE_SECURE", secure)
        client = house.test_client()
        base = "https://localhost" if secure else "http://localhost"
        page = client.get("/login", base_url=base)
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)[1]  # type: ignore[index]
        form = {"csrf_token": token, "username": "clerk01", "password": PASSWORD}
        answer = client.post("/login", data=form, base_url=base, headers={"Referer": f"{base}/login"})
        assert answer.status_code == 302, answer.text
        cookies = page.headers.getlist("Set-Cookie") + answer.headers.getlist("Set-Cookie")
        assert any(cookie.startswith(f"{SESSION_COOKIE}=") for cookie in cookies)
        for cookie in cookies:
            assert "HttpOnly" in cookie and "SameSite=Lax" in cookie, cookie
            assert ("Secure" in cookie) is secure, cookie


def test_a_session_is_new_at_every_sign_in_and_dies_at_sign_out(house: Flask) -> None:
    client = house.test_client()
    client.set_cookie(SESSION_COOKIE, "chosen-by-somebody-else")
    assert sign_in(client).status_code == 302
    first = session_of(client)
    assert first != "chosen-by-somebody-else" and is_in(house, first)
    sign_in(client)
    second = session_of(client)
    assert second != first and is_in(house, second) and not is_in(house, first)
    client.post("/logout", data={"csrf_token": form_token(client, "/clerk")})
    assert client.get_cookie(SESSION_COOKIE) is None and not is_in(house, second)


@pytest.mark.parametrize("change", [{"roles": ["guide"]}, {"active": False}, {"password": "another password"}])
def test_a_session_dies_with_the_right_it_was_opened_with(house: Flask, change: dict[str, Any]) -> None:
    client = house.test_client()
    sign_in(client)
    token = session_of(client)
    assert is_in(house, token)
    same = {"roles": ["clerk"], "home": HALL, "department": None, "active": True}
    change_staff(actor=SYSTEM, at=now(), username="clerk01", **(same | change))
    assert not is_in(house, token)


def test_a_revoked_device_is_nobody(house: Flask, visitor: Callable[[str], FlaskClient]) -> None:
    client = visitor("kiosk")
    assert client.get("/kiosk").status_code == 200
    cookie = client.get_cookie(DEVICE_COOKIE)
    from app.people.sessions import device_of

    device = device_of(cookie.value)  # type: ignore[union-attr]
    revoke_device(hall=HALL, actor=SYSTEM, at=now(), device_id=device.id)  # type: ignore[union-attr]
    assert client.get("/kiosk").status_code in (302, 401, 403)


@pytest.mark.parametrize("who", WHO)
def test_a_form_without_its_token_does_nothing(
    who: str, house: Flask, day: dict[str, str], visitor: Callable[[str], FlaskClient]
) -> None:
    """Every web POST, as everybody: none of them, a wrong one, and one of somebody else's session."""
    other = house.test_client()
    foreign = form_token(other)
    client = visitor(who)
    before = fingerprints()
    posts = [route for route in routes(house) if "POST" in route.methods and not route.rule.startswith("/api/")]
    assert len(posts) >= 8
    for route in posts:
        for form in ({}, {"csrf_token": "x"}, {"csrf_token": foreign}):
            answer = client.post(
                addressed(route, day), data=form | {"queue": "A", "username": "clerk01", "password": PASSWORD}
            )
            assert answer.status_code == 400, (route.rule, answer.status_code)
    assert fingerprints() == before


def test_a_cookie_alone_cannot_use_the_api(house: Flask, visitor: Callable[[str], FlaskClient]) -> None:
    """A form of another site carries our cookies, and cannot say application/json."""
    client = visitor("clerk")
    before = fingerprints()
    for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data"):
        answer = client.post(f"/api/v1/windows/{HALL}-W01/open", data=b"{}", content_type=kind)
        assert answer.status_code == 415, (kind, answer.status_code)
    assert fingerprints() == before
