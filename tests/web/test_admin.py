"""Administration: who may, what each form refuses and keeps, what it changes, and that secrets are shown once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.db import db
from app.hall.models import HourException
from app.people.models import Device, Staff, StaffSession
from app.queueing.models import Queue, WindowQueue
from tests.web.visit import Visitor, announce_calendar, said

EVIL = "<img src=x onerror=alert(1)>"
PAGES = [
    "/admin",
    "/admin/staff",
    "/admin/staff/new",
    "/admin/staff/clerk01",
    "/admin/windows",
    "/admin/devices",
    "/admin/calendar",
    "/admin/catalog",
]
POSTS = [
    "/admin/staff",
    "/admin/staff/clerk01",
    "/admin/windows/W01",
    "/admin/queues/A",
    "/admin/pay-place",
    "/admin/devices",
    "/admin/devices/1/pairing",
    "/admin/devices/1/revoke",
    "/admin/calendar/exceptions",
    "/admin/calendar/exceptions/1/remove",
]


@pytest.fixture(autouse=True)
def years_to_come(app: Flask) -> None:
    announce_calendar()
    db.session.rollback()


@pytest.fixture
def admin(app: Flask) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in("admin01")
    visitor.get("/admin/staff")
    return visitor


def send(visitor: Visitor, path: str, key: str = "once", **fields: Any) -> Any:
    if not visitor.hidden("csrf_token"):
        visitor.get("/login?next=/")
    return visitor.post(path, {"idempotency_key": key, **fields})


def one(query: Any) -> Any:
    db.session.rollback()
    return db.session.execute(query).scalars().first()


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_for_administrators(app: Flask, path: str) -> None:
    stranger, kiosk, clerk = Visitor(app), Visitor(app), Visitor(app)
    kiosk.become("kiosk")
    clerk.sign_in("clerk01")
    assert stranger.get(path).status_code == 302
    assert kiosk.get(path).status_code == 403
    assert clerk.get(path).status_code == 403


@pytest.mark.parametrize("path", POSTS)
def test_changes_are_for_administrators(app: Flask, path: str) -> None:
    stranger, clerk = Visitor(app), Visitor(app)
    clerk.sign_in("clerk01")
    clerk.get("/login?next=/")  # a fresh CSRF token
    assert send(stranger, path).status_code == 401
    assert send(clerk, path).status_code == 403


def test_a_supervisor_manages_windows_only(app: Flask) -> None:
    supervisor = Visitor(app)
    supervisor.sign_in("supervisor01")
    assert supervisor.get("/admin/windows").status_code == 200
    assert "/admin/staff" not in supervisor.page
    for path in PAGES:
        if path not in ("/admin", "/admin/windows"):
            assert supervisor.get(path).status_code == 403, path


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens(admin: Visitor, path: str) -> None:
    for language in ("zh", "en"):
        answer = admin.get(f"{path}?lang={language}")
        assert answer.status_code == 200
        assert 'href="/admin/staff"' in answer.text


@pytest.mark.parametrize("path", ["/admin/windows", "/admin/devices", "/admin/calendar"])
def test_an_unknown_hall_is_refused(admin: Visitor, path: str) -> None:
    assert admin.get(f"{path}?hall=nowhere").status_code == 404


# ── people ──────────────────────────────────────────────────────────────────────────────────────────────────────

PERSON = {"username": "clerk99", "name": "林小满", "role": "clerk", "home": "luolong", "password": "long enough 1"}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"username": "A b"}, "账号须为"),
        ({"username": "clerk01"}, "账号已存在"),
        ({"name": ""}, "请填写姓名"),
        ({"name": "a\u202eb"}, "不能使用的字符"),
        ({"role": ""}, "没有角色"),
        ({"role": "king"}, "没有角色"),
        ({"home": "nowhere"}, "没有这个大厅"),
        ({"department": "区没有局"}, "没有这个部门"),
        ({"role": "approver"}, "审批员须有部门"),
        ({"password": "short"}, "密码至少"),
    ],
)
def test_a_person_is_refused_and_the_form_kept(admin: Visitor, wrong: dict[str, str], sentence: str) -> None:
    answer = send(admin, "/admin/staff", **{**PERSON, **wrong})
    assert answer.status_code in (404, 409, 422)
    assert 'role="alert"' in answer.text and sentence in said(answer.text)
    assert PERSON["password"] not in answer.text  # a password is never sent back
    if "name" not in wrong:
        assert "林小满" in answer.text
    assert one(select(Staff).where(Staff.username == "clerk99")) is None


def test_a_person_is_added_once_and_may_sign_in(app: Flask, admin: Visitor) -> None:
    for _press in range(2):
        assert send(admin, "/admin/staff", **PERSON).status_code == 303
    row = one(select(Staff).where(Staff.username == "clerk99"))
    assert (row.name, row.roles, row.hall) == ("林小满", ["clerk"], "luolong")
    new = Visitor(app)
    assert new.post("/login", {"username": "clerk99", "password": PERSON["password"]}).status_code == 302


def test_a_change_ends_the_sessions(app: Flask, admin: Visitor) -> None:
    clerk = Visitor(app)
    clerk.sign_in("clerk02")
    assert clerk.get("/approver").status_code == 403
    answer = send(admin, "/admin/staff/clerk02", role="guide", home="lilou", active="1")
    assert answer.status_code == 303
    assert clerk.get("/approver").status_code == 302  # signed out
    row = one(select(Staff).where(Staff.username == "clerk02"))
    assert (row.roles, row.hall, row.active) == (["guide"], "lilou", True)
    live = select(StaffSession).where(StaffSession.staff_id == row.id, StaffSession.revoked_at.is_(None))
    assert one(live) is None
    assert send(admin, "/admin/staff/clerk02", key="rest", role="guide").status_code == 303
    assert not one(select(Staff).where(Staff.username == "clerk02")).active
    assert Visitor(app).sign_in("clerk02").status_code == 401


def test_an_admin_cannot_lock_the_door_behind_the_last_key(admin: Visitor) -> None:
    for fields in ({"role": "clerk", "active": "1"}, {"role": "admin"}):
        answer = send(admin, "/admin/staff/admin01", **fields)
        assert answer.status_code == 422 and "不能停用自己" in said(answer.text)
    assert one(select(Staff).where(Staff.username == "admin01")).active


def test_nobody_is_not_found(admin: Visitor) -> None:
    assert admin.get("/admin/staff/nobody").status_code == 404
    assert send(admin, "/admin/staff/nobody", role="clerk").status_code == 404


def test_names_print_as_text(admin: Visitor) -> None:
    assert send(admin, "/admin/staff", **{**PERSON, "name": "<b>林</b>"}).status_code == 303
    page = admin.get("/admin/staff").text
    assert "&lt;b&gt;林" in page and "<b>林" not in page
    assert EVIL not in admin.get(f"/admin/staff?q={EVIL}").text
    assert EVIL not in send(admin, "/admin/staff", key="x", **{**PERSON, "username": EVIL}).text


# ── windows and queues ──────────────────────────────────────────────────────────────────────────────────────────


def test_where_fees_are_paid_is_a_halls_own_words(admin: Visitor) -> None:
    assert 'value="本厅收费窗口"' in admin.get("/admin/windows?hall=lilou").text
    place = {"hall": "lilou", "words": "财政所", "words_en": "Finance office"}
    refused = send(admin, "/admin/pay-place", **{**place, "words_en": " "})
    assert refused.status_code == 422 and 'value="财政所"' in refused.text
    assert send(admin, "/admin/pay-place", key="2", **place).status_code == 303
    assert 'value="Finance office"' in admin.get("/admin/windows?hall=lilou").text
    assert 'value="本厅收费窗口"' in admin.get("/admin/windows?hall=luolong").text
    assert "缴费地点改为 财政所" in admin.get("/supervisor/record?hall=lilou").text


def served(window: str) -> dict[str, int]:
    db.session.rollback()
    query = select(WindowQueue.queue, WindowQueue.weight_min)
    return dict(db.session.execute(query.where(WindowQueue.hall == "luolong", WindowQueue.window == window)).all())


@pytest.mark.parametrize("weight", ["-1", "241", "many", "1e3", "99999"])
def test_a_weight_is_refused_and_kept(admin: Visitor, weight: str) -> None:
    before = served("W01")
    answer = send(admin, "/admin/windows/W01", hall="luolong", queue="A", **{"weight-A": weight})
    assert answer.status_code == 422 and "提前分钟数应为" in said(answer.text)
    assert f'value="{weight}"' in answer.text
    assert served("W01") == before


def test_a_window_serves_what_is_ticked(admin: Visitor) -> None:
    fields = {"hall": "luolong", "queue": ["A", "C"], "weight-A": "12", "weight-B": "7", "weight-C": ""}
    assert send(admin, "/admin/windows/W01", **fields).status_code == 303
    assert served("W01") == {"A": 12, "C": 0}
    assert send(admin, "/admin/windows/W01", key="2", hall="luolong", queue="Z").status_code == 404
    assert send(admin, "/admin/windows/W99", key="3", hall="luolong", queue="A").status_code == 404
    assert send(admin, "/admin/windows/W01", key="4", hall="nowhere", queue="A").status_code == 404


def test_a_queue_stops_and_resumes(admin: Visitor) -> None:
    for active in ("0", "1"):
        assert send(admin, "/admin/queues/A", key=active, hall="luolong", active=active).status_code == 303
        row = one(select(Queue).where(Queue.hall == "luolong", Queue.code == "A"))
        assert row.active == (active == "1")
    assert send(admin, "/admin/queues/Z", key="z", hall="luolong", active="0").status_code == 404


# ── devices ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_device_shows_its_secrets_once(app: Flask, admin: Visitor) -> None:
    answer = send(admin, "/admin/devices", hall="luolong", kind="kiosk", name="东侧", zone="A")
    assert answer.status_code == 200
    code = re.search(r"h-code--big\">(\d{6})<", answer.text)
    assert code and "令牌" in answer.text
    again = send(admin, "/admin/devices", hall="luolong", kind="kiosk", name="东侧", zone="A")
    assert code.group(1) in again.text  # a repeated press: the same device
    later = admin.get("/admin/devices?hall=luolong").text
    assert "东侧" in later and code.group(1) not in later and "令牌" not in later
    kiosk = Visitor(app)
    assert kiosk.post("/pair", {"code": code.group(1)}).status_code == 302
    device = one(select(Device).where(Device.name == "东侧"))
    assert len(db.session.execute(select(Device).where(Device.name == "东侧")).all()) == 1
    fresh = send(admin, f"/admin/devices/{device.id}/pairing", key="p", hall="luolong")
    assert re.search(r"h-code--big\">\d{6}<", fresh.text) and "令牌" not in fresh.text
    assert send(admin, f"/admin/devices/{device.id}/revoke", key="r", hall="luolong").status_code == 303
    assert kiosk.get("/kiosk").status_code == 302
    assert send(admin, f"/admin/devices/{device.id}/revoke", key="r2", hall="luolong").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [({"kind": "toaster"}, "设备类型应为"), ({"zone": "Q"}, "没有这个区域"), ({"name": "x" * 41}, "最多 40")],
)
def test_a_device_is_refused_and_kept(admin: Visitor, wrong: dict[str, str], sentence: str) -> None:
    answer = send(admin, "/admin/devices", **{"hall": "luolong", "kind": "kiosk", "name": "西侧机", **wrong})
    assert answer.status_code == 422 and sentence in said(answer.text)
    assert (wrong.get("name") or "西侧机") in answer.text


def test_a_device_of_another_hall_stays_there(admin: Visitor) -> None:
    device = one(select(Device).where(Device.hall == "lilou"))
    assert send(admin, f"/admin/devices/{device.id}/revoke", hall="luolong").status_code == 404
    assert one(select(Device).where(Device.id == device.id)).revoked_at is None


# ── the calendar ────────────────────────────────────────────────────────────────────────────────────────────────

CLOSURE = {"hall": "luolong", "kind": "closure", "from": "2026-03-04T09:00", "to": "2026-03-04T12:00", "reason": "停电"}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"kind": "party"}, "请选择闭厅或延时服务"),
        ({"from": ""}, "请填写开始时间"),
        ({"to": "tomorrow"}, "请填写结束时间"),
        ({"to": "2026-03-04T09:00"}, "结束时间须晚于开始时间"),
        ({"from": "0001-01-01T00:00"}, "请填写开始时间"),
        ({"reason": " "}, "请填写原因"),
        ({"reason": "长" * 101}, "最多 100"),
    ],
)
def test_an_exception_is_refused_and_kept(admin: Visitor, wrong: dict[str, str], sentence: str) -> None:
    answer = send(admin, "/admin/calendar/exceptions", **{**CLOSURE, **wrong})
    assert answer.status_code == 422 and sentence in said(answer.text)
    assert (wrong.get("reason") or "停电").strip() in answer.text
    assert one(select(HourException)) is None


def test_an_exception_comes_and_goes(admin: Visitor) -> None:
    for _press in range(2):
        assert send(
            admin, "/admin/calendar/exceptions", **{**CLOSURE, "reason": EVIL.replace("<", "＜")}
        ).status_code in (303, 422)
    assert send(admin, "/admin/calendar/exceptions", key="k2", **CLOSURE).status_code == 303
    row = one(select(HourException).where(HourException.reason == "停电"))
    assert row.from_at.isoformat().startswith("2026-03-04T01:00")
    trial = admin.get("/admin/calendar?hall=luolong&start=2026-03-04T08:30&limit=1&unit=WH").text
    assert "停电" in trial
    path = f"/admin/calendar/exceptions/{row.id}/remove"
    assert send(admin, path, key="r", hall="luolong").status_code == 303
    assert one(select(HourException).where(HourException.reason == "停电")) is None
    assert send(admin, path, key="r2", hall="luolong").status_code == 422


def test_the_tester_counts_as_the_law_does(admin: Visitor) -> None:
    """Five working days from 23 September 2026: Mid-autumn (25–27) is left out."""
    page = said(admin.get("/admin/calendar?hall=luolong&start=2026-09-23T10:00&limit=5&unit=WD").text)
    assert "2026年10月8日 星期四 18:00" in page and "中秋节" in page and "第 0 天" in page


@pytest.mark.parametrize(
    "query",
    ["limit=0&unit=WD", "limit=x&unit=WD", "limit=5&unit=XX", "limit=5&unit=WD&start=never", "limit=367&unit=ND"],
)
def test_the_tester_refuses_nonsense(admin: Visitor, query: str) -> None:
    answer = admin.get(f"/admin/calendar?hall=luolong&{query}")
    assert answer.status_code == 200 and 'role="alert"' in answer.text


def test_the_year_names_its_notice(admin: Visitor) -> None:
    page = said(admin.get("/admin/calendar?year=2026").text)
    assert "国办发明电〔2025〕7号" in page and "春节 2月15日 – 2月23日 9" in page and "2月14日 星期六" in page
    assert admin.get("/admin/calendar?year=1066").status_code == 200


# ── the catalogue ───────────────────────────────────────────────────────────────────────────────────────────────


def test_the_catalogue_says_where_a_guide_comes_from(admin: Visitor) -> None:
    page = admin.get("/admin/catalog?q=sfz").text
    assert "flask hall catalog import" in page and "逐项编写" in page
    links = admin.links("/admin/catalog/")
    assert links
    item = said(admin.get(links[0]).text)
    assert "逐项编写的指南" in item or "默认指南" in item
    assert admin.get("/admin/catalog/unknown").status_code == 404
    assert EVIL not in admin.get(f"/admin/catalog?q={EVIL}").text
