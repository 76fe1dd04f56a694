"""The HTTP API under /api/v1, and what stands beside it: the document, health, metrics."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from werkzeug.exceptions import HTTPException

from app.api import (
    agency,
    appointments,
    batches,
    blocks,
    cases,
    closing,
    deadlines,
    delivery,
    devices,
    halls,
    intake,
    items,
    joint,
    licences,
    manifests,
    metrics,
    notices,
    oversight,
    policies,
    replays,
    review,
    sessions,
    statistics,
    tickets,
    visits,
    windows,
)
from app.api.health import health
from app.api.openapi import describe
from app.api.reading import body
from app.errors import Refusal
from app.people.permissions import Permission

NOUNS = [
    module.noun
    for module in (
        *(sessions, devices, halls, policies, replays, statistics, items, tickets, appointments, blocks, windows),
        *(visits, closing),
        *(cases, intake, licences, review, delivery, joint, manifests, agency, oversight, notices, batches, deadlines),
    )
]


SPANS_LIMIT = "6000/minute"  # pauses, closures and sessions of one address's deadline previews: what makes them dear


def register(app: Flask, limiter: Limiter) -> None:
    """Put every route of the API into the app."""
    describe(app, NOUNS)
    app.register_blueprint(health)
    metrics.init_app(app)
    guards: dict[str, Any] = {
        "login": limiter.limit(_login_limit, key_func=_login_key),
        "tickets": limiter.shared_limit(_ticket_limit, scope="public", exempt_when=_known),
        "codes": limiter.limit(_code_limit, key_func=_code_key, exempt_when=_hands_nothing_over),
        "spans": limiter.limit(SPANS_LIMIT, cost=_spans, exempt_when=_cheap),
    }
    for noun in NOUNS:
        for endpoint, limit in noun.limited.items():
            name = f"{noun.name}.{endpoint}"
            app.view_functions[name] = guards[limit](app.view_functions[name])


# The limiter keeps one limit a view for all apps of the process, so these are no closures.


def _login_limit() -> str:
    return str(current_app.extensions["settings"].login_limit)


def _ticket_limit() -> str:
    return str(current_app.extensions["settings"].ticket_limit)


def _code_limit() -> str:
    return str(current_app.extensions["settings"].code_limit)


def _login_key() -> str:
    """The address and the account that is tried. Never raises: the limiter would think its storage dead."""
    name = _asked().get("username")
    return f"{get_remote_address()}|{str(name)[:80].encode(errors='replace').decode()}"


def _code_key() -> str:
    """The address and the number whose pickup code is tried."""
    number = str((request.view_args or {}).get("number", ""))[:40]
    return f"{get_remote_address()}|{number.encode(errors='replace').decode()}"


def _hands_nothing_over() -> bool:
    """The gate refuses these anyway."""
    return not any(caller.may(Permission.CASE_HAND_OVER) for caller in g.callers)


def _known() -> bool:
    return bool(g.callers)


def _cheap() -> bool:
    return _known() or _spans() == 0


def _spans() -> int:
    lists = [_asked().get(name) for name in ("pauses", "closed", "sessions")]
    return sum(len(spans) for spans in lists if isinstance(spans, list))


def _asked() -> dict[str, Any]:
    """The body as far as it can be read; the route itself refuses what cannot."""
    try:
        asked = body()
    except (Refusal, HTTPException):
        return {}
    return asked if isinstance(asked, dict) else {}
