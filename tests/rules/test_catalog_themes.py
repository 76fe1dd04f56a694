"""One-thing themes and the courier's tariff: true to the catalogue, within their promises; bad ones are refused."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

import app.catalog
from app.catalog.rules.classes import not_longer
from app.catalog.rules.courier import read_courier
from app.catalog.rules.csvfile import read_items
from app.catalog.rules.guides import read_guides
from app.catalog.rules.regimes import newest, read_regimes
from app.catalog.rules.theme_checks import read_themes
from app.catalog.rules.themes import Theme, guide_of_child
from app.hall.rules.clock import Limit, Unit

DATA = Path(app.catalog.__file__).parent / "data"
ROWS, _ = read_items((DATA / "service-items.csv").read_bytes())
ITEMS = {row.implementation_code: row for row in ROWS}
REGIMES = read_regimes((DATA / "regimes.toml").read_text("utf-8"))
GUIDES, _ = read_guides({p.name: p.read_text("utf-8") for p in (DATA / "guides").glob("*.toml")}, ROWS, REGIMES)
FILES = {path.name: path.read_text("utf-8") for path in sorted((DATA / "themes").glob("*.toml"))}
THEMES = read_themes(FILES, ROWS, GUIDES, REGIMES)
COMPANY = FILES["start-company.toml"]
PROJECT = FILES["construction.toml"]
RESTAURANT = FILES["open-restaurant.toml"]


# ── the themes that come with the project ───────────────────────────────────────────────────────────────


def test_starting_a_company_takes_three_steps_and_seven_hours() -> None:
    theme = THEMES["start-company"]
    assert [child.name for child in theme.children] == ["企业登记", "印章刻制", "发票申领"]
    assert theme.promised == Limit(7, Unit.WH)
    first, second, third = theme.children
    assert first.promised.amount + max(second.promised.amount, third.promised.amount) == 7
    assert (first.position, second.position, third.position) == (1, 2, 2)
    assert {(one.item, one.made_by) for one in theme.handed_on} == {
        (second.item, first.item),
        (third.item, first.item),
    }


def test_a_step_that_the_catalogue_lacks_says_on_what_it_stands() -> None:
    seal = THEMES["start-company"].children[1]
    assert ITEMS[seal.item].item_name == "公章刻制业特种行业许可证核发"
    assert ITEMS[seal.item].item_name in seal.note
    assert seal.guide is not None
    assert seal.item not in GUIDES
    own = [child for theme in THEMES.values() for child in theme.children if child.guide]
    assert own == [seal]


@pytest.mark.parametrize(("code", "amount", "stages"), [("construction", 83, 4), ("construction-simple", 25, 3)])
def test_a_project_goes_through_stages_that_add_up(code: str, amount: int, stages: int) -> None:
    theme = THEMES[code]
    assert theme.promised == Limit(amount, Unit.WD)
    assert len(theme.stages) == stages
    assert sum(stage.promised.amount for stage in theme.stages) == amount
    assert not theme.art26


def test_joint_licensing_has_the_joint_limits_of_the_law() -> None:
    theme = THEMES["open-restaurant"]
    rules = newest(REGIMES, theme.regime)
    assert theme.art26
    assert theme.statutory == rules.joint_default == Limit(45, Unit.WD)
    assert rules.joint_extension is not None
    assert rules.joint_extension.limit == Limit(15, Unit.WD)
    assert {child.position for child in theme.children} == {1}


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_one_set_of_papers_covers_every_step(theme: Theme) -> None:
    given = Counter((one.item, one.material) for merged in theme.materials for one in merged.serves)
    given.update((one.item, one.material) for one in theme.handed_on)
    for child in theme.children:
        guide = guide_of_child(child, GUIDES)
        assert guide is not None
        for material in guide.materials:
            assert given[child.item, material.code] in ((1,) if material.required else (0, 1)), material.name
        assert not_longer(child.promised, guide.statutory)
    assert len(theme.materials) < sum(given.values())


# ── themes that are refused ─────────────────────────────────────────────────────────────────────────────


def test_two_files_of_one_theme_are_refused() -> None:
    with pytest.raises(ValueError, match=r"b\.toml: code stands twice"):
        read_themes({"a.toml": COMPANY, "b.toml": COMPANY}, ROWS, GUIDES, REGIMES)


SEAL_NOTE = COMPANY[COMPANY.index('note = "目录中') : COMPANY.index("\n[theme.children.guide]")]
SERVES_M1 = 'serves = ["company M1", "seal M1", "invoices M1"]'


@pytest.mark.parametrize(
    ("text", "old", "new", "reason"),
    [
        (COMPANY, 'code = "start-company"', 'code = "Start"', "not a code: Start"),
        (COMPANY, 'zone = "A"', 'zone = "AB"', "unknown zone AB"),
        (COMPANY, 'lead_department = "区行政审批局"', 'lead_department = "局"', "unknown department 局"),
        (COMPANY, 'name_en = "Starting a company"', 'name_en = "企业"', "not English: 企业"),
        (COMPANY, "法定：《安阳市政务服务条例》第三十九条", "法定：地方规定", "limit_source names no rule"),
        (COMPANY, 'article = "第十九条"', 'article = "19"', "not an article: 19"),
        (COMPANY, "art26 = false\n", "", r"missing \['art26'\]"),
        (COMPANY, "art26 = false\n", "art26 = false\nart27 = false\n", r"unknown \['art27'\]"),
        (COMPANY, "[theme]\n", "[theme]\nart26 = 1\n", "overwrite"),
        # the form
        (COMPANY, 'key = "capital"', 'key = "company_name"', "the form has no field, or one twice"),
        (COMPANY, 'key = "capital"', 'key = "Capital"', "not a key: Capital"),
        (COMPANY, 'type = "address"', 'type = "colour"', "'colour' is not a valid FieldType"),
        (COMPANY, 'type = "address"', 'type = "choice"', "address: a choice has several choices"),
        (COMPANY, 'code = "sole"', 'code = "limited"', "company_kind: a choice has several choices"),
        # the steps
        (COMPANY, 'item = "511A0064100070', 'item = "511A0064100079', "is no item with a written guide"),
        (COMPANY, 'department = "区行政审批局"\npromised', 'department = "区水务局"\npromised', "is not decided by 区水务局"),
        (COMPANY, 'key = "invoices"\nitem', 'key = "seal"\nitem', "key stands twice"),
        (COMPANY, 'note_en = "The catalogue has no filing', 'note_en = "目录 no filing', "not English"),
        (COMPANY, 'departments = ["区公安分局"]', 'departments = ["公安部"]', "unknown departments"),
        (COMPANY, 'conditions_en = ["The company is registered"]', "conditions_en = []", "conditions.untranslated"),
        (COMPANY, 'promised = { amount = 4, unit = "WH" }', 'promised = { amount = 5, unit = "WH" }', "outside_class"),
        (COMPANY, "position = 2\n", "position = 3\n", "positions do not rise"),
        (COMPANY, 'item = "511F3000100011-511602000000-000-11511301MB1549994W-1-00"', 'item = "511A0064100070-511602000000-000-115113016823646795-1-00"', "stands twice"),
        (COMPANY, 'note_en = "The catalogue has', 'stage = "The catalogue has', "a note in one language"),
        (COMPANY, SEAL_NOTE, "", "an own guide without a note why"),
        # the promise of the whole
        (COMPANY, "promised = { amount = 7,", "promised = { amount = 6,", "the steps last longer than the promise"),
        (COMPANY, "promised = { amount = 7,", "promised = { amount = 9,", "promised.outside_class"),
        (COMPANY, "promised = { amount = 7,", "promised = { amount = 8,", "promised.longer_than_statutory"),
        (PROJECT, "promised = { amount = 83,", "promised = { amount = 84,", "the stages do not add up"),
        (PROJECT, "promised = { amount = 83,", "promised = { amount = 121,", "promised.longer_than_statutory"),
        (PROJECT, 'lead_department = "区自然资源和规划局", promised = { amount = 25', 'lead_department = "区住建局", promised = { amount = 3', "the steps of site last longer"),
        (PROJECT, 'position = 4\nstage = "planning"', 'position = 4\nstage = "site"', "children do not go through the stages"),
        (PROJECT, 'position = 4\nstage = "planning"', 'position = 3\nstage = "planning"', "shares a position"),
        (RESTAURANT, "statutory = { amount = 45,", "statutory = { amount = 60,", "the regime's joint limit"),
        (COMPANY, "art26 = false", "art26 = true", "the regime's joint limit"),
        # one set of papers
        (COMPANY, SERVES_M1, 'serves = ["company M1", "seal M1"]', "nothing serves .* M1"),
        (COMPANY, SERVES_M1, 'serves = ["company M1", "seal M1", "invoices M9"]', "asks for no M9"),
        (COMPANY, SERVES_M1, 'serves = ["company M1", "seal M1", "tax M1"]', "no child 'tax'"),
        (COMPANY, 'serves = ["company M2"]', 'serves = ["company M2", "company M1"]', "M1 is given twice"),
        (COMPANY, 'serves = ["company M6"]', "serves = []", "M6 serves nothing"),
        (COMPANY, 'material = "seal M2"\nmade_by = "company"', 'material = "seal M2"\nmade_by = "invoices"', "not made by an earlier step"),
        (COMPANY, 'material = "seal M2"\nmade_by = "company"', 'material = "seal M2"\nmade_by = "tax"', "no child 'tax'"),
        (COMPANY, 'code = "M6"\n', 'code = "M7"\n', "materials are not M1, M2"),
        (COMPANY, 'required = true\nserves = ["company M2"]', 'required = false\nserves = ["company M2"]', "M2 is required"),
        (COMPANY, 'kind = "secondary"\nform = "original"', 'kind = "main"\nform = "original"', "M5 is a main paper"),
        (PROJECT, 'copies = 3\n', "copies = 2\n", "M7 has too few copies"),
    ],
)  # fmt: skip
def test_a_theme_that_cannot_be_kept_is_refused(text: str, old: str, new: str, reason: str) -> None:
    assert old in text
    with pytest.raises(ValueError, match=reason):
        read_themes({"a.toml": text.replace(old, new, 1)}, ROWS, GUIDES, REGIMES)


def refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_themes({"a.toml": text}, ROWS, GUIDES, REGIMES)


def test_a_theme_has_steps_and_joint_ones_have_several_departments() -> None:
    refused(RESTAURANT[: RESTAURANT.index("[[theme.children]]")] + "children = []\nmaterials = []\n", "no children")
    alone = re.sub(r'\ndepartment = "[^"]+"', '\ndepartment = "区住建局"', RESTAURANT)
    refused(alone, "joint handling of one department")


def test_no_stage_comes_twice() -> None:
    again = PROJECT.replace('code = "completion"', 'code = "site"').replace('stage = "completion"', 'stage = "site"')
    refused(again, "a stage stands twice")


# ── the courier's tariff ────────────────────────────────────────────────────────────────────────────────

TARIFF = (DATA / "courier.toml").read_text("utf-8")


def test_the_fees_by_zone() -> None:
    zones = read_courier(TARIFF)
    assert [(zone.code, zone.fee_fen) for zone in zones] == [
        ("city", 400), ("township", 600), ("prefecture", 800), ("outside", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("fee_fen = 400", "fee_fen = -1", "not a fee"),
        ("fee_fen = 400", "fee_fen = 10001", "not a fee"),
        ("fee_fen = 400", "fee_fen = 4.0", "not an integer"),
        ('fee_fen = "by_tariff"', 'fee_fen = "free"', "not an integer"),
        ('code = "city"', 'code = "township"', "one twice"),
        ('code = "city"', 'code = "City"', "not a zone"),
        ('name_en = "Elsewhere"', 'name_en = "其他"', "not a zone"),
        ("source_en = ", "source_fr = ", "missing"),
    ],
)
def test_a_tariff_that_is_not_to_form_is_refused(old: str, new: str, reason: str) -> None:
    assert old in TARIFF
    with pytest.raises(ValueError, match=reason):
        read_courier(TARIFF.replace(old, new, 1))
