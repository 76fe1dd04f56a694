"""The printed report: a red-headed A4 paper of figures, charts and tables, in one language, laid out from plain words.

It knows no cases: whoever reports hands over titles, rows and numbers as they shall stand there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO

from reportlab.graphics.charts.barcharts import HorizontalBarChart, VerticalBarChart
from reportlab.graphics.shapes import Drawing, Rect, String
from reportlab.lib.colors import Color
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus.flowables import Flowable

from app.notices import typeface
from app.notices.grid import LINE, Cell, Grid
from app.notices.paper import BOTTOM, LEFT, TOP, paginate, press
from app.notices.prose import INK, SOFT, Style
from app.notices.typeface import TypeCase, printable
from app.notices.writer import WIDTH, Writer

RED = Color(0.72, 0.11, 0.10)
ACCENT, PALE = Color(0.04, 0.36, 0.45), Color(0.62, 0.78, 0.84)
HEAD = 19 * mm  # of the first page, beyond that of the others
BAR = 15.0  # points from one horizontal bar to the next
CHART = 118.0  # points that a chart of columns is high
NAME = 150.0  # points for the name of a bar

SECTION = Style(size=12, leading=22, bold=True)
TEXT = Style(size=10.5, leading=18, align="justify", indent=2)
SMALL = Style(size=8, leading=12.5, color=SOFT)
CELL = Style(size=8.5, leading=12)
CAPTION = 17.0  # points under a chart for its caption


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; `widths` are shares of the width, columns named in `left` are text, the others figures."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[float]
    left: frozenset[int] = frozenset({0})
    strong: bool = False  # the last row is a sum


@dataclass(frozen=True, slots=True)
class Bars:
    """One bar a name, from 0 to `most`; `words` stand behind the bars."""

    caption: str
    names: Sequence[str]
    values: Sequence[float]
    words: Sequence[str]
    most: float


@dataclass(frozen=True, slots=True)
class Columns:
    """One or two columns a name; `legend` names the series."""

    caption: str
    names: Sequence[str]
    series: Sequence[Sequence[float]]
    legend: Sequence[str]


@dataclass(frozen=True, slots=True)
class Part:
    """A numbered section: text, then tables and charts."""

    title: str
    text: Sequence[str] = ()
    blocks: Sequence[Table | Bars | Columns] = ()


@dataclass(frozen=True, slots=True)
class Printed:
    """A whole report in words. `made_on` is YYYY-MM-DD; `made` and `page` say it and the page's number."""

    organ: str
    title: str
    period: str
    made: str
    made_on: str
    seal: str
    page: str  # with {page} and {pages}
    lang: str
    figures: Sequence[tuple[str, str]] = ()
    parts: Sequence[Part] = ()
    notes_title: str = ""
    notes: Sequence[str] = field(default=())


def render(report: Printed) -> bytes:
    """The report as PDF; equal reports give equal bytes. Raises FontMissing."""
    with press:
        case = typeface.load()
        writer = Writer(case, "zh")
        _tell(writer, report)
        first = A4[1] - TOP - BOTTOM
        pages = paginate([_Room(HEAD), *writer.story], WIDTH, first)
        file = BytesIO()
        canvas = Canvas(file, pagesize=A4, invariant=1, initialFontName=case.regular.fontName, lang=report.lang)
        canvas.setTitle(printable(f"{report.title} {report.period}"))
        canvas.setAuthor(printable(report.organ))
        canvas.setCreator("Yichuang")
        day = report.made_on.replace("-", "")
        canvas.setDateFormatter(lambda *_now: f"D:{day}000000+08'00'")
        for number, page in enumerate(pages, 1):
            _edges(canvas, writer, report, number, len(pages))
            for flowable, y in page:
                flowable.drawOn(canvas, LEFT, y)
            canvas.showPage()
        canvas.save()
    return file.getvalue()


class _Room(Flowable):
    """Room for the head of the first page."""

    def __init__(self, height: float) -> None:
        super().__init__()
        self._tall = height

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        self.width, self.height = available_width, self._tall
        return available_width, self._tall

    def draw(self) -> None:
        """Nothing: the head is drawn with the edges of the page."""


def _tell(writer: Writer, report: Printed) -> None:
    if report.figures:
        writer.story.append(_figures(writer, report.figures))
    for part in report.parts:
        writer.gap(9)
        heading = writer.prose(part.title, SECTION)
        heading.keep_with_next = True
        writer.story.append(heading)
        for text in part.text:
            writer.story.append(writer.prose(text, replace(TEXT, indent=2 if report.lang.startswith("zh") else 0)))
        for block in part.blocks:
            writer.gap(5)
            if isinstance(block, Table):
                writer.story.append(_table(writer, block))
            else:
                writer.story.append(
                    _bars(writer.case, block) if isinstance(block, Bars) else _columns(writer.case, block)
                )
    if report.notes:
        writer.gap(10)
        title = writer.prose(report.notes_title, replace(SMALL, bold=True))
        title.keep_with_next = True
        writer.story.append(title)
        for text in report.notes:
            writer.story.append(writer.prose(text, SMALL))
    writer.gap(16)
    writer.story.append(_Signed(writer, report))
    writer.note()


def _figures(writer: Writer, figures: Sequence[tuple[str, str]]) -> Grid:
    """The main numbers, four a row: the word small above, the number large below."""
    word = Style(size=8.5, leading=13, color=SOFT, align="center")
    number = Style(size=17, leading=25, bold=True, align="center", color=ACCENT)
    rows = []
    for start in range(0, len(figures), 4):
        four = [*figures[start : start + 4], *[("", "")] * 4][:4]
        rows.append([Cell((writer.prose(name, word), writer.prose(value, number))) for name, value in four])
    return Grid([WIDTH / 4] * 4, rows)


def _table(writer: Writer, table: Table) -> Grid:
    widths = [WIDTH * share / sum(table.widths) for share in table.widths]
    label = replace(CELL, color=SOFT, align="center")
    rows = [[Cell((writer.prose(name, label),), tinted=True) for name in table.head]]
    for n, row in enumerate(table.rows):
        bold = table.strong and n == len(table.rows) - 1
        cells = []
        for column, text in enumerate(row):
            align = "left" if column in table.left else "right"
            prose = writer.prose(text, replace(CELL, align=align, bold=bold), lines=True)
            cells.append(Cell((prose,), tinted=bold))
        rows.append(cells)
    return Grid(widths, rows, header=1)


# ── charts ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _captioned(case: TypeCase, caption: str, tall: float) -> Drawing:
    """An empty drawing, `tall` points over its caption: the two never part."""
    drawing = Drawing(WIDTH, tall + CAPTION)
    middle = {"fontName": case.regular.fontName, "fontSize": 8.5, "fillColor": SOFT, "textAnchor": "middle"}
    drawing.add(String(WIDTH / 2, 4, caption, **middle))
    return drawing


def _bars(case: TypeCase, bars: Bars) -> Drawing:
    """Horizontal bars with their names on the left and their words behind."""
    tall = max(len(bars.names), 1) * BAR + 6
    drawing = _captioned(case, bars.caption, tall)
    chart = HorizontalBarChart()
    chart.x, chart.y, chart.width, chart.height = NAME, CAPTION + 3, WIDTH - NAME - 60, tall - 6
    chart.data = [list(bars.values)]
    chart.reversePlotOrder = 1
    chart.categoryAxis.categoryNames = [_short(name, case, NAME - 10) for name in bars.names]
    chart.categoryAxis.reverseDirection = 1
    chart.categoryAxis.strokeColor = LINE
    chart.categoryAxis.visibleTicks = 0
    chart.valueAxis.valueMin, chart.valueAxis.valueMax = 0, bars.most or 1
    chart.valueAxis.visible = 0
    _lettered(chart.categoryAxis.labels, case)
    chart.categoryAxis.labels.boxAnchor = "e"
    chart.categoryAxis.labels.dx = -4
    chart.barWidth, chart.groupSpacing = 8, 7
    chart.bars[0].fillColor, chart.bars[0].strokeColor = ACCENT, None
    drawing.add(chart)
    for n, (value, word) in enumerate(zip(bars.values, bars.words, strict=True)):
        y = CAPTION + 3 + (tall - 6) * (len(bars.words) - n - 0.5) / len(bars.words) - 3
        x = NAME + (WIDTH - NAME - 60) * (value / (bars.most or 1)) + 5
        drawing.add(String(x, y, word, fontName=case.regular.fontName, fontSize=8, fillColor=INK))
    return drawing


def _columns(case: TypeCase, columns: Columns) -> Drawing:
    """Vertical columns, the series side by side, with a legend above."""
    drawing = _captioned(case, columns.caption, CHART)
    chart = VerticalBarChart()
    chart.x, chart.y, chart.width, chart.height = 26, CAPTION + 16, WIDTH - 32, CHART - 36
    chart.data = [list(row) for row in columns.series]
    chart.categoryAxis.categoryNames = list(columns.names)
    chart.categoryAxis.strokeColor = LINE
    chart.categoryAxis.visibleTicks = 0
    most = max((value for row in columns.series for value in row), default=0)
    step = _step(most)
    chart.valueAxis.valueMin, chart.valueAxis.valueMax = 0, max(step, -(-int(most) // step) * step)
    chart.valueAxis.valueStep = step
    chart.valueAxis.labelTextFormat = "%d"
    chart.valueAxis.strokeColor = None
    chart.valueAxis.visibleGrid = 1
    chart.valueAxis.gridStrokeColor, chart.valueAxis.gridStrokeWidth = Color(0.88, 0.90, 0.92), 0.4
    chart.valueAxis.visibleTicks = 0
    _lettered(chart.categoryAxis.labels, case, 7)
    _lettered(chart.valueAxis.labels, case, 7)
    chart.groupSpacing, chart.barSpacing = 6, 1
    for n, colour in enumerate((ACCENT, PALE)[: len(columns.series)]):
        chart.bars[n].fillColor, chart.bars[n].strokeColor = colour, None
    drawing.add(chart)
    x = 26.0
    for name, colour in zip(columns.legend, (ACCENT, PALE), strict=False):
        drawing.add(Rect(x, CAPTION + CHART - 11, 8, 8, fillColor=colour, strokeColor=None))
        drawing.add(
            String(x + 12, CAPTION + CHART - 10, name, fontName=case.regular.fontName, fontSize=8, fillColor=INK)
        )
        x += 12 + sum(case.face(letter).width(letter, 8) for letter in name) + 16
    return drawing


def _lettered(labels: object, case: TypeCase, size: float = 8) -> None:
    labels.fontName, labels.fontSize, labels.fillColor = case.regular.fontName, size, INK  # type: ignore[attr-defined]  # ReportLab's labels are untyped


def _step(most: float) -> int:
    """A round step that makes two to five lines up to `most`."""
    step = 1
    while most > step * 5:
        step = step * 2 if str(step)[0] in "15" else step * 5 // 2
    return step


def _short(name: str, case: TypeCase, width: float) -> str:
    """The name, cut with an ellipsis where it is wider than `width` points."""

    def wide(text: str) -> float:
        return sum(case.face(letter).width(letter, 8) for letter in text)

    if wide(name) <= width:
        return name
    while name and wide(name + "…") > width:
        name = name[:-1]
    return name + "…"


# ── head, foot and signature ────────────────────────────────────────────────────────────────────────────────────


class _Signed(Flowable):
    """The organ and the day over the place of the seal; never alone on a page."""

    keep_with_previous = True
    TALL, WIDE = 30 * mm, 74 * mm

    def __init__(self, writer: Writer, report: Printed) -> None:
        super().__init__()
        style = Style(size=10.5, leading=18, align="center")
        self._organ = writer.prose(report.organ, replace(style, bold=True))
        self._day = writer.prose(report.made, style)
        self._seal = writer.prose(report.seal, Style(size=8, leading=12, align="center", color=LINE))

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        self.width, self.height = available_width, self.TALL
        return available_width, self.TALL

    def draw(self) -> None:
        canvas, x = self.canv, self.width - self.WIDE
        middle, centre = x + self.WIDE / 2, self.TALL / 2
        canvas.saveState()
        canvas.setStrokeColor(LINE)
        canvas.setLineWidth(0.7)
        canvas.setDash(2.2, 2.2)
        canvas.circle(middle, centre, self.TALL / 2)
        canvas.restoreState()
        y = centre + 16
        for prose in (self._organ, self._day):
            tall = prose.wrap(self.WIDE, 1e6)[1]
            y -= tall
            prose.drawOn(canvas, x, y)
        tall = self._seal.wrap(self.WIDE, 1e6)[1]
        self._seal.drawOn(canvas, x, y - tall)


def _edges(canvas: Canvas, writer: Writer, report: Printed, page: int, pages: int) -> None:
    """The red head of the first page, a running line on the others, and the foot of all."""

    def put(text: str, style: Style, x: float, y: float, width: float) -> None:
        prose = writer.prose(text, style)
        tall = prose.wrap(width, 1e6)[1]
        prose.drawOn(canvas, x, y - tall)

    top = A4[1] - 14 * mm
    if page == 1:
        size = 24 if len(report.title) < 24 else 17
        put(report.title, Style(size=size, leading=36, bold=True, align="center", color=RED), LEFT, top, WIDTH)
        line = top - 46
        put(report.organ, Style(size=10, leading=16), LEFT, line, WIDTH / 3)
        put(report.period, Style(size=10, leading=16, align="center"), LEFT + WIDTH / 3, line, WIDTH / 3)
        put(report.made, Style(size=10, leading=16, align="right"), LEFT + WIDTH * 2 / 3, line, WIDTH / 3)
        canvas.setStrokeColor(RED)
        canvas.setLineWidth(2)
        canvas.line(LEFT, line - 22, LEFT + WIDTH, line - 22)
        canvas.setLineWidth(0.6)
        canvas.line(LEFT, line - 25, LEFT + WIDTH, line - 25)
    else:
        put(f"{report.title}　{report.period}", Style(size=9, leading=14, color=SOFT), LEFT, top + 2, WIDTH)
        canvas.setStrokeColor(RED)
        canvas.setLineWidth(0.8)
        canvas.line(LEFT, top - 15, LEFT + WIDTH, top - 15)
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.4)
    canvas.line(LEFT, 17 * mm, LEFT + WIDTH, 17 * mm)
    put(report.organ, SMALL, LEFT, 17 * mm - 3, WIDTH / 2)
    told = report.page.format(page=page, pages=pages)
    put(told, replace(SMALL, align="right"), LEFT + WIDTH / 2, 17 * mm - 3, WIDTH / 2)
