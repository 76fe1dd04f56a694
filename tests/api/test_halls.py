"""Halls, items, windows and the record, as anyone and as staff see them."""

from __future__ import annotations

from tests.api.asking import Asking


def test_the_network(ask: Asking) -> None:
    assert [hall["code"] for hall in ask.get("/halls")] == ["luolong", "lilou", "dongcun"]
    queues = ask.get("/halls/luolong/queues")
    assert [queue["prefix"] for queue in queues] == list("ABCDEF")
    assert queues[0]["waiting"] == 0 and queues[0]["windows_open"] == 0 and queues[0]["open"] is True
    ask.refused("hall.unknown", "GET", "/halls/network/queues")


def test_queues_count_who_waits(ask: Asking) -> None:
    ask.post("/halls/luolong/tickets", {"queue": "B"}, 201, who="guide01")
    ask.post("/windows/luolong-W01/open", who="clerk01")
    queue = next(queue for queue in ask.get("/halls/luolong/queues") if queue["code"] == "B")
    assert (queue["waiting"], queue["windows_open"]) == (1, 1)


def test_items_are_found_by_text_pinyin_and_initials(ask: Asking) -> None:
    everything = ask.get("/halls/luolong/items")
    assert everything["total"] == 1135 and everything["pages"] == 57
    found = {q: ask.get(f"/halls/luolong/items?q={q}") for q in ("食品经营", "shipinjingying", "spjy")}
    assert all(page["total"] > 0 for page in found.values())
    assert "食品经营" in found["食品经营"]["items"][0]["name"]
    department = everything["items"][0]["department"]
    only = ask.get(f"/halls/luolong/items?department={department}&per_page=100")
    assert only["items"] and {item["department"] for item in only["items"]} == {department}
    assert ask.get("/halls/luolong/items?page=57")["items"] and not ask.get("/halls/luolong/items?page=58")["items"]


def test_a_guide_has_its_parts(ask: Asking) -> None:
    line = ask.get("/halls/luolong/items")["items"][0]
    guide = ask.get(f"/items/{line['code']}")
    assert guide["guide_source"] == "written" and guide["materials"] and guide["legal_basis"]
    assert guide["promised"]["unit"] in {"WD", "WH", "ND", "NH"}
    ask.refused("item.unknown", "GET", "/items/no-such-item")


def test_windows_as_staff_see_them(ask: Asking) -> None:
    windows = ask.get("/windows", who="clerk01")
    assert len(windows) == 14 and {window["state"] for window in windows} == {"closed"}
    assert len(ask.get("/windows?hall=lilou", who="supervisor01")) == 3
    ask.post("/windows/luolong-W01/open", who="clerk01")
    ask.refused("window.already_open", "POST", "/windows/luolong-W01/open", who="clerk02")
    ask.refused("window.staff_elsewhere", "POST", "/windows/luolong-W02/open", who="clerk01")
    ask.refused("window.reason_required", "POST", "/windows/luolong-W01/pause", who="clerk01")
    ask.refused("window.not_yours", "POST", "/windows/luolong-W01/pause", {"reason": "午饭"}, who="clerk02")
    assert ask.post("/windows/luolong-W01/pause", {"reason": "午饭"}, who="clerk01")["state"] == "paused"
    mine = next(window for window in ask.get("/windows", who="clerk01") if window["code"] == "W01")
    assert (mine["state"], mine["staff"], mine["reason"]) == ("paused", "clerk01", "午饭")
    assert ask.post("/windows/luolong-W01/close", who="clerk01")["state"] == "closed"
    ask.refused("window.not_open", "POST", "/windows/luolong-W01/close", who="clerk01")


def test_the_record_is_read_in_order_without_gaps(ask: Asking) -> None:
    for _ in range(3):
        ask.post("/halls/luolong/tickets", {"queue": "A"}, 201, who="guide01")
    whole = ask.get("/halls/luolong/events?limit=1000", who="supervisor01")
    assert [row["seq"] for row in whole] == list(range(1, len(whole) + 1))
    assert [row["kind"] for row in whole[-3:]] == ["ticket.issued"] * 3
    assert whole[-1]["actor"] == "staff:guide01" and whole[-1]["body"]["number"] == "A003"
    part = ask.get(f"/halls/luolong/events?after={whole[-3]['seq']}&limit=1", token=ask.device("screen"))
    assert [row["seq"] for row in part] == [whole[-2]["seq"]]
    assert ask.get("/halls/luolong/events?after=2147483647", who="supervisor01") == []


def test_the_record_is_refused(ask: Asking) -> None:
    path = "/halls/luolong/events"
    ask.refused("auth.required", "GET", path)
    ask.refused("auth.forbidden", "GET", path, who="clerk01")
    ask.refused("auth.forbidden", "GET", path, token=ask.device("kiosk"))
    ask.refused("auth.foreign_hall", "GET", path, token=ask.device("screen", "lilou"))
    ask.refused("hall.unknown", "GET", "/halls/network/events", who="supervisor01")
    for query in ("after=-1", "after=x", "after=99999999999999999999", "limit=0", "limit=100000"):
        ask.refused("request.invalid", "GET", f"{path}?{query}", who="supervisor01")
