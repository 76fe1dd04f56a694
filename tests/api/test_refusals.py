"""Each route tells every refusal that the functions it calls can make: read from the code, call by call."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.api.asking import Asking
from tests.api.test_document import operations

APP = Path(__file__).parents[2] / "app"
BELOW = ("casework", "queueing", "people", "hall", "catalog", "notices", "words.py")
NEVER_COME_OUT = {
    "window.not_open": "a ticket's steps say ticket.not_at_window instead",
    "window.not_yours": "the same",
    "ticket.unknown": "call_next loads the ticket it has just chosen",
    "hall.unknown": "the hall comes from a row",
    "case.unknown": "the case was found a line before",
    "notice.unknown": "a list does not open a notice",
    "text.empty": "an empty reason is let through or refused before",
    "text.invalid": "the path was read as plain ASCII",
    "text.too_long": "the same",
}


def functions(files: Iterator[Path]) -> Iterator[ast.FunctionDef]:
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        yield from (node for node in tree.body if isinstance(node, ast.FunctionDef))


def named(node: ast.AST) -> set[str]:
    """The names of all that a function calls or hands to what it calls."""
    calls = [n for n in ast.walk(node) if isinstance(n, ast.Call)]
    spoken = [part for call in calls for part in (call.func, *call.args[:1])]
    return {getattr(part, "id", getattr(part, "attr", "")) for part in spoken}


def refused(node: ast.AST) -> set[str]:
    """The codes of the Refusals that a function raises itself."""
    calls = (n for n in ast.walk(node) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "Refusal")
    return {call.args[0].value for call in calls if call.args and isinstance(call.args[0], ast.Constant)}


def test_the_document_tells_what_the_code_can_refuse(ask: Asking) -> None:
    files = [f for room in BELOW for f in ([APP / room] if room.endswith(".py") else sorted((APP / room).glob("*.py")))]
    below = {node.name: (refused(node), named(node)) for node in functions(iter(files))}

    def reach(name: str, seen: set[str]) -> set[str]:
        if name in seen or name not in below:
            return set()
        seen.add(name)
        codes, names = below[name]
        return codes.union(*(reach(called, seen) for called in names))

    told: dict[str, set[str]] = {}
    for _path, _method, operation in operations(ask.document):
        for answer in operation["responses"].values():
            for schema in answer.get("content", {}).get("application/problem+json", {}).values():
                codes = schema["allOf"][1]["properties"]["code"]["enum"]
                told.setdefault(operation["operationId"], set()).update(codes)
    views = [node for node in functions(iter(sorted((APP / "api").glob("*.py")))) if node.name in told]
    assert len(views) > 40
    reached = 0
    for view in views:
        codes = refused(view).union(*(reach(name, set()) for name in named(view)))
        reached += len(codes)
        assert codes - told[view.name] <= NEVER_COME_OUT.keys(), view.name
    assert reached > 200
