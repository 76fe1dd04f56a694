"""How a request is read: JSON, ids, Idempotency-Key. What cannot be read is refused, never guessed."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, NoReturn

import marshmallow as ma
from flask import Request, g, request
from webargs.flaskparser import FlaskParser

from app import privacy
from app.action import RequestKey, request_key
from app.db import canonical
from app.errors import Refusal
from app.events import Actor
from app.hall import queries as hall_queries
from app.people import gate

_ROW_ID = re.compile(r"([a-z][a-z0-9-]{0,38})-([1-9][0-9]{0,9})", re.ASCII)
_WINDOW_ID = re.compile(r"([a-z][a-z0-9-]{0,38})-([A-Z][A-Z0-9]{0,9})", re.ASCII)
_PLAIN = re.compile(r"[!-~]{1,80}")
LARGEST_ID = 2**31 - 1  # what the narrower of the two databases can hold
SHOWN_ERRORS = 3
BODY = "hall.body"  # where the parsed body is kept for as long as its request


class Parser(FlaskParser):
    """Reads arguments for the schemas; every fault becomes a Refusal."""

    def _raw_load_json(self, req: Request) -> Any:
        loaded = body()
        actor = g.get("actor")
        if actor is not None:
            take_key(actor.ref)
        return loaded

    def handle_error(self, error: ma.ValidationError, req: Request, schema: ma.Schema, **_more: Any) -> NoReturn:
        faults = list(_flat(error.normalized_messages()))[:SHOWN_ERRORS]
        raise Refusal("request.invalid", detail="; ".join(faults))


def _flat(messages: Any, path: str = "") -> Any:
    """`person.name: Not a valid string.`, one a fault."""
    if isinstance(messages, dict):
        for key, inner in messages.items():
            step = "" if key in ("json", "query", "_schema") else str(key)
            yield from _flat(inner, ".".join(part for part in (path, step) if part))
    else:
        for text in messages if isinstance(messages, list) else [messages]:
            yield f"{path or 'body'}: {text}"


def body() -> Any:
    """The JSON body; {} when there is none.

    A caller known by cookie must say application/json even then: another site's form cannot. Refuses
    request.media_type, request.not_json; werkzeug refuses what is larger than the limit.
    """
    if BODY in request.environ:
        return request.environ[BODY]
    raw = request.get_data()
    by_cookie = g.credentials and gate.bearer() is None
    if (raw or by_cookie) and not request.is_json:
        raise Refusal("request.media_type")
    try:
        read = {"parse_constant": _no_number, "object_pairs_hook": _named}
        loaded = json.loads(raw.decode(), **read) if raw.strip() else {}
    except (ValueError, RecursionError):  # bad UTF-8 and integers of thousands of digits are ValueErrors too
        raise Refusal("request.not_json") from None
    request.environ[BODY] = loaded
    return loaded


def _named(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names can be told again. Raises UnicodeEncodeError, a ValueError, for half a character."""
    for name, _ in pairs:
        name.encode()
    return dict(pairs)


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


def take_key(scope: str) -> None:
    """Hand the request's Idempotency-Key, if it has one, to the action that follows.

    `scope` says whose key it is: two callers may choose the same one. The stored hash is keyed, since a body may
    hold a password or an ID number. Refuses idempotency.key.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return
    try:
        asked = f"{request.method} {request.path}\n{canonical(body())}"
    except RecursionError:
        raise Refusal("request.not_json") from None
    request_key.set(RequestKey(scope=scope, key=key, body_hash=digest("request", asked)))


def digest(kind: str, text: str) -> str:
    """A keyed digest of any text, lone surrogates included."""
    return privacy.blind_index(kind, hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest())


def drop_key(_error: BaseException | None = None) -> None:
    """No key outlives its request: threads serve many."""
    request_key.set(None)


def is_row_id(text: str) -> bool:
    """Whether a text has the form of a public id."""
    return _ROW_ID.fullmatch(text) is not None


def row_id(text: str, unknown: str) -> tuple[str, int]:
    """(hall, number) of a public id such as `luolong-123`. Refuses with the code `unknown`."""
    found = _ROW_ID.fullmatch(text)
    if found is None or int(found[2]) > LARGEST_ID:
        raise Refusal(unknown)
    return found[1], int(found[2])


def window_id(text: str) -> tuple[str, str]:
    """(hall, code) of a window's public id such as `luolong-W01`. Refuses window.unknown."""
    found = _WINDOW_ID.fullmatch(text)
    if found is None:
        raise Refusal("window.unknown")
    return found[1], found[2]


def plain(text: str, unknown: str) -> str:
    """A code or token as it stands in a path: visible ASCII, at most 80. Refuses with the code `unknown`."""
    if not _PLAIN.fullmatch(text):
        raise Refusal(unknown)
    return text


def known_hall(code: str) -> str:
    """The code itself, of a hall that exists. Refuses hall.unknown."""
    hall_queries.hall(plain(code, "hall.unknown"))
    return code


def own_hall(actor: Actor, code: str) -> str:
    """The same, for one who may look into it; one's own hall exists. Refuses hall.unknown, auth.foreign_hall."""
    if actor.hall != code:
        known_hall(code)
        if actor.hall is not None:
            raise Refusal("auth.foreign_hall")
    return code


def acting_hall(actor: Actor, code: str | None) -> str:
    """Where something new begins: the hall that is named, else one's own.

    Refuses request.invalid (neither), hall.unknown, auth.foreign_hall.
    """
    hall = code or actor.hall
    if not hall:
        raise Refusal("request.invalid", detail="hall: required of those who belong to no single hall")
    return own_hall(actor, hall)


def watched_hall(actor: Actor, code: str | None) -> str | None:
    """Where to look: the hall that is named, else one's own; None, which is everywhere, for those who have none.

    Refuses hall.unknown, auth.foreign_hall.
    """
    return own_hall(actor, code) if code else actor.hall
