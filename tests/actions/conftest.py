"""A few words for what the tests of actions do all day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.casework.intake import accept_case, receive_case
from app.casework.models import CaseAlarm
from app.casework.queries import find_case
from app.catalog.models import ServiceItem
from app.catalog.queries import item as guide_of
from app.catalog.queries import search_items
from app.db import HallHead, db
from app.errors import Refusal
from app.events import Actor
from app.notices.queries import notice
from app.now import SHANGHAI
from app.people.models import Staff
from app.queueing import calls, tickets, windows

MORNING = datetime(2027, 1, 4, 9, 0, tzinfo=SHANGHAI)  # after the demo network was founded
ID = "410305199001010011"


class Hall:
    """The hall `luolong` with a clock that the test moves."""

    def __init__(self, staff: Callable[[str], Actor], kiosk: Actor) -> None:
        self.staff, self.kiosk, self.at = staff, kiosk, MORNING

    def later(self, **span: float) -> Hall:
        self.at += timedelta(**span)
        return self

    def do(self, action: Callable[..., Any], who: str | Actor, hall: str = "luolong", **arguments: Any) -> Any:
        actor = self.staff(who) if isinstance(who, str) else who
        return action(hall=hall, actor=actor, at=self.at, **arguments)

    def take(self, queue: str = "A", **more: Any) -> dict[str, Any]:
        return self.do(tickets.issue_ticket, self.kiosk, queue=queue, channel="kiosk", **more)

    def open(self, who: str = "clerk01", window: str = "W01") -> dict[str, Any]:
        return self.do(windows.open_window, who, window=window)

    def call(self, who: str = "clerk01", window: str = "W01") -> Any:
        return self.do(calls.call_next, who, window=window)

    def step(self, action: Callable[..., Any], ticket: dict[str, Any], who: str = "clerk01", **more: Any) -> Any:
        return self.do(action, who, ticket_id=number_of(ticket), **more)

    def receive(self, words: str = "食品经营许可延续", who: str = "clerk01", **more: Any) -> tuple[dict[str, Any], int]:
        code = more.pop("item", None) or search_items(words)["items"][0]["code"]
        states = more.pop("states", {})
        materials = [
            {"code": m["code"], "state": states.get(m["code"], "received")} for m in guide_of(code)["materials"]
        ]
        applicant = {"kind": "person", "name": "张三丰", "id_number": ID, "phone": "13812341234"}
        given = {"item": code, "applicant": applicant, "materials": materials, "window": "W01"}
        case = self.do(receive_case, who, **{**given, **more})
        return case, find_case(case["number"])[1]

    def accepted(self, words: str = "食品经营许可延续", **more: Any) -> tuple[dict[str, Any], int]:
        _, case_id = self.receive(words, **more)
        return self.do(accept_case, more.get("who", "clerk01"), case_id=case_id), case_id

    def approver(self, case: dict[str, Any], position: int = 0) -> str:
        department = case["departments"][position]["department"]
        return db.session.query(Staff.username).filter_by(department=department).scalar()


def refused(code: str) -> Any:
    """Nothing but this refusal may come."""
    return pytest.raises(Refusal, match=f"^{code}$")


def change_guide(code: str, **changes: Any) -> None:
    """Let cases received from now on follow another guide."""
    item = db.session.get(ServiceItem, code)
    item.guide = {**item.guide, **changes}
    db.session.commit()


def alarms_of(case_id: int, hall: str = "luolong") -> dict[str, datetime | None]:
    """kind → when it rings."""
    rows = db.session.query(CaseAlarm).filter_by(hall=hall, case_id=case_id).all()
    found = {row.kind: row.due_at for row in rows}
    db.session.rollback()
    return found


def last_paper(case: dict[str, Any]) -> dict[str, Any]:
    """The facts of the paper that the case was given last."""
    facts = notice(case["hall"], case["notices"][-1]["id"])["facts"]
    db.session.rollback()
    return facts


def number_of(ticket: dict[str, Any]) -> int:
    return int(ticket["id"].rsplit("-", 1)[1])


@pytest.fixture
def hall(staff: Callable[[str], Actor], kiosk: Actor) -> Hall:
    return Hall(staff, kiosk)


@pytest.fixture
def called(hall: Hall) -> dict[str, Any]:
    """The first number of the day, called to W01."""
    hall.open()
    hall.take()
    return hall.call()["ticket"]


@pytest.fixture
def serving(hall: Hall, called: dict[str, Any]) -> dict[str, Any]:
    """The same, a minute later at the window."""
    hall.later(minutes=1).step(calls.start, called)
    return called


@pytest.fixture
def spring(hall: Hall) -> Hall:
    """The hall on Monday 2 March 2026, with an announced calendar; the demo network was founded before."""
    db.session.query(HallHead).update({"last_at": datetime(2026, 1, 1, tzinfo=SHANGHAI)})
    db.session.commit()
    hall.at = datetime(2026, 3, 2, 10, 0, tzinfo=SHANGHAI)
    return hall
