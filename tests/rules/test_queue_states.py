"""The table of a ticket's life, its numbers, and the range of its wait."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.queueing.rules.numbers import FORBIDDEN_PREFIXES, number
from app.queueing.rules.states import AT_WINDOW, LIVE, OVER, STEPS, TicketState, TicketStep, legal_steps, next_state
from app.queueing.rules.wait import wait_range


def reachable(table, start):
    seen, todo = {start}, [start]
    while todo:
        here = todo.pop()
        for (state, _), target in table.items():
            if state == here and target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


def test_every_state_is_reached_from_waiting() -> None:
    assert reachable(STEPS, TicketState.WAITING) == set(TicketState)


def test_every_state_leads_to_an_end() -> None:
    for state in TicketState:
        assert reachable(STEPS, state) & OVER


def test_ends_are_ends_and_nothing_else_is() -> None:
    assert {state for state in TicketState if not legal_steps(state)} == OVER


def test_every_step_is_used() -> None:
    assert {step for _, step in STEPS} == set(TicketStep)


def test_only_a_live_ticket_stands_at_a_window() -> None:
    assert AT_WINDOW < LIVE and not LIVE & OVER


@pytest.mark.parametrize("step", ["finish", "park"])
def test_a_visit_that_has_not_begun_cannot_end(step: str) -> None:
    assert next_state(TicketState.CALLED, TicketStep(step)) is None


@pytest.mark.parametrize(("serial", "printed"), [(1, "A001"), (42, "A042"), (999, "A999"), (1000, "A1000")])
def test_numbers_have_three_digits_then_four(serial: int, printed: str) -> None:
    assert number("A", serial) == printed


@pytest.mark.parametrize("prefix", [*sorted(FORBIDDEN_PREFIXES), "", "AB", "a", "1", "中"])
def test_a_prefix_is_one_letter_that_nobody_misreads(prefix: str) -> None:
    with pytest.raises(ValueError):
        number(prefix, 1)


def test_there_is_no_number_zero() -> None:
    with pytest.raises(ValueError):
        number("A", 0)


def test_no_range_without_evidence_or_windows() -> None:
    assert wait_range(3, [300] * 4, 2) is None
    assert wait_range(3, [300] * 9, 0) is None


@given(st.integers(0, 200), st.lists(st.integers(0, 7200), min_size=5), st.integers(1, 30))
def test_a_range_is_never_negative_never_backward_and_never_zero_minutes(ahead, services, windows) -> None:
    low, high = wait_range(ahead, services, windows)
    assert 0 <= low <= high or high == 60
    assert high >= 60


@given(st.integers(0, 100), st.lists(st.integers(30, 3600), min_size=5), st.integers(1, 20))
def test_more_people_ahead_never_shorten_the_wait(ahead, services, windows) -> None:
    shorter, longer = wait_range(ahead, services, windows), wait_range(ahead + 1, services, windows)
    assert shorter[0] <= longer[0] and shorter[1] <= longer[1]
