"""The migrations lead up and down on both databases, and what they make is what the models say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text

from app.config import Settings
from app.db import db
from migrations.run import config, downgrade, is_current, upgrade
from tests.conftest import make_settings

Empty = Callable[[str], Settings]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Empty:
    """Settings of a new, empty database of a name."""

    def make(name: str) -> Settings:
        if request.param == "sqlite":
            return make_settings(tmp_path, f"sqlite:///{tmp_path / name}.db")
        server = request.getfixturevalue("postgres")
        server.create_database(name)
        return make_settings(tmp_path, server.url(name))

    return make


@pytest.fixture
def connect() -> Iterator[Callable[[Settings], Engine]]:
    engines: list[Engine] = []

    def make(settings: Settings) -> Engine:
        engines.append(create_engine(settings.database_url))
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names()) - {"alembic_version"}


def schema(engine: Engine) -> dict[str, Any]:
    """All that the database itself holds to, in a form that compares."""
    seen = inspect(engine)
    found: dict[str, Any] = {}
    for table in sorted(tables(engine)):
        found[table] = {
            "columns": sorted(
                (c["name"], str(c["type"]), bool(c["nullable"]), str(c["default"])) for c in seen.get_columns(table)
            ),
            "key": seen.get_pk_constraint(table)["constrained_columns"],
            "foreign": sorted(
                (f["constrained_columns"], f["referred_table"], f["referred_columns"])
                for f in seen.get_foreign_keys(table)
            ),
            "unique": sorted((u["name"] or "", u["column_names"]) for u in seen.get_unique_constraints(table)),
            "checks": sorted((c["name"] or "", _plain(c["sqltext"])) for c in seen.get_check_constraints(table)),
            "indexes": _indexes(engine, table),
        }
    return found


def _plain(sql: str) -> str:
    return "".join(sql.split()).lower()


def _indexes(engine: Engine, table: str) -> list[str]:
    """With their conditions, as the database prints them."""
    query = {
        "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :table AND sql IS NOT NULL",
        "postgresql": "SELECT indexdef FROM pg_indexes WHERE tablename = :table",
    }[engine.dialect.name]
    with engine.connect() as connection:
        return sorted(_plain(row[0]) for row in connection.execute(text(query), {"table": table}))


def test_up_and_down_and_up_again(empty: Empty, connect: Callable[[Settings], Engine]) -> None:
    settings = empty("updown")
    assert not is_current(settings)
    revisions = [
        script.revision for script in ScriptDirectory.from_config(config(settings.database_url)).walk_revisions()
    ]
    assert revisions
    for revision in reversed(revisions):
        upgrade(settings, revision)
    engine = connect(settings)
    full = schema(engine)
    assert is_current(settings) and tables(engine) == set(db.metadata.tables)
    for revision in [*revisions[1:], "base"]:
        downgrade(settings, revision)
    engine.dispose()
    assert tables(engine) == set() and not is_current(settings)
    upgrade(settings)
    engine.dispose()
    assert schema(engine) == full


def test_the_migrations_make_what_the_models_say(empty: Empty, connect: Callable[[Settings], Engine]) -> None:
    settings = empty("migrated")
    upgrade(settings)
    migrated = connect(settings)
    with migrated.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, db.metadata) == []
    modelled = connect(empty("modelled"))
    db.metadata.create_all(modelled)
    assert schema(migrated) == schema(modelled)


def test_a_missing_index_would_be_seen(empty: Empty, connect: Callable[[Settings], Engine]) -> None:
    settings = empty("short")
    upgrade(settings)
    engine = connect(settings)
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_tickets_pool"))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), db.metadata) != []
