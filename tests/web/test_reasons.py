"""Why a number was called, in words: each rule, for citizen and staff, in both languages, and calls of older records."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from app.now import iso
from app.queueing.rules.order import LaneHead, Tally, choose_next
from app.queueing.rules.policy import Condition, Policy
from app.queueing.rules.states import Lane
from app.web import reasons

NOON = datetime(2026, 3, 11, 4, 0, tzinfo=UTC)
N, P, A, R = Lane.NORMAL, Lane.PRIORITY, Lane.APPOINTMENT, Lane.RETURNING


def head(ticket: int, minutes_ago: float, lane: Lane = N, queue: str = "A", direct: bool = False) -> LaneHead:
    return LaneHead(ticket, f"{queue}{ticket:03d}", queue, lane, NOON - timedelta(minutes=minutes_ago), direct)


def call(heads: list[LaneHead], policy: Policy = Policy(), tally: Tally = Tally(), **more: Any) -> dict[str, Any]:
    """A stored call, as queries.why_called gives it."""
    made = choose_next(heads, policy, NOON, "W01", tally)
    assert made is not None
    return {"at": iso(NOON), "window": "W01", "mode": "rule", "why": made[1], **more}


def told(app: Flask, row: dict[str, Any], lang: str = "zh", citizen: bool = False) -> str:
    with app.test_request_context(f"/?lang={lang}"):
        return reasons.sentence(row, citizen)


WEIGHTED = Policy(weight_min={"B": 5}, conditions=(Condition(minutes=10, queue="B"),))
CASES = [
    (call([head(1, 9)]), "只有它在等候。已等候 9 分钟"),
    (call([head(1, 9), head(2, 3, N, "B")]), "排在最前的 2 个号里，它等候最久：9 分钟"),
    (call([head(1, 14), head(2, 3, P)]), "等候 3 分钟，加优先 15 分钟，合计 18 分钟"),
    (
        call([head(1, 9), head(2, 3, P, "B")], WEIGHTED),
        "加优先 15 分钟、窗口专长 5 分钟、附加条件 10 分钟，合计 33 分钟",
    ),
    (call([head(1, 99), head(2, 3, direct=True)]), "转到本窗口的，直接排到最前；已等候 3 分钟"),
    (call([head(1, 99), head(2, 3, R)]), "补正后返回，直接排到最前；已等候 3 分钟"),
    (call([head(1, 1), head(2, 10, A)]), "轮到这个预约号。按预约时间 11:50 排队"),
    (call([head(2, -10, A)]), "只有它在等候。按预约时间 12:10 排队"),
    (call([head(1, 61), head(2, 0, R)], Policy(call_by_min=60)), "已等候 1 小时 1 分钟，达到最长等候 1 小时"),
    (
        call([head(1, 5), head(2, 5, P)], Policy(ratio=(2, 1)), Tally(1, 1)),
        "按 2∶1 的比例轮到普通；连同这一次，本窗口这一轮叫了普通 2 个、优先 1 个",
    ),
    (call([head(1, 9)], mode="dispatch"), "自动派给空闲最久的窗口。当时"),
    ({"at": iso(NOON), "mode": "unpark", "why": {"rule": "unpark", "chosen": "A001", "candidates": []}}, "不重新排队"),
]


def test_who_came_back_is_told_the_wait_since_then_and_the_place(app: Flask) -> None:
    """Put behind others, whatever the lane: its head start and the place are told as one, and nobody waits less than nothing."""
    returned = replace(head(2, -24 * 60 + 6, R), since=NOON - timedelta(minutes=4))  # a place at six minutes ago
    row = call([head(1, 3), returned])
    assert "等候 4 分钟，加归队位次 2 分钟，合计 6 分钟" in told(app, row) and "直接" not in told(app, row)
    later = replace(head(2, -13, P), since=NOON - timedelta(minutes=4))
    with app.test_request_context("/"):
        rows = reasons.rows(call([head(1, 3), later]))
    assert [row["waited"] for row in rows] == ["3 分钟", "4 分钟"]
    assert [row["extra"] for row in rows] == ["—", "归队位次 −2 分钟"]
    booked = replace(head(2, -10, A), since=NOON - timedelta(minutes=4))
    assert "按预约时间 12:10 排队" in told(app, call([booked]))


def test_who_was_passed_on_to_the_front_is_told_the_wait_and_the_place(app: Flask) -> None:
    """A place before everybody is one, and no wait; only who stands there is said to."""
    borrowed = replace(head(2, 24 * 60 + 4), since=NOON - timedelta(minutes=6))
    row = call([head(1, 3), head(3, 3, R), borrowed])
    assert "转来时排到了最前；已等候 6 分钟" in told(app, row, citizen=True)
    with app.test_request_context("/"):
        rows = reasons.rows(row)
    assert [(row["waited"], row["extra"], row["standing"]) for row in rows] == [
        ("6 分钟", "直接到最前", "最前"),
        ("3 分钟", "直接到最前", "最前"),
        ("3 分钟", "—", "3 分钟"),
    ]
    before = replace(head(2, 9, P), since=NOON - timedelta(minutes=6))
    assert "等候 6 分钟，加优先 15 分钟、转来时提前 3 分钟，合计 24 分钟" in told(app, call([head(1, 3), before]))
    booked = replace(head(2, 9, A), since=NOON - timedelta(minutes=6))
    assert "已等候 6 分钟" in told(app, call([booked])) and "预约时间" not in told(app, call([booked]))
    sent = call([head(1, 3), head(2, -10, A, direct=True)])  # an appointment that came early, sent here
    with app.test_request_context("/"):
        assert reasons.rows(sent)[0]["standing"] == "最前"


@pytest.mark.parametrize(("row", "words"), CASES, ids=range(len(CASES)))
def test_each_rule_has_its_sentence(app: Flask, row: dict[str, Any], words: str) -> None:
    chinese, english = told(app, row), told(app, row, "en")
    assert words in chinese
    assert told(app, row, citizen=True) == chinese
    assert "%(" not in chinese + english


def chosen(by_rule: str | None) -> dict[str, Any]:
    shown = call([head(1, 9), head(2, 3, P)])["why"]["candidates"]
    why = {"rule": "chosen", "chosen": "A001", "reason": "illness", "by_rule": by_rule, "ahead": 1, "candidates": shown}
    return {"at": iso(NOON), "window": "W01", "mode": "chosen", "why": why}


def test_who_was_chosen_learns_that_and_staff_learn_why_and_who_was_passed_over(app: Flask) -> None:
    assert "按规则应叫 A002" in told(app, chosen("A002"))
    assert "按规则本来也轮到它" in told(app, chosen("A001"))
    assert "按规则" not in told(app, chosen(None))
    citizen = told(app, chosen("A002"), citizen=True)
    assert "工作人员先叫了这个号" in citizen and "A002" not in citizen


def test_older_records_that_know_only_the_sum_still_read(app: Flask) -> None:
    row = call([head(1, 14), head(2, 3, P), head(3, 1, N, "C", direct=True)])
    for candidate in row["why"]["candidates"]:
        del candidate["minutes"]
    assert "直接排到最前" in told(app, row)
    row["why"]["candidates"], row["why"]["chosen"] = row["why"]["candidates"][1:], "A002"
    assert "等候 3 分钟，加提前量 15 分钟，合计 18 分钟" in told(app, row)
    with app.test_request_context("/"):
        assert [each["extra"] for each in reasons.rows(row)] == ["提前量 15 分钟", "—"]
    bare = {"at": iso(NOON), "why": {"rule": "rank", "chosen": "A009", "candidates": []}}
    assert "轮到这个号" in told(app, bare)


def test_the_candidates_are_shown_in_the_order_of_the_rule(app: Flask) -> None:
    heads = [head(1, 14), head(2, 3, P), head(3, 1, R), head(4, -12, A, "B"), head(5, 2, direct=True)]
    with app.test_request_context("/"):
        rows = reasons.rows(call(heads))
    assert [row["number"] for row in rows] == ["A005", "A003", "A002", "A001", "B004"]
    assert [row["extra"] for row in rows] == ["直接到最前", "直接到最前", "优先 15 分钟", "—", "—"]
    assert [row["waited"] for row in rows] == ["2 分钟", "1 分钟", "3 分钟", "14 分钟", "预约 12:12"]
    assert [row["standing"] for row in rows] == ["最前", "最前", "18 分钟", "14 分钟", "−12 分钟"]
    assert [row["chosen"] for row in rows] == [True, False, False, False, False]
    assert [row["direct"] for row in rows] == [True, False, False, False, False]
