"""Numbers lent to a kiosk, through the API: its QR codes, what it tells afterwards, and who may."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.now import iso, now
from tests.api.asking import Asking


@pytest.fixture
def kiosk(ask: Asking) -> str:
    return ask.device("kiosk")


def lent(ask: Asking, kiosk: str, status: int = 201, key: str | None = None) -> Any:
    answer = ask("POST", "/halls/luolong/blocks", {"queue": "A"}, token=kiosk, key=key)
    assert answer.status_code == status, answer.text
    return answer.json


def told(ask: Asking, kiosk: str, block: str, *taken: dict[str, Any], **more: Any) -> Any:
    return ask("POST", f"/blocks/{block}/reconcile", {"taken": list(taken), **more}, token=kiosk)


def test_a_lent_number_brings_its_code_along(ask: Asking, kiosk: str) -> None:
    block = lent(ask, kiosk, key="first")
    assert len(block["numbers"]) == 20
    first = block["numbers"][0]
    assert first["number"] == "A9001"
    assert "/t/" in first["url"]
    assert first["qr"].startswith("M")
    assert first["qr_size"] > 20
    assert lent(ask, kiosk, key="first") == block
    ask.refused("block.held", "POST", "/halls/luolong/blocks", {"queue": "A"}, token=kiosk)


def test_what_was_given_becomes_tickets_and_its_code_leads_to_them(ask: Asking, kiosk: str) -> None:
    block = lent(ask, kiosk)
    numbers = block["numbers"]
    at = iso(now() + timedelta(days=1))
    given = [
        {"number": numbers[0]["number"], "taken_at": at, "lane": "priority", "ground": "infant", "party": 2},
        {"number": numbers[1]["number"], "taken_at": at, "item": "no-such-item"},
    ]
    first, second = told(ask, kiosk, block["id"], *given), told(ask, kiosk, block["id"], *given)
    assert first.status_code == second.status_code == 200
    assert first.json == second.json
    assert [each["state"] for each in first.json["tickets"]] == ["issued", "issued"]
    token = numbers[0]["url"].rpartition("/")[2]
    seen = ask.get(f"/tickets/{token}")
    assert (seen["number"], seen["lane"], seen["ground"], seen["party"]) == ("A9001", "priority", "infant", 2)
    assert ask.get(f"/tickets/{numbers[1]['url'].rpartition('/')[2]}")["item"] is None
    ask.refused("ticket.unknown", "GET", f"/tickets/{numbers[2]['url'].rpartition('/')[2]}")


@pytest.mark.parametrize(
    "wrong",
    [
        {"lane": "returning"},
        {"lane": "appointment"},
        {"ground": "mayor"},
        {"party": 0},
        {"party": 51},
        {"taken_at": "yesterday"},
        {"taken_at": None},
    ],
)
def test_what_a_kiosk_cannot_have_given_is_refused_whole(ask: Asking, kiosk: str, wrong: dict[str, Any]) -> None:
    block = lent(ask, kiosk)
    good = {"number": "A9001", "taken_at": iso(now())}
    answer = told(ask, kiosk, block["id"], good, {**good, "number": "A9002", **wrong})
    assert (answer.status_code, answer.json["code"]) == (422, "request.invalid")
    assert told(ask, kiosk, block["id"], good).json["used"] == 1


def test_a_block_is_its_kiosks_alone(ask: Asking, kiosk: str) -> None:
    block, other = lent(ask, kiosk), ask.device("kiosk")
    for token, code in ((other, "auth.forbidden"), (ask.device("kiosk", "lilou"), "auth.foreign_hall")):
        answer = told(ask, token, block["id"])
        assert (answer.status_code, answer.json["code"]) == (403, code)
    for who in ("guide01", "admin01"):
        ask.refused("auth.forbidden", "POST", "/halls/luolong/blocks", {"queue": "A"}, who=who)
    answer = told(ask, kiosk, "luolong-999999")
    assert (answer.status_code, answer.json["code"]) == (404, "block.unknown")
    ask.refused("queue.unknown", "POST", "/halls/luolong/blocks", {"queue": "Z"}, token=kiosk)


def test_a_kiosk_that_was_paired_anew_tells_with_the_proof_of_the_lease(ask: Asking, kiosk: str) -> None:
    block, anew = lent(ask, kiosk), ask.device("kiosk")
    taken = {"number": "A9001", "taken_at": iso(now())}
    assert told(ask, anew, block["id"], taken, proof="A" * 40).status_code == 403
    answer = told(ask, anew, block["id"], taken, proof=block["proof"])
    assert (answer.status_code, answer.json["used"]) == (200, 1)


def test_a_block_is_kept_until_its_kiosk_is_done_with_it(ask: Asking, kiosk: str) -> None:
    block = lent(ask, kiosk)
    first, second = ({"number": f"A900{n}", "taken_at": iso(now())} for n in (1, 2))
    kept = told(ask, kiosk, block["id"], first, done=False).json
    assert (kept["state"], kept["used"]) == ("leased", 1)
    closed = told(ask, kiosk, block["id"], second).json
    assert (closed["state"], closed["used"]) == ("closed", 2)
    assert lent(ask, kiosk)["numbers"][0]["number"] == "A9021"
