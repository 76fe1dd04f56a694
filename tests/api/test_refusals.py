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
    "item.unknown": "an errand names an item that was there when it was ordered",
    "ticket.unknown": "call_next loads the ticket it has just chosen",
    "hall.unknown": "the hall comes from a row",
    "case.unknown": "the case was found a line before",
    "notice.unknown": "a list does not open a notice",
    "text.empty": "an empty reason is let through or refused before",
    "text.invalid": "the path was read as plain ASCII",
    "text.too_long": "the same",
}


_PART = {"case.illegal_step"}  # a part's step was looked up before, or the whole's own step refuses first
NEVER_HERE: dict[str, set[str]] = {
    "accept_joint_case": _PART  # it is accepted whole: no pledge stands in for a paper
    | {"case.tolerant_main", "case.tolerant_commitment", "case.tolerant_gap"}
    | {"case.not_on_commitment", "case.commitment_required"},
    "request_joint_supplement": _PART | {"auth.foreign_department", "case.not_authorised"},  # before any department
    "supply_joint_case": _PART,
    "ready_joint_case": _PART,
    "hand_over_joint_case": _PART | {"case.signature"},  # the API takes no drawing
    "withdraw_joint_case": _PART,
    "query_joint_case": {"joint.unknown"},  # found by number and code
    "arrive_manifest": _PART,
    # the paper is in somebody's hand: no closed queue refuses it, and no person is named
    "reconcile_block": {"queue.closed", "queue.closed_for_today", "person.bad_id", "person.bad_phone"},
}

Place = tuple[str, str]  # module and function


class Modules:
    """The functions of the app's modules, and what each name in them means."""

    def __init__(self, files: Iterator[Path]) -> None:
        self.functions: dict[Place, ast.AST] = {}
        self._means: dict[Place, Place] = {}  # a module's own name → where it comes from
        for file in files:
            module = ".".join(file.relative_to(APP.parent).with_suffix("").parts)
            for node in ast.parse(file.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.FunctionDef):
                    self.functions[module, node.name] = node
                elif isinstance(node, ast.Expr) and ast.unparse(node).startswith("step("):
                    name, action = step_of(node.value)
                    self.functions[module, name] = action
                elif isinstance(node, ast.ImportFrom):
                    for name in node.names:
                        self._means[module, name.asname or name.name] = (node.module or "", name.name)

    def called(self, module: str, node: ast.AST) -> set[Place]:
        """The functions that a function calls, or hands as the first to what it calls."""
        calls = [n for n in ast.walk(node) if isinstance(n, ast.Call)]
        spoken = [self._place(module, part) for call in calls for part in (call.func, *call.args[:1])]
        return {place for place in spoken if place in self.functions}

    def _place(self, module: str, part: ast.expr) -> Place:
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
            room, name = self._means.get((module, part.value.id), ("", ""))
            return f"{room}.{name}", part.attr
        name = getattr(part, "id", "")
        return (module, name) if (module, name) in self.functions else self._means.get((module, name), ("", ""))


def step_of(said: ast.expr) -> tuple[str, ast.Call]:
    """The name of a step in the document, and the call of its action: all that its view does besides finding."""
    assert isinstance(said, ast.Call)
    action = said.args[1]
    assert isinstance(action, ast.Attribute)
    named = [ast.literal_eval(keyword.value) for keyword in said.keywords if keyword.arg == "named"]
    return (named or [action.attr])[0], ast.Call(func=action, args=[], keywords=[])


def refused(node: ast.AST) -> set[str]:
    """The codes of the Refusals that a function raises itself."""
    calls = (n for n in ast.walk(node) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "Refusal")
    return {call.args[0].value for call in calls if call.args and isinstance(call.args[0], ast.Constant)}


def test_the_document_tells_what_the_code_can_refuse(ask: Asking) -> None:
    below = [f for room in BELOW for f in ([APP / room] if room.endswith(".py") else sorted((APP / room).glob("*.py")))]
    modules = Modules(iter([*below, *sorted((APP / "api").glob("*.py"))]))

    def reach(place: Place, seen: set[Place]) -> set[str]:
        if place in seen:
            return set()
        seen.add(place)
        node = modules.functions[place]
        return refused(node).union(*(reach(called, seen) for called in modules.called(place[0], node)))

    told: dict[str, set[str]] = {}
    for _path, _method, operation in operations(ask.document):
        for answer in operation["responses"].values():
            for schema in answer.get("content", {}).get("application/problem+json", {}).values():
                codes = schema["allOf"][1]["properties"]["code"]["enum"]
                told.setdefault(operation["operationId"], set()).update(codes)
    views = [place for place in modules.functions if place[0].startswith("app.api.") and place[1] in told]
    assert len(views) > 40
    reached, untold = 0, {}
    for place in views:
        codes = reach(place, set())
        reached += len(codes)
        untold[place[1]] = codes - told[place[1]] - NEVER_COME_OUT.keys() - NEVER_HERE.get(place[1], set())
    assert {view: sorted(codes) for view, codes in untold.items() if codes} == {}
    assert reached > 200
