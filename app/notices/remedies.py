"""What a citizen may do against a decision, by the law in force on the day of the paper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Remedy:
    """The two ways and their limits, from `since` (local day, inclusive). Natural days, calendar months."""

    since: date
    review_days: int
    review_law: str
    suit_months: int
    suit_law: str

    def zh(self, review_authority: str = "", court: str = "") -> str:
        return (
            f"如不服本决定，可以自收到本决定书之日起{_count(self.review_days)}日内，依照{self.review_law}向"
            f"{review_authority or '有管辖权的行政复议机关'}申请行政复议；也可以自收到本决定书之日起"
            f"{_count(self.suit_months)}个月内，依照{self.suit_law}向"
            f"{court or '有管辖权的人民法院'}提起行政诉讼。"
            "法律另有规定的，从其规定。"
        )

    def en(self) -> str:
        return (
            "Against this decision you may apply for administrative reconsideration within "
            f"{self.review_days} days, or bring an administrative suit within {self.suit_months} months, of "
            "receiving it, unless a law says otherwise."
        )


# Newest last; an entry is never edited, because papers issued under it are printed again from it.
REMEDIES = (
    # 行政诉讼法 as amended in 2014, in force 2015-05-01: six months instead of three
    Remedy(
        date(2015, 5, 1),
        60,
        "《中华人民共和国行政复议法》第九条",
        6,
        "《中华人民共和国行政诉讼法》第四十六条",
    ),
    # 行政复议法 as revised in 2023, in force 2024-01-01: the limit moved to article 20
    Remedy(
        date(2024, 1, 1),
        60,
        "《中华人民共和国行政复议法》第二十条",
        6,
        "《中华人民共和国行政诉讼法》第四十六条",
    ),
)


def remedy_on(day: date) -> Remedy:
    """The remedy in force on a local day. Raises ValueError before the first one that we know."""
    for remedy in reversed(REMEDIES):
        if remedy.since <= day:
            return remedy
    raise ValueError(f"no remedy is known for {day}")


def _count(n: int) -> str:
    """1–99 in Chinese numerals, as the law writes its limits."""
    digits = "零一二三四五六七八九"
    tens, units = divmod(n, 10)
    head = "" if tens == 0 else "十" if tens == 1 else digits[tens] + "十"
    return (head + (digits[units] if units or not tens else "")) if 0 < n < 100 else str(n)
