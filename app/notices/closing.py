"""The foot of a paper: QR code, signatures, organ, date and the place of the seal; and lines to sign on."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from io import BytesIO
from itertools import groupby
from typing import TYPE_CHECKING, Any

import segno
from PIL import Image
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus.flowables import Flowable

from app.notices.grid import LINE
from app.notices.prose import INK, SOFT, Prose, Style
from app.notices.wording import Pair, moment_zh

if TYPE_CHECKING:
    from app.notices.writer import Writer

SMALL = Style(size=8, leading=12, color=SOFT)
SIGN = Style(size=9.5, leading=15)
FOLLOW = ("扫码查询办理进度", "Scan to follow the case")


class Closing(Flowable):
    """The foot of a paper, never broken over two pages and never alone on one."""

    keep_with_previous = True
    SEAL = 35 * mm
    QR = 22 * mm

    def __init__(
        self,
        writer: Writer,
        facts: Mapping[str, Any],
        seal: str,
        *,
        receiver: Pair | None,
        linked: bool,
        scan: Pair | None = None,
    ) -> None:
        super().__init__()
        style = Style(size=10.5, leading=18, align="center")
        organ = facts.get("organ") or facts["hall_name"]
        self._organ = writer.prose(organ, replace(style, bold=True))
        self._date = writer.prose(moment_zh(str(facts["issued_at"])[:10]), style)
        faint = Style(size=8, leading=12, align="center", color=LINE)
        self._seal = writer.prose(f"（印章）\n{seal}", faint, lines=True)
        self._url = str(facts.get("qr_url") or "") if linked else ""
        code = None if scan else facts.get("query_code")
        what, what_en = scan or FOLLOW
        told = [what, *([f"查询码 {code}"] if code else []), *([what_en] if writer.bilingual else [])]
        self._caption = writer.prose("\n".join(told), SMALL, lines=True)
        self._signatures: list[Prose] = []
        if receiver:
            clerk = self._signed_by = facts.get("clerk_name") or ""
            window = f"（{facts['window']}）" if facts.get("window") else ""
            line = f"{receiver[0]}：" + (f" {receiver[1]}:" if writer.bilingual else "")
            by = "经办人：" + (" Clerk: " if writer.bilingual else "") + clerk + window
            self._signatures = [writer.prose(text, SIGN) for text in (line, by)]

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
        for n, signature in enumerate(self._signatures):
            y, ruled = (6.5 * mm, True) if n == 0 else (0, not self._signed_by)
            signature.wrap(width, 1e6)
            signature.drawOn(canvas, 0, y)
            if ruled:
                rule(canvas, signature, 0, y, width)

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


class Signatures(Flowable):
    """Who signs, two side by side, each with a line for the hand and one for the day; one may have signed on the pad."""

    keep_with_previous = True
    STEP = 9 * mm
    GUTTER = 10 * mm

    def __init__(self, writer: Writer, who: Sequence[Pair], drawn: tuple[str, str] | None = None) -> None:
        super().__init__()
        day = "日期：" + (" Date:" if writer.bilingual else "")
        self._ink, day_drawn = (ink_of(drawn[0]), drawn[1]) if drawn else (None, "")
        self._blocks = [
            (
                writer.prose(f"{zh}：" + (f" {en}:" if writer.bilingual else ""), SIGN),
                writer.prose(f"{day} {day_drawn}" if self._ink and n == 0 else day, SIGN),
            )
            for n, (zh, en) in enumerate(who)
        ]

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        self.width = available_width
        self.height = -(-len(self._blocks) // 2) * (2 * self.STEP + 3 * mm)
        return self.width, self.height

    def draw(self) -> None:
        width = (self.width - self.GUTTER) / 2
        for n, block in enumerate(self._blocks):
            x = (n % 2) * (width + self.GUTTER)
            y = self.height - (n // 2) * (2 * self.STEP + 3 * mm)
            for line, prose in enumerate(block):
                y -= self.STEP
                prose.wrap(width, 1e6)
                prose.drawOn(self.canv, x, y)
                if n or self._ink is None:
                    rule(self.canv, prose, x, y, width)
                elif line == 0:
                    start = prose.natural_width + 6
                    self.canv.drawImage(
                        ImageReader(self._ink), x + start, y - 1, width - start, self.STEP + 2 * mm, "auto", True, "sw"
                    )


def ink_of(drawn: str) -> Image.Image | None:
    """The picture of a signature in base64, cut to what was drawn; None for an empty one."""
    picture = Image.open(BytesIO(base64.b64decode(drawn))).convert("RGBA")
    box = picture.getchannel("A").getbbox()
    return picture.crop(box) if box else None


def rule(canvas: Canvas, label: Prose, x: float, y: float, width: float) -> None:
    """A line to write on, from the end of its label to the end of `width`."""
    canvas.setStrokeColor(LINE)
    canvas.setLineWidth(0.5)
    canvas.line(x + min(label.natural_width + 2, width - 20), y + 1, x + width, y + 1)


def draw_qr(canvas: Canvas, url: str, x: float, y: float, size: float) -> None:
    """The address as squares of ink, `size` points wide without its margin; drawn once a file, then placed again."""
    name = f"qr-{size:.0f}-{hashlib.sha256(url.encode()).hexdigest()[:16]}"
    if not canvas.hasForm(name):
        rows, bars = _bars(url)
        step = size / rows
        canvas.beginForm(name, 0, 0, size, size)
        canvas.setFillColor(INK)
        path = canvas.beginPath()
        for row, column, length in bars:
            path.rect(column * step, size - (row + 1) * step, length * step, step)
        canvas.drawPath(path, stroke=0, fill=1)
        canvas.endForm()
    canvas.saveState()
    canvas.translate(x, y)
    canvas.doForm(name)
    canvas.restoreState()


@lru_cache(maxsize=256)
def _bars(url: str) -> tuple[int, tuple[tuple[int, int, int], ...]]:
    """How many rows the code has, and its bars of ink: row, first column, columns."""
    matrix = segno.make(url, error="m", micro=False, boost_error=False).matrix
    bars = []
    for n, row in enumerate(matrix):
        column = 0
        for ink, run in groupby(row):
            length = len(list(run))
            if ink:
                bars.append((n, column, length))
            column += length
    return len(matrix), tuple(bars)
