"""Tables as files: what a spreadsheet program finds in them, down to the raw parts; no text is ever a formula."""

from __future__ import annotations

import csv
import re
from datetime import datetime, timedelta
from io import BytesIO, StringIO
from posixpath import dirname, join, normpath
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest

from app.now import SHANGHAI
from app.web import sheets

MADE_AT = datetime(2026, 11, 22, 1, 3, 20, tzinfo=SHANGHAI)
WHEN = datetime(2026, 11, 21, 16, 30, 5)
WICKED = [
    '=HYPERLINK("https://example.org","点我")',
    *("+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠a", " =1+1", "\u3000=1+1", "\xa0@a"),
]
TAME = ["张三丰", "甲；=1", 'a "b", c', "007", "1-2", "<b>&", "O'Neil"]
NAMES = {
    "": "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "t": "http://schemas.openxmlformats.org/package/2006/content-types",
    "r": "http://schemas.openxmlformats.org/package/2006/relationships",
    "c": "http://purl.org/dc/terms/",
}
HEAD = ["部门", "按时办结率（%）", "办结", "时间", "空"]


class Book:
    """An XLSX as its parts."""

    def __init__(self, content: bytes) -> None:
        self.zip = ZipFile(BytesIO(content))
        self.parts = set(self.zip.namelist())
        self.sheet = self.part("xl/worksheets/sheet1.xml")
        self.texts = [
            "".join(text.text or "" for text in each.iter(f"{{{NAMES['']}}}t")).replace("_x000D_", "\r")
            for each in self.part("xl/sharedStrings.xml").findall("si", NAMES)
        ]
        styles = self.part("xl/styles.xml")
        own = {row.get("numFmtId"): row.get("formatCode") for row in styles.iterfind("numFmts/numFmt", NAMES)}
        known = {"0": "General", "3": "#,##0", "49": "@"}
        self.formats = [(known | own)[row.get("numFmtId", "0")] for row in styles.iterfind("cellXfs/xf", NAMES)]

    def part(self, name: str) -> ElementTree.Element:
        return ElementTree.fromstring(self.zip.read(name))

    def cell(self, at: str) -> tuple[str | None, str | None, str]:
        """The kind of a cell, what it holds, how it is shown."""
        (found,) = (cell for cell in self.sheet.iterfind("sheetData/row/c", NAMES) if cell.get("r") == at)
        assert found.get("t") in (None, "s"), "neither a text of its own nor the result of a formula"
        value = found.findtext("v", namespaces=NAMES)
        text = self.texts[int(value or "")] if found.get("t") == "s" else value
        return found.get("t"), text, self.formats[int(found.get("s", "0"))]


def book(rows: list[list[sheets.Value]], title: str = "台账", head: list[str] | None = None, **more: bool) -> Book:
    return Book(sheets.xlsx_of(title, head or HEAD, rows, made_at=MADE_AT, **more))


def test_every_part_of_a_sheet_has_its_kind_and_every_relation_its_part() -> None:
    made = book([["甲", 98.7, 3, WHEN, None]])
    kinds = made.part("[Content_Types].xml")
    named = {row.get("PartName"): row.get("ContentType") for row in kinds.iterfind("t:Override", NAMES)}
    endings = {row.get("Extension") for row in kinds.iterfind("t:Default", NAMES)}
    assert {name.removeprefix("/") for name in named} <= made.parts
    others = made.parts - {"[Content_Types].xml"}
    assert all(f"/{name}" in named or name.rsplit(".")[-1] in endings - {"xml"} for name in others)
    office = "application/vnd.openxmlformats-officedocument.spreadsheetml."
    assert named["/xl/workbook.xml"] == f"{office}sheet.main+xml"
    assert named["/xl/worksheets/sheet1.xml"] == f"{office}worksheet+xml"
    assert f"{office}sheet" == sheets.XLSX_TYPE
    for name in (name for name in made.parts if name.endswith(".rels")):
        for relation in made.part(name).iterfind("r:Relationship", NAMES):
            assert relation.get("TargetMode") is None  # nothing is fetched from elsewhere
            assert normpath(join(dirname(dirname(name)), relation.get("Target", ""))) in made.parts


@pytest.mark.parametrize("text", [*WICKED, *TAME])
def test_a_text_is_a_text_whatever_it_begins_with(text: str) -> None:
    made = book([[text, 1.5, 1, WHEN, text]], title=text, head=[text] * 5, sums=True)
    for at in ("A1", "A3", "A4", "E4"):
        assert made.cell(at)[:2] == ("s", text), at
    assert [made.cell(at)[2] for at in ("A1", "A4", "E4")] == ["@"] * 3  # and stays one when somebody edits it
    raw = made.zip.read("xl/worksheets/sheet1.xml").decode()
    assert not re.search(r"<f\b|<hyperlink|inlineStr|t=\"str\"", raw)
    assert not {name for name in made.parts if "external" in name.lower() or "vba" in name.lower()}

    line = sheets.csv_of([text], [[text, -5, -1.5, None]]).decode("utf-8-sig")
    expected = f"'{text}" if text in WICKED else text
    assert list(csv.reader(StringIO(line, newline=""))) == [[expected], [expected, "-5", "-1.5", ""]]
    assert "-5,-1.5," in line  # numbers stay numbers


def test_no_mark_between_columns_lets_the_rest_of_a_text_out() -> None:
    raw = sheets.csv_of(["甲"], [["乙;=1+1"], ["丙\t=1+1"], ['丁",=1+1']]).decode("utf-8-sig")
    for mark in ",;\t":
        for row in csv.reader(StringIO(raw, newline=""), delimiter=mark):
            assert len(row) == 1 and not row[0].startswith("="), mark


def test_numbers_and_times_are_what_they_are_and_can_be_reckoned_with() -> None:
    made = book([["甲", 98.7, 12345, WHEN, None], ["合计", 100.0, 7, WHEN, None]], sums=True)
    assert made.cell("B4") == (None, "98.7", "0.0#") and made.cell("B5") == (None, "100", "0.0#")
    assert made.cell("C4") == (None, "12345", "#,##0")
    kind, days, shown = made.cell("D4")
    assert (kind, shown) == (None, "yyyy-mm-dd hh:mm:ss")
    assert float(days or "") == pytest.approx((WHEN - datetime(1899, 12, 30)) / timedelta(days=1))
    assert made.cell("E4")[:2] == (None, None)  # nothing is not a nought
    assert made.cell("A2")[2] == "yyyy-mm-dd hh:mm"
    raw = sheets.csv_of(HEAD, [["甲", 98.7, 3, WHEN, None]])
    assert raw.startswith(b"\xef\xbb\xbf") and raw.count(b"\xef\xbb\xbf") == 1  # so that Excel reads it as UTF-8
    assert raw.decode("utf-8-sig").splitlines()[1] == '"甲",98.7,3,"2026-11-21 16:30:05",""'


def test_the_file_says_when_it_was_made_in_universal_time() -> None:
    core = book([]).part("docProps/core.xml")
    assert core.findtext("c:created", namespaces=NAMES) == "2026-11-21T17:03:20Z"
    days = float(book([]).cell("A2")[1] or "")  # on the sheet stands the time of the hall
    assert days == pytest.approx((datetime(2026, 11, 22, 1, 3) - datetime(1899, 12, 30)) / timedelta(days=1))


def test_the_head_stays_and_chinese_fits_its_column() -> None:
    made = book([["国家税务总局广安区税务局第一分局", 98.7, 3, WHEN, None], ["甲" * 60, None, None, None, None]])
    pane = made.sheet.find("sheetViews/sheetView/pane", NAMES)
    assert pane is not None and pane.get("state") == "frozen" and (pane.get("xSplit"), pane.get("ySplit")) == ("1", "3")
    assert "$3:$3" in made.zip.read("xl/workbook.xml").decode()  # and is printed on every page
    widths = {
        number: float(column.get("width", "0"))
        for column in made.sheet.iterfind("cols/col", NAMES)
        for number in range(int(column.get("min", "0")), int(column.get("max", "0")) + 1)
    }
    assert 34 <= widths[1] < 42 and widths[4] >= 19  # sixteen characters fit, sixty go on below
    assert 9 <= widths[2] < 14 and widths[3] < 14  # a long head takes two lines


def test_a_sheet_has_a_name_that_programs_take() -> None:
    made = book([["b"]], title="大厅：全部 [a/b] 2026年11月", head=["a"])
    assert '<sheet name="大厅：全部  a b  2026年11月"' in made.zip.read("xl/workbook.xml").decode()
