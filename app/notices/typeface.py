"""The type case: the embedded Chinese faces, a mark for what they lack, and true text behind the ink."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

FOLDER = Path(__file__).with_name("fonts")
REGULAR = "NotoSansSC-Regular"
BOLD = "NotoSansSC-Bold"
# Faces for rare Han, used where they are installed; read only for a character that the Noto faces lack.
RARE_FACES = (
    Path("/usr/share/fonts/truetype/hanazono/HanaMinA.ttf"),
    Path("/usr/share/fonts/truetype/hanazono/HanaMinB.ttf"),
)
MARKS = "〓□?"  # 〓 is what Chinese printers set for a sort that is not in the case


class FontMissing(RuntimeError):
    """The faces have not been built on this machine."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"the paper's font is missing: {path} (run `make assets`)")


class Face(TTFont):
    """One embedded face. A character outside it is drawn as the mark 〓 and still copies as itself."""

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(name, str(path), asciiReadable=False, shapable=False)
        # Two faces whose files bear the same name would share their character maps in the PDF.
        self.face.name = type(self.face.name)(name.encode(), "utf8")
        self.covers = frozenset(self.face.charToGlyph)
        self._mark = next((ord(mark) for mark in MARKS if ord(mark) in self.covers), 0)

    def width(self, character: str, size: float) -> float:
        """The advance of one character in points."""
        code = ord(character)
        return float(self.face.getCharWidth(code if code in self.covers else self._mark)) * size / 1000

    def splitString(self, text: str, doc: Any, encoding: str = "utf-8") -> Any:  # ReportLab's name
        for code in map(ord, text):
            if code not in self.face.charToGlyph:
                self.face.charToGlyph[code] = self.face.charToGlyph.get(self._mark, 0)
                self.face.charWidths[code] = self.face.getCharWidth(self._mark)
        return super().splitString(text, doc, encoding)

    def addObjects(self, doc: Any) -> None:  # ReportLab's name
        """Rewrite the character maps: ReportLab puts `<20BB7>` where PDF wants UTF-16BE."""
        subsets = [list(codes) for codes in self.state[doc].subsets]
        names = [self.getSubsetInternalName(n, doc)[1:] for n in range(len(subsets))]
        super().addObjects(doc)
        fonts = doc.idToObject["BasicFonts"].dict
        for name, codes in zip(names, subsets, strict=True):
            doc.idToObject[fonts[name].ToUnicode.name].content = to_unicode(codes)


def to_unicode(codes: list[int]) -> str:
    """The map of one subset, byte code → UTF-16BE, in blocks of at most 100 as the PDF standard asks."""
    pairs = [f"<{n:02X}> <{chr(code).encode('utf-16-be').hex().upper()}>" for n, code in enumerate(codes) if code]
    blocks = []
    for start in range(0, len(pairs), 100):
        block = pairs[start : start + 100]
        blocks += [f"{len(block)} beginbfchar", *block, "endbfchar"]
    return "\n".join(
        [
            "/CIDInit /ProcSet findresource begin",
            "12 dict begin",
            "begincmap",
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
            "/CMapName /Adobe-Identity-UCS def",
            "/CMapType 2 def",
            "1 begincodespacerange",
            "<00> <FF>",
            "endcodespacerange",
            *blocks,
            "endcmap",
            "CMapName currentdict /CMap defineresource pop",
            "end",
            "end",
        ]
    )


class TypeCase:
    """The faces of one paper and which of them sets which character."""

    def __init__(self, folder: Path) -> None:
        self.regular = _face(REGULAR, folder / f"{REGULAR}.ttf")
        self.bold = _face(BOLD, folder / f"{BOLD}.ttf")

    def face(self, character: str, bold: bool = False) -> Face:
        """The face that draws the character; the plain one, with its mark, when none has it."""
        own = self.bold if bold else self.regular
        return own if ord(character) in own.covers else self._rare(character) or own

    def missing(self, text: str) -> list[str]:
        """The characters of the text that no face has, each once, in order."""
        marked = (c for c in text if ord(c) not in self.face(c).covers and not c.isspace())
        return list(dict.fromkeys(marked))

    def register(self) -> None:
        """Tell ReportLab of the two main faces."""
        for face in (self.regular, self.bold):
            pdfmetrics.registerFont(face)

    def _rare(self, character: str) -> Face | None:
        for n, path in enumerate(RARE_FACES):
            if path.exists():
                face = _face(f"RareHan-{n}", path)
                if ord(character) in face.covers:
                    pdfmetrics.registerFont(face)
                    return face
        return None


_faces: dict[Path, Face] = {}


def _face(name: str, path: Path) -> Face:
    """The face of a file, read once. ReportLab keeps the first face of a name for ever: no two share one."""
    if path not in _faces:
        if not path.is_file():
            raise FontMissing(path)
        taken = {face.fontName for face in _faces.values()}
        _faces[path] = Face(name if name not in taken else f"{name}-{len(taken)}", path)
    return _faces[path]


def load() -> TypeCase:
    """The type case, read once a process; a worker calls this before it forks. Raises FontMissing."""
    case = TypeCase(FOLDER)
    case.register()
    return case


def printable(text: str, *, lines: bool = False) -> str:
    """The text as paper can bear it: NFC, without controls, bidi signs and invisible characters.

    White space becomes one blank; line ends, where `lines` keeps them, one. Rare and unknown characters stay.
    """
    kept = []
    for character in unicodedata.normalize("NFC", text):
        if character in "\n\u2028\u2029":
            kept.append("\n" if lines else " ")
        elif character == "\u3000":
            kept.append(character)
        elif character.isspace():
            kept.append(" ")
        elif not _invisible(character):
            kept.append(character)
    return re.sub("\n+", "\n", re.sub(" *\n *", "\n", re.sub(" +", " ", "".join(kept)))).strip(" \n")


def _invisible(character: str) -> bool:
    code = ord(character)
    selector = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF
    nonsense = code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF
    return selector or nonsense or unicodedata.category(character) in {"Cc", "Cf", "Cs"}


def note_of_missing(characters: Iterable[str]) -> tuple[str, str]:
    """The sentence, in Chinese and English, that explains the marks on a paper."""
    codes = "、".join(f"U+{ord(c):04X}" for c in characters)
    zh = f"注：带“〓”处为字库暂缺的字（{codes}）；电子文本保留原字，以原字为准。"
    en = f"Note: 〓 stands for a character the font lacks ({codes}); copied from this file it is the true one."
    return zh, en
