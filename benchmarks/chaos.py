"""Faults under load: `python -m benchmarks.chaos` kills processes while the hall works, and checks what is left.

Everybody of the crowd does everything that a hall knows, a counter takes cases in and has them decided, all through the
front door with idempotency keys and repetition; some do not wait for the answer. In turn one process is killed with -9,
or Redis is emptied. Afterwards the history checker holds what clients were told against the record, the record against
the rules and the tables, and a screen that was connected all the time against the fold.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import redis
import socketio

from app import eventlog
from app.config import Settings
from app.db import db
from app.demo import accounts
from benchmarks import tables
from benchmarks.crowd import Crowd
from benchmarks.history import Findings, check_hall, summary
from benchmarks.house import DATABASES, HALL, Client, House, database
from benchmarks.load import Log, case
from tests.servers import PostgresServer
from workers.bare import bare_app

KIOSKS, CLERKS, COUNTERS = 3, 3, 1
PATIENCE_S = 90.0  # how long a client repeats a request that nobody answers
PAUSE_S = (0.4, 1.2)  # between a recovery and the next fault: load goes on meanwhile
RECOVER_S = 60.0
# what is killed, by a part of its command line; `web` is the master of the workers, `web-worker` one of them
PARTS = {
    "web": "wsgi:application",
    "web-worker": "wsgi:application",
    "relay": "workers relay",
    "gateway": "wsgi:gateway",
    "worker": "workers worker",
    "timer": "workers timer",
    "front": "workers front",
    "redis": "redis-server",
}
FAULTS = (*PARTS, "flushall")


@dataclass(slots=True)
class Screen:
    """A board that stays connected as well as it can, and keeps the last frame."""

    port: int
    token: str
    frame: dict[str, Any] = field(default_factory=dict)
    seqs: list[int] = field(default_factory=list)
    line: socketio.Client = field(init=False)

    def __post_init__(self) -> None:
        self.line = socketio.Client(
            reconnection_delay=0.2, reconnection_delay_max=1, websocket_extra_options={"suppress_origin": True}
        )
        self.line.on("frame", self._keep, namespace="/screens")
        self.line.connect(
            f"http://127.0.0.1:{self.port}",
            auth={"token": self.token},
            namespaces=["/screens"],
            transports=["websocket"],
        )

    def _keep(self, frame: dict[str, Any]) -> None:
        self.frame = frame
        self.seqs.append(frame["seq"])


@dataclass(slots=True)
class Run:
    """One run of chaos: the load beside the faults, and what came of it."""

    house: House
    server: PostgresServer | None
    seed: int
    log: Log = field(init=False)
    stop: threading.Event = field(default_factory=threading.Event)
    faults: Counter[str] = field(default_factory=Counter)
    recoveries: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        client = self.house.client
        self.log = Log(client.ask, patience_s=PATIENCE_S, again=0.1, unheard=0.05, leave=client.leave)

    # ── the load ───────────────────────────────────────────────────────────────────────────────────────────────

    def crowd(self) -> Crowd:
        """Who issues and who calls, with their tokens."""
        client = self.house.client
        names = [f"clerk{n:02d}" for n in range(1, CLERKS + 1)]
        admin = client.sign_in("admin01")
        return Crowd(
            self.log,
            HALL,
            kiosks=[client.device("kiosk", admin) for _ in range(KIOSKS)],
            clerks={name: client.sign_in(name) for name in names},
            windows=[f"W{n:02d}" for n in range(1, CLERKS + 1)],
            admin=admin,
            items=[line["code"] for line in client.must("GET", f"/halls/{HALL}/items")["items"]],
            seed=self.seed,
            rest_s=0.03,
            stop=self.stop,
        )

    def workers(self, crowd: Crowd) -> list[threading.Thread]:
        """Everybody who works in the hall, not started yet."""
        client = self.house.client
        item, approvers = self._item(client)
        counters = [client.sign_in(f"clerk{CLERKS + n:02d}") for n in range(1, COUNTERS + 1)]
        applicant = {"kind": "person", "name": "张三丰", "id_number": "410305199001010011"}
        issuers, others = crowd.people()
        return [
            *(threading.Thread(target=work) for work in (*issuers, *others)),
            *(self._again(lambda t=t: case(self.log, t, approvers, item, applicant)) for t in counters),
        ]

    def _again(self, work: Callable[[], Any]) -> threading.Thread:
        def run() -> None:
            while not self.stop.is_set():
                work()

        return threading.Thread(target=run)

    def _item(self, client: Client) -> tuple[dict[str, Any], dict[str, str]]:
        """An item with one deciding department, and the token of its approver."""
        for line in client.must("GET", f"/halls/{HALL}/items?q=yxsp")["items"] or []:
            item = client.must("GET", f"/items/{line['code']}")
            if len(item["departments"]) == 1:
                return item, self._approvers(client, item)
        for page in range(1, 9):
            for line in client.must("GET", f"/halls/{HALL}/items?page={page}")["items"]:
                item = client.must("GET", f"/items/{line['code']}")
                if len(item["departments"]) == 1:
                    return item, self._approvers(client, item)
        raise LookupError("no item with one department")

    def _approvers(self, client: Client, item: dict[str, Any]) -> dict[str, str]:
        with _house_app(self.house).app_context():
            found = [a for a in accounts() if a.get("department") == item["departments"][0]]
            db.session.remove()
        return {item["departments"][0]: client.sign_in(found[0]["username"])}

    # ── the faults ─────────────────────────────────────────────────────────────────────────────────────────────

    def strike(self, fault: str) -> None:
        """Do it, wait until the whole hall works again, and note how long that took."""
        began = time.monotonic()
        victim = self._victim(fault)
        if fault == "flushall":
            try:
                redis.Redis.from_url(self.house.redis_url).flushall()
            except (redis.RedisError, IndexError):
                return
        elif fault == "postgres":
            assert self.server is not None
            os.kill(self.server.process.pid, signal.SIGKILL)
            self.server.process.wait()
            self._restart_postgres()
        elif victim is None:
            return
        else:
            self.house.kill(victim)
        self.faults[fault] += 1
        struck = time.monotonic()
        self.house.until(lambda: self.log.served_since > struck, RECOVER_S)
        self.recoveries.append((time.monotonic() - began, fault))
        if fault in PARTS:
            self.house.until(lambda: self._victim(fault) not in (None, victim), RECOVER_S)

    def _victim(self, fault: str) -> int | None:
        if fault not in PARTS:
            return None
        pids = self.house.pids(PARTS[fault])
        wanted = pids[1:] if fault == "web-worker" else pids[:1]
        return wanted[-1] if wanted else None

    def _restart_postgres(self) -> None:
        """As an operator's service manager does: again until the old processes have let go of the memory."""
        assert self.server is not None
        deadline = time.monotonic() + RECOVER_S
        while True:
            try:
                self.server.start()
                return
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.3)

    # ── the whole run ──────────────────────────────────────────────────────────────────────────────────────────

    def play(self, faults: Sequence[str]) -> tuple[Findings, str]:
        """All faults in this order, the quiet after them, the check."""
        choose = random.Random(self.seed)
        client = self.house.client
        screen = Screen(self.house.port, client.device("screen", client.sign_in("admin01")))
        crowd = self.crowd()
        threads = self.workers(crowd)
        for thread in threads:
            thread.start()
        try:
            time.sleep(1.0)
            for fault in faults:
                self.strike(fault)
                time.sleep(choose.uniform(*PAUSE_S))
        finally:
            self.stop.set()
            for thread in threads:
                thread.join()
        crowd.close()
        boards = self._settled(screen)
        screen.line.disconnect()
        self.house.stop()
        return self._checked(boards, screen)

    def _settled(self, screen: Screen) -> list[str]:
        """Wait until the screen shows the end of the record; what is wrong with it otherwise."""
        app = _house_app(self.house)

        def head() -> int:
            with app.app_context():
                seq = eventlog.heads()[HALL]
                db.session.remove()
            return seq

        try:
            self.house.until(lambda: screen.frame.get("seq") == head(), RECOVER_S)
        except TimeoutError:
            return [f"the screen stands at {screen.frame.get('seq')}, the record at {head()}"]
        return []

    def _checked(self, boards: list[str], screen: Screen) -> tuple[Findings, str]:
        with _house_app(self.house).app_context():
            found, events = check_hall(self.log.ops, HALL, None if boards else screen.frame)
            db.session.remove()
            db.engine.dispose()
        found.board += boards
        slowest = max(self.recoveries, default=(0.0, "nothing"))
        line = summary(
            self.log.ops,
            found,
            events=events,
            repeats=self.log.repeats,
            unheard=self.log.unwaited,
            faults=sum(self.faults.values()),
            screen=f"{len(screen.seqs)} frames, {'ends at the head' if not found.board else 'wrong'}",
            **{"slowest next answer": f"{slowest[0]:.1f} s after {slowest[1]}", "seed": self.seed},
        )
        return found, f"chaos on {'postgresql' if self.server else 'sqlite'}: {line}"


_apps: dict[str, Any] = {}


def _house_app(house: House) -> Any:
    """The house's database in this process, only to read it."""
    if house.env["HALL_DATA_DIR"] not in _apps:
        env = {name: value for name, value in house.env.items() if name.startswith("HALL_")}
        _apps[house.env["HALL_DATA_DIR"]] = bare_app(Settings.from_env(env))
    return _apps[house.env["HALL_DATA_DIR"]]


def plan(kills: int, seed: int, *, postgres: bool) -> list[str]:
    """Every fault in turn, in an order of the seed, until there are enough."""
    choose, order = random.Random(seed), []
    while len(order) < kills:
        turn = [*FAULTS, *(["postgres"] if postgres else [])]
        choose.shuffle(turn)
        order += turn
    return order[:kills]


def run(kind: str, faults: Sequence[str], seed: int) -> tuple[Findings, str, Run]:
    """One whole run on a new house."""
    with database(kind) as (url, server), House(url) as house:
        this = Run(house, server, seed)
        found, line = this.play(faults)
        return found, line, this


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print the report line and every fault found. 1 when there is one."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.chaos", description="Faults under load, then the check."
    )
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    parser.add_argument("--kills", type=int, default=18, help="faults in all (default: 18, each kind twice)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    faults = plan(given.kills, given.seed, postgres=given.database == "postgresql")
    began = time.monotonic()
    found, line, this = run(given.database, faults, given.seed)
    print(line)
    print("faults: " + ", ".join(f"{name} {count}" for name, count in sorted(this.faults.items())))
    for sentence in found.all()[:50]:
        print(f"  WRONG: {sentence}")
    tables.keep(
        f"chaos-{given.database}",
        {
            "report": line,
            "seconds": round(time.monotonic() - began),
            "faults": dict(this.faults),
            "wrong": found.all(),
            "next_answer_s": [{"fault": fault, "s": round(s, 2)} for s, fault in this.recoveries],
        },
    )
    return 1 if found.all() else 0


if __name__ == "__main__":
    sys.exit(main())
