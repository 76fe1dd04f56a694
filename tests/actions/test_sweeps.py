"""What happens to cases by itself: lights, alarms, new calendars; on both databases."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from app import eventlog
from app.casework import (
    delivery,
    inbox,
    intake,
    oversight,
    queries,
    review,
    special,
    supplement,
    sweeps,
)
from app.casework.models import Case, CaseReview, CaseSignal, CaseStop
from app.catalog.queries import search_items
from app.db import db
from app.events import SYSTEM
from app.hall import settings as hall_settings
from app.hall.holidays import read
from app.hall.rules.calendar import WorkCalendar
from tests.actions.conftest import Hall, alarms_of, change_guide, last_paper
from tests.actions.test_intake import found, on, told, with_gap
from tests.actions.test_review import with_departments
from tests.actions.test_supplement import change_rules

DAY_OFF = date(2026, 3, 4)


def take_off(hall: Hall, *days: date, announced: dict[int, str] | None = None) -> None:
    """Put a calendar in force in which these days are not worked."""
    old = read()
    days_off = {**old.days_off, **dict.fromkeys(days, "临时放假")}
    whole = WorkCalendar.of(days_off=days_off, makeup=dict(old.makeup), source={**old.source, **(announced or {})})
    hall_settings.import_calendar(actor=SYSTEM, at=hall.at, data=whole.to_json())


def announce(hall: Hall, *days: date) -> None:
    """Put a calendar in force that holds 2027 too; besides New Year these days are not worked."""
    take_off(hall, date(2027, 1, 1), *days, announced={2027: "测试用"})


def ring(hall: Hall, at: datetime) -> int:
    hall.at = at
    return hall.do(sweeps.ring_alarms, SYSTEM)["rung"]


def view(hall: Hall, case_id: int) -> dict[str, Any]:
    return queries.case_view("luolong", case_id, hall.at)


def signals(case_id: int) -> set[str]:
    levels = set(db.session.query(CaseSignal.level).filter_by(case_id=case_id).distinct())
    db.session.rollback()
    return {level for (level,) in levels}


def signalled(case_id: int, level: str, rung: str) -> set[str]:
    """Of which departments this rung is told, or will be."""
    rows = db.session.query(CaseSignal.department).filter_by(case_id=case_id, level=level, rung=rung).all()
    db.session.rollback()
    return {department for (department,) in rows}


# ── lights


def test_lights_change_when_due_and_only_those(spring: Hall) -> None:
    _, case_id = spring.accepted()
    assert spring.do(sweeps.sweep_lights, SYSTEM)["changed"] == 0
    for at, light in ((on(3, 6, 9), "amber"), (on(3, 9, 18), "yellow"), (on(3, 16, 18), "red")):
        spring.at = at
        assert spring.do(sweeps.sweep_lights, SYSTEM)["changed"] == 1
        assert view(spring, case_id)["light"] == light
        assert spring.do(sweeps.sweep_lights, SYSTEM)["changed"] == 0
    assert [line["number"] for line in inbox.inbox(at=spring.at, state="overdue")["items"]]
    lights = [r.event.light for r in eventlog.read_subject("luolong", f"case:{case_id}") if "light" in r.event.kind]
    assert lights == ["amber", "yellow", "red"]


@pytest.mark.parametrize("most", [1, 50])
def test_lights_of_many_cases_change_together_as_each_would_alone(
    spring: Hall, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(sweeps, "LIGHTS", most)
    cases = [spring.accepted(), spring.accepted()]
    suspended, stopped_id = cases[1]
    spring.do(special.suspend_case, spring.approver(suspended), case_id=stopped_id, ground="testing", days=1)
    spring.later(days=2)
    spring.do(special.resume_case, spring.approver(suspended), case_id=stopped_id)
    longer = found(lambda guide: guide["promised"]["unit"] == "WD" and guide["promised"]["amount"] > 5)
    cases += [spring.accepted(item=longer["code"])]
    for _ in range(4 * 60):
        spring.later(hours=6)
        while (done := spring.do(sweeps.sweep_lights, SYSTEM))["more"]:
            assert done["changed"] == most
    for case, case_id in cases:
        owner = case["departments"][0]["department"]
        shown = [e for e in told(case_id) if e.kind == "case.light_changed"]
        assert [(e.light, e.department) for e in shown][-3:] == [("amber", owner), ("yellow", owner), ("red", owner)]
        signals = db.session.query(CaseSignal.level, CaseSignal.rung, CaseSignal.department)
        of_lights = signals.filter_by(case_id=case_id).order_by(CaseSignal.id)
        yellow, red = (
            [(level, rung, owner) for rung in ("owner", "chief", "supervisor")] for level in ("yellow", "red")
        )
        assert [tuple(row) for row in of_lights] == [("amber", "owner", owner), *yellow, *red]
        row = db.session.get_one(Case, ("luolong", case_id))
        parts = db.session.query(CaseReview.light, CaseReview.order_at).filter_by(case_id=case_id)
        assert {tuple(part) for part in parts} == {("red", row.promised_due_at)} and row.next_light_at is None
        db.session.rollback()


# ── alarms


def test_alarms_ring_the_longest_due_first_and_so_many_at_a_time(spring: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    _, first = spring.receive(states={"M1": "missing"})
    spring.later(hours=24)
    _, second = spring.receive(states={"M1": "missing"})
    monkeypatch.setattr(sweeps, "RINGS", 1)
    spring.at = on(3, 10, 18)
    states = []
    for _ in range(3):
        done = spring.do(sweeps.ring_alarms, SYSTEM)
        states.append((done["more"], view(spring, first)["state"], view(spring, second)["state"]))
    accepted = ("accepted", "accepted")
    assert states == [(True, "accepted", "received"), (True, *accepted), (False, *accepted)]


def test_an_open_gap_is_reminded_of_and_then_ends_the_case(spring: Hall) -> None:
    _, case_id = with_gap(spring)
    spring.do(intake.accept_case, "clerk01", case_id=case_id, tolerant={"commitment": "补交", "gap_limit": 4})
    assert ring(spring, on(3, 4, 8, 29)) == 1  # only that nobody has taken it up
    assert ring(spring, on(3, 4, 8, 30)) == 1
    paper = last_paper(view(spring, case_id))
    assert (paper["of"], paper["due_on"], len(paper["materials"])) == ("gap", "2026-03-06", 1)
    assert "gap" in signals(case_id)
    assert [event.of for event in told(case_id) if event.kind == "case.reminded"] == ["gap"]
    assert ring(spring, on(3, 6, 18)) == 1
    case = view(spring, case_id)
    assert case["state"] == "deemed_withdrawn"
    slip = last_paper(case)
    assert (slip["deemed"], slip["supplement_due_on"]) == (True, "2026-03-06")
    assert "政务服务条例" in slip["legal_basis"][0]
    assert alarms_of(case_id) == {}
    assert case["steps"] == []


def test_where_no_law_ends_it_an_overdue_gap_is_only_signalled(spring: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    change_rules(monkeypatch, gap_overdue="none")
    _, case_id = with_gap(spring)
    tolerant = {"commitment": "补交", "gap_limit": 2}
    case = spring.do(intake.accept_case, "clerk01", case_id=case_id, tolerant=tolerant)
    assert "consequence" not in last_paper(case)
    assert "gap-soon" not in alarms_of(case_id)  # two working days before is now
    ring(spring, on(3, 4, 18))
    assert view(spring, case_id)["state"] == "accepted"
    assert "gap" in signals(case_id)


def test_a_special_procedure_that_lasts_too_long_is_told(spring: Hall) -> None:
    case, case_id = spring.accepted()
    approver = spring.approver(case)
    spring.do(special.suspend_case, approver, case_id=case_id, ground="testing", days=4)
    ring(spring, on(3, 6, 10))
    overran = [event for event in told(case_id) if event.kind == "case.overran"]
    assert [(event.ground, event.department) for event in overran] == [
        ("testing", case["departments"][0]["department"])
    ]
    assert "overrun" in signals(case_id)
    assert view(spring, case_id)["clocks"]["statutory"]["stopped"]  # the law does not let it run on by itself


def test_a_part_nobody_takes_up_is_signalled_and_one_that_was_taken_is_not(spring: Hall) -> None:
    _, untaken = spring.accepted()
    case, taken = spring.accepted()
    spring.do(review.take_case, spring.approver(case), case_id=taken)
    ring(spring, on(3, 3, 18))
    assert signals(untaken) == {"stage"}
    assert signals(taken) == set()


def test_only_the_department_that_has_not_taken_its_part_hears_of_the_stage(spring: Hall) -> None:
    case, case_id = spring.accepted(item=with_departments("parallel"))
    spring.do(review.take_case, spring.approver(case, 0), case_id=case_id)
    ring(spring, on(3, 3, 18))
    others = {part["department"] for part in case["departments"][1:]}
    assert signalled(case_id, "stage", "owner") == others
    assert signalled(case_id, "stage", "chief") <= others


def test_who_takes_its_part_overnight_hears_nothing_of_the_stage_and_the_chief_of_the_others(spring: Hall) -> None:
    case, case_id = spring.accepted(item=with_departments("parallel"))
    ring(spring, on(3, 3, 18))  # the doors are shut: nobody is told before the morning
    spring.at = on(3, 4, 8)
    spring.do(review.take_case, spring.approver(case, 0), case_id=case_id)
    spring.at = on(3, 4, 9)
    spring.do(oversight.tell_signals, SYSTEM)
    assert signalled(case_id, "stage", "owner") == {part["department"] for part in case["departments"][1:]}
    assert len(signalled(case_id, "stage", "chief")) == 1  # they are late still


def test_an_overrun_is_told_of_the_department_that_stopped_the_clock(spring: Hall) -> None:
    case, case_id = spring.accepted(item=with_departments("parallel"))
    stopping = case["departments"][1]["department"]
    spring.do(special.suspend_case, spring.approver(case, 1), case_id=case_id, ground="testing", days=1)
    ring(spring, on(3, 4, 10))
    assert [event.department for event in told(case_id) if event.kind == "case.overran"] == [stopping]
    for rung in ("owner", "chief", "supervisor"):
        assert signalled(case_id, "overrun", rung) == {stopping}


def test_a_stop_of_old_that_does_not_say_whose_it_is_overruns_for_all_who_decide(spring: Hall) -> None:
    case, case_id = spring.accepted(item=with_departments("parallel"))
    spring.do(special.suspend_case, spring.approver(case, 1), case_id=case_id, ground="testing", days=1)
    db.session.query(CaseStop).update({"department": None})
    db.session.commit()
    ring(spring, on(3, 4, 10))
    assert signalled(case_id, "overrun", "owner") == {part["department"] for part in case["departments"]}


def test_a_result_that_nobody_collects_is_reminded_of_twice_and_then_signalled(spring: Hall) -> None:
    case, case_id = spring.accepted(item=found(lambda guide: len(guide["departments"]) == 1)["code"])
    spring.do(review.decide_case, spring.approver(case), case_id=case_id, outcome="granted")
    spring.do(delivery.ready_case, "pickup01", case_id=case_id)
    for at, times, waited in ((on(3, 5, 18), 1, "3 个工作日"), (on(3, 11, 18), 2, "7 个工作日")):
        assert ring(spring, at) >= 1
        paper = last_paper(view(spring, case_id))
        assert (paper["of"], paper["times"], paper["waited"]) == ("collect", times, waited)
    assert signals(case_id) & {"delivery"} == set()
    assert ring(spring, on(3, 16, 18)) == 2
    assert "delivery" in signals(case_id)
    assert alarms_of(case_id) == {}


def test_a_commitment_that_nobody_checked_is_signalled(spring: Hall) -> None:
    guide = found(lambda guide: guide["commitment"] and len(guide["departments"]) == 1)
    case, case_id = spring.receive(item=guide["code"])
    case = spring.do(intake.accept_case, "clerk01", case_id=case_id, commitment={"text": "符合条件"})
    spring.do(review.decide_case, spring.approver(case), case_id=case_id, outcome="granted")
    ring(spring, on(6, 30))
    assert "check" in signals(case_id)


def test_an_alarm_of_a_case_that_went_another_way_is_dropped(spring: Hall) -> None:
    code = search_items("食品经营许可延续")["items"][0]["code"]
    change_guide(code, regime="information_disclosure")
    _, case_id = spring.receive(item=code, states={"M1": "missing"})
    spring.do(supplement.request_supplement, "clerk01", case_id=case_id, items=[{"code": "M1"}])
    row = db.session.get(Case, ("luolong", case_id))
    row.state = "accepted"  # as if something else had happened meanwhile
    db.session.commit()
    seen = len(told(case_id))
    assert ring(spring, on(3, 23, 18)) == 1
    assert len(told(case_id)) == seen
    assert alarms_of(case_id) == {}


class TestCost:
    """What a sweep reads does not grow with the cases that are open. SQLite says its plan even of empty tables."""

    @pytest.fixture
    def database(self) -> str:
        return "sqlite"

    def test_a_sweep_of_many_lights_takes_the_statements_of_one(self, spring: Hall) -> None:
        counts = []
        for number in (1, 6):
            for _ in range(number):
                spring.accepted()
            spring.at += timedelta(days=30)
            statements: list[str] = []

            def note(_conn: Any, _cursor: Any, statement: str, *_more: Any, to: list[str] = statements) -> None:
                to.append(statement)

            event.listen(db.engine, "before_cursor_execute", note)
            done = spring.do(sweeps.sweep_lights, SYSTEM)
            event.remove(db.engine, "before_cursor_execute", note)
            assert done == {"changed": number, "more": False}
            counts.append(len(statements))
        assert counts[0] == counts[1]

    def test_sweeps_look_only_at_what_is_due(self, spring: Hall) -> None:
        spring.accepted()
        spring.receive()
        read: list[tuple[str, Any]] = []

        def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
            if re.search("FROM (cases|case_alarms|case_signals|joint_cases|agency_orders)", statement):
                read.append((statement, parameters))

        event.listen(db.engine, "before_cursor_execute", note)
        for sweep in (sweeps.sweep_calendar, sweeps.ring_alarms, sweeps.sweep_lights):
            spring.do(sweep, SYSTEM)
        event.remove(db.engine, "before_cursor_execute", note)
        with db.engine.connect() as connection:
            plans = [
                connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()[0][3]
                for statement, parameters in read
            ]
        used = [plan.partition("USING INDEX ")[2] for plan in plans]
        assert used == [
            "ix_cases_open (hall=? AND schedule_version<?)",
            "ix_cases_open (hall=? AND schedule_version>?)",
            "ix_joint_cases_version (hall=? AND schedule_version<?)",
            "ix_joint_cases_version (hall=? AND schedule_version>?)",
            "ix_agency_orders_undated (hall=? AND schedule_version<?)",
            "ix_agency_orders_undated (hall=? AND schedule_version>?)",
            "ix_case_alarms_version (hall=? AND schedule_version<?)",
            "ix_case_alarms_version (hall=? AND schedule_version>?)",
            "ix_case_signals_version (hall=? AND schedule_version<?)",
            "ix_case_signals_version (hall=? AND schedule_version>?)",
            "ix_case_alarms_due (hall=? AND due_at<?)",
            "ix_cases_next_light (hall=? AND next_light_at<?)",
        ]
