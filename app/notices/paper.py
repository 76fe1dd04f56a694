"""The sheet: A4, every copy, page numbers, one press at a time; `render` and `render_all` are the only ways in."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from reportlab import rl_config
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus.flowables import Flowable, Spacer

from app.notices import slip, typeface
from app.notices.grid import LINE
from app.notices.prose import INK, SOFT, Prose, Style
from app.notices.registry import NOTICES
from app.notices.typeface import TypeCase, printable
from app.notices.wording import Pair, day_of
from app.notices.writer import WIDTH, NewPage, Writer

# Nothing here parses markup or opens an address; should anything ever, it finds no scheme to open.
rl_config.trustedSchemes = []
rl_config.trustedHosts = []
rl_config.useA85 = 0  # bytes, not text: smaller, and quicker to write

LANGUAGES = ("zh", "en")  # en: the Chinese text, which alone has effect, with English beside it
LEFT = (A4[0] - WIDTH) / 2
TOP, BOTTOM = 26 * mm, 20 * mm  # of the text, from the edges of the sheet

press = threading.Lock()  # a face reads its file at one place at a time

Placed = tuple[Flowable, float]  # with the height of its lower edge over the sheet's


@dataclass(frozen=True, slots=True)
class Order:
    """One paper to print."""

    kind: str
    facts: Mapping[str, Any]
    language: str = "zh"


def render(kind: str, facts: Mapping[str, Any], *, language: str = "zh") -> bytes:
    """The paper as PDF; the same facts give the same bytes.

    `facts` keep the contract of the kind (facts.py) and hold `number` and `issued_at`. Every copy of a case's paper
    has its own pages. Raises FactsWrong, FontMissing.
    """
    if kind == "slip":
        with press:
            return slip.render(facts, typeface.load())
    sheet = _Sheet.of(Order(kind, facts, language))
    with press:
        case = typeface.load()
        file = BytesIO()
        canvas = _canvas(file, case, f"{sheet.title[0]} {facts['number']}", facts["hall_name"], str(facts["issued_at"]))
        canvas.setSubject(sheet.title[0])
        sheet.print_on(canvas, case)
        canvas.save()
    return file.getvalue()


def render_all(
    orders: Iterable[Order], *, title: str, author: str, at: str, done: Callable[[int], None] = lambda _count: None
) -> bytes:
    """Many papers as one PDF, in order, with an outline; `done` is told after each how many there are.

    The faces are embedded once, so that a hundred papers are little larger than one. Raises FactsWrong, FontMissing.
    """
    file = BytesIO()
    with press:
        case = typeface.load()
        canvas = _canvas(file, case, title, author, at)
    for count, order in enumerate(orders, 1):
        sheet = _Sheet.of(order)
        with press:
            canvas.bookmarkPage(f"paper-{count}")
            canvas.addOutlineEntry(f"{order.facts['number']} {sheet.title[0]}", f"paper-{count}")
            sheet.print_on(canvas, case)
        done(count)
    with press:
        canvas.save()
    return file.getvalue()


def _canvas(file: BytesIO, case: TypeCase, title: str, author: str, at: str) -> Canvas:
    canvas = Canvas(file, pagesize=A4, invariant=1, initialFontName=case.regular.fontName, lang="zh-CN")
    canvas.setTitle(printable(title))
    canvas.setAuthor(printable(author))
    canvas.setCreator("Yichuang")
    day = day_of(at)
    canvas.setDateFormatter(lambda *_now: f"D:{day:%Y%m%d}000000+08'00'")
    return canvas


def paginate(story: Sequence[Flowable], width: float, height: float) -> list[list[Placed]]:
    """Place flowables on pages: no gap at the head of a page, no heading at its foot, nothing lost."""
    queue, pages = deque(story), [[]]  # type: deque[Flowable], list[list[Placed]]
    left = height
    while queue:
        flowable = queue.popleft()
        if isinstance(flowable, NewPage):
            pages.append([])
            left = height
            continue
        if isinstance(flowable, Spacer) and not pages[-1]:
            continue
        needed = flowable.wrap(width, left)[1]
        kept = pages[-1] and getattr(flowable, "keep_with_next", False)
        if kept and needed + _followed(queue, width, left) > left:
            pages.append([])
            left = height
        if needed <= left:
            left -= needed
            pages[-1].append((flowable, BOTTOM + left))
            continue
        parts = [] if isinstance(flowable, Spacer) else flowable.split(width, left)
        if len(parts) == 2:
            queue.extendleft(reversed(parts))
        elif pages[-1]:
            queue.appendleft(flowable)
            if getattr(flowable, "keep_with_previous", False):
                queue.extendleft(_company(pages[-1]))
            pages.append([])
            left = height
        else:  # higher than a sheet and cannot be broken: better cut off than lost
            pages[-1].append((flowable, BOTTOM + left - needed))
            left = 0
    return pages


def _followed(queue: Iterable[Flowable], width: float, left: float) -> float:
    """The room that a flowable wants below it: all that is kept together after it, and a good part of the last."""
    room = 0.0
    for flowable in queue:
        needed = flowable.wrap(width, left)[1]
        if not getattr(flowable, "keep_with_next", False):
            return room + min(needed, 60)
        room += needed
    return room


def _company(page: list[Placed]) -> list[Flowable]:
    """Take two lines or more off the page, with their heading, last first: company for what goes over."""
    taken: list[Flowable] = []
    text = 0.0
    while len(page) > 1 and (text < 30 or getattr(page[-1][0], "keep_with_next", False)):
        flowable = page.pop()[0]
        taken.append(flowable)
        text += flowable.height if isinstance(flowable, Prose) else 0
    return taken


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One paper on its way through the press."""

    order: Order
    title: Pair

    @classmethod
    def of(cls, order: Order) -> _Sheet:
        if order.language not in LANGUAGES:
            raise ValueError(f"no paper in {order.language!r}")
        notice = NOTICES[order.kind]
        notice.check(order.facts)
        return cls(order, notice.title(order.facts))

    def print_on(self, canvas: Canvas, case: TypeCase) -> None:
        notice, facts = NOTICES[self.order.kind], self.order.facts
        writer = Writer(case, self.order.language)
        writer.title(*self.title, facts["number"])
        notice.write(facts, writer)
        pages = paginate(writer.story, WIDTH, A4[1] - TOP - BOTTOM)
        for copy in notice.copies:
            for n, page in enumerate(pages, 1):
                self._edges(canvas, writer, copy, n, len(pages))
                for flowable, y in page:
                    flowable.drawOn(canvas, LEFT, y)
                canvas.showPage()

    def _edges(self, canvas: Canvas, writer: Writer, copy: Pair, page: int, pages: int) -> None:
        """What stands above and below the text of every sheet."""
        facts = self.order.facts
        right, top = LEFT + WIDTH, A4[1] - 15 * mm

        def put(text: str, style: Style, x: float, y: float, width: float) -> None:
            block = writer.prose(text, style)
            tall = block.wrap(width, 1e6)[1]
            block.drawOn(canvas, x, y + style.leading - tall)

        head = facts["hall_name"] if page == 1 else f"{self.title[0]}　{facts['number']}"
        put(head, Style(size=12, leading=16, bold=page == 1), LEFT, top - 2, WIDTH - 62 * mm)
        mark = copy[0] + (f"　{copy[1]}" if writer.bilingual else "")
        put(mark, Style(size=8.5, leading=14, align="right", color=SOFT), right - 60 * mm, top - 1, 60 * mm)
        canvas.setStrokeColor(INK)
        canvas.setLineWidth(1.3)
        canvas.line(LEFT, top - 6, right, top - 6)
        canvas.setLineWidth(0.4)
        canvas.line(LEFT, top - 8.4, right, top - 8.4)

        foot = 17 * mm
        canvas.setStrokeColor(LINE)
        canvas.line(LEFT, foot, right, foot)
        place = "　".join(
            text
            for text in (
                facts.get("hall_address"),
                f"咨询电话 {facts['hall_phone']}" if facts.get("hall_phone") else "",
                f"监督电话 {facts['supervision_phone']}" if facts.get("supervision_phone") else "",
            )
            if text
        )
        small = Style(size=8, leading=12, color=SOFT)
        put(place, small, LEFT, foot - 15, WIDTH - 45 * mm)
        count = f"第 {page} 页，共 {pages} 页" + (f"　{page}/{pages}" if writer.bilingual else "")
        put(count, Style(size=8, leading=12, align="right", color=SOFT), right - 44 * mm, foot - 15, 44 * mm)
