"""What a window does with the time that it is open, as unbroken stretches of one use: no moment in none, none in two."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Use(StrEnum):
    """What a window that somebody has opened is doing. At each moment it is exactly one of these."""

    PAUSED = "paused"  # 暂停
    WALKING = "walking"  # 等人到窗: called, not yet here
    SERVING = "serving"  # 办理
    IDLE = "idle"  # 空闲有人等: no ticket, while somebody waits whom it may call
    FREE = "free"  # 空闲无人等


@dataclass(frozen=True, slots=True)
class Stretch:
    """An unbroken stretch of one use of a window by one clerk, `begin` included, `end` excluded.

    The record's entries `from_seq` and `to_seq` began and ended it; none where the day, or now, cut it. `waiting`: of an
    idle one, how many it might have called at once, at the most; `number`: who is at the window, or of an idle one who
    had waited the longest when it began.
    """

    window: str
    staff: str
    use: Use
    begin: datetime
    end: datetime
    from_seq: int | None
    to_seq: int | None
    number: str | None = None
    waiting: int = 0

    @property
    def span(self) -> timedelta:
        return self.end - self.begin


@dataclass(slots=True)
class _Running:
    """The stretch that a window is in."""

    use: Use
    staff: str
    begin: datetime
    seq: int | None
    number: str | None
    waiting: int


class Stretches:
    """The stretches of all windows while a record is read: those that have ended, and the one that each window is in."""

    def __init__(self) -> None:
        self._running: dict[str, _Running] = {}
        self._ended: list[Stretch] = []

    def lasts(self, window: str, use: Use, staff: str, number: str | None, waiting: int) -> bool:
        """Whether the window's stretch goes on; an idle one does for the same clerk, whoever waits."""
        now = self._running.get(window)
        if now is None or (now.use, now.staff) != (use, staff) or (use != Use.IDLE and now.number != number):
            return False
        now.waiting = max(now.waiting, waiting)
        return True

    def enter(
        self, window: str, use: Use, staff: str, at: datetime, seq: int | None, number: str | None, waiting: int
    ) -> None:
        """Let another stretch of the window begin; the one that it was in ends."""
        self.cut(window, at, seq)
        self._running[window] = _Running(use, staff, at, seq, number, waiting)

    def cut(self, window: str, at: datetime, seq: int | None) -> None:
        """End the stretch that the window is in; one without any length has not been."""
        ends = self._running.pop(window, None)
        if ends is not None and ends.begin < at:
            entries = (ends.seq, seq)
            self._ended.append(
                Stretch(window, ends.staff, ends.use, ends.begin, at, *entries, ends.number, ends.waiting)
            )

    def until(self, end: datetime) -> tuple[Stretch, ...]:
        """All of them, by window and in order, the last ones cut at `end`."""
        for window in list(self._running):
            self.cut(window, end, None)
        return tuple(sorted(self._ended, key=lambda each: (each.window, each.begin)))


def sums(stretches: Iterable[Stretch], by: Callable[[Stretch], str]) -> dict[str, dict[Use, timedelta]]:
    """How long each key was in each use. Together they are the time that it was open."""
    found: dict[str, dict[Use, timedelta]] = {}
    for each in stretches:
        own = found.setdefault(by(each), dict.fromkeys(Use, timedelta()))
        own[each.use] += each.span
    return found
