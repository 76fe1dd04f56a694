"""Setting the hall's rules of calling, on both databases; what is refused comes first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app import eventlog
from app.db import db
from app.events import PolicyChanged, WindowDefined
from app.hall.models import Hall as HallRow
from app.queueing import calls, setup
from app.queueing.calling_rules import proposed, rules_in_force, set_policy
from app.queueing.models import WindowQueue
from app.queueing.rules.policy import write_policy
from tests.actions.conftest import refused


def told(kind: type) -> list[Any]:
    db.session.rollback()
    return [row.event for row in eventlog.read("luolong", 0, 1000) if isinstance(row.event, kind)]


def rules() -> Any:
    db.session.rollback()
    return rules_in_force("luolong")


@pytest.mark.parametrize(
    ("arguments", "code", "facts"),
    [
        ({"policy": {"recalls": 0}}, "policy.invalid", {"field": "recalls"}),
        ({"policy": {"conditions": [{"minutes": 5, "queue": "Z"}]}}, "policy.invalid", {"field": "conditions.0.queue"}),
        (
            {"policy": {"conditions": [{"minutes": 5}, {"minutes": 5, "window": "W99"}]}},
            "policy.invalid",
            {"field": "conditions.1.window"},
        ),
        ({"policy": {}}, "policy.unchanged", {}),
        ({"policy": {"recalls": 3}}, "policy.unchanged", {}),
        ({"policy": {"recalls": 2}, "seen": "another"}, "policy.changed", {}),
        ({"policy": {}, "weights": {"W99": {"A": 5}}}, "window.unknown", {}),
        ({"policy": {}, "weights": {"W01": {"Z": 5}}}, "queue.unknown", {}),
        ({"policy": {}, "weights": {"W01": {"A": 121}}}, "weight.invalid", {"most": 120}),
        ({"policy": {}, "weights": {"W01": {"A": -1}}}, "weight.invalid", {"most": 120}),
        ({"policy": {}, "weights": {"W01": {"A": "5"}}}, "weight.invalid", {"most": 120}),
        ({"policy": {}, "weights": {"W01": {"A": True}}}, "weight.invalid", {"most": 120}),
    ],
)
def test_what_is_refused_changes_nothing(hall, arguments, code, facts) -> None:
    before, heads = rules(), eventlog.heads()
    with refused(code) as refusal:
        hall.do(set_policy, "admin01", **arguments)
    assert refusal.value.facts == facts
    assert rules() == before and eventlog.heads() == heads


def test_a_policy_is_kept_whole_and_told_whole(hall) -> None:
    wanted = {
        "head_start_min": {"priority": 20},
        "conditions": [{"minutes": 10, "queue": "B", "since": "11:00", "until": "12:00"}],
        "ratio": [3, 1],
        "call_by_min": 60,
        "dispatch": True,
    }
    seen = rules().seen
    answer = hall.do(set_policy, "admin01", policy=wanted, seen=seen)
    assert {name: answer["policy"][name] for name in wanted} == wanted | {
        "head_start_min": {"priority": 20, "appointment": 0}
    }
    assert answer["policy"] == write_policy(rules().policy) == told(PolicyChanged)[-1].policy
    assert answer["seen"] == rules().seen != seen
    assert len(told(PolicyChanged)) == 1


def test_other_settings_of_the_hall_stay(hall) -> None:
    row = db.session.get(HallRow, "luolong")
    row.settings = {"another": {"room": 1}}
    db.session.commit()
    hall.do(set_policy, "admin01", policy={"recalls": 2})
    db.session.expire_all()
    settings = db.session.execute(select(HallRow.settings).where(HallRow.code == "luolong")).scalar_one()
    assert settings["another"] == {"room": 1} and settings["queue"]["recalls"] == 2


def test_rules_that_were_changed_meanwhile_are_looked_at_again(hall) -> None:
    seen = rules().seen
    hall.do(set_policy, "admin01", policy={"recalls": 2}, seen=seen)
    with refused("policy.changed"):
        hall.do(set_policy, "supervisor01", policy={"recalls": 4}, seen=seen)
    hall.do(setup.assign_queues, "admin01", window="W01", queues={"A": 9})
    with refused("policy.changed"):
        hall.do(set_policy, "admin01", policy={"recalls": 4}, seen=seen)
    hall.do(set_policy, "admin01", policy={"recalls": 4}, seen=rules().seen)
    assert rules().policy.recalls == 4


def test_weights_change_only_the_windows_that_are_named(hall) -> None:
    before = rules().weights
    said = len(told(WindowDefined))
    answer = hall.do(set_policy, "admin01", policy={}, weights={"W01": {"A": 40}, "W02": dict(before["W02"])})
    assert answer["weights"] == {**before, "W01": {**before["W01"], "A": 40}} == rules().weights
    assert answer["furthest_min"] == 55
    fresh = told(WindowDefined)[said:]
    assert [event.window for event in fresh] == ["W01"]
    assert dict(zip(fresh[0].queues, fresh[0].weights)) == rules().weights["W01"]
    assert told(PolicyChanged) == []


def test_a_proposal_is_no_change(hall) -> None:
    wanted = proposed("luolong", {"ratio": [2, 1]}, {"W01": {"A": 3}})
    assert wanted.policy.ratio == (2, 1) and wanted.weights["W01"]["A"] == 3
    assert wanted.seen != rules().seen
    assert rules().policy.ratio is None
    with refused("hall.unknown"):
        proposed("nowhere", {})


def test_the_next_call_follows_the_new_rules(hall) -> None:
    hall.open()
    hall.take()
    hall.later(minutes=10)
    hall.take(lane="priority")
    hall.do(set_policy, "admin01", policy={"head_start_min": {"priority": 5}})
    called = hall.call()
    assert called["ticket"]["number"] == "A001"
    assert called["why"]["candidates"][1]["minutes"]["lane"] == 5


def test_the_ratio_is_kept_from_call_to_call(hall) -> None:
    hall.do(set_policy, "admin01", policy={"ratio": [2, 1]})
    hall.open()
    for lane in ("normal", "priority") * 4:
        hall.take(lane=lane)
    lanes = []
    for _ in range(6):
        called = hall.later(seconds=30).call()["ticket"]
        lanes.append(called["lane"][0])
        hall.step(_ended, called)
    assert lanes == ["n", "p", "n", "n", "p", "n"]


def _ended(**arguments: Any) -> Any:
    """The person comes and is served at once."""
    calls.start(**arguments)
    return calls.finish(**{**arguments, "at": arguments["at"] + timedelta(seconds=5)})


def test_windows_are_told_with_their_weights(hall) -> None:
    with refused("weight.invalid"):
        hall.do(setup.assign_queues, "admin01", window="W01", queues={"A": 121})
    with refused("window.unknown"):
        hall.do(setup.assign_queues, "admin01", window="W99", queues={"A": 1})
    hall.do(setup.assign_queues, "admin01", window="W01", queues={"B": 10, "A": 0})
    event = told(WindowDefined)[-1]
    assert (event.window, event.queues, event.weights) == ("W01", ("B", "A"), (10, 0))
    rows = select(WindowQueue.queue, WindowQueue.weight_min).where(
        WindowQueue.hall == "luolong", WindowQueue.window == "W01"
    )
    assert dict(db.session.execute(rows).all()) == {"A": 0, "B": 10}
