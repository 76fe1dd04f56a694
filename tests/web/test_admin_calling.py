"""The page of the rules of calling: who may, what each refusal keeps, the preview on a recorded day, the confirmation."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from app.db import db
from app.events import Actor
from app.now import SHANGHAI
from app.people.permissions import DEVICES
from app.queueing import calls, tickets, windows
from app.queueing.calling_rules import rules_in_force, set_policy
from app.queueing.rules.policy import MOST_CONDITIONS
from app.web import admin_calling
from tests.web.visit import Visitor, said

PAGE = "/admin/calling"
PREVIEW = "/admin/calling/preview"
DAY = datetime(2027, 1, 4, 9, 0, tzinfo=SHANGHAI)  # after the demo network was founded


@pytest.fixture
def admin(app: Flask) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in("admin01")
    visitor.get(PAGE)
    return visitor


@pytest.fixture
def recorded(app: Flask, staff: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Yesterday two normal tickets were taken, then a priority one that overtook them both."""
    monkeypatch.setattr(admin_calling, "now", lambda: DAY + timedelta(days=1))
    kiosk, clerk = Actor("device", 7, "kiosk-7", "luolong", DEVICES["kiosk"]), staff("clerk01")

    def do(action: Any, actor: Actor, minute: float, **more: Any) -> Any:
        return action(hall="luolong", actor=actor, at=DAY + timedelta(minutes=minute), **more)

    do(windows.open_window, clerk, 0, window="W01")
    for minute, lane in ((1, "normal"), (1.2, "normal"), (2, "priority")):
        do(tickets.issue_ticket, kiosk, minute, queue="A", channel="kiosk", lane=lane)
    for minute in (3, 10, 17):
        called = do(calls.call_next, clerk, minute, window="W01")
        ticket_id = int(called["ticket"]["id"].rsplit("-", 1)[1])
        do(calls.start, clerk, minute + 0.5, ticket_id=ticket_id)
        do(calls.finish, clerk, minute + 6, ticket_id=ticket_id)
    do(windows.close_window, clerk, 30, window="W01")
    db.session.rollback()


def fields(page: str) -> dict[str, str]:
    """The form as a browser would send it back untouched."""
    form = page[page.index('id="calling"') :]
    found = {}
    for tag in re.findall(r"<input [^>]*>", form):
        name, kind = re.search(r'name="([^"]+)"', tag), re.search(r'type="(\w+)"', tag)
        if name and not (kind and kind[1] == "checkbox" and " checked" not in tag):
            value = re.search(r'value="([^"]*)"', tag)
            found[name[1]] = html.unescape(value[1]) if value else ""
    for name, options in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', form):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return {name: value for name, value in found.items() if name != "csrf_token"}


def rules() -> Any:
    db.session.rollback()
    return rules_in_force("luolong")


def test_the_page_is_for_those_who_manage_windows(app: Flask) -> None:
    stranger, clerk, supervisor = Visitor(app), Visitor(app), Visitor(app)
    clerk.sign_in("clerk01")
    clerk.get("/login?next=/")
    supervisor.sign_in("supervisor01")
    assert stranger.get(PAGE).status_code == 302
    assert clerk.get(PAGE).status_code == 403
    assert supervisor.get(PAGE).status_code == 200
    for path in (PAGE, PREVIEW):
        assert stranger.post(path, {"rules": "{}"}).status_code == 401
        assert clerk.post(path, {"rules": "{}"}).status_code == 403
    assert supervisor.get(f"{PAGE}?hall=nowhere").status_code == 404


def test_the_rules_in_force_are_said_in_words(admin: Visitor) -> None:
    words = said(admin.page)
    assert "优先号按早到 15 分钟计" in words and "最多重呼 3 次" in words and "直接排到最前" in words
    assert "自动派单：" not in words
    english = said(admin.get(f"{PAGE}?lang=en").text)
    assert "%(" not in words + english


def test_an_untouched_form_changes_nothing(admin: Visitor) -> None:
    answer = admin.post(PREVIEW, fields(admin.page))
    assert answer.status_code == 422 and "没有改动" in said(answer.text)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"start-priority": "121"}, "提前分钟数应为 0–120"),
        ({"start-priority": ""}, "提前分钟数应为 0–120"),
        ({"ratio-normal": "3"}, "比例的两个数都应为 1–20"),
        ({"ratio-normal": "0", "ratio-priority": "1"}, "比例的两个数都应为 1–20"),
        ({"call_by_min": "4"}, "最长等候应为 5–480 分钟"),
        ({"call_by_min": "一小时"}, "最长等候应为 5–480 分钟"),
        ({"recalls": "-1"}, "最多重呼应为 1–9 次"),
        ({"c0-queue": "A"}, "第 1 个条件：“按再多等”应为 1–120 分钟"),
        ({"c0-minutes": "5", "c1-minutes": "5", "c1-lane": "express"}, "第 2 个条件：请重新选择"),
        ({"c0-minutes": "5", "c0-since": "12:00", "c0-until": "11:00"}, "并晚于开始时间"),
        ({"w-W01-A": "121"}, "应为 0–120 的整数"),
        ({"w-W01-A": "viel"}, "应为 0–120 的整数"),
        ({f"c{n}-minutes": "5" for n in range(MOST_CONDITIONS + 1)}, "附加条件太多"),
    ],
)
def test_a_refused_form_says_what_is_wrong_and_keeps_what_was_typed(
    admin: Visitor, wrong: dict[str, str], sentence: str
) -> None:
    before = rules()
    answer = admin.post(PREVIEW, {**fields(admin.page), **wrong})
    assert answer.status_code == 422 and sentence in said(answer.text)
    kept = fields(answer.text)
    assert all(kept.get(name) == value for name, value in list(wrong.items())[:2] if name != "c1-lane")
    assert rules() == before


def test_conditions_are_added_and_taken_away_without_a_script(admin: Visitor) -> None:
    form = {**fields(admin.page), "recalls": "5"}
    assert "c0-minutes" not in form
    page = admin.post(PREVIEW, {**form, "do": "add"}).text
    form = {**fields(page), "c0-minutes": "7", "c0-queue": "B", "c0-since": "11:30"}
    page = admin.post(PREVIEW, {**form, "do": "add"}).text
    form = fields(page)
    assert (form["c0-minutes"], form["c0-queue"], form["c1-minutes"], form["recalls"]) == ("7", "B", "", "5")
    page = admin.post(PREVIEW, {**form, "c1-minutes": "9", "do": "remove-0"}).text
    form = fields(page)
    assert form["c0-minutes"] == "9" and "c1-minutes" not in form


def test_the_preview_plays_the_recorded_day_and_the_confirmation_sets_the_rules(recorded: None, admin: Visitor) -> None:
    form = {**fields(admin.page), "start-priority": "0", "ratio-normal": "", "w-W01-A": "6", "dispatch": "1"}
    page = admin.post(PREVIEW, form).text
    words = said(page)
    assert "1月4日" in words and "3 人的等候会变" in words
    assert "自动派单 未开启 已开启" in words and "15 分钟 0 分钟" in words
    assert "A003 优先 1 分钟 → 1" in words
    assert rules().policy.dispatch is False
    sent = {name: html.unescape(admin.hidden(name)) for name in ("rules", "seen")}
    answer = admin.post(PAGE, {"idempotency_key": "one", **sent})
    assert answer.status_code == 303
    set_now = rules()
    assert set_now.policy.head_start_min["priority"] == 0 and set_now.policy.dispatch
    assert set_now.weights["W01"]["A"] == 6
    assert "优先号与普通号一样" in said(admin.get(PAGE).text)


def test_another_day_is_looked_at_and_one_goes_back_to_the_form(recorded: None, admin: Visitor) -> None:
    admin.post(PREVIEW, {**fields(admin.page), "start-priority": "3"})
    carried = html.unescape(admin.hidden("rules"))
    assert "没有取号记录" in said(admin.post(PREVIEW, {"rules": carried, "day": "2027-01-03"}).text)
    page = admin.post(PREVIEW, {"rules": carried, "do": "edit"}).text
    assert fields(page)["start-priority"] == "3"


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_a_day_that_no_hall_has_had_is_refused_and_the_form_stays(admin: Visitor, day: str) -> None:
    answer = admin.post(PREVIEW, {**fields(admin.page), "recalls": "5", "day": day})
    assert answer.status_code == 422 and "请填写日期" in said(answer.text)
    assert fields(answer.text)["recalls"] == "5"


def test_rules_that_somebody_else_changed_are_looked_at_again(admin: Visitor, staff: Any) -> None:
    admin.post(PREVIEW, {**fields(admin.page), "recalls": "5"})
    sent = {name: html.unescape(admin.hidden(name)) for name in ("rules", "seen")}
    set_policy(hall="luolong", actor=staff("supervisor01"), at=datetime.now(SHANGHAI), policy={"recalls": 2})
    answer = admin.post(PAGE, {"idempotency_key": "one", **sent})
    assert answer.status_code == 409 and "刚被改动" in said(answer.text)
    assert fields(answer.text)["recalls"] == "5" and rules().policy.recalls == 2


@pytest.mark.parametrize(
    "carried",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"policy": {}}',
        '{"policy": {"recalls": "x"}, "weights": {}}',
        "x" * 30_000,
        "[" * 9_000,
    ],
)
def test_what_was_tampered_with_is_refused(admin: Visitor, carried: str) -> None:
    assert admin.post(PAGE, {"idempotency_key": "one", "rules": carried, "seen": ""}).status_code == 422
