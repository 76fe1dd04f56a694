"""Guide files: reads the guides written by hand, refuses what is not to form, gives the rest a default."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from app.catalog.rules.classes import TimeClass, limit_problems, not_longer
from app.catalog.rules.csvfile import ItemRow, TaskType
from app.catalog.rules.guide import (
    Channel,
    Commitment,
    Fee,
    Guide,
    GuideSource,
    LegalBasis,
    Material,
    MaterialForm,
    MaterialKind,
    Names,
    Regime,
    ResultKind,
    Routing,
)
from app.catalog.rules.regimes import Regimes, newest
from app.catalog.rules.tables import (
    ARTICLE,
    HAN,
    read_boolean,
    read_integer,
    read_limit,
    read_list,
    read_table,
    read_text,
    read_texts,
)
from app.catalog.rules.zones import zone_of
from app.hall.rules.clock import Limit, Unit

ZONES = "ABCDEF"
MOST_COPIES = 9
MOST_VISITS = 3
MOST_SIGNATURES = 4

REGIMES: dict[TaskType, Regime] = {
    TaskType.LICENSING: Regime.LICENSING,
    TaskType.PAYMENT: Regime.PUBLIC_SERVICE,
    TaskType.CONFIRMATION: Regime.CONFIRMATION,
    TaskType.REWARD: Regime.CONFIRMATION,
    TaskType.ADJUDICATION: Regime.CONFIRMATION,
    TaskType.OTHER_POWER: Regime.CONFIRMATION,
    TaskType.PUBLIC_SERVICE: Regime.PUBLIC_SERVICE,
}
"""The regime of every type of item; a written guide says otherwise only with a reason (`regime_because`)."""

DERIVED = frozenset({"source", "theme"})
OPTIONAL = frozenset({"gap_pass", "commitment", "signatures", "regime_because"})
TEXTS = ("code", "name_en", "zone", "limit_source", "result_name", "result_name_en")
MATERIAL_TEXTS = ("code", "name", "name_en", "source")


@dataclass(frozen=True, slots=True)
class GuideProblem:
    """Something wrong in a guide file: which guide, why, and the value in question."""

    file: str
    code: str
    reason: str
    value: str = ""


def read_guides(
    files: Mapping[str, str], rows: Iterable[ItemRow], regimes: Regimes
) -> tuple[dict[str, Guide], list[GuideProblem]]:
    """The written guides of all files by implementation code, and everything wrong with the others.

    `files` maps each file's name to its text. Besides its own form (`parse_guides`), a guide must be about
    an item of `rows` and the only one about it, have the item's owner and no unknown department among the
    deciding ones, follow the regime of the item's type or say why it does not, and name a law where its
    statutory limit is longer than the regime's own (K5).
    """
    items = {row.implementation_code: row for row in rows}
    departments = {row.department for row in items.values()}
    guides: dict[str, Guide] = {}
    problems: list[GuideProblem] = []
    for file, text in files.items():
        parsed, found = parse_guides(file, text)
        problems.extend(found)
        for guide in parsed:
            wrong = list(_catalogue_faults(guide, items.get(guide.code), departments, regimes))
            if guide.code in guides:
                wrong.append(("code.twice", guide.code))
            problems.extend(GuideProblem(file, guide.code, reason, value) for reason, value in wrong)
            if not wrong:
                guides[guide.code] = guide
    return guides, problems


def parse_guides(file: str, text: str) -> tuple[list[Guide], list[GuideProblem]]:
    """The guides of one file (`theme = "…"`, `[[guide]]` tables) and what keeps the others from being read.

    A guide has exactly the fields of `Guide` but source and theme, those of `OPTIONAL` where it needs them, its
    materials exactly those of `Material`; `fee` is "free" or a table; a legal basis may lack its article.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return [], [GuideProblem(file, "", "file.not_toml", str(error))]
    theme, entries = document.get("theme"), document.get("guide")
    if set(document) != {"theme", "guide"} or not isinstance(theme, str) or not isinstance(entries, list):
        return [], [GuideProblem(file, "", "file.not_theme_and_guides")]
    guides: list[Guide] = []
    problems: list[GuideProblem] = []
    for entry in entries:
        code = str(entry.get("code", "")) if isinstance(entry, dict) else ""
        try:
            guide = read_guide(entry, theme)
        except ValueError as error:
            problems.append(GuideProblem(file, code, "guide.not_to_form", str(error)))
            continue
        wrong = [GuideProblem(file, code, reason, value) for reason, value in own_faults(guide)]
        problems.extend(wrong)
        if not wrong:
            guides.append(guide)
    return guides, problems


def parse_names(text: str) -> Names:
    """The names of zones and departments (`names.toml`). Raises ValueError when they are not to form."""
    document = read_table(tomllib.loads(text), {"zones", "departments"})
    departments = document["departments"]
    if not isinstance(departments, dict):
        raise ValueError("departments is not a table")
    zones = {
        prefix: read_table(zone, {"zh", "en"}) for prefix, zone in read_table(document["zones"], set(ZONES)).items()
    }
    for name in (*departments.values(), *(zone["en"] for zone in zones.values())):
        if not isinstance(name, str) or not name.strip() or HAN.search(name):
            raise ValueError(f"not an English name: {name!r}")
    return Names(
        departments_en=dict(departments),
        zones_zh={prefix: zone["zh"] for prefix, zone in zones.items()},
        zones_en={prefix: zone["en"] for prefix, zone in zones.items()},
    )


def default_guide(row: ItemRow) -> Guide:
    """The guide of an item for which nobody has written one; its source says so, and so must every page.

    Licensing: 10 working days promised, 20 by law (行政许可法 §42). All else: 5 and 20, which no law sets.
    """
    licensing = row.task_type is TaskType.LICENSING
    limit_source = "默认值，待部门填写"
    if licensing:
        limit_source += "；法定期限为《中华人民共和国行政许可法》第四十二条的一般期限"
    return Guide(
        code=row.implementation_code,
        name_en="",
        zone=zone_of(row),
        time_class=TimeClass.MULTI_DAY,
        promised=Limit(10 if licensing else 5, Unit.WD),
        statutory=Limit(20, Unit.WD),
        limit_source=limit_source,
        regime=REGIMES[row.task_type],
        fee=Fee(),
        legal_basis=(),
        departments=(row.department,),
        routing=Routing.IN_TURN,
        chief_may_decide=False,
        result_name="办理结果",
        result_name_en="Result",
        result_kind=ResultKind.APPROVAL if licensing else ResultKind.ANSWER,
        visits=1,
        channels=(Channel.WINDOW,),
        conditions=(),
        conditions_en=(),
        materials=DEFAULT_MATERIALS,
        source=GuideSource.DEFAULT,
    )


DEFAULT_MATERIALS = (
    Material(
        code="M1",
        name="申请人身份证明（个人为身份证，单位为营业执照或者法人证书）",
        name_en="Applicant's identity document (ID card, or licence of an organisation)",
        kind=MaterialKind.MAIN,
        form=MaterialForm.BOTH,
        copies=1,
        sharable=True,
        source="公安机关或者登记机关",
        required=True,
    ),
    Material(
        code="M2",
        name="申请表",
        name_en="Application form",
        kind=MaterialKind.MAIN,
        form=MaterialForm.ORIGINAL,
        copies=1,
        sharable=False,
        source="申请人自备（窗口提供格式文本）",
        required=True,
    ),
)


def guide_of(row: ItemRow, written: Mapping[str, Guide]) -> Guide:
    """The written guide of an item, or else its default."""
    return written.get(row.implementation_code) or default_guide(row)


def read_guide(entry: Any, theme: str) -> Guide:
    """One guide of a file. Raises ValueError when it is not to form; `own_faults` says what else may be wrong."""
    given = read_table(entry, {field.name for field in fields(Guide)} - DERIVED - OPTIONAL, OPTIONAL)
    return Guide(
        **{name: read_text(given, name) for name in TEXTS},
        time_class=TimeClass(given["time_class"]),
        promised=read_limit(given["promised"]),
        statutory=read_limit(given["statutory"]),
        regime=Regime(given["regime"]),
        fee=_fee(given["fee"]),
        legal_basis=tuple(read_legal_basis(basis) for basis in read_list(given, "legal_basis")),
        departments=read_texts(given, "departments"),
        routing=Routing(given["routing"]),
        chief_may_decide=read_boolean(given, "chief_may_decide"),
        result_kind=ResultKind(given["result_kind"]),
        visits=read_integer(given, "visits"),
        channels=tuple(Channel(channel) for channel in read_list(given, "channels")),
        conditions=read_texts(given, "conditions"),
        conditions_en=read_texts(given, "conditions_en"),
        materials=tuple(_material(material) for material in read_list(given, "materials")),
        source=GuideSource.WRITTEN,
        theme=theme,
        gap_pass=read_boolean(given, "gap_pass") if "gap_pass" in given else False,
        commitment=_commitment(given["commitment"]) if "commitment" in given else None,
        signatures=read_integer(given, "signatures") if "signatures" in given else 2,
        regime_because=read_text(given, "regime_because") if "regime_because" in given else "",
    )


def _commitment(entry: Any) -> Commitment:
    given = read_table(entry, ("check_within", "conditions", "conditions_en"))
    return Commitment(
        check_within=read_limit(given["check_within"]),
        conditions=read_texts(given, "conditions"),
        conditions_en=read_texts(given, "conditions_en"),
    )


def _material(entry: Any) -> Material:
    given = read_table(entry, {field.name for field in fields(Material)})
    return Material(
        **{name: read_text(given, name) for name in MATERIAL_TEXTS},
        kind=MaterialKind(given["kind"]),
        form=MaterialForm(given["form"]),
        copies=read_integer(given, "copies"),
        sharable=read_boolean(given, "sharable"),
        required=read_boolean(given, "required"),
    )


def _fee(entry: Any) -> Fee:
    if entry == "free":
        return Fee()
    given = read_table(entry, {"amount_fen", "basis"}, optional={"pay_within"})
    within = read_limit(given["pay_within"]) if "pay_within" in given else None
    return Fee(read_integer(given, "amount_fen"), read_text(given, "basis"), within)


def read_legal_basis(entry: Any) -> LegalBasis:
    """A law, perhaps with its article."""
    given = read_table(entry, {"law", "article"} if isinstance(entry, dict) and "article" in entry else {"law"})
    return LegalBasis(**{name: read_text(given, name) for name in given})


def own_faults(guide: Guide) -> Iterator[tuple[str, str]]:
    """What is wrong with a guide by itself: reason codes, each with the value in question."""
    for reason in limit_problems(guide.time_class, guide.promised, guide.statutory):
        yield reason, " / ".join(f"{each.amount} {each.unit}" for each in (guide.promised, guide.statutory))
    if guide.zone not in ZONES or len(guide.zone) != 1:
        yield "zone.unknown", guide.zone
    if not 0 <= guide.visits <= MOST_VISITS:
        yield "visits.out_of_range", str(guide.visits)
    if guide.fee.amount_fen < 0:
        yield "fee.negative", str(guide.fee.amount_fen)
    for name in ("departments", "channels", "legal_basis", "materials", "conditions"):
        values = getattr(guide, name)
        if not values:
            yield f"{name}.none", ""
        if len(set(values)) != len(values):
            yield f"{name}.twice", ""
    if len(guide.conditions) != len(guide.conditions_en):
        yield "conditions.untranslated", ""
    if not 1 <= guide.signatures <= MOST_SIGNATURES:
        yield "signatures.out_of_range", str(guide.signatures)
    if guide.gap_pass and not any(m.kind is MaterialKind.SECONDARY and m.required for m in guide.materials):
        yield "gap_pass.nothing_to_lack", guide.code
    yield from _commitment_faults(guide)
    for basis in guide.legal_basis:
        if basis.article and not ARTICLE.fullmatch(basis.article):
            yield "legal_basis.article", basis.article
    english = (
        guide.name_en,
        guide.result_name_en,
        *guide.conditions_en,
        *(guide.commitment.conditions_en if guide.commitment else ()),
        *(m.name_en for m in guide.materials),
    )
    for text in english:
        if HAN.search(text):
            yield "english.has_chinese", text
    codes = [material.code for material in guide.materials]
    if codes != [f"M{place}" for place in range(1, len(codes) + 1)]:
        yield "materials.codes", " ".join(codes)
    for material in guide.materials:
        if not 1 <= material.copies <= MOST_COPIES:
            yield "materials.copies", material.code
    if not any(m.kind is MaterialKind.MAIN and m.required for m in guide.materials):
        yield "materials.no_main", ""


def _commitment_faults(guide: Guide) -> Iterator[tuple[str, str]]:
    """告知承诺 is a way of licensing; it is decided at the window, by one who may."""
    if guide.commitment is None:
        return
    if not guide.commitment.conditions:
        yield "commitment.none", guide.code
    if len(guide.commitment.conditions) != len(guide.commitment.conditions_en):
        yield "commitment.untranslated", guide.code
    if guide.regime is not Regime.LICENSING:
        yield "commitment.not_licensing", guide.regime
    if not guide.chief_may_decide:
        yield "commitment.nobody_on_the_spot", guide.code


def _catalogue_faults(
    guide: Guide, row: ItemRow | None, departments: set[str], regimes: Regimes
) -> Iterator[tuple[str, str]]:
    """What is wrong with a guide beside the item it is about."""
    if row is None:
        yield "code.unknown", guide.code
        return
    if row.department not in guide.departments:
        yield "departments.without_owner", row.department
    for department in guide.departments:
        if department not in departments:
            yield "departments.unknown", department
    if (guide.regime is REGIMES[row.task_type]) == bool(guide.regime_because):
        yield "regime.not_of_type", guide.regime
    general = newest(regimes, guide.regime).statutory_default
    if not not_longer(guide.statutory, general) and "《" not in guide.limit_source.split("；承诺：")[0]:
        yield "statutory.longer_than_regime", f"{guide.statutory.amount} {guide.statutory.unit}"
