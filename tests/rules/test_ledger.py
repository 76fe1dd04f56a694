"""A window's day as a fold over the record: every moment in one use, idle only while somebody waits, cut anywhere."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import events as e
from app.events import Recorded
from app.queueing.rules.entries import Entry, Kind, recall_patterns
from app.queueing.rules.ledger import DayLedger, Standing, fold
from app.queueing.rules.policy import Policy
from app.queueing.rules.stretches import Use, sums

NINE = datetime(2027, 1, 4, 1, 0, tzinfo=UTC)
SERVES = {"W1": frozenset("A"), "W2": frozenset("AB"), "W3": frozenset("B")}
STAFF = ("ann", "bea", "cai", "dan")
WAITING, AT_WINDOW, ASIDE = "waiting", "at_window", "aside"


class Record:
    """A record that a test writes, with times in seconds after nine."""

    def __init__(self) -> None:
        self.rows: list[Recorded] = []
        self.at = NINE

    def add(self, event: e.Event, seconds: float | None = None) -> None:
        if seconds is not None:
            self.at = NINE + timedelta(seconds=seconds)
        self.rows.append(Recorded("luolong", len(self.rows) + 1, event, "staff:x", self.at))

    def ticket(self, kind: Callable[..., e.Event], number: int, seconds: float | None = None, **more: Any) -> None:
        facts = {"ticket": number, "number": f"N{number:03d}", "queue": "A", "day": "2027-01-04"}
        self.add(kind(**{**facts, **more}), seconds)

    def issue(self, number: int, seconds: float | None = None, **more: Any) -> None:
        self.ticket(e.TicketIssued, number, seconds, **{"lane": "normal", "channel": "kiosk", **more})

    def call(self, number: int, seconds: float | None = None, window: str = "W1", **more: Any) -> None:
        facts = {"lane": "normal", "waited_s": 0, "why": {}, "window": window}
        self.ticket(e.TicketCalled, number, seconds, **{**facts, **more})

    def ledger(self, until: float | None = None, **policy: Any) -> DayLedger:
        end = self.at if until is None else NINE + timedelta(seconds=until)
        return fold(self.rows, NINE, end, Standing(SERVES, policy=Policy(**policy)))


def test_who_takes_somebody_out_of_the_queue_uncalled_is_named_and_a_citizen_is_not() -> None:
    record = Record()
    record.add(e.WindowOpened(window="W2", staff="x"), 0)
    for number, actor in ((1, "staff:x"), (2, "citizen:citizen")):
        record.issue(number, number)
        record.ticket(e.TicketAbandoned, number, 9 + number, window=None, reason="gave-up")
        record.rows[-1] = replace(record.rows[-1], actor=actor)
    entries = record.ledger(60).entries
    assert [(each.kind, each.window, each.staff, each.number) for each in entries] == [
        (Kind.CLEARED, "W2", "x", "N001")
    ]
    assert entries[0].facts == {"reason": "gave-up", "queue": "A"}


@pytest.mark.parametrize("ending", ["parked", "restored", "transferred", "deferred"])
def test_whoever_was_called_before_was_not_taken_out_uncalled(ending: str) -> None:
    """Also when the call was folded in an earlier half of the day."""
    record = Record()
    record.add(e.WindowOpened(window="W1", staff="x"), 0)
    record.issue(1, 1)
    record.call(1, 2)
    if ending == "parked":
        record.ticket(e.TicketStarted, 1, 5, window="W1")
        record.ticket(e.TicketParked, 1, 30, window="W1", reason="copy", remind_at=None)
    elif ending == "transferred":
        record.ticket(e.TicketTransferred, 1, 30, queue="B", from_queue="A", window="W1", place="sorted")
    else:
        record.ticket(e.TicketMissed, 1, 30, window="W1")
        record.ticket(e.TicketRestored, 1, 40)
    if ending == "deferred":
        record.ticket(e.TicketDeferred, 1, 50)
    record.ticket(e.TicketAbandoned, 1, 90, window=None, reason="gave-up")
    assert record.ledger(100).entries == ()
    first = fold(record.rows[:-1], NINE, record.rows[-1].at, Standing(SERVES))
    assert fold(record.rows[-1:], record.rows[-1].at, record.at, first.standing).entries == ()


@pytest.mark.parametrize(("place", "kinds_seen"), [("first", [Kind.SENT_FIRST]), ("sorted", [])])
def test_sending_somebody_to_the_front_elsewhere_is_written_down(place: str, kinds_seen: list[Kind]) -> None:
    record = Record()
    record.add(e.WindowOpened(window="W1", staff="x"), 0)
    record.issue(1, 1)
    record.call(1, 2)
    record.ticket(e.TicketStarted, 1, 5, window="W1")
    record.ticket(e.TicketTransferred, 1, 90, queue="B", from_queue="A", window="W1", place=place)
    assert [each.kind for each in record.ledger(100).entries] == kinds_seen


def spans(ledger: DayLedger, window: str = "W1") -> list[tuple[str, float, float]]:
    own = [each for each in ledger.stretches if each.window == window]
    return [(each.use.value, (each.begin - NINE).total_seconds(), (each.end - NINE).total_seconds()) for each in own]


def kinds(ledger: DayLedger) -> list[tuple[Kind, str | None]]:
    return [(each.kind, each.number) for each in (*ledger.entries, *recall_patterns(ledger.misses))]


def test_a_window_is_free_idle_walking_serving_and_paused_in_turn() -> None:
    record = Record()
    record.add(e.WindowOpened(window="W1", staff="ann"), 0)
    record.issue(1, 60)
    record.issue(2, 70)
    record.call(1, 100)
    record.ticket(e.TicketStarted, 1, 130, window="W1")
    record.ticket(e.TicketFinished, 1, 400, window="W1", served_s=270)
    record.ticket(e.TicketCancelled, 2, 420)
    record.add(e.WindowPaused(window="W1", staff="ann"), 450)
    record.issue(3, 460)
    record.add(e.WindowClosed(window="W1", staff="ann"), 600)
    ledger = record.ledger(900)
    assert spans(ledger) == [
        *(("free", 0, 60), ("idle", 60, 100), ("walking", 100, 130), ("serving", 130, 400)),
        *(("idle", 400, 420), ("free", 420, 450), ("paused", 450, 600)),
    ]
    idle = ledger.stretches[1]
    assert (idle.from_seq, idle.to_seq, idle.number, idle.waiting) == (2, 4, "N001", 2)
    assert ledger.counts["W1", "ann"] == {"calls": 1, "started": 1, "finished": 1}


@pytest.mark.parametrize(
    ("sent", "idle"),
    [
        ({}, ["W1"]),
        ({"queue": "B"}, []),
        ({"queue": "B", "to_window": "W1"}, ["W1"]),
        ({"to_window": "W3"}, []),
        ({"to_staff": "ann"}, ["W1"]),
        ({"to_staff": "bea"}, []),
    ],
)
def test_idle_is_only_while_somebody_waits_whom_this_window_may_call(sent: dict[str, str], idle: list[str]) -> None:
    record = Record()
    record.issue(1, 0)
    record.add(e.WindowOpened(window="W3", staff="cai"), 0)
    record.call(1, 0, window="W3")
    record.add(e.WindowOpened(window="W1", staff="ann"), 10)
    facts = {"from_queue": "A", "window": "W3", **sent}
    record.ticket(e.TicketTransferred, 1, 20, **facts)
    ledger = record.ledger(50)
    assert [each.window for each in ledger.stretches if each.use == Use.IDLE and each.window == "W1"] == idle


def test_what_a_window_serves_may_change_during_the_day() -> None:
    record = Record()
    record.add(e.WindowOpened(window="W1", staff="ann"), 0)
    record.issue(1, 0, queue="B")
    names = {"name_zh": "1", "name_en": "1", "zone": "A", "window_kind": "comprehensive"}
    record.add(e.WindowDefined(window="W1", queues=("A", "B"), weights=(0, 0), **names), 30)
    assert spans(record.ledger(50)) == [("free", 0, 30), ("idle", 30, 50)]


def test_a_take_over_splits_the_time_and_is_written_down() -> None:
    record = Record()
    record.add(e.WindowOpened(window="W1", staff="ann"), 0)
    record.issue(1, 0)
    record.call(1, 0)
    record.ticket(e.TicketStarted, 1, 10, window="W1")
    record.add(e.WindowTakenOver(window="W1", staff="bea", from_staff="ann"), 60)
    record.ticket(e.TicketFinished, 1, 100, window="W1", served_s=90)
    ledger = record.ledger()
    assert [(each.staff, each.use) for each in ledger.stretches] == [
        *(("ann", Use.WALKING), ("ann", Use.SERVING), ("bea", Use.SERVING)),
    ]
    assert kinds(ledger) == [(Kind.TAKEN_OVER, "N001")]
    assert ledger.counts["W1", "bea"] == {"finished": 1} and "finished" not in ledger.counts["W1", "ann"]


@pytest.mark.parametrize(("seconds", "found"), [(19.9, True), (20, False)])
def test_a_call_that_ends_quickly_without_service(seconds: float, found: bool) -> None:
    record = Record()
    record.add(e.WindowOpened(window="W1", staff="ann"), 0)
    record.issue(1, 0)
    record.call(1, 0)
    record.ticket(e.TicketAbandoned, 1, seconds, window="W1", reason="gone")
    record.issue(2, 100)
    record.call(2, 100)
    record.ticket(e.TicketStarted, 2, 101, window="W1")
    record.ticket(e.TicketFinished, 2, 102, window="W1", served_s=1)  # served, however briefly
    ledger = record.ledger()
    assert kinds(ledger) == ([(Kind.QUICK, "N001")] if found else [])
    if found:
        assert ledger.entries[0].facts == {"how": "abandoned", "seconds": 19, "recalls": 0, "reason": "gone"}
        assert (ledger.entries[0].from_seq, ledger.entries[0].to_seq) == (3, 4)


def test_a_chosen_call_says_whom_it_passed_over_and_why() -> None:
    record = Record()
    record.add(e.WindowOpened(window="W1", staff="ann"), 0)
    record.issue(1, 0)
    why = {"rule": "chosen", "by_rule": "N000", "passed_over": ["N000"], "ahead": 1}
    record.call(1, 60, mode="chosen", reason="frail", waited_s=60, why=why)
    (entry,) = record.ledger().entries
    facts = {"reason": "frail", "by_rule": "N000", "passed_over": ["N000"], "ahead": 1, "waited_s": 60}
    assert (entry.kind, entry.staff, entry.number, entry.facts) == (Kind.CHOSEN, "ann", "N001", facts)


def missed(*recalls: list[float]) -> list[Entry]:
    """The patterns of no-shows that were recalled so many seconds after their calls."""
    record = Record()
    record.add(e.WindowOpened(window="W1", staff="ann"), 0)
    for number, own in enumerate(recalls, 1):
        record.issue(number, number * 1000)
        record.call(number, number * 1000)
        for nth, after in enumerate(own, 1):
            record.ticket(e.TicketRecalled, number, number * 1000 + after, window="W1", recall=nth)
        record.ticket(e.TicketMissed, number, number * 1000 + 300, window="W1")
    return recall_patterns(record.ledger().misses)


def test_recalls_are_held_against_the_halls_own_median_and_limits() -> None:
    slow = [30.0, 60.0]
    found = [(each.kind, each.number) for each in missed(slow, slow, [40.0], [10.0, 22.0], [30.0, 60.0, 90.0])]
    assert found == [
        *((Kind.FEW_RECALLS, "N003"), (Kind.FAST_RECALLS, "N004"), (Kind.ALL_RECALLS, "N005")),
    ]
    assert missed() == [] and missed([]) == []
    assert [each.kind for each in missed([10.0, 22.1], [10.0, 22.1])] == []  # a moment longer than it had to be
    assert missed(slow, slow, [40.0])[0].facts == {"recalls": 1, "usual": 2, "seconds": 300, "most": 3}


# ── properties ──────────────────────────────────────────────────────────────────────────────────────────────────


class Walk(Record):
    """Any legal day: people and clerks who do whatever may be done, at any times."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.lots = random.Random(seed)
        self.tickets: dict[int, dict[str, Any]] = {}
        self.seats: dict[str, dict[str, Any]] = {}
        for _ in range(self.lots.randrange(5, 90)):
            self.at += timedelta(microseconds=self.lots.choice([0, 1, 3_000_000, 40_000_000, 400_000_001]))
            self.step()

    def step(self) -> None:
        window = self.lots.choice(sorted(SERVES))
        seat = self.seats.get(window)
        if self.lots.random() < 0.35:
            return self.come()
        if self.tickets and self.lots.random() < 0.2:
            return self.citizen(self.lots.choice(sorted(self.tickets)))
        if seat is None:
            away = [name for name in STAFF if name not in {each["staff"] for each in self.seats.values()}]
            self.seats[window] = {"staff": self.lots.choice(away), "paused": False, "ticket": None}
            return self.add(e.WindowOpened(window=window, staff=self.seats[window]["staff"]))
        if self.lots.random() < 0.06:
            before, seat["staff"] = seat["staff"], f"{seat['staff']}2"
            seat["paused"] = False
            return self.add(e.WindowTakenOver(window=window, staff=seat["staff"], from_staff=before))
        if seat["ticket"]:
            return self.visit(window, seat)
        if seat["paused"] and self.lots.random() < 0.7:
            seat["paused"] = False
            return self.add(e.WindowOpened(window=window, staff=seat["staff"]))
        if self.lots.random() < 0.15:
            del self.seats[window]
            return self.add(e.WindowClosed(window=window, staff=seat["staff"]))
        if not seat["paused"] and self.lots.random() < 0.2:
            seat["paused"] = True
            return self.add(e.WindowPaused(window=window, staff=seat["staff"]))
        return self.call_somebody(window, seat)

    def come(self) -> None:
        number = len(self.tickets) + 1
        self.tickets[number] = {"queue": self.lots.choice("AB"), "place": WAITING}
        self.issue(number, queue=self.tickets[number]["queue"])

    def citizen(self, number: int) -> None:
        ticket = self.tickets[number]
        if ticket["place"] == WAITING:
            ticket["place"] = ASIDE
            kind = self.lots.choice([e.TicketCancelled, e.TicketDeferred, e.TicketExpired, e.TicketAbandoned])
            self.ticket(kind, number, queue=ticket["queue"])
        elif ticket["place"] == ASIDE:
            ticket |= {"place": WAITING, "to": {}}
            kind = self.lots.choice([e.TicketRestored, e.TicketRejoined])
            self.ticket(kind, number, queue=ticket["queue"], queued_at=self.at.isoformat())

    def call_somebody(self, window: str, seat: dict[str, Any]) -> None:
        may = [n for n, each in sorted(self.tickets.items()) if eligible(each, window, seat["staff"])]
        if seat["paused"] or not may:
            return
        seat |= {"ticket": self.lots.choice(may), "started": False}
        self.tickets[seat["ticket"]] |= {"place": AT_WINDOW}
        self.call(seat["ticket"], window=window, queue=self.tickets[seat["ticket"]]["queue"])

    def visit(self, window: str, seat: dict[str, Any]) -> None:
        number, ticket = seat["ticket"], self.tickets[seat["ticket"]]
        if not seat["started"] and self.lots.random() < 0.5:
            seat["started"] = True
            return self.ticket(e.TicketStarted, number, queue=ticket["queue"], window=window)
        seat["ticket"] = None
        ticket["place"] = ASIDE
        if self.lots.random() < 0.3:
            to = self.lots.choice([{}, {"to_window": "W3"}, {"to_staff": "ann"}])
            before, ticket["queue"] = ticket["queue"], self.lots.choice("AB")
            ticket |= {"place": WAITING, "to": to}
            facts = {"queue": ticket["queue"], "from_queue": before, "window": window, **to}
            return self.ticket(e.TicketTransferred, number, **facts)
        if seat["started"]:
            return self.ticket(e.TicketFinished, number, queue=ticket["queue"], window=window, served_s=1)
        kind = self.lots.choice([e.TicketMissed, e.TicketAbandoned])
        return self.ticket(kind, number, queue=ticket["queue"], window=window)


def eligible(ticket: dict[str, Any], window: str, staff: str) -> bool:
    to = ticket.get("to") or {}
    if ticket["place"] != WAITING:
        return False
    if to:
        return to.get("to_window") == window or to.get("to_staff") == staff
    return ticket["queue"] in SERVES[window]


class Watcher(Walk):
    """The same walk, watched moment by moment: how long each window was what, worked out from scratch each time."""

    def __init__(self, seed: int) -> None:
        self.uses: dict[str, Counter[str]] = {window: Counter() for window in SERVES}
        self.waited, self.seen = timedelta(), NINE
        super().__init__(seed)

    def step(self) -> None:
        self.look(self.at - self.seen)
        self.seen = self.at
        super().step()

    def look(self, span: timedelta) -> None:
        micros = span // timedelta(microseconds=1)
        self.waited += span * sum(each["place"] == WAITING for each in self.tickets.values())
        for window, seat in self.seats.items():
            if seat["ticket"]:
                use = "serving" if seat["started"] else "walking"
            elif seat["paused"]:
                use = "paused"
            else:
                idle = any(eligible(each, window, seat["staff"]) for each in self.tickets.values())
                use = "idle" if idle else "free"
            self.uses[window][use] += micros


def micros(uses: dict[Use, timedelta]) -> Counter[str]:
    return Counter({use.value: span // timedelta(microseconds=1) for use, span in uses.items()})


@given(st.integers(0, 10**9))
@settings(max_examples=150)
def test_every_moment_that_a_window_is_open_is_in_exactly_one_use(seed: int) -> None:
    walk = Watcher(seed)
    ledger = walk.ledger()
    found = sums(ledger.stretches, lambda each: each.window)
    assert {window: micros(uses) for window, uses in found.items()} == {w: u for w, u in walk.uses.items() if +u}
    for window in SERVES:
        own = [each for each in ledger.stretches if each.window == window]
        assert all(first.end <= second.begin for first, second in pairwise(own))
        idle = sum((each.span for each in own if each.use == Use.IDLE), timedelta())
        assert idle <= walk.waited


@given(st.integers(0, 10**9), st.floats(0, 1))
@settings(max_examples=150)
def test_a_day_folded_in_two_halves_is_the_whole_day(seed: int, share: float) -> None:
    walk = Walk(seed)
    whole = walk.ledger()
    cut = round(len(walk.rows) * share)
    moment = walk.rows[cut].at if cut < len(walk.rows) else walk.at
    first = fold(walk.rows[:cut], NINE, moment, Standing(SERVES))
    second = fold(walk.rows[cut:], moment, walk.at, first.standing)
    halves = (*first.stretches, *second.stretches)
    for by in (lambda each: each.window, lambda each: each.staff):
        assert sums(halves, by) == sums(whole.stretches, by)
    assert (*first.entries, *second.entries) == whole.entries
    assert (*first.misses, *second.misses) == whole.misses
    counts: dict[tuple[str, str], Counter[str]] = {}
    for half in (first, second):
        for key, own in half.counts.items():
            counts.setdefault(key, Counter()).update(own)
    assert counts == whole.counts
    assert second.standing == whole.standing
