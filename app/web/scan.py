"""What a scanner or a hand put into the one field of the clerk's form: a person, an item, a case, or words to search."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote, urlsplit


class Scanned(StrEnum):
    PERSON = "person"  # a full ID number
    ITEM = "item"  # an implementation code, also in the address of a guide's QR code
    CASE = "case"  # a printed number
    RECEIPT = "receipt"  # the token in a receipt's QR code
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Scan:
    """What it is, and its value without what was around it."""

    what: Scanned
    value: str


# identity card · unified social credit code · passports and permits
_PERSON = re.compile(r"[0-9]{17}[0-9X]|[0-9A-HJ-NP-RTUWXY]{2}[0-9]{6}[0-9A-HJ-NP-RTUWXY]{10}|[A-Z]{1,2}[0-9]{7,9}")
_CASE = re.compile(r"[A-Z]{2}[0-9]{12}")
_ITEM = re.compile(r"[0-9A-Z]{8,}-[0-9A-Z-]{12,60}")
_ADDRESSES = (
    (re.compile(r"/items/([^/]{8,80})/?"), Scanned.ITEM),
    (re.compile(r"/c/([A-Za-z0-9_-]{16,40})/?"), Scanned.RECEIPT),
)


def read_scan(text: str) -> Scan:
    """What was scanned or typed. Full-width characters and spaces within a number are a scanner's habit, not a difference."""
    text = unicodedata.normalize("NFKC", text).strip()
    if re.match(r"https?://", text, re.IGNORECASE):
        path = unquote(urlsplit(text).path)
        for address, what in _ADDRESSES:
            if found := address.fullmatch(path):
                return Scan(what, found[1])
        return Scan(Scanned.WORDS, "")
    packed = re.sub(r"\s", "", text).upper()
    for shape, what in ((_CASE, Scanned.CASE), (_PERSON, Scanned.PERSON), (_ITEM, Scanned.ITEM)):
        if shape.fullmatch(packed):
            return Scan(what, packed)
    return Scan(Scanned.WORDS, text)
