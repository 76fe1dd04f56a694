"""The hand that writes a paper: paragraphs, fields, lists and the closing, in one language or two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import segno
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus.flowables import Flowable, Spacer

from app.notices.facts import FORMS, STATES, moment_zh
from app.notices.grid import LINE, Cell, Grid
from app.notices.prose import INK, SOFT, Prose, Style, prose
from app.notices.typeface import TypeCase, note_of_missing, printable

WIDTH = 170 * mm
BODY = Style(size=10.5, leading=17.5, align="justify", indent=2)
FLAT = replace(BODY, indent=0)
FOREIGN = Style(size=8.5, leading=12.5, align="justify", color=SOFT)
HEADING = Style(size=10.5, leading=18, bold=True)
LABEL = Style(size=9, leading=13.5, color=SOFT)
VALUE = Style(size=9.5, leading=14)
SMALL = Style(size=8, leading=12, color=SOFT)

Pair = tuple[str, str]  # Chinese, English
Row = Sequence[tuple[Pair, str | Pair | None]]  # labels with their values, at most two


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

    def both(self, zh: str, en: str, style: Style, foreign: Style) -> tuple[Prose, ...]:
        """The Chinese and, on a paper in two languages, the English under it."""
        first = self.prose(zh, style)
        return (first, self.prose(en, foreign)) if self.bilingual and en and en != zh else (first,)

    def gap(self, points: float) -> None:
        self.story.append(Spacer(1, points))

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

    def salutation(self, name: str) -> None:
        self.story.append(self.prose([(name, True), ("：", False)], replace(FLAT, size=11, align="left")))

    def paragraph(
        self, zh: str | Sequence[tuple[str, bool]], en: str = "", style: Style = BODY, *, lines: bool = False
    ) -> None:
        """A paragraph; `lines` keeps the line ends of a text that somebody wrote as several."""
        self.story.append(self.prose(zh, style, lines=lines))
        if self.bilingual and en:
            self.story.append(self.prose(en, FOREIGN))
            self.gap(2)

    def heading(self, zh: str, en: str) -> None:
        self.gap(7)
        text = [(zh, True), (f"  {en}", False)] if self.bilingual else [(zh, True)]
        heading = self.prose(text, HEADING)
        heading.keep_with_next = True
        self.story.append(heading)

    def numbered(self, texts: Sequence[str]) -> None:
        """Reasons or articles of law, one under the other; numbered when there is more than one."""
        for n, text in enumerate(texts, 1):
            self.paragraph(f"{n}. {text}" if len(texts) > 1 else text, lines=True)

    def fields(self, rows: Sequence[Row]) -> None:
        """A block of labelled values, one or two a row. A value that is missing leaves no hole."""
        label, value = 27 * mm, WIDTH / 2 - 27 * mm
        grid = []
        small = replace(LABEL, size=7, leading=9)
        for row in rows:
            told = [(name, text) for name, text in row if text not in (None, "", ("", ""))]
            cells: list[Cell] = []
            for name, text in told:
                zh, en = text if isinstance(text, tuple) else (str(text), "")
                cells.append(Cell(self.both(*name, LABEL, small), tinted=True))
                span = 1 if len(told) == 2 else 3
                cells.append(Cell(self.both(zh, en, VALUE, replace(small, size=7.5, leading=10)), span=span))
            if cells:
                grid.append(cells)
        self.story.append(Grid([label, value, label, value], grid))

    def materials(self, materials: Sequence[Mapping[str, Any]], *, problems: bool = False) -> None:
        """The list of materials; with `problems`, what is wrong takes the place of the state."""
        last = ("需补正的内容", "To be supplied") if problems else ("状态", "State")
        columns: list[Pair] = [
            ("序号", "No."),
            ("材料名称", "Material"),
            ("形式", "Form"),
            ("份数", "Copies"),
            last,
        ]
        widths = [12, 66, 26, 14, 52] if problems else [12, 86, 26, 15, 31]
        centred = replace(VALUE, align="center")
        small = replace(LABEL, size=7, leading=9, align="center")
        large = replace(LABEL, align="center")
        head = [Cell(self.both(*name, large, small), tinted=True) for name in columns]
        rows = [head]
        for n, material in enumerate(materials, 1):
            state = self._word(STATES, material.get("state"))
            problem = material.get("problem") or ""
            end = self.prose(problem or state, VALUE, lines=True) if problems else self.prose(state, centred)
            name = [self.prose(material["name"], VALUE)]
            if problem and not problems:
                name.append(self.prose(problem, SMALL, lines=True))
            rows.append(
                [
                    Cell((self.prose(str(n), centred),)),
                    Cell(tuple(name)),
                    Cell((self.prose(self._word(FORMS, material.get("form")), centred),)),
                    Cell((self.prose(str(material.get("copies") or "—"), centred),)),
                    Cell((end,)),
                ]
            )
        self.story.append(Grid([width * mm for width in widths], rows, header=1))

    def _word(self, words: Mapping[str, Pair], code: str | None) -> str:
        zh, en = words.get(code or "", (code or "—", ""))
        return f"{zh} {en}" if self.bilingual and en else zh

    def closing(self, facts: Mapping[str, Any], seal: str, *, signed: bool = True) -> None:
        """QR on the left, organ, date and the place of the seal on the right, signatures below."""
        self.gap(8)
        self.story.append(Closing(self, facts, seal, signed))

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


class Closing(Flowable):
    """The foot of a paper, never broken over two pages and never alone on one."""

    keep_with_previous = True
    SEAL = 35 * mm
    QR = 22 * mm

    def __init__(self, writer: Writer, facts: Mapping[str, Any], seal: str, signed: bool) -> None:
        super().__init__()
        style = Style(size=10.5, leading=18, align="center")
        organ = facts.get("organ") or facts["hall_name"]
        self._organ = writer.prose(organ, replace(style, bold=True))
        self._date = writer.prose(moment_zh(str(facts["issued_at"])[:10]), style)
        faint = Style(size=8, leading=12, align="center", color=LINE)
        self._seal = writer.prose(f"（印章）\n{seal}", faint, lines=True)
        self._url = str(facts.get("qr_url") or "")
        code = facts.get("query_code")
        told = ["扫码查询办理进度"] + ([f"查询码 {code}"] if code else [])
        if writer.bilingual:
            told.append("Scan to follow the case")
        self._caption = writer.prose("\n".join(told), replace(SMALL, align="left"), lines=True)
        self._signatures: list[Prose] = []
        if signed:
            clerk = self._signed_by = facts.get("clerk_name") or ""
            window = f"（{facts['window']}）" if facts.get("window") else ""
            line = "申请人（代办人）签收：" + (" Received by:" if writer.bilingual else "")
            by = "经办人：" + (" Clerk: " if writer.bilingual else "") + clerk + window
            self._signatures = [writer.prose(text, Style(size=9.5, leading=15)) for text in (line, by)]

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        self.width, self.height = available_width, self.SEAL + 3 * mm
        return self.width, self.height

    def draw(self) -> None:
        right = 74 * mm
        left = self.width - right
        self._draw_left(left - 8 * mm)
        self._draw_seal(left, right)

    def _draw_left(self, width: float) -> None:
        canvas, top = self.canv, self.height - 2 * mm
        if self._url:
            draw_qr(canvas, self._url, 0, top - self.QR, self.QR)
            tall = self._caption.wrap(45 * mm, 1e6)[1]
            self._caption.drawOn(canvas, self.QR + 4 * mm, top - self.QR / 2 - tall / 2)
        canvas.setStrokeColor(LINE)
        canvas.setLineWidth(0.5)
        for n, signature in enumerate(self._signatures):
            y, ruled = (6.5 * mm, True) if n == 0 else (0, not self._signed_by)
            signature.wrap(width, 1e6)
            signature.drawOn(canvas, 0, y)
            if ruled:
                canvas.line(min(signature.natural_width + 2, width - 20), y + 1, width, y + 1)

    def _draw_seal(self, x: float, width: float) -> None:
        """The organ and the day, and a ring where the seal goes over them."""
        canvas = self.canv
        middle, centre = x + width / 2, self.height - self.SEAL / 2
        canvas.saveState()
        canvas.setStrokeColor(LINE)
        canvas.setLineWidth(0.7)
        canvas.setDash(2.2, 2.2)
        canvas.circle(middle, centre, self.SEAL / 2)
        canvas.restoreState()
        self._seal.wrap(self.SEAL, 1e6)
        self._seal.drawOn(canvas, middle - self.SEAL / 2, self.height - self.SEAL + 4.5 * mm)
        organ, day = (prose.wrap(width, 1e6)[1] for prose in (self._organ, self._date))
        y = centre + (organ + day) / 2 + 1.5 * mm
        self._organ.drawOn(canvas, x, y - organ)
        self._date.drawOn(canvas, x, y - organ - day)


def draw_qr(canvas: Canvas, url: str, x: float, y: float, size: float) -> None:
    """The address as squares of ink, `size` points wide without its margin; runs are drawn as one bar."""
    matrix = segno.make(url, error="m", micro=False, boost_error=False).matrix
    step = size / len(matrix)
    canvas.saveState()
    canvas.setFillColor(INK)
    path = canvas.beginPath()
    for n, row in enumerate(matrix):
        column = 0
        while column < len(row):
            end = column
            while end < len(row) and row[end]:
                end += 1
            if end > column:
                path.rect(x + column * step, y + size - (n + 1) * step, (end - column) * step, step)
            column = end + 1
    canvas.drawPath(path, stroke=0, fill=1)
    canvas.restoreState()
