"""The front door: each request goes where it belongs, bodies and sockets pass whole, and nobody can say who he is not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from workers import front
from workers.front import Door, Refused, read_head


def head(*lines: str) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode()


# ── the head of a request ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("target", "live"),
    [
        ("/", False),
        ("/socket.io", True),
        ("/socket.io/?EIO=4", True),
        ("/socket.io?EIO=4", True),
        ("http://hall.example/socket.io/", True),
        ("http://hall.example/socket.ios", False),
        ("/socket.ios/", False),
        ("/a/socket.io/", False),
        ("/?/socket.io/", False),
        ("http://socket.io/", False),
    ],
)
def test_only_the_live_line_goes_to_the_gateway(target: str, live: bool) -> None:
    assert read_head(head(f"GET {target} HTTP/1.1", "Host: x"), "10.0.0.9", trusted=False).live is live


def test_the_client_is_named_and_cannot_name_itself() -> None:
    said = ("X-Forwarded-For: 1.2.3.4", "x-forwarded-proto: https", "Forwarded: for=1.2.3.4", "X-Real-IP: 1.2.3.4")
    passed = read_head(head("GET / HTTP/1.1", "Host: x", *said), "10.0.0.9", trusted=False).data.decode()
    assert "1.2.3.4" not in passed and "https" not in passed
    assert "X-Forwarded-For: 10.0.0.9\r\n" in passed and "X-Forwarded-Proto: http\r\n" in passed
    assert b"evil" not in read_head(head("GET / HTTP/1.1", "SCRIPT_NAME: /evil"), "10.0.0.9", trusted=True).data
    passed = read_head(head("GET / HTTP/1.1", "Host: x", *said), "10.0.0.9", trusted=True).data.decode()
    assert "X-Forwarded-For: 1.2.3.4, 10.0.0.9\r\n" in passed and "x-forwarded-proto: https" in passed


@pytest.mark.parametrize(
    "lines",
    [
        ("GET /",),
        ("GET  / HTTP/1.1",),
        ("GET / HTTP/1.1", "no colon"),
        ("GET / HTTP/1.1", ": nameless"),
        ("GET / HTTP/1.1", "Host : x"),
        ("GET / HTTP/1.1", " folded: x"),
        ("GET / HTTP/1.1", "A: b\nContent-Length: 5"),
        ("POST / HTTP/1.1", "Content-Length: 5", "Content-Length: 5"),
        ("POST / HTTP/1.1", "Content-Length: 5", "content-length: 6"),
        ("POST / HTTP/1.1", "Content-Length: +5"),
        ("POST / HTTP/1.1", "Content-Length: ٥"),
        ("POST / HTTP/1.1", "Content-Length: 5", "Transfer-Encoding: chunked"),
    ],
)
def test_a_head_that_can_be_read_in_two_ways_is_refused(lines: tuple[str, ...]) -> None:
    with pytest.raises(Refused) as refused:
        read_head(head(*lines), "10.0.0.9", trusted=False)
    assert refused.value.status == 400


def test_what_has_no_end_to_be_seen_is_the_last_on_its_connection() -> None:
    chunked = head("POST / HTTP/1.1", "Transfer-Encoding: chunked", "Connection: keep-alive")
    read = read_head(chunked, "10.0.0.9", trusted=False)
    assert read.raw and b"Connection: close" in read.data and b"keep-alive" not in read.data
    socket = head("GET /socket.io/ HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket")
    read = read_head(socket, "10.0.0.9", trusted=False)
    assert read.raw and b"Connection: Upgrade" in read.data and b"Upgrade: websocket" in read.data
    for other in (
        head("GET /socket.io/ HTTP/1.1", "Connection: Upgrade", "Upgrade: h2c"),
        head("GET / HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket"),
    ):
        read = read_head(other, "10.0.0.9", trusted=False)
        assert not read.raw and b"Upgrade:" not in read.data


# ── connections ─────────────────────────────────────────────────────────────────────────────────────────────────


class Behind:
    """A server behind the door: answers each request with its own name, and what it was asked."""

    def __init__(self, name: str) -> None:
        self.name, self.connections, self.asked, self.tasks = name, 0, [], set()
        self.server: asyncio.Server

    async def start(self, port: int = 0) -> int:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        return int(self.server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.tasks.add(asyncio.current_task())
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether another request may follow."""
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:] if line)}
        if headers.get("upgrade") == "websocket":
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
            while data := await reader.read(100):
                writer.write(data.upper())
            return False
        if headers.get("transfer-encoding") == "chunked":
            body = (await reader.readuntil(b"0\r\n\r\n")).decode()
        else:
            body = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
        self.asked.append((lines[0], headers, body))
        if "/hang-up" in lines[0]:
            return False
        if "/slow" in lines[0]:
            await asyncio.sleep(0.1)
        answer = f"{self.name} {lines[0].split(' ')[1]} {len(body)}".encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(answer), answer))
        await writer.drain()
        return headers.get("connection") != "close"

    def close(self) -> None:
        self.server.close()
        for task in self.tasks:
            task.cancel()


class Street:
    """A door with two servers behind it."""

    def __init__(self) -> None:
        self.web, self.live = Behind("web"), Behind("live")

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Street]:
        ports = await self.web.start(), await self.live.start()
        self.door = Door(*ports)
        server = await asyncio.start_server(self.door.receive, "127.0.0.1", 0, limit=front.HEAD_BYTES)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for behind in (self.web, self.live):
                behind.close()
            await asyncio.sleep(0.02)

    async def connect(self) -> Visitor:
        return Visitor(*await asyncio.open_connection("127.0.0.1", self.port))


class Visitor:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def say(self, *lines: str, body: bytes = b"") -> None:
        length = (f"Content-Length: {len(body)}",) if body else ()
        self.writer.write(head(*lines, "Host: x", *length) + body)

    async def answer(self) -> str:
        top = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1]) for line in top.lower().split("\r\n") if line.startswith("content-length")
        )
        return (await self.reader.readexactly(length)).decode() or top.split("\r\n")[0]

    async def ask(self, *lines: str, body: bytes = b"") -> str:
        self.say(*lines, body=body)
        return await self.answer()

    def leave(self) -> None:
        self.writer.close()


def stroll(walk: Callable[[Street], Awaitable[None]]) -> None:
    async def run() -> None:
        async with Street().open() as street, asyncio.timeout(20):
            await walk(street)

    asyncio.run(run())


def test_one_kept_connection_asks_now_here_now_there() -> None:
    async def walk(street: Street) -> None:
        visitor = await street.connect()
        for _ in range(3):
            assert await visitor.ask("GET /a HTTP/1.1") == "web /a 0"
            assert await visitor.ask("GET /b HTTP/1.1") == "web /b 0"
            assert await visitor.ask("GET /socket.io/?x HTTP/1.1") == "live /socket.io/?x 0"
            assert await visitor.ask("POST /socket.io/ HTTP/1.1", body=b"hello") == "live /socket.io/ 5"
        assert street.web.connections == street.live.connections == 3  # kept as long as the side stays
        assert street.web.asked[0][1]["x-forwarded-for"] == "127.0.0.1"
        visitor.leave()

    stroll(walk)


def test_requests_sent_ahead_are_answered_in_their_order() -> None:
    async def walk(street: Street) -> None:
        visitor = await street.connect()
        visitor.say("GET /slow HTTP/1.1")
        visitor.say("GET /socket.io/ HTTP/1.1")
        visitor.say("POST /c HTTP/1.1", body=b"xyz")
        assert [await visitor.answer() for _ in range(3)] == ["web /slow 0", "live /socket.io/ 0", "web /c 3"]
        visitor.leave()

    stroll(walk)


def test_a_body_of_any_size_or_coding_passes_whole() -> None:
    async def walk(street: Street) -> None:
        visitor = await street.connect()
        body = b"0123456789" * 50_000
        assert await visitor.ask("POST /big HTTP/1.1", body=body) == f"web /big {len(body)}"
        assert street.web.asked[-1][2] == body.decode()
        visitor.say("POST /chunked HTTP/1.1", "Transfer-Encoding: chunked")
        visitor.writer.write(b"5\r\nhello\r\n0\r\n\r\n")
        assert (await visitor.answer()).startswith("web /chunked")
        assert await visitor.reader.read() == b""  # the last on this connection
        visitor.leave()

    stroll(walk)


def test_an_open_socket_passes_both_ways_to_its_end() -> None:
    async def walk(street: Street) -> None:
        visitor = await street.connect()
        assert await visitor.ask("GET / HTTP/1.1") == "web / 0"
        visitor.say("GET /socket.io/ HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket")
        assert (await visitor.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        for word in (b"one", b"two"):
            visitor.writer.write(word)
            assert await visitor.reader.readexactly(3) == word.upper()
        visitor.writer.write_eof()
        assert await visitor.reader.read() == b""
        visitor.leave()

    stroll(walk)


def test_a_client_that_has_asked_its_last_still_gets_the_answer() -> None:
    async def walk(street: Street) -> None:
        visitor = await street.connect()
        visitor.say("GET /slow HTTP/1.1")
        visitor.writer.write_eof()
        assert await visitor.answer() == "web /slow 0"
        assert await visitor.reader.read() == b""
        visitor.leave()

    stroll(walk)


def test_a_server_that_hangs_up_ends_the_connection() -> None:
    async def walk(street: Street) -> None:
        visitor = await street.connect()
        visitor.say("GET /hang-up HTTP/1.1")
        assert await visitor.reader.read() == b""
        visitor.leave()

    stroll(walk)


def test_a_server_that_is_just_starting_is_waited_for_and_one_that_is_not_there_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(front, "DIAL_S", 1.0)

    async def walk(street: Street) -> None:
        port = street.web.server.sockets[0].getsockname()[1]
        street.web.close()
        await street.web.server.wait_closed()
        visitor = await street.connect()
        visitor.say("GET / HTTP/1.1")
        await asyncio.sleep(0.3)
        await street.web.start(port)
        assert await visitor.answer() == "web / 0"
        visitor.leave()
        street.web.close()
        await street.web.server.wait_closed()
        other = await street.connect()
        assert (await other.ask("GET / HTTP/1.1")).startswith("HTTP/1.1 502")
        other.leave()

    stroll(walk)


def test_heads_are_limited_in_size_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "HEAD_S", 0.2)
    monkeypatch.setattr(front, "IDLE_S", 0.4)

    async def walk(street: Street) -> None:
        big = await street.connect()
        assert (await big.ask("GET / HTTP/1.1", "X: " + "x" * 20_000)).startswith("HTTP/1.1 431")
        slow = await street.connect()
        slow.writer.write(b"GET / HT")
        assert (await slow.answer()).startswith("HTTP/1.1 408")
        bad = await street.connect()
        assert (await bad.ask("nonsense")).startswith("HTTP/1.1 400")
        silent = await street.connect()
        assert await silent.reader.read() == b""
        lazy = await street.connect()
        lazy.writer.write(head("POST / HTTP/1.1", "Host: x", "Content-Length: 10") + b"12345")
        assert await lazy.reader.read() == b""
        assert street.web.asked == []
        for visitor in (big, slow, bad, silent, lazy):
            visitor.leave()

    stroll(walk)


def test_too_many_connections_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "CONNECTIONS", 2)

    async def walk(street: Street) -> None:
        inside = [await street.connect() for _ in range(2)]
        for visitor in inside:
            assert await visitor.ask("GET / HTTP/1.1") == "web / 0"
        third = await street.connect()
        assert await third.reader.read() == b""
        inside[0].leave()
        await asyncio.sleep(0.1)
        fourth = await street.connect()
        assert await fourth.ask("GET / HTTP/1.1") == "web / 0"
        for visitor in (*inside, third, fourth):
            visitor.leave()

    stroll(walk)
