"""Regimes: what each demands, from which day, on whose word; a file that is not to form is refused."""

from __future__ import annotations

import json
import tomllib
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app.catalog
from app.casework.rules.clocks import Ground
from app.catalog.rules.guide import Regime
from app.catalog.rules.regimes import (
    EIGHT_GROUNDS,
    LOCAL_RULES,
    RULES,
    Mark,
    newest,
    plain,
    read_regimes,
    rules_on,
)

TEXT = (Path(app.catalog.__file__).parent / "data" / "regimes.toml").read_text("utf-8")
REGIMES = read_regimes(TEXT)
TODAY = date(2026, 11, 22)


def said(regime: str, on: date = TODAY) -> dict:
    return plain(rules_on(REGIMES, regime, on))


def days(amount: int, unit: str = "WD") -> dict:
    return {"amount": amount, "unit": unit}


def test_licensing() -> None:
    rules = said("licensing")
    assert (rules["notice_limit"], rules["not_notified"]) == (days(5), "deemed_accepted")
    assert (rules["statutory_default"], rules["extension"]) == (days(20), {**days(10), "by": "head"})
    assert (rules["joint_default"], rules["joint_extension"]) == (days(45), {**days(15), "by": "government"})
    assert (rules["delivery_limit"], rules["day_zero"]) == (days(10), "acceptance")
    assert rules["version"] == "2019-04-23"


def test_the_grounds_of_licensing_are_the_eight_and_disclosure_has_its_own() -> None:
    assert set(EIGHT_GROUNDS) <= set(Ground)
    assert said("licensing")["stop_grounds"] == list(EIGHT_GROUNDS)
    assert said("information_disclosure")["stop_grounds"] == ["third_party"]
    assert said("hotline")["stop_grounds"] == said("public_opinion")["stop_grounds"] == []


def test_disclosure_answers_in_twenty_days_from_the_supplement() -> None:
    rules = said("information_disclosure")
    assert (rules["notice_limit"], rules["not_notified"], rules["day_zero"]) == (days(7), "none", "receipt")
    assert rules["supplement"] == {"limit": days(15), "overdue": "deemed_withdrawn", "restart": True}
    assert (rules["statutory_default"], rules["extension"]) == (days(20), {**days(20), "by": "head"})
    assert rules["local"] is None


def test_hotline_and_public_opinion() -> None:
    assert said("hotline")["statutory_default"] == days(5)
    assert said("hotline")["extension"] == {**days(5), "by": "head"}
    assert said("public_opinion")["statutory_default"] == days(12, "NH")
    assert said("public_opinion")["extension"] is None


def test_only_a_law_extends_a_limit() -> None:
    assert said("confirmation")["extension"] is said("public_service")["extension"] is None
    for regime in Regime:
        rules = newest(REGIMES, regime)
        extending = [source for source in rules.sources if {"extension", "joint_extension"} & set(source.rule)]
        assert all(source.mark is Mark.LAW for source in extending)
        assert bool(extending) == bool(rules.extension)


@pytest.mark.parametrize(
    ("regime", "day", "version", "limit"),
    [
        ("licensing", date(2004, 7, 1), "2004-07-01", 20),
        ("licensing", date(2019, 4, 22), "2004-07-01", 20),
        ("licensing", date(2019, 4, 23), "2019-04-23", 20),
        ("information_disclosure", date(2019, 5, 14), "2008-05-01", 15),
        ("information_disclosure", date(2019, 5, 15), "2019-05-15", 20),
        ("hotline", date(2021, 11, 30), "2004-07-01", 5),
        ("hotline", date(2021, 12, 1), "2021-12-01", 5),
    ],
)
def test_a_version_holds_from_its_first_day(regime: str, day: date, version: str, limit: int) -> None:
    rules = said(regime, day)
    assert rules["version"] == version
    assert rules["statutory_default"] == days(limit)


def test_no_rules_before_the_law() -> None:
    with pytest.raises(ValueError, match="no rules of licensing on 2004-06-30"):
        rules_on(REGIMES, "licensing", date(2004, 6, 30))
    with pytest.raises(ValueError, match="cat"):
        rules_on(REGIMES, "cat", TODAY)


def test_the_local_rule_works_from_its_day_and_only_where_it_says() -> None:
    before, after = said("licensing", date(2021, 11, 30)), said("licensing", date(2021, 12, 1))
    assert before["local"] is None
    assert before["supplement"] == {"limit": None, "overdue": "none", "restart": False}
    assert before["gap_overdue"] == "none"
    assert after["local"]["version"] == "2021-12-01"
    assert after["local"]["sample"] is True
    assert after["supplement"] == {"limit": days(10), "overdue": "deemed_withdrawn", "restart": False}
    assert after["gap_overdue"] == "deemed_withdrawn"
    changed = {name for name in RULES if before[name] != after[name]}
    assert changed <= set(LOCAL_RULES)
    assert said("confirmation", date(2021, 11, 30))["not_notified"] == "none"
    assert said("confirmation")["not_notified"] == "deemed_accepted"
    assert said("hotline")["local"] is said("public_opinion")["local"] is None


DAYS = st.dates(date(2008, 5, 1), date(2040, 12, 31))


@given(st.sampled_from(Regime), DAYS, st.integers(0, 400))
def test_rules_are_plain_carried_by_sources_and_change_only_on_the_first_day_of_one(
    regime: Regime, day: date, later: int
) -> None:
    rules = said(regime, day)
    assert json.loads(json.dumps(rules)) == rules
    assert set(rules) == {"regime", "version", "name", "name_en", "local", *RULES, "sources"}
    carried = {name for source in rules["sources"] for name in source["rule"]}
    for name in (
        "notice_limit",
        "extension",
        "joint_default",
        "joint_extension",
        "delivery_limit",
        "statutory_default",
    ):
        assert (rules[name] is None) or name in carried
    if rules["supplement"]["limit"] or rules["gap_overdue"] != "none":
        assert "supplement" in carried or "gap_overdue" in carried
    then = said(regime, day + timedelta(days=later))
    started = {version.since for version in REGIMES.versions[regime]} | {local.since for local in REGIMES.local}
    if not any(day < since <= day + timedelta(days=later) for since in started):
        assert then == rules


def test_every_source_says_what_it_says_in_two_tongues() -> None:
    for rules in (version for versions in REGIMES.versions.values() for version in versions):
        assert rules.name_en.isascii()
        for source in rules.sources:
            assert source.says and source.says_en.isascii()
            assert source.article or source.mark is not Mark.LAW


def test_a_source_that_lost_its_rules_to_the_local_one_no_longer_claims_them() -> None:
    for regime in ("licensing", "confirmation", "public_service"):
        claims = [s["law"] for s in said(regime)["sources"] if "supplement" in s["rule"]]
        assert claims == ["安阳市政务服务条例", "补正期限（示例）"]
    licensing = [s["law"] for s in said("licensing")["sources"] if "not_notified" in s["rule"]]
    assert licensing == ["中华人民共和国行政许可法", "安阳市政务服务条例"]


NOTICE = 'notice_limit = { amount = 5, unit = "WD" }\nnot_notified = "deemed_accepted"'


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('code = "hotline"', 'code = "licensing"', "licensing stands twice"),
        ('code = "hotline"', 'code = "phone"', "'phone' is not a valid Regime"),
        ('name = "行政许可"', 'name = " "', "name is not a text"),
        ('name_en = "Administrative licensing"', 'name_en = "行政许可"', "not English"),
        ("receipt_next_day = false\n", "", r"missing \['receipt_next_day'\]"),
        ("receipt_next_day = false\n", "receipt_next_day = false\npause = 1\n", r"unknown \['pause'\]"),
        ("receipt_next_day = false\n", 'receipt_next_day = "no"\n', "receipt_next_day is not true or false"),
        (NOTICE, NOTICE.replace('unit = "WD"', 'unit = "days"'), "'days' is not a valid Unit"),
        (NOTICE, NOTICE.replace("amount = 5", "amount = 0"), "at least 1"),
        (NOTICE, NOTICE.replace("amount = 5", "amount = true"), "not an integer"),
        (NOTICE, 'notice_limit = "none"\nnot_notified = "deemed_accepted"', "deemed acceptance without a limit"),
        ('joint_default = { amount = 45, unit = "WD" }', 'joint_default = "none"', "without a joint limit"),
        ('extension = { amount = 10, unit = "WD"', 'extension = { amount = 10, unit = "WH"', "in another unit"),
        ('by = "head"', 'by = "mayor"', "'mayor' is not a valid By"),
        ('stop_grounds = ["hearing", "tender"', 'stop_grounds = ["lunch", "tender"', "unknown grounds"),
        ('stop_grounds = ["hearing", "tender"', 'stop_grounds = ["tender", "tender"', "a ground stands twice"),
        ('article = "第四十四条"\n', "", "a law without its article"),
        ('article = "第四十四条"\n', 'article = "44"\n', "a law without its article"),
        ('rule = ["stop_grounds"]', "rule = []", r"no source carries \['stop_grounds'\]"),
        ('rule = ["delivery_limit"]', 'rule = ["delivery"]', "unknown rules"),
        ("from = 2019-04-23\n", "from = 2004-07-01\n", "not in the order"),
        ("from = 2019-04-23\n", 'from = "2019-04-23"\n', "from is not a day"),
        ("same_as = 2004-07-01\n", "same_as = 2003-07-01\n", "names no earlier version"),
        ("same_as = 2004-07-01\n", "same_as = 2004-07-01\nday_zero = 1\n", "unknown"),
        ('limit = { amount = 15, unit = "WD" }, overdue', 'limit = "none", overdue', "without a limit to supply in"),
        ('rule = ["gap_overdue"]', "rule = []", "sources of a local rule"),
        ('regimes = ["licensing", "confirmation"', 'regimes = ["licence", "confirmation"', "not a valid Regime"),
        ("[[local]]", "[[locals]]", "unknown"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_to_form_is_refused(old: str, new: str, reason: str) -> None:
    assert old in TEXT
    with pytest.raises(ValueError, match=reason):
        read_regimes(TEXT.replace(old, new, 1))


def test_no_regime_may_be_missing() -> None:
    start = TEXT.index('[[regime]]\ncode = "public_opinion"')
    end = TEXT.index("# A local rule")
    with pytest.raises(ValueError, match="no rules of .*public_opinion"):
        read_regimes(TEXT[:start] + TEXT[end:])


def test_a_network_may_have_no_local_rule() -> None:
    without = "local = []\n" + TEXT[: TEXT.index("# A local rule")]
    assert tomllib.loads(without)["local"] == []
    rules = newest(read_regimes(without), "licensing")
    assert rules.supplement.limit is None
    assert rules.local is None


def test_a_regime_has_a_version_and_local_rules_come_in_order() -> None:
    start = TEXT.index("[[regime.version]]", TEXT.index('code = "public_opinion"'))
    local = TEXT.index("# A local rule")
    with pytest.raises(ValueError, match="public_opinion has no version"):
        read_regimes(TEXT[:start] + "version = []\n" + TEXT[local:])
    earlier = TEXT[local:].replace("from = 2021-12-01", "from = 2020-01-01")
    with pytest.raises(ValueError, match="local rules are not in the order"):
        read_regimes(TEXT + earlier)
    later = read_regimes(TEXT + TEXT[local:].replace("from = 2021-12-01", "from = 2025-01-01"))
    rules = rules_on(later, "licensing", TODAY)
    assert rules.local is not None
    assert rules.local.since == date(2025, 1, 1)
    assert len(rules.sources) == len(rules_on(REGIMES, "licensing", TODAY).sources)
