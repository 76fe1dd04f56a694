"""The sheet: A4, both copies, page numbers, one press at a time; `render` is the only way in."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from reportlab import rl_config
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus.flowables import Flowable, Spacer

from app.notices import slip, typeface
from app.notices.facts import check, day_of
from app.notices.grid import LINE
from app.notices.prose import INK, SOFT, Prose, Style
from app.notices.registry import NOTICES
from app.notices.writer import WIDTH, Writer

# Nothing here parses markup or opens an address; should anything ever, it finds no scheme to open.
rl_config.trustedSchemes = []
rl_config.trustedHosts = []

LANGUAGES = ("zh", "en")  # en: the Chinese text, which alone has effect, with English beside it
COPIES = (
    ("第一联　申请人留存", "Copy 1 · applicant"),
    ("第二联　大厅存档", "Copy 2 · hall"),
)
LEFT = (A4[0] - WIDTH) / 2
TOP, BOTTOM = 27 * mm, 22 * mm  # of the text, from the edges of the sheet

_press = threading.Lock()  # a face reads its file at one place at a time

Placed = tuple[Flowable, float]  # with the height of its lower edge over the sheet's


def render(kind: str, facts: Mapping[str, Any], *, language: str = "zh") -> bytes:
    """The paper as PDF; the same facts give the same bytes.

    `facts` keep the contract of the kind (facts.py) and hold `number` and `issued_at`. A case's paper has two
    copies, each with its own pages. Raises FactsWrong, FontMissing.
    """
    if language not in LANGUAGES:
        raise ValueError(f"no paper in {language!r}")
    with _press:
        case = typeface.load()
        if kind == "slip":
            return slip.render(facts, case)
        notice = NOTICES[kind]
        check(kind, notice.contract, facts)
        writer = Writer(case, language)
        title_zh, title_en = notice.title(facts)
        writer.title(title_zh, title_en, facts["number"])
        notice.write(facts, writer)
        pages = paginate(writer.story, WIDTH, A4[1] - TOP - BOTTOM)
        return _print(pages, facts, (title_zh, title_en), writer)


def paginate(story: Sequence[Flowable], width: float, height: float) -> list[list[Placed]]:
    """Place flowables on pages: no gap at the head of a page, no heading at its foot, nothing lost."""
    queue, pages = deque(story), [[]]  # type: deque[Flowable], list[list[Placed]]
    left = height
    while queue:
        flowable = queue.popleft()
        if isinstance(flowable, Spacer) and not pages[-1]:
            continue
        needed = flowable.wrap(width, left)[1]
        if getattr(flowable, "keep_with_next", False) and queue:
            needed_next = min(queue[0].wrap(width, left)[1], 60)
            if pages[-1] and needed + needed_next > left:
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


def _company(page: list[Placed]) -> list[Flowable]:
    """Take two lines or more off the page, with their heading, last first: company for what goes over."""
    taken: list[Flowable] = []
    text = 0.0
    while len(page) > 1 and (text < 30 or getattr(page[-1][0], "keep_with_next", False)):
        flowable = page.pop()[0]
        taken.append(flowable)
        text += flowable.height if isinstance(flowable, Prose) else 0
    return taken


def _print(pages: list[list[Placed]], facts: Mapping[str, Any], title: tuple[str, str], writer: Writer) -> bytes:
    file = BytesIO()
    canvas = Canvas(file, pagesize=A4, invariant=1, initialFontName=writer.case.regular.fontName, lang="zh-CN")
    canvas.setTitle(f"{title[0]} {facts['number']}")
    canvas.setAuthor(facts["hall_name"])
    canvas.setSubject(title[0])
    canvas.setCreator("Yichuang")
    day = day_of(facts["issued_at"])
    canvas.setDateFormatter(lambda *_now: f"D:{day:%Y%m%d}000000+08'00'")
    for copy in COPIES:
        for n, page in enumerate(pages, 1):
            _edges(canvas, writer, facts, title, copy, n, len(pages))
            for flowable, y in page:
                flowable.drawOn(canvas, LEFT, y)
            canvas.showPage()
    canvas.save()
    return file.getvalue()


def _edges(
    canvas: Canvas,
    writer: Writer,
    facts: Mapping[str, Any],
    title: tuple[str, str],
    copy: tuple[str, str],
    page: int,
    pages: int,
) -> None:
    """What stands above and below the text of every sheet."""
    right, top = LEFT + WIDTH, A4[1] - 15 * mm

    def put(text: str, style: Style, x: float, y: float, width: float) -> None:
        block = writer.prose(text, style)
        tall = block.wrap(width, 1e6)[1]
        block.drawOn(canvas, x, y + style.leading - tall)

    head = facts["hall_name"] if page == 1 else f"{title[0]}　{facts['number']}"
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
