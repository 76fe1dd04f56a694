"""The database: engine, base, the locked transaction, and all that differs between SQLite and PostgreSQL."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, Dialect, Engine, MetaData, Text, bindparam, event, select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, registry
from sqlalchemy.types import TypeDecorator

from app.config import Settings
from app.errors import Refusal

NETWORK = "network"  # the history of what concerns no single hall: catalogue, calendars, staff


class UTCDateTime(TypeDecorator[datetime]):
    """An instant: aware in, aware UTC out, microseconds kept. Refuses naive values."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime is not an instant")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JSONText(TypeDecorator[Any]):
    """A plain value as canonical JSON text, the same bytes in both databases."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else canonical(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def among(column: str, values: Iterable[str]) -> str:
    """SQL that holds a column to the values of an enum, the same text in both databases."""
    return f"{column} IN ({', '.join(repr(str(value)) for value in sorted(values))})"


def only_where(sql: str) -> dict[str, Any]:
    """The keywords that make an index partial in either database."""
    return {"sqlite_where": text(sql), "postgresql_where": text(sql)}


class Base(DeclarativeBase):
    """Every table; constraint names are fixed so that migrations can speak of them."""

    registry = registry(
        metadata=MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={datetime: UTCDateTime(), dict[str, Any]: JSONText(), list[Any]: JSONText()},
    )


db = SQLAlchemy(model_class=Base, disable_autonaming=True)


class HallHead(db.Model):
    """The end of one hall's history: its lock, its last numbers, and the MAC that the next event continues."""

    __tablename__ = "hall_heads"

    hall: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(default=0)
    mac: Mapped[str] = mapped_column(default="")
    last_id: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime | None]


@dataclass(slots=True)
class Head:
    """A hall's head while its lock is held; written back once, just before the commit."""

    hall: str
    seq: int
    mac: str
    last_id: int
    last_at: datetime | None


# Statements of every action are built once: building one costs more than running it.
_HEAD = select(HallHead.seq, HallHead.mac, HallHead.last_id, HallHead.last_at).where(HallHead.hall == bindparam("key"))
_LOCKED_HEAD = _HEAD.with_for_update()
_MOVE_HEAD = update(HallHead.__table__).where(HallHead.__table__.c.hall == bindparam("key"))

_in_transaction: ContextVar[bool] = ContextVar("in_transaction", default=False)
_sqlite_writer = threading.Lock()


class NestedTransaction(RuntimeError):
    """An action called inside another action: a mistake in the code, never in the input."""


@contextmanager
def transaction(hall: str) -> Iterator[tuple[Session, Head]]:
    """One transaction that holds one hall's lock from its first statement to its commit.

    PostgreSQL locks the hall's head row (`FOR UPDATE`); SQLite takes its one write lock (`BEGIN IMMEDIATE`), queued
    behind a lock of this process, because SQLite's own waiting is not fair. Refuses `hall.unknown`, `hall.busy`.
    """
    if _in_transaction.get():
        raise NestedTransaction(hall)
    session = db.session()
    if session.new or session.dirty or session.deleted:
        raise NestedTransaction("something was written outside an action")
    session.rollback()  # ends the read that looked up who is asking
    token = _in_transaction.set(True)
    sqlite = db.engine.dialect.name == "sqlite"
    held = False
    try:
        if sqlite and LOCKING:
            held = _sqlite_writer.acquire(timeout=db.engine.hall_lock_timeout_s)
            if not held:
                raise Refusal("hall.busy")
        session.connection(execution_options={"hall_write": True})
        row = session.execute(_HEAD if sqlite or not LOCKING else _LOCKED_HEAD, {"key": hall}).one_or_none()
        if row is None:
            raise Refusal("hall.unknown", hall=hall)
        head = Head(hall, *row)
        before = (head.seq, head.last_id, head.last_at)
        yield session, head
        if (head.seq, head.last_id, head.last_at) != before:
            values = {"seq": head.seq, "mac": head.mac, "last_id": head.last_id, "last_at": head.last_at}
            session.execute(_MOVE_HEAD, {"key": hall, **values})
        session.commit()
    except OperationalError as error:
        session.rollback()
        if _is_lock_timeout(error):
            raise Refusal("hall.busy") from error
        raise
    except BaseException:
        session.rollback()
        raise
    finally:
        if held:
            _sqlite_writer.release()
        _in_transaction.reset(token)


LOCKING = True  # the twin of the concurrency tests takes the lock out, to see them fail


def _is_lock_timeout(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) == "55P03" or "database is locked" in str(error.orig)


def init_app(app: Flask, settings: Settings) -> None:
    """Bind the engine to the app and teach it the manners of its dialect."""
    url = settings.database_url
    timeout_s = settings.lock_timeout_ms / 1000
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    if url.startswith("sqlite"):
        options: dict[str, Any] = {"connect_args": {"timeout": 10, "check_same_thread": False}}
    else:
        pg_options = f"-c lock_timeout={settings.lock_timeout_ms} -c idle_in_transaction_session_timeout=60000"
        options = {"pool_size": 12, "max_overflow": 12, "pool_pre_ping": True, "connect_args": {"options": pg_options}}
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    db.init_app(app)
    with app.app_context():
        tune(db.engine, timeout_s)


def tune(engine: Engine, lock_timeout_s: float = 5.0) -> Engine:
    """SQLite: WAL, full sync, foreign keys, and BEGIN where we say so. Nothing to do for PostgreSQL."""
    engine.hall_lock_timeout_s = lock_timeout_s  # type: ignore[attr-defined]  # read by transaction()
    if engine.dialect.name != "sqlite":
        return engine

    @event.listens_for(engine, "connect")
    def _open(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # sqlite3 must not begin on its own
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        write = connection.get_execution_options().get("hall_write") and LOCKING
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine
