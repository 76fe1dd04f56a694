"""The kiosk: three taps to a ticket, one press one ticket, nothing of a person left behind."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.catalog.queries import search_items
from app.db import db
from app.events import SYSTEM, Actor
from app.hall.queries import schedule
from app.now import SHANGHAI, local_day, now
from app.queueing.calls import call_next, finish, start
from app.queueing.closing import stop_issuing
from app.queueing.models import Ticket
from app.queueing.setup import set_queue_active
from app.queueing.tickets import issue_ticket
from app.queueing.windows import open_window
from app.web import home
from app.web import kiosk as module
from tests.web.visit import Visitor, announce_calendar, said

ID_NUMBER = "511602199001011234"


@pytest.fixture
def kiosk(app: Flask) -> Visitor:
    visitor = Visitor(app)
    visitor.become("kiosk")
    return visitor


def tickets(app: Flask, **equal: str) -> int:
    """How many tickets there are with these column values."""
    with app.app_context():
        query = select(func.count()).select_from(Ticket).filter_by(**equal)
        return db.session.execute(query).scalar_one()


def take(kiosk: Visitor, address: str, **fields: str) -> str:
    """Open the confirming page, press, and come to the ticket; the text of that page."""
    kiosk.get(address)
    kept = {name: kiosk.hidden(name) for name in ("idempotency_key", "item", "queue") if kiosk.hidden(name)}
    answer = kiosk.post("/kiosk/take", kept | fields)
    assert answer.status_code == 303, said(answer.text)
    return said(kiosk.get(answer.location).text)


@pytest.mark.parametrize(
    "path", ["/kiosk", "/kiosk/queue/A", "/kiosk/search", "/kiosk/take?queue=A", "/kiosk/ticket/x"]
)
def test_only_a_paired_kiosk_gives_tickets(app: Flask, path: str) -> None:
    stranger, screen = Visitor(app), Visitor(app)
    screen.become("screen")
    for visitor in (stranger, screen):
        answer = visitor.get(path)
        assert (answer.status_code, answer.location) == (302, "/pair?kind=kiosk")
    assert stranger.post("/kiosk/take", {"queue": "A", "idempotency_key": "k1"}).location == "/pair?kind=kiosk"
    assert tickets(app) == 0


def test_three_taps_lead_to_a_number(app: Flask, kiosk: Visitor) -> None:
    kiosk.get("/kiosk")
    assert tickets(app) == 0
    first = next(href for href in kiosk.links("/kiosk/queue/") if href.endswith("/C"))
    kiosk.get(first)  # tap one
    kiosk.get(kiosk.links("/kiosk/take?item=")[0])  # tap two
    assert "请核对材料" in said(kiosk.page)
    assert tickets(app) == 0
    fields = {name: kiosk.hidden(name) for name in ("idempotency_key", "item")}
    answer = kiosk.post("/kiosk/take", fields)  # tap three
    page = kiosk.get(answer.location).text
    assert "C001" in said(page)
    assert "下一个就是您" in said(page)
    assert "<svg" in page.split('class="h-qr"')[1]
    assert tickets(app, number="C001", channel="kiosk", item=fields["item"]) == 1


def test_who_is_not_sure_goes_to_the_comprehensive_queue(app: Flask, kiosk: Visitor) -> None:
    kiosk.get("/kiosk")
    assert "不清楚办哪一类" in said(kiosk.page)
    unsure = next(href for href in kiosk.links("/kiosk/take?queue="))
    assert "E001" in take(kiosk, unsure)


def test_a_second_press_of_the_same_form_gives_the_same_number(app: Flask, kiosk: Visitor) -> None:
    kiosk.get("/kiosk/take?queue=B")
    fields = {"queue": "B", "idempotency_key": kiosk.hidden("idempotency_key")}
    first, second = kiosk.post("/kiosk/take", fields), kiosk.post("/kiosk/take", fields)
    assert first.location == second.location
    assert tickets(app) == 1
    assert kiosk.post("/kiosk/take", fields | {"ground": "elderly"}).status_code == 422
    assert kiosk.post("/kiosk/take", {"queue": "B"}).status_code == 422
    assert tickets(app) == 1


def test_looking_takes_nothing(app: Flask, kiosk: Visitor) -> None:
    for path in ("/kiosk/take?queue=A", "/kiosk/queue/A", "/kiosk/search?q=sfz"):
        assert kiosk.get(path).status_code == 200
    assert tickets(app) == 0


def test_the_same_person_is_shown_the_ticket_they_hold(app: Flask, kiosk: Visitor) -> None:
    first = take(kiosk, "/kiosk/take?queue=A", phone="138 1234 5678")
    again = take(kiosk, "/kiosk/take?queue=A", phone="13812345678")
    assert "A001" in first
    assert "A001" in again
    assert "已经有号" in again
    assert "已经有号" not in first
    assert tickets(app) == 1


def test_a_ticket_page_has_nothing_of_the_person(app: Flask, kiosk: Visitor) -> None:
    kiosk.get("/kiosk/take?queue=A")
    fields = {"queue": "A", "idempotency_key": kiosk.hidden("idempotency_key"), "id_number": ID_NUMBER}
    answer = kiosk.post("/kiosk/take", fields)
    assert ID_NUMBER not in answer.location
    page = kiosk.get(answer.location).text
    assert ID_NUMBER not in page
    assert ID_NUMBER[-4:] not in said(page)


def test_a_bad_id_number_is_said_and_not_shown_again(app: Flask, kiosk: Visitor) -> None:
    kiosk.get("/kiosk/take?queue=A")
    fields = {"queue": "A", "idempotency_key": kiosk.hidden("idempotency_key"), "id_number": "身份证在家里"}
    answer = kiosk.post("/kiosk/take", fields)
    assert answer.status_code == 422
    assert "身份证件号码有误" in said(answer.text)
    assert "在家里" not in answer.text
    assert tickets(app) == 0


@pytest.mark.parametrize(("ground", "lane"), [("elderly", "priority"), ("", "normal"), ("mayor", "normal")])
def test_priority_needs_a_ground_of_the_list(app: Flask, kiosk: Visitor, ground: str, lane: str) -> None:
    take(kiosk, "/kiosk/take?queue=A", ground=ground)
    assert tickets(app, lane=lane) == 1


def test_a_stopped_queue_is_shown_and_gives_nothing(app: Flask, kiosk: Visitor) -> None:
    set_queue_active(hall="luolong", actor=SYSTEM, at=now(), queue="B", active=False)
    kiosk.get("/kiosk")
    assert "/kiosk/queue/B" not in kiosk.links("/kiosk/queue/")
    assert "已停止取号" in said(kiosk.page)
    kiosk.get("/kiosk/take?queue=B")
    assert "该队列已停止取号" in said(kiosk.page)
    answer = kiosk.post("/kiosk/take", {"queue": "B", "idempotency_key": kiosk.hidden("idempotency_key")})
    assert answer.status_code == 409
    assert "该队列已停止取号" in said(answer.text)
    assert tickets(app) == 0


@pytest.mark.parametrize(
    ("path", "status"),
    [("/kiosk/queue/Z", 404), ("/kiosk/take?queue=Z", 404), ("/kiosk/take", 404), ("/kiosk/take?item=none", 404)],
)
def test_what_is_not_there_is_refused(kiosk: Visitor, path: str, status: int) -> None:
    answer = kiosk.get(path)
    assert answer.status_code == status
    assert "回到首页" in answer.text


def test_initials_find_an_item_and_a_script_gets_the_list_alone(kiosk: Visitor) -> None:
    assert "居民身份证" in said(kiosk.get("/kiosk/search?q=sfz").text)
    part = kiosk.get("/kiosk/search?q=sfz", headers={"X-Part": "1"}).text
    assert "居民身份证" in part
    assert "<html" not in part
    assert "没有找到相符的事项" in said(kiosk.get("/kiosk/search?q=zzzzzz").text)


def test_a_township_takes_items_of_every_zone_in_its_one_queue(app: Flask) -> None:
    visitor = Visitor(app)
    visitor.become("kiosk", hall="lilou")
    item = search_items(zone="B")["items"][0]["code"]
    assert "A001" in take(visitor, f"/kiosk/take?item={item}")
    assert tickets(app, hall="lilou", queue="A", item=item) == 1


def test_a_ticket_of_another_hall_is_not_shown(app: Flask, kiosk: Visitor) -> None:
    foreign = issue_ticket(hall="lilou", actor=SYSTEM, at=now(), queue="A", channel="kiosk")
    answer = kiosk.get(f"/kiosk/ticket/{foreign['token']}")
    assert answer.status_code in (302, 403)
    assert "A001" not in answer.text
    assert kiosk.get("/kiosk/ticket/unheard-of").status_code == 404


def test_the_page_that_a_kiosk_keeps_chooses_no_language(kiosk: Visitor) -> None:
    for lang in ("zh", "en"):
        assert "Set-Cookie" not in kiosk.get(f"/kiosk/offline?lang={lang}").headers
    assert '<html lang="zh-CN"' in kiosk.get("/kiosk").text


def test_the_way_back_gives_the_next_citizen_a_fresh_start(kiosk: Visitor) -> None:
    kiosk.get("/kiosk?lang=en&large=1")
    assert "h-large" in kiosk.get("/kiosk/take?queue=A").text
    back = kiosk.links("/kiosk?")[0]
    kiosk.get(back)
    page = kiosk.get("/kiosk").text
    assert '<html lang="zh-CN"' in page
    assert "h-large" not in page


def test_pages_go_back_by_themselves_without_a_script(kiosk: Visitor) -> None:
    refresh = re.compile(r'<noscript><meta http-equiv="refresh" content="90;url=/kiosk')
    assert not refresh.search(kiosk.get("/kiosk").text)
    assert refresh.search(kiosk.get("/kiosk/take?queue=A").text)


def coming_working_day() -> date:
    """The first day after today on which the hall works."""
    announce_calendar()
    hours, day = schedule("luolong"), local_day(now())
    return next(d for n in range(1, 30) if hours.is_working(d := day + timedelta(days=n)))


@pytest.mark.parametrize(
    ("clock", "words"), [("17:55", "可能到下班还轮不到"), ("18:05", "现在不在办公时间"), ("14:30", "")]
)
def test_who_comes_late_is_told_before_taking_a_number(
    kiosk: Visitor, staff: Callable[[str], Actor], monkeypatch: pytest.MonkeyPatch, clock: str, words: str
) -> None:
    at = datetime.combine(coming_working_day(), time.fromisoformat(clock), SHANGHAI)
    clerk = staff("clerk01")
    begun = at - timedelta(hours=1)
    open_window(hall="luolong", actor=clerk, at=begun, window="W01")
    for n in range(5):
        issue_ticket(hall="luolong", actor=SYSTEM, at=begun, queue="A", channel="kiosk")
        called = call_next(hall="luolong", actor=clerk, at=begun, window="W01")["ticket"]
        ticket_id = int(called["id"].rpartition("-")[2])
        start(hall="luolong", actor=clerk, at=begun, ticket_id=ticket_id)
        begun += timedelta(minutes=8 + n % 2)
        finish(hall="luolong", actor=clerk, at=begun, ticket_id=ticket_id)
    for _ in range(3):
        issue_ticket(hall="luolong", actor=SYSTEM, at=begun, queue="A", channel="kiosk")
    monkeypatch.setattr(module, "now", lambda: at)
    page = said(kiosk.get("/kiosk/take?queue=A").text)
    for told in ("可能到下班还轮不到", "现在不在办公时间"):
        assert (told in page) is (told == words)


def test_a_year_without_calendar_stops_nobody_and_claims_nothing(
    kiosk: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    unannounced = datetime(2099, 3, 2, 10, 0, tzinfo=SHANGHAI)
    for room in (module, home):
        monkeypatch.setattr(room, "now", lambda: unannounced)
    for path in ("/", "/kiosk", "/kiosk/take?queue=A"):
        answer = kiosk.get(path)
        assert answer.status_code == 200
        for claim in ("开放中", "不在办公时间", "轮不到"):
            assert claim not in said(answer.text)


def test_no_wait_is_promised_where_nothing_is_known(kiosk: Visitor) -> None:
    assert "预计等候" not in said(kiosk.get("/kiosk/queue/A").text)
    assert "窗口尚未开放" in said(kiosk.page)


def test_the_ground_the_party_and_the_promised_wait_are_kept(
    app: Flask, kiosk: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        module.forecasts, "promise", lambda hall, queue, lane, at: (60, 300) if lane == "priority" else None
    )
    page = take(kiosk, "/kiosk/take?queue=A", ground="military", party="3")
    assert "3 人同行" in page
    assert "请出示优先证件：军人及优抚对象" in page
    with app.app_context():
        row = db.session.query(Ticket).one()
        assert (row.lane, row.ground, row.party) == ("priority", "military", 3)
        assert (row.forecast_low_s, row.forecast_high_s) == (60, 300)


@pytest.mark.parametrize("party", ["0", "51"])
def test_a_party_has_a_size(app: Flask, kiosk: Visitor, party: str) -> None:
    kiosk.get("/kiosk/take?queue=A")
    fields = {"queue": "A", "party": party, "idempotency_key": kiosk.hidden("idempotency_key")}
    answer = kiosk.post("/kiosk/take", fields)
    assert answer.status_code == 422
    assert "同行人数应为 1–50" in said(answer.text)
    assert tickets(app) == 0


def test_no_ground_is_chosen_before_somebody_chooses(kiosk: Visitor) -> None:
    page = kiosk.get("/kiosk/take?queue=A").text
    assert re.findall(r'name="ground" value="(\w*)" checked', page) == [""]
    assert len(re.findall(r'name="ground" value="\w+"', page)) == 5


def test_by_theme_the_papers_of_all_its_steps_are_shown(app: Flask, kiosk: Visitor) -> None:
    kiosk.get("/kiosk/themes")
    way = next(href for href in kiosk.links("/kiosk/take?theme="))
    page = said(kiosk.get(way).text)
    assert "请核对材料" in page
    assert "扫码带走办事指南" in page
    assert re.search(r"[A-F]001", take(kiosk, way))
    assert tickets(app) == 1


def test_by_department_every_item_of_the_catalogue_is_reached(kiosk: Visitor) -> None:
    names, page = [], 1
    while True:
        kiosk.get(f"/kiosk/departments?page={page}")
        found = kiosk.links("/kiosk/items?department=")
        names += found
        if f"page={page + 1}" not in kiosk.page:
            break
        page += 1
    assert len(names) == len(set(names)) > 20
    said_of = said(kiosk.get(names[0]).text)
    assert kiosk.links("/kiosk/take?item=")
    assert "选一个事项" in said_of
    assert kiosk.get("/kiosk/items?department=nobody").status_code == 404


def test_the_item_is_shown_with_the_code_of_its_guide(kiosk: Visitor) -> None:
    item = search_items(q="sfz", zones=list("ABCDEF"))["items"][0]["code"]
    page = kiosk.get(f"/kiosk/take?item={item}").text
    assert "扫码带走办事指南" in said(page)
    assert page.index("扫码带走办事指南") < page.index("同行人数")


def test_a_hall_that_has_stopped_for_today_says_when_it_opens_again(
    app: Flask, kiosk: Visitor, staff: Callable[[str], Actor]
) -> None:
    announce_calendar()
    stop_issuing(hall="luolong", actor=staff("supervisor01"), at=now())
    page = said(kiosk.get("/kiosk").text)
    assert "今日已停止取号，已取的号仍会叫到" in page
    assert "下次开门" in page
    assert kiosk.links("/kiosk/queue/") == kiosk.links("/kiosk/take") == []
    answer = kiosk.post("/kiosk/take", {"queue": "A", "idempotency_key": "k1"})
    assert answer.status_code == 409
    assert "今日已停止取号" in said(answer.text)


def test_the_page_knows_whether_the_slip_was_printed(
    app: Flask, kiosk: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    kiosk.get("/kiosk/take?queue=A")
    own = app.extensions["settings"]
    monkeypatch.setitem(app.extensions, "settings", replace(own, printer="tcp://127.0.0.1:9"))
    fields = {"queue": "A", "idempotency_key": kiosk.hidden("idempotency_key")}
    address = kiosk.post("/kiosk/take", fields).location
    page = kiosk.get(address).text
    assert re.search(r'data-nopaper="/kiosk/ticket/[^"]+/paper" hidden', page)
    assert kiosk.get(f"{address}/paper").json == {"printed": False}
    sent = own.data_dir / "spool" / "sent"
    sent.mkdir(parents=True, exist_ok=True)
    with app.app_context():
        mark = sent / f"luolong-{db.session.query(Ticket).one().id}-1"
    mark.touch()
    assert kiosk.get(f"{address}/paper").json == {"printed": True}
    mark.unlink()


def test_without_a_printer_the_page_says_so_at_once(kiosk: Visitor) -> None:
    kiosk.get("/kiosk/take?queue=A")
    fields = {"queue": "A", "idempotency_key": kiosk.hidden("idempotency_key")}
    page = kiosk.get(kiosk.post("/kiosk/take", fields).location).text
    assert re.search(r'data-nopaper="" role="status"', page)
    assert 'data-return="45"' in page


def test_the_low_mode_is_for_one_citizen(kiosk: Visitor) -> None:
    kiosk.get("/kiosk?low=1")
    assert "k-low" in kiosk.get("/kiosk/take?queue=A").text
    kiosk.get(kiosk.links("/kiosk?")[0])
    assert "k-low" not in kiosk.get("/kiosk").text


def test_the_worker_of_the_kiosk_may_not_leave_it(app: Flask, kiosk: Visitor) -> None:
    answer = kiosk.get("/kiosk/sw.js")
    assert answer.headers["Service-Worker-Allowed"] == "/kiosk"
    assert answer.mimetype == "text/javascript"
    assert kiosk.get("/kiosk/pulse").status_code == 204
    for path in ("/kiosk/offline", "/kiosk/sw.js", "/kiosk/pulse"):
        assert Visitor(app).get(path).status_code == 302


def test_the_page_for_the_time_without_a_server_bears_nothing_of_anybody(kiosk: Visitor) -> None:
    page = kiosk.get("/kiosk/offline").text
    assert "csrf" not in page
    assert "idempotency" not in page
    assert "http-equiv" not in page
    assert "仍可取号" in said(page)
