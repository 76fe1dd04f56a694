"""Search: an item is found by its Chinese words, its pinyin, its initials, its English name or its code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypinyin import Style, lazy_pinyin

import app.catalog
from app.catalog.rules.csvfile import read_items
from app.catalog.rules.search import LONGEST_QUERY, index_text, matches, rank, terms

ROWS, _ = read_items((Path(app.catalog.__file__).parent / "data" / "service-items.csv").read_bytes())
INDEX = {
    row.implementation_code: index_text(
        row.item_name, row.parent_item, row.department, implementation_code=row.implementation_code
    )
    for row in ROWS
}
FOOD = index_text(
    "食品(含保健食品)经营许可核发",
    "食品（含保健食品）经营许可",
    "区行政审批局",
    "Food business permit",
    "511A-1-00",
)


def found(query: str) -> set[str]:
    return {row.item_name for row in ROWS if matches(query, INDEX[row.implementation_code])}


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("身份证", "居民身份证办理（包括临时）"),
        ("shenfenzheng", "居民身份证办理（包括临时）"),
        ("ShenFenZ", "居民身份证办理（包括临时）"),
        ("sfz", "居民身份证办理（包括临时）"),
        ("ＳＦＺ", "居民身份证办理（包括临时）"),
        ("社保", "就业困难人员灵活就业社保补贴申领"),
        ("shbzk", "社会保障卡申领"),
        ("个体工商户 设立", "个体工商户设立登记"),
        ("设立 个体", "个体工商户设立登记"),
        ("gtgsh设立", "个体工商户设立登记"),
        ("jiehun", "结婚登记预约"),
        ("jie'hun", "结婚登记预约"),
        ("lvshi", "律师及律所业务咨询"),
        ("lüshi", "律师及律所业务咨询"),
        ("1000人", "预计参加人数在1000人以上5000人以下的大型群众性活动安全许可或变更"),
        ("拖拉机联合收割机", "拖拉机\\联合收割机检验合格标志核发"),
        ("食品（含保健食品）", "食品(含保健食品)经营许可核发"),
        ("区医疗保障局 门诊", "门诊费用报销"),
        ("511F0045400001", "全国残疾人按比例就业情况联网认证"),
        ("11511301452259996U", "全国残疾人按比例就业情况联网认证"),
    ],
)
def test_what_people_type(query: str, name: str) -> None:
    assert name in found(query)


@pytest.mark.parametrize(
    "query",
    ["%", "_", "'; drop", "！？", "不存在的事项", "身份证 不存在", "zzzz", "𠮷", "😀", "511602000001"],
)
def test_what_finds_nothing(query: str) -> None:
    assert found(query) == set()


def test_an_empty_query_is_no_filter() -> None:
    assert len(found("")) == len(found(" \u3000")) == len({row.item_name for row in ROWS})


def test_pinyin_begins_with_a_syllable() -> None:
    text = index_text("样品")
    assert matches("yangp", text)
    assert matches("pin", text)
    assert not matches("ang", text)
    assert not matches("angpin", text)
    assert matches("an", index_text("样品安全"))


def test_pinyin_is_read_by_phrase() -> None:
    assert matches("xingzheng", index_text("行政审批"))
    assert matches("yinhang", index_text("银行账户"))
    assert matches("chongxin", index_text("重新申报"))
    assert matches("zhongxin", index_text("重信用"))
    assert matches("jiaoyan", index_text("执业许可校验"))


def test_a_phrase_cut_wrongly_is_found_by_its_characters() -> None:
    assert matches("xingshi", index_text("住建行使"))
    assert matches("faka", index_text("商业预付卡发卡企业备案"))
    assert matches("tezhongxing", index_text("特种行业")) and matches("tezhonghangye", index_text("特种行业"))


def test_short_terms_do_not_find_codes() -> None:
    text = index_text("样品", implementation_code="511A0045400001-511602000000-000-1-00")
    assert not matches("5116", text)
    assert matches("511A00454", text)
    assert matches("511A0045400001-511602000000", text)


def test_rare_han_is_found_by_itself() -> None:
    assert matches("𠮷", index_text("𠮷林"))
    assert matches("lin", index_text("𠮷林"))


def test_better_hits_rank_first() -> None:
    queries = ["食品", "经营许可", "shipin", "jingyingxuke", "sp", "jyxk", "permit", "511a100"]
    ranks = [rank(query, FOOD) for query in queries]
    assert ranks == list(range(len(queries)))
    assert rank("食品 permit", FOOD) == rank("permit 食品", FOOD) == rank("permit", FOOD)


def test_english_words_match_from_their_beginning() -> None:
    assert matches("food perm", FOOD)
    assert not matches("ermit", FOOD)


def test_terms_are_clean_and_few() -> None:
    assert terms("食品xuke 证") == ("食品", "xuke", "证")
    assert terms("a%b_c") == ("abc",)
    assert terms("证 证") == ("证",)
    assert len(terms(" ".join(str(n) for n in range(40)))) == 8
    assert terms("食" * 10_000) == ("食" * LONGEST_QUERY,)


def test_every_published_item_is_found_by_name_pinyin_and_initials() -> None:
    for row in ROWS:
        text = INDEX[row.implementation_code]
        assert rank(row.item_name, text) in (0, 1), row.item_name
        begin = re.match("[\u4e00-\u9fff]{0,12}", row.item_name)[0]
        if begin:
            assert matches("".join(lazy_pinyin(row.item_name))[: len(begin)], text), row.item_name
            assert matches("".join(lazy_pinyin(begin, style=Style.FIRST_LETTER)), text), row.item_name


@given(st.text(max_size=80), st.text(max_size=20))
def test_no_text_breaks_the_search(query: str, name: str) -> None:
    text = index_text(name, name, name, name, name)
    assert all(term.isalnum() for term in terms(query))
    assert rank(query, text) is None or rank(query, text) >= 0


@given(st.sampled_from(ROWS), st.data())
def test_any_part_of_a_name_finds_it(row, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(row.item_name) - 1))
    part = row.item_name[start : start + data.draw(st.integers(1, LONGEST_QUERY))]
    if terms(part):
        assert matches(part, INDEX[row.implementation_code])


@given(
    st.sampled_from(["sp", "shipin", "身份证", "gtgsh 设立", "1000", "511A00", "bg", "zheng"]),
    st.sampled_from(ROWS),
)
def test_terms_are_a_sieve_for_the_database(query: str, row) -> None:
    text = INDEX[row.implementation_code]
    if matches(query, text):
        assert all(term in text.lower() for term in terms(query))
