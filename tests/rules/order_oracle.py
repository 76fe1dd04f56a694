"""The calling rule a second time, slow and plain: every waiting person against every other, no heads of lanes.

And a hall that plays a day by the real rule, so that what the rule promises can be counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from app.queueing.rules.order import LaneHead, Tally, choose_next
from app.queueing.rules.policy import Condition, Policy
from app.queueing.rules.states import Lane

SHANGHAI = ZoneInfo("Asia/Shanghai")
FRONT = 1440


def holds(when: Condition, who: LaneHead, window: str, at: datetime) -> bool:
    """Every part of the condition that is asked must be so."""
    clock = at.astimezone(SHANGHAI).strftime("%H:%M:%S.%f")
    if when.queue is not None and when.queue != who.queue:
        return False
    if when.lane is not None and when.lane != who.lane:
        return False
    if when.window is not None and when.window != window:
        return False
    if when.waiting_over is not None and not who.waiting > when.waiting_over:
        return False
    if when.waited_over_min is not None and not (at - who.queued_at).total_seconds() / 60 > when.waited_over_min:
        return False
    if when.since is not None and clock < when.since.strftime("%H:%M:%S.%f"):
        return False
    return when.until is None or clock < when.until.strftime("%H:%M:%S.%f")


def minutes_of(who: LaneHead, policy: Policy, window: str, at: datetime) -> int:
    if who.direct:
        return FRONT
    given = sum(when.minutes for when in policy.conditions if holds(when, who, window, at))
    own = policy.head_start_min[who.lane] + policy.weight_min.get(who.queue, 0)
    return own + (given if given < 120 else 120)


def goes_before(a: LaneHead, b: LaneHead, policy: Policy, window: str, at: datetime) -> bool:
    """Whether `a` ranks before `b`: it has waited longer, the minutes that count for it included."""
    mine = (at - a.queued_at).total_seconds() + 60 * minutes_of(a, policy, window, at)
    other = (at - b.queued_at).total_seconds() + 60 * minutes_of(b, policy, window, at)
    return mine > other or (mine == other and a.ticket < b.ticket)


def oracle(everyone: Iterable[LaneHead], policy: Policy, at: datetime, window: str, tally: Tally) -> int | None:
    """The ticket to call among all who wait."""
    waiting = list(everyone)
    if not waiting:
        return None
    if policy.call_by_min is not None:
        late = [w for w in waiting if (at - w.queued_at).total_seconds() >= 60 * policy.call_by_min]
        for who in late:
            if all((who.queued_at, who.ticket) <= (w.queued_at, w.ticket) for w in late):
                return who.ticket
    pool = {w.lane for w in waiting if not w.direct}
    allowed = waiting
    if policy.ratio and Lane.NORMAL in pool and Lane.PRIORITY in pool:
        normal, priority = (
            min(Fraction(n, share), 1) for n, share in zip((tally.normal, tally.priority), policy.ratio)
        )
        stands_back = Lane.PRIORITY if normal <= priority else Lane.NORMAL
        allowed = [w for w in waiting if w.direct or w.lane != stands_back]
    for who in allowed:
        if all(w is who or goes_before(who, w, policy, window, at) for w in allowed):
            return who.ticket
    raise AssertionError("somebody must come first")


@dataclass(frozen=True)
class Arrival:
    """Somebody comes `minute` minutes after the day began; `booked` is an appointment's own time."""

    minute: float
    queue: str
    lane: Lane
    booked: float | None = None


@dataclass(frozen=True)
class Called:
    """A call of the play, and everybody who could have been called instead."""

    at: datetime
    window: str
    chosen: LaneHead
    rule: str
    tally: Tally
    others: tuple[LaneHead, ...]


@dataclass
class Play:
    """A hall's day: windows with their weights, people who come, the real rule."""

    begin: datetime
    policy: Policy
    windows: Mapping[str, Mapping[str, int]]
    service_min: float = 5
    waiting: dict[int, LaneHead] = field(default_factory=dict)
    came_at: dict[int, datetime] = field(default_factory=dict)
    calls: list[Called] = field(default_factory=list)
    tallies: dict[str, Tally] = field(default_factory=dict)

    def come(self, arrival: Arrival) -> int:
        ticket = len(self.came_at) + 1
        came = self.begin + timedelta(minutes=arrival.minute)
        counted = came if arrival.booked is None else self.begin + timedelta(minutes=arrival.booked)
        self.came_at[ticket] = came
        self.waiting[ticket] = LaneHead(ticket, f"{arrival.queue}{ticket:03d}", arrival.queue, arrival.lane, counted)
        return ticket

    def call(self, window: str, at: datetime) -> Called | None:
        """What call_next does: heads of lanes of the window's queues, the rule, the tally."""
        weights = self.windows[window]
        policy = Policy(
            head_start_min=self.policy.head_start_min,
            weight_min=weights,
            conditions=self.policy.conditions,
            ratio=self.policy.ratio,
            call_by_min=self.policy.call_by_min,
        )
        mine = [w for w in self.waiting.values() if w.queue in weights]
        heads: dict[tuple[str, Lane], LaneHead] = {}
        for who in sorted(mine, key=lambda w: (w.queued_at, w.ticket)):
            heads.setdefault((who.queue, who.lane), who)
        made = choose_next(list(heads.values()), policy, at, window, self.tallies.get(window, Tally()))
        if made is None:
            return None
        chosen, why, self.tallies[window] = made
        del self.waiting[chosen.ticket]
        others = tuple(w for w in mine if w.ticket != chosen.ticket)
        self.calls.append(Called(at, window, chosen, why["rule"], self.tallies[window], others))
        return self.calls[-1]

    def run(self, arrivals: Sequence[Arrival], minutes: float) -> Play:
        """Every window calls, serves for `service_min`, and calls again, until the day is over."""
        coming = sorted(arrivals, key=lambda a: a.minute)
        free = dict.fromkeys(self.windows, 0.0)
        minute = 0.0
        while minute < minutes:
            while coming and coming[0].minute <= minute:
                self.come(coming.pop(0))
            for window in sorted(self.windows):
                if free[window] <= minute and self.call(window, self.begin + timedelta(minutes=minute)):
                    free[window] = minute + self.service_min
            minute += 0.5
        return self

    def called(self, ticket: int) -> int | None:
        """The place of a ticket among all calls."""
        return next((n for n, call in enumerate(self.calls) if call.chosen.ticket == ticket), None)
