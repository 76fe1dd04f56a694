"""Reports for screen, sheet and print; signals; urging and explaining on the page of a case."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from flask import Flask

from app.casework import oversight, reports, sweeps
from app.casework.models import Case, CaseSignal
from app.casework.queries import codes_of, find_case
from app.casework.review import decide_case
from app.casework.rules.tally import Period, Span
from app.db import db
from app.events import SYSTEM, Actor
from app.hall.rules.lights import Light
from app.now import local_day, now
from app.people.models import Staff
from app.web import report_words
from tests.web.test_approver import approver_of, received
from tests.web.visit import Visitor, announce_calendar, said

SIDE_BY_SIDE = "511A17017003-511602000000-000-115113016823646795-1-00"  # 占用、挖掘城市道路
Find = Callable[[str], Actor]
PAGES = ["/supervisor/reports", "/supervisor/reports.csv", "/supervisor/reports.xlsx", "/supervisor/reports.pdf"]


def visitor(app: Flask, who: str) -> Visitor:
    made = Visitor(app)
    made.sign_in(who)
    return made


def change(number: str, **values: object) -> None:
    db.session.query(Case).filter_by(number=number).update(values)
    db.session.commit()


@pytest.fixture
def late(staff: Find) -> tuple[str, str]:
    """(number, owner's account) of a case whose limits have long passed."""
    announce_calendar()
    number = received(staff)
    past = now() - timedelta(days=60)
    change(number, accepted_at=past, clock_from_at=past, next_light_at=past)
    sweeps.sweep_lights(hall="luolong", actor=SYSTEM, at=now())
    return number, approver_of(number)


def printed(pdf: bytes, folder: Path) -> str:
    """The words of a paper, without the spaces between them."""
    file = folder / "report.pdf"
    file.write_bytes(pdf)
    told = subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, check=True, text=True)
    return "".join(told.stdout.split())


def tell_all() -> None:
    """Tell the signals as if the doors were open."""
    db.session.query(CaseSignal).update({"told_at": now()})
    db.session.commit()


# ── reports ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", [*PAGES, "/supervisor/cases?figure=late"])
def test_reports_are_for_those_who_watch(app: Flask, path: str) -> None:
    assert Visitor(app).get(path).status_code == 302
    assert visitor(app, "clerk01").get(path).status_code == 403
    assert visitor(app, "chief01").get(path).status_code == 200


def test_every_figure_leads_to_its_cases(app: Flask, staff: Find, late: tuple[str, str]) -> None:
    number, owner = late
    hall, case_id = find_case(number)
    decide_case(hall=hall, actor=staff(owner), at=now(), case_id=case_id, outcome="granted")
    supervisor = visitor(app, "supervisor01")
    page = supervisor.get("/supervisor/reports?hall=luolong")
    assert page.status_code == 200 and "超期未说明" in said(page.text)
    links = [link for link in supervisor.links("/supervisor/cases") if "figure=" in link]
    figures = {link.partition("figure=")[2].partition("&")[0] for link in links}
    assert {"received", "decided", "late", "late_statutory", "late_unexplained"} <= figures <= set(reports.FIGURES)
    for link in links:
        assert number in supervisor.get(link).text, link
    assert "没有公开理由" in said(page.text)


def test_a_case_of_two_departments_is_found_under_each_and_open_once(app: Flask, staff: Find, tmp_path: Path) -> None:
    announce_calendar()
    done, open_ = received(staff, item=SIDE_BY_SIDE), received(staff, item=SIDE_BY_SIDE)
    departments = ["区行政审批局", "区公安分局"]
    hall, case_id = find_case(done)
    for department in departments:
        who = db.session.query(Staff.username).filter_by(department=department).scalar()
        decide_case(hall=hall, actor=staff(who), at=now(), case_id=case_id, outcome="granted")
    supervisor = visitor(app, "supervisor01")
    supervisor.get("/supervisor/reports?hall=luolong")
    links = {link for link in supervisor.links("/supervisor/cases") if "figure=decided" in link}
    assert len(links) == 3  # each department's and the sum
    for link in links:
        assert [number in supervisor.get(link).text for number in (done, open_)] == [True, False], link
    page = said(supervisor.get("/supervisor/cases?figure=decided&side=department&key=区公安分局").text)
    assert "· 区公安分局" in page and all(department in page for department in departments)
    english = said(supervisor.get("/supervisor/cases?figure=decided&side=department&key=区公安分局&lang=en").text)
    assert "· Public Security" in english
    supervisor.get("/?lang=zh")
    raw = supervisor.get("/supervisor/reports.csv?hall=luolong").data.decode("utf-8-sig")
    rows = {row[0]: row[1:3] for row in csv.reader(StringIO(raw))}
    assert [rows[name] for name in (*departments, "合计")] == [["2", "1"]] * 3
    text = printed(supervisor.get("/supervisor/reports.pdf?hall=luolong").data, tmp_path)
    assert "编制时在办1件" in text and "按部门统计时各计一件" in text


@pytest.mark.parametrize("query", ["", "period=day&side=item", "period=week&side=clerk", "side=hall&hall=all"])
def test_a_report_can_be_asked_in_many_ways(app: Flask, staff: Find, query: str) -> None:
    received(staff)
    supervisor = visitor(app, "supervisor01")
    for path in PAGES:
        assert supervisor.get(f"{path}?{query}").status_code == 200, path
        assert supervisor.get(f"{path}?{query}&lang=en").status_code == 200, path
    supervisor.get("/?lang=zh")


@pytest.mark.parametrize("query", ["period=year", "on=gestern", "on=9999-12-31", "on=0001-01-01", "side=x", "page=-1"])
def test_a_strange_address_is_today(app: Flask, query: str) -> None:
    supervisor = visitor(app, "supervisor01")
    assert supervisor.get(f"/supervisor/reports?{query}").status_code == 200
    assert supervisor.get(f"/supervisor/cases?figure=late&{query}").status_code == 200
    assert supervisor.get("/supervisor/reports?hall=nowhere").status_code == 404


def test_page_csv_and_xlsx_say_the_same(app: Flask, staff: Find) -> None:
    received(staff)
    supervisor = visitor(app, "supervisor01")
    raw = supervisor.get("/supervisor/reports.csv?hall=luolong").data
    assert raw.startswith(b"\xef\xbb\xbf")  # so that Excel reads it as UTF-8
    head, *rows = list(csv.reader(StringIO(raw.decode("utf-8-sig"))))
    assert head[:3] == ["部门", "收件", "办结"] and rows[-1][:3] == ["合计", "1", "0"] and len(rows) == 2
    assert {len(row) for row in rows} == {len(head)}
    answer = supervisor.get("/supervisor/reports.xlsx?hall=luolong")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    book = ZipFile(BytesIO(answer.data))
    words = book.read("xl/sharedStrings.xml").decode()
    assert all(name in words for name in head) and rows[0][0] in words
    assert "<v>1</v>" in book.read("xl/worksheets/sheet1.xml").decode()
    assert "按时办结率（%）" in head and "转承诺件率（%）" in head  # the numbers carry no sign


def test_what_the_printed_report_has_no_room_for_it_says(app: Flask, staff: Find, late: tuple[str, str]) -> None:
    hall, case_id = find_case(late[0])
    decide_case(hall=hall, actor=staff(late[1]), at=now(), case_id=case_id, outcome="granted")
    span = Span.holding(Period.MONTH, local_day(now()))
    report = reports.report(hall="luolong", span=span, side="item", at=now())
    db.session.rollback()
    row, case = report["rows"][0], report["late"][0]
    report["rows"] = [{**row, "key": str(n), "name": f"事项{n}"} for n in range(60)]
    report["total"] = {**report["total"], "received": 60, "decided": 60, "late": 160}
    report["late"], report["late_more"] = [case] * 100, True
    report["open"] = [{**dict.fromkeys(Light, 1), "total": 5, "name": f"部门{n}"} for n in range(50)]
    with app.test_request_context():
        parts = report_words.printed(report, report["total"], None).parts
    done, pace, overdue, open_ = parts[1], parts[2], parts[3], parts[5]
    table, bars = done.blocks
    assert len(table.rows) == 42 and table.rows[40][0] == "其余 20 行" and table.rows[40][1:3] == ["20", "20"]
    assert sum(int(line[1]) for line in table.rows[:-1]) == int(table.rows[-1][1]) == 60
    assert "的 40 行" in done.text[0] and "20 行" in done.text[0] and done.text[0] in pace.text
    assert "12 行" in bars.caption and len(bars.names) == 12
    assert overdue.text[1] == "只列到期最早的 100 件，另有 60 件。"
    assert open_.blocks[0].rows[-1] == ["其余 10 行", *["10"] * 5, "50"]


def test_the_report_prints(app: Flask, staff: Find, late: tuple[str, str], tmp_path: Path) -> None:
    number, owner = late
    hall, case_id = find_case(number)
    told = {"reason": "系统检修，<b>已恢复</b>"}
    oversight.explain_overdue(hall=hall, actor=staff(owner), at=now(), case_id=case_id, **told)
    decide_case(hall=hall, actor=staff(owner), at=now(), case_id=case_id, outcome="granted")
    answer = visitor(app, "supervisor01").get("/supervisor/reports.pdf?hall=luolong")
    assert answer.mimetype == "application/pdf" and answer.headers["Cache-Control"] == "private, no-store"
    text = printed(answer.data, tmp_path)
    quiet = "没有将变黄牌、红牌的办件"  # said in words, not by an empty chart
    for words in (
        "办件督办月报",
        "洛龙区政务服务中心",
        "一、总体情况",
        "六、在办件和预测",
        number[:8],
        "口径说明",
        quiet,
    ):
        assert words in text, words
    assert "<b>已恢复</b>" in text and "第1页" in text
    english = visitor(app, "supervisor01").get("/supervisor/reports.pdf?hall=luolong&lang=en").data
    assert english[:5] == b"%PDF-"


# ── signals ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_desk_opens_its_signals(app: Flask, late: tuple[str, str]) -> None:
    number, owner = late
    tell_all()
    desk = visitor(app, owner)
    assert "条新信号" in said(desk.get("/approver").text)
    page = desk.get("/signals").text
    assert number in page and "红牌" in said(page)
    signal = desk.hidden("signal")
    answer = desk.post("/signals/open", {"signal": signal, "next": f"/cases/{number}"})
    assert answer.status_code == 303 and answer.headers["Location"].endswith(f"/cases/{number}")
    assert "没有新信号" in said(desk.get("/signals").text) and "条新信号" not in said(desk.get("/approver").text)
    away = desk.post("/signals/open", {"signal": signal, "next": "https://example.org/"})
    assert away.headers["Location"].endswith("/signals")
    assert desk.post("/signals/open", {"signal": "x"}).status_code == 404


def test_signals_go_up_the_ladder_and_not_aside(app: Flask, late: tuple[str, str]) -> None:
    number, _owner = late
    tell_all()
    for who, sees in (("chief01", True), ("supervisor01", True), ("approver01", False)):
        desk = visitor(app, who)
        assert (number in desk.get("/signals").text) == sees, who
        assert desk.post("/signals/seen").status_code == 303
        assert "没有新信号" in said(desk.get("/signals").text)
    assert visitor(app, "clerk01").get("/signals").status_code == 403
    assert Visitor(app).get("/signals").status_code == 302


# ── on the page of a case ───────────────────────────────────────────────────────────────────────────────────────


def test_a_supervisor_urges_and_the_owner_answers(app: Flask, staff: Find) -> None:
    number = received(staff)
    supervisor, owner = visitor(app, "supervisor01"), visitor(app, approver_of(number))
    assert "督办本件" in said(supervisor.get(f"/cases/{number}").text)
    key = supervisor.hidden("idempotency_key")
    empty = supervisor.post(f"/cases/{number}/urge", {"idempotency_key": key, "note": " "})
    assert empty.status_code == 422 and "请填写理由" in said(empty.text)
    for _press in range(2):
        answer = supervisor.post(f"/cases/{number}/urge", {"idempotency_key": "a-key", "note": "群众来电询问\n请答复"})
        assert answer.status_code == 303
    assert "督办待答复" in said(owner.get("/approver").text) and number in owner.get("/signals").text
    page = said(owner.get(f"/cases/{number}").text)
    assert "群众来电询问" in page and "最迟" in page
    long = owner.post(f"/cases/{number}/answer-urge", {"idempotency_key": "b-key", "answer": "好" * 501})
    assert long.status_code == 422 and "好" * 501 in long.text  # what was typed is still there
    assert (
        owner.post(f"/cases/{number}/answer-urge", {"idempotency_key": "c-key", "answer": "今日办结"}).status_code
        == 303
    )
    assert "今日办结" in said(supervisor.get(f"/cases/{number}").text)
    assert "督办待答复" not in said(owner.get("/approver").text)
    clerk = visitor(app, "clerk01")
    assert "督办本件" not in said(clerk.get(f"/cases/{number}").text)
    assert clerk.post(f"/cases/{number}/urge", {"idempotency_key": "d-key", "note": "x"}).status_code == 403


def test_who_was_urged_answers_after_the_decision_too(app: Flask, staff: Find) -> None:
    announce_calendar()
    number = received(staff)
    hall, case_id = find_case(number)
    oversight.urge_case(hall=hall, actor=staff("supervisor01"), at=now(), case_id=case_id, note="请速办")
    decide_case(hall=hall, actor=staff(approver_of(number)), at=now(), case_id=case_id, outcome="granted")
    supervisor, owner = visitor(app, "supervisor01"), visitor(app, approver_of(number))
    assert number in supervisor.get("/signals").text and "1 件督办待答复" in said(owner.get("/approver").text)
    assert "督办本件" not in said(supervisor.get(f"/cases/{number}").text)
    page = said(owner.get(f"/cases/{number}").text)
    assert "答复督办" in page and "没有答复" not in page
    given = {"idempotency_key": "g-key", "answer": "已经办结"}
    assert owner.post(f"/cases/{number}/answer-urge", given).status_code == 303
    assert "已经办结" in said(supervisor.get(f"/cases/{number}").text)
    assert "督办待答复" not in said(supervisor.get("/signals").text)
    assert "督办待答复" not in said(owner.get("/approver").text)


def test_what_was_decided_late_still_asks_its_department_for_the_reason(
    app: Flask, staff: Find, late: tuple[str, str]
) -> None:
    number, owner_name = late
    hall, case_id = find_case(number)
    decide_case(hall=hall, actor=staff(owner_name), at=now(), case_id=case_id, outcome="granted")
    supervisor, owner, other = visitor(app, "supervisor01"), visitor(app, owner_name), visitor(app, "approver01")
    assert "超期未说明" in said(owner.get("/approver?tab=done").text)
    assert "1 件超期未说明理由" in said(owner.get("/approver").text) and number in owner.get("/signals").text
    assert "超期未说明理由" not in said(other.get("/approver").text) and number not in other.get("/signals").text
    assert number in supervisor.get("/supervisor/cases?silent=1&hall=luolong").text
    page = owner.get(f"/cases/{number}").text
    assert "公开说明超期理由" in said(page) and "estimate_on" not in page
    given = {"idempotency_key": "h-key", "reason": "省厅系统检修"}
    assert owner.post(f"/cases/{number}/explain-overdue", given).status_code == 303
    for desk in ("/approver", "/signals"):
        assert "超期未说明理由" not in said(owner.get(desk).text)
    assert number not in supervisor.get("/supervisor/cases?silent=1&hall=luolong").text
    public = said(Visitor(app).get(f"/c/{codes_of(hall, case_id)['query_token']}").text)
    assert "省厅系统检修" in public and owner_name not in public


def test_a_late_case_asks_for_its_reason_and_everybody_reads_it(app: Flask, staff: Find, late: tuple[str, str]) -> None:
    number, owner_name = late
    supervisor, owner = visitor(app, "supervisor01"), visitor(app, owner_name)
    assert "未说明理由" in said(supervisor.get("/supervisor?hall=luolong").text)
    assert "公开说明超期理由" in said(owner.get(f"/cases/{number}").text)
    assert "公开说明超期理由" not in said(supervisor.get(f"/cases/{number}").text)
    given = {"idempotency_key": "e-key", "reason": "省厅系统检修", "estimate_on": "2000-01-01"}
    assert owner.post(f"/cases/{number}/explain-overdue", given).status_code == 422
    given |= {"idempotency_key": "f-key", "estimate_on": ""}
    assert owner.post(f"/cases/{number}/explain-overdue", given).status_code == 303
    assert "省厅系统检修" in said(owner.get(f"/cases/{number}").text)
    assert "未说明理由" not in said(supervisor.get("/supervisor/cases?overdue=1&hall=luolong").text)
    public = said(Visitor(app).get(f"/c/{codes_of(*find_case(number))['query_token']}").text)
    assert "省厅系统检修" in public and owner_name not in public


def test_the_board_counts_by_each_side_and_looks_ahead(app: Flask, staff: Find) -> None:
    announce_calendar()
    number = received(staff)
    change(number, order_at=now() + timedelta(seconds=30), promised_due_at=now() + timedelta(seconds=30))
    supervisor = visitor(app, "supervisor01")
    for side in ("department", "hall", "clerk", "stage", "nonsense"):
        page = supervisor.get(f"/supervisor?hall=luolong&by={side}")
        assert page.status_code == 200 and "data-chart" in page.text
        for link in supervisor.links("/supervisor/cases?"):
            if "overdue" not in link:
                assert number in supervisor.get(link).text, link
    supervisor.get("/supervisor?hall=luolong")
    assert any("due=" in link for link in supervisor.links("/supervisor/cases?"))
