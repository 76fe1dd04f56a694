"""What might have been otherwise about a day: windows that open or learn, other rules, every window for everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.queueing.rules.day import Day, Desk, Span, joined
from app.queueing.rules.policy import Policy


@dataclass(frozen=True, slots=True)
class Opening:
    """Window `window` serves `queues` (with weights in minutes) as well during these hours."""

    window: str
    weight_min: Mapping[str, int]
    hours: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Lesson:
    """Window `window` learns a queue, with this weight in minutes."""

    window: str
    queue: str
    weight_min: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """What to change about a day before it passes again; nothing by default."""

    open: tuple[Opening, ...] = ()
    teach: tuple[Lesson, ...] = ()
    policy: Policy | None = None
    comprehensive: bool = False  # 综合受理: every open window serves all queues that any of them serves


AS_IT_WAS = Changes()


def changed(day: Day, changes: Changes) -> Day:
    """The day with the changes in it. A window that already was open keeps its hours and gains the new ones."""
    desks = {desk.window: desk for desk in day.desks}
    for opening in changes.open:
        known = desks.get(opening.window)
        own = known or Desk(opening.window, {}, (), *_usual(day.desks))
        hours = joined([*own.hours, *opening.hours])
        weights = {**own.weight_min, **opening.weight_min}
        desks[opening.window] = replace(own, weight_min=weights, hours=hours)
    for lesson in changes.teach:
        if lesson.window in desks:
            own = desks[lesson.window]
            desks[lesson.window] = replace(own, weight_min={**own.weight_min, lesson.queue: lesson.weight_min})
    if changes.comprehensive:
        every = dict.fromkeys(sorted({queue for desk in desks.values() for queue in desk.weight_min}), 0)
        desks = {code: replace(desk, weight_min={**every, **desk.weight_min}) for code, desk in desks.items()}
    return replace(day, desks=tuple(desks.values()), policy=changes.policy or day.policy)


def _usual(desks: Sequence[Desk]) -> tuple[tuple[float, ...], float]:
    """The middle pace of the others, for a window that has none of its own."""
    gaps, wakes = sorted(gap for desk in desks for gap in desk.gap_s), sorted(desk.wake_s for desk in desks)
    return ((gaps[len(gaps) // 2],), wakes[len(wakes) // 2]) if gaps else ((0.0,), 0.0)
