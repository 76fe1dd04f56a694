"""Search by what people type: Chinese, full pinyin, pinyin initials, English or an implementation code."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

LONGEST_QUERY = 64
"""Characters of a query that are looked at; the rest is ignored."""

MOST_TERMS = 8
CODE_TERM = 6
"""Fewest characters with which a term is taken for part of an implementation code: all codes share their
beginnings."""

RANKS = ("text.begins", "text", "pinyin.begins", "pinyin", "initials.begins", "initials", "english", "code")
"""How a term was found, best first; `rank` returns the index of its worst term."""


def index_text(
    item_name: str,
    parent_item: str = "",
    department: str = "",
    name_en: str = "",
    implementation_code: str = "",
) -> str:
    """The search text of an item: five lines, which are its Chinese text, pinyin, initials, English name
    and code.

    A space parts the fields of the first three lines; within the pinyin line every syllable begins with a
    capital, so that a search can tell `An` in ShenPiAnJian from `an` in ShenPiYang. For a first sieve in
    the database, every term of `terms(query)` is a substring of the text, letter case aside.
    """
    fields = [field for field in (item_name, parent_item, department) if field]
    syllables = [reading for field in fields for reading in _readings(_plain(field))]
    return "\n".join(
        (
            " ".join(_plain(field) for field in fields),
            " ".join("".join(syllable.capitalize() for syllable in field) for field in syllables),
            " ".join("".join(syllable[0] for syllable in field) for field in syllables),
            " ".join(_words(name_en)),
            _plain(implementation_code),
        )
    )


def terms(query: str) -> tuple[str, ...]:
    """The normalised terms of a query: NFKC, lower case, letters and digits only, `ü` typed as v, split at
    spaces and where Chinese and Latin text meet. An apostrophe joins (xi'an). Terms hold no `%`, `_` or
    quotes."""
    found: list[str] = []
    for word in _folded(query[:LONGEST_QUERY]).replace("'", "").replace("\u2019", "").split():
        run = ""
        for character in word:
            if not character.isalnum():
                continue
            if run and _is_latin(run[-1]) is not _is_latin(character):
                found.append(run)
                run = ""
            run += character
        if run:
            found.append(run)
    return tuple(dict.fromkeys(found))[:MOST_TERMS]


def rank(query: str, text: str) -> int | None:
    """How well an item's `index_text` answers a query: 0 is best (see `RANKS`), None is no match.

    Every term must be found. Pinyin matches from the beginning of a syllable and may break off inside one
    (`shipinjingy`); initials match anywhere. An empty query matches everything; one without a letter or
    digit nothing.
    """
    wanted = terms(query)
    if not wanted:
        return None if query.strip() else 0
    chinese, pinyin, initials, english, code = text.split("\n")
    lower_pinyin = pinyin.lower()
    worst = 0
    for term in wanted:
        found = _text_rank(term, chinese)
        if found is None and _is_latin(term[0]):
            found = _latin_rank(term, pinyin, lower_pinyin, initials, english, code)
        if found is None:
            return None
        worst = max(worst, found)
    return worst


def matches(query: str, text: str) -> bool:
    """Whether an item's `index_text` answers the query."""
    return rank(query, text) is not None


def _text_rank(term: str, chinese: str) -> int | None:
    at = chinese.find(term)
    if at < 0:
        return None
    return RANKS.index("text.begins") if at == 0 else RANKS.index("text")


def _latin_rank(term: str, pinyin: str, lower_pinyin: str, initials: str, english: str, code: str) -> int | None:
    at = lower_pinyin.find(term)
    while at >= 0:
        if not pinyin[at].islower():
            return RANKS.index("pinyin.begins") if at == 0 else RANKS.index("pinyin")
        at = lower_pinyin.find(term, at + 1)
    at = initials.find(term)
    if at >= 0:
        return RANKS.index("initials.begins") if at == 0 else RANKS.index("initials")
    if any(word.startswith(term) for word in english.split()):
        return RANKS.index("english")
    if len(term) >= CODE_TERM and term in code:
        return RANKS.index("code")
    return None


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower().replace("ü", "v")


def _plain(text: str) -> str:
    """Folded letters and digits only: brackets, commas and slashes differ from hall to hall."""
    return "".join(character for character in _folded(text) if character.isalnum())


def _words(text: str) -> Iterable[str]:
    return "".join(character if character.isalnum() else " " for character in _folded(text)).split()


def _is_latin(character: str) -> bool:
    return character.isascii()


@lru_cache(maxsize=8192)
def _readings(plain: str) -> tuple[tuple[str, ...], ...]:
    """Toneless syllables of a field: read by phrase (行业 hang, 校验 jiao) and, if different, by character.

    The second reading mends phrases cut wrongly (住建|行使) and finds what is typed as far as 特种行.
    Characters without a reading stay as they are.
    """
    by_phrase = _syllables(plain)
    by_character = tuple(syllable for character in plain for syllable in _syllables(character))
    return (by_phrase,) if by_phrase == by_character else (by_phrase, by_character)


@lru_cache(maxsize=8192)
def _syllables(text: str) -> tuple[str, ...]:
    from pypinyin import Style, lazy_pinyin  # 56 MB of phrases: only for who reads a catalogue in

    return tuple(lazy_pinyin(text, style=Style.NORMAL, v_to_u=False, errors=_letters))


def _letters(unread: str) -> Any:
    """Characters without a reading, each a syllable by itself. (pypinyin takes a list, but is typed str.)"""
    return list(unread)
