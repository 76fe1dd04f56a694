"""The clocks of a one-thing case as a whole, on both databases."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from app.casework import (
    joint,
    joint_queries,
    queries,
    special,
    sweeps,
)
from app.casework.joint_models import JointCase
from app.db import db
from app.events import SYSTEM
from app.hall.settings import amend_calendar
from app.now import SHANGHAI, iso
from tests.actions.conftest import Hall, last_paper
from tests.actions.joint_hall import at_nine, child, receive, refused
from tests.actions.test_sweeps import announce, take_off


@pytest.fixture
def spring(hall: Hall) -> Hall:
    return at_nine(hall)


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


def test_what_is_not_accepted_does_not_hold_up_the_sweep(spring: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeps, "RINGS", 2)
    for _ in range(2):
        receive(spring, "open-restaurant", missing=("M2",))
    _, joint_id = receive(spring, "open-restaurant")
    spring.do(joint.accept_joint, "clerk01", joint_id=joint_id)
    amend_calendar(actor=SYSTEM, at=spring.at, day=date(2026, 3, 4), kind="off", name="停工", notice="市政府通知")
    assert [spring.do(sweeps.sweep_calendar, SYSTEM)["joint"] for _ in range(3)] == [2, 1, 0]
    assert last_paper(joint_queries.joint_view("luolong", joint_id, spring.at))["clocks"]


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


def test_the_whole_and_its_parts_are_told_their_days_once_the_year_is_announced(spring: Hall) -> None:
    spring.at = datetime(2026, 12, 30, 9, tzinfo=SHANGHAI)
    _, joint_id = receive(spring, "open-restaurant")
    view = spring.do(joint.accept_joint, "clerk01", joint_id=joint_id)
    papers = view["notices"]
    assert clock(spring, joint_id)["due_at"] is None and last_paper(view)["provisional"]
    announce(spring)
    for _ in range(2):
        spring.do(sweeps.sweep_calendar, SYSTEM)
    view = joint_queries.joint_view("luolong", joint_id, spring.at)
    due_at, paper = view["clocks"]["promised"]["due_at"], last_paper(view)
    assert (len(view["notices"]), paper["cause"]) == (len(papers) + 1, "announced")
    assert paper["clocks"][0] == {"clock": "promised", "after_on": due_at[:10]}
    for n in range(len(view["children"])):
        case = queries.case_view("luolong", child(view, n), spring.at)
        assert [notice["kind"] for notice in case["notices"]].count("deadline_change") == 1
        assert case["printed_due_at"] == case["clocks"]["promised"]["due_at"]
    announce(spring, date(2027, 1, 5))
    spring.do(sweeps.sweep_calendar, SYSTEM)
    view = joint_queries.joint_view("luolong", joint_id, spring.at)
    assert view["clocks"]["promised"]["due_at"] == due_at
    assert last_paper(view)["clocks"][0]["promise_on"] == due_at[:10]


def test_a_promise_of_the_whole_that_is_brought_forward_is_no_promise_kept(spring: Hall) -> None:
    off = date(2026, 3, 4), date(2026, 3, 5)
    take_off(spring, *off)
    _, joint_id = receive(spring, "open-restaurant")
    view = spring.do(joint.accept_joint, "clerk01", joint_id=joint_id)
    take_off(spring, *off[:1])
    spring.do(sweeps.sweep_calendar, SYSTEM)
    now = joint_queries.joint_view("luolong", joint_id, spring.at)
    assert now["clocks"]["promised"]["due_at"] < view["clocks"]["promised"]["due_at"]
    assert now["notices"] == view["notices"]
