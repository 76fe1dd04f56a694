"""The launcher: starts every process on this machine, starts again what dies, and leaves nobody behind."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import unicodedata
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.config import Settings
from app.people.permissions import ROLES
from workers import ROOT, embedded
from workers.hooks import die_with_parent
from workers.sole import Sole

log = logging.getLogger("yichuang.launch")

LOOK_S = 0.1  # between two looks at the children
STEADY_S = 10.0  # who lived so long is started again at once
PAUSE_FIRST_S, PAUSE_LAST_S = 0.2, 10.0  # before a new start, doubling while it keeps dying
READY_S = 90.0
END_S = 10.0  # to end by themselves


@dataclass(slots=True)
class Child:
    """One process and its restarts."""

    name: str
    command: Sequence[str]
    env: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause_s: float = PAUSE_FIRST_S
    again_at: float | None = None
    deaths: int = field(default=0)

    def start(self) -> None:
        """In a session of its own, so that Ctrl-C reaches only the launcher; it dies with the launcher."""
        parent = os.getpid()
        self.process = subprocess.Popen(
            self.command,
            env=self.env,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(parent, signal.SIGTERM),  # safe: this process has one thread
        )
        self.started_at, self.again_at = time.monotonic(), None

    def tend(self, now: float) -> None:
        """Start the process again when it has died: within a second, later each time if it does not stay."""
        if self.process is None or self.process.poll() is None:
            return
        if self.again_at is None:
            self.deaths += 1
            steady = now - self.started_at > STEADY_S
            self.pause_s = PAUSE_FIRST_S if steady or self.deaths == 1 else min(self.pause_s * 2, PAUSE_LAST_S)
            self.again_at = now + self.pause_s
            log.warning("%s ended (%s); starting it again", self.name, _ending(self.process.returncode))
        elif now >= self.again_at:
            self.start()

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def ended(self, deadline: float) -> None:
        """Wait for the end; after the deadline it is made."""
        if self.process is None:
            return
        try:
            self.process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            log.warning("%s does not end; killing it", self.name)
            self.process.kill()
            self.process.wait()


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"status {code}"


def free_port() -> int:
    """A TCP port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main(settings: Settings, *, simulate: bool) -> int:
    """Run until Ctrl-C or SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    alone = Sole("launch", settings.data_dir)
    if not alone.take():
        return _complain(f"{settings.data_dir} 已有一窗在运行 / is in use by another Yichuang")
    if not _is_free(settings.bind, settings.port):
        return _complain(f"端口 {settings.port} 已被占用 / port {settings.port} is in use (HALL_PORT=…)")
    env = _environment(settings)
    children: list[Child] = []
    try:
        if not settings.redis_url:
            port = free_port()
            env["HALL_REDIS_URL"] = f"redis://127.0.0.1:{port}/0"
            children.append(Child("redis", embedded.redis_command(port, settings.data_dir), dict(os.environ)))
            children[0].start()
        told = _prepare(env)
        if told is None or stop.is_set():
            return 0 if stop.is_set() else 1
        children += _house(env, settings, simulate=simulate)
        for child in children:
            if child.process is None:
                child.start()
        _supervise(children, stop, settings, told)
    except embedded.RedisMissing as missing:
        return _complain(str(missing))
    finally:
        _end(children)
        alone.release()
    return 0


def _environment(settings: Settings) -> dict[str, str]:
    """What every child is told: the settings as they are here, with the ports that were chosen."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return inherited | {  # without compiled modules every start, and every start again, takes a second longer
        "HALL_DATA_DIR": str(settings.data_dir),
        "HALL_WEB_PORT": str(settings.web_port or free_port()),
        "HALL_GATEWAY_PORT": str(settings.gateway_port or free_port()),
        "HALL_PUBLIC_URL": settings.public_url,
        "PYTHONUNBUFFERED": "1",
    }


def _house(env: dict[str, str], settings: Settings, *, simulate: bool) -> list[Child]:
    """Every process but Redis. The HTTP server has the door before it, which names the client in one more header."""
    python = (sys.executable, "-m", "workers")
    behind = env | {"HALL_PROXY_HOPS": str(settings.proxy_hops + 1)}
    loopback = ("--host", "127.0.0.1")
    children = [
        Child("web", (*python, "web", *loopback), behind),
        Child("gateway", (*python, "gateway", *loopback), env),
        Child("relay", (*python, "relay"), env),
        Child("worker", (*python, "worker"), env),
        Child("timer", (*python, "timer"), env),
        Child("front", (*python, "front"), env),
    ]
    return [*children, Child("simulate", (*python, "simulate"), env)] if simulate else children


def _prepare(env: dict[str, str]) -> dict[str, Any] | None:
    """Migrations and demo network, in a process of their own; Ctrl-C does not cut them short."""
    print("正在准备数据库…  Preparing the database…", flush=True)
    command = (sys.executable, "-m", "workers", "prepare")
    done = subprocess.run(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, check=False, start_new_session=True)
    if done.returncode:
        return None  # it has said why
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _supervise(children: list[Child], stop: threading.Event, settings: Settings, told: dict[str, Any]) -> None:
    begun, announced = time.monotonic(), False
    while not stop.wait(LOOK_S):
        now = time.monotonic()
        for child in children:
            child.tend(now)
        if not announced and (_is_ready(settings) or now - begun > READY_S):
            if now - begun > READY_S:
                log.warning("not everything is ready yet; see %s/readyz", settings.public_url)
            print(announcement(settings, told), flush=True)
            announced = True


def _end(children: list[Child]) -> None:
    """Redis goes last: the others still want to tell it something."""
    others, redis = [c for c in children if c.name != "redis"], [c for c in children if c.name == "redis"]
    for group in (others, redis):
        deadline = time.monotonic() + END_S
        for child in group:
            child.end()
        for child in group:
            child.ended(deadline)


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _is_ready(settings: Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.bind, settings.bind)  # noqa: S104  # compared, not bound
    try:
        with urllib.request.urlopen(f"http://{host}:{settings.port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _complain(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


# ── what a newcomer is told ─────────────────────────────────────────────────────────────────────────────────────

MAIN_HALL = "luolong"
DOORS = (
    ("首页", "Home", "/"),
    ("取号机", "Kiosk", "/kiosk"),
    ("大厅主屏", "Hall board", f"/screens/{MAIN_HALL}/board"),
    ("设备配对", "Pair a device", "/pair"),
    ("工作人员登录", "Staff sign-in", "/login"),
    ("接口文档", "API", "/openapi.json"),
)


def announcement(settings: Settings, told: dict[str, Any]) -> str:
    """Where to go and how to get in, in both languages."""
    lines = ["", "  一窗 Yichuang 已就绪 · is ready        Ctrl-C 停止 · stops", ""]
    lines += [f"  {_wide(zh, 14)}{_wide(en, 16)}{settings.public_url}{path}" for zh, en, path in DOORS]
    if told["accounts"]:
        lines += ["", f"  演示账号 · demo accounts, 密码 · password  {settings.demo_password}"]
        by_role: dict[tuple[str, str | None], list[str]] = {}
        for account in told["accounts"]:
            by_role.setdefault((account["roles"][0], account["home"]), []).append(account["username"])
        for (role, home), names in by_role.items():
            zh, en, _ = ROLES[role]
            listed = names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}"
            lines.append(f"  {_wide(zh, 14)}{_wide(en, 22)}{_wide(listed, 28)}{home or ''}".rstrip())
    if told["codes"]:
        lines += ["", f"  配对码 · pairing codes for {settings.public_url}/pair"]
        codes = sorted(told["codes"], key=lambda code: (code["hall"] != MAIN_HALL, code["hall"], code["kind"]))
        lines += [f"  {_wide(code['hall'], 14)}{_wide(code['kind'], 16)}{code['code']}" for code in codes]
    return "\n".join([*lines, ""])


def _wide(text: str, cells: int) -> str:
    """The text padded to a number of terminal cells; a Chinese character takes two."""
    taken = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
    return text + " " * max(cells - taken, 1)
