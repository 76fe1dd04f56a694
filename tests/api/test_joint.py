"""One-thing cases, manifests and agency orders through HTTP, every answer held against the document."""

from __future__ import annotations

from typing import Any

from tests.actions.conftest import ID
from tests.api.asking import Asking

PERSON = {"name": "李秀兰", "id_number": ID, "phone": "13812341234"}
COMPANY = {"kind": "organisation", "name": "洛阳试用商贸有限公司", "id_number": ID, "phone": "13812341234"}
ANSWERS = {"text": "试用", "address": "开元大道 1 号", "number": "100", "id": ID, "phone": "13812341234"}


def new_joint(ask: Asking, theme: str = "start-company", missing: tuple[str, ...] = ()) -> dict[str, Any]:
    told = ask.get(f"/themes/{theme}")
    answer = lambda f: f["choices"][0]["code"] if f["type"] == "choice" else ANSWERS[f["type"]]  # noqa: E731  # one line
    return {
        "theme": theme,
        "applicant": COMPANY,
        "form": {field["key"]: answer(field) for field in told["form"]},
        "materials": [
            {"code": m["code"], "state": "missing" if m["code"] in missing else "received"} for m in told["materials"]
        ],
    }


def test_a_one_thing_case_from_theme_to_collection(ask: Asking) -> None:
    assert {"start-company", "construction"} <= {theme["code"] for theme in ask.get("/themes")}
    ask.refused("theme.unknown", "GET", "/themes/none")
    ask.refused("auth.forbidden", "POST", "/joint-cases", new_joint(ask), who="approver01")
    case = ask.post("/joint-cases", new_joint(ask, missing=("M2",)), 201, who="clerk01", key="one")
    again = ask.post("/joint-cases", new_joint(ask, missing=("M2",)), 201, who="clerk01", key="one")
    assert again["number"] == case["number"]
    at = f"/joint-cases/{case['number']}"
    ask.refused("auth.foreign_hall", "GET", at, who="clerk21")
    ask.refused("joint.unknown", "GET", "/joint-cases/LLYJ0", who="clerk01")
    ask.refused("case.materials_missing", "POST", f"{at}/accept", {}, who="clerk01")
    told = ask.post(f"{at}/request-supplement", {"items": [{"code": "M2", "problem": "未签名"}]}, who="clerk01")
    assert told["state"] == "correction"
    given = {"number": case["number"], "query_code": case["query_code"]}
    back = {"lane": "returning", "case_number": case["number"]}
    kiosk = {"token": ask.device("kiosk")}
    ask.refused("case.query_mismatch", "POST", "/halls/luolong/tickets", {**back, "query_code": "AAAAAA"}, **kiosk)
    lent = ask.post("/halls/luolong/tickets", {**back, "query_code": case["query_code"]}, 201, **kiosk)
    waiting = ask.get(at, who="clerk01")["children"][0]["number"]
    assert ask.get(f"/tickets/{lent['token']}")["case_number"] == waiting
    assert ask.post("/halls/luolong/tickets", back, who="guide01")["id"] == lent["id"]
    public = ask.post("/joint-case-queries", given)
    assert [paper["problem"] for paper in public["to_bring"]] == ["未签名"] and "秀兰" not in str(public)
    ask.refused("joint.query_mismatch", "POST", "/joint-case-queries", {**given, "query_code": "AAAAAA"})
    assert ask.post(f"{at}/supply", {"items": ["M2"]}, who="clerk01")["state"] == "accepted"
    ask.refused("case.no_supplement_due", "POST", "/halls/luolong/tickets", back, who="guide01")
    assert [row["number"] for row in ask.get("/joint-cases", who="clerk01")["items"]] == [case["number"]]
    ask.refused("case.not_extendable", "POST", f"{at}/extend", {"reason": "复杂"}, who="chief01")
    ask.refused("joint.nothing_granted", "POST", f"{at}/ready", {}, who="pickup01")
    view = ask.get(at, who="supervisor01")
    first = ask.get(f"/cases/{view['children'][0]['number']}", who="chief01")
    ask.post(f"/cases/{first['number']}/decide", {"outcome": "granted"}, who=_approver(ask, first))
    assert ask.post(f"{at}/ready", {"shelf": "A-09"}, who="pickup01")["children"][0]["shelf"] == "A-09"
    taken = {"receiver": "张三", "id_number": ID, "only": [first["number"]]}
    ask.refused("case.receiver_name", "POST", f"{at}/hand-over", taken, who="pickup01")
    taken["receiver"] = COMPANY["name"]
    view = ask.post(f"{at}/hand-over", taken, who="pickup01")
    assert view["children"][0]["state"] == "delivered" and view["state"] == "accepted"
    assert ask.post(f"{at}/withdraw", {}, who="clerk01")["state"] == "delivered"


def _approver(ask: Asking, case: dict[str, Any]) -> str:
    from app.db import db
    from app.people.models import Staff

    department = case["departments"][0]["department"]
    return db.session.query(Staff.username).filter_by(department=department).scalar()


def test_a_village_collects_and_the_township_takes_over(ask: Asking) -> None:
    item = ask.get("/halls/dongcun/items?q=食品经营许可延续")["items"][0]["code"]
    materials = [{"code": m["code"]} for m in ask.get(f"/items/{item}")["materials"]]
    given = {"item": item, "applicant": {"kind": "person", **PERSON}, "materials": materials}
    case = ask.post("/collected-cases", given, 201, who="clerk31")
    assert case["state"] == "draft"
    ask.refused("manifest.empty", "POST", "/manifests", {"cases": []}, who="clerk31")
    sent = ask.post("/manifests", {"cases": [case["number"]]}, 201, who="clerk31")
    ask.refused("manifest.on_its_way", "POST", "/manifests", {"cases": [case["number"]]}, who="clerk31")
    assert [m["number"] for m in ask.get("/manifests", who="clerk21")["to_receive"]] == [sent["number"]]
    at = f"/manifests/{sent['number']}"
    ask.refused("auth.foreign_hall", "GET", at, who="clerk01")
    ask.refused("auth.foreign_hall", "POST", f"{at}/arrive", {}, who="clerk31")
    assert ask.post(f"{at}/arrive", {}, who="clerk21")["entries"][0]["state"] == "accepted"
    assert ask.get(at, who="clerk31")["state"] == "arrived"
    assert ask.get(f"/cases/{case['number']}", who="clerk21")["hall"] == "dongcun"
    papers = ask.get(f"/cases/{case['number']}/notices", who="clerk21")
    assert ask("GET", papers[-1]["pdf"], who="clerk21").status_code == 200
    ask.refused("auth.foreign_hall", "GET", papers[-1]["pdf"], who="clerk01")


def test_an_agency_order_from_the_wish_to_the_call_back(ask: Asking) -> None:
    given = {"beneficiary": "elderly", "principal": PERSON, "wish": "代办老年优待证", "address": "东村 3 组"}
    ask.refused("agency.beneficiary", "POST", "/agency-orders", {**given, "beneficiary": "cat"}, who="guide01")
    ask.refused("auth.forbidden", "POST", "/agency-orders", given, who="approver01")
    order = ask.post("/agency-orders", given, 201, who="guide01")
    at = f"/agency-orders/{order['number']}"
    ask.refused("auth.foreign_hall", "GET", at, who="clerk21")
    ask.refused("agency.illegal_step", "POST", f"{at}/start", {}, who="guide01")
    assert ask.post(f"{at}/accept", {"complete": False}, who="clerk01")["clock"]["due_at"] is None
    assert ask.post(f"{at}/start", {}, who="clerk01")["state"] == "running"
    assert ask.post(f"{at}/interrupt", {"reason": "等签字"}, who="clerk01")["clock"]["stopped"]
    ask.post(f"{at}/resume", {}, who="clerk01")
    assert ask.post(f"{at}/reveal", {"reason": "contact"}, who="clerk01")["address"] == "东村 3 组"
    ask.refused("agency.result_required", "POST", f"{at}/complete", {}, who="clerk01")
    ask.post(f"{at}/complete", {"result": "优待证已送达"}, who="clerk01")
    assert ask.post(f"{at}/call-back", {"satisfied": True}, who="guide01")["state"] == "closed"
    assert [row["number"] for row in ask.get("/agency-orders?state=closed", who="guide01")["items"]] == [
        order["number"]
    ]
    other = ask.post("/agency-orders", given, 201, who="guide01")
    assert (
        ask.post(f"/agency-orders/{other['number']}/cancel", {"reason": "自行办理"}, who="guide01")["ended"]
        == "自行办理"
    )
