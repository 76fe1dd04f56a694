"""The words of a call and the recorded clips that say them: pure, and the only place that knows the phrase.

Ticket numbers are read digit by digit (A零零一), window numbers as numbers (十二号窗口). A clip is one word, so that a
hall can record its own bank word for word; `BANK` lists every clip there is and what is said in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

DIGITS = "零一二三四五六七八九"
LETTERS = ascii_uppercase

# window kind → (the window, what is done there) in both languages
_PLACES_ZH = {
    "comprehensive": ("窗口", "办理"),
    "pickup": ("出件窗口", "领取"),
    "consult": ("咨询窗口", "办理"),
}
_PLACES_EN = {"comprehensive": "window", "pickup": "pickup window", "consult": "enquiry window"}

_WORDS_ZH = {
    "再次呼叫": "again",
    "请": "please",
    "号": "number",
    "到": "to",
    "窗口": "window",
    "出件窗口": "pickup-window",
    "咨询窗口": "enquiry-window",
    "办理": "business",
    "领取": "collect",
    "十": "10",
    "百": "100",
    **{DIGITS[n]: str(n) for n in range(10)},
    **{letter: letter for letter in LETTERS},
}
_WORDS_EN = {
    "calling again": "again",
    "ticket": "ticket",
    "please go to": "please",
    "window": "window",
    "pickup window": "pickup-window",
    "enquiry window": "enquiry-window",
    **{str(n): str(n) for n in (*range(21), *range(30, 100, 10), 100)},
    **{letter: letter for letter in LETTERS},
}

CHIME = "chime"
PAUSE = "pause"  # a breath between ticket and window

# clip → (language, what is said); chime and pause are sounds without words
BANK: dict[str, tuple[str, str]] = {
    **{f"zh-{clip}": ("zh", word) for word, clip in _WORDS_ZH.items()},
    **{f"en-{clip}": ("en", word) for word, clip in _WORDS_EN.items()},
    CHIME: ("", ""),
    PAUSE: ("", ""),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How a call is spoken: how often, and whether only number and window (A001, 3号窗口)."""

    repeats: int
    short: bool = False


# calls waiting to be spoken, the next one included → how it is spoken. Shorter, never dropped.
LADDER: tuple[tuple[int, Plan], ...] = ((6, Plan(1, short=True)), (3, Plan(1)), (0, Plan(2)))


def plan(waiting: int) -> Plan:
    """How to speak the next call when `waiting` calls, it included, have not been spoken yet."""
    return next(step for least, step in LADDER if waiting >= least)


def text_zh(number: str, window: str, kind: str, recall: int = 0) -> str:
    """The sentence as it is spoken: 请A零零一号到三号窗口办理."""
    return "".join("，" if word == PAUSE else word for word in _zh(number, window, kind, recall, short=False))


def text_en(number: str, window: str, kind: str, recall: int = 0) -> str:
    """The sentence as it is spoken: Ticket A001, please go to window 3."""
    again = "Calling again. " if recall else ""
    return f"{again}Ticket {number}, please go to {_PLACES_EN.get(kind, 'window')} {_label(window)}."


def clips(call: dict[str, Any], language: str = "zh", *, short: bool = False) -> list[str]:
    """The clips of one reading of a `call` message (`number`, `window`, `window_kind`, `recall`), in order.

    A character that no clip says is left out; the screen shows it all the same.
    """
    said = _zh if language == "zh" else _en
    known = _WORDS_ZH if language == "zh" else _WORDS_EN
    kind = call.get("window_kind", "comprehensive")
    words = said(call["number"], call["window"], kind, call.get("recall", 0), short=short)
    return [PAUSE if w == PAUSE else f"{language}-{known[w]}" for w in words if w == PAUSE or w in known]


def chinese_number(n: int) -> str:
    """A whole number of 0…999 in words: 3 三, 10 十, 12 十二, 20 二十, 105 一百零五."""
    if n < 10:
        return DIGITS[n]
    if n < 100:
        tens, ones = divmod(n, 10)
        return ("" if tens == 1 else DIGITS[tens]) + "十" + (DIGITS[ones] if ones else "")
    hundreds, rest = divmod(n, 100)
    if not rest:
        return DIGITS[hundreds] + "百"
    return DIGITS[hundreds] + "百" + (("零" if rest < 10 else "一" if rest < 20 else "") + chinese_number(rest))


def window_number(window: str) -> int | None:
    """The number in a window's code, 3 of W03; None when it ends in no number of up to three digits."""
    found = re.search(r"(?<!\d)\d{1,3}$", window)
    return int(found.group()) if found else None


def _label(window: str) -> str:
    number = window_number(window)
    return window if number is None else str(number)


def _spelt(text: str) -> list[str]:
    """Character by character, digits as Chinese ones."""
    return [DIGITS[int(c)] if c in "0123456789" else c.upper() for c in text]


def _zh(number: str, window: str, kind: str, recall: int, *, short: bool) -> list[str]:
    place, purpose = _PLACES_ZH.get(kind, _PLACES_ZH["comprehensive"])
    n = window_number(window)
    at = [*(_spelt(window) if n is None else chinese_number(n)), "号", place]
    if short:
        return [*_spelt(number), PAUSE, *at]
    again = ["再次呼叫", PAUSE] if recall else []
    return [*again, "请", *_spelt(number), "号", "到", *at, purpose]


def _en(number: str, window: str, kind: str, recall: int, *, short: bool) -> list[str]:
    place = _PLACES_EN.get(kind, "window")
    n = window_number(window)
    at = [place, *(list(window.upper()) if n is None else _english_number(n))]
    ticket = list(number.upper())
    if short:
        return [*ticket, PAUSE, *at]
    again = ["calling again", PAUSE] if recall else []
    return [*again, "ticket", *ticket, PAUSE, "please go to", *at]


def _english_number(n: int) -> list[str]:
    if n <= 20:
        return [str(n)]
    hundreds, rest = divmod(n, 100)
    tens, ones = divmod(rest, 10)
    words = [str(hundreds), "100"] if hundreds else []
    if rest and rest <= 20:
        return [*words, str(rest)]
    return [*words, *([str(tens * 10)] if tens else []), *([str(ones)] if ones else [])]
