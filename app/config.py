"""Every knob of the house with its unit, read once from `HALL_*` in the environment."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path


class UnknownSetting(ValueError):
    """A `HALL_*` name that means nothing: better to stop than to run with a typo."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one process. Ports are TCP ports on loopback, limits are flask-limiter strings."""

    port: int = 8000  # where people and devices connect
    bind: str = "127.0.0.1"  # address of that port
    web_port: int = 0  # HTTP behind the front door; 0: the launcher chooses a free one
    gateway_port: int = 0  # Socket.IO behind the front door; 0: the launcher chooses a free one
    database_url: str = ""  # empty: SQLite in data_dir
    redis_url: str = ""  # empty: the launcher starts an embedded Redis
    data_dir: Path = field(default_factory=lambda: Path("var"))
    secret_key: str = ""  # empty: made once and kept in data_dir/secret.key
    secret_key_fallbacks: tuple[str, ...] = ()  # older keys, still able to read; comma separated
    demo: bool = True  # load the demo network into an empty database
    demo_password: str = ""  # empty: random, kept in data_dir/demo.password
    public_url: str = ""  # what QR codes point at; empty: http://127.0.0.1:PORT
    allowed_origins: tuple[str, ...] = ()  # further web origins that may open a socket; comma separated
    proxy_hops: int = 0  # trusted reverse proxies that set X-Forwarded-For
    secure_cookies: bool = False  # true behind TLS
    session_hours: int = 12  # absolute life of a staff session
    lock_timeout_ms: int = 5_000  # wait for a hall's lock before `hall.busy`
    login_limit: str = "10/minute"  # per address and account name
    ticket_limit: str = "30/minute"  # per address, for calls that carry no device or staff token
    code_limit: str = "10/minute"  # per address and case: a pickup code of six figures must not be guessed
    kiosk_block: int = 20  # numbers that a kiosk is lent of each queue for when it is cut off; 0: none
    kiosk_reader: str = (
        ""  # ID card reader of kiosks: ws://127.0.0.1:PORT, simulated, keys; empty: simulated in the demo
    )
    printer: str = "spool"  # where slips go: spool, off, tcp://HOST:PORT or file:///dev/usb/lp0

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Settings from `HALL_*`. Raises UnknownSetting for a name or value that cannot be read."""
        env = os.environ if env is None else env
        known = {f"HALL_{f.name.upper()}": f for f in fields(cls)}
        unknown = sorted(name for name in env if name.startswith("HALL_") and name not in known)
        if unknown:
            raise UnknownSetting(f"unknown settings: {', '.join(unknown)} (known: {', '.join(sorted(known))})")
        values = {}
        for name, f in known.items():
            if env.get(name, "") == "":
                continue
            try:
                values[f.name] = _read(str(f.type), env[name])
            except ValueError as error:
                raise UnknownSetting(f"{name}={env[name]!r} is not {f.type}") from error
        settings = cls(**values)
        return settings._completed()

    def _completed(self) -> Settings:
        from dataclasses import replace

        data_dir = self.data_dir.absolute()
        data_dir.mkdir(parents=True, exist_ok=True)
        return replace(
            self,
            data_dir=data_dir,
            database_url=_dialect(self.database_url) or f"sqlite:///{data_dir / 'hall.db'}",
            secret_key=self.secret_key or _kept(data_dir / "secret.key", 48),
            demo_password=self.demo_password or (_kept(data_dir / "demo.password", 9) if self.demo else ""),
            public_url=(self.public_url or f"http://{self.bind}:{self.port}").rstrip("/"),
        )


def _read(kind: str, text: str) -> object:
    if kind == "int":
        return int(text)
    if kind == "bool":
        if text.lower() not in {"0", "1", "true", "false", "yes", "no"}:
            raise ValueError(text)
        return text.lower() in {"1", "true", "yes"}
    if kind == "Path":
        return Path(text)
    if kind.startswith("tuple"):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text


def _dialect(url: str) -> str:
    """Plain `postgresql://` means psycopg 3 here; nothing else is installed."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def _kept(path: Path, size: int) -> str:
    """A secret made once, readable by its owner alone; two processes starting together agree on it."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(size) + "\n")
    return path.read_text().strip()
