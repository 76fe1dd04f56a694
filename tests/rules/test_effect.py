"""What other rules would have made of a day: a day small enough to work out by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.now import SHANGHAI
from app.queueing.rules.day import Day, Desk, Turn, Visit
from app.queueing.rules.effect import Figures, effect, ruled
from app.queueing.rules.policy import Policy
from app.queueing.rules.states import Lane

NINE = datetime(2026, 3, 11, 9, 0, tzinfo=SHANGHAI)
N, P = Lane.NORMAL, Lane.PRIORITY


def visit(ticket: int, minute: float, lane: Lane, queue: str = "A") -> Visit:
    return Visit(ticket, f"{queue}{ticket:03d}", NINE + timedelta(minutes=minute), (Turn(queue, lane, service_s=600),))


def day(*visits: Visit) -> Day:
    desk = Desk("W01", {"A": 0, "B": 0}, ((NINE, NINE + timedelta(hours=4)),))
    return Day(NINE, visits, (desk,), Policy())


def test_the_same_rules_move_nobody() -> None:
    same = day(visit(1, 0, N), visit(2, 1, N), visit(3, 2, P))
    found = effect(same, same)
    assert found.moved == () and found.before == found.after and found.tickets == 3


def test_those_who_change_places_are_named_with_both_calls() -> None:
    before = day(visit(1, 0, N), visit(2, 1, N), visit(3, 2, P))
    found = effect(before, ruled(before, Policy(head_start_min=dict.fromkeys(Lane, 0)), {}))
    by_number = {each.number: each for each in found.moved}
    assert sorted(by_number) == ["A002", "A003"]  # the first is being served when the priority ticket comes
    assert (by_number["A002"].before_s, by_number["A002"].after_s) == (19 * 60, 9 * 60)
    assert (by_number["A003"].before_s, by_number["A003"].after_s) == (8 * 60, 18 * 60)
    assert by_number["A003"].before_at == NINE + timedelta(minutes=10)
    assert by_number["A003"].after_at == NINE + timedelta(minutes=20)
    assert found.before[P] == Figures(1, 8, 8, 8, 8) and found.after[P] == Figures(1, 18, 18, 18, 18)
    assert found.before[N] == Figures(2, 9.5, 19, 19, 19)


def test_weights_are_those_that_are_given_and_only_of_queues_that_were_served() -> None:
    before = day(visit(1, 0, N), visit(2, 1, N), visit(3, 2, N, "B"))
    after = ruled(before, Policy(), {"W01": {"B": 5, "C": 9}, "W02": {"A": 9}})
    assert after.desks[0].weight_min == {"A": 0, "B": 5}
    assert {each.number for each in effect(before, after).moved} == {"A002", "B003"}


def test_who_was_never_called_has_no_time() -> None:
    late = day(visit(1, 225, N), visit(2, 226, N), visit(3, 227, P))  # the window shuts before the third is served
    moved = effect(late, ruled(late, Policy(head_start_min=dict.fromkeys(Lane, 0)), {})).moved
    at = NINE + timedelta(minutes=235)
    assert {each.number: (each.before_at, each.after_at) for each in moved} == {"A002": (None, at), "A003": (at, None)}
