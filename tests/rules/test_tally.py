"""How report numbers are made: periods without gaps, rates that do not flatter, percentiles against plain lists."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.casework.rules.tally import Period, Span, Took, paces, percentile, rate

ZONE = ZoneInfo("Asia/Shanghai")
days = st.dates(date(2020, 1, 1), date(2030, 12, 31))


@pytest.mark.parametrize(
    ("period", "day", "first", "last"),
    [
        ("day", "2026-11-22", "2026-11-22", "2026-11-22"),
        ("week", "2026-11-22", "2026-11-16", "2026-11-22"),  # a Sunday ends its week
        ("month", "2026-11-22", "2026-11-01", "2026-11-30"),
        ("month", "2024-02-10", "2024-02-01", "2024-02-29"),
        ("month", "2026-12-31", "2026-12-01", "2026-12-31"),
    ],
)
def test_periods(period: str, day: str, first: str, last: str) -> None:
    span = Span.holding(Period(period), date.fromisoformat(day))
    assert (span.first.isoformat(), span.last.isoformat()) == (first, last)


@given(st.sampled_from(Period), days)
def test_periods_follow_one_another_without_gap_or_overlap(period: Period, day: date) -> None:
    span = Span.holding(period, day)
    assert span.first <= day <= span.last and day in span.days()
    assert span.after().before() == span == span.before().after()
    assert span.before().instants(ZONE)[1] == span.instants(ZONE)[0] < span.instants(ZONE)[1]


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_rates_stay_honest(part: int, more: int) -> None:
    whole = part + more
    value = rate(part, whole)
    if whole == 0:
        assert value is None
        return
    assert value is not None and 0 <= value <= 100
    assert (value == 100) == (part == whole)  # one late case in ten thousand is seen
    assert abs(value - 100 * part / whole) <= 0.1


rows = st.lists(
    st.builds(
        Took,
        unit=st.sampled_from(["WD", "WH"]),
        promised=st.integers(1, 30),
        statutory=st.none() | st.integers(1, 60),
        used=st.integers(0, 90),
        count=st.integers(1, 5),
    ),
    min_size=1,
    max_size=12,
)


@given(rows)
def test_paces_are_those_of_the_plain_list(took: list[Took]) -> None:
    found = paces(took)
    assert sum(pace.count for pace in found) == sum(row.count for row in took)
    for pace in found:
        used = sorted(row.used for row in took if row.unit == pace.unit for _ in range(row.count))
        assert pace.average == pytest.approx(sum(used) / len(used))
        for percent, value in ((50, pace.p50), (90, pace.p90)):
            assert value == used[-(-len(used) * percent // 100) - 1]
        lawful = [r.statutory for r in took if r.unit == pace.unit and r.statutory is not None for _ in range(r.count)]
        assert pace.statutory == (pytest.approx(sum(lawful) / len(lawful)) if lawful else None)


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="no case"):
        percentile([], 50)
    assert paces([]) == []
