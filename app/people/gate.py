"""The gate: who asks is found once a request, and each route says beside itself what it demands."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, g, request

from app.errors import Refusal
from app.events import Actor
from app.now import now
from app.people.permissions import Permission
from app.people.sessions import device_of, staff_of

F = TypeVar("F", bound=Callable[..., Any])

SESSION_COOKIE = "hall_session"
DEVICE_COOKIE = "hall_device"


def public(view: F) -> F:
    """Anyone may come in."""
    view.demands = frozenset()  # type: ignore[attr-defined]  # read by the test that walks the URL map
    return view


def requires(*any_of: Permission) -> Callable[[F], F]:
    """Whoever comes in needs one of these permissions; `g.actor` is then the staff member or device that has it."""

    def decorate(view: F) -> F:
        @functools.wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            callers = g.callers
            if not callers:
                raise Refusal("auth.required" if not g.credentials else "auth.invalid")
            fit = [c for c in callers if any(c.may(p) for p in any_of)]
            if not fit:
                raise Refusal("auth.forbidden")
            g.actor = fit[0]
            return view(*args, **kwargs)

        guarded.demands = frozenset(any_of)  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def signed_in(view: F) -> F:
    """Any staff member may come in, whatever the role."""

    @functools.wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if staff() is None:
            raise Refusal("auth.required" if not g.credentials else "auth.invalid")
        g.actor = staff()
        return view(*args, **kwargs)

    guarded.demands = frozenset({"staff"})  # type: ignore[attr-defined]
    return guarded  # type: ignore[return-value]


def staff() -> Actor | None:
    """The staff member who asks, if one does."""
    return next((c for c in g.callers if c.kind == "staff"), None)


def token_of_request() -> str | None:
    """The Bearer token, or else the session cookie."""
    return bearer() or request.cookies.get(SESSION_COOKIE)


def bearer() -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def init_app(app: Flask) -> None:
    """Find out before every request who asks. A Bearer token shuts the cookies out."""

    @app.before_request
    def find_callers() -> None:
        g.callers, g.credentials = [], False
        token = bearer()
        if token is not None or request.headers.get("Authorization"):
            g.credentials = True
            caller = token and (staff_of(token, now()) or device_of(token))
            if not caller:
                raise Refusal("auth.invalid")
            g.callers = [caller]
            return
        if request.endpoint and request.endpoint.endswith("static"):
            return
        for name, find in ((SESSION_COOKIE, lambda t: staff_of(t, now())), (DEVICE_COOKIE, device_of)):
            cookie = request.cookies.get(name)
            if cookie:
                g.credentials = True
                caller = find(cookie)
                if caller:
                    g.callers.append(caller)
