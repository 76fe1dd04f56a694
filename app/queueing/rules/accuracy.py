"""How true the promised waits were: the share inside the range, and the error beside that of a naive estimate (Q12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

AIM = (0.75, 0.85)  # of people called within their range: fewer is a promise broken, more is a promise that says little


@dataclass(frozen=True, slots=True)
class Guess:
    """What somebody was told on coming, in seconds, and what came. `low_s` None: they were told nothing.

    `naive_s`: people ahead × average service. `shared_s`: the same divided by the windows that were open for them.
    """

    queue: str
    ahead: int
    low_s: int | None
    high_s: int | None
    naive_s: float
    shared_s: float
    waited_s: float


@dataclass(frozen=True, slots=True)
class Score:
    """Of so many `people`, `told` were told a range, and this share was called inside it, sooner, or later.

    Errors are mean distances in seconds of the middle of the range, of the naive estimate and of the shared one.
    """

    people: int
    told: int
    inside: float | None
    sooner: float | None
    later: float | None
    error_s: float | None
    naive_error_s: float | None
    shared_error_s: float | None
    width_s: float | None


def score(guesses: Sequence[Guess]) -> Score:
    """All of them together; figures are None when nobody was told anything."""
    told = [(each, each.low_s, each.high_s) for each in guesses if each.low_s is not None and each.high_s is not None]
    if not told:
        return Score(len(guesses), 0, *[None] * 7)
    return Score(
        people=len(guesses),
        told=len(told),
        inside=_mean([low <= each.waited_s <= high for each, low, high in told]),
        sooner=_mean([each.waited_s < low for each, low, _ in told]),
        later=_mean([each.waited_s > high for each, _, high in told]),
        error_s=_mean([abs((low + high) / 2 - each.waited_s) for each, low, high in told]),
        naive_error_s=_mean([abs(each.naive_s - each.waited_s) for each, _, _ in told]),
        shared_error_s=_mean([abs(each.shared_s - each.waited_s) for each, _, _ in told]),
        width_s=_mean([high - low for _, low, high in told]),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
