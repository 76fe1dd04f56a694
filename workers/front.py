"""The front door of `make run`: one port, behind it the pages and the live line. In production nginx stands here.

Each request is routed by itself, so that a kept connection may ask now for a page and now for the live line. Only the
head of a request is looked at; answers, bodies and open sockets pass as they are.
"""

from __future__ import annotations

import asyncio
import re
import signal
from dataclasses import dataclass

from app.config import Settings

LIVE = re.compile(r"(https?://[^/?]*)?/socket\.io([/?]|$)")  # what the gateway answers
HEAD_BYTES = 16_384
HEAD_S = 15.0  # from the first byte of a head to its last
IDLE_S = 60.0  # a silent connection; the servers behind keep theirs longer
DIAL_S = 3.0  # a server that is just being started again
CHUNK = 65_536
CONNECTIONS = 10_000
ANSWERS = {
    400: "Bad Request",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    502: "Bad Gateway",
}


class Refused(Exception):
    """A request that goes no further."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a request as it is passed on. `raw`: what follows is no HTTP that could be read here."""

    live: bool
    body_bytes: int
    raw: bool
    data: bytes


def read_head(data: bytes, client: str, *, trusted: bool) -> Head:
    """Read the head that ends in an empty line. Raises Refused for one that two servers could read in two ways.

    What a client says of proxies before it is dropped, unless a proxy of ours stands before us (`trusted`).
    """
    lines = data[:-4].decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or any("\n" in line or "\r" in line for line in lines):
        raise Refused(400)
    live = LIVE.match(parts[1]) is not None
    kept, forwarded = [], []
    length: str | None = None
    coding = socket = False
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        name, value = name.lower(), value.strip()
        if not colon or not name or name != name.strip():
            raise Refused(400)
        if name == "content-length":
            if length is not None or not (value.isascii() and value.isdigit()):
                raise Refused(400)
            length = value
        elif name == "transfer-encoding":
            coding = True
        elif name == "upgrade":
            if not (live and value.lower() == "websocket"):
                continue  # to nothing else is this door a way
            socket = True
        elif name == "x-forwarded-for":
            forwarded.append(value)
            continue
        elif (name.startswith("x-forwarded-") or name in ("forwarded", "x-real-ip")) and not trusted:
            continue
        elif "_" in name:
            continue  # behind the door `a_b` and `a-b` are one name
        kept.append(line)
    if coding and length is not None:
        raise Refused(400)
    if coding:  # its end cannot be seen from here, so nothing follows it
        kept = [line for line in kept if not line.lower().startswith("connection:")] + ["Connection: close"]
    kept.append("X-Forwarded-For: " + ", ".join([*(forwarded if trusted else []), client]))
    if not trusted:
        kept.append("X-Forwarded-Proto: http")
    return Head(live, int(length or 0), coding or socket, "\r\n".join([lines[0], *kept, "", ""]).encode("latin-1"))


class Passage:
    """One client's connection to one server behind the door."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: asyncio.StreamWriter
    ) -> None:
        self.writer = writer
        self._client, self._leaving = client, False
        self._answers = asyncio.create_task(self._pass_answers(reader))

    async def _pass_answers(self, reader: asyncio.StreamReader) -> None:
        try:
            while data := await reader.read(CHUNK):
                self._client.write(data)
                await self._client.drain()
        except ConnectionError:
            pass
        finally:
            if not self._leaving:  # the server has hung up, so do we
                self._client.close()

    async def leave(self) -> None:
        """Let the answers that are under way arrive, then hang up; the client stays."""
        self._leaving = True
        try:
            if self.writer.can_write_eof():
                self.writer.write_eof()
            async with asyncio.timeout(IDLE_S):
                await self._answers
        except (OSError, TimeoutError):
            pass
        finally:
            self.close()

    def close(self) -> None:
        self._answers.cancel()
        self.writer.close()


class Door:
    """The open door. `trusted`: a proxy of ours stands before it and says who the client is."""

    def __init__(self, web_port: int, gateway_port: int, *, trusted: bool = False) -> None:
        self._ports = {False: web_port, True: gateway_port}
        self._trusted = trusted
        self._open = 0

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        if self._open >= CONNECTIONS:
            writer.close()
            return
        self._open += 1
        passage: Passage | None = None
        try:
            client, live = writer.get_extra_info("peername")[0], None
            while (head := await self._next_head(reader, client)) is not None:
                if passage is None or live != head.live:
                    if passage is not None:
                        await passage.leave()
                    passage, live = await self._dial(head.live, writer), head.live
                passage.writer.write(head.data)
                await self._pass(reader, passage.writer, None if head.raw else head.body_bytes)
                if head.raw:
                    break
            if passage is not None:
                await passage.leave()
        except Refused as refused:
            text = f"{refused.status} {ANSWERS[refused.status]}"
            writer.write(f"HTTP/1.1 {text}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass
        except asyncio.CancelledError:
            pass  # the door shuts: raised further, every open connection would be logged as an error
        finally:
            self._open -= 1
            if passage is not None:
                passage.close()
            writer.close()

    async def _next_head(self, reader: asyncio.StreamReader, client: str) -> Head | None:
        """The next head, or None when the client has no more to ask."""
        try:
            async with asyncio.timeout(IDLE_S):
                first = await reader.read(1)
        except TimeoutError:
            return None
        if not first:
            return None
        try:
            async with asyncio.timeout(HEAD_S):
                rest = await reader.readuntil(b"\r\n\r\n")
        except TimeoutError:
            raise Refused(408) from None
        except asyncio.LimitOverrunError:
            raise Refused(431) from None
        return read_head(first + rest, client, trusted=self._trusted)

    async def _dial(self, live: bool, client: asyncio.StreamWriter) -> Passage:
        loop = asyncio.get_running_loop()
        until = loop.time() + DIAL_S
        while True:
            try:
                return Passage(*await asyncio.open_connection("127.0.0.1", self._ports[live]), client)
            except OSError:
                if loop.time() > until:
                    raise Refused(502) from None
                await asyncio.sleep(0.1)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: int | None) -> None:
        """Pass `left` bytes of a body on, or all there is until the end when it is None."""
        await writer.drain()
        while left is None or left > 0:
            async with asyncio.timeout(None if left is None else IDLE_S):
                data = await reader.read(CHUNK if left is None else min(CHUNK, left))
            if not data:
                if left is not None:
                    raise ConnectionAbortedError("the body ended early")
                return
            writer.write(data)
            await writer.drain()
            left = None if left is None else left - len(data)


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    door = Door(settings.web_port, settings.gateway_port, trusted=settings.proxy_hops > 0)
    server = await asyncio.start_server(door.receive, settings.bind, settings.port, limit=HEAD_BYTES, backlog=1024)
    await stop.wait()
    server.close()  # and not wait: open sockets would keep us


def main(settings: Settings) -> int:
    """Run until told to stop."""
    asyncio.run(_serve(settings))
    return 0
