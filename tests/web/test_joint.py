"""Pages of one-thing cases, manifests and agency orders: roles first, then each from its form to its end."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from app.casework import joint_queries, levels_queries, queries
from app.casework.joint_models import AgencyOrder, JointCase, Manifest
from app.casework.models import Case
from app.catalog.queries import item as guide_of
from app.catalog.queries import search_items
from app.catalog.queries import theme as theme_of
from app.db import db
from tests.actions.conftest import ID
from tests.rules.test_delivery import png, url
from tests.web.visit import Visitor, announce_calendar, enter, said

EVIL = "张<script>alert(1)</script>三"
ANSWERS = {"text": "试用", "address": "开元大道 1 号", "number": "100", "id": ID, "phone": "13812341234"}


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    announce_calendar()
    return Visitor(app)


def as_(app: Flask, who: str) -> Visitor:
    visitor = Visitor(app)
    enter(visitor, who)
    return visitor


def the_one(column: Any) -> str:
    """The only value there is, read anew."""
    db.session.rollback()
    return db.session.query(column).scalar()


def count(table: Any) -> int:
    db.session.rollback()
    return db.session.query(table).count()


def answers(code: str = "start-company", missing: tuple[str, ...] = (), **more: str) -> dict[str, str]:
    theme = theme_of(code)
    fields = {
        f"a-{f['key']}": f["choices"][0]["code"] if f["type"] == "choice" else ANSWERS[f["type"]] for f in theme["form"]
    }
    fields |= {f"m-{m['code']}": "missing" if m["code"] in missing else "received" for m in theme["materials"]}
    return {"kind": "organisation", "name": EVIL, "id_number": ID, "phone": "13812341234", **fields, **more}


@pytest.mark.parametrize(
    ("who", "path", "status"),
    [
        ("guide01", "/joint", 403),
        ("approver01", "/joint", 200),
        ("approver01", "/joint/new/start-company", 403),
        ("pickup01", "/manifests", 200),
        ("pickup01", "/manifests/collect", 403),
        ("approver01", "/manifests", 403),
        ("guide01", "/agency", 200),
        ("pickup01", "/agency", 403),
        ("clerk01", "/joint/new/none", 404),
        ("clerk01", "/joint/LLYJ000", 404),
        ("clerk01", "/manifests/X", 404),
        ("clerk01", "/agency/X", 404),
    ],
)
def test_who_comes_in(visitor: Visitor, who: str, path: str, status: int) -> None:
    enter(visitor, who)
    assert visitor.get(path).status_code == status


def test_the_other_language_of_an_answer_to_a_form_is_a_page(app: Flask, visitor: Visitor) -> None:
    enter(visitor, "clerk01")
    form = "/joint/new/start-company"

    def other(answer: Any) -> str:
        path = re.search(r'class="h-switch" href="([^"]*)\?lang=en"', answer.text)[1]
        assert visitor.get(path).status_code == 200
        return path

    assert other(visitor.post(f"{form}/check", answers())) == form
    assert other(visitor.post("/manifests/find", {"q": "DCJJ0"})) == "/manifests"
    visitor.post(f"{form}/check", answers())
    fields = {**answers(), "idempotency_key": visitor.hidden("idempotency_key"), "next": "accept"}
    assert other(visitor.post(form, fields)) == f"/joint/{the_one(JointCase.number)}"
    pickup = as_(app, "pickup01")
    pickup.get(f"/joint/{the_one(JointCase.number)}")
    refused = pickup.post(f"/joint/{the_one(JointCase.number)}/hand-over", {"idempotency_key": "h"})
    assert refused.status_code == 422 and other(refused) == f"/joint/{the_one(JointCase.number)}"


def test_a_company_is_started_from_the_form_to_the_collection(app: Flask, visitor: Visitor) -> None:
    enter(visitor, "clerk01")
    assert "企业开办" in said(visitor.get("/joint").text)
    assert "用于 企业登记、印章刻制、发票申领" in said(visitor.get("/joint/new/start-company").text)
    wrong = visitor.post("/joint/new/start-company/check", answers(**{"a-capital": "很多"}))
    assert wrong.status_code == 422 and 'value="很多"' in wrong.text and wrong.text.count("is-invalid") == 1
    bad = {"a-capital": "很多", "phone": "1", "id_number": "4<1", "agent_name": "李四", "agent_phone": "x"}
    bad["a-company_name"] = ""
    several = said(visitor.post("/joint/new/start-company/check", answers(**bad)).text)
    assert (
        "有 5 处要改" in several
        and "请填写企业名称" in several
        and "请填数字" in several
        and "请求内容有误" not in several
    )
    assert several.count("手机号码有误") == 2 and several.count("身份证件号码有误") == 1
    visitor.get("/joint?lang=en")
    english = said(visitor.post("/joint/new/start-company/check", answers(**bad)).text)
    assert "Company name is required" in english
    visitor.get("/joint?lang=zh")
    check = visitor.post("/joint/new/start-company/check", answers())
    assert check.status_code == 200 and EVIL not in check.text and "收件并一次受理" in check.text
    key = visitor.hidden("idempotency_key")
    fields = {**answers(), "idempotency_key": key, "next": "accept"}
    done = visitor.post("/joint/new/start-company", fields)
    again = visitor.post("/joint/new/start-company", fields)
    assert done.status_code == again.status_code == 200 and count(JointCase) == 1
    number = the_one(JointCase.number)
    code = re.search(r"领取码，各环节通用</span><strong[^>]*>(\d{6})", done.text)[1]
    assert number in done.text and "一次受理" in said(done.text) and code in again.text
    page = visitor.get(f"/joint/{number}")
    assert code not in page.text and "等前面的环节" in page.text and "alert(1)" not in page.text

    pickup = as_(app, "pickup01")
    found = pickup.post("/pickup/find", {"q": number})
    assert found.status_code == 303 and found.location.endswith(f"/joint/{number}")
    grant_first(number)
    pickup.get(f"/joint/{number}")
    assert pickup.post(f"/joint/{number}/ready", {"idempotency_key": "r", "shelf": ""}).status_code == 303
    give = {"idempotency_key": "h", "receiver": EVIL, "pickup_code": "0", "confirmed": "1"}
    first = joint_queries.joint_view(*joint_queries.find_joint(number), now())["children"][0]["number"]
    refused = pickup.post(f"/joint/{number}/hand-over", {**give, "only": first, "signature": url(png())})
    assert refused.status_code == 403 and "领取码或证件号不符" in refused.text
    assert f'name="signature" value="{url(png())}"' in refused.text  # nobody signs twice
    assert pickup.post(f"/joint/{number}/hand-over", {**give, "only": first, "confirmed": ""}).status_code == 422
    given = {**give, "only": first, "pickup_code": code, "idempotency_key": "h2"}
    drawn = {**given, "signature": "data:image/png;base64,AAAA", "idempotency_key": "h3"}
    scribble = pickup.post(f"/joint/{number}/hand-over", drawn)
    assert scribble.status_code == 422 and "签名图片须为" in said(scribble.text) and "AAAA" not in scribble.text
    stranger = {"who": "agent", "agent_letter": "委托书", "agent_id_number": "1<2"}
    assert pickup.post(f"/joint/{number}/hand-over", {**given, **stranger}).status_code == 422
    given["signature"] = url(png())
    assert pickup.post(f"/joint/{number}/hand-over", given).status_code == 303
    page = said(pickup.get(f"/joint/{number}").text)
    assert "已送达" in page and "签名已登记" in page and "出件窗口" in page
    db.session.rollback()
    assert queries.case_view(*queries.find_case(first), now())["delivery"]["signed"]


def now() -> Any:
    from app.now import now as moment

    return moment()


def grant_first(number: str) -> None:
    """The first part's department grants it."""
    db.session.rollback()
    from app.casework.review import decide_case
    from app.events import Actor
    from app.people.models import Staff
    from app.people.permissions import permissions_of

    hall, joint_id = joint_queries.find_joint(number)
    child = joint_queries.joint_view(hall, joint_id, now())["children"][0]
    row = db.session.query(Staff).filter_by(department=child["department"]).first()
    actor = Actor("staff", row.id, row.username, None, permissions_of(row.roles), row.department)
    case_id = queries.find_case(child["number"])[1]
    db.session.rollback()
    decide_case(hall=hall, actor=actor, at=now(), case_id=case_id, outcome="granted")


def test_one_notice_then_the_papers_and_the_citizens_page_says_it_all(app: Flask, visitor: Visitor) -> None:
    enter(visitor, "clerk01")
    check = visitor.post("/joint/new/open-restaurant/check", answers("open-restaurant", ("M2", "M4")))
    assert "还缺 2 份必需材料" in said(check.text) and "收件，出综合收件单" in said(check.text)
    key = visitor.hidden("idempotency_key")
    fields = {**answers("open-restaurant", ("M2", "M4")), "idempotency_key": key, "next": "receive"}
    done = visitor.post("/joint/new/open-restaurant", fields)
    query = re.search(r"查询码</span><strong[^>]*>(\w{6})", done.text)[1]
    number = the_one(JointCase.number)
    nothing = visitor.post(f"/joint/{number}/request-supplement", {"idempotency_key": "n"})
    assert nothing.status_code == 422 and "没有选择" in nothing.text
    told = {"idempotency_key": "n2", "code": ["M4"], "problem-M4": "图纸未盖章"}
    assert visitor.post(f"/joint/{number}/request-supplement", told).status_code == 303
    public = Visitor(app)
    public.get("/progress")
    shown = said(public.post("/progress", {"number": number.lower(), "query_code": query}).text)
    assert "图纸未盖章" in shown and "待补正" in shown and "张" not in shown.replace("张图", "")
    assert public.post("/progress", {"number": number, "query_code": "AAAAAA"}).status_code == 404
    assert visitor.post(f"/joint/{number}/supply", {"idempotency_key": "s", "code": ["M2", "M4"]}).status_code == 303
    page = said(visitor.get(f"/joint/{number}").text)
    assert "已收齐并一次受理" in page
    assert "正在办理" in page and "合并一次性告知" in page and "现在需要的都齐了" in page
    foreign = as_(app, "clerk21")
    assert foreign.get(f"/joint/{number}").status_code == 403
    paper = visitor.links("/notices/")[0]
    assert visitor.get(paper).mimetype == "application/pdf"
    assert "已撤回" in said(
        visitor.post(f"/joint/{number}/withdraw", {"idempotency_key": "w"}, follow_redirects=True).text
    )


def test_papers_of_a_later_stage_are_marked_and_not_taken_in_with_the_others(visitor: Visitor) -> None:
    enter(visitor, "clerk01")
    page = visitor.get("/joint/new/construction").text
    theme = theme_of("construction")
    first = [m for m in theme["materials"] if m["stage"] == theme["stages"][0]["code"] and m["required"]]
    assert page.count('<div class="c-states">') == len(first) < len(theme["materials"])
    assert page.count(">后续环节<") == len([m for m in theme["materials"] if m["stage"] != theme["stages"][0]["code"]])
    assert re.findall(r'<h3 class="j-stage">([^<]*)', page) == [stage["name"] for stage in theme["stages"]]
    assert "后续环节" not in visitor.get("/joint/new/start-company").text


def test_a_part_that_waits_was_not_collected_for_another_hall(visitor: Visitor) -> None:
    enter(visitor, "clerk01")
    visitor.post("/joint/new/start-company/check", answers())
    fields = {**answers(), "idempotency_key": visitor.hidden("idempotency_key"), "next": "accept"}
    visitor.post("/joint/new/start-company", fields)
    later = joint_queries.joint_view(*joint_queries.find_joint(the_one(JointCase.number)), now())["children"][1]
    page = said(visitor.get(f"/cases/{later['number']}").text)
    assert "随一件事收下材料" in page and "代收" not in page


@pytest.mark.parametrize("who", ["clerk01", "clerk21", "pickup01"])
def test_whoever_sends_papers_or_results_finds_the_desk_once(app: Flask, who: str) -> None:
    page = as_(app, who).get("/manifests").text
    assert len(re.findall(r'class="h-tab" href="/manifests"', page)) == 1


def test_a_village_collects_sends_and_the_township_takes_over(app: Flask, visitor: Visitor) -> None:
    enter(visitor, "clerk31")
    code = search_items("食品经营许可延续")["items"][0]["code"]
    assert "食品经营" in said(visitor.get("/manifests/collect?q=spjy").text)
    visitor.get(f"/manifests/collect?item={code}")
    fields = {"item": code, "kind": "person", "name": EVIL, "id_number": ID, "idempotency_key": "c"}
    fields |= {f"m-{m['code']}": "received" for m in guide_of(code)["materials"]}
    wrong = visitor.post("/manifests/collect", {**fields, "phone": "x"})
    assert wrong.status_code == 422 and "手机号码有误" in wrong.text
    done = visitor.post("/manifests/collect", {**fields, "idempotency_key": "c2"})
    number = the_one(Case.number)
    assert number in done.text and "alert(1)" not in done.text and visitor.links("/notices/")
    desk = visitor.get("/manifests")
    assert "0 bundles" in said(visitor.get("/manifests?lang=en").text)
    visitor.get("/manifests?lang=zh")
    assert number in desk.text and "李楼镇便民服务中心" in desk.text
    empty = visitor.post("/manifests/send", {"idempotency_key": "s", "of": "dongcun"})
    assert empty.status_code == 422 and "请选择要移交的办件" in empty.text and "aria-invalid" not in empty.text
    sent = {"idempotency_key": "s2", "of": "dongcun", "case": [number], "to_hall": "lilou", "note": "两袋"}
    assert visitor.post("/manifests/send", sent).status_code == 303
    manifest = the_one(Manifest.number)
    visitor.get(f"/manifests/{manifest}")
    assert visitor.get(visitor.links(f"/manifests/{manifest}/")[0]).mimetype == "application/pdf"
    assert as_(app, "clerk01").get(f"/manifests/{manifest}").status_code == 403
    township = as_(app, "clerk21")
    assert manifest in township.get("/manifests").text
    assert "1 bundle " in said(township.get("/manifests?lang=en").text) and "1 case " in said(township.page)
    township.get("/manifests?lang=zh")
    scanned = township.post("/manifests/find", {"q": f"http://hall/manifests/{manifest}"})
    assert scanned.status_code == 303 and scanned.location.endswith(manifest)
    page = township.get(f"/manifests/{manifest}")
    assert "确认接收" in page.text and EVIL not in page.text
    arrive = {"idempotency_key": "a", "case": [number], "accept": "1", f"note-{number}": "少一页"}
    assert township.post(f"/manifests/{manifest}/arrive", arrive).status_code == 303
    assert township.post(f"/manifests/{manifest}/arrive", {**arrive, "idempotency_key": "b"}).status_code == 409
    page = said(township.get(f"/manifests/{manifest}").text)
    assert "已接收" in page and "少一页" in page and "已受理" in page
    case = township.get(f"/cases/{number}")
    assert case.status_code == 200 and "已转报上级" not in case.text  # it was sent to where it is received
    db.session.rollback()
    assert levels_queries.manifest_desk("dongcun", now())["up"] == []


def test_an_errand_from_the_guides_desk_to_the_call_back(app: Flask, visitor: Visitor) -> None:
    enter(visitor, "guide01")
    visitor.get("/agency/new")
    fields = {
        "beneficiary": "elderly",
        "name": EVIL,
        "phone": "13812341234",
        "wish": "代办优待证",
        "address": "东村 3 组",
    }
    for wrong in ({"wish": " "}, {"item": "没有这样的事项zzz"}, {"phone": "x"}):
        answer = visitor.post("/agency/new", {**fields, **wrong, "idempotency_key": "w" + next(iter(wrong))})
        assert answer.status_code == 422 and "is-invalid" in answer.text and "alert(1)</script>" not in answer.text
    assert visitor.post("/agency/new", {**fields, "idempotency_key": "o"}).status_code == 303
    assert visitor.post("/agency/new", {**fields, "idempotency_key": "o"}).status_code == 303
    assert count(AgencyOrder) == 1
    number = the_one(AgencyOrder.number)
    page = visitor.get(f"/agency/{number}")
    assert "东村" not in page.text and "13812341234" not in page.text
    assert visitor.get(visitor.links(f"/agency/{number}/")[0]).mimetype == "application/pdf"
    shown = visitor.post(f"/agency/{number}/reveal", {"reason": "contact"})
    assert "东村 3 组" in shown.text and "Refresh" in shown.headers
    assert visitor.post(f"/agency/{number}/reveal", {"reason": "x"}).status_code == 422
    assert as_(app, "clerk21").get(f"/agency/{number}").status_code == 403

    def take(step: str, **more: str) -> int:
        return visitor.post(f"/agency/{number}/{step}", {"idempotency_key": step, **more}).status_code

    assert take("complete", result="早") == 409
    assert take("accept", complete="1") == 303
    assert take("interrupt", reason="") == 422
    assert take("interrupt", reason="等签字", idempotency_key="i2") == 303
    assert "等签字" in said(visitor.get(f"/agency/{number}").text)
    assert take("resume") == 303
    assert take("complete", case_number="LL999") == 422
    assert take("complete", result="优待证已送到", idempotency_key="c2") == 303
    assert take("call-back") == 422
    assert take("call-back", satisfied="yes", idempotency_key="b2") == 303
    page = said(visitor.get(f"/agency/{number}").text)
    assert "已回访" in page and "优待证已送到" in page and "满意" in page
    assert number in visitor.get("/agency?state=closed").text and number not in visitor.get("/agency").text


def test_the_console_offers_what_several_departments_decide(visitor: Visitor) -> None:
    enter(visitor, "clerk01")
    page = visitor.get("/clerk")
    assert "/joint/new/start-company" in page.text and "几个部门的事" in said(page.text)
    part = theme_of("start-company")["children"][0]["item"]
    page = visitor.get(f"/clerk?item={part}")
    assert "可以一次收件" in said(page.text) and "/joint/new/start-company" in page.text
    assert "/joint/new/construction-simple" not in page.text
    alone = search_items("食品经营许可延续")["items"][0]["code"]
    assert "/joint/new/" not in visitor.get(f"/clerk?item={alone}").text
