"""A lock that one process of the whole installation holds; whoever else asks for it stands by."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path
from typing import Protocol


class _Lock(Protocol):
    def holds(self) -> bool: ...

    def release(self) -> None: ...


class Sole:
    """The one relay, the one timer. Held until released or until the process dies; Redis has no part in it.

    PostgreSQL: a session's advisory lock on a connection of its own. SQLite, or no database at all: a locked file in
    the data folder, for all processes that could ask are on this machine.
    """

    def __init__(self, name: str, data_dir: Path, database_url: str = "") -> None:
        self._name, self._data_dir, self._url = name, data_dir, database_url
        self._lock: _Lock | None = None

    def take(self) -> bool:
        """Whether the lock is ours now; not while PostgreSQL is away. Never waits for another to give it back."""
        if self._lock is None:
            if self._url.startswith("postgresql"):
                self._lock = _session_lock(self._url, self._name)
            else:
                self._lock = _file_lock(self._data_dir / f"{self._name}.lock")
        return self._lock is not None

    def holds(self) -> bool:
        """Whether it is still ours: a lost connection loses the lock."""
        return self._lock is not None and self._lock.holds()

    def release(self) -> None:
        """Give it back; nothing happens when it is not ours."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None


class _FileLock:
    def __init__(self, handle: int) -> None:
        self._handle = handle

    def holds(self) -> bool:
        return True  # the kernel keeps it as long as this process lives

    def release(self) -> None:
        os.close(self._handle)


def _file_lock(path: Path) -> _FileLock | None:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return _FileLock(handle)


def _session_lock(url: str, name: str) -> _Lock | None:
    import psycopg  # not for those who lock a file
    from sqlalchemy import make_url

    class SessionLock:
        def __init__(self, connection: psycopg.Connection[tuple[bool]]) -> None:
            self._connection = connection

        def holds(self) -> bool:
            try:
                self._connection.execute("SELECT 1")
            except psycopg.Error:
                return False
            return True

        def release(self) -> None:
            self._connection.close()

    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        connection = psycopg.connect(
            plain, autocommit=True, connect_timeout=5, keepalives_idle=10, tcp_user_timeout=10_000
        )
    except psycopg.OperationalError:
        return None
    key = int.from_bytes(hashlib.sha256(f"yichuang:{name}".encode()).digest()[:8], signed=True)
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()
    if row and row[0]:
        return SessionLock(connection)
    connection.close()
    return None
