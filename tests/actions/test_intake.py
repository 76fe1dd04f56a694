"""Cases at the accepting window: received, accepted, asked about, taken back, put right; what is refused comes first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from app import eventlog
from app.action import action
from app.casework import corrections, inbox, intake, queries, review, supplement
from app.casework.cases import load
from app.casework.models import Case
from app.casework.sweeps import ring_alarms
from app.catalog.queries import item as guide_of
from app.catalog.queries import search_items
from app.db import db
from app.events import SYSTEM
from app.hall.settings import set_hours, set_pay_place
from app.notices.queries import notice
from app.now import SHANGHAI
from tests.actions.conftest import ID, Hall, alarms_of, change_guide, last_paper, refused

PERSON = {"kind": "person", "name": "张三丰"}


def on(month: int, day: int, hour: int = 10, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI)


def found(wanted: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """The guide of the first item that is as wanted."""
    for item in search_items(per_page=1200)["items"]:
        guide = guide_of(item["code"])
        if item["guide_source"] == "written" and wanted(guide):
            return guide
    raise AssertionError("no written guide is like that")


def secondary(guide: dict[str, Any]) -> str | None:
    """The code of the first secondary paper that is required, of a guide that promises working days."""
    codes = [m["code"] for m in guide["materials"] if m["kind"] == "secondary" and m["required"]]
    return codes[0] if codes and guide["promised"]["unit"] == "WD" and guide["promised"]["amount"] >= 5 else None


def with_gap(hall: Hall, days: int | None = None) -> tuple[str, int]:
    """(the missing paper, a received case that lacks it and nothing else), promised in so many working days."""
    guide = found(lambda guide: secondary(guide) and not guide["gap_pass"] and not guide["commitment"])
    if days:
        change_guide(guide["code"], promised={"amount": days, "unit": "WD"})
    code = secondary(guide)
    _, case_id = hall.receive(item=guide["code"], states={code: "missing"})
    return str(code), case_id


def kinds(case: dict[str, Any]) -> list[str]:
    return [paper["kind"] for paper in case["notices"]]


def paper_of(case: dict[str, Any], kind: str) -> dict[str, Any]:
    """The facts of the last paper of a kind."""
    last = [paper for paper in case["notices"] if paper["kind"] == kind][-1]
    facts = notice(case["hall"], last["id"])["facts"]
    db.session.rollback()
    return facts


def told(case_id: int) -> list[Any]:
    """What the record says of the case."""
    events = [recorded.event for recorded in eventlog.read_subject("luolong", f"case:{case_id}")]
    db.session.rollback()
    return events


# ── receipt


def test_unknown_items_and_materials_are_refused(hall: Hall) -> None:
    with refused("item.unknown"):
        hall.do(intake.receive_case, "clerk01", item="nothing", applicant={}, materials=[])
    code = search_items("食品经营许可延续")["items"][0]["code"]
    with refused("case.material_unknown"):
        hall.do(intake.receive_case, "clerk01", item=code, applicant=PERSON, materials=[{"code": "M99"}])
    with refused("request.invalid"):
        hall.do(
            intake.receive_case, "clerk01", item=code, applicant=PERSON, materials=[{"code": "M1", "state": "eaten"}]
        )
    with refused("case.applicant_kind"):
        hall.do(intake.receive_case, "clerk01", item=code, applicant={"kind": "cat", "name": "x"}, materials=[])
    with refused("text.empty"):
        hall.do(intake.receive_case, "clerk01", item=code, applicant={"kind": "person"}, materials=[])
    assert db.session.query(Case).count() == 0


def test_a_receipt_gives_number_codes_and_paper(hall: Hall) -> None:
    case, case_id = hall.receive()
    assert case["state"] == "received"
    assert case["number"].startswith("LL2027")
    assert len(case["query_code"]) == 6
    assert kinds(case) == ["receipt"]
    assert case["clocks"]["promised"]["due_at"] is None
    assert queries.find_by_query(case["number"], case["query_code"].lower()) == ("luolong", case_id)
    assert queries.find_by_query_token(case["query_token"]) == ("luolong", case_id)
    with refused("case.query_mismatch"):
        queries.find_by_query(case["number"], "AAAAAA")


def test_the_applicant_is_masked_everywhere_and_sealed(hall: Hall) -> None:
    case, case_id = hall.receive()
    assert case["applicant"]["name"] == "张*丰"
    assert case["applicant"]["id_number"] == "4****************1"
    assert case["applicant"]["phone"] == "138****1234"
    row = db.session.query(Case).one()
    for column in (row.applicant_sealed, row.codes_sealed, row.applicant_key, row.query_hash):
        assert "三丰" not in column
        assert ID not in column
    assert "三丰" not in str(queries.public_view("luolong", case_id, hall.at))


@action
def collect(tx: Any, **given: Any) -> dict[str, Any]:
    """Take in at a point below, as manifests do."""
    case = intake.take_in(tx, collected=True, **given)
    return {"id": case.id, "state": case.state, "received_at": case.received_at, "due": case.notice_due_at}


@action
def arrive(tx: Any, *, case_id: int) -> dict[str, Any]:
    """Receive what was collected, as manifests do."""
    case = load(tx, case_id)
    intake.register(tx, case)
    return queries.case_answer(tx, case)


def test_what_is_collected_below_is_received_only_where_it_arrives(spring: Hall) -> None:
    code = search_items("食品经营许可延续")["items"][0]["code"]
    made = spring.do(collect, "clerk01", item=code, applicant=PERSON)
    assert made == {"id": made["id"], "state": "draft", "received_at": None, "due": None}
    assert alarms_of(made["id"]) == {}
    with refused("case.illegal_step"):
        spring.do(intake.accept_case, "clerk01", case_id=made["id"])
    spring.later(days=2)
    case = spring.do(arrive, "clerk01", case_id=made["id"])
    assert case["state"] == "received"
    assert case["received_at"].startswith("2026-03-04T10:00")
    assert case["notice_due_at"].startswith("2026-03-11T18:00")
    with refused("case.illegal_step"):
        spring.do(arrive, "clerk01", case_id=made["id"])
    assert [event.kind for event in told(made["id"])][:2] == ["case.collected", "case.received"]


# ── the regimes


@pytest.mark.parametrize(
    ("regime", "received", "notice_due", "promised_from"),
    [
        ("licensing", on(3, 2), "2026-03-09T18:00", "2026-03-04"),
        ("licensing", on(3, 6, 20), "2026-03-13T18:00", "2026-03-10"),
        ("information_disclosure", on(3, 2), "2026-03-11T18:00", "2026-03-02"),
        ("information_disclosure", on(3, 6, 20), "2026-03-18T18:00", "2026-03-09"),  # Friday night: received on Monday
        ("hotline", on(3, 2), None, "2026-03-02"),
        ("public_opinion", on(3, 2), None, "2026-03-02"),
    ],
)
def test_each_regime_has_its_own_notice_and_day_zero(
    spring: Hall, regime: str, received: datetime, notice_due: str | None, promised_from: str
) -> None:
    code = search_items("食品经营许可延续")["items"][0]["code"]
    change_guide(code, regime=regime)
    spring.at = received
    case, case_id = spring.receive(item=code)
    assert (case["notice_due_at"] or "")[:16] == (notice_due or "")
    assert ("notice" in alarms_of(case_id)) is (notice_due is not None)
    spring.at = received + timedelta(days=2 if received.weekday() == 0 else 4)
    case = spring.do(intake.accept_case, "clerk01", case_id=case_id)
    rows = queries.deadline_ledger("luolong", case_id, spring.at)["promised"]
    assert next(row["date"] for row in rows if row["start"]) == promised_from
    assert case["notice_due_at"] is None
    assert "notice" not in alarms_of(case_id)


def test_nobody_told_in_time_means_accepted_as_of_the_receipt(spring: Hall) -> None:
    _, case_id = spring.receive(states={"M1": "missing"})
    spring.at = on(3, 9, 17, 59)
    assert spring.do(ring_alarms, SYSTEM) == {"rung": 0, "more": False}
    spring.at = on(3, 9, 18)
    with refused("case.told_late"):  # the law was faster than the timer
        spring.do(supplement.request_supplement, "clerk01", case_id=case_id, items=[{"code": "M1"}])
    assert spring.do(ring_alarms, SYSTEM)["rung"] == 1
    case = queries.case_view("luolong", case_id, spring.at)
    assert case["state"] == "accepted"
    assert case["flags"]["deemed_accepted"]
    assert case["clocks"]["statutory"]["due_at"].startswith("2026-03-16T18")  # counted from 2 March
    paper = last_paper(case)
    assert paper["deemed"] is True and paper["accepted_at"] == paper["received_at"] != case["accepted_at"]
    assert spring.do(ring_alarms, SYSTEM)["rung"] == 0


def test_a_clerk_who_accepts_too_late_accepts_as_of_the_receipt(spring: Hall) -> None:
    _, case_id = spring.receive()
    spring.at = on(3, 10)
    case = spring.do(intake.accept_case, "clerk01", case_id=case_id)
    assert case["flags"]["deemed_accepted"]
    assert case["clocks"]["statutory"]["due_at"].startswith("2026-03-16T18")


def test_where_the_law_deems_nothing_somebody_hears_of_it(spring: Hall) -> None:
    code = search_items("食品经营许可延续")["items"][0]["code"]
    change_guide(code, regime="information_disclosure")
    _, case_id = spring.receive(item=code, states={"M1": "missing"})
    spring.at = on(3, 12)
    assert spring.do(ring_alarms, SYSTEM)["rung"] == 1
    assert queries.case_view("luolong", case_id, spring.at)["state"] == "received"
    assert told(case_id)[-1].ground == "notice"
    asked = spring.do(supplement.request_supplement, "clerk01", case_id=case_id, items=[{"code": "M1"}])
    assert asked["state"] == "correction"  # late, but it may still be told


# ── acceptance


def test_acceptance_starts_both_clocks(spring: Hall) -> None:
    case, case_id = spring.accepted()
    promised, statutory = case["clocks"]["promised"], case["clocks"]["statutory"]
    assert promised["due_at"] == "2026-03-09T18:00:00.000+08:00"
    assert promised["remaining"] == 5
    assert statutory["due_at"] == "2026-03-16T18:00:00.000+08:00"
    assert case["light"] == "green"
    assert case["departments"][0]["state"] == "open"
    ledger = queries.deadline_ledger("luolong", case_id, spring.at)["promised"]
    assert [row["total"] for row in ledger] == [0, 1, 2, 3, 4, 4, 4, 5]
    assert kinds(case) == ["receipt", "acceptance"]


def test_without_a_calendar_no_date_is_promised(hall: Hall) -> None:
    case, _ = hall.accepted()  # 2027 has not been announced
    promised = case["clocks"]["promised"]
    assert promised["provisional"]
    assert promised["due_at"] is None


def test_missing_materials_stop_an_acceptance(hall: Hall) -> None:
    _, case_id = hall.receive(states={"M1": "missing"})
    with refused("case.materials_missing"):
        hall.do(intake.accept_case, "clerk01", case_id=case_id)
    with refused("case.tolerant_main"):
        hall.do(intake.accept_case, "clerk01", case_id=case_id, tolerant={"commitment": "补交", "gap_limit": 1})
    with refused("auth.forbidden"):
        hall.do(intake.accept_case, "supervisor01", case_id=case_id)


def test_a_gap_is_tolerated_on_a_commitment_within_the_promise(spring: Hall) -> None:
    code, case_id = with_gap(spring)
    for commitment, gap_limit, refusal in (
        (" ", 1, "case.tolerant_commitment"),
        ("补交", "x", "case.tolerant_gap"),
        ("补交", 90, "case.tolerant_gap"),
        ("补交", 2000, "case.tolerant_gap"),  # further than any limit is followed
        ("补交", "9" * 5000, "case.tolerant_gap"),
        ("补交", {"amount": 0, "unit": "WD"}, "case.tolerant_gap"),
    ):
        with refused(refusal):
            tolerant = {"commitment": commitment, "gap_limit": gap_limit}
            spring.do(intake.accept_case, "clerk01", case_id=case_id, tolerant=tolerant)
    tolerant = {"commitment": "五日内补交", "gap_limit": 4}
    case = spring.do(intake.accept_case, "clerk01", case_id=case_id, tolerant=tolerant)
    assert case["flags"]["tolerant"]
    assert case["gap_due_at"].startswith("2026-03-06T18:00")
    rings = {kind: at.astimezone(SHANGHAI) for kind, at in alarms_of(case_id).items() if kind.startswith("gap")}
    assert rings == {"gap": on(3, 6, 18), "gap-soon": on(3, 4, 8, 30)}  # reminded two working days before
    paper = paper_of(case, "tolerant_acceptance")
    assert (paper["gap_limit"], paper["gap_due_on"], paper["commitment"]) == ("4 个工作日", "2026-03-06", "五日内补交")
    assert "视为撤回" in paper["consequence"]
    assert len(paper["gaps"]) == 1
    assert "acceptance" not in kinds(case)
    with refused("case.gap_open"):
        spring.do(review.decide_case, spring.approver(case), case_id=case_id, outcome="granted")
    case = spring.do(supplement.supply, "clerk01", case_id=case_id, items=[code])
    assert case["gap_due_at"] is None
    assert not alarms_of(case_id).keys() & {"gap", "gap-soon"}
    decided = spring.do(review.decide_case, spring.approver(case), case_id=case_id, outcome="granted")
    assert decided["state"] != "accepted"


def test_past_the_time_to_tell_a_gap_counts_from_the_receipt_as_the_promise_does(spring: Hall) -> None:
    _, case_id = with_gap(spring, days=10)
    spring.at = on(3, 10)  # what is missing should have been told by 9 March
    for late in (5, 11):  # over already; and longer than the promise
        with refused("case.tolerant_gap"):
            tolerant = {"commitment": "补交", "gap_limit": late}
            spring.do(intake.accept_case, "clerk01", case_id=case_id, tolerant=tolerant)
    case = spring.do(intake.accept_case, "clerk01", case_id=case_id, tolerant={"commitment": "补交", "gap_limit": 10})
    assert case["flags"]["deemed_accepted"]
    assert case["gap_due_at"] == case["clocks"]["promised"]["due_at"]
    paper = paper_of(case, "tolerant_acceptance")
    assert paper["deemed"] is True
    assert paper["accepted_at"] == case["received_at"]
    assert paper["gap_due_on"] == paper["promised_due_on"] == "2026-03-16"


def test_without_a_calendar_a_gap_is_measured_by_its_size(hall: Hall) -> None:
    _, case_id = with_gap(hall)
    with refused("case.tolerant_gap"):
        hall.do(intake.accept_case, "clerk01", case_id=case_id, tolerant={"commitment": "补交", "gap_limit": 300})
    case = hall.do(intake.accept_case, "clerk01", case_id=case_id, tolerant={"commitment": "补交", "gap_limit": 2})
    assert case["gap_due_at"] is None
    assert alarms_of(case_id)["gap"] is None  # waits for the calendar


def test_an_item_may_allow_a_decision_over_an_open_gap(spring: Hall) -> None:
    guide = found(lambda guide: secondary(guide) and not guide["commitment"])
    change_guide(guide["code"], gap_pass=True)
    _, case_id = spring.receive(item=guide["code"], states={secondary(guide): "missing"})
    case = spring.do(intake.accept_case, "clerk01", case_id=case_id, tolerant={"commitment": "补交", "gap_limit": 2})
    decided = spring.do(review.decide_case, spring.approver(case), case_id=case_id, outcome="granted")
    assert decided["departments"][0]["state"] == "granted"


def test_a_word_stands_in_for_evidence_only_where_the_item_offers_it(spring: Hall) -> None:
    _, case_id = with_gap(spring)
    with refused("case.not_on_commitment"):
        spring.do(intake.accept_case, "clerk01", case_id=case_id, commitment={"text": "符合条件"})
    guide = found(lambda guide: guide["commitment"] and any(m["required"] for m in guide["materials"]))
    main = next(m["code"] for m in guide["materials"] if m["required"] and m["kind"] == "main")
    _, lacking_main = spring.receive(item=guide["code"], states={main: "missing"})
    with refused("case.commitment_required"):
        spring.do(intake.accept_case, "clerk01", case_id=lacking_main, commitment={"text": " "})
    with refused("case.tolerant_main"):
        spring.do(intake.accept_case, "clerk01", case_id=lacking_main, commitment={"text": "符合条件"})
    for material in guide["materials"]:
        if material["code"] == main:
            material["kind"] = "secondary"
    change_guide(guide["code"], materials=guide["materials"])
    _, case_id = spring.receive(item=guide["code"], states={main: "missing"})
    with refused("case.materials_missing"):
        spring.do(intake.accept_case, "clerk01", case_id=case_id)
    case = spring.do(intake.accept_case, "clerk01", case_id=case_id, commitment={"text": "已符合告知的条件"})
    assert case["commitment"] == "已符合告知的条件"
    assert db.session.get(Case, ("luolong", case_id)).on_commitment
    db.session.rollback()
    assert kinds(case)[:3] == ["receipt", "commitment", "acceptance"]
    assert paper_of(case, "commitment")["conditions"] == guide["commitment"]["conditions"]
    for position in range(len(case["departments"])):  # no gap is open: the word stands in for the paper
        done = spring.do(review.decide_case, spring.approver(case, position), case_id=case_id, outcome="granted")
    assert done["state"] == "granted"
    assert "check" in alarms_of(case_id)


def test_whoever_accepted_a_case_may_not_decide_it(hall: Hall) -> None:
    from dataclasses import replace

    case, case_id = hall.accepted()
    department = case["departments"][0]["department"]
    both = replace(hall.staff("clerk01"), department=department, permissions=frozenset({"case:decide", "case:accept"}))
    with refused("case.intake_is_approver"):
        hall.do(review.decide_case, both, case_id=case_id, outcome="granted")


# ── the window has no veto


def test_the_window_cannot_say_no_but_the_chief_can(hall: Hall) -> None:
    _, case_id = hall.receive()
    with refused("case.no_request_kind"):
        hall.do(intake.raise_no_request, "clerk01", case_id=case_id, kind="mood", reason="x")
    with refused("case.reason_required"):
        hall.do(intake.raise_no_request, "clerk01", case_id=case_id, kind="out_of_scope", reason=" ")
    case = hall.do(intake.raise_no_request, "clerk01", case_id=case_id, kind="out_of_scope", reason="不属本级")
    assert case["no_request"]["reason"] == "不属本级"
    with refused("case.no_request_open"):
        hall.do(intake.raise_no_request, "clerk01", case_id=case_id, kind="grey_area", reason="再问")
    with refused("case.no_request_open"):
        hall.do(intake.accept_case, "clerk01", case_id=case_id)
    assert [request["kind"] for request in inbox.no_requests("luolong")] == ["out_of_scope"]


# ── endings and corrections


def test_who_withdraws_gets_a_slip_and_nothing_rings_any_more(spring: Hall) -> None:
    _, case_id = with_gap(spring)
    spring.do(intake.accept_case, "clerk01", case_id=case_id, tolerant={"commitment": "补交", "gap_limit": 2})
    with refused("auth.foreign_hall"):
        spring.do(intake.withdraw_case, "clerk21", case_id=case_id)
    case = spring.do(intake.withdraw_case, "clerk01", case_id=case_id)
    assert case["state"] == "withdrawn"
    assert kinds(case)[-1] == "withdrawal"
    assert last_paper(case)["deemed"] is False
    assert alarms_of(case_id) == {}
    assert {part["state"] for part in case["departments"]} == {"waiting"}  # nobody is expected to decide
    with refused("case.illegal_step"):
        spring.do(intake.withdraw_case, "clerk01", case_id=case_id)


def test_only_a_supervisor_voids_what_was_received_and_says_why(spring: Hall) -> None:
    _, case_id = spring.receive()
    with refused("auth.forbidden"):
        spring.do(corrections.void_case, "clerk01", case_id=case_id, reason="重复录入")
    with refused("case.reason_required"):
        spring.do(corrections.void_case, "supervisor01", case_id=case_id, reason=" ")
    case = spring.do(corrections.void_case, "supervisor01", case_id=case_id, reason="重复录入")
    assert case["state"] == "void"
    assert case["steps"] == []
    assert alarms_of(case_id) == {}
    assert "重复" not in db.session.query(Case.end_sealed).scalar()
    db.session.rollback()
    _, accepted = spring.accepted()
    with refused("case.illegal_step"):
        spring.do(corrections.void_case, "supervisor01", case_id=accepted, reason="晚了")
    item = search_items("食品经营许可延续")["items"][0]["code"]
    draft = spring.do(collect, "clerk01", item=item, applicant=PERSON)["id"]
    assert spring.do(corrections.void_case, "clerk01", case_id=draft, reason="申请人改主意")["state"] == "void"


@pytest.mark.parametrize(
    "received", [on(3, 10, 10), on(3, 10, 11), on(3, 2, 23, 59)], ids=["as it is", "later", "before five working days"]
)
def test_a_receipt_is_moved_back_within_bounds_only(spring: Hall, received: datetime) -> None:
    spring.at = on(3, 10)
    _, case_id = spring.receive()
    spring.later(hours=2)
    with refused("auth.forbidden"):
        spring.do(corrections.backdate_receipt, "clerk01", case_id=case_id, received_at=on(3, 9), reason="补录")
    with refused("case.reason_required"):
        spring.do(corrections.backdate_receipt, "supervisor01", case_id=case_id, received_at=on(3, 9), reason="")
    with refused("case.backdate_bounds"):
        spring.do(corrections.backdate_receipt, "supervisor01", case_id=case_id, received_at=received, reason="补录")


def test_a_corrected_receipt_counts_for_the_notice_and_is_printed_anew(spring: Hall) -> None:
    spring.at = on(3, 10)
    before, case_id = spring.receive(states={"M1": "missing"})
    assert before["notice_due_at"].startswith("2026-03-17T18:00")
    given = {"case_id": case_id, "reason": "停电，次日补录"}
    case = spring.do(corrections.backdate_receipt, "supervisor01", received_at=on(3, 5, 9), **given)
    assert case["received_at"].startswith("2026-03-05T09:00")
    assert case["notice_due_at"].startswith("2026-03-12T18:00")
    assert kinds(case) == ["receipt", "receipt"]
    assert last_paper(case)["received_at"].startswith("2026-03-05T09:00")
    event = next(event for event in told(case_id) if event.kind == "case.backdated")
    assert (event.received_at[:16], event.before[:16]) == ("2026-03-05T09:00", "2026-03-10T10:00")
    assert "停电" not in str(told(case_id))
    spring.at = on(3, 12, 18)
    spring.do(ring_alarms, SYSTEM)
    assert queries.case_view("luolong", case_id, spring.at)["state"] == "accepted"
    with refused("case.illegal_step"):
        spring.do(corrections.backdate_receipt, "supervisor01", received_at=on(3, 5, 9), **given)


def test_what_was_collected_is_not_received_before_that(spring: Hall) -> None:
    item = search_items("食品经营许可延续")["items"][0]["code"]
    draft = spring.do(collect, "clerk01", item=item, applicant=PERSON)["id"]
    spring.later(days=1)
    spring.do(arrive, "clerk01", case_id=draft)
    with refused("case.backdate_bounds"):
        spring.do(corrections.backdate_receipt, "supervisor01", case_id=draft, received_at=on(3, 2, 9), reason="更正")
    moved = spring.do(corrections.backdate_receipt, "supervisor01", case_id=draft, received_at=on(3, 2), reason="更正")
    assert moved["received_at"].startswith("2026-03-02T10:00")


# ── what it costs


def fee_paper(hall: Hall, **guide: Any) -> dict[str, Any]:
    """The facts of the fee notice of a case accepted now, of an item that costs a set amount."""
    item = found(lambda guide: guide["fee"]["amount_fen"] and guide["time_class"] == "multi_day")
    change_guide(item["code"], **guide)
    case, _ = hall.accepted(item=item["code"])
    paper = next(row for row in case["notices"] if row["kind"] == "fee")
    facts = notice("luolong", paper["id"])["facts"]
    db.session.rollback()
    return facts


def test_a_fee_notice_says_where_to_pay_and_by_when(spring: Hall) -> None:
    facts = fee_paper(spring)
    assert (facts["pay_within"], facts["pay_by_on"]) == ("5 个工作日", "2026-03-09")
    assert (facts["pay_where"], facts["pay_where_en"]) == ("本厅收费窗口", "the cashier of this hall")
    with refused("text.empty"):
        spring.do(set_pay_place, "admin01", words="", words_en="cashier 3")
    place = {"words": "一楼 3 号收费窗口，或凭缴款码网上缴纳", "words_en": "cashier 3, or online by the payment code"}
    assert spring.do(set_pay_place, "admin01", **place) == place
    facts = fee_paper(spring)
    assert {"words": facts["pay_where"], "words_en": facts["pay_where_en"]} == place


def test_a_fee_notice_promises_no_day_that_nobody_knows(hall: Hall) -> None:
    hall.at = datetime(2027, 1, 4, 10, 0, tzinfo=SHANGHAI)  # no calendar yet
    facts = fee_paper(hall)
    assert facts["pay_within"] == "5 个工作日" and "pay_by_on" not in facts
    facts = fee_paper(hall, fee={"amount_fen": 500, "basis": "按件"})  # a guide that says nothing of days
    assert not {"pay_within", "pay_by_on"} & facts.keys() and facts["pay_where"]


def test_papers_of_a_hall_that_closes_at_midnight_name_the_day_that_ends(spring: Hall) -> None:
    spring.do(set_hours, "admin01", hours="08:30-24:00", from_on=date(2026, 3, 3))
    spring.at = datetime(2026, 3, 4, 10, 0, tzinfo=SHANGHAI)
    case, case_id = spring.accepted()
    ends = next(row["date"] for row in queries.deadline_ledger("luolong", case_id, spring.at)["promised"] if row["due"])
    assert last_paper(case)["promised_due_on"] == ends
