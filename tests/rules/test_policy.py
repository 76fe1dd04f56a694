"""The rules of calling as data: what may be said, what is refused by name, and that nothing is lost on the way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.queueing.rules.policy import (
    BOUNDS,
    CALL_BY_MIN,
    MOST_CONDITIONS,
    MOST_MIN,
    MOST_SHARE,
    OVER,
    Condition,
    Policy,
    PolicyInvalid,
    furthest_min,
    read_policy,
    write_policy,
)
from app.queueing.rules.states import Lane

clocks = st.times().map(lambda t: f"{t:%H:%M}")
written_conditions = st.fixed_dictionaries(
    {"minutes": st.integers(1, MOST_MIN)},
    optional={
        "queue": st.sampled_from("ABC"),
        "lane": st.sampled_from([lane.value for lane in Lane]),
        "window": st.sampled_from(["W01", "P02"]),
        "waiting_over": st.integers(*OVER["waiting_over"]),
        "waited_over_min": st.integers(*OVER["waited_over_min"]),
        "since": clocks,
        "until": clocks,
    },
).filter(lambda c: not ("since" in c and "until" in c and c["since"] >= c["until"]))
written = st.fixed_dictionaries(
    {},
    optional={
        "head_start_min": st.dictionaries(st.sampled_from(["priority", "appointment"]), st.integers(0, MOST_MIN)),
        "conditions": st.lists(written_conditions, max_size=4),
        "ratio": st.none() | st.lists(st.integers(1, MOST_SHARE), min_size=2, max_size=2),
        "call_by_min": st.none() | st.integers(*CALL_BY_MIN),
        "dispatch": st.booleans(),
        **{name: st.integers(*bounds) for name, bounds in BOUNDS.items()},
    },
)


def test_a_hall_that_says_nothing_has_the_defaults() -> None:
    assert read_policy({}) == Policy()
    assert Policy().head_start_min == {"normal": 0, "priority": 15, "appointment": 0, "returning": 1440}


@given(written)
def test_what_is_said_is_what_is_read_and_the_rest_are_the_defaults(data: dict[str, Any]) -> None:
    policy, whole = read_policy(data), write_policy(read_policy(data))
    assert read_policy(json.loads(json.dumps(whole))) == policy
    for name, value in data.items():
        assert whole[name] == ({"priority": 15, "appointment": 0, **value} if name == "head_start_min" else value)
    untouched = write_policy(Policy())
    assert all(whole[name] == untouched[name] for name in set(whole) - set(data))


def test_the_weights_are_those_of_the_window() -> None:
    assert read_policy({}, {"A": 5}).weight_min == {"A": 5}
    assert "weight_min" not in write_policy(read_policy({}, {"A": 5}))


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ([], "policy"),
        (None, "policy"),
        ({"colour": 1}, "colour"),
        ({"weight_min": {"A": 5}}, "weight_min"),
        ({"head_start_min": 15}, "head_start_min"),
        ({"head_start_min": {"priority": -1}}, "head_start_min.priority"),
        ({"head_start_min": {"priority": MOST_MIN + 1}}, "head_start_min.priority"),
        ({"head_start_min": {"priority": 1.5}}, "head_start_min.priority"),
        ({"head_start_min": {"priority": True}}, "head_start_min.priority"),
        ({"head_start_min": {"appointment": "5"}}, "head_start_min.appointment"),
        ({"head_start_min": {"normal": 5}}, "head_start_min.normal"),
        ({"head_start_min": {"returning": 5}}, "head_start_min.returning"),
        ({"head_start_min": {"express": 5}}, "head_start_min.express"),
        ({"ratio": 2}, "ratio"),
        ({"ratio": [2]}, "ratio"),
        ({"ratio": [2, 1, 1]}, "ratio"),
        ({"ratio": [0, 1]}, "ratio"),
        ({"ratio": [MOST_SHARE + 1, 1]}, "ratio"),
        ({"ratio": "21"}, "ratio"),
        ({"call_by_min": CALL_BY_MIN[0] - 1}, "call_by_min"),
        ({"call_by_min": CALL_BY_MIN[1] + 1}, "call_by_min"),
        ({"call_by_min": "60"}, "call_by_min"),
        ({"dispatch": 1}, "dispatch"),
        ({"dispatch": None}, "dispatch"),
        ({"conditions": {}}, "conditions"),
        ({"conditions": [{"minutes": 1}] * (MOST_CONDITIONS + 1)}, "conditions"),
        ({"conditions": ["minutes"]}, "conditions.0"),
        ({"conditions": [{"minutes": 5}, {}]}, "conditions.1.minutes"),
        ({"conditions": [{"minutes": 0}]}, "conditions.0.minutes"),
        ({"conditions": [{"minutes": MOST_MIN + 1}]}, "conditions.0.minutes"),
        ({"conditions": [{"minutes": 5, "colour": "red"}]}, "conditions.0.colour"),
        ({"conditions": [{"minutes": 5, "queue": 7}]}, "conditions.0.queue"),
        ({"conditions": [{"minutes": 5, "queue": ""}]}, "conditions.0.queue"),
        ({"conditions": [{"minutes": 5, "window": "W" * 41}]}, "conditions.0.window"),
        ({"conditions": [{"minutes": 5, "window": "窗\x00"}]}, "conditions.0.window"),
        ({"conditions": [{"minutes": 5, "lane": "express"}]}, "conditions.0.lane"),
        ({"conditions": [{"minutes": 5, "lane": ["normal"]}]}, "conditions.0.lane"),
        ({"conditions": [{"minutes": 5, "waiting_over": -1}]}, "conditions.0.waiting_over"),
        ({"conditions": [{"minutes": 5, "waited_over_min": 481}]}, "conditions.0.waited_over_min"),
        ({"conditions": [{"minutes": 5, "since": "25:00"}]}, "conditions.0.since"),
        ({"conditions": [{"minutes": 5, "since": "9:00"}]}, "conditions.0.since"),
        ({"conditions": [{"minutes": 5, "since": ""}]}, "conditions.0.since"),
        ({"conditions": [{"minutes": 5, "since": 9}]}, "conditions.0.since"),
        ({"conditions": [{"minutes": 5, "until": "09:00+08:00"}]}, "conditions.0.until"),
        ({"conditions": [{"minutes": 5, "since": "12:00", "until": "12:00"}]}, "conditions.0.until"),
        *(({name: bounds[0] - 1}, name) for name, bounds in BOUNDS.items()),
        *(({name: bounds[1] + 1}, name) for name, bounds in BOUNDS.items()),
        *(({name: None}, name) for name in BOUNDS),
    ],
)
def test_what_no_hall_may_say_is_refused_by_the_name_of_its_field(data: Any, field: str) -> None:
    with pytest.raises(PolicyInvalid) as refused:
        read_policy(data)
    assert refused.value.field == field


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from([*BOUNDS, "head_start_min", "conditions", "ratio", "call_by_min", "dispatch"])
parts = st.sampled_from(["minutes", "queue", "lane", "window", "waiting_over", "waited_over_min", "since", "until"])


@given(st.dictionaries(names, junk | st.lists(st.dictionaries(parts, junk, max_size=3), max_size=2), max_size=3))
def test_whatever_comes_in_is_read_or_refused_and_nothing_else(data: dict[str, Any]) -> None:
    try:
        policy = read_policy(data)
    except PolicyInvalid as refused:
        assert refused.field.split(".")[0] in data
    else:
        assert read_policy(write_policy(policy)) == policy


def test_the_bound_of_overtaking_adds_the_largest_of_each() -> None:
    assert furthest_min(Policy()) == 15
    assert furthest_min(read_policy({"head_start_min": {"appointment": 20}}, {"A": 5, "B": 10})) == 30
    assert furthest_min(Policy(), [0, 40]) == 55
    assert furthest_min(Policy(conditions=(Condition(minutes=7), Condition(minutes=8)))) == 30
    assert furthest_min(Policy(conditions=(Condition(minutes=100),) * 3)) == 15 + MOST_MIN
