"""Reports against the cases themselves, on both databases: every figure is counted again by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from app.casework import intake, oversight, reports, review, special, sweeps, watch
from app.casework.inbox import decided_since
from app.casework.intake import accept_case
from app.casework.models import Case
from app.casework.queries import case_view, public_view
from app.casework.rules.tally import Period, Span
from app.db import HallHead, db
from app.events import SYSTEM
from app.hall.rules.lights import Light
from app.now import SHANGHAI
from tests.actions.conftest import Hall
from tests.actions.test_oversight import doors_open, pass_limit, row_of

MARCH = Span.holding(Period.MONTH, date(2026, 3, 1))


@pytest.fixture
def busy(hall: Hall) -> tuple[Hall, list[tuple[dict[str, Any], int]]]:
    """Five cases of March 2026: granted in time, decided late with a reason, refused in time, stopped, open."""
    db.session.query(HallHead).update({"last_at": datetime(2026, 1, 1, tzinfo=SHANGHAI)})
    db.session.commit()
    hall.at = datetime(2026, 3, 2, 9, 0, tzinfo=SHANGHAI)
    made = []
    for n, words in enumerate(("食品经营许可延续", "食品经营许可延续", "医疗机构", "医疗机构", "食品经营许可延续")):
        who = "clerk01" if n % 2 == 0 else "clerk02"
        case, case_id = hall.receive(words, who=who)
        made.append((hall.do(accept_case, who, case_id=case_id), case_id))
        hall.later(minutes=1)
    hall.later(hours=24)
    decide(hall, *made[0], outcome="granted")
    decide(hall, *made[2], outcome="refused")
    hall.do(special.suspend_case, hall.approver(made[3][0]), case_id=made[3][1], ground="testing", days=5)
    pass_limit(hall, made[1][1])
    hall.do(oversight.explain_overdue, hall.approver(made[1][0]), case_id=made[1][1], reason="系统检修")
    doors_open(hall)
    decide(hall, *made[1], outcome="granted")
    return hall, made


def decide(hall: Hall, case: dict[str, Any], case_id: int, outcome: str) -> None:
    given = {"reason": "不符合条件", "basis": "《食品安全法》第三十五条"} if outcome == "refused" else {}
    for n in range(len(case["departments"])):
        view = hall.do(review.decide_case, hall.approver(case, n), case_id=case_id, outcome=outcome, **given)
        if view["decided_at"]:
            return


def of(desk: Hall, side: str = "department", **more: Any) -> dict[str, Any]:
    made = reports.report(**{"hall": "luolong", "span": MARCH, "side": side, "at": desk.at, **more})
    db.session.rollback()
    return made


def test_every_figure_is_that_of_the_cases(busy: Any) -> None:
    hall, made = busy
    rows = [row_of(case_id) for _, case_id in made]
    total = of(hall)["total"]
    decided = [row for row in rows if row.outcome]
    late = [row for row in decided if row.promised_due_at < row.decided_at]
    assert total["received"] == len(rows) and total["decided"] == len(decided) == 3
    assert (total["granted"], total["refused"], total["special"], total["promised_stops"]) == (2, 1, 1, 0)
    assert total["late"] == len(late) == 1 and total["in_time"] == 2 and total["late_unexplained"] == 0
    assert total["in_time_rate"] == 66.7
    for side in ("department", "hall", "clerk", "item", "nothing"):
        made_by = of(hall, side)["rows"]
        for figure in (*reports.FIGURES, "special"):
            assert sum(row[figure] for row in made_by) == total[figure], (side, figure)
        for row in made_by:
            assert sum(pace["count"] for pace in row["pace"]) == row["decided"]
    assert {row["key"] for row in of(hall, "clerk")["rows"]} == {"clerk01", "clerk02"}


def test_the_pace_is_what_the_clocks_counted(busy: Any) -> None:
    hall, made = busy
    used = []
    for _, case_id in made:
        if row_of(case_id).outcome:
            clock = case_view("luolong", case_id, hall.at)["clocks"]["promised"]
            used.append((clock["limit"]["unit"], clock["used"]))
    paces = of(hall)["total"]["pace"]
    assert sum(pace["average"] * pace["count"] for pace in paces) == pytest.approx(sum(n for _, n in used))
    assert {pace["unit"] for pace in paces} == {unit for unit, _ in used}
    assert all(pace["p50"] <= pace["p90"] for pace in paces)


def test_the_list_behind_a_figure_has_as_many_lines(busy: Any) -> None:
    hall, made = busy
    for side in ("department", "hall", "clerk", "item"):
        for row in of(hall, side)["rows"]:
            for figure in (*reports.FIGURES, *reports.STOPS):
                found = reports.cases_behind(
                    figure=figure, hall="luolong", span=MARCH, side=side, key=row["key"], at=hall.at
                )
                assert found["total"] == len(found["items"]) == row[figure], (side, row["key"], figure)
    assert of(hall)["total"]["special"] == 1
    behind = reports.cases_behind(figure="late", hall="luolong", span=MARCH, at=hall.at)
    assert [row["number"] for row in behind["items"]] == [made[1][0]["number"]]
    db.session.rollback()


def test_a_period_holds_its_own_and_nothing_else(busy: Any) -> None:
    hall, made = busy
    before, after = of(hall, span=MARCH.before())["total"], of(hall, span=MARCH.after())["total"]
    assert before["received"] == before["decided"] == after["received"] == after["decided"] == 0
    assert before["in_time_rate"] is None and before["pace"] == []
    assert of(hall, hall="lilou")["total"]["received"] == 0 and of(hall, hall=None)["total"]["received"] == len(made)
    first = Span.holding(Period.DAY, date(2026, 3, 2))
    assert of(hall, span=first)["total"]["received"] == len(made)
    days = of(hall)["days"]
    assert len(days) == 31 and sum(row["received"] for row in days) == len(made)
    assert next(row for row in days if row["received"])["day"] == "2026-03-02"


def test_late_cases_stand_in_the_report_with_their_reason(busy: Any) -> None:
    hall, made = busy
    report = of(hall)
    assert [(row["number"], row["reason"]) for row in report["late"]] == [(made[1][0]["number"], "系统检修")]
    assert report["grounds"] == [{"ground": "testing", "clocks": "both", "count": 1}]


def test_the_outlook_counts_what_will_turn(busy: Any) -> None:
    hall, made = busy
    later, later_id = hall.accepted()
    due = row_of(later_id).promised_due_at
    coming = watch.forecast("luolong", hall.at, days=30)
    db.session.rollback()
    day = next(
        row
        for row in coming
        if row["yellow"] and row["from_at"] <= due.astimezone(SHANGHAI).isoformat() < row["until_at"]
    )
    assert day["day"] == due.astimezone(SHANGHAI).date().isoformat()
    assert sum(row["yellow"] for row in coming) == 1  # the open late case has turned, the stopped one has no date
    assert [a["until_at"] for a in coming[:-1]] == [b["from_at"] for b in coming[1:]]
    hall.at = due - timedelta(hours=2)
    assert watch.forecast("luolong", hall.at)[0]["yellow"] == 1
    db.session.rollback()
    hall.at = due
    hall.do(sweeps.sweep_lights, SYSTEM)
    assert watch.forecast("luolong", hall.at)[0]["yellow"] == 0
    db.session.rollback()


def test_the_cards_to_come_lead_to_their_cases(busy: Any) -> None:
    hall, _ = busy
    later, later_id = hall.accepted()
    hall.at = row_of(later_id).promised_due_at - timedelta(hours=2)

    def told(row: Any, light: Light) -> list[str]:
        span = {"due_on": datetime.fromisoformat(row["from_at"]), "due_until": datetime.fromisoformat(row["until_at"])}
        found = watch.open_cases(at=hall.at, hall="luolong", turning=light, **span)
        assert found["total"] == row[light.value]
        return [case["number"] for case in found["items"]]

    assert told(watch.forecast("luolong", hall.at)[0], Light.yellow) == [later["number"]]
    hall.at = row_of(later_id).statutory_due_at - timedelta(hours=2)
    hall.do(sweeps.sweep_lights, SYSTEM)
    assert later["number"] in told(watch.forecast("luolong", hall.at)[0], Light.red)
    db.session.rollback()


def test_a_case_whose_promise_stands_still_is_seen_to_turn_red(spring: Hall) -> None:
    case, case_id = spring.accepted()
    spring.do(special.check_site, spring.approver(case), case_id=case_id, days=60)
    due = row_of(case_id).statutory_due_at
    assert due
    for before, light in ((timedelta(days=4), "stopped"), (timedelta(hours=2), "amber")):  # its limit comes near
        spring.at = due - before
        spring.do(sweeps.sweep_lights, SYSTEM)
        assert row_of(case_id).light == light
        coming = watch.forecast("luolong", spring.at)
        day = next(row for row in coming if row["day"] == due.astimezone(SHANGHAI).date().isoformat())
        assert (day["red"], sum(row["yellow"] for row in coming)) == (1, 0)
        span = {"due_on": spring.at, "due_until": due + timedelta(seconds=1)}
        found = watch.open_cases(at=spring.at, hall="luolong", turning=Light.red, **span)
        assert [row["number"] for row in found["items"]] == [case["number"]]
        db.session.rollback()
    spring.at = due
    spring.do(sweeps.sweep_lights, SYSTEM)
    assert row_of(case_id).light == "red"


@pytest.mark.parametrize(("late_by", "light"), [(0, "amber"), (1, "yellow")])
def test_what_is_decided_at_its_due_instant_is_in_time(spring: Hall, late_by: int, light: str) -> None:
    case, case_id = spring.accepted()
    spring.at = row_of(case_id).promised_due_at + timedelta(seconds=late_by)
    if late_by:
        spring.do(sweeps.sweep_lights, SYSTEM)
    for position in range(len(case["departments"])):
        spring.do(review.decide_case, spring.approver(case, position), case_id=case_id, outcome="granted")
    view = case_view("luolong", case_id, spring.at)
    assert (view["light"], view["clocks"]["promised"]["late"]) == (light, bool(late_by))
    db.session.rollback()
    assert of(spring)["total"]["late"] == bool(late_by)


def test_a_case_is_late_from_its_due_instant_on_through_the_weekend(spring: Hall) -> None:
    spring.at = datetime(2026, 2, 28, 10, 0, tzinfo=SHANGHAI)
    _, case_id = spring.accepted()
    due = row_of(case_id).promised_due_at
    for after, late in ((timedelta(seconds=-1), False), (timedelta(0), True), (timedelta(days=1), True)):
        clock = public_view("luolong", case_id, due + after)["promised"]
        assert (clock["remaining"], clock["late"]) == (0, late)
        db.session.rollback()


def test_what_was_stopped_twice_is_one_case(spring: Hall) -> None:
    case, case_id = spring.accepted()
    approver = spring.approver(case)
    spring.do(review.take_case, approver, case_id=case_id)
    for _ in range(2):
        spring.later(hours=1).do(special.suspend_case, approver, case_id=case_id, ground="testing", days=1)
        spring.later(hours=1).do(special.resume_case, approver, case_id=case_id)
    assert of(spring)["total"]["special"] == 1 and of(spring)["grounds"][0]["count"] == 2
    db.session.rollback()


def test_what_was_withdrawn_today_was_not_decided(spring: Hall) -> None:
    _, case_id = spring.receive()
    midnight = spring.at
    spring.later(minutes=5).do(intake.withdraw_case, "clerk01", case_id=case_id)
    assert decided_since("luolong", midnight) == {"received": 1, "decided": 0, "delivered": 0}
    db.session.rollback()


def test_open_cases_by_any_side_add_up(busy: Any) -> None:
    hall, made = busy
    open_ = sum(row_of(case_id).decided_at is None for _, case_id in made)
    for side in watch.SIDES:
        rows = watch.lights_by(side, "luolong")
        assert sum(row["total"] for row in rows) == open_ == 2, side
        for row in rows:
            found = watch.open_cases(at=hall.at, hall="luolong", **({} if side == "hall" else {side: row["key"]}))
            assert found["total"] == row["total"], (side, row)
    assert {row["key"] for row in watch.lights_by("stage", "luolong")} == {"special", "accepted"}
    db.session.rollback()


def test_what_a_case_took_is_kept_at_its_decision(busy: Any) -> None:
    hall, made = busy
    rows: list[Case] = [row_of(case_id) for _, case_id in made]
    assert [row.took is None for row in rows] == [row.decided_at is None for row in rows]
