"""A case through the API: received, told once, accepted, decided, handed over; and everyone who may not."""

from __future__ import annotations

from typing import Any

import pytest
from marshmallow import fields

from app.api.case_shapes import CaseLine, PublicCase, StaffCase, shown
from app.casework.inbox import inbox
from app.casework.queries import case_view, find_case, public_view
from app.db import db
from app.now import now
from app.people.models import Staff
from tests.api.asking import Asking

WANG = {
    "kind": "person",
    "name": "王小明",
    "id_type": "id_card",
    "id_number": "11010519491231002X",
    "phone": "13800138000",
}
SECRETS = ("王小明", "11010519491231002X", "13800138000")
CLERK, CHIEF, PICKUP, SUPERVISOR = ({"who": f"{role}01"} for role in ("clerk", "chief", "pickup", "supervisor"))


@pytest.fixture
def guide(ask: Asking) -> dict[str, Any]:
    """A written item of several days with one deciding department, main and secondary materials, that a chief may decide."""
    for page in range(1, 6):
        for line in ask.get(f"/halls/luolong/items?page={page}")["items"]:
            found = ask.get(f"/items/{line['code']}")
            kinds = [material["kind"] for material in found["materials"] if material["required"]]
            fits = found["time_class"] == "multi_day" and len(found["departments"]) == 1 and found["chief_may_decide"]
            if fits and {"main", "secondary"} <= set(kinds) and found["promised"]["amount"] >= 3:
                return found
    raise AssertionError("no such item")


@pytest.fixture
def approver(ask: Asking, guide: dict[str, Any]) -> dict[str, str]:
    return {"who": approver_of(ask, guide["departments"][0])}


def approver_of(ask: Asking, department: str) -> str:
    name = db.session.query(Staff.username).filter_by(department=department).scalar()
    db.session.rollback()
    return name


def materials(guide: dict[str, Any], *lacking: str) -> list[dict[str, str]]:
    """All materials received, but those of these kinds."""
    return [{"code": m["code"], "state": "missing" if m["kind"] in lacking else "received"} for m in guide["materials"]]


def received(ask: Asking, guide: dict[str, Any], *lacking: str, **more: Any) -> dict[str, Any]:
    body = {"item": guide["code"], "applicant": WANG, "materials": materials(guide, *lacking), **more}
    return ask.post("/cases", body, 201, **CLERK)


def accepted(ask: Asking, guide: dict[str, Any]) -> str:
    number = received(ask, guide)["number"]
    assert ask.post(f"/cases/{number}/accept", **CLERK)["state"] == "accepted"
    return number


def granted(ask: Asking, guide: dict[str, Any], approver: dict[str, str]) -> str:
    number = accepted(ask, guide)
    ask.post(f"/cases/{number}/decide", {"outcome": "granted"}, **approver)
    return number


def test_a_case_from_receipt_to_delivery(ask: Asking, guide: dict[str, Any], approver: dict[str, str]) -> None:
    case = received(ask, guide)
    number = case["number"]
    assert case["state"] == "received" and len(case["query_code"]) == 6 and len(case["pickup_code"]) == 6
    taken_in = ask.post(f"/cases/{number}/accept", **CLERK)
    assert taken_in["state"] == "accepted" and taken_in["acceptance_number"]
    clock = taken_in["clocks"]["promised"]
    assert clock["remaining"] == guide["promised"]["amount"] and clock["running"] and not clock["stopped"]
    assert [line["kind"] for line in taken_in["history"]][:2] == ["case.received", "notice.issued"]
    assert "take" in taken_in["steps"]

    assert number in {line["number"] for line in ask.get("/cases", **approver)["items"]}
    assert ask.post(f"/cases/{number}/take", **approver)["state"] == "review"
    decided = ask.post(f"/cases/{number}/decide", {"outcome": "granted"}, **approver)
    assert (decided["state"], decided["outcome"]) == ("granted", "granted")
    assert ask.post(f"/cases/{number}/ready", {"shelf": "A-3"}, **PICKUP)["result"]["shelf"] == "A-3"
    hand_over = {"pickup_code": case["pickup_code"], "receiver": "王小明"}
    assert ask.post(f"/cases/{number}/hand-over", hand_over, **PICKUP)["state"] == "delivered"


def test_nobody_who_may_not_takes_a_step(ask: Asking, guide: dict[str, Any], approver: dict[str, str]) -> None:
    number = accepted(ask, guide)
    foreign = "approver01" if approver["who"] != "approver01" else "approver02"
    for step in ("take", "resume"):
        ask.refused("auth.forbidden", "POST", f"/cases/{number}/{step}", **CLERK)
    ask.refused("auth.foreign_department", "POST", f"/cases/{number}/take", who=foreign)
    ask.refused("auth.foreign_department", "POST", f"/cases/{number}/decide", {"outcome": "granted"}, who=foreign)
    ask.refused("auth.forbidden", "POST", f"/cases/{number}/accept", **approver)
    ask.refused("auth.forbidden", "POST", f"/cases/{number}/decide", {"outcome": "granted"}, **PICKUP)
    ask.refused("auth.forbidden", "GET", f"/cases/{number}", who="guide01")
    ask.refused("auth.forbidden", "GET", f"/cases/{number}", token=ask.device("kiosk"))
    for path in ("", "/deadline", "/notices"):
        ask.refused("auth.foreign_hall", "GET", f"/cases/{number}{path}", who="clerk21")
    for step in ("accept", "withdraw"):
        ask.refused("auth.foreign_hall", "POST", f"/cases/{number}/{step}", who="clerk21")
    ask.refused(
        "auth.foreign_hall",
        "POST",
        f"/cases/{number}/reveal",
        {"field": "name", "reason": "verify"},
        who="clerk21",
    )
    ask.refused("auth.foreign_hall", "GET", "/cases?hall=luolong", who="clerk21")
    assert ask.get("/cases", who="clerk21")["total"] == 0


def test_a_case_is_refused_at_receipt(ask: Asking, guide: dict[str, Any]) -> None:
    good = {"item": guide["code"], "applicant": WANG, "materials": []}
    for change, code in (
        ({"item": "no-such-item"}, "item.unknown"),
        ({"applicant": {**WANG, "kind": "robot"}}, "case.applicant_kind"),
        ({"applicant": {**WANG, "name": " "}}, "text.empty"),
        ({"applicant": {**WANG, "name": "王\u0007"}}, "text.invalid"),
        ({"applicant": {**WANG, "name": "王" * 10_000}}, "text.too_long"),
        ({"applicant": {**WANG, "id_number": "身份证"}}, "person.bad_id"),
        ({"applicant": {**WANG, "phone": "12"}}, "person.bad_phone"),
        ({"applicant": {"kind": "person"}}, "request.invalid"),
        ({"applicant": None}, "request.invalid"),
        ({"applicant": [WANG]}, "request.invalid"),
        ({"materials": [{"code": "no-such-paper"}]}, "case.material_unknown"),
        ({"materials": [{"code": guide["materials"][0]["code"], "state": "eaten"}]}, "request.invalid"),
        ({"materials": [{"code": 5}]}, "request.invalid"),
        ({"materials": [guide["materials"][0]["code"]]}, "request.invalid"),
        ({"materials": [{"code": "x"}] * 101}, "request.invalid"),
        ({"ticket": "luolong-999999"}, "ticket.unknown"),
        ({"ticket": "lilou-1"}, "ticket.unknown"),
        ({"ticket": "x"}, "ticket.unknown"),
        ({"hall": "lilou"}, "auth.foreign_hall"),
        ({"hall": "nowhere"}, "hall.unknown"),
        ({"delivery": {"address": {"street": 1}}}, "request.invalid"),
        ({"agent": {"name": ""}}, "text.empty"),
    ):
        ask.refused(code, "POST", "/cases", {**good, **change}, **CLERK)
    ask.refused("auth.forbidden", "POST", "/cases", good, who="approver01")


def test_a_case_keeps_ticket_and_window_agent_and_delivery(ask: Asking, guide: dict[str, Any]) -> None:
    ticket = ask.post("/halls/luolong/tickets", {"queue": "A"}, 201, who="guide01")
    ask.post("/windows/luolong-W03/open", **CLERK)
    agent = {
        "name": "李四海",
        "id_number": "110105199001011234",
        "phone": "13900139000",
        "letter": "委托书 1 号",
    }
    delivery = {"method": "post", "address": "开元大道 1 号"}
    case = received(ask, guide, ticket=ticket["id"], agent=agent, delivery=delivery)
    assert case["window"] == "W03" and case["agent"]["name"] == "李*海"
    assert case["history"][0]["body"]["ticket"] == int(ticket["id"].rpartition("-")[2])


def test_people_are_masked_until_a_look_is_recorded(ask: Asking, guide: dict[str, Any]) -> None:
    number = received(ask, guide)["number"]
    seen = ask("GET", f"/cases/{number}", **CLERK)
    assert seen.json["applicant"] == {
        "kind": "person",
        "name": "王*明",
        "id_number": "1****************X",
        "phone": "138****8000",
    }
    for text in (
        seen.text,
        ask("GET", "/cases", **CLERK).text,
        ask("GET", f"/cases/{number}/notices", **CLERK).text,
    ):
        assert not any(secret in text for secret in SECRETS)
    path = f"/cases/{number}/reveal"
    ask.refused("reveal.reason", "POST", path, {"field": "phone", "reason": "curious"}, **CLERK)
    ask.refused("request.invalid", "POST", path, {"field": "shoe", "reason": "verify"}, **CLERK)
    ask.refused("auth.forbidden", "POST", path, {"field": "phone", "reason": "verify"}, **SUPERVISOR)
    assert ask.post(path, {"field": "phone", "reason": "contact"}, **CLERK) == {
        "field": "phone",
        "value": "13800138000",
    }
    for _ in range(2):  # with the same key too: each is a look
        ask.post(path, {"field": "phone", "reason": "contact"}, key="again", **CLERK)
    record = ask("GET", "/halls/luolong/events?limit=1000", **SUPERVISOR)
    assert [line["kind"] for line in record.json[-3:]] == ["field.revealed"] * 3
    assert record.json[-1]["body"]["reason"] == "contact"
    assert not any(secret in record.text for secret in SECRETS)


def test_what_is_missing_is_told_once(ask: Asking, guide: dict[str, Any]) -> None:
    number = received(ask, guide, "main")["number"]
    lacking = [m["code"] for m in guide["materials"] if m["kind"] == "main" and m["required"]]
    ask.refused("case.materials_missing", "POST", f"/cases/{number}/accept", **CLERK)
    ask.refused("case.tolerant_main", "POST", f"/cases/{number}/accept", {"tolerant": {"commitment": "补"}}, **CLERK)
    path = f"/cases/{number}/request-supplement"
    ask.refused("case.nothing_missing", "POST", path, {"items": []}, **CLERK)
    ask.refused("case.material_unknown", "POST", path, {"items": [{"code": "x"}]}, **CLERK)
    told = {"items": [{"code": code, "problem": "未带原件"} for code in lacking]}
    asked = ask.post(path, told, **CLERK)
    assert asked["state"] == "correction"
    assert {m["code"] for m in asked["materials"] if m["problem"] == "未带原件"} == set(lacking)
    ask.refused("case.second_notice", "POST", path, told, **CLERK)
    ask.refused("case.reason_required", "POST", path, told, **SUPERVISOR)
    again = ask.post(path, {**told, "repeat_reason": "漏列一页"}, **SUPERVISOR)
    assert (again["state"], again["flags"]["told"]) == ("correction", True)
    ask.refused("case.material_unknown", "POST", f"/cases/{number}/supply", {"items": ["x"]}, **CLERK)
    ask.refused("request.invalid", "POST", f"/cases/{number}/supply", {"items": [7]}, **CLERK)
    given = [lacking[0], *({"code": code, "state": "shared"} for code in lacking[1:])]
    assert ask.post(f"/cases/{number}/supply", {"items": given}, **CLERK)["state"] == "accepted"


def test_in_review_the_deciding_department_asks(ask: Asking, guide: dict[str, Any], approver: dict[str, str]) -> None:
    told = {"items": [{"code": guide["materials"][0]["code"], "problem": "模糊"}]}
    number = received(ask, guide)["number"]
    ask.refused("auth.forbidden", "POST", f"/cases/{number}/request-supplement", told, **approver)
    ask.post(f"/cases/{number}/accept", **CLERK)
    ask.refused("auth.forbidden", "POST", f"/cases/{number}/request-supplement", told, **CLERK)
    asked = ask.post(f"/cases/{number}/request-supplement", told, **approver)
    assert asked["state"] == "review_correction"
    assert asked["clocks"]["promised"]["stopped"] and not asked["clocks"]["statutory"]["stopped"]


def test_secondary_materials_may_follow(ask: Asking, guide: dict[str, Any], approver: dict[str, str]) -> None:
    number = received(ask, guide, "secondary")["number"]
    path = f"/cases/{number}/accept"
    ask.refused("case.tolerant_commitment", "POST", path, {"tolerant": {"gap_limit": 1}}, **CLERK)
    ask.refused("case.tolerant_gap", "POST", path, {"tolerant": {"commitment": "补", "gap_limit": 300}}, **CLERK)
    for gap in (0, -1, 1.5, "2", True, [1], {"amount": 0}, {"amount": 10**12}, {"unit": "WD"}, 10**12):
        ask.refused("request.invalid", "POST", path, {"tolerant": {"commitment": "补", "gap_limit": gap}}, **CLERK)
    good = {"commitment": "三日内补齐", "gap_limit": {"amount": 1, "unit": "WD"}}
    case = ask.post(path, {"tolerant": good}, **CLERK)
    assert case["flags"]["tolerant"] and case["gap_due_at"]
    ask.refused("case.gap_open", "POST", f"/cases/{number}/decide", {"outcome": "granted"}, **approver)
    lacking = [m["code"] for m in guide["materials"] if m["kind"] == "secondary"]
    assert ask.post(f"/cases/{number}/supply", {"items": lacking}, **CLERK)["gap_due_at"] is None


def test_a_window_has_no_veto(ask: Asking, guide: dict[str, Any]) -> None:
    number = received(ask, guide)["number"]
    path = f"/cases/{number}/no-request"
    ask.refused("case.no_request_kind", "POST", path, {"kind": "mood", "reason": "x"}, **CLERK)
    ask.refused("case.reason_required", "POST", path, {"kind": "grey_area"}, **CLERK)
    ask.refused("case.no_request_none", "POST", f"/cases/{number}/answer-no-request", {"answer": "accept"}, **CHIEF)
    asked = ask.post(path, {"kind": "out_of_scope", "reason": "住所在外区"}, **CLERK)
    assert asked["no_request"] == {
        "kind": "out_of_scope",
        "reason": "住所在外区",
        "by": "clerk01",
        "answer": None,
    }
    ask.refused("case.no_request_open", "POST", f"/cases/{number}/accept", **CLERK)
    answer = f"/cases/{number}/answer-no-request"
    ask.refused("auth.forbidden", "POST", answer, {"answer": "accept"}, **CLERK)
    ask.refused("request.invalid", "POST", answer, {"answer": "perhaps"}, **CHIEF)
    ask.refused("case.reason_required", "POST", answer, {"answer": "not_accepted"}, **CHIEF)
    ask.refused("case.basis_required", "POST", answer, {"answer": "not_accepted", "reason": "住所在外区"}, **CHIEF)
    no = {"answer": "not_accepted", "reason": "住所在外区", "basis": "《行政许可法》第三十二条", "go_to": "外区大厅"}
    assert ask.post(answer, no, **CHIEF)["state"] == "not_accepted"
    assert "non_acceptance" in {n["kind"] for n in ask.get(f"/cases/{number}/notices", **CLERK)}


def test_clocks_stop_resume_and_extend(ask: Asking, guide: dict[str, Any], approver: dict[str, str]) -> None:
    number = accepted(ask, guide)
    path = f"/cases/{number}/suspend"
    ask.refused("case.ground", "POST", path, {"ground": "lunch", "days": 3}, **approver)
    for days in (0, -5, 10_000):
        ask.refused("case.days", "POST", path, {"ground": "hearing", "days": days}, **approver)
    ask.refused("request.invalid", "POST", path, {"ground": "hearing", "days": 10**30}, **approver)
    ask.refused("request.invalid", "POST", path, {"ground": "hearing"}, **approver)
    stopped = ask.post(path, {"ground": "hearing", "days": 3}, **approver)
    assert stopped["state"] == "special" and stopped["clocks"]["statutory"]["stopped"]
    assert stopped["clocks"]["promised"]["due_at"] is None and stopped["light"] == "stopped"
    ask.refused("case.illegal_step", "POST", f"/cases/{number}/decide", {"outcome": "granted"}, **approver)
    assert ask.post(f"/cases/{number}/resume", **approver)["state"] == "review"
    site = f"/cases/{number}/check-site"
    ask.refused("case.ground", "POST", site, {"ground": "hearing", "days": 3}, **approver)
    ask.refused("case.days", "POST", site, {"days": 0}, **approver)
    ask.refused("request.invalid", "POST", site, {}, **approver)
    gone = ask.post(site, {"days": 3}, **approver)
    assert gone["state"] == "site_check" and gone["stops"][-1]["ground"] == "site_check"
    assert gone["clocks"]["promised"]["stopped"] and not gone["clocks"]["statutory"]["stopped"]
    assert ask.post(f"/cases/{number}/resume", **approver)["state"] == "review"
    ask.refused("auth.forbidden", "POST", f"/cases/{number}/extend", {"reason": "案情复杂"}, **SUPERVISOR)
    ask.refused("case.reason_required", "POST", f"/cases/{number}/extend", {}, **approver)
    assert ask.post(f"/cases/{number}/extend", {"reason": "案情复杂"}, **approver)["flags"]["extended"]
    ask.refused("case.extended_once", "POST", f"/cases/{number}/extend", {"reason": "再延"}, **approver)
    ledger = ask.get(f"/cases/{number}/deadline", **approver)
    assert ledger["promised"][0]["start"] and ledger["statutory"]


def test_return_forward_and_withdraw(ask: Asking, guide: dict[str, Any], approver: dict[str, str]) -> None:
    number = accepted(ask, guide)
    ask.refused("case.reason_required", "POST", f"/cases/{number}/return", {}, **approver)
    assert ask.post(f"/cases/{number}/return", {"reason": "缺章"}, **approver)["state"] == "accepted"
    for hall in ("nowhere", "luolong"):
        ask.refused("case.to_hall", "POST", f"/cases/{number}/forward", {"to_hall": hall}, **approver)
    ask.refused("case.to_hall", "POST", f"/cases/{number}/forward", **approver)
    assert ask.post(f"/cases/{number}/withdraw", **CLERK)["state"] == "withdrawn"
    ask.refused("case.illegal_step", "POST", f"/cases/{number}/withdraw", **CLERK)


def test_a_township_forwards_to_the_county(ask: Asking, guide: dict[str, Any], approver: dict[str, str]) -> None:
    body = {"item": guide["code"], "applicant": WANG, "materials": materials(guide)}
    number = ask.post("/cases", body, 201, who="clerk21")["number"]
    ask.post(f"/cases/{number}/accept", who="clerk21")
    assert ask.post(f"/cases/{number}/forward", **approver)["forwarded_to"] == "luolong"
    assert ask.post(f"/cases/{number}/decide", {"outcome": "granted"}, **approver)["state"] == "granted"


def test_a_refusal_says_why(ask: Asking, guide: dict[str, Any], approver: dict[str, str]) -> None:
    number = accepted(ask, guide)
    path = f"/cases/{number}/decide"
    ask.refused("case.outcome", "POST", path, {"outcome": "perhaps"}, **approver)
    ask.refused("case.reason_required", "POST", path, {"outcome": "refused"}, **approver)
    ask.refused("case.basis_required", "POST", path, {"outcome": "refused", "reason": "不符合条件"}, **approver)
    no = {"outcome": "refused", "reason": "不符合条件", "basis": "《食品安全法》第三十五条"}
    assert ask.post(path, no, **approver)["state"] == "refused"
    ask.refused("case.illegal_step", "POST", path, no, **approver)
    ask.refused("case.illegal_step", "POST", f"/cases/{number}/ready", **PICKUP)


def test_who_proposed_does_not_decide(ask: Asking, guide: dict[str, Any], approver: dict[str, str]) -> None:
    number = accepted(ask, guide)
    path = f"/cases/{number}/propose"
    ask.refused("case.outcome", "POST", path, {"outcome": "perhaps"}, **approver)
    ask.refused("auth.forbidden", "POST", path, {"outcome": "granted"}, **CLERK)
    part = ask.post(path, {"outcome": "granted", "note": "拟准予"}, **approver)["departments"][0]
    assert (part["proposed_by"], part["proposal"], part["note"]) == (approver["who"], "granted", "拟准予")
    ask.refused("case.signatures", "POST", path, {"outcome": "granted"}, **CHIEF)
    ask.refused("case.own_proposal", "POST", f"/cases/{number}/decide", {"outcome": "granted"}, **approver)
    assert ask.post(f"/cases/{number}/decide", {"outcome": "granted"}, **CHIEF)["state"] == "granted"


def test_a_decision_is_checked_only_on_commitment_and_revoked_in_writing(
    ask: Asking, guide: dict[str, Any], approver: dict[str, str]
) -> None:
    number = granted(ask, guide, approver)
    ask.refused("request.invalid", "POST", f"/cases/{number}/check", {"outcome": "perhaps"}, **approver)
    ask.refused("case.no_check", "POST", f"/cases/{number}/check", {"outcome": "kept"}, **approver)
    path = f"/cases/{number}/revoke"
    ask.refused("auth.forbidden", "POST", path, {}, **CLERK)
    ask.refused("case.reason_required", "POST", path, {}, **approver)
    ask.refused("case.basis_required", "POST", path, {"reason": "以欺骗手段取得"}, **approver)
    gone = ask.post(path, {"reason": "以欺骗手段取得", "basis": "《行政许可法》第六十九条"}, **approver)
    assert gone["state"] == "void" and gone["notices"][-1]["kind"] == "revocation"


def test_the_chief_may_decide_where_authorised(ask: Asking, guide: dict[str, Any]) -> None:
    number = accepted(ask, guide)
    assert ask.post(f"/cases/{number}/decide", {"outcome": "granted"}, **CHIEF)["state"] == "granted"


def test_results_go_to_the_right_hands(ask: Asking, guide: dict[str, Any], approver: dict[str, str]) -> None:
    number = granted(ask, guide, approver)
    path = f"/cases/{number}/hand-over"
    ask.refused("case.receiver_mismatch", "POST", path, {"receiver": "王小明", "pickup_code": "xxxxxx"}, **PICKUP)
    ask.refused("case.receiver_mismatch", "POST", path, {"receiver": "王小明"}, **PICKUP)
    ask.refused("case.receiver_mismatch", "POST", path, {"receiver": "王小明", "id_number": "1"}, **PICKUP)
    ask.refused("request.invalid", "POST", path, {}, **PICKUP)
    mine = {"receiver": "李四海", "id_number": WANG["id_number"]}
    ask.refused("case.agent_letter", "POST", path, {**mine, "agent": {"name": "李四海"}}, **PICKUP)
    ask.refused("auth.forbidden", "POST", path, mine, **CLERK)
    ask.refused("case.receiver_name", "POST", path, mine, **PICKUP)
    drawn = {**mine, "receiver": "王小明", "signature": "data:image/png;base64,AAAA"}
    ask.refused("case.signature", "POST", path, drawn, **PICKUP)
    agent = {"name": "李四海", "letter": "委托书"}
    assert ask.post(path, {**mine, "agent": agent}, **PICKUP)["delivered_how"] == "window"

    posted = granted(ask, guide, approver)
    ask.refused("text.empty", "POST", f"/cases/{posted}/dispatch", {"carrier": "", "tracking_number": "1"}, **PICKUP)
    by = {"carrier": "邮政", "tracking_number": "EX1"}
    ask.refused("case.courier_zone", "POST", f"/cases/{posted}/dispatch", {**by, "zone": "moon"}, **PICKUP)
    sent = ask.post(f"/cases/{posted}/dispatch", by, **PICKUP)
    assert (sent["state"], sent["delivered_how"], sent["delivered_at"]) == ("delivered", "courier", None)
    back = f"/cases/{posted}/come-back"
    ask.refused("request.invalid", "POST", back, {"reason": "张三拒收"}, **PICKUP)
    lies = ask.post(back, {"reason": "refused", "shelf": "B-02"}, **PICKUP)
    assert (lies["state"], lies["result"]["shelf"]) == ("ready", "B-02")
    ask.refused("case.illegal_step", "POST", back, {"reason": "refused"}, **PICKUP)
    sent = ask.post(f"/cases/{posted}/dispatch", by, **PICKUP)
    slip = f"/cases/{posted}/sign"
    for day in ("1999-01-01", "2999-01-01"):
        ask.refused("case.sign_date", "POST", slip, {"receiver": "王小明", "signed_on": day}, **PICKUP)
    ask.refused("request.invalid", "POST", slip, {"receiver": "王小明", "signed_on": "yesterday"}, **PICKUP)
    assert not sent["delivery"]["signed"] and ask.post(slip, {"receiver": "王小明"}, **PICKUP)["delivery"]["signed"]
    ask.refused("case.not_dispatched", "POST", slip, {"receiver": "王小明"}, **PICKUP)
    ask.refused("case.not_dispatched", "POST", f"/cases/{number}/sign", {"receiver": "王小明"}, **PICKUP)


def test_papers(ask: Asking, guide: dict[str, Any], approver: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(kind: str, facts: dict[str, Any], language: str) -> bytes:
        return f"%PDF-1.7 {kind} {facts['case_number']} {language}".encode()  # how paper looks is tested elsewhere

    monkeypatch.setattr("app.notices.queries.render", drawn)
    number = granted(ask, guide, approver)
    papers = ask.get(f"/cases/{number}/notices", **CLERK)
    assert [paper["kind"] for paper in papers] == ["receipt", "acceptance", "decision"]
    assert ask.get(f"/cases/{number}", **CLERK)["notices"] == papers
    paper = ask("GET", papers[0]["pdf"], **CLERK)
    assert paper.mimetype == "application/pdf" and "filename" in paper.headers["Content-Disposition"]
    assert paper.text == f"%PDF-1.7 receipt {number} zh"
    assert ask("GET", f"{papers[0]['pdf']}?language=en", **CLERK).text == f"%PDF-1.7 receipt {number} en"
    ask.refused("request.invalid", "GET", f"{papers[0]['pdf']}?language=fr", **CLERK)
    ask.refused("auth.foreign_hall", "GET", papers[0]["pdf"], who="clerk21")
    ask.refused("auth.forbidden", "GET", papers[0]["pdf"], who="guide01")
    ask.refused("notice.unknown", "GET", "/notices/luolong-999999.pdf", **CLERK)
    ask.post(f"/cases/{number}/dispatch", {"carrier": "EMS", "tracking_number": "1"}, **PICKUP)
    slip = ask.get(f"/cases/{number}/notices", **CLERK)[-1]
    assert slip["kind"] == "courier" and ask("GET", slip["pdf"], **PICKUP).mimetype == "application/pdf"
    ask.refused("reveal.reason", "GET", slip["pdf"], **CLERK)  # phone and address are on it
    ask.refused("reveal.reason", "POST", slip["pdf"], {"reason": "curious"}, **CLERK)
    assert ask("POST", slip["pdf"], {"reason": "contact"}, **CLERK).text == f"%PDF-1.7 courier {number} zh"
    look = ask.get(f"/cases/{number}", **CLERK)["history"][-1]
    assert (look["kind"], look["actor"]) == ("field.revealed", "staff:clerk01")
    assert (look["body"]["field"], look["body"]["reason"]) == ("paper", "contact")
    assert slip["id"] == f"luolong-{look['body']['notice']}"


def test_anyone_with_the_receipt_may_ask(ask: Asking, guide: dict[str, Any]) -> None:
    case = received(ask, guide, "main")
    asked = {"number": case["number"].lower(), "query_code": case["query_code"].lower()}
    view = ask("POST", "/case-queries", asked)
    assert view.json["state"] == "received" and view.json["item"]["code"] == guide["code"]
    assert not any(secret in view.text for secret in (*SECRETS, "王*明", case["pickup_code"], case["query_token"]))
    ask.post(
        f"/cases/{case['number']}/request-supplement",
        {"items": [{"code": guide["materials"][0]["code"]}]},
        **CLERK,
    )
    assert ask.post("/case-queries", asked)["to_bring"]
    for wrong in (
        {**asked, "query_code": "AAAAAA"},
        {**asked, "number": "LL190001010001"},
        {"number": "", "query_code": ""},
    ):
        ask.refused("case.query_mismatch", "POST", "/case-queries", wrong)
    for unreadable in ({"number": 5, "query_code": []}, {"number": case["number"]}, {}):
        ask.refused("request.invalid", "POST", "/case-queries", unreadable)
    ask.refused("text.invalid", "POST", "/case-queries", {"number": "\0", "query_code": "\ud800"})


def test_the_inbox(ask: Asking, guide: dict[str, Any], approver: dict[str, str]) -> None:
    numbers = [accepted(ask, guide) for _ in range(3)]
    page = ask.get("/cases?per_page=2", **approver)
    assert (page["total"], page["pages"], len(page["items"])) == (3, 2, 2)
    assert {line["number"] for line in page["items"]} <= set(numbers)
    assert len(ask.get("/cases?per_page=2&page=2", **approver)["items"]) == 1
    other = next(f"approver{n:02}" for n in range(1, 30) if f"approver{n:02}" != approver["who"])
    assert ask.get("/cases", who=other)["total"] == 0
    assert ask.get(f"/cases?department={guide['departments'][0]}", **CHIEF)["total"] == 3
    assert ask.get("/cases?state=accepted&light=green", **CLERK)["total"] == 3
    assert ask.get("/cases?state=overdue", **SUPERVISOR)["total"] == 0
    assert ask.get("/cases?hall=lilou", **SUPERVISOR)["total"] == 0
    for query in ("state=happy", "light=blue", "page=0", "page=x"):
        ask.refused("request.invalid", "GET", f"/cases?{query}", **SUPERVISOR)
    ask.refused("hall.unknown", "GET", "/cases?hall=nowhere", **SUPERVISOR)


def test_a_repeated_receipt_is_one_case(ask: Asking, guide: dict[str, Any]) -> None:
    body = {"item": guide["code"], "applicant": WANG, "materials": materials(guide)}
    first = ask.post("/cases", body, 201, key="desk-1", **CLERK)
    assert ask.post("/cases", body, 201, key="desk-1", **CLERK) == first
    assert ask.get("/cases", **CLERK)["total"] == 1
    once = ask.post(f"/cases/{first['number']}/accept", key="desk-2", **CLERK)
    assert ask.post(f"/cases/{first['number']}/accept", key="desk-2", **CLERK) == once
    ask.refused("idempotency.mismatch", "POST", "/cases", {**body, "materials": []}, key="desk-1", **CLERK)
    assert find_case(first["number"])


def test_numbers_that_are_none(ask: Asking) -> None:
    for number in ("x", "%00", "LL20260101%200001", "%ed%a0%80", "A" * 500, "LL' OR 1=1"):
        ask.refused("case.unknown", "GET", f"/cases/{number}", **CLERK)
        ask.refused("case.unknown", "POST", f"/cases/{number}/withdraw", **CLERK)


def dropped(view: Any, shape: Any, path: str = "") -> set[str]:
    """The members of a view that its shape would leave out."""
    found = set()
    for name, value in view.items():
        field = shape.fields.get(name)
        inner = getattr(field, "inner", field)
        if field is None:
            found.add(f"{path}{name}")
        elif isinstance(inner, fields.Nested) and value:
            for part in value if isinstance(value, list) else [value]:
                found |= dropped(part, inner.schema, f"{path}{name}.")
    return found


def test_no_shape_leaves_out_what_a_view_tells(ask: Asking, guide: dict[str, Any], approver: dict[str, str]) -> None:
    number = received(ask, guide, "secondary", agent={"name": "李四海"})["number"]
    ask.post(f"/cases/{number}/no-request", {"kind": "grey_area", "reason": "待定"}, **CLERK)
    ask.post(f"/cases/{number}/answer-no-request", {"answer": "accept"}, **CHIEF)
    ask.post(f"/cases/{number}/accept", {"tolerant": {"commitment": "补", "gap_limit": 1}}, **CLERK)
    ask.post(f"/cases/{number}/suspend", {"ground": "hearing", "days": 3}, **approver)
    found = find_case(number)
    assert dropped(shown(case_view(*found, now())), StaffCase()) == {
        *("notices.hall", "notices.case_id", "notices.ticket_id"),  # in the public id
    }
    assert dropped(public_view(*found, now()), PublicCase()) == set()
    assert dropped(inbox(at=now())["items"][0], CaseLine()) == set()
