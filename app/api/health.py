"""Health: whether the process answers, whether the hall can work, and how far the screens are behind."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from flask import Blueprint, jsonify
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from app import eventlog
from app.db import NETWORK, db
from app.eventlog import Cursor
from app.people.gate import public

MIGRATIONS = Path(__file__).parents[2] / "migrations"
SCREENS = "screens"  # the relay's consumer that draws the boards
LAGGING = 500  # events behind the record from which the relay is said to lag

health = Blueprint("health", __name__)


@health.get("/healthz")
@public
def read_health() -> Any:
    """The process answers; nothing else is looked at."""
    return jsonify({"status": "ok", "checks": {}})


@health.get("/readyz")
@public
def read_readiness() -> Any:
    """Whether work can be done here. A lagging relay is told, but windows work on without screens."""
    checks = {"database": _database(), "migrations": _migrations(), "relay": _relay()}
    failing = any(check["state"] == "failing" for check in checks.values())
    return jsonify({"status": "failing" if failing else "ok", "checks": checks}), 503 if failing else 200


def _database() -> dict[str, Any]:
    """Takes the write path as an action does, and takes everything back."""
    session = db.session()
    session.rollback()
    try:
        session.connection(execution_options={"hall_write": True})
        session.execute(text("UPDATE hall_heads SET seq = seq WHERE hall = ''"))
    except SQLAlchemyError as error:
        return {"state": "failing", "error": type(error).__name__}
    finally:
        session.rollback()
    return {"state": "ok", "dialect": db.engine.dialect.name}


def _migrations() -> dict[str, Any]:
    """`unmigrated`: tables made without Alembic, as tests do. Another version than the code's fails."""
    head = newest_migration()
    try:
        if not inspect(db.engine).has_table("alembic_version"):
            return {"state": "unmigrated", "head": head}
        here = db.session.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    except SQLAlchemyError as error:
        return {"state": "failing", "error": type(error).__name__}
    return {"state": "ok" if here == head else "failing", "version": here, "head": head}


@lru_cache(maxsize=1)
def newest_migration() -> str | None:
    """The revision that this code expects; None while there is no migration."""
    if not (MIGRATIONS / "versions").is_dir():
        return None
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def relay_lag() -> dict[str, int]:
    """Per hall, how many recorded events the screens have not been told yet."""
    drawn = dict(db.session.execute(select(Cursor.hall, Cursor.seq).where(Cursor.consumer == SCREENS)).all())
    return {hall: seq - drawn.get(hall, 0) for hall, seq in eventlog.heads().items() if hall != NETWORK}


def _relay() -> dict[str, Any]:
    try:
        lag = max(relay_lag().values(), default=0)
    except SQLAlchemyError as error:
        return {"state": "failing", "error": type(error).__name__}
    return {"state": "lagging" if lag > LAGGING else "ok", "lag": lag}
