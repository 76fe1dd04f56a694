"""Widens the faces of the papers by the rare Han that only a sister of their family has, such as the 𠮷 of a name."""

from __future__ import annotations

from pathlib import Path

from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

HAN = (range(0x3400, 0x4DC0), range(0x4E00, 0xA000), range(0x20000, 0x2F800), range(0x30000, 0x33480))


def widen(source: Path, slices: Path, weight: int, target: Path) -> int:
    """Write `source` with every Han that it lacks and the variable `slices` have, and say how many these are.

    Both are drawn alike, 1000 units to the em. What is in the face already keeps its bytes and its glyph number.
    """
    face = TTFont(source, recalcBBoxes=False, recalcTimestamp=False)
    have = frozenset(face.getBestCmap())
    added: dict[int, str] = {}
    for path in sorted(slices.glob("*-wght-normal.woff2")):
        lacking = {c: name for c, name in TTFont(path, lazy=True).getBestCmap().items() if _is_han(c) and c not in have}
        if lacking:
            piece = instantiateVariableFont(TTFont(path), {"wght": weight})
            added |= {c: _take(face, piece, name, c) for c, name in lacking.items() if c not in added}
    face.setGlyphOrder(face["glyf"].glyphOrder)
    for table in face["cmap"].tables:
        if table.isUnicode() and table.format == 12:
            table.cmap.update(added)
    face.save(target)
    return len(added)


def _is_han(code: int) -> bool:
    return any(code in block for block in HAN)


def _take(face: TTFont, piece: TTFont, name: str, code: int) -> str:
    """Copy one glyph, named by its character, with its advances."""
    new = f"u{code:05X}"
    glyph = piece["glyf"][name]
    glyph.expand(piece["glyf"])
    if glyph.isComposite():
        raise ValueError(f"U+{code:04X} is made of other glyphs")
    face["glyf"][new] = glyph
    for table in ("hmtx", "vmtx"):
        face[table].metrics[new] = piece[table].metrics[name]
    for limit in ("maxPoints", "maxContours"):
        setattr(face["maxp"], limit, max(getattr(face["maxp"], limit), getattr(piece["maxp"], limit)))
    return new
