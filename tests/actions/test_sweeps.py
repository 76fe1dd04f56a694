"""What happens to cases by itself: lights, alarms, new calendars; on both databases."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any

import pypdf
import pytest
from sqlalchemy import event

from app import eventlog
from app.action import Transaction
from app.casework import (
    delivery,
    inbox,
    intake,
    oversight,
    preview,
    queries,
    review,
    special,
    supplement,
    sweeps,
)
from app.casework.annex import ledger_paper
from app.casework.models import Case, CaseReview, CaseSignal, CaseStop
from app.catalog.queries import search_items
from app.db import db
from app.events import SYSTEM
from app.hall import settings as hall_settings
from app.hall.holidays import read
from app.hall.queries import schedule
from app.hall.rules.calendar import WorkCalendar
from app.hall.settings import add_exception
from app.now import SHANGHAI
from tests.actions.conftest import Hall, alarms_of, change_guide, last_paper, refused
from tests.actions.test_intake import found, kinds, on, told, with_gap
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


# ── calendars


def test_a_printed_promise_stands_and_the_applicant_is_told_of_the_new_calendar(spring: Hall) -> None:
    _, open_id = spring.accepted()
    closed, closed_id = spring.accepted()
    for position in range(len(closed["departments"])):
        spring.do(review.decide_case, spring.approver(closed, position), case_id=closed_id, outcome="granted")
    take_off(spring, DAY_OFF)
    assert spring.do(sweeps.sweep_calendar, SYSTEM)["changed"] == 1
    rest = spring.do(sweeps.sweep_calendar, SYSTEM)
    assert rest == {"changed": 0, "joint": 0, "orders": 0, "alarms": 0, "signals": 0, "more": False}
    case = view(spring, open_id)
    assert case["clocks"]["promised"]["due_at"].startswith("2026-03-09T18")
    assert case["clocks"]["statutory"]["due_at"].startswith("2026-03-17T18")
    paper = last_paper(case)
    assert (kinds(case)[-1], paper["cause"]) == ("deadline_change", "calendar")
    assert paper["clocks"] == [
        {"clock": "promised", "before_on": "2026-03-09", "after_on": "2026-03-10", "promise_on": "2026-03-09"},
        {"clock": "statutory", "before_on": "2026-03-16", "after_on": "2026-03-17"},
    ]
    assert view(spring, closed_id)["clocks"]["statutory"]["due_at"].startswith("2026-03-16")
    for at, light in ((on(3, 6, 9), "amber"), (on(3, 9, 18), "yellow")):  # the light follows what was printed
        spring.at = at
        spring.do(sweeps.sweep_lights, SYSTEM)
        case = view(spring, open_id)
        assert (case["light"], case["clocks"]["promised"]["due_at"][:10]) == (light, "2026-03-09")


def test_the_applicant_is_told_once_of_each_change_and_not_of_what_changes_nothing(spring: Hall) -> None:
    _, case_id = spring.accepted()
    take_off(spring, DAY_OFF)
    spring.do(sweeps.sweep_calendar, SYSTEM)
    take_off(spring, DAY_OFF, date(2026, 6, 10))  # far behind the limit
    assert spring.do(sweeps.sweep_calendar, SYSTEM)["changed"] == 1
    assert kinds(view(spring, case_id)).count("deadline_change") == 1
    take_off(spring, DAY_OFF, date(2026, 3, 5))
    spring.do(sweeps.sweep_calendar, SYSTEM)
    case = view(spring, case_id)
    assert kinds(case).count("deadline_change") == 2
    assert last_paper(case)["clocks"][0] == {
        "clock": "promised", "before_on": "2026-03-09", "after_on": "2026-03-11", "promise_on": "2026-03-09"
    }  # fmt: skip


def test_a_promise_brought_forward_is_never_put_off_beyond_what_was_printed(spring: Hall) -> None:
    """One calendar brings the promise forward, the next would put it off: it ends on the printed day, and counts so."""
    take_off(spring, DAY_OFF)
    case, case_id = spring.accepted()
    printed = case["clocks"]["promised"]["due_at"]
    assert printed.startswith("2026-03-10")
    take_off(spring)
    spring.do(sweeps.sweep_calendar, SYSTEM)
    assert view(spring, case_id)["clocks"]["promised"]["due_at"].startswith("2026-03-09")
    take_off(spring, DAY_OFF, date(2026, 3, 5))
    spring.do(sweeps.sweep_calendar, SYSTEM)
    clock = view(spring, case_id)["clocks"]["promised"]
    assert (clock["due_at"], clock["kept"], clock["remaining"]) == (printed, True, 5)
    spring.at = on(3, 9, 12)
    assert view(spring, case_id)["clocks"]["promised"]["remaining"] == 1  # by the calendar of the paper


def test_the_annex_names_the_hours_by_which_a_kept_promise_counts(spring: Hall) -> None:
    code = search_items("食品经营许可延续")["items"][0]["code"]
    change_guide(code, promised={"amount": 14, "unit": "WH"})
    _, case_id = spring.accepted(item=code)
    spring.later(hours=1).do(hall_settings.set_hours, "admin01", hours="09:00-12:00", from_on=date(2026, 3, 3))
    spring.do(sweeps.sweep_calendar, SYSTEM)
    pages = pypdf.PdfReader(BytesIO(ledger_paper("luolong", case_id, spring.at))).pages
    text = re.sub(r"\s", "", "".join(page.extract_text() for page in pages))
    assert "2026-03-03→09:00–12:00；承诺按08:30–12:00、13:30–18:00" in text


def test_a_day_more_of_work_shortens_what_was_promised(spring: Hall) -> None:
    take_off(spring, DAY_OFF)
    case, case_id = spring.accepted()
    assert case["clocks"]["promised"]["due_at"].startswith("2026-03-10")
    take_off(spring)
    spring.do(sweeps.sweep_calendar, SYSTEM)
    case = view(spring, case_id)
    assert case["clocks"]["promised"]["due_at"].startswith("2026-03-09")
    assert "deadline_change" not in kinds(case)


def test_a_new_calendar_moves_our_own_alarms_and_no_day_that_was_printed(spring: Hall) -> None:
    _, waiting = spring.receive()
    _, asked = spring.receive(states={"M1": "missing"})
    spring.do(supplement.request_supplement, "clerk01", case_id=asked, items=[{"code": "M1"}])
    _, gap = with_gap(spring)
    spring.do(intake.accept_case, "clerk01", case_id=gap, tolerant={"commitment": "补交", "gap_limit": 3})
    before = alarms_of(gap)
    take_off(spring, date(2026, 3, 3), DAY_OFF)
    assert spring.do(sweeps.sweep_calendar, SYSTEM)["alarms"] == 2  # the notice, the taking
    assert view(spring, waiting)["notice_due_at"].startswith("2026-03-11T18:00")
    assert alarms_of(waiting)["notice"] == on(3, 11, 18)
    assert alarms_of(asked)["supplement"] == on(3, 16, 18)
    after = alarms_of(gap)
    assert after["stage"] == on(3, 5, 18)
    assert (after["gap"], after["gap-soon"]) == (before["gap"], before["gap-soon"])


def test_what_waits_for_the_calendar_gets_its_day_when_it_comes(spring: Hall) -> None:
    spring.at = datetime(2027, 1, 4, 10, tzinfo=spring.at.tzinfo)
    _, received = spring.receive()
    _, gap = with_gap(spring)
    spring.do(intake.accept_case, "clerk01", case_id=gap, tolerant={"commitment": "补交", "gap_limit": 4})
    assert alarms_of(received)["notice"] is None
    announce(spring)
    spring.do(sweeps.sweep_calendar, SYSTEM)
    assert view(spring, received)["notice_due_at"].startswith("2027-01-11T18:00")
    assert view(spring, gap)["gap_due_at"].startswith("2027-01-08T18:00")
    assert alarms_of(gap)["gap-soon"].astimezone(SHANGHAI) == datetime(2027, 1, 6, 8, 30, tzinfo=SHANGHAI)


def test_who_was_told_no_day_is_told_it_once_the_year_is_announced(spring: Hall) -> None:
    """It counts as printed from then on: a calendar that comes later does not put it off (K6, K7)."""
    spring.at = datetime(2026, 12, 30, 10, tzinfo=SHANGHAI)
    case, case_id = spring.accepted()
    assert last_paper(case)["provisional"] and case["printed_due_at"] is None
    take_off(spring, DAY_OFF)  # another calendar that knows nothing of 2027 either
    spring.do(sweeps.sweep_calendar, SYSTEM)
    assert view(spring, case_id)["notices"] == case["notices"]
    announce(spring)
    for _ in range(2):
        spring.do(sweeps.sweep_calendar, SYSTEM)
    told_, case = kinds(case), view(spring, case_id)
    assert kinds(case) == [*told_, "deadline_change"]
    paper, due_at = last_paper(case), case["clocks"]["promised"]["due_at"]
    assert due_at.startswith("2027-01-07T18:00") and case["printed_due_at"] == due_at
    assert (paper["cause"], paper["promised_due_on"], paper["provisional"]) == ("announced", "2027-01-07", False)
    assert paper["clocks"] == [
        {"clock": "promised", "after_on": "2027-01-07"},
        {"clock": "statutory", "after_on": "2027-01-14"},
    ]
    announce(spring, date(2027, 1, 5))
    spring.do(sweeps.sweep_calendar, SYSTEM)
    case = view(spring, case_id)
    assert case["clocks"]["promised"]["due_at"] == due_at and case["clocks"]["promised"]["kept"]
    assert last_paper(case)["clocks"] == [
        {"clock": "promised", "before_on": "2027-01-07", "after_on": "2027-01-08", "promise_on": "2027-01-07"},
        {"clock": "statutory", "before_on": "2027-01-14", "after_on": "2027-01-15"},
    ]


def test_a_limit_of_the_year_to_come_is_told_beside_one_that_ended_before(spring: Hall) -> None:
    spring.at = datetime(2026, 12, 22, 10, tzinfo=SHANGHAI)
    case, case_id = spring.accepted()
    assert case["clocks"]["promised"]["due_at"] and "promised_due_on" not in last_paper(case)
    announce(spring)
    spring.do(sweeps.sweep_calendar, SYSTEM)
    paper = last_paper(view(spring, case_id))
    assert [(line["clock"], line["after_on"]) for line in paper["clocks"]] == [
        ("promised", "2026-12-29"),
        ("statutory", "2027-01-06"),
    ]


def test_of_a_promise_that_stands_still_no_day_is_told(spring: Hall) -> None:
    spring.at = datetime(2026, 12, 30, 10, tzinfo=SHANGHAI)
    case, case_id = spring.accepted()
    spring.do(special.check_site, spring.approver(case), case_id=case_id, days=3)
    announce(spring)
    spring.do(sweeps.sweep_calendar, SYSTEM)
    assert [line["clock"] for line in last_paper(view(spring, case_id))["clocks"]] == ["statutory"]
    spring.do(special.suspend_case, spring.approver(case), case_id=resumed(spring, case_id), ground="testing", days=3)
    papers = kinds(view(spring, case_id))
    announce(spring, date(2027, 1, 5))
    spring.do(sweeps.sweep_calendar, SYSTEM)
    assert kinds(view(spring, case_id)) == papers


def resumed(hall: Hall, case_id: int) -> int:
    hall.do(special.resume_case, hall.approver(view(hall, case_id)), case_id=case_id)
    return case_id


def test_a_closure_moves_the_clock_of_a_result_that_is_still_on_its_way_to_the_window(spring: Hall) -> None:
    """What is finished on the spot is measured to the applicant's hand: until then it is open (K5)."""
    code = search_items("食品经营许可延续")["items"][0]["code"]
    hours = {"promised": {"amount": 2, "unit": "WH"}, "statutory": {"amount": 5, "unit": "WD"}}
    change_guide(code, time_class="instant", **hours)
    case, case_id = spring.accepted(item=code)
    _, done_id = spring.accepted(item=code)
    for n in range(len(case["departments"])):
        for each in (case_id, done_id):
            spring.do(review.decide_case, spring.approver(case, n), case_id=each, outcome="granted")
    spring.do(delivery.ready_case, "pickup01", case_id=done_id)
    shut = {"from_at": on(3, 2, 11), "to_at": on(3, 2, 12), "opens": False, "reason": "停电"}
    spring.do(add_exception, "admin01", **shut)
    assert preview.moved_by("luolong", schedule("luolong"), spring.at, 1)["open"] == 1
    assert view(spring, case_id)["clocks"]["promised"]["due_at"].startswith("2026-03-02T14:30")
    assert [spring.do(sweeps.sweep_calendar, SYSTEM)["changed"] for _ in range(2)] == [1, 0]
    ends = dict(db.session.query(Case.id, Case.promised_due_at))
    db.session.rollback()
    assert ends == {case_id: on(3, 2, 14, 30), done_id: on(3, 2, 12)}
    assert view(spring, case_id)["clocks"]["promised"]["due_at"].startswith("2026-03-02T14:30")
    assert view(spring, done_id)["clocks"]["promised"]["due_at"].startswith("2026-03-02T12:00")


def test_a_closure_moves_hours_and_not_days(spring: Hall) -> None:
    _, case_id = spring.accepted()
    closure = {"from_at": spring.at, "to_at": spring.at.replace(hour=16), "opens": False, "reason": "停电"}
    with refused("closure.invalid"):
        spring.do(add_exception, "admin01", **{**closure, "to_at": spring.at})
    spring.do(add_exception, "admin01", **closure)
    assert spring.do(sweeps.sweep_calendar, SYSTEM)["changed"] == 1
    case = view(spring, case_id)
    assert case["clocks"]["promised"]["due_at"].startswith("2026-03-09T18")
    assert "deadline_change" not in kinds(case)


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


# ── what cannot be swept


def test_a_case_that_cannot_be_opened_holds_up_no_other(spring: Hall, caplog: pytest.LogCaptureFixture) -> None:
    one = found(lambda guide: len(guide["departments"]) == 1)["code"]
    ids = []
    for _ in range(2):
        case, case_id = spring.accepted(item=one)
        spring.do(review.decide_case, spring.approver(case), case_id=case_id, outcome="granted")
        spring.do(delivery.ready_case, "pickup01", case_id=case_id)
        ids.append(case_id)
    db.session.query(Case).filter_by(id=ids[0]).update({"codes_sealed": "damaged"})
    db.session.commit()
    before = alarms_of(ids[0]), told(ids[0])
    assert ring(spring, on(3, 5, 18)) == 1
    assert (alarms_of(ids[0]), told(ids[0])) == before  # it stays due, and nothing of it is half done
    assert last_paper(view(spring, ids[1]))["of"] == "collect"
    assert f"case:{ids[0]} of luolong cannot be swept" in caplog.text
    assert eventlog.verify("luolong") is None


def test_however_many_cannot_be_opened_the_others_have_their_turn(
    spring: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "RINGS", 2)
    one = found(lambda guide: len(guide["departments"]) == 1)["code"]
    ids = []
    for _ in range(4):
        case, case_id = spring.accepted(item=one)
        spring.do(review.decide_case, spring.approver(case), case_id=case_id, outcome="granted")
        spring.do(delivery.ready_case, "pickup01", case_id=case_id)
        ids.append(case_id)
    db.session.query(Case).filter(Case.id.in_(ids[:3])).update({"codes_sealed": "damaged"})
    db.session.commit()
    assert ring(spring, on(3, 5, 18)) == 1
    assert last_paper(view(spring, ids[3]))["of"] == "collect"


def test_a_case_that_cannot_be_opened_keeps_no_other_from_the_new_calendar(spring: Hall) -> None:
    (_, bad), (_, good) = spring.accepted(), spring.accepted()
    db.session.query(Case).filter_by(id=bad).update({"applicant_sealed": "damaged"})
    db.session.commit()
    take_off(spring, DAY_OFF)
    versions = {case_id: db.session.get_one(Case, ("luolong", case_id)).schedule_version for case_id in (bad, good)}
    db.session.rollback()
    moved = spring.do(sweeps.sweep_calendar, SYSTEM)
    assert moved["changed"] == 1 and not moved["more"]
    now = {case_id: db.session.get_one(Case, ("luolong", case_id)).schedule_version for case_id in (bad, good)}
    assert now[bad] == versions[bad] and now[good] != versions[good]
    db.session.rollback()
    assert eventlog.verify("luolong") is None


def test_a_light_that_cannot_be_turned_leaves_the_others(spring: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    (_, bad), (_, good) = spring.accepted(), spring.accepted()
    moves = sweeps.move_all

    def failing(tx: Transaction, cases: list[Case], why: str) -> Any:
        moves(tx, cases, why)
        return 1 // all(case.id != bad for case in cases)

    monkeypatch.setattr(sweeps, "move_all", failing)
    spring.at = on(3, 6, 9)
    assert spring.do(sweeps.sweep_lights, SYSTEM) == {"changed": 1, "more": False}
    assert [view(spring, case_id)["light"] for case_id in (bad, good)] == ["green", "amber"]
    assert eventlog.verify("luolong") is None


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
