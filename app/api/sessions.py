"""Sessions: signing in for a Bearer token, and out again."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, g

from app.api.noun import Noun
from app.api.reading import digest, take_key
from app.api.schemas import Nothing, Shape, Text, instant, said
from app.now import now
from app.people import gate
from app.people.gate import public, signed_in
from app.people.sessions import check_password, close_session, open_session

noun = Noun("sessions", "Signing in and out")


class Credentials(Shape):
    username = Text(limit=80, required=True)
    password = Text(limit=200, required=True)


class OpenedSession(Shape):
    token = said()
    expires_at = instant(required=True)


@noun.post("/sessions", refuses="auth.wrong_password", limited="login")
@public
@noun.arguments(Credentials)
@noun.response(201, OpenedSession)
def sign_in(given: dict[str, Any]) -> Any:
    """Sign in with name and password; the token is shown once."""
    actor = check_password(given["username"], given["password"])
    # the stored answer is a token: only who knows the password again may have it again
    take_key("session:" + digest("session", f"{given['username']}\n{given['password']}"))
    hours = current_app.extensions["settings"].session_hours
    return open_session(actor=actor, at=now(), hours=hours)


@noun.post("/sessions/close")
@signed_in
@noun.arguments(Nothing)
@noun.response(204)
def sign_out(_given: dict[str, Any]) -> Any:
    """End the session whose token this is."""
    close_session(actor=g.actor, at=now(), token=gate.token_of_request())
    return Response(status=204)
