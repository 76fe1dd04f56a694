"""Whatever is sent, the API answers as its document says, never with a 500, and a GET changes nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.eventlog import heads
from app.people.permissions import permissions_of
from tests.api.asking import Asking
from tests.api.test_document import ACCOUNTS, PARAMETERS, TOGETHER, operations

BOUNDED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FOREIGN = [
    "x",
    "luolong-",
    "luolong-1",
    "lilou-1",
    "luolong-99999999999999999999",
    "luolong-W01",
    "lilou-W01",
    "network",
]
FOREIGN += ["nowhere", "\0", "\ufffd", "𠮷", "a" * 300, "%", "..", "LL202601010001", "-", "luolong-0x1", " "]
TEXTS = st.one_of(
    st.sampled_from(
        ["", " ", "\0", "\ud800", "A", "张三", "𠮷", "\u202e", "2026-03-11T10:00", "granted", "WD", *FOREIGN]
    ),
    st.text(st.characters(), max_size=12),
    st.sampled_from(["a" * 10_000, "张" * 10_000]),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    TEXTS,
    st.integers(),
    st.sampled_from([-1, 0, 2**31, 2**63, 10**40]),
    st.floats(allow_nan=False),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)


def members(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    """The properties that the body of this operation may have."""
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    return document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]].get("properties", {})


def like(document: dict[str, Any], schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that look right now and then, so that what lies behind the first check is reached too."""
    for part in (schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())):
        if "$ref" in part:
            inner = document["components"]["schemas"][part["$ref"].rsplit("/", 1)[1]].get("properties", {})
            made = {name: like(document, shape) for name, shape in inner.items()}
            return st.one_of(st.fixed_dictionaries({}, optional=made), st.fixed_dictionaries(made), JSON)
    if "enum" in schema:
        return st.one_of(st.sampled_from(schema["enum"]), JSON)
    kinds = schema.get("type", [])
    if "array" in kinds and "items" in schema:
        return st.one_of(st.lists(like(document, schema["items"]), max_size=3), JSON)
    if "integer" in kinds:
        return st.one_of(st.integers(1, 40), SCALARS)
    return st.one_of(st.sampled_from(["luolong", "A", "luolong-W01", "真的", ITEM]), TEXTS, SCALARS, JSON)


ITEM = "511Z0298500000-511602000000-000-11511301MB0T669970-1-00"  # one of the written guides


@pytest.fixture
def busy(ask: Asking) -> Asking:
    """A hall with a window open, numbers taken and a case received, so that some of the ids exist."""
    ask.post("/windows/luolong-W01/open", who="clerk01")
    for _ in range(3):
        ask.post("/halls/luolong/tickets", {"queue": "A"}, 201, who="guide01")
    wanted = {"item": ITEM, "applicant": {"kind": "person", "name": "张三"}}
    ask.number = ask.post("/cases", wanted, 201, who="clerk01")["number"]
    return ask


ANYONE = ["", "clerk21", *ACCOUNTS.values()]


def caller(operation: dict[str, Any]) -> st.SearchStrategy[str]:
    """An account, mostly one that may."""
    wanted = set(operation.get("x-permissions", ()))
    fit = [
        name
        for role, name in ACCOUNTS.items()
        if wanted & {str(p) for p in permissions_of(TOGETHER.get(role, (role,)))}
    ]
    return st.sampled_from([*(fit * 5), *ANYONE])


@BOUNDED
@given(data=st.data())
def test_any_body_for_any_post(busy: Asking, data: st.DataObject) -> None:
    document = busy.document
    routes = [found for found in operations(document) if found[1] == "post" and "/sessions" not in found[0]]
    path, _, operation = data.draw(st.sampled_from(routes))
    shapes = {name: like(document, schema) for name, schema in members(document, operation).items()}
    body = data.draw(st.one_of(st.fixed_dictionaries({}, optional=shapes), st.fixed_dictionaries(shapes), JSON))
    who = data.draw(caller(operation))
    busy(
        "POST",
        filled(busy, path, data),
        body,
        who=who,
        key=data.draw(st.sampled_from([None, None, "k", "ü", "k" * 300])),
    )


def filled(ask: Asking, path: str, data: st.DataObject) -> str:
    """The path with ids that exist, that do not, and that are none."""

    def choose(found: re.Match[str]) -> str:
        known = {"hall": "luolong", "number": getattr(ask, "number", ""), "ticket_id": "luolong-2"}.get(found[1])
        likely = [known or PARAMETERS[found[1]]] * 8
        return quoted(data.draw(st.sampled_from([*likely, *FOREIGN])))

    return re.sub(r"{(\w+)}", choose, path)


def quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


@BOUNDED
@given(data=st.data())
def test_any_query_for_any_get_and_nothing_changes(busy: Asking, data: st.DataObject) -> None:
    routes = [
        found for found in operations(busy.document) if found[1] == "get" and not found[0].endswith(("board", ".pdf"))
    ]
    path, _, operation = data.draw(st.sampled_from(routes))
    names = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"] or ["q"]
    query = "&".join(f"{name}={quoted(data.draw(ENCODABLE))}" for name in names if data.draw(st.booleans()))
    who = data.draw(caller(operation))
    asked = f"{filled(busy, path, data)}?{query}"
    busy.token(who) if who else None
    before = heads()
    answer = busy("GET", asked, who=who)
    busy("HEAD", asked, who=who)
    assert heads() == before, answer


ENCODABLE = st.one_of(
    st.sampled_from(
        [
            "",
            "1",
            "0",
            "-1",
            "9" * 30,
            "luolong",
            "张",
            "%",
            "_",
            "\\",
            "'",
            '"',
            "green",
            "done",
            "\0",
            "a" * 400,
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    raw=st.binary(max_size=60),
    kind=st.sampled_from(["application/json", "application/problem+json", "text/plain", "", "é"]),
)
def test_any_bytes_for_a_body(busy: Asking, raw: bytes, kind: str) -> None:
    for path, who in (
        ("/case-queries", ""),
        ("/sessions", ""),
        ("/halls/luolong/tickets", "guide01"),
        ("/deadlines/preview", ""),
    ):
        busy("POST", path, data=raw, content_type=kind, who=who)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    token=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40),
    scheme=st.sampled_from(["Bearer", "bearer", "Basic", ""]),
)
def test_any_token(busy: Asking, token: str, scheme: str) -> None:
    answer = busy("GET", "/windows", headers={"Authorization": f"{scheme} {token}"})
    assert answer.status_code == 401, answer.text
