"""The record of a hall: gapless, chained, replayed, and honest about being changed."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app import eventlog, events
from app.action import Answer, RequestKey, action, request_key
from app.db import NestedTransaction, db
from app.errors import Refusal
from app.queueing import closing
from app.queueing.models import Ticket


@pytest.fixture
def record(hall):
    for _ in range(6):
        hall.take()
    assert eventlog.verify("luolong") is None
    return eventlog.heads()["luolong"]


def test_numbers_have_no_gaps_and_every_event_reads_back(hall, record) -> None:
    rows = eventlog.read("luolong", 0, 10_000)
    assert [row.seq for row in rows] == list(range(1, record + 1))
    for row in rows:
        assert events.decode(row.event.kind, events.encode(row.event)) == row.event


def test_a_refused_action_writes_nothing(hall, record) -> None:
    with pytest.raises(Refusal):
        hall.take("Z")
    assert eventlog.heads()["luolong"] == record


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE events SET body = replace(body, 'A003', 'A009') WHERE hall = 'luolong' AND body LIKE '%A003%'",
        "UPDATE events SET actor = 'staff:nobody' WHERE hall = 'luolong' AND seq = :last",
        "UPDATE events SET at = (SELECT max(last_at) FROM hall_heads) WHERE hall = 'luolong' AND seq = 3",
        "DELETE FROM events WHERE hall = 'luolong' AND seq = 4",
        "DELETE FROM events WHERE hall = 'luolong' AND seq = :last",
        "UPDATE events SET mac = (SELECT mac FROM events WHERE hall = 'luolong' AND seq = 2)"
        " WHERE hall = 'luolong' AND seq = 5",
    ],
)
def test_any_change_to_the_record_is_found(hall, record, tampering) -> None:
    db.session.execute(text(tampering), {"last": record} if ":last" in tampering else {})
    assert eventlog.verify("luolong") is not None
    db.session.rollback()


def test_an_action_inside_an_action_is_a_mistake(hall) -> None:
    @action
    def outer(tx) -> None:
        hall.take()

    with pytest.raises(NestedTransaction):
        hall.do(outer, hall.kiosk)


def test_a_failing_action_leaves_nothing_behind(hall, record) -> None:
    @action
    def fails(tx) -> None:
        tx.record(events.WindowOpened(window="W01", staff="x"))
        tx.write_record()
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        hall.do(fails, hall.kiosk)
    assert eventlog.heads()["luolong"] == record and eventlog.verify("luolong") is None


def keyed(hall, key: str, body: str = "1"):
    request_key.set(RequestKey("device:7", key, body))
    try:
        return hall.take()
    finally:
        request_key.set(None)


def test_the_same_key_gives_the_same_answer_once(hall) -> None:
    first, again = keyed(hall, "k1"), keyed(hall, "k1")
    assert again["number"] == first["number"] and again["token"] == first["token"] and again["created"] is True
    assert db.session.query(Ticket).count() == 1
    assert keyed(hall, "k2")["number"] == "A002"


def test_the_same_key_for_another_request_is_refused(hall) -> None:
    keyed(hall, "k1")
    with pytest.raises(Refusal, match="idempotency.mismatch"):
        keyed(hall, "k1", body="2")


def test_a_kept_answer_is_sealed(hall) -> None:
    token = keyed(hall, "k1")["token"]
    assert token not in db.session.query(Answer.answer).scalar()


def test_an_unknown_hall_has_no_history(hall) -> None:
    with pytest.raises(Refusal, match="hall.unknown"):
        hall.do(closing.close_day, "supervisor01", hall="atlantis", before="2027-01-01")
