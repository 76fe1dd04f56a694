"""The range that a phone shows: it counts down with the clock, and moves only for a reason that can be said (Q12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil

from app.queueing.rules.forecast import LEAST_S, Range


class Moved(StrEnum):
    """Why the range is another than before."""

    UP = "moved_up"  # 前面有人被叫走或离开
    BACK = "moved_back"  # 有优先的人排到前面
    OPENED = "window_opened"  # 开了窗口
    CLOSED = "window_closed"  # 关了或暂停了窗口
    SLOWER = "slower"  # 办理比预计的慢
    FASTER = "faster"  # 办理比预计的快


@dataclass(frozen=True, slots=True)
class Shown:
    """A range as instants between which the call is expected, with what was true when it was said."""

    low_at: datetime
    high_at: datetime
    ahead: int
    windows: int
    moved: Moved | None = None

    def left(self, at: datetime) -> tuple[int, int]:
        """The same as seconds from now, in whole minutes rounded outwards; at least one for who has people ahead."""
        low, high = ((each - at).total_seconds() for each in (self.low_at, self.high_at))
        least = LEAST_S if self.ahead else 0
        down = max(int(low // 60) * 60, least)
        return down, max(ceil(high / 60) * 60, down + 60)


def settle(before: Shown | None, seen: Range, at: datetime, ahead: int, windows: int) -> Shown:
    """What to show now, when `before` was shown and `seen` is what the simulation says.

    While place and windows are the same, what was shown stays as long as the middle of what is seen lies within it.
    """
    fresh = Shown(at + timedelta(seconds=seen.low_s), at + timedelta(seconds=seen.high_s), ahead, windows)
    if before is None:
        return fresh
    moved = _moved(before, fresh, at)
    if moved is None:
        return before
    return Shown(fresh.low_at, fresh.high_at, ahead, windows, moved)


def _moved(before: Shown, fresh: Shown, at: datetime) -> Moved | None:
    middle = fresh.low_at + (fresh.high_at - fresh.low_at) / 2
    if middle > before.high_at or before.high_at <= at:
        if fresh.ahead > before.ahead:
            return Moved.BACK
        return Moved.CLOSED if fresh.windows < before.windows else Moved.SLOWER
    if middle < before.low_at:
        if fresh.ahead < before.ahead:
            return Moved.UP
        return Moved.OPENED if fresh.windows > before.windows else Moved.FASTER
    if fresh.ahead != before.ahead:
        return Moved.UP if fresh.ahead < before.ahead else Moved.BACK
    if fresh.windows != before.windows:
        return Moved.OPENED if fresh.windows > before.windows else Moved.CLOSED
    return None
