"""The item file: reads a published catalogue from CSV bytes and reports every line that cannot be read."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

COLUMNS = ("department", "parent_item", "item_name", "implementation_code", "task_type", "area_code")


class TaskType(StrEnum):
    """National type code of a power or service that is exercised on application (依申请六类 and 公共服务).

    Punishment, coercion, levies and inspections (2, 3, 4, 6) start from the authority, never at a window.
    """

    LICENSING = "1"  # 行政许可
    PAYMENT = "5"  # 行政给付
    CONFIRMATION = "7"  # 行政确认
    REWARD = "8"  # 行政奖励
    ADJUDICATION = "9"  # 行政裁决
    OTHER_POWER = "10"  # 其他行政权力
    PUBLIC_SERVICE = "20"  # 公共服务


class Reason(StrEnum):
    """Why a line cannot be read. `SENTENCES` says it in words."""

    EMPTY_FILE = "empty_file"
    HEADER = "header"
    NO_ROWS = "no_rows"
    ENCODING = "encoding"
    CONTROL_CHARACTER = "control_character"
    QUOTING = "quoting"
    COLUMN_COUNT = "column_count"
    EMPTY_DEPARTMENT = "empty_department"
    EMPTY_NAME = "empty_name"
    EMPTY_CODE = "empty_code"
    TOO_LONG = "too_long"
    CODE_SHAPE = "code_shape"
    DUPLICATE_CODE = "duplicate_code"
    TASK_TYPE = "task_type"
    AREA_CODE = "area_code"


SENTENCES: dict[Reason, tuple[str, str]] = {
    Reason.EMPTY_FILE: ("文件没有内容", "the file is empty"),
    Reason.HEADER: ("表头不是规定的六列", "the header does not name the six columns"),
    Reason.NO_ROWS: ("只有表头，没有事项", "there is a header and no item"),
    Reason.ENCODING: ("不是 UTF-8 编码，或已有乱码", "not UTF-8, or already garbled"),
    Reason.CONTROL_CHARACTER: ("含有控制字符或不可见字符", "holds a control or invisible character"),
    Reason.QUOTING: ("引号不成对，或单元格内有换行", "unbalanced quotes, or a line break in a cell"),
    Reason.COLUMN_COUNT: ("列数不对", "wrong number of columns"),
    Reason.EMPTY_DEPARTMENT: ("部门为空", "no department"),
    Reason.EMPTY_NAME: ("事项名称为空", "no item name"),
    Reason.EMPTY_CODE: ("实施编码为空", "no implementation code"),
    Reason.TOO_LONG: ("内容过长", "too long"),
    Reason.CODE_SHAPE: ("实施编码的写法不对", "not the shape of an implementation code"),
    Reason.DUPLICATE_CODE: (
        "实施编码与前面的行重复",
        "the implementation code stands on an earlier line too",
    ),
    Reason.TASK_TYPE: ("事项类型不在依申请事项的代码表内", "not a type of item that is done on application"),
    Reason.AREA_CODE: ("行政区划代码不是十二位有效代码", "not a twelve-digit area code"),
}
"""What is said of each reason, in Chinese and in English."""


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One service item as published. `row` is the line of the file, the header being line 1."""

    row: int
    department: str
    parent_item: str
    item_name: str
    implementation_code: str
    task_type: TaskType
    area_code: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why one line cannot be read; a line may have several. `first_row`: the earlier duplicate."""

    row: int
    reason: Reason
    column: str = ""
    value: str = ""
    first_row: int | None = None


LONGEST = {"department": 60, "parent_item": 300, "item_name": 300, "implementation_code": 80}
"""Most characters a cell may hold."""

LONGEST_LINE = 4000
"""Most bytes a line may hold; the longest honest one is far below a thousand."""

SHOWN = 60
"""Characters of a wrong value that a report repeats."""

PROVINCES = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|81|82")
"""First two digits of an area code (GB/T 2260)."""

CODE = re.compile(r"[0-9A-Za-z]+(-[0-9A-Za-z]+)+")
AREA = re.compile(r"[0-9]{12}")
UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp"})
"""Unicode categories with no glyph: they would break tickets, screens and file names, or hide text."""

BLANK = " \t\u3000\u00a0"
EMPTY_REASONS = {
    "department": Reason.EMPTY_DEPARTMENT,
    "item_name": Reason.EMPTY_NAME,
    "implementation_code": Reason.EMPTY_CODE,
}


def read_items(data: bytes) -> tuple[list[ItemRow], list[Problem]]:
    """The items of a UTF-8 CSV file (BOM or not) and the problems of all its other lines, in file order.

    A line stands by itself: no cell may hold a line break, so one open quote spoils one line and not the
    rest. Blank lines are passed over. A line with any problem yields no item. Of several lines with one
    implementation code (letter case aside) the first may be read; every later one is a problem.
    """
    lines = list(_lines(data))
    if not lines:
        return [], [Problem(1, Reason.EMPTY_FILE)]
    header_row, header = lines[0]
    names, problem = _cells(header_row, header)
    if problem is None and tuple(sorted(names)) != tuple(sorted(COLUMNS)):
        problem = Problem(header_row, Reason.HEADER, value=_shown(",".join(names)))
    if problem is not None:
        return [], [problem]
    if len(lines) == 1:
        return [], [Problem(header_row, Reason.NO_ROWS)]

    rows: list[ItemRow] = []
    problems: list[Problem] = []
    first_rows: dict[str, int] = {}
    for row, line in lines[1:]:
        cells, problem = _cells(row, line)
        if problem is None and len(cells) != len(names):
            problem = Problem(row, Reason.COLUMN_COUNT, value=str(len(cells)))
        if problem is not None:
            problems.append(problem)
            continue
        record = dict(zip(names, cells, strict=True))
        found = list(_record_problems(row, record))
        code = record["implementation_code"]
        if code:
            first_row = first_rows.setdefault(code.casefold(), row)
            if first_row != row:
                found.append(
                    Problem(row, Reason.DUPLICATE_CODE, "implementation_code", _shown(code), first_row=first_row)
                )
        if found:
            problems.extend(found)
        else:
            task_type = TaskType(record.pop("task_type"))
            rows.append(ItemRow(row=row, task_type=task_type, **record))
    return rows, problems


def _lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Line numbers from 1 and the bytes of every line that is not blank."""
    for row, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        line = line.removesuffix(b"\r")
        if line.strip():
            yield row, line


def _cells(row: int, line: bytes) -> tuple[list[str], Problem | None]:
    """The trimmed cells of one line, or the problem that keeps it from being split."""
    if len(line) > LONGEST_LINE:
        return [], Problem(row, Reason.TOO_LONG, value=str(len(line)))
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        return [], Problem(row, Reason.ENCODING, value=line[error.start : error.start + 8].hex(" "))
    if "\ufffd" in text:
        return [], Problem(row, Reason.ENCODING, value=_shown(text))
    for character in text:
        if unicodedata.category(character) in UNSEEN and character != "\t":
            return [], Problem(row, Reason.CONTROL_CHARACTER, value=f"U+{ord(character):04X}")
    try:
        cells = next(csv.reader([text], strict=True))
    except csv.Error:
        return [], Problem(row, Reason.QUOTING, value=_shown(text))
    cells = [cell.strip(BLANK) for cell in cells]
    if any("\t" in cell for cell in cells):
        return [], Problem(row, Reason.CONTROL_CHARACTER, value="U+0009")
    return cells, None


def _record_problems(row: int, record: dict[str, str]) -> Iterator[Problem]:
    for column, reason in EMPTY_REASONS.items():
        if not record[column]:
            yield Problem(row, reason, column)
    for column, longest in LONGEST.items():
        if len(record[column]) > longest:
            yield Problem(row, Reason.TOO_LONG, column, _shown(record[column]))
    code = record["implementation_code"]
    if code and not CODE.fullmatch(code):
        yield Problem(row, Reason.CODE_SHAPE, "implementation_code", _shown(code))
    if record["task_type"] not in TaskType.__members__.values():
        yield Problem(row, Reason.TASK_TYPE, "task_type", _shown(record["task_type"]))
    area = record["area_code"]
    if not AREA.fullmatch(area) or not PROVINCES.match(area):
        yield Problem(row, Reason.AREA_CODE, "area_code", _shown(area))


def _shown(value: str) -> str:
    return value if len(value) <= SHOWN else value[: SHOWN - 1] + "…"
