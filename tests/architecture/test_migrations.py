"""The migrations lead up and down on both databases, and what they make is what the models say."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, create_engine, insert, inspect, select, text
from sqlalchemy.orm import Session

from app.casework.models import Case, CaseAlarm, CaseMaterial, CaseReview
from app.config import Settings
from app.db import db
from app.queueing.models import Call, WindowSession
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


NINE = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


def rows_of_the_first_release(connection: Connection) -> None:
    """A hall as 0001 left it: a call whose ticket was passed on since, one called back, one that goes on; three windows."""
    tables = MetaData()
    tables.reflect(connection, only=["tickets", "calls", "window_sessions"])

    def put(table: str, **values: Any) -> None:
        connection.execute(insert(tables.tables[table]), {"hall": "luolong", **values})

    for number, (queue, state, window) in enumerate((("B", "waiting", None), ("A", "called", "W01")), 1):
        put(
            "tickets",
            id=number,
            number=f"A00{number}",
            queue=queue,
            day=NINE.date(),
            lane="normal",
            state=state,
            window=window,
            channel="kiosk",
            token_hash=str(number),
            token_sealed="",
            queued_us=1,
            issued_at=NINE,
            recalls=0,
        )
    own = [{"number": f"A00{n}", "queue": "A", "lane": "normal", "waited_s": 0, "standing_s": 0} for n in (1, 2)]
    for call, (ticket, rule, minutes, until, window) in enumerate(
        ((1, "rank", 10, 12, "W02"), (1, "unpark", 30, 31, "W02"), (2, "rank", 40, None, "W01")), 1
    ):
        why = {"rule": rule, "chosen": f"A00{ticket}", "candidates": [] if rule == "unpark" else own}
        times = {"called_at": NINE + timedelta(minutes=minutes), "ended_at": until and NINE + timedelta(minutes=until)}
        put("calls", id=call, ticket_id=ticket, window=window, staff="clerk", why=json.dumps(why), **times)
    for number, state in enumerate(("open", "open", "open", "paused", "closed"), 1):
        seat = {"window": f"W0{number}", "staff_id": number, "staff": f"clerk0{number}", "state": state}
        put("window_sessions", id=number, **seat, opened_at=NINE, changed_at=NINE)


def test_what_the_first_release_left_counts_in_the_second(empty: Empty, connect: Callable[[Settings], Engine]) -> None:
    """Its calls are in the statistics of their days, and its open windows are given numbers."""
    settings = empty("grown")
    upgrade(settings, "0001")
    engine = connect(settings)
    with engine.begin() as connection:
        rows_of_the_first_release(connection)
    engine.dispose()
    upgrade(settings)
    with Session(engine) as session:
        calls = session.execute(
            select(Call.queue, Call.lane, Call.mode, Call.waited_s, Call.tally_normal).order_by(Call.id)
        ).all()
        free = dict(session.execute(select(WindowSession.window, WindowSession.free_at)).all())
    assert calls == [
        ("A", "normal", "rule", 600, 0),
        ("B", "normal", "unpark", None, 0),
        ("A", "normal", "rule", 2400, 0),
    ]
    assert free == {"W01": None, "W02": NINE + timedelta(minutes=31), "W03": NINE, "W04": None, "W05": None}


def put_case(connection: Connection, number: int, materials: dict[str, dict[str, Any]], **values: Any) -> None:
    """A case as 0002 left it, with its materials by their codes; whatever else it must hold is as good as nothing."""
    tables = MetaData()
    tables.reflect(connection, only=["cases", "case_materials"])
    nothing = {str: "", int: 0, bool: False, datetime: NINE}
    needed = {
        column.name: nothing[column.type.python_type]
        for column in tables.tables["cases"].columns
        if not column.nullable and column.server_default is None
    }
    own = {"hall": "luolong", "id": number, "number": f"LL{number}", "query_token_hash": str(number)}
    kinds = {"applicant_kind": "person", "light": "green", "tab": "todo"}
    connection.execute(insert(tables.tables["cases"]), {**needed, **own, **kinds, **values})
    for code, material in materials.items():
        row = {"hall": "luolong", "case_id": number, "code": code, "state": "missing", "requested": False, **material}
        connection.execute(insert(tables.tables["case_materials"]), row)


def test_of_a_gap_that_was_open_its_papers_may_still_follow(
    empty: Empty, connect: Callable[[Settings], Engine]
) -> None:
    """Not what nobody needs, nor what a department has asked for; and nothing once the case is refused."""
    settings = empty("gaps")
    upgrade(settings, "0002")
    engine = connect(settings)
    kinds = {"main": "main", "promised": "secondary", "spare": "secondary", "asked": "secondary"}
    guide = {"materials": [{"code": code, "kind": kind, "required": code != "spare"} for code, kind in kinds.items()]}
    guide["rules"] = {"delivery_limit": None}
    open_gap = {"promised": {}, "spare": {}, "asked": {"requested": True}, "main": {"state": "received"}}
    filled = {**open_gap, "promised": {"state": "shared"}}
    over_gap = {"tolerant": True, "gap_due_at": NINE, "guide_digest": "a"}
    with engine.begin() as connection:
        kept = {"digest": "a", "guide": json.dumps(guide)}
        connection.execute(text("INSERT INTO kept_guides (digest, guide) VALUES (:digest, :guide)"), kept)
        put_case(connection, 1, open_gap, state="review", **over_gap)
        put_case(connection, 2, open_gap, state="delivered", outcome="granted", **over_gap)
        put_case(connection, 3, open_gap, state="refused", outcome="refused", **over_gap)
        put_case(connection, 4, filled, state="review_correction", **over_gap)
    engine.dispose()
    upgrade(settings)
    with Session(engine) as session:
        follow = session.execute(
            select(CaseMaterial.case_id, CaseMaterial.code).where(CaseMaterial.tolerated).order_by(CaseMaterial.case_id)
        ).all()
        days = session.execute(select(Case.id).where(Case.gap_due_at.is_not(None)).order_by(Case.id)).scalars().all()
    assert follow == [(1, "promised"), (2, "promised")]
    assert days == [1, 2]


def test_results_on_their_way_are_watched_from_now_on(empty: Empty, connect: Callable[[Settings], Engine]) -> None:
    """Whatever was decided and is not in the applicant's hands waits for the end of the time to deliver."""
    settings, sent = empty("sent"), NINE + timedelta(days=1)
    upgrade(settings, "0002")
    engine = connect(settings)
    guide = json.dumps({"rules": {"delivery_limit": {"amount": 10, "unit": "WD"}}})
    decided = {"guide_digest": "g", "decided_at": NINE, "outcome": "granted"}
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO kept_guides (digest, guide) VALUES ('g', :guide)"), {"guide": guide})
        put_case(connection, 1, {}, **decided, state="granted")
        put_case(connection, 2, {}, **decided, state="delivered", delivered_at=sent)
        put_case(connection, 3, {}, **decided, state="delivered", dispatched_at=sent, delivered_at=sent)
        put_case(connection, 4, {}, **decided, state="delivered", dispatched_at=NINE, delivered_at=NINE, signed_at=sent)
        put_case(connection, 5, {}, **decided, state="void", delivered_at=sent)
    engine.dispose()
    upgrade(settings)
    with Session(engine) as session:
        alarms = session.execute(select(CaseAlarm).order_by(CaseAlarm.case_id)).scalars().all()
        cases = {row.id: (row.delivered_at, row.revoked_at) for row in session.execute(select(Case)).scalars()}
    assert [(row.case_id, row.kind, row.due_at, row.from_at) for row in alarms] == [
        (1, "delivery", None, NINE),
        (3, "delivery", None, NINE),
    ]
    assert {row.schedule_version for row in alarms} == {""} and alarms[0].within == {"amount": 10, "unit": "WD"}
    assert cases == {1: (None, None), 2: (sent, None), 3: (None, None), 4: (sent, None), 5: (sent, NINE)}
    engine.dispose()
    downgrade(settings, "0002")
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM case_alarms")).scalar_one() == 0


def test_a_case_stands_where_its_first_limit_ends(empty: Empty, connect: Callable[[Settings], Engine]) -> None:
    """Its part too; and where its promise ends once more when 0003 is taken back."""
    settings, law = empty("due"), NINE + timedelta(days=1)
    upgrade(settings, "0002")
    engine = connect(settings)
    part = {"hall": "luolong", "department": "局", "position": 1, "state": "open", "tab": "todo", "light": "green"}
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO kept_guides (digest, guide) VALUES ('g', '{}')"))
        tables = MetaData()
        tables.reflect(connection, only=["case_reviews"])
        for number, promised in enumerate((NINE, NINE + timedelta(days=2)), 1):
            due = {"promised_due_at": promised, "statutory_due_at": law, "order_at": promised}
            put_case(connection, number, {}, state="review", guide_digest="g", **due)
            row = {**part, "case_id": number, "order_at": promised, "signatures": 0}
            connection.execute(insert(tables.tables["case_reviews"]), row)
    engine.dispose()

    def order() -> list[tuple[datetime, datetime]]:
        part_of = (CaseReview.hall == Case.hall) & (CaseReview.case_id == Case.id)
        with Session(engine) as session:
            found = session.execute(select(Case.order_at, CaseReview.order_at).join(CaseReview, part_of))
            return sorted((case, part) for case, part in found)

    upgrade(settings)
    assert order() == [(NINE, NINE), (law, law)]
    engine.dispose()
    downgrade(settings, "0002")
    assert order() == [(NINE, NINE), (NINE + timedelta(days=2),) * 2]


def test_a_missing_index_would_be_seen(empty: Empty, connect: Callable[[Settings], Engine]) -> None:
    settings = empty("short")
    upgrade(settings)
    engine = connect(settings)
    with engine.begin() as connection:
        connection.execute(text("DROP INDEX ix_tickets_pool"))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), db.metadata) != []
