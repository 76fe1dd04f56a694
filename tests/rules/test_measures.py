"""Means, percentiles and shares of counted values, against the same worked out one by one."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.queueing.rules.measures import Spread, share, spread, within

VALUES = st.lists(st.integers(0, 5000), max_size=60)


@given(VALUES, st.integers(0, 5000))
def test_counted_values_say_what_the_values_say_one_by_one(values: list[int], limit: int) -> None:
    found = spread(Counter(values))
    assert within(Counter(values), limit) == sum(value <= limit for value in values)
    if not values:
        assert found is None
        return
    ordered = sorted(values)
    p50, p90 = (ordered[math.ceil(len(ordered) * percent / 100) - 1] for percent in (50, 90))
    assert found == Spread(len(values), sum(values) / len(values), p50, p90, ordered[-1])
    assert ordered[0] <= found.p50 <= found.p90 <= found.most and found.mean <= found.most


@pytest.mark.parametrize(
    ("part", "whole", "percent"),
    [(0, 0, None), (0, 9, 0.0), (9, 9, 100.0), (1, 3, 33.3), (1, 8, 12.5), (4999, 5000, 99.9), (1, 9000, 0.1)],
)
def test_only_a_whole_is_all_and_only_nothing_is_none(part: int, whole: int, percent: float | None) -> None:
    assert share(part, whole) == percent
