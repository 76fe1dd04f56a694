"""A table as a file for spreadsheets: CSV that Excel opens in Chinese, and XLSX. No text in them is ever a formula."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO, StringIO
from typing import Any
from unicodedata import east_asian_width

import xlsxwriter

Value = str | int | float | datetime | None  # a datetime is local, without its zone

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NOT_IN_A_NAME = re.compile(r"[\[\]:*?/\\']")
_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # full-width ones too


_TIME = "yyyy-mm-dd hh:mm:ss"
_NARROWEST, _WIDEST = 9, 40  # of a column, in digits


def csv_of(head: Sequence[str], rows: Sequence[Sequence[Value]]) -> bytes:
    """UTF-8 with its mark. Text that a spreadsheet would run gets an apostrophe before it; numbers stay numbers.

    Every text stands in quotes, so that none ends early where another mark parts the columns.
    """
    file = StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows([[_tame(value) for value in row] for row in (head, *rows)])
    return file.getvalue().encode("utf-8-sig")


def _tame(value: Value) -> Value:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    active = isinstance(value, str) and (value.startswith(_ACTIVE) or value.lstrip().startswith(_ACTIVE))
    return f"'{value}" if active else value


def xlsx_of(
    title: str, head: Sequence[str], rows: Sequence[Sequence[Value]], *, made_at: datetime, sums: bool = False
) -> bytes:
    """One sheet, called by its title, with the time at which it was made and a fixed head; `sums`: the last row is bold.

    Every text is written as text, and stays it when somebody edits the cell; every number as a number, a time as a date.
    """
    file = BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": title, "created": made_at.astimezone(UTC).replace(tzinfo=None, microsecond=0)})
    sheet = book.add_worksheet(_NOT_IN_A_NAME.sub(" ", title)[:31].strip())
    top = book.add_format({"bold": True, "font_size": 14, "num_format": "@"})
    label = book.add_format({"bold": True, "text_wrap": True, "valign": "vcenter", "bg_color": "#E6F1F4", "border": 1})
    instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm", "align": "left", "font_color": "#5B6B73"})
    sheet.write_string(0, 0, title, top)
    sheet.write_datetime(1, 0, made_at.replace(tzinfo=None, second=0, microsecond=0), instant)
    for column, name in enumerate(head):
        sheet.write_string(2, column, name, label)
        sheet.set_column(column, column, _width(name, [row[column] for row in rows]))
    plain, bold = (_styles(book, {"border": 1, "valign": "top", "bold": strong}) for strong in (False, True))
    for number, row in enumerate(rows, 3):
        style = bold if sums and number == len(rows) + 2 else plain
        for column, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(number, column, value, style[str])
            elif isinstance(value, datetime):
                sheet.write_datetime(number, column, value, style[datetime])
            elif value is None:
                sheet.write_blank(number, column, None, style[str])
            else:
                sheet.write_number(number, column, value, style[int if isinstance(value, int) else float])
    sheet.freeze_panes(3, 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(2)
    book.close()
    return file.getvalue()


def _styles(book: xlsxwriter.Workbook, common: dict[str, Any]) -> dict[type, Any]:
    """How each kind of value is written."""
    shown = {str: {"num_format": "@", "text_wrap": True}, int: {"num_format": "#,##0"}, float: {"num_format": "0.0#"}}
    return {
        kind: book.add_format({**common, **more}) for kind, more in {**shown, datetime: {"num_format": _TIME}}.items()
    }


def _width(name: str, values: Sequence[Value]) -> int:
    """Wide enough for the values, and for the head on two lines; a Chinese character is as wide as two digits."""
    longest = max([_digits(_tame(value)) for value in values], default=0)
    words = max(map(_digits, name.split()), default=0) if name.isascii() else -(-_digits(name) // 2)
    return min(max(longest, words, _NARROWEST) + 2, _WIDEST)


def _digits(value: Value) -> int:
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in str("" if value is None else value))
