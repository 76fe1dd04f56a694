"""What people type: cleaned, bounded, and refused when no hall could print or speak it."""

from __future__ import annotations

import re
import unicodedata

from app.errors import Refusal

# Invisible direction marks and joiners let one name look like another; they have no place in a name or a reason.
_HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufe00-\ufe0f]")
_PHONE = re.compile(r"\+?[0-9]{5,15}")
_ID_NUMBER = re.compile(r"[0-9A-Z()]{4,32}")
_RESIDENT = re.compile(r"[0-9]{17}[0-9X]")


def clean(text: str, field: str, *, limit: int = 60, lines: bool = False, empty: bool = False) -> str:
    """The text in NFC without outer space. Keeps every Han character, 𠮷 included.

    `limit` counts characters. Refuses text.empty, text.too_long and text.invalid (control characters, emoji, private
    use, lone surrogates, direction marks); line breaks pass only with `lines`.
    """
    if len(text) > limit * 4 + 100:
        raise Refusal("text.too_long", field=field, limit=limit)
    text = unicodedata.normalize("NFC", text).strip()
    if not text and not empty:
        raise Refusal("text.empty", field=field)
    if len(text) > limit:
        raise Refusal("text.too_long", field=field, limit=limit)
    if _HIDDEN.search(text) or any(not _writable(c, lines) for c in text):
        raise Refusal("text.invalid", field=field)
    return text


def _writable(character: str, lines: bool) -> bool:
    if lines and character == "\n":
        return True
    return unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "So", "Sk", "Zl", "Zp"}


def clean_phone(text: str) -> str:
    """A phone number without spaces and hyphens, +86 dropped. Refuses person.bad_phone."""
    digits = re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", text)).removeprefix("+86")
    if not _PHONE.fullmatch(digits):
        raise Refusal("person.bad_phone")
    return digits


def clean_id_number(text: str) -> str:
    """An ID number in capitals without spaces. The check digit is not judged: foreign documents have none.

    Refuses person.bad_id.
    """
    number = re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", text)).upper()
    if not _ID_NUMBER.fullmatch(number):
        raise Refusal("person.bad_id")
    return number


def checked_id_number(text: str) -> str:
    """The same where no card is read: a resident's number of 18 signs needs its check digit (GB 11643: ISO 7064 MOD 11-2).

    Refuses person.bad_id.
    """
    number = clean_id_number(text)
    if _RESIDENT.fullmatch(number):
        digits = [10 if sign == "X" else int(sign) for sign in number]
        if sum(digit << place for place, digit in enumerate(reversed(digits))) % 11 != 1:
            raise Refusal("person.bad_id")
    return number
