"""How the numbers of a statistic are made of counted values: mean, percentiles, the largest, the share within a limit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """Of `count` values: their mean, the nearest ranks p50 and p90, and the largest."""

    count: int
    mean: float
    p50: int
    p90: int
    most: int


def spread(values: Mapping[int, int]) -> Spread | None:
    """The spread of values with how often each occurs; None of nothing.

    A percentile is the smallest value that at least so many of a hundred do not exceed: always one that occurred.
    """
    count = sum(values.values())
    if not count:
        return None
    ordered = sorted(values)
    mean = sum(value * times for value, times in values.items()) / count
    return Spread(count, mean, _rank(ordered, values, count, 50), _rank(ordered, values, count, 90), ordered[-1])


def _rank(ordered: list[int], values: Mapping[int, int], count: int, percent: int) -> int:
    reached = 0
    for value in ordered:
        reached += values[value]
        if reached * 100 >= count * percent:
            break
    return value


def share(part: int, whole: int) -> float | None:
    """`part` of `whole` in percent with one decimal, rounded half up; None of nothing. Only a whole is 100, only none 0."""
    if not whole:
        return None
    tenths = (2000 * part + whole) // (2 * whole)
    return (1000 if part == whole else 0 if not part else min(max(tenths, 1), 999)) / 10


def within(values: Mapping[int, int], limit: int) -> int:
    """How many values are no larger than `limit`."""
    return sum(times for value, times in values.items() if value <= limit)
