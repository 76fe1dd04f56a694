"""The history checker finds what it is for: each fault, planted in a sound history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from app.events import CaseReceived, Event, Recorded, TicketCalled, TicketFinished, TicketIssued, TicketStarted
from benchmarks.history import Op, check, summary

AT = datetime(2026, 11, 23, 1, tzinfo=UTC)
DAY = "2026-11-23"


def said(ticket: int, **more: Any) -> dict[str, Any]:
    return {"ticket": ticket, "number": f"A{ticket:03d}", "queue": "A", "day": DAY, **more}


def issued(ticket: int, **more: Any) -> Event:
    return TicketIssued(**said(ticket, lane="normal", channel="kiosk") | more)


def called(ticket: int, window: str = "W01") -> Event:
    return TicketCalled(**said(ticket), lane="normal", window=window, waited_s=0, why={})


def finished(ticket: int) -> Event:
    return TicketFinished(**said(ticket), window="W01", served_s=1)


def started(ticket: int) -> Event:
    return TicketStarted(**said(ticket), window="W01")


def recorded(*events: Event) -> list[Recorded]:
    return [Recorded("luolong", seq, event, "staff:clerk01", AT) for seq, event in enumerate(events, start=1)]


def op(what: str, number: str, began: float = 0, ended: float = 1, key: str = "", **more: Any) -> Op:
    return Op(what, key or f"{what}-{number}-{began}", began, ended, more.pop("outcome", "ok"), number, "A", **more)


SOUND = [issued(1), issued(2), called(1), started(1), finished(1), called(2)]
TOLD = [
    op("issue", "A001", 0, 1),
    op("issue", "A002", 2, 3),
    *(op(what, "A001") for what in ("call", "start", "finish")),
]
TOLD += [op("call", "A002")]


def test_a_sound_history_has_no_fault() -> None:
    found = check(TOLD, recorded(*SOUND))
    assert found.all() == [] and found.acked == 6
    assert "lost 0 · duplicates 0 · double calls 0 · order violations 0 · record verifies" in summary(TOLD, found)


def test_an_unanswered_request_may_have_happened_or_not() -> None:
    lost = [*TOLD[1:], op("issue", "", 0, 1, outcome="lost")]
    assert check(lost, recorded(*SOUND)).all() == []
    assert check([*TOLD, op("issue", "", outcome="lost")], recorded(*SOUND)).all() == []


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("lost", lambda told, rows: (told, rows[:-1])),  # an acknowledged call that never was
        ("duplicates", lambda told, rows: ([*told, op("issue", "A001", 9, 9)], rows)),  # one number for two people
        ("duplicates", lambda told, rows: (told, [*rows, issued(2)])),  # a number twice
        ("duplicates", lambda told, rows: (told[1:], rows)),  # a ticket that nobody asked for
        ("double_calls", lambda told, rows: (told, [*rows, called(2, "W02")])),
        ("double_calls", lambda told, rows: (told, [issued(1), issued(2), called(1), called(2)])),  # two at one window
        ("order", lambda told, rows: (told, [issued(1), issued(2), called(2), started(2), finished(2), called(1)])),
        ("order", lambda told, rows: (told, [issued(1), issued(3), *rows[2:]])),  # a missing number
        ("order", lambda told, rows: ([op("issue", "A002", 0, 1), op("issue", "A001", 2, 3), *told[2:]], rows)),
        ("record", lambda told, rows: (told, [*rows, finished(1)])),
        ("answers", lambda told, rows: ([*told, op("issue", "", outcome="failed", detail="500")], rows)),
        ("answers", lambda told, rows: ([*told, op("call", "", outcome="refused", detail="409")], rows)),
    ],
)
def test_every_fault_is_found(
    where: str, change: Callable[[list[Op], list[Event]], tuple[list[Op], list[Event]]]
) -> None:
    told, rows = change(TOLD, SOUND)
    assert getattr(check(told, recorded(*rows)), where)


def test_a_broken_chain_and_a_gap_in_the_record_are_found() -> None:
    assert check(TOLD, recorded(*SOUND), broken_at=3).record
    rows = recorded(*SOUND)
    assert check(TOLD, [rows[0], *rows[2:]]).record


def test_cases_are_numbered_without_gaps() -> None:
    def case(n: int) -> Event:
        return CaseReceived(case=n, number=f"LL20261123{n:04d}", item="x")

    told = [op("receive", f"LL20261123{n:04d}") for n in (1, 2)]
    assert check(told, recorded(case(1), case(2))).all() == []
    assert check(told, recorded(case(1), case(1))).duplicates
    assert check(told, recorded(case(1), case(3))).order
