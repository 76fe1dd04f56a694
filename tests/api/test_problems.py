"""How the API says no: RFC 9457, a stable code, two languages, and never a 500."""

from __future__ import annotations

from werkzeug.test import TestResponse

from tests.api.asking import Asking

TICKETS = "/halls/luolong/tickets"


def test_a_problem_has_its_members_and_speaks_two_languages(ask: Asking) -> None:
    chinese = ask.refused("hall.unknown", "GET", "/halls/nowhere/queues")
    assert chinese["type"] == "/problems#hall.unknown" and chinese["status"] == 404
    assert chinese["title"] == "没有这个大厅"
    english = ask.refused("hall.unknown", "GET", "/halls/nowhere/queues", headers={"Accept-Language": "en"})
    assert english["title"] == "There is no such hall"


def test_unknown_addresses_and_methods(ask: Asking) -> None:
    ask.refused("request.not_found", "GET", "/nothing/here")
    ask.refused("request.method", "DELETE", "/halls")
    ask.refused("request.method", "GET", "/deadlines/preview")
    ask.refused("request.method", "POST", "/halls")
    ask.refused("request.method", "PUT", "/cases/LL202601010001/accept", who="clerk01")


BAD_BODIES = [
    (b"{", "application/json", "request.not_json"),
    (b"\xff\xfe", "application/json", "request.not_json"),
    (b'{"queue": NaN}', "application/json", "request.not_json"),
    (b'{"queue": Infinity}', "application/json", "request.not_json"),
    (b'{"queue": ' + b"9" * 5000 + b"}", "application/json", "request.not_json"),
    (b'{"queue": {"\\ud800": 1}}', "application/json", "request.not_json"),
    (b"[" * 50_000, "application/json", "request.not_json"),
    (b'{"queue": "A"}', "text/plain", "request.media_type"),
    (b"queue=A", "application/x-www-form-urlencoded", "request.media_type"),
    (b"[]", "application/json", "request.invalid"),
    (b'"A"', "application/json", "request.invalid"),
    (b"null", "application/json", "request.invalid"),
    (b'{"queue": ["A"]}', "application/json", "request.invalid"),
    (b'{"queue": {"code": "A"}}', "application/json", "request.invalid"),
    (b'{"queue": true}', "application/json", "request.invalid"),
    (b'{"queue": "A", "person": []}', "application/json", "request.invalid"),
    (b'{"queue": "A", "person": "x"}', "application/json", "request.invalid"),
    (b'{"queue": "\\u0000"}', "application/json", "text.invalid"),
    (b'{"queue": "\\ud800"}', "application/json", "text.invalid"),
    (b'{"queue": "' + b"A" * 10_000 + b'"}', "application/json", "text.too_long"),
    (b'{"queue": "' + b"A" * 300_000 + b'"}', "application/json", "request.too_large"),
]


def test_a_body_that_cannot_be_read(ask: Asking) -> None:
    for data, content_type, code in BAD_BODIES:
        ask.refused(code, "POST", TICKETS, who="guide01", data=data, content_type=content_type)


def test_unknown_members_are_ignored(ask: Asking) -> None:
    ask.post(TICKETS, {"queue": "A", "colour": "red", "person": {"shoe_size": 43}}, 201, who="guide01")


BAD_IDS = [
    "x",
    "luolong-",
    "-1",
    "luolong-0",
    "luolong-01",
    "luolong--5",
    "luolong-99999999999999999999",
    "luolong-4294967296",
]
BAD_IDS += [
    "luolong-١",
    "%00",
    "luolong-1%00",
    "%ff%fe",
    "%ed%a0%80",
    "..%2f..",
    "luolong-1;drop",
    "\U00020bb7",
    "nowhere-1",
    "A" * 3000,
]


def test_ids_that_are_none(ask: Asking) -> None:
    for bad in BAD_IDS:
        for answer in asked_with(ask, bad):
            assert answer.status_code in (403, 404), answer.text


def asked_with(ask: Asking, bad: str) -> list[TestResponse]:
    clerk, admin = {"who": "clerk01"}, {"who": "admin01"}
    return [
        ask("POST", f"/tickets/{bad}/start", **clerk),
        ask("GET", f"/tickets/{bad}/why", **clerk),
        ask("GET", f"/tickets/{bad}"),
        ask("POST", f"/tickets/{bad}/cancel"),
        ask("POST", f"/windows/{bad}/open", **clerk),
        ask("POST", f"/windows/{bad}/call-next", **clerk),
        ask("POST", f"/devices/{bad}/revoke", **admin),
        ask("GET", f"/notices/{bad}.pdf", **clerk),
        ask("GET", f"/cases/{bad}", **clerk),
        ask("POST", f"/cases/{bad}/accept", **clerk),
        ask("GET", f"/items/{bad}"),
        ask("GET", f"/halls/{bad}/queues"),
        ask("GET", f"/halls/{bad}/items"),
        ask("GET", f"/halls/{bad}/events", **admin),
    ]


def test_windows_of_other_halls(ask: Asking) -> None:
    for step in ("open", "close", "call-next"):
        ask.refused("auth.foreign_hall", "POST", f"/windows/lilou-W01/{step}", who="clerk01")
    ask.refused("window.unknown", "POST", "/windows/luolong-W99/open", who="clerk01")
    ask.refused("auth.foreign_hall", "GET", "/windows?hall=lilou", who="clerk01")
    ask.refused("request.invalid", "GET", "/windows", who="supervisor01")


def test_pages_that_are_none(ask: Asking) -> None:
    for query in ("page=0", "page=x", "page=99999999999999999999", "per_page=101", "per_page=-1", "page=1.5"):
        ask.refused("request.invalid", "GET", f"/halls/luolong/items?{query}")


def test_a_query_that_cannot_be_stored(ask: Asking) -> None:
    ask.refused("text.invalid", "GET", "/halls/luolong/items?q=%00")
    ask.refused("text.too_long", "GET", "/halls/luolong/items?q=" + "a" * 500)
    assert ask.get("/halls/luolong/items?q=%25_%27%22%5C")["total"] == 0
    assert ask("GET", "/halls/luolong/items?q=%ff%fe").status_code == 200


def test_a_caller_known_by_cookie_must_say_json(ask: Asking) -> None:
    token = ask.token("clerk01")
    client = ask.app.test_client()
    client.set_cookie("hall_session", token)
    path = "/api/v1/windows/luolong-W01/open"
    for content_type in ("text/plain", "application/x-www-form-urlencoded", None):
        assert client.post(path, data=b"", content_type=content_type).json["code"] == "request.media_type"
    assert client.post(path, json={}).status_code == 200


def test_what_leaves_is_not_kept_by_anyone(ask: Asking) -> None:
    answer = ask("GET", "/halls")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src" in answer.headers["Content-Security-Policy"]
