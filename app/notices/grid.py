"""A ruled table of prose: it breaks between rows, and inside a row only when the row is very tall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.lib.colors import Color
from reportlab.platypus.flowables import Flowable

from app.notices.prose import Prose

LINE = Color(0.62, 0.64, 0.68)
TINT = Color(0.955, 0.958, 0.965)
PAD_X = 5.0
PAD_Y = 2.2
SPLIT_ABOVE = 220.0  # points; a lower row moves to the next page whole


@dataclass(frozen=True, slots=True)
class Cell:
    """Prose lines one under the other; `span` columns wide, on a tint when it is a label."""

    content: tuple[Prose, ...]
    span: int = 1
    tinted: bool = False

    def height(self, width: float) -> float:
        return sum(prose.wrap(width - 2 * PAD_X, 1e6)[1] for prose in self.content) + 2 * PAD_Y

    def split(self, width: float, height: float) -> tuple[Cell, Cell]:
        """What fits in `height`, and the rest."""
        left = height - 2 * PAD_Y
        above: list[Prose] = []
        below: list[Prose] = []
        for prose in self.content:
            needed = prose.wrap(width - 2 * PAD_X, 1e6)[1]
            parts = [prose] if not below and needed <= left else prose.split(width - 2 * PAD_X, left)
            if below or not parts:
                below.append(prose)
            else:
                above.append(parts[0])
                below.extend(parts[1:])
                left -= needed
        return Cell(tuple(above), self.span, self.tinted), Cell(tuple(below), self.span, self.tinted)


Row = Sequence[Cell]


class Grid(Flowable):
    """Rows of cells over columns of `widths` points; the first `header` rows stand again on every page."""

    def __init__(self, widths: Sequence[float], rows: Sequence[Row], header: int = 0) -> None:
        super().__init__()
        self._widths, self._rows, self._header = list(widths), list(rows), header

    def wrap(self, available_width: float, available_height: float) -> tuple[float, float]:
        self._heights = [self._row_height(row) for row in self._rows]
        self.width, self.height = sum(self._widths), sum(self._heights)
        return self.width, self.height

    def split(self, available_width: float, available_height: float) -> list[Flowable]:
        self.wrap(available_width, available_height)
        used, n = 0.0, 0
        while n < len(self._rows) and used + self._heights[n] <= available_height:
            used += self._heights[n]
            n += 1
        if n == len(self._rows):
            return [self]
        left = available_height - used
        if n >= self._header and self._heights[n] > SPLIT_ABOVE and left > 60:
            return self._split_row(n, left)
        if n <= self._header:
            return []
        if len(self._rows) - n == 1 and n - self._header > 2:
            n -= 1  # no lone last row on the next page
        return [self._with(self._rows[:n]), self._with([*self._rows[: self._header], *self._rows[n:]])]

    def _split_row(self, n: int, height: float) -> list[Flowable]:
        halves = [cell.split(width, height) for cell, _x, width in self._places(self._rows[n])]
        above, below = [half[0] for half in halves], [half[1] for half in halves]
        head = self._rows[: self._header]
        return [self._with([*self._rows[:n], above]), self._with([*head, below, *self._rows[n + 1 :]])]

    def _with(self, rows: Sequence[Row]) -> Grid:
        return Grid(self._widths, rows, self._header)

    def _row_height(self, row: Row) -> float:
        return max(cell.height(width) for cell, _x, width in self._places(row))

    def _places(self, row: Row) -> list[tuple[Cell, float, float]]:
        """Each cell with its left edge and width."""
        places, column, x = [], 0, 0.0
        for cell in row:
            width = sum(self._widths[column : column + cell.span])
            places.append((cell, x, width))
            column, x = column + cell.span, x + width
        return places

    def draw(self) -> None:
        canvas, top = self.canv, self.height
        canvas.setLineWidth(0.5)
        canvas.setStrokeColor(LINE)
        for row, height in zip(self._rows, self._heights, strict=True):
            for cell, x, width in self._places(row):
                canvas.setFillColor(TINT)
                canvas.rect(x, top - height, width, height, stroke=1, fill=int(cell.tinted))
                inner = width - 2 * PAD_X
                tall = sum(prose.wrap(inner, 1e6)[1] for prose in cell.content)
                y = top - (height - tall) / 2
                for prose in cell.content:
                    y -= prose.wrap(inner, 1e6)[1]
                    prose.drawOn(canvas, x + PAD_X, y)
            top -= height
