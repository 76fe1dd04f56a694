"""The front page, signing in and out, pairing, and what every page has from the base."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

import pytest
from flask import Flask

from app.events import SYSTEM
from app.now import SHANGHAI, now
from app.people import gate
from app.people.devices import next_device_id, register_device
from app.people.sessions import staff_of
from app.web import filters, home, times, wording
from app.web.forms import safe_next
from tests.conftest import PASSWORD
from tests.web.visit import Visitor, said


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


def owner(app: Flask, token: str | None) -> str | None:
    """The account of a live session."""
    with app.app_context():
        actor = staff_of(token or "", now())
        return actor and actor.name


# ── the front page ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_front_page_names_every_hall_with_its_hours(visitor: Visitor) -> None:
    text = said(visitor.get("/").text)
    for words in (
        "洛龙区政务服务中心",
        "李楼镇便民服务中心",
        "东村便民服务点",
        "08:30–12:00",
        "0 人等候，0 个窗口服务中",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ({}, True),
        ({"environ_base": {"REMOTE_ADDR": "10.1.2.3"}}, False),
        ({"headers": {"X-Forwarded-For": "203.0.113.9, 127.0.0.1"}}, False),
        ({"headers": {"X-Real-IP": "203.0.113.9"}}, False),
        ({"headers": {"Forwarded": "for=203.0.113.9"}}, False),
        ({"headers": {"Host": "evil.example:8000"}}, False),
        ({"headers": {"Host": "127.0.0.1:8000", "X-Forwarded-For": "127.0.0.1"}}, True),
    ],
)
def test_the_demo_password_is_shown_at_this_machine_only(visitor: Visitor, more: dict, shown: bool) -> None:
    page = visitor.get("/", **more).text
    assert "clerk01" in page
    assert (PASSWORD in page) is shown


def test_a_server_bound_to_the_world_shows_no_password(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    open_to_all = replace(home.settings(), bind="0.0.0.0")
    monkeypatch.setattr(home, "settings", lambda: open_to_all)
    assert PASSWORD not in visitor.get("/").text


def test_without_the_demo_there_is_no_demo_corner(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    real = replace(home.settings(), demo=False)
    monkeypatch.setattr(home, "settings", lambda: real)
    page = visitor.get("/").text
    assert "演示" not in page
    assert "clerk01" not in page
    assert visitor.post("/demo/pair", {"hall": "luolong", "kind": "kiosk"}).status_code == 404
    assert visitor.cookie(gate.DEVICE_COOKIE) is None


# ── signing in and out ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("username", "desk"),
    [
        ("clerk01", "/clerk"),
        ("approver01", "/approver"),
        ("chief01", "/approver"),
        ("pickup01", "/pickup"),
        ("supervisor01", "/supervisor"),
        ("admin01", "/admin"),
        ("guide01", "/guide"),
    ],
)
def test_signing_in_leads_to_the_desk_of_the_role(visitor: Visitor, username: str, desk: str) -> None:
    answer = visitor.sign_in(username)
    assert (answer.status_code, answer.location) == (302, desk)
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith(gate.SESSION_COOKIE))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize(
    "fields", [{"username": "clerk01", "password": "wrong"}, {"username": "nobody", "password": PASSWORD}, {}]
)
def test_a_wrong_password_opens_nothing_and_names_no_part(visitor: Visitor, fields: dict) -> None:
    answer = visitor.post("/login", fields)
    assert answer.status_code == 401
    assert "账号或密码不正确" in said(answer.text)
    assert visitor.cookie(gate.SESSION_COOKIE) is None


def test_a_form_without_its_csrf_token_is_refused(visitor: Visitor) -> None:
    answer = visitor.client.post("/login", data={"username": "clerk01", "password": PASSWORD})
    assert answer.status_code == 400
    assert "页面已过期" in answer.text
    assert visitor.cookie(gate.SESSION_COOKIE) is None


def test_a_new_session_ends_the_old_one_of_the_browser(visitor: Visitor, app: Flask) -> None:
    visitor.sign_in("clerk01")
    old = visitor.cookie(gate.SESSION_COOKIE)
    visitor.get("/login?next=/")
    visitor.sign_in("guide01")
    new = visitor.cookie(gate.SESSION_COOKIE)
    assert new != old
    assert owner(app, old) is None
    assert owner(app, new) == "guide01"


def test_signing_out_ends_the_session_and_needs_a_form(visitor: Visitor, app: Flask) -> None:
    visitor.sign_in("guide01")
    token = visitor.cookie(gate.SESSION_COOKIE)
    assert visitor.get("/logout").status_code == 405
    assert owner(app, token) == "guide01"
    visitor.get("/guide")
    assert visitor.post("/logout").location == "/login"
    assert owner(app, token) is None
    assert visitor.cookie(gate.SESSION_COOKIE) is None
    assert "您已退出" in said(visitor.get("/login").text)


@pytest.mark.parametrize(
    "wish", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1", "/a\r\nb", "\t//x"]
)
def test_after_signing_in_nobody_is_sent_to_another_house(visitor: Visitor, wish: str) -> None:
    assert safe_next(wish, "/here") == "/here"
    assert visitor.sign_in("guide01", next=wish).location == "/guide"


def test_who_was_stopped_comes_back_after_signing_in(visitor: Visitor) -> None:
    stopped = visitor.get("/guide?queue=A")
    assert stopped.location == "/login?next=/guide?queue%3DA"
    visitor.get(stopped.location)
    assert visitor.hidden("next") == "/guide?queue=A"
    assert visitor.sign_in("guide01", next=visitor.hidden("next")).location == "/guide?queue=A"


def test_signing_in_is_limited_per_account(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    strict = replace(home.settings(), login_limit="3/minute")
    monkeypatch.setattr(home, "settings", lambda: strict)
    wrong = {"username": "clerk07", "password": "wrong"}
    assert [visitor.post("/login", wrong).status_code for _ in range(4)] == [401, 401, 401, 429]
    assert visitor.sign_in("clerk08").status_code == 302


# ── pairing ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("kind", "place"), [("kiosk", "/kiosk"), ("screen", "/screens/lilou/board")])
def test_six_figures_pair_a_browser_once(visitor: Visitor, kind: str, place: str) -> None:
    device = register_device(hall="lilou", actor=SYSTEM, at=now(), device_id=next_device_id(), kind=kind)
    code = device["pairing_code"]
    visitor.get("/pair")
    answer = visitor.post("/pair", {"code": f"{code[:3]} {code[3:]}"})
    assert (answer.status_code, answer.location) == (302, place)
    assert visitor.cookie(gate.DEVICE_COOKIE)
    again = visitor.post("/pair", {"code": code})
    assert again.status_code == 404
    assert "配对码无效或已过期" in said(again.text)


@pytest.mark.parametrize("kind", ["kiosk", "screen"])
def test_the_demo_makes_a_device_of_this_browser(visitor: Visitor, kind: str) -> None:
    visitor.get("/")
    assert visitor.post("/demo/pair", {"hall": "luolong", "kind": kind}).status_code == 302
    assert visitor.cookie(gate.DEVICE_COOKIE)
    assert visitor.get("/kiosk").status_code == (200 if kind == "kiosk" else 302)


@pytest.mark.parametrize(
    ("fields", "status"), [({"hall": "nowhere", "kind": "kiosk"}, 404), ({"hall": "luolong", "kind": "printer"}, 422)]
)
def test_the_demo_pairs_only_what_there_is(visitor: Visitor, fields: dict, status: int) -> None:
    visitor.get("/")
    assert visitor.post("/demo/pair", fields).status_code == status
    assert visitor.cookie(gate.DEVICE_COOKIE) is None


# ── the base of every page ──────────────────────────────────────────────────────────────────────────────────────


def test_language_and_size_are_kept_for_the_next_page(visitor: Visitor) -> None:
    assert '<html lang="zh-CN"' in visitor.get("/").text
    assert '<html lang="en"' in visitor.get("/?lang=en&large=1").text
    page = visitor.get("/progress").text
    assert '<html lang="en"' in page
    assert "h-large" in page
    visitor.get("/?lang=xx&large=7")
    assert visitor.cookie("hall_lang") == "en"


@pytest.mark.parametrize("path", ["/progress", "//evil.example/x", "/nowhere"])
def test_the_switches_lead_to_the_same_page_and_nowhere_else(visitor: Visitor, path: str) -> None:
    odd = "_scheme=javascript&_external=1&_anchor=a&endpoint=x&filename=y&code=z&q=%22%3E%3Cb%3E"
    answer = visitor.get(f"{path}?{odd}")
    assert answer.status_code in (200, 308, 404)
    switches = re.findall(r'class="h-switch" href="([^"]*)"', answer.text)
    assert all(re.match(r"/[a-z]", href) for href in switches)
    assert "javascript:" not in answer.text
    assert "<b>" not in answer.text
    if answer.status_code != 308:
        assert len(switches) == 2


def test_no_page_has_inline_style_or_script(visitor: Visitor) -> None:
    for path in ("/", "/login", "/pair", "/progress", "/halls/luolong/items"):
        page = visitor.get(path).text
        assert " style=" not in page
        assert "<script>" not in page
        assert " onclick=" not in page


def test_a_refusal_is_a_page_for_people_and_a_banner_for_htmx(visitor: Visitor) -> None:
    answer = visitor.get("/nowhere")
    assert answer.status_code == 404
    assert "没有这个页面或资源" in said(answer.text)
    assert "回到首页" in answer.text
    part = visitor.get("/nowhere", headers={"HX-Request": "true"})
    assert part.status_code == 404
    assert "<html" not in part.text
    assert 'role="alert"' in part.text


@pytest.mark.parametrize("of", sorted(wording.WORDS))
def test_every_word_table_is_said_in_words(app: Flask, of: str) -> None:
    with app.test_request_context():
        for code in wording.WORDS[of]:
            assert wording.word(code, of) not in ("", "—")
            assert wording.tone(code, of) in ("", "accent", "good", "warn", "yellow", "bad")
        assert wording.word("unheard-of", of) == "—"


def test_every_state_of_the_rules_has_its_word() -> None:
    from app.casework.rules.materials import MaterialState
    from app.casework.rules.states import CaseState
    from app.catalog.rules.classes import TimeClass
    from app.catalog.rules.csvfile import TaskType
    from app.catalog.rules.guide import Channel, MaterialForm, MaterialKind, Regime, ResultKind, Routing
    from app.hall.rules.clock import Unit
    from app.hall.rules.lights import Light
    from app.queueing.rules.reasons import AbandonReason, ChoiceReason, ExpiryReason, Ground, ParkReason, Place
    from app.queueing.rules.states import Lane, TicketState

    tables = {
        "ticket": TicketState,
        "case": CaseState,
        "lane": Lane,
        "priority_ground": Ground,
        "choice_reason": ChoiceReason,
        "park_reason": ParkReason,
        "abandon_reason": AbandonReason,
        "expiry_reason": ExpiryReason,
        "place": Place,
        "material": MaterialState,
        "material_kind": MaterialKind,
        "material_form": MaterialForm,
        "time_class": TimeClass,
        "task_type": TaskType,
        "channel": Channel,
        "regime": Regime,
        "result_kind": ResultKind,
        "routing": Routing,
        "unit": Unit,
    }
    for of, codes in tables.items():
        assert set(wording.WORDS[of]) == {code.value for code in codes}, of
    assert set(wording.LIGHTS) == {light.value for light in Light}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"wait_low_s": None, "wait_high_s": None}, ""),
        ({"wait_low_s": 0, "wait_high_s": 60}, "1 分钟以内"),
        ({"wait_low_s": 20, "wait_high_s": 301}, "6 分钟以内"),
        ({"wait_low_s": 300, "wait_high_s": 300}, "5 分钟左右"),
        ({"wait_low_s": 300, "wait_high_s": 720}, "5–12 分钟"),
    ],
)
def test_a_range_of_wait_is_said_only_when_there_is_one(app: Flask, row: dict, words: str) -> None:
    with app.test_request_context():
        assert times.wait_range(row) == words


LAST_DAY = {"remaining": 0, "limit": {"amount": 5, "unit": "WD"}, "running": True}


@pytest.mark.parametrize(
    ("clock", "words"),
    [
        ({"remaining": 3, "limit": {"amount": 5, "unit": "WD"}}, "剩 3 个工作日"),
        ({"remaining": -2, "limit": {"amount": 5, "unit": "WD"}}, "超期 2 个工作日"),
        ({"remaining": 95, "limit": {"amount": 2, "unit": "WH"}}, "剩 1 小时 35 分钟"),
        ({"remaining": 3, "limit": {"amount": 5, "unit": "WD"}, "stopped": True}, "停钟，剩 3 个工作日"),
        ({"remaining": 0, "limit": {"amount": 5, "unit": "WD"}, "stopped": True}, "停钟，剩 0 个工作日"),
        ({**LAST_DAY, "due_at": "2026-03-07T18:00:00+08:00"}, "今天到期"),
        ({**LAST_DAY, "due_at": "2026-03-08T00:00:00+08:00"}, "今天到期"),
        ({**LAST_DAY, "due_at": "2026-03-09T18:00:00+08:00"}, "3月9日到期"),  # its Saturday gave way to Monday
        ({**LAST_DAY, "due_at": "2026-03-07T09:00:00+08:00", "late": True}, "刚刚超期"),
        ({**LAST_DAY, "due_at": "2026-03-06T18:00:00+08:00", "late": True}, "已超期"),
        (None, ""),
    ],
)
def test_what_is_left_of_a_clock_is_said_in_its_unit(
    app: Flask, monkeypatch: pytest.MonkeyPatch, clock: dict | None, words: str
) -> None:
    monkeypatch.setattr(times, "now", lambda: datetime(2026, 3, 7, 10, tzinfo=SHANGHAI))
    with app.test_request_context():
        assert times.remaining(clock) == words


def test_a_fee_is_free_by_rate_or_in_yuan(app: Flask) -> None:
    with app.test_request_context():
        assert filters.fee({"amount_fen": 0, "basis": ""}) == "不收费"
        assert filters.fee({"amount_fen": 0, "basis": "价目"}) == "按标准收费"
        assert filters.fee({"amount_fen": 2000, "basis": "价目"}) == "20 元"
        assert filters.fee({"amount_fen": 2050, "basis": "价目"}) == "20.50 元"


def test_days_are_said_in_both_languages(app: Flask) -> None:
    with app.test_request_context():
        assert times.day("2025-10-08", weekday=True) == "2025年10月8日 星期三"
        assert times.stamp("2025-10-08T23:30:00+00:00") == "2025年10月9日 07:30"
    with app.app_context(), app.test_request_context("/?lang=en"):
        assert times.day("2025-10-08") == "8 Oct 2025"


def test_an_unknown_refusal_of_a_device_cookie_is_no_server_error(visitor: Visitor) -> None:
    visitor.client.set_cookie("hall_device", "not a token")
    visitor.client.set_cookie("hall_session", "x" * 3000)
    assert visitor.get("/").status_code == 200
    assert visitor.get("/guide").status_code == 302


def test_a_fault_of_ours_says_nothing_of_itself(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setitem(app.view_functions, "home.front", lambda: 1 / 0)
    page = app.test_client().get("/")
    assert page.status_code == 500 and "division" not in page.text and "请稍后再试" in page.text
