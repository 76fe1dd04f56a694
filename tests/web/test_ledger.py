"""Why a deadline falls on its day: on the case page, on the phone, on paper and on the command line, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pypdf
import pytest
from flask import Flask

from app.casework.intake import accept_case, receive_case
from app.casework.queries import find_case
from app.catalog.queries import item as item_of
from app.catalog.queries import search_items
from app.db import db
from app.events import SYSTEM, Actor
from app.hall import queries
from app.hall.rules.clock import Limit, Pause, Unit, reckon
from app.hall.rules.hours import Schedule
from app.hall.rules.ledger import explain
from app.hall.settings import amend_calendar
from app.now import SHANGHAI, iso, now
from app.web import ledger
from tests.web.visit import Visitor, announce_calendar, enter, said

HALL = "luolong"
NAME = "欧阳小三"


@pytest.fixture(autouse=True)
def years_to_come(app: Flask) -> None:
    announce_calendar()
    db.session.rollback()


@pytest.fixture
def given(app: Flask, staff: Callable[[str], Actor]) -> dict[str, Any]:
    """A case accepted just now, promised for more than a week of working days, as its receipt was handed out."""
    guides = (item_of(row["code"]) for row in search_items(per_page=200)["items"])
    guide = next(g for g in guides if g["promised"]["unit"] == "WD" and g["promised"]["amount"] > 6)
    materials = [{"code": m["code"], "state": "received"} for m in guide["materials"]]
    person = {"kind": "person", "name": NAME, "id_number": "511602199001011234", "phone": "13812345678"}
    receipt = receive_case(
        hall=HALL, actor=staff("clerk01"), at=now(), item=guide["code"], applicant=person, materials=materials
    )
    return receipt


@pytest.fixture
def case(given: dict[str, Any], staff: Callable[[str], Actor]) -> dict[str, Any]:
    accepted = accept_case(hall=HALL, actor=staff("clerk01"), at=now(), case_id=find_case(given["number"])[1])
    return given | accepted


def text_of(pdf: bytes) -> str:
    return "".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(pdf)).pages)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def book(app: Flask, amount: int, unit: str, *stops: str, lang: str = "zh", start: str = "2026-09-23T10:00") -> Any:
    """(sum, folded lines as text) of a ledger."""
    schedule: Schedule = queries.schedule(HALL)
    limit = Limit(amount, Unit(unit))
    spans = [text.split("/") for text in stops]
    pauses = [Pause(at(begin), at(end) if end else None) for begin, end in spans]
    found = reckon(at(start), limit, pauses, schedule)
    clock = {
        "limit": {"amount": amount, "unit": unit},
        "unit": "day" if limit.unit.in_days else "minute",
        "due_at": iso(found.due_at),
        "stopped": found.stopped,
    }
    rows = [row.to_dict() for row in explain(at(start), limit, pauses, schedule)]
    with app.test_request_context(f"/?lang={lang}"):
        lines = [
            f"{ledger.dates(line)} {ledger.why(line)} {ledger.counts(line, clock['unit'])} {line['total']}"
            for line in ledger.lines(rows)
        ]
        return ledger.summary(rows, clock), lines


def test_equal_neighbours_share_a_line_and_the_sum_says_it_all(app: Flask) -> None:
    total, lines = book(app, 5, "WD", "2026-09-24T10:00/2026-09-29T09:00")
    assert total == "共 5 个工作日，扣除停钟 2 天，周末和节假日 7 天不计，于 10月10日 18:00 到期。"
    assert lines == [
        "9月23日 星期三 工作日 不计 0",
        "9月24日 星期四 工作日 计 1 天 1",
        "9月25日–27日 中秋节 不计 1",
        "9月28日–29日 工作日 不计 1",
        "9月30日 星期三 工作日 计 1 天 2",
        "10月1日–7日 国庆节 不计 2",
        "10月8日–9日 工作日 计 2 天 4",
        "10月10日 星期六 国庆节调休 计 1 天 5",
    ]


def test_days_past_the_end_are_not_in_the_sum(app: Flask) -> None:
    start, limit, schedule = at("2026-09-23T10:00"), Limit(5, Unit.WD), queries.schedule(HALL)
    clock = {"limit": {"amount": 5, "unit": "WD"}, "unit": "day", "due_at": "2026-10-08T18:00:00.000+08:00"}
    with app.test_request_context("/?lang=zh"):
        sums = {
            ledger.summary([row.to_dict() for row in explain(start, limit, [], schedule, at=at(asked))], clock)
            for asked in ("2026-09-23T10:00", "2026-10-20T10:00")
        }
    assert sums == {"共 5 个工作日，周末和节假日 10 天不计，于 10月8日 18:00 到期。"}


def test_hours_open_stops_and_unknown_years_are_said(app: Flask) -> None:
    total, lines = book(app, 7, "WH", "2026-09-23T11:00/2026-09-23T11:30")
    assert total == "共 7 个工作小时，其中 1 天有停钟，停的时间不计，于 9月24日 09:30 到期。"
    assert lines[0] == "9月23日 星期三 工作日 计 6 小时 360"
    assert book(app, 5, "WD", "2026-09-24T10:00/")[0] == "共 5 个工作日，现在停钟，恢复后接着数。"
    last = max(queries.calendar().years)
    total, lines = book(app, 5, "WD", start=f"{last}-12-30T10:00")
    assert total.endswith("日历尚未公布到期满那天，暂不定日期。")
    assert "日历尚未公布" in lines[-1]


def test_an_extended_limit_is_told_whole(app: Flask) -> None:
    rows = [row.to_dict() for row in explain(at("2026-03-11T10:00"), Limit(15, Unit.WD), [], queries.schedule(HALL))]
    clock = {"limit": {"amount": 5, "unit": "WD"}, "unit": "day", "due_at": "2026-04-01T18:00:00.000+08:00"}
    with app.test_request_context("/?lang=zh"):
        assert ledger.summary(rows, clock).startswith("共 15 个工作日，")


def test_english_names_the_festivals(app: Flask) -> None:
    lines = book(app, 5, "WD", lang="en")[1]
    assert any(line.startswith("25–27 Sep Mid-Autumn Festival") for line in lines)
    assert any("National Day" in line for line in lines)


def test_the_case_page_shows_each_day_of_both_clocks(app: Flask, case: dict[str, Any]) -> None:
    clerk = Visitor(app)
    enter(clerk, "clerk01")
    page = clerk.get(f"/cases/{case['number']}")
    text = said(page.text)
    assert text.count("第 0 天 ·") == 2 and text.count("到期日") == 2
    amount = case["clocks"]["promised"]["limit"]["amount"]
    assert f"共 {amount} 个工作日" in text and f"{amount}/{amount}" in text
    answer = clerk.get(f"/cases/{case['number']}/deadline.pdf")
    assert answer.mimetype == "application/pdf"
    paper = text_of(answer.data)
    assert case["number"] in paper and "时限计算明细" in paper
    assert "欧**三" in paper and NAME not in paper


def test_the_paper_is_for_who_may_read_the_case(app: Flask, case: dict[str, Any]) -> None:
    path = f"/cases/{case['number']}/deadline.pdf"
    assert "/login" in Visitor(app).get(path).location
    for who in ("guide01", "clerk21"):
        visitor = Visitor(app)
        enter(visitor, who)
        assert visitor.get(path).status_code == 403


def test_before_acceptance_there_is_no_clock_to_explain(app: Flask, given: dict[str, Any]) -> None:
    phone = Visitor(app)
    assert "为什么是这一天" not in phone.get(f"/c/{given['query_token']}").text
    assert phone.get(f"/c/{given['query_token']}/deadline.pdf").status_code == 404


def test_the_phone_unfolds_the_reason_without_javascript_and_gives_the_paper(app: Flask, case: dict[str, Any]) -> None:
    phone = Visitor(app)
    page = phone.get(f"/c/{case['query_token']}")
    reason = page.text[page.text.index("<details") : page.text.index("</details>")]
    assert "为什么是这一天" in said(reason) and "第 0 天" in said(reason) and "不计" in said(reason)
    (href,) = phone.links(f"/c/{case['query_token']}/")
    paper = text_of(phone.get(href).data)
    assert case["number"] in paper and NAME not in paper
    assert "Case No." in text_of(phone.get(f"{href}?lang=en").data)
    assert phone.get("/c/nobodys-token/deadline.pdf").status_code == 404


def test_a_kept_promise_says_what_the_calendar_would_say(app: Flask, case: dict[str, Any]) -> None:
    from app.casework.sweeps import sweep_calendar

    due = datetime.fromisoformat(case["clocks"]["promised"]["due_at"])
    day = reckon(now(), Limit(2, Unit.WD), [], queries.schedule(HALL)).due_at
    assert day
    amend_calendar(actor=SYSTEM, at=now(), day=day.date(), kind="off", name="市庆", notice="市政府通知")
    sweep_calendar(hall=HALL, actor=SYSTEM, at=now() + timedelta(minutes=1))
    page = said(Visitor(app).get(f"/c/{case['query_token']}").text)
    assert f"于 {due.month}月{due.day}日 18:00 到期" in page
    assert "已经印在文书上的日期不推后" in page and "市庆" not in page  # it counts as it was printed


class TestCommandLine:
    def run(self, app: Flask, *words: str) -> Any:
        return app.test_cli_runner().invoke(args=["hall", "deadline", "explain", *words])

    def test_explains_any_limit(self, app: Flask) -> None:
        done = self.run(app, "2026-09-23T10:00", "5", "WD", "--pause", "2026-09-24T10:00,2026-09-29T09:00")
        lines = done.output.splitlines()
        assert lines[0] == "  2026-09-23 周三    0      0/5  工作日 · 第 0 天"
        assert "  2026-09-28 周一    0      1/5  工作日 · 停钟" in lines
        assert "* 2026-10-10 周六    1      5/5  国庆节调休 · 到期日" in lines
        assert "due 2026-10-10T18:00:00.000+08:00" in lines
        assert done.exit_code == 0

    def test_in_english_with_the_hours_of_another_hall(self, app: Flask) -> None:
        done = self.run(app, "2026-03-11T11:15", "2", "WH", "--hall", "lilou", "--lang", "en")
        assert "* 2026-03-11 Wed  120    120/120  working day · day 0 · due" in done.output.splitlines()
        assert "due 2026-03-11T14:15:00.000+08:00" in done.output

    def test_explains_a_case_by_its_number(self, app: Flask, case: dict[str, Any]) -> None:
        for words in ((case["number"],), ("--case", case["number"])):
            done = self.run(app, *words, "--lang", "en")
            assert done.exit_code == 0 and "promised:" in done.output and "statutory:" in done.output

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("yesterday", "5", "WD"), "Invalid isoformat"),
            (("2026-03-11T10:00", "5", "WD", "--pause", "2026-03-13T10:00,2026-03-12T10:00"), "cannot end"),
            (("2026-03-11T10:00", "5", "WD", "--pause", "a,b,c"), "Invalid isoformat"),
            (("2026-03-11T10:00", "90000", "WD"), "three years"),
            (("2026-03-11T10:00", "5", "WD", "--hall", "nowhere", "--lang", "en"), "no such hall"),
            (("LL209901010001", "--lang", "en"), "no such case"),
        ],
    )
    def test_refuses_in_words(self, app: Flask, words: tuple[str, ...], said: str) -> None:
        done = self.run(app, *words)
        assert done.exit_code == 1 and said in done.output

    def test_an_open_stop_and_an_unknown_year_have_no_date(self, app: Flask) -> None:
        stopped = self.run(app, "2026-03-11T10:00", "5", "WD", "--pause", "2026-03-12T10:00", "--lang", "en")
        assert "no date: the clock is stopped" in stopped.output and "remaining 4 days" in stopped.output
        last = max(queries.calendar().years)
        unknown = self.run(app, f"{last}-12-30T10:00", "5", "WD")
        assert "日历尚未公布" in unknown.output


class TestCalendarImport:
    def run(self, app: Flask, *words: str) -> Any:
        db.session.rollback()
        return app.test_cli_runner().invoke(args=["hall", "calendar", "import", *words])

    def test_names_the_notice_of_each_year_and_keeps_the_other_years(self, app: Flask) -> None:
        before = queries.calendar().years
        done = self.run(app, "--year", "2024", "--notice", "国务院办公厅关于2024年部分节假日安排的通知")
        assert done.exit_code == 0
        assert "  2024: 国务院办公厅关于2024年部分节假日安排的通知" in done.output
        assert "  2026: 国务院办公厅关于2026年部分节假日安排的通知（国办发明电〔2025〕7号" in done.output
        assert queries.calendar().years == before | {2024}

    def test_refuses_a_year_without_a_notice(self, app: Flask) -> None:
        assert "no announced calendar for 2024" in self.run(app, "--year", "2024").output
        assert self.run(app, "--year", "2025", "--year", "2026", "--notice", "通知").exit_code == 2
        assert "no announced calendar for 2031" in self.run(app, "--year", "2031", "--notice", "通知").output
