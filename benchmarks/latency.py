"""From a clerk's press to the hall screen: `call-next` through the front door until a Socket.IO client has the call."""

from __future__ import annotations

import queue
import time
from typing import Any

import socketio

from benchmarks import tables
from benchmarks.house import HALL, House

CALLS = 50
TARGET_MS = 300
WAIT_S = 10.0


def measure() -> dict[str, Any]:
    """One screen, one clerk, fifty calls, on SQLite with every process of `make run`."""
    with House() as house:
        client = house.client
        admin, clerk = client.sign_in("admin01"), client.sign_in("clerk01")
        kiosk, screen = client.device("kiosk", admin), client.device("screen", admin)
        client.must("POST", f"/windows/{HALL}-W01/open", None, clerk)
        arrived: queue.Queue[tuple[str, str, float]] = queue.Queue()
        line = socketio.Client(reconnection=False, websocket_extra_options={"suppress_origin": True})

        def call(data: dict[str, Any]) -> None:
            arrived.put(("call", data["number"], time.perf_counter()))

        def frame(data: dict[str, Any]) -> None:
            now = time.perf_counter()
            for serving in data["now_serving"]:
                arrived.put(("frame", serving["number"], now))

        line.on("call", call, namespace="/screens")
        line.on("frame", frame, namespace="/screens")
        line.connect(
            f"http://127.0.0.1:{house.port}", auth={"token": screen}, namespaces=["/screens"], transports=["websocket"]
        )
        try:
            samples = [_one(client, kiosk, clerk, arrived) for _ in range(CALLS)]
        finally:
            line.disconnect()
    result: dict[str, Any] = {"calls": CALLS, "target_ms": TARGET_MS, "database": "sqlite"}
    for name in ("answer", "frame", "call"):
        values = [sample[name] * 1000 for sample in samples]
        result[name] = {
            "median_ms": tables.median(values),
            "p95_ms": tables.quantile(values, 0.95),
            "max_ms": max(values),
        }
    return result


def _one(client: Any, kiosk: str, clerk: str, arrived: queue.Queue[tuple[str, str, float]]) -> dict[str, float]:
    client.must("POST", f"/halls/{HALL}/tickets", {"queue": "A"}, kiosk)
    time.sleep(0.1)  # what the ticket itself set going is over
    while not arrived.empty():
        arrived.get()
    began = time.perf_counter()
    ticket = client.must("POST", f"/windows/{HALL}-W01/call-next", None, clerk)["ticket"]
    seen = {"answer": time.perf_counter() - began}
    while not {"call", "frame"} <= set(seen):
        what, number, at = arrived.get(timeout=WAIT_S)
        if number == ticket["number"]:
            seen.setdefault(what, at - began)
    for step in ("start", "finish"):
        client.must("POST", f"/tickets/{ticket['id']}/{step}", None, clerk)
    return seen


def main() -> dict[str, Any]:
    """Measure, show, keep."""
    result = measure()
    names = {"answer": "the clerk has the answer", "frame": "the board has the frame", "call": "the board has the call"}
    tables.show(
        f"A call through the real stack, {CALLS} calls, one screen (ms from the press; ratio to {TARGET_MS} ms)",
        ["until", "median", "p95", "max", "median / target"],
        [
            [text, *(result[name][f"{q}_ms"] for q in ("median", "p95", "max")), result[name]["median_ms"] / TARGET_MS]
            for name, text in names.items()
        ],
    )
    tables.keep("call-to-screen", result)
    return result
