"""Regimes: the rules of procedure that a case follows, by law and by day, read from `regimes.toml` (DOMAIN C2–C8)."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from enum import StrEnum
from typing import Any

from app.catalog.rules.guide import Regime
from app.catalog.rules.tables import (
    ARTICLE,
    HAN,
    NONE,
    read_boolean,
    read_integer,
    read_limit,
    read_limit_or_none,
    read_list,
    read_table,
    read_text,
    read_texts,
)
from app.hall.rules.clock import Limit, Unit


class NotNotified(StrEnum):
    """What follows when nothing was told of missing papers in time."""

    DEEMED_ACCEPTED = "deemed_accepted"  # 自收到申请材料之日起即为受理
    NONE = "none"  # 没有规定


class Overdue(StrEnum):
    """What follows when the applicant does not supply what was asked for."""

    DEEMED_WITHDRAWN = "deemed_withdrawn"  # 视为撤回、视为放弃
    NONE = "none"  # 没有规定


class DayZero(StrEnum):
    """The day from which the limit runs; itself not counted."""

    ACCEPTANCE = "acceptance"  # 受理之日
    RECEIPT = "receipt"  # 收到之日


class By(StrEnum):
    """Who may extend."""

    HEAD = "head"  # 本机关负责人
    GOVERNMENT = "government"  # 本级人民政府负责人


class Mark(StrEnum):
    """Where a rule comes from (docs/legal.md)."""

    LAW = "L"
    HALL = "H"
    DECISION = "D"


EIGHT_GROUNDS = ("hearing", "tender", "auction", "inspection", "testing", "quarantine", "appraisal", "expert_review")
"""行政许可法 §45."""

THIRD_PARTY = "third_party"  # 征求第三方和其他机关意见
GROUNDS = frozenset({*EIGHT_GROUNDS, THIRD_PARTY})


@dataclass(frozen=True, slots=True)
class Supplement:
    """Supplying what was missing. `restart`: the limit runs anew from the day the supplement came in."""

    limit: Limit | None
    overdue: Overdue
    restart: bool


@dataclass(frozen=True, slots=True)
class Extension:
    """Once, by at most `limit` more."""

    limit: Limit
    by: By


@dataclass(frozen=True, slots=True)
class Source:
    """What carries some of the rules: a law and its article, a hall's practice, or our decision."""

    law: str
    article: str
    says: str
    says_en: str
    rule: tuple[str, ...]
    mark: Mark


@dataclass(frozen=True, slots=True)
class Local:
    """A local rule that is worked into the rules of some regimes from `since` on."""

    name: str
    name_en: str
    since: date
    sample: bool
    regimes: tuple[Regime, ...]
    not_notified: NotNotified
    supplement: Supplement
    gap_overdue: Overdue
    pre_review_limit: Limit | None
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one regime from `since` until its next version. `local`: the local rule worked into them."""

    regime: Regime
    since: date
    name: str
    name_en: str
    notice_limit: Limit | None
    not_notified: NotNotified
    receipt_next_day: bool
    day_zero: DayZero
    supplement: Supplement
    gap_overdue: Overdue
    pre_review_limit: Limit | None
    statutory_default: Limit
    joint_default: Limit | None
    extension: Extension | None
    joint_extension: Extension | None
    delivery_limit: Limit | None
    stop_grounds: tuple[str, ...]
    sources: tuple[Source, ...]
    local: Local | None = None


@dataclass(frozen=True, slots=True)
class Regimes:
    """All versions of all regimes, oldest first, and the local rules, oldest first."""

    versions: Mapping[Regime, tuple[Rules, ...]]
    local: tuple[Local, ...]


NAMING = ("regime", "since", "name", "name_en", "sources", "local")
RULES = tuple(field.name for field in fields(Rules) if field.name not in NAMING)
"""The fields of a version that are rules of law, each to be carried by a source."""

LOCAL_RULES = ("not_notified", "supplement", "gap_overdue", "pre_review_limit")


def rules_on(regimes: Regimes, regime: str, day: date) -> Rules:
    """The rules of a regime in force on a local day, with the newest local rule in force on it, if any.

    A version holds from its first day on, inclusive. Raises ValueError for a day before the first version.
    """
    current = [version for version in regimes.versions[Regime(regime)] if version.since <= day]
    if not current:
        raise ValueError(f"no rules of {regime} on {day}")
    rules = current[-1]
    local = [rule for rule in regimes.local if rule.since <= day and rules.regime in rule.regimes]
    if not local:
        return rules
    changed = [name for name in LOCAL_RULES if getattr(local[-1], name) != getattr(rules, name)]
    return replace(
        rules,
        **{name: getattr(local[-1], name) for name in LOCAL_RULES},
        sources=(*_without(rules.sources, changed), *local[-1].sources),
        local=local[-1],
    )


def newest(regimes: Regimes, regime: str) -> Rules:
    """The rules against which a guide is published."""
    return rules_on(regimes, regime, date.max)


def plain(rules: Rules) -> dict[str, Any]:
    """The rules as they are frozen into a case: JSON values only."""
    return {
        "regime": rules.regime.value,
        "version": rules.since.isoformat(),
        "name": rules.name,
        "name_en": rules.name_en,
        "local": rules.local
        and {
            "name": rules.local.name,
            "name_en": rules.local.name_en,
            "version": rules.local.since.isoformat(),
            "sample": rules.local.sample,
        },
        "notice_limit": _plain_limit(rules.notice_limit),
        "not_notified": rules.not_notified.value,
        "receipt_next_day": rules.receipt_next_day,
        "day_zero": rules.day_zero.value,
        "supplement": {
            "limit": _plain_limit(rules.supplement.limit),
            "overdue": rules.supplement.overdue.value,
            "restart": rules.supplement.restart,
        },
        "gap_overdue": rules.gap_overdue.value,
        "pre_review_limit": _plain_limit(rules.pre_review_limit),
        "statutory_default": _plain_limit(rules.statutory_default),
        "joint_default": _plain_limit(rules.joint_default),
        "extension": _plain_extension(rules.extension),
        "joint_extension": _plain_extension(rules.joint_extension),
        "delivery_limit": _plain_limit(rules.delivery_limit),
        "stop_grounds": list(rules.stop_grounds),
        "sources": [
            {
                "law": source.law,
                "article": source.article,
                "says": source.says,
                "says_en": source.says_en,
                "rule": list(source.rule),
                "mark": source.mark.value,
            }
            for source in rules.sources
        ],
    }


def read_regimes(document: str) -> Regimes:
    """The regimes of a TOML text: every regime of `Regime` once, with one or more versions, and the local rules.

    A version has exactly the fields of `Rules` (limits that do not exist are "none"), or says `same_as` an earlier
    one; each of its rules is named by a source. Raises ValueError, with the regime and version in its words.
    """
    given = read_table(tomllib.loads(document), ("regime", "local"))
    versions: dict[Regime, tuple[Rules, ...]] = {}
    for entry in read_list(given, "regime"):
        code = Regime(read_table(entry, ("code", "name", "name_en", "version"))["code"])
        if code in versions:
            raise ValueError(f"{code} stands twice")
        versions[code] = _versions(code, entry)
    if missing := set(Regime) - set(versions):
        raise ValueError(f"no rules of {sorted(missing)}")
    local = tuple(_local(entry) for entry in read_list(given, "local"))
    if [rule.since for rule in local] != sorted({rule.since for rule in local}):
        raise ValueError("local rules are not in the order of their days")
    return Regimes(versions, local)


def _versions(code: Regime, entry: Mapping[str, Any]) -> tuple[Rules, ...]:
    found: list[Rules] = []
    for given in read_list(entry, "version"):
        try:
            found.append(_version(code, entry, given, found))
        except (ValueError, TypeError, KeyError) as error:
            since = given.get("from") if isinstance(given, dict) else given
            raise ValueError(f"{code} from {since}: {error}") from error
    if not found:
        raise ValueError(f"{code} has no version")
    if [rules.since for rules in found] != sorted({rules.since for rules in found}):
        raise ValueError(f"{code}: versions are not in the order of their days")
    return tuple(found)


def _version(code: Regime, entry: Mapping[str, Any], given: Any, earlier: Iterable[Rules]) -> Rules:
    if isinstance(given, dict) and "same_as" in given:
        read_table(given, ("from", "same_as", "sources"))
        same = [rules for rules in earlier if rules.since == _day(given, "same_as")]
        if not same:
            raise ValueError(f"same_as names no earlier version: {given['same_as']}")
        return replace(same[0], since=_day(given, "from"), sources=(*same[0].sources, *_sources(given)))
    read_table(given, ("from", "sources", *RULES))
    rules = Rules(
        regime=code,
        since=_day(given, "from"),
        name=read_text(entry, "name"),
        name_en=_english(read_text(entry, "name_en")),
        notice_limit=read_limit_or_none(given["notice_limit"]),
        not_notified=NotNotified(given["not_notified"]),
        receipt_next_day=read_boolean(given, "receipt_next_day"),
        day_zero=DayZero(given["day_zero"]),
        supplement=_supplement(given["supplement"]),
        gap_overdue=Overdue(given["gap_overdue"]),
        pre_review_limit=read_limit_or_none(given["pre_review_limit"]),
        statutory_default=read_limit(given["statutory_default"]),
        joint_default=read_limit_or_none(given["joint_default"]),
        extension=_extension(given["extension"]),
        joint_extension=_extension(given["joint_extension"]),
        delivery_limit=read_limit_or_none(given["delivery_limit"]),
        stop_grounds=read_texts(given, "stop_grounds"),
        sources=_sources(given),
    )
    for problem in _faults(rules):
        raise ValueError(problem)
    return rules


def _faults(rules: Rules) -> Iterator[str]:
    if unknown := set(rules.stop_grounds) - GROUNDS:
        yield f"unknown grounds {sorted(unknown)}"
    if len(set(rules.stop_grounds)) != len(rules.stop_grounds):
        yield "a ground stands twice"
    if rules.not_notified is NotNotified.DEEMED_ACCEPTED and rules.notice_limit is None:
        yield "deemed acceptance without a limit to notify in"
    if rules.joint_extension and not rules.joint_default:
        yield "a joint extension without a joint limit"
    for extension, lengthened in (
        (rules.extension, rules.statutory_default),
        (rules.joint_extension, rules.joint_default),
    ):
        if extension and lengthened and extension.limit.unit is not lengthened.unit:
            yield "an extension in another unit than its limit"
    carried = {name for source in rules.sources for name in source.rule}
    if bare := {name for name in RULES if _says_something(getattr(rules, name))} - carried:
        yield f"no source carries {sorted(bare)}"


def _says_something(value: Any) -> bool:
    """Whether a rule grants or demands anything; what does not needs no source."""
    if isinstance(value, Supplement):
        return value.limit is not None or value.restart
    return bool(value) and value != NONE


def _local(entry: Any) -> Local:
    given = read_table(entry, ("name", "name_en", "from", "sample", "regimes", *LOCAL_RULES, "sources"))
    rule = Local(
        name=read_text(given, "name"),
        name_en=_english(read_text(given, "name_en")),
        since=_day(given, "from"),
        sample=read_boolean(given, "sample"),
        regimes=tuple(Regime(code) for code in read_texts(given, "regimes")),
        not_notified=NotNotified(given["not_notified"]),
        supplement=_supplement(given["supplement"]),
        gap_overdue=Overdue(given["gap_overdue"]),
        pre_review_limit=read_limit_or_none(given["pre_review_limit"]),
        sources=_sources(given),
    )
    carried = {name for source in rule.sources for name in source.rule}
    if carried != set(LOCAL_RULES):
        raise ValueError(f"the sources of a local rule carry {LOCAL_RULES}, not {sorted(carried)}")
    return rule


def _supplement(entry: Any) -> Supplement:
    given = read_table(entry, ("limit", "overdue", "restart"))
    found = Supplement(read_limit_or_none(given["limit"]), Overdue(given["overdue"]), read_boolean(given, "restart"))
    if found.overdue is Overdue.DEEMED_WITHDRAWN and found.limit is None:
        raise ValueError("deemed withdrawal without a limit to supply in")
    return found


def _extension(entry: Any) -> Extension | None:
    if entry == NONE:
        return None
    given = read_table(entry, ("amount", "unit", "by"))
    return Extension(Limit(read_integer(given, "amount"), Unit(given["unit"])), By(given["by"]))


def _sources(given: Mapping[str, Any]) -> tuple[Source, ...]:
    return tuple(_source(entry) for entry in read_list(given, "sources"))


def _source(entry: Any) -> Source:
    given = read_table(entry, ("law", "says", "says_en", "rule", "mark"), optional=("article",))
    source = Source(
        law=read_text(given, "law"),
        article=read_text(given, "article") if "article" in given else "",
        says=read_text(given, "says"),
        says_en=_english(read_text(given, "says_en")),
        rule=read_texts(given, "rule"),
        mark=Mark(given["mark"]),
    )
    if unknown := set(source.rule) - set(RULES):
        raise ValueError(f"a source of unknown rules {sorted(unknown)}")
    if source.mark is Mark.LAW and not ARTICLE.fullmatch(source.article):
        raise ValueError(f"a law without its article: {source.law}")
    return source


def _without(sources: Iterable[Source], names: Collection[str]) -> Iterator[Source]:
    """The sources without the rules that no longer rest on them, and those alone that still carry something."""
    for source in sources:
        left = tuple(name for name in source.rule if name not in names)
        if left or not source.rule:
            yield replace(source, rule=left)


def _day(given: Mapping[str, Any], name: str) -> date:
    if type(given[name]) is not date:
        raise ValueError(f"{name} is not a day: {given[name]!r}")
    return given[name]


def _english(words: str) -> str:
    if HAN.search(words):
        raise ValueError(f"not English: {words}")
    return words


def _plain_limit(value: Limit | None) -> dict[str, Any] | None:
    return {"amount": value.amount, "unit": value.unit.value} if value else None


def _plain_extension(value: Extension | None) -> dict[str, Any] | None:
    return {"amount": value.limit.amount, "unit": value.limit.unit.value, "by": value.by.value} if value else None
