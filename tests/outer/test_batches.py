"""Batches: a hundred papers drawn by the worker as one file, watched on the way, and made again when all is lost."""

from __future__ import annotations

import os
from datetime import timedelta
from io import BytesIO
from typing import Any

import pypdf
import pytest
from flask import Flask

from app import eventlog
from app.action import action
from app.db import db
from app.errors import Refusal
from app.events import SYSTEM, Actor
from app.notices import batches
from app.notices.issue import issue_notice
from app.now import now
from tests.outer.papers import CASE, OWN, squeeze
from tests.outer.stage import Redis, Stage, until
from workers import jobs, timer
from workers.consumers import Papers
from workers.enqueue import Jobs

HALL = "luolong"
CLERK = Actor("staff", 3, "clerk01", HALL)


@action
def issue_many(tx: Any, *, kinds: list[str]) -> list[int]:
    return [issue_notice(tx, kind=kind, facts={**CASE, **OWN[kind]})["id"] for kind in kinds]


def issued(*kinds: str) -> list[int]:
    return issue_many(hall=HALL, actor=CLERK, at=now(), kinds=list(kinds))


def request(notices: list[int], **more: Any) -> int:
    made = batches.request_batch(hall=HALL, actor=CLERK, at=now(), notices=notices, **more)
    assert made["total"] == len(set(notices))
    return int(made["id"].rsplit("-", 1)[1])


def standing(batch_id: int, stage: Stage) -> dict[str, Any]:
    db.session.rollback()
    return batches.batch(HALL, batch_id, stage.settings)


@pytest.fixture
def bench(house: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """Jobs run here, in the application of the test."""
    monkeypatch.setattr(jobs, "house", lambda: house)
    return house


def test_a_batch_is_one_file_in_the_order_asked_for_each_paper_once(bench: Flask, stage: Stage) -> None:
    receipt, service, decision = issued("receipt", "service", "decision")
    batch = request([decision, receipt, service, receipt])
    before = standing(batch, stage)
    assert (before["done"], before["total"], before["ready"]) == (0, 3, False)
    with pytest.raises(Refusal, match="batch.not_ready"):
        batches.read_file(HALL, batch, CLERK.ref, stage.settings)
    name = jobs.render_batch(HALL, batch)
    path = batches.file_of(stage.settings, HALL, batch)
    assert path.name == name and path.stat().st_mode & 0o077 == 0
    with pytest.raises(Refusal, match="auth.forbidden"):
        batches.read_file(HALL, batch, "staff:clerk02", stage.settings)
    reader = pypdf.PdfReader(BytesIO(batches.read_file(HALL, batch, CLERK.ref, stage.settings)))
    assert [entry.title.split(" ")[1] for entry in reader.outline] == ["不予行政许可决定书", "收件凭证", "送达回证"]
    starts = [reader.get_destination_page_number(entry) for entry in reader.outline]
    assert starts == [0, 2, 4] and len(reader.pages) == 5  # two copies of each, one of the proof of service
    for start, title in zip(starts, ("不予行政许可决定书", "收件凭证", "送达回证"), strict=True):
        assert title in squeeze(reader.pages[start].extract_text())
    assert standing(batch, stage)["ready"] and standing(batch, stage)["done"] == 3
    written = path.stat().st_mtime_ns
    jobs.render_batch(HALL, batch)
    assert path.stat().st_mtime_ns == written


def test_what_cannot_be_printed_is_refused(house: Flask, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = issued("receipt", "receipt")
    for wrong, code in (([], "batch.empty"), ([one, 10**6], "notice.unknown")):
        with pytest.raises(Refusal, match=code):
            request(wrong)
    with pytest.raises(Refusal, match="auth.foreign_hall"):
        batches.request_batch(hall="lilou", actor=CLERK, at=now(), notices=[one])
    with pytest.raises(Refusal, match="notice.unknown"):  # another hall's paper of the same number
        batches.request_batch(hall="lilou", actor=SYSTEM, at=now(), notices=[one])
    monkeypatch.setattr(batches, "MOST", 1)
    with pytest.raises(Refusal, match="batch.too_many"):
        request([one, two])
    for unknown in (
        lambda: standing(10**6, stage),
        lambda: batches.read_file(HALL, 10**6, CLERK.ref, stage.settings),
    ):
        with pytest.raises(Refusal, match="batch.unknown"):
            unknown()
    with pytest.raises(Refusal, match="batch.unknown"):
        batches.renew_batch(hall=HALL, actor=CLERK, at=now(), batch_id=10**6)
    with pytest.raises(Refusal, match="batch.one_hall"):
        batches.of_one_hall([(HALL, one), ("lilou", one)])


def test_progress_and_file_may_be_lost_and_are_made_again(
    bench: Flask, stage: Stage, redis_server: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = request(issued("receipt", "receipt"))
    seen: list[tuple[int, bool]] = []
    tell = batches.Progress.tell

    def watch(self: batches.Progress, done: int) -> None:
        tell(self, done)
        at = standing(batch, stage)
        seen.append((at["done"], at["ready"]))

    monkeypatch.setattr(batches.Progress, "tell", watch)
    jobs.render_batch(HALL, batch)
    assert seen == [(1, False), (2, False)]
    redis_server.client.flushall()
    assert standing(batch, stage)["done"] == 2  # the file says so
    batches.file_of(stage.settings, HALL, batch).unlink()
    assert standing(batch, stage) | {"done": 0, "ready": False} == standing(batch, stage)

    class Bench:
        entered: list[tuple[str, str, int]] = []

        def enqueue(self, *job: Any) -> bool:
            self.entered.append(job)
            return True

    watcher = timer.Timer(stage.settings, Bench())  # type: ignore[arg-type]
    watcher.make_batches()
    assert Bench.entered == []  # it may still be on its way
    monkeypatch.setattr(timer, "now", lambda: now() + timedelta(minutes=1))
    watcher.make_batches()
    assert Bench.entered == [("render_batch", HALL, batch)]
    jobs.render_batch(HALL, batch)
    watcher.make_batches()
    assert len(Bench.entered) == 1 and standing(batch, stage)["ready"]

    path = batches.file_of(stage.settings, HALL, batch)
    os.utime(path, (path.stat().st_mtime - 3 * 86400,) * 2)
    assert batches.forget_files(stage.settings, now()) == 1 and not path.exists()
    monkeypatch.setattr(timer, "now", lambda: now() + timedelta(days=3))
    watcher.make_batches()
    assert len(Bench.entered) == 1  # nobody waits for it any longer, until somebody asks again
    batches.renew_batch(hall=HALL, actor=CLERK, at=now() + timedelta(days=3), batch_id=batch)
    monkeypatch.setattr(timer, "now", lambda: now() + timedelta(days=3, minutes=1))
    watcher.make_batches()
    assert len(Bench.entered) == 2

    redis_server.kill()
    assert standing(batch, stage)["done"] == 0  # and nobody is kept waiting by a Redis that is away
    redis_server.start()


@pytest.mark.slow
def test_a_hundred_papers_are_drawn_by_the_worker_while_somebody_watches(
    stage: Stage, house: Flask, redis_server: Redis
) -> None:
    stage.start("worker")
    stage.start("relay")
    kinds = [[*OWN][n % len(OWN)] for n in range(100)]
    batch = request(issued(*kinds))
    seen: list[int] = []

    def ready() -> bool:
        at = standing(batch, stage)
        seen.append(at["done"])
        return bool(at["ready"])

    until(ready, 120)
    assert seen == sorted(seen) and seen[-1] == 100 and len([done for done in seen if 0 < done < 100]) > 3
    reader = pypdf.PdfReader(batches.file_of(stage.settings, HALL, batch))
    assert len(reader.outline) == 100 and batches.file_of(stage.settings, HALL, batch).stat().st_size < 3_000_000
    dumped = b"".join(redis_server.client.dump(key) or b"" for key in redis_server.client.scan_iter())
    assert CASE["applicant_name"].encode() not in dumped


def test_the_relay_hands_a_batch_to_the_worker(house: Flask, redis_server: Redis) -> None:
    batch = request(issued("receipt"))
    entry = Jobs(redis_server.client)
    Papers(entry).take(HALL, eventlog.read(HALL, 0, 10_000), None)
    assert b"rq:job:render_batch-luolong-%d" % batch in set(redis_server.client.scan_iter())
