"""A furnished database, a Redis and processes for the tests of what goes on behind the doors."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app.db import db
from tests.outer.stage import Redis, Stage
from workers.bare import bare_app


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path)
    server.start()
    yield server
    server.close()


@pytest.fixture
def stage(tmp_path: Path, redis_server: Redis, sqlite_template: Path) -> Iterator[Stage]:
    """An installation on SQLite with nobody at work yet; `stage.start("relay")` starts one."""
    shutil.copy(sqlite_template, tmp_path / "hall.db")
    made = Stage(tmp_path, f"sqlite:///{tmp_path / 'hall.db'}", redis_server.url)
    yield made
    made.close()


@pytest.fixture
def house(stage: Stage) -> Iterator[Flask]:
    """The same installation in this process, to act in it."""
    app = bare_app(stage.settings)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
