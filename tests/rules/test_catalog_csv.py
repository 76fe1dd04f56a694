"""The item file: the published one is read whole; of a bad one every line is reported, with its reasons."""

from __future__ import annotations

import csv
import io
from collections import Counter
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app.catalog
from app.catalog.rules.csvfile import (
    COLUMNS,
    LONGEST,
    LONGEST_LINE,
    SENTENCES,
    ItemRow,
    Problem,
    Reason,
    TaskType,
    read_items,
)

PUBLISHED = (Path(app.catalog.__file__).parent / "data" / "service-items.csv").read_bytes()
HEADER = ",".join(COLUMNS)
GOOD = "区水务局,,河道采砂许可,511A01-511602000000-000-1-1-00,1,511602000000"


NUMBERS = count(1)


def line(**cells: str) -> str:
    """A good line with a code of its own, and with other cells."""
    record = dict(zip(COLUMNS, GOOD.split(","), strict=True))
    return ",".join((record | {"implementation_code": f"511B{next(NUMBERS)}-1"} | cells).values())


def read(*lines: str) -> tuple[list[ItemRow], list[Problem]]:
    return read_items("\n".join((HEADER, *lines, "")).encode())


# ── the published catalogue ─────────────────────────────────────────────────────────────────────────────


def test_the_published_file_is_read_whole() -> None:
    rows, problems = read_items(PUBLISHED)
    assert problems == []
    assert len(rows) == 1135
    assert len({row.department for row in rows}) == 34
    assert len({row.implementation_code for row in rows}) == 1135
    assert Counter(row.task_type.value for row in rows) == {
        "1": 536, "20": 348, "10": 182, "7": 50, "5": 9, "9": 8, "8": 2,
    }  # fmt: skip


def test_names_stay_as_published() -> None:
    rows, _ = read_items(PUBLISHED)
    published = list(csv.DictReader(io.StringIO(PUBLISHED.decode(), newline="")))
    assert [tuple(getattr(row, column) for column in COLUMNS) for row in rows] == [
        tuple(record[column] for column in COLUMNS) for record in published
    ]
    assert max(len(row.item_name) for row in rows) == 110
    names = Counter(row.item_name for row in rows)
    assert {name: names[name] for name in ("求职创业补贴申领", "城市建筑物、设施上张挂、张贴宣传品审批")} == {
        "求职创业补贴申领": 2,
        "城市建筑物、设施上张挂、张贴宣传品审批": 2,
    }


def test_rows_are_lines_of_the_file() -> None:
    rows, _ = read_items(PUBLISHED)
    lines = PUBLISHED.decode().split("\n")
    assert [row.row for row in rows] == list(range(2, 1137))
    assert all(row.implementation_code in lines[row.row - 1] for row in rows)


# ── bad lines ───────────────────────────────────────────────────────────────────────────────────────────

BAD_LINES = [
    (Reason.CONTROL_CHARACTER, line(item_name="河道\x07采砂")),
    (Reason.CONTROL_CHARACTER, line(item_name="河道\u202e采砂")),
    (Reason.CONTROL_CHARACTER, line(item_name="河道\u200b采砂")),
    (Reason.CONTROL_CHARACTER, line(item_name="河道\t采砂")),
    (Reason.CONTROL_CHARACTER, line(item_name="河道\r采砂")),
    (Reason.ENCODING, line(item_name="河道\ufffd采砂")),
    (Reason.QUOTING, line(item_name='"河道采砂')),
    (Reason.QUOTING, line(item_name='"河道"采砂')),
    (Reason.COLUMN_COUNT, line() + ","),
    (Reason.COLUMN_COUNT, line().rsplit(",", 1)[0]),
    (Reason.COLUMN_COUNT, "河道采砂"),
    (Reason.EMPTY_DEPARTMENT, line(department=" ")),
    (Reason.EMPTY_NAME, line(item_name="")),
    (Reason.EMPTY_NAME, line(item_name="\u3000 ")),
    (Reason.EMPTY_CODE, line(implementation_code="")),
    (Reason.TOO_LONG, line(item_name="采" * (LONGEST["item_name"] + 1))),
    (Reason.TOO_LONG, "采" * LONGEST_LINE),
    (Reason.CODE_SHAPE, line(implementation_code="511A01 511602")),
    (Reason.CODE_SHAPE, line(implementation_code="511A01")),
    (Reason.CODE_SHAPE, line(implementation_code="511A01-../etc")),
    (Reason.CODE_SHAPE, line(implementation_code="５１１-1")),
    (Reason.TASK_TYPE, line(task_type="")),
    (Reason.TASK_TYPE, line(task_type="2")),
    (Reason.TASK_TYPE, line(task_type="01")),
    (Reason.TASK_TYPE, line(task_type="１")),
    (Reason.AREA_CODE, line(area_code="")),
    (Reason.AREA_CODE, line(area_code="511602")),
    (Reason.AREA_CODE, line(area_code="991602000000")),
    (Reason.AREA_CODE, line(area_code="5116020000００")),
]


@pytest.mark.parametrize(("reason", "bad"), BAD_LINES)
def test_a_bad_line_is_reported_and_the_others_are_read(reason: Reason, bad: str) -> None:
    rows, problems = read(GOOD, bad, line())
    assert [(problem.row, problem.reason) for problem in problems] == [(3, reason)]
    assert [row.row for row in rows] == [2, 4]


@pytest.mark.parametrize(
    ("reason", "data"),
    [
        (Reason.EMPTY_FILE, b""),
        (Reason.EMPTY_FILE, b"\xef\xbb\xbf\r\n \n"),
        (Reason.NO_ROWS, HEADER.encode()),
        (Reason.HEADER, f"{HEADER},fee\n{GOOD}".encode()),
        (Reason.HEADER, f"部门,主项,名称,编码,类型,区划\n{GOOD}".encode()),
        (Reason.HEADER, GOOD.encode()),
        (Reason.ENCODING, f"{HEADER}\n{GOOD}".encode("utf-16")),
        (Reason.CONTROL_CHARACTER, f"{HEADER}\r{GOOD}\r".encode()),
    ],
)
def test_a_file_that_is_no_catalogue_is_one_problem(reason: Reason, data: bytes) -> None:
    rows, problems = read_items(data)
    assert rows == []
    assert [problem.reason for problem in problems] == [reason]


def test_every_reason_is_said_in_two_tongues() -> None:
    assert set(SENTENCES) == set(Reason)
    assert all(zh and en and en.isascii() and not zh.isascii() for zh, en in SENTENCES.values())


def test_all_bad_lines_are_reported_at_once() -> None:
    bad = [text for _, text in BAD_LINES]
    rows, problems = read(*bad)
    assert rows == []
    assert [problem.row for problem in problems] == list(range(2, len(bad) + 2))
    assert [problem.reason for problem in problems] == [reason for reason, _ in BAD_LINES]


def test_a_line_tells_all_its_problems() -> None:
    _, problems = read("区水务局,,,坏 码,3,1")
    assert [(problem.reason, problem.column) for problem in problems] == [
        (Reason.EMPTY_NAME, "item_name"),
        (Reason.CODE_SHAPE, "implementation_code"),
        (Reason.TASK_TYPE, "task_type"),
        (Reason.AREA_CODE, "area_code"),
    ]
    assert problems[1].value == "坏 码"


def test_of_lines_with_one_code_the_first_is_read() -> None:
    rows, problems = read(GOOD, GOOD, line(implementation_code="511a01-511602000000-000-1-1-00"))
    assert [row.row for row in rows] == [2]
    assert [(problem.row, problem.reason, problem.first_row) for problem in problems] == [
        (3, Reason.DUPLICATE_CODE, 2),
        (4, Reason.DUPLICATE_CODE, 2),
    ]


def test_a_bad_first_line_does_not_hide_its_duplicate() -> None:
    rows, problems = read(GOOD.replace("河道采砂许可", ""), GOOD)
    assert rows == []
    assert [problem.reason for problem in problems] == [Reason.EMPTY_NAME, Reason.DUPLICATE_CODE]


def test_an_open_quote_spoils_one_line_only() -> None:
    rows, problems = read(line(item_name='"河道'), GOOD, line(item_name='"甲,乙"'))
    assert [(problem.row, problem.reason) for problem in problems] == [(2, Reason.QUOTING)]
    assert [row.item_name for row in rows] == ["河道采砂许可", "甲,乙"]


def test_a_gb18030_file_reports_every_line() -> None:
    rows, problems = read_items("\n".join((HEADER, GOOD, GOOD, GOOD)).encode("gb18030"))
    assert rows == []
    assert [(problem.row, problem.reason) for problem in problems] == [(row, Reason.ENCODING) for row in (2, 3, 4)]


def test_bom_crlf_blank_lines_outer_space_and_other_column_order() -> None:
    cells = GOOD.split(",")
    padded = ",".join(" " + cell + "\u3000" for cell in reversed(cells))
    text = "\r\n".join((",".join(reversed(COLUMNS)), "", padded, "", ""))
    rows, problems = read_items(b"\xef\xbb\xbf" + text.encode())
    assert problems == []
    assert rows == [ItemRow(3, *cells[:4], TaskType.LICENSING, cells[5])]


def test_a_long_value_is_shown_short() -> None:
    _, problems = read(line(item_name="采" * 301))
    assert len(problems[0].value) == 60


# ── any file at all ─────────────────────────────────────────────────────────────────────────────────────

NAME = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=40)


@given(st.lists(st.tuples(NAME, st.one_of(st.just(""), NAME), NAME, st.sampled_from(TaskType)), min_size=1, max_size=8))
def test_what_a_spreadsheet_writes_is_read_back(items: list[tuple[str, str, str, TaskType]]) -> None:
    items = [item for item in items if "\ufffd" not in "".join(item)]
    written = [(*names, f"5{place}-1", kind.value, "511602000000") for place, (*names, kind) in enumerate(items)]
    file = io.StringIO(newline="")
    csv.writer(file).writerows([COLUMNS, *written])
    rows, problems = read_items(file.getvalue().encode())
    assert [tuple(getattr(row, column) for column in COLUMNS) for row in rows] == written
    assert not [problem for problem in problems if problem.reason is not Reason.NO_ROWS]


@given(st.lists(st.one_of(st.just(GOOD.encode()), st.binary(max_size=80)), max_size=12))
def test_every_line_is_either_read_or_reported(lines: list[bytes]) -> None:
    file = b"\n".join((HEADER.encode(), *lines))
    rows, problems = read_items(file)
    filled = [row for row, text in enumerate(file.split(b"\n"), start=1) if text.strip()]
    if len(filled) == 1:
        assert [problem.reason for problem in problems] == [Reason.NO_ROWS]
    else:
        read_rows = [row.row for row in rows]
        bad_rows = {problem.row for problem in problems}
        assert sorted([*read_rows, *bad_rows]) == filled[1:]


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    rows, problems = read_items(data)
    assert rows or problems
