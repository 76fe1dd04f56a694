"""The queue through the API: taking a number, the holder's view, the clerk's steps."""

from __future__ import annotations

from tests.api.asking import Asking

WANG = {"name": "王小明", "id_number": "11010519491231002X", "phone": "138 0013 8000"}


def opened(ask: Asking, clerk: str = "clerk01", window: str = "luolong-W01") -> str:
    assert ask.post(f"/windows/{window}/open", who=clerk)["state"] == "open"
    return window


def taken(ask: Asking, queue: str = "A", **more: object) -> dict[str, object]:
    return ask.post("/halls/luolong/tickets", {"queue": queue, **more}, 201, who="guide01")


def called(ask: Asking, clerk: str = "clerk01", window: str = "luolong-W01") -> dict[str, object]:
    return ask.post(f"/windows/{window}/call-next", who=clerk)["ticket"]


def test_a_number_is_taken_and_seen_by_its_holder_alone(ask: Asking) -> None:
    ticket = taken(ask)
    assert (ticket["number"], ticket["ahead"], ticket["state"]) == ("A001", 0, "waiting")
    seen = ask.get(f"/tickets/{ticket['token']}")
    assert (seen["number"], seen["state"], seen["window"]) == ("A001", "waiting", None)
    ask.refused("ticket.unknown", "GET", f"/tickets/{ticket['id']}")
    ask.refused("ticket.unknown", "GET", "/tickets/AAAAAAAAAAAAAAAAAAAAAA")


def test_who_holds_a_live_number_gets_it_again(ask: Asking) -> None:
    first = taken(ask, person=WANG)
    again = ask("POST", "/halls/luolong/tickets", {"queue": "A", "person": WANG}, who="guide01")
    assert again.status_code == 200
    assert (again.json["id"], again.json["token"]) == (first["id"], first["token"])
    other = ask("POST", "/halls/luolong/tickets", {"queue": "B", "person": WANG}, who="guide01")
    assert other.status_code == 201


def test_nothing_that_a_ticket_shows_names_the_person(ask: Asking) -> None:
    ticket = taken(ask, person=WANG)
    opened(ask)
    answers = [
        ask("GET", f"/tickets/{ticket['token']}").text,
        ask("POST", "/windows/luolong-W01/call-next", who="clerk01").text,
        ask("GET", "/windows", who="clerk01").text,
        ask("GET", "/halls/luolong/events", who="supervisor01").text,
        ask("GET", "/metrics").text,
    ]
    for text in answers:
        assert "王小明" not in text and "11010519491231002X" not in text and "13800138000" not in text


def test_an_item_goes_to_the_queue_that_takes_it(ask: Asking) -> None:
    item = ask.get("/halls/luolong/items?zone=B")["items"][0]
    ticket = ask.post("/halls/luolong/tickets", {"item": item["code"]}, 201, who="guide01")
    assert ticket["queue"] == "B"
    village = ask.device("kiosk", "dongcun")
    assert ask.post("/halls/dongcun/tickets", {"item": item["code"]}, 201, token=village)["queue"] == "A"


def test_a_number_is_refused(ask: Asking) -> None:
    path, guide = "/halls/luolong/tickets", {"who": "guide01"}
    ask.refused("auth.required", "POST", path, {"queue": "A"})
    ask.refused("auth.forbidden", "POST", path, {"queue": "A"}, who="clerk01")
    ask.refused("auth.foreign_hall", "POST", path, {"queue": "A"}, token=ask.device("kiosk", "lilou"))
    ask.refused("hall.unknown", "POST", "/halls/nowhere/tickets", {"queue": "A"}, **guide)
    ask.refused("hall.unknown", "POST", "/halls/network/tickets", {"queue": "A"}, who="admin01")
    ask.refused("queue.unknown", "POST", path, {"queue": "Z"}, **guide)
    ask.refused("item.unknown", "POST", path, {"item": "no-such-item"}, **guide)
    ask.refused("lane.unknown", "POST", path, {"queue": "A", "lane": "vip"}, **guide)
    ask.refused("appointment.unknown", "POST", path, {"queue": "A", "appointment": "X1"}, **guide)
    ask.refused("person.bad_id", "POST", path, {"queue": "A", "person": {"id_number": "一二三"}}, **guide)
    ask.refused("person.bad_phone", "POST", path, {"queue": "A", "person": {"phone": "no"}}, **guide)
    ask.refused("text.invalid", "POST", path, {"queue": "A", "person": {"name": "张\u202e三"}}, **guide)
    ask.refused("text.too_long", "POST", path, {"queue": "A", "person": {"name": "张" * 10_000}}, **guide)
    assert "queue" in ask.refused("request.invalid", "POST", path, {}, **guide)["title"]
    wrong = ask.refused("request.invalid", "POST", path, {"queue": "A", "person": {"name": 7}}, **guide)
    assert "person.name" in wrong["title"]


def test_a_visit_from_number_to_finish(ask: Asking) -> None:
    ticket = taken(ask)
    window = opened(ask)
    answer = ask.post(f"/windows/{window}/call-next", who="clerk01")
    assert answer["ticket"]["id"] == ticket["id"] and answer["why"]["chosen"] == "A001"
    assert ask.get(f"/tickets/{ticket['token']}")["window"] == "W01"
    started = ask.post(f"/tickets/{ticket['id']}/start", who="clerk01")
    assert (started["state"], started["steps"]) == ("serving", ["next-item", "finish", "park", "transfer"])
    finished = ask.post(f"/tickets/{ticket['id']}/finish", who="clerk01")
    assert (finished["state"], finished["steps"]) == ("finished", [])
    ask.refused("ticket.illegal_step", "POST", f"/tickets/{ticket['id']}/finish", who="clerk01")
    why = ask.get(f"/tickets/{ticket['id']}/why", who="clerk02")
    assert [call["outcome"] for call in why] == ["finished"]


def test_call_next_says_nothing_when_nobody_waits(ask: Asking) -> None:
    window = opened(ask)
    answer = ask("POST", f"/windows/{window}/call-next", who="clerk01")
    assert (answer.status_code, answer.data) == (204, b"")


def test_the_steps_beside_the_straight_way(ask: Asking) -> None:
    window = opened(ask)
    opened(ask, "clerk02", "luolong-W02")
    for _ in range(5):
        taken(ask)
    first = called(ask)["id"]
    ask.refused("ticket.recall_too_soon", "POST", f"/tickets/{first}/recall", who="clerk01")
    ask.refused("ticket.not_at_window", "POST", f"/tickets/{first}/start", who="clerk02")
    assert ask.post(f"/tickets/{first}/no-show", who="clerk01")["steps"] == ["restore", "cancel", "expire"]
    ask.refused("auth.forbidden", "POST", f"/tickets/{first}/restore", token=ask.device("kiosk"))
    assert ask.post(f"/tickets/{first}/restore", who="guide01")["state"] == "waiting"

    second = called(ask)["id"]
    ask.post(f"/tickets/{second}/start", who="clerk01")
    assert ask.post(f"/tickets/{second}/park", {"reason": "复印"}, who="clerk01")["state"] == "parked"
    assert ask.post(f"/tickets/{second}/unpark", who="clerk01")["window"] == "W01"
    ask.refused("window.occupied", "POST", f"/windows/{window}/call-next", who="clerk01")
    moved = ask.post(f"/tickets/{second}/transfer", {"queue": "B"}, who="clerk01")
    assert (moved["queue"], moved["window"], moved["state"]) == ("B", None, "waiting")

    third = called(ask)["id"]
    assert ask.post(f"/tickets/{third}/transfer", {"window": "luolong-W02"}, who="clerk01")["to_window"] == "W02"
    assert called(ask, "clerk02", "luolong-W02")["id"] == third
    assert ask.post(f"/tickets/{third}/abandon", who="clerk02")["state"] == "abandoned"


def test_transfer_and_unpark_name_their_target(ask: Asking) -> None:
    opened(ask)
    ticket = taken(ask)
    called(ask)
    path = f"/tickets/{ticket['id']}"
    ask.refused("request.invalid", "POST", f"{path}/transfer", {}, who="clerk01")
    ask.refused("request.invalid", "POST", f"{path}/transfer", {"queue": "B", "window": "W02"}, who="clerk01")
    ask.refused("queue.unknown", "POST", f"{path}/transfer", {"queue": "Z"}, who="clerk01")
    ask.refused("window.unknown", "POST", f"{path}/transfer", {"window": "lilou-W01"}, who="clerk01")
    ask.post(f"{path}/start", who="clerk01")
    ask.post(f"{path}/park", who="clerk01")
    ask.refused("window.not_yours", "POST", f"{path}/unpark", {"window": "luolong-W01"}, who="clerk02")
    ask.refused("window.not_open", "POST", f"{path}/unpark", who="clerk02")


def test_a_holder_cancels_once(ask: Asking) -> None:
    ticket = taken(ask)
    assert ask.post(f"/tickets/{ticket['token']}/cancel")["state"] == "cancelled"
    ask.refused("ticket.illegal_step", "POST", f"/tickets/{ticket['token']}/cancel")
    ask.refused("ticket.unknown", "POST", "/tickets/nothing/cancel")
    record = ask.get("/halls/luolong/events?limit=1000", who="supervisor01")
    assert (record[-1]["kind"], record[-1]["actor"]) == ("ticket.cancelled", "citizen:citizen")


def test_tickets_of_another_hall_are_out_of_reach(ask: Asking) -> None:
    ticket = ask.post("/halls/lilou/tickets", {"queue": "A"}, 201, token=ask.device("kiosk", "lilou"))
    for step in ("recall", "start", "finish", "no-show", "restore", "park", "unpark", "abandon"):
        ask.refused("auth.foreign_hall", "POST", f"/tickets/{ticket['id']}/{step}", who="clerk01")
    ask.refused("auth.foreign_hall", "POST", f"/tickets/{ticket['id']}/transfer", {"queue": "A"}, who="clerk01")
    ask.refused("auth.foreign_hall", "GET", f"/tickets/{ticket['id']}/why", who="clerk01")
    assert ask.get(f"/tickets/{ticket['id']}/why", who="clerk21") == []
