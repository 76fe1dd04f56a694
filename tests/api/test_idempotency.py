"""Idempotency-Key: the same request twice is one request; another request under the same key is refused."""

from __future__ import annotations

import threading

from app.action import request_key
from tests.api.asking import Asking

PATH = "/halls/luolong/tickets"
GUIDE = {"who": "guide01"}


def seq(ask: Asking) -> int:
    return ask.get("/halls/luolong/events?limit=1000", who="supervisor01")[-1]["seq"]


def test_the_first_answer_comes_again_with_its_status(ask: Asking) -> None:
    first = ask("POST", PATH, {"queue": "A"}, key="k1", **GUIDE)
    before = seq(ask)
    again = ask("POST", PATH, {"queue": "A"}, key="k1", **GUIDE)
    assert (again.status_code, again.json) == (201, first.json)
    assert seq(ask) == before
    assert ask.post(PATH, {"queue": "A"}, 201, key="k2", **GUIDE)["number"] == "A002"
    assert ask.post(PATH, {"queue": "A"}, 201, **GUIDE)["number"] == "A003"


def test_the_200_of_a_live_ticket_comes_again_too(ask: Asking) -> None:
    wish = {"queue": "A", "person": {"phone": "13800138000"}}
    ask.post(PATH, wish, 201, key="k1", **GUIDE)
    live = ask("POST", PATH, wish, key="k2", **GUIDE)
    assert live.status_code == 200
    assert ask("POST", PATH, wish, key="k2", **GUIDE).status_code == 200
    assert ask("POST", PATH, wish, key="k1", **GUIDE).status_code == 201


def test_members_may_change_places(ask: Asking) -> None:
    headers = {"content_type": "application/json", "key": "k1"}
    first = ask("POST", PATH, data=b'{"queue": "A", "lane": "priority"}', **headers, **GUIDE)
    again = ask("POST", PATH, data=b'{ "lane":"priority","queue":"A" }', **headers, **GUIDE)
    assert first.status_code == 201 and again.json == first.json


def test_another_request_under_the_same_key_is_refused(ask: Asking) -> None:
    ticket = ask.post(PATH, {"queue": "A"}, 201, key="k1", **GUIDE)
    ask.refused("idempotency.mismatch", "POST", PATH, {"queue": "B"}, key="k1", **GUIDE)
    kiosk = ask.device("kiosk")
    assert ask.post(PATH, {"queue": "B"}, 201, key="k1", token=kiosk)["number"] == "B001"
    ask.post("/windows/luolong-W01/open", who="clerk01", key="k1")
    ask.refused("idempotency.mismatch", "POST", "/windows/luolong-W01/close", who="clerk01", key="k1")
    ask.post(f"/tickets/{ticket['token']}/cancel", key="k1")
    assert ask.post(f"/tickets/{ticket['token']}/cancel", key="k1")["state"] == "cancelled"
    ask.refused("idempotency.mismatch", "POST", f"/tickets/{ticket['token']}/cancel", {"x": 1}, key="k1")


def test_holders_with_the_same_key_do_not_meet(ask: Asking) -> None:
    one, two = (ask.post(PATH, {"queue": "A"}, 201, **GUIDE) for _ in range(2))
    assert ask.post(f"/tickets/{one['token']}/cancel", key="1")["number"] == "A001"
    assert ask.post(f"/tickets/{two['token']}/cancel", key="1")["number"] == "A002"


def test_a_call_comes_again_and_so_does_nobody(ask: Asking) -> None:
    clerk = {"who": "clerk01"}
    ask.post("/windows/luolong-W01/open", **clerk)
    path = "/windows/luolong-W01/call-next"
    assert ask("POST", path, key="empty", **clerk).status_code == 204
    ask.post(PATH, {"queue": "A"}, 201, **GUIDE)
    ask.post(PATH, {"queue": "A"}, 201, **GUIDE)
    assert ask("POST", path, key="empty", **clerk).status_code == 204
    called = ask.post(path, key="press", **clerk)
    assert ask.post(path, key="press", **clerk) == called
    ask.refused("window.occupied", "POST", path, key="press-2", **clerk)


def test_a_step_and_a_revocation_come_again(ask: Asking) -> None:
    made = ask.post("/devices", {"hall": "luolong", "kind": "screen"}, 201, who="admin01", key="d1")
    assert ask.post("/devices", {"hall": "luolong", "kind": "screen"}, 201, who="admin01", key="d1") == made
    for _ in range(2):
        assert ask("POST", f"/devices/{made['id']}/revoke", who="admin01", key="d2").status_code == 204


def test_a_refusal_is_not_kept(ask: Asking) -> None:
    clerk = {"who": "clerk01", "key": "k1"}
    ask.refused("window.not_open", "POST", "/windows/luolong-W01/call-next", **clerk)
    ask.post("/windows/luolong-W01/open", who="clerk01")
    assert ask("POST", "/windows/luolong-W01/call-next", **clerk).status_code == 204


def test_keys_that_are_none(ask: Asking) -> None:
    for key in ("", "a b", "x" * 256, "schlüssel"):
        ask.refused("idempotency.key", "POST", PATH, {"queue": "A"}, key=key, **GUIDE)
    ask.post(PATH, {"queue": "A"}, 201, key="x" * 255, **GUIDE)


def test_a_key_does_not_reach_the_next_request_of_the_thread(ask: Asking) -> None:
    ask.refused("queue.unknown", "POST", PATH, {"queue": "Z"}, key="k1", **GUIDE)
    assert request_key.get() is None
    first = ask.post(PATH, {"queue": "A"}, 201, **GUIDE)
    assert ask.post(PATH, {"queue": "A"}, 201, **GUIDE)["number"] != first["number"]


def test_eight_presses_at_once_are_one(ask: Asking) -> None:
    token, answers = ask.token("guide01"), []

    def press() -> None:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "burst"}
        answers.append(ask.app.test_client().post(f"/api/v1{PATH}", json={"queue": "A"}, headers=headers).json)

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8 and all(answer == answers[0] for answer in answers)
    assert ask.get("/halls/luolong/queues")[0]["waiting"] == 1
