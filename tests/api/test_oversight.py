"""Supervision by API: urge, answer, explain, and the reports, every answer held against the document."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from app.casework.models import Case
from app.casework.rules.tally import Period
from app.db import db
from app.events import Actor
from app.now import now
from tests.api.asking import Asking
from tests.web.test_approver import received
from tests.web.visit import announce_calendar

Find = Callable[[str], Actor]


@pytest.fixture
def case(app: Flask, staff: Find, ask: Asking) -> tuple[str, str]:
    """(number, owner's account) of an accepted case."""
    announce_calendar()
    number = received(staff)
    department = ask.get(f"/cases/{number}", who="chief01")["departments"][0]["department"]
    owner = next(f"approver{n:02d}" for n in range(1, 40) if staff(f"approver{n:02d}").department == department)
    return number, owner


def test_a_case_is_urged_and_answered(ask: Asking, case: tuple[str, str]) -> None:
    number, owner = case
    urge, answer = f"/cases/{number}/urge", f"/cases/{number}/answer-urge"
    ask.refused("auth.forbidden", "POST", urge, {"note": "请尽快办理"}, who=owner)
    ask.refused("case.reason_required", "POST", urge, {}, who="supervisor01")
    ask.refused("case.urge_none", "POST", answer, {"answer": "正在办"}, who=owner)
    first = ask.post(urge, {"note": "请尽快办理"}, who="supervisor01", key="u1")
    assert ask.post(urge, {"note": "请尽快办理"}, who="supervisor01", key="u1") == first
    assert first["urges"][0]["note"] == "请尽快办理" and first["urges"][0]["answer"] is None
    ask.refused("case.urge_open", "POST", urge, {"note": "再催"}, who="supervisor01")
    view = ask.post(answer, {"answer": "今日办结"}, who=owner)
    assert view["urges"][0]["answer"] == "今日办结" and view["urges"][0]["answered_by"] == owner


def test_a_late_case_is_explained_to_everybody(ask: Asking, case: tuple[str, str]) -> None:
    number, owner = case
    explain = f"/cases/{number}/explain-overdue"
    ask.refused("case.not_overdue", "POST", explain, {"reason": "系统检修"}, who=owner)
    past = now() - timedelta(days=60)
    late = {"accepted_at": past, "clock_from_at": past, "light": "red", "statutory_due_at": past + timedelta(days=30)}
    db.session.query(Case).filter_by(number=number).update(late)
    db.session.commit()
    listed = ask.get("/reports/overdue?hall=luolong", who="supervisor01")["items"]
    assert [(row["number"], row["explained"]) for row in listed] == [(number, False)]
    ask.refused("request.invalid", "POST", explain, {"reason": "系统检修", "estimate_on": "2020-01-01"}, who=owner)
    view = ask.post(explain, {"reason": "系统检修"}, who=owner)
    assert view["overdue"]["reason"] == "系统检修" and view["notices"][-1]["kind"] == "overdue"
    assert ask.get("/reports/overdue?hall=luolong", who="supervisor01")["items"][0]["explained"]


def test_reports_are_for_those_who_watch(ask: Asking, case: tuple[str, str]) -> None:
    for path in ("period", "open", "forecast", "overdue"):
        ask.refused("auth.forbidden", "GET", f"/reports/{path}", who="clerk01")
        ask.refused("hall.unknown", "GET", f"/reports/{path}?hall=nowhere", who="supervisor01")
        assert ask.get(f"/reports/{path}?hall=luolong", who="chief01")
    for period in Period:
        report = ask.get(f"/reports/period?period={period}&side=item", who="supervisor01")
        assert report["total"]["received"] == 1 == sum(row["received"] for row in report["rows"])
        assert report["first_on"] <= report["last_on"] and report["hall"] is None
    ask.refused("request.invalid", "GET", "/reports/period?period=year", who="supervisor01")
    ask.refused("request.invalid", "GET", "/reports/period?on=yesterday", who="supervisor01")
    assert ask.get("/reports/period?on=1999-01-01", who="supervisor01")["total"]["received"] == 0
    assert ask.get("/reports/open?side=stage&hall=luolong", who="supervisor01")["rows"][0]["key"] == "accepted"
