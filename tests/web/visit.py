"""A visitor of the pages: keeps cookies, sends each form's CSRF token, sees every request with a fresh context."""

from __future__ import annotations

import html
import re
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from app.catalog.queries import item as item_of
from app.catalog.queries import search_items
from app.events import SYSTEM
from app.hall.queries import calendar
from app.hall.settings import import_calendar
from app.now import local_day, now
from app.people.devices import next_device_id, register_device
from tests.conftest import PASSWORD

TAG = re.compile(r"<[^>]+>")


class Visitor:
    """One browser."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client = app.test_client()
        self.page = ""

    def get(self, path: str, **more: Any) -> TestResponse:
        return self._open("GET", path, **more)

    def post(self, path: str, fields: dict[str, Any] | None = None, **more: Any) -> TestResponse:
        """Send a form with the CSRF token of the page last seen (or of the front page)."""
        token = self.hidden("csrf_token") or self.hidden("csrf_token", self._open("GET", "/login").text)
        return self._open("POST", path, data={"csrf_token": token, **(fields or {})}, **more)

    def _open(self, method: str, path: str, **more: Any) -> TestResponse:
        with self.app.app_context():  # its own, as in a server: nothing of one request is left to the next
            answer = self.client.open(path, method=method, **more)
            answer.get_data()
        if answer.mimetype == "text/html" and answer.status_code < 300:
            self.page = answer.text
        return answer

    def hidden(self, name: str, page: str | None = None) -> str:
        """The value of a hidden field of the page last seen; empty without one."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.page if page is None else page)
        return found.group(1) if found else ""

    def links(self, beginning: str) -> list[str]:
        """The addresses on the page last seen that begin so."""
        return [html.unescape(href) for href in re.findall(r'href="([^"]+)"', self.page) if href.startswith(beginning)]

    def sign_in(self, username: str, **more: Any) -> TestResponse:
        return self.post("/login", {"username": username, "password": PASSWORD, **more})

    def become(self, kind: str, hall: str = "luolong") -> None:
        """Carry the token of a new device of the hall."""
        with self.app.app_context():
            facts = {"device_id": next_device_id(), "kind": kind}
            device = register_device(hall=hall, actor=SYSTEM, at=now(), **facts)
        self.client.set_cookie("hall_device", device["token"])

    def cookie(self, name: str) -> str | None:
        found = self.client.get_cookie(name)
        return found.value if found else None


def announce_calendar() -> None:
    """Put plain weeks in force for this year and the next where no notice covers them, so that no test ages."""
    data, year = calendar().to_json(), local_day(now()).year
    for each in (year, year + 1):
        data["years"].setdefault(str(each), {"source": "测试用日历", "days_off": {}, "makeup": {}})
    import_calendar(actor=SYSTEM, at=now(), data=data | {"version": f"{data['version']}-tests"})


def enter(visitor: Visitor, username: str) -> None:
    """Sign in and take a fresh token along, also where the account's own desk is not the page of the test."""
    visitor.sign_in(username)
    visitor.get("/login?next=/")


def said(page: str) -> str:
    """What a person reads: the page without its tags, white space folded."""
    body = re.sub(r"<(script|style|title)\b.*?</\1>", " ", page, flags=re.S)
    return " ".join(html.unescape(TAG.sub(" ", body)).split())


def an_item() -> dict[str, Any]:
    """A written item of several days whose papers are more than one."""
    found = search_items(zones=list("ABCDE"))["items"]
    return next(
        item
        for item in (item_of(row["code"]) for row in found)
        if item["time_class"] == "multi_day" and len(item["materials"]) > 1 and len(item["departments"]) == 1
    )
