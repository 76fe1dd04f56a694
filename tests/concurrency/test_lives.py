"""The history checker leads every ticket through its life: illegal steps, windows with two, people left behind."""

from __future__ import annotations

import pytest

from app import events as e
from app.events import Event
from tests.concurrency.story import (
    CLERK,
    DAY,
    KIOSK,
    OTHER,
    SYSTEM,
    Story,
    at_window,
    exactly,
    faults,
    head,
    moment,
    sent,
)


@pytest.mark.parametrize(
    "steps",
    [
        [e.TicketRecalled, e.TicketStarted, e.ItemFollowed, e.TicketParked, e.TicketReminded, e.TicketUnparked, e.TicketStarted, e.TicketFinished],
        [e.TicketMissed, e.TicketExpired],
        [e.TicketAbandoned],
        [e.TicketStarted, e.TicketParked, e.TicketAbandoned],
    ],
)  # fmt: skip
def test_legal_steps_are_no_fault(steps: list[type[Event]]) -> None:
    assert faults(walked(steps).rows) == {}


@pytest.mark.parametrize(
    "steps",
    [
        [e.TicketFinished],  # of a service that never began
        [e.TicketStarted, e.TicketMissed],
        [e.TicketStarted, e.TicketFinished, e.TicketFinished],  # two ends
        [e.TicketAbandoned, e.TicketExpired],
        [e.TicketUnparked],
        [e.TicketDeferred],  # at the window already
        [e.TicketMissed, e.TicketUnparked],
        [e.TicketStarted, e.TicketReminded],
    ],
)
def test_illegal_steps_are_found(steps: list[type[Event]]) -> None:
    assert faults(walked(steps).rows).keys() == {"steps"}


def walked(steps: list[type[Event]]) -> Story:
    story, more = (
        at_window(),
        {e.TicketFinished: {"served_s": 1}, e.ItemFollowed: {"served_s": 1}, e.TicketRecalled: {"recall": 1}},
    )
    for step in steps:
        place = {} if step in (e.TicketExpired, e.TicketDeferred) else {"window": "W01"}
        actor = SYSTEM if step in (e.TicketExpired, e.TicketReminded) else CLERK
        story.tell(step(**story.said(1), **place, **more.get(step, {})), actor)
    return story


def test_whom_a_clerk_set_aside_does_not_queue_again_and_who_went_away_is_not_called_past_it() -> None:
    rejoined = walked([e.TicketStarted, e.TicketParked])
    rejoined.tell(e.TicketRejoined(**rejoined.said(1), queued_at=exactly(rejoined.at)))
    assert "steps" in faults(rejoined.rows)
    unparked = Story().opened().issued(1)
    unparked.tell(e.TicketDeferred(**unparked.said(1)), KIOSK).tell(e.TicketUnparked(**unparked.said(1), window="W01"))
    assert faults(unparked.rows).keys() == {"steps"}


def test_who_is_at_no_window_or_at_another_does_nothing_there() -> None:
    story = at_window()
    assert faults(story.tell(e.TicketStarted(**story.said(1), window="W02")).rows).keys() == {"steps"}
    story = at_window()
    assert faults(story.tell(e.TicketStarted(**story.said(1), window="W01"), OTHER).rows).keys() == {"steps"}
    story = at_window()
    story.tell(e.WindowTakenOver(window="W01", staff="clerk02", from_staff="clerk01"), OTHER)
    assert faults(story.tell(e.TicketStarted(**story.said(1), window="W01"), OTHER).rows) == {}
    closed = Story().opened().issued(1).tell(e.WindowPaused(window="W01", staff="clerk01"))
    assert faults(closed.called(1, [head(1, moment(3))]).rows).keys() == {"steps"}


@pytest.mark.parametrize(
    ("event", "actor"),
    [
        (e.WindowOpened(window="W01", staff="clerk02"), OTHER),  # open already
        (e.WindowOpened(window="W02", staff="clerk01"), CLERK),  # sits elsewhere
        (e.WindowTakenOver(window="W01", staff="clerk02", from_staff="clerk03"), OTHER),
        (e.WindowPaused(window="W02", staff="clerk02"), OTHER),
        (e.WindowClosed(window="W01", staff="clerk02"), OTHER),
        (e.WindowClosed(window="W01", staff="clerk01"), CLERK),  # with somebody at it
    ],
)
def test_one_clerk_a_window_and_one_window_a_clerk(event: Event, actor: str) -> None:
    assert faults(at_window().tell(event, actor).rows).keys() == {"steps"}


def test_nobody_is_called_twice_and_no_window_has_two() -> None:
    twice = at_window().opened("W02", OTHER)
    assert "double_calls" in faults(twice.called_because(1, {}, "W02", OTHER).rows)
    two = at_window()
    assert faults(two.called(2, [head(2, moment(4))]).rows).keys() == {"double_calls"}


def test_an_event_of_a_ticket_that_is_none_is_found() -> None:
    story = at_window()
    assert faults(story.tell(e.TicketStarted(**story.said(7), window="W01")).rows).keys() == {"record"}
    story = at_window()
    story.queues[1] = "B"
    assert "record" in faults(story.tell(e.TicketStarted(**story.said(1), window="W01")).rows)


# ── nobody is lost ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_is_left_behind_when_a_day_is_closed() -> None:
    story = at_window().tell(e.DayClosed(day=DAY, expired=0), SYSTEM)
    assert faults(story.rows)["lost"] == [f"{DAY} was closed at seq 6 and A002 was left waiting"]
    story = at_window()
    story.tell(e.TicketExpired(**story.said(2), reason="rollover"), SYSTEM).tell(
        e.DayClosed(day=DAY, expired=1), SYSTEM
    )
    assert faults(story.served(1).rows) == {}  # who is at a window is served to the end


def test_nobody_waits_for_a_window_that_is_closed() -> None:
    story = sent(at_window().opened("W02", OTHER), 1, to_window="W02")
    assert faults(story.rows) == {}
    story.tell(e.WindowClosed(window="W02", staff="clerk02"), OTHER)
    assert "lost" in faults(story.rows)
    story.tell(e.TicketTransferred(**story.said(1), from_queue="A", window=None, queued_at=exactly(moment(3))), OTHER)
    assert faults(story.rows) == {}
    story.tell(e.TicketTransferred(**story.said(1), from_queue="A", window=None, queued_at=exactly(moment(3))), OTHER)
    assert faults(story.rows).keys() == {"steps"}  # had not been sent any more
