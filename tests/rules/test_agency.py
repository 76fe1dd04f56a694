"""The table of agency orders 代办: complete, without dead ends, and with a clock that starts once."""

from __future__ import annotations

from app.casework.rules.agency import LIMIT, OPEN, TABLE, OrderState, OrderStep, legal_steps, next_state
from app.hall.rules.clock import Unit

OVER = {OrderState.CLOSED, OrderState.CANCELLED}


def test_every_state_is_reached_and_every_open_one_can_end() -> None:
    reached = {OrderState.ORDERED, *(line.to for line in TABLE)}
    assert reached == set(OrderState) and {line.step for line in TABLE} == set(OrderStep)
    assert len({(line.state, line.step) for line in TABLE}) == len(TABLE)
    for state in OrderState:
        ends = {state}
        while True:
            more = ends | {line.to for line in TABLE if line.state in ends}
            if more == ends:
                break
            ends = more
        assert ends & OVER, state
        assert (legal_steps(state) == []) == (state in OVER)


def test_the_three_working_days_start_once_and_stop_only_in_an_interruption() -> None:
    assert (LIMIT.amount, LIMIT.unit) == (3, Unit.WD)
    assert [line.state for line in TABLE if line.clock == "start"] == [OrderState.ACCEPTED]
    assert {line.to for line in TABLE if line.clock == "stop"} == {OrderState.INTERRUPTED}
    for line in TABLE:
        assert (line.clock == "freeze") == (
            line.state in (OrderState.RUNNING, OrderState.INTERRUPTED) and line.to not in OPEN
        )
    assert next_state(OrderState.COMPLETED, OrderStep.CANCEL) is None
