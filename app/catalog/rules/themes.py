"""One-thing themes 一件事: several items handled as one, with one form, one set of materials and one promise (DOMAIN C11)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.catalog.rules.classes import TimeClass
from app.catalog.rules.guide import Guide, LegalBasis, Material, MaterialForm, MaterialKind, Regime
from app.catalog.rules.guides import read_guide, read_legal_basis
from app.catalog.rules.tables import (
    read_boolean,
    read_integer,
    read_limit,
    read_list,
    read_table,
    read_text,
    read_texts,
)
from app.hall.rules.clock import Limit


class FieldType(StrEnum):
    TEXT = "text"  # 文字
    ID = "id"  # 证件号码
    PHONE = "phone"  # 电话
    NUMBER = "number"  # 数字
    CHOICE = "choice"  # 选项
    ADDRESS = "address"  # 地址


@dataclass(frozen=True, slots=True)
class Choice:
    code: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class FormField:
    """One field of the merged form. `choices` only for a choice; a `person` is named by the answer."""

    key: str
    label: str
    label_en: str
    type: FieldType
    required: bool
    choices: tuple[Choice, ...] = ()
    person: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a theme with a lead and a promise of its own (工程建设项目审批阶段)."""

    code: str
    name: str
    name_en: str
    lead_department: str
    promised: Limit


@dataclass(frozen=True, slots=True)
class Child:
    """One step: an item of the catalogue with the theme's promise. `key` is its name within the file.

    Equal `position`: side by side; a later one begins when all earlier ones are decided. `guide`: the theme's own,
    for a step that the catalogue lacks and that stands on the nearest item, as `note` says; else the item's.
    """

    key: str
    item: str
    name: str
    department: str
    promised: Limit
    position: int
    stage: str
    note: str
    note_en: str
    guide: Guide | None


@dataclass(frozen=True, slots=True)
class Served:
    """A material of a child."""

    item: str
    material: str


@dataclass(frozen=True, slots=True)
class MergedMaterial:
    """A paper that is brought once and serves one or several children; its own fields are those of `Material`."""

    material: Material
    serves: tuple[Served, ...]


@dataclass(frozen=True, slots=True)
class HandedOn:
    """A child's material that the result of an earlier child is; nobody brings it."""

    item: str
    material: str
    made_by: str


@dataclass(frozen=True, slots=True)
class Theme:
    """`art26`: joint licensing (行政许可法 §26), so the regime's joint limits hold; else the promised total."""

    code: str
    name: str
    name_en: str
    summary: str
    summary_en: str
    zone: str
    lead_department: str
    art26: bool
    regime: Regime
    time_class: TimeClass
    promised: Limit
    statutory: Limit
    limit_source: str
    note: str
    note_en: str
    result_name: str
    result_name_en: str
    legal_basis: tuple[LegalBasis, ...]
    form: tuple[FormField, ...]
    stages: tuple[Stage, ...]
    children: tuple[Child, ...]
    materials: tuple[MergedMaterial, ...]
    handed_on: tuple[HandedOn, ...]


TEXTS = (
    *("code", "name", "name_en", "summary", "summary_en", "zone", "lead_department", "limit_source"),
    *("note", "note_en", "result_name", "result_name_en"),
)
MATERIAL_TEXTS = ("code", "name", "name_en", "source")
LISTS = ("legal_basis", "form", "children", "materials")


def guide_of_child(child: Child, guides: Mapping[str, Guide]) -> Guide | None:
    """The guide that a step follows: the theme's own, else the written one of its item."""
    return child.guide or guides.get(child.item)


def parse_theme(document: str) -> Theme:
    """The theme of one file (`[theme]`), to form but not yet checked against the catalogue. Raises ValueError."""
    names = (*TEXTS, "art26", "regime", "time_class", "promised", "statutory", *LISTS)
    entry = read_table(tomllib.loads(document), ("theme",))["theme"]
    given = read_table(entry, names, optional=("stages", "handed_on"))
    children = tuple(map(_child, read_list(given, "children")))
    keys = {child.key: child.item for child in children}
    if len(keys) != len(children):
        raise ValueError("a child's key stands twice")
    return Theme(
        **{name: read_text(given, name) for name in TEXTS},
        art26=read_boolean(given, "art26"),
        regime=Regime(given["regime"]),
        time_class=TimeClass(given["time_class"]),
        promised=read_limit(given["promised"]),
        statutory=read_limit(given["statutory"]),
        legal_basis=tuple(map(read_legal_basis, read_list(given, "legal_basis"))),
        form=tuple(map(_field, read_list(given, "form"))),
        stages=tuple(map(_stage, read_list(given, "stages"))) if "stages" in given else (),
        children=children,
        materials=tuple(_material(material, keys) for material in read_list(given, "materials")),
        handed_on=tuple(_handed_on(handed, keys) for handed in given.get("handed_on", ())),
    )


def _field(entry: Any) -> FormField:
    given = read_table(entry, ("key", "label", "label_en", "type", "required"), optional=("choices", "person"))
    return FormField(
        **{name: read_text(given, name) for name in ("key", "label", "label_en")},
        type=FieldType(given["type"]),
        required=read_boolean(given, "required"),
        choices=tuple(map(_choice, read_list(given, "choices"))) if "choices" in given else (),
        person="person" in given and read_boolean(given, "person"),
    )


def _choice(entry: Any) -> Choice:
    given = read_table(entry, ("code", "name", "name_en"))
    return Choice(**{name: read_text(given, name) for name in given})


def _stage(entry: Any) -> Stage:
    given = read_table(entry, ("code", "name", "name_en", "lead_department", "promised"))
    words = {name: read_text(given, name) for name in given if name != "promised"}
    return Stage(**words, promised=read_limit(given["promised"]))


def _child(entry: Any) -> Child:
    given = read_table(
        entry,
        ("key", "item", "name", "department", "promised", "position"),
        optional=("stage", "note", "note_en", "guide"),
    )
    return Child(
        **{name: read_text(given, name) for name in ("key", "item", "name", "department")},
        **{name: read_text(given, name) if name in given else "" for name in ("stage", "note", "note_en")},
        promised=read_limit(given["promised"]),
        position=read_integer(given, "position"),
        guide=read_guide({"code": given["item"], **given["guide"]}, "") if "guide" in given else None,
    )


def _material(entry: Any, keys: Mapping[str, str]) -> MergedMaterial:
    names = (*MATERIAL_TEXTS, "kind", "form", "copies", "sharable", "required", "serves")
    given = read_table(entry, names)
    material = Material(
        **{name: read_text(given, name) for name in MATERIAL_TEXTS},
        kind=MaterialKind(given["kind"]),
        form=MaterialForm(given["form"]),
        copies=read_integer(given, "copies"),
        sharable=read_boolean(given, "sharable"),
        required=read_boolean(given, "required"),
    )
    return MergedMaterial(material, tuple(_served(words, keys) for words in read_texts(given, "serves")))


def _served(words: str, keys: Mapping[str, str]) -> Served:
    """`company M3`: material M3 of the child whose key is company."""
    key, _, material = words.partition(" ")
    if key not in keys:
        raise ValueError(f"no child {key!r}")
    return Served(keys[key], material)


def _handed_on(entry: Any, keys: Mapping[str, str]) -> HandedOn:
    given = read_table(entry, ("material", "made_by"))
    served = _served(read_text(given, "material"), keys)
    if given["made_by"] not in keys:
        raise ValueError(f"no child {given['made_by']!r}")
    return HandedOn(served.item, served.material, keys[given["made_by"]])
