"""The two clocks of a case: which limit, from when, and which stops count for which (DOMAIN C6, C7, K5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.hall.rules.clock import LedgerRow, Limit, Pause, Reckoning, Unit, explain, reckon
from app.hall.rules.hours import Schedule
from app.hall.rules.lights import Light, light, next_light_at


class Clock(StrEnum):
    PROMISED = "promised"  # 承诺时限
    STATUTORY = "statutory"  # 法定时限


class Ground(StrEnum):
    """The special procedures whose time is not counted (行政许可法 §45); nothing else stops the statutory clock."""

    HEARING = "hearing"  # 听证
    TENDER = "tender"  # 招标
    AUCTION = "auction"  # 拍卖
    INSPECTION = "inspection"  # 检验
    TESTING = "testing"  # 检测
    QUARANTINE = "quarantine"  # 检疫
    APPRAISAL = "appraisal"  # 鉴定
    EXPERT_REVIEW = "expert_review"  # 专家评审


EXTENSION_WD = 10  # 行政许可法 §42: once, by at most ten working days
NOTICE_LIMIT = Limit(5, Unit.WD)  # 行政许可法 §32: tell what is missing within five working days


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop of one case. `stops` names the clocks that stand still."""

    stops: frozenset[Clock]
    from_at: datetime
    until_at: datetime | None


@dataclass(frozen=True, slots=True)
class CaseClocks:
    """What both clocks are computed from: limits as frozen at receipt, the start, the stops, the extension."""

    promised: Limit
    statutory: Limit
    start_at: datetime
    stops: Sequence[Stop]
    extended: bool

    def limit(self, clock: Clock) -> Limit:
        """The limit with its extension, which is in working days and so lengthens only limits in working days."""
        limit = self.promised if clock is Clock.PROMISED else self.statutory
        return Limit(limit.amount + EXTENSION_WD, limit.unit) if self.extended and limit.unit is Unit.WD else limit

    def pauses(self, clock: Clock) -> list[Pause]:
        return [Pause(stop.from_at, stop.until_at) for stop in self.stops if clock in stop.stops]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a case stands at one instant."""

    promised: Reckoning
    statutory: Reckoning
    light: Light
    next_light_at: datetime | None

    def of(self, clock: Clock) -> Reckoning:
        return self.promised if clock is Clock.PROMISED else self.statutory

    @property
    def provisional(self) -> bool:
        return self.promised.provisional or self.statutory.provisional


def standing(clocks: CaseClocks, schedule: Schedule, at: datetime) -> Standing:
    """Both clocks and the light at `at`, an aware instant; of a decided case, the instant of the decision."""
    promised, statutory = (
        reckon(clocks.start_at, clocks.limit(clock), clocks.pauses(clock), schedule, at=at) for clock in Clock
    )
    shown = light(promised, statutory, schedule, at)
    return Standing(promised, statutory, shown, next_light_at(promised, statutory, schedule, at))


def ledger(clocks: CaseClocks, clock: Clock, schedule: Schedule, at: datetime) -> list[LedgerRow]:
    """The days behind one clock, as a citizen who disputes it is shown them (K9)."""
    return explain(clocks.start_at, clocks.limit(clock), clocks.pauses(clock), schedule, at=at)


def read_limit(value: Mapping[str, Any]) -> Limit:
    """A limit as it is stored: {"amount": 20, "unit": "WD"}."""
    return Limit(int(value["amount"]), Unit(value["unit"]))
