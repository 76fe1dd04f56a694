"""The OpenAPI document says what the code does: every route, who may call it, how it refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import validate

import wsgi
from app.config import Settings
from app.errors import REFUSALS
from app.people.permissions import DEVICES, ROLES, Permission, permissions_of
from tests.api.asking import Asking

BESIDE = {"/openapi.json", "/healthz", "/readyz", "/metrics"}
SENDS = ("post", "put")
ONLY_ASKING = {"query_case", "query_joint_case", "preview_deadline", "preview_policy", "replay_day"}


@pytest.fixture
def whole(settings: Settings) -> Flask:
    """The app with the rooms that wsgi.py adds: the board is theirs."""
    return wsgi.web(settings)


def rules(app: Flask) -> Iterator[tuple[str, str, Any]]:
    """(path as in OpenAPI, method, view) of every route of the API."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/") or rule.rule in BESIDE:
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
                yield path, method.lower(), app.view_functions[rule.endpoint]


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield path, method, operation


def test_the_document_is_openapi_3_1(ask: Asking) -> None:
    assert ask.document["openapi"].startswith("3.1")
    validate(ask.document)
    assert ask.get("/api/v1/openapi.json") == ask.document


def test_every_route_is_in_the_document_and_nothing_else(whole: Flask, ask: Asking) -> None:
    in_code = {(path, method) for path, method, _ in rules(whole)}
    in_document = {(path, method) for path, method, _ in operations(ask.document)}
    assert in_code == in_document


def test_the_contract_is_in_the_document(ask: Asking) -> None:
    api = "/api/v1"
    cases = "accept request-supplement supply no-request withdraw decide suspend resume extend return forward hand-over dispatch"
    tickets = "recall start finish no-show restore park unpark abandon transfer"
    promised = {
        *(
            (f"{api}/{path}", "get")
            for path in ("halls", "halls/{}/queues", "halls/{}/items", "items/{}", "tickets/{}")
        ),
        *(
            (f"{api}/{path}", "get")
            for path in ("windows", "cases", "cases/{}", "cases/{}/deadline", "cases/{}/notices")
        ),
        *((f"{api}/{path}", "get") for path in ("notices/{}.pdf", "halls/{}/board", "halls/{}/events")),
        *(
            (f"{api}/{path}", "post")
            for path in ("sessions", "devices", "halls/{}/tickets", "tickets/{}/cancel", "cases")
        ),
        *((f"{api}/{path}", "post") for path in ("case-queries", "deadlines/preview")),
        *((f"{api}/windows/{{}}/{step}", "post") for step in ("open", "pause", "close", "call-next")),
        *((f"{api}/tickets/{{}}/{step}", "post") for step in tickets.split()),
        *((f"{api}/cases/{{}}/{step}", "post") for step in cases.split()),
        *((path, "get") for path in BESIDE),
    }
    there = {(re.sub(r"{\w+}", "{}", path), method) for path, method, _ in operations(ask.document)}
    assert promised <= there


def test_security_is_what_the_gate_demands(whole: Flask, ask: Asking) -> None:
    for path, method, view in rules(whole):
        operation = ask.document["paths"][path][method]
        demands = view.demands
        assert bool(operation["security"]) == bool(demands), path
        told = set(operation.get("x-permissions", ()))
        assert told == {str(d) for d in demands}, path
        assert told <= {str(p) for p in Permission} | {"staff"}


def test_every_refusal_told_is_one_of_ours_under_its_own_status(ask: Asking) -> None:
    for path, _method, operation in operations(ask.document):
        for status, answer in operation["responses"].items():
            for schema in answer.get("content", {}).get("application/problem+json", {}).values():
                for code in schema["allOf"][1]["properties"]["code"]["enum"]:
                    assert str(REFUSALS[code][0]) == status, (path, code)


def test_every_post_and_put_reads_a_body_and_says_whether_it_takes_a_key(ask: Asking) -> None:
    for path, method, operation in operations(ask.document):
        if method not in SENDS:
            assert "requestBody" not in operation
            continue
        assert operation["requestBody"]["content"]["application/json"]["schema"], path
        keyed = any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", ()))
        assert keyed is (operation["operationId"] not in ONLY_ASKING), path


def test_operations_have_names_of_their_own_and_a_sentence(ask: Asking) -> None:
    names = [operation["operationId"] for _, _, operation in operations(ask.document)]
    assert len(names) == len(set(names))
    assert all(operation["summary"].endswith((".", "?")) for _, _, operation in operations(ask.document))


def test_successes_have_a_shape(ask: Asking) -> None:
    for path, _method, operation in operations(ask.document):
        good = {status: answer for status, answer in operation["responses"].items() if status < "300"}
        assert good, path
        assert all("content" in answer or status == "204" for status, answer in good.items()), path


PARAMETERS = {
    "block": "luolong-1",
    "hall": "luolong",
    "window": "luolong-W01",
    "ticket_id": "luolong-999999",
    "token": "AAAAAAAAAAAAAAAAAAAAAA",
    "number": "LL202601010001",
    "notice_id": "luolong-999999",
    "batch_id": "luolong-999999",
    "theme": "no-such-theme",
    "device_id": "luolong-999999",
    "code": "no-such-item",
}


def concrete(path: str) -> str:
    return re.sub(r"{(\w+)}", lambda found: PARAMETERS[found[1]], path)


BOTH, LEAD = ("approver", "head"), ("lead", "clerk")  # demo accounts that have two roles
TOGETHER = {"approver": BOTH, "head": BOTH, "lead": LEAD}
ACCOUNTS = {role: {BOTH: "approver01", LEAD: "clerk12"}.get(TOGETHER.get(role, ()), f"{role}01") for role in ROLES}


@pytest.mark.parametrize("caller", [*ROLES, *DEVICES])
def test_a_route_opens_to_exactly_those_who_have_its_permission(ask: Asking, caller: str) -> None:
    roles = TOGETHER.get(caller, (caller,))
    held = {str(p) for p in (permissions_of(roles) if caller in ROLES else DEVICES[caller])}
    token = ask.token(ACCOUNTS[caller]) if caller in ROLES else ask.device(caller)
    for path, method, operation in operations(ask.document):
        wanted = set(operation.get("x-permissions", ()))
        if not wanted or path.endswith(("/board", "/sessions/close", "/restore")):  # a kiosk restores nobody
            continue
        answer = ask(method.upper(), concrete(path), token=token, **({"body": {}} if method in SENDS else {}))
        refused = answer.status_code == 403 and answer.json["code"] == "auth.forbidden"
        assert refused is not bool(wanted & held), (caller, method, path, answer.text)


def test_a_closed_route_asks_for_a_token_before_it_reads_anything(ask: Asking) -> None:
    for path, method, operation in operations(ask.document):
        if operation["security"] and not path.endswith("/board"):
            more = {"data": b"{", "content_type": "text/plain"} if method in SENDS else {}
            ask.refused("auth.required", method.upper(), concrete(path), **more)
            ask.refused("auth.invalid", method.upper(), concrete(path), token="wrong", **more)


def test_sign_out_is_for_staff_only(ask: Asking) -> None:
    ask.refused("auth.invalid", "POST", "/sessions/close", token=ask.device("screen"))
