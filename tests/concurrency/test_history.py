"""The history checker finds what it is for, each fault planted in a sound history: in answers, in the record, in numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from app import events as e
from app.events import Event, Recorded
from benchmarks.findings import Findings
from benchmarks.history import Op, check, summary
from tests.concurrency.story import AT, DAY, KIOSK, SYSTEM, Story, asked, exactly, faults, moment, sound


def test_a_sound_history_has_no_fault() -> None:
    rows = sound().rows
    found, lives = check(asked(rows), rows)
    assert found.all() == [] and found.acked == 7
    assert {life.number: life.state for life in lives.tickets.values()} == {"A001": "finished", "A002": "called"}
    line = summary(asked(rows), found)
    assert "lost 0 · duplicates 0 · double calls 0 · order violations 0 · illegal steps 0 · wrong reasons 0" in line
    assert "record verifies" in line


def test_findings_tell_the_worst_first() -> None:
    found = Findings(lost=["a"], answers=["z"], why=["m"])
    assert found.all() == ["a", "m", "z"]


# ── what clients were told ─────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unanswered_request_may_have_happened_or_not() -> None:
    rows = sound().rows
    ops = asked(rows)
    lost = Op("issue", "x", 0, 1, "lost")
    assert faults(rows, [op for op in ops if (op.what, op.number) != ("issue", "A001")] + [lost]) == {}
    assert faults(rows, [*ops, lost]) == {}


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("lost", lambda ops: [*ops, Op("call", "x", 90, 91, "ok", "A003")]),  # acknowledged and never recorded
        ("duplicates", lambda ops: [*ops, Op("issue", "x", 90, 91, "ok", "A001")]),  # one number for two people
        ("duplicates", lambda ops: ops[2:]),  # a ticket that nobody asked for
        ("duplicates", lambda ops: [replace(ops[0], differs="200 …"), *ops[1:]]),  # a repetition told something else
        ("order", lambda ops: [replace(ops[1], began=95, ended=96), *[op for op in ops if op is not ops[1]]]),
        ("answers", lambda ops: [*ops, Op("issue", "x", 90, 91, "failed", detail="500")]),
        ("answers", lambda ops: [*ops, Op("call", "x", 90, 91, "refused", detail="409")]),
    ],
)
def test_every_fault_in_an_answer_is_found(where: str, change: Callable[[list[Op]], list[Op]]) -> None:
    rows = sound().rows
    assert faults(rows, change(asked(rows))).keys() == {where}


def test_what_a_client_was_ready_for_is_no_fault_and_what_the_system_does_nobody_asked_for() -> None:
    story = sound()
    story.tell(e.TicketExpired(**story.said(2) | {"ticket": 2}, reason="rollover"), SYSTEM)
    declined = Op("call", "x", 90, 91, "declined", detail="409 window.occupied")
    found, _ = check([*asked(story.rows), declined], story.rows)
    assert found.answers == [] and found.duplicates == []


def test_a_broken_chain_a_gap_and_falling_times_are_found() -> None:
    rows = sound().rows
    assert check(asked(rows), rows, broken_at=3)[0].record
    assert "record" in faults([*rows[:4], *rows[5:]], [])
    late = [*rows[:-1], replace(rows[-1], at=AT)]
    assert "the record's times fall" in faults(late)["record"]


# ── numbers ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_numbers_are_given_once_and_without_gaps() -> None:
    assert "order" in faults(Story().opened().issued(1, 3).rows)
    twice = Story().opened().issued(1)
    twice.tell(e.TicketIssued(**twice.said(1) | {"ticket": 2}, lane="normal", channel="kiosk"))
    assert "duplicates" in faults(twice.rows)
    tomorrow = Story().opened().issued(1)
    day = {"ticket": 2, "day": "2026-11-24"}
    tomorrow.tell(
        e.TicketIssued(**tomorrow.said(1) | day, lane="normal", channel="kiosk"), KIOSK, AT + timedelta(days=1)
    )
    assert faults(tomorrow.rows) == {}
    assert "steps" in faults([*tomorrow.rows[:-1], replace(tomorrow.rows[-1], at=moment(9))])  # a day too early


def test_cases_are_numbered_without_gaps() -> None:
    def cases(*serials: int) -> list[Recorded]:
        story = Story()
        for n in serials:
            story.tell(e.CaseReceived(case=n, number=f"LL20261123{n:04d}", item="x"))
        return story.rows

    assert faults(cases(1, 2)) == {}
    assert "duplicates" in faults(cases(1, 1))
    assert "order" in faults(cases(1, 3))


def block(first: int = 9001, last: int = 9003, n: int = 50) -> Event:
    return e.BlockLeased(block=n, device=KIOSK, queue="A", day=DAY, first=f"A{first}", last=f"A{last}")


def printed(serial: int, ticket: int) -> Event:
    said = {"ticket": ticket, "number": f"A{serial}", "queue": "A", "day": DAY, "lane": "normal", "channel": "kiosk"}
    return e.TicketIssued(**said, queued_at=exactly(moment(0)), arrived_at=exactly(moment(0)))


def given_back(used: int, *void: str, n: int = 50) -> Event:
    return e.BlockClosed(block=n, queue="A", day=DAY, used=used, void=void)


def blocks(*events: Event, actor: str = KIOSK) -> dict[str, list[str]]:
    story = Story()
    for event in events:
        story.tell(event, actor)
    return faults(story.rows)


def test_of_a_block_each_number_is_used_or_void() -> None:
    assert blocks(block(), printed(9001, 1), printed(9003, 2), given_back(2, "A9002"), block(9004, 9005, n=51)) == {}
    assert blocks(block()) == {}  # still out
    assert "lost" in blocks(block(), printed(9001, 1), given_back(1, "A9002"))  # one forgotten
    assert "lost" in blocks(block(), printed(9001, 1), given_back(1, "A9001", "A9002", "A9003"))  # used and void
    assert "duplicates" in blocks(block(), printed(9001, 1), printed(9001, 2))
    assert "duplicates" in blocks(block(), block(9003, 9005, n=51))  # lent to two kiosks
    assert "duplicates" in blocks(block(), printed(9004, 1))  # never lent
    assert "duplicates" in blocks(block(), given_back(0, "A9001", "A9002", "A9003"), printed(9001, 1))  # void before
    assert "duplicates" in blocks(block(), printed(9001, 1), actor="staff:clerk01")  # by no kiosk
    assert "duplicates" in blocks(block(1, 3))  # of the main run
    assert "order" in blocks(block(), block(9005, 9006, n=51))
    assert "steps" in blocks(given_back(0))
