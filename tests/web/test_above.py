"""What came up from a village shows at the hall above: in its inbox, in the API, and on the pages that are open there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from app import eventlog
from app.casework import delivery, levels, levels_queries, oversight, queries, review
from app.casework.intake import raise_no_request
from app.casework.models import Case, CaseSignal
from app.catalog.queries import item as guide_of
from app.catalog.queries import search_items
from app.db import db
from app.events import Actor
from app.now import now
from app.people.models import Staff
from tests.web.visit import Visitor, announce_calendar, enter, said
from workers.consumers import Pages

Find = Callable[[str], Actor]


class Wire:
    """A bus that keeps what is sent: what changed, and in whose room."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str]] = []

    def emit(self, _event: str, data: dict[str, Any], *, namespace: str, room: str) -> None:
        assert namespace == "/staff"
        self.sent.append((data["what"], data["id"], room))


@pytest.fixture
def wire(app: Flask) -> Wire:
    announce_calendar()
    return Wire()


def tell(wire: Wire, after: int = 0) -> list[tuple[str, str, str]]:
    """What the pages are told of the village's record after a count."""
    wire.sent.clear()
    Pages(wire).take("dongcun", list(eventlog.read("dongcun", after, 10_000)), None)  # type: ignore[arg-type]
    db.session.rollback()
    return wire.sent


def collected(staff: Find) -> tuple[str, int]:
    code = search_items("食品经营许可延续")["items"][0]["code"]
    given = {"item": code, "applicant": {"kind": "person", "name": "张三丰"}}
    papers = [{"code": m["code"], "state": "received"} for m in guide_of(code)["materials"]]
    case = levels.collect_case(hall="dongcun", actor=staff("clerk31"), at=now(), materials=papers, **given)
    return case["number"], queries.find_case(case["number"])[1]


def sent(staff: Find, case_id: int) -> tuple[str, int]:
    ids = {"case_ids": [case_id], "to_hall": "luolong"}
    view = levels.send_manifest(hall="dongcun", actor=staff("clerk31"), at=now(), **ids)
    return view["number"], levels_queries.find_manifest(view["number"])[1]


def arrived(staff: Find) -> tuple[str, int]:
    number, case_id = collected(staff)
    manifest_id = sent(staff, case_id)[1]
    given = {"manifest_id": manifest_id, "accept_complete": True}
    levels.arrive_manifest(hall="dongcun", actor=staff("clerk01"), at=now(), **given)
    db.session.rollback()
    return number, case_id


def approver_of_hall(case: tuple[str, int], hall: str) -> str:
    """The approver of the case's department, now of one hall and not of the whole network."""
    department = queries.case_view("dongcun", case[1], now())["departments"][0]["department"]
    db.session.rollback()  # a snapshot that has been read cannot be written on
    db.session.execute(update(Staff).where(Staff.department == department).values(hall=hall))
    db.session.commit()
    return str(db.session.query(Staff.username).filter_by(department=department).first()[0])


def test_the_pages_of_both_halls_are_told(wire: Wire, staff: Find) -> None:
    number, case_id = collected(staff)
    assert ("case", number, "staff:dongcun") in tell(wire)
    assert {room for *_, room in wire.sent} == {"staff:dongcun"}  # nobody above has to do with it yet
    bundle, manifest_id = sent(staff, case_id)
    assert ("manifest", bundle, "staff:luolong") in tell(wire)
    assert ("case", number, "staff:luolong") not in wire.sent
    levels.arrive_manifest(hall="dongcun", actor=staff("clerk01"), at=now(), manifest_id=manifest_id)
    told = tell(wire)
    assert {room for what, name, room in told if (what, name) == ("case", number)} == {"staff:dongcun", "staff:luolong"}
    assert "staff:lilou" not in {room for *_, room in told}


def test_an_approver_of_one_hall_sees_its_cases_and_those_from_below(wire: Wire, app: Flask, staff: Find) -> None:
    case = arrived(staff)
    for hall, shown in (("luolong", True), ("lilou", False), ("dongcun", True)):
        visitor = Visitor(app)
        enter(visitor, approver_of_hall(case, hall))
        assert (case[0] in visitor.get("/approver").text) is shown, hall
        assert ("待办 1" in said(visitor.page)) is shown
        assert visitor.get(f"/cases/{case[0]}").status_code == (200 if shown else 403)


def test_an_approver_above_hears_of_an_urging_and_answers_it(wire: Wire, app: Flask, staff: Find) -> None:
    number, case_id = case = arrived(staff)
    oversight.urge_case(hall="dongcun", actor=staff("supervisor01"), at=now(), case_id=case_id, note="群众来电询问")
    db.session.execute(update(CaseSignal).values(told_at=now()))  # as if the doors were open
    db.session.commit()
    for hall, shown in (("dongcun", False), ("luolong", True)):
        visitor = Visitor(app)
        enter(visitor, approver_of_hall(case, hall))
        page = visitor.get("/signals").text
        assert (number in page) is ("群众来电询问" in page) is ("没有新信号" not in said(page)) is shown, hall
        assert visitor.post("/signals/seen").status_code == 303
    assert "没有新信号" in said(visitor.get("/signals").text)
    answer = {"answer": "今日办结。", "idempotency_key": "above-key"}
    assert visitor.post(f"/cases/{number}/answer-urge", answer).status_code == 303
    assert "群众来电询问" not in visitor.get("/signals").text


def test_a_clerk_above_lists_the_case_through_the_api(wire: Wire, app: Flask, staff: Find) -> None:
    number, _ = arrived(staff)
    for who, shown in (("clerk01", True), ("clerk21", False), ("clerk31", True)):
        visitor = Visitor(app)
        enter(visitor, who)
        page = visitor.get("/api/v1/cases?state=todo").get_json()
        assert ([line["number"] for line in page["items"]] == [number]) is shown, who


def test_the_question_about_a_case_from_below_is_asked_above(wire: Wire, app: Flask, staff: Find) -> None:
    number, case_id = collected(staff)
    manifest_id = sent(staff, case_id)[1]
    given = {"manifest_id": manifest_id, "accept_complete": False}
    levels.arrive_manifest(hall="dongcun", actor=staff("clerk01"), at=now(), **given)
    asked = {"case_id": case_id, "kind": "out_of_scope", "reason": "不属本级"}
    raise_no_request(hall="dongcun", actor=staff("clerk01"), at=now(), **asked)
    db.session.rollback()
    assert db.session.get(Case, ("dongcun", case_id)).forwarded_to == "luolong"
    db.session.rollback()
    for hall, shown in (("luolong", True), ("lilou", False)):
        db.session.rollback()
        db.session.execute(update(Staff).where(Staff.username == "chief01").values(hall=hall))
        db.session.commit()
        visitor = Visitor(app)
        enter(visitor, "chief01")
        assert (number in visitor.get("/approver?tab=questions").text) is shown, hall


def test_the_citizen_and_the_pickup_desk_see_where_the_case_is_handled(wire: Wire, app: Flask, staff: Find) -> None:
    number, case_id = arrived(staff)
    token = queries.codes_of("dongcun", case_id)["query_token"]
    case = queries.case_view("dongcun", case_id, now())
    department = case["departments"][0]["department"]
    approver = str(db.session.query(Staff.username).filter_by(department=department).first()[0])

    def do(action: Any, who: str, **more: Any) -> Any:
        db.session.rollback()
        return action(hall="dongcun", actor=staff(who), at=now(), **more)

    def told() -> str:
        db.session.rollback()
        return said(Visitor(app).get(f"/c/{token}").text)

    do(review.decide_case, approver, case_id=case_id, outcome="granted")
    do(delivery.ready_case, "pickup01", case_id=case_id)
    assert "洛龙区政务服务中心出件窗口" in told() and "洛龙区开元大道 218 号" in told() and "东村村委会" not in told()
    desk = Visitor(app)
    enter(desk, "pickup01")
    page = desk.get("/pickup").text
    assert number in page and "A-01" in page
    bundle = do(levels.send_manifest, "pickup01", case_ids=[case_id])
    assert "结果正在送往东村便民服务点" in told() and "领取地点" not in told()
    manifest_id = levels_queries.find_manifest(bundle["number"])[1]
    do(levels.arrive_manifest, "clerk31", manifest_id=manifest_id)
    assert "东村便民服务点出件窗口" in told() and "东村村委会" in told()
    assert number not in desk.get("/pickup").text
    clerk = Visitor(app)
    enter(clerk, "clerk31")
    assert number in clerk.get("/pickup").text


def test_who_handles_a_case_that_came_up_may_see_what_is_masked_for_a_reason(app: Flask, staff: Find) -> None:
    number, case_id = arrived(staff)
    for who, status in (("clerk01", 200), ("clerk21", 403)):
        visitor = Visitor(app)
        enter(visitor, who)
        visitor.get("/")
        given = {"field": "name", "reason": "verify"}
        answer = visitor.post(f"/cases/{number}/reveal", given, headers={"HX-Request": "true"})
        assert answer.status_code == status
