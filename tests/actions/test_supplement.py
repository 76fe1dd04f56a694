"""Telling once what is missing, and taking in what is brought; what is refused comes first."""

from __future__ import annotations

from typing import Any

import pytest

from app.casework import intake, queries, reports, review, special, supplement
from app.casework.inbox import no_requests
from app.casework.models import CaseMaterial
from app.casework.rules.tally import Period, Span
from app.casework.sweeps import ring_alarms
from app.catalog.queries import search_items
from app.db import db
from app.events import SYSTEM
from tests.actions.conftest import Hall, alarms_of, change_guide, last_paper, refused
from tests.actions.test_intake import kinds, on, paper_of, told, with_gap
from tests.actions.test_review import with_departments

BOTH = {"M1": "missing", "M2": "missing"}


def ask(hall: Hall, case_id: int, *codes: str, who: str = "clerk01", **more: Any) -> dict[str, Any]:
    items = [{"code": code, "problem": "未签字"} for code in codes]
    return hall.do(supplement.request_supplement, who, case_id=case_id, items=items, **more)


def bring(hall: Hall, case_id: int, *items: Any) -> dict[str, Any]:
    return hall.do(supplement.supply, "clerk01", case_id=case_id, items=items)


def change_rules(monkeypatch: pytest.MonkeyPatch, **rules: Any) -> None:
    """Let cases received from now on follow another law."""
    guide_of = intake.guide_of

    def changed(code: str, on: Any) -> dict[str, Any]:
        guide = guide_of(code, on)
        return {**guide, "rules": {**guide["rules"], **rules}}

    monkeypatch.setattr(intake, "guide_of", changed)


def test_a_notice_names_something_the_item_has(hall: Hall) -> None:
    _, case_id = hall.receive(states={"M1": "missing"})
    with refused("case.nothing_missing"):
        ask(hall, case_id)
    with refused("case.material_unknown"):
        ask(hall, case_id, "M99")
    with refused("auth.forbidden"):
        ask(hall, case_id, "M1", who="pickup01")
    with refused("case.unknown"):
        ask(hall, case_id + 999, "M1")
    assert queries.case_view("luolong", case_id, hall.at)["state"] == "received"


def test_the_applicant_is_told_once_and_everything_at_once(spring: Hall) -> None:
    _, case_id = spring.receive(states=BOTH)
    case = ask(spring, case_id, "M1")
    assert case["state"] == "correction"
    assert case["notice_due_at"] is None
    paper = last_paper(case)
    assert [line["problem"] for line in paper["materials"]] == ["未签字", "未提交"]  # what the clerk forgot is added
    assert "repeat_reason" not in paper
    bring_list = queries.public_view("luolong", case_id, spring.at)["to_bring"]
    assert [material["problem"] for material in bring_list] == ["未签字", "未提交"]
    with refused("case.second_notice"):
        ask(spring, case_id, "M1")
    with refused("case.illegal_step"):
        spring.do(intake.accept_case, "clerk01", case_id=case_id)
    case = ask(spring, case_id, "M1", who="supervisor01", repeat_reason="告知时漏列一页")
    assert case["state"] == "correction"
    assert last_paper(case)["repeat_reason"] == "告知时漏列一页"
    requested = [event.second for event in told(case_id) if event.kind == "case.supplement_requested"]
    assert requested == [False, True]


@pytest.mark.parametrize(
    ("regime", "due_on", "deemed"),
    [("licensing", "2026-03-16", True), ("information_disclosure", "2026-03-23", True), ("hotline", None, False)],
)
def test_deadline_and_consequence_are_those_of_the_regime(
    spring: Hall, regime: str, due_on: str | None, deemed: bool
) -> None:
    code = search_items("食品经营许可延续")["items"][0]["code"]
    change_guide(code, regime=regime)
    _, case_id = spring.receive(item=code, states=BOTH)
    paper = last_paper(ask(spring, case_id, "M1"))
    assert paper.get("supplement_due_on") == due_on
    assert ("视为撤回" in paper.get("consequence", "")) is deemed
    assert ("supplement" in alarms_of(case_id)) is (due_on is not None)
    spring.at = on(3, 23, 18)
    spring.do(ring_alarms, SYSTEM)
    case = queries.case_view("luolong", case_id, spring.at)
    assert case["state"] == ("deemed_withdrawn" if deemed else "correction")
    if deemed:
        slip = last_paper(case)
        assert kinds(case)[-1] == "withdrawal"
        assert (slip["deemed"], slip["supplement_due_on"]) == (True, due_on)
        assert slip["legal_basis"]
        assert alarms_of(case_id) == {}


def test_without_a_calendar_the_notice_says_how_long_and_no_day(hall: Hall) -> None:
    _, case_id = hall.receive(states=BOTH)
    paper = last_paper(ask(hall, case_id, "M1"))
    assert "supplement_due_on" not in paper
    assert "10 个工作日" in paper["consequence"]
    assert alarms_of(case_id)["supplement"] is None


def test_all_supplements_in_the_case_is_accepted_that_day(spring: Hall) -> None:
    _, case_id = spring.receive(states=BOTH)
    number = ask(spring, case_id, "M1", "M2")["notices"][-1]["number"]
    spring.later(days=3)
    with refused("case.nothing_missing"):
        bring(spring, case_id)
    with refused("case.material_unknown"):
        bring(spring, case_id, "M99")
    with refused("request.invalid"):
        bring(spring, case_id, {"code": "M1", "state": "missing"})
    case = bring(spring, case_id, "M1")
    assert case["state"] == "correction"
    half = last_paper(case)
    assert kinds(case)[-1] == "supplement_receipt"
    assert (half["complete"], len(half["materials"]), len(half["outstanding"])) == (False, 1, 1)
    assert half["supplement_number"] == number
    case = bring(spring, case_id, {"code": "M2", "state": "received"})
    assert case["state"] == "accepted"
    assert case["clocks"]["promised"]["due_at"].startswith("2026-03-12T18:00")
    assert kinds(case)[-2:] == ["supplement_receipt", "acceptance"]
    whole = paper_of(case, "supplement_receipt")
    assert whole["complete"] is True
    assert "outstanding" not in whole
    assert not any(line["problem"] for paper in (half, whole) for line in paper["materials"]), "it is here now"
    assert half["outstanding"][0]["problem"] == "未签字"
    assert alarms_of(case_id).keys() == {"stage"}


@pytest.mark.parametrize(("restart", "first_day"), [(True, "2026-03-05"), (False, "2026-03-02")])
def test_a_supplement_restarts_the_clock_where_the_regime_says_so(
    spring: Hall, monkeypatch: pytest.MonkeyPatch, restart: bool, first_day: str
) -> None:
    change_rules(monkeypatch, supplement={"limit": None, "overdue": "none", "restart": restart})
    code = search_items("食品经营许可延续")["items"][0]["code"]
    change_guide(code, regime="information_disclosure")
    _, case_id = spring.receive(item=code, states=BOTH)
    ask(spring, case_id, "M1")
    spring.later(days=3)
    assert bring(spring, case_id, "M1", "M2")["state"] == "accepted"
    ledger = queries.deadline_ledger("luolong", case_id, spring.at)["statutory"]
    assert next(row["date"] for row in ledger if row["start"]) == first_day


def test_the_window_does_not_stop_the_clock_of_a_case_in_review(spring: Hall) -> None:
    _, case_id = spring.accepted()
    with refused("auth.forbidden"):
        ask(spring, case_id, "M1")


def test_a_supplement_in_review_stops_only_the_promise(spring: Hall) -> None:
    _, case_id = spring.receive(states={"M1": "missing"})
    ask(spring, case_id, "M1")
    case = bring(spring, case_id, "M1")  # told once at the window: the department may still ask once
    approver = spring.approver(case)
    case = ask(spring, case_id, "M1", who=approver)
    assert case["state"] == "review_correction"
    assert case["clocks"]["promised"]["stopped"]
    assert case["clocks"]["statutory"]["due_at"].startswith("2026-03-16")
    paper = last_paper(case)
    assert kinds(case)[-1] == "review_supplement"
    assert paper["from_at"].startswith("2026-03-02")
    assert "consequence" not in paper
    spring.later(days=2)
    case = bring(spring, case_id, "M1")
    assert case["state"] == "review"
    assert case["clocks"]["promised"]["due_at"].startswith("2026-03-11")
    assert case["clocks"]["statutory"]["due_at"].startswith("2026-03-16")
    assert kinds(case)[-1] == "review_supplement_receipt"
    assert last_paper(case)["promised_due_on"] == "2026-03-11"
    with refused("case.second_notice"):
        ask(spring, case_id, "M1", who=approver)


def test_each_department_asks_once_and_a_supervisor_once_more(spring: Hall) -> None:
    code = with_departments("in_turn")
    case, case_id = spring.accepted(item=code)
    first, second = (spring.approver(case, position) for position in (0, 1))
    with refused("auth.foreign_department"):  # the first time is the department's own
        ask(spring, case_id, "M1", who="supervisor01", repeat_reason="漏列")
    ask(spring, case_id, "M1", who=first)
    bring(spring, case_id, "M1")
    with refused("case.second_notice"):
        ask(spring, case_id, "M1", who=first)
    with refused("case.reason_required"):
        ask(spring, case_id, "M1", who="supervisor01", repeat_reason=" ")
    case = ask(spring, case_id, "M1", who="supervisor01", repeat_reason="首次告知漏列一页")
    assert (case["state"], last_paper(case)["repeat_reason"]) == ("review_correction", "首次告知漏列一页")
    assert [stop["department"] for stop in case["stops"]] == [case["departments"][0]["department"]] * 2
    assert [e.second for e in told(case_id) if e.kind == "case.supplement_requested"] == [False, True]
    bring(spring, case_id, "M1")
    spring.do(review.decide_case, first, case_id=case_id, outcome="granted")
    with refused("auth.foreign_department"):  # the department whose turn it is has not asked yet
        ask(spring, case_id, "M1", who="supervisor01", repeat_reason="漏列")
    case = ask(spring, case_id, "M1", who=second)
    assert (case["state"], [part["asked"] for part in case["departments"][:2]]) == ("review_correction", [True, True])
    assert "repeat_reason" not in last_paper(case)
    assert reports.totals("luolong", Span.holding(Period.MONTH, spring.at.date()))["second_notice"] == 1


def test_what_is_required_is_brought_or_shared_and_never_not_needed(spring: Hall) -> None:
    case, case_id = spring.accepted()
    ask(spring, case_id, "M1", who=spring.approver(case))
    with refused("request.invalid"):
        bring(spring, case_id, {"code": "M1", "state": "not_needed"})
    assert queries.case_view("luolong", case_id, spring.at)["state"] == "review_correction"
    assert bring(spring, case_id, {"code": "M1", "state": "shared"})["state"] == "review"


def held(spring: Hall) -> int:
    """All that was asked for came in on Wednesday, while the chief representative had not answered the window."""
    _, case_id = spring.receive(states={"M1": "missing"})
    ask(spring, case_id, "M1")
    spring.do(intake.raise_no_request, "clerk01", case_id=case_id, kind="out_of_scope", reason="不属本级")
    case = bring(spring.later(days=2), case_id, "M1")
    assert (case["state"], alarms_of(case_id).keys()) == ("correction", {"notice"})
    assert last_paper(case)["held"] is True
    assert [row["number"] for row in no_requests("luolong")] == [case["number"]]
    return case_id


def test_a_supplement_waits_for_the_answer_and_counts_from_its_own_day(spring: Hall) -> None:
    case_id = held(spring)
    bring(spring.later(days=1), case_id, "M1")  # a better copy changes nothing
    case = spring.later(days=1).do(review.answer_no_request, "chief01", case_id=case_id, answer="accept")
    assert (case["state"], case["no_request"]["answer"], kinds(case)[-1]) == ("accepted", "accept", "acceptance")
    assert case["clocks"]["promised"]["due_at"].startswith("2026-03-11")  # five working days from Wednesday
    assert not case["flags"]["deemed_accepted"]
    assert alarms_of(case_id).keys() == {"stage"}


def test_the_chief_may_still_say_no_in_time_when_all_is_in(spring: Hall) -> None:
    case_id = held(spring)
    given = {"reason": "不属本机关", "basis": "行政许可法第三十二条"}
    case = spring.do(review.answer_no_request, "chief01", case_id=case_id, answer="not_accepted", **given)
    assert (case["state"], alarms_of(case_id)) == ("not_accepted", {})


def test_no_answer_in_time_is_a_yes_as_of_the_supplement(spring: Hall) -> None:
    case_id = held(spring)
    due = alarms_of(case_id)["notice"]
    assert due == on(3, 11, 18)
    spring.at = due
    given = {"reason": "不属本机关", "basis": "行政许可法第三十二条"}
    with refused("case.told_late"):
        spring.do(review.answer_no_request, "chief01", case_id=case_id, answer="not_accepted", **given)
    spring.do(ring_alarms, SYSTEM)
    case = queries.case_view("luolong", case_id, spring.at)
    assert (case["state"], case["no_request"]["answer"]) == ("accepted", "lapsed")
    assert case["clocks"]["promised"]["due_at"].startswith("2026-03-11")
    assert no_requests("luolong") == []
    assert [e.answer for e in told(case_id) if e.kind == "case.no_answered"] == ["lapsed"]


def test_a_review_goes_on_without_what_was_not_brought(spring: Hall) -> None:
    case, case_id = spring.accepted()
    approver = spring.approver(case)
    ask(spring, case_id, "M1", who=approver)
    spring.at = on(3, 16, 18)
    spring.do(ring_alarms, SYSTEM)
    assert [event.ground for event in told(case_id) if event.kind == "case.overran"] == ["supplement"]
    assert queries.case_view("luolong", case_id, spring.at)["state"] == "review_correction"
    assert spring.do(special.resume_case, approver, case_id=case_id)["state"] == "review"


@pytest.mark.parametrize("during", ["accepted", "special", "site_check", "review_correction"])
def test_a_gap_is_filled_whatever_the_department_does_meanwhile(spring: Hall, during: str) -> None:
    code, case_id = with_gap(spring)
    tolerant = {"commitment": "补交", "gap_limit": 3}
    case = spring.do(intake.accept_case, "clerk01", case_id=case_id, tolerant=tolerant)
    approver = spring.approver(case)
    if during == "special":
        spring.do(special.suspend_case, approver, case_id=case_id, ground="testing", days=5)
    elif during == "site_check":
        spring.do(special.check_site, approver, case_id=case_id, days=5)
    elif during == "review_correction":
        ask(spring, case_id, "M1", who=approver)
        case = bring(spring, case_id, "M1")  # the department's own paper, while the gap is open still
        assert case["state"] == "review"
        assert case["gap_due_at"] is not None
        during = "review"
    case = bring(spring, case_id, code)
    assert (case["state"], case["gap_due_at"]) == (during, None)
    assert kinds(case)[-1] == "supplement_receipt"
    assert not alarms_of(case_id).keys() & {"gap", "gap-soon"}


def test_only_who_took_the_case_in_is_printed_with_its_window(spring: Hall) -> None:
    _, case_id = spring.receive(states=BOTH, window="W01")
    ask(spring, case_id, "M1", "M2")
    own, other = (
        last_paper(spring.do(supplement.supply, who, case_id=case_id, items=[code]))
        for who, code in (("clerk01", "M1"), ("clerk02", "M2"))
    )
    assert own["window"] == "W01" and "window" not in other


def test_what_is_brought_before_anybody_asked_is_acknowledged_too(spring: Hall) -> None:
    _, case_id = spring.receive(states={"M1": "missing"})
    case = bring(spring, case_id, "M1")
    assert (case["state"], kinds(case)[-1]) == ("received", "supplement_receipt")
    assert "notice" in alarms_of(case_id)
    assert spring.do(intake.accept_case, "clerk01", case_id=case_id)["state"] == "accepted"


def test_what_the_applicant_was_told_is_sealed(spring: Hall) -> None:
    _, case_id = spring.receive(states={"M1": "missing"})
    ask(spring, case_id, "M1")
    sealed = db.session.query(CaseMaterial.problem_sealed).filter(CaseMaterial.problem_sealed.is_not(None)).scalar()
    assert "签字" not in sealed
