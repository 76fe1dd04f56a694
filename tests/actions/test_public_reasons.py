"""Why a case is late, as the public is told: asked of its owner, after the decision too, and for each limit it passed."""

from __future__ import annotations

from datetime import date

import pytest

from app import eventlog
from app.casework import corrections, intake, oversight, reports, review, watch
from app.casework.queries import case_view, public_view
from app.casework.rules.tally import Period, Span
from app.catalog.queries import search_items
from app.db import db
from tests.actions.conftest import Hall, change_guide, last_paper, refused
from tests.actions.test_oversight import pass_limit, row_of

WHY = "申请材料须向省厅核验，省厅系统检修三天。"


def test_a_reason_is_asked_only_of_the_owner_and_only_when_late(spring: Hall) -> None:
    case, case_id = spring.accepted()
    owner = spring.approver(case)
    with refused("case.not_overdue"):
        spring.do(oversight.explain_overdue, owner, case_id=case_id, reason=WHY)
    spring.at = row_of(case_id).promised_due_at
    for who, code, more in (
        ("clerk01", "auth.forbidden", {}),
        ("approver01", "auth.foreign_department", {}),
        (owner, "case.reason_required", {"reason": " "}),
        (owner, "text.invalid", {"reason": "😀"}),
        (owner, "text.too_long", {"reason": "长" * 501}),
        (owner, "request.invalid", {"estimate_on": "2026-03-01"}),
        (owner, "request.invalid", {"estimate_on": "下周"}),
    ):
        with refused(code):
            spring.do(oversight.explain_overdue, who, case_id=case_id, **{"reason": WHY, **more})
    assert row_of(case_id).overdue_told_at is None


def test_everybody_reads_why_a_case_is_late(spring: Hall) -> None:
    case, case_id = spring.accepted()
    later, later_id = spring.later(minutes=1).accepted()
    pass_limit(spring, later_id)
    listed = watch.open_cases(at=spring.at, hall="luolong", late=True)
    assert [row["number"] for row in listed["items"]] == [case["number"], later["number"]]
    assert watch.unexplained("luolong") == 2
    db.session.rollback()
    view = spring.do(
        oversight.explain_overdue, spring.approver(case), case_id=case_id, reason=WHY, estimate_on="2026-12-31"
    )
    assert view["overdue"]["reason"] == WHY and view["overdue"]["clock"] == "promised"
    assert view["notices"][-1]["kind"] == "overdue"
    public = public_view("luolong", case_id, spring.at)
    assert public["overdue"]["reason"] == WHY and public["overdue"]["estimate_on"] == "2026-12-31"
    assert public_view("luolong", later_id, spring.at)["overdue"] is None
    listed = watch.open_cases(at=spring.at, hall="luolong", late=True)
    assert [row["number"] for row in listed["items"]] == [later["number"], case["number"]]  # unexplained on top
    assert [row["explained"] for row in listed["items"]] == [False, True]
    silent = watch.open_cases(at=spring.at, hall="luolong", silent=True)
    assert [row["number"] for row in silent["items"]] == [later["number"]]
    assert watch.unexplained("luolong") == 1
    assert case_view("luolong", case_id, spring.at)["overdue"]["told_at"]
    kept = " ".join(str(r.event) for r in eventlog.read_subject("luolong", f"case:{case_id}"))
    assert "省厅" not in kept and WHY not in (row_of(case_id).overdue_sealed or "")


def silent(hall: Hall, department: str | None = None) -> list[str]:
    """The cases whose reason is missing, as the desk lists and counts them."""
    found = watch.open_cases(at=hall.at, hall="luolong", department=department, silent=True)
    assert found["total"] == watch.unexplained("luolong", department)
    db.session.rollback()
    return [row["number"] for row in found["items"]]


def unexplained_in_march(hall: Hall) -> tuple[int, list[str | None]]:
    """How many late decisions of the month have no reason, and the reasons that its report tells."""
    month = Span.holding(Period.MONTH, date(2026, 3, 1))
    found = reports.totals("luolong", month), reports.late_reasons(hall="luolong", span=month)
    db.session.rollback()
    return found[0]["late_unexplained"], [row["reason"] for row in found[1]["late"]]


@pytest.mark.parametrize("revoked", [False, True])
def test_a_late_decision_does_not_settle_why_it_was_late(spring: Hall, revoked: bool) -> None:
    case, case_id = spring.accepted()
    _, withdrawn = spring.accepted()
    owner, department = spring.approver(case), case["departments"][0]["department"]
    pass_limit(spring, case_id)
    spring.do(intake.withdraw_case, "clerk01", case_id=withdrawn)  # nobody waits for it any more
    view = spring.do(review.decide_case, owner, case_id=case_id, outcome="granted")
    assert "explain-overdue" in view["steps"] and not view["explained"]
    if revoked:
        spring.do(review.revoke_case, owner, case_id=case_id, reason="材料虚假", basis="行政许可法第六十九条")
    assert silent(spring) == silent(spring, department) == [case["number"]] and silent(spring, "不存在") == []
    assert unexplained_in_march(spring) == (1, [None])
    with refused("auth.foreign_department"):
        spring.do(oversight.explain_overdue, "approver01", case_id=case_id, reason=WHY)
    with refused("request.invalid"):  # there is nothing to expect any more
        spring.do(oversight.explain_overdue, owner, case_id=case_id, reason=WHY, estimate_on="2026-12-31")
    view = spring.do(oversight.explain_overdue, owner, case_id=case_id, reason=WHY)
    paper = last_paper(view)
    assert view["explained"] and (paper["clock"], paper["ended_at"]) == ("promised", view["decided_at"])
    assert public_view("luolong", case_id, spring.at)["overdue"]["reason"] == WHY
    assert silent(spring) == [] and unexplained_in_march(spring) == (0, [WHY])


def test_what_was_decided_in_time_asks_for_no_reason(spring: Hall) -> None:
    case, case_id = spring.accepted()
    view = spring.do(review.decide_case, spring.approver(case), case_id=case_id, outcome="granted")
    assert "explain-overdue" not in view["steps"]
    with refused("case.not_overdue"):
        spring.do(oversight.explain_overdue, spring.approver(case), case_id=case_id, reason=WHY)
    with refused("case.not_overdue"):
        _, received_id = spring.receive()
        spring.do(corrections.void_case, "supervisor01", case_id=received_id, reason="重复收件")
        spring.do(oversight.explain_overdue, "chief01", case_id=received_id, reason=WHY)


def test_what_is_late_on_its_way_to_the_applicant_is_explained_too(spring: Hall) -> None:
    code = search_items("食品经营许可延续")["items"][0]["code"]
    limits = {"promised": {"amount": 2, "unit": "WH"}, "statutory": {"amount": 5, "unit": "WD"}}
    change_guide(code, time_class="instant", **limits)
    case, case_id = spring.accepted(item=code)
    spring.do(review.decide_case, spring.approver(case), case_id=case_id, outcome="granted")
    assert silent(spring) == []
    pass_limit(spring, case_id)
    assert row_of(case_id).light == "yellow" and silent(spring) == [case["number"]]
    assert unexplained_in_march(spring) == (1, [None])
    view = spring.do(oversight.explain_overdue, spring.approver(case), case_id=case_id, reason="打印机故障")
    assert "ended_at" not in last_paper(view)  # it is not in the applicant's hands yet
    assert silent(spring) == [] and unexplained_in_march(spring) == (0, ["打印机故障"])


def test_a_reason_for_the_promise_says_nothing_of_the_law(spring: Hall) -> None:
    case, case_id = spring.accepted()
    owner = spring.approver(case)
    pass_limit(spring, case_id)
    spring.do(oversight.explain_overdue, owner, case_id=case_id, reason=WHY)
    assert silent(spring) == [] and case_view("luolong", case_id, spring.at)["explained"]
    pass_limit(spring, case_id, "statutory")
    assert row_of(case_id).light == "red" and silent(spring) == [case["number"]]
    (line,) = watch.open_cases(at=spring.at, hall="luolong", late=True)["items"]
    assert not line["explained"]
    db.session.rollback()
    spring.do(review.decide_case, owner, case_id=case_id, outcome="granted")
    assert unexplained_in_march(spring) == (1, [None])
    view = spring.do(oversight.explain_overdue, owner, case_id=case_id, reason="省厅系统再次检修")
    assert view["overdue"]["clock"] == last_paper(view)["clock"] == "statutory"
    assert silent(spring) == [] and unexplained_in_march(spring) == (0, ["省厅系统再次检修"])
