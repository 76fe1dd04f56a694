"""号票: the ticket slip as an 80 mm page, for printers that take PDF and for the citizen's phone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from typing import Any

from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus.flowables import Flowable

from app.notices.closing import draw_qr
from app.notices.facts import SlipFacts
from app.notices.grid import LINE
from app.notices.prose import SOFT, Style
from app.notices.shapes import check
from app.notices.typeface import TypeCase
from app.notices.writer import Writer

PAPER, TEXT = 80 * mm, 70 * mm
QR = 30 * mm
MID = Style(size=10, leading=15, align="center")
FINE = Style(size=8, leading=11.5, align="center", color=SOFT)


class Dash(Flowable):
    """A dashed rule over the whole width."""

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        self.width, self.height = available_width, 9
        return self.width, self.height

    def draw(self) -> None:
        self.canv.setStrokeColor(LINE)
        self.canv.setLineWidth(0.6)
        self.canv.setDash(2, 2)
        self.canv.line(0, 4.5, self.width, 4.5)


class Code(Flowable):
    """The QR in the middle."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        self.width, self.height = available_width, QR + 8
        return self.width, self.height

    def draw(self) -> None:
        draw_qr(self.canv, self._url, (self.width - QR) / 2, 4, QR)


def render(facts: Mapping[str, Any], case: TypeCase) -> bytes:
    """One page, as long as its text."""
    check("slip", SlipFacts, facts, issued=False)
    story = _story(facts, case)
    heights = [flowable.wrap(TEXT, 1e6)[1] for flowable in story]
    length = sum(heights) + 12 * mm
    file = BytesIO()
    canvas = Canvas(file, pagesize=(PAPER, length), invariant=1, initialFontName=case.regular.fontName, lang="zh-CN")
    canvas.setTitle(f"{facts['number']} {facts['queue_name_zh']}")
    canvas.setAuthor(facts["hall_name_zh"])
    canvas.setCreator("Yichuang")
    canvas.setDateFormatter(lambda *_now: "D:20000101000000Z")
    y = length - 6 * mm
    for flowable, height in zip(story, heights, strict=True):
        y -= height
        flowable.drawOn(canvas, (PAPER - TEXT) / 2, y)
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def _story(facts: Mapping[str, Any], case: TypeCase) -> list[Flowable]:
    english = facts.get("language") == "en"
    writer = Writer(case, "en" if english else "zh")

    def put(zh: str, en: str = "", style: Style = MID) -> None:
        writer.story += writer.both(zh, en, style, FINE)
        if english and en:
            writer.gap(3)

    put(facts["hall_name_zh"], facts.get("hall_name_en") or "", replace(MID, size=11.5, leading=17, bold=True))
    if facts.get("reprint"):
        put("（补打）", "Reprint", FINE)
    writer.gap(6)
    writer.story.append(writer.prose(facts["number"], Style(size=44, leading=50, bold=True, align="center")))
    put(facts["queue_name_zh"], facts.get("queue_name_en") or "", replace(MID, size=13, leading=19, bold=True))
    if facts.get("item_name"):
        put(facts["item_name"], style=replace(MID, size=9, leading=13, color=SOFT))
    writer.story.append(Dash())
    if facts.get("ahead") is not None:
        waiting = replace(MID, size=12.5, leading=19, bold=True)
        n = facts["ahead"]
        put(f"前面还有 {n} 位" if n else "前面无人等候", f"{n or 'Nobody'} waiting before you", waiting)
    if facts.get("zone"):
        put(
            f"等候区域：{facts['zone']}",
            f"Please wait in zone {facts['zone']}" if _latin(facts["zone"]) else "",
        )
    if facts.get("windows"):
        put(f"办理窗口：{'、'.join(facts['windows'])}", f"Windows {', '.join(facts['windows'])}")
    if facts.get("qr_url"):
        writer.gap(4)
        writer.story.append(Code(facts["qr_url"]))
        put("扫码查看排队进度", "Scan to follow your place in the queue", FINE)
    writer.story.append(Dash())
    if facts.get("no_show_rule"):
        put(facts["no_show_rule"], style=FINE)
    put(f"取号时间 {facts['issued_at']}", f"Taken {facts['issued_at']}", FINE)
    if facts.get("hall_phone"):
        put(f"咨询电话 {facts['hall_phone']}", f"Phone {facts['hall_phone']}", FINE)
    writer.note()
    return writer.story


def _latin(text: str) -> bool:
    return text.isascii()
