"""Whether facts keep their contract: nothing missing, nothing unknown, every value of the shape it was given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from app.notices.facts import FactsWrong, Issued

QR_LIMIT = 300  # characters of an address; more makes squares that a phone cannot tell apart


def check(
    kind: str, contract: type, facts: Mapping[str, Any], *, issued: bool = True, also: Iterable[str] = ()
) -> None:
    """Refuse facts that lack a required key, hold an unknown one, or have a value of another shape.

    `also` names keys that these very facts make necessary. `issued`: they hold the number and the time too.
    Raises FactsWrong.
    """
    hints = {**_hints(contract), **(_hints(Issued) if issued else {})}
    required = {*contract.__required_keys__, *(Issued.__required_keys__ if issued else ()), *also}  # type: ignore[attr-defined]
    missing = sorted(key for key in required if facts.get(key) in (None, "", []))
    unknown = sorted(set(facts) - set(hints))
    wrong = sorted(
        key
        for key, value in facts.items()
        if key in hints and value is not None and not (_fits(value, hints[key]) and _scans(key, value))
    )
    if missing or unknown or wrong:
        raise FactsWrong(f"{kind}: missing {missing}, unknown {unknown}, of the wrong shape {wrong}")


@cache
def _hints(contract: type) -> dict[str, Any]:
    return get_type_hints(contract)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a JSON value is what the hint says, entries of lists and their keys included."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, each) for each in get_args(hint))
    if origin is Literal:
        return value in get_args(hint)
    if origin is list:
        return isinstance(value, list | tuple) and all(_fits(each, get_args(hint)[0]) for each in value)
    if is_typeddict(hint):
        return isinstance(value, Mapping) and _keeps(value, hint)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, NoneType if hint is None else hint)


def _keeps(value: Mapping[str, Any], contract: Any) -> bool:
    hints = _hints(contract)
    complete = all(value.get(key) not in (None, "") or _fits(None, hints[key]) for key in contract.__required_keys__)
    known = set(value) <= set(hints)
    return complete and known and all(each is None or _fits(each, hints[key]) for key, each in value.items())


def _scans(key: str, value: Any) -> bool:
    """Whether an address can stand in a QR code."""
    return key != "qr_url" or (value.isascii() and len(value) <= QR_LIMIT)
