"""Numbers lent to a kiosk: a run of their own, told back once, however often and whoever asks at the same moment."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app import eventlog
from app.action import RequestKey, request_key
from app.db import db
from app.events import SYSTEM, Actor, BlockClosed, BlockLeased, TicketIssued
from app.now import iso
from app.people.permissions import DEVICES
from app.queueing import queries
from app.queueing.blocks import lease_block, reconcile
from app.queueing.calls import no_show
from app.queueing.closing import stop_issuing
from app.queueing.models import NumberBlock, Ticket
from app.queueing.setup import set_queue_active
from displays.frames import empty, fold, frame
from tests.actions.conftest import Hall, refused


def lease(hall: Hall, who: Actor | None = None, **more: Any) -> dict[str, Any]:
    return hall.do(lease_block, who or hall.kiosk, **{"queue": "A", "size": 5, **more})


def given(hall: Hall, block: dict[str, Any], *places: int, **more: Any) -> list[dict[str, Any]]:
    """What a kiosk would tell of these numbers of its block, a minute apart, the last one now."""
    return [
        {
            "number": block["numbers"][place]["number"],
            "lane": "normal",
            "taken_at": hall.at - timedelta(minutes=len(places) - 1 - n),
            **more,
        }
        for n, place in enumerate(places)
    ]


def back(
    hall: Hall, block: dict[str, Any], taken: list[dict[str, Any]], who: Actor | None = None, **more: Any
) -> dict[str, Any]:
    block_id = int(block["id"].rpartition("-")[2])
    return hall.do(reconcile, who or hall.kiosk, block_id=block_id, taken=taken, **more)


def rows() -> list[tuple[str, str, str]]:
    db.session.rollback()
    found = db.session.query(Ticket).order_by(Ticket.id)
    return [(row.number, row.state, row.lane) for row in found]


def recorded(kind: type) -> list[Any]:
    db.session.rollback()
    return [row.event for row in eventlog.read("luolong", 0, 10_000) if isinstance(row.event, kind)]


def other_kiosk(n: int = 8) -> Actor:
    return Actor("device", n, f"kiosk-{n}", "luolong", DEVICES["kiosk"])


def test_a_block_is_a_run_of_its_own(hall: Hall) -> None:
    first, second = lease(hall), lease(hall, other_kiosk())
    assert [each["number"] for each in first["numbers"]] == ["A9001", "A9002", "A9003", "A9004", "A9005"]
    assert second["numbers"][0]["number"] == "A9006"
    assert lease(hall, queue="B")["numbers"][0]["number"] == "B9001"
    assert hall.take()["number"] == "A001"
    assert len({each["token"] for block in (first, second) for each in block["numbers"]}) == 10
    assert [(e.first, e.last) for e in recorded(BlockLeased)] == [
        ("A9001", "A9005"),
        ("A9006", "A9010"),
        ("B9001", "B9005"),
    ]


def test_a_lease_whose_answer_was_lost_is_had_again_by_its_key(hall: Hall) -> None:
    def asked() -> dict[str, Any]:
        request_key.set(RequestKey(scope="device:7", key="k1", body_hash="same"))
        return lease(hall)

    assert asked() == asked()
    assert len(recorded(BlockLeased)) == 1


def test_a_second_browser_of_a_kiosk_spoils_nothing_that_the_first_has_printed(hall: Hall) -> None:
    first = lease(hall)
    with refused("block.held"):
        lease(hall)
    assert lease(hall, queue="B")["numbers"][0]["number"] == "B9001"
    assert back(hall, first, given(hall, first, 0, 1))["used"] == 2
    assert rows() == [("A9001", "waiting", "normal"), ("A9002", "waiting", "normal")]
    assert lease(hall)["numbers"][0]["number"] == "A9006"


def test_a_block_that_was_never_told_of_binds_nobody_the_day_after(hall: Hall) -> None:
    lost = lease(hall)
    hall.later(days=1)
    fresh = lease(hall)
    assert (fresh["numbers"][0]["number"], fresh["day"]) == ("A9001", hall.at.date().isoformat())
    assert fresh["id"] != lost["id"]


def test_a_block_goes_on_until_it_is_done_and_no_number_of_the_run_is_wasted(hall: Hall) -> None:
    block = lease(hall)
    first = given(hall, block, 0)
    answer = back(hall, block, first, done=False)
    assert (answer["state"], answer["used"]) == ("leased", 1)
    assert back(hall, block, first, done=False) == answer
    hall.later(minutes=1)
    again = back(hall, block, [*first, *given(hall, block, 1)], done=False)
    assert [each["state"] for each in again["tickets"]] == ["issued", "issued"]
    assert recorded(BlockClosed) == []
    back(hall, block, given(hall, block, 3), done=True)
    assert [number for number, _, _ in rows()] == ["A9001", "A9002", "A9004"]
    (closed,) = recorded(BlockClosed)
    assert (closed.used, closed.void) == (3, ("A9003", "A9005"))
    late = back(hall, block, given(hall, block, 2), done=False)
    assert (late["state"], late["tickets"]) == ("closed", [{"number": "A9003", "ticket": None, "state": "void"}])


def test_a_block_of_a_day_that_is_over_is_closed_whatever_its_kiosk_says(hall: Hall) -> None:
    block = lease(hall)
    hall.later(days=1)
    assert back(hall, block, [], done=False)["state"] == "closed"
    assert len(recorded(BlockClosed)) == 1


def test_what_was_taken_waits_from_when_it_was_taken(hall: Hall) -> None:
    block = lease(hall)
    before = hall.take()
    hall.later(minutes=30)
    after = hall.take()
    answer = back(hall, block, given(hall, block, 0, 1, 2, item=None, party=2))
    assert [each["state"] for each in answer["tickets"]] == ["issued"] * 3
    assert (answer["used"], answer["state"]) == (3, "closed")
    assert rows() == [(number, "waiting", "normal") for number in ("A001", "A002", "A9001", "A9002", "A9003")]
    hall.later(minutes=1).open()
    # A002 and A9003 came at one moment; the lower id decides
    called = []
    for _ in range(5):
        ticket = hall.call()["ticket"]
        called.append(ticket["number"])
        hall.step(no_show, ticket)
    assert called == [before["number"], "A9001", "A9002", after["number"], "A9003"]
    (closed,) = recorded(BlockClosed)
    assert (closed.used, closed.void) == (3, ("A9004", "A9005"))


def test_the_qr_code_on_the_slip_finds_its_ticket(hall: Hall) -> None:
    block = lease(hall)
    back(hall, block, given(hall, block, 1))
    where, ticket_id = queries.find_by_token(block["numbers"][1]["token"])
    view = queries.ticket_view(where, ticket_id, hall.at)
    assert (view["number"], view["state"], view["party"]) == ("A9002", "waiting", 1)
    with refused("ticket.unknown"):
        queries.find_by_token(block["numbers"][0]["token"])


def test_the_ground_comes_with_the_priority_lane_only(hall: Hall) -> None:
    block = lease(hall)
    back(
        hall,
        block,
        [*given(hall, block, 0, lane="priority", ground="elderly"), *given(hall, block, 1, ground="elderly")],
    )
    found = {row.number: (row.lane, row.ground) for row in db.session.query(Ticket)}
    assert found == {"A9001": ("priority", "elderly"), "A9002": ("normal", None)}


def test_told_again_nothing_is_doubled(hall: Hall) -> None:
    block = lease(hall)
    taken = given(hall, block, 0, 1)
    first = back(hall, block, [*taken, taken[0]])
    assert back(hall, block, taken) == first
    more = back(hall, block, [*taken, *given(hall, block, 4)])
    assert more["tickets"][:2] == first["tickets"]
    assert more["tickets"][2] == {"number": "A9005", "ticket": None, "state": "void"}
    assert back(hall, block, [])["used"] == 2
    assert len(rows()) == len(recorded(TicketIssued)) == 2
    assert len(recorded(BlockClosed)) == 1


def test_a_wrong_clock_of_the_kiosk_moves_nobody_out_of_the_time_of_the_lease(hall: Hall) -> None:
    block = lease(hall)
    began = hall.at
    hall.later(minutes=20)
    wrong = [
        {"number": "A9001", "lane": "normal", "taken_at": began - timedelta(days=400)},
        {"number": "A9002", "lane": "normal", "taken_at": hall.at + timedelta(hours=3)},
    ]
    back(hall, block, wrong)
    issued = {event.number: event.arrived_at for event in recorded(TicketIssued)}
    assert issued == {"A9001": iso(began), "A9002": iso(hall.at)}


def test_a_block_told_the_day_after_belongs_to_its_day(hall: Hall) -> None:
    block = lease(hall)
    hall.later(minutes=5)
    taken = given(hall, block, 0)
    hall.later(days=1)
    assert back(hall, block, taken)["tickets"][0]["state"] == "issued"
    row = db.session.query(Ticket).one()
    assert row.day.isoformat() == block["day"]
    assert rows() == [("A9001", "expired", "normal")]  # nobody waits on a day that is over


def test_paper_in_somebodys_hand_counts_when_numbers_are_stopped(hall: Hall) -> None:
    block = lease(hall)
    hall.do(stop_issuing, "supervisor01")
    with refused("queue.closed_for_today"):
        lease(hall, other_kiosk())
    hall.do(set_queue_active, SYSTEM, queue="A", active=False)
    with refused("queue.closed"):
        lease(hall, other_kiosk())
    assert back(hall, block, given(hall, block, 0))["used"] == 1


def test_only_its_kiosk_gives_a_block_back(hall: Hall) -> None:
    block = lease(hall)
    for who in (other_kiosk(), hall.staff("guide01")):
        with refused("auth.forbidden"):
            back(hall, block, given(hall, block, 0), who)
    with refused("auth.forbidden"):
        hall.do(lease_block, "guide01", queue="A", size=5)
    with refused("block.unknown"):
        hall.do(reconcile, hall.kiosk, block_id=999_999, taken=[])
    assert rows() == []


def test_a_kiosk_that_was_paired_anew_tells_of_the_block_that_it_still_holds(hall: Hall) -> None:
    block, other = lease(hall), lease(hall, other_kiosk(9))
    for proof in ("", "guess", other["proof"]):
        with refused("auth.forbidden"):
            back(hall, block, given(hall, block, 0), other_kiosk(), proof=proof)
    with refused("auth.forbidden"):
        back(hall, block, given(hall, block, 0), hall.staff("guide01"), proof=block["proof"])
    abroad = Actor("device", 8, "kiosk-8", "lilou", DEVICES["kiosk"])
    with refused("auth.foreign_hall"):
        back(hall, block, given(hall, block, 0), abroad, proof=block["proof"])
    told = back(hall, block, given(hall, block, 0, 1), other_kiosk(), proof=block["proof"])
    assert (told["state"], told["used"]) == ("closed", 2)
    assert rows() == [("A9001", "waiting", "normal"), ("A9002", "waiting", "normal")]
    assert block["proof"] not in str(recorded(BlockLeased))


def test_one_foreign_number_spoils_the_whole_list(hall: Hall) -> None:
    block, foreign = lease(hall), lease(hall, other_kiosk())
    with refused("block.foreign_number"):
        back(hall, block, [*given(hall, block, 0), *given(hall, foreign, 0)])
    with refused("lane.unknown"):
        back(hall, block, given(hall, block, 0, lane="returning"))
    assert rows() == recorded(BlockClosed) == []


@pytest.mark.parametrize("size", [0, 201])
def test_a_block_has_its_bounds(hall: Hall, size: int) -> None:
    with refused("block.size"):
        lease(hall, size=size)


def test_the_run_has_an_end(hall: Hall) -> None:
    for n in range(4):
        lease(hall, other_kiosk(100 + n), size=200)
    assert len(lease(hall, size=200)["numbers"]) == 199
    with refused("block.none_left"):
        lease(hall, other_kiosk(), size=1)


def test_the_board_shows_a_number_of_a_block_like_any_other(hall: Hall) -> None:
    block = lease(hall)
    back(hall, block, given(hall, block, 0, 1))
    hall.open()
    assert hall.call()["ticket"]["number"] == "A9001"
    state = empty("luolong")
    for row in eventlog.read("luolong", 0, 10_000):
        state = fold(state, row)
    board = frame(state)
    assert [call["number"] for call in board["now_serving"]] == ["A9001"]
    assert next(queue["waiting"] for queue in board["queues"] if queue["code"] == "A") == 1


def test_uploads_that_race_make_each_number_once(app: Flask, hall: Hall) -> None:
    block = lease(hall, size=20)
    taken = given(hall, block, *range(12))
    answers: list[Any] = []
    start = threading.Barrier(8)

    def upload() -> None:
        with app.app_context():
            start.wait()
            answers.append(back(hall, block, taken))
            db.session.remove()

    threads = [threading.Thread(target=upload) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert all(answer == answers[0] for answer in answers)
    assert Counter(number for number, _, _ in rows()) == {f"A{9001 + n}": 1 for n in range(12)}
    (closed,) = recorded(BlockClosed)
    assert (closed.used, len(closed.void)) == (12, 8)


def test_kiosks_that_lease_at_once_share_no_number(app: Flask, hall: Hall) -> None:
    leased: list[dict[str, Any]] = []
    start = threading.Barrier(8)

    def ask(n: int) -> None:
        with app.app_context():
            start.wait()
            leased.append(lease(hall, other_kiosk(100 + n), size=7))
            db.session.remove()

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = sorted(each["number"] for block in leased for each in block["numbers"])
    assert numbers == [f"A{9001 + n}" for n in range(56)]


def test_tokens_are_kept_sealed_and_stay_out_of_the_record(hall: Hall) -> None:
    block = lease(hall)
    tokens = [each["token"] for each in block["numbers"]]
    kept = db.session.query(NumberBlock).one().tokens_sealed
    said = str(recorded(BlockLeased))
    assert not any(token in kept or token in said for token in tokens)
