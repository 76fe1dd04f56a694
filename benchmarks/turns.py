"""Whose turn it was: every call of a record held against choose_next on the heads of lanes as they stood before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from app.events import Recorded, TicketCalled, TicketUnparked
from app.now import local_day
from app.queueing.rules.order import LaneHead, Tally, choose_next, waits_since
from app.queueing.rules.policy import Policy
from app.queueing.rules.states import Lane
from benchmarks.findings import Findings
from benchmarks.lives import Life, Lives, start_of


class Turns:
    """`tell` is handed each event before the lives know of it."""

    def __init__(self, found: Findings, lives: Lives) -> None:
        self._found, self._lives = found, lives
        self._tallies: dict[str, tuple[str, Tally]] = {}  # window → the day of its last call, what it left

    def tell(self, row: Recorded) -> None:
        match row.event:
            case TicketCalled() as event:
                self._called(event, row)
            case TicketUnparked(window=window):
                self._keep(window, row, self._tally(window, row))

    def _called(self, event: TicketCalled, row: Recorded) -> None:
        life, weights = self._lives.waiting.get(event.ticket), self._lives.weights.get(event.window)
        tally = self._tally(event.window, row)
        self._keep(event.window, row, tally)
        if life is None or weights is None:
            return
        if event.mode != "chosen":
            self._look_at_lane(life, event, row)
        policy = replace(self._lives.policy, weight_min=weights)
        heads = self._heads(event.window, weights, row)
        choice = choose_next(heads, policy, row.at, event.window, tally)
        if event.mode == "chosen":
            expected = self._chosen(life, event, row, heads, policy, tally)
        elif choice is None:
            expected = {}
        else:
            expected = choice[1] | ({"mode": event.mode} if event.mode != "rule" else {})
            self._keep(event.window, row, choice[2])
        if expected != {key: said for key, said in event.why.items() if key != "passed_over"}:
            self._found.why.append(
                f"{event.number} was called at seq {row.seq} by {event.why}, but the record says {expected}"
            )

    def _look_at_lane(self, life: Life, event: TicketCalled, row: Recorded) -> None:
        """First come, first called within a lane; and among those who were sent to the window or its clerk."""
        if life.in_pool:
            beside = list(self._lives.pool(life.queue, life.day, life.lane))
        else:
            sent = (life.day, life.to_window, life.to_staff)
            beside = [
                each for each in self._lives.waiting.values() if (each.day, each.to_window, each.to_staff) == sent
            ]
        first = min(beside, key=lambda each: each.place)
        if first is not life:
            self._found.order.append(
                f"{event.number} was called at seq {row.seq} before {first.number} of lane {life.lane} in {life.queue}"
            )

    def _heads(self, window: str, weights: dict[str, int], row: Recorded) -> list[LaneHead]:
        seat, day = self._lives.seats.get(window), local_day(row.at).isoformat()
        groups = [list(self._lives.pool(queue, day, lane)) for queue in weights for lane in Lane]
        today = [life for life in self._lives.waiting.values() if life.day == day]
        sent = [
            [life for life in today if life.to_window == window],
            [life for life in today if seat and life.to_staff == seat.staff],
        ]
        firsts = [min(group, key=lambda life: life.place) for group in [*groups, *sent] if group]
        return [self._head(life, not life.in_pool) for life in firsts]

    def _head(self, life: Life, direct: bool) -> LaneHead:
        waiting = sum(1 for _ in self._lives.pool(life.queue, life.day))
        since = waits_since(life.queued_at, life.came_at, life.again)
        return LaneHead(life.ticket, life.number, life.queue, life.lane, life.queued_at, direct, waiting, since)

    def _chosen(
        self,
        life: Life,
        event: TicketCalled,
        row: Recorded,
        heads: Sequence[LaneHead],
        policy: Policy,
        tally: Tally,
    ) -> dict[str, Any]:
        """Whose turn it was, how many of its own queue stood before the chosen one, and who was passed over."""
        seat = self._lives.seats.get(event.window)
        here = life.to_window == event.window or (seat is not None and life.to_staff == seat.staff)
        own = [] if life.ticket in {head.ticket for head in heads} else [self._head(life, here)]
        by_rule = choose_next(heads, policy, row.at, event.window, tally)
        among = choose_next([*heads, *own], policy, row.at, event.window, tally)
        assert among is not None  # the chosen one is among them
        numbers = [each["number"] for each in among[1]["candidates"]]
        before = set(numbers[: numbers.index(life.number)])
        turn_of = by_rule[0].number if by_rule else None
        if turn_of not in (None, life.number):
            before.add(turn_of)
        if before != set(event.why.get("passed_over", ())):
            self._found.why.append(f"{event.number} was chosen at seq {row.seq} and passed over {sorted(before)}")
        rank = (life.queued_at - start_of(policy, life), life.ticket)
        pool = self._lives.pool(life.queue, life.day)
        ahead = sum((other.queued_at - start_of(policy, other), other.ticket) < rank for other in pool)
        said = {"rule": "chosen", "chosen": life.number, "reason": event.reason, "by_rule": turn_of, "ahead": ahead}
        return said | {"candidates": among[1]["candidates"]}

    def _tally(self, window: str, row: Recorded) -> Tally:
        day, tally = self._tallies.get(window, ("", Tally()))
        return tally if self._lives.policy.ratio is not None and day == local_day(row.at).isoformat() else Tally()

    def _keep(self, window: str, row: Recorded, tally: Tally) -> None:
        self._tallies[window] = (local_day(row.at).isoformat(), tally)
