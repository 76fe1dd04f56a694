"""The calendar page: every change is looked at before it is made, makes a new version, and is made once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app.casework.intake import accept_case, receive_case
from app.casework.queries import find_case
from app.catalog.queries import item as item_of
from app.catalog.queries import search_items
from app.db import db
from app.events import SYSTEM, Actor
from app.hall import queries
from app.hall.rules.clock import Limit, Unit, reckon
from app.hall.rules.hours import OpeningHours
from app.hall.settings import set_hours
from app.now import local_day, now
from app.people.staff import add_staff
from tests.conftest import PASSWORD
from tests.web.visit import Visitor, announce_calendar, enter, said

HALL = "luolong"
NOTICE = "洛阳市人民政府办公室通知（洛政办〔2026〕1号）"
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def years_to_come(app: Flask) -> None:
    announce_calendar()
    db.session.rollback()


@pytest.fixture
def admin(app: Flask) -> Visitor:
    visitor = Visitor(app)
    enter(visitor, "admin01")
    return visitor


@pytest.fixture
def case(app: Flask, staff: Callable[[str], Actor]) -> dict[str, Any]:
    """A case accepted just now, promised in working days."""
    row = next(r for r in search_items(per_page=200)["items"] if item_of(r["code"])["promised"]["unit"] == "WD")
    materials = [{"code": m["code"], "state": "received"} for m in item_of(row["code"])["materials"]]
    person = {"kind": "person", "name": "欧阳小三", "id_number": "511602199001011234", "phone": "13812345678"}
    given = {"item": row["code"], "applicant": person, "materials": materials, "window": "W01"}
    clerk = staff("clerk01")
    number = receive_case(hall=HALL, actor=clerk, at=now(), **given)["number"]
    return accept_case(hall=HALL, actor=clerk, at=now(), case_id=find_case(number)[1])


def preview(visitor: Visitor, change: str, **asked: Any) -> Any:
    return visitor.get("/admin/calendar/preview", query_string={"change": change, "hall": HALL, **asked})


def confirm(visitor: Visitor, **other: str) -> Any:
    """Press the button of the preview last seen."""
    form = visitor.page[visitor.page.index('action="/admin/calendar/') :]
    action = re.search(r'action="([^"]+)"', form)
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form))
    assert action
    return visitor.post(action[1], {**fields, **other})


def day_before_due(case: dict[str, Any]) -> Any:
    """A working day on which the promised clock of the case runs."""
    return reckon(now(), Limit(1, Unit.WD), [], queries.schedule(HALL)).due_at.date()


def test_a_day_off_is_previewed_confirmed_and_counted(admin: Visitor, case: dict[str, Any]) -> None:
    before, day = queries.calendar(), day_before_due(case)
    page = preview(admin, "day", day=day.isoformat(), kind="off", name="市庆", notice=NOTICE)
    text = said(page.text)
    assert page.status_code == 200
    assert case["number"] in text and "市庆（放假）" in text and NOTICE in text and "已印承诺不变" in text
    assert queries.calendar() == before  # looking changes nothing
    assert confirm(admin).status_code == 303
    db.session.rollback()
    assert queries.calendar().reason(day) == ("holiday", "市庆")
    shown = said(admin.get(f"/admin/calendar?year={day.year}").text)
    assert "市庆" in shown and NOTICE in shown and "已生效" in shown


def test_the_same_press_makes_one_change_and_a_stale_preview_none(admin: Visitor) -> None:
    day = day_before_due({})
    preview(admin, "day", day=day.isoformat(), kind="off", name="市庆", notice=NOTICE)
    page = admin.page
    assert confirm(admin).status_code == 303
    admin.page = page
    assert confirm(admin).status_code == 303  # the same key: answered again, done once
    admin.page = page
    answer = confirm(admin, idempotency_key="another")
    assert answer.status_code == 409 and "请重新预览" in said(answer.text)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"day": ""}, "请填写日期"),
        ({"day": "2031-05-01"}, "2031 年的日历还没有公布或导入"),
        ({"kind": "party"}, "请求内容有误"),
        ({"name": ""}, "请填写名称"),
        ({"notice": " "}, "请填写依据的通知"),
        ({"notice": "长" * 201}, "依据的通知最多 200 个字符"),
        ({"kind": "makeup"}, "只有周六、周日"),
        ({"kind": "ordinary"}, "没有改动"),
    ],
)
def test_a_day_is_refused_beside_its_form_with_what_was_typed(
    admin: Visitor, wrong: dict[str, str], sentence: str
) -> None:
    asked = {"day": day_before_due({}).isoformat(), "kind": "off", "name": f"市庆{EVIL}", "notice": NOTICE, **wrong}
    answer = preview(admin, "day", **asked)
    assert answer.status_code == 422 and sentence in said(answer.text)
    assert EVIL not in answer.text
    assert 'id="day"' in answer.text and asked["name"].replace(EVIL, "") in answer.text


def test_hours_are_previewed_changed_and_taken_back(admin: Visitor, case: dict[str, Any]) -> None:
    before, shown, today = queries.schedule(HALL), queries.hall(HALL)["hours"], local_day(now())
    day = {"from": (today + timedelta(1)).isoformat()}
    text = said(preview(admin, "hours", hours="08：30-12：00 13：30-17：00", **day).text)
    assert case["number"] in text and "08:30–12:00，13:30–17:00" in text and "有 1 件会提前到期" in text
    assert confirm(admin).status_code == 303
    db.session.rollback()
    assert queries.hall(HALL)["hours"] == shown  # those of today
    assert queries.schedule(HALL).hours_on(today + timedelta(1)) == OpeningHours.parse("08:30-12:00 13:30-17:00")
    assert preview(admin, "hours", hours="08:30-12:00 13:30-17:00", **day).status_code == 422
    assert "按先后" in said(preview(admin, "hours", hours="18:00-08:00", **day).text)
    page = admin.get(f"/admin/calendar?hall={HALL}").text
    assert "08:30–12:00，13:30–17:00" in said(page)
    back = re.search(r'href="([^"]+change=hours[^"]+)"', page)
    assert back
    assert admin.get(back[1].replace("&amp;", "&")).status_code == 200
    assert confirm(admin).status_code == 303
    db.session.rollback()
    assert queries.schedule(HALL) == before


@pytest.mark.parametrize(("days", "sentence"), [(-1, "已经过去的开放时间不能改"), (None, "请填写日期")])
def test_hours_begin_on_a_day_to_come(admin: Visitor, days: int | None, sentence: str) -> None:
    day = "" if days is None else (local_day(now()) + timedelta(days)).isoformat()
    answer = preview(admin, "hours", hours="09:00-16:00", **{"from": day})
    assert answer.status_code == 422 and sentence in said(answer.text) and 'value="09:00-16:00"' in answer.text


def test_hours_changed_by_another_since_the_preview_are_not_overwritten(admin: Visitor) -> None:
    tomorrow = local_day(now()) + timedelta(1)
    preview(admin, "hours", hours="09:00-17:00", **{"from": tomorrow.isoformat()})
    set_hours(hall=HALL, actor=SYSTEM, at=now(), hours="10:00-16:00", from_on=tomorrow)
    assert confirm(admin).status_code == 409
    assert queries.schedule(HALL).hours_on(tomorrow) == OpeningHours.parse("10:00-16:00")


def test_a_closure_is_previewed_made_and_taken_back(admin: Visitor, case: dict[str, Any]) -> None:
    day = local_day(now()) + timedelta(1)
    span = {"from": f"{day}T08:00", "to": f"{day}T18:00", "reason": "停电"}
    refused = preview(admin, "exception", kind="closure", **{**span, "to": span["from"], "reason": EVIL})
    assert refused.status_code == 422 and EVIL not in refused.text
    text = said(preview(admin, "exception", kind="closure", **span).text)
    assert "没有在办件的期限会因此改变" in text  # a closure removes no working day
    assert confirm(admin).status_code == 303
    (row,) = queries.exceptions(HALL)
    assert "停电" in said(preview(admin, "restore", exception=row["id"]).text)
    assert confirm(admin).status_code == 303
    db.session.rollback()
    assert queries.exceptions(HALL) == []
    assert preview(admin, "restore", exception=row["id"]).status_code == 422


def test_nothing_else_is_previewed_and_only_administrators_look(app: Flask, admin: Visitor) -> None:
    assert preview(admin, "everything").status_code == 404
    clerk = Visitor(app)
    enter(clerk, "clerk01")
    assert preview(clerk, "hours", hours="09:00-17:00").status_code == 403
    assert clerk.post("/admin/calendar/hours", {"hours": "09:00-17:00"}).status_code == 403
    assert clerk.post("/admin/calendar/days", {"day": "2026-04-10"}).status_code == 403


def test_the_administrator_of_one_hall_changes_its_hours_but_not_the_calendar(app: Flask) -> None:
    person = {"username": "admin-lilou", "name": "周明", "roles": ["admin"], "home": "lilou", "password": PASSWORD}
    add_staff(actor=SYSTEM, at=now(), **person)
    visitor = Visitor(app)
    enter(visitor, "admin-lilou")
    assert 'id="day"' not in visitor.get("/admin/calendar").text
    asked = {"day": day_before_due({}).isoformat(), "kind": "off", "name": "市庆", "notice": NOTICE}
    tomorrow = (local_day(now()) + timedelta(1)).isoformat()
    assert visitor.get("/admin/calendar/preview", query_string={"change": "day", **asked}).status_code == 403
    assert visitor.post("/admin/calendar/days", {"idempotency_key": "k", **asked}).status_code == 403
    assert visitor.get(f"/admin/calendar/preview?change=hours&hours=09:00-16:00&from={tomorrow}").status_code == 200
    assert preview(visitor, "hours", hours="09:00-16:00", **{"from": tomorrow}).status_code == 403  # of another hall


def test_the_ledger_is_summed_up_and_folds_no_day_of_the_tester(admin: Visitor) -> None:
    asked = "/admin/calendar?hall=luolong&start=2026-09-23T10:00&limit=5&unit=WD"
    text = said(admin.get(f"{asked}&lang=zh").text)
    assert "共 5 个工作日，周末和节假日 10 天不计，于 10月8日 18:00 到期。" in text
    assert text.count("国庆节 · 不计") == 7
    assert "Mid-Autumn Festival" in said(admin.get(f"{asked}&lang=en").text)
