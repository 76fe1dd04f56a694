"""A hall that takes in one-thing cases: what their tests begin with."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from app.casework import joint_queries, joint_receipt, queries, review, sweeps
from app.catalog.queries import theme as theme_of
from app.db import HallHead, db
from app.errors import Refusal
from app.events import SYSTEM
from app.now import SHANGHAI
from tests.actions.conftest import ID, Hall

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=SHANGHAI)
ANSWERS = {"text": "洛龙试用", "address": "洛龙区开元大道 1 号", "number": "100", "id": ID, "phone": "13812341234"}


def refused(code: str):
    return pytest.raises(Refusal, match=f"^{code}$")


def at_nine(hall: Hall) -> Hall:
    """The hall on Monday 2 March 2026, nine o'clock; the demo network was founded before."""
    db.session.query(HallHead).update({"last_at": datetime(2026, 1, 1, tzinfo=SHANGHAI)})
    db.session.commit()
    hall.at = MONDAY
    return hall


def filled(theme: dict[str, Any]) -> dict[str, str]:
    """Some answer to every question of a theme's form."""
    return {
        field["key"]: field["choices"][0]["code"] if field["type"] == "choice" else ANSWERS[field["type"]]
        for field in theme["form"]
    }


COMPANY = "洛阳试用商贸有限公司"


def receive(hall: Hall, code: str = "start-company", **more: Any) -> tuple[dict[str, Any], int]:
    theme = theme_of(code, on=hall.at.date())
    missing = more.pop("missing", ())
    materials = [
        {"code": m["code"], "state": "missing" if m["code"] in missing else "received"} for m in theme["materials"]
    ]
    applicant = {"kind": "organisation", "name": COMPANY, "id_number": ID, "phone": "13812341234"}
    given = {"theme": code, "applicant": applicant, "form": filled(theme), "materials": materials, "window": "W01"}
    view = hall.do(joint_receipt.receive_joint, "clerk01", **{**given, **more})
    return view, joint_queries.find_joint(view["number"])[1]


def child(view: dict[str, Any], n: int) -> int:
    return queries.find_case(view["children"][n]["number"])[1]


def decide(hall: Hall, view: dict[str, Any], n: int, outcome: str = "granted") -> None:
    """Every department of the n-th part decides alike."""
    case_id = child(view, n)
    words = {"reason": "不符合条件", "basis": "某法第一条"} if outcome == "refused" else {}
    while True:
        now = queries.case_view("luolong", case_id, hall.at)
        open_ = next((part for part in now["departments"] if part["state"] == "open"), None)
        if open_ is None or now["state"] in ("granted", "refused"):
            return
        who = hall.approver({"departments": [open_]})
        hall.do(review.decide_case, who, case_id=case_id, outcome=outcome, **words)


def states(hall: Hall, joint_id: int) -> list[str]:
    return [c["state"] for c in joint_queries.joint_view("luolong", joint_id, hall.at)["children"]]


def served(material: dict[str, Any]) -> set[str]:
    return {use["item"] for use in material["serves"]}


def ring(hall: Hall) -> None:
    """What the timer does about alarms."""
    while sweeps.ring_alarms(hall="luolong", actor=SYSTEM, at=hall.at)["more"]:
        pass
