"""Jobs and the timer: entered once, done once, asked for again when they were lost, and nobody's name in Redis."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypdf
import pytest
import redis
import rq
from flask import Flask
from rq.job import Job
from rq.serializers import JSONSerializer

from app import eventlog
from app.action import Answer, RequestKey, request_key
from app.casework.intake import receive_case
from app.casework.models import Case
from app.catalog.queries import item as guide_of
from app.catalog.queries import search_items
from app.db import db
from app.errors import Refusal
from app.events import Actor
from app.notices.models import NoticeRow
from app.now import local_day, now
from app.people.models import Staff
from app.people.permissions import permissions_of
from app.queueing.blocks import lease_block, reconcile
from app.queueing.models import Ticket
from app.queueing.tickets import issue_ticket
from tests.outer.stage import Redis, Stage, until
from workers import ROOT, jobs, timer, worker
from workers.enqueue import JOBS, QUEUES, Jobs
from workers.sole import Sole
from workers.timer import Periodic, Timer, periodic_jobs, run_due

PERSON = {"kind": "person", "name": "诸葛孔明", "id_number": "410305199001010011", "phone": "13812345678"}


def take(kiosk: Actor, channel: str = "kiosk", **more: Any) -> int:
    ticket = issue_ticket(hall="luolong", actor=kiosk, at=now(), queue="A", channel=channel, **more)
    return int(ticket["id"].rsplit("-", 1)[1])


def receive() -> int:
    """A case with its receipt; answers the notice's id."""
    row = db.session.query(Staff).filter_by(username="clerk01").one()
    clerk = Actor("staff", row.id, row.username, row.hall, permissions_of(row.roles))
    code = search_items("食品经营许可延续")["items"][0]["code"]
    materials = [{"code": m["code"], "state": "received"} for m in guide_of(code)["materials"]]
    receive_case(hall="luolong", actor=clerk, at=now(), item=code, applicant=PERSON, materials=materials, window="W01")
    return int(db.session.query(NoticeRow.id).order_by(NoticeRow.id.desc()).limit(1).scalar())


# ── entering ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def entry(redis_server: Redis) -> Jobs:
    return Jobs(redis_server.client)


def waiting(client: redis.Redis) -> list[str]:
    return [name for queue in QUEUES for name in rq.Queue(queue, connection=client, serializer=JSONSerializer).job_ids]


def test_a_job_waits_once_however_often_it_is_entered(entry: Jobs, redis_server: Redis) -> None:
    assert entry.enqueue("print_slip", "luolong", 5)
    assert not entry.enqueue("print_slip", "luolong", 5)
    assert entry.enqueue("print_slip", "lilou", 5)
    assert entry.enqueue("archive_notice", "luolong", 5)
    assert waiting(redis_server.client) == ["print_slip-luolong-5", "print_slip-lilou-5", "archive_notice-luolong-5"]


def test_a_job_that_failed_is_entered_again(entry: Jobs, redis_server: Redis) -> None:
    entry.enqueue("print_slip", "luolong", 5)
    queue = rq.Queue("slips", connection=redis_server.client, serializer=JSONSerializer)
    job = Job.fetch("print_slip-luolong-5", connection=redis_server.client, serializer=JSONSerializer)
    queue.remove(job)
    job.set_status("failed")
    assert entry.enqueue("print_slip", "luolong", 5)
    assert waiting(redis_server.client) == ["print_slip-luolong-5"]


def test_a_job_holds_ids_and_nothing_else_and_is_json(entry: Jobs, redis_server: Redis) -> None:
    entry.enqueue("archive_notice", "luolong", 5)
    stored = redis_server.client.hgetall("rq:job:archive_notice-luolong-5")
    assert json.loads(zlib.decompress(stored[b"data"])) == ["workers.jobs.archive_notice", None, ["luolong", 5], {}]


def test_every_queue_has_a_worker_and_every_job_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(QUEUES) == set(JOBS.values())
    for job in JOBS:
        assert callable(getattr(jobs, job))
    served: list[str] = []
    monkeypatch.setattr(worker.Bench, "__init__", lambda _self, queues, **_: served.extend(q.name for q in queues))
    monkeypatch.setattr(worker.Bench, "work", lambda self, **_: setattr(self, "asked_to_stop", True))
    monkeypatch.setattr(jobs, "warm_up", lambda: None)
    assert worker.main(_Settings(), []) == 0 and tuple(served) == QUEUES
    assert worker.main(_Settings(), ["slips", "nonsense"]) == 2


def test_a_worker_waits_for_redis_and_ends_when_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[str] = []

    def work(self: worker.Bench, **_: object) -> None:
        tries.append("work")
        if len(tries) < 4:
            raise redis.ConnectionError("away")
        self.asked_to_stop = True

    monkeypatch.setattr(worker, "REDIS_AWAY_S", 0)
    monkeypatch.setattr(worker.Bench, "__init__", lambda _self, _queues, **_: None)
    monkeypatch.setattr(worker.Bench, "work", work)
    monkeypatch.setattr(jobs, "warm_up", lambda: None)
    assert worker.main(_Settings(), []) == 0 and len(tries) == 4


class _Settings:
    redis_url = "redis://127.0.0.1:1/0"


@pytest.mark.parametrize(
    ("place", "command"),
    [("docker-compose.yml", '    command: ["worker"]'), ("systemd/yichuang@.service", "python -m workers %i")],
)
def test_production_starts_a_worker_for_all_queues(place: str, command: str) -> None:
    lines = (ROOT / "deploy" / place).read_text().splitlines()
    assert any(line.endswith(command) for line in lines)


def test_entering_says_when_redis_is_away(entry: Jobs, redis_server: Redis) -> None:
    redis_server.kill()
    with pytest.raises(redis.RedisError):
        entry.enqueue("print_slip", "luolong", 5)
    redis_server.start()


# ── doing ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def bench(house: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """Jobs run here, in the application of the test."""
    monkeypatch.setattr(jobs, "house", lambda: house)
    return house


def print_to(app: Flask, printer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.extensions, "settings", replace(app.extensions["settings"], printer=printer))


def test_a_slip_is_printed_once(
    bench: Flask, stage: Stage, kiosk: Actor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    print_to(bench, "spool", monkeypatch)
    ticket = take(kiosk)
    name = jobs.print_slip("luolong", ticket)
    spool = stage.settings.data_dir / "spool"
    text = (spool / f"{name}.txt").read_text()
    assert "A001" in text and "商事登记" in text and "洛龙区政务服务中心" in text
    page = pypdf.PdfReader(spool / f"{name}.pdf").pages[0].extract_text()
    assert "A001" in page
    before = (spool / f"{name}.bin").stat().st_mtime_ns
    assert jobs.print_slip("luolong", ticket) == name and (spool / f"{name}.bin").stat().st_mtime_ns == before
    assert jobs.is_printed(bench.extensions["settings"], "luolong", ticket)


def test_a_device_prints_once_too(bench: Flask, stage: Stage, kiosk: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    device = stage.settings.data_dir / "lp0"
    device.touch()
    print_to(bench, f"file://{device}", monkeypatch)
    ticket = take(kiosk)
    settings = bench.extensions["settings"]
    assert not jobs.is_printed(settings, "luolong", ticket)
    for _ in range(2):
        jobs.print_slip("luolong", ticket)
    assert device.read_bytes().count(b"A001") == 1
    assert jobs.is_printed(settings, "luolong", ticket)


def test_a_slip_leads_to_the_holders_own_page_and_names_nobody(bench: Flask, stage: Stage, kiosk: Actor) -> None:
    issued = issue_ticket(hall="luolong", actor=kiosk, at=now(), queue="A", channel="kiosk", person=PERSON)
    slip = jobs.slip_of(stage.settings, "luolong", int(issued["id"].rsplit("-", 1)[1]))
    assert slip.qr_url == f"{stage.settings.public_url}/t/{issued['token']}"
    assert not any(value in str(slip) for value in (PERSON["name"], PERSON["id_number"], PERSON["phone"]))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", slip.issued_at)


def test_a_notice_is_archived_once_for_its_owner_alone(bench: Flask, stage: Stage) -> None:
    notice = receive()
    name = jobs.archive_notice("luolong", notice)
    path = jobs.paper_of(stage.settings, "luolong", notice)
    assert path.name == name and PERSON["name"] in "".join(p.extract_text() for p in pypdf.PdfReader(path).pages)
    assert path.stat().st_mode & 0o077 == 0
    before = path.stat().st_mtime_ns
    jobs.archive_notice("luolong", notice)
    assert path.stat().st_mtime_ns == before and [p.name for p in path.parent.iterdir()] == [name]


def test_a_paper_is_its_owners_alone_from_its_first_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs.Path, "replace", lambda *_: 1 / 0)  # whoever is killed here leaves what was written
    with pytest.raises(ZeroDivisionError):
        jobs._keep(tmp_path / "1.pdf", b"%PDF names people")
    (draft,) = tmp_path.iterdir()
    assert draft.read_bytes() and draft.stat().st_mode & 0o077 == 0


def test_what_does_not_exist_is_refused(bench: Flask) -> None:
    for job in (jobs.print_slip, jobs.archive_notice):
        with pytest.raises(Refusal):
            job("luolong", 987654)


@pytest.mark.slow
def test_relay_and_worker_put_everything_on_paper(
    stage: Stage, house: Flask, kiosk: Actor, redis_server: Redis
) -> None:
    stage.start("worker", HALL_PRINTER="spool")
    stage.start("relay", HALL_PRINTER="spool")
    ticket, notice = take(kiosk, person=PERSON), receive()
    until(lambda: (stage.settings.data_dir / "spool" / f"luolong-{ticket}-1.bin").exists(), 60)
    until(lambda: jobs.paper_of(stage.settings, "luolong", notice).exists(), 60)
    dumped = b"".join(redis_server.client.dump(key) or b"" for key in redis_server.client.scan_iter())
    assert not any(str(value).encode() in dumped for value in PERSON.values() if value != "person")
    redis_server.kill()  # and after Redis has been away, it goes on by itself
    late = take(kiosk)
    redis_server.start()
    until(lambda: (stage.settings.data_dir / "spool" / f"luolong-{late}-1.bin").exists(), 60)


# ── the timer ───────────────────────────────────────────────────────────────────────────────────────────────────


class Bench:
    def __init__(self) -> None:
        self.entered: list[tuple[str, str, int]] = []

    def enqueue(self, job: str, hall: str, number: int) -> bool:
        self.entered.append((job, hall, number))
        return True


@pytest.fixture
def watch(house: Flask, stage: Stage) -> Iterator[Timer]:
    yield Timer(stage.settings, Bench())


def later(monkeypatch: pytest.MonkeyPatch, **span: float) -> None:
    monkeypatch.setattr(timer, "now", lambda: now() + timedelta(**span))


def state_of(ticket: int) -> str:
    db.session.rollback()
    return str(db.session.query(Ticket.state).filter_by(hall="luolong", id=ticket).scalar())


def test_after_midnight_what_nobody_came_for_expires(
    watch: Timer, kiosk: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = take(kiosk)
    watch.close_days()
    assert state_of(ticket) == "waiting"
    later(monkeypatch, days=1)
    watch.close_days()
    assert state_of(ticket) == "expired"
    seq = eventlog.heads()["luolong"]
    watch.close_days()
    assert eventlog.heads()["luolong"] == seq


def test_a_case_that_nobody_spoke_of_is_accepted_in_time(watch: Timer, monkeypatch: pytest.MonkeyPatch) -> None:
    receive()

    def state() -> str:
        db.session.rollback()
        return str(db.session.query(Case.state).scalar())

    watch.turn_lights()
    assert state() == "received"
    later(monkeypatch, days=30)
    watch.turn_lights()
    assert state() == "accepted"


def test_papers_that_are_missing_are_asked_for_again(
    watch: Timer, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = receive(), receive()
    watch.file_papers()
    assert watch.jobs.entered == []  # they are on their way
    later(monkeypatch, seconds=10)
    watch.file_papers()
    wanted = [("archive_notice", "luolong", first), ("archive_notice", "luolong", second)]
    assert watch.jobs.entered == wanted
    for notice in (first, second):
        path = jobs.paper_of(stage.settings, "luolong", notice)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    watch.file_papers()
    watch.file_papers()
    assert watch.jobs.entered == wanted


def test_slips_that_are_missing_are_asked_for_as_long_as_it_makes_sense(
    watch: Timer, stage: Stage, kiosk: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch.settings = replace(stage.settings, printer="spool")
    ticket, done, _phone = take(kiosk), take(kiosk, "guide"), take(kiosk, "phone")
    block = lease_block(hall="luolong", actor=kiosk, at=now(), queue="B", size=2)
    on_paper = [{"number": block["numbers"][0]["number"], "lane": "normal", "taken_at": now()}]
    block_id = int(block["id"].rsplit("-", 1)[1])
    reconcile(hall="luolong", actor=kiosk, at=now(), block_id=block_id, taken=on_paper)
    spool = jobs.spool_of(watch.settings)
    spool.mkdir()
    (spool / f"luolong-{done}-1.bin").touch()
    later(monkeypatch, seconds=10)
    monkeypatch.setattr(timer, "local_day", lambda _at: local_day(now()))
    watch.print_slips()
    assert watch.jobs.entered == [("print_slip", "luolong", ticket)]
    later(monkeypatch, minutes=11)
    watch.print_slips()
    assert len(watch.jobs.entered) == 1
    later(monkeypatch, seconds=10)
    watch.settings = replace(stage.settings, printer="off")
    watch.print_slips()
    assert len(watch.jobs.entered) == 1


def test_answers_are_forgotten_after_two_days(watch: Timer, kiosk: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    def kept() -> int:
        db.session.rollback()
        return db.session.query(Answer).count()

    request_key.set(RequestKey("test", "key-1", "hash"))
    take(kiosk)
    assert kept() == 1
    later(monkeypatch, hours=47)
    watch.forget()
    assert kept() == 1
    later(monkeypatch, hours=49)
    watch.forget()
    assert kept() == 0


def test_the_list_runs_what_is_due_and_one_failure_is_not_the_others(
    house: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[str] = []

    def failing(error: Exception) -> Callable[[], None]:
        def work() -> None:
            ran.append(type(error).__name__)
            raise error

        return work

    errors = (ValueError("a mistake"), redis.ConnectionError("away"), Refusal("hall.busy"))
    list_ = [*(Periodic(10, failing(error)) for error in errors), Periodic(30, lambda: ran.append("slow"))]
    for at in (0, 5, 10, 30):
        run_due(list_, at)
    each = ["ValueError", "ConnectionError", "Refusal"]
    assert ran == [*each, "slow", *each, *each, "slow"]
    assert "a mistake" in caplog.text


def test_no_hall_waits_for_another(watch: Timer, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def failing(*, hall: str, **_: object) -> None:
        tried.append(hall)
        raise ValueError("a mistake")

    for sweep in ("ring_alarms", "sweep_lights", "tell_signals"):
        failing.__name__ = sweep
        monkeypatch.setattr(timer, sweep, failing)
    watch.turn_lights()
    watch.tell()
    assert tried == [hall for hall in timer._codes() for _ in range(2)] + timer._codes()


def test_the_list_is_whole(watch: Timer) -> None:
    names = {job.work.__name__ for job in periodic_jobs(watch)}
    of_cases = {"turn_lights", "tell", "file_papers", "make_batches"}
    of_queues = {"dispatch", "remind", "close_days", "print_slips", "end_appointments"}
    assert names == {*of_cases, *of_queues, "forget"}
    run_due(periodic_jobs(watch), 0.0)  # on a furnished hall all of it simply works


@pytest.mark.slow
def test_only_one_timer_works(stage: Stage, house: Flask) -> None:
    stage.start("timer")
    other = Sole("timer", stage.settings.data_dir, stage.settings.database_url)

    def taken() -> bool:
        if other.take():
            other.release()
            return False
        return True

    until(taken, 60)
