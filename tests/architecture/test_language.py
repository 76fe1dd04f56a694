"""What the house says: refusals with codes that exist and are used, events that happen, sentences in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from app import events
from app.errors import REFUSALS
from app.events import KINDS
from tools import translations
from tools.docs import ROOT, actions, recorders

ROOMS = ("app", "workers", "displays", "printers")
CODE = re.compile(r"[a-z_]+\.[a-z_]+")


@cache
def source(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def sources(*rooms: str) -> Iterator[tuple[Path, ast.Module]]:
    for room in rooms:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield path.relative_to(ROOT), source(path)


@cache
def raised() -> set[str]:
    """Codes given to Refusal(…) as they stand."""
    found = set()
    for _, tree in sources(*ROOMS):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "Refusal":
                found |= {each.value for each in ast.walk(node.args[0]) if isinstance(each, ast.Constant)}
    return {code for code in found if isinstance(code, str) and CODE.fullmatch(code)}


def promised() -> set[str]:
    """Codes that routes and docstrings of actions say they may answer with."""
    found = set()
    for _, tree in sources("app"):
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "refuses":
                for each in ast.walk(node.value):
                    if isinstance(each, ast.Constant) and isinstance(each.value, str):
                        found |= set(CODE.findall(each.value))
    for fact in actions():
        found |= set(CODE.findall(fact.refuses))
    return found


def mentioned() -> set[str]:
    """Every string of the code that could be a code, but for what routes only promise."""
    found = set()
    for path, tree in sources(*ROOMS):
        if path.as_posix() == "app/errors.py":
            continue
        promises = {
            id(each)
            for node in ast.walk(tree)
            if isinstance(node, ast.keyword) and node.arg == "refuses"
            for each in ast.walk(node.value)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in promises:
                found.add(node.value)
    return found


def test_every_refusal_has_a_sentence() -> None:
    assert sorted(raised() - set(REFUSALS)) == []
    assert len(raised()) > 60


def test_every_promised_refusal_exists() -> None:
    assert sorted(promised() - set(REFUSALS)) == []


def test_every_sentence_is_said_somewhere() -> None:
    assert sorted(set(REFUSALS) - mentioned()) == []


def test_sentences_are_in_their_language_and_ask_for_the_same_facts() -> None:
    for code, (status, zh, en) in REFUSALS.items():
        assert 400 <= status <= 503, code
        assert re.search(r"[\u4e00-\u9fff]", zh) and not re.search(r"[\u4e00-\u9fff]", en), code
        asked = sorted(re.findall(r"\{(\w+)\}", zh))
        assert asked == sorted(name.removesuffix("_en") for name in re.findall(r"\{(\w+)\}", en)), code


def test_every_event_happens_somewhere_and_is_written_down() -> None:
    assert sorted(kind for kind, places in recorders().items() if not places) == []
    page = (ROOT / "docs" / "events.md").read_text()
    assert sorted(kind for kind in KINDS if f"| `{kind}` |" not in page) == []


def test_every_event_is_imported_from_one_place() -> None:
    assert [cls.__name__ for cls in KINDS.values() if getattr(events, cls.__name__, None) is not cls] == []


def test_every_action_says_which_lock_it_takes() -> None:
    facts = actions()
    assert len(facts) > 45
    for fact in facts:
        says_network = "Locks the network" in fact.doc or "takes the network's own lock" in fact.doc
        assert says_network == fact.network, fact.name
        assert fact.network or "Locks the hall" in fact.doc, fact.name


def test_every_chinese_sentence_of_the_pages_has_its_english() -> None:
    assert translations.missing() == []


def test_pages_of_the_documentation_are_in_step() -> None:
    from tools.docs import stale

    assert stale() == []


def test_a_page_out_of_step_is_found(tmp_path: Path, monkeypatch: object) -> None:
    import tools.docs as docs

    for path, make in docs.pages().items():
        (tmp_path / path.name).write_text(make() + ("x" if path.name == "events.md" else ""))
    monkeypatch.setattr(docs, "DOCS", tmp_path)  # type: ignore[attr-defined]
    assert docs.stale() == ["events.md"]
