"""One notice and one acceptance for all parts of a one-thing case, on both databases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from app.casework import (
    intake,
    joint,
    joint_collection,
    joint_queries,
    queries,
    supplement,
)
from app.catalog.queries import theme as theme_of
from tests.actions.conftest import ID, Hall, alarms_of, change_guide, last_paper
from tests.actions.joint_hall import COMPANY, at_nine, child, decide, receive, refused, ring, served, states


@pytest.fixture
def spring(hall: Hall) -> Hall:
    return at_nine(hall)


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


def over_gap(hall: Hall) -> tuple[dict[str, Any], int, int]:
    """(the whole, its id, its part that was granted while two tolerated papers may still follow)."""
    food = theme_of("open-restaurant", on=hall.at.date())["children"][0]["item"]
    change_guide(food, gap_pass=True)
    view, joint_id = receive(hall, "open-restaurant", missing=("M4", "M5"))
    part = child(view, 0)
    tolerant = {"commitment": "补交", "gap_limit": 4}
    hall.do(intake.accept_case, "clerk01", case_id=part, tolerant=tolerant)
    view = hall.do(joint.accept_joint, "clerk01", joint_id=joint_id)
    decide(hall, view, 0)
    return view, joint_id, part


def test_papers_that_may_follow_a_decided_part_are_handed_in_by_the_number_of_the_whole(spring: Hall) -> None:
    _, joint_id, part = over_gap(spring)
    view = joint_queries.joint_view("luolong", joint_id, spring.at)
    assert [c["state"] for c in view["children"]] == ["granted", "accepted", "accepted"]
    assert [m["code"] for m in view["materials"] if m["tolerated"]] == ["M4", "M5"]
    view = spring.do(joint.supply_joint, "clerk01", joint_id=joint_id, items=["M4", "M1"])
    assert [m["code"] for m in view["materials"] if m["tolerated"]] == ["M5"]
    paper = last_paper(view)
    assert (paper["complete"], [line["name"] for line in paper["outstanding"]]) == (False, ["食品安全管理人员身份证明"])
    case = queries.case_view("luolong", part, spring.at)
    assert (case["state"], [m["code"] for m in case["materials"] if m["tolerated"]]) == ("granted", ["M5"])
    view = spring.do(joint.supply_joint, "clerk01", joint_id=joint_id, items=["M5"])
    assert last_paper(view)["complete"] is True
    assert queries.case_view("luolong", part, spring.at)["gap_due_at"] is None
    assert not alarms_of(part).keys() & {"gap", "gap-soon"}


@pytest.mark.parametrize("where", ["decided", "delivered"])
def test_once_all_is_decided_nothing_else_is_taken_in(spring: Hall, where: str) -> None:
    view, joint_id, part = over_gap(spring)
    decide(spring, view, 1)
    decide(spring, view, 2)
    if where == "delivered":
        spring.do(joint_collection.ready_joint, "pickup01", joint_id=joint_id)
        spring.do(joint_collection.hand_over_joint, "pickup01", joint_id=joint_id, receiver=COMPANY, id_number=ID)
    view = joint_queries.joint_view("luolong", joint_id, spring.at)
    assert (view["state"], "supply" in view["steps"]) == (where, True)
    with refused("case.nothing_missing"):
        spring.do(joint.supply_joint, "clerk01", joint_id=joint_id, items=["M1", "M4"])
    view = spring.do(joint.supply_joint, "clerk01", joint_id=joint_id, items=["M4", "M5"])
    assert (view["state"], "supply" in view["steps"]) == (where, False)
    assert queries.case_view("luolong", part, spring.at)["gap_due_at"] is None
    with refused("case.nothing_missing"):
        spring.do(joint.supply_joint, "clerk01", joint_id=joint_id, items=["M4"])
