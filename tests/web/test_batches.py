"""Printing many papers: chosen by case numbers, watched, fetched; nobody sees another hall's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from app import eventlog
from app.casework.intake import accept_case, receive_case
from app.casework.queries import find_case
from app.catalog.queries import item as item_of
from app.catalog.queries import search_items
from app.events import Actor, BatchRequested
from app.notices import batches
from app.now import now
from app.web.forms import new_key, settings
from tests.web.visit import Visitor, enter, said

HALL = "luolong"
PERSON = {"kind": "person", "name": "欧阳小三", "id_number": "511602199001011234", "phone": "13812345678"}


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data folder is that of all tests."""
    monkeypatch.setattr(batches, "folder_of", lambda _settings: tmp_path)


@pytest.fixture
def clerk(app: Flask) -> Visitor:
    visitor = Visitor(app)
    enter(visitor, "clerk01")
    return visitor


@pytest.fixture
def number(staff: Callable[[str], Actor]) -> str:
    """A case with two papers or more: receipt and acceptance."""
    guide = item_of(search_items("食品经营许可延续")["items"][0]["code"])
    given = {"hall": HALL, "actor": staff("clerk01"), "at": now()}
    materials = [{"code": m["code"], "state": "received"} for m in guide["materials"]]
    case = receive_case(**given, item=guide["code"], applicant=PERSON, materials=materials, window="W01")
    accept_case(**given, case_id=find_case(case["number"])[1])
    return str(case["number"])


def asked(visitor: Visitor, cases: str, **fields: str) -> str:
    visitor.get("/notices/batches")
    answer = visitor.post("/notices/batches", {"idempotency_key": new_key(), "cases": cases, **fields})
    assert answer.status_code == 303, said(answer.text)
    return str(answer.location)


def test_papers_are_chosen_watched_and_fetched(clerk: Visitor, number: str) -> None:
    clerk.get(f"/cases/{number}")
    assert clerk.links("/notices/batches") == ["/notices/batches"]
    place = asked(clerk, f" {number}\n{number} ", kind="receipt")
    event = eventlog.read(HALL, 0, 10_000)[-1].event
    assert isinstance(event, BatchRequested) and event.total == 1
    place = asked(clerk, number)
    page = clerk.get(place)
    assert 'hx-trigger="every 1s"' in page.text and '<meta http-equiv="refresh"' in page.text
    assert "等待生成" in said(page.text) and clerk.get(f"{place}/file").status_code == 409
    part = clerk.get(place, headers={"HX-Request": "true"})
    assert "<html" not in part.text and 'id="b-progress"' in part.text

    with clerk.app.app_context():
        file = batches.file_of(settings(), HALL, int(place.rsplit("-", 1)[1]))
    file.parent.mkdir(parents=True)
    file.write_bytes(b"%PDF-1.4 all of them")
    ready = clerk.get(place)
    assert "已经生成" in said(ready.text) and "hx-trigger" not in ready.text and "refresh" not in ready.text
    answer = clerk.get(clerk.links(f"{place}/file")[0])
    assert answer.mimetype == "application/pdf" and answer.data == b"%PDF-1.4 all of them"
    listed = said(clerk.get("/notices/batches").text)
    assert "可以打印" in listed and "未生成" in listed
    assert clerk.post(f"{place}/again", {"idempotency_key": new_key()}).status_code == 303
    assert PERSON["name"] not in ready.text + listed


@pytest.mark.parametrize(
    ("cases", "status", "sentence"),
    [
        ("", 422, "没有可以打印的文书"),
        ("{0} NOPE-1", 404, "NOPE-1：没有"),
        ("{0} " + "x " * 200, 422, "一批最多 200 份文书"),
    ],
)
def test_what_is_refused_comes_back_with_what_was_typed(
    clerk: Visitor, number: str, cases: str, status: int, sentence: str
) -> None:
    typed = cases.format(number).strip()
    clerk.get("/notices/batches")
    answer = clerk.post("/notices/batches", {"idempotency_key": new_key(), "cases": typed})
    assert answer.status_code == status and sentence in said(answer.text) and typed in answer.text


def test_another_hall_sees_no_batch_and_whoever_reads_no_cases_none_at_all(clerk: Visitor, number: str) -> None:
    place = asked(clerk, number)
    for who, status in (("clerk21", 403), ("guide01", 403), ("supervisor01", 200)):
        visitor = Visitor(clerk.app)
        enter(visitor, who)
        assert visitor.get(place).status_code == status
        assert visitor.get(f"{place}/file").status_code == 403  # it is for who asked for it
    enter(stranger := Visitor(clerk.app), "clerk21")
    stranger.get("/notices/batches")
    fields = {"idempotency_key": new_key(), "cases": number}
    assert stranger.post("/notices/batches", fields).status_code == 403
    for wrong in ("luolong-999999", "luolong-0", "nowhere"):
        assert clerk.get(f"/notices/batches/{wrong}").status_code == 404
