"""Sixteen issuers and sixteen clerks who do everything at once, pressing twice now and then, on both databases."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest

from app.db import db
from app.errors import Refusal
from app.events import SYSTEM
from app.now import now
from app.queueing.dispatch import dispatch_next
from benchmarks.crowd import Crowd, furnish
from benchmarks.history import check_hall
from benchmarks.load import Log
from tests.concurrency.conftest import HALL, Doors
from tests.conftest import PASSWORD

ISSUERS, CLERKS, EACH = 16, 16, 4
STEPS = (
    "issue offline lease reconcile cancel defer rejoin call chosen recall start next-item finish no-show restore park "
    "unpark transfer abandon open pause close"
)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_crowd_is_served_in_order_and_nobody_is_lost(doors: Doors) -> None:
    furnish(HALL, CLERKS, PASSWORD)
    log = Log(doors.ask, patience_s=60, again=0.2)
    names = [f"clerk{n:02d}" for n in range(1, CLERKS + 1)]
    _, found = doors.ask("GET", f"/api/v1/halls/{HALL}/items", None, {})
    crowd = Crowd(
        log,
        HALL,
        kiosks=[doors.kiosk() for _ in range(ISSUERS)],
        clerks={name: doors.sign_in(name) for name in names},
        windows=[f"W{n:02d}" for n in range(1, CLERKS + 1)],
        admin=doors.sign_in("admin01"),
        items=[line["code"] for line in found["items"]],
        leads=frozenset(names[11:]),
        seed=7,
    )
    done = threading.Event()

    def dispatch() -> None:
        """As the timer does, only oftener."""
        with doors.app.app_context():
            while not done.wait(0.05):
                with suppress(Refusal):  # hall.busy: the next round comes
                    dispatch_next(hall=HALL, actor=SYSTEM, at=now())
            db.session.remove()

    dispatcher = threading.Thread(target=dispatch)
    dispatcher.start()
    try:
        crowd.play(EACH)
    finally:
        done.set()
        dispatcher.join()
    db.session.rollback()
    wrong, events = check_hall(log.ops, HALL)
    assert wrong.all() == []
    done_well = {op.what for op in log.ops if op.outcome == "ok"}
    assert done_well >= set(STEPS.split()), "the load no longer does everything"
    assert events > len(log.ops) / 2 and log.presses > 50
