"""Checks of the one-thing themes: promises that fit into the whole, and one set of papers that covers every step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from app.catalog.rules.classes import SHORTEST_DAY_WH, limit_problems
from app.catalog.rules.csvfile import ItemRow
from app.catalog.rules.guide import Guide, MaterialKind
from app.catalog.rules.guides import MOST_COPIES, ZONES, own_faults
from app.catalog.rules.regimes import Regimes, newest
from app.catalog.rules.tables import ARTICLE, HAN
from app.catalog.rules.themes import Child, FieldType, Served, Theme, guide_of_child, parse_theme
from app.hall.rules.clock import Limit, Unit

THEME_CODE = re.compile("[a-z]+(-[a-z]+)*")
KEY = re.compile("[a-z][a-z_]*")


def read_themes(
    files: Mapping[str, str], rows: Iterable[ItemRow], guides: Mapping[str, Guide], regimes: Regimes
) -> dict[str, Theme]:
    """The themes of all files, one a file, by code. Raises ValueError that names the file and what is wrong in it.

    A theme must be about items of `rows` that have a written guide, keep every promise within the law's limit and
    the whole within its total, and ask for each paper that its children require exactly once.
    """
    items = {row.implementation_code: row for row in rows}
    themes: dict[str, Theme] = {}
    for file, document in files.items():
        try:
            theme = parse_theme(document)
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{file}: {error}") from error
        problems = list(faults(theme, items, guides, regimes))
        if theme.code in themes:
            problems.append("code stands twice")
        if problems:
            raise ValueError(f"{file}: {'; '.join(problems)}")
        themes[theme.code] = theme
    return themes


def faults(theme: Theme, items: Mapping[str, ItemRow], guides: Mapping[str, Guide], regimes: Regimes) -> Iterator[str]:
    """Everything that keeps a theme from being offered, in words for who wrote the file."""
    yield from _own_faults(theme)
    departments = {row.department for row in items.values()}
    for name in (theme.lead_department, *(stage.lead_department for stage in theme.stages)):
        if name not in departments:
            yield f"unknown department {name}"
    yield from _form_faults(theme)
    known: dict[str, Guide] = {}
    for child in theme.children:
        guide = guide_of_child(child, guides) if child.item in items else None
        if guide is None:
            yield f"{child.item} is no item with a written guide"
            continue
        if child.item in known:
            yield f"{child.item} stands twice"
        known[child.item] = guide
        yield from _child_faults(child, guide, departments)
    if theme.art26:
        joint = newest(regimes, theme.regime).joint_default
        if joint != theme.statutory:
            yield f"joint handling has the regime's joint limit, {joint}"
        if len({child.department for child in theme.children}) < 2:
            yield "joint handling of one department"
    yield from _limit_faults(theme)
    yield from _material_faults(theme, known)


def _own_faults(theme: Theme) -> Iterator[str]:
    if not THEME_CODE.fullmatch(theme.code):
        yield f"not a code: {theme.code}"
    if len(theme.zone) != 1 or theme.zone not in ZONES:
        yield f"unknown zone {theme.zone}"
    if not theme.children:
        yield "no children"
    if "《" not in theme.limit_source:
        yield "limit_source names no rule"
    yield from limit_problems(theme.time_class, theme.promised, theme.statutory)
    for basis in theme.legal_basis:
        if basis.article and not ARTICLE.fullmatch(basis.article):
            yield f"not an article: {basis.article}"
    english = (
        *(theme.name_en, theme.summary_en, theme.note_en, theme.result_name_en),
        *(field.label_en for field in theme.form),
        *(choice.name_en for field in theme.form for choice in field.choices),
        *(stage.name_en for stage in theme.stages),
        *(child.note_en for child in theme.children),
        *(merged.material.name_en for merged in theme.materials),
    )
    for words in english:
        if HAN.search(words):
            yield f"not English: {words}"


def _form_faults(theme: Theme) -> Iterator[str]:
    keys = [field.key for field in theme.form]
    if not keys or len(set(keys)) != len(keys):
        yield "the form has no field, or one twice"
    for field in theme.form:
        if not KEY.fullmatch(field.key):
            yield f"not a key: {field.key}"
        codes = [choice.code for choice in field.choices]
        if (field.type is FieldType.CHOICE) != bool(codes) or len(set(codes)) != len(codes) or len(codes) == 1:
            yield f"{field.key}: a choice has several choices of different codes, all else none"


def _child_faults(child: Child, guide: Guide, departments: set[str]) -> Iterator[str]:
    if child.guide is not None:
        yield from (f"{child.item}: {reason} {value}" for reason, value in own_faults(child.guide))
        if not child.note:
            yield f"{child.item}: an own guide without a note why"
        if unknown := set(child.guide.departments) - departments:
            yield f"{child.item}: unknown departments {sorted(unknown)}"
    if child.department not in guide.departments:
        yield f"{child.item} is not decided by {child.department}"
    if bool(child.note) != bool(child.note_en):
        yield f"{child.item}: a note in one language"
    for reason in limit_problems(guide.time_class, child.promised, guide.statutory):
        yield f"{child.item}: {reason}"


def _limit_faults(theme: Theme) -> Iterator[str]:
    """Steps in turn add up, steps side by side last as long as the longest; all of it within the promise."""
    positions = [child.position for child in theme.children]
    if positions != sorted(positions) or set(positions) != set(range(1, len(set(positions)) + 1)):
        yield "positions do not rise from 1 without a gap"
    codes = [stage.code for stage in theme.stages]
    if len(set(codes)) != len(codes):
        yield "a stage stands twice"
    if [code for code, _ in groupby(child.stage for child in theme.children)] != (codes or [""]):
        yield "children do not go through the stages in order, each once"
        return
    for stage in theme.stages:
        if not _fits([child for child in theme.children if child.stage == stage.code], stage.promised):
            yield f"the steps of {stage.code} last longer than its promise"
        if {child.position for child in theme.children if child.stage == stage.code} & {
            child.position for child in theme.children if child.stage != stage.code
        }:
            yield f"{stage.code} shares a position with another stage"
    if theme.stages:
        units = {stage.promised.unit for stage in theme.stages}
        if units != {theme.promised.unit} or sum(s.promised.amount for s in theme.stages) != theme.promised.amount:
            yield "the stages do not add up to the promise"
    elif not _fits(theme.children, theme.promised):
        yield "the steps last longer than the promise"


def _fits(children: Iterable[Child], promised: Limit) -> bool:
    """Hours are added as hours where the promise is one of hours; in days, a step of hours takes a day."""
    total = 0
    for _, group in groupby(children, key=lambda child: child.position):
        lengths = [_length(child.promised, promised.unit) for child in group]
        if None in lengths:
            return False
        total += max(length for length in lengths if length is not None)
    return total <= promised.amount


def _length(limit: Limit, unit: Unit) -> int | None:
    if limit.unit is unit:
        return limit.amount
    if limit.unit is Unit.WH and unit is Unit.WD:
        return -(-limit.amount // SHORTEST_DAY_WH)
    return None


def _material_faults(theme: Theme, guides: Mapping[str, Guide]) -> Iterator[str]:
    """Whether one set of papers covers what every child asks for: each required one exactly once, none unknown."""
    asked = {Served(item, material.code): material for item, guide in guides.items() for material in guide.materials}
    codes = [merged.material.code for merged in theme.materials]
    if codes != [f"M{place}" for place in range(1, len(codes) + 1)]:
        yield "materials are not M1, M2, … in order"
    given: list[Served] = [Served(handed.item, handed.material) for handed in theme.handed_on]
    for merged in theme.materials:
        given.extend(merged.serves)
        served = [asked[one] for one in merged.serves if one in asked]
        if not merged.serves:
            yield f"{merged.material.code} serves nothing"
        if not max((paper.copies for paper in served), default=1) <= merged.material.copies <= MOST_COPIES:
            yield f"{merged.material.code} has too few copies"
        if merged.material.required != any(paper.required for paper in served):
            yield f"{merged.material.code} is required when one that it serves is"
        main = any(paper.kind is MaterialKind.MAIN for paper in served)
        if (merged.material.kind is MaterialKind.MAIN) != main:
            yield f"{merged.material.code} is a main paper when one that it serves is"
    for one in given:
        if one not in asked:
            yield f"{one.item} asks for no {one.material}"
    for one in sorted(set(given), key=lambda served: (served.item, served.material)):
        if given.count(one) > 1:
            yield f"{one.item} {one.material} is given twice"
    for one, paper in asked.items():
        if paper.required and one not in given:
            yield f"nothing serves {one.item} {one.material} {paper.name}"
    positions = {child.item: child.position for child in theme.children}
    for handed in theme.handed_on:
        if not positions.get(handed.made_by, len(positions) + 1) < positions.get(handed.item, 0):
            yield f"{handed.material} of {handed.item} is not made by an earlier step"
