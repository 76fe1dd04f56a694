"""A visit through the API beside the straight way: away and back, several items, chosen, passed on, the close of day."""

from __future__ import annotations

from sqlalchemy import select

from app.catalog.models import ServiceItem
from app.db import db
from app.people.models import Staff
from app.people.permissions import ROLES, Permission
from tests.api.asking import Asking
from tests.api.test_tickets import called, opened, taken

CLERK = {"who": "clerk01"}
APPLICANT = {"kind": "person", "name": "张三丰", "id_number": "410305199001010011", "phone": "13812341234"}


def items(ask: Asking, count: int) -> list[str]:
    with ask.app.app_context():
        return list(db.session.scalars(select(ServiceItem.code).order_by(ServiceItem.code).limit(count)))


def test_a_number_tells_who_came_and_why_they_are_first(ask: Asking) -> None:
    path, guide = "/halls/luolong/tickets", {"who": "guide01"}
    ask.refused("ground.unknown", "POST", path, {"queue": "A", "lane": "priority", "ground": "rich"}, **guide)
    ask.refused("request.invalid", "POST", path, {"queue": "A", "party": 51}, **guide)
    ask.refused("lane.needs_appointment", "POST", path, {"queue": "A", "lane": "appointment"}, **guide)
    ticket = taken(ask, lane="priority", ground="pregnant", party=3)
    seen = ask.get(f"/tickets/{ticket['token']}")
    assert (seen["lane"], seen["ground"], seen["party"], seen["services"]) == ("priority", "pregnant", 3, [])
    assert seen["steps"] == ["call", "abandon", "cancel", "defer", "expire"]


def test_a_machine_lets_a_supplement_return_only_with_the_code_of_the_receipt(ask: Asking) -> None:
    path, kiosk = "/halls/luolong/tickets", {"token": ask.device("kiosk")}
    item = ask.get("/halls/luolong/items?q=食品经营许可延续")["items"][0]["code"]
    materials = [m["code"] for m in ask.get(f"/items/{item}")["materials"]]
    asked = {"item": item, "applicant": APPLICANT, "materials": [{"code": c, "state": "received"} for c in materials]}
    case = ask.post("/cases", asked, 201, **CLERK)
    wish = {"lane": "returning", "case_number": case["number"]}
    ask.refused("auth.forbidden", "POST", path, {"queue": "A", "lane": "returning"}, **kiosk)
    ask.refused("case.query_mismatch", "POST", path, wish | {"query_code": "000000"}, **kiosk)
    ask.refused("case.query_mismatch", "POST", path, wish, **kiosk)
    proof = wish | {"query_code": case["query_code"]}
    ask.refused("case.no_supplement_due", "POST", path, proof, **kiosk)
    ask.refused("case.no_supplement_due", "POST", path, wish, who="guide01")
    notice = {"items": [{"code": materials[0], "problem": "缺页"}]}
    ask.post(f"/cases/{case['number']}/request-supplement", notice, **CLERK)
    taken(ask)
    back = ask.post(path, proof, 201, **kiosk)
    assert (back["lane"], back["ahead"]) == ("returning", 0)
    assert ask.get(f"/tickets/{back['token']}")["case_number"] == case["number"]


def test_the_holder_goes_away_and_comes_back(ask: Asking) -> None:
    first, _second = taken(ask), taken(ask)
    ask.refused("ticket.unknown", "POST", f"/tickets/{first['id']}/defer")
    away = ask.post(f"/tickets/{first['token']}/defer")
    assert away["state"] == "parked" and away["rejoin_until"]
    ask.refused("ticket.illegal_step", "POST", f"/tickets/{first['token']}/defer")
    assert ask.get(f"/tickets/{first['token']}")["deferred"] is True
    ask.refused("ticket.unknown", "POST", f"/tickets/{first['id']}/rejoin")
    ask.refused("auth.foreign_hall", "POST", f"/tickets/{first['id']}/rejoin", who="clerk31")
    assert ask.post(f"/tickets/{first['id']}/rejoin", who="guide01")["state"] == "waiting"
    seen = ask.get(f"/tickets/{first['token']}")
    assert (seen["ahead"], seen["deferred"], seen["rejoin_until"]) == (1, False, None)
    key = {"key": "one-press"}
    assert ask.post(f"/tickets/{first['token']}/defer", **key) == ask.post(f"/tickets/{first['token']}/defer", **key)


def test_a_visit_of_two_items_is_told_to_holder_and_staff(ask: Asking) -> None:
    ticket = taken(ask)
    first, second = items(ask, 2)
    opened(ask)
    path = f"/tickets/{called(ask)['id']}"
    ask.refused("ticket.illegal_step", "POST", f"{path}/next-item", {"item": first}, **CLERK)
    ask.refused("item.unknown", "POST", f"{path}/start", {"item": "no-such-item"}, **CLERK)
    assert ask.post(f"{path}/start", {"item": first}, **CLERK)["item"] == first
    ask.refused("item.unknown", "POST", f"{path}/next-item", {"item": "no-such-item"}, **CLERK)
    assert ask.post(f"{path}/next-item", {"item": second}, **CLERK)["item"] == second
    parked = ask.post(f"{path}/park", {"reason": "copy", "note": "缺复印件", "remind_min": 5}, **CLERK)
    assert parked["state"] == "parked" and parked["remind_at"]
    visit = ask.get(f"{path}/visit", **CLERK)
    assert visit["note"] == "缺复印件" and visit["remind_at"] == parked["remind_at"]
    assert [(s["item"], s["outcome"]) for s in visit["services"]] == [(first, "next-item"), (second, "parked")]
    held = ask("GET", f"/tickets/{ticket['token']}")
    assert "note" not in held.json and "缺复印件" not in held.text
    ask.refused("auth.forbidden", "GET", f"{path}/visit", who="guide01")


def test_words_in_place_of_a_code_are_kept_as_the_note(ask: Asking) -> None:
    taken(ask)
    opened(ask)
    path = f"/tickets/{called(ask)['id']}"
    ask.post(f"{path}/start", **CLERK)
    ask.post(f"{path}/park", {"reason": "去拿公章"}, **CLERK)
    assert ask.get(f"{path}/visit", **CLERK)["note"] == "去拿公章"
    record = ask.get("/halls/luolong/events?limit=1000", who="supervisor01")
    assert (record[-1]["kind"], record[-1]["body"]["reason"]) == ("ticket.parked", "other")


def test_a_ticket_is_passed_on_to_a_clerk_with_a_note(ask: Asking) -> None:
    taken(ask)
    opened(ask)
    path = f"/tickets/{called(ask)['id']}"
    ask.refused("staff.not_at_window", "POST", f"{path}/transfer", {"staff": "clerk02"}, **CLERK)
    ask.refused("window.not_open", "POST", f"{path}/transfer", {"window": "W02"}, **CLERK)
    ask.refused("place.unknown", "POST", f"{path}/transfer", {"queue": "B", "place": "front"}, **CLERK)
    opened(ask, "clerk02", "luolong-W02")
    sent = ask.post(f"{path}/transfer", {"staff": "clerk02", "place": "first", "note": "请核对"}, **CLERK)
    assert (sent["to_staff"], sent["transfers"], sent["state"]) == ("clerk02", 1, "waiting")
    assert called(ask, "clerk02", "luolong-W02")["id"] == sent["id"]
    assert ask.get(f"{path}/visit", who="clerk02")["note"] == "请核对"
    ask.refused("reason.unknown", "POST", f"{path}/abandon", {"reason": "bored"}, who="clerk02")
    assert ask.post(f"{path}/abandon", {"reason": "wrong-queue"}, who="clerk02")["state"] == "abandoned"
    assert ask.get(f"{path}/visit", who="clerk02")["left_reason"] == "wrong-queue"


def test_who_may_choose_says_why_and_whom_it_passed_over_is_read(ask: Asking) -> None:
    first, second = taken(ask), taken(ask)
    path = f"/tickets/{second['id']}"
    ask.refused("auth.forbidden", "POST", f"{path}/call", {"reason": "illness"}, **CLERK)
    role = next(role for role, (_, _, may) in ROLES.items() if Permission.TICKET_CALL_ANY in may)
    with ask.app.app_context():
        clerk = db.session.query(Staff).filter_by(username="clerk02").one()
        clerk.roles = [*clerk.roles, role]
        db.session.commit()
    trusted = {"who": "clerk02"}
    ask.refused("window.not_open", "POST", f"{path}/call", {"reason": "illness"}, **trusted)
    opened(ask, "clerk02", "luolong-W02")
    ask.refused("request.invalid", "POST", f"{path}/call", {}, **trusted)
    ask.refused("reason.unknown", "POST", f"{path}/call", {"reason": "friend"}, **trusted)
    ask.refused("reason.note_required", "POST", f"{path}/call", {"reason": "other"}, **trusted)
    answer = ask.post(f"{path}/call", {"reason": "illness"}, **trusted)
    assert answer["ticket"]["id"] == second["id"] and answer["why"]["passed_over"] == [first["number"]]
    (past,) = ask.get(f"{path}/why", **CLERK)
    assert (past["mode"], past["reason"], past["why"]["by_rule"]) == ("chosen", "illness", first["number"])


def test_a_window_left_open_is_taken_over_on_purpose(ask: Asking) -> None:
    window = opened(ask)
    assert ask.refused("window.already_open", "POST", f"/windows/{window}/open", who="clerk02")["facts"] == {
        "staff": "clerk01"
    }
    assert ask.post(f"/windows/{window}/open", {"take_over": True}, who="clerk02")["state"] == "open"
    shown = next(w for w in ask.get("/windows", who="clerk02") if w["id"] == window)
    assert (shown["staff"], shown["taken_from"]) == ("clerk02", "clerk01") and shown["free_since"]
    ask.refused("window.not_yours", "POST", f"/windows/{window}/close", **CLERK)


def test_the_close_of_day(ask: Asking) -> None:
    waiting, boss = taken(ask), {"who": "supervisor01"}
    for path, body in (("issuing", {"open": False}), ("expire", {"reason": "closing"})):
        ask.refused("auth.forbidden", "POST", f"/halls/luolong/{path}", body, **CLERK)
        ask.refused("hall.unknown", "POST", f"/halls/nowhere/{path}", body, **boss)
    ask.refused("queue.still_issuing", "POST", "/halls/luolong/expire", {"reason": "closing"}, **boss)
    assert ask.post("/halls/luolong/issuing", {"open": False}, **boss)["open"] is False
    assert not any(q["open"] for q in ask.get("/halls/luolong/queues"))
    ask.refused("queue.closed_for_today", "POST", "/halls/luolong/tickets", {"queue": "A"}, who="guide01")
    ask.refused("reason.unknown", "POST", "/halls/luolong/expire", {"reason": "rollover"}, **boss)
    ask.refused("queue.unknown", "POST", "/halls/luolong/expire", {"reason": "closing", "queues": ["Z"]}, **boss)
    ended = ask.post("/halls/luolong/expire", {"reason": "closing"}, **boss)
    assert ended == {"expired": 1, "numbers": [waiting["number"]]}
    seen = ask.get(f"/tickets/{waiting['token']}")
    assert (seen["state"], seen["left_reason"], seen["steps"]) == ("expired", "closing", [])
    assert ask.post("/halls/luolong/issuing", {"open": True}, **boss)["open"] is True
    assert taken(ask)["number"] == "A002"
