"""Opening hours: a hall's daily hours, its closures and voluntary sessions, and when its doors are open."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from app.hall.rules.calendar import WorkCalendar

Interval = tuple[datetime, datetime]  # from inclusive, until exclusive

ONE_DAY = timedelta(days=1)
MIDNIGHT = time(0)


def aware(at: datetime, what: str = "instant") -> datetime:
    """`at` itself. Refuses a naive datetime: it names no instant."""
    if not isinstance(at, datetime) or at.tzinfo is None or at.utcoffset() is None:
        raise ValueError(f"{what} {at!r} has no zone")
    return at


def elapsed(from_at: datetime, until_at: datetime) -> timedelta:
    """Real time between two instants, also across a change of the zone's offset."""
    return until_at.astimezone(UTC) - from_at.astimezone(UTC)


def later(at: datetime, span: timedelta) -> datetime:
    """The instant a real `span` after `at`, in the zone of `at`."""
    return (at.astimezone(UTC) + span).astimezone(at.tzinfo)


def days(first: date, last: date) -> Iterator[date]:
    """Every day from `first` to `last`, both included."""
    for ahead in range((last - first).days + 1):
        yield first + ahead * ONE_DAY


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The intervals in order, overlapping and touching ones made one."""
    result: list[Interval] = []
    for begin, end in sorted(intervals):
        if result and begin <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((begin, end))
    return result


def cut(intervals: Iterable[Interval], holes: Iterable[tuple[datetime, datetime | None]]) -> list[Interval]:
    """What is left of `intervals` without the `holes`; a hole without end goes on for ever."""
    left = list(intervals)
    for gone, back in holes:
        pieces = []
        for begin, end in left:
            if begin < gone:
                pieces.append((begin, min(end, gone)))
            if back is not None and back < end:
                pieces.append((max(begin, back), end))
        left = pieces
    return left


@dataclass(frozen=True)
class OpeningHours:
    """Daily local opening intervals [open, close) in order; an end of 00:00 (24:00) is the midnight after.

    Refuses no interval at all, an empty or backward one, overlaps, and times that carry a zone.
    """

    intervals: tuple[tuple[time, time], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "intervals", tuple((begin, end) for begin, end in self.intervals))
        if not self.intervals:
            raise ValueError("opening hours need at least one interval")
        last = None
        for begin, end in self.intervals:
            if begin.tzinfo or end.tzinfo:
                raise ValueError("opening hours are wall times of the hall and carry no zone")
            if last is not None and (last == MIDNIGHT or begin < last):
                raise ValueError(f"opening hours overlap or are out of order at {begin}")
            if end != MIDNIGHT and end <= begin:
                raise ValueError(f"opening hours from {begin} to {end} are empty or run past midnight")
            last = end

    @classmethod
    def parse(cls, hours: str | Sequence[Sequence[str]]) -> OpeningHours:
        """From `"08:30-12:00 13:30-18:00"` or `[["08:30", "12:00"], …]`. Raises ValueError."""
        pairs = [part.split("-") for part in hours.split()] if isinstance(hours, str) else hours
        try:
            walls = [(begin, "00:00" if end == "24:00" else end) for begin, end in pairs]
            return cls(tuple((_wall(begin), _wall(end)) for begin, end in walls))
        except TypeError as error:
            raise ValueError(f"not opening hours: {hours!r}") from error

    def to_json(self) -> list[list[str]]:
        """The intervals as `parse` reads them: [["08:30", "12:00"], …]."""
        return [[_told(begin), _told(end)] for begin, end in self.intervals]

    @property
    def opens(self) -> time:
        """The first opening of an ordinary day."""
        return self.intervals[0][0]

    def on(self, day: date, zone: ZoneInfo) -> list[Interval]:
        """The ordinary intervals of `day`, working or not, as instants in `zone`."""
        instants = []
        for begin, end in self.intervals:
            last = day if end != MIDNIGHT else day + ONE_DAY
            instants.append((datetime.combine(day, begin, zone), datetime.combine(last, end, zone)))
        return instants


@dataclass(frozen=True)
class Schedule:
    """When one hall is open: calendar and daily hours, less exceptional closures, plus voluntary sessions.

    `hours` are the first daily hours of the hall, `later_hours` those that took their place, each from a local day on.
    Closures and sessions are [from, until) in aware instants. A session opens the doors, so working hours
    run in it, but it never makes a working day; a closure shuts them, so no working hour runs, but it never
    removes a working day. Where both fall together the doors are shut. Refuses naive, empty and backward
    intervals.
    """

    calendar: WorkCalendar
    hours: OpeningHours
    zone: ZoneInfo
    closures: tuple[Interval, ...] = ()
    sessions: tuple[Interval, ...] = ()
    later_hours: tuple[tuple[date, OpeningHours], ...] = ()

    def __post_init__(self) -> None:
        for name in ("closures", "sessions"):
            spans = [self._local(span, name) for span in getattr(self, name)]
            object.__setattr__(self, name, tuple(merged(spans)))
        object.__setattr__(self, "later_hours", tuple(sorted(self.later_hours, key=lambda pair: pair[0])))

    def _local(self, span: Interval, what: str) -> Interval:
        begin, end = (aware(at, what).astimezone(self.zone) for at in span)
        if end <= begin:
            raise ValueError(f"{what} from {begin} until {end} are empty")
        return begin, end

    @cached_property
    def version(self) -> str:
        """Names all that a deadline depends on here (K6): the calendar's version, and a digest of the hall's own hours.

        Equal versions are equal schedules: whoever stores the version with a deadline can have it explained for ever.
        """
        own = self.own()
        parts = [own["hours"], own["closures"], own["sessions"], *own["later_hours"]]
        digest = hashlib.sha256(json.dumps([str(self.zone), *parts], separators=(",", ":")).encode()).hexdigest()[:12]
        return f"{self.calendar.version}|{digest}"

    def own(self) -> dict[str, list[Any]]:
        """What is the hall's own, as plain JSON values; instants in UTC."""
        spans = {
            name: [[at.astimezone(UTC).isoformat() for at in span] for span in getattr(self, name)]
            for name in ("closures", "sessions")
        }
        later_hours = [[day.isoformat(), hours.to_json()] for day, hours in self.later_hours]
        return {"hours": self.hours.to_json(), "later_hours": later_hours, **spans}

    def hours_on(self, day: date) -> OpeningHours:
        """The daily hours that hold on `day`, worked or not."""
        return next((hours for from_on, hours in reversed(self.later_hours) if from_on <= day), self.hours)

    def with_hours(self, hours: OpeningHours, from_on: date) -> Schedule:
        """The same with other daily hours from a day on, until the next change that was made before for a later day."""
        changes, last = [], self.hours
        for day, each in sorted({**dict(self.later_hours), from_on: hours}.items()):
            if each != last:
                changes.append((day, each))
            last = each
        return replace(self, later_hours=tuple(changes))

    def ordinary(self, day: date) -> list[Interval]:
        """The ordinary opening intervals of `day`, worked or not, whatever happens that day."""
        return self.hours_on(day).on(day, self.zone)

    def is_working(self, day: date) -> bool:
        """Whether `day` counts as a working day. Raises CalendarUnknown."""
        return self.calendar.is_working(day)

    def whole(self, day: date) -> Interval:
        """`day` from midnight to midnight, in the hall's zone."""
        begin = datetime.combine(day, MIDNIGHT, self.zone)
        return begin, datetime.combine(day + ONE_DAY, MIDNIGHT, self.zone)

    def open_intervals(self, day: date) -> tuple[Interval, ...]:
        """When the doors are open on `day`: merged, closures cut out, sessions in. Raises CalendarUnknown."""
        if day not in self._doors:
            intervals = self.ordinary(day) if self.is_working(day) else []
            planned = merged([*intervals, *self._within(self.sessions, day)])
            self._doors[day] = tuple(cut(planned, self._within(self.closures, day)))
        return self._doors[day]

    @cached_property
    def _doors(self) -> dict[date, tuple[Interval, ...]]:
        """The days that were asked for: clocks of one hall walk the same days again and again."""
        return {}

    def exception(self, day: date) -> str:
        """What is out of the ordinary on `day`: `closure`, `session` (a closure wins) or nothing."""
        sessions, closures = self._within(self.sessions, day), self._within(self.closures, day)
        if not sessions and not closures:
            return ""
        ordinary = self.ordinary(day) if self.is_working(day) else []
        planned = merged([*ordinary, *sessions])
        if tuple(planned) != self.open_intervals(day):
            return "closure"
        return "session" if planned != merged(ordinary) else ""

    def _within(self, spans: Iterable[Interval], day: date) -> list[Interval]:
        first, last = self.whole(day)
        return [(max(first, begin), min(last, end)) for begin, end in spans if begin < last and first < end]

    def is_open(self, at: datetime) -> bool:
        """Whether the doors are open at `at`; at the closing instant they are not. Raises CalendarUnknown."""
        at = aware(at).astimezone(self.zone)
        return any(begin <= at < end for begin, end in self.open_intervals(at.date()))

    def next_open(self, at: datetime) -> datetime | None:
        """The first instant with open doors, not before `at`; None if there is none within a year.

        Raises CalendarUnknown when the search leaves the announced years.
        """
        at = aware(at).astimezone(self.zone)
        for ahead in range(367):
            for begin, end in self.open_intervals(at.date() + ahead * ONE_DAY):
                if at < end:
                    return max(at, begin)
        return None

    def close_of_business(self, day: date) -> datetime:
        """The end of the last ordinary opening interval on `day`, whatever happens that day (民法典 §203)."""
        return self.ordinary(day)[-1][1]

    def opening(self, day: date) -> datetime:
        """The start of the first ordinary opening interval on `day`, whatever happens that day."""
        return datetime.combine(day, self.hours_on(day).opens, self.zone)


def _wall(text: str) -> time:
    if not re.fullmatch(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?", text):
        raise ValueError(f"{text!r} is no time of day like 08:30")
    return time.fromisoformat(text)


def _told(wall: time) -> str:
    return wall.isoformat(timespec="seconds" if wall.second else "minutes")
