"""Shelf slots, and which pictures pass for a signature."""

from __future__ import annotations

import base64
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.casework.rules.shelves import next_free
from app.casework.rules.signature import LONGEST, read_signature


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int = 4, height: int = 3, *, depth: int = 8, rows: bytes | None = None, end: bytes = b"") -> bytes:
    """A picture of grey pixels with alpha, as a pad draws it, unless its parts are said otherwise."""
    header = struct.pack(">IIBBBBB", width, height, depth, 6, 0, 0, 0)
    rows = bytes(height * (1 + 4 * width)) if rows is None else rows
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts + end


def url(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def test_a_signature_is_the_png_it_says() -> None:
    assert read_signature(url(png())) == png()
    assert read_signature(url(png(600, 200))) == png(600, 200)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "data:image/png;base64,",
        "data:image/png;base64,***",
        url(png(), "image/svg+xml"),
        url(b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        url(b"\x89PNG\r\n\x1a\n"),
        url(png()[:-1]),
        url(png(end=b"more")),
        url(png(end=chunk(b"IEND", b""))[:-16]),
        url(png().replace(b"IDAT", b"IDAX")),
        url(png(0, 3)),
        url(png(5000, 3)),
        url(png(depth=16)),
        url(png(rows=bytes(10))),
        url(png(rows=bytes(40_000_000))),
        "data:image/png;base64," + "A" * LONGEST,
    ],
    ids=range(16),
)
def test_nothing_else_is_a_signature(given: str) -> None:
    with pytest.raises(ValueError):
        read_signature(given)


@given(place=st.integers(0, len(png()) - 1), bit=st.integers(0, 7))
@settings(max_examples=80)
def test_no_flipped_bit_passes(place: int, bit: int) -> None:
    broken = bytearray(png())
    broken[place] ^= 1 << bit
    with pytest.raises(ValueError):
        read_signature(url(bytes(broken)))


def test_the_first_free_slot_is_next() -> None:
    assert next_free([]) == "A-01"
    assert next_free(["A-01", "a-02 ", "A-04"]) == "A-03"
    assert next_free([f"A-{n:02d}" for n in range(1, 100)]) == "B-01"
    assert next_free([f"{shelf}-{n:02d}" for shelf in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for n in range(1, 100)]) == ""
