"""A PostgreSQL database that one test has written to is for the next one as if it were new."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from tests.servers import PostgresServer

NAME = "fresh"
SWAP = "DELETE FROM hall_heads WHERE hall = 'lilou'; INSERT INTO hall_heads VALUES ('x', 1, '', 1, NULL)"
HARM = [
    "UPDATE windows SET name_en = 'x' WHERE code = 'W01'",
    "INSERT INTO hall_heads VALUES ('x', 1, '', 1, NULL)",
    "DELETE FROM staff",
    SWAP,  # as many rows as before
    "TRUNCATE halls CASCADE",
    "DROP INDEX ix_tickets_pool",
    "ALTER TABLE windows ADD COLUMN x int",
    "ALTER TABLE hall_heads DROP CONSTRAINT pk_hall_heads",
    "CREATE TABLE x (n int)",
    "DROP TABLE alembic_version",
]


def connected(server: PostgresServer) -> psycopg.Connection[Any]:
    return psycopg.connect(host=str(server.folder), user="hall", dbname=NAME)


def contents(server: PostgresServer) -> dict[str, Any]:
    with connected(server) as connection:
        found: dict[str, Any] = {
            view: sorted(connection.execute(f"SELECT {column} FROM {view} WHERE schemaname = 'public'").fetchall())
            for view, column in (("pg_tables", "tablename"), ("pg_indexes", "indexdef"))
        }
        for (table,) in found["pg_tables"]:
            found[table] = connection.execute(f'SELECT * FROM "{table}"').fetchall()
    return found


@pytest.mark.parametrize("harm", HARM)
def test_whatever_was_done_is_undone(harm: str, postgres: PostgresServer, postgres_template: str) -> None:
    postgres.refresh_database(NAME, postgres_template)
    new = contents(postgres)
    with connected(postgres) as connection:
        for part in harm.split("; "):
            connection.execute(part)
    assert contents(postgres) != new
    postgres.refresh_database(NAME, postgres_template)
    assert contents(postgres) == new


def test_whoever_is_in_the_middle_of_something_is_thrown_out(postgres: PostgresServer, postgres_template: str) -> None:
    postgres.refresh_database(NAME, postgres_template)
    with connected(postgres) as lingering:
        lingering.execute("UPDATE hall_heads SET seq = 77")
        postgres.refresh_database(NAME, postgres_template)
        with pytest.raises(psycopg.OperationalError):
            lingering.commit()
    with connected(postgres) as connection:
        assert connection.execute("SELECT count(*) FROM hall_heads WHERE seq = 77").fetchone() == (0,)


def test_who_holds_nothing_may_stay_and_who_holds_a_lock_may_not(
    postgres: PostgresServer, postgres_template: str
) -> None:
    postgres.refresh_database(NAME, postgres_template)
    with connected(postgres) as idle, connected(postgres) as holder:
        idle.execute("SELECT 1").connection.commit()
        holder.execute("SELECT pg_advisory_lock(1)").connection.commit()
        postgres.refresh_database(NAME, postgres_template)
        assert idle.execute("SELECT pg_try_advisory_lock(1)").fetchone() == (True,)
        with pytest.raises(psycopg.OperationalError):
            holder.execute("SELECT 1")


def test_a_server_without_the_keeper_makes_the_database_anew(postgres: PostgresServer, postgres_template: str) -> None:
    postgres.refresh_database(NAME, postgres_template)
    new = contents(postgres)
    with connected(postgres) as connection:
        connection.execute("DELETE FROM staff")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    postgres.refresh_database(NAME, postgres_template)
    assert contents(postgres) == new
