"""The table of a ticket's life, its numbers, and the range of its wait."""

from __future__ import annotations

import pytest

from app.queueing.rules.numbers import FORBIDDEN_PREFIXES, number
from app.queueing.rules.states import AT_WINDOW, LIVE, OVER, STEPS, TicketState, TicketStep, legal_steps, next_state


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


@pytest.mark.parametrize("state", TicketState)
def test_a_list_of_steps_is_those_of_the_table_less_the_other_way_back(state: TicketState) -> None:
    of_table = {step for (at, step) in STEPS if at == state}
    lists = [set(legal_steps(state, deferred=deferred)) for deferred in (False, True)]
    assert lists[0] | lists[1] == of_table
    apart = {TicketStep.UNPARK, TicketStep.REJOIN} if state == TicketState.PARKED else set()
    assert lists[0] ^ lists[1] == apart


def test_nobody_skips_the_queue_from_anywhere_but_a_window() -> None:
    """Only who waits, or whom a clerk had set aside, can be called."""
    called_from = {at for (at, _), to in STEPS.items() if to == TicketState.CALLED and at != TicketState.CALLED}
    assert called_from == {TicketState.WAITING, TicketState.PARKED}
    assert TicketStep.UNPARK not in legal_steps(TicketState.PARKED, deferred=True)


def test_what_ends_a_visit_leads_out_of_a_window_and_nothing_else_serves() -> None:
    assert {at for (at, _), to in STEPS.items() if to == TicketState.FINISHED} == {TicketState.SERVING}
    assert {at for (at, _), to in STEPS.items() if to == TicketState.SERVING} == {
        TicketState.CALLED,
        TicketState.SERVING,
    }


def test_the_holder_alone_ends_it_at_no_window() -> None:
    """At a window the clerk ends the visit: giving the number back from the phone would leave the window with nobody."""
    for step in (TicketStep.CANCEL, TicketStep.DEFER, TicketStep.EXPIRE):
        assert not {at for (at, each) in STEPS if each == step} & AT_WINDOW


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
