"""What a new calendar moves, on both databases: what is open, never what was printed."""

from __future__ import annotations

import re
from datetime import date, datetime
from io import BytesIO

import pypdf

from app.casework import (
    delivery,
    intake,
    preview,
    review,
    special,
    supplement,
    sweeps,
)
from app.casework.annex import ledger_paper
from app.casework.models import Case
from app.catalog.queries import search_items
from app.db import db
from app.events import SYSTEM
from app.hall import settings as hall_settings
from app.hall.queries import schedule
from app.hall.settings import add_exception
from app.now import SHANGHAI
from tests.actions.conftest import Hall, alarms_of, change_guide, last_paper, refused
from tests.actions.test_intake import kinds, on, with_gap
from tests.actions.test_sweeps import DAY_OFF, announce, take_off, view


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
