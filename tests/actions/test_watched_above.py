"""What a hall has sent up is watched where it is now: signals, urgings, lists and figures; on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.casework import (
    inbox,
    intake,
    levels,
    levels_queries,
    oversight,
    queries,
    review,
    special,
    supplement,
    sweeps,
    watch,
)
from app.casework.models import Case
from app.db import db
from app.events import SYSTEM, Actor
from app.hall.rules.lights import Light
from tests.actions.conftest import Hall, refused
from tests.actions.test_intake import on
from tests.actions.test_levels import collect, plans_of, send
from tests.actions.test_pre_review import in_township

WHY = "申请材料须向省厅核验。"


@pytest.fixture
def risen(spring: Hall) -> tuple[dict[str, Any], int]:
    """Received and accepted in the township, forwarded to the county."""
    case, case_id = in_township(spring)
    return spring.do(review.forward_case, spring.approver(case), "lilou", case_id=case_id), case_id


def bound(hall: Hall, who: str, to: str = "luolong") -> Actor:
    """Somebody of the network who works for one hall only."""
    return replace(hall.staff(who), hall=to)


def signals(actor: Actor) -> set[str]:
    """The levels that the actor's desk has not opened."""
    found = watch.signals_of(actor)["new"]
    assert watch.new_signals(actor) == len(found)
    db.session.rollback()
    return {row["level"] for row in found}


def urged(**whose: str) -> list[str]:
    found = [row["number"] for row in watch.open_urges(**whose)]
    db.session.rollback()
    return found


def limit_of(case_id: int) -> datetime:
    due_at = db.session.get_one(Case, ("lilou", case_id)).promised_due_at
    db.session.rollback()
    assert due_at is not None
    return due_at


def pass_promise(hall: Hall, case_id: int) -> None:
    hall.at = limit_of(case_id) + timedelta(seconds=1)
    hall.do(sweeps.sweep_lights, SYSTEM, "lilou")


def test_an_approver_of_the_hall_above_decides_what_was_sent_up_and_one_of_a_third_hall_does_not(
    spring: Hall, risen: Any
) -> None:
    case, case_id = risen
    owner = spring.approver(case)
    above, elsewhere = bound(spring, owner), bound(spring, owner, "dongcun")
    steps: list[tuple[Any, dict[str, Any], str]] = [
        (review.take_case, {}, "review"),
        (supplement.request_supplement, {"items": [{"code": "M1"}]}, "review_correction"),
        (special.resume_case, {}, "review"),
        (special.suspend_case, {"ground": "testing", "days": 3}, "special"),
        (special.resume_case, {}, "review"),
        (special.check_site, {"days": 3}, "site_check"),
        (special.resume_case, {}, "review"),
        (special.extend_case, {"reason": "需补充核查"}, "review"),
        (review.propose_case, {"outcome": "granted"}, "review"),
        (review.decide_case, {"outcome": "granted"}, "granted"),
        (review.revoke_case, {"reason": "材料不实", "basis": "《行政许可法》第六十九条"}, "void"),
    ]
    for step, given, state in steps:
        with refused("auth.foreign_hall"):
            spring.do(step, elsewhere, "lilou", case_id=case_id, **given)
        actor = (
            above if step is not review.decide_case else replace(above, id=9000, name="approver90")
        )  # who signs last
        assert spring.do(step, actor, "lilou", case_id=case_id, **given)["state"] == state, step


def test_what_the_hall_above_gives_back_is_no_more_its_own(spring: Hall, risen: Any) -> None:
    case, case_id = risen
    above = bound(spring, spring.approver(case))
    with refused("auth.foreign_hall"):
        elsewhere = bound(spring, spring.approver(case), "dongcun")
        spring.do(review.return_case, elsewhere, "lilou", case_id=case_id, reason="缺现场核查意见")
    down = spring.do(review.return_case, above, "lilou", case_id=case_id, reason="缺现场核查意见")
    assert (down["state"], down["forwarded_to"]) == ("accepted", None)
    with refused("auth.foreign_hall"):
        spring.do(review.take_case, above, "lilou", case_id=case_id)
    pass_promise(spring, case_id)
    assert [watch.open_cases(at=spring.at, hall=hall, late=True)["total"] for hall in ("lilou", "luolong")] == [1, 0]
    db.session.rollback()


def test_a_chief_of_the_hall_above_answers_its_windows(hall: Hall) -> None:
    case, case_id = collect(hall, ("M1",))
    _, manifest_id = send(hall, case_id, to_hall="luolong")
    hall.do(levels.arrive_manifest, "clerk01", "dongcun", manifest_id=manifest_id)
    hall.do(intake.raise_no_request, "clerk01", "dongcun", case_id=case_id, kind="out_of_scope", reason="不属本级")
    with refused("auth.foreign_hall"):
        hall.do(review.answer_no_request, bound(hall, "chief01", "lilou"), "dongcun", case_id=case_id, answer="accept")
    hall.do(review.answer_no_request, bound(hall, "chief01"), "dongcun", case_id=case_id, answer="accept")
    assert inbox.no_requests("luolong") == []
    db.session.rollback()


def test_what_was_sent_up_is_urged_told_and_answered_above(spring: Hall, risen: Any) -> None:
    case, case_id = risen
    owner, department = spring.approver(case), case["departments"][0]["department"]
    above, below = bound(spring, owner), bound(spring, owner, "lilou")
    with refused("auth.foreign_hall"):
        spring.do(
            oversight.urge_case, bound(spring, "supervisor01", "dongcun"), "lilou", case_id=case_id, note="请速办"
        )
    spring.do(oversight.urge_case, bound(spring, "supervisor01"), "lilou", case_id=case_id, note="请速办")
    spring.do(oversight.tell_signals, SYSTEM, "lilou")
    assert urged(hall="luolong", department=department) == urged(hall="luolong") == [case["number"]]
    assert urged(hall="lilou", department=department) == urged(hall="lilou") == []
    assert (signals(above), signals(below)) == ({"urged"}, set())
    assert watch.halls_of_new(above) == ["lilou"] and watch.halls_of_new(below) == []
    db.session.rollback()
    assert spring.do(oversight.see_signals, below, "lilou") == {"seen": 0}
    assert spring.do(oversight.see_signals, above, "lilou") == {"seen": 1}
    assert signals(above) == set() and watch.halls_of_new(above) == []
    db.session.rollback()
    answered = spring.do(oversight.answer_urge, above, "lilou", case_id=case_id, answer="今日办结。")
    assert answered["urges"][0]["answered_by"] == owner and urged() == []


def test_what_is_late_above_is_on_the_lists_above_and_counts_once(spring: Hall, risen: Any) -> None:
    case, case_id = risen
    spring.accepted()
    in_township(spring)  # nobody sent it up
    at, late_day = limit_of(case_id) - timedelta(minutes=1), limit_of(case_id).date().isoformat()
    for hall, turning in (("luolong", 2), ("lilou", 1), (None, 3)):
        days = {row["day"]: row["yellow"] for row in watch.forecast(hall, at)}
        assert sum(days.values()) == turning and days[late_day], hall
    db.session.rollback()
    pass_promise(spring, case_id)
    spring.do(sweeps.sweep_lights, SYSTEM, "lilou")
    spring.later(hours=1).do(sweeps.sweep_lights, SYSTEM)  # the county shuts later
    tabs = {"luolong": 2, "lilou": 1, "dongcun": 0}
    for hall, late in tabs.items():
        listed = watch.open_cases(at=spring.at, hall=hall, late=True)
        assert listed["total"] == len(listed["items"]) == watch.unexplained(hall) == late, hall
        assert (case["number"] in {row["number"] for row in listed["items"]}) is (hall == "luolong")
        for side in watch.SIDES:
            rows = watch.lights_by(side, hall)
            assert sum(row["total"] for row in rows) == sum(row["yellow"] for row in rows) == late, (hall, side)
            for row in rows:
                where = {} if side == "hall" else {side: row["key"]}
                assert watch.open_cases(at=spring.at, hall=hall, **where)["total"] == row["total"], (hall, side)
    assert inbox.inbox(at=spring.at, hall="luolong", state="overdue")["total"] == tabs["luolong"]
    network = {row["key"]: row["total"] for row in watch.lights_by("hall")}
    assert network == {hall: late for hall, late in tabs.items() if late}
    assert watch.unexplained() == watch.open_cases(at=spring.at, late=True)["total"] == 3
    assert [row["total"] for row in watch.lights_by("department")] == [3]
    reds = [sum(row["red"] for row in watch.forecast(hall, spring.at)) for hall in ("luolong", "lilou", None)]
    assert reds == [2, 1, 3]
    db.session.rollback()


def test_why_it_is_late_is_said_above(spring: Hall, risen: Any) -> None:
    case, case_id = risen
    pass_promise(spring, case_id)
    owner = bound(spring, spring.approver(case))
    spring.do(oversight.explain_overdue, owner, "lilou", case_id=case_id, reason=WHY)
    assert watch.unexplained("luolong") == 0
    assert watch.open_cases(at=spring.at, hall="luolong", silent=True)["total"] == 0
    db.session.rollback()


def test_papers_that_stay_below_are_signalled_where_they_lie(spring: Hall, risen: Any) -> None:
    case, case_id = risen
    owner = spring.approver(case)
    spring.at = on(3, 6, 10)
    for sweep in (sweeps.ring_alarms, oversight.tell_signals):
        spring.do(sweep, SYSTEM, "lilou")
    assert signals(bound(spring, owner)) == {"stage"}  # it has not taken the case up
    assert signals(bound(spring, owner, "lilou")) == {"pre-review"}  # its papers are to be sent up


def test_a_result_is_missed_in_the_hall_where_it_lies(spring: Hall, risen: Any) -> None:
    case, case_id = risen
    view = spring.do(levels.send_manifest, "clerk21", "lilou", case_ids=[case_id])
    manifest_id = levels_queries.find_manifest(view["number"])[1]
    spring.do(levels.arrive_manifest, "clerk01", "lilou", manifest_id=manifest_id)
    spring.do(review.decide_case, spring.approver(case), "lilou", case_id=case_id, outcome="granted")
    assert queries.case_view("lilou", case_id, spring.at)["handled_in"] == "luolong"
    db.session.rollback()
    spring.at = on(3, 17, 10)
    for sweep in (sweeps.ring_alarms, oversight.tell_signals):
        spring.do(sweep, SYSTEM, "lilou")
    assert signals(bound(spring, "supervisor01")) == {"delivery"}
    assert signals(bound(spring, "supervisor01", "lilou")) == set()


def test_what_supervision_asks_of_one_hall_is_read_along_an_index_each_way(spring: Hall, risen: Any) -> None:
    spring.accepted()
    hall = "luolong"
    span: dict[str, Any] = {"due_on": spring.at, "due_until": spring.at + timedelta(days=5), "turning": Light.red}
    asked = {
        "ix_cases_forwarded_tab": lambda: watch.open_cases(at=spring.at, hall=hall),
        "ix_cases_forwarded_overdue": lambda: watch.open_cases(at=spring.at, hall=hall, late=True),
        "ix_cases_forwarded_unexplained": lambda: watch.unexplained(hall),
        "ix_cases_forwarded_statutory": lambda: watch.open_cases(at=spring.at, hall=hall, **span),
    }
    plans = [(risen_by, plan) for risen_by, look in asked.items() for plan in plans_of(look, "order_at", "LIMIT")]
    assert len(plans) == 7  # each page is counted, then read
    _, yellow, _, red = plans_of(lambda: watch.forecast(hall, spring.at), "sum(")  # one a way, one a light
    server = db.engine.dialect.name == "postgresql"
    for risen_by, plan in [*plans, ("ix_cases_forwarded_tab", yellow), ("ix_cases_forwarded_statutory", red)]:
        assert "Seq Scan" not in plan and "SCAN cases" not in plan and "TEMP B-TREE" not in plan.split("UNION")[0], plan
        assert server or risen_by in plan, plan  # with so few rows PostgreSQL takes any index of what went up
