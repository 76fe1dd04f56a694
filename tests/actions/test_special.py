"""Stopping, restarting and lengthening the clocks of a case in review; what is refused comes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from app.casework import queries, review, special
from app.casework.cases import calendar_of, clocks_of
from app.casework.models import Case, CaseStop
from app.casework.rules.clocks import after_step, extension_of, standing
from app.casework.rules.states import CaseState, CaseStep
from app.casework.supplement import request_supplement
from app.casework.sweeps import sweep_calendar, sweep_lights
from app.catalog.queries import item as guide_of
from app.catalog.queries import search_items
from app.db import db
from app.events import SYSTEM
from app.hall import settings as hall_settings
from app.hall.holidays import read
from app.hall.rules.calendar import WorkCalendar
from app.now import iso, local
from app.people.permissions import Permission
from tests.actions.conftest import alarms_of, change_guide, last_paper, refused
from tests.actions.test_review import with_departments


def due(case: dict) -> tuple[str, str]:
    """The days on which the promised and the statutory limit end; "" while a clock stands still."""
    return tuple((case["clocks"][clock]["due_at"] or "")[:10] for clock in ("promised", "statutory"))


def row(case_id: int) -> Case:
    db.session.expire_all()
    return db.session.get(Case, ("luolong", case_id))


def test_who_may_stop_a_clock_and_for_what(spring) -> None:
    case, case_id = spring.accepted()
    approver = spring.approver(case)
    for ground in ("holiday", "third_party", "site_check"):  # the second belongs to information disclosure
        with refused("case.ground"):
            spring.do(special.suspend_case, approver, case_id=case_id, ground=ground, days=3)
    with refused("case.ground"):
        spring.do(special.check_site, approver, case_id=case_id, ground="testing", days=3)
    for days in (0, special.LONGEST_STOP_DAYS + 1):
        with refused("case.days"):
            spring.do(special.suspend_case, approver, case_id=case_id, ground="testing", days=days)
        with refused("case.days"):
            spring.do(special.check_site, approver, case_id=case_id, days=days)
    other = next(f"approver{n:02d}" for n in range(1, 30) if f"approver{n:02d}" != approver)
    with refused("auth.foreign_department"):
        spring.do(special.suspend_case, other, case_id=case_id, ground="testing", days=3)
    with refused("auth.forbidden"):
        spring.do(special.check_site, "clerk01", case_id=case_id, days=3)
    with refused("case.illegal_step"):
        spring.do(special.resume_case, approver, case_id=case_id)
    assert alarms_of(case_id).keys() == {"stage"} and row(case_id).state == "accepted"


def test_a_special_procedure_stops_both_clocks_until_it_is_over(spring) -> None:
    case, case_id = spring.accepted()
    approver = spring.approver(case)
    assert due(case) == ("2026-03-09", "2026-03-16") and case["printed_due_at"][:10] == "2026-03-09"
    spring.later(days=1)  # Tuesday 3 March
    case = spring.do(special.suspend_case, approver, case_id=case_id, ground="testing", days=10)
    assert case["state"] == "special" and case["light"] == "stopped"
    assert due(case) == ("", "") and case["printed_due_at"] is None
    assert alarms_of(case_id)["stop"] == spring.at + timedelta(days=10)
    paper = last_paper(case)
    assert (paper["ground"], paper["days"], paper["clock"]) == ("testing", 10, "both")
    assert paper["until_on"] == "2026-03-13" and "promised_due_on" not in paper
    with refused("case.illegal_step"):
        spring.do(review.decide_case, approver, case_id=case_id, outcome="granted")
    spring.later(days=7)  # Tuesday 10 March: five working days later
    case = spring.do(special.resume_case, approver, case_id=case_id)
    assert case["state"] == "review" and case["light"] == "green"
    assert due(case) == ("2026-03-16", "2026-03-23") and case["printed_due_at"][:10] == "2026-03-16"
    assert "stop" not in alarms_of(case_id)


def test_what_a_stop_put_off_is_no_broken_promise_when_the_calendar_changes(spring) -> None:
    case, case_id = spring.accepted()
    approver = spring.approver(case)
    spring.later(days=1)
    spring.do(special.suspend_case, approver, case_id=case_id, ground="hearing", days=10)
    spring.later(days=7)
    spring.do(special.resume_case, approver, case_id=case_id)
    old = read()
    days_off = {**old.days_off, date(2026, 3, 12): "临时放假"}
    whole = WorkCalendar.of(days_off=days_off, makeup=dict(old.makeup), source=dict(old.source))
    hall_settings.import_calendar(actor=SYSTEM, at=spring.at, data=whole.to_json())
    spring.do(sweep_calendar, SYSTEM)
    case = queries.case_view("luolong", case_id, spring.at)
    assert due(case) == (
        "2026-03-16",
        "2026-03-24",
    )  # the stop stays counted out, the day off moves only the law's limit


@pytest.mark.parametrize("ground", ["site_check", "technical_review"])
def test_what_an_authority_does_itself_stops_only_its_promise(spring, ground: str) -> None:
    case, case_id = spring.accepted()
    approver = spring.approver(case)
    spring.later(days=1)  # Tuesday 3 March
    case = spring.do(special.check_site, approver, case_id=case_id, ground=ground, days=5)
    assert case["state"] == "site_check" and due(case) == ("", "2026-03-16")
    assert alarms_of(case_id)["stop"] == spring.at + timedelta(days=5)
    assert (last_paper(case)["ground"], last_paper(case)["clock"]) == (ground, "promised")
    spring.later(days=3)  # Friday 6 March: three working days
    case = spring.do(special.resume_case, approver, case_id=case_id)
    assert due(case) == ("2026-03-12", "2026-03-16") and case["printed_due_at"][:10] == "2026-03-12"


def test_a_department_may_go_on_without_the_supplement_it_asked_for(spring) -> None:
    case, case_id = spring.accepted()
    approver = spring.approver(case)
    spring.later(days=1)
    asked = [{"code": "M1", "problem": "补章"}]
    case = spring.do(request_supplement, approver, case_id=case_id, items=asked)
    assert case["state"] == "review_correction" and due(case) == ("", "2026-03-16")
    with refused("auth.foreign_department"):
        spring.do(special.resume_case, "approver02" if approver != "approver02" else "approver03", case_id=case_id)
    spring.later(days=2)
    case = spring.do(special.resume_case, approver, case_id=case_id)
    assert case["state"] == "review" and due(case) == ("2026-03-11", "2026-03-16")
    assert "supplement" not in alarms_of(case_id)


def test_nobody_is_awaited_to_take_up_a_case_that_stands_still(spring) -> None:
    case, case_id = spring.accepted()
    approver = spring.approver(case)
    ways = [(special.check_site, {"days": 3}), (request_supplement, {"items": [{"code": "M1"}]})]
    for action, given in ways:
        assert "stage" in alarms_of(case_id)
        spring.later(days=1).do(action, approver, case_id=case_id, **given)
        assert "stage" not in alarms_of(case_id)
        spring.do(special.resume_case, approver, case_id=case_id)
        assert alarms_of(case_id)["stage"].date() > spring.at.date()
    spring.do(review.take_case, approver, case_id=case_id)
    spring.do(special.check_site, approver, case_id=case_id, days=3)
    spring.do(special.resume_case, approver, case_id=case_id)
    assert alarms_of(case_id) == {}  # it was taken up before


def test_a_department_does_not_end_the_hearing_of_another(spring) -> None:
    case, case_id = spring.accepted(item=with_departments("parallel"))
    mine, other = spring.approver(case, 0), spring.approver(case, 1)
    ways = [(special.suspend_case, {"ground": "hearing", "days": 30}), (special.check_site, {"days": 3})]
    ways += [(request_supplement, {"items": [{"code": "M1"}]})]
    for action, given in ways:
        stopped = spring.do(action, mine, case_id=case_id, **given)
        assert stopped["stops"][-1]["department"] == case["departments"][0]["department"]
        with refused("auth.foreign_department"):
            spring.do(special.resume_case, other, case_id=case_id)
        assert spring.do(special.resume_case, mine, case_id=case_id)["state"] == "review"
    spring.do(special.suspend_case, mine, case_id=case_id, ground="hearing", days=30)
    db.session.query(CaseStop).update({"department": None})  # of old: nobody knows whose it was
    db.session.commit()
    assert spring.do(special.resume_case, other, case_id=case_id)["state"] == "review"


def test_asking_third_parties_stops_the_clock_of_a_disclosure(spring) -> None:
    code = search_items("食品经营许可延续")["items"][0]["code"]
    change_guide(code, regime="information_disclosure")
    case, case_id = spring.accepted(item=code)
    approver = spring.approver(case)
    with refused("case.ground"):
        spring.do(special.suspend_case, approver, case_id=case_id, ground="hearing", days=3)
    case = spring.do(special.suspend_case, approver, case_id=case_id, ground="third_party", days=15)
    assert case["clocks"]["statutory"]["stopped"] and last_paper(case)["ground"] == "third_party"


# ── extension ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_extension_is_given_by_rank_in_time_once_and_with_a_reason(spring) -> None:
    case, case_id = spring.accepted()
    approver = spring.approver(case)
    head = spring.staff(approver)
    no_rank = replace(head, permissions=head.permissions - {Permission.CASE_EXTEND})
    with refused("auth.forbidden"):
        spring.do(special.extend_case, no_rank, case_id=case_id, reason="需补充核查")
    other = next(f"approver{n:02d}" for n in range(1, 30) if f"approver{n:02d}" != approver)
    with refused("auth.foreign_department"):
        spring.do(special.extend_case, other, case_id=case_id, reason="需补充核查")
    with refused("case.reason_required"):
        spring.do(special.extend_case, approver, case_id=case_id, reason=" ")
    case = spring.do(special.extend_case, approver, case_id=case_id, reason="需补充核查")
    assert due(case) == ("2026-03-23", "2026-03-30") and case["printed_due_at"][:10] == "2026-03-23"
    assert case["clocks"]["statutory"]["limit"]["amount"] == 10  # the law's own figure stays as it was
    assert case["extension"] == "需补充核查" and "核查" not in row(case_id).extension_sealed
    paper = last_paper(case)
    assert (paper["days"], paper["reasons"]) == (10, ["需补充核查"])
    assert (paper["previous_due_on"], paper["statutory_due_on"]) == ("2026-03-16", "2026-03-30")
    assert (
        paper["approved_by"].startswith("本行政机关负责人 ")
        and paper["law"] == "《中华人民共和国行政许可法》第四十二条"
    )
    with refused("case.extended_once"):
        spring.do(special.extend_case, approver, case_id=case_id, reason="再次")
    _, late = spring.accepted()
    spring.later(days=60)
    with refused("case.too_late"):
        spring.do(special.extend_case, approver, case_id=late, reason="晚了")


def test_an_extension_after_the_promise_has_passed_lengthens_the_statutory_limit_alone(spring) -> None:
    case, case_id = spring.accepted()
    approver = spring.approver(case)
    promised, statutory = due(case)
    spring.later(days=8)  # the promise passed two days ago
    spring.do(sweep_lights, SYSTEM)
    assert row(case_id).light == "yellow"
    case = spring.do(special.extend_case, approver, case_id=case_id, reason="需补充核查")
    assert due(case)[0] == promised and due(case)[1] > statutory
    assert (case["light"], row(case_id).light) == ("yellow", "yellow")
    paper = last_paper(case)
    assert (paper["clock"], paper["promised_due_on"]) == ("statutory", promised)
    event = next(entry for entry in case["history"] if entry["kind"] == "case.extended")
    assert event["body"]["clock"] == "statutory"
    spring.do(review.decide_case, approver, case_id=case_id, outcome="granted")
    assert row(case_id).light == "yellow"  # and it was not in time


def test_an_extension_does_not_mend_a_promise_that_an_older_calendar_had_kept(spring) -> None:
    case, case_id = spring.accepted()
    kept = row(case_id).promised_due_at
    off = {"day": local(kept).date(), "kind": "off", "name": "停工", "notice": "临时通知"}
    hall_settings.amend_calendar(actor=SYSTEM, at=spring.at, **off)
    spring.do(sweep_calendar, SYSTEM)
    assert row(case_id).promise_at == kept
    spring.at = kept + timedelta(hours=1)
    case = spring.do(special.extend_case, spring.approver(case), case_id=case_id, reason="需补充核查")
    assert row(case_id).promise_at == row(case_id).promised_due_at == kept and case["light"] == "yellow"


def test_only_what_the_regime_extends_is_extended_and_by_its_own_amount(spring) -> None:
    natural = next(
        f["code"] for f in search_items(per_page=130)["items"] if guide_of(f["code"])["statutory"]["unit"] == "ND"
    )
    case, case_id = spring.accepted(item=natural)
    with refused("case.not_extendable"):
        spring.do(special.extend_case, spring.approver(case), case_id=case_id, reason="需补充核查")
    code = search_items("食品经营许可延续")["items"][0]["code"]
    change_guide(code, regime="public_service")  # no law lets it be extended
    case, case_id = spring.accepted(item=code)
    assert "extend" not in case["steps"]
    with refused("case.not_extendable"):
        spring.do(special.extend_case, spring.approver(case), case_id=case_id, reason="需补充核查")
    change_guide(code, regime="information_disclosure")
    case, case_id = spring.accepted(item=code)
    case = spring.do(special.extend_case, spring.approver(case), case_id=case_id, reason="需补充核查")
    assert last_paper(case)["days"] == 20 and "信息公开条例" in last_paper(case)["law"]


def test_an_extension_by_the_government_needs_its_head(spring, staff, monkeypatch: pytest.MonkeyPatch) -> None:
    tx = SimpleNamespace(actor=staff("approver01"))
    special.refuse_rank(tx, {"amount": 10, "unit": "WD", "by": "head"})
    with refused("case.rank"):
        special.refuse_rank(tx, {"amount": 15, "unit": "WD", "by": "government"})
    special.refuse_rank(SimpleNamespace(actor=staff("chief01")), {"amount": 15, "unit": "WD", "by": "government"})
    monkeypatch.setitem(special.RANKS, "head", Permission.CASE_EXTEND_JOINT)
    case, case_id = spring.accepted()
    with refused("case.rank"):
        spring.do(special.extend_case, spring.approver(case), case_id=case_id, reason="需补充核查")


# ── what an approver is shown before confirming ────────────────────────────────────────────────────────────────


STEPS = {
    CaseStep.SUSPEND: (special.suspend_case, {"ground": "testing", "days": 3}),
    CaseStep.CHECK_SITE: (special.check_site, {"days": 3}),
    CaseStep.EXTEND: (special.extend_case, {"reason": "需补充核查"}),
    CaseStep.REQUEST_SUPPLEMENT: (request_supplement, {"items": [{"code": "M1"}]}),
}


@pytest.mark.parametrize("step", STEPS)
def test_the_effect_shown_before_a_step_is_the_one_it_has(spring, step: CaseStep) -> None:
    action, given = STEPS[step]
    case, case_id = spring.accepted()
    spring.later(days=1)

    def foreseen(step: CaseStep) -> tuple[str | None, str | None]:
        case = row(case_id)
        clocks = clocks_of(db.session(), case)
        more, calendar = extension_of(case.guide), calendar_of(db.session(), case)
        stand = standing(after_step(clocks, step, spring.at, calendar, more), calendar, spring.at)
        db.session.rollback()
        return iso(stand.promised.due_at), iso(stand.statutory.due_at)

    def done(view: dict) -> tuple[str | None, str | None]:
        return tuple(view["clocks"][clock]["due_at"] for clock in ("promised", "statutory"))

    before = foreseen(CaseStep.TAKE)
    shown = foreseen(step)
    assert shown != before
    view = spring.do(action, spring.approver(case), case_id=case_id, **given)
    assert done(view) == shown
    if CaseState(view["state"]) is not CaseState.ACCEPTED:
        spring.later(days=2)
        shown = foreseen(CaseStep.RESUME)
        assert done(spring.do(special.resume_case, spring.approver(case), case_id=case_id)) == shown
