"""The hand that writes a paper: paragraphs, fields, tables and the closing, in one language or two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from reportlab.lib.units import mm
from reportlab.platypus.flowables import Flowable, Spacer

from app.notices.closing import SMALL, Closing, Signatures
from app.notices.grid import Cell, Grid
from app.notices.prose import SOFT, Prose, Style, prose
from app.notices.typeface import TypeCase, note_of_missing, printable
from app.notices.wording import DEFECTS, FORMS, STATES, Pair, word

WIDTH = 170 * mm
BODY = Style(size=10.5, leading=17.5, align="justify", indent=2)
FLAT = replace(BODY, indent=0)
FOREIGN = Style(size=8.5, leading=12.5, align="justify", color=SOFT)
FOREIGN_ITEM = replace(FOREIGN, indent=BODY.indent * BODY.size / FOREIGN.size)
HEADING = Style(size=10.5, leading=18, bold=True)
LABEL = Style(size=9, leading=13.5, color=SOFT)
VALUE = Style(size=9.5, leading=14)
TINY = replace(LABEL, size=7, leading=9)
TINY_VALUE = replace(TINY, size=7.5, leading=10)

APPLICANT = ("申请人（代办人）签收", "Received by")

Text = str | Pair
Row = Sequence[tuple[Pair, Text | None]]  # labels with their values, at most two
Entry = str | Pair | list[str] | None  # what stands in a cell; of a list, all but the first in small type


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table, `width` in mm; all columns of a table make 170."""

    name: Pair
    width: float
    align: str = "left"


class NewPage(Flowable):
    """What follows begins a sheet of its own."""

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        return 0, 0


class Writer:
    """Collects a paper's flowables. Every text passes `printable`; what no face has is noted once."""

    def __init__(self, case: TypeCase, language: str) -> None:
        self.case = case
        self.bilingual = language == "en"
        self.story: list[Flowable] = []
        self._missing: dict[str, None] = {}

    def prose(self, text: str | Sequence[tuple[str, bool]], style: Style, *, lines: bool = False) -> Prose:
        spans = [(text, style.bold)] if isinstance(text, str) else text
        clean = [(printable_span(part, lines), bold) for part, bold in spans]
        for part, _bold in clean:
            self._missing.update(dict.fromkeys(self.case.missing(part)))
        return prose(clean, style, self.case)

    def both(
        self, zh: str | Sequence[tuple[str, bool]], en: str, style: Style, foreign: Style, *, lines: bool = False
    ) -> tuple[Prose, ...]:
        """The Chinese and, on a paper in two languages, the English under it."""
        first = self.prose(zh, style, lines=lines)
        return (first, self.prose(en, foreign)) if self.bilingual and en and en != zh else (first,)

    def word(self, words: Mapping[str, Pair], code: str | None) -> str:
        """A code in words, in one line."""
        zh, en = word(words, code)
        return f"{zh} {en}" if self.bilingual and en else zh

    def gap(self, points: float) -> None:
        self.story.append(Spacer(1, points))

    # ── the head ──────────────────────────────────────────────────────────────────────────────────────────────

    def title(self, zh: str, en: str, number: str) -> None:
        self.story += self.both(
            zh,
            en,
            Style(size=21, leading=32, bold=True, align="center", tracking=4 if len(zh) < 10 else 2),
            replace(FOREIGN, size=10, leading=14, align="center"),
        )
        self.gap(1)
        self.story.append(self.prose(number, Style(size=10.5, leading=17, align="center", color=SOFT)))
        self.gap(6)

    def part(self, zh: str, en: str, number: str) -> None:
        """A further part of the paper, under a title of its own on a new sheet."""
        self.story.append(NewPage())
        self.title(zh, en, number)

    def salutation(self, name: str) -> None:
        self.story.append(self.prose([(name, True), ("：", False)], replace(FLAT, size=11, align="left")))

    # ── text ──────────────────────────────────────────────────────────────────────────────────────────────────

    def paragraph(
        self,
        zh: str | Sequence[tuple[str, bool]],
        en: str = "",
        style: Style = BODY,
        *,
        foreign_style: Style = FOREIGN,
        lines: bool = False,
    ) -> None:
        """A paragraph; `lines` keeps the line ends of a text that somebody wrote as several."""
        first, *foreign = self.both(zh, en, style, foreign_style, lines=lines)
        first.keep_with_next = bool(foreign)
        self.story += [first, *foreign]
        if foreign:
            self.gap(2)

    def heading(self, zh: str, en: str) -> None:
        self.gap(7)
        text = [(zh, True), (f"  {en}", False)] if self.bilingual else [(zh, True)]
        heading = self.prose(text, HEADING)
        heading.keep_with_next = True
        self.story.append(heading)

    def numbered(self, texts: Sequence[Text]) -> None:
        """Reasons or articles of law, one under the other; numbered when there is more than one."""
        for n, text in enumerate(texts, 1):
            zh, en = text if isinstance(text, tuple) else (text, "")
            mark = f"{n}. " if len(texts) > 1 else ""
            self.paragraph(f"{mark}{zh}", f"{mark}{en}" if en else "", foreign_style=FOREIGN_ITEM, lines=True)

    def section(self, zh: str, en: str, texts: Sequence[Text] | None) -> None:
        """A heading with its list; nothing when the list is empty."""
        if texts:
            self.heading(zh, en)
            self.numbered(texts)

    def options(self, words: Mapping[str, Pair], chosen: str) -> str:
        """All choices in a row, the chosen one with a full box."""
        return "　".join(f"{'■' if code == chosen else '□'} {self.word(words, code)}" for code in words)

    # ── tables ────────────────────────────────────────────────────────────────────────────────────────────────

    def fields(self, rows: Sequence[Row]) -> None:
        """A block of labelled values, one or two a row. A value that is missing leaves no hole."""
        label, value = 27 * mm, WIDTH / 2 - 27 * mm
        grid = []
        for row in rows:
            told = [(name, text) for name, text in row if text not in (None, "", ("", ""))]
            cells: list[Cell] = []
            for name, text in told:
                zh, en = text if isinstance(text, tuple) else (str(text), "")
                cells.append(Cell(self.both(*name, LABEL, TINY), tinted=True))
                span = 1 if len(told) == 2 else 3
                cells.append(Cell(self.both(zh, en, VALUE, TINY_VALUE, lines=True), span=span))
            if cells:
                grid.append(cells)
        self.story.append(Grid([label, value, label, value], grid))

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[Entry]], *, numbered: bool = True) -> None:
        """A ruled list under a head that stands again on every page; `numbered` puts a count before each row."""
        if numbered:
            columns = [Column(("序号", "No."), 12, "center"), *columns]
            rows = [[str(n), *row] for n, row in enumerate(rows, 1)]
        large, small = replace(LABEL, align="center"), replace(TINY, align="center")
        head = [Cell(self.both(*column.name, large, small), tinted=True) for column in columns]
        body = [[self._cell(entry, column) for entry, column in zip(row, columns, strict=True)] for row in rows]
        self.story.append(Grid([column.width * mm for column in columns], [head, *body], header=1))

    def _cell(self, entry: Entry, column: Column) -> Cell:
        style = replace(VALUE, align=column.align)
        first, *more = entry if isinstance(entry, list) else [entry]
        zh, en = first if isinstance(first, tuple) else (first or "—", "")
        small = replace(SMALL, align=column.align)
        told = self.both(zh, en, style, replace(TINY_VALUE, align=column.align), lines=True)
        return Cell((*told, *(self.prose(text, small, lines=True) for text in more)))

    def materials(self, materials: Sequence[Mapping[str, Any]], *, problems: bool = False) -> None:
        """The list of materials; with `problems`, what is wrong takes the place of the state."""
        last = Column(("需补正的内容", "To be supplied"), 52) if problems else Column(("状态", "State"), 31, "center")
        columns = [
            Column(("材料名称", "Material"), 66 if problems else 86),
            Column(("形式", "Form"), 26, "center"),
            Column(("份数", "Copies"), 14 if problems else 15, "center"),
            last,
        ]
        rows = []
        for material in materials:
            problem = self._problem(material)
            state = self.word(STATES, material.get("state"))
            name = [material["name"], *self._asked(material)]
            rows.append(
                [
                    name if problems or not problem else [*name, problem],
                    self.word(FORMS, material.get("form")),
                    self.count(material),
                    (problem or state) if problems else state,
                ]
            )
        self.table(columns, rows)

    def count(self, thing: Mapping[str, Any]) -> list[str]:
        """How many copies, and under them how many pages."""
        pages = thing.get("pages")
        return [
            str(thing.get("copies") or "—"),
            *([f"{pages} 页" + (" pp." if self.bilingual else "")] if pages else []),
        ]

    def _problem(self, material: Mapping[str, Any]) -> str:
        defect, problem = material.get("defect"), material.get("problem") or ""
        return f"【{self.word(DEFECTS, defect)}】{problem}" if defect else problem

    def _asked(self, material: Mapping[str, Any]) -> list[str]:
        """Who asks for a material, by what law, and where a sample is."""
        lines = (("所属事项", "For", "matter"), ("依据", "Law", "basis"), ("样本", "Sample", "sample"))
        return [
            f"{zh}{f' {en}' if self.bilingual else ''}：{material[key]}" for zh, en, key in lines if material.get(key)
        ]

    # ── the foot ──────────────────────────────────────────────────────────────────────────────────────────────

    def signatures(self, *who: Pair, drawn: tuple[str, str] | None = None) -> None:
        """Lines to sign on, each with a line for the day; `drawn` is what the first drew on the pad, and the day."""
        self.gap(8)
        self.story.append(Signatures(self, who, drawn))

    def closing(
        self,
        facts: Mapping[str, Any],
        seal: str,
        *,
        receiver: Pair | None = APPLICANT,
        linked: bool = True,
        scan: Pair | None = None,
    ) -> None:
        """QR on the left, organ, date and the place of the seal on the right, below who signs for it and the clerk.

        `linked` False: a paper for other eyes than the applicant's has no way to the case's own page. `scan` says what
        the QR code is for, where it is not for following the case.
        """
        self.gap(8)
        self.story.append(Closing(self, facts, seal, receiver=receiver, linked=linked, scan=scan))

    def note(self) -> None:
        """Explain the marks, if any character had to be marked."""
        if self._missing:
            zh, en = note_of_missing(self._missing)
            self.gap(4)
            self.story += self.both(zh, en, SMALL, replace(SMALL, size=7.5, leading=10.5))


def printable_span(text: str, lines: bool) -> str:
    """`printable`, but blanks at either end of a span keep their place between the spans."""
    body = printable(text, lines=lines)
    return f"{' ' if text.startswith(' ') else ''}{body}{' ' if text.endswith(' ') else ''}" if body else ""
