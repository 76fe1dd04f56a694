"""A hall's rules of calling as data: head starts, weights, conditions, ratio, and the figures of Q8 (DOMAIN Q5–Q8)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from datetime import time
from typing import Any

from app.queueing.rules.states import Lane

FRONT_MIN = 24 * 60  # straight to the front: more than anything else can add up to within a day
HEAD_START_MIN: Mapping[Lane, int] = {Lane.NORMAL: 0, Lane.PRIORITY: 15, Lane.APPOINTMENT: 0, Lane.RETURNING: FRONT_MIN}
MOST_MIN = 120  # the largest head start, the largest weight, and what all conditions together may give
MOST_CONDITIONS = 20
MOST_SHARE = 20

BOUNDS: Mapping[str, tuple[int, int]] = {
    "recalls": (1, 9),
    "recall_gap_s": (0, 120),
    "restore_within_min": (0, 480),
    "restore_behind": (0, 50),
    "rejoin_within_min": (0, 480),
    "park_remind_min": (1, 240),
    "rest_s": (0, 600),
    "quick_s": (0, 300),
    "service_level_min": (1, 240),
    "transfer_cap": (1, 20),
}
CALL_BY_MIN = (5, 480)
OVER = {"waiting_over": (0, 1000), "waited_over_min": (0, 480)}
SET_LANES = (Lane.PRIORITY, Lane.APPOINTMENT)  # the normal lane is where head starts are counted from

_CODE = re.compile(r"[A-Za-z0-9_-]{1,40}", re.ASCII)
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)


class PolicyInvalid(ValueError):
    """The data say something that no hall may say; `field` names where, as in `conditions.2.since`."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True, slots=True)
class Condition:
    """WHEN a lane's head is like this, THEN it counts as having waited `minutes` longer. What is None matters not.

    Only what is the same for a whole lane, or grows with the wait, can be asked: so nobody is overtaken within a lane.
    `since` and `until` are local times of day, the second excluded.
    """

    minutes: int
    queue: str | None = None
    lane: Lane | None = None
    window: str | None = None
    waiting_over: int | None = None  # more than so many wait in its queue
    waited_over_min: int | None = None
    since: time | None = None
    until: time | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A hall's rules of calling. Minutes are whole; `weight_min` are those of the one window that calls."""

    head_start_min: Mapping[Lane, int] = field(default_factory=lambda: dict(HEAD_START_MIN))
    weight_min: Mapping[str, int] = field(default_factory=dict)
    conditions: tuple[Condition, ...] = ()  # what those that hold give is added up, to MOST_MIN at most
    ratio: tuple[int, int] | None = None  # so many of the normal lane for so many of the priority lane, when both wait
    call_by_min: int | None = None  # whoever has waited so long comes before every other rule
    recalls: int = 3  # at most, before a no-show (Q8)
    recall_gap_s: int = 10
    restore_within_min: int = 30
    restore_behind: int = 3  # a restored ticket waits behind this many
    rejoin_within_min: int = 60  # a citizen who went away may come back for so long
    park_remind_min: int = 20  # the clerk is reminded of a parked ticket after this
    dispatch: bool = False  # 自动派单: the longest idle window is given the next ticket
    rest_s: int = 30  # not before it has rested so long
    quick_s: int = 20  # a call that ends so fast without service is looked at (Q7)
    service_level_min: int = 15  # a wait up to this counts as in time
    transfer_cap: int = 5  # one ticket is passed on at most so often


def furthest_min(policy: Policy, weights: Collection[int] = ()) -> int:
    """How many minutes later than you somebody may have come and still be called first by rank, at the most.

    `weights`: those of all windows, when the policy's own are not all that matter. Tickets that go straight to the
    front (returning with a supplement, sent to this window) stand outside; the ratio has its own bound.
    """
    starts = [policy.head_start_min.get(lane, 0) for lane in Lane if lane != Lane.RETURNING]
    minutes = [0, *policy.weight_min.values(), *weights]
    return max(starts) + max(minutes) + min(sum(each.minutes for each in policy.conditions), MOST_MIN)


def read_policy(data: Mapping[str, Any], weights: Mapping[str, int] | None = None) -> Policy:
    """The policy that a hall's settings say over the defaults. Raises PolicyInvalid for what is out of bounds."""
    data = _mapping(data, "policy")
    for name in data:
        if name not in _SETTABLE:
            raise PolicyInvalid(str(name))
    head_start = dict(HEAD_START_MIN)
    for lane, minutes in _mapping(data.get("head_start_min", {}), "head_start_min").items():
        if lane not in SET_LANES:
            raise PolicyInvalid(f"head_start_min.{lane}")
        head_start[Lane(lane)] = _whole(minutes, (0, MOST_MIN), f"head_start_min.{lane}")
    conditions = data.get("conditions", [])
    if not isinstance(conditions, list) or len(conditions) > MOST_CONDITIONS:
        raise PolicyInvalid("conditions")
    if not isinstance(data.get("dispatch", False), bool):
        raise PolicyInvalid("dispatch")
    call_by = data.get("call_by_min")
    return Policy(
        head_start_min=head_start,
        weight_min=dict(weights or {}),
        conditions=tuple(_condition(each, f"conditions.{n}") for n, each in enumerate(conditions)),
        ratio=_ratio(data.get("ratio")),
        call_by_min=None if call_by is None else _whole(call_by, CALL_BY_MIN, "call_by_min"),
        dispatch=data.get("dispatch", False),
        **{name: _whole(data[name], bounds, name) for name, bounds in BOUNDS.items() if name in data},
    )


def write_policy(policy: Policy) -> dict[str, Any]:
    """The policy whole, as plain data that `read_policy` takes; the weights, which belong to windows, stand apart."""
    said = {name: getattr(policy, name) for name in ("call_by_min", "dispatch", *BOUNDS)}
    return said | {
        "head_start_min": {lane.value: policy.head_start_min[lane] for lane in SET_LANES},
        "ratio": list(policy.ratio) if policy.ratio else None,
        "conditions": [_written(each) for each in policy.conditions],
    }


def _written(condition: Condition) -> dict[str, Any]:
    values = {each.name: getattr(condition, each.name) for each in fields(Condition)}
    said = {name: f"{value:%H:%M}" if isinstance(value, time) else value for name, value in values.items()}
    return {name: value for name, value in said.items() if value is not None}


_SETTABLE = frozenset(each.name for each in fields(Policy)) - {"weight_min"}
_ASKED = frozenset(each.name for each in fields(Condition))


def _condition(data: Any, path: str) -> Condition:
    when = _mapping(data, path)
    for name in when:
        if name not in _ASKED:
            raise PolicyInvalid(f"{path}.{name}")

    def asked(name: str) -> Any:
        return when.get(name)

    for name in ("queue", "window"):
        if asked(name) is not None and not (isinstance(asked(name), str) and _CODE.fullmatch(asked(name))):
            raise PolicyInvalid(f"{path}.{name}")
    lane = asked("lane")
    if lane is not None and not (isinstance(lane, str) and lane in set(Lane)):
        raise PolicyInvalid(f"{path}.lane")
    since, until = (_clock(asked(name), f"{path}.{name}") for name in ("since", "until"))
    if since and until and since >= until:
        raise PolicyInvalid(f"{path}.until")
    return Condition(
        minutes=_whole(asked("minutes"), (1, MOST_MIN), f"{path}.minutes"),
        queue=asked("queue"),
        lane=None if lane is None else Lane(lane),
        window=asked("window"),
        **{n: None if asked(n) is None else _whole(asked(n), span, f"{path}.{n}") for n, span in OVER.items()},
        since=since,
        until=until,
    )


def _clock(data: Any, path: str) -> time | None:
    if data is None:
        return None
    if not (isinstance(data, str) and _CLOCK.fullmatch(data)):
        raise PolicyInvalid(path)
    return time.fromisoformat(data)


def _ratio(data: Any) -> tuple[int, int] | None:
    if data is None:
        return None
    if not isinstance(data, list | tuple) or len(data) != 2:
        raise PolicyInvalid("ratio")
    normal, priority = (_whole(each, (1, MOST_SHARE), "ratio") for each in data)
    return normal, priority


def _mapping(data: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise PolicyInvalid(path)
    return data


def _whole(value: Any, bounds: tuple[int, int], path: str) -> int:
    least, most = bounds
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise PolicyInvalid(path)
    return value
