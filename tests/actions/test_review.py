"""The back office: who signs, who decides, what goes back, up or into writing; what is refused comes first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.casework import intake, queries, review, supplement
from app.casework.inbox import no_requests
from app.casework.models import Case, CaseReview
from app.casework.sweeps import ring_alarms
from app.catalog.queries import item as guide_of
from app.catalog.queries import search_items
from app.db import db
from app.events import SYSTEM, Actor
from tests.actions.conftest import Hall, alarms_of, change_guide, last_paper, refused

REASON, BASIS = "条件不符", "《中华人民共和国食品安全法》第三十五条"


def licence() -> str:
    """An item of one department: five working days promised, ten by law."""
    return search_items("食品经营许可延续")["items"][0]["code"]


def with_departments(routing: str) -> str:
    for found in search_items(per_page=80)["items"]:
        guide = guide_of(found["code"])
        if guide["routing"] == routing and len(guide["departments"]) > 1:
            return found["code"]
    raise AssertionError(f"no written guide decides {routing}")


def colleague(hall: Hall, of: str, name: str = "approver91") -> Actor:
    """Somebody else who approves for the same department."""
    return replace(hall.staff(of), id=9000 + int(name[-2:]), name=name)


def foreign(mine: str) -> str:
    return next(f"approver{n:02d}" for n in range(1, 35) if f"approver{n:02d}" != mine)


def test_the_steps_of_a_case_are_what_somebody_can_do_with_it(hall) -> None:
    case, _ = hall.accepted()
    never = {"review", "complete", "deem-withdraw", "convert", "explain-overdue", "sign", "check"}
    assert {"take", "propose", "grant", "refuse", "suspend", "check-site", "extend"} <= set(case["steps"])
    assert not never & set(case["steps"])


# ── deciding ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_whoever_took_a_case_in_neither_proposes_nor_decides(hall) -> None:
    case, case_id = hall.accepted()
    both = replace(
        hall.staff("clerk01"),
        department=case["departments"][0]["department"],
        permissions=frozenset({"case:decide", "case:accept"}),
    )
    for action, given in (
        (review.take_case, {}),
        (review.propose_case, {"outcome": "granted"}),
        (review.decide_case, {"outcome": "granted"}),
    ):
        with refused("case.intake_is_approver"):
            hall.do(action, both, case_id=case_id, **given)


def test_only_the_owning_department_decides(hall) -> None:
    case, case_id = hall.accepted()
    other = foreign(hall.approver(case))
    for action in (review.propose_case, review.decide_case):
        with refused("auth.foreign_department"):
            hall.do(action, other, case_id=case_id, outcome="granted")
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
        hall.do(review.decide_case, approver, case_id=case_id, outcome="refused", reason=REASON)
    case = hall.do(review.decide_case, approver, case_id=case_id, outcome="refused", reason=REASON, basis=BASIS)
    assert case["state"] == "refused" and case["notices"][-1]["kind"] == "decision"
    assert last_paper(case)["legal_basis"][0] == BASIS and alarms_of(case_id).keys() == {"delivery"}


def test_two_people_sign_at_most_and_never_the_same_one_twice(hall) -> None:
    case, case_id = hall.accepted()
    first = hall.approver(case)
    second, third = colleague(hall, first), colleague(hall, first, "approver92")
    with refused("case.outcome"):
        hall.do(review.propose_case, first, case_id=case_id, outcome="perhaps")
    case = hall.do(review.propose_case, first, case_id=case_id, outcome="granted", note="材料属实，拟准予")
    part = case["departments"][0]
    assert case["state"] == "review" and part["state"] == "open"
    assert (part["proposed_by"], part["proposal"], part["signatures"]) == (first, "granted", 1)
    assert part["note"] == "材料属实，拟准予" and "属实" not in db.session.query(CaseReview.note_sealed).scalar()
    with refused("case.own_proposal"):
        hall.do(review.decide_case, first, case_id=case_id, outcome="granted")
    with refused("case.signatures"):
        hall.do(review.propose_case, second, case_id=case_id, outcome="granted")
    back = hall.do(review.return_case, second, case_id=case_id, reason="再核一次")["departments"][0]
    assert (back["proposed_by"], back["signatures"], back["note"]) == (None, 0, "再核一次")
    hall.do(review.propose_case, third, case_id=case_id, outcome="refused", note="拟不予")
    done = hall.do(review.decide_case, second, case_id=case_id, outcome="granted")  # not bound by what was proposed
    part = done["departments"][0]
    assert done["state"] == "granted" and part["signatures"] == 2
    assert (part["proposed_by"], part["proposal"], part["decided_by"]) == ("approver92", "refused", "approver91")


@pytest.mark.parametrize("limit", [1, 3])
def test_an_item_says_how_many_people_sign(hall, limit: int) -> None:
    change_guide(licence(), signatures=limit)
    case, case_id = hall.accepted(item=licence())
    people = [hall.staff(hall.approver(case)), colleague(hall, hall.approver(case))]
    people.append(colleague(hall, hall.approver(case), "approver92"))
    for number, who in enumerate(people[: limit - 1]):
        hall.do(review.propose_case, who, case_id=case_id, outcome="granted")
        if number + 2 < limit:
            with refused("case.own_proposal"):
                hall.do(review.propose_case, who, case_id=case_id, outcome="granted")
    with refused("case.signatures"):
        hall.do(review.propose_case, people[limit - 1], case_id=case_id, outcome="granted")
    for who in people[: limit - 1]:
        with refused("case.own_proposal"):
            hall.do(review.decide_case, who, case_id=case_id, outcome="granted")
    done = hall.do(review.decide_case, people[limit - 1], case_id=case_id, outcome="granted")
    assert done["state"] == "granted" and done["departments"][0]["signatures"] == limit


@pytest.mark.parametrize("gap_pass", [False, True])
def test_an_open_gap_stops_the_decision_unless_the_item_lets_it_pass(spring, gap_pass: bool) -> None:
    guide = guide_of(licence())
    materials = [{**m, "kind": "secondary"} if m["code"] == "M1" else m for m in guide["materials"]]
    change_guide(licence(), materials=materials, gap_pass=gap_pass)
    _, case_id = spring.receive(item=licence(), states={"M1": "missing"})
    tolerant = {"commitment": "三日内补交", "gap_limit": 3}
    case = spring.do(intake.accept_case, "clerk01", case_id=case_id, tolerant=tolerant)
    assert "gap" in alarms_of(case_id)
    if not gap_pass:
        with refused("case.gap_open"):
            spring.do(review.decide_case, spring.approver(case), case_id=case_id, outcome="granted")
        spring.do(supplement.supply, "clerk01", case_id=case_id, items=["M1"])
    done = spring.do(review.decide_case, spring.approver(case), case_id=case_id, outcome="granted")
    waits = {"delivery", "gap", "gap-soon"} if gap_pass else {"delivery"}
    assert done["state"] == "granted" and alarms_of(case_id).keys() == waits


def test_departments_in_turn_follow_each_other(spring) -> None:
    case, case_id = spring.accepted(item=with_departments("in_turn"))
    first, second = spring.approver(case, 0), spring.approver(case, 1)
    with refused("auth.foreign_department"):
        spring.do(review.decide_case, second, case_id=case_id, outcome="granted")
    spring.later(days=2)
    case = spring.do(review.decide_case, first, case_id=case_id, outcome="granted")
    assert case["state"] == "review" and [d["state"] for d in case["departments"]][:2] == ["granted", "open"]
    assert alarms_of(case_id)["stage"].date() == spring.at.date().replace(day=5)  # taken up by the next working day
    with refused("case.reason_required"):
        spring.do(review.return_case, second, case_id=case_id, reason=" ")
    back = spring.do(review.return_case, second, case_id=case_id, reason="意见不全")
    assert [d["state"] for d in back["departments"]][:2] == ["open", "waiting"]
    assert [d["note"] for d in back["departments"]][:2] == ["意见不全", None]


def test_departments_in_parallel_all_decide_and_one_refusal_is_enough(hall) -> None:
    case, case_id = hall.accepted(item=with_departments("parallel"))
    assert {d["state"] for d in case["departments"]} == {"open"}
    for position in range(len(case["departments"]) - 1):
        hall.do(review.decide_case, hall.approver(case, position), case_id=case_id, outcome="granted")
    last = hall.approver(case, -1)
    done = hall.do(review.decide_case, last, case_id=case_id, outcome="refused", reason=REASON, basis=BASIS)
    assert done["state"] == "refused" and done["decided_at"]


# ── going up, and answering the window ─────────────────────────────────────────────────────────────────────────


def test_a_case_goes_up_to_a_hall_above_and_to_no_other(hall) -> None:
    code = licence()
    case, case_id = hall.accepted(item=code)
    with refused("case.to_hall"):  # nothing stands above the county
        hall.do(review.forward_case, hall.approver(case), case_id=case_id)
    given = {"item": code, "applicant": {"kind": "person", "name": "张三"}}
    papers = [{"code": m["code"], "state": "received"} for m in guide_of(code)["materials"]]
    low = hall.do(intake.receive_case, "clerk21", hall="lilou", materials=papers, **given)
    low_id = queries.find_case(low["number"])[1]
    hall.do(intake.accept_case, "clerk21", hall="lilou", case_id=low_id)
    for target in ("dongcun", "lilou", "nowhere"):
        with refused("case.to_hall"):
            hall.do(review.forward_case, hall.approver(case), hall="lilou", case_id=low_id, to_hall=target)
    up = hall.do(review.forward_case, hall.approver(case), hall="lilou", case_id=low_id)
    assert (up["state"], up["forwarded_to"]) == ("forwarded", "luolong")
    done = hall.do(review.decide_case, hall.approver(case), hall="lilou", case_id=low_id, outcome="granted")
    assert done["state"] == "granted"


def test_the_window_cannot_say_no_but_the_chief_can(spring) -> None:
    _, case_id = spring.receive()
    with refused("case.no_request_kind"):
        spring.do(intake.raise_no_request, "clerk01", case_id=case_id, kind="mood", reason="x")
    with refused("case.reason_required"):
        spring.do(intake.raise_no_request, "clerk01", case_id=case_id, kind="out_of_scope", reason=" ")
    with refused("case.no_request_none"):
        spring.do(review.answer_no_request, "chief01", case_id=case_id, answer="accept")
    spring.do(intake.raise_no_request, "clerk01", case_id=case_id, kind="out_of_scope", reason="不属本级")
    with refused("case.no_request_open"):
        spring.do(intake.accept_case, "clerk01", case_id=case_id)
    assert [r["kind"] for r in no_requests("luolong")] == ["out_of_scope"]
    with refused("auth.forbidden"):
        spring.do(review.answer_no_request, "clerk01", case_id=case_id, answer="accept")
    with refused("request.invalid"):
        spring.do(review.answer_no_request, "chief01", case_id=case_id, answer="perhaps")
    for answer in ("not_accepted", "not_required"):
        with refused("case.basis_required"):
            spring.do(review.answer_no_request, "chief01", case_id=case_id, answer=answer, reason="不属本机关")
    assert "notice" in alarms_of(case_id)
    given = {"reason": "不属本机关", "basis": "《中华人民共和国行政许可法》第三十二条", "go_to": "市卫生健康委员会"}
    done = spring.do(review.answer_no_request, "chief01", case_id=case_id, answer="not_accepted", **given)
    assert done["state"] == "not_accepted" and done["steps"] == [] and alarms_of(case_id) == {}
    paper = last_paper(done)
    assert (paper["ground"], paper["go_to"], paper["reasons"]) == ("out_of_scope", "市卫生健康委员会", ["不属本机关"])


@pytest.mark.parametrize(("answer", "state"), [("accept", "received"), ("not_required", "not_required")])
def test_the_chief_lets_a_case_go_on_or_says_that_no_licence_is_needed(spring, answer: str, state: str) -> None:
    _, case_id = spring.receive()
    asked = spring.do(intake.raise_no_request, "clerk01", case_id=case_id, kind="grey_area", reason="是否需要许可")
    assert {"go-on", "not-accept", "not-require"} <= set(asked["steps"]) and "accept" not in asked["steps"]
    given = {"reason": "小作坊只需登记", "basis": "《中华人民共和国行政许可法》第三十二条"}
    done = spring.do(review.answer_no_request, "chief01", case_id=case_id, answer=answer, **given)
    assert done["state"] == state and done["no_request"]["answer"] == answer
    if state == "not_required":
        assert last_paper(done)["ground"] == "not_required" and done["decided_at"]
    else:
        assert "accept" in done["steps"] and "go-on" not in done["steps"]


@pytest.mark.parametrize("answer", ["not_accepted", "not_required"])
def test_a_no_that_comes_late_gives_way_to_the_law(spring, answer: str) -> None:
    _, case_id = spring.receive()
    spring.do(intake.raise_no_request, "clerk01", case_id=case_id, kind="grey_area", reason="是否需要许可")
    spring.at = alarms_of(case_id)["notice"]
    given = {"reason": "小作坊只需登记", "basis": "《中华人民共和国行政许可法》第三十二条"}
    with refused("case.told_late"):  # although the timer has not come yet
        spring.do(review.answer_no_request, "chief01", case_id=case_id, answer=answer, **given)
    spring.do(ring_alarms, SYSTEM)
    case = queries.case_view("luolong", case_id, spring.at)
    assert (case["state"], case["flags"]["deemed_accepted"]) == ("accepted", True)
    assert (case["no_request"]["answer"], no_requests("luolong")) == ("lapsed", [])


# ── after the decision ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def pledged(spring) -> tuple[Hall, str, int]:
    """A case that was granted on the applicant's word, and its approver."""
    commitment = {"check_within": {"amount": 20, "unit": "WD"}, "conditions": ["场所符合要求"], "conditions_en": ["x"]}
    change_guide(licence(), commitment=commitment)
    _, case_id = spring.receive(item=licence())
    case = spring.do(intake.accept_case, "clerk01", case_id=case_id, commitment={"text": "场所符合要求"})
    approver = spring.approver(case)
    spring.do(review.decide_case, approver, case_id=case_id, outcome="granted")
    return spring, approver, case_id


def test_a_word_is_checked_once(pledged) -> None:
    spring, approver, case_id = pledged
    view = queries.case_view("luolong", case_id, spring.at)
    assert view["flags"]["on_commitment"] and view["check"] == {"outcome": None, "at": None, "note": None}
    assert alarms_of(case_id).keys() == {"check", "delivery"} and "check" in view["steps"]
    assert alarms_of(case_id)["check"].date().isoformat() == "2026-03-30"
    with refused("auth.foreign_department"):
        spring.do(review.check_case, foreign(approver), case_id=case_id, outcome="kept")
    with refused("request.invalid"):
        spring.do(review.check_case, approver, case_id=case_id, outcome="perhaps")
    with refused("case.reason_required"):
        spring.do(review.check_case, approver, case_id=case_id, outcome="broken")
    done = spring.do(review.check_case, approver, case_id=case_id, outcome="broken", note="现场无消毒设施")
    assert done["check"]["outcome"] == "broken" and done["check"]["note"] == "现场无消毒设施"
    assert "消毒" not in db.session.query(Case.check_sealed).scalar() and alarms_of(case_id).keys() == {"delivery"}
    assert "check" not in done["steps"] and done["state"] == "granted"
    with refused("case.no_check"):
        spring.do(review.check_case, approver, case_id=case_id, outcome="kept")


def test_without_a_commitment_there_is_nothing_to_check(hall) -> None:
    case, case_id = hall.accepted()
    done = hall.do(review.decide_case, hall.approver(case), case_id=case_id, outcome="granted")
    assert "check" not in done["steps"] and done["check"] is None
    with refused("case.no_check"):
        hall.do(review.check_case, hall.approver(case), case_id=case_id, outcome="kept")


def test_a_decision_is_revoked_in_writing(pledged) -> None:
    spring, approver, case_id = pledged
    with refused("case.reason_required"):
        spring.do(review.revoke_case, approver, case_id=case_id, reason="", basis="")
    with refused("case.basis_required"):
        spring.do(review.revoke_case, approver, case_id=case_id, reason="以欺骗手段取得许可", basis="")
    given = {"reason": "以欺骗手段取得许可", "basis": "《中华人民共和国行政许可法》第六十九条"}
    with refused("auth.foreign_department"):
        spring.do(review.revoke_case, foreign(approver), case_id=case_id, **given)
    done = spring.do(review.revoke_case, approver, case_id=case_id, **given)
    assert (done["state"], done["ended"], done["steps"]) == ("void", "以欺骗手段取得许可", [])
    assert done["notices"][-1]["kind"] == "revocation" and alarms_of(case_id) == {}
    paper = last_paper(done)
    decision = next(n for n in done["notices"] if n["kind"] == "decision")
    assert (paper["decision_number"], paper["legal_basis"]) == (decision["number"], [given["basis"]])


def test_a_refusal_is_not_revoked(hall) -> None:
    case, case_id = hall.accepted()
    approver = hall.approver(case)
    hall.do(review.decide_case, approver, case_id=case_id, outcome="refused", reason=REASON, basis=BASIS)
    with refused("case.illegal_step"):
        hall.do(review.revoke_case, approver, case_id=case_id, reason=REASON, basis=BASIS)
