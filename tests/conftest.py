"""What every test may use: a furnished network on a real database, and its people.

The schema is migrated and the demo network loaded once a process and database; each test gets its own copy.
"""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import hypothesis
import pytest
from argon2 import PasswordHasher
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

import app.people.sessions as sessions

sessions.hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)  # real hashes, cheap ones

from app import demo, privacy  # noqa: E402  # the cheap hasher must be in place first
from app.config import Settings  # noqa: E402
from app.db import db  # noqa: E402
from app.events import Actor  # noqa: E402
from app.factory import create_app  # noqa: E402
from app.people.models import Staff  # noqa: E402
from app.people.permissions import DEVICES, permissions_of  # noqa: E402
from migrations.run import upgrade  # noqa: E402
from tests.servers import PostgresServer  # noqa: E402
from workers.bare import bare_app  # noqa: E402

PASSWORD = "demo-password-of-tests"
SECRET = "a secret key of the tests, not of any hall"

hypothesis.settings.register_profile("ci", derandomize=True, deadline=None)
hypothesis.settings.load_profile("ci")


def make_settings(folder: Path, database_url: str, **more: object) -> Settings:
    """Settings of a test: nothing comes from the environment of whoever runs it."""
    env = {"HALL_DATA_DIR": str(folder), "HALL_DATABASE_URL": database_url, "HALL_SECRET_KEY": SECRET}
    settings = Settings.from_env({**env, "HALL_DEMO_PASSWORD": PASSWORD, "HALL_PRINTER": "off"})
    limits = dict.fromkeys(("login_limit", "ticket_limit", "code_limit"), "100000/minute")
    return replace(settings, **limits, **more)  # type: ignore[arg-type]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With `--dist loadgroup` one worker has the browser and its hall; what else is slow goes to whoever is free.

    Those that are given more time than others begin, so that at the end nobody waits for one of them.
    """
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group("browser"))
    items.sort(key=lambda item: item.get_closest_marker("timeout") is None)


def pytest_collection_finish() -> None:
    """What is loaded by now stays to the end: the collector need not walk over it again after every few objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _furnish(settings: Settings) -> None:
    upgrade(settings)
    made = bare_app(settings)  # loading needs no pages and no API
    demo.ensure_demo(made)
    with made.app_context():
        db.session.remove()
        db.engine.dispose()


class Compiled(BytecodeCache):
    """Templates are compiled once a process: there are several applications in it, and each would compile its own."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


Flask.jinja_options = {"bytecode_cache": Compiled()}
MEMORY = Path("/dev/shm")  # a disk that need not be waited for, where there is one


@pytest.fixture(scope="session")
def sqlite_template() -> Iterator[Path]:
    """Commits go to the disk in full here too; only the disk is a quick one if it can be."""
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 256 << 20
    with tempfile.TemporaryDirectory(prefix="halls", dir=MEMORY if roomy else None) as name:
        folder = Path(name)
        _furnish(make_settings(folder, f"sqlite:///{folder / 'hall.db'}"))
        yield folder / "hall.db"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    postgres.create_database("template_hall")
    _furnish(make_settings(tmp_path_factory.mktemp("pg"), postgres.url("template_hall")))
    return "template_hall"


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on: both, unless a folder's conftest says otherwise."""
    return request.param


_made: dict[str, Flask] = {}  # one application a database and process: making one costs more than most tests


@pytest.fixture
def database_url(database: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A freshly furnished database. The address stays the same, so that one application serves all tests."""
    if database in _made:
        with _made[database].app_context():
            _leave(database)
    if database == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        target = template.with_name("test.db")
        for leftover in (target, target.with_name("test.db-wal"), target.with_name("test.db-shm")):
            leftover.unlink(missing_ok=True)
        shutil.copy(template, target)
        return f"sqlite:///{target}"
    server: PostgresServer = request.getfixturevalue("postgres")
    template_name: str = request.getfixturevalue("postgres_template")
    server.refresh_database("test_hall", template_name)
    return server.url("test_hall")


def _leave(database: str) -> None:
    """Nothing is under way any more; and the file of SQLite is closed, for another one comes in its place."""
    db.session.remove()
    if database == "sqlite":
        db.engine.dispose()


@pytest.fixture
def settings(database: str, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    if database in _made:
        return _made[database].extensions["settings"]
    return make_settings(tmp_path_factory.mktemp("data"), database_url)


@pytest.fixture
def app(database: str, settings: Settings) -> Iterator[Flask]:
    """The application with its context pushed; threads push their own."""
    if database not in _made:
        _made[database] = create_app(settings)
        _made[database].testing = True
    privacy.use_keys(SECRET)  # the process's keys: whoever ran before may have set others
    with _made[database].app_context():
        yield _made[database]
        _leave(database)


@pytest.fixture
def staff(app: Flask) -> Callable[[str], Actor]:
    """Actors of the demo network by account name."""

    def find(username: str) -> Actor:
        row = db.session.query(Staff).filter_by(username=username).one()
        actor = Actor("staff", row.id, row.username, row.hall, permissions_of(row.roles), row.department)
        db.session.rollback()
        return actor

    return find


@pytest.fixture
def kiosk() -> Actor:
    return Actor("device", 7, "kiosk-7", "luolong", DEVICES["kiosk"])
