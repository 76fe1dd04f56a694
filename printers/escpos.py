"""ESC/POS: blocks into printer bytes. Text can never become a command: no byte of it is below 0x20."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from printers.slips import Block, Cut, Feed, Qr, Rule, Text, wrap

ESC, FS, GS, LF = b"\x1b", b"\x1c", b"\x1d", b"\n"
START = ESC + b"@" + FS + b"&"  # reset; Chinese characters on
CUT = GS + b"VB\x00"  # feed to the knife, partial cut
COLUMNS = {80: 48, 58: 32}  # paper in mm → half-width characters a line
DOTS = {80: 576, 58: 384}  # paper in mm → dots a line
BAND = 240  # rows of a bitmap sent at once; small printers hold no more
QR_LIMIT = 300  # bytes; more makes squares that a phone cannot tell apart


@dataclass(frozen=True, slots=True)
class Bitmap:
    """One bit a dot, 1 is black; rows of `(width + 7) // 8` bytes, first dot in the highest bit."""

    width: int
    height: int
    rows: bytes

    def __post_init__(self) -> None:
        if len(self.rows) != self.row_bytes * self.height:
            raise ValueError("a bitmap of another size")

    @property
    def row_bytes(self) -> int:
        return (self.width + 7) // 8


def plain(text: str) -> str:
    """The text as a printer may have it: NFC, no controls, bidi or invisible characters, blanks joined."""
    kept = []
    for character in unicodedata.normalize("NFC", text):
        if character != "\u3000" and (character.isspace() or unicodedata.category(character) in {"Zl", "Zp"}):
            kept.append(" ")
        elif not _invisible(character):
            kept.append(character)
    return re.sub(" +", " ", "".join(kept)).strip(" ")


def _invisible(character: str) -> bool:
    code = ord(character)
    selector = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF
    nonsense = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    return selector or nonsense or unicodedata.category(character) in {"Cc", "Cf", "Cs"}


def columns(character: str) -> int:
    """Half-width columns of a character on a GB18030 printer: one for ASCII, two for all else."""
    return 1 if ord(character) < 0x80 else 2


def encode(blocks: Sequence[Block], *, paper_mm: int = 80) -> bytes:
    """Blocks as GB18030 text with the printer's own QR: about 0.5 kB a slip."""
    width = COLUMNS[paper_mm]
    return START + b"".join(_block(block, width) for block in blocks)


def encode_raster(bitmap: Bitmap) -> bytes:
    """A drawn slip, band by band (`GS v 0`): looks the same on every printer, about 40 kB a slip."""
    out = [START, _align("center")]
    for top in range(0, bitmap.height, BAND):
        rows = min(BAND, bitmap.height - top)
        band = bitmap.rows[top * bitmap.row_bytes : (top + rows) * bitmap.row_bytes]
        out.append(GS + b"v0\x00" + _le(bitmap.row_bytes) + _le(rows) + band)
    return b"".join([*out, CUT])


def as_text(blocks: Sequence[Block], *, paper_mm: int = 80) -> str:
    """The same blocks for a person's eyes, in the spool folder."""
    width = COLUMNS[paper_mm]
    lines: list[str] = []
    for block in blocks:
        match block:
            case Text():
                for line in wrap(plain(block.text), width // block.size, columns):
                    used = sum(map(columns, line))
                    space = width - used
                    lines.append(" " * {"left": 0, "center": space // 2, "right": space}[block.align] + line)
            case Rule():
                lines.append("-" * width)
            case Qr():
                lines.append(f"[QR {plain(block.data)}]")
            case Feed():
                lines += [""] * block.lines
            case Cut():
                pass
    return "\n".join(lines) + "\n"


def _block(block: Block, width: int) -> bytes:
    match block:
        case Text():
            lines = wrap(plain(block.text), width // block.size, columns)
            body = b"".join(line.encode("gb18030") + LF for line in lines)
            step = bytes([(block.size - 1) * 0x11])
            return _align(block.align) + ESC + b"E" + bytes([block.bold]) + GS + b"!" + step + body + GS + b"!\x00"
        case Rule():
            return _align("left") + ESC + b"E\x00" + b"-" * width + LF
        case Qr():
            return _align("center") + _qr(block)
        case Feed():
            return ESC + b"d" + bytes([block.lines])
        case Cut():
            return CUT


def _qr(block: Qr) -> bytes:
    """The printer draws the code itself (`GS ( k`): model 2, module size, level M, the data, print."""
    data = plain(block.data).encode()
    if not 0 < len(data) <= QR_LIMIT:
        raise ValueError(f"a QR code of {len(data)} bytes")
    return b"".join(
        GS + b"(k" + _le(len(body)) + body
        for body in (b"1A2\x00", b"1C" + bytes([block.module]), b"1E1", b"1P0" + data, b"1Q0")
    )


def _align(align: str) -> bytes:
    return ESC + b"a" + bytes([("left", "center", "right").index(align)])


def _le(number: int) -> bytes:
    return number.to_bytes(2, "little")
