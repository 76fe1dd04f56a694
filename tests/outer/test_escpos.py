"""Printer bytes: no text becomes a command, and one slip's bytes never change unnoticed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from printers import escpos, slips
from printers.slips import Cut, Feed, Qr, Rule, Slip, Text

GOLDEN = Path(__file__).with_name("golden")

SLIP = Slip(
    hall="luolong",
    ticket=31,
    number="A017",
    hall_name_zh="洛龙区政务服务中心",
    queue_name_zh="商事登记",
    zone="A",
    windows=("W01", "W02"),
    ahead=5,
    issued_at="2026-03-02 09:12",
    item_name="公司设立登记",
    no_show_rule=slips.no_show_rule(30, 3),
    hall_phone="0379-12345",
    qr_url="http://127.0.0.1:8000/t/abc",
)

# Commands by their first two bytes, with the number of bytes that follow.
FIXED = {b"\x1b@": 0, b"\x1c&": 0, b"\x1ba": 1, b"\x1bE": 1, b"\x1bd": 1, b"\x1d!": 1, b"\x1dV": 2}


def read(stream: bytes) -> tuple[list[bytes], bytes, list[bytes]]:
    """Read as a printer does: commands, what is left to be printed, and the data of QR codes."""
    commands, ink, codes, n = [], b"", [], 0
    while n < len(stream):
        head = stream[n : n + 2]
        if head in FIXED:
            end = n + 2 + FIXED[head]
            commands.append(stream[n:end])
        elif head == b"\x1d(":
            assert stream[n + 2 : n + 3] == b"k"
            end = n + 5 + int.from_bytes(stream[n + 3 : n + 5], "little")
            body = stream[n + 5 : end]
            if body[:3] == b"1P0":
                codes.append(body[3:])
            commands.append(head)
        elif head == b"\x1dv":
            bytes_a_row = int.from_bytes(stream[n + 4 : n + 6], "little")
            end = n + 8 + bytes_a_row * int.from_bytes(stream[n + 6 : n + 8], "little")
            commands.append(stream[n : n + 8])
        else:
            # a character of GB18030: one, two or four bytes
            lead = stream[n]
            wide = 1 if lead < 0x81 else 4 if 0x30 <= stream[n + 1] <= 0x39 else 2
            end = n + wide
            ink += stream[n:end]
        n = end
    return commands, ink, codes


def test_the_bytes_of_one_slip():
    data = escpos.encode(slips.compose(SLIP))
    if os.environ.get("GOLDEN") == "write":
        (GOLDEN / "slip.bin").write_bytes(data)
    assert data == (GOLDEN / "slip.bin").read_bytes()
    _commands, ink, codes = read(data)
    assert ink.decode("gb18030").split("\n")[:3] == ["洛龙区政务服务中心", "A017", "商事登记"]
    assert codes == [b"http://127.0.0.1:8000/t/abc"]
    assert data.startswith(b"\x1b@") and data.endswith(b"\x1dVB\x00")


def test_the_same_slip_for_a_persons_eyes():
    text = escpos.as_text(slips.compose(SLIP))
    if os.environ.get("GOLDEN") == "write":
        (GOLDEN / "slip.txt").write_text(text)
    assert text == (GOLDEN / "slip.txt").read_text()


EVIL = st.one_of(
    st.text(),
    st.text(st.sampled_from("\x1b\x1d\x1c\x10\x04\x00\n\r\tpVE@!(kv0\x9b\x85\u202e\u200b\ufeff\u2066吉\U00020bb7 ")),
)


@given(EVIL, EVIL, EVIL, st.lists(EVIL, max_size=3), st.booleans())
def test_no_text_becomes_a_command(name: str, item: str, rule: str, windows: list[str], english: bool):
    slip = Slip(
        hall="h",
        ticket=1,
        number=name,
        hall_name_zh=item,
        hall_name_en=rule,
        queue_name_zh=name,
        issued_at=rule,
        windows=tuple(windows),
        item_name=item,
        zone=name,
        no_show_rule=rule,
        hall_phone=name,
        language="en" if english else "zh",
    )
    blocks = slips.compose(slip)
    commands, ink, _codes = read(escpos.encode(blocks))
    assert all(byte >= 0x20 or byte == 0x0A for byte in ink)
    assert not set(ink.decode("gb18030")) & set("\x7f\x85\u202e\u2066\u200b\ufeff")
    count = {kind: sum(isinstance(block, kind) for block in blocks) for kind in (Text, Rule, Feed, Cut)}
    assert len(commands) == 2 + 4 * count[Text] + 2 * count[Rule] + count[Feed] + count[Cut]


def test_the_guard_would_notice_a_smuggled_command():
    """What the test above must catch: the same bytes, let through raw."""
    commands, _ink, _codes = read(escpos.START + "张三\x1bd\x05".encode("gb18030"))
    assert commands[-1] == b"\x1bd\x05"
    assert escpos.plain("张三\x1bd\x05") == "张三d"


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("\x1bp\x00\x19\xfa", "pú"),  # the cash drawer
        ("\x1dVA\x03", "VA"),  # the knife
        ("a\u202eb\u200bc\ufeff", "abc"),
        ("a\x85b\u2028c\td", "a b c d"),
        ("e\u0301", "é"),
        ("\ud800x", "x"),
        ("𠮷·尔", "𠮷·尔"),
    ],
)
def test_plain_text(text: str, printed: str):
    assert escpos.plain(text) == printed


def test_rare_han_go_as_four_bytes_of_gb18030():
    _commands, ink, _codes = read(escpos.encode([Text("𠮷")]))
    assert ink == "𠮷\n".encode("gb18030") and len(ink) == 5


def test_sizes_lines_and_alignment():
    data = escpos.encode([Text("A", size=4, align="right", bold=True)])
    assert b"\x1ba\x02\x1bE\x01\x1d!\x33A\n\x1d!\x00" in data
    ten_a_line = escpos.encode([Text("一二三四五六七八九十甲乙", size=2)], paper_mm=58)
    assert "一二三四五六七八\n".encode("gb18030") in ten_a_line


def test_a_code_that_no_phone_could_read_is_refused():
    with pytest.raises(ValueError, match="QR"):
        escpos.encode([Qr("x" * 301)])
    with pytest.raises(ValueError, match="QR"):
        escpos.encode([Qr("\x1b")])


def test_a_bitmap_goes_in_bands():
    bitmap = escpos.Bitmap(16, 500, b"\xf0\x0f" * 500)
    commands, ink, _codes = read(escpos.encode_raster(bitmap))
    bands = [command for command in commands if command.startswith(b"\x1dv0")]
    assert bands == [b"\x1dv0\x00\x02\x00\xf0\x00"] * 2 + [b"\x1dv0\x00\x02\x00\x14\x00"]
    assert ink == b"" and commands[-1] == b"\x1dVB\x00"
    with pytest.raises(ValueError, match="size"):
        escpos.Bitmap(16, 2, b"\x00")
