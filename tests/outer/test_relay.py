"""The relay: everybody is told everything, in order; who fails holds up nobody; no crash loses an event."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

import app.realtime as realtime
from app import eventlog
from app.config import Settings
from app.db import NETWORK, db
from app.errors import Refusal
from app.events import (
    SYSTEM,
    Actor,
    CaseReceived,
    FieldRevealed,
    NoticeIssued,
    Recorded,
    TicketCalled,
    TicketIssued,
    WindowOpened,
)
from app.now import now
from app.people.staff import add_staff
from app.queueing.calls import call_next, finish, start, transfer
from app.queueing.tickets import issue_ticket
from app.queueing.windows import open_window
from tests.outer.stage import Redis, Stage, until
from workers import consumers, relay
from workers.board import Boards, folded
from workers.relay import Relay
from workers.sole import Sole


class Listener:
    """A consumer that keeps what it is told, and fails when it is asked to."""

    lazy = True

    def __init__(self, name: str) -> None:
        self.name, self.heard, self.failing = name, [], False

    def wants(self, hall: str) -> bool:
        return hall == "luolong"

    def take(self, hall: str, batch: list[Recorded], state: Any) -> Any:
        if self.failing:
            raise ConnectionError("away")
        self.heard += [recorded.seq for recorded in batch]
        return (state or 0) + len(batch)


class Wire:
    """A bus that keeps what is sent; down, it raises as the real one does."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, Any, str]] = []

    def emit(self, event: str, data: Any, *, namespace: str, room: str) -> None:
        self.sent.append((namespace, event, json.loads(json.dumps(data)), room))

    def of(self, event: str) -> list[Any]:
        return [data for _, name, data, _ in self.sent if name == event]


class Bench:
    """Jobs that nobody does."""

    def __init__(self) -> None:
        self.entered: list[tuple[str, str, int]] = []

    def enqueue(self, job: str, hall: str, number: int) -> bool:
        self.entered.append((job, hall, number))
        return True


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def take(kiosk: Actor, queue: str = "A", channel: str = "kiosk") -> int:
    ticket = issue_ticket(hall="luolong", actor=kiosk, at=now(), queue=queue, channel=channel)
    return int(ticket["id"].rsplit("-", 1)[1])


def head() -> int:
    seq = eventlog.heads()["luolong"]
    db.session.rollback()
    return seq


# ── giving ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_consumer_gets_every_event_once_and_in_order(app: Flask, kiosk: Actor) -> None:
    one, two = Listener("one"), Listener("two")
    machine = Relay([one, two])
    machine.turn()
    for _ in range(5):
        take(kiosk)
        machine.turn()
    assert one.heard == two.heard == list(range(1, head() + 1))
    assert machine.turn() == 0


def test_a_consumer_that_fails_is_tried_again_later_and_holds_up_nobody(app: Flask, kiosk: Actor) -> None:
    one, two, clock = Listener("one"), Listener("two"), Clock()
    machine = Relay([one, two], clock)
    one.failing = True
    machine.turn()
    take(kiosk)
    machine.turn()
    assert one.heard == [] and two.heard == list(range(1, head() + 1))
    one.failing = False
    machine.turn()
    assert one.heard == []  # not yet: it is given a pause
    clock.at += relay.RETRY_LAST_S
    machine.turn()
    assert one.heard == two.heard


def test_the_pauses_of_a_failing_consumer_grow_to_a_limit(app: Flask) -> None:
    one, clock = Listener("one"), Clock()
    one.failing = True
    machine = Relay([one], clock)
    pauses = []
    for _ in range(8):
        machine.turn()
        (post,) = machine._posts.values()
        pauses.append(round(post.retry_at - clock.at, 3))
        clock.at = post.retry_at
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0]


def test_a_relay_that_dies_between_telling_and_noting_tells_again(app: Flask, kiosk: Actor) -> None:
    """The crash point of a relay: nothing is lost, something may come twice."""
    clock = Clock()
    first = Listener("one")
    Relay([first], clock).turn()  # tells all so far and stores the cursor
    told = head()
    lost = Relay([first], clock)
    lost.turn()
    take(kiosk)
    lost._posts["one", "luolong"].stored_at = clock.at  # stored just now: the next cursor waits
    lost.turn()
    assert first.heard[-1] == head() and eventlog.cursor("one", "luolong")[0] == told
    again = Listener("one")
    Relay([again], clock).turn()
    assert again.heard == list(range(told + 1, head() + 1))


def test_a_lazy_cursor_is_stored_once_a_second_and_at_the_end(app: Flask, kiosk: Actor) -> None:
    clock, one = Clock(), Listener("one")
    machine = Relay([one], clock)
    machine.turn()
    stored = [eventlog.cursor("one", "luolong")[0]]
    for _ in range(4):
        take(kiosk)
        clock.at += 0.4
        machine.turn()
        stored.append(eventlog.cursor("one", "luolong")[0])
    base = stored[0]
    assert [seq - base for seq in stored] == [0, 0, 0, 3, 3]
    machine.rest()
    assert eventlog.cursor("one", "luolong") == (head(), head())


def test_an_eager_cursor_is_stored_at_once(app: Flask, kiosk: Actor) -> None:
    one = Listener("one")
    one.lazy = False
    machine = Relay([one], Clock())
    for _ in range(3):
        take(kiosk)
        machine.turn()
        assert eventlog.cursor("one", "luolong")[0] == head()


def test_a_long_backlog_comes_in_batches(app: Flask, kiosk: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "BATCH", 7)
    one = Listener("one")
    machine = Relay([one])
    while machine.turn():
        assert len(one.heard) % 7 == 0 or len(one.heard) == head()
    assert one.heard == list(range(1, head() + 1))


def test_a_database_put_back_to_an_earlier_time_is_followed(app: Flask, kiosk: Actor) -> None:
    one = Listener("one")
    machine = Relay([one], Clock())
    machine.turn()
    machine._posts["one", "luolong"].seq += 50  # as it would stand had the lost events been told
    machine.turn()
    take(kiosk)
    machine.turn()
    assert one.heard[-1] == head()


def test_only_one_relay_has_the_lock(app: Flask, settings: Settings) -> None:
    one, two = (Sole("relay", settings.data_dir, settings.database_url) for _ in range(2))
    other = Sole("timer", settings.data_dir, settings.database_url)
    try:
        assert one.take() and one.take() and one.holds()
        assert not two.take() and not two.holds()
        assert other.take()
        one.release()
        assert not one.holds() and two.take()
    finally:
        for sole in (one, two, other):
            sole.release()


@pytest.mark.parametrize("database", ["postgresql"])
def test_a_lock_whose_connection_is_cut_is_lost(app: Flask, settings: Settings) -> None:
    sole = Sole("relay", settings.data_dir, settings.database_url)
    assert sole.take()
    with db.engine.connect() as connection:
        cut = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        connection.exec_driver_sql(cut)
    assert until(lambda: not sole.holds())
    sole.release()


# ── screens ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_screens_get_one_frame_an_event_and_a_call_where_one_is_due(
    app: Flask, kiosk: Actor, staff: Callable[[str], Actor]
) -> None:
    wire = Wire()
    machine = Relay([consumers.Screens(wire)])
    machine.turn()
    before, clerk = head(), staff("clerk01")
    wire.sent.clear()
    ticket = take(kiosk)
    open_window(hall="luolong", actor=clerk, at=now(), window="W01")
    call_next(hall="luolong", actor=clerk, at=now(), window="W01")
    start(hall="luolong", actor=clerk, at=now(), ticket_id=ticket)
    finish(hall="luolong", actor=clerk, at=now(), ticket_id=ticket)
    machine.turn()
    assert [frame["seq"] for frame in wire.of("frame")] == list(range(before + 1, head() + 1))
    (call,) = wire.of("call")
    assert (call["number"], call["window"]) == ("A001", "W01")
    called = next(n for n, sent in enumerate(wire.sent) if sent[1] == "call")
    assert wire.sent[called - 1][2]["seq"] == call["seq"]  # the frame that shows it comes first
    assert {(namespace, room) for namespace, _, _, room in wire.sent} >= {("/screens", "hall:luolong")}


def test_of_a_backlog_screens_get_the_last_frame_and_no_voice(
    app: Flask, kiosk: Actor, staff: Callable[[str], Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk = staff("clerk01")
    take(kiosk)
    open_window(hall="luolong", actor=clerk, at=now(), window="W01")
    call_next(hall="luolong", actor=clerk, at=now(), window="W01")
    monkeypatch.setattr(consumers, "now", lambda: now() + timedelta(minutes=5))
    wire = Wire()
    Relay([consumers.Screens(wire)]).turn()
    (frame,) = [frame for frame in wire.of("frame") if frame["hall"] == "luolong"]
    assert frame["seq"] == head() and frame["now_serving"][0]["number"] == "A001"
    assert wire.of("call") == []


def test_the_folded_state_survives_the_relay(app: Flask, kiosk: Actor) -> None:
    wire = Wire()
    first = Relay([consumers.Screens(wire)])
    first.turn()
    take(kiosk)
    first.turn()
    first.rest()
    seq, state = eventlog.cursor("screens", "luolong")
    assert seq == state["seq"] == head() and state["waiting"] == {"A": 1}
    take(kiosk)
    Relay([consumers.Screens(wire)]).turn()
    assert next(q for q in wire.of("frame")[-1]["queues"] if q["code"] == "A")["waiting"] == 2


def test_a_state_that_cannot_be_used_is_folded_anew_from_the_record(app: Flask, kiosk: Actor) -> None:
    take(kiosk)
    right = folded("luolong", None, head())
    for spoilt in ({"seq": 3}, {**right, "windows": None}, {**right, "seq": 1, "hall": "luolong"} | {"held": 7}):
        assert folded("luolong", spoilt, head()) == right


def test_a_board_is_up_to_date_without_the_relay(app: Flask, kiosk: Actor) -> None:
    board = Boards()
    assert board("luolong")["seq"] == head()
    take(kiosk)
    assert board("luolong")["seq"] == head()
    for unknown in ("nowhere", NETWORK):
        with pytest.raises(Refusal, match=r"hall\.unknown"):
            board(unknown)


# ── phones, pages, printers, papers ─────────────────────────────────────────────────────────────────────────────


def test_a_phone_hears_of_its_own_ticket_and_once_a_batch_of_its_queue(
    app: Flask, kiosk: Actor, staff: Callable[[str], Actor]
) -> None:
    wire, clerk = Wire(), staff("clerk01")
    machine = Relay([consumers.Phones(wire)])
    machine.turn()
    wire.sent.clear()
    tickets = [take(kiosk) for _ in range(3)]
    machine.turn()
    assert [room for _, event, _, room in wire.sent if event == "ticket"] == [f"ticket:luolong-{t}" for t in tickets]
    (queue,) = wire.of("queue")
    assert queue == {"hall": "luolong", "queue": "A", "seq": head(), "waiting": ["A001", "A002", "A003"]}
    assert wire.sent[-1][3] == "queue:luolong:A"
    open_window(hall="luolong", actor=clerk, at=now(), window="W01")
    call_next(hall="luolong", actor=clerk, at=now(), window="W01")
    wire.sent.clear()
    machine.turn()
    (view,) = wire.of("ticket")
    assert (view["state"], view["window"], view["seq"]) == ("called", "W01", head())
    transfer(hall="luolong", actor=clerk, at=now(), ticket_id=tickets[0], queue="B")
    wire.sent.clear()
    machine.turn()
    assert {q["queue"]: q["waiting"] for q in wire.of("queue")} == {"A": ["A002", "A003"], "B": ["A001"]}


def test_pages_hear_what_changed_and_never_how(app: Flask, kiosk: Actor, staff: Callable[[str], Actor]) -> None:
    wire = Wire()
    machine = Relay([consumers.Pages(wire)])
    machine.turn()
    wire.sent.clear()
    ticket, clerk = take(kiosk), staff("clerk01")
    open_window(hall="luolong", actor=clerk, at=now(), window="W01")
    call_next(hall="luolong", actor=clerk, at=now(), window="W01")
    start(hall="luolong", actor=clerk, at=now(), ticket_id=ticket)
    add_staff(actor=SYSTEM, at=now(), username="newcomer", name="新来", roles=[], home=None, password="0123456789")
    machine.turn()
    assert sorted((data["what"], data["id"], room) for _, _, data, room in wire.sent) == [
        ("staff", "newcomer", f"staff:{NETWORK}"),
        ("ticket", f"luolong-{ticket}", "staff:luolong"),  # three events, one message with the last seq
        ("window", "luolong-W01", "staff:luolong"),
    ]
    assert next(d["seq"] for d in wire.of("changed") if d["what"] == "ticket") == head()
    assert all(set(data) == {"hall", "seq", "what", "id"} for data in wire.of("changed"))


def test_the_names_by_which_pages_know_things() -> None:
    said = {"ticket": 12, "number": "A001", "queue": "A", "day": "2026-11-22"}
    for event, name in (
        (TicketIssued(**said, lane="normal", channel="kiosk"), ("ticket", "luolong-12")),
        (TicketCalled(**said, lane="normal", window="W01", waited_s=1, why={}), ("ticket", "luolong-12")),
        (WindowOpened(window="W01", staff="clerk01"), ("window", "luolong-W01")),
        (CaseReceived(case=9, number="LL202611220001", item="x"), ("case", "LL202611220001")),
        (NoticeIssued(notice=5, notice_kind="receipt", number="收字1号", case=9), ("notice", "luolong-5")),
        (FieldRevealed(of="case:9", field="phone", reason="call"), ("field", "phone")),
    ):
        assert consumers.named("luolong", event) == name


def test_slips_are_printed_where_people_stand_before_a_printer_and_only_soon(
    app: Flask, kiosk: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench()
    machine = Relay([consumers.Printers(bench)])
    machine.turn()
    assert bench.entered == []
    here, desk, phone = take(kiosk), take(kiosk, channel="guide"), take(kiosk, channel="phone")
    machine.turn()
    assert bench.entered == [("print_slip", "luolong", here), ("print_slip", "luolong", desk)]
    take(kiosk)
    monkeypatch.setattr(consumers, "now", lambda: now() + consumers.PRINT_WITHIN)
    machine.turn()
    assert len(bench.entered) == 2 and phone


# ── with a real Redis ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def heard(redis_server: Redis) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What has come out at the other end of the bus since the last look; it subscribes again by itself."""
    pubsub = redis_server.client.pubsub(ignore_subscribe_messages=True)
    messages: list[dict[str, Any]] = []
    stop = threading.Event()

    def listen() -> None:
        while not stop.is_set():
            try:
                if not pubsub.subscribed:
                    pubsub.subscribe(realtime.CHANNEL)
                message = pubsub.get_message(timeout=0.05)
                if message:
                    messages.append(json.loads(message["data"]))
            except realtime.redis.RedisError:
                pubsub.reset()
                stop.wait(0.02)

    thread = threading.Thread(target=listen)
    thread.start()

    def look() -> list[dict[str, Any]]:
        taken = list(messages)
        del messages[: len(taken)]
        return taken

    yield look
    stop.set()
    thread.join()
    pubsub.close()


def frames(messages: list[dict[str, Any]]) -> list[int]:
    return [m["data"][0]["seq"] for m in messages if m["event"] == "frame" and m["room"] == "hall:luolong"]


def test_while_redis_is_away_the_cursors_wait_and_then_everything_comes(
    house: Flask, redis_server: Redis, kiosk: Actor, heard: Callable[[], list[dict[str, Any]]]
) -> None:
    clock = Clock()
    bus = realtime.Bus(redis_server.url, write_only=True)
    machine = Relay([consumers.Screens(bus), consumers.Phones(bus), consumers.Pages(bus)], clock)
    machine.turn()
    told = head()
    redis_server.kill()
    for _ in range(3):
        take(kiosk)
        clock.at += relay.RETRY_LAST_S
        assert machine.turn() == 0
    assert {post.seq for post in machine._posts.values() if post.hall == "luolong"} == {told}
    redis_server.start()
    until(lambda: redis_server.client.pubsub_numsub(realtime.CHANNEL)[0][1])
    heard()
    clock.at += relay.RETRY_LAST_S
    assert machine.turn() == 9
    seen: list[int] = []
    until(lambda: seen.extend(frames(heard())) or len(seen) >= 3)
    assert seen == [told + 1, told + 2, told + 3]


@pytest.mark.slow
def test_flushing_redis_loses_nothing(
    stage: Stage, house: Flask, redis_server: Redis, kiosk: Actor, heard: Callable[[], list[dict[str, Any]]]
) -> None:
    stage.start("relay")
    first = take(kiosk)
    seen: list[int] = []
    until(lambda: seen.extend(frames(heard())) or head() in seen)
    redis_server.client.flushall()
    second = take(kiosk)
    until(lambda: seen.extend(frames(heard())) or head() in seen)
    assert second > first and seen == sorted(seen)


@pytest.mark.slow
def test_a_killed_relay_is_followed_by_the_one_that_stands_by(
    stage: Stage, house: Flask, redis_server: Redis, kiosk: Actor, heard: Callable[[], list[dict[str, Any]]]
) -> None:
    seen: list[int] = []
    first = stage.start("relay")
    take(kiosk)
    until(lambda: seen.extend(frames(heard())) or head() in seen)
    stage.start("relay")  # stands by
    first.kill()
    start_of_gap = head()
    for _ in range(3):
        take(kiosk)
    until(lambda: seen.extend(frames(heard())) or head() in seen)
    assert set(range(start_of_gap + 1, head() + 1)) <= set(seen)


def test_what_goes_through_redis_is_json_and_names_nobody(
    house: Flask, redis_server: Redis, kiosk: Actor, heard: Callable[[], list[dict[str, Any]]], tmp_path: Path
) -> None:
    bus = realtime.Bus(redis_server.url, write_only=True)
    machine = Relay(consumers.all_consumers(bus, Bench()))
    machine.turn()
    until(lambda: redis_server.client.pubsub_numsub(realtime.CHANNEL)[0][1])
    heard()
    person = {"name": "诸葛孔明", "id_number": "410305199001010011", "phone": "13812345678"}
    issue_ticket(hall="luolong", actor=kiosk, at=now(), queue="A", channel="kiosk", person=person)
    machine.turn()
    messages = until(heard)
    text = json.dumps(messages, ensure_ascii=False)
    assert '"ticket"' in text and not any(word in text for word in person.values())
