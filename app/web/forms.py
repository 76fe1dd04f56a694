"""What comes in by forms: a press that counts once, and a way back that stays in this house."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app, request
from flask_limiter.util import get_remote_address
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from app.action import RequestKey, request_key
from app.config import Settings
from app.db import canonical
from app.errors import Refusal
from app.events import Actor
from app.privacy import blind_index, new_token

_alone = FixedWindowRateLimiter(MemoryStorage())
new_key = new_token  # for the hidden `idempotency_key` of a form


def settings() -> Settings:
    """The settings of this app."""
    return current_app.extensions["settings"]


@contextmanager
def once(actor: Actor, step: str = "") -> Iterator[None]:
    """Run one action so that the same press of the same form by the same actor gets its first answer again.

    `step` names the second action of a press that does two.
    """
    key = request.form.get("idempotency_key", "") + (f".{step}" if step else "")
    fields = {name: request.form.getlist(name) for name in request.form if name != "csrf_token"}
    plain = hashlib.sha256(canonical([request.path, fields]).encode(errors="surrogatepass")).hexdigest()
    body_hash = blind_index("form", plain)  # keyed, for a form may hold an ID number
    request_key.set(RequestKey(f"form:{actor.ref}", key, body_hash))
    try:
        yield
    finally:
        request_key.set(None)


def limited(limit: str, name: str = "") -> None:
    """Count this request against `limit` for its address (and `name`). Refuses request.too_many.

    While Redis is away each process counts alone: a limit that is a little wide is better than no door at all.
    """
    rate = parse(limit)
    key = (request.endpoint or "", get_remote_address(), name)
    try:
        within = current_app.extensions["page_limiter"].limiter.hit(rate, *key)
    except Exception:  # whatever the storage's client raises when the storage is away
        within = _alone.hit(rate, *key)
    if not within:
        raise Refusal("request.too_many")


def safe_next(wish: str | None, otherwise: str) -> str:
    """`wish` if it is a path of this house, else `otherwise`: never another site's address."""
    if wish and wish.startswith("/") and not wish.startswith(("//", "/\\")) and not any(c in wish for c in "\r\n\t\\"):
        return wish
    return otherwise
