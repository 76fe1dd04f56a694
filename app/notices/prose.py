"""Text set in lines: Chinese line breaking, mixed faces, no markup: what is not parsed cannot be injected."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from reportlab.lib.colors import Color
from reportlab.platypus.flowables import Flowable

from app.notices.typeface import Face, TypeCase

NO_START = frozenset("，。、；：！？）】》〉」』〕”’…—～·％%,.;:!?)]}々ー")
NO_END = frozenset("（【《〈「『〔“‘([{￥#")
INK = Color(0.10, 0.11, 0.13)
SOFT = Color(0.38, 0.40, 0.44)


@dataclass(frozen=True, slots=True)
class Style:
    """How text looks. Sizes and `tracking` (between characters) in points, `indent` of first lines in ems."""

    size: float = 10.5
    leading: float = 17.5
    bold: bool = False
    align: str = "left"  # left, center, right, justify
    indent: float = 0
    color: Color = INK
    tracking: float = 0


@dataclass(frozen=True, slots=True)
class Sort:
    """One character with the face that draws it and its advance in points."""

    character: str
    face: Face
    width: float


@dataclass(frozen=True, slots=True)
class Line:
    sorts: tuple[Sort, ...]
    width: float
    indent: float
    last: bool  # of its paragraph: never stretched


class Prose(Flowable):
    """Some text in one style, set line by line; it breaks over pages without lone lines."""

    keep_with_next = False  # True for a heading: never the last line of a page

    def __init__(self, sorts: Sequence[Sort], style: Style) -> None:
        super().__init__()
        self.style = style
        self._sorts = sorts
        self._lines: list[Line] = []
        self._measure = -1.0

    @property
    def natural_width(self) -> float:
        """The width of the text on one line, in points."""
        return sum(sort.width for sort in self._sorts)

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        if self._measure != available_width:
            self._lines = list(_lines(self._sorts, available_width, self.style.indent * self.style.size))
            self._measure = available_width
        self.width = available_width
        self.height = len(self._lines) * self.style.leading
        return available_width, self.height

    def split(self, available_width: float, available_height: float) -> list[Flowable]:
        self.wrap(available_width, available_height)
        lines = self._lines
        fit = int(available_height / self.style.leading + 1e-6)
        if fit >= len(lines):
            return [self]
        if fit < 1 or (fit < 2 and len(lines) > 2):
            return []
        if len(lines) - fit == 1 and fit > 2:
            fit -= 1  # no lone last line on the next page
        return [self._part(lines[:fit]), self._part(lines[fit:])]

    def _part(self, lines: list[Line]) -> Prose:
        part = Prose([sort for line in lines for sort in line.sorts], self.style)
        part._lines, part._measure = lines, self._measure
        return part

    def draw(self) -> None:
        style = self.style
        text = self.canv.beginText()
        text.setFillColor(style.color)
        y = self.height - style.leading * 0.5 - style.size * 0.36
        for line in self._lines:
            slack = self._measure - line.width - line.indent
            x, space = line.indent, style.tracking
            if style.align == "center":
                x += (slack + style.tracking) / 2
            elif style.align == "right":
                x += slack
            elif style.align == "justify" and not line.last and 0 < slack < 2.5 * style.size and len(line.sorts) > 1:
                space += slack / (len(line.sorts) - 1)
            text.setTextOrigin(x, y)
            text.setCharSpace(space)
            for face, run in groupby(line.sorts, key=lambda sort: sort.face):
                text.setFont(face.fontName, style.size)
                text.textOut("".join(sort.character for sort in run))
            y -= style.leading
        self.canv.drawText(text)


def prose(text: str | Sequence[tuple[str, bool]], style: Style, case: TypeCase) -> Prose:
    """Set text, or spans of (text, bold), from the type case. Nothing in the text is markup."""
    spans = [(text, style.bold)] if isinstance(text, str) else text
    sorts = []
    for part, bold in spans:
        for character in part:
            face = case.face(character, bold)
            sorts.append(Sort(character, face, face.width(character, style.size) + style.tracking))
    return Prose(sorts, style)


def _lines(sorts: Sequence[Sort], measure: float, indent: float) -> Iterator[Line]:
    """Break into lines no wider than `measure`; a word wider than a line is cut where it must be."""
    first = True
    for paragraph in _paragraphs(sorts):
        current: list[Sort] = []
        width, inset = 0.0, indent if first else 0.0
        for word in _words(paragraph):
            ink = _width(_trimmed(word))
            if width + ink > measure - inset + 0.01:
                if current:
                    yield _line(current, inset, last=False)
                    current, width, inset = [], 0.0, 0.0
                while _width(_trimmed(word)) > measure - inset + 0.01:
                    head = _fitting(word, measure - inset)
                    yield _line(word[:head], inset, last=False)
                    word, inset = word[head:], 0.0
            current += word
            width += _width(word)
        yield _line(current, inset, last=True)
        first = indent > 0  # with an indent, every paragraph has one


def _paragraphs(sorts: Sequence[Sort]) -> Iterator[list[Sort]]:
    paragraph: list[Sort] = []
    for sort in sorts:
        if sort.character == "\n":
            yield paragraph
            paragraph = []
        else:
            paragraph.append(sort)
    yield paragraph


def _words(sorts: Sequence[Sort]) -> Iterator[list[Sort]]:
    """Pieces that stay on one line: a Latin word, a Han character with the punctuation that clings to it."""
    word: list[Sort] = []
    for sort in sorts:
        if word and _may_part(word[-1].character, sort.character):
            yield word
            word = []
        word.append(sort)
    if word:
        yield word


def _may_part(a: str, b: str) -> bool:
    if b == " " or b in NO_START or a in NO_END:
        return False
    return a in " -/" or _wide(a) or _wide(b)


def _wide(character: str) -> bool:
    return ord(character) >= 0x2E80 or unicodedata.east_asian_width(character) in "WF"


def _fitting(word: Sequence[Sort], measure: float) -> int:
    """How many sorts of an overlong word fill one line; at least one."""
    width = 0.0
    for n, sort in enumerate(word):
        width += sort.width
        if width > measure + 0.01:
            return max(n, 1)
    return len(word)


def _trimmed(sorts: Sequence[Sort]) -> Sequence[Sort]:
    end = len(sorts)
    while end and sorts[end - 1].character == " ":
        end -= 1
    return sorts[:end]


def _width(sorts: Sequence[Sort]) -> float:
    return sum(sort.width for sort in sorts)


def _line(sorts: Sequence[Sort], indent: float, *, last: bool) -> Line:
    ink = tuple(_trimmed(sorts))
    return Line(ink, _width(ink), indent, last)
