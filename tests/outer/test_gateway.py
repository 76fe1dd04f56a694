"""The live line as clients have it: the real gateway and relay, a real Redis, Socket.IO clients."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import socketio
import websocket
from flask import Flask

import app.realtime as realtime
from app import eventlog
from app.db import db
from app.events import SYSTEM, Actor
from app.now import now
from app.people.devices import next_device_id, register_device, revoke_device
from app.people.models import Staff
from app.people.permissions import permissions_of
from app.people.sessions import close_session, open_session
from app.queueing.calls import call_next, finish, start, transfer
from app.queueing.setup import assign_queues
from app.queueing.tickets import issue_ticket
from app.queueing.windows import close_window, open_window
from app.realtime import Gateway
from tests.outer.stage import Redis, Stage, until
from workers.board import Boards

pytestmark = pytest.mark.slow


class Refused(Exception):
    """The gateway would not have us; says why."""


class Client:
    """A Socket.IO client that keeps all it is sent. It names an origin only if it is told to."""

    def __init__(self, url: str, namespace: str, auth: Any = None, headers: dict[str, str] | None = None, **how: Any):
        self.got: list[tuple[str, Any]] = []
        self._io = socketio.Client(
            reconnection=how.pop("reconnection", False), websocket_extra_options={"suppress_origin": True}
        )
        self._io.on("*", lambda event, data: self.got.append((event, data)), namespace=namespace)
        reasons: list[Any] = []
        self._io.on("connect_error", reasons.append, namespace=namespace)
        how.setdefault("transports", ["websocket"])
        try:
            self._io.connect(url, headers or {}, auth, namespaces=[namespace], wait_timeout=10, **how)
        except socketio.exceptions.ConnectionError as error:
            self._io.shutdown()
            raise Refused(str(reasons)) from error

    def of(self, event: str) -> list[Any]:
        return [data for name, data in list(self.got) if name == event]

    def seq(self, event: str) -> int | None:
        """How far the newest of these events has come, once there is one."""
        return max((data["seq"] for data in self.of(event)), default=None)

    def frames(self) -> list[int]:
        """The frames that a screen would draw: what it has seen already it leaves out."""
        seen: list[int] = []
        for frame in self.of("frame"):
            if not seen or frame["seq"] > seen[-1]:
                seen.append(frame["seq"])
        return seen

    def close(self) -> None:
        self._io.shutdown()


Connect = Callable[..., Client]


class People:
    """Tokens and actions of the demo network."""

    def __init__(self) -> None:
        self.kiosk = Actor("device", 7, "kiosk-7", "luolong", frozenset())

    def staff(self, username: str) -> Actor:
        row = db.session.query(Staff).filter_by(username=username).one()
        actor = Actor("staff", row.id, row.username, row.hall, permissions_of(row.roles), row.department)
        db.session.rollback()
        return actor

    def session(self, username: str) -> str:
        return str(open_session(actor=self.staff(username), at=now(), hours=1)["token"])

    def device(self, kind: str = "screen", hall: str = "luolong") -> dict[str, Any]:
        made = register_device(hall=hall, actor=SYSTEM, at=now(), device_id=next_device_id(), kind=kind)
        return dict(made)

    def ticket(self, queue: str = "A", hall: str = "luolong") -> dict[str, Any]:
        kiosk = Actor("device", 7, "kiosk-7", hall, frozenset())
        return dict(issue_ticket(hall=hall, actor=kiosk, at=now(), queue=queue, channel="phone"))


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    server = Redis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, redis_server: Redis, sqlite_template: Path) -> Iterator[Stage]:
    """One gateway fed by one relay for all these tests: what they share is a hall's day, as clients do."""
    folder = tmp_path_factory.mktemp("stage")
    shutil.copy(sqlite_template, folder / "hall.db")
    made = Stage(folder, f"sqlite:///{folder / 'hall.db'}", redis_server.url)
    made.start("relay")
    made.start("gateway")
    yield made
    made.close()


@pytest.fixture
def people(house: Flask) -> People:
    return People()


@pytest.fixture
def connect(stage: Stage, house: Flask) -> Iterator[Connect]:
    clients: list[Client] = []

    def open_client(namespace: str, auth: Any = None, headers: dict[str, str] | None = None, **how: Any) -> Client:
        clients.append(Client(stage.url("gateway"), namespace, auth, headers, **how))
        return clients[-1]

    yield open_client
    for client in clients:
        client.close()


def head(hall: str = "luolong") -> int:
    seq = eventlog.heads()[hall]
    db.session.rollback()
    return seq


def row_of(ticket: dict[str, Any]) -> int:
    return int(ticket["id"].rsplit("-", 1)[1])


def serve(clerk: Actor, window: str) -> str:
    """Call somebody to the window, and finish with them; answers the number."""
    ticket = call_next(hall="luolong", actor=clerk, at=now(), window=window)["ticket"]
    start(hall="luolong", actor=clerk, at=now(), ticket_id=row_of(ticket))
    finish(hall="luolong", actor=clerk, at=now(), ticket_id=row_of(ticket))
    return str(ticket["number"])


# ── what clients get ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_screen_has_the_board_at_once_and_then_every_frame_and_call(connect: Connect, people: People) -> None:
    screen = connect("/screens", {"token": people.device()["token"]})
    first = until(lambda: screen.of("frame"))[0]
    assert first["seq"] == head() and first["hall"] == "luolong"
    clerk = people.staff("clerk01")
    people.ticket()
    open_window(hall="luolong", actor=clerk, at=now(), window="W01")
    number = serve(clerk, "W01")
    close_window(hall="luolong", actor=clerk, at=now(), window="W01")
    until(lambda: screen.seq("frame") == head())
    assert screen.frames() == list(range(first["seq"], head() + 1))
    call = screen.of("call")[-1]
    assert (call["number"], call["window"], call["recall"]) == (number, "W01", 0)
    assert call["text_zh"] and call["text_en"]


@pytest.mark.parametrize("transports", [["polling"], ["polling", "websocket"]])
def test_a_client_may_begin_with_polling(connect: Connect, people: People, transports: list[str]) -> None:
    screen = connect("/screens", {"token": people.device()["token"]}, transports=transports)
    until(lambda: screen.of("frame"))
    people.ticket()
    until(lambda: screen.seq("frame") == head())


def test_a_phone_hears_of_its_ticket_and_of_the_queue_it_waits_in(connect: Connect, people: People) -> None:
    clerk, mine = people.staff("clerk05"), people.ticket("C")
    phone = connect("/tickets", {"token": mine["token"]})
    view = until(lambda: phone.of("ticket"))[0]
    assert (view["number"], view["state"], view["ahead"]) == ("C001", "waiting", 0)
    assert until(lambda: phone.of("queue"))[0]["waiting"] == ["C001"]
    people.ticket("C")
    until(lambda: phone.of("queue")[-1]["waiting"] == ["C001", "C002"])
    assert {t["number"] for t in phone.of("ticket")} == {"C001"}  # the other's ticket is the other's
    assign_queues(hall="luolong", actor=people.staff("admin01"), at=now(), window="W05", queues={"C": 0})
    open_window(hall="luolong", actor=clerk, at=now(), window="W05")
    call_next(hall="luolong", actor=clerk, at=now(), window="W05")
    until(lambda: phone.of("ticket")[-1]["state"] == "called")
    transfer(hall="luolong", actor=clerk, at=now(), ticket_id=row_of(mine), queue="D")
    until(lambda: phone.of("ticket")[-1]["queue"] == "D")  # from now on it hears of that queue, and no more of the old
    people.ticket("D")
    until(lambda: phone.of("queue")[-1]["waiting"] == ["C001", "D001"])
    people.ticket("C")
    people.ticket("D")
    until(lambda: phone.of("queue")[-1]["waiting"] == ["C001", "D001", "D002"])
    assert not [q for q in phone.of("queue") if "C003" in q["waiting"]]


def test_a_staff_page_hears_what_changed_in_its_hall(connect: Connect, people: People) -> None:
    page = connect("/staff", {"token": people.session("clerk01")})
    people.ticket(hall="lilou")
    ticket = people.ticket()
    until(lambda: page.seq("changed") == head())
    assert page.of("changed")[-1] == {"hall": "luolong", "seq": head(), "what": "ticket", "id": ticket["id"]}
    assert {changed["hall"] for changed in page.of("changed")} == {"luolong"}


def test_who_belongs_to_the_network_hears_of_every_hall_or_of_the_one_named(connect: Connect, people: People) -> None:
    token = people.session("supervisor01")
    everything, one = connect("/staff", {"token": token}), connect("/staff", {"token": token, "hall": "lilou"})
    mine, theirs = people.ticket(), people.ticket(hall="lilou")
    until(lambda: {mine["id"], theirs["id"]} <= {c["id"] for c in everything.of("changed")})
    until(lambda: theirs["id"] in {c["id"] for c in one.of("changed")})
    assert {c["hall"] for c in one.of("changed")} == {"lilou"}


# ── who is refused ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("namespace", ["/screens", "/tickets", "/staff"])
@pytest.mark.parametrize(
    "auth", [None, {}, {"token": ""}, {"token": "wrong"}, {"token": 7}, {"token": ["x"]}, "x", [1]]
)
def test_a_wrong_or_missing_token_is_refused_at_connect(line: Gateway, namespace: str, auth: Any) -> None:
    client = line.socketio.test_client(line.app, namespace=namespace, auth=auth)
    assert not client.is_connected(namespace)


def test_the_real_gateway_refuses_too_and_says_why(connect: Connect, people: People) -> None:
    for namespace, auth, code in (
        ("/screens", None, "auth.invalid"),
        ("/screens", {"token": people.device("kiosk")["token"]}, "auth.forbidden"),
        ("/screens", {"token": people.session("approver01"), "hall": "luolong"}, "auth.forbidden"),
        ("/screens", {"token": people.device()["token"], "hall": "lilou"}, "auth.foreign_hall"),
        ("/screens", {"token": people.session("admin01")}, "hall.unknown"),
        ("/screens", {"token": people.session("admin01"), "hall": "network"}, "hall.unknown"),
        ("/tickets", {"token": people.device()["token"]}, "ticket.unknown"),
        ("/staff", {"token": people.device()["token"]}, "auth.invalid"),
        ("/staff", {"token": people.ticket()["token"]}, "auth.invalid"),
    ):
        with pytest.raises(Refused, match=code):
            connect(namespace, auth)
    with pytest.raises(Refused, match="Unable to connect"):
        connect("/", {"token": people.device()["token"]})  # nothing is there


def test_rooms_are_the_servers_choice(connect: Connect, people: People) -> None:
    there = connect("/screens", {"token": people.device(hall="lilou")["token"]})
    until(lambda: there.of("frame"))
    there._io.emit("join", {"room": "hall:luolong"}, namespace="/screens")
    there._io.emit("join_room", "hall:luolong", namespace="/screens")
    people.ticket()
    people.ticket(hall="lilou")
    until(lambda: there.seq("frame") == head("lilou"))
    assert {frame["hall"] for frame in there.of("frame")} == {"lilou"}


def test_a_foreign_page_cannot_connect(stage: Stage, connect: Connect, people: People) -> None:
    token = people.device()["token"]
    own = {"Origin": stage.url("gateway")}
    connect("/screens", {"token": token}, own)
    connect("/screens", {"token": token}, {"Origin": stage.settings.public_url})
    for origin in ("https://evil.example", "null", own["Origin"].replace("http:", "https:")):
        with pytest.raises(Refused):
            connect("/screens", {"token": token}, {"Origin": origin})


def test_a_cookie_counts_only_for_a_page_of_ours(stage: Stage, connect: Connect, people: People) -> None:
    origin, device = {"Origin": stage.url("gateway")}, {"Cookie": f"hall_device={people.device()['token']}"}
    session = {"Cookie": f"hall_session={people.session('clerk01')}"}
    until(lambda: connect("/screens", None, origin | device).of("frame"))
    until(lambda: connect("/screens", {"token": ""}, origin | session).of("frame"))
    both = {"Cookie": f"hall_device={people.device(hall='lilou')['token']}; {session['Cookie']}"}
    until(lambda: connect("/screens", {"hall": "luolong"}, origin | both).of("frame"))  # the one that fits
    connect("/staff", None, origin | session)
    connect("/staff", None, session | {"Sec-Fetch-Site": "same-origin"}, transports=["polling"])
    with pytest.raises(Refused, match="auth.invalid"):
        connect("/staff", None, session)
    with pytest.raises(Refused, match="auth.invalid"):
        connect("/staff", None, session | {"Sec-Fetch-Site": "cross-site"}, transports=["polling"])
    with pytest.raises(Refused, match="auth.invalid"):
        connect("/staff", {"token": "wrong"}, origin | session)  # a token that is given is the one that counts


def test_a_client_that_says_too_much_is_cut_off(stage: Stage, connect: Connect) -> None:
    socket = websocket.create_connection(
        stage.url("gateway").replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket", timeout=10
    )
    assert socket.recv().startswith("0")
    for n in range(realtime.MESSAGE_BYTES // 1000 + 1):  # one message in parts, which never ends
        part = websocket.ABNF.OPCODE_CONT if n else websocket.ABNF.OPCODE_TEXT
        socket.send_frame(websocket.ABNF.create_frame("x" * 1000, part, fin=0))
    end = socket.recv_frame()
    assert end.opcode == websocket.ABNF.OPCODE_CLOSE and int.from_bytes(end.data[:2]) == 1009  # too big
    socket.shutdown()
    answer = requests.post(
        stage.url("gateway") + "/socket.io/?EIO=4&transport=polling&sid=nobody", data="x" * 100_000, timeout=10
    )
    assert answer.status_code == 400


# ── the clocks, in this process ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def line(house: Flask) -> Gateway:
    return Gateway(house, Boards(), async_mode="threading")


def test_who_is_revoked_is_sent_away(line: Gateway, people: People) -> None:
    device, token = people.device(), people.session("clerk01")
    screen = line.socketio.test_client(line.app, namespace="/screens", auth={"token": device["token"]})
    page = line.socketio.test_client(line.app, namespace="/staff", auth={"token": token})
    line.check()
    assert screen.is_connected("/screens") and page.is_connected("/staff")
    revoke_device(hall="luolong", actor=SYSTEM, at=now(), device_id=device["id"])
    line.check()
    assert not screen.is_connected("/screens") and page.is_connected("/staff")
    close_session(actor=people.staff("clerk01"), at=now(), token=token)
    line.check()
    assert not page.is_connected("/staff") and line.callers == {}


def test_a_session_that_has_run_out_is_sent_away(
    line: Gateway, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = line.socketio.test_client(line.app, namespace="/staff", auth={"token": people.session("clerk01")})
    monkeypatch.setattr(realtime, "now", lambda: now() + timedelta(hours=2))
    line.check()
    assert not page.is_connected("/staff")


def test_screens_are_told_the_time_and_the_head(line: Gateway, people: People) -> None:
    screen = line.socketio.test_client(line.app, namespace="/screens", auth={"token": people.device()["token"]})
    until(lambda: [m for m in screen.get_received("/screens") if m["name"] == "frame"])
    line.tick()
    (tick,) = [m["args"][0] for m in screen.get_received("/screens")]
    assert tick["seq"] == head() and tick["hall"] == "luolong" and tick["at"].endswith("+08:00")


# ── faults ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_after_redis_was_away_everybody_is_told_how_things_stand(
    connect: Connect, people: People, redis_server: Redis
) -> None:
    ticket = people.ticket()
    screen = connect("/screens", {"token": people.device()["token"]})
    phone = connect("/tickets", {"token": ticket["token"]})
    page = connect("/staff", {"token": people.session("clerk01")})
    until(lambda: screen.of("frame") and phone.of("queue"))
    redis_server.kill()
    people.ticket()
    late = connect("/screens", {"token": people.device()["token"]})
    assert until(lambda: late.of("frame"))[0]["seq"] == head()  # Redis is not needed to look
    redis_server.start()
    until(lambda: screen.seq("frame") == head())
    until(lambda: phone.seq("queue") == head())
    until(lambda: page.seq("changed") == head())
    people.ticket()
    until(lambda: screen.seq("frame") == head())


def test_flushing_redis_costs_no_frame(connect: Connect, people: People, redis_server: Redis) -> None:
    screen = connect("/screens", {"token": people.device()["token"]})
    first = until(lambda: screen.of("frame"))[0]["seq"]
    for n in range(6):
        people.ticket()
        if n % 2:
            redis_server.client.flushall()
    until(lambda: screen.seq("frame") == head())
    assert screen.frames() == list(range(first, head() + 1))


def test_a_killed_gateway_is_back_with_the_whole_board(stage: Stage, connect: Connect, people: People) -> None:
    screen = connect("/screens", {"token": people.device()["token"]}, reconnection=True)
    until(lambda: screen.of("frame"))
    stage.processes[-1].kill()
    people.ticket()
    stage.start("gateway")
    until(lambda: screen.seq("frame") == head())
