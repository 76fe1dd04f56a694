"""What Alembic runs: the models of every room against one database, in one transaction."""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import create_engine, pool

import app.action
import app.casework.joint_models
import app.casework.licence_models
import app.casework.models
import app.catalog.models
import app.eventlog
import app.hall.models
import app.notices.models
import app.people.models
import app.queueing.appointment_models
import app.queueing.models  # noqa: F401  # imported for their tables
from app.db import JSONText, UTCDateTime, db


def render(kind: str, item: Any, _context: Any) -> str | bool:
    """Own types are written as what they are in the database, so that old migrations need no code of today."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSONText):
        return "sa.Text()"
    return False


def run() -> None:
    engine = create_engine(context.config.get_main_option("sqlalchemy.url"), poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_item=render,
            render_as_batch=engine.dialect.name == "sqlite",
            compare_type=False,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
