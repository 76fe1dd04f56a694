"""What an action is: one function, one transaction under one hall's lock, its events, its idempotency key."""

from __future__ import annotations

import functools
import json
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Executable, Result, delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from app import eventlog, privacy
from app.db import NETWORK, Head, db, transaction
from app.errors import Refusal
from app.events import Actor, Event
from app.now import local_day

P = ParamSpec("P")
R = TypeVar("R")


class Answer(db.Model):
    """The first answer to a keyed request, kept in the transaction that gave it and repeated ever after."""

    __tablename__ = "answers"

    scope: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body_hash: Mapped[str]
    answer: Mapped[str]
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class RequestKey:
    """An `Idempotency-Key`: whose it is, the key itself, and the hash of the request it came with."""

    scope: str
    key: str
    body_hash: str

    def __post_init__(self) -> None:
        printable = set(string.digits + string.ascii_letters + string.punctuation)
        if not 1 <= len(self.key) <= 255 or not set(self.key) <= printable:
            raise Refusal("idempotency.key")


request_key: ContextVar[RequestKey | None] = ContextVar("request_key", default=None)


@dataclass(slots=True)
class Transaction:
    """What an action works with. `at` is never before the hall's last event, so order of time is order of commit."""

    session: Session
    head: Head
    actor: Actor
    at: datetime
    recorded: list[tuple[Event, str, datetime]] = field(default_factory=list)
    later: dict[Any, Callable[[], None]] = field(default_factory=dict)
    keeps_answer: bool = True  # False where a repeated request is done anew
    memo: dict[str, Any] = field(default_factory=dict)  # what was read once and cannot change under the hall's lock

    @property
    def hall(self) -> str:
        return self.head.hall

    @property
    def day(self) -> date:
        """The local business day of `at`."""
        return local_day(self.at)

    def execute(self, statement: Executable, parameters: Any = None) -> Result[Any]:
        return self.session.execute(statement, parameters)

    def new_id(self) -> int:
        """The hall's next number for a row of its own: rising in commit order, without gaps."""
        self.head.last_id += 1
        return self.head.last_id

    def record(self, event: Event) -> None:
        """Say that something happened; written with the rest when the action returns."""
        self.recorded.append((event, self.actor.ref, self.at))

    def look(self, event: Event) -> None:
        """Say that somebody looked at what is masked. The answer is not kept: a repeated request is another look."""
        self.keeps_answer = False
        self.record(event)

    def do_later(self, key: Any, do: Callable[[], None]) -> None:
        """What follows from the action, once a `key`, when it has done its own work; in the same transaction."""
        self.later[key] = do

    @contextmanager
    def alone(self) -> Iterator[None]:
        """A part of the action that stands by itself: when it fails, what it did is undone, and nothing before it."""
        self.settle()
        self.write_record()
        head = replace(self.head)
        try:
            with self.session.begin_nested():
                yield
                self.settle()
                self.session.flush()
                self.write_record()
        except Exception:
            for name in Head.__slots__:
                setattr(self.head, name, getattr(head, name))
            self.recorded.clear()
            self.later.clear()
            self.memo.clear()
            raise

    def settle(self) -> None:
        """Do what follows, and what follows from that."""
        while self.later:
            self.later.pop(next(iter(self.later)))()

    def write_record(self) -> None:
        """Write what was recorded so far, so that the action itself can read its history; the rest comes at the end."""
        if self.recorded:
            self.head.last_at = self.at
            eventlog.append(self.session, self.head, self.recorded)
            self.recorded.clear()


def action(function: Callable[Concatenate[Transaction, P], R]) -> Callable[..., R]:
    """Make a function an action of one hall: call it with `hall=…, actor=…, at=…` and its own keywords.

    The function is given the open transaction and returns a plain JSON value. Staff and devices of one hall are
    refused in another (`auth.foreign_hall`). A repeated request key returns the first answer and does nothing.
    """
    return _as_action(function, network=False)


def visiting_action(function: Callable[Concatenate[Transaction, P], R]) -> Callable[..., R]:
    """The same, open to staff of another hall: the action itself must check what of this hall is theirs to touch.

    For papers on their way between halls (C12): a manifest that is addressed to the actor's hall, a case that arrived
    there. Cases ask it through `casework.cases.permitted`.
    """
    return _as_action(function, network=False, visiting=True)


def network_action(function: Callable[Concatenate[Transaction, P], R]) -> Callable[..., R]:
    """The same for what concerns no single hall; it takes the network's own lock."""
    return _as_action(function, network=True)


def _as_action(function: Callable[..., R], *, network: bool, visiting: bool = False) -> Callable[..., R]:
    name = f"{function.__module__}.{function.__qualname__}"

    @functools.wraps(function)
    def run(*, actor: Actor, at: datetime, hall: str = NETWORK, **arguments: Any) -> R:
        if network:
            hall = NETWORK
        elif not visiting and actor.hall is not None and actor.hall != hall:
            raise Refusal("auth.foreign_hall")
        key = request_key.get()
        with transaction(hall) as (session, head):
            if key is not None:
                first = _first_answer(session, key)
                if first:
                    request_key.set(None)
                    return first[0]
            moment = max(at, head.last_at) if head.last_at else at
            tx = Transaction(session, head, actor, moment)
            answer = function(tx, **arguments)
            tx.settle()
            session.flush()
            tx.write_record()
            if key is not None and tx.keeps_answer:
                _keep(session, key, answer, moment)
        if key is not None:
            request_key.set(None)  # one key, one action
        return answer

    run.action = name  # type: ignore[attr-defined]  # for docs/concurrency.md and its test
    return run


def _context(key: RequestKey) -> str:
    return f"answers.answer|{key.scope}|{key.key}"


def _first_answer(session: Session, key: RequestKey) -> tuple[Any] | None:
    """The stored answer, wrapped because None is an answer too; None when this is the first request."""
    query = select(Answer.body_hash, Answer.answer).where(Answer.scope == key.scope, Answer.key == key.key)
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    if row.body_hash != key.body_hash:
        raise Refusal("idempotency.mismatch")
    return (json.loads(privacy.open_sealed(row.answer, _context(key))),)


def _keep(session: Session, key: RequestKey, answer: Any, at: datetime) -> None:
    sealed = privacy.seal(json.dumps(answer), _context(key))  # answers hold tokens and codes
    row = {"scope": key.scope, "key": key.key, "body_hash": key.body_hash, "answer": sealed, "at": at}
    try:
        session.execute(insert(Answer.__table__), row)
    except IntegrityError as error:  # the same key at the same moment in another hall: only a repeat can tell who won
        raise Refusal("hall.busy") from error


@network_action
def purge_answers(tx: Transaction, *, hours: int) -> dict[str, Any]:
    """Forget the answers to keyed requests that are older than `hours`. Locks the network, which no clerk waits for."""
    gone = tx.execute(delete(Answer).where(Answer.at < tx.at - timedelta(hours=hours)))
    return {"forgotten": gone.rowcount}
