"""The two clocks of a case: which limit, from when, and which stops count for which (DOMAIN C6, C7, K5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from app.casework.rules.states import CaseStep
from app.hall.rules.clock import Limit, Pause, Reckoning, Unit, reckon
from app.hall.rules.hours import Schedule
from app.hall.rules.ledger import LedgerRow, explain
from app.hall.rules.lights import Light, light, next_light_at


class Clock(StrEnum):
    PROMISED = "promised"  # 承诺时限
    STATUTORY = "statutory"  # 法定时限


class Ground(StrEnum):
    """The special procedures whose time is not counted; nothing else stops the statutory clock.

    The eight of 行政许可法 §45, and asking third parties (政府信息公开条例 §33); which of them a case may use is a rule
    of its regime.
    """

    HEARING = "hearing"  # 听证
    TENDER = "tender"  # 招标
    AUCTION = "auction"  # 拍卖
    INSPECTION = "inspection"  # 检验
    TESTING = "testing"  # 检测
    QUARANTINE = "quarantine"  # 检疫
    APPRAISAL = "appraisal"  # 鉴定
    EXPERT_REVIEW = "expert_review"  # 专家评审
    THIRD_PARTY = "third_party"  # 征求第三方意见


class SiteGround(StrEnum):
    """What an authority does itself: only the promise waits for it (C6)."""

    SITE_CHECK = "site_check"  # 现场勘验
    TECHNICAL_REVIEW = "technical_review"  # 技术审查


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop of one case. `stops` names the clocks that stand still."""

    stops: frozenset[Clock]
    from_at: datetime
    until_at: datetime | None


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension 延期: so much more for these clocks. Only a limit counted in the same unit can grow."""

    more: Limit
    clocks: frozenset[Clock]

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Extension:
        """As `to_json` gives it; what was extended before clocks were named lengthened both."""
        clocks = Clock if value.get("clocks", "both") == "both" else [Clock.STATUTORY]
        return cls(read_limit(value), frozenset(clocks))

    def to_json(self) -> dict[str, Any]:
        return {"amount": self.more.amount, "unit": self.more.unit.value, "clocks": self.names}

    def added(self, clock: Clock, limit: Limit) -> Limit:
        """The limit of a clock with what the extension gives it."""
        if clock not in self.clocks or self.more.unit is not limit.unit:
            return limit
        return Limit(limit.amount + self.more.amount, limit.unit)

    @property
    def names(self) -> str:
        """Which clocks, in a word: `both` or `statutory`."""
        return "both" if Clock.PROMISED in self.clocks else Clock.STATUTORY.value


@dataclass(frozen=True, slots=True)
class CaseClocks:
    """What both clocks are computed from: limits as frozen at receipt, the start, the stops, the extension.

    `promise_at` is a printed promise that a newer calendar must not move later (K6), and `promise_by` the schedule that
    it was counted with; None when none was moved.
    `next_day`: what was received outside opening hours counts from the next working day (K4).
    """

    promised: Limit
    statutory: Limit
    start_at: datetime
    stops: Sequence[Stop]
    extension: Extension | None = None
    promise_at: datetime | None = None
    promise_by: Schedule | None = None
    next_day: bool = False

    def limit(self, clock: Clock) -> Limit:
        """The limit with its extension."""
        limit = self.promised if clock is Clock.PROMISED else self.statutory
        return self.extension.added(clock, limit) if self.extension else limit

    def pauses(self, clock: Clock) -> list[Pause]:
        return [Pause(stop.from_at, stop.until_at) for stop in self.stops if clock in stop.stops]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a case stands at one instant; `judged_at` is that instant, or for what is done the last before it.

    `kept`: the promise is the printed one, which a newer schedule would put off.
    """

    promised: Reckoning
    statutory: Reckoning
    light: Light
    next_light_at: datetime | None
    judged_at: datetime
    kept: bool = False

    def of(self, clock: Clock) -> Reckoning:
        return self.promised if clock is Clock.PROMISED else self.statutory

    def late(self, clock: Clock) -> bool:
        """Whether the limit is missed; what is done at its due instant is in time."""
        return self.of(clock).passed_by(self.judged_at)

    @property
    def provisional(self) -> bool:
        return self.promised.provisional or self.statutory.provisional


def standing(clocks: CaseClocks, schedule: Schedule, at: datetime, *, done: bool = False) -> Standing:
    """Both clocks and the light at `at`, an aware instant; of a case that is `done`, the instant at which it was."""
    (promised, by), (statutory, _) = (_counted(clocks, clock, schedule, at) for clock in Clock)
    judged_at = at - timedelta(microseconds=1) if done else at
    shown = light(promised, statutory, schedule, judged_at)
    next_at = next_light_at(promised, statutory, schedule, at)
    return Standing(promised, statutory, shown, next_at, judged_at, kept=by is not schedule)


def reckoned(clocks: CaseClocks, clock: Clock, schedule: Schedule, at: datetime) -> Reckoning:
    """One clock at `at`; a printed promise stands in place of a later one, and counts as it did when it was printed."""
    return _counted(clocks, clock, schedule, at)[0]


def _counted(clocks: CaseClocks, clock: Clock, schedule: Schedule, at: datetime) -> tuple[Reckoning, Schedule]:
    """One clock, and the schedule that it goes by."""
    limit, pauses = clocks.limit(clock), clocks.pauses(clock)

    def by(each: Schedule) -> Reckoning:
        return reckon(clocks.start_at, limit, pauses, each, at=at, receipt_next_day=clocks.next_day)

    found, kept = by(schedule), clocks.promise_at if clock is Clock.PROMISED else None
    if kept is None or found.due_at is None or found.due_at <= kept:
        return found, schedule
    if clocks.promise_by is None:
        return replace(found, due_at=kept), schedule
    return replace(by(clocks.promise_by), due_at=kept), clocks.promise_by


_STOPS = {
    CaseStep.SUSPEND: frozenset(Clock),
    CaseStep.CHECK_SITE: frozenset({Clock.PROMISED}),
    CaseStep.REQUEST_SUPPLEMENT: frozenset({Clock.PROMISED}),
}


def after_step(clocks: CaseClocks, step: CaseStep, at: datetime, schedule: Schedule, more: Limit | None) -> CaseClocks:
    """The clocks of a case in review as a step at `at` would leave them; `more` is the extension its regime allows.

    A step that moves the clocks computes the promise anew, also one that was kept against a newer calendar.
    """
    if step in _STOPS:
        return replace(clocks, stops=[*clocks.stops, Stop(_STOPS[step], at, None)], promise_at=None)
    if step is CaseStep.RESUME:
        ended = [stop if stop.until_at else replace(stop, until_at=max(at, stop.from_at)) for stop in clocks.stops]
        return replace(clocks, stops=ended, promise_at=None)
    if step is CaseStep.EXTEND and more is not None:
        return extended(clocks, more, schedule, at)
    return clocks


def extended(clocks: CaseClocks, more: Limit, schedule: Schedule, at: datetime) -> CaseClocks:
    """The clocks as an extension at `at` leaves them (C7); a promise that has passed by then stays broken."""
    promise = reckoned(clocks, Clock.PROMISED, schedule, at)
    if promise.limit.unit is not more.unit or promise.passed_by(at):
        return replace(clocks, extension=Extension(more, frozenset({Clock.STATUTORY})))
    return replace(clocks, extension=Extension(more, frozenset(Clock)), promise_at=None)


def ledger(clocks: CaseClocks, clock: Clock, schedule: Schedule, at: datetime) -> list[LedgerRow]:
    """The days behind one clock, as a citizen who disputes it is shown them (K9)."""
    limit, pauses = clocks.limit(clock), clocks.pauses(clock)
    _, by = _counted(clocks, clock, schedule, at)
    return explain(clocks.start_at, limit, pauses, by, at=at, receipt_next_day=clocks.next_day)


def read_limit(value: Mapping[str, Any]) -> Limit:
    """A limit as it is stored: {"amount": 20, "unit": "WD"}."""
    return Limit(int(value["amount"]), Unit(value["unit"]))


def deferred(rules: Mapping[str, Any]) -> bool:
    """Whether limits that count from the receipt begin on the next working day when the doors were shut (K4)."""
    return rules["day_zero"] == "receipt" and rules["receipt_next_day"]


def extension_of(guide: Mapping[str, Any]) -> Limit | None:
    """By how much the guide's regime lets its statutory limit be extended; None where it does not.

    A limit that is counted in another unit than the extension follows a law of its own.
    """
    allowed = guide["rules"]["extension"]
    if allowed is None or allowed["unit"] != guide["statutory"]["unit"]:
        return None
    return read_limit(allowed)
