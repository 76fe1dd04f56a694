"""Tickets a second: issue, call and no-show through HTTP, against an empty route and against pgbench with the same SQL."""

from __future__ import annotations

import re
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import tables
from benchmarks.house import API, DATABASES, HALL, Client, House, database
from tests.servers import PostgresServer

CLIENTS = 8
SECONDS = 5.0


def _together(work: Callable[[int], int]) -> tuple[float, list[float]]:
    """Run `work(client)` again and again in every client for some seconds: units a second, seconds each took."""
    stop, took, done = time.perf_counter() + SECONDS, [], []
    lock = threading.Lock()

    def run(n: int) -> None:
        mine: list[float] = []
        count = 0
        while (began := time.perf_counter()) < stop:
            count += work(n)
            mine.append(time.perf_counter() - began)
        with lock:
            took.extend(mine)
            done.append(count)

    began = time.perf_counter()
    threads = [threading.Thread(target=run, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - began), took


def through_http(url: str) -> dict[str, Any]:
    """Requests a second of the web process alone, as the launcher starts it; three requests make one served ticket."""
    with House(url, "web") as house:
        client = house.client
        admin = client.sign_in("admin01")
        kiosks = [client.device("kiosk", admin) for _ in range(CLIENTS)]
        clerks = [client.sign_in(f"clerk{n:02d}") for n in range(1, CLIENTS + 1)]
        for n, token in enumerate(clerks, start=1):
            client.must("POST", f"/windows/{HALL}-W{n:02d}/open", None, token)

        def empty(_n: int) -> int:
            assert client.ask("GET", "/healthz", None, {})[0] == 200
            return 1

        def serve(n: int) -> int:
            return _served(client, kiosks[n], clerks[n], n)

        for warm in range(CLIENTS):
            serve(warm)
        route, _ = _together(empty)
        requests, took = _together(serve)
    return {
        "empty_route_per_s": route,
        "requests_per_s": requests,
        "tickets_per_s": requests / 3,
        "ticket_median_ms": tables.median(took) * 1000,
        "ticket_p99_ms": tables.quantile(took, 0.99) * 1000,
    }


def _served(client: Client, kiosk: str, clerk: str, n: int) -> int:
    client.must("POST", f"/halls/{HALL}/tickets", {"queue": "ABCDEF"[n % 6]}, kiosk)
    called = client.must("POST", f"/windows/{HALL}-W{n + 1:02d}/call-next", None, clerk)
    client.must("POST", f"/tickets/{called['ticket']['id']}/no-show", None, clerk)
    return 3


def with_pgbench(server: PostgresServer) -> dict[str, Any] | None:
    """The statements of the same three transactions, sent by pgbench in the hall that HTTP has left with open windows.

    None when PostgreSQL came without pgbench.
    """
    program = server.bin / "pgbench"
    if not program.exists():
        return None
    script = Path(__file__).with_name("ticket.sql")
    done = subprocess.run(
        (
            *(str(program), "-h", str(server.folder), "-U", "hall", "-n", "-M", "prepared"),
            *("-c", str(CLIENTS), "-j", "2", "-T", str(int(SECONDS)), "-f", str(script), "hall"),
        ),
        check=True,
        capture_output=True,
        text=True,
    )
    tps = float(re.search(r"tps = ([\d.]+)", done.stdout)[1])  # type: ignore[index]
    failed = re.search(r"number of failed transactions: (\d+)", done.stdout)
    if "aborted" in done.stderr or (failed and int(failed[1])):
        raise RuntimeError(done.stdout + done.stderr)
    return {"tickets_per_s": tps, "requests_per_s": tps * 3}


def main() -> dict[str, Any]:
    """Measure, show, keep."""
    results: dict[str, Any] = {"clients": CLIENTS, "seconds": SECONDS}
    for kind in DATABASES:
        with database(kind) as (url, server):
            results[kind] = through_http(url)
            if server is not None:
                results["pgbench"] = with_pgbench(server)
    bare = results["pgbench"]
    rows = []
    for kind in DATABASES:
        own = results[kind]
        rows.append(
            [
                *(kind, own["tickets_per_s"], own["requests_per_s"], own["ticket_median_ms"], own["ticket_p99_ms"]),
                *(own["empty_route_per_s"], own["requests_per_s"] / own["empty_route_per_s"]),
                own["requests_per_s"] / bare["requests_per_s"] if bare else None,
            ]
        )
    if bare:
        rows.append(["pgbench, same SQL", bare["tickets_per_s"], bare["requests_per_s"], None, None, None, None, 1.0])
    tables.show(
        f"Issue, call, no-show through HTTP {API}, {CLIENTS} clients in one Python process on the same cores, one hall",
        ["database", "tickets/s", "actions/s", "median ms", "p99 ms", "empty route/s", "of empty", "of pgbench"],
        rows,
    )
    tables.keep("issue-and-call", results)
    return results
