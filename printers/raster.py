"""Drawing a slip dot by dot, for printers without Chinese characters of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont, ImageOps

from printers.escpos import DOTS, Bitmap, plain
from printers.slips import Block, Cut, Feed, Qr, Rule, Text, wrap

PLAIN = 26  # dots high; 203 dpi heads have 8 dots a millimetre
LEADING = 1.34
MARK = "〓"


class FontMissing(RuntimeError):
    """The face has not been built on this machine."""


def draw(blocks: Sequence[Block], font: Path, *, paper_mm: int = 80) -> Bitmap:
    """The slip as a bitmap as wide as the paper.

    `font` is a TrueType face with Chinese, `NAME-Regular.ttf`; bold text takes `NAME-Bold.ttf` beside it, or
    else thicker strokes. Raises FontMissing.
    """
    if not font.is_file():
        raise FontMissing(f"the slip's font is missing: {font} (run `make assets`)")
    width = DOTS[paper_mm]
    pieces = [piece for block in blocks for piece in _pieces(block, str(font), width)]
    sheet = Image.new("1", (width, max(1, sum(piece.height for piece in pieces))), 1)
    top = 0
    for piece in pieces:
        sheet.paste(piece, (0, top))
        top += piece.height
    ink = ImageOps.invert(sheet.convert("L")).convert("1")  # in Pillow 1 is white; on a print head 1 is black
    return Bitmap(width, sheet.height, ink.tobytes())


def _pieces(block: Block, font: str, width: int) -> list[Image.Image]:
    match block:
        case Text():
            return _text(block, font, width)
        case Rule():
            piece = Image.new("1", (width, 26), 1)
            for x in range(0, width, 12):
                piece.paste(0, (x, 12, x + 7, 14))
            return [piece]
        case Qr():
            return [_qr(block, width)]
        case Feed():
            return [Image.new("1", (width, block.lines * PLAIN // 2), 1)]
        case Cut():
            return []


def _text(block: Text, font: str, width: int) -> list[Image.Image]:
    size = PLAIN if block.size == 1 else int(PLAIN * (0.4 + 0.8 * block.size))
    heavy = _bold_of(font) if block.bold else font
    face = _face(heavy, size)
    stroke = 1 if block.bold and heavy == font else 0
    text = "".join(_shown(font, character) for character in plain(block.text))
    pieces = []
    for line in wrap(text, width - 8, _measure(face)):
        piece = Image.new("1", (width, int(size * LEADING)), 1)
        pen = ImageDraw.Draw(piece)
        space = width - face.getlength(line)
        x = {"left": 4, "center": space / 2, "right": space - 4}[block.align]
        pen.text((x, piece.height / 2), line, font=face, fill=0, anchor="lm", stroke_width=stroke)
        pieces.append(piece)
    return pieces


def _qr(block: Qr, width: int) -> Image.Image:
    matrix = segno.make(plain(block.data), error="m", micro=False, boost_error=False).matrix
    side = len(matrix) * block.module
    piece = Image.new("1", (width, side + 16), 1)
    left = (width - side) // 2
    for row, bits in enumerate(matrix):
        for column, bit in enumerate(bits):
            if bit:
                x, y = left + column * block.module, 8 + row * block.module
                piece.paste(0, (x, y, x + block.module, y + block.module))
    return piece


def _measure(face: ImageFont.FreeTypeFont) -> Callable[[str], float]:
    return lambda character: face.getlength(character)


@lru_cache(maxsize=4)
def _bold_of(font: str) -> str:
    bold = font.replace("-Regular.", "-Bold.")
    return bold if Path(bold).is_file() else font


@lru_cache(maxsize=32)
def _face(font: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font, size, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=4096)
def _shown(font: str, character: str) -> str:
    """The character, or 〓 where the face would print its empty box."""
    if character in " \u3000":
        return character
    face = _face(font, PLAIN)
    lacking = bytes(face.getmask("\U000f1234", mode="1"))  # private use: no face of ours has it
    return MARK if bytes(face.getmask(character, mode="1")) == lacking else character
