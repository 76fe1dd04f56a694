"""Between the levels, on both databases: a village collects, papers travel with a manifest, results come down again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from app import eventlog
from app.casework import delivery, inbox, intake, levels, levels_queries, queries, review, supplement, sweeps
from app.casework.models import Case
from app.catalog.queries import item as guide_of
from app.catalog.queries import search_items
from app.db import HallHead, db
from app.errors import Refusal
from app.events import SYSTEM
from app.notices import queries as papers
from app.people.models import Staff
from tests.actions.conftest import ID, Hall

APPLICANT = {"kind": "person", "name": "张三丰", "id_number": ID, "phone": "13812341234"}


def refused(code: str):
    return pytest.raises(Refusal, match=f"^{code}$")


def collect(
    hall: Hall, missing: tuple[str, ...] = (), who: str = "clerk31", point: str = "dongcun"
) -> tuple[dict[str, Any], int]:
    code = search_items("食品经营许可延续")["items"][0]["code"]
    materials = [
        {"code": m["code"], "state": "missing" if m["code"] in missing else "received"}
        for m in guide_of(code)["materials"]
    ]
    case = hall.do(levels.collect_case, who, point, item=code, applicant=APPLICANT, materials=materials)
    return case, queries.find_case(case["number"])[1]


def send(hall: Hall, *case_ids: int, who: str = "clerk31", **more: Any) -> tuple[dict[str, Any], int]:
    view = hall.do(levels.send_manifest, who, "dongcun", case_ids=case_ids, **more)
    return view, levels_queries.find_manifest(view["number"])[1]


def test_what_is_collected_has_a_number_and_a_slip_and_no_clock(hall: Hall) -> None:
    with refused("manifest.to_hall"):
        collect(hall, who="clerk01", point="luolong")  # nobody is above
    case, case_id = collect(hall)
    assert case["state"] == "draft" and case["number"].startswith("DC") and case["received_at"] is None
    assert [n["kind"] for n in case["notices"]] == ["manifest"] and case["notice_due_at"] is None
    facts = papers.notice("dongcun", case["notices"][0]["id"])["facts"]
    assert facts["from_name"] == "张三丰" and "转送" in facts["purpose"] and facts["entries"]
    with refused("case.illegal_step"):
        hall.do(intake.accept_case, "clerk31", "dongcun", case_id=case_id)


def test_what_cannot_be_sent(hall: Hall) -> None:
    _, case_id = collect(hall)
    with refused("manifest.empty"):
        send(hall)
    with refused("case.unknown"):
        send(hall, 10**6)
    with refused("manifest.to_hall"):
        send(hall, case_id, to_hall="dongcun")
    with refused("auth.forbidden"):
        send(hall, case_id, who="approver01")
    with refused("auth.foreign_hall"):
        send(hall, case_id, who="clerk21")  # the township has not got it yet
    send(hall, case_id)
    with refused("manifest.on_its_way"):
        send(hall, case_id)


def test_only_the_hall_it_is_addressed_to_takes_a_bundle_over_and_once(hall: Hall) -> None:
    _, case_id = collect(hall)
    view, manifest_id = send(hall, case_id)
    assert (view["from_hall"], view["to_hall"], view["state"]) == ("dongcun", "lilou", "sent")
    for who in ("clerk01", "clerk31"):
        with refused("auth.foreign_hall"):
            hall.do(levels.arrive_manifest, who, "dongcun", manifest_id=manifest_id)
    with refused("auth.forbidden"):
        hall.do(levels.arrive_manifest, "approver01", "dongcun", manifest_id=manifest_id)
    with refused("auth.foreign_hall"):
        hall.do(intake.accept_case, "clerk21", "dongcun", case_id=case_id)  # not before the papers are there
    hall.do(levels.arrive_manifest, "clerk21", "dongcun", manifest_id=manifest_id)
    with refused("manifest.arrived"):
        hall.do(levels.arrive_manifest, "clerk21", "dongcun", manifest_id=manifest_id)
    with refused("manifest.unknown"):
        hall.do(levels.arrive_manifest, "clerk21", "dongcun", manifest_id=10**6)


def test_the_papers_arrive_and_the_cases_are_received_and_accepted_there(hall: Hall) -> None:
    (whole, whole_id), (part, part_id), (lost, lost_id) = collect(hall), collect(hall, ("M1",)), collect(hall)
    _, manifest_id = send(hall, whole_id, part_id, lost_id, note="雨天，装防水袋")
    desk = levels_queries.manifest_desk("lilou", hall.at)
    assert [m["cases"] for m in desk["to_receive"]] == [3] and desk["up"] == []
    hall.later(days=1)
    notes = {lost["number"]: "袋内没有此件", part["number"]: "缺申请书"}
    given = {"manifest_id": manifest_id, "missing": [lost["number"]], "notes": notes}
    view = hall.do(levels.arrive_manifest, "clerk21", "dongcun", **given)
    assert {e["number"]: (e["entry"], e["state"], e["note"]) for e in view["entries"]} == {
        whole["number"]: ("arrived", "accepted", ""),
        part["number"]: ("arrived", "received", "缺申请书"),
        lost["number"]: ("missing", "draft", "袋内没有此件"),
    }
    case = db.session.get(Case, ("dongcun", whole_id))
    assert case.received_at == case.accepted_at == hall.at and case.forwarded_to == "lilou"
    receipt = queries.case_view("dongcun", whole_id, hall.at)["notices"][1]
    assert papers.notice("dongcun", receipt["id"])["facts"]["hall_name"] == "李楼镇便民服务中心"
    assert levels_queries.works_with("lilou", "dongcun", whole_id) and not levels_queries.works_with(
        "lilou", "dongcun", lost_id
    )
    told = hall.do(supplement.request_supplement, "clerk21", "dongcun", case_id=part_id, items=[{"code": "M1"}])
    assert told["state"] == "correction"  # the hall above goes on with it
    with refused("auth.foreign_hall"):
        hall.do(supplement.request_supplement, "clerk01", "dongcun", case_id=part_id, items=[{"code": "M1"}])
    assert [c["number"] for c in levels_queries.manifest_desk("dongcun", hall.at)["up"]] == [lost["number"]]


def test_the_result_goes_down_again_and_is_issued_in_the_village(hall: Hall) -> None:
    case, case_id = collect(hall)
    _, up = send(hall, case_id, to_hall="luolong")
    hall.do(levels.arrive_manifest, "clerk01", "dongcun", manifest_id=up)
    view = queries.case_view("dongcun", case_id, hall.at)
    with refused("manifest.not_sendable"):
        send(hall, case_id, who="clerk01")  # not decided yet
    hall.later(hours=2).do(review.decide_case, hall.approver(view), "dongcun", case_id=case_id, outcome="granted")
    assert list(levels_queries.manifest_desk("luolong", hall.at)["down"]) == ["dongcun"]
    sent, down = send(hall, case_id, who="clerk01")
    assert (sent["from_hall"], sent["to_hall"], sent["down"]) == ("luolong", "dongcun", True)
    assert levels_queries.manifest_desk("luolong", hall.at)["down"] == {}
    with refused("auth.foreign_hall"):
        hall.do(levels.arrive_manifest, "clerk01", "dongcun", manifest_id=down)
    hall.later(days=1).do(levels.arrive_manifest, "clerk31", "dongcun", manifest_id=down, shelf="A-01")
    view = queries.case_view("dongcun", case_id, hall.at)
    assert view["state"] == "ready" and view["result"]["shelf"] == "A-01"
    view = hall.do(delivery.hand_over, "clerk31", "dongcun", case_id=case_id, receiver="张三丰", id_number=ID)
    assert view["state"] == "delivered"


def test_a_forwarded_case_keeps_its_clock_while_its_papers_travel(hall: Hall) -> None:
    db.session.query(HallHead).filter_by(hall="lilou").update({"last_at": hall.at})
    db.session.commit()
    item = {"who": "clerk21", "hall": "lilou"}
    code = search_items("食品经营许可延续")["items"][0]["code"]
    materials = [{"code": m["code"]} for m in guide_of(code)["materials"]]
    case = hall.do(intake.receive_case, **item, item=code, applicant=APPLICANT, materials=materials)
    case_id = queries.find_case(case["number"])[1]
    case = hall.do(intake.accept_case, **item, case_id=case_id)
    due = case["clocks"]["promised"]["due_at"]
    hall.do(review.forward_case, hall.approver(case), "lilou", case_id=case_id)
    view = hall.do(levels.send_manifest, "clerk21", "lilou", case_ids=[case_id])
    manifest_id = levels_queries.find_manifest(view["number"])[1]
    hall.later(days=1).do(levels.arrive_manifest, "clerk01", "lilou", manifest_id=manifest_id)
    view = queries.case_view("lilou", case_id, hall.at)
    assert view["state"] == "forwarded" and view["clocks"]["promised"]["due_at"] == due
    assert levels_queries.manifest_desk("lilou", hall.at)["up"] == []


def test_a_village_collects_a_township_accepts_and_passes_on_and_the_city_decides(spring: Hall) -> None:
    """The papers of one case go up two levels, each leg with its manifest; the result goes down to the village."""
    case, case_id = collect(spring)
    _, up = send(spring, case_id)
    spring.do(levels.arrive_manifest, "clerk21", "dongcun", manifest_id=up)
    view = queries.case_view("dongcun", case_id, spring.at)
    assert (view["state"], view["handled_in"]) == ("accepted", "lilou")
    approver = spring.approver(view)
    spring.do(review.forward_case, approver, "dongcun", case_id=case_id)  # to the hall above the one that handles it
    assert queries.case_view("dongcun", case_id, spring.at)["forwarded_to"] == "luolong"
    (way,) = levels_queries.manifest_desk("lilou", spring.at)["on"]
    assert (way["of"], way["to_hall"], [each["number"] for each in way["cases"]]) == (
        "dongcun",
        "luolong",
        [case["number"]],
    )
    with refused("manifest.not_sendable"):
        send(spring, case_id, who="clerk31", to_hall="luolong")  # its papers lie in the township
    with refused("manifest.to_hall"):
        send(spring, case_id, who="clerk21", to_hall="dongcun")
    sent, on = send(spring, case_id, who="clerk21", to_hall="luolong")
    assert (sent["from_hall"], sent["to_hall"], sent["down"]) == ("lilou", "luolong", False)
    assert levels_queries.manifest_desk("lilou", spring.at)["on"] == []
    with refused("auth.foreign_hall"):
        spring.do(levels.arrive_manifest, "clerk21", "dongcun", manifest_id=on)
    spring.later(days=1).do(levels.arrive_manifest, "clerk01", "dongcun", manifest_id=on)
    assert queries.case_view("dongcun", case_id, spring.at)["handled_in"] == "luolong"
    with refused("case.illegal_step"):
        spring.do(review.forward_case, approver, "dongcun", case_id=case_id)  # there is nothing above
    spring.do(review.return_case, approver, "dongcun", case_id=case_id, reason="须重新初审")
    back = queries.case_view("dongcun", case_id, spring.at)
    assert (back["state"], back["forwarded_to"], back["handled_in"]) == ("accepted", "lilou", "lilou")
    spring.do(review.forward_case, approver, "dongcun", case_id=case_id)
    assert levels_queries.works_with("lilou", "dongcun", case_id)  # its papers lie there until they go on
    spring.do(review.decide_case, approver, "dongcun", case_id=case_id, outcome="granted")
    _, down = send(spring, case_id, who="clerk01")
    spring.do(levels.arrive_manifest, "clerk31", "dongcun", manifest_id=down)
    assert queries.case_view("dongcun", case_id, spring.at)["handled_in"] == "dongcun"
    assert not levels_queries.works_with("lilou", "dongcun", case_id)


def test_the_record_names_cases_and_halls_and_nobody(hall: Hall) -> None:
    case, case_id = collect(hall)
    _, manifest_id = send(hall, case_id, note="张三丰的材料")
    hall.do(
        levels.arrive_manifest, "clerk21", "dongcun", manifest_id=manifest_id, notes={case["number"]: "张三丰缺签名"}
    )
    rows = [row for row in eventlog.read("dongcun", 0, 10_000) if row.event.kind.startswith("manifest.")]
    assert [row.event.kind for row in rows] == ["manifest.sent", "manifest.arrived"]
    assert rows[1].event.cases == (case["number"],) and rows[1].event.missing == ()
    assert "三丰" not in str(rows)


def listed(hall: Hall, where: str | None, **more: Any) -> list[str]:
    page = inbox.inbox(at=hall.at, hall=where, **more)
    assert page["total"] == len(page["items"])
    return [line["number"] for line in page["items"]]


def test_what_came_up_is_in_the_inbox_of_the_hall_above(spring: Hall) -> None:
    hall = spring
    (whole, whole_id), (part, part_id), (_, lost_id) = collect(hall), collect(hall, ("M1",)), collect(hall)
    assert listed(hall, "lilou") == []  # it lies in the village
    _, manifest_id = send(hall, whole_id, part_id, lost_id, to_hall="luolong")
    assert listed(hall, "luolong") == []  # it is on its way
    missing = [queries.case_view("dongcun", lost_id, hall.at)["number"]]
    given = {"manifest_id": manifest_id, "missing": missing}
    hall.later(days=1).do(levels.arrive_manifest, "clerk01", "dongcun", **given)
    own, _ = hall.later(days=3).accepted()
    assert listed(hall, "luolong") == [whole["number"], own["number"], part["number"]]  # what is being decided first
    assert listed(hall, "luolong", per_page=20, state="todo") == [whole["number"], own["number"]]
    assert sorted(listed(hall, "dongcun")) == sorted([whole["number"], part["number"], *missing])
    assert listed(hall, "lilou") == [] and len(listed(hall, None)) == 4
    assert listed(hall, "luolong", q=part["number"]) == [part["number"]]
    assert listed(hall, "lilou", q=part["number"]) == []
    assert inbox.tab_counts(hall="luolong")["intake"] == 1 and inbox.tab_counts(hall="luolong")["todo"] == 2

    department = queries.case_view("dongcun", whole_id, hall.at)["departments"][0]["department"]
    assert listed(hall, "luolong", department=department) == [whole["number"], own["number"]]
    assert listed(hall, "lilou", department=department) == []
    hall.later(days=60).do(sweeps.sweep_lights, SYSTEM, "dongcun")
    assert listed(hall, "luolong", state="overdue") == [whole["number"]]
    assert listed(hall, "luolong", state="overdue", department=department) == [whole["number"]]
    assert listed(hall, "luolong", light="red") == [whole["number"]]

    hall.do(review.decide_case, hall.approver(own), "dongcun", case_id=whole_id, outcome="granted")
    assert listed(hall, "luolong", department=department, state="pickup") == []  # the part of the department is over
    assert listed(hall, "luolong", department=department, state="done") == [whole["number"]]
    assert listed(hall, "luolong", state="pickup") == [whole["number"]]


def test_what_is_over_stands_newest_first_whichever_way_it_came(spring: Hall) -> None:
    hall = spring
    (old, old_id), (young, young_id) = collect(hall), collect(hall)
    _, first = send(hall, old_id, to_hall="luolong")
    hall.do(levels.arrive_manifest, "clerk01", "dongcun", manifest_id=first)
    own, own_id = hall.later(days=7).accepted()
    _, second = send(hall.later(days=7), young_id, to_hall="luolong")
    hall.do(levels.arrive_manifest, "clerk01", "dongcun", manifest_id=second)
    for case_id, where in ((old_id, "dongcun"), (own_id, "luolong"), (young_id, "dongcun")):
        hall.do(intake.withdraw_case, "clerk01", where, case_id=case_id)
    assert listed(hall, "luolong", state="done") == [young["number"], own["number"], old["number"]]


def test_a_question_of_a_window_below_is_answered_above(hall: Hall) -> None:
    case, case_id = collect(hall, ("M1",))
    _, manifest_id = send(hall, case_id, to_hall="luolong")
    hall.do(levels.arrive_manifest, "clerk01", "dongcun", manifest_id=manifest_id)
    hall.do(intake.raise_no_request, "clerk01", "dongcun", case_id=case_id, kind="out_of_scope", reason="不属本级")
    assert [row["number"] for row in inbox.no_requests("luolong")] == [case["number"]]
    assert inbox.no_requests("lilou") == []


def plans_of(look: Callable[[], Any], *words: str) -> list[str]:
    """How the database reads what a look at it asks, of the statements in which all these words stand."""
    read: list[tuple[str, Any]] = []

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if all(word in statement for word in words):
            read.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    look()
    event.remove(db.engine, "before_cursor_execute", note)
    db.session.rollback()
    plans = []
    with db.engine.connect() as connection:
        server = connection.dialect.name == "postgresql"
        if server:  # a table of three rows is read whole unless that costs very much
            connection.exec_driver_sql("SET enable_seqscan = off")
        for statement, parameters in read:
            asked = f"{'EXPLAIN' if server else 'EXPLAIN QUERY PLAN'} {statement}"
            plans.append(
                " ".join(str(row[0 if server else 3]) for row in connection.exec_driver_sql(asked, parameters))
            )
    return plans


def test_both_ways_into_an_inbox_are_read_along_an_index(hall: Hall) -> None:
    hall.accepted()
    server = db.engine.dialect.name == "postgresql"

    def look() -> None:
        for department in (None, "区行政审批局"):
            for state in ("todo", "overdue"):
                inbox.inbox(at=hall.at, hall="luolong", department=department, state=state)

    plans = plans_of(look, "order_at", "LIMIT")
    assert len(plans) == 8  # each page is counted, then read
    wanted = [
        ("ix_cases_hall_tab", "ix_cases_forwarded_tab"),
        ("ix_cases_overdue", "ix_cases_forwarded_overdue"),
        ("ix_case_reviews_hall_tab", "ix_case_reviews_forwarded_tab"),
        ("ix_case_reviews_hall_overdue", "ix_case_reviews_forwarded_overdue"),
    ]
    for number, plan in enumerate(plans):
        own, risen = wanted[number // 2]
        assert risen in plan and "Seq Scan" not in plan and "TEMP B-TREE FOR ORDER" not in plan.split("UNION")[0], plan
        assert server or own in plan, plan  # with so few rows PostgreSQL takes any index that begins with the tab


def up_and_decided(hall: Hall, missing: tuple[str, ...] = ()) -> tuple[dict[str, Any], int]:
    """Collected in the village, received and accepted in luolong, granted."""
    case, case_id = collect(hall, missing)
    _, up = send(hall, case_id, to_hall="luolong")
    hall.do(levels.arrive_manifest, "clerk01", "dongcun", manifest_id=up)
    view = queries.case_view("dongcun", case_id, hall.at)
    return hall.do(review.decide_case, hall.approver(view), "dongcun", case_id=case_id, outcome="granted"), case_id


def test_every_paper_of_a_case_that_came_up_speaks_for_the_hall_that_handles_it(spring: Hall) -> None:
    case, case_id = collect(spring, ("M1",))
    assert case["handled_in"] == "dongcun"
    _, up = send(spring, case_id, to_hall="luolong")
    department = case["item"]["department"]
    approver = db.session.query(Staff.username).filter_by(department=department).scalar()
    db.session.rollback()
    steps = [
        lambda: spring.do(levels.arrive_manifest, "clerk01", "dongcun", manifest_id=up),
        lambda: spring.do(supplement.request_supplement, "clerk01", "dongcun", case_id=case_id, items=[{"code": "M1"}]),
        lambda: spring.do(supplement.supply, "clerk01", "dongcun", case_id=case_id, items=["M1"]),
        lambda: spring.do(review.decide_case, approver, "dongcun", case_id=case_id, outcome="granted"),
        lambda: spring.do(delivery.ready_case, "pickup01", "dongcun", case_id=case_id),
    ]
    told = {}
    for step in steps:
        step()
        view = queries.case_view("dongcun", case_id, spring.at)
        db.session.rollback()
        for paper in view["notices"]:
            told.setdefault(paper["kind"], papers.notice("dongcun", paper["id"])["facts"])
        spring.later(minutes=5)
    assert view["handled_in"] == "luolong" and view["result"]["shelf"] == "A-01"
    above = {"supplement", "supplement_receipt", "acceptance", "decision", "pickup", "receipt"}
    assert above <= told.keys()
    assert {facts["hall_name"] for kind, facts in told.items() if kind in above} == {"洛龙区政务服务中心"}
    assert {facts["hall_address"] for kind, facts in told.items() if kind in above} == {"洛龙区开元大道 218 号"}
    assert "window" not in told["acceptance"]  # the village's window says nothing in luolong
    assert told["manifest"]["hall_name"] == "东村便民服务点"


def test_the_pickup_desk_of_the_hall_that_handles_a_case_lists_it_until_it_went_down(spring: Hall) -> None:
    def desks(where: str = "pickup_list") -> dict[str, list[str]]:
        rows = {code: getattr(inbox, where)(code, spring.at) for code in ("luolong", "lilou", "dongcun")}
        return {code: [row["number"] for row in found] for code, found in rows.items() if found}

    case, case_id = up_and_decided(spring)
    assert desks() == {"luolong": [case["number"]]}
    view = spring.do(delivery.ready_case, "pickup01", "dongcun", case_id=case_id)
    assert view["result"]["shelf"] == "A-01" and delivery.next_shelf(db.session(), "luolong") == "A-02"
    assert delivery.next_shelf(db.session(), "dongcun") == "A-01"
    spring.do(delivery.ready_case, "pickup01", "dongcun", case_id=case_id, shelf="B-07")  # only moved
    assert len(queries.case_view("dongcun", case_id, spring.at)["notices"]) == len(view["notices"])

    _, down = send(spring, case_id, who="pickup01")
    view = queries.case_view("dongcun", case_id, spring.at)
    assert (view["result"]["shelf"], view["handled_in"]) == (None, "luolong")  # it is on its way
    assert delivery.next_shelf(db.session(), "luolong") == "A-01"
    spring.later(days=1).do(levels.arrive_manifest, "clerk31", "dongcun", manifest_id=down)
    view = queries.case_view("dongcun", case_id, spring.at)
    assert (view["state"], view["result"]["shelf"], view["handled_in"]) == ("ready", "A-01", "dongcun")
    assert desks() == {"dongcun": [case["number"]]}
    last = papers.notice("dongcun", view["notices"][-1]["id"])
    assert (last["kind"], last["facts"]["hall_name"]) == ("pickup", "东村便民服务点")  # the first one said luolong
    db.session.rollback()
    with refused("manifest.not_sendable"):
        send(spring, case_id, who="pickup01")  # it is luolong's no more
    sent = {"carrier": "EMS", "tracking_number": "1", "address": "东村 3 组"}
    spring.do(delivery.dispatch_case, "clerk31", "dongcun", case_id=case_id, **sent)
    assert desks("unsigned") == {"dongcun": [case["number"]]}


def test_a_result_not_found_in_its_bundle_is_still_the_senders(spring: Hall) -> None:
    case, case_id = up_and_decided(spring)
    spring.do(delivery.ready_case, "pickup01", "dongcun", case_id=case_id)
    _, down = send(spring, case_id, who="pickup01")
    given = {"manifest_id": down, "missing": [case["number"]]}
    with refused("manifest.not_in_it"):
        spring.do(levels.arrive_manifest, "clerk31", "dongcun", manifest_id=down, missing=["DC209901010001"])
    with refused("manifest.not_in_it"):
        spring.do(levels.arrive_manifest, "clerk31", "dongcun", manifest_id=down, notes={"DC209901010001": "破损"})
    spring.do(levels.arrive_manifest, "clerk31", "dongcun", **given)
    assert [row["number"] for row in inbox.pickup_list("luolong", spring.at)] == [case["number"]]
    assert list(levels_queries.manifest_desk("luolong", spring.at)["down"]) == ["dongcun"]
    view = spring.do(delivery.ready_case, "pickup01", "dongcun", case_id=case_id)
    assert (view["result"]["shelf"], view["handled_in"]) == ("A-01", "luolong")


def test_a_result_made_ready_above_lies_on_the_upper_shelf_also_when_no_papers_went_up(spring: Hall) -> None:
    case, case_id = forwarded(spring)
    spring.do(review.decide_case, spring.approver(case), "lilou", case_id=case_id, outcome="granted")
    view = spring.do(delivery.ready_case, "pickup01", "lilou", case_id=case_id, shelf="C-09")
    assert view["handled_in"] == "luolong"
    assert [(r["number"], r["shelf"]) for r in inbox.pickup_list("luolong", spring.at)] == [(case["number"], "C-09")]
    assert inbox.pickup_list("lilou", spring.at) == []


def forwarded(hall: Hall) -> tuple[dict[str, Any], int]:
    """Received and accepted in lilou, sent up to luolong."""
    code = search_items("食品经营许可延续")["items"][0]["code"]
    given = {
        "item": code,
        "applicant": APPLICANT,
        "materials": [{"code": m["code"]} for m in guide_of(code)["materials"]],
    }
    case = hall.do(intake.receive_case, "clerk21", "lilou", **given)
    case_id = queries.find_case(case["number"])[1]
    case = hall.do(intake.accept_case, "clerk21", "lilou", case_id=case_id)
    return hall.do(review.forward_case, hall.approver(case), "lilou", case_id=case_id), case_id


def test_what_is_returned_from_above_is_the_lower_halls_again(spring: Hall) -> None:
    case, case_id = forwarded(spring)
    view = spring.do(levels.send_manifest, "clerk21", "lilou", case_ids=[case_id])
    spring.do(review.take_case, spring.approver(case), "lilou", case_id=case_id)
    back = spring.do(review.return_case, spring.approver(case), "lilou", case_id=case_id, reason="材料不符")
    assert (back["state"], back["forwarded_to"], back["handled_in"]) == ("accepted", None, "lilou")
    with refused("auth.foreign_hall"):
        spring.do(intake.withdraw_case, "clerk01", "lilou", case_id=case_id)
    assert listed(spring, "luolong") == [] and listed(spring, "lilou") == [case["number"]]
    manifest_id = levels_queries.find_manifest(view["number"])[1]
    spring.do(levels.arrive_manifest, "clerk01", "lilou", manifest_id=manifest_id)  # its papers were on their way
    assert queries.case_view("lilou", case_id, spring.at)["handled_in"] == "lilou"
    spring.do(intake.withdraw_case, "clerk21", "lilou", case_id=case_id)


def test_what_was_collected_and_is_returned_stays_with_the_hall_that_received_it(spring: Hall) -> None:
    case, case_id = collect(spring)
    _, up = send(spring, case_id)
    spring.do(levels.arrive_manifest, "clerk21", "dongcun", manifest_id=up)
    case = queries.case_view("dongcun", case_id, spring.at)
    for who, to_hall in ((spring.approver(case), None), (spring.approver(case), "luolong")):
        if to_hall:
            spring.do(review.forward_case, who, "dongcun", case_id=case_id, to_hall=to_hall)
        case = spring.do(review.return_case, who, "dongcun", case_id=case_id, reason="重新核对")
        assert (case["forwarded_to"], case["handled_in"]) == ("lilou", "lilou")
