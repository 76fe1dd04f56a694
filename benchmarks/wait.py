"""How true the promised wait is: on days of open data, everybody's range when they came against when they were called.

`naive` is what other systems show: people ahead × average service, and the same shared among the open windows.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from app.queueing.rules.accuracy import Guess, Score, score
from app.queueing.rules.day import Visit
from app.queueing.rules.forecast import Forecast, Past, Present, Serving, Waiting, forecast, past_of, planned
from app.queueing.rules.simulate import Floor
from app.queueing.rules.states import Lane
from benchmarks import days, tables

DAYS = ("steady", "lunch", "morning")
HOUR = timedelta(hours=1)


@dataclass
class Watcher:
    """Who stands at the door: forecasts for everybody who comes, from what could be known at that moment."""

    told: days.Told
    every: int = 1
    guesses: dict[int, dict[str, Any]] = field(default_factory=dict)
    took_s: list[float] = field(default_factory=list)
    _came: list[Visit] = field(default_factory=list)

    def look(self, floor: Floor, visit: Visit) -> None:
        self._came.append(visit)
        if len(self._came) % self.every:
            return
        queue = visit.turns[0].queue
        present, past = self._present(floor), self._past(floor)
        if present.policy.head_start_min.get(visit.turns[0].lane):
            return  # the measure is the ordinary citizen; the priority lane only waits less
        began = time.process_time()
        seen: Forecast = forecast(present, past, [queue], seed=visit.ticket)
        self.took_s.append(time.process_time() - began)
        ahead = len(seen.places.get(queue, ()))
        mine = past.occupied_s.get(queue, [0.0])
        able = sum(queue in desk.weight_min and desk.hours[0][0] <= floor.at for desk in present.desks if desk.hours)
        average = sum(mine) / len(mine)
        self.guesses[visit.ticket] = {
            "queue": queue,
            "range": seen.at_place(queue, ahead),
            "ahead": ahead,
            "naive_s": ahead * average,
            "shared_s": ahead * average / max(able, 1),
        }

    def _present(self, floor: Floor) -> Present:
        at = floor.at
        states = {
            desk.window: "open" if any(begin <= at < end for begin, end in desk.hours) else "closed"
            for desk in self.told.day.desks
        }
        plan = planned(at, self.told.doors, states, self.told.usual)
        desks = tuple(replace(desk, hours=plan.get(desk.window, ())) for desk in self.told.day.desks)
        waiting = tuple(
            Waiting(stay.visit.ticket, stay.head.queue, stay.head.lane, stay.head.queued_at) for stay in floor.waiting()
        )
        serving = tuple(Serving(called.window, called.queue, called.at) for called in floor.taken().values())
        return Present(at, desks, waiting, serving, self.told.day.policy, floor.tallies())

    def _past(self, floor: Floor) -> Past:
        today: dict[str, list[float]] = {}
        for called in floor.calls:
            if called.until <= floor.at:
                today.setdefault(called.queue, []).append((called.until - called.at).total_seconds())
        lately = [visit for visit in self._came if floor.at - visit.at <= HOUR]
        span = max(min((floor.at - self._came[0].at), HOUR), HOUR / 6).total_seconds()
        coming: dict[tuple[str, Lane], int] = {}
        for visit in lately:
            key = (visit.turns[0].queue, visit.turns[0].lane)
            coming[key] = coming.get(key, 0) + 1
        return Past(past_of(today, self.told.before_s), {key: span / count for key, count in coming.items()})


def guesses_of(name: str, every: int = 1) -> tuple[list[Guess], Sequence[float]]:
    """Every `every`-th person of a day: what they were told and what came."""
    told = days.load(name)
    watcher = Watcher(told, every)
    outcome = Floor(told.day, watcher.look).run()
    found = [
        Guess(
            queue=seen["queue"],
            ahead=seen["ahead"],
            low_s=seen["range"].low_s if seen["range"] else None,
            high_s=seen["range"].high_s if seen["range"] else None,
            naive_s=seen["naive_s"],
            shared_s=seen["shared_s"],
            waited_s=outcome.waits[ticket],
        )
        for ticket, seen in watcher.guesses.items()
        if ticket in outcome.waits
    ]
    return found, watcher.took_s


def measure(names: Sequence[str] = DAYS, every: int = 1) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name in names:
        found, took = guesses_of(name, every)
        result[name] = {**vars_of(score(found)), "took_ms": 1000 * tables.median(took)}
    return result


def vars_of(found: Score) -> Mapping[str, Any]:
    return {name: getattr(found, name) for name in found.__slots__}


def main() -> dict[str, Any]:
    """Measure, show, keep."""
    result = measure()
    head = ["day", "people", "told", "inside", "error min", "÷ windows", "ahead × average", "width min", "ms each"]
    rows = [
        [
            *(
                name,
                row["people"],
                row["told"],
                f"{row['inside']:.0%}",
                row["error_s"] / 60,
                row["shared_error_s"] / 60,
            ),
            *(row["naive_error_s"] / 60, row["width_s"] / 60, row["took_ms"]),
        ]
        for name, row in result.items()
    ]
    tables.show(
        "Expected wait: share of people called within their range (75–85 % is aimed at), mean errors", head, rows
    )
    tables.keep("wait", {"days": result})
    return result
