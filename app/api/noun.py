"""A noun of the API: routes that say who may call them and how they refuse, and are described by that."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask_smorest import Blueprint

from app.api.reading import Parser, drop_key
from app.errors import REFUSALS

PREFIX = "/api/v1"

READ = ("text.invalid", "text.too_long", "request.invalid")
BODY = (*READ, "request.not_json", "request.media_type", "request.too_large")
ACT = ("hall.busy", "idempotency.key", "idempotency.mismatch")
GUARDED = ("auth.required", "auth.forbidden")

KEY_HEADER = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "Same key and body: the first answer again. Same key, other body: idempotency.mismatch.",
}


class Noun(Blueprint):
    """Routes of one noun under /api/v1.

    `refuses` lists a route's own refusal codes, separated by spaces; what every route of its kind may refuse is
    added. `acts` False: a POST that only asks. `limited` names the rate limit of a route.
    """

    ARGUMENTS_PARSER = Parser()

    def __init__(self, name: str, description: str) -> None:
        super().__init__(f"api_{name}", __name__, url_prefix=PREFIX, description=description)
        self.noun = name
        self.limited: dict[str, str] = {}
        self.teardown_request(drop_key)

    def arguments(self, schema: Any, **more: Any) -> Any:
        """Read the request with this schema; a body is required when one of its fields is."""
        more.setdefault("required", any(field.required for field in schema().fields.values()))
        return super().arguments(schema, **more)

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        provide_automatic_options: bool | None = None,
        *,
        refuses: str = "",
        acts: bool = True,
        limited: str = "",
        **options: Any,
    ) -> None:
        """Register the route and describe it."""
        assert view_func is not None
        sends = bool({"POST", "PUT"} & set(options.get("methods", ())))
        demands: frozenset[str] = view_func.demands  # type: ignore[attr-defined]  # a route without a gate is a mistake
        codes = ["auth.invalid", *refuses.split()]
        codes += GUARDED if demands else ()
        codes += BODY if sends else ()
        codes += ACT if sends and acts else ("idempotency.key",) if sends and demands else ()  # the gate reads it
        codes += ("request.too_many",) if limited else ()
        described = view_func._apidoc  # type: ignore[attr-defined]  # where flask-smorest keeps it
        if "arguments" in described and not sends:
            codes += READ
        manual: dict[str, Any] = {
            "operationId": view_func.__name__,
            "security": [{"bearer": []}] if demands else [],
            "responses": problems(codes),
        }
        if demands:
            manual["x-permissions"] = sorted(str(p) for p in demands)
        if sends and acts:
            manual["parameters"] = [KEY_HEADER]
        described["manual_doc"] = manual
        if limited:
            self.limited[view_func.__name__] = limited
        options["tags"] = [self.noun]
        super().add_url_rule(rule, endpoint, view_func, provide_automatic_options, **options)


def problems(codes: Iterable[str]) -> dict[int, Any]:
    """OpenAPI responses of these refusals, one a status, with the codes it may carry."""
    by_status: dict[int, list[str]] = {}
    for code in sorted(set(codes)):
        by_status.setdefault(REFUSALS[code][0], []).append(code)
    return {
        status: {
            "description": " · ".join(f"{code}: {REFUSALS[code][2]}" for code in these),
            "content": {
                "application/problem+json": {
                    "schema": {
                        "allOf": [
                            {"$ref": "#/components/schemas/Problem"},
                            {"type": "object", "properties": {"code": {"enum": these}}},
                        ]
                    }
                }
            },
        }
        for status, these in sorted(by_status.items())
    }
