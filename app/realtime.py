"""The live line: three Socket.IO namespaces, who may join which room, and the bus that brings messages to them.

No business here. Rooms: `hall:<hall>` in /screens, `ticket:<hall>-<id>` and `queue:<hall>:<code>` in /tickets,
`staff:<hall>` in /staff. The server alone chooses them, by the token shown at connect; clients send nothing else.
"""

from __future__ import annotations

import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import redis
from flask import Flask, request
from flask_socketio import ConnectionRefusedError, Namespace, SocketIO
from socketio.pubsub_manager import PubSubManager
from sqlalchemy.exc import SQLAlchemyError

from app import eventlog
from app.broker import redis_client
from app.config import Settings
from app.db import NETWORK
from app.errors import Refusal
from app.events import Actor
from app.hall.queries import halls
from app.now import iso, local_day, now
from app.people.gate import DEVICE_COOKIE, SESSION_COOKIE
from app.people.permissions import Permission
from app.people.sessions import device_of, staff_of
from app.queueing.queries import find_by_token, ticket_view, waiting_numbers

log = logging.getLogger("yichuang.realtime")

CHANNEL = "yichuang:live"
TICK_S = 5.0
CHECK_S = 60.0  # how long a revoked session or device may go on listening
MESSAGE_BYTES = 4_096  # clients have nothing longer to say than their token
REDIS_AWAY_S = 0.5  # between two tries to hear Redis again

Board = Callable[[str], dict[str, Any]]


class Bus(PubSubManager):
    """The way from the relay to every gateway: JSON over one Redis channel.

    Unlike the manager of python-socketio, publishing raises when Redis is away, so that the relay keeps its place; and
    listening begins again within a second of its return, and then says so (`on_return`), for what was published in
    between reached nobody.
    """

    name = "yichuang"

    def __init__(self, url: str, *, write_only: bool = False) -> None:
        super().__init__(channel=CHANNEL, write_only=write_only)
        self._redis = redis_client(url)
        self.on_return: Callable[[], None] = lambda: None
        self.on_delivered: Callable[[dict[str, Any]], None] = lambda _message: None

    def _publish(self, data: dict[str, Any]) -> None:
        self._redis.publish(self.channel, self.json.dumps(data))

    def _listen(self) -> Iterator[dict[str, Any]]:
        away = False
        while True:
            pubsub = self._redis.pubsub()
            try:
                pubsub.subscribe(self.channel)
                while True:
                    raw = pubsub.get_message(timeout=5.0)
                    if raw is None:
                        continue
                    if raw["type"] == "subscribe":
                        away = False
                        self.on_return()
                    elif raw["type"] == "message":
                        message = json.loads(raw["data"])
                        yield message
                        self.on_delivered(message)
            except redis.RedisError as error:
                if not away:
                    log.warning("Redis is away, screens wait for it: %s", error)
                away = True
                self.server.sleep(REDIS_AWAY_S)
            finally:
                pubsub.close()


class Gateway:
    """One process's live line: its Socket.IO server, its namespaces and its two clocks."""

    def __init__(self, app: Flask, board: Board, *, async_mode: str = "gevent", bus: Bus | None = None) -> None:
        settings: Settings = app.extensions["settings"]
        self.app, self.board, self.bus = app, board, bus
        self._allowed = {origin.rstrip("/") for origin in (settings.public_url, *settings.allowed_origins)}
        self.callers: dict[str, tuple[str, Callable[[], bool]]] = {}  # sid → namespace, whether its token still holds
        self.socketio = SocketIO(
            app,
            async_mode=async_mode,
            client_manager=bus,
            cors_allowed_origins=self.may_connect,
            max_http_buffer_size=MESSAGE_BYTES,
            namespaces=["/screens"],  # and not "/", which anybody may join
            manage_session=False,
        )
        engine = self.socketio.server.eio
        engine._async = {**engine._async, "websocket": _bounded(engine._async["websocket"])}
        for namespace in (Screens("/screens", self), Tickets("/tickets", self), StaffPages("/staff", self)):
            self.socketio.on_namespace(namespace)
        if bus is not None:
            bus.on_return = lambda: self.start(self.refresh)
            bus.on_delivered = self.follow_ticket

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """The WSGI application. Compression is not offered: for small frames it doubles time and memory a client."""
        environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
        return self.app(environ, start_response)

    def start(self, task: Callable[..., None], *arguments: Any) -> None:
        """Run something beside, with the app at hand; what goes wrong in it is logged and ends only itself."""

        def run() -> None:
            try:
                with self.app.app_context():
                    task(*arguments)
            except Exception:
                log.exception("%s failed", task.__name__)

        self.socketio.start_background_task(run)

    def keep_time(self) -> None:
        """Start the two clocks; once a process."""
        self.socketio.start_background_task(self._every, TICK_S, self.tick)
        self.socketio.start_background_task(self._every, CHECK_S, self.check)

    def _every(self, seconds: float, task: Callable[[], None]) -> None:
        while True:
            self.socketio.sleep(seconds)
            self.start(task)

    def may_connect(self, origin: str | None, environ: dict[str, Any]) -> bool:
        """Whether a page of this origin may open a line: our own, or one that the settings name."""
        own = f"{environ.get('wsgi.url_scheme', 'http')}://{environ.get('HTTP_HOST', '')}"
        return origin is not None and (origin == own or origin in self._allowed)

    def send(self, namespace: str, event: str, data: Any, room: str) -> None:
        """To whom this process holds; the relay reaches the others."""
        self.socketio.server.emit(event, data, namespace=namespace, to=room, ignore_queue=True)

    def rooms(self, namespace: str, prefix: str) -> list[str]:
        """The rooms of this process that somebody is in."""
        known = self.socketio.server.manager.rooms.get(namespace, {})
        return [room for room in list(known) if room and room.startswith(prefix)]

    def tick(self) -> None:
        """Tell every screen the time and the hall's head, so that it knows what it has missed."""
        heads = eventlog.heads()
        for room in self.rooms("/screens", "hall:"):
            hall = room.removeprefix("hall:")
            self.send("/screens", "tick", {"hall": hall, "at": iso(now()), "seq": heads.get(hall, 0)}, room)

    def check(self) -> None:
        """Send away whoever's session or device has been revoked since."""
        for sid, (namespace, holds) in list(self.callers.items()):
            if not holds():
                self.socketio.server.disconnect(sid, namespace=namespace, ignore_queue=True)

    def refresh(self) -> None:
        """Tell everybody how things stand: messages may have been lost while Redis was away."""
        for room in self.rooms("/screens", "hall:"):
            self.send("/screens", "frame", self.board(room.removeprefix("hall:")), room)
        heads = eventlog.heads()
        for room in self.rooms("/staff", "staff:"):
            hall = room.removeprefix("staff:")
            self.send(
                "/staff",
                "changed",
                {"hall": hall, "seq": heads.get(hall, 0), "what": "hall", "id": hall},
                room,
            )
        for room in self.rooms("/tickets", "ticket:"):
            hall, _, number = room.removeprefix("ticket:").rpartition("-")
            self.send("/tickets", "ticket", ticket_message(hall, int(number)), room)
            self.socketio.sleep(0)
        for room in self.rooms("/tickets", "queue:"):
            _, hall, queue = room.split(":")
            self.send("/tickets", "queue", queue_message(hall, queue), room)

    def follow_ticket(self, message: dict[str, Any]) -> None:
        """Keep a phone in the room of the queue it waits in, and in no other."""
        if message.get("namespace") != "/tickets" or message.get("event") != "ticket":
            return
        view = message["data"][0]
        for sid, _ in self.socketio.server.manager.get_participants("/tickets", message["room"]):
            self.seat(sid, view)

    def seat(self, sid: str, view: dict[str, Any]) -> None:
        server = self.socketio.server
        seat = queue_room(view["hall"], view["queue"]) if view["state"] == "waiting" else None
        for room in server.rooms(sid, namespace="/tickets"):
            if room.startswith("queue:") and room != seat:
                server.leave_room(sid, room, namespace="/tickets")
        if seat:
            server.enter_room(sid, seat, namespace="/tickets")


def _bounded(websocket: type) -> type:
    """The driver's WebSocket, but a message is cut off while it arrives, not measured when it is all in memory."""

    class Bounded(websocket):  # type: ignore[misc]
        def __init__(self, handler: Any, server: Any) -> None:
            super().__init__(handler, server)
            self.server_args["max_message_size"] = MESSAGE_BYTES

    return Bounded


def ticket_room(hall: str, ticket_id: int) -> str:
    return f"ticket:{hall}-{ticket_id}"


def queue_room(hall: str, queue: str) -> str:
    return f"queue:{hall}:{queue}"


def ticket_message(hall: str, ticket_id: int) -> dict[str, Any]:
    """What a phone is told of its own ticket, with the hall's count at which it was so."""
    seq = eventlog.heads().get(hall, 0)
    return ticket_view(hall, ticket_id, now()) | {"seq": seq}


def queue_message(hall: str, queue: str) -> dict[str, Any]:
    """The waiting numbers of a queue in their order, one message for all phones: each finds its own place in it."""
    seq = eventlog.heads().get(hall, 0)
    return {
        "hall": hall,
        "queue": queue,
        "seq": seq,
        "waiting": waiting_numbers(hall, queue, local_day(now())),
    }


class _Guarded(Namespace, ABC):
    """Finds out who connects and refuses with a code, never with a silence."""

    def __init__(self, namespace: str, gateway: Gateway) -> None:
        super().__init__(namespace)
        self.gateway = gateway

    def on_connect(self, auth: Any = None) -> None:
        auth = auth if isinstance(auth, dict) else {}
        try:
            self.admit(request.sid, auth)  # type: ignore[attr-defined]  # Flask-SocketIO puts it there
        except Refusal as refusal:
            raise ConnectionRefusedError(refusal.code) from None
        except SQLAlchemyError:
            log.exception("cannot find out who connects")
            raise ConnectionRefusedError("hall.busy") from None

    def on_disconnect(self, _reason: str = "") -> None:
        self.gateway.callers.pop(request.sid, None)  # type: ignore[attr-defined]

    @abstractmethod
    def admit(self, sid: str, auth: dict[str, Any]) -> None:
        """Let the caller into its rooms. Refuses whoever has nothing to look for here."""

    def tokens(self, auth: dict[str, Any], *cookies: str) -> list[str]:
        """The token that was given; without one the cookies of a page of ours, for a script cannot read those.

        A browser names the page's origin when it opens a WebSocket, and for polling says at least that it is the same:
        a cookie without either word counts for nothing, so that no other site can use it.
        """
        given = auth.get("token")
        if given:
            return [given] if isinstance(given, str) else []
        origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
        if not (self.gateway.may_connect(origin, request.environ) or (origin is None and site == "same-origin")):
            return []
        return [request.cookies[name] for name in cookies if request.cookies.get(name)]

    def let_in(self, sid: str, rooms: list[str], holds: Callable[[], bool] | None, welcome: Callable[[], None]) -> None:
        """Join the rooms first and look second: what happens in between arrives twice rather than never."""
        for room in rooms:
            self.gateway.socketio.server.enter_room(sid, room, namespace=self.namespace)
        if holds is not None:
            self.gateway.callers[sid] = (self.namespace, holds)
        self.gateway.start(welcome)  # runs when the client has been told that it is connected


class Screens(_Guarded):
    """Screens of a hall: `frame` at once and with every event, `call` for the voice, `tick` every five seconds."""

    def admit(self, sid: str, auth: dict[str, Any]) -> None:
        token, hall = self._watcher(self.tokens(auth, DEVICE_COOKIE, SESSION_COOKIE), auth)

        def welcome() -> None:
            self.gateway.send("/screens", "frame", self.gateway.board(hall), sid)

        self.let_in(sid, [f"hall:{hall}"], lambda: _known(token) is not None, welcome)

    def _watcher(self, tokens: list[str], auth: dict[str, Any]) -> tuple[str, str]:
        """The first token that opens a hall's screens, and that hall: a browser may be a device and signed in too."""
        refusal = Refusal("auth.invalid")
        for token in tokens:
            actor = _known(token)
            try:
                if actor is not None:
                    return token, _hall_to_watch(actor, auth)
            except Refusal as why:
                refusal = why
        raise refusal


class Tickets(_Guarded):
    """A citizen's phone: `ticket` with every change of its own ticket, `queue` with every change of its queue."""

    def admit(self, sid: str, auth: dict[str, Any]) -> None:
        tokens = self.tokens(auth)
        if not tokens:
            raise Refusal("auth.invalid")
        hall, ticket_id = find_by_token(tokens[0])

        def welcome() -> None:
            view = ticket_message(hall, ticket_id)
            self.gateway.seat(sid, view)
            self.gateway.send("/tickets", "ticket", view, sid)
            if view["state"] == "waiting":
                self.gateway.send("/tickets", "queue", queue_message(hall, view["queue"]), sid)

        self.let_in(sid, [ticket_room(hall, ticket_id)], None, welcome)


class StaffPages(_Guarded):
    """A staff member's page: `changed` says what to look at again, never what it says."""

    def admit(self, sid: str, auth: dict[str, Any]) -> None:
        tokens = self.tokens(auth, SESSION_COOKIE)
        actor = staff_of(tokens[0], now()) if tokens else None
        if actor is None:
            raise Refusal("auth.invalid")
        hall = _hall_of(actor, auth)
        named = [hall] if hall else [each["code"] for each in halls()] + [NETWORK]
        token = tokens[0]
        self.let_in(sid, [f"staff:{each}" for each in named], lambda: staff_of(token, now()) is not None, lambda: None)


def _known(token: str) -> Actor | None:
    return device_of(token) or staff_of(token, now())


def _hall_to_watch(actor: Actor, auth: dict[str, Any]) -> str:
    if not actor.may(Permission.SCREEN_READ):
        raise Refusal("auth.forbidden")
    hall = _hall_of(actor, auth)
    if hall is None or hall == NETWORK or hall not in eventlog.heads():
        raise Refusal("hall.unknown")
    return hall


def _hall_of(actor: Actor, auth: dict[str, Any]) -> str | None:
    """The caller's own hall; who belongs to the whole network may name one."""
    named = auth.get("hall")
    if named is not None and not isinstance(named, str):
        raise Refusal("hall.unknown")
    if actor.hall is not None and named not in (None, "", actor.hall):
        raise Refusal("auth.foreign_hall")
    return actor.hall or named or None
