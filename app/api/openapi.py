"""The OpenAPI 3.1 document: what the routes say of themselves, and the few paths that live elsewhere."""

from __future__ import annotations

from typing import Any

from flask import Blueprint as FlaskBlueprint
from flask import Flask, jsonify
from flask_smorest import Api

from app.api.noun import GUARDED, PREFIX, Noun, problems
from app.api.schemas import Problem
from app.people.gate import public
from app.people.permissions import Permission

DESCRIPTION = """The API of a government service hall: queue, windows, cases, deadlines.

Times are RFC 3339 with the hall's offset. Errors are RFC 9457 problem details with a stable `code`; `?lang=en` or
Accept-Language chooses their language. GET never changes anything. Every POST and PUT that changes something honours
`Idempotency-Key`. Unknown members of a request are ignored. Ids of tickets, windows, devices and notices begin
with their hall: `luolong-123`.
"""


class Document(Api):
    """flask-smorest without its own error pages: refusals are the factory's."""

    DEFAULT_ERROR_RESPONSE_NAME = None
    ERROR_SCHEMA = Problem

    def _register_error_handlers(self) -> None:
        pass

    def _register_doc_blueprint(self) -> None:
        pass

    def _register_pagination_header(self) -> None:
        pass

    def _register_etag_headers(self) -> None:
        pass

    def add(self, noun: Noun) -> None:
        """Register a noun's routes and describe them."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][noun.name] = self
        self._app.register_blueprint(noun)
        noun.register_views_in_doc(self, self._app, self.spec, name=noun.name, parameters=None)
        self.spec.tag({"name": noun.noun, "description": noun.description})


def describe(app: Flask, nouns: list[Noun]) -> None:
    """Register these nouns and their document, which is served at /openapi.json and /api/v1/openapi.json."""
    document = Document(
        app,
        spec_kwargs={
            "title": "Yichuang 一窗",
            "version": "1",
            "openapi_version": "3.1.0",
            "info": {"description": DESCRIPTION},
            "servers": [{"url": app.extensions["settings"].public_url or "/"}],
        },
    )
    document.spec.components.security_scheme(
        "bearer", {"type": "http", "scheme": "bearer", "description": "Staff or device"}
    )
    for noun in nouns:
        document.add(noun)
    whole = document.spec.to_dict()
    whole["paths"] = {**whole["paths"], **{path: {"get": operation} for path, operation in ELSEWHERE.items()}}
    whole["tags"] += [
        {"name": "screens", "description": "Boards"},
        {"name": "health", "description": "Beside the API"},
    ]
    pages = FlaskBlueprint("api_document", __name__)

    @pages.get("/openapi.json")
    @pages.get(f"{PREFIX}/openapi.json")
    @public
    def read_document() -> Any:
        return jsonify(whole)

    app.register_blueprint(pages)


def _answers(description: str, kind: str = "application/json", schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"description": description, "content": {kind: {"schema": schema or {"type": "object"}}}}


def _open(name: str, summary: str, answers: dict[int, Any]) -> dict[str, Any]:
    return {"operationId": name, "summary": summary, "tags": ["health"], "security": [], "responses": answers}


READY = {
    "type": "object",
    "required": ["status", "checks"],
    "properties": {"status": {"enum": ["ok", "failing"]}, "checks": {"type": "object"}},
}
FRAME = {
    "type": "object",
    "required": ["hall", "seq", "at", "now_serving", "missed", "queues"],
    "properties": {
        "hall": {"type": "string"},
        "seq": {"type": "integer", "description": "The hall's own count, without gaps"},
        "at": {"type": ["string", "null"], "format": "date-time"},
        "now_serving": {"type": "array", "items": {"type": "object"}},
        "missed": {"type": "array", "items": {"type": "object"}},
        "queues": {"type": "array", "items": {"type": "object"}},
    },
}

ELSEWHERE: dict[str, dict[str, Any]] = {
    f"{PREFIX}/halls/{{hall}}/board": {
        "operationId": "read_board",
        "summary": "The whole board of a hall, as the screens show it.",
        "tags": ["screens"],
        "security": [{"bearer": []}],
        "x-permissions": [str(Permission.SCREEN_READ)],
        "parameters": [{"in": "path", "name": "hall", "required": True, "schema": {"type": "string"}}],
        "responses": {
            200: _answers("OK", schema=FRAME),
            **problems(["auth.invalid", *GUARDED, "auth.foreign_hall", "hall.unknown"]),
        },
    },
    "/openapi.json": _open("read_openapi", "This document.", {200: _answers("OK")}),
    f"{PREFIX}/openapi.json": _open("read_openapi_here", "This document.", {200: _answers("OK")}),
    "/healthz": _open("read_health", "The process answers.", {200: _answers("It does", schema=READY)}),
    "/readyz": _open(
        "read_readiness",
        "The database can be written, its tables are this version's, and how far the screens lag.",
        {200: _answers("Ready", schema=READY), 503: _answers("Not ready", schema=READY)},
    ),
    "/metrics": _open("read_metrics", "Prometheus metrics.", {200: _answers("OK", "text/plain", {"type": "string"})}),
}
