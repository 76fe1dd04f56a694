"""Agency orders 代办 on both databases: for whom, their three working days, the papers, the call-back."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from app import eventlog
from app.casework import agency, agency_queries, sweeps
from app.casework.joint_models import AgencyOrder
from app.casework.models import Case
from app.db import HallHead, db
from app.errors import Refusal
from app.events import SYSTEM
from app.notices.queries import notice
from app.now import SHANGHAI
from tests.actions.conftest import ID, Hall
from tests.actions.test_sweeps import announce, take_off

PERSON = {"name": "李秀兰", "id_number": ID, "phone": "13812341234"}


def refused(code: str):
    return pytest.raises(Refusal, match=f"^{code}$")


@pytest.fixture
def spring(hall: Hall) -> Hall:
    """A hall in which it is Friday 6 March 2026; the demo network was founded before."""
    db.session.query(HallHead).update({"last_at": datetime(2026, 1, 1, tzinfo=SHANGHAI)})
    db.session.commit()
    hall.at = datetime(2026, 3, 6, 10, 0, tzinfo=SHANGHAI)
    return hall


def ordered(hall: Hall, who: str = "guide01", **more: Any) -> tuple[dict[str, Any], int]:
    given = {"beneficiary": "elderly", "principal": PERSON, "wish": "代办老年优待证", "letter": "口头委托，家属在场"}
    view = hall.do(agency.order_errand, who, **{**given, **more})
    return view, agency_queries.find_order(view["number"])[1]


def test_what_no_order_can_be_taken_with(spring: Hall) -> None:
    for code, more in (
        ("agency.beneficiary", {"beneficiary": "cat"}),
        ("text.empty", {"wish": "  "}),
        ("text.empty", {"principal": {"name": ""}}),
        ("item.unknown", {"item": "nothing"}),
        ("person.bad_phone", {"principal": {**PERSON, "phone": "x"}}),
    ):
        with refused(code):
            ordered(spring, **more)
    with refused("auth.forbidden"):
        ordered(spring, "approver01")
    assert db.session.query(AgencyOrder).count() == 0


def test_the_clock_runs_from_the_complete_handover_and_stands_still_while_interrupted(spring: Hall) -> None:
    view, order_id = ordered(spring)
    assert view["state"] == "ordered" and view["clock"]["due_at"] is None
    with refused("agency.illegal_step"):
        spring.do(agency.complete_order, "clerk01", order_id=order_id, result="已办")
    view = spring.do(agency.accept_order, "clerk01", order_id=order_id)
    assert view["state"] == "accepted" and view["clock"]["due_at"] is None and view["handled_by"] == "clerk01"
    view = spring.later(days=3).do(agency.start_order, "clerk01", order_id=order_id)  # Monday
    assert view["clock"]["due_at"] == "2026-03-12T18:00:00.000+08:00" and view["light"] == "green"
    with refused("case.reason_required"):
        spring.do(agency.interrupt_order, "clerk01", order_id=order_id, reason=" ")
    view = spring.do(agency.interrupt_order, "clerk01", order_id=order_id, reason="委托人住院，需补签字")
    assert (
        view["clock"]["stopped"] and view["light"] == "stopped" and view["stops"][0]["reason"] == "委托人住院，需补签字"
    )
    view = spring.later(days=4).do(agency.resume_order, "clerk01", order_id=order_id)  # Friday
    assert view["clock"]["due_at"] == "2026-03-18T18:00:00.000+08:00"
    late = agency_queries.order_view("luolong", order_id, datetime(2026, 3, 18, 18, 0, tzinfo=SHANGHAI))
    assert late["light"] == "yellow"
    assert [n["kind"] for n in view["notices"]] == ["agency"] * 5


def due(view: dict[str, Any]) -> str:
    return view["clock"]["due_at"][:10]


def seen(hall: Hall, order_id: int) -> dict[str, Any]:
    return agency_queries.order_view("luolong", order_id, hall.at)


def printed(view: dict[str, Any]) -> str:
    """The day on the paper that was issued last."""
    return notice("luolong", view["notices"][-1]["id"])["facts"]["due_on"]


def test_a_new_calendar_does_not_put_off_the_printed_day(spring: Hall) -> None:
    _, order_id = ordered(spring)
    view = spring.do(agency.accept_order, "clerk01", order_id=order_id, complete=True)
    assert due(view) == printed(view) == "2026-03-11"
    take_off(spring, date(2026, 3, 9))
    assert due(seen(spring, order_id)) == "2026-03-11"
    spring.at = datetime(2026, 3, 12, 9, 0, tzinfo=SHANGHAI)  # within three working days of the new calendar
    assert seen(spring, order_id)["light"] == "yellow" and seen(spring, order_id)["clock"]["late"]
    done = spring.do(agency.complete_order, "clerk01", order_id=order_id, result="已办")
    assert due(done) == "2026-03-11" and done["light"] == "yellow" and done["clock"]["late"]
    assert not next(row["body"]["in_time"] for row in done["history"] if row["kind"] == "agency.completed")


def test_only_the_interruption_itself_puts_off_the_printed_day(spring: Hall) -> None:
    _, order_id = ordered(spring)
    spring.do(agency.accept_order, "clerk01", order_id=order_id, complete=True)
    take_off(spring, date(2026, 3, 12))
    spring.later(hours=1).do(agency.interrupt_order, "clerk01", order_id=order_id, reason="老人住院")
    assert seen(spring, order_id)["clock"]["due_at"] is None
    spring.at = datetime(2026, 3, 10, 9, 0, tzinfo=SHANGHAI)  # two working days by the calendar of the promise
    view = spring.do(agency.resume_order, "clerk01", order_id=order_id)
    assert due(view) == printed(view) == "2026-03-13"


def test_a_calendar_that_ends_sooner_counts(spring: Hall) -> None:
    take_off(spring, date(2026, 3, 9))
    _, order_id = ordered(spring)
    view = spring.do(agency.accept_order, "clerk01", order_id=order_id, complete=True)
    assert due(view) == "2026-03-12"
    take_off(spring)
    assert due(seen(spring, order_id)) == "2026-03-11"
    spring.at = datetime(2026, 3, 12, 9, 0, tzinfo=SHANGHAI)
    done = spring.do(agency.complete_order, "clerk01", order_id=order_id, result="已办")
    assert due(done) == "2026-03-11" and done["clock"]["late"]  # as it stood until then


def test_the_day_is_printed_once_the_year_is_announced_and_then_stands(
    spring: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "RINGS", 1)
    spring.at = datetime(2026, 12, 30, 10, tzinfo=SHANGHAI)
    _, order_id = ordered(spring)
    view = spring.do(agency.accept_order, "clerk01", order_id=order_id, complete=True)
    assert view["clock"]["provisional"] and view["clock"]["due_at"] is None
    take_off(spring, date(2026, 3, 9))  # another calendar that knows nothing of 2027 either
    assert [spring.do(sweeps.sweep_calendar, SYSTEM)["orders"] for _ in range(2)] == [1, 0]
    assert seen(spring, order_id)["notices"] == view["notices"]
    announce(spring)
    assert [spring.do(sweeps.sweep_calendar, SYSTEM)["orders"] for _ in range(2)] == [1, 0]
    told = seen(spring, order_id)
    assert len(told["notices"]) == len(view["notices"]) + 1
    assert due(told) == printed(told) == "2027-01-05"
    announce(spring, date(2027, 1, 4))
    assert spring.do(sweeps.sweep_calendar, SYSTEM)["orders"] == 0
    assert due(seen(spring, order_id)) == "2027-01-05"


@pytest.mark.parametrize("late", [False, True])
def test_what_is_done_at_the_due_instant_is_in_time(spring: Hall, late: bool) -> None:
    _, order_id = ordered(spring)
    view = spring.do(agency.accept_order, "clerk01", order_id=order_id, complete=True)
    spring.at = datetime.fromisoformat(view["clock"]["due_at"]) + timedelta(microseconds=late)
    assert seen(spring, order_id)["clock"]["late"] and seen(spring, order_id)["clock"]["running"]
    done = spring.do(agency.complete_order, "clerk01", order_id=order_id, result="已办")
    assert done["clock"]["late"] is late and done["light"] == ("yellow" if late else "amber")
    assert not done["clock"]["running"]
    assert next(row["body"]["in_time"] for row in done["history"] if row["kind"] == "agency.completed") is not late


def test_what_came_of_it_is_said_or_linked_and_the_principal_is_asked(spring: Hall) -> None:
    _, order_id = ordered(spring)
    spring.do(agency.accept_order, "clerk01", order_id=order_id, complete=True)
    with refused("agency.result_required"):
        spring.do(agency.complete_order, "clerk01", order_id=order_id)
    with refused("case.unknown"):
        spring.do(agency.complete_order, "clerk01", order_id=order_id, case_number="LL999")
    case, case_id = spring.receive()
    view = spring.do(agency.complete_order, "clerk01", order_id=order_id, case_number=case["number"])
    assert view["state"] == "completed" and view["case"] == case["number"]
    assert db.session.get(Case, ("luolong", case_id)).agency_id == order_id
    view = spring.later(days=9).do(agency.call_back, "guide01", order_id=order_id, satisfied=True, note="很满意")
    assert view["state"] == "closed" and view["satisfied"] is True and view["steps"] == []
    assert view["clock"]["remaining"] == 3  # as it stood at the completion
    assert agency_queries.order_list(at=spring.at, hall="luolong")["items"] == []


def test_an_errand_is_linked_to_a_case_of_its_principal_and_of_no_other_errand(spring: Hall) -> None:
    (_, first), (_, second) = ordered(spring), ordered(spring)
    for order_id in (first, second):
        spring.do(agency.accept_order, "clerk01", order_id=order_id, complete=True)
    somebody = {"kind": "person", "name": "王小明", "id_number": "410305198001010019"}
    strange, strange_id = spring.receive(applicant=somebody)
    with refused("agency.foreign_case"):
        spring.do(agency.complete_order, "clerk01", order_id=first, case_number=strange["number"])
    assert db.session.get(Case, ("luolong", strange_id)).agency_id is None
    case, _ = spring.receive()
    spring.do(agency.complete_order, "clerk01", order_id=first, case_number=case["number"])
    with refused("agency.foreign_case"):
        spring.do(agency.complete_order, "clerk01", order_id=second, case_number=case["number"])


def test_a_cancelled_order_keeps_its_reason_and_leaves_the_list(spring: Hall) -> None:
    _, order_id = ordered(spring)
    spring.do(agency.accept_order, "clerk01", order_id=order_id, complete=True)
    spring.do(agency.interrupt_order, "clerk01", order_id=order_id, reason="等材料")
    view = spring.do(agency.cancel_order, "clerk01", order_id=order_id, reason="委托人自行办理")
    assert view["state"] == "cancelled" and view["ended"] == "委托人自行办理"
    assert view["stops"][0]["until_at"] is not None
    with refused("agency.illegal_step"):
        spring.do(agency.resume_order, "clerk01", order_id=order_id)


def test_who_it_is_for_is_sealed_masked_and_never_in_the_record(spring: Hall) -> None:
    view, order_id = ordered(spring, beneficiary="sick", address="东村 3 组")
    assert view["principal"] == {"name": "李*兰", "id_number": "4****************1", "phone": "138****1234"}
    row = db.session.query(AgencyOrder).one()
    assert not any(
        word in f"{row.principal_sealed}{row.wish_sealed}{row.principal_key}" for word in ("秀兰", "优待证", ID)
    )
    told = str([recorded.event for recorded in eventlog.read("luolong", 0, 10_000)])
    assert "sick" not in told and "秀兰" not in told and "优待证" not in told
    with refused("reveal.reason"):
        spring.do(agency.reveal_principal, "clerk01", order_id=order_id, reason="curious")
    full = spring.do(agency.reveal_principal, "clerk01", order_id=order_id, reason="contact")
    assert full == {"name": "李秀兰", "id_number": ID, "phone": "13812341234", "address": "东村 3 组"}
    seen = agency_queries.order_view("luolong", order_id, spring.at)["history"]
    assert [row["kind"] for row in seen][-1] == "field.revealed"
