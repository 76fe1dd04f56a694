"""What of a day is worth a second look: each with its evidence, and none with a mark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import median_low
from typing import Any

GAP_SLACK_S = 2  # a recall that comes so soon after the shortest gap allowed came as soon as it could


class Kind(StrEnum):
    """What is written down to be looked at again; each may have the best of reasons."""

    QUICK = "quick"  # 叫后很快结束: called and ended without service in less than `quick_s`
    CHOSEN = "chosen"  # 指定叫号
    FEW_RECALLS = "few-recalls"  # 重呼偏少: a no-show with fewer recalls than the hall's median
    FAST_RECALLS = "fast-recalls"  # 重呼最快: a no-show whose recalls all came as soon as they could
    ALL_RECALLS = "all-recalls"  # 重呼用满
    TAKEN_OVER = "taken-over"  # 接管窗口
    SENT_FIRST = "sent-first"  # 转到最前: passed on to stand before everybody there
    CLEARED = "cleared"  # 未叫即弃号: somebody was taken out of the queue without having been called


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to look at again, with its evidence: the record's entries from `from_seq` to `to_seq`, and `facts`."""

    kind: Kind
    window: str
    staff: str
    at: datetime
    from_seq: int
    to_seq: int
    number: str | None
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Miss:
    """A call that nobody answered, with its recalls, and how many there might have been, how close together."""

    window: str
    staff: str
    number: str
    called_at: datetime
    missed_at: datetime
    from_seq: int
    to_seq: int
    recalls: tuple[datetime, ...]
    most: int
    gap_s: int


def recall_patterns(misses: Sequence[Miss]) -> list[Entry]:
    """No-shows that were recalled less often than the hall's median of the day, as fast as can be, or to the limit."""
    if not misses:
        return []
    usual = median_low(len(miss.recalls) for miss in misses)
    found = []
    for miss in misses:
        tried = len(miss.recalls)
        if tried < usual:
            found.append(_pattern(Kind.FEW_RECALLS, miss, usual))
        if tried and _fast(miss):
            found.append(_pattern(Kind.FAST_RECALLS, miss, usual))
        if tried >= miss.most:
            found.append(_pattern(Kind.ALL_RECALLS, miss, usual))
    return found


def _fast(miss: Miss) -> bool:
    within = timedelta(seconds=miss.gap_s + GAP_SLACK_S)
    calls = (miss.called_at, *miss.recalls)
    return all(after - before <= within for before, after in pairwise(calls))


def _pattern(kind: Kind, miss: Miss, usual: int) -> Entry:
    seconds = int((miss.missed_at - miss.called_at).total_seconds())
    facts = {"recalls": len(miss.recalls), "usual": usual, "seconds": seconds, "most": miss.most}
    return Entry(kind, miss.window, miss.staff, miss.missed_at, miss.from_seq, miss.to_seq, miss.number, facts)
