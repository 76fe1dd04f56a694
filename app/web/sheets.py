"""A table as a file for spreadsheets: CSV that Excel opens in Chinese, and XLSX. No text in them is ever a formula."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from datetime import datetime
from io import BytesIO, StringIO

import xlsxwriter

Value = str | int | float | None

CSV_TYPE = "text/csv; charset=utf-8"
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NOT_IN_A_NAME = re.compile(r"[\[\]:*?/\\']")
_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # full-width ones too


def csv_of(head: Sequence[str], rows: Sequence[Sequence[Value]]) -> bytes:
    """UTF-8 with its mark. Text that a spreadsheet would run gets an apostrophe before it; numbers stay numbers."""
    file = StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([_tame(name) for name in head])
    writer.writerows([[_tame(value) if isinstance(value, str) else value for value in row] for row in rows])
    return file.getvalue().encode("utf-8-sig")


def _tame(text: str) -> str:
    return f"'{text}" if text.startswith(_ACTIVE) else text


def xlsx_of(
    title: str, head: Sequence[str], rows: Sequence[Sequence[Value]], *, made_at: datetime, sums: bool = False
) -> bytes:
    """One sheet, called by its title, with the time at which it was made and a fixed head; `sums`: the last row is bold.

    Every text is written as text, every number as a number, the time as a date.
    """
    file = BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": title, "created": made_at.replace(tzinfo=None, microsecond=0)})
    sheet = book.add_worksheet(_NOT_IN_A_NAME.sub(" ", title)[:31].strip())
    top = book.add_format({"bold": True, "font_size": 14})
    label = book.add_format({"bold": True, "text_wrap": True, "valign": "vcenter", "bg_color": "#E6F1F4", "border": 1})
    plain, bold = book.add_format({"border": 1}), book.add_format({"border": 1, "bold": True})
    sheet.write_string(0, 0, title, top)
    instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm", "align": "left", "font_color": "#5B6B73"})
    sheet.write_datetime(1, 0, made_at.replace(tzinfo=None, second=0, microsecond=0), instant)
    for column, name in enumerate(head):
        sheet.write_string(2, column, name, label)
        sheet.set_column(column, column, 30 if column == 0 else 11)
    for number, row in enumerate(rows, 3):
        style = bold if sums and number == len(rows) + 2 else plain
        for column, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(number, column, value, style)
            elif value is None:
                sheet.write_blank(number, column, None, style)
            else:
                sheet.write_number(number, column, value, style)
    sheet.freeze_panes(3, 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(2)
    book.close()
    return file.getvalue()
