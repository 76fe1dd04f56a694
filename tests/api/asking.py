"""A client that holds every answer of the API against the document: status, type, shape and refusal code."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any
from urllib.parse import unquote

from flask import Flask
from jsonschema import Draft202012Validator
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from tests.conftest import PASSWORD

API = "/api/v1"


class Asking:
    """Asks as an account of the demo network (`who`), with a token, or as nobody."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client = app.test_client(use_cookies=False)
        self.document = document_of(app)
        self._tokens: dict[str, str] = {}

    def token(self, who: str) -> str:
        if who not in self._tokens:
            answer = self("POST", "/sessions", {"username": who, "password": PASSWORD})
            assert answer.status_code == 201, answer.text
            self._tokens[who] = answer.json["token"]
        return self._tokens[who]

    def device(self, kind: str, hall: str = "luolong") -> str:
        """The token of a new device."""
        answer = self("POST", "/devices", {"hall": hall, "kind": kind}, who="admin01")
        assert answer.status_code == 201, answer.text
        return answer.json["token"]

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        who: str = "",
        token: str = "",
        key: str | None = None,
        **more: Any,
    ) -> TestResponse:
        headers = dict(more.pop("headers", {}))
        token = self.token(who) if who else token
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        if body is not None:
            more |= {"data": json.dumps(body), "content_type": "application/json"}  # in ASCII: surrogates too
        path = path if path.startswith(("/api", "/openapi", "/healthz", "/readyz", "/metrics")) else API + path
        with self.app.app_context():  # its own, as in a server: nothing of one request is left to the next
            answer = self.client.open(path, method=method, headers=headers, **more)
        self.check(method, path, answer)
        return answer

    def get(self, path: str, **more: Any) -> Any:
        """The JSON of a GET that must succeed."""
        answer = self("GET", path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json

    def post(self, path: str, body: Any = None, status: int = 200, **more: Any) -> Any:
        """The JSON of a POST that must succeed."""
        answer = self("POST", path, body, **more)
        assert answer.status_code == status, answer.text
        return answer.json

    def refused(self, code: str, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """The problem of a request that must be refused with this code."""
        answer = self(method, path, body, **more)
        assert answer.json and answer.json.get("code") == code, answer.text
        return answer.json

    def check(self, method: str, path: str, answer: TestResponse) -> None:
        """Hold the answer against the document."""
        assert answer.status_code < 500 or answer.status_code == 503, (
            method,
            path,
            answer.status_code,
            answer.text,
        )
        assert "Set-Cookie" not in answer.headers
        if answer.status_code >= 400 and path != "/readyz" and method != "HEAD":
            assert answer.mimetype == "application/problem+json", (path, answer.mimetype)
            problem = answer.json
            assert problem["status"] == answer.status_code
            assert problem["type"].endswith(problem["code"]) and problem["title"] and "?" not in problem["title"]
        rule = self._rule(method, path)
        if rule is None or method == "OPTIONS":
            assert method == "OPTIONS" or answer.status_code in (404, 405, 308, 401), (
                method,
                path,
                answer.status_code,
            )
            return
        validator = validator_of(self.app, rule, method.lower(), str(answer.status_code), answer.mimetype)
        if validator is not None:
            errors = [error.message for error in validator.iter_errors(answer.json)]
            assert not errors, (method, path, errors, answer.text)

    def _rule(self, method: str, path: str) -> str | None:
        adapter = self.app.url_map.bind("localhost")
        try:
            rule, _ = adapter.match(
                unquote(path.split("?")[0]), "GET" if method == "HEAD" else method, return_rule=True
            )
        except HTTPException:
            return None
        return re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)


@cache
def document_of(app: Flask) -> dict[str, Any]:
    """What the application says of itself; it says the same as long as it lives."""
    return app.test_client(use_cookies=False).get("/openapi.json").json


@cache
def validator_of(app: Flask, rule: str, method: str, status: str, mimetype: str) -> Draft202012Validator | None:
    """What holds such an answer against the document; None where there is nothing to hold."""
    document = document_of(app)
    operation = document["paths"][rule]["get" if method == "head" else method]
    assert status in operation["responses"], f"{method} {rule} does not tell of {status}"
    content = operation["responses"][status].get("content")
    if content is None or method == "head":
        assert mimetype in ("", "text/html") or method == "head", mimetype
        return None
    assert mimetype in content, (rule, status, mimetype)
    if "json" not in mimetype:
        return None
    return Draft202012Validator({**content[mimetype]["schema"], "components": document["components"]})
