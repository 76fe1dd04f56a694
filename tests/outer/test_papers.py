"""Every kind of paper: its words, its copies, names that would be markup, long lists, and only what must be told."""

from __future__ import annotations

import os
import re
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from app.hall.rules.calendar import WorkCalendar
from app.hall.rules.clock import Limit, Pause, Unit
from app.hall.rules.hours import OpeningHours, Schedule
from app.hall.rules.ledger import explain
from app.notices import paper
from app.notices.registry import NOTICES
from app.now import SHANGHAI
from tests.outer.papers import FACES, OWN, SLIP, first_copy, pages, squeeze, text_of, told

GOLDEN = Path(__file__).with_name("golden")
EVIL = '欧阳𠮷<img src="file:///etc/hostname"/>&amp;%s{0}'
LISTS = {"receipt": "materials", "tolerant_acceptance": "gaps", "manifest": "entries"}  # made twenty lines long
# What is not free text: codes of lists, numbers of the paper itself, addresses.
CODES = {"outcome", "of", "cause", "mode", "unit", "why", "date", "clock", "defect", "ground", "qr_url", "number"}


def golden(name: str, text: str) -> str:
    """The words kept in tests/outer/golden; GOLDEN=write keeps new ones."""
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(text)
    return file.read_text()


@pytest.mark.parametrize(("face", "language"), [*((face, "zh") for face in FACES), *((kind, "en") for kind in NOTICES)])
def test_the_words_of_a_paper(face: str, language: str):
    copies = 1 if language == "en" else len(NOTICES[FACES[face][0]].copies)
    every = text_of(face, language)
    text = "\n".join(line.strip() for page in every[: len(every) // copies] for line in page.splitlines()) + "\n"
    assert "None" not in text
    assert squeeze(text) == squeeze(golden(f"{face}.{language}", text))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_words_of_a_slip(language: str):
    text = "\n".join(pages(paper.render("slip", {**SLIP, "language": language}))) + "\n"
    assert squeeze(text) == squeeze(golden(f"slip.{language}", text))


@pytest.mark.parametrize("kind", [*NOTICES])
def test_every_copy_is_marked_has_its_own_pages_and_says_the_same(kind: str):
    every, marks = text_of(kind), [zh for zh, _ in NOTICES[kind].copies]
    each = len(every) // len(marks)
    copies = [[squeeze(page) for page in every[n * each : (n + 1) * each]] for n in range(len(marks))]
    for copy, mark in zip(copies, marks, strict=True):
        assert all(squeeze(mark) in page for page in copy)
        assert [f"第{n}页，共{each}页" in page for n, page in enumerate(copy, 1)] == [True] * each
    said = [[page.replace(squeeze(mark), "") for page in copy] for copy, mark in zip(copies, marks, strict=True)]
    assert all(copy == said[0] for copy in said)


def test_every_paper_names_its_hall_number_case_and_place_of_the_seal():
    for kind, notice in NOTICES.items():
        text = squeeze("".join(text_of(kind)))
        for expected in ("洛龙区政务服务中心", f"{notice.letter}字〔2026〕第12号", "LL20260302-0007", "（印章）"):
            assert expected in text, (kind, expected)
        assert "0379-12345" in text and squeeze(notice.title(told(kind))[0]) in text, kind


SEVEN = [
    {"name": name, "form": form, "copies": copies, "state": "received"}
    for name, form, copies in (
        ("教师资格认定申请表", "original", 2),
        ("申请人居民身份证", "copy", 1),
        ("学历证书", "copy", 1),
        ("教师资格考试合格证明", "copy", 1),
        ("普通话水平测试等级证书", "copy", 1),
        ("体格检查证明", "original", 1),
        ("近期免冠照片", "original", 2),
    )
]
LAWS = ["《中华人民共和国教师法》第十条", "《中华人民共和国教师法》第十三条", "《教师资格条例》第十五条"]


def test_an_acceptance_of_seven_papers_is_one_sheet():
    facts = told("acceptance", materials=SEVEN, legal_basis=LAWS, special=None)
    assert len(first_copy("acceptance", paper.render("acceptance", facts))) == 1


@pytest.mark.parametrize("laws", range(1, 12))
def test_no_heading_is_left_at_the_foot_of_a_sheet(laws: int):
    facts = told("acceptance", materials=SEVEN, legal_basis=[LAWS[0]] * laws, special=None)
    first = first_copy("acceptance", paper.render("acceptance", facts, language="en"))[0]
    text = squeeze(first)
    assert not text.endswith(("Aboutthelimits", "Legalbasis", "Materials")), text[-80:]


def test_each_kind_has_its_own_letter():
    assert len({notice.letter for notice in NOTICES.values()}) == len(NOTICES) == len(OWN)


def test_a_paper_for_other_eyes_leads_nowhere_and_a_public_one_names_nobody():
    for kind in ("overdue", "courier", "manifest"):
        text = squeeze("".join(text_of(kind) + text_of(kind, "en")))
        assert "7KQ4M2XD" not in text and "Scantofollow" not in text, kind
    public = squeeze("".join(text_of("overdue") + text_of("overdue", "en")))
    assert not [each for each in ("张三", "李四", "王五", "4****************X", "W03") if each in public]


# ── text that would be something else ─────────────────────────────────────────────────────────────────────────


def poisoned(value: Any, kind: str, key: str = "") -> Any:
    """The same facts with every free text replaced by EVIL, and some lists by twenty of them."""
    if isinstance(value, dict):
        return {inner: poisoned(each, kind, inner) for inner, each in value.items()}
    if isinstance(value, list):
        many = (value * 20)[:20] if kind in LISTS and key == LISTS[kind] else value
        return [poisoned(each, kind, key) for each in many]
    code = key in CODES or key.endswith(("_at", "_on")) or (kind == "agency" and key == "form")
    return EVIL if isinstance(value, str) and not code else value


def test_markup_is_only_text_opens_nothing_and_runs_over_pages_in_order():
    opened: list[str] = []
    watching = [True]
    sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" and watching[0] else None)
    papers = {kind: paper.render(kind, poisoned(told(kind), kind)) for kind in NOTICES}
    watching[0] = False
    assert not [path for path in opened if "etc" in path or "hostname" in path]
    for kind, pdf in papers.items():
        every = [squeeze(page) for page in first_copy(kind, pdf)]
        text = "".join(every)
        assert text.count(squeeze(EVIL)) >= 5 and "张三" not in text, kind
        if kind in LISTS:
            found = [text.index(f"{n}{squeeze(EVIL)}") for n in range(1, 21)]
            assert found == sorted(found) and len(every) > 1, kind
        with_seal = [page for page in every if "（印章）" in page]
        assert len(with_seal) == 1 and len(with_seal[0]) > 120, kind  # never alone on a sheet


def test_a_paper_needs_only_what_its_contract_asks_for():
    bare = {"hall_name": "大厅", "case_number": "N1", "item_name": "事项", "applicant_name": "赵六"}
    for kind, notice in NOTICES.items():
        full = told(kind)
        needed = {*notice.contract.__required_keys__, *(notice.also(full) if notice.also else ())}
        facts = {
            key: value for key, value in {**full, **bare}.items() if key in needed or key in ("number", "issued_at")
        }
        text = squeeze("".join(first_copy(kind, paper.render(kind, facts, language="en"))))
        assert "None" not in text and "（）" not in text and "“”" not in text, kind
        assert not re.search(r"代办人Agent|承诺时限Promisedlimit(?!1)", text) or kind in (
            "deadline_change",
            "ledger",
            "overdue",
        ), kind
        for key in needed:
            with pytest.raises(ValueError, match=key):
                notice.check({**facts, key: None})


def test_what_the_clock_explains_is_what_the_ledger_prints():
    holiday = {date(2026, 3, 5): "假"}
    calendar = WorkCalendar.of(holiday, {date(2026, 3, 7): "班"}, {2026: "通知"})
    schedule = Schedule(calendar, OpeningHours.parse("08:30-12:00 13:30-18:00"), SHANGHAI)
    begin, stop, back = (datetime(2026, 3, day, 10, tzinfo=SHANGHAI) for day in (2, 3, 4))
    ledgers = [
        {
            "clock": "statutory",
            "unit": unit.value,
            "limit": limit_text,
            "rows": [row.to_dict() for row in explain(begin, Limit(amount, unit), [Pause(stop, back)], schedule)],
        }
        for unit, amount, limit_text in ((Unit.WD, 40, "40 个工作日"), (Unit.WH, 12, "12 个工作小时"))
    ]
    every = first_copy("ledger", paper.render("ledger", told("ledger", ledgers=ledgers), language="en"))
    text = squeeze("".join(every))
    assert len(every) > 2 and all("日期Date" in squeeze(page) for page in every[:-1])
    assert len(ledgers[0]["rows"]) > 50
    for expected in (
        "2026年3月5日5Mar2026周四Thu",
        "2026年3月7日7Mar2026周六Sat",
        "停止计算stopped",
        "起算日，不计入day0",
    ):
        assert expected in text
    assert text.count("届满日") == text.count("lastday") == 2 and "40日" in text and "12小时" in text
