"""One citizen's whole day, through HTTP, on both databases; and afterwards nobody can tell from what is kept who came."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import eventlog
from app.db import db
from app.realtime import CHANNEL, Bus, redis_client
from displays import frames
from tests.outer.stage import Redis
from tests.stories import crawl
from tests.stories.conftest import HALL, Town
from workers.consumers import all_consumers
from workers.enqueue import Jobs
from workers.relay import Relay

NAME, ID, PHONE = "欧阳𠮷祥", "11010519491231002X", "13912345678"
PERSON = {"name": NAME, "id_number": ID, "phone": PHONE}
APPLICANT = {"kind": "person", "id_type": "id_card", **PERSON}
CLERK, PICKUP = "clerk01", "pickup01"


def guide(town: Town, routing: str) -> dict[str, Any]:
    """A written item with that routing and a paper that must be there."""
    for page in range(1, 8):
        for line in town.get(f"/halls/{HALL}/items?page={page}")["items"]:
            found = town.get(f"/items/{line['code']}")
            several = len(found["departments"]) > 1
            required = [m for m in found["materials"] if m["required"] and not m["sharable"]]
            if found["routing"] == routing and several == (routing == "parallel") and len(required) > 1:
                return found
    raise AssertionError(f"no item with {routing}")


def papers(item: dict[str, Any], *missing: str) -> list[dict[str, str]]:
    return [{"code": m["code"], "state": "missing" if m["code"] in missing else "received"} for m in item["materials"]]


def visit(town: Town, item: dict[str, Any]) -> dict[str, Any]:
    """From the kiosk to the chair at the window."""
    wish = {"item": item["code"], "person": PERSON}
    ticket = town.post(f"/halls/{HALL}/tickets", wish, 201, who="kiosk")
    again = town.open(f"/api/v1/halls/{HALL}/tickets", "POST", who="kiosk", json=wish)
    assert (again.status_code, again.json["token"]) == (200, ticket["token"])
    assert town.get(f"/tickets/{ticket['token']}")["state"] == "waiting"
    for page in ("", "/now"):
        assert town.open(f"/t/{ticket['token']}{page}").status_code == 200
    called = town.post(f"/windows/{HALL}-W01/call-next", None, who=CLERK)["ticket"]
    assert called["number"] == ticket["number"]
    shown = town.get(f"/tickets/{ticket['token']}")
    assert (shown["state"], shown["window"]) == ("called", "W01")
    assert ticket["number"] in town.open(f"/t/{ticket['token']}").text
    town.refused("ticket.recall_too_soon", f"/tickets/{called['id']}/recall", who=CLERK)
    assert town.post(f"/tickets/{called['id']}/start", None, who=CLERK)["state"] == "serving"
    return called


def leave(town: Town, called: dict[str, Any]) -> None:
    assert town.post(f"/tickets/{called['id']}/finish", None, who=CLERK)["state"] == "finished"


def receive(town: Town, item: dict[str, Any], called: dict[str, Any], *missing: str) -> dict[str, Any]:
    wish = {"item": item["code"], "applicant": APPLICANT, "ticket": called["id"], "materials": papers(item, *missing)}
    case = town.post("/cases", wish, 201, who=CLERK)
    assert case["state"] == "received" and case["applicant"]["name"] == "欧**祥"
    return case


def look(town: Town, case: dict[str, Any]) -> dict[str, Any]:
    """As the citizen at home, and as everybody who works on it."""
    number = case["number"]
    public = town.post("/case-queries", {"number": number, "query_code": case["query_code"]})
    for address in (f"/c/{case['query_token']}", f"/c/{case['query_token']}?lang=en"):
        answer = town.open(address)
        assert answer.status_code == 200 and number in answer.text
    for who in (CLERK, PICKUP, "supervisor01", "chief01"):
        town.get(f"/cases/{number}", who=who)
        town.get(f"/cases/{number}/deadline", who=who)
        town.get(f"/cases/{number}/notices", who=who)
        assert town.open(f"/cases/{number}", who=who).status_code == 200
    return public


def hand_over(town: Town, case: dict[str, Any]) -> None:
    number = case["number"]
    assert town.post(f"/cases/{number}/ready", {"shelf": "B-2"}, who=PICKUP)["state"] == "ready"
    town.open("/pickup", who=PICKUP)
    wrong = {"pickup_code": "000000" if case["pickup_code"] != "000000" else "111111", "receiver": NAME}
    town.refused("case.receiver_mismatch", f"/cases/{number}/hand-over", wrong, who=PICKUP)
    give = {"pickup_code": case["pickup_code"], "receiver": NAME}
    assert town.post(f"/cases/{number}/hand-over", give, who=PICKUP)["state"] == "delivered"


def the_day(town: Town) -> list[dict[str, Any]]:
    """Three errands: all papers there, one missing, and one for several departments at once."""
    town.post(f"/windows/{HALL}-W01/open", None, who=CLERK)
    plain = guide(town, "in_turn")

    called = visit(town, plain)
    first = receive(town, plain, called)
    accepted = town.post(f"/cases/{first['number']}/accept", None, who=CLERK)
    assert accepted["state"] == "accepted" and accepted["clocks"]["promised"]["due_at"]
    leave(town, called)
    assert look(town, first)["state"] == "accepted"
    for entry in accepted["departments"]:
        approver = town.approver(entry["department"])
        assert first["number"] in {line["number"] for line in town.get("/cases?per_page=100", who=approver)["items"]}
        town.open("/approver", who=approver)
        town.post(f"/cases/{first['number']}/take", None, who=approver)
        decided = town.post(f"/cases/{first['number']}/decide", {"outcome": "granted"}, who=approver)
    assert decided["state"] == "granted"
    hand_over(town, first)
    look(town, first)

    required = [m["code"] for m in plain["materials"] if m["required"] and not m["sharable"]]
    called = visit(town, plain)
    second = receive(town, plain, called, required[0])
    town.refused("case.materials_missing", f"/cases/{second['number']}/accept", who=CLERK)
    asked = {"items": [{"code": required[0], "problem": f"{NAME}的材料未签字，电话 {PHONE}"}]}
    # what a clerk types is kept sealed, and shown to whoever may read the case: these answers are not listened to
    unheard = {"who": CLERK, "heard": False}
    assert town.post(f"/cases/{second['number']}/request-supplement", asked, **unheard)["state"] == "correction"
    leave(town, called)
    town.refused("case.second_notice", f"/cases/{second['number']}/request-supplement", asked, who=CLERK)
    public = town.open("/api/v1/case-queries", "POST", heard=False, json=_query(second)).json
    assert public["state"] == "correction"
    supplied = town.post(f"/cases/{second['number']}/supply", {"items": [required[0]]}, **unheard)
    assert supplied["state"] == "accepted"
    town.post(f"/cases/{second['number']}/withdraw", None, **unheard)

    parallel = guide(town, "parallel")
    called = visit(town, parallel)
    third = receive(town, parallel, called)
    departments = town.post(f"/cases/{third['number']}/accept", None, who=CLERK)["departments"]
    leave(town, called)
    assert {entry["state"] for entry in departments} == {"open"}
    states = []
    for entry in reversed(departments):  # in any order
        approver = town.approver(entry["department"])
        states.append(town.post(f"/cases/{third['number']}/decide", {"outcome": "granted"}, who=approver)["state"])
    assert states == ["review"] * (len(states) - 1) + ["granted"]
    look(town, third)
    return [first, second, third]


def _query(case: dict[str, Any]) -> dict[str, str]:
    return {"number": case["number"], "query_code": case["query_code"]}


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path)
    server.start()
    yield server
    server.close()


def test_the_day(town: Town) -> None:
    cases = the_day(town)
    db.session.rollback()
    assert eventlog.verify(HALL) is None and eventlog.verify("network") is None
    rows = eventlog.read(HALL, 0, 10_000)
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    assert town.get(f"/halls/{HALL}/events?after=0&limit=1000", who="supervisor01")

    kinds = [row.event.kind for row in eventlog.read_subject(HALL, f"case:{_id(rows, cases[0]['number'])}")]
    steps = [kind for kind in kinds if kind not in ("notice.issued", "case.clocks_moved", "case.light_changed")]
    assert steps == [
        *("case.received", "case.accepted", "case.routed", "case.taken", "case.decided", "licence.stored"),
        *("case.ready", "case.delivered"),
    ]
    issued = [row.event.notice_kind for row in rows if row.event.kind == "notice.issued"]
    assert {"receipt", "acceptance", "supplement"} <= set(issued)

    calls = [row.event for row in rows if row.event.kind == "ticket.called"]
    assert len(calls) == 3 and all(call.why["chosen"] == call.number for call in calls)


def _id(rows: list[Any], number: str) -> int:
    return int(next(row.event.case for row in rows if row.event.kind == "case.received" and row.event.number == number))


def everything(town: Town, caplog: pytest.LogCaptureFixture, server: Redis) -> Iterator[tuple[str, str]]:
    """All that is kept, said or sent, but for papers and the answer to a reveal, which are made to name the person."""
    yield from crawl.tables()
    state = frames.empty(HALL)
    for row in eventlog.read(HALL, 0, 10_000):
        yield f"event {row.seq}", json.dumps([row.event.__dict__, row.actor], ensure_ascii=False, default=str)
        state = frames.fold(state, row)
        yield f"frame {row.seq}", json.dumps([state, frames.frame(state), frames.call(state, row)], ensure_ascii=False)
    listener = server.client.pubsub()
    listener.subscribe(CHANNEL)
    relay = Relay(all_consumers(Bus(server.url, write_only=True), Jobs(redis_client(server.url))))
    while relay.turn():
        pass
    relay.rest()
    sent = 0
    while (message := listener.get_message(timeout=0.5)) is not None:
        sent += message["type"] == "message"
        yield "published", str(message["data"], "utf-8") if isinstance(message["data"], bytes) else str(message)
    listener.close()
    assert sent > 10, "the relay told nobody: nothing was looked at"
    kept = list(crawl.memory(server.client))
    assert len(kept) > 10
    yield from kept
    yield from crawl.tables()  # the consumers' states as well
    for address, words in town.heard:
        yield f"address {address}", address
        yield f"answer {address}", words
    for record in caplog.records:
        yield f"log {record.name}", f"{record.getMessage()} {record.exc_text or ''}"


def test_nobody_can_be_found_in_what_is_kept_and_said(
    town: Town, memory: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    cases = the_day(town)
    revealed = town.open(
        f"/api/v1/cases/{cases[0]['number']}/reveal",
        "POST",
        who=CLERK,
        heard=False,
        json={"field": "id_number", "reason": "verify"},
    )
    assert revealed.json["value"] == ID  # the house does know
    for who, pages in {
        CLERK: ("/clerk", "/clerk/live", "/clerk/recent"),
        "supervisor01": ("/supervisor", "/supervisor/wall", "/supervisor/cases", "/supervisor/record"),
        "guide01": ("/guide", "/guide/queues"),
        "chief01": ("/approver",),
        "screen": (f"/screens/{HALL}/board", f"/api/v1/halls/{HALL}/board", f"/api/v1/halls/{HALL}/events?after=0"),
        "": ("/", "/progress", "/metrics", "/healthz", "/readyz", f"/api/v1/halls/{HALL}/queues"),
    }.items():
        for page in pages:
            assert town.open(page, who=who).status_code < 400, page
    places = list(everything(town, caplog, memory))
    assert len(places) > 2_000
    assert crawl.find((NAME, ID, PHONE), places) == []


def test_the_crawler_finds_what_is_there(town: Town, memory: Redis, caplog: pytest.LogCaptureFixture) -> None:
    """One leak in each place it looks, each in another spelling."""
    from sqlalchemy import text

    from app.events import SYSTEM
    from app.now import now
    from app.queueing.tickets import issue_ticket
    from app.queueing.windows import open_window

    issue_ticket(hall=HALL, actor=SYSTEM, at=now(), queue="A", channel="kiosk", person=PERSON)
    open_window(hall=HALL, actor=SYSTEM, at=now(), window="W02")
    db.session.execute(text("UPDATE window_sessions SET reason = :reason"), {"reason": f"电话 {PHONE}"})
    db.session.execute(
        text("UPDATE events SET body = replace(body, '\"W02\"', :leak) WHERE kind = 'window.opened'"),
        {"leak": json.dumps(NAME)},
    )
    db.session.commit()
    memory.client.set("cache", zlib_of(ID))
    memory.client.hset("rq:job:1", "data", json.dumps([NAME]))
    town.open(f"/progress?number={ID}")
    caplog.set_level(logging.INFO)
    logging.getLogger("yichuang").warning("no answer for %s", NAME.encode())
    for _ in range(12):
        issue_ticket(hall=HALL, actor=SYSTEM, at=now(), queue="A", channel="kiosk")
    found = crawl.find((NAME, ID, PHONE), everything(town, caplog, memory))
    where = {entry.split(": ")[0].split(" ")[0] for entry in found}
    assert {"window_sessions.reason", "events.body", "event", "redis", "address", "log"} <= where, where


def zlib_of(words: str) -> bytes:
    import zlib

    return zlib.compress(words.encode())
