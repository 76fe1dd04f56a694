"""Tolerated gaps 容缺: what may follow, by which day, what closes them, and what comes after a decision over one."""

from __future__ import annotations

import pytest

from app.casework import delivery, intake, oversight, queries, returning, review, special, watch
from app.casework.sweeps import ring_alarms
from app.events import SYSTEM
from tests.actions.conftest import ID, Hall, alarms_of, change_guide, last_paper, refused
from tests.actions.test_intake import found, kinds, on, secondary, told, with_gap
from tests.actions.test_supplement import ask, bring


def tolerated(hall: Hall, days: int = 4) -> tuple[str, int, str]:
    """(the tolerated paper, a case accepted over it for so many days, who decides it)."""
    code, case_id = with_gap(hall)
    tolerant = {"commitment": "补交", "gap_limit": days}
    case = hall.do(intake.accept_case, "clerk01", case_id=case_id, tolerant=tolerant)
    return code, case_id, hall.approver(case)


def test_what_a_department_asks_for_is_no_part_of_the_gap(spring: Hall) -> None:
    """The applicant kept the promise: what is asked for in review has its own day, after which nothing is deemed."""
    code, case_id, approver = tolerated(spring)
    paper = last_paper(ask(spring, case_id, "M1", who=approver))
    assert [line["state"] for line in paper["materials"]] == ["missing"]
    assert bring(spring, case_id, code)["gap_due_at"] is None
    assert not alarms_of(case_id).keys() & {"gap", "gap-soon"}
    spring.at = on(3, 6, 18)
    spring.do(ring_alarms, SYSTEM)
    assert queries.case_view("luolong", case_id, spring.at)["state"] == "review_correction"


def test_a_filled_gap_stops_no_decision(spring: Hall) -> None:
    code, case_id, approver = tolerated(spring)
    bring(spring, case_id, code)
    ask(spring, case_id, "M1", who=approver)
    spring.at = on(3, 20)
    spring.do(ring_alarms, SYSTEM)
    spring.do(special.resume_case, approver, case_id=case_id)
    done = spring.do(review.decide_case, approver, case_id=case_id, outcome="granted")
    assert done["departments"][0]["state"] == "granted"


def test_each_paper_has_its_own_day(spring: Hall) -> None:
    code, case_id, approver = tolerated(spring, days=1)
    case = ask(spring, case_id, "M1", who=approver)
    assert {m["code"]: m["bring_by"] for m in case["materials"] if m["wanted"]} == {
        code: case["gap_due_at"],
        "M1": case["supplement_due_at"],
    }
    public = queries.public_view("luolong", case_id, spring.at)
    days = [(paper["tolerated"], paper["bring_by"][:10]) for paper in public["to_bring"]]
    assert sorted(days) == [(False, "2026-03-16"), (True, "2026-03-03")]
    assert public["bring_by"] == case["gap_due_at"]
    spring.do(special.resume_case, approver, case_id=case_id)  # the department goes on without its own
    public = queries.public_view("luolong", case_id, spring.at)
    assert [paper["tolerated"] for paper in public["to_bring"]] == [True]


def passed(hall: Hall, outcome: str = "granted") -> tuple[str, int]:
    """(the paper, a case decided over an open gap until 6 March, as its item allows 容缺通过)."""
    guide = found(lambda guide: secondary(guide) and not guide["commitment"] and len(guide["departments"]) == 1)
    change_guide(guide["code"], gap_pass=True)
    code = str(secondary(guide))
    _, case_id = hall.receive(item=guide["code"], states={code: "missing"})
    tolerant = {"commitment": "补交", "gap_limit": 4}
    case = hall.do(intake.accept_case, "clerk01", case_id=case_id, tolerant=tolerant)
    assert last_paper(case)["consequence"].startswith("作出决定前逾期")
    words = {"reason": "不符合条件", "basis": "某法第一条"} if outcome == "refused" else {}
    hall.do(review.decide_case, hall.approver(case), case_id=case_id, outcome=outcome, **words)
    return code, case_id


@pytest.mark.parametrize("where", ["granted", "ready", "delivered"])
def test_a_promised_paper_follows_the_decision(spring: Hall, where: str) -> None:
    code, case_id = passed(spring)
    if where != "granted":
        spring.do(delivery.ready_case, "pickup01", case_id=case_id)
    if where == "delivered":
        spring.do(delivery.hand_over, "pickup01", case_id=case_id, receiver="张三丰", id_number=ID)
    case = queries.case_view("luolong", case_id, spring.at)
    assert (case["state"], case["gap_due_at"][:10], "supply" in case["steps"]) == (where, "2026-03-06", True)
    assert alarms_of(case_id).keys() >= {"gap", "gap-soon"}
    assert [paper["tolerated"] for paper in queries.public_view("luolong", case_id, spring.at)["to_bring"]] == [True]
    with refused("case.nothing_missing"):  # nothing else is taken in after the decision
        bring(spring, case_id, code, next(m["code"] for m in case["materials"] if m["code"] != code))
    case = bring(spring, case_id, code)
    assert (case["state"], case["gap_due_at"], "supply" in case["steps"]) == (where, None, False)
    assert kinds(case)[-1] == "supplement_receipt"
    assert last_paper(case)["complete"] is True
    assert not alarms_of(case_id).keys() & {"gap", "gap-soon"}
    with refused("case.nothing_missing"):
        bring(spring, case_id, code)


def test_a_gap_that_is_overdue_after_the_decision_is_told_and_ends_nothing(spring: Hall) -> None:
    _, case_id = passed(spring)
    spring.at = on(3, 4, 8, 30)
    spring.do(ring_alarms, SYSTEM)
    case = queries.case_view("luolong", case_id, spring.at)
    assert kinds(case)[-1] == "reminder"
    assert "consequence" not in last_paper(case)
    spring.do(oversight.tell_signals, SYSTEM)
    spring.at = on(3, 6, 18)
    spring.do(ring_alarms, SYSTEM)
    spring.at = on(3, 9)
    spring.do(oversight.tell_signals, SYSTEM)
    assert queries.case_view("luolong", case_id, spring.at)["state"] == "granted"
    levels = [event.level for event in told(case_id) if event.kind == "case.signalled"]
    assert levels == ["gap", "gap"]  # before the day and on it
    owner = spring.staff(spring.approver(case))
    assert [signal["level"] for signal in watch.signals_of(owner)["new"]] == ["gap"]


def test_a_refusal_and_a_revocation_close_the_gap(spring: Hall) -> None:
    for case_id in (passed(spring, "refused")[1], passed(spring)[1]):
        case = queries.case_view("luolong", case_id, spring.at)
        if case["state"] == "granted":
            words = {"reason": "以欺骗手段取得", "basis": "行政许可法第六十九条"}
            case = spring.do(review.revoke_case, spring.approver(case), case_id=case_id, **words)
        assert case["gap_due_at"] is None
        assert "supply" not in case["steps"]
        assert not any(material["tolerated"] for material in case["materials"])
        assert not alarms_of(case_id).keys() & {"gap", "gap-soon"}
        assert queries.public_view("luolong", case_id, spring.at)["to_bring"] == []


def test_whoever_brings_a_promised_paper_comes_with_a_returning_number(spring: Hall) -> None:
    code, case_id, _ = tolerated(spring)
    number = queries.case_view("luolong", case_id, spring.at)["number"]
    assert returning.by_number("luolong", number)[0] == number
    bring(spring, case_id, code)
    with refused("case.no_supplement_due"):
        returning.by_number("luolong", number)
