"""What a scanner puts into the clerk's field is taken for what it is, and an ID number never for anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.scan import Scan, Scanned, read_scan


@pytest.mark.parametrize(
    ("text", "what", "value"),
    [
        ("410305199001010011", Scanned.PERSON, "410305199001010011"),
        ("41030519900101001x", Scanned.PERSON, "41030519900101001X"),
        ("４１０３ 0519 9001 0100 11\r", Scanned.PERSON, "410305199001010011"),
        ("91410311MA00000000", Scanned.PERSON, "91410311MA00000000"),
        ("E12345678", Scanned.PERSON, "E12345678"),
        ("LL202611220001", Scanned.CASE, "LL202611220001"),
        ("https://hall.example/c/AbCdEfGhIjKlMnOpQrStUv", Scanned.RECEIPT, "AbCdEfGhIjKlMnOpQrStUv"),
        (
            "http://127.0.0.1:8000/items/511F0287300000-511602000000-000-1-00",
            Scanned.ITEM,
            "511F0287300000-511602000000-000-1-00",
        ),
        ("511f0287300000-511602000000-000-1-00", Scanned.ITEM, "511F0287300000-511602000000-000-1-00"),
        ("https://elsewhere.example/anything", Scanned.WORDS, ""),
        ("spjyxk", Scanned.WORDS, "spjyxk"),
        ("食品 经营", Scanned.WORDS, "食品 经营"),
        ("", Scanned.WORDS, ""),
    ],
)
def test_a_scan_is_what_it_is(text: str, what: Scanned, value: str) -> None:
    assert read_scan(text) == Scan(what, value)


@given(st.from_regex(r"[1-9][0-9]{16}[0-9X]", fullmatch=True), st.sampled_from(["", " ", "\n", "\t"]))
def test_every_identity_card_is_a_person_whatever_stands_around_it(number: str, edge: str) -> None:
    assert read_scan(edge + number + edge) == Scan(Scanned.PERSON, number)


@given(st.text(max_size=60))
def test_anything_can_be_typed(text: str) -> None:
    assert read_scan(text).what in Scanned
