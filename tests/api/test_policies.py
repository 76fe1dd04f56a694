"""The rules of calling over HTTP: who reads them, who sets them, how a bad one is refused."""

from __future__ import annotations

from tests.api.asking import Asking

POLICY = "/halls/luolong/policy"


def test_everybody_may_read_by_what_rules_a_hall_calls(ask: Asking) -> None:
    rules = ask.get(POLICY)
    assert rules["policy"]["head_start_min"] == {"priority": 15, "appointment": 0}
    assert rules["policy"]["ratio"] is None and rules["furthest_min"] >= 15
    assert rules["weights"]["W01"]
    ask.refused("hall.unknown", "GET", "/halls/nowhere/policy")


def test_setting_them_needs_the_permission_and_the_hall(ask: Asking) -> None:
    ask.refused("auth.required", "PUT", POLICY, {"policy": {}})
    ask.refused("auth.forbidden", "PUT", POLICY, {"policy": {}}, who="clerk01")
    ask.refused("hall.unknown", "PUT", "/halls/nowhere/policy", {"policy": {}}, who="admin01")


def test_a_bad_policy_is_refused_by_the_name_of_its_field(ask: Asking) -> None:
    ask.refused("request.invalid", "PUT", POLICY, {}, who="admin01")
    ask.refused("request.invalid", "PUT", POLICY, {"policy": {}, "weights": {"W01": {"A": 1.5}}}, who="admin01")
    bad = ask.refused("policy.invalid", "PUT", POLICY, {"policy": {"ratio": [0, 1]}}, who="admin01")
    assert "ratio" in bad["title"]
    ask.refused("weight.invalid", "PUT", POLICY, {"policy": {}, "weights": {"W01": {"A": 121}}}, who="admin01")
    ask.refused("queue.unknown", "PUT", POLICY, {"policy": {}, "weights": {"W01": {"Z": 1}}}, who="admin01")
    ask.refused("policy.unchanged", "PUT", POLICY, {"policy": ask.get(POLICY)["policy"]}, who="admin01")


def test_a_policy_is_set_over_the_one_that_was_seen_and_once(ask: Asking) -> None:
    before = ask.get(POLICY)
    wanted = {**before["policy"], "ratio": [3, 1], "conditions": [{"minutes": 10, "queue": "B", "since": "11:30"}]}
    change = {"policy": wanted, "weights": {"W01": {"A": 30}}, "seen": before["seen"]}
    first = ask("PUT", POLICY, change, who="admin01", key="one")
    assert first.status_code == 200 and first.json["policy"] == wanted
    assert first.json["weights"]["W01"]["A"] == 30
    assert ask("PUT", POLICY, change, who="admin01", key="one").json == first.json
    assert ask.get(POLICY) == first.json
    ask.refused("policy.changed", "PUT", POLICY, change, who="admin01")
    ask.refused("idempotency.mismatch", "PUT", POLICY, {"policy": {}}, who="admin01", key="one")


def test_the_preview_plays_a_day_and_changes_nothing(ask: Asking) -> None:
    kiosk = ask.device("kiosk")
    ask.post("/windows/luolong-W01/open", who="clerk01")
    for lane in ("normal", "priority"):
        ask.post("/halls/luolong/tickets", {"queue": "A", "lane": lane}, status=201, token=kiosk)
    ask.post("/windows/luolong-W01/call-next", who="clerk01")
    before = ask.get(POLICY)
    asked = {"policy": {"head_start_min": {"priority": 0}}}
    found = ask.post(f"{POLICY}/preview", asked, who="supervisor01")
    assert found["tickets"] == 2 and set(found["before"]) == set(found["after"]) == {"normal", "priority"}
    assert found["before"]["normal"]["people"] == 1
    assert ask.get(POLICY) == before
    empty = ask.post(f"{POLICY}/preview", {**asked, "day": "2020-01-06"}, who="supervisor01")
    assert empty == {"day": "2020-01-06", "tickets": 0, "before": {}, "after": {}, "moved": []}
    ask.refused("auth.forbidden", "POST", f"{POLICY}/preview", asked, who="clerk01")
    for day in ("yesterday", "9999-12-31", "0001-01-01"):
        ask.refused("request.invalid", "POST", f"{POLICY}/preview", {**asked, "day": day}, who="admin01")
    ask.refused("policy.invalid", "POST", f"{POLICY}/preview", {"policy": {"recalls": 0}}, who="admin01")
