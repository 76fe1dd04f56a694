"""The working-day calendar: which days the State Council has made working days, and by which notice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

WORKDAY = ("workday", "工作日")
WEEKEND = ("weekend", "周末")


class CalendarUnknown(Exception):
    """No announced calendar covers `year`: nothing may be counted through it, nothing printed."""

    def __init__(self, year: int) -> None:
        super().__init__(f"the working-day calendar of {year} has not been announced or imported")
        self.year = year


@dataclass(frozen=True)
class WorkCalendar:
    """Statutory days off and make-up days (调休) of whole years, each year with the notice it comes from.

    `days_off` holds every day that a notice frees, weekends inside the span included; `makeup` the weekend
    days it makes working days; both map the day to its Chinese name. `source` names the notice of each
    year. Refuses a day outside `years`, a day that is both off and made up, and a make-up day that is no
    weekend day.
    """

    version: str
    years: frozenset[int]
    days_off: Mapping[date, str]
    makeup: Mapping[date, str]
    source: Mapping[int, str]

    def __post_init__(self) -> None:
        if not self.version:
            raise ValueError("a calendar needs a version: deadlines store it")
        object.__setattr__(self, "years", frozenset(self.years))
        for name in ("days_off", "makeup", "source"):
            object.__setattr__(self, name, MappingProxyType(dict(sorted(getattr(self, name).items()))))
        for day in (*self.days_off, *self.makeup):
            if day.year not in self.years:
                raise ValueError(f"{day} lies outside the years of this calendar")
        for day in self.makeup:
            if day in self.days_off:
                raise ValueError(f"{day} cannot be both a day off and a make-up day")
            if day.isoweekday() < 6:
                raise ValueError(f"{day} is no weekend day and needs no make-up")

    def __hash__(self) -> int:
        return hash((self.version, self.years))

    @classmethod
    def of(
        cls,
        days_off: Mapping[date, str],
        makeup: Mapping[date, str],
        source: Mapping[int, str],
        region: str = "cn",
    ) -> WorkCalendar:
        """A calendar of the years in `source`; its version is made from its days."""
        unnamed = sorted(year for year, notice in source.items() if not notice.strip())
        if unnamed or not source:
            raise ValueError(f"every year needs the notice it comes from: {unnamed or 'no year given'}")
        years = frozenset(source)
        return cls(_version(region, years, days_off, makeup), years, days_off, makeup, source)

    def is_working(self, day: date) -> bool:
        """Whether `day` is a working day (行政许可法 §82). Raises CalendarUnknown."""
        return self.reason(day)[0] in ("workday", "makeup")

    def reason(self, day: date) -> tuple[str, str]:
        """Why `day` is worked or free: (code, Chinese name), code one of workday, weekend, holiday, makeup.

        Raises CalendarUnknown for a year not in `years`; refuses an instant, which would match no day at all.
        """
        if isinstance(day, datetime):
            raise TypeError("a calendar answers for days, not for instants")
        if day.year not in self.years:
            raise CalendarUnknown(day.year)
        if day in self.makeup:
            return "makeup", self.makeup[day]
        if day in self.days_off:
            return "holiday", self.days_off[day]
        return WORKDAY if day.isoweekday() < 6 else WEEKEND

    def to_json(self) -> dict[str, Any]:
        """The calendar as plain JSON values, year by year, each beside its source."""
        return {
            "version": self.version,
            "years": {
                str(year): {
                    "source": self.source.get(year, ""),
                    "days_off": _of_year(self.days_off, year),
                    "makeup": _of_year(self.makeup, year),
                }
                for year in sorted(self.years)
            },
        }

    @classmethod
    def from_json(cls, body: str | Mapping[str, Any]) -> WorkCalendar:
        """The calendar that `to_json` gave, from its values or their text. Raises ValueError."""
        try:
            data = json.loads(body) if isinstance(body, str) else body
            years = {int(year): facts for year, facts in data["years"].items()}
            return cls(
                version=data["version"],
                years=frozenset(years),
                days_off=_dated(facts["days_off"] for facts in years.values()),
                makeup=_dated(facts["makeup"] for facts in years.values()),
                source={year: facts["source"] for year, facts in years.items() if facts["source"]},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a calendar: {error!r}") from error


def _of_year(days: Mapping[date, str], year: int) -> dict[str, str]:
    return {day.isoformat(): name for day, name in sorted(days.items()) if day.year == year}


def _dated(parts: Iterable[Mapping[str, str]]) -> dict[date, str]:
    return {date.fromisoformat(day): name for part in parts for day, name in part.items()}


def _version(region: str, years: frozenset[int], days_off: Iterable[date], makeup: Iterable[date]) -> str:
    marks = [f"{day}-" for day in sorted(days_off)] + [f"{day}+" for day in sorted(makeup)]
    digest = hashlib.sha256(" ".join([*map(str, sorted(years)), *marks]).encode()).hexdigest()
    span = "-".join(str(year) for year in sorted({min(years), max(years)}))
    return f"{region}-{span}-{digest[:8]}"
