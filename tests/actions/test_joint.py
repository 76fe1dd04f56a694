"""One-thing cases 一件事 on both databases: one form, one receipt, one collection over parts with own clocks."""

from __future__ import annotations

from datetime import datetime
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
)
from app.casework.joint_models import JointCase
from app.casework.models import Case
from app.catalog.queries import theme as theme_of
from app.db import db
from app.errors import Refusal
from app.notices.queries import notice
from app.now import iso
from tests.actions.conftest import ID, Hall
from tests.actions.joint_hall import (
    ANSWERS,
    COMPANY,
    at_nine,
    child,
    decide,
    filled,
    receive,
    refused,
    ring,
    served,
    states,
)


@pytest.fixture
def spring(hall: Hall) -> Hall:
    return at_nine(hall)


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
