"""A day at speed: simulated citizens, clerks and approvers who do everything through the real actions.

They sit at windows 3 to 12 of the main hall and in the two small halls; windows 1 and 2 stay free for whoever tries
the demo by hand. All people are invented, their ID numbers too.
"""

from __future__ import annotations

import logging
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.casework.delivery import hand_over, ready_case
from app.casework.inbox import inbox
from app.casework.intake import accept_case, raise_no_request, receive_case
from app.casework.models import CaseReview
from app.casework.queries import find_case
from app.casework.review import answer_no_request, decide_case, take_case
from app.casework.supplement import request_supplement, supply
from app.catalog.queries import item as guide_of
from app.catalog.queries import search_items
from app.config import Settings
from app.db import db
from app.errors import Refusal
from app.events import Actor
from app.now import now
from app.people.models import Device, Staff
from app.people.permissions import DEVICES, permissions_of
from app.queueing.calls import call_next, finish, no_show, recall, restore, start
from app.queueing.forecasts import promise
from app.queueing.queries import queue_for, queues_of_hall, windows_of_hall
from app.queueing.tickets import issue_ticket
from app.queueing.windows import close_window, open_window
from workers.bare import bare_app

log = logging.getLogger("yichuang.simulate")

TURN_S = 0.1
# hall → mean seconds between two people, the most that wait, and who sits where
HALLS: dict[str, tuple[float, int, dict[str, str]]] = {
    "luolong": (0.9, 60, {f"W{n:02d}": f"clerk{n:02d}" for n in range(3, 13)}),
    "lilou": (5.0, 12, {"W01": "clerk21"}),
    "dongcun": (9.0, 6, {"W01": "clerk31"}),
}
PICKUP = "pickup01"
CHIEF = "chief01"
SURNAMES, GIVEN = (
    "王李张刘陈杨赵黄周吴徐孙马朱胡",
    ("伟", "芳", "娜", "秀英", "敏", "静", "丽", "强", "磊", "洋", "艳", "勇"),
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def invented_id(dice: random.Random) -> str:
    """An ID number of nobody: a region that does not exist, with the right check digit (GB 11643)."""
    body = (
        f"999999{dice.randint(1950, 2005)}{dice.randint(1, 12):02d}{dice.randint(1, 28):02d}{dice.randint(0, 999):03d}"
    )
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, _WEIGHTS, strict=True)) % 11]


@dataclass(slots=True)
class Chair:
    """A clerk at a window: what comes next, and when."""

    hall: str
    window: str
    clerk: Actor
    ticket: int | None = None
    state: str = "closed"
    due: float = 0.0


class Day:
    """Everybody who takes part. `turn` lets do whatever is due; nobody waits for anybody but through the hall itself."""

    def __init__(self, dice: random.Random, clock: Callable[[], float] = time.monotonic) -> None:
        self._dice, self._clock = dice, clock
        self._staff = _staff()
        self._kiosks = _kiosks()
        self._chairs = [
            Chair(hall, window, self._staff[username])
            for hall, (_, _, seats) in HALLS.items()
            for window, username in seats.items()
            if username in self._staff
        ]
        self._items = [i["code"] for i in search_items("", per_page=60)["items"]]
        self._zones = {code: guide_of(code)["zone"] for code in self._items}
        self._due: dict[str, float] = {}
        self._codes: dict[str, tuple[str, str]] = {}  # case number → pickup code and name of its applicant
        self._owing: dict[str, list[dict[str, str]]] = {}  # case number → what was asked for
        self._missed: list[tuple[str, int]] = []
        self._asked: list[tuple[str, int]] = []  # cases whose window asked the chief representative
        db.session.remove()

    def turn(self) -> None:
        """Whatever is due now."""
        for hall in HALLS:
            self._now_and_then(f"arrive {hall}", HALLS[hall][0], lambda hall=hall: self._arrive(hall))
        for chair in self._chairs:
            if self._clock() >= chair.due:
                self._try(lambda chair=chair: self._sit(chair))
        self._now_and_then("approve", 0.7, self._approve)
        self._now_and_then("answer", 5.0, self._answer)
        self._now_and_then("bring", 4.0, self._bring_papers)
        self._now_and_then("hand out", 2.0, self._hand_out)
        self._now_and_then("restore", 8.0, self._restore)

    def end(self) -> None:
        """Everybody finishes with whom they serve and goes home."""
        for chair in self._chairs:
            steps = () if chair.ticket is None else (finish,) if chair.state == "serving" else (start, finish)
            for step in steps:
                self._try(lambda chair=chair, step=step: self._do(step, chair, ticket_id=chair.ticket))
            if chair.state != "closed":
                self._try(lambda chair=chair: self._do(close_window, chair, window=chair.window))

    def _now_and_then(self, name: str, mean_s: float, work: Callable[[], None]) -> None:
        at = self._clock()
        if at >= self._due.setdefault(name, at + self._dice.expovariate(1 / mean_s)):
            self._due[name] = at + self._dice.expovariate(1 / mean_s)
            self._try(work)

    def _try(self, work: Callable[[], Any]) -> None:
        """A refusal is part of the day: somebody was faster, a paper was missing."""
        try:
            work()
        except Refusal as refusal:
            log.debug("%s %s", refusal.code, refusal.facts)
        finally:
            db.session.remove()

    def _do(self, action: Callable[..., Any], chair: Chair, **arguments: Any) -> Any:
        db.session.remove()
        return action(hall=chair.hall, actor=chair.clerk, at=now(), **arguments)

    # ── citizens and clerks ─────────────────────────────────────────────────────────────────────────────────────

    def _person(self) -> dict[str, str]:
        name = self._dice.choice(SURNAMES) + self._dice.choice(GIVEN)
        phone = f"199{self._dice.randint(0, 99_999_999):08d}"
        return {"name": name, "id_number": invented_id(self._dice), "phone": phone}

    def _arrive(self, hall: str) -> None:
        waiting = sum(queue["waiting"] for queue in queues_of_hall(hall, now(), waits_too=False))
        db.session.remove()
        if waiting >= HALLS[hall][1] or hall not in self._kiosks:
            return
        item = self._dice.choice(self._items)
        queue = queue_for(hall, self._zones[item])
        person = self._person() if self._dice.random() < 0.7 else None
        lane = "priority" if self._dice.random() < 0.08 else "normal"
        forecast = promise(hall, queue, lane, now())
        channel = {
            "queue": queue,
            "channel": "kiosk",
            "item": item,
            "person": person,
            "lane": lane,
            "forecast": forecast,
        }
        db.session.remove()
        issue_ticket(hall=hall, actor=self._kiosks[hall], at=now(), **channel)

    def _sit(self, chair: Chair) -> None:
        """One step of a clerk."""
        pause = self._dice.uniform
        match chair.state:
            case "closed":
                chair.due = self._clock() + pause(1, 4)
                self._do(open_window, chair, window=chair.window)
                chair.state = "idle"
                self._resume(chair)
            case "idle":
                chair.due = self._clock() + pause(0.5, 2)
                called = self._do(call_next, chair, window=chair.window)
                if called is not None:
                    chair.ticket, chair.state = int(called["ticket"]["id"].rsplit("-", 1)[1]), "called"
                    chair.due = self._clock() + pause(2, 5)
            case "called" if self._dice.random() < 0.1:  # nobody comes
                chair.state, chair.due = "absent", self._clock() + 10.5
            case "absent":
                self._do(recall, chair, ticket_id=chair.ticket)
                chair.state, chair.due = "recalled", self._clock() + pause(3, 6)
            case "recalled" if self._dice.random() < 0.6:
                ticket, chair.ticket, chair.state = chair.ticket, None, "idle"
                self._do(no_show, chair, ticket_id=ticket)
                self._missed.append((chair.hall, ticket or 0))
            case "called" | "recalled":
                self._do(start, chair, ticket_id=chair.ticket)
                chair.state, chair.due = "serving", self._clock() + pause(3, 9)
            case _:
                ticket, chair.ticket, chair.state = chair.ticket, None, "idle"
                chair.due = self._clock() + pause(1, 3)
                if self._dice.random() < 0.6:
                    self._try(lambda: self._receive(chair, ticket))
                self._do(finish, chair, ticket_id=ticket)

    def _resume(self, chair: Chair) -> None:
        """Go on with who stands at the window already."""
        for window in windows_of_hall(chair.hall):
            if window["code"] == chair.window and window["ticket"]:
                chair.ticket, chair.state = int(window["ticket"]["id"].rsplit("-", 1)[1]), window["ticket"]["state"]

    def _receive(self, chair: Chair, ticket: int | None) -> None:
        item = self._dice.choice(self._items)
        papers = [{"code": m["code"], "state": "received"} for m in guide_of(item)["materials"]]
        lacking = papers and self._dice.random() < 0.2
        if lacking:
            papers[-1]["state"] = "missing"
        person = self._person()
        given = {"item": item, "applicant": {"kind": "person", **person}, "materials": papers}
        case = self._do(receive_case, chair, **given, ticket_id=ticket, window=chair.window)
        number, case_id = case["number"], _row(case["number"])
        self._codes[number] = case["pickup_code"], person["name"]
        if self._dice.random() < 0.03:
            self._do(raise_no_request, chair, case_id=case_id, kind="grey_area", reason="事项边界不清，请示首席代表")
            self._asked.append((chair.hall, case_id))
            return
        try:
            self._do(accept_case, chair, case_id=case_id)
        except Refusal:
            if not lacking:
                raise
            wanted = [{"code": papers[-1]["code"], "problem": "缺少原件，请补齐"}]
            self._do(request_supplement, chair, case_id=case_id, items=wanted)
            self._owing[number] = wanted

    def _bring_papers(self) -> None:
        if self._owing:
            number = self._dice.choice(list(self._owing))
            items = [{"code": paper["code"]} for paper in self._owing.pop(number)]
            hall, case_id = find_case(number)
            chair = next(c for c in self._chairs if c.hall == hall)
            self._do(supply, chair, case_id=case_id, items=items)

    def _restore(self) -> None:
        if self._missed:
            hall, ticket = self._missed.pop(0)
            if self._dice.random() < 0.5:
                chair = next(c for c in self._chairs if c.hall == hall)
                self._do(restore, chair, ticket_id=ticket)

    # ── behind the windows ──────────────────────────────────────────────────────────────────────────────────────

    def _approve(self) -> None:
        """One step of one department: it takes a case, or decides one that it has taken."""
        columns = (CaseReview.hall, CaseReview.case_id, CaseReview.department, CaseReview.taken_by)
        open_ = db.session.execute(select(*columns).where(CaseReview.state == "open").limit(40)).all()
        db.session.remove()
        if not open_:
            return
        review = self._dice.choice(open_)
        approver = next(a for a in self._staff.values() if a.department == review.department)
        given: dict[str, Any] = {"hall": review.hall, "actor": approver, "at": now(), "case_id": review.case_id}
        if review.taken_by is None:
            take_case(**given)
        elif self._dice.random() < 0.92:
            decide_case(**given, outcome="granted")
        else:
            why = {"reason": "提交的材料与登记信息不一致", "basis": "《中华人民共和国行政许可法》第三十八条"}
            decide_case(**given, outcome="refused", **why)

    def _answer(self) -> None:
        """The chief representative answers what a window asked."""
        if self._asked:
            hall, case_id = self._asked.pop(0)
            chief = self._staff[CHIEF]
            answer_no_request(hall=hall, actor=chief, at=now(), case_id=case_id, answer="accept")

    def _hand_out(self) -> None:
        """The pickup window: what was granted goes to a shelf, and from there to whoever knows the code."""
        clerk = self._staff[PICKUP]
        if granted := self._cases(clerk, "granted"):
            shelf = f"{self._dice.choice('ABC')}-{self._dice.randint(1, 24):02d}"
            number = self._dice.choice(granted)
            ready_case(hall=clerk.hall, actor=clerk, at=now(), case_id=_row(number), shelf=shelf)
        known = [number for number in self._cases(clerk, "ready") if number in self._codes]
        if known and self._dice.random() < 0.7:
            number = self._dice.choice(known)
            code, name = self._codes.pop(number)
            given = {"case_id": _row(number), "receiver": name, "pickup_code": code}
            hand_over(hall=clerk.hall, actor=clerk, at=now(), **given)

    def _cases(self, clerk: Actor, state: str) -> list[str]:
        numbers = [case["number"] for case in inbox(at=now(), hall=clerk.hall, state=state)["items"]]
        db.session.remove()
        return numbers


def _row(number: str) -> int:
    case_id = find_case(number)[1]
    db.session.remove()
    return case_id


def _staff() -> dict[str, Actor]:
    rows = db.session.execute(select(Staff).where(Staff.active)).scalars()
    return {s.username: Actor("staff", s.id, s.username, s.hall, permissions_of(s.roles), s.department) for s in rows}


def _kiosks() -> dict[str, Actor]:
    rows = db.session.execute(select(Device.id, Device.hall).where(Device.kind == "kiosk", Device.revoked_at.is_(None)))
    return {hall: Actor("device", id_, f"kiosk-{id_}", hall, DEVICES["kiosk"]) for id_, hall in rows}


def main(settings: Settings) -> int:
    """Run until told to stop. Refuses to touch a network that is not the demo's."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with bare_app(settings).app_context():
        if not settings.demo or not {"clerk03", CHIEF, PICKUP} <= _staff().keys():
            log.error("this is not the demo network; nobody is simulated here")
            stop.wait()
            return 0
        day = Day(random.Random())
        while not stop.wait(TURN_S):
            day.turn()
        day.end()
    return 0
