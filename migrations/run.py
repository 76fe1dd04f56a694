"""Applies the migrations to the database of the settings, from code and from the command line."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from app.config import Settings


def config(url: str) -> Config:
    """Alembic's configuration; there is no ini file."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return made


def upgrade(settings: Settings, revision: str = "head") -> None:
    """Bring the database to a revision; a new one is made."""
    command.upgrade(config(settings.database_url), revision)


def downgrade(settings: Settings, revision: str) -> None:
    """Take the database back to a revision; `base` empties it."""
    command.downgrade(config(settings.database_url), revision)


def is_current(settings: Settings) -> bool:
    """Whether the database stands at the newest revision."""
    heads = set(ScriptDirectory.from_config(config(settings.database_url)).get_heads())
    engine = create_engine(settings.database_url)
    try:
        with engine.connect() as connection:
            return set(MigrationContext.configure(connection).get_current_heads()) == heads
    finally:
        engine.dispose()
