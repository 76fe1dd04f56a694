"""The deadline preview: the worked examples through HTTP, and every way of asking it wrongly."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from tests.api.asking import Asking

ROWS = list(csv.DictReader((Path(__file__).parents[1] / "data" / "calendar-scenarios.csv").open(encoding="utf-8")))
PATH = "/deadlines/preview"
BASE = {"start": "2026-03-11T11:15", "limit": 2, "unit": "WH"}


def due(ask: Asking, **asked: Any) -> str | None:
    return ask.post(PATH, {**BASE, **asked})["due_at"]


def test_the_worked_examples(ask: Asking) -> None:
    for row in ROWS:
        pauses = [dict(zip(("from", "to"), text.split("/"), strict=True)) for text in row["pauses"].split()]
        asked = {"start": row["start"], "limit": int(row["limit"]), "unit": row["unit"], "pauses": pauses}
        for hours in ([part.split("-") for part in row["hours"].split()], row["hours"]):
            assert due(ask, **asked, hours=hours) == f"{row['expected_due']}:00.000+08:00", row["id"]


def test_the_hall_is_the_main_one_unless_another_is_named(ask: Asking) -> None:
    answer = ask.post(PATH, BASE)
    assert (answer["hall"], answer["due_at"]) == ("luolong", "2026-03-11T14:45:00.000+08:00")
    assert (answer["remaining"], answer["remaining_unit"], answer["used"]) == (120, "minute", 0)
    assert ask.post(PATH, {**BASE, "hall": "lilou"})["due_at"] == "2026-03-11T14:15:00.000+08:00"
    hours = ask.post(PATH, {**BASE, "hours": [["09:00", "17:00"]]})
    assert (hours["hall"], hours["due_at"]) == (None, "2026-03-11T13:15:00.000+08:00")


def test_instants_with_an_offset_and_without(ask: Asking) -> None:
    assert due(ask, start="2026-03-11T03:15:00Z") == due(ask)
    assert due(ask, start="2026-03-11T12:15:00+09:00") == due(ask)
    assert due(ask, start="2026-03-11", limit=1, unit="WD") == "2026-03-12T18:00:00.000+08:00"


def test_a_limit_may_bring_its_unit(ask: Asking) -> None:
    assert due(ask, limit={"amount": 1, "unit": "WD"}, unit=None) == "2026-03-12T18:00:00.000+08:00"


def test_the_ledger_says_why(ask: Asking) -> None:
    answer = ask.post(PATH, {"start": "2026-02-13T17:10", "limit": 3, "unit": "WD"})
    rows = {row["date"]: row for row in answer["ledger"]}
    assert rows["2026-02-13"]["start"] and rows["2026-02-13"]["counted"] == 0
    assert (rows["2026-02-14"]["why"], rows["2026-02-14"]["counted"]) == ("makeup", 1)
    assert (rows["2026-02-17"]["why"], rows["2026-02-17"]["why_name"]) == ("holiday", "春节")
    assert [day for day, row in rows.items() if row["due"]] == [answer["due_at"][:10]]
    assert sum(row["counted"] for row in answer["ledger"]) == 3


def test_closures_sessions_and_open_pauses(ask: Asking) -> None:
    closed = {"closed": [{"from": "2026-03-11T13:30", "to": "2026-03-11T15:30"}]}
    assert due(ask, **closed) == "2026-03-11T16:45:00.000+08:00"
    session = {
        "start": "2026-03-13T17:00",
        "sessions": [{"from": "2026-03-14T09:00", "to": "2026-03-14T11:00"}],
    }
    assert due(ask, **session) == "2026-03-14T10:00:00.000+08:00"
    stopped = ask.post(PATH, {**BASE, "pauses": [{"from": "2026-03-11T14:00"}]})
    assert (stopped["stopped"], stopped["due_at"], stopped["remaining"]) == (True, None, 45)
    same_day = [{"from": "2026-03-11T13:40", "to": "2026-03-11T13:50"}]
    assert due(ask, pauses=same_day) == "2026-03-11T14:55:00.000+08:00"


def test_a_year_without_a_calendar_gives_no_date(ask: Asking) -> None:
    answer = ask.post(PATH, {"start": "2026-12-30T10:00", "limit": 5, "unit": "WD"})
    assert (answer["provisional"], answer["due_at"]) == (True, None)
    assert answer["ledger"][-1]["why"] == "unknown"
    assert ask.post(PATH, {"start": "1995-05-05T10:00", "limit": 1, "unit": "WH"})["provisional"] is True
    assert ask.post(PATH, {"start": "2100-12-31T23:59", "limit": 1, "unit": "NH"})["due_at"].startswith("2101-01-01")


def test_what_cannot_be_computed_is_refused(ask: Asking) -> None:
    span = {"from": "2026-03-12T10:00", "to": "2026-03-12T09:00"}
    wrong: list[dict[str, Any]] = [
        *(
            {"start": start}
            for start in ("", "soon", "2026-02-30T10:00", "1989-12-31T23:00", "2101-01-01", 7, None, [], {})
        ),
        {"start": "0001-01-01T00:00+14:00"},
        {"start": "9999-12-31T23:59-12:00"},
        *(
            {"limit": limit}
            for limit in (0, -1, 1.5, "2", True, None, 10**9, 10**30, [], {}, {"amount": 1, "unit": ["WD"]})
        ),
        *({"unit": unit} for unit in ("", "XD", None, 5, ["WD"], {"WD": 1})),
        {"limit": 5000, "unit": "WD"},
        *({"hours": hours} for hours in ([], "", "x", [[]], [["08:30"]], [["12:00", "08:30"]], [["08:30", 12]], {}, 5)),
        {"hours": [["08:00", "10:00"], ["09:00", "11:00"]]},
        {"hours": [["00:00", "00:01"]] * 500},
        {"hours": "08:30-12:00 " * 10_000},
        {"pauses": [span]},
        {"closed": [span]},
        {"sessions": [span]},
        {"pauses": [{"from": "x"}]},
        {"pauses": [{"to": "2026-03-12"}]},
        {"pauses": [{}]},
        {"pauses": {}},
        {"pauses": [5]},
        {"pauses": [{"from": "2026-03-12", "to": "2026-03-12"}] * 101},
        {"receipt_next_day": "perhaps"},
        {"at": "later"},
    ]
    for change in wrong:
        answer = ask("POST", PATH, {**BASE, **change})
        assert answer.status_code == 422, (change, answer.text)
        assert answer.json["code"] in ("deadline.invalid", "request.invalid"), change
    ask.refused("hall.unknown", "POST", PATH, {**BASE, "hall": "nowhere"})
    ask.refused("request.invalid", "POST", PATH, {})


def longest() -> dict[str, Any]:
    days = [f"2025-{month:02}-{day:02}" for month in range(1, 11) for day in range(1, 11)]
    spans = [{"from": f"{day}T10:00", "to": f"{day}T10:30"} for day in days]
    times = {"start": "2025-01-01T00:00", "limit": 8000, "unit": "NH", "at": "2100-01-01"}
    return {**times, "pauses": spans, "closed": spans, "sessions": spans}


def test_the_longest_question_is_answered(ask: Asking) -> None:
    assert ask.post(PATH, longest())["due_at"]


def test_only_dear_questions_are_slowed_down(ask: Asking) -> None:
    for _ in range(20):
        ask("POST", PATH, {**longest(), "limit": 0})
    ask.refused("request.too_many", "POST", PATH, longest())
    assert ask("POST", PATH, longest(), who="clerk01").status_code == 200
    assert ask("POST", PATH, BASE).status_code == 200


def test_a_supplement_may_start_the_whole_limit_anew(ask: Asking) -> None:
    asked = {"start": "2026-03-09T10:00", "limit": 5, "unit": "WD", "restarted_at": "2026-03-11T10:00"}
    answer = ask.post(PATH, asked)
    assert answer["due_at"] == "2026-03-18T18:00:00.000+08:00"
    assert answer["ledger"][0] | {"start": True} == answer["ledger"][0]
    assert answer["ledger"][0]["date"] == "2026-03-11"
    assert ask.post(PATH, {**asked, "restarted_at": None})["due_at"] == "2026-03-16T18:00:00.000+08:00"
    ask.refused("deadline.invalid", "POST", PATH, {**asked, "restarted_at": "2026-03-08T10:00"})


def test_the_ledger_speaks_both_languages(ask: Asking) -> None:
    rows = ask.post(PATH, {"start": "2026-02-13T17:10", "limit": 3, "unit": "WD"})["ledger"]
    assert rows[1]["why_name_en"] == "make-up day (Spring Festival)"
    assert rows[4]["why_name_en"] == "Spring Festival"
