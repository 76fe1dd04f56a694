"""One-thing cases 一件事 on both databases: one form, one receipt, one notice, one collection over parts with own clocks."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from app.casework import (
    delivery,
    intake,
    joint,
    joint_collection,
    joint_queries,
    joint_receipt,
    queries,
    reveal,
    review,
    special,
    supplement,
    sweeps,
)
from app.casework.joint_models import JointCase
from app.casework.models import Case
from app.catalog.queries import theme as theme_of
from app.db import HallHead, db
from app.errors import Refusal
from app.events import SYSTEM
from app.hall.settings import amend_calendar
from app.notices.queries import notice
from app.now import SHANGHAI, iso
from tests.actions.conftest import ID, Hall, last_paper

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=SHANGHAI)
ANSWERS = {"text": "洛龙试用", "address": "洛龙区开元大道 1 号", "number": "100", "id": ID, "phone": "13812341234"}


def refused(code: str):
    return pytest.raises(Refusal, match=f"^{code}$")


@pytest.fixture
def spring(hall: Hall) -> Hall:
    """A hall in which it is Monday 2 March 2026, nine o'clock; the demo network was founded before."""
    db.session.query(HallHead).update({"last_at": datetime(2026, 1, 1, tzinfo=SHANGHAI)})
    db.session.commit()
    hall.at = MONDAY
    return hall


def filled(theme: dict[str, Any]) -> dict[str, str]:
    """Some answer to every question of a theme's form."""
    return {
        field["key"]: field["choices"][0]["code"] if field["type"] == "choice" else ANSWERS[field["type"]]
        for field in theme["form"]
    }


COMPANY = "洛阳试用商贸有限公司"


def receive(hall: Hall, code: str = "start-company", **more: Any) -> tuple[dict[str, Any], int]:
    theme = theme_of(code, on=hall.at.date())
    missing = more.pop("missing", ())
    materials = [
        {"code": m["code"], "state": "missing" if m["code"] in missing else "received"} for m in theme["materials"]
    ]
    applicant = {"kind": "organisation", "name": COMPANY, "id_number": ID, "phone": "13812341234"}
    given = {"theme": code, "applicant": applicant, "form": filled(theme), "materials": materials, "window": "W01"}
    view = hall.do(joint_receipt.receive_joint, "clerk01", **{**given, **more})
    return view, joint_queries.find_joint(view["number"])[1]


def child(view: dict[str, Any], n: int) -> int:
    return queries.find_case(view["children"][n]["number"])[1]


def decide(hall: Hall, view: dict[str, Any], n: int, outcome: str = "granted") -> None:
    """Every department of the n-th part decides alike."""
    case_id = child(view, n)
    words = {"reason": "不符合条件", "basis": "某法第一条"} if outcome == "refused" else {}
    while True:
        now = queries.case_view("luolong", case_id, hall.at)
        open_ = next((part for part in now["departments"] if part["state"] == "open"), None)
        if open_ is None or now["state"] in ("granted", "refused"):
            return
        who = hall.approver({"departments": [open_]})
        hall.do(review.decide_case, who, case_id=case_id, outcome=outcome, **words)


def states(hall: Hall, joint_id: int) -> list[str]:
    return [c["state"] for c in joint_queries.joint_view("luolong", joint_id, hall.at)["children"]]


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_theme_a_form_and_papers_that_are_not_there_are_refused(spring: Hall) -> None:
    theme = theme_of("start-company", on=spring.at.date())
    with refused("theme.unknown"):
        spring.do(joint_receipt.receive_joint, "clerk01", theme="no", applicant={}, form={}, materials=[])
    with refused("text.empty"):
        receive(spring, form={key: value for key, value in filled(theme).items() if key != "company_name"})
    for wrong in ({"capital": "many"}, {"company_kind": "cat"}, {"representative_phone": "x"}):
        with pytest.raises(Refusal, match="^(request.invalid|person.bad_phone)$"):
            receive(spring, form={**filled(theme), **wrong})
    with refused("case.material_unknown"):
        receive(spring, materials=[{"code": "M99"}])
    with refused("case.applicant_kind"):
        receive(spring, applicant={"kind": "cat", "name": "x"})
    with refused("auth.foreign_hall"):
        spring.do(joint_receipt.receive_joint, "clerk21", theme="start-company", applicant={}, form={}, materials=[])
    assert db.session.query(JointCase).count() == db.session.query(Case).count() == 0


def test_who_may_do_what_with_the_whole(spring: Hall) -> None:
    _, joint_id = receive(spring, missing=("M2",))
    for action, who, more in (
        (joint.accept_joint, "approver01", {}),
        (joint.supply_joint, "pickup01", {"items": ["M2"]}),
        (joint.withdraw_joint, "approver01", {}),
    ):
        with refused("auth.forbidden"):
            spring.do(action, who, joint_id=joint_id, **more)
    for action, more in (
        (joint_collection.ready_joint, {}),
        (joint_collection.hand_over_joint, {"receiver": "张三", "id_number": ID}),
        (joint.extend_joint, {"reason": "案情复杂"}),
    ):
        with refused("joint.illegal_step"):
            spring.do(action, "pickup01", joint_id=joint_id, **more)
    with refused("case.materials_missing"):
        spring.do(joint.accept_joint, "clerk01", joint_id=joint_id)
    with refused("case.nothing_missing"):
        spring.do(joint.supply_joint, "clerk01", joint_id=joint_id, items=[])
    with refused("joint.unknown"):
        spring.do(joint.accept_joint, "clerk01", joint_id=10**6)


# ── 企业开办: three steps, seven hours, one set of papers ───────────────────────────────────────────────────────


def test_starting_a_company_takes_one_receipt_three_steps_and_seven_hours(spring: Hall) -> None:
    view, joint_id = receive(spring)
    assert view["state"] == "received" and [c["state"] for c in view["children"]] == ["received", "draft", "draft"]
    assert [n["kind"] for n in view["notices"]] == ["joint_receipt"]
    parts = [queries.case_view("luolong", child(view, n), spring.at) for n in range(3)]
    assert all(part["notices"] == [] for part in parts)  # one receipt for all
    assert {m["state"] for part in parts[1:] for m in part["materials"] if m["name"] == "营业执照"} == {"shared"}
    code = view["query_code"]
    assert all(queries.find_by_query(c["number"], code) for c in view["children"])  # one code for all
    assert joint_queries.find_joint_by_query(view["number"], code) == ("luolong", joint_id)
    assert joint_queries.find_joint_by_token(view["query_token"]) == ("luolong", joint_id)

    view = spring.do(joint.accept_joint, "clerk01", joint_id=joint_id)
    assert view["clocks"]["promised"]["due_at"] == "2026-03-02T17:30:00.000+08:00"  # 9:00 + 7 hours, lunch out
    assert view["state"] == "accepted" and states(spring, joint_id) == ["accepted", "draft", "draft"]
    decide(spring.later(hours=2), view, 0)
    assert states(spring, joint_id) == ["granted", "accepted", "accepted"]  # their turn came by itself
    second = queries.case_view("luolong", child(view, 1), spring.at)
    began = next(row for row in second["history"] if row["kind"] == "case.received")
    assert began["actor"] == "system:system" and second["clocks"]["promised"]["due_at"].startswith("2026-03-02T14:30")
    decide(spring.later(hours=1), view, 1)
    decide(spring.later(hours=2, minutes=30), view, 2)  # 14:30, lunch between
    view = joint_queries.joint_view("luolong", joint_id, spring.at)
    assert view["state"] == "decided" and view["clocks"]["promised"]["used"] == 4 * 60
    assert view["clocks"]["promised"]["remaining"] == 3 * 60 and view["light"] == "green"

    view = spring.do(joint_collection.ready_joint, "pickup01", joint_id=joint_id)
    assert {c["state"] for c in view["children"]} == {"ready"} and len({c["shelf"] for c in view["children"]}) == 1
    with refused("case.receiver_mismatch"):
        spring.do(
            joint_collection.hand_over_joint, "pickup01", joint_id=joint_id, receiver="张三", pickup_code="000000x"
        )
    codes = queries.codes_of("luolong", child(view, 0))
    given = {"receiver": COMPANY, "pickup_code": codes["pickup_code"]}
    view = spring.do(joint_collection.hand_over_joint, "pickup01", joint_id=joint_id, **given)
    assert view["state"] == "delivered" and view["steps"] == []
    assert [n["kind"] for n in view["notices"]] == ["joint_receipt", "joint_receipt", "pickup", "service"]
    kinds = [row["kind"] for row in view["history"] if row["kind"] != "notice.issued"]
    assert kinds == [
        f"joint.{w}" for w in ["received", "accepted", "began", "decided", "ready", "handed_over", "delivered"]
    ]
    public = joint_queries.public_joint("luolong", joint_id, spring.at)
    assert [c["state"] for c in public["children"]] == ["delivered"] * 3 and "试用" not in str(public)


def test_what_people_wrote_is_sealed(spring: Hall) -> None:
    receive(spring)
    row = db.session.query(JointCase).one()
    for column in (row.applicant_sealed, row.form_sealed, row.codes_sealed, row.applicant_key, row.query_hash):
        assert "试用" not in column and ID not in column


def test_a_refused_first_step_ends_what_leans_on_it_and_the_refusal_is_handed_out(spring: Hall) -> None:
    view, joint_id = receive(spring)
    spring.do(joint.accept_joint, "clerk01", joint_id=joint_id)
    decide(spring.later(hours=1), view, 0, "refused")
    assert states(spring, joint_id) == ["refused", "void", "void"]
    assert joint_queries.joint_view("luolong", joint_id, spring.at)["state"] == "decided"
    view = spring.do(joint_collection.hand_over_joint, "pickup01", joint_id=joint_id, receiver=COMPANY, id_number=ID)
    assert view["state"] == "delivered"


def refuse_all(hall: Hall, view: dict[str, Any]) -> None:
    for n in range(len(view["children"])):
        hall.do(intake.raise_no_request, "clerk01", case_id=child(view, n), kind="out_of_scope", reason="不属本级")
        words = {"answer": "not_accepted", "reason": "不属本级", "basis": "某法第一条"}
        hall.do(review.answer_no_request, "chief01", case_id=child(view, n), **words)


def revoke_all(hall: Hall, view: dict[str, Any]) -> None:
    hall.do(joint.accept_joint, "clerk01", joint_id=joint_queries.find_joint(view["number"])[1])
    for n in range(len(view["children"])):
        decide(hall, view, n)
    for n in range(len(view["children"])):
        case = queries.case_view("luolong", child(view, n), hall.at)
        words = {"reason": "以欺骗手段取得", "basis": "某法第一条"}
        hall.do(review.revoke_case, hall.approver(case), case_id=child(view, n), **words)


@pytest.mark.parametrize("end", [refuse_all, revoke_all])
def test_where_nothing_is_left_to_hand_out_the_whole_is_decided_and_off_the_list(spring: Hall, end: Any) -> None:
    view, joint_id = receive(spring, "open-restaurant")
    other, _ = receive(spring, "open-restaurant")
    end(spring, view)
    done = joint_queries.joint_view("luolong", joint_id, spring.at)
    assert (done["state"], done["delivered_at"], done["steps"]) == ("decided", None, [])
    assert [row["number"] for row in joint_queries.joint_list(at=spring.at)["items"]] == [other["number"]]
    listed = joint_queries.joint_list(at=spring.at, state="decided")["items"]
    assert [row["number"] for row in listed] == [view["number"]]


def test_the_whole_is_delivered_when_the_last_parcel_is_signed_for(spring: Hall) -> None:
    view, joint_id = receive(spring, "open-restaurant")
    spring.do(joint.accept_joint, "clerk01", joint_id=joint_id)
    for n in range(3):
        decide(spring, view, n)
    for n in range(3):
        sent = {"carrier": "EMS", "tracking_number": f"EA{n}"}
        spring.do(delivery.dispatch_case, "pickup01", case_id=child(view, n), **sent)
    now = joint_queries.joint_view("luolong", joint_id, spring.at)
    assert (now["state"], now["steps"]) == ("decided", [])
    assert len(joint_queries.joint_list(at=spring.at)["items"]) == 1
    spring.later(days=1)
    for n in range(2):
        spring.do(delivery.sign_delivery, "pickup01", case_id=child(view, n), receiver="王五")
    spring.do(delivery.come_back, "pickup01", case_id=child(view, 2), reason="absent")
    now = joint_queries.joint_view("luolong", joint_id, spring.at)
    assert now["state"] == "decided" and "hand-over" in now["steps"]
    done = spring.do(joint_collection.hand_over_joint, "pickup01", joint_id=joint_id, receiver=COMPANY, id_number=ID)
    assert (done["state"], done["delivered_at"]) == ("delivered", iso(spring.at))


def test_who_represents_the_company_by_the_merged_form_takes_the_results(spring: Hall) -> None:
    view, joint_id = receive(spring)
    spring.do(joint.accept_joint, "clerk01", joint_id=joint_id)
    decide(spring, view, 0)
    given = {"joint_id": joint_id, "id_number": ID}
    with refused("case.receiver_name"):
        spring.do(joint_collection.hand_over_joint, "pickup01", receiver="王五", **given)
    name = filled(theme_of("start-company", on=spring.at.date()))["representative"]
    done = spring.do(joint_collection.hand_over_joint, "pickup01", receiver=name, **given)
    paper = notice("luolong", done["notices"][-1]["id"])["facts"]
    assert (paper["recipient"], paper["recipient_relation"]) == (name, "法定代表人")


# ── one notice, one acceptance ──────────────────────────────────────────────────────────────────────────────────


def test_one_merged_notice_names_everything_for_every_part(spring: Hall) -> None:
    view, joint_id = receive(spring, "open-restaurant", missing=("M2", "M4"))  # sewer and crowd want M2, food both
    given = {"joint_id": joint_id, "items": [{"code": "M4", "problem": "图纸未盖章"}]}
    view = spring.do(joint.request_joint_supplement, "clerk01", **given)
    assert view["state"] == "correction" and [c["state"] for c in view["children"]] == ["correction"] * 3
    assert {m["code"]: m["problem"] for m in view["materials"] if m["requested"]} == {
        "M2": "未提交",
        "M4": "图纸未盖章",
    }
    assert [n["kind"] for n in view["notices"]] == ["joint_receipt", "supplement"]
    for n in range(3):
        assert queries.case_view("luolong", child(view, n), spring.at)["notices"] == []
    with refused("case.second_notice"):
        spring.do(joint.request_joint_supplement, "clerk01", **given)
    view = spring.later(days=1).do(joint.supply_joint, "clerk01", joint_id=joint_id, items=["M2"])
    assert [c["state"] for c in view["children"]] == ["correction", "accepted", "accepted"]
    assert view["state"] == "correction"  # the whole waits for the last
    view = spring.later(days=1).do(joint.supply_joint, "clerk01", joint_id=joint_id, items=[{"code": "M4"}])
    assert view["state"] == "accepted" and [n["kind"] for n in view["notices"]][2:] == [
        "supplement_receipt",
        "supplement_receipt",
        "joint_receipt",
    ]
    assert view["clocks"]["promised"]["used"] == 1  # counted from the first part that was accepted


def test_a_part_that_lacks_nothing_waits_and_is_not_deemed_accepted(spring: Hall) -> None:
    view, joint_id = receive(spring, "open-restaurant", missing=("M4",))
    given = {"joint_id": joint_id, "items": [{"code": "M4"}]}
    view = spring.do(joint.request_joint_supplement, "clerk01", **given)
    assert [c["state"] for c in view["children"]] == ["correction", "received", "received"]
    spring.later(days=10)
    ring(spring)
    assert states(spring, joint_id)[1:] == ["received", "received"]
    view = spring.do(joint.supply_joint, "clerk01", joint_id=joint_id, items=["M4"])
    assert view["state"] == "accepted" and {c["state"] for c in view["children"]} == {"accepted"}


def test_what_the_merged_notice_left_out_may_not_be_asked_for_later(spring: Hall) -> None:
    view, joint_id = receive(spring, "open-restaurant", missing=("M4",))
    view = spring.do(joint.request_joint_supplement, "clerk01", joint_id=joint_id, items=[{"code": "M4"}])
    waiting = child(view, 1)
    code = queries.case_view("luolong", waiting, spring.at)["materials"][0]["code"]
    given = {"case_id": waiting, "items": [{"code": code, "problem": "漏告知"}]}
    spring.later(days=9)
    with refused("case.second_notice"):
        spring.do(supplement.request_supplement, "clerk01", **given)
    other = next(m["code"] for m in view["materials"] if view["children"][0]["item"] not in served(m))
    with refused("case.second_notice"):
        spring.do(joint.request_joint_supplement, "clerk01", joint_id=joint_id, items=[{"code": other}])
    assert states(spring, joint_id) == ["correction", "received", "received"]
    case = spring.do(supplement.request_supplement, "supervisor01", repeat_reason="漏列一项", **given)
    assert (case["state"], last_paper(case)["repeat_reason"]) == ("correction", "漏列一项")


def served(material: dict[str, Any]) -> set[str]:
    return {use["item"] for use in material["serves"]}


def test_when_the_asked_part_is_given_up_the_others_go_on(spring: Hall) -> None:
    _, joint_id = receive(spring, "open-restaurant", missing=("M4",))
    spring.do(joint.request_joint_supplement, "clerk01", joint_id=joint_id, items=[{"code": "M4"}])
    spring.later(days=30)
    ring(spring)  # the local rule deems the part withdrawn
    assert states(spring, joint_id) == ["deemed_withdrawn", "accepted", "accepted"]
    assert joint_queries.joint_view("luolong", joint_id, spring.at)["state"] == "accepted"


def test_nobody_told_in_time_so_the_whole_is_accepted_as_of_the_receipt(spring: Hall) -> None:
    _, joint_id = receive(spring, "open-restaurant")
    spring.later(days=8)
    ring(spring)
    view = joint_queries.joint_view("luolong", joint_id, spring.at)
    assert view["state"] == "accepted" and view["clocks"]["statutory"]["used"] == 6


def test_a_whole_that_the_law_has_accepted_already_counts_from_its_receipt(spring: Hall) -> None:
    view, joint_id = receive(spring, "open-restaurant")
    part = queries.case_view("luolong", child(view, 0), spring.at)
    spring.at = datetime.fromisoformat(part["notice_due_at"])  # and the timer has not come yet
    view = spring.do(joint.accept_joint, "clerk01", joint_id=joint_id)
    parts = [queries.case_view("luolong", child(view, n), spring.at) for n in range(3)]
    assert view["state"] == "accepted" and all(part["flags"]["deemed_accepted"] for part in parts)
    assert view["clocks"]["statutory"]["used"] == parts[0]["clocks"]["statutory"]["used"] == 5


def ring(hall: Hall) -> None:
    """What the timer does about alarms."""
    while sweeps.ring_alarms(hall="luolong", actor=SYSTEM, at=hall.at)["more"]:
        pass


# ── the clock of the whole ──────────────────────────────────────────────────────────────────────────────────────


def test_the_whole_stands_still_only_while_every_open_part_does(spring: Hall) -> None:
    view, joint_id = receive(spring, "open-restaurant")
    view = spring.do(joint.accept_joint, "clerk01", joint_id=joint_id)
    assert view["clocks"]["promised"]["due_at"].startswith("2026-03-16") and view["theme"]["art26"]
    assert view["clocks"]["statutory"]["limit"] == {"amount": 45, "unit": "WD"}
    for n in (0, 1):
        suspend(spring, view, n)
    spring.later(days=1)  # Tuesday: two of three stand still
    assert not clock(spring, joint_id)["stopped"]
    suspend(spring, view, 2)
    assert clock(spring, joint_id)["stopped"] and clock(spring, joint_id)["due_at"] is None
    spring.later(days=3)  # Friday: Wednesday to Friday are left out
    case_id = child(view, 0)
    spring.do(special.resume_case, spring.approver(queries.case_view("luolong", case_id, spring.at)), case_id=case_id)
    assert clock(spring, joint_id)["due_at"].startswith("2026-03-19")
    ledger = joint_queries.joint_ledger("luolong", joint_id, spring.at)["promised"]
    assert [row["date"] for row in ledger if row["paused"]] == ["2026-03-04", "2026-03-05", "2026-03-06"]


def suspend(hall: Hall, view: dict[str, Any], n: int) -> None:
    case_id = child(view, n)
    who = hall.approver(queries.case_view("luolong", case_id, hall.at))
    hall.do(special.suspend_case, who, case_id=case_id, ground="expert_review", days=5)


def clock(hall: Hall, joint_id: int) -> dict[str, Any]:
    return joint_queries.joint_view("luolong", joint_id, hall.at)["clocks"]["promised"]


def test_only_the_head_of_the_government_extends_a_unified_limit_and_once(spring: Hall) -> None:
    _, joint_id = receive(spring, "open-restaurant")
    view = spring.do(joint.accept_joint, "clerk01", joint_id=joint_id)
    before = view["clocks"]["statutory"]["due_at"]
    with refused("auth.forbidden"):
        spring.do(joint.extend_joint, "approver01", joint_id=joint_id, reason="案情复杂")
    with refused("case.reason_required"):
        spring.do(joint.extend_joint, "chief01", joint_id=joint_id, reason=" ")
    view = spring.do(joint.extend_joint, "chief01", joint_id=joint_id, reason="需多部门现场核查，案情复杂")
    assert view["clocks"]["statutory"]["limit"] == {"amount": 45, "unit": "WD"}
    assert view["clocks"]["statutory"]["longer"] == view["clocks"]["promised"]["longer"] == 15
    assert view["clocks"]["statutory"]["due_at"] > before and view["notices"][-1]["kind"] == "extension"
    with refused("case.extended_once"):
        spring.do(joint.extend_joint, "chief01", joint_id=joint_id, reason="再延")
    _, other = receive(spring)
    spring.do(joint.accept_joint, "clerk01", joint_id=other)
    with refused("case.not_extendable"):
        spring.do(joint.extend_joint, "chief01", joint_id=other, reason="无此规定")


def test_an_extension_leaves_a_broken_promise_of_the_whole_broken(spring: Hall) -> None:
    _, joint_id = receive(spring, "open-restaurant")
    spring.do(joint.accept_joint, "clerk01", joint_id=joint_id)
    promised = datetime.fromisoformat(clock(spring, joint_id)["due_at"])
    spring.at = promised + timedelta(days=1)
    view = spring.do(joint.extend_joint, "chief01", joint_id=joint_id, reason="需多部门现场核查，案情复杂")
    assert view["clocks"]["promised"]["due_at"] == promised.isoformat(timespec="milliseconds")
    assert view["clocks"]["statutory"]["longer"] == 15 and view["clocks"]["promised"]["longer"] == 0
    assert view["light"] == "yellow"
    assert last_paper(view)["clock"] == "statutory"


def test_a_new_calendar_does_not_put_off_the_printed_promise_of_the_whole(spring: Hall) -> None:
    _, joint_id = receive(spring, "open-restaurant")
    view = spring.do(joint.accept_joint, "clerk01", joint_id=joint_id)
    printed, statutory = (view["clocks"][name]["due_at"] for name in ("promised", "statutory"))
    off = {"kind": "off", "name": "停工", "notice": "市政府通知"}
    amend_calendar(actor=SYSTEM, at=spring.at, day=date(2026, 3, 4), **off)
    assert clock(spring, joint_id)["due_at"] == printed  # at once, not only when the timer comes
    assert spring.do(sweeps.sweep_calendar, SYSTEM)["joint"] == 1
    assert spring.do(sweeps.sweep_calendar, SYSTEM)["joint"] == 0
    view = joint_queries.joint_view("luolong", joint_id, spring.at)
    assert view["clocks"]["promised"]["due_at"] == printed and view["clocks"]["statutory"]["due_at"] > statutory
    assert [paper["kind"] for paper in view["notices"]].count("deadline_change") == 1
    assert last_paper(view)["clocks"][0]["promise_on"] == printed[:10]
    row = db.session.get_one(JointCase, ("luolong", joint_id))
    assert iso(row.promised_due_at) == printed
    for n in range(len(view["children"])):  # what stops every part stops the whole: that does put it off
        suspend(spring, view, n)
    spring.later(days=1)
    case_id = child(view, 0)
    spring.do(special.resume_case, spring.approver(queries.case_view("luolong", case_id, spring.at)), case_id=case_id)
    assert clock(spring, joint_id)["due_at"] > printed


# ── stages, one after the other ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("code", "days", "due"), [("construction", 83, "2026-07-01"), ("construction-simple", 25, "2026-04-07")]
)
def test_a_construction_project_goes_stage_by_stage_within_its_working_days(
    spring: Hall, code: str, days: int, due: str
) -> None:
    theme = theme_of(code, on=spring.at.date())
    assert theme["promised"] == {"amount": days, "unit": "WD"} and len(theme["stages"]) >= 3
    first = {c["item"] for c in theme["children"] if c["position"] == 1}
    later = [m["code"] for m in theme["materials"] if not first & {use["item"] for use in m["serves"]}]
    view, joint_id = receive(spring, code, missing=later)
    view = spring.do(joint.accept_joint, "clerk01", joint_id=joint_id)  # the papers of later stages may follow
    assert view["clocks"]["promised"]["due_at"].startswith(due)
    positions = sorted({c["position"] for c in view["children"]})
    for place, position in enumerate(positions):
        now = joint_queries.joint_view("luolong", joint_id, spring.later(days=1).at)
        turn = [c for c in now["children"] if c["position"] == position]
        assert {c["state"] for c in turn} <= ({"draft", "accepted"} if place else {"accepted"})
        assert {c["state"] for c in now["children"] if c["position"] > position} <= {"draft"}
        if any(c["awaited"] for c in turn):
            bring = [m["code"] for m in now["materials"] if m["wanted"] and m["state"] == "missing"]
            now = spring.do(joint.supply_joint, "clerk01", joint_id=joint_id, items=bring)
        assert {c["state"] for c in now["children"] if c["position"] == position} == {"accepted"}
        for n, part in enumerate(now["children"]):
            if part["position"] == position:
                decide(spring, now, n)
    assert joint_queries.joint_view("luolong", joint_id, spring.at)["state"] == "decided"


@pytest.mark.parametrize("by_the_timer", [True, False])
def test_a_stage_is_received_when_its_papers_come_and_not_before(spring: Hall, by_the_timer: bool) -> None:
    view, joint_id = staged(spring)
    later = [n for n, part in enumerate(view["children"]) if part["position"] == 2]
    view = joint_queries.joint_view("luolong", joint_id, spring.later(days=30).at)
    ring(spring)
    assert [(view["children"][n]["state"], view["children"][n]["awaited"]) for n in later] == [("draft", True)] * 2
    assert "draft" in {part["state"] for part in view["children"] if not part["awaited"]}  # whose turn has not come
    wanted = [m["code"] for m in view["materials"] if m["wanted"] and m["required"] and m["state"] == "missing"]
    bring = joint_queries.public_joint("luolong", joint_id, spring.at)["to_bring"]
    assert len(bring) == len(wanted) > 1
    with refused("request.invalid"):
        spring.do(joint.supply_joint, "clerk01", joint_id=joint_id, items=[{"code": wanted[0], "state": "not_needed"}])
    some = next(m for m in view["materials"] if m["wanted"] and not m["required"])  # of one part, which lacks more
    view = spring.do(joint.supply_joint, "clerk01", joint_id=joint_id, items=[some["code"]])
    begun = next(n for n in later if view["children"][n]["item"] in served(some))
    assert {n: view["children"][n]["state"] for n in later} == {n: "received" if n == begun else "draft" for n in later}
    part = queries.case_view("luolong", child(view, begun), spring.at)
    assert part["received_at"] == iso(spring.at)
    spring.at = datetime.fromisoformat(part["notice_due_at"])  # from the papers on it must be told what it lacks
    if by_the_timer:
        ring(spring)
    view = spring.do(joint.supply_joint, "clerk01", joint_id=joint_id, items=wanted)
    part = queries.case_view("luolong", child(view, begun), spring.at)
    assert part["flags"]["deemed_accepted"] and part["clocks"]["promised"]["used"] == 5
    assert {view["children"][n]["state"] for n in later} == {"accepted"}


def staged(hall: Hall) -> tuple[dict[str, Any], int]:
    """A construction project whose first stage is granted; only the papers of that stage were brought."""
    theme = theme_of("construction", on=hall.at.date())
    first = {c["item"] for c in theme["children"] if c["position"] == 1}
    later = [m["code"] for m in theme["materials"] if not first & served(m)]
    view, joint_id = receive(hall, "construction", missing=later)
    view = hall.do(joint.accept_joint, "clerk01", joint_id=joint_id)
    for n, part in enumerate(view["children"]):
        if part["position"] == 1:
            decide(hall.later(days=1), view, n)
    return joint_queries.joint_view("luolong", joint_id, hall.at), joint_id


def test_the_applicant_may_take_what_is_there_and_choose(spring: Hall) -> None:
    view, joint_id = receive(spring, "open-restaurant")
    spring.do(joint.accept_joint, "clerk01", joint_id=joint_id)
    decide(spring.later(days=1), view, 0)
    decide(spring, view, 1, "refused")
    numbers = [c["number"] for c in view["children"]]
    by_id = {"joint_id": joint_id, "receiver": COMPANY, "id_number": ID}
    with refused("joint.nothing_decided"):
        spring.do(joint_collection.hand_over_joint, "pickup01", **by_id, only=[numbers[2]])
    view = spring.do(joint_collection.hand_over_joint, "pickup01", **by_id, only=[numbers[0]])
    assert [c["state"] for c in view["children"]] == ["delivered", "refused", "accepted"] and view[
        "state"
    ] == "accepted"
    decide(spring.later(days=1), view, 2)
    assert joint_queries.joint_view("luolong", joint_id, spring.at)["state"] == "decided"
    view = spring.do(joint_collection.hand_over_joint, "pickup01", **by_id)
    assert view["state"] == "delivered" and {c["state"] for c in view["children"]} == {"delivered"}


def test_taking_the_whole_back_leaves_what_is_decided(spring: Hall) -> None:
    view, joint_id = receive(spring)
    spring.do(joint.accept_joint, "clerk01", joint_id=joint_id)
    decide(spring.later(hours=1), view, 0)
    view = spring.do(joint.withdraw_joint, "clerk01", joint_id=joint_id)
    assert [c["state"] for c in view["children"]] == ["granted", "withdrawn", "withdrawn"]
    assert view["state"] == "decided" and view["notices"][-1]["kind"] == "withdrawal"
    _, other = receive(spring)
    assert spring.do(joint.withdraw_joint, "clerk01", joint_id=other)["state"] == "withdrawn"


def test_a_part_handled_alone_moves_the_whole_too(spring: Hall) -> None:
    view, joint_id = receive(spring, "open-restaurant")
    for n in range(3):
        spring.do(intake.accept_case, "clerk01", case_id=child(view, n))
    assert joint_queries.joint_view("luolong", joint_id, spring.at)["state"] == "accepted"
    for n in range(3):
        decide(spring.later(hours=1), view, n)
        spring.do(delivery.hand_over, "pickup01", case_id=child(view, n), receiver=COMPANY, id_number=ID)
    assert joint_queries.joint_view("luolong", joint_id, spring.at)["state"] == "delivered"


def test_the_form_names_nobody_until_somebody_says_why(spring: Hall) -> None:
    form = filled(theme_of("start-company", on=spring.at.date()))
    view, joint_id = receive(spring, form={**form, "representative": "欧阳修远", "address": "开元大道 1 号 3 单元 502"})
    shown = {line["label"]: line["value"] for line in view["form"]}
    assert (shown["法定代表人"], shown["住所"], shown["企业名称"]) == ("欧**远", "开元大道****", ANSWERS["text"])
    assert (shown["法定代表人证件号码"], shown["法定代表人电话"]) == (f"4{'*' * 16}1", "138****1234")
    with refused("reveal.reason"):
        spring.do(reveal.reveal_form, "clerk01", joint_id=joint_id, reason="curious")
    whole = spring.do(reveal.reveal_form, "approver01", joint_id=joint_id, reason="verify")["form"]
    shown = {line["label"]: line["value"] for line in whole}
    assert (shown["法定代表人"], shown["住所"]) == ("欧阳修远", "开元大道 1 号 3 单元 502")
    history = joint_queries.joint_view("luolong", joint_id, spring.at)["history"]
    looks = [row for row in history if row["kind"] == "field.revealed"]
    assert [(row["actor"], row["body"]["field"], row["body"]["reason"]) for row in looks] == [
        ("staff:approver01", "form", "verify")
    ]
