"""Sharing through the API: the server looks the licence up; the caller names only the paper."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from app.casework.licences import store_licences
from app.events import SYSTEM
from app.now import now
from tests.api.asking import Asking

RENEWAL = "511A0005200008-511602000000-000-115113016823646795-1-00"  # 食品经营许可延续: M2 is the permit itself
WANG = {"kind": "person", "name": "王小明", "id_number": "11010519491231002X", "phone": "13800138000"}
CLERK = {"who": "clerk01"}


@pytest.fixture
def path(ask: Asking) -> str:
    """Where to share on a case of which M2 is missing."""
    states = [{"code": "M1"}, {"code": "M2", "state": "missing"}, {"code": "M3"}]
    body = {"item": RENEWAL, "applicant": WANG, "materials": states}
    return f"/cases/{ask.post('/cases', body, 201, **CLERK)['number']}/share"


def store(app: Flask, until: str | None) -> None:
    row = {
        "id_number": WANG["id_number"],
        "title": "食品经营许可证",
        "number": "JY14103110001",
        "issuer": "区市场监督管理局",
    }
    with app.app_context():
        licence: dict[str, Any] = {**row, "issued_on": "2020-01-01", "valid_until": until}
        store_licences(hall="luolong", actor=SYSTEM, at=now(), licences=[licence])


def test_what_is_not_there_or_holds_no_longer_is_refused(ask: Asking, path: str, app: Flask) -> None:
    ask.refused("auth.required", "POST", path, {"code": "M2"})
    ask.refused("auth.forbidden", "POST", path, {"code": "M2"}, who="approver01")
    ask.refused("auth.foreign_hall", "POST", path, {"code": "M2"}, who="clerk21")
    ask.refused("case.material_unknown", "POST", path, {"code": "M9"}, **CLERK)
    ask.refused("case.not_sharable", "POST", path, {"code": "M1"}, **CLERK)
    ask.refused("licence.none", "POST", path, {"code": "M2"}, **CLERK)
    store(app, "2020-12-31")
    told = ask.refused("licence.expired", "POST", path, {"code": "M2"}, **CLERK)
    assert "2020-12-31" in told["title"]


def test_a_licence_is_shared_once_and_shown_masked(ask: Asking, path: str, app: Flask) -> None:
    store(app, "2099-12-31")
    first = ask.post(path, {"code": "M2"}, key="one", **CLERK)
    again = ask.post(path, {"code": "M2"}, key="one", **CLERK)
    assert first == again and "JY14103110001" not in str(first)
    material = next(m for m in first["materials"] if m["code"] == "M2")
    assert (material["state"], material["licences"][0]["number"]) == ("shared", "J***********1")
    kinds = [row["kind"] for row in first["history"]]
    assert kinds.count("case.material_shared") == 1
