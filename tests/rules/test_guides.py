"""Guides: the written ones are true to the catalogue, the rest get a marked default, bad ones are refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app.catalog
from app.catalog.rules.classes import TimeClass, limit_problems, most_natural_days, not_longer
from app.catalog.rules.csvfile import ItemRow, TaskType, read_items
from app.catalog.rules.guide import GuideSource, MaterialKind, Regime, ResultKind, Routing
from app.catalog.rules.guides import (
    HAN,
    ZONES,
    default_guide,
    guide_of,
    parse_guides,
    parse_names,
    read_guides,
)
from app.catalog.rules.regimes import read_regimes
from app.catalog.rules.zones import zone_of
from app.hall.rules.clock import Limit, Unit

DATA = Path(app.catalog.__file__).parent / "data"
ROWS, _ = read_items((DATA / "service-items.csv").read_bytes())
ITEMS = {row.implementation_code: row for row in ROWS}
FILES = {path.name: path.read_text("utf-8") for path in sorted((DATA / "guides").glob("*.toml"))}
REGIMES = read_regimes((DATA / "regimes.toml").read_text("utf-8"))
GUIDES, PROBLEMS = read_guides(FILES, ROWS, REGIMES)
NAMES = parse_names((DATA / "names.toml").read_text("utf-8"))


def limit(text: str) -> Limit:
    amount, unit = text.split()
    return Limit(int(amount), Unit(unit))


# ── the written guides ──────────────────────────────────────────────────────────────────────────────────


def test_every_written_guide_is_read() -> None:
    assert PROBLEMS == []
    assert len(GUIDES) == sum(text.count("[[guide]]") for text in FILES.values()) == 126


def test_every_written_guide_is_about_a_published_item() -> None:
    assert GUIDES.keys() <= ITEMS.keys()


def test_the_comment_over_a_guide_is_its_item() -> None:
    for text in FILES.values():
        for entry in text.split("[[guide]]\n")[1:]:
            comment, code, *_ = entry.split("\n")
            assert comment == "# " + ITEMS[code.split('"')[1]].item_name


def test_all_zones_classes_and_routings_are_there() -> None:
    assert set(Counter(guide.zone for guide in GUIDES.values())) == set(ZONES)
    assert set(Counter(guide.time_class for guide in GUIDES.values())) == set(TimeClass)
    assert {guide.result_kind for guide in GUIDES.values()} == set(ResultKind)
    several = Counter(guide.routing for guide in GUIDES.values() if len(guide.departments) > 1)
    assert several[Routing.PARALLEL] >= 2
    assert several[Routing.IN_TURN] >= 2


def test_a_hall_that_starts_has_guides_for_what_people_come_for() -> None:
    names = {ITEMS[code].item_name for code in GUIDES}
    for name in (
        "公司设立登记", "食品(含保健食品)经营许可核发", "居民身份证办理（包括临时）", "社会保障卡申领",
        "商品房预售许可", "道路货物运输经营许可", "医师新办执业注册", "建筑工程施工许可证核发",
    ):  # fmt: skip
        assert name in names


def test_promises_keep_within_the_law() -> None:
    for guide in (guide_of(row, GUIDES) for row in ROWS):
        assert limit_problems(guide.time_class, guide.promised, guide.statutory) == (), guide.code


def test_a_limit_says_where_it_comes_from() -> None:
    for guide in GUIDES.values():
        assert guide.limit_source.startswith("法定：")
        assert "；承诺：" in guide.limit_source
        named = "《" in guide.limit_source
        assert named or f"法律未规定期限，按 {guide.statutory.amount} 个工作日" in guide.limit_source


def test_the_general_limit_is_for_licensing_only() -> None:
    for guide in GUIDES.values():
        if "第四十二条（一般期限）" in guide.limit_source:
            assert (guide.regime, guide.statutory) == (Regime.LICENSING, limit("20 WD"))


def test_the_zone_by_department_and_words_is_the_zone_chosen_by_hand() -> None:
    differing = {ITEMS[code].item_name for code, guide in GUIDES.items() if zone_of(ITEMS[code]) != guide.zone}
    assert differing == set()


# ── the default guide ───────────────────────────────────────────────────────────────────────────────────


def test_every_other_item_has_a_marked_default() -> None:
    sources = Counter(guide_of(row, GUIDES).source for row in ROWS)
    assert sources == {GuideSource.WRITTEN: 126, GuideSource.DEFAULT: 1135 - 126}


@pytest.mark.parametrize("task_type", TaskType)
def test_the_default_by_type(task_type: TaskType) -> None:
    guide = default_guide(ItemRow(2, "区水务局", "", "河道采砂许可", "1-1", task_type, "511602000000"))
    licensing = task_type is TaskType.LICENSING
    assert guide.promised == limit("10 WD" if licensing else "5 WD")
    assert guide.statutory == limit("20 WD")
    assert (guide.regime is Regime.LICENSING) == licensing
    assert guide.departments == ("区水务局",)
    assert guide.source is GuideSource.DEFAULT
    assert "默认" in guide.limit_source
    assert [material.kind for material in guide.materials] == [MaterialKind.MAIN, MaterialKind.MAIN]
    assert [material.sharable for material in guide.materials] == [True, False]


@pytest.mark.parametrize(
    ("department", "parent", "name", "task_type", "zone"),
    [
        ("区行政审批局", "企业设立、变更、注销登记", "撤销变更登记", "1", "A"),
        ("区行政审批局", "", "民办非企业单位成立登记", "1", "E"),
        ("区行政审批局", "护士执业注册", "护士延续执业注册", "1", "C"),
        ("区行政审批局", "", "占用、挖掘城市道路审批", "1", "D"),
        ("区住建局", "", "住宅专项维修资金交存", "20", "B"),
        ("区住建局", "", "住宅专项维修资金查询", "20", "F"),
        ("区住建局", "", "特殊建设工程消防验收", "1", "D"),
        ("区公安分局", "", "无犯罪记录证明", "20", "F"),
        ("区公安分局", "", "第三类易制毒化学品运输备案证明", "1", "E"),
        (
            "区教科体局",
            "学前教育、义务教育阶段入学政策咨询及办理",
            "学前教育、义务教育阶段入学办理",
            "20",
            "E",
        ),
        (
            "区教科体局",
            "学前教育、义务教育阶段入学政策咨询及办理",
            "学前教育、义务教育阶段入学政策咨询",
            "20",
            "F",
        ),
        ("区人社局", "", "失业保险金申领", "20", "C"),
        ("区人社局", "", "失业登记", "20", "E"),
        ("某县新设的局", "", "从来没有见过的事项", "1", "E"),
    ],
)
def test_zones(department: str, parent: str, name: str, task_type: str, zone: str) -> None:
    assert zone_of(ItemRow(2, department, parent, name, "1-1", TaskType(task_type), "511602000000")) == zone


def test_every_zone_is_used() -> None:
    assert set(map(zone_of, ROWS)) == set(ZONES)


# ── English names ───────────────────────────────────────────────────────────────────────────────────────


def test_every_department_and_zone_has_an_english_name_of_its_own() -> None:
    assert NAMES.departments_en.keys() == {row.department for row in ROWS}
    assert len(set(NAMES.departments_en.values())) == 34
    assert NAMES.zones_zh == {
        "A": "商事登记",
        "B": "不动产登记",
        "C": "医疗社保",
        "D": "投资项目审批",
        "E": "社会事务综合受理",
        "F": "便民服务",
    }
    assert len(set(NAMES.zones_en.values())) == 6


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('F = { zh = "便民服务", en = "Everyday services" }\n', ""),
        ('en = "Everyday services"', 'en = "便民服务"'),
        ('en = "Everyday services"', 'en = " "'),
        ('en = "Everyday services"', "en = 1"),
        ('"区水务局" = "Water Affairs Bureau"', '"区水务局" = "水务局"'),
        ("[departments]", "[bureaux]"),
        ("[zones]", "departments = 1\n[zones]"),
        ("[departments]", "[[departments]]"),
        ("[zones]", "[zones"),
    ],
)
def test_bad_names_are_refused(old: str, new: str) -> None:
    text = (DATA / "names.toml").read_text("utf-8")
    assert old in text
    with pytest.raises(ValueError):
        parse_names(text.replace(old, new))


def test_english_texts_are_english() -> None:
    for guide in GUIDES.values():
        for text in (
            guide.name_en,
            guide.result_name_en,
            *guide.conditions_en,
            *(m.name_en for m in guide.materials),
        ):
            assert text.isascii(), text


# ── guides that are refused ─────────────────────────────────────────────────────────────────────────────

SAND = ItemRow(2, "区水务局", "", "河道采砂许可", "511A01-1", TaskType.LICENSING, "511602000000")
ROAD = ItemRow(3, "区交通运输局", "", "公路施工许可", "511A02-1", TaskType.LICENSING, "511602000000")
GUIDE = """
[[guide]]
code = "511A01-1"
name_en = "Sand permit"
zone = "D"
time_class = "multi_day"
promised = { amount = 10, unit = "WD" }
statutory = { amount = 20, unit = "WD" }
limit_source = "法定：《水法》；承诺：窗口承诺（示例）"
regime = "licensing"
fee = { amount_fen = 500, basis = "按件" }
legal_basis = [{ law = "中华人民共和国水法", article = "第三十九条" }]
departments = ["区水务局"]
routing = "in_turn"
chief_may_decide = false
result_name = "河道采砂许可证"
result_name_en = "Sand permit"
result_kind = "licence"
visits = 1
channels = ["window"]
conditions = ["符合采砂规划"]
conditions_en = ["Follows the sand plan"]
materials = [MATERIALS]
"""
FORM = """{ code = "M1", name = "申请书", name_en = "Form", kind = "main", form = "original",
  copies = 1, sharable = false, source = "申请人", required = true }"""
LICENCE = """{ code = "M2", name = "营业执照", name_en = "Licence", kind = "secondary", form = "copy",
  copies = 1, sharable = true, source = "登记机关", required = false }"""
GUIDE = GUIDE.replace("MATERIALS", ", ".join(text.replace("\n", "") for text in (FORM, LICENCE)))


def reasons(text: str, *rows: ItemRow) -> list[str]:
    guides, problems = read_guides({"a.toml": 'theme = "水务"\n' + text}, rows or (SAND, ROAD), REGIMES)
    assert not guides.keys() & {problem.code for problem in problems if problem.reason != "code.twice"}
    return [problem.reason for problem in problems]


COMMITMENT = """commitment = { check_within = { amount = 30, unit = "WD" }, conditions = ["规划"],
  conditions_en = ["plan"] }""".replace("\n", "")
CHIEF = "chief_may_decide = false"


def committed(*changes: tuple[str, str]) -> tuple[str, str]:
    """What of the sample guide is replaced by what, so that a chief may decide on a commitment with a fault."""
    text = COMMITMENT
    for old, new in changes:
        text = text.replace(old, new)
    return CHIEF, f"chief_may_decide = true\n{text}"


def test_the_sample_guide_is_good() -> None:
    assert reasons(GUIDE) == []
    assert reasons(GUIDE.replace(*committed())) == []


def test_a_limit_longer_than_the_regimes_names_its_law() -> None:
    longer = GUIDE.replace("statutory = { amount = 20", "statutory = { amount = 45")
    assert reasons(longer) == []
    assert reasons(longer.replace("《水法》", "按惯例")) == ["statutory.longer_than_regime"]
    assert reasons(longer.replace("《水法》；承诺：", "按惯例；承诺：《办法》")) == ["statutory.longer_than_regime"]
    assert reasons(GUIDE.replace("《水法》", "按惯例")) == []


def test_another_regime_needs_a_reason_and_is_then_taken() -> None:
    text = GUIDE.replace('regime = "licensing"', 'regime = "hotline"\nregime_because = "由热线转办"')
    assert reasons(text.replace("amount = 20", "amount = 5").replace("amount = 10", "amount = 2")) == []
    assert reasons(text.replace("《水法》", "按惯例")) == ["statutory.longer_than_regime"]


def test_a_commitment_is_a_way_of_licensing() -> None:
    road = ItemRow(2, "区水务局", "", "河道采砂备案", "511A01-1", TaskType.OTHER_POWER, "511602000000")
    text = GUIDE.replace('regime = "licensing"', 'regime = "confirmation"').replace(*committed())
    assert reasons(text, road) == ["commitment.not_licensing"]


def test_some_guides_are_decided_on_a_commitment_and_some_with_a_gap() -> None:
    committing = [guide for guide in GUIDES.values() if guide.commitment]
    assert len(committing) == 4
    assert all(guide.commitment.check_within.unit is Unit.WD for guide in committing if guide.commitment)
    assert sum(guide.gap_pass for guide in GUIDES.values()) == 4
    assert {guide.signatures for guide in GUIDES.values()} == {2}
    assert [ITEMS[code].item_name for code, guide in GUIDES.items() if guide.regime_because] == ["电话咨询"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('code = "511A01-1"', 'code = "511A09-1"', "code.unknown"),
        ('departments = ["区水务局"]', 'departments = ["区交通运输局"]', "departments.without_owner"),
        ('departments = ["区水务局"]', 'departments = ["区水务局", "水利部"]', "departments.unknown"),
        ('departments = ["区水务局"]', 'departments = ["区水务局", "区水务局"]', "departments.twice"),
        ('regime = "licensing"', 'regime = "public_service"', "regime.not_of_type"),
        ('zone = "D"', 'zone = "G"', "zone.unknown"),
        ('zone = "D"', 'zone = "AB"', "zone.unknown"),
        ("promised = { amount = 10", "promised = { amount = 21", "promised.longer_than_statutory"),
        (
            'promised = { amount = 10, unit = "WD" }',
            'promised = { amount = 8, unit = "WH" }',
            "promised.not_in_days",
        ),
        ('time_class = "multi_day"', 'time_class = "instant"', "promised.not_in_working_hours"),
        ("visits = 1", "visits = 4", "visits.out_of_range"),
        ("visits = 1", "visits = 1\nsignatures = 0", "signatures.out_of_range"),
        ("visits = 1", "visits = 1\nsignatures = 5", "signatures.out_of_range"),
        ("visits = 1", "visits = 1\ngap_pass = true", "gap_pass.nothing_to_lack"),
        ("visits = 1", 'visits = 1\ngap_pass = "yes"', "guide.not_to_form"),
        ("visits = 1", f"visits = 1\n{COMMITMENT}", "commitment.nobody_on_the_spot"),
        (*committed(('["规划"]', '["规划", "资金"]')), "commitment.untranslated"),
        (*committed(('["规划"]', "[]"), ('["plan"]', "[]")), "commitment.none"),
        (*committed(('"plan"', '"规划"')), "english.has_chinese"),
        (*committed(("check_within", "check")), "guide.not_to_form"),
        (*committed(("amount = 30", "amount = 0")), "guide.not_to_form"),
        ("visits = 1", 'visits = 1\nregime_because = "应当如此"', "regime.not_of_type"),
        ("amount_fen = 500", "amount_fen = -1", "fee.negative"),
        ('channels = ["window"]', "channels = []", "channels.none"),
        ('conditions_en = ["Follows the sand plan"]', "conditions_en = []", "conditions.untranslated"),
        ('article = "第三十九条"', 'article = "39"', "legal_basis.article"),
        ('name_en = "Sand permit"', 'name_en = "Sand 许可"', "english.has_chinese"),
        ('name_en = "Licence"', 'name_en = "Licence，copy"', "english.has_chinese"),
        ('code = "M2"', 'code = "M3"', "materials.codes"),
        ('code = "M2"', 'code = "M1"', "materials.codes"),
        ("copies = 1, sharable = true", "copies = 0, sharable = true", "materials.copies"),
        ('kind = "main"', 'kind = "secondary"', "materials.no_main"),
        ("required = true", "required = false", "materials.no_main"),
        # not to form
        ("visits = 1\n", "", "guide.not_to_form"),
        ("visits = 1\n", "visits = 1\nvisit = 1\n", "guide.not_to_form"),
        ("visits = 1\n", "visits = true\n", "guide.not_to_form"),
        ("visits = 1\n", 'visits = "1"\n', "guide.not_to_form"),
        ("chief_may_decide = false", "chief_may_decide = 0", "guide.not_to_form"),
        ("amount = 10", "amount = 0", "guide.not_to_form"),
        ("amount = 10", "amount = 10.5", "guide.not_to_form"),
        ('unit = "WD" }\nstatutory', 'unit = "days" }\nstatutory', "guide.not_to_form"),
        ('routing = "in_turn"', 'routing = "any"', "guide.not_to_form"),
        ('channels = ["window"]', 'channels = "window"', "guide.not_to_form"),
        ('channels = ["window"]', 'channels = ["pigeon"]', "guide.not_to_form"),
        ('result_name = "河道采砂许可证"', 'result_name = ""', "guide.not_to_form"),
        ('limit_source = "法定', 'limit_source = " 法定', "guide.not_to_form"),
        ('fee = { amount_fen = 500, basis = "按件" }', 'fee = "cheap"', "guide.not_to_form"),
        ('{ law = "中华人民共和国水法", article = "第三十九条" }', '"水法"', "guide.not_to_form"),
        ("required = false", 'required = "no"', "guide.not_to_form"),
        ("sharable = true, ", "", "guide.not_to_form"),
        (GUIDE, "guide = [1]", "guide.not_to_form"),
        ("[[guide]]", "[guide]", "file.not_theme_and_guides"),
        ("[[guide]]", "[[guides]]", "file.not_theme_and_guides"),
        ("[[guide]]", "[[guide]", "file.not_toml"),
    ],
)
def test_a_bad_guide_is_refused(old: str, new: str, reason: str) -> None:
    assert GUIDE.count(old) == 1 or old in ('name_en = "Sand permit"',)
    assert reason in reasons(GUIDE.replace(old, new, 1))


def test_one_bad_guide_does_not_hide_the_others() -> None:
    second = GUIDE.replace("511A01-1", "511A02-1").replace("区水务局", "区交通运输局")
    text = 'theme = "水务"\n' + GUIDE.replace('zone = "D"', 'zone = "G"').replace("visits = 1", "visits = 9") + second
    guides, problems = read_guides({"a.toml": text, "b.toml": "theme"}, (SAND, ROAD), REGIMES)
    assert list(guides) == ["511A02-1"]
    assert [(problem.file, problem.code, problem.reason) for problem in problems] == [
        ("a.toml", "511A01-1", "zone.unknown"),
        ("a.toml", "511A01-1", "visits.out_of_range"),
        ("b.toml", "", "file.not_toml"),
    ]


def test_two_guides_of_one_item_are_a_problem() -> None:
    assert reasons(GUIDE + GUIDE) == ["code.twice"]


def test_a_free_guide_and_one_by_a_schedule() -> None:
    free, _ = parse_guides("a", 'theme = "水"\n' + GUIDE.replace('{ amount_fen = 500, basis = "按件" }', '"free"'))
    rates, _ = parse_guides("a", 'theme = "水"\n' + GUIDE.replace("amount_fen = 500", "amount_fen = 0"))
    assert free[0].fee.free
    assert not rates[0].fee.free and rates[0].fee.pay_within is None


def test_how_soon_a_fee_is_paid() -> None:
    within = 'pay_within = { amount = 5, unit = "WD" }'
    written, _ = parse_guides("a", 'theme = "水"\n' + GUIDE.replace('basis = "按件"', f'basis = "按件", {within}'))
    assert written[0].fee.pay_within == Limit(5, Unit.WD)
    assert reasons(GUIDE.replace('basis = "按件"', 'basis = "按件", pay_within = "soon"')) == ["guide.not_to_form"]


# ── limits and classes ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("time_class", "promised", "statutory", "problems"),
    [
        ("instant", "2 WH", "20 WD", ()),
        ("instant", "3 WH", "20 WD", ("promised.outside_class",)),
        ("half_day", "4 WH", "20 WD", ()),
        ("half_day", "1 WH", "20 WD", ("promised.outside_class",)),
        ("half_day", "5 WH", "20 WD", ("promised.outside_class",)),
        ("one_day", "8 WH", "2 WD", ()),
        ("one_day", "9 WH", "20 WD", ("promised.outside_class",)),
        ("one_day", "8 WH", "1 WD", ("promised.longer_than_statutory",)),
        ("one_day", "7 WH", "1 WD", ()),
        ("one_day", "1 WD", "20 WD", ("promised.not_in_working_hours",)),
        ("multi_day", "1 WD", "1 WD", ()),
        ("multi_day", "8 WH", "20 WD", ("promised.not_in_days",)),
        ("multi_day", "21 WD", "20 WD", ("promised.longer_than_statutory",)),
        ("multi_day", "1 WD", "8 WH", ("promised.longer_than_statutory",)),
        ("multi_day", "5 WD", "7 ND", ()),
        ("multi_day", "5 WD", "6 ND", ("promised.longer_than_statutory",)),
        ("multi_day", "20 ND", "20 WD", ()),
        ("multi_day", "1 WD", "96 NH", ()),
        ("multi_day", "1 WD", "95 NH", ("promised.longer_than_statutory",)),
    ],
)
def test_what_may_be_declared(time_class: str, promised: str, statutory: str, problems: tuple[str, ...]) -> None:
    assert limit_problems(TimeClass(time_class), limit(promised), limit(statutory)) == problems


@given(st.integers(1, 60), st.integers(0, 6))
def test_working_days_last_no_longer_than_said(working_days: int, start_weekday: int) -> None:
    days, left = 0, working_days
    while left:
        days += 1
        left -= (start_weekday + days) % 7 < 5
    longest = most_natural_days(Limit(working_days, Unit.WD))
    assert days <= longest
    assert not_longer(Limit(working_days, Unit.WD), Limit(longest, Unit.ND))
    assert not not_longer(Limit(working_days, Unit.WD), Limit(longest - 1, Unit.ND))


LIMITS = st.builds(Limit, st.integers(1, 400), st.sampled_from(Unit))


@given(LIMITS, LIMITS, LIMITS)
def test_not_longer_is_an_order(first: Limit, second: Limit, third: Limit) -> None:
    assert not_longer(first, first)
    if first.unit is second.unit and first.amount <= second.amount and not_longer(second, third):
        assert not_longer(first, third)


def test_only_multi_day_items_are_measured_to_the_decision() -> None:
    assert [time_class.on_the_spot for time_class in TimeClass] == [True, True, True, False]
    assert HAN.search("许可") and HAN.search("，") and not HAN.search("Guang'an")
