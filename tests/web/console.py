"""Before the console of a window: pressing its buttons, calling somebody, filling in the case form."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from app.casework.models import Case
from app.db import db
from app.events import SYSTEM
from app.now import now
from app.queueing.tickets import issue_ticket
from app.web.forms import new_key
from tests.web.visit import Visitor

HALL = "luolong"
PERSON = {"name": "欧阳小三", "id_number": "511602199001011234", "phone": "13812345678"}


def press(clerk: Visitor, path: str, fields: dict[str, Any] | None = None, **more: Any) -> Any:
    """Press a button of the console as htmx does."""
    given = {"idempotency_key": new_key(), **(fields or {})}
    answer = clerk.post(path, given, headers={"HX-Request": "true"}, **more)
    clerk.get("/clerk")
    return answer


def called(clerk: Visitor, **more: Any) -> int:
    """Open W01, take a ticket of queue A and call it; its id."""
    ticket = issue_ticket(hall=HALL, actor=SYSTEM, at=now(), queue="A", channel="kiosk", **{"person": PERSON, **more})
    press(clerk, "/clerk/windows/W01/open")
    assert press(clerk, "/clerk/call").status_code == 200
    return int(ticket["id"].rpartition("-")[2])


def filled(item: dict[str, Any], ticket: int | str = "", **more: Any) -> dict[str, Any]:
    """The case form with every material received."""
    states = {f"m-{material['code']}": "received" for material in item["materials"]}
    person = {"kind": "person", "name": "张三丰", "id_number": "410305199001010011", "phone": ""}
    return {"item": item["code"], "ticket": str(ticket), "idempotency_key": "one-press", **person, **states, **more}


def cases() -> int:
    db.session.rollback()
    return db.session.execute(select(func.count()).select_from(Case)).scalar_one()
