"""The working-day calendar: which days the State Council has made working days, and by which notice."""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Any

ONE_DAY = timedelta(days=1)
WORKDAY = ("workday", "工作日")
WEEKEND = ("weekend", "周末")
FESTIVALS = {  # the headings of the notices
    "元旦": "New Year's Day",
    "春节": "Spring Festival",
    "清明节": "Qingming Festival",
    "劳动节": "Labour Day",
    "端午节": "Dragon Boat Festival",
    "中秋节": "Mid-Autumn Festival",
    "国庆节": "National Day",
}


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
        """A calendar of the years in `source`; its version is a digest of all that it says."""
        unnamed = sorted(year for year, notice in source.items() if not notice.strip())
        if unnamed or not source:
            raise ValueError(f"every year needs the notice it comes from: {unnamed or 'no year given'}")
        return cls(_version(region, days_off, makeup, source), frozenset(source), days_off, makeup, source)

    def amended(self, day: date, kind: str, name: str, notice: str) -> WorkCalendar:
        """This calendar with one day changed by a further notice: a new version, beside which the old one stays.

        `kind` is `off` (a day off), `makeup` (a weekend day worked) or `ordinary` (neither; then `name` says nothing).
        Refuses what no calendar may hold, a change without name or notice, and one that changes nothing.
        """
        if day.year not in self.years:
            raise CalendarUnknown(day.year)
        if kind not in ("off", "makeup", "ordinary") or not notice.strip() or (kind != "ordinary" and not name.strip()):
            raise ValueError("a change says what the day becomes, what it is called, and by which notice")
        days_off, makeup = dict(self.days_off), dict(self.makeup)
        days_off.pop(day, None)
        makeup.pop(day, None)
        if kind != "ordinary":
            (days_off if kind == "off" else makeup)[day] = name.strip()
        if (days_off, makeup) == (self.days_off, self.makeup):
            raise ValueError(f"{day} is that already")
        known = self.source.get(day.year, "")
        told = known if notice.strip() in known else "；".join(filter(None, (known, notice.strip())))
        return WorkCalendar.of(days_off, makeup, {**self.source, day.year: told}, self.version.split("-")[0])

    def joined(self, other: WorkCalendar) -> WorkCalendar:
        """This calendar with the years of `other` beside its own, or in their place."""
        kept = self.years - other.years
        mine = [{day: name for day, name in part.items() if day.year in kept} for part in (self.days_off, self.makeup)]
        source = {year: notice for year, notice in self.source.items() if year in kept}
        return WorkCalendar.of(
            {**mine[0], **other.days_off},
            {**mine[1], **other.makeup},
            {**source, **other.source},
            other.version.split("-")[0],
        )

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

    def reach(self, day: date) -> date:
        """The last day up to which every day after `day` is announced; `day` itself if the next one is not."""
        year = (day + ONE_DAY).year
        while year in self.years:
            year += 1
        return max(day, date(year, 1, 1) - ONE_DAY)

    def worked(self, after: date, until: date) -> int:
        """How many working days lie in (after, until]. Raises CalendarUnknown."""
        if (reach := self.reach(after)) < until:
            raise CalendarUnknown((reach + ONE_DAY).year)
        return max(0, bisect_right(self._worked, until) - bisect_right(self._worked, after))

    def nth_worked(self, after: date, number: int) -> date:
        """The `number`-th working day after `after`. Raises CalendarUnknown."""
        place, reach = bisect_right(self._worked, after) + number - 1, self.reach(after)
        if place >= len(self._worked) or self._worked[place] > reach:
            raise CalendarUnknown((reach + ONE_DAY).year)
        return self._worked[place]

    @cached_property
    def _worked(self) -> list[date]:
        """Every working day of all years, in order, so that a span is counted without walking through it."""
        days = (date(year, 1, 1) + n * ONE_DAY for year in sorted(self.years) for n in range(366))
        return sorted({day for day in days if day.year in self.years and self.is_working(day)})

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


def in_english(code: str, name: str) -> str:
    """The English of what `reason` says. A name that no festival has stays as it is, beside what it makes of the day."""
    if code in ("workday", "weekend"):
        return {"workday": "working day", "weekend": "weekend"}[code]
    parts = re.split("[、，和及]", name.removesuffix("调休"))
    words = " and ".join(FESTIVALS.get(part.strip(), part.strip()) for part in parts)
    return f"make-up day ({words})" if code == "makeup" else words


def _version(region: str, days_off: Mapping[date, str], makeup: Mapping[date, str], source: Mapping[int, str]) -> str:
    said = [sorted((str(key), value) for key, value in part.items()) for part in (days_off, makeup, source)]
    digest = hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()
    span = "-".join(str(year) for year in sorted({min(source), max(source)}))
    return f"{region}-{span}-{digest[:8]}"
