"""Which e-licence stands for which paper, and until which day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.casework.rules.licences import ORGANISATION, PERSON, Licence, Validity, wanted, weigh

DAY = date(2026, 11, 23)
days = st.dates(date(2020, 1, 1), date(2035, 12, 31))


def licence(title: str = "营业执照", until: date | None = None, revoked: date | None = None) -> Licence:
    return Licence(title, "N1", "区市场监督管理局", date(2019, 1, 1), until, revoked)


@pytest.mark.parametrize(
    ("material", "holder", "titles", "every"),
    [
        ("申请人居民身份证", PERSON, ("居民身份证",), False),
        ("经营者居民身份证", PERSON, ("居民身份证",), False),
        ("纳税人身份证件", PERSON, ("居民身份证",), False),
        ("申请人身份证明（个人为身份证，单位为营业执照或者法人证书）", PERSON, ("居民身份证",), False),
        ("申请人身份证明（个人为身份证，单位为营业执照或者法人证书）", ORGANISATION, ("营业执照",), False),
        ("建设单位主体资格证明", ORGANISATION, ("营业执照",), False),
        ("营业执照正副本（涉及执照记载事项的）", ORGANISATION, ("营业执照",), False),
        ("营业执照或者法人证书", ORGANISATION, ("营业执照", "法人证书"), False),
        ("医保电子凭证、居民身份证或者社会保障卡", PERSON, ("医保电子凭证", "居民身份证", "社会保障卡"), False),
        ("医师资格证书、医师执业证书", PERSON, ("医师资格证书", "医师执业证书"), True),
        ("建设工程规划许可证和建筑工程施工许可证", ORGANISATION, ("建设工程规划许可证", "建筑工程施工许可证"), True),
        # somebody else's papers, and parts that prove nothing by themselves
        ("父母居民户口簿和居民身份证", PERSON, (), False),
        ("经办人身份证件", PERSON, (), False),
        ("法定代表人（经营者）居民身份证", PERSON, (), False),
        ("产权人及配偶身份证、户口簿、婚姻证明", PERSON, (), False),
        ("用房产权或者使用证明及建筑平面图", PERSON, (), False),
    ],
)
def test_a_material_names_the_licences_that_stand_for_it(
    material: str, holder: str, titles: tuple[str, ...], every: bool
) -> None:
    want = wanted(material, holder)
    assert (want.titles, want.every) == (titles, every)


def test_a_licence_holds_through_its_last_day_and_not_on_the_day_of_revocation() -> None:
    assert licence(until=DAY).validity(DAY) is Validity.VALID
    assert licence(until=DAY - timedelta(days=1)).validity(DAY) is Validity.EXPIRED
    assert licence().validity(DAY) is Validity.VALID
    assert licence(revoked=DAY).validity(DAY) is Validity.REVOKED
    assert licence(revoked=DAY + timedelta(days=1)).validity(DAY) is Validity.VALID


@given(until=days, revoked=st.none() | days, on=days, later=st.integers(0, 4000))
def test_a_licence_that_is_worth_nothing_never_comes_back(
    until: date, revoked: date | None, on: date, later: int
) -> None:
    one = licence(until=until, revoked=revoked)
    if one.validity(on) is not Validity.VALID:
        assert one.validity(on + timedelta(days=later)) is not Validity.VALID


def test_one_of_several_is_enough_where_the_paper_says_or() -> None:
    want = wanted("居民身份证或者社会保障卡", PERSON)
    old, good = licence("居民身份证", DAY - timedelta(days=9)), licence("社会保障卡")
    assert weigh(want, {"居民身份证": old, "社会保障卡": good}, DAY).licences == (good,)
    assert weigh(want, {"居民身份证": old, "社会保障卡": None}, DAY).validity is Validity.EXPIRED
    assert weigh(want, {"居民身份证": None, "社会保障卡": None}, DAY).validity is None


def test_all_are_needed_where_the_paper_says_and() -> None:
    want = wanted("医师资格证书、医师执业证书", PERSON)
    one, other = licence("医师资格证书"), licence("医师执业证书", DAY - timedelta(days=1))
    assert weigh(want, {"医师资格证书": one, "医师执业证书": None}, DAY).validity is None
    assert weigh(want, {"医师资格证书": one, "医师执业证书": other}, DAY).validity is Validity.EXPIRED
    assert weigh(want, {"医师资格证书": one, "医师执业证书": licence("医师执业证书")}, DAY).validity is Validity.VALID
