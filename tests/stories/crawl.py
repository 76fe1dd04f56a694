"""Looks for a person in everything the house keeps or says: as written, and as JSON, URLs and base64 would write it."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

import redis
from sqlalchemy import inspect, text

from app.db import db


def spellings(secret: str) -> set[str]:
    """The ways in which a text may stand in another."""
    plain = secret.encode()
    shifted = [base64.b64encode(b"\0" * n + plain).decode()[4 if n else 0 : -4] for n in range(3)]
    return {
        secret,
        json.dumps(secret)[1:-1],
        quote(secret),
        repr(plain)[2:-1],
        plain.hex(),
        "".join(f"&#{ord(letter)};" for letter in secret),
        *(part for part in shifted if len(part) > 8),
    }


def find(secrets: Iterable[str], places: Iterable[tuple[str, str]]) -> list[str]:
    """`where: what` for each secret that stands in a place."""
    looked_for = [(secret, spelling) for secret in secrets for spelling in spellings(secret)]
    return [f"{where}: {secret}" for where, words in places for secret, spelling in looked_for if spelling in words]


def tables() -> Iterator[tuple[str, str]]:
    """Every value of every row of every table, by column."""
    db.session.rollback()
    for table in inspect(db.engine).get_table_names():
        for row in db.session.execute(text(f'SELECT * FROM "{table}"')).mappings():  # names of our own
            for column, value in row.items():
                if isinstance(value, str | bytes):
                    yield f"{table}.{column}", value if isinstance(value, str) else repr(value)
    db.session.rollback()


def memory(client: redis.Redis) -> Iterator[tuple[str, str]]:
    """Every key and value of Redis, unpacked where RQ has packed it."""
    for key in client.scan_iter("*"):
        kind, name = client.type(key).decode(), key.decode(errors="replace")
        values: list[Any] = {
            "string": lambda k: [client.get(k)],
            "hash": lambda k: [part for pair in client.hgetall(k).items() for part in pair],
            "list": lambda k: client.lrange(k, 0, -1),
            "set": lambda k: list(client.smembers(k)),
            "zset": lambda k: client.zrange(k, 0, -1),
            "stream": lambda k: [repr(client.xrange(k)).encode()],
        }[kind](key)
        yield f"redis {name}", name
        for value in values:
            yield f"redis {name}", _unpacked(value)


def _unpacked(value: bytes) -> str:
    try:
        return zlib.decompress(value).decode(errors="replace")
    except zlib.error:
        return value.decode(errors="replace")
