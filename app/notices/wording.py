"""How dates, limits, sums and codes are put into words, in Chinese and in English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from app.notices.facts import FactsWrong
from app.now import local

Pair = tuple[str, str]  # Chinese, English

FORMS: dict[str, Pair] = {
    "original": ("原件", "original"),
    "copy": ("复印件", "copy"),
    "both": ("原件及复印件", "original and copy"),
    "original_and_copy": ("原件及复印件", "original and copy"),
    "electronic": ("电子件", "electronic"),
}
STATES: dict[str, Pair] = {
    "received": ("已收", "received"),
    "missing": ("待补", "missing"),
    "tolerated": ("容缺", "tolerated"),
    "shared": ("数据共享", "shared data"),
    "not_needed": ("不需提交", "not needed"),
}
DEFECTS: dict[str, Pair] = {
    "incomplete": ("不齐全", "missing"),
    "form": ("不符合法定形式", "not in due form"),
}
CLOCKS: dict[str, Pair] = {
    "promised": ("承诺时限", "Promised limit"),
    "statutory": ("法定时限", "Statutory limit"),
    "both": ("法定时限和承诺时限", "both limits"),
}
DELIVERIES: dict[str, Pair] = {
    "pickup": ("到大厅出件窗口领取", "collect at the hall"),
    "courier": ("邮寄送达", "by courier"),
}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # in every locale
UNITS = {
    "工作日": "working day",
    "工作小时": "working hour",
    "小时": "hour",
    "自然日": "day",
    "日": "day",
    "天": "day",
}


def moment_zh(text: str | None) -> str:
    """An instant as 2026年11月22日 09:31, hall time; a day as 2026年11月22日; other text as it is."""
    at = _instant(text)
    if at is None:
        return text or ""
    day = f"{at.year}年{at.month}月{at.day}日"
    return f"{day} {at:%H:%M}" if isinstance(at, datetime) else day


def moment_en(text: str | None) -> str:
    """The same as 22 Nov 2026, 09:31."""
    at = _instant(text)
    if at is None:
        return text or ""
    day = f"{at.day} {MONTHS[at.month - 1]} {at.year}"
    return f"{day}, {at:%H:%M}" if isinstance(at, datetime) else day


def both_moments(text: str | None) -> Pair:
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


def due(facts: Mapping[str, Any], clock: str) -> Pair:
    """A limit and its last day in both languages: 5 个工作日（至2026年11月30日）; empty without a limit."""
    limit, due_on = facts.get(f"{clock}_limit"), facts.get(f"{clock}_due_on")
    if not limit:
        return "", ""
    foreign = limit_en(limit)
    if facts.get("provisional"):
        return f"{limit}（届满日期以公布为准）", f"{foreign} (last day once the calendar is announced)"
    return until(limit, due_on)


def until(limit: str | None, due_on: str | None) -> Pair:
    """5 个工作日（至2026年11月30日); the limit or the day alone where the other is not told."""
    if not limit or not due_on:
        return (limit, limit_en(limit)) if limit else both_moments(due_on)
    return f"{limit}（至{moment_zh(due_on)}）", f"{limit_en(limit)} (until {moment_en(due_on)})"


def limit_en(limit: str) -> str:
    """`5 个工作日` as `5 working days`; a limit said otherwise stays as it is."""
    told = re.fullmatch(r"(\d+)\s*个?(工作日|工作小时|小时|自然日|日|天)", limit)
    return counted_en(int(told[1]), UNITS[told[2]]) if told else limit


def counted_en(n: int, noun: str) -> str:
    """1 entry, 2 entries; 1 day, 2 days."""
    if n == 1:
        return f"{n} {noun}"
    return f"{n} {noun[:-1]}ies" if noun.endswith("ry") else f"{n} {noun}s"


def yuan(fen: int) -> Pair:
    """1,234.50 元."""
    return f"{fen / 100:,.2f} 元", f"CNY {fen / 100:,.2f}"


def word(words: Mapping[str, Pair], code: str | None) -> Pair:
    """A code in both languages; what is no code stands as it is, nothing as a dash."""
    return words.get(code or "", (code or "—", ""))
