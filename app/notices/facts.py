"""What each paper must be told, and how dates and codes are put into words.

Facts are plain JSON values, frozen when a paper is issued. An instant is RFC 3339 text, a day `YYYY-MM-DD`;
both are printed in hall time. Any other text stands as it is. A key left out, None or "" leaves its line off.
"""

# No postponed annotations here: TypedDict would not see `Required` in them.

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal, NotRequired, Required, TypedDict

from app.now import local

QR_LIMIT = 300  # characters of an address; more makes squares that a phone cannot tell apart


class FactsWrong(ValueError):
    """A paper was asked for with facts it cannot be made of: a mistake in the code, never in the input."""


class Material(TypedDict):
    """One line of the list. `form` and `state` are codes of FORMS and STATES, or words of their own."""

    name: str
    form: NotRequired[str | None]
    copies: NotRequired[int | None]
    state: NotRequired[str | None]
    problem: NotRequired[str | None]


class CaseFacts(TypedDict, total=False):
    """What all papers of a case may say. `applicant_name` is whole: the paper belongs to the applicant."""

    hall_name: Required[str]
    hall_address: str | None
    hall_phone: str | None
    supervision_phone: str | None
    case_number: Required[str]
    query_code: str | None
    acceptance_number: str | None
    item_name: Required[str]
    item_code: str | None
    departments: list[str]
    applicant_name: Required[str]
    applicant_id_masked: str | None
    agent_name: str | None
    materials: list[Material]
    promised_limit: str | None  # "5 个工作日"
    promised_due_on: str | None  # day; None while the year's calendar is unknown
    statutory_limit: str | None
    statutory_due_on: str | None
    provisional: bool  # a needed calendar has not been announced: 以公布为准, no date
    received_at: str | None
    accepted_at: str | None
    clerk_name: str | None
    window: str | None
    fee: str | None
    legal_basis: list[str]
    reasons: list[str]
    result_name: str | None
    pickup_code: str | None
    qr_url: str | None


class ReceiptFacts(CaseFacts):
    received_at: Required[str]  # type: ignore[misc]  # narrowed
    materials: Required[list[Material]]  # type: ignore[misc]


class AcceptanceFacts(CaseFacts, total=False):
    acceptance_number: Required[str]  # type: ignore[misc]
    accepted_at: Required[str]  # type: ignore[misc]
    deemed: bool  # accepted because nobody told the applicant in time (行政许可法 §32)


class SupplementFacts(CaseFacts, total=False):
    materials: Required[list[Material]]  # type: ignore[misc]  # only those to be supplied, each with its problem
    supplement_due_on: str | None
    consequence: str | None  # what follows when the day passes, where the item's regime says so


class NonAcceptanceFacts(CaseFacts, total=False):
    reasons: Required[list[str]]  # type: ignore[misc]
    legal_basis: Required[list[str]]  # type: ignore[misc]
    go_to: str | None  # the authority that does take this matter
    review_authority: str | None
    court: str | None


class DecisionFacts(CaseFacts, total=False):
    outcome: Required[Literal["granted", "refused"]]
    department: str | None  # the one that decided; else the first of `departments`
    matter_kind: str | None  # 行政许可, 行政确认, …: becomes part of the title
    result_number: str | None
    valid_until: str | None
    review_authority: str | None
    court: str | None


class PickupFacts(CaseFacts, total=False):
    pickup_code: Required[str]  # type: ignore[misc]
    ready_at: str | None
    decided_at: str | None
    opening_hours: str | None


class SlipFacts(TypedDict, total=False):
    """The ticket slip; the same names as `printers.slips.Slip`."""

    hall: Required[str]
    ticket: Required[int]
    copy: int
    hall_name_zh: Required[str]
    hall_name_en: str
    number: Required[str]
    queue_name_zh: Required[str]
    queue_name_en: str
    zone: str
    windows: list[str]
    ahead: int | None
    issued_at: Required[str]  # local text, printed as it is
    item_name: str
    no_show_rule: str
    hall_phone: str
    qr_url: str
    reprint: bool
    language: str


class Issued(TypedDict):
    """What issuing adds to a case's facts."""

    number: str
    issued_at: str


FORMS = {
    "original": ("原件", "original"),
    "copy": ("复印件", "copy"),
    "both": ("原件及复印件", "original and copy"),
    "original_and_copy": ("原件及复印件", "original and copy"),
    "electronic": ("电子件", "electronic"),
}
STATES = {
    "received": ("已收", "received"),
    "missing": ("待补", "missing"),
    "tolerated": ("容缺", "tolerated"),
    "shared": ("数据共享", "shared data"),
    "not_needed": ("不需提交", "not needed"),
}


def check(kind: str, contract: type, facts: Mapping[str, Any], *, issued: bool = True) -> None:
    """Refuse facts that lack a required key, hold an unknown one, or promise a paper without reasons.

    Refusals and non-acceptances need reasons and legal basis (行政许可法 §32, §38). Raises FactsWrong.
    """
    extra = frozenset(Issued.__annotations__) if issued else frozenset()
    required: frozenset[str] = contract.__required_keys__ | extra  # type: ignore[attr-defined]
    known: frozenset[str] = contract.__optional_keys__ | required  # type: ignore[attr-defined]
    missing = sorted(key for key in required if facts.get(key) in (None, "", []))
    unknown = sorted(set(facts) - known)
    if kind == "decision" and facts.get("outcome") not in ("granted", "refused"):
        missing.append("outcome")
    if facts.get("outcome") == "refused":
        missing += [key for key in ("reasons", "legal_basis") if not facts.get(key)]
    wrong = sorted(key for key, value in facts.items() if value is not None and not _fits(key, value))
    if missing or unknown or wrong:
        raise FactsWrong(f"{kind}: missing {missing}, unknown {unknown}, of the wrong shape {wrong}")


def _fits(key: str, value: Any) -> bool:
    """Whether a value has the shape its key asks for, so that no frozen paper fails when it is drawn."""
    if key == "materials":
        return isinstance(value, list) and all(
            isinstance(each, Mapping) and isinstance(each.get("name"), str) for each in value
        )
    if key in ("departments", "legal_basis", "reasons", "windows"):
        return isinstance(value, list | tuple) and all(isinstance(text, str) for text in value)
    if key in ("provisional", "deemed", "reprint"):
        return isinstance(value, bool)
    if key in ("ticket", "copy", "ahead"):
        return isinstance(value, int)
    if key == "qr_url":
        return isinstance(value, str) and value.isascii() and len(value) <= QR_LIMIT
    return isinstance(value, str)


def moment_zh(text: str | None) -> str:
    """An instant as 2026年11月22日 09:31, hall time; a day as 2026年11月22日; other text as it is."""
    at = _instant(text)
    if at is None:
        return text or ""
    day = f"{at.year}年{at.month}月{at.day}日"
    return day if isinstance(at, date) and not isinstance(at, datetime) else f"{day} {at:%H:%M}"


_MONTHS = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)  # in every locale


def moment_en(text: str | None) -> str:
    """The same as 22 Nov 2026, 09:31."""
    at = _instant(text)
    if at is None:
        return text or ""
    day = f"{at.day} {_MONTHS[at.month - 1]} {at.year}"
    return f"{day}, {at:%H:%M}" if isinstance(at, datetime) else day


def both_moments(text: str | None) -> tuple[str, str]:
    return moment_zh(text), moment_en(text)


def day_of(text: str) -> date:
    """The local day of an instant or a day. Raises FactsWrong for other text."""
    at = _instant(text)
    if at is None:
        raise FactsWrong(f"not a time: {text!r}")
    return at.date() if isinstance(at, datetime) else at


def _instant(text: str | None) -> date | datetime | None:
    try:
        if text and len(text) == 10:
            return date.fromisoformat(text)
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return local(at) if at.tzinfo else at


def due(facts: Mapping[str, Any], clock: str) -> tuple[str, str]:
    """A limit and its last day in both languages: 5 个工作日（至2026年11月30日）; empty without a limit."""
    limit, due_on = facts.get(f"{clock}_limit"), facts.get(f"{clock}_due_on")
    if not limit:
        return "", ""
    foreign = _limit_en(limit)
    if facts.get("provisional"):
        return f"{limit}（届满日期以公布为准）", f"{foreign} (last day once the calendar is announced)"
    if not due_on:
        return limit, foreign
    return f"{limit}（至{moment_zh(due_on)}）", f"{foreign} (until {moment_en(due_on)})"


_UNITS = {
    "工作日": "working day",
    "工作小时": "working hour",
    "小时": "hour",
    "自然日": "day",
    "日": "day",
    "天": "day",
}


def _limit_en(limit: str) -> str:
    """`5 个工作日` as `5 working days`; a limit said otherwise stays as it is."""
    told = re.fullmatch(r"(\d+)\s*个?(工作日|工作小时|小时|自然日|日|天)", limit)
    return f"{told[1]} {_UNITS[told[2]]}{'' if told[1] == '1' else 's'}" if told else limit
