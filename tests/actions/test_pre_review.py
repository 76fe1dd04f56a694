"""A township's pre-review, watched until the papers are sent up, on both databases (DOMAIN C12)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from app import eventlog
from app.casework import finish, intake, levels, levels_queries, oversight, queries, review, special, supplement, sweeps
from app.catalog.queries import item as guide_of
from app.catalog.queries import search_items
from app.db import db
from app.events import SYSTEM
from tests.actions.conftest import ID, Hall, alarms_of
from tests.actions.test_intake import found, on
from tests.actions.test_levels import APPLICANT, collect, send
from tests.actions.test_supplement import change_rules
from tests.actions.test_sweeps import take_off

WATCHED = "pre-review"


def in_township(hall: Hall, state: str = "received", **more: Any) -> tuple[dict[str, Any], int]:
    """Received and accepted in lilou, which is open from 9 to 12 and from 13 to 17."""
    code = more.get("item") or search_items("食品经营许可延续")["items"][0]["code"]
    materials = [{"code": m["code"], "state": state} for m in guide_of(code)["materials"]]
    given = {"item": code, "applicant": more.get("applicant", APPLICANT), "materials": materials}
    case = hall.do(intake.receive_case, "clerk21", "lilou", **given)
    case_id = queries.find_case(case["number"])[1]
    return hall.do(intake.accept_case, "clerk21", "lilou", case_id=case_id), case_id


def due(case_id: int, of: str = "lilou") -> datetime | None:
    return alarms_of(case_id, of).get(WATCHED)


def told(hall: Hall, at: datetime, case_id: int, of: str = "lilou") -> list[str]:
    """Which rungs have heard of the pre-review when the timer has swept at `at`."""
    hall.at = at
    for sweep in (sweeps.ring_alarms, oversight.tell_signals):
        hall.do(sweep, SYSTEM, of)
    rows = eventlog.read_subject(of, f"case:{case_id}")
    db.session.rollback()
    return [row.event.rung for row in rows if row.event.kind == "case.signalled" and row.event.level == WATCHED]


def test_a_township_that_sits_on_papers_is_told_of_once_when_the_doors_are_open(spring: Hall) -> None:
    case, case_id = in_township(spring)
    _, above = spring.accepted()
    assert due(case_id) == on(3, 5, 17) and WATCHED not in alarms_of(above)
    limit = queries.case_view("lilou", case_id, spring.at)["clocks"]["promised"]["due_at"]
    assert told(spring, on(3, 5, 16, 59), case_id) == []
    assert told(spring, on(3, 5, 20), case_id) == []  # the doors have shut
    assert told(spring, on(3, 6, 9), case_id) == ["owner"]
    assert told(spring, on(3, 6, 16), case_id) == ["owner"]
    assert told(spring, on(3, 9, 9), case_id) == ["owner", "chief"]  # a working day later: a weekend lies between
    assert queries.case_view("lilou", case_id, spring.at)["clocks"]["promised"]["due_at"] == limit


def test_papers_that_were_sent_up_are_watched_no_more_and_forwarding_alone_sends_none(spring: Hall) -> None:
    case, case_id = in_township(spring)
    spring.do(review.forward_case, spring.approver(case), "lilou", case_id=case_id)
    assert due(case_id) == on(3, 5, 17)
    spring.at = on(3, 5, 17)
    spring.do(sweeps.ring_alarms, SYSTEM, "lilou")
    spring.at = on(3, 5, 18)
    spring.do(levels.send_manifest, "clerk21", "lilou", case_ids=[case_id])
    assert told(spring, on(3, 10, 10), case_id) == []


def test_papers_go_up_too_when_the_hall_above_has_taken_the_case_up_already(spring: Hall) -> None:
    case, case_id = in_township(spring)
    spring.do(review.forward_case, spring.approver(case), "lilou", case_id=case_id)
    spring.do(review.take_case, spring.approver(case), "lilou", case_id=case_id)
    assert [row["number"] for row in levels_queries.manifest_desk("lilou", spring.at)["up"]] == [case["number"]]
    view = spring.do(levels.send_manifest, "clerk21", "lilou", case_ids=[case_id])
    assert due(case_id) is None and levels_queries.manifest_desk("lilou", spring.at)["up"] == []
    manifest_id = levels_queries.find_manifest(view["number"])[1]
    spring.later(days=1).do(levels.arrive_manifest, "clerk01", "lilou", manifest_id=manifest_id)
    assert queries.case_view("lilou", case_id, spring.at)["handled_in"] == "luolong"
    assert due(case_id) is None


def test_what_was_not_in_the_bundle_lies_in_the_township_still(spring: Hall) -> None:
    case, case_id = in_township(spring)
    spring.do(review.forward_case, spring.approver(case), "lilou", case_id=case_id)
    view = spring.do(levels.send_manifest, "clerk21", "lilou", case_ids=[case_id])
    given = {"manifest_id": levels_queries.find_manifest(view["number"])[1], "missing": [case["number"]]}
    spring.later(days=1).do(levels.arrive_manifest, "clerk01", "lilou", **given)
    assert due(case_id) == on(3, 6, 17)


def test_a_case_without_papers_goes_up_by_being_forwarded(spring: Hall) -> None:
    case, case_id = in_township(spring, "shared")
    assert due(case_id) == on(3, 5, 17)
    spring.do(review.forward_case, spring.approver(case), "lilou", case_id=case_id)
    assert due(case_id) is None


@pytest.mark.parametrize("state", ["shared", "received"])
def test_what_went_up_is_not_watched_again_when_its_clock_runs_again(spring: Hall, state: str) -> None:
    case, case_id = in_township(spring, state)
    approver = spring.approver(case)
    spring.do(review.forward_case, approver, "lilou", case_id=case_id)
    if state == "received":
        spring.do(levels.send_manifest, "clerk21", "lilou", case_ids=[case_id])
    spring.do(review.take_case, approver, "lilou", case_id=case_id)
    spring.do(special.check_site, approver, "lilou", case_id=case_id, days=2)
    spring.later(hours=1).do(special.resume_case, approver, "lilou", case_id=case_id)
    assert due(case_id) is None


def test_a_villages_case_is_watched_at_its_township_and_again_when_it_is_returned_there(spring: Hall) -> None:
    case, case_id = collect(spring)
    _, up = send(spring, case_id)
    assert due(case_id, "dongcun") is None  # the village only collects
    spring.later(days=1).do(levels.arrive_manifest, "clerk21", "dongcun", manifest_id=up)
    assert due(case_id, "dongcun") == on(3, 6, 17)
    approver = spring.approver(queries.case_view("dongcun", case_id, spring.at))
    spring.later(hours=1).do(review.return_case, approver, "dongcun", case_id=case_id, reason="另行安排")
    assert due(case_id, "dongcun") == on(3, 6, 17)  # it was in the township all the time
    spring.do(review.forward_case, approver, "dongcun", case_id=case_id)
    _, on_it = send(spring, case_id, who="clerk21", to_hall="luolong")
    assert due(case_id, "dongcun") is None
    spring.later(days=1).do(levels.arrive_manifest, "clerk01", "dongcun", manifest_id=on_it)
    spring.do(review.return_case, approver, "dongcun", case_id=case_id, reason="须重新初审")
    assert due(case_id, "dongcun") == on(3, 9, 17)
    assert told(spring, on(3, 10, 9), case_id, "dongcun") == ["owner"]
    spring.do(review.forward_case, approver, "dongcun", case_id=case_id)
    (way,) = levels_queries.manifest_desk("lilou", spring.at)["on"]  # the papers may go up a second time
    assert [row["number"] for row in way["cases"]] == [case["number"]]


def test_while_a_case_stands_still_no_township_is_late(spring: Hall) -> None:
    case, case_id = in_township(spring)
    approver = spring.approver(case)
    spring.do(special.suspend_case, approver, "lilou", case_id=case_id, ground="testing", days=9)
    assert due(case_id) is None
    spring.at = on(3, 9, 10)
    spring.do(special.resume_case, approver, "lilou", case_id=case_id)
    assert due(case_id) == on(3, 12, 17)
    spring.do(supplement.request_supplement, approver, "lilou", case_id=case_id, items=[{"code": "M1"}])
    assert due(case_id) is None
    spring.at = on(3, 10, 10)
    spring.do(supplement.supply, "clerk21", "lilou", case_id=case_id, items=["M1"])
    assert due(case_id) == on(3, 13, 17)
    spring.do(review.decide_case, approver, "lilou", case_id=case_id, outcome="granted")
    assert due(case_id) is None


def test_what_is_finished_on_the_spot_is_no_pre_review_until_it_becomes_a_promise(spring: Hall) -> None:
    item = found(lambda guide: guide["time_class"] == "instant" and guide["statutory"]["unit"] == "WD")
    applicant = {"kind": "person", "name": "张三丰", "id_number": ID}
    case, case_id = in_township(spring, item=item["code"], applicant=applicant)
    assert due(case_id) is None
    limit = {"amount": 1, "unit": "WD"}
    spring.do(finish.convert_case, "clerk21", "lilou", case_id=case_id, limit=limit, reason="系统维护")
    assert due(case_id) == on(3, 5, 17)


def test_a_new_calendar_moves_the_pre_review(spring: Hall) -> None:
    _, case_id = in_township(spring)
    take_off(spring, date(2026, 3, 4))
    spring.do(sweeps.sweep_calendar, SYSTEM, "lilou")
    assert due(case_id) == on(3, 6, 17)


def test_where_no_rule_limits_it_nothing_is_watched(spring: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    change_rules(monkeypatch, pre_review_limit=None)
    assert due(in_township(spring)[1]) is None
