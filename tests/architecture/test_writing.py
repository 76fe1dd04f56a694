"""Who may write to the database and how: one place commits, nothing is unpickled, the clock is asked in one place."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.architecture.test_language import sources

COMMITS = {("app/db.py", "transaction"), ("app/action.py", "Transaction")}  # the second only a part of the first
WRITES_ONCE = {("app/demo.py", "found_network")}  # before there is a head to lock
CODE_ROOMS = ("app", "workers", "displays", "printers", "migrations", "benchmarks", "tools")


def calls(tree: ast.Module) -> list[tuple[str, ast.Call]]:
    """(name of the outermost function or class, call) of every call."""
    found = []
    for top in tree.body:
        name = getattr(top, "name", "")
        found += [(name, node) for node in ast.walk(top) if isinstance(node, ast.Call)]
    return found


def test_only_a_transaction_commits() -> None:
    seen = set()
    for path, tree in sources("app", "workers", "displays", "printers"):
        for inside, call in calls(tree):
            if isinstance(call.func, ast.Attribute) and call.func.attr in ("commit", "begin", "begin_nested"):
                seen.add((path.as_posix(), inside))
    assert seen - WRITES_ONCE == COMMITS


def test_queries_write_nothing() -> None:
    """No insert, update, delete, add or flush in rooms that only read."""
    writing = {"insert", "update", "delete", "add", "add_all", "merge", "flush"}
    seen = []
    for path, tree in sources("app"):
        if path.name != "queries.py":
            continue
        for inside, call in calls(tree):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            owner = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
            if name in writing and (not owner or "session" in owner or owner in ("tx", "db")):
                seen.append(f"{path}:{inside}:{name}")
        names = {a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}
        assert not names & {"insert", "update", "delete"}, path
    assert seen == []


@cache
def imports() -> dict[str, set[str]]:
    """First name of whatever is imported anywhere → the files that do."""
    found: dict[str, set[str]] = {}
    for path, tree in sources(*CODE_ROOMS):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            else:
                continue
            for name in names:
                found.setdefault(name.split(".")[0], set()).add(path.as_posix())
    return found


@pytest.mark.parametrize("module", ["pickle", "marshal", "shelve", "dill", "cloudpickle", "eventlet"])
def test_what_is_never_imported(module: str) -> None:
    assert sorted(imports().get(module, ())) == []
    assert "app/factory.py" in imports()["flask"]


def test_jobs_travel_as_json() -> None:
    """Every RQ queue and worker is told so: its own default is pickle."""
    found = 0
    for path, tree in sources("workers"):
        for _, call in calls(tree):
            name = call.func.id if isinstance(call.func, ast.Name) else ""
            if name in ("Queue", "Bench", "Worker") or name.endswith("Worker"):
                found += 1
                given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
                assert "JSON" in given.get("serializer", ""), (path, name)
    assert found >= 2


def test_the_wall_clock_is_asked_in_one_place() -> None:
    for path, tree in sources("app", "displays", "printers"):
        if path.as_posix() == "app/now.py":
            continue
        for inside, call in calls(tree):
            text = ast.unparse(call.func)
            assert not re.fullmatch(r"(datetime\.)?(datetime|date)\.(now|utcnow|today)", text), (path, inside)
