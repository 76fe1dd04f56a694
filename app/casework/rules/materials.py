"""Which papers a case still lacks, and which of them may wait (DOMAIN C2–C4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class MaterialState(StrEnum):
    RECEIVED = "received"  # 已收
    MISSING = "missing"  # 未收
    NOT_NEEDED = "not_needed"  # 不适用
    SHARED = "shared"  # 共享获取


BROUGHT = frozenset({MaterialState.RECEIVED, MaterialState.SHARED})
"""States of a paper that lies with the case."""

HERE = BROUGHT | {MaterialState.NOT_NEEDED}
"""States in which nobody waits for a paper that is not required."""


def settles(state: str, *, required: bool) -> bool:
    """Whether nobody waits for a paper in this state: a required one is never `not_needed`."""
    return state in (BROUGHT if required else HERE)


@dataclass(frozen=True, slots=True)
class Paper:
    """One material of an item as the rules see it."""

    code: str
    name: str
    main: bool
    required: bool
    sharable: bool


def missing(papers: Iterable[Paper], states: Mapping[str, str]) -> list[Paper]:
    """The papers that an acceptance still waits for: required ones, and those said to be missing.

    A paper nobody has spoken of counts as missing if it is required. Only a paper that is not required can be
    `not_needed`: a required one so marked is missing still.
    """
    return [paper for paper in papers if paper.required and states.get(paper.code) not in BROUGHT]


def may_tolerate(lacking: Iterable[Paper]) -> bool:
    """Whether every missing paper is a secondary one, so that the case may be accepted on a commitment (C4)."""
    return all(not paper.main for paper in lacking)
