"""Everybody in a hall at once, who does everything that a hall knows: the whole life of tickets under the whole rule.

Issuers take numbers in every lane, give them back, go away and come back, and print from lent blocks as if cut off.
Clerks call by the rule or by choice, recall, miss, restore, serve several items, set aside, pass on, give up, pause, leave,
and sit down at windows that others left. Somebody changes the rules of calling meanwhile.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from app.db import db
from app.events import SYSTEM
from app.now import now
from app.people.staff import add_staff
from app.queueing import queries
from app.queueing.setup import add_windows
from benchmarks.load import API, Log, Told

GROUNDS = ("elderly", "disabled", "pregnant", "infant", "military")
# what a clerk may hear because somebody else was first: another clerk at the window, a citizen who left, the limits
GONE = ("ticket.illegal_step", "ticket.not_at_window", "window.not_open", "window.not_yours")
TAKEN = ("window.occupied", "window.already_open", "window.staff_elsewhere")
LIMITS = ("ticket.transfer_limit", "ticket.recall_limit", "ticket.recall_too_soon", "staff.not_at_window")
RULES: tuple[dict[str, Any], ...] = (
    {"ratio": [2, 1], "restore_behind": 2},
    {"conditions": [{"minutes": 30, "queue": "C", "waiting_over": 3}, {"minutes": 5, "lane": "priority"}]},
    {"ratio": [1, 2], "head_start_min": {"priority": 0}, "call_by_min": 5},
    {"head_start_min": {"priority": 60}, "restore_behind": 0, "transfer_cap": 2},
    {"dispatch": True, "rest_s": 0},
)
ALWAYS = {"recall_gap_s": 0}


@dataclass(slots=True)
class Given:
    """A ticket that somebody holds."""

    id: str
    token: str


@dataclass(slots=True)
class Crowd:
    """`kiosks`: tokens of devices. `clerks`: token by account; `leads`: who of them may choose. `items`: what is served."""

    log: Log
    hall: str
    kiosks: Sequence[str]
    clerks: Mapping[str, str]
    windows: Sequence[str]
    admin: str
    items: Sequence[str]
    leads: frozenset[str] = frozenset()
    queues: str = "ABC"
    seed: int = 1
    rest_s: float = 0.002  # of everybody, between two steps
    given: list[Given] = field(default_factory=list)
    early: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))  # issuers who have begun
    issued: threading.Event = field(default_factory=threading.Event)  # no more numbers come
    stop: threading.Event = field(default_factory=threading.Event)  # everybody goes home

    # ── the run ────────────────────────────────────────────────────────────────────────────────────────────────

    def play(self, each: int) -> None:
        """Some are there before the windows open; then every issuer does `each` things while every clerk works, until
        nobody waits. Then the hall closes.
        """
        issuers, others = self.people(each)
        coming = [threading.Thread(target=work) for work in issuers]
        working = [threading.Thread(target=work) for work in others]
        for thread in coming:
            thread.start()
        for _ in coming:
            self.early.acquire()
        for thread in working:
            thread.start()
        for thread in coming:
            thread.join()
        self.issued.set()
        for thread in working:
            thread.join()
        self.close()

    def people(self, each: int | None = None) -> tuple[list[Callable[[], None]], list[Callable[[], None]]]:
        """What the issuers do, and what the clerks and whoever changes the rules do. Without `each`, until `stop`."""
        issuers = [
            _Issuer(self, token, random.Random(self.seed * 1000 + n), each) for n, token in enumerate(self.kiosks)
        ]
        clerks = [_Clerk(self, name, n, random.Random(self.seed * 2000 + n)) for n, name in enumerate(self.clerks)]
        return [issuer.work for issuer in issuers], [*(clerk.work for clerk in clerks), self._govern]

    def _govern(self) -> None:
        """Another rule of calling every now and then."""
        choose = random.Random(self.seed)
        while not (self.issued.is_set() or self.stop.is_set()):
            rule = {"policy": choose.choice(RULES) | ALWAYS}
            self.log.once("PUT", f"{API}/halls/{self.hall}/policy", rule, self.bearer(self.admin))
            self.stop.wait(choose.uniform(0.2, 0.6))

    def close(self) -> None:
        """The close of day: no more numbers, and who is still there is told so and expires."""
        path = f"{API}/halls/{self.hall}"
        for what, body in (("issuing", {"open": False}), ("expire", {"reason": "closing"})):
            deadline = time.monotonic() + self.log.patience_s
            while (told := self.log.once("POST", f"{path}/{what}", body, self.bearer(self.admin)))[0] != 200:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{what}: {told}")
                time.sleep(0.1)

    def bearer(self, token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}

    def somebody(self, choose: random.Random) -> Given | None:
        """Any of the last few who took a number."""
        lately = self.given[-40:]
        return choose.choice(lately) if lately else None


@dataclass(slots=True)
class _Issuer:
    crowd: Crowd
    token: str
    choose: random.Random
    each: int | None
    own: list[Given] = field(default_factory=list)  # tickets of this kiosk
    away: list[Given] = field(default_factory=list)  # and those whose holders went away

    def work(self) -> None:
        try:
            self._early()
        finally:
            self.crowd.early.release()
        done = 0
        while not self.crowd.stop.is_set() and (self.each is None or done < self.each):
            chance = self.choose.random()
            if chance < 0.06:
                self._cut_off()
            elif chance < 0.3:
                self._citizen()
            else:
                self._issue()
            done += 1
            time.sleep(self.crowd.rest_s)
        for held in self.away:  # and all come back in the end
            self.crowd.log.step("rejoin", f"/tickets/{held.token}/rejoin", None, "", ready_for=GONE)

    def _early(self) -> None:
        """Before the windows open: some print from a block, some give their number back, some go away for a while."""
        self._issue()
        first = self.choose.choice(("cut off", "cancel", "defer"))
        if first == "cut off":
            self._cut_off()
        elif self.own:
            self._ask(first, self.own[-1])

    def _issue(self) -> None:
        wish: dict[str, Any] = {"queue": self.choose.choice(self.crowd.queues)}
        if self.choose.random() < 0.25:
            wish |= {"lane": "priority", "ground": self.choose.choice(GROUNDS)}
        if self.choose.random() < 0.1:  # a few people come again and again
            wish["person"] = {"name": "张三丰", "phone": f"1390000{self.choose.randrange(10):04d}"}
        path = f"/halls/{self.crowd.hall}/tickets"
        ticket = self.crowd.log.tell("issue", path, wish, self.token, place=wish["queue"])
        if ticket is not None and "person" not in wish:
            given = Given(ticket["id"], ticket["token"])
            self.own.append(given)
            self.crowd.given.append(given)

    def _citizen(self) -> None:
        if self.away and self.choose.random() < 0.7:
            what, held = "rejoin", self.away.pop()
        elif self.own:
            what, held = self.choose.choice(("cancel", "defer", "defer", "rejoin")), self.own[-1]
        else:
            return
        self._ask(what, held)

    def _ask(self, what: str, held: Given) -> None:
        told = self.crowd.log.step(what, f"/tickets/{held.token}/{what}", None, "", ready_for=GONE)
        if told.ok and what == "defer":
            self.away.append(held)

    def _cut_off(self) -> None:
        """Print some of a lent block, then tell of them; as often as not in another order and twice."""
        log, queue = self.crowd.log, self.choose.choice(self.crowd.queues)
        lent = log.step(
            *("lease", f"/halls/{self.crowd.hall}/blocks", {"queue": queue}, self.token),
            ready_for=("block.none_left", "block.held"),
        )
        if not lent.ok:
            return
        block = lent.answer
        printed = [each["number"] for each in block["numbers"][: self.choose.randrange(6)]]
        taken = [
            {"number": number, "lane": self.choose.choice(("normal", "priority")), "taken_at": _now()}
            for number in printed
        ]
        self.choose.shuffle(taken)
        began = time.monotonic()
        told = log.tell("reconcile", f"/blocks/{block['id']}/reconcile", {"taken": taken}, self.token)
        if told is not None:
            log.printed(printed, began)


@dataclass(slots=True)
class _Clerk:
    crowd: Crowd
    name: str
    n: int
    choose: random.Random
    window: str = ""
    aside: list[str] = field(default_factory=list)  # tickets that this clerk has set aside
    missed: list[str] = field(default_factory=list)

    def work(self) -> None:
        empty = 0
        while not self.crowd.stop.is_set() and empty < 3:
            if not self.window and not self._sit_down():
                time.sleep(self.crowd.rest_s)
                continue
            worked = self._turn()
            empty = empty + 1 if self.crowd.issued.is_set() and not worked else 0
            time.sleep(self.crowd.rest_s if worked else 0.01)
        if self.window and self._held() is None:
            self._at("close")

    # ── windows ────────────────────────────────────────────────────────────────────────────────────────────────

    def _at(self, what: str, body: Any = None) -> Told:
        path = f"/windows/{self.crowd.hall}-{self.window}/{what}"
        code = self.window
        return self._told(self.crowd.log.step(what, path, body, self._token, number=code, ready_for=(*GONE, *TAKEN)))

    @property
    def _token(self) -> str:
        return self.crowd.clerks[self.name]

    def _told(self, told: Told) -> Told:
        """Whoever hears that the window is another's looks for a new one."""
        if told.code in ("window.not_yours", "window.not_open", "ticket.not_at_window"):
            self.window = ""
        return told

    def _sit_down(self) -> bool:
        """At one's own window; or at any, if need be one that somebody left open."""
        windows = self.crowd.windows
        own = windows[self.n % len(windows)]
        self.window = own if self.choose.random() < 0.5 else self.choose.choice(windows)
        told = self._at("open", {"take_over": self.choose.random() < 0.3})
        if not told.ok:
            self.window = ""
        return told.ok

    def _held(self) -> dict[str, Any] | None:
        """What is at the window: the hall says so."""
        headers = self.crowd.bearer(self._token)
        status, windows = self.crowd.log.once("GET", f"{API}/windows?hall={self.crowd.hall}", None, headers)
        if status != 200:
            return None
        return next((row["ticket"] for row in windows if row["code"] == self.window), None)

    def _turn(self) -> bool:
        """One thing that a clerk does; False when nobody was there."""
        chance = self.choose.random()
        if chance < 0.03:
            if self._at("pause", {"reason": "复核材料"}).ok:
                self._at("open")
            return True
        if chance < 0.06:
            if self._at("close").ok:
                self.window = ""
            return True
        if self.missed and chance < 0.2:
            self._step("restore", self.missed.pop(0), ready_for=("ticket.live_elsewhere",))
            return True
        return self._call(chance)

    # ── a visit ────────────────────────────────────────────────────────────────────────────────────────────────

    def _step(self, what: str, ticket: str, body: Any = None, *, ready_for: Sequence[str] = LIMITS) -> Told:
        path = f"/tickets/{ticket}/{what}"
        log = self.crowd.log
        # the record knows what a chosen call is; its address does not
        told = log.step(
            "chosen" if what == "call" else what, path, body, self._token, ready_for=(*GONE, *TAKEN, *ready_for)
        )
        return self._told(told)

    def _call(self, chance: float) -> bool:
        if self.aside and (chance < 0.4 or self.crowd.issued.is_set()):
            told = self._step("unpark", self.aside.pop(0), {"window": self.window})
        elif self.name in self.crowd.leads and chance < 0.5 and (held := self.crowd.somebody(self.choose)):
            told = self._step("call", held.id, {"reason": "frail", "window": self.window})
        else:
            path = f"/windows/{self.crowd.hall}-{self.window}/call-next"
            told = self._told(
                self.crowd.log.step("call", path, None, self._token, place=self.window, ready_for=(*GONE, *TAKEN))
            )
        if told.code == "window.occupied":  # taken over with who was there, or dispatched meanwhile
            held_here = self._held()
            if held_here is not None:
                self._visit(held_here["id"], held_here["state"])
            return True
        if told.outcome == "empty":
            return False
        if told.ok:
            ticket = told.answer.get("ticket") or told.answer
            self._visit(ticket["id"], ticket["state"])
        return True

    def _visit(self, ticket: str, state: str) -> None:
        """From the call to the end, one way or another."""
        way = self.choose.random()
        if state == "called":
            if way < 0.1:
                self._step("recall", ticket)
            if way < 0.08:
                if self._step("no-show", ticket).ok:
                    self.missed.append(ticket)
                return
            if way < 0.14 and self._pass_on(ticket):
                return
            if way < 0.2:
                self._step("abandon", ticket, {"reason": "wrong-queue"})
                return
            if not self._step("start", ticket).ok:
                return
        if way < 0.3 and not self._step("next-item", ticket, {"item": self.choose.choice(self.crowd.items)}).ok:
            return
        if way < 0.4:
            if self._step("park", ticket, {"reason": "copy"}).ok:
                self.aside.append(ticket)
            return
        if way < 0.55 and self._pass_on(ticket):
            return
        self._step("finish", ticket)

    def _pass_on(self, ticket: str) -> bool:
        """To a queue, a window or a clerk; False when it must be served here after all."""
        to = self.choose.choice(("queue", "queue", "window", "staff"))
        targets = {"queue": self.crowd.queues, "window": self.crowd.windows, "staff": list(self.crowd.clerks)}[to]
        body = {to: self.choose.choice(targets), "place": self.choose.choice(("first", "sorted", "last"))}
        window = self.window
        told = self._step("transfer", ticket, body, ready_for=(*LIMITS, "ticket.live_elsewhere"))
        if told.code == "window.not_open":  # that other window
            self.window = window
        return told.code not in ("window.not_open", *LIMITS, "ticket.live_elsewhere")


def furnish(hall: str, windows: int, password: str) -> None:
    """As many windows as wished, each with a clerk who may also choose; those of the demo are kept. Needs an application
    context.
    """
    at, known = now(), {row["code"] for row in queries.windows_of_hall(hall)}
    serves = {queue["code"]: 0 for queue in queries.queues_of_hall(hall, at)}
    db.session.rollback()
    for n in range(1, windows + 1):
        code = f"W{n:02d}"
        if code in known:
            continue
        window = {"code": code, "kind": "comprehensive", "name_zh": f"{n} 号窗口", "name_en": f"Window {n}"}
        add_windows(hall=hall, actor=SYSTEM, at=at, windows=[window | {"zone": "A", "queues": serves}])
        account = {"username": f"clerk{n:02d}", "roles": ["clerk", "lead"], "home": hall, "password": password}
        add_staff(actor=SYSTEM, at=at, name="同事", **account)


def _now() -> str:
    return datetime.now(UTC).isoformat()
