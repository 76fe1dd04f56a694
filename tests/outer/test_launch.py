"""The launcher: starts again what dies, leaves nobody behind, and tells a newcomer where to go. And the simulated day."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from app import eventlog
from app.casework.models import Case
from app.db import db
from app.eventlog import EventRow
from app.queueing.models import WindowSession
from tests.conftest import make_settings
from tests.outer.stage import until
from workers import ROOT, launch, simulate
from workers.launch import Child, announcement, free_port


@pytest.fixture
def child() -> Iterator[Child]:
    made = Child("sleeper", ("sleep", "60"), dict(os.environ))
    made.start()
    yield made
    made.end()
    made.ended(time.monotonic() + 5)


def test_who_dies_is_started_again(child: Child) -> None:
    first = child.process.pid
    child.process.kill()

    def back() -> bool:
        child.tend(time.monotonic())
        return child.process.pid != first

    until(back)
    assert child.deaths == 1


def test_who_keeps_dying_is_started_again_ever_later(child: Child) -> None:
    pauses, now = [], time.monotonic()
    for _ in range(8):
        child.process.kill()
        child.process.wait()
        child.started_at = now
        child.tend(now)
        pauses.append(round(child.again_at - now, 1))
        now = child.again_at
        child.tend(now)
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
    child.process.kill()
    child.process.wait()
    child.started_at = now - launch.STEADY_S - 1
    child.tend(now)
    assert child.again_at - now == pytest.approx(launch.PAUSE_FIRST_S)  # it had come to stay


def test_who_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = Child("deaf", (sys.executable, "-c", "import signal, time; signal.signal(15, 1); time.sleep(60)"), {})
    deaf.start()
    time.sleep(0.5)
    deaf.end()
    deaf.ended(time.monotonic() + 0.2)
    assert deaf.process.returncode == -signal.SIGKILL


def test_a_killed_launcher_leaves_nobody_behind() -> None:
    code = (
        "import os, time; from workers.launch import Child; c = Child('x', ('sleep', '60'), dict(os.environ));"
        "c.start(); print(c.process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert alive(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until(lambda: not alive(pid), 5)


def test_a_newcomer_is_told_where_to_go_and_how_to_get_in(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, "")
    told = {
        "accounts": [{"username": f"clerk{n:02d}", "roles": ["clerk"], "home": "luolong"} for n in range(1, 13)],
        "codes": [{"hall": "luolong", "kind": "screen", "code": "012345"}],
    }
    text = announcement(settings, told)
    for word in (settings.public_url, settings.demo_password, "clerk01 … clerk12", "012345", "已就绪", "is ready"):
        assert word in text
    assert "password" not in announcement(settings, {"accounts": [], "codes": []})


@pytest.mark.slow
def test_a_whole_house_starts_survives_and_ends(tmp_path: Path) -> None:
    port = free_port()
    own = {"HALL_DATA_DIR": str(tmp_path), "HALL_PORT": str(port), "HALL_DEMO_PASSWORD": "a-password-of-tests"}
    env = {name: value for name, value in os.environ.items() if not name.startswith("HALL_")} | own
    log = (tmp_path / "log").open("wb")
    command = [sys.executable, "-m", "workers", "launch"]
    launcher = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        until(lambda: "is ready" in (tmp_path / "log").read_text(), 120)
        relay = next(pid for pid, line in family(launcher.pid).items() if line.endswith("workers relay"))
        os.kill(relay, signal.SIGKILL)
        until(lambda: any(c.endswith("workers relay") and p != relay for p, c in family(launcher.pid).items()), 5)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
            assert answer.status == 200
        assert subprocess.run(command, cwd=ROOT, env=env, capture_output=True).returncode == 1  # one is enough
        everybody = [launcher.pid, *family(launcher.pid)]
        assert len(everybody) >= 10  # seven processes, two servers' workers, Redis
        launcher.terminate()
        assert launcher.wait(30) == 0
        until(lambda: not any(alive(pid) for pid in everybody), 10)
    finally:
        log.close()
        if launcher.poll() is None:
            launcher.kill()
            launcher.wait()


def family(parent: int) -> dict[int, str]:
    """Every process below this one with its command line."""
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                above = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            except OSError:
                continue
            if above == parent:
                found |= {int(entry.name): line, **family(int(entry.name))}
    return found


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


# ── the simulated day ───────────────────────────────────────────────────────────────────────────────────────────


def test_an_invented_id_number_is_well_formed_and_nobodys() -> None:
    dice = random.Random(1)
    for _ in range(200):
        number = simulate.invented_id(dice)
        assert len(number) == 18 and number.startswith("999999")
        total = sum(int(d) * w for d, w in zip(number[:17], simulate._WEIGHTS, strict=True))
        assert "10X98765432"[total % 11] == number[17]


def test_a_simulated_day_moves_everything_and_ends_cleanly(house: Flask) -> None:
    clock = [0.0]
    day = simulate.Day(random.Random(7), lambda: clock[0])
    for _ in range(300):
        clock[0] += 0.25
        day.turn()
    day.end()
    db.session.rollback()
    kinds = Counter(db.session.execute(select(EventRow.kind)).scalars())
    for kind in ("ticket.issued", "ticket.called", "ticket.finished", "case.received", "case.accepted", "case.taken"):
        assert kinds[kind] > 3, kinds
    assert db.session.execute(select(Case.state)).scalars().all()
    assert not db.session.query(WindowSession).filter(WindowSession.state != "closed").count()
    assert all(eventlog.verify(hall) is None for hall in eventlog.heads())
