"""Instant items: finished while the applicant waits, or turned into a promise; what is refused comes first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.casework import delivery, finish, inbox, intake, queries, reports, review, sweeps
from app.casework.models import Case
from app.casework.rules.tally import Period, Span
from app.casework.sweeps import sweep_lights
from app.db import db
from app.events import SYSTEM
from tests.actions.conftest import ID, Hall, alarms_of, last_paper, refused
from tests.actions.test_intake import found, kinds, on, paper_of, told
from tests.actions.test_sweeps import take_off

WORDS = {"reason": "以欺骗手段取得", "basis": "《中华人民共和国行政许可法》第六十九条"}


def instant(guide: dict[str, Any]) -> bool:
    """Two working hours, one department, statutory in working days."""
    limits = guide["promised"] == {"amount": 2, "unit": "WH"} and guide["statutory"]["unit"] == "WD"
    return guide["time_class"] == "instant" and limits and len(guide["departments"]) == 1


def granted(hall: Hall) -> tuple[dict[str, Any], int]:
    case, case_id = hall.accepted(item=found(instant)["code"])
    return hall.do(review.decide_case, hall.approver(case), case_id=case_id, outcome="granted"), case_id


def test_only_instant_cases_are_finished_on_the_spot_and_only_by_who_took_them_in(spring: Hall) -> None:
    case, case_id = spring.accepted()
    approver = spring.approver(case)
    with refused("case.not_instant"):
        spring.do(finish.convert_case, "clerk01", case_id=case_id, limit={"amount": 9, "unit": "WD"}, reason="须核查")
    for position in range(len(case["departments"])):
        spring.do(review.decide_case, spring.approver(case, position), case_id=case_id, outcome="granted")
    with refused("case.not_instant"):
        spring.do(finish.finish_case, "clerk01", case_id=case_id)
    case, case_id = spring.accepted(item=found(instant)["code"])
    with refused("case.illegal_step"):
        spring.do(finish.finish_case, "clerk01", case_id=case_id)
    spring.do(review.decide_case, spring.approver(case), case_id=case_id, outcome="granted")
    with refused("auth.forbidden"):
        spring.do(finish.finish_case, approver, case_id=case_id)
    with refused("case.on_the_spot"):
        spring.do(finish.finish_case, "clerk02", case_id=case_id)
    spring.later(days=1)
    with refused("case.on_the_spot"):
        spring.do(finish.finish_case, "clerk01", case_id=case_id)


def test_who_waits_gets_one_slip_with_the_result(spring: Hall) -> None:
    case, case_id = granted(spring)
    assert "acceptance" not in kinds(case)
    spring.later(minutes=20)
    case = spring.do(finish.finish_case, "clerk01", case_id=case_id)
    assert (case["state"], case["delivered_how"]) == ("delivered", "on_the_spot")
    assert kinds(case) == ["receipt", "decision", "service"]
    slip = last_paper(case)
    assert slip["mode"] == "direct"
    assert slip["documents"]
    assert case["clocks"]["promised"]["used"] == 20  # to the applicant's hand, not to the decision (K5)
    assert alarms_of(case_id) == {}
    with refused("case.illegal_step"):
        spring.do(finish.finish_case, "clerk01", case_id=case_id)


def test_a_promise_of_hours_runs_until_the_result_is_there(spring: Hall) -> None:
    _, case_id = granted(spring)
    spring.later(hours=1, minutes=30)
    assert spring.do(sweep_lights, SYSTEM)["changed"] == 1
    assert queries.case_view("luolong", case_id, spring.at)["light"] == "amber"
    spring.do(delivery.ready_case, "pickup01", case_id=case_id)  # the applicant went away: it lies on the shelf
    spring.at = on(3, 3, 17)
    spring.do(sweep_lights, SYSTEM)
    case = queries.case_view("luolong", case_id, spring.at)
    assert (case["light"], case["clocks"]["promised"]["used"]) == ("amber", 90)
    assert spring.do(sweep_lights, SYSTEM)["changed"] == 0


def stand(hall: Hall, case_id: int) -> dict[str, Any]:
    """The clocks and the light on the page; the line of the list and the days behind it say the same."""
    view = queries.case_view("luolong", case_id, hall.at)
    line = next(row for row in inbox.inbox(at=hall.at, hall="luolong", q=view["number"])["items"])
    for clock in ("promised", "statutory"):
        assert {name: line[clock][name] for name in line[clock]} == view["clocks"][clock]
    rows = queries.deadline_ledger("luolong", case_id, hall.at)["promised"]
    assert rows[-1]["total"] == max(2 * 60, view["clocks"]["promised"]["used"])  # to the due instant at least
    return {"light": view["light"], "clocks": view["clocks"]}


RESULTS: dict[str, Any] = {
    "ready": lambda hall, case_id: hall.do(delivery.ready_case, "pickup01", case_id=case_id),
    "handed over": lambda hall, case_id: hall.do(
        delivery.hand_over, "pickup01", case_id=case_id, receiver="张三丰", id_number=ID
    ),
    "sent": lambda hall, case_id: hall.do(
        delivery.dispatch_case, "pickup01", case_id=case_id, carrier="EMS", tracking_number="EA1"
    ),
    "revoked": lambda hall, case_id: hall.do(
        review.revoke_case, hall.approver(queries.case_view("luolong", case_id, hall.at)), case_id=case_id, **WORDS
    ),
}


@pytest.mark.parametrize("end", RESULTS)
@pytest.mark.parametrize("hours", [1, 5], ids=["in time", "late"])
def test_the_clocks_of_an_instant_case_stand_for_good_once_its_result_is_there(
    spring: Hall, end: str, hours: int
) -> None:
    _, case_id = granted(spring)
    spring.later(hours=hours)
    stand(spring, case_id)
    RESULTS[end](spring, case_id)
    before, row = stand(spring, case_id), db.session.get(Case, ("luolong", case_id))
    assert before["light"] == ("green" if hours == 1 else "yellow")
    assert (row.took, row.next_light_at) == (before["clocks"]["promised"]["used"], None)
    day = spring.at.date()
    take_off(spring, day)  # what is closed never changes (K6)
    spring.later(days=60)
    while spring.do(sweeps.sweep_calendar, SYSTEM)["more"] or spring.do(sweep_lights, SYSTEM)["more"]:
        pass
    assert stand(spring, case_id) == before
    totals = reports.totals("luolong", Span.holding(Period.MONTH, day))
    assert (totals["in_time"], totals["late"]) == ((1, 0) if hours == 1 else (0, 1))
    assert [pace["p50"] for pace in totals["pace"]] == [row.took]


def test_a_parcel_that_comes_back_does_not_wind_an_instant_case_up_again(spring: Hall) -> None:
    _, case_id = granted(spring)
    RESULTS["sent"](spring.later(hours=1), case_id)
    before = stand(spring, case_id)
    spring.later(days=9).do(delivery.come_back, "pickup01", case_id=case_id, reason="absent")
    assert stand(spring, case_id) == before
    RESULTS["handed over"](spring.later(days=1), case_id)
    assert stand(spring, case_id) == before


@pytest.mark.parametrize(
    "limit",
    [
        {"amount": 2, "unit": "WH"},
        {"amount": 900, "unit": "WD"},
        {"amount": 5, "unit": "xx"},
        {},
        {"amount": 9, "unit": "NH"},
    ],
    ids=["no longer", "beyond the law", "no unit", "nothing", "by the wall clock"],
)
def test_a_conversion_needs_a_longer_limit_within_the_law(spring: Hall, limit: dict[str, Any]) -> None:
    _, case_id = spring.accepted(item=found(instant)["code"])
    with refused("case.convert_limit"):
        spring.do(finish.convert_case, "clerk01", case_id=case_id, limit=limit, reason="须核查")


def test_an_instant_case_becomes_a_promise_once_in_time_and_with_a_reason(spring: Hall) -> None:
    guide = found(instant)
    case, case_id = spring.accepted(item=guide["code"])
    given = {"case_id": case_id, "limit": {"amount": 2, "unit": "WD"}}
    stranger = next(f"approver{n:02d}" for n in range(1, 30) if f"approver{n:02d}" != spring.approver(case))
    with refused("auth.foreign_department"):
        spring.do(finish.convert_case, stranger, reason="须核查", **given)
    with refused("case.reason_required"):
        spring.do(finish.convert_case, "clerk01", reason=" ", **given)
    case = spring.do(finish.convert_case, spring.approver(case), reason="系统故障，须线下核查", **given)
    assert case["clocks"]["promised"]["due_at"].startswith("2026-03-04T18:00")
    assert kinds(case) == ["receipt", "acceptance"]
    slip = paper_of(case, "acceptance")
    assert (slip["promised_limit"], slip["promised_due_on"]) == ("2 个工作日", "2026-03-04")
    event = next(event for event in told(case_id) if event.kind == "case.converted")
    assert (event.amount, event.unit) == (2, "WD")
    row = db.session.get(Case, ("luolong", case_id))
    assert "故障" not in row.conversion_sealed
    assert row.printed_due_at == row.promised_due_at
    db.session.rollback()
    assert "stage" in alarms_of(case_id)
    with refused("case.not_instant"):
        spring.do(finish.convert_case, "clerk01", reason="再来", **given)
    spring.do(review.decide_case, spring.approver(case), case_id=case_id, outcome="granted")
    with refused("case.not_instant"):
        spring.do(finish.finish_case, "clerk01", case_id=case_id)


def test_nobody_converts_what_is_late_already(spring: Hall) -> None:
    _, case_id = spring.accepted(item=found(instant)["code"])
    spring.at += timedelta(hours=4)  # two working hours, with lunch between
    with refused("case.convert_late"):
        given = {"case_id": case_id, "limit": {"amount": 2, "unit": "WD"}}
        spring.do(finish.convert_case, "clerk01", reason="须核查", **given)


def test_a_deemed_acceptance_of_an_instant_item_is_told_in_writing(spring: Hall) -> None:
    _, case_id = spring.receive(item=found(instant)["code"])
    spring.at = on(3, 9, 18)
    case = spring.do(intake.accept_case, "clerk01", case_id=case_id)
    assert kinds(case) == ["receipt", "acceptance"]
    assert case["light"] in ("yellow", "red")
