"""Reports against the cases themselves, on both databases: every figure is counted again by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from app.casework import intake, oversight, reports, review, special, sweeps, watch
from app.casework.corrections import void_case
from app.casework.inbox import decided_since
from app.casework.intake import accept_case
from app.casework.models import Case, CaseReview
from app.casework.queries import case_view, public_view
from app.casework.rules.tally import Period, Span
from app.catalog.queries import search_items
from app.db import HallHead, db
from app.events import SYSTEM
from app.hall.rules.lights import Light
from app.hall.settings import set_hours
from app.now import SHANGHAI, iso
from tests.actions.conftest import Hall, change_guide
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


def test_a_case_that_passes_both_limits_within_the_forecast_shows_both_cards(spring: Hall) -> None:
    code = search_items("食品经营许可延续")["items"][0]["code"]
    change_guide(code, promised={"amount": 1, "unit": "WD"}, statutory={"amount": 3, "unit": "WD"})
    _, case_id = spring.accepted(item=code)
    coming = watch.forecast("luolong", spring.at)
    db.session.rollback()
    assert row_of(case_id).light == "green"
    assert [row["day"] for row in coming if row["yellow"]] == ["2026-03-03"]
    assert [row["day"] for row in coming if row["red"]] == ["2026-03-05"]


def test_a_case_that_the_law_ends_before_its_promise_turns_red_and_is_due_by_the_law(spring: Hall) -> None:
    code = search_items("食品经营许可延续")["items"][0]["code"]
    change_guide(code, promised={"amount": 5, "unit": "WD"}, statutory={"amount": 7, "unit": "WD"})
    case, case_id = spring.accepted(item=code)
    spring.do(special.check_site, spring.approver(case), case_id=case_id, days=6)
    spring.later(days=7).do(special.resume_case, spring.approver(case), case_id=case_id)
    row = row_of(case_id)
    assert row.statutory_due_at and row.promised_due_at and row.statutory_due_at < row.promised_due_at
    parts = db.session.query(CaseReview.order_at).filter_by(case_id=case_id).all()
    assert {row.order_at, *(part.order_at for part in parts)} == {row.statutory_due_at}
    coming = watch.forecast("luolong", spring.at)
    assert [row["day"] for row in coming if row["red"]] == ["2026-03-11"]
    assert not any(row["yellow"] for row in coming)
    day = next(row for row in coming if row["red"])
    span = {"due_on": datetime.fromisoformat(day["from_at"]), "due_until": datetime.fromisoformat(day["until_at"])}
    found = watch.open_cases(at=spring.at, hall="luolong", turning=Light.red, **span)
    assert [line["number"] for line in found["items"]] == [case["number"]]
    db.session.rollback()


class TestCost:
    """What supervision reads does not grow with the open cases. SQLite says its plan even of empty tables."""

    @pytest.fixture
    def database(self) -> str:
        return "sqlite"

    def test_the_cards_to_come_and_the_missing_reasons_are_found_along_their_indexes(self, spring: Hall) -> None:
        _, late_id = spring.accepted()
        pass_limit(spring, late_id)
        spring.accepted()
        soon = {"due_on": spring.at, "due_until": spring.at + timedelta(days=60)}
        for index, which in {
            "ix_cases_statutory (hall=? AND statutory_due_at>": {"turning": Light.red, **soon},
            "ix_cases_hall_tab (hall=? AND tab=? AND order_at>": {"turning": Light.yellow, **soon},
            "ix_cases_unexplained (hall=": {"silent": True},
        }.items():
            plans = self._plans(lambda which=which: watch.open_cases(at=spring.at, hall="luolong", **which))
            assert sum(index in plan for plan in plans) == 2, (index, plans)  # it is counted, then read
            assert not [plan for plan in plans if "SCAN cases" in plan], plans
        yellow, yellow_risen, red, red_risen = self._plans(lambda: watch.forecast("luolong", spring.at))
        assert "ix_cases_hall_tab (hall=? AND tab=? AND order_at>? AND order_at<?)" in yellow
        assert "ix_cases_forwarded_tab (forwarded_to=? AND tab=? AND order_at>? AND order_at<?)" in yellow_risen
        assert "ix_cases_statutory (hall=? AND statutory_due_at>? AND statutory_due_at<?)" in red
        assert "ix_cases_forwarded_statutory (forwarded_to=? AND statutory_due_at>?" in red_risen

    @staticmethod
    def _plans(look: Callable[[], Any]) -> list[str]:
        """How each statement on cases is carried out."""
        read: list[tuple[str, Any]] = []

        def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
            if "FROM cases" in statement:
                read.append((statement, parameters))

        event.listen(db.engine, "before_cursor_execute", note)
        look()
        event.remove(db.engine, "before_cursor_execute", note)
        db.session.rollback()
        with db.engine.connect() as connection:
            asked = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {what}", given) for what, given in read]
            return ["; ".join(row[3] for row in plan) for plan in asked]


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


def test_what_is_late_by_law_while_the_promise_stood_is_listed_with_the_limit_it_missed(spring: Hall) -> None:
    code = search_items("食品经营许可延续")["items"][0]["code"]
    change_guide(code, promised={"amount": 5, "unit": "WD"}, statutory={"amount": 7, "unit": "WD"})
    case, case_id = spring.accepted(item=code)
    spring.do(special.check_site, spring.approver(case), case_id=case_id, days=6)
    spring.later(days=7).do(special.resume_case, spring.approver(case), case_id=case_id)
    pass_limit(spring, case_id, "statutory")
    spring.do(review.decide_case, spring.approver(case), case_id=case_id, outcome="granted")
    row, total = row_of(case_id), of(spring)["total"]
    assert row.statutory_due_at < row.decided_at < row.promised_due_at
    assert (total["late"], total["late_statutory"]) == (1, 1)
    (late,) = of(spring)["late"]
    assert late["due_at"] == iso(row.statutory_due_at) < late["decided_at"]


def test_what_was_stopped_twice_is_one_case(spring: Hall) -> None:
    case, case_id = spring.accepted()
    approver = spring.approver(case)
    spring.do(review.take_case, approver, case_id=case_id)
    for _ in range(2):
        spring.later(hours=1).do(special.suspend_case, approver, case_id=case_id, ground="testing", days=1)
        spring.later(hours=1).do(special.resume_case, approver, case_id=case_id)
    assert of(spring)["total"]["special"] == 1 and of(spring)["grounds"][0]["count"] == 2
    db.session.rollback()


def test_a_hall_that_closes_at_midnight_ends_its_limits_with_the_day(spring: Hall) -> None:
    spring.do(set_hours, "admin01", hours="08:30-24:00", from_on=date(2026, 3, 3))
    spring.at = datetime(2026, 3, 4, 10, 0, tzinfo=SHANGHAI)
    code = search_items("食品经营许可延续")["items"][0]["code"]
    change_guide(code, promised={"amount": 2, "unit": "WD"})
    spring.accepted(item=code)
    assert [row["day"] for row in watch.forecast("luolong", spring.at) if row["yellow"]] == ["2026-03-06"]
    db.session.rollback()


def test_what_was_withdrawn_today_was_not_decided(spring: Hall) -> None:
    _, case_id = spring.receive()
    midnight = spring.at
    spring.later(minutes=5).do(intake.withdraw_case, "clerk01", case_id=case_id)
    assert decided_since("luolong", midnight) == {"received": 1, "decided": 0, "delivered": 0}
    db.session.rollback()


def test_what_should_never_have_been_entered_was_not_received(spring: Hall) -> None:
    midnight, (_, case_id) = spring.at, spring.receive()
    spring.later(minutes=5).do(void_case, "supervisor01", case_id=case_id, reason="重复录入")
    assert decided_since("luolong", midnight)["received"] == 0 == of(spring)["total"]["received"]
    assert not any(row["received"] for row in of(spring)["days"])


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
