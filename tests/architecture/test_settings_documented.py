"""The settings table of docs/operations.md names every setting, no other, and its default."""

from __future__ import annotations

import re
from dataclasses import MISSING, Field, fields
from pathlib import Path

from app.config import Settings
from tools.docs import ROOT

ROW = re.compile(r"^\| `(HALL_[A-Z_]+)` \| (`[^`]*`|\(empty\)) \| (.+) \|$", re.MULTILINE)


def documented(text: str) -> dict[str, str]:
    """Name → default as the table gives it, in the table's order."""
    return {name: default.strip("`") for name, default, _ in ROW.findall(text)}


def default_of(field: Field[object]) -> str:
    """A field's default as somebody would write it into the environment; `(empty)` for nothing."""
    value = field.default if field.default is not MISSING else field.default_factory()  # type: ignore[misc]
    if isinstance(value, bool):
        return str(int(value))
    return str(value) if isinstance(value, int | str | Path) and str(value) else "(empty)"


def settings() -> dict[str, str]:
    return {f"HALL_{field.name.upper()}": default_of(field) for field in fields(Settings)}


def test_every_setting_stands_in_the_table_with_its_default() -> None:
    assert documented((ROOT / "docs" / "operations.md").read_text()) == settings()


def test_a_setting_left_out_or_with_another_default_is_found() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    assert documented(text.replace("`HALL_PORT`", "HALL_PORT")) != settings()
    assert documented(text.replace("| `8000` |", "| `80` |")) != settings()


def test_no_page_speaks_of_a_setting_that_is_not() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        named = set(re.findall(r"\bHALL_[A-Z_]+[A-Z]\b", page.read_text()))
        assert sorted(named - set(settings())) == [], page.name


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
            if not re.match(r"[a-z]+:", target):
                assert (page.parent / target).exists(), (page.name, target)
