"""Many papers as one file, through the API: asked for once, watched, fetched by whoever may read the case."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.casework.intake import receive_case
from app.catalog.queries import item as item_of
from app.catalog.queries import search_items
from app.events import Actor
from app.notices import batches
from app.now import now
from tests.api.asking import Asking

CLERK = {"who": "clerk01"}
PERSON = {"kind": "person", "name": "王小明", "id_number": "410305199001010011", "phone": "13812345678"}


@pytest.fixture
def numbers(staff: Callable[[str], Actor]) -> list[str]:
    """Two received cases, a receipt each."""
    guide = item_of(search_items("食品经营许可延续")["items"][0]["code"])
    given = {"hall": "luolong", "actor": staff("clerk01"), "item": guide["code"], "applicant": PERSON}
    materials = [{"code": m["code"], "state": "received"} for m in guide["materials"]]
    return [str(receive_case(**given, at=now(), materials=materials, window="W01")["number"]) for _ in range(2)]


def test_a_batch_is_asked_for_watched_and_fetched(
    ask: Asking, numbers: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "folder_of", lambda _settings: tmp_path)  # the data folder is that of all tests
    papers = [ask.get(f"/cases/{number}/notices", **CLERK)[0]["id"] for number in numbers]
    wanted = {"cases": numbers, "notices": papers, "kind": "receipt"}
    made = ask.post("/notices/batches", wanted, 201, key="one", **CLERK)
    assert made["total"] == 2  # each once
    assert ask.post("/notices/batches", wanted, 201, key="one", **CLERK) == made
    at = ask.get(f"/notices/batches/{made['id']}", who="supervisor01")
    assert (at["done"], at["total"], at["ready"], at["requested_by"]) == (0, 2, False, "staff:clerk01")
    ask.refused("batch.not_ready", "GET", f"/notices/batches/{made['id']}/file", **CLERK)
    hall, number = made["id"].rsplit("-", 1)
    file = batches.file_of(ask.app.extensions["settings"], hall, int(number))
    file.parent.mkdir(parents=True)
    file.write_bytes(b"%PDF-1.4")
    assert ask.get(f"/notices/batches/{made['id']}", **CLERK)["ready"]
    answer = ask("GET", f"/notices/batches/{made['id']}/file", **CLERK)
    assert answer.mimetype == "application/pdf" and answer.data == b"%PDF-1.4"
    assert ask.post(f"/notices/batches/{made['id']}/again", {}, **CLERK) == made


def test_what_is_not_there_or_not_theirs_is_refused(ask: Asking, numbers: list[str]) -> None:
    place = "/notices/batches"
    made = ask.post(place, {"cases": numbers}, 201, **CLERK)
    ask.refused("batch.empty", "POST", place, {}, **CLERK)
    ask.refused("batch.empty", "POST", place, {"cases": numbers, "kind": "decision"}, **CLERK)
    ask.refused("notice.unknown", "POST", place, {"notices": ["luolong-999999"]}, **CLERK)
    ask.refused("notice.unknown", "POST", place, {"notices": ["x"]}, **CLERK)
    ask.refused("case.unknown", "POST", place, {"cases": ["x"]}, **CLERK)
    ask.refused("batch.one_hall", "POST", place, {"notices": ["luolong-1", "lilou-1"]}, **CLERK)
    for method, path in (("GET", ""), ("POST", "/again"), ("GET", "/file")):
        ask.refused("batch.unknown", method, f"{place}/luolong-999999{path}", **CLERK)
        ask.refused("auth.foreign_hall", method, f"{place}/{made['id']}{path}", who="clerk21")
        ask.refused("auth.forbidden", method, f"{place}/{made['id']}{path}", who="guide01")
