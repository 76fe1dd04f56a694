"""Every figure of a winter's reports is counted again by hand, in all and by side, and leads to as many cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from app.casework import reports
from app.casework.models import Case, CaseReview, CaseStop, KeptGuide
from app.casework.rules.tally import Period, Span
from app.db import db
from app.now import SHANGHAI
from app.people.models import Staff
from tests.actions.conftest import Hall
from tests.actions.winter import Winter

DECEMBER = Span.holding(Period.MONTH, date(2025, 12, 1))
JANUARY = DECEMBER.after()
MONTHS = (DECEMBER, JANUARY, JANUARY.after())
SPANS = (*MONTHS, Span.holding(Period.DAY, date(2026, 1, 30)), Span.holding(Period.WEEK, date(2026, 1, 1)))
FIGURES = (*reports.FIGURES, *reports.STOPS)


# ── the second count: rows of the tables, one after the other ───────────────────────────────────────────────────


class Counted:
    """One case with its parts and stops, as the tables hold them."""

    def __init__(self, case: Case) -> None:
        key = {"hall": case.hall, "case_id": case.id}
        self.case, self.guide = case, db.session.get_one(KeptGuide, case.guide_digest).guide
        self.parts = {row.department: row for row in db.session.query(CaseReview).filter_by(**key)}
        self.stops = db.session.query(CaseStop).filter_by(**key).all()
        self.clerk = db.session.get_one(Staff, case.received_by).username

    def keys(self, side: str) -> list[str]:
        one = {"hall": self.case.hall, "clerk": self.clerk, "item": self.case.item, "regime": self.guide["regime"]}
        return [one[side]] if side in one else list(self.guide["departments"]) if side == "department" else [""]

    def figures(self, span: Span, department: str | None) -> Iterator[str]:
        """The names of the figures in which the case counts; for a department by what itself did."""
        case, part = self.case, self.parts.get(department or "")
        if holds(span, case.received_at) and (case.state != "void" or case.outcome):
            yield from self.received(department)
        own = part is None or part.decided_at is not None or self.guide["routing"] == "parallel"
        if case.outcome and holds(span, case.decided_at) and own:
            yield from self.decided(part)
        for name, clocks in reports.STOPS.items():
            mine = [stop for stop in self.stops if department in (None, stop.department)]
            if any(stop.clocks == clocks and holds(span, stop.from_at) for stop in mine):
                yield name

    def received(self, department: str | None) -> Iterator[str]:
        case = self.case
        asked = Counter(stop.department for stop in self.stops if stop.ground == "supplement")
        again = max(asked.values(), default=0) if department is None else asked[department]
        said = {
            "received": True,
            "not_accepted": case.state == "not_accepted",
            "withdrawn": case.state == "withdrawn",
            "deemed": case.deemed_accepted,
            "second_notice": again > 1,
            "instant": self.guide["time_class"] in ("instant", "half_day"),
            "converted": case.converted is not None,
        }
        yield from (name for name, holds_ in said.items() if holds_)

    def decided(self, part: CaseReview | None) -> Iterator[str]:
        case = self.case
        yield "decided"
        outcome = part.state if part and part.state != "waiting" else case.outcome
        yield str(outcome)
        card = self.card(part)
        if card == "red":
            yield "late_statutory"
        yield "late" if card else "in_time"
        told_at = case.overdue_told_at
        if card and (told_at is None or (card == "red" and told_at < case.statutory_due_at)):
            yield "late_unexplained"
        if case.extended:
            yield "extended"

    def card(self, part: CaseReview | None) -> str | None:
        """The card shown when it was decided."""
        case, at = self.case, part.decided_at if part else None
        if at is None or at == case.decided_at:
            return case.light if case.light in ("yellow", "red") else None
        return "red" if at > case.statutory_due_at else "yellow" if at > case.promised_due_at else None


def holds(span: Span, at: datetime | None) -> bool:
    return at is not None and span.first <= at.astimezone(SHANGHAI).date() <= span.last


Found = dict[str, dict[str, list[str]]]  # key → figure → numbers of cases


def counted_again(cases: list[Counted], span: Span, side: str) -> Found:
    found: Found = {}
    for one in cases:
        for key in one.keys(side):
            for figure in one.figures(span, key if side == "department" else None):
                found.setdefault(key, {}).setdefault(figure, []).append(one.case.number)
    return found


def numbers_of(row: dict[str, Any]) -> dict[str, int]:
    return {name: row[name] for name in FIGURES if row[name]}


def test_every_figure_of_a_winter_is_that_of_its_cases(hall: Hall) -> None:
    winter = Winter(hall)
    winter.run()
    cases = [Counted(case) for case in db.session.query(Case)]
    for span in SPANS:
        (whole,) = counted_again(cases, span, "").values()
        total = reports.totals(None, span)
        assert numbers_of(total) == {name: len(numbers) for name, numbers in whole.items()}, span
        for side in (*reports.SIDES, "regime"):
            expected = counted_again(cases, span, side)
            if side != "department":  # each case is in one hall, of one item, of one regime
                for name in FIGURES:
                    assert sum(len(by.get(name, ())) for by in expected.values()) == total[name], (span, side, name)
            if side != "regime":
                rows = row_by_key(winter, span, side)
                assert rows.keys() == expected.keys(), (span, side)
                for key, by in expected.items():
                    assert numbers_of(rows[key]) == {name: len(numbers) for name, numbers in by.items()}, (span, key)
        elsewhere = reports.totals("lilou", span)
        assert numbers_of(elsewhere) == numbers_of(row_by_key(winter, span, "hall").get("lilou", elsewhere))
    each_leads_to_its_cases(winter, cases)
    departments_answer_for_themselves(winter)


def row_by_key(winter: Winter, span: Span, side: str, hall: str | None = None) -> dict[str, Any]:
    made = reports.report(hall=hall, span=span, side=side, at=winter.hall.at)
    db.session.rollback()
    return {row["key"]: row for row in made["rows"]}


def pace_of(winter: Winter, department: str, span: Span) -> dict[str, Any]:
    return next(pace for pace in row_by_key(winter, span, "department")[department]["pace"] if pace["unit"] == "WD")


def each_leads_to_its_cases(winter: Winter, cases: list[Counted]) -> None:
    """Behind each figure stand just the cases that it counts, those of all keys together where none is asked for."""
    for span in MONTHS:
        for side in reports.SIDES if span == JANUARY else ("department",):
            for key, figures in counted_again(cases, span, side).items():
                for figure in figures if side != "hall" else FIGURES:
                    asked = {"figure": figure, "hall": None, "span": span, "side": side, "key": key}
                    found = reports.cases_behind(**asked, at=winter.hall.at)
                    assert found["total"] == len(figures.get(figure, ())), asked
                    assert sorted(row["number"] for row in found["items"]) == sorted(figures.get(figure, ())), asked
        for figure, numbers in counted_again(cases, span, "")[""].items():
            found = reports.cases_behind(figure=figure, hall=None, span=span, side="department", at=winter.hall.at)
            assert found["total"] == len(numbers), (span, figure)
    db.session.rollback()


def departments_answer_for_themselves(winter: Winter) -> None:
    """What the definition comes to, by name."""
    names = {case.view["number"]: name for name, case in winter.cases.items()}

    def behind(figure: str, department: str, span: Span = JANUARY) -> set[str]:
        asked = {"figure": figure, "side": "department", "key": department, "span": span, "hall": None}
        found = reports.cases_behind(**asked, at=winter.hall.at)["items"]
        return {names[row["number"]] for row in found if row["number"] in names}

    permits, police, transport = "区行政审批局", "区公安分局", "区交通运输局"
    assert behind("late", police) == {"explained", "silent", "refused late"}
    assert behind("late", permits) == {"silent", "refused late", "deemed", "sent up"}
    assert "explained" in behind("in_time", permits)
    assert (behind("late", transport), behind("in_time", transport)) == ({"explained"}, {"silent"})
    assert (behind("late_statutory", transport), behind("late_statutory", police)) == ({"explained"}, set())
    assert "refused late" in behind("late_unexplained", police) and "explained" not in behind(
        "late_unexplained", police
    )
    assert "one yes, one no" in behind("granted", permits, DECEMBER) - behind("refused", permits, DECEMBER)
    assert behind("refused", police, DECEMBER) == {"one yes, one no"}
    assert behind("decided", "区市监局", JANUARY) == {"never its turn"} and "never its turn" not in behind(
        "decided", permits
    )
    assert {"withdrawn in review", "not accepted"} <= behind("received", police, DECEMBER)
    assert "void" not in behind("received", permits, DECEMBER) | behind("received", police, DECEMBER)
    assert "explained" in behind("late_unexplained", transport)  # what was said of the promise says nothing of the law
    assert (behind("second_notice", permits), behind("second_notice", police)) == ({"asked twice"}, set())
    assert (behind("special", police), behind("special", permits)) == ({"stopped"}, set())
    assert behind("promised_stops", permits, JANUARY.after()) == {"stopped"}
    assert "instant of two" in behind("late", "区医疗保障局", DECEMBER) & behind("in_time", "区民政局", DECEMBER)

    january, february = (pace_of(winter, police, span) for span in (JANUARY, JANUARY.after()))
    assert (january["count"], january["average"], january["p90"]) == (4, (9 + 10 + 9 + 1) / 4, 10)
    assert (february["promised"], february["statutory"]) == ((17 + 7) / 2, (30 + 20) / 2)  # one was extended by ten

    made = reports.report(hall=None, span=JANUARY, side="department", at=winter.hall.at)
    late = {names.get(row["number"]): row["department"] for row in made["late"]}
    assert late["explained"] == f"{police}、{transport}" and late["refused late"] == f"{permits}、{police}"
    assert made["open_total"]["total"] == 1 and sum(row["total"] for row in made["open"]) == 2
    db.session.rollback()
