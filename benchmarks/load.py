"""The load: kiosks that issue, clerks who call and finish, counters that take cases in, each logging what it was told.

Every step carries an Idempotency-Key and, when no answer comes, is asked again with the same key: so it happens once.
Some are asked again although the answer came, as by somebody who presses twice; the second answer must be the first.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from benchmarks.history import Op

API = "/api/v1"


class NoAnswer(Exception):
    """The connection broke before the answer came: nobody knows whether it happened."""


# (method, path, body, headers) → status and JSON
Ask = Callable[[str, str, Any, dict[str, str]], tuple[int, Any]]


@dataclass(frozen=True, slots=True)
class Told:
    """What a request came to: the outcome as Op says it, the JSON, and the code of a refusal."""

    outcome: str
    answer: Any = None
    code: str = ""

    @property
    def ok(self) -> bool:
        return self.outcome in ("ok", "same")


@dataclass(slots=True)
class Log:
    """What all clients of a run saw. `patience_s`: how long a request is repeated; 0 takes the first answer.

    Of `again` of the answered requests each is sent once more with its key. Of `unheard` the first answer is not waited
    for: `leave` sends the request and breaks the connection.
    """

    ask: Ask
    patience_s: float = 0.0
    again: float = 0.0
    unheard: float = 0.0
    leave: Callable[[str, str, Any, dict[str, str]], None] | None = None
    ops: list[Op] = field(default_factory=list)
    repeats: int = 0  # requests sent again because nobody had answered, or with 5xx
    presses: int = 0  # requests sent again although they had been answered
    unwaited: int = 0  # requests whose first answer nobody heard
    served_since: float = 0.0  # when the youngest request was sent that has been answered well

    def tell(self, what: str, path: str, body: Any, token: str, *, number: str = "", place: str = "") -> Any:
        """Make one request until it is answered; its JSON when that was a yes with a body, else None."""
        told = self.step(what, path, body, token, number=number, place=place)
        return told.answer if told.ok else None

    def step(
        self,
        what: str,
        path: str,
        body: Any,
        token: str,
        *,
        number: str = "",
        place: str = "",
        ready_for: Collection[str] = (),
    ) -> Told:
        """Make one request until it is answered. `ready_for`: the codes that may come of somebody else's being first."""
        key, began = uuid.uuid4().hex, time.monotonic()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = ("POST", API + path, body, headers | {"Idempotency-Key": key})
        if self.leave is not None and random.random() < self.unheard:
            self.leave(*request)
            self.unwaited += 1
        repeats = 0
        while True:
            sent = time.monotonic()
            status, answer = self.once(*request)
            again = status == 0 or status >= 500
            if not again or time.monotonic() - began >= self.patience_s:
                break
            self.repeats += 1
            repeats += 1
            time.sleep(random.uniform(0.05, 0.2))  # so that not all come back at once
        ended = time.monotonic()
        outcome = _outcome(status)
        code = str((answer or {}).get("code", "")) if outcome not in ("ok", "empty") else ""
        differs = ""
        if outcome == "ok":
            number = number or _number(answer)
            outcome = "same" if _nothing_new(what, status) else outcome
            self.served_since = max(self.served_since, sent)
            if random.random() < self.again:
                self.presses += 1
                second = self.once(*request)
                if second[0] and second[0] < 500 and second != (status, answer):
                    differs = f"{second[0]} {second[1]}"
        elif outcome == "refused" and code in ready_for:
            outcome = "declined"
        detail = f"{status} {code}" if code or outcome in ("lost", "failed") else ""
        self.ops.append(Op(what, key, began, ended, outcome, number, place, detail, repeats, differs))
        return Told(outcome, answer, code)

    def once(self, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
        """One request, not written down; status 0 when nobody answers."""
        try:
            return self.ask(method, path, body, headers)
        except NoAnswer as error:
            return 0, {"code": repr(error)}

    def printed(self, numbers: Collection[str], began: float) -> None:
        """Papers that a kiosk gave while it was cut off; it began to tell of them then, and knows that the hall knows."""
        ended = time.monotonic()
        self.ops.extend(Op("offline", f"paper-{number}", began, ended, "ok", number) for number in numbers)


def _nothing_new(what: str, status: int) -> bool:
    """Whether a yes only says how things stood already: a person who holds a ticket is given that one again."""
    return what == "issue" and status == 200


def _outcome(status: int) -> str:
    if status == 0:
        return "lost"
    if status == 204:
        return "empty"
    return "ok" if status < 400 else "refused" if status < 500 else "failed"


def _number(answer: Any) -> str:
    if "numbers" in answer or "used" in answer:  # a block
        return str(answer["id"]).rpartition("-")[2]
    if "number" not in answer and "ticket" not in answer:  # a window, or nothing that has a number
        return str(answer.get("code", ""))
    return str(answer["ticket"]["number"] if "ticket" in answer else answer["number"])


def issue(log: Log, token: str, hall: str, queue: str) -> Any:
    """One ticket at a kiosk."""
    return log.tell("issue", f"/halls/{hall}/tickets", {"queue": queue}, token, place=queue)


def serve(log: Log, token: str, window: str) -> bool:
    """Call the next ticket to the window, start, finish. False when nobody waits or somebody said no."""
    called = log.tell("call", f"/windows/{window}/call-next", None, token, place=window)
    if called is None:
        return False
    ticket = called["ticket"]
    for step in ("start", "finish"):
        log.tell(step, f"/tickets/{ticket['id']}/{step}", None, token, number=ticket["number"], place=window)
    return True


def case(log: Log, clerk: str, approvers: dict[str, str], item: dict[str, Any], applicant: dict[str, Any]) -> None:
    """One case from receipt to decision; `approvers` has a token for each department."""
    materials = [{"code": m["code"], "state": "received"} for m in item["materials"]]
    taken = log.tell("receive", "/cases", {"item": item["code"], "applicant": applicant, "materials": materials}, clerk)
    if taken is None:
        return
    number = taken["number"]
    accepted = log.tell("accept", f"/cases/{number}/accept", None, clerk, number=number)
    if accepted is None:
        return
    token = approvers[accepted["departments"][0]["department"]]
    log.tell("decide", f"/cases/{number}/decide", {"outcome": "granted"}, token, number=number)


def rush(log: Log, hall: str, kiosks: list[str], clerks: dict[str, str], *, each: int, queues: str = "ABC") -> None:
    """Every kiosk issues `each` tickets while every clerk (window → token) calls, until all are issued and none waits.

    All begin at once. A clerk stops when nobody waits and no kiosk works any more.
    """
    start = threading.Barrier(len(kiosks) + len(clerks))
    issuing = threading.Semaphore(0)
    done = threading.Event()

    def kiosk(token: str, seed: int) -> None:
        choose = random.Random(seed)
        start.wait()
        try:
            for _ in range(each):
                issue(log, token, hall, choose.choice(queues))
        finally:
            issuing.release()

    def clerk(window: str, token: str) -> None:
        start.wait()
        misses = 0
        while misses < 3:
            if not serve(log, token, f"{hall}-{window}"):
                if done.is_set():
                    misses += 1
                time.sleep(0.002)

    threads = [threading.Thread(target=kiosk, args=(token, n)) for n, token in enumerate(kiosks)]
    threads += [threading.Thread(target=clerk, args=pair) for pair in clerks.items()]
    for thread in threads:
        thread.start()
    for _ in kiosks:
        issuing.acquire()
    done.set()
    for thread in threads:
        thread.join()
