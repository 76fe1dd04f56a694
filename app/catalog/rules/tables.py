"""Strict reading of the catalogue's data files: a table has exactly the fields it should have, each of its kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from app.hall.rules.clock import Limit, Unit

HAN = re.compile("[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
"""Chinese characters and full-width marks: none of them may stand in an English text."""

ARTICLE = re.compile(r"第[一二三四五六七八九十百千零]+条(第[一二三四五六七八九十]+款)?")
"""An article of a law, as it is cited."""

NONE = "none"
"""How a data file says that there is no such limit: TOML has no null, and a missing field is a mistake."""


def read_table(entry: Any, names: Iterable[str], optional: Iterable[str] = ()) -> dict[str, Any]:
    """`entry` as a table with all of `names`, perhaps some of `optional`, and nothing else. Raises ValueError."""
    needed, allowed = set(names), set(names) | set(optional)
    if not isinstance(entry, dict):
        raise ValueError(f"not a table: {entry!r}")
    if not needed <= set(entry) <= allowed:
        raise ValueError(f"missing {sorted(needed - set(entry))}, unknown {sorted(set(entry) - allowed)}")
    return entry


def read_list(given: Mapping[str, Any], name: str) -> list[Any]:
    if not isinstance(given[name], list):
        raise ValueError(f"{name} is not a list")
    return given[name]


def read_text(given: Mapping[str, Any], name: str) -> str:
    """A text that is not empty and has no blanks around it."""
    value = given[name]
    if not isinstance(value, str) or not value or value != value.strip():
        raise ValueError(f"{name} is not a text: {value!r}")
    return value


def read_texts(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(read_text({name: value}, name) for value in read_list(given, name))


def read_integer(given: Mapping[str, Any], name: str) -> int:
    if type(given[name]) is not int:
        raise ValueError(f"{name} is not an integer: {given[name]!r}")
    return given[name]


def read_boolean(given: Mapping[str, Any], name: str) -> bool:
    if type(given[name]) is not bool:
        raise ValueError(f"{name} is not true or false: {given[name]!r}")
    return given[name]


def read_limit(entry: Any) -> Limit:
    """`{ amount = 20, unit = "WD" }`."""
    given = read_table(entry, ("amount", "unit"))
    return Limit(read_integer(given, "amount"), Unit(given["unit"]))


def read_limit_or_none(entry: Any) -> Limit | None:
    return None if entry == NONE else read_limit(entry)
