"""Cases from receipt to pickup, on both databases; what is refused comes first."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from app import eventlog
from app.casework import delivery, intake, queries, reveal, review, sweeps
from app.casework.models import Case
from app.catalog.queries import item as guide_of
from app.catalog.queries import search_items
from app.db import db
from app.errors import Refusal
from app.events import SYSTEM
from app.hall import settings as hall_settings
from app.hall.holidays import read
from app.hall.rules.calendar import WorkCalendar
from app.hall.settings import add_exception
from app.now import SHANGHAI
from tests.actions.conftest import ID


def refused(code: str):
    return pytest.raises(Refusal, match=f"^{code}$")


@pytest.fixture
def spring(hall):
    """A hall in which it is Monday 2 March 2026; the demo network was founded before."""
    from app.db import HallHead

    db.session.query(HallHead).update({"last_at": datetime(2026, 1, 1, tzinfo=SHANGHAI)})
    db.session.commit()
    hall.at = datetime(2026, 3, 2, 10, 0, tzinfo=SHANGHAI)
    return hall


def material(case, *, kind: str) -> str:
    return next(m["code"] for m in case["materials"] if m["kind"] == kind and m["required"])


def with_secondary() -> str:
    """An item that asks for at least one secondary material."""
    for found in search_items(per_page=80)["items"]:
        guide = guide_of(found["code"])
        secondary = any(m["kind"] == "secondary" and m["required"] for m in guide["materials"])
        if found["guide_source"] == "written" and guide["promised"]["unit"] == "WD" and secondary:
            return found["code"]
    raise AssertionError("no written guide has a secondary material")


def with_departments(routing: str) -> str:
    for found in search_items(per_page=80)["items"]:
        guide = guide_of(found["code"])
        if guide["routing"] == routing and len(guide["departments"]) > 1:
            return found["code"]
    raise AssertionError(f"no written guide decides {routing}")


def test_unknown_items_and_materials_are_refused(hall) -> None:
    with refused("item.unknown"):
        hall.do(intake.receive_case, "clerk01", item="nothing", applicant={}, materials=[])
    code = search_items("食品经营许可延续")["items"][0]["code"]
    applicant = {"kind": "person", "name": "张三"}
    with refused("case.material_unknown"):
        hall.do(intake.receive_case, "clerk01", item=code, applicant=applicant, materials=[{"code": "M99"}])
    with refused("case.applicant_kind"):
        hall.do(intake.receive_case, "clerk01", item=code, applicant={"kind": "cat", "name": "x"}, materials=[])
    with refused("text.empty"):
        hall.do(intake.receive_case, "clerk01", item=code, applicant={"kind": "person"}, materials=[])
    assert db.session.query(Case).count() == 0


def test_a_receipt_gives_number_codes_and_paper(hall) -> None:
    case, case_id = hall.receive()
    assert case["state"] == "received" and case["number"].startswith("LL2027") and len(case["query_code"]) == 6
    assert [n["kind"] for n in case["notices"]] == ["receipt"]
    assert case["clocks"]["promised"]["due_at"] is None
    assert queries.find_by_query(case["number"], case["query_code"].lower()) == ("luolong", case_id)
    assert queries.find_by_query_token(case["query_token"]) == ("luolong", case_id)
    with refused("case.query_mismatch"):
        queries.find_by_query(case["number"], "AAAAAA")


def test_the_applicant_is_masked_everywhere_and_sealed(hall) -> None:
    case, case_id = hall.receive()
    assert case["applicant"]["name"] == "张*丰" and case["applicant"]["id_number"] == "4****************1"
    assert case["applicant"]["phone"] == "138****1234"
    row = db.session.query(Case).one()
    for column in (row.applicant_sealed, row.codes_sealed, row.applicant_key, row.query_hash):
        assert "三丰" not in column and ID not in column
    assert "三丰" not in str(queries.public_view("luolong", case_id, hall.at))


def test_acceptance_starts_both_clocks(spring) -> None:
    case, case_id = spring.accepted()
    promised, statutory = case["clocks"]["promised"], case["clocks"]["statutory"]
    assert promised["due_at"] == "2026-03-09T18:00:00.000+08:00" and promised["remaining"] == 5
    assert statutory["due_at"] == "2026-03-16T18:00:00.000+08:00"
    assert case["light"] == "green" and case["departments"][0]["state"] == "open"
    ledger = queries.deadline_ledger("luolong", case_id, spring.at)["promised"]
    assert [row["total"] for row in ledger] == [0, 1, 2, 3, 4, 4, 4, 5]


def test_missing_materials_stop_an_acceptance(hall) -> None:
    case, case_id = hall.receive(states={"M1": "missing"})
    with refused("case.materials_missing"):
        hall.do(intake.accept_case, "clerk01", case_id=case_id)
    with refused("case.tolerant_main"):
        hall.do(intake.accept_case, "clerk01", case_id=case_id, tolerant={"commitment": "补交", "gap_limit": 1})


def test_tolerant_acceptance_needs_a_commitment_and_a_short_gap_and_blocks_the_decision(hall) -> None:
    code = with_secondary()
    second = next(m["code"] for m in guide_of(code)["materials"] if m["kind"] == "secondary" and m["required"])
    _, case_id = hall.receive(item=code, states={second: "missing"})
    with refused("case.tolerant_commitment"):
        hall.do(intake.accept_case, "clerk01", case_id=case_id, tolerant={"commitment": " ", "gap_limit": 1})
    with refused("case.tolerant_gap"):
        hall.do(intake.accept_case, "clerk01", case_id=case_id, tolerant={"commitment": "补交", "gap_limit": "x"})
    case = hall.do(intake.accept_case, "clerk01", case_id=case_id, tolerant={"commitment": "补交", "gap_limit": 1})
    assert case["flags"]["tolerant"]
    with refused("case.gap_open"):
        hall.do(review.decide_case, hall.approver(case), case_id=case_id, outcome="granted")
    assert hall.do(intake.supply, "clerk01", case_id=case_id, items=[second])["gap_due_at"] is None
    assert hall.do(review.decide_case, hall.approver(case), case_id=case_id, outcome="granted")["state"] != "accepted"


def test_the_applicant_is_told_once_and_only_once(spring) -> None:
    case, case_id = spring.receive(states={"M1": "missing"})
    with refused("case.nothing_missing"):
        spring.do(intake.request_supplement, "clerk01", case_id=case_id, items=[])
    asked = [{"code": "M1", "problem": "未签字"}]
    case = spring.do(intake.request_supplement, "clerk01", case_id=case_id, items=asked)
    assert case["state"] == "correction"
    told = queries.public_view("luolong", case_id, spring.at)["to_bring"]
    assert [t["problem"] for t in told] == ["未签字"]
    with refused("case.second_notice"):
        spring.do(intake.request_supplement, "clerk01", case_id=case_id, items=asked)
    assert spring.do(intake.request_supplement, "supervisor01", case_id=case_id, items=asked)["state"] == "correction"
    with refused("case.illegal_step"):
        spring.do(intake.accept_case, "clerk01", case_id=case_id)


def test_all_supplements_in_the_case_is_accepted_that_day(spring) -> None:
    _, case_id = spring.receive(states={"M1": "missing", "M2": "missing"})
    asked = [{"code": "M1", "problem": "缺"}, {"code": "M2", "problem": "缺"}]
    spring.do(intake.request_supplement, "clerk01", case_id=case_id, items=asked)
    spring.later(days=3)
    assert spring.do(intake.supply, "clerk01", case_id=case_id, items=["M1"])["state"] == "correction"
    case = spring.do(intake.supply, "clerk01", case_id=case_id, items=[{"code": "M2", "state": "received"}])
    assert case["state"] == "accepted"
    assert case["clocks"]["promised"]["due_at"] == "2026-03-12T18:00:00.000+08:00"


def test_nobody_told_within_five_working_days_means_accepted_as_of_the_receipt(spring) -> None:
    _, case_id = spring.receive(states={"M1": "missing"})
    with refused("case.illegal_step"):
        spring.do(intake.deem_accepted, SYSTEM, case_id=case_id)
    spring.at = datetime(2026, 3, 9, 18, 0, tzinfo=SHANGHAI)
    assert sweeps.overdue_notices("luolong", spring.at) == [case_id]
    case = spring.do(intake.deem_accepted, SYSTEM, case_id=case_id)
    assert case["state"] == "accepted" and case["flags"]["deemed_accepted"]
    assert case["clocks"]["statutory"]["due_at"] == "2026-03-16T18:00:00.000+08:00"  # counted from 2 March
    assert sweeps.overdue_notices("luolong", spring.at) == []


def test_whoever_accepted_a_case_may_not_decide_it(hall) -> None:
    from dataclasses import replace

    case, case_id = hall.accepted()
    both = replace(
        hall.staff("clerk01"),
        department=case["departments"][0]["department"],
        permissions=frozenset({"case:decide", "case:accept"}),
    )
    with refused("case.intake_is_approver"):
        hall.do(review.decide_case, both, case_id=case_id, outcome="granted")


def test_only_the_owning_department_decides(hall) -> None:
    case, case_id = hall.accepted()
    mine = hall.approver(case)
    other = next(f"approver{n:02d}" for n in range(1, 35) if f"approver{n:02d}" != mine)
    with refused("auth.foreign_department"):
        hall.do(review.decide_case, other, case_id=case_id, outcome="granted")
    with refused("auth.foreign_hall"):
        hall.do(intake.withdraw_case, "clerk21", case_id=case_id)


def test_a_refusal_needs_reason_and_basis(hall) -> None:
    case, case_id = hall.accepted()
    approver = hall.approver(case)
    with refused("case.outcome"):
        hall.do(review.decide_case, approver, case_id=case_id, outcome="perhaps")
    with refused("case.reason_required"):
        hall.do(review.decide_case, approver, case_id=case_id, outcome="refused")
    with refused("case.basis_required"):
        hall.do(review.decide_case, approver, case_id=case_id, outcome="refused", reason="条件不符")
    case = hall.do(
        review.decide_case,
        approver,
        case_id=case_id,
        outcome="refused",
        reason="条件不符",
        basis="《食品安全法》第三十五条",
    )
    assert case["state"] == "refused" and case["notices"][-1]["kind"] == "decision"


def test_departments_in_turn_follow_each_other(hall) -> None:
    case, case_id = hall.accepted(item=with_departments("in_turn"))
    first, second = hall.approver(case, 0), hall.approver(case, 1)
    with refused("auth.foreign_department"):
        hall.do(review.decide_case, second, case_id=case_id, outcome="granted")
    case = hall.do(review.decide_case, first, case_id=case_id, outcome="granted")
    assert case["state"] == "review" and [d["state"] for d in case["departments"]][:2] == ["granted", "open"]
    back = hall.do(review.return_case, second, case_id=case_id, reason="意见不全")
    assert [d["state"] for d in back["departments"]][:2] == ["open", "waiting"]


def test_departments_in_parallel_all_decide_and_one_refusal_is_enough(hall) -> None:
    case, case_id = hall.accepted(item=with_departments("parallel"))
    assert {d["state"] for d in case["departments"]} == {"open"}
    for position in range(len(case["departments"]) - 1):
        hall.do(review.decide_case, hall.approver(case, position), case_id=case_id, outcome="granted")
    last = hall.approver(case, -1)
    done = hall.do(review.decide_case, last, case_id=case_id, outcome="refused", reason="不符", basis="第一条")
    assert done["state"] == "refused" and done["decided_at"]


def test_a_special_procedure_stops_both_clocks_until_it_is_over(spring) -> None:
    case, case_id = spring.accepted()
    approver = spring.approver(case)
    with refused("case.ground"):
        spring.do(review.suspend_case, approver, case_id=case_id, ground="holiday", days=3)
    with refused("case.days"):
        spring.do(review.suspend_case, approver, case_id=case_id, ground="testing", days=0)
    spring.later(days=1)
    case = spring.do(review.suspend_case, approver, case_id=case_id, ground="testing", days=10)
    assert case["state"] == "special" and case["light"] == "stopped"
    assert case["clocks"]["statutory"]["due_at"] is None and case["clocks"]["promised"]["stopped"]
    with refused("case.illegal_step"):
        spring.do(review.decide_case, approver, case_id=case_id, outcome="granted")
    spring.later(days=7)
    case = spring.do(review.resume_case, approver, case_id=case_id)
    assert case["state"] == "review" and case["light"] == "green"
    assert case["clocks"]["promised"]["due_at"] == "2026-03-16T18:00:00.000+08:00"


def test_a_supplement_in_review_stops_only_the_promise(spring) -> None:
    case, case_id = spring.accepted()
    asked = [{"code": "M1", "problem": "补章"}]
    case = spring.do(intake.request_supplement, spring.approver(case), case_id=case_id, items=asked)
    assert case["state"] == "review_correction"
    assert case["clocks"]["promised"]["stopped"] and case["clocks"]["statutory"]["due_at"]
    spring.later(days=2)
    case = spring.do(intake.supply, "clerk01", case_id=case_id, items=["M1"])
    assert case["state"] == "review" and not case["clocks"]["promised"]["stopped"]


def test_an_extension_is_given_once_in_time_and_with_a_reason(spring) -> None:
    case, case_id = spring.accepted()
    approver = spring.approver(case)
    with refused("case.reason_required"):
        spring.do(review.extend_case, approver, case_id=case_id, reason="")
    case = spring.do(review.extend_case, approver, case_id=case_id, reason="需补充核查")
    assert case["clocks"]["statutory"]["limit"]["amount"] == 10  # the law's own figure stays as it was
    assert case["clocks"]["statutory"]["due_at"] == "2026-03-30T18:00:00.000+08:00"
    with refused("case.extended_once"):
        spring.do(review.extend_case, approver, case_id=case_id, reason="再次")
    _, late = spring.accepted()
    spring.later(days=60)
    with refused("case.too_late"):
        spring.do(review.extend_case, approver, case_id=late, reason="晚了")


def test_the_window_cannot_say_no_but_the_chief_can(hall) -> None:
    _, case_id = hall.receive()
    with refused("case.no_request_kind"):
        hall.do(intake.raise_no_request, "clerk01", case_id=case_id, kind="mood", reason="x")
    with refused("case.reason_required"):
        hall.do(intake.raise_no_request, "clerk01", case_id=case_id, kind="out_of_scope", reason=" ")
    with refused("case.no_request_none"):
        hall.do(review.answer_no_request, "chief01", case_id=case_id, answer="accept")
    hall.do(intake.raise_no_request, "clerk01", case_id=case_id, kind="out_of_scope", reason="不属本级")
    with refused("case.no_request_open"):
        hall.do(intake.accept_case, "clerk01", case_id=case_id)
    assert [r["kind"] for r in queries.no_requests("luolong")] == ["out_of_scope"]
    with refused("case.basis_required"):
        hall.do(review.answer_no_request, "chief01", case_id=case_id, answer="not_accepted", reason="不属本机关")
    done = hall.do(
        review.answer_no_request,
        "chief01",
        case_id=case_id,
        answer="not_accepted",
        reason="不属本机关",
        basis="第三十二条",
    )
    assert done["state"] == "not_accepted" and done["notices"][-1]["kind"] == "non_acceptance"


def test_a_result_is_given_only_to_whoever_proves_it(hall) -> None:
    case, case_id = hall.receive()
    codes = queries.codes_of("luolong", case_id)
    case = hall.do(intake.accept_case, "clerk01", case_id=case_id)
    with refused("case.illegal_step"):
        hall.do(delivery.hand_over, "pickup01", case_id=case_id, receiver="张三丰", id_number=ID)
    hall.do(review.decide_case, hall.approver(case), case_id=case_id, outcome="granted")
    case = hall.do(delivery.ready_case, "pickup01", case_id=case_id, shelf="B-12")
    assert case["state"] == "ready" and case["result"]["shelf"] == "B-12"
    for proof in ({}, {"pickup_code": "000000"}, {"id_number": "410305199001010012"}):
        with refused("case.receiver_mismatch"):
            hall.do(delivery.hand_over, "pickup01", case_id=case_id, receiver="李四", **proof)
    code = codes["pickup_code"]
    with refused("case.agent_letter"):
        hall.do(
            delivery.hand_over, "pickup01", case_id=case_id, receiver="李四", pickup_code=code, agent={"name": "李四"}
        )
    done = hall.do(delivery.hand_over, "pickup01", case_id=case_id, receiver="张三丰", pickup_code=code)
    assert done["state"] == "delivered" and done["steps"] == []


def test_a_result_may_be_sent(hall) -> None:
    case, case_id = hall.accepted()
    hall.do(review.decide_case, hall.approver(case), case_id=case_id, outcome="granted")
    sent = hall.do(delivery.dispatch_case, "pickup01", case_id=case_id, carrier="EMS", tracking_number="EA123")
    assert sent["state"] == "delivered" and sent["delivered_how"] == "courier"


def test_lights_change_when_due_and_only_those(spring) -> None:
    _, case_id = spring.accepted()
    assert spring.do(sweeps.sweep_lights, SYSTEM)["changed"] == 0
    spring.at = datetime(2026, 3, 6, 9, 0, tzinfo=SHANGHAI)
    assert spring.do(sweeps.sweep_lights, SYSTEM)["changed"] == 1
    assert queries.case_view("luolong", case_id, spring.at)["light"] == "amber"
    spring.at = datetime(2026, 3, 9, 18, 0, tzinfo=SHANGHAI)
    spring.do(sweeps.sweep_lights, SYSTEM)
    assert queries.case_view("luolong", case_id, spring.at)["light"] == "yellow"
    assert [c["number"] for c in queries.inbox(at=spring.at, state="overdue")["items"]]
    spring.at = datetime(2026, 3, 16, 18, 0, tzinfo=SHANGHAI)
    spring.do(sweeps.sweep_lights, SYSTEM)
    assert sum(queries.light_counts("luolong").popitem()[1].values()) == 1
    lights = [r.event.light for r in eventlog.read_subject("luolong", f"case:{case_id}") if "light" in r.event.kind]
    assert lights == ["amber", "yellow", "red"]


def test_a_new_calendar_moves_open_cases_and_no_decided_one(spring) -> None:
    open_case, open_id = spring.accepted()
    closed, closed_id = spring.accepted()
    spring.do(review.decide_case, spring.approver(closed), case_id=closed_id, outcome="granted")
    old = read()
    whole = WorkCalendar.of(
        days_off={**old.days_off, date(2026, 3, 4): "临时放假"}, makeup=dict(old.makeup), source=dict(old.source)
    )
    hall_settings.import_calendar(actor=SYSTEM, at=spring.at, data=whole.to_json())
    assert spring.do(sweeps.sweep_calendar, SYSTEM)["changed"] == 1
    assert spring.do(sweeps.sweep_calendar, SYSTEM)["changed"] == 0
    moved = queries.case_view("luolong", open_id, spring.at)["clocks"]["promised"]["due_at"]
    assert moved == "2026-03-10T18:00:00.000+08:00"
    assert eventlog.read_subject("luolong", f"case:{open_id}")[-1].event.cause == "calendar"


def test_a_closure_moves_hours_and_not_days(spring) -> None:
    _, case_id = spring.accepted()
    closure = {"from_at": spring.at, "to_at": spring.at.replace(hour=16), "opens": False, "reason": "停电"}
    with refused("closure.invalid"):
        spring.do(add_exception, "admin01", **{**closure, "to_at": spring.at})
    spring.do(add_exception, "admin01", **closure)
    spring.do(sweeps.sweep_calendar, SYSTEM)
    assert queries.case_view("luolong", case_id, spring.at)["clocks"]["promised"]["due_at"].startswith("2026-03-09T18")


def test_without_a_calendar_no_date_is_promised(hall) -> None:
    case, _ = hall.accepted()  # 2027 has not been announced
    promised = case["clocks"]["promised"]
    assert promised["provisional"] and promised["due_at"] is None


def test_looking_at_a_masked_field_needs_a_reason_and_is_recorded(hall) -> None:
    _, case_id = hall.receive()
    with refused("reveal.reason"):
        hall.do(reveal.reveal_field, "clerk01", case_id=case_id, field="phone", reason="curious")
    with refused("request.invalid"):
        hall.do(reveal.reveal_field, "clerk01", case_id=case_id, field="codes", reason="contact")
    shown = hall.do(reveal.reveal_field, "clerk01", case_id=case_id, field="phone", reason="contact")
    assert shown["value"] == "13812341234"
    last = eventlog.read_subject("luolong", f"case:{case_id}")[-1]
    assert last.event.field == "phone" and last.actor == "staff:clerk01"
    assert "13812341234" not in str(last)


def test_an_approvers_inbox_shows_what_is_theirs_by_due_time(hall) -> None:
    case, _ = hall.accepted()
    hall.accepted()
    department = case["departments"][0]["department"]
    assert queries.inbox(at=hall.at, department=department)["total"] == 2
    assert queries.tab_counts(department=department)["todo"] == 2
    assert queries.inbox(at=hall.at, department="区气象局", state="todo")["total"] == 0
    assert queries.inbox(at=hall.at, q=case["number"])["total"] == 1


def test_what_was_promised_and_why_it_was_extended_are_kept(spring) -> None:
    case, case_id = spring.accepted()
    case = spring.do(review.extend_case, spring.approver(case), case_id=case_id, reason="需补充核查")
    assert case["extension"] == "需补充核查"
    assert "核查" not in db.session.query(Case.extension_sealed).scalar()


def test_a_limit_in_natural_days_is_not_extended_by_the_general_rule(spring) -> None:
    code = next(
        found["code"]
        for found in search_items(per_page=130)["items"]
        if guide_of(found["code"])["statutory"]["unit"] == "ND"
    )
    case, case_id = spring.accepted(item=code)
    with refused("case.not_extendable"):
        spring.do(review.extend_case, spring.approver(case), case_id=case_id, reason="需补充核查")


def test_the_window_does_not_stop_the_clock_of_a_case_in_review(spring) -> None:
    _, case_id = spring.accepted()
    with refused("auth.foreign_department"):
        spring.do(intake.request_supplement, "clerk01", case_id=case_id, items=[{"code": "M1", "problem": "补章"}])
