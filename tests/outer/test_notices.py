"""Papers: what cannot happen to them, that they never change, that no number is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdf
import pytest
from flask import Flask
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from hypothesis import given, settings
from hypothesis import strategies as st

import app.db as database
from app import eventlog, privacy
from app.action import action
from app.config import Settings
from app.errors import Refusal
from app.events import Actor, NoticeIssued
from app.notices import facts as contracts
from app.notices import paper, queries, typeface
from app.notices.issue import issue_notice
from app.notices.models import NoticeRow
from app.notices.remedies import remedy_on
from app.notices.typeface import printable
from tests.outer.papers import CASE, MATERIALS, OWN, SLIP, drawn, pages, squeeze, told, words

# ── what stands on them ───────────────────────────────────────────────────────────────────────────────────


def test_instants_are_printed_in_hall_time_and_days_as_they_are():
    text = words(drawn("acceptance"))
    assert "2026年3月2日09:52" in text  # given in UTC
    assert "5个工作日（至2026年3月9日）" in text and "15个工作日（至2026年3月23日）" in text


def test_no_date_is_promised_while_the_calendar_is_unknown():
    text = words(paper.render("acceptance", told("acceptance", provisional=True, promised_due_on=None)))
    assert text.count("（届满日期以公布为准）") == 2
    assert "2026年3月9日" not in text and "2026年3月23日" not in text


def test_a_supplement_lists_what_is_wrong_and_nothing_else():
    text = words(drawn("supplement"))
    assert "缺少全体股东签字" in text and "共2项" in text and "【不齐全】" in text and "【不符合法定形式】" in text
    assert "公司登记（备案）申请书" not in text and "2026年4月1日前" in text


def test_decisions():
    refused = words(drawn("decision"))
    assert "不予行政许可决定书" in refused and "六十日内" in refused and "六个月内" in refused
    assert "1.住所不符合条件。" in refused and "市场监督管理局2026年3月2日" in refused
    granted = words(drawn("decision-granted"))
    assert "准予办理决定书" in granted and "行政复议" not in granted


def test_remedies_are_those_in_force_on_the_day_of_the_paper():
    assert "第九条" in remedy_on(date(2023, 12, 31)).zh() and "第二十条" in remedy_on(date(2024, 1, 1)).zh()
    assert "六十日内" in remedy_on(date(2023, 12, 31)).zh() and "六个月内" in remedy_on(date(2015, 5, 1)).zh()
    with pytest.raises(ValueError, match="no remedy"):
        remedy_on(date(2015, 4, 30))
    old = told("decision", issued_at="2023-12-29T09:00:00+08:00")
    assert "《中华人民共和国行政复议法》第九条" in words(paper.render("decision", old))
    named = words(paper.render("decision", told("decision", review_authority="洛龙区人民政府", court="洛龙区人民法院")))
    assert "向洛龙区人民政府申请" in named and "向洛龙区人民法院提起" in named


# ── what cannot happen to them ────────────────────────────────────────────────────────────────────────────

names = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1, max_size=60)


@settings(max_examples=15, deadline=None)
@given(names)
def test_the_text_of_a_paper_is_the_text_that_was_given(name: str):
    text = words(paper.render("receipt", told("receipt", applicant_name=name, materials=MATERIALS[:1])))
    assert squeeze(printable(name)) in text


@pytest.mark.parametrize(
    "name",
    ["很长的名字" * 700, "A" * 10_240, "（" * 3_400, "𠮷" * 2_560, "\n" * 10_240, "\u202e\x1b\x00"],
    ids=["han", "latin", "brackets", "rare", "newlines", "invisible"],
)
def test_a_monstrous_name_is_printed_not_crashed_on(name: str):
    material = [{"name": name, "problem": name, "state": name, "form": name}]
    facts = told("supplement", applicant_name=name, item_name=name, materials=material, agent_name=None)
    reader = pypdf.PdfReader(BytesIO(paper.render("supplement", facts)))
    assert squeeze(reader.pages[0].extract_text()).count(printable(name)[:30]) >= 1
    assert len(reader.pages) < 100


@pytest.mark.parametrize(
    ("text", "printed", "lines"),
    [
        ("张\x00三\x1b\x7f\x9b", "张三", "张三"),
        ("a\u202eb\u200bc\ufeff\u2066", "abc", "abc"),
        (" a\t\u00a0 b \n\n c \n", "a b c", "a b\nc"),
        ("\ud800x\ufffe", "x", "x"),
        ("e\u0301 葛\U000e0100", "é 葛", "é 葛"),
        ("𠮷·尔　🙂", "𠮷·尔　🙂", "𠮷·尔　🙂"),
    ],
)
def test_what_paper_can_bear(text: str, printed: str, lines: str):
    assert printable(text) == printed
    assert printable(text, lines=True) == lines


@pytest.mark.parametrize("kind", ["receipt", "tolerant_acceptance", "ledger", "slip"])
def test_the_same_facts_give_the_same_bytes(kind: str, monkeypatch: pytest.MonkeyPatch):
    facts = SLIP if kind == "slip" else told(kind)
    first = paper.render(kind, facts)
    monkeypatch.setenv("TZ", "America/New_York")
    assert paper.render(kind, dict(reversed(facts.items()))) == first
    changed = {**facts, ("queue_name_zh" if kind == "slip" else "item_name"): "另一事项"}
    assert paper.render(kind, changed) != first


def test_long_names_wrap_inside_the_sheet():
    long = "建设项目环境影响报告书（表）审批与取水许可、水土保持方案审批、洪水影响评价类审批合并办理" * 3
    boxes = []
    facts = told("acceptance", item_name=long[:110], applicant_name=long[:110])
    reader = pypdf.PdfReader(BytesIO(paper.render("acceptance", facts)))
    for page in reader.pages:
        page.extract_text(visitor_text=lambda text, cm, tm, font, size: boxes.append((text, tm[4] + cm[4])))
    assert all(0 <= x < 595 for text, x in boxes if text.strip())
    assert long[:110] in squeeze("".join(page.extract_text() for page in reader.pages[: len(reader.pages) // 2]))


def test_many_materials_run_over_pages_under_a_repeated_head():
    every = pages(paper.render("receipt", told("receipt", materials=MATERIALS * 30)))
    copy = every[: len(every) // 2]
    assert len(copy) > 2
    assert all("材料名称" in page for page in copy[:-1])
    text = squeeze("".join(copy))
    assert [n for n in range(1, 91) if f"{n}{MATERIALS[(n - 1) % 3]['name']}" not in text] == []
    assert "（印章）" in copy[-1] and len(squeeze(copy[-1])) > 120  # the seal is never alone on a sheet


# ── rare characters ───────────────────────────────────────────────────────────────────────────────────────


def square(side: int) -> Any:
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for point in ((0, side), (side, side), (side, 0)):
        pen.lineTo(point)
    pen.closePath()
    return pen.glyph()


def tiny_face(path: Path, name: str, characters: str) -> None:
    """A TrueType face in which every character is a square as wide as its place in the list."""
    order = [".notdef", *(f"g{n}" for n in range(len(characters)))]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap({ord(c): f"g{n}" for n, c in enumerate(characters)})
    builder.setupGlyf({glyph: square(400 + 10 * n) for n, glyph in enumerate(order)})
    builder.setupHorizontalMetrics({glyph: (500 + 10 * n, 0) for n, glyph in enumerate(order)})
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    builder.setupNameTable({"familyName": name, "styleName": "Regular", "psName": name})
    builder.setupOS2(sTypoAscender=880, sTypoDescender=-120, sCapHeight=700)
    builder.setupPost()
    builder.save(path)


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Faces that have 〓, 𠮷 and some letters, and nothing else; both files bear the same name."""
    for face in (typeface.REGULAR, typeface.BOLD):
        tiny_face(tmp_path / f"{face}.ttf", "Tiny", " 〓𠮷吉张0123456789：（）")
    monkeypatch.setattr(typeface, "FOLDER", tmp_path)
    monkeypatch.setattr(typeface, "RARE_FACES", ())
    return tmp_path


def test_a_rare_character_that_the_font_has_is_itself(tiny: Path):
    pdf = paper.render("receipt", told("receipt", applicant_name="张𠮷吉"))
    assert "张𠮷吉" in words(pdf) and "U+20BB7" not in words(pdf)
    case = typeface.load()
    glyphs = case.regular.face.charToGlyph
    assert glyphs[ord("𠮷")] not in (0, glyphs[ord("〓")], glyphs[ord("吉")])


def test_a_character_that_the_font_lacks_is_marked_noted_and_still_copies_as_itself(tiny: Path):
    text = words(paper.render("receipt", told("receipt", applicant_name="张𡈼𠮷")))
    assert "张𡈼𠮷" in text and "U+2123C" in text
    case = typeface.load()
    glyphs = case.regular.face.charToGlyph
    assert glyphs[ord("𡈼")] == glyphs[ord("〓")] != 0
    assert case.regular.width("𡈼", 10) == case.regular.width("〓", 10)
    assert case.missing("张𡈼𠮷 𡈼") == ["𡈼"]


def test_a_further_face_helps_out_where_it_is_installed(tiny: Path, monkeypatch: pytest.MonkeyPatch):
    tiny_face(tiny / "rare.ttf", "Rare", "𡈼")
    monkeypatch.setattr(typeface, "RARE_FACES", (tiny / "absent.ttf", tiny / "rare.ttf"))
    pdf = paper.render("receipt", told("receipt", applicant_name="张𡈼𠮷"))
    assert "张𡈼𠮷" in words(pdf) and "U+2123C" not in words(pdf)
    assert typeface.load().face("𡈼").fontName.startswith("RareHan-1")


def test_the_map_of_characters_is_utf_16():
    assert "<02> <D842DFB7>" in typeface.to_unicode([0, 0x5409, 0x20BB7])
    many = typeface.to_unicode(list(range(0x4E00, 0x4E00 + 250)))
    assert re.findall(r"(\d+) beginbfchar", many) == ["100", "100", "50"]


def test_fonts_are_embedded_and_no_other_is_named():
    reader = pypdf.PdfReader(BytesIO(paper.render("acceptance", told("acceptance"))))
    fonts = [font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()]
    assert fonts and all("/FontFile2" in font["/FontDescriptor"] for font in fonts)
    assert {font["/BaseFont"].split("+")[1][:14] for font in fonts} == {"NotoSansSC-Reg", "NotoSansSC-Bol"}


def test_a_missing_font_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(typeface, "FOLDER", tmp_path)
    with pytest.raises(typeface.FontMissing, match="make assets"):
        paper.render("receipt", told("receipt"))


# ── contracts ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("receipt", {"case_number": None}),
        ("receipt", {"materials": None}),
        ("receipt", {"materials": [{"form": "copy"}]}),
        ("receipt", {"colour": "blue"}),
        ("receipt", {"number": None}),
        ("receipt", {"qr_url": "https://" + "x" * 400}),
        ("receipt", {"legal_basis": "one text is not a list"}),
        ("acceptance", {"acceptance_number": ""}),
        ("decision", {"outcome": "perhaps"}),
        ("decision", {"reasons": None}),
        ("decision", {"legal_basis": []}),
        ("non_acceptance", {"reasons": []}),
        ("pickup", {"pickup_code": None}),
        ("withdrawal", {"deemed": True}),
        ("agency", {"form": "interruption"}),
        ("reminder", {"of": "collect", "ready_at": None}),
        ("fee", {"fees": [{"name": "登记费", "basis": "财税〔2016〕79号", "amount_fen": "80.00"}]}),
        ("special_procedure", {"days": True}),
        ("service", {"mode": "pigeon"}),
        ("joint_receipt", {"children": [{"item_name": "企业设立登记"}]}),
        ("manifest", {"entries": [{"name": "申请书", "sheets": 3}]}),
    ],
)
def test_a_paper_is_not_made_of_wrong_facts(kind: str, more: dict[str, Any]):
    with pytest.raises(contracts.FactsWrong):
        paper.render(kind, told(kind, **more))


# ── issuing ───────────────────────────────────────────────────────────────────────────────────────────────

CLERK = Actor("staff", 3, "clerk01", "luolong")
MARCH = datetime(2026, 3, 2, 1, 52, tzinfo=UTC)


@action
def issue(tx, *, kind="receipt", fail=False, **more):
    notice = issue_notice(tx, kind=kind, facts={**CASE, **OWN[kind], **more}, case_id=41)
    if fail:
        raise Refusal("case.unknown")
    return notice


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Flask]:
    """The smallest app that can issue papers."""
    settings = Settings.from_env({"HALL_DATA_DIR": str(tmp_path), "HALL_SECRET_KEY": "k" * 40})
    privacy.use_keys(settings.secret_key)
    app = Flask("press")
    database.init_app(app, settings)
    with app.app_context():
        database.db.create_all()
        for name in ("luolong", "lilou"):
            database.db.session.add(database.HallHead(hall=name, seq=0, mac="", last_id=0))
        database.db.session.commit()
        yield app
        database.db.session.remove()
        database.db.engine.dispose()


def test_numbers_run_without_gaps_for_each_hall_kind_and_year(hall: Flask):
    def number(name: str = "luolong", kind: str = "receipt", at: datetime = MARCH) -> str:
        return issue(hall=name, actor=Actor("staff", 3, "clerk01", name), at=at, kind=kind)["number"]

    assert [number() for _ in range(3)] == [f"收字〔2026〕第{n}号" for n in (1, 2, 3)]
    with pytest.raises(Refusal):
        issue(hall="luolong", actor=CLERK, at=MARCH, fail=True)
    with pytest.raises(contracts.FactsWrong):
        issue(hall="luolong", actor=CLERK, at=MARCH, item_name="")
    assert number() == "收字〔2026〕第4号"
    assert number(kind="acceptance") == "受字〔2026〕第1号"
    assert number(name="lilou") == "收字〔2026〕第1号"
    eve = datetime(2026, 12, 31, 15, 59, tzinfo=UTC)
    assert number(at=eve) == "收字〔2026〕第5号"
    assert number(at=datetime(2026, 12, 31, 16, 0, tzinfo=UTC)) == "收字〔2027〕第1号"  # midnight in the hall


def test_an_issued_paper_is_recorded_sealed_and_printed_the_same_for_ever(hall: Flask):
    issued = issue(hall="luolong", actor=CLERK, at=MARCH)
    assert issued.keys() == {"id", "number", "kind"}
    [row] = eventlog.read("luolong", 0)
    assert row.event == NoticeIssued(notice=issued["id"], notice_kind="receipt", number=issued["number"], case=41)

    stored = database.db.session.get(NoticeRow, ("luolong", issued["id"]))
    assert "张三" not in stored.facts and "公司" not in stored.facts
    read = queries.notice("luolong", issued["id"])
    assert read["facts"]["applicant_name"] == "张三" and read["facts"]["number"] == issued["number"]
    assert read["issued_by"] == "staff:clerk01" and read["issued_at"] == "2026-03-02T09:52:00.000+08:00"

    first = queries.pdf("luolong", issued["id"])
    issue(hall="luolong", actor=CLERK, at=datetime(2026, 5, 1, tzinfo=UTC))
    assert queries.pdf("luolong", issued["id"]) == first
    assert issued["number"] in words(first)


def test_the_papers_of_a_case_in_order_and_no_others(hall: Flask):
    made = [issue(hall="luolong", actor=CLERK, at=MARCH, kind=kind)["id"] for kind in ("receipt", "acceptance")]
    listed = queries.notices_of_case("luolong", 41)
    assert [each["id"] for each in listed] == made
    assert [each["title_zh"] for each in listed] == ["收件凭证", "受理通知书"]
    assert all("facts" not in each for each in listed)
    assert queries.notices_of_case("luolong", 42) == [] and queries.notices_of_case("lilou", 41) == []


def test_another_halls_paper_is_unknown(hall: Flask):
    issued = issue(hall="luolong", actor=CLERK, at=MARCH)
    for name, number in (("lilou", issued["id"]), ("luolong", 10**6)):
        with pytest.raises(Refusal) as refused:
            queries.pdf(name, number)
        assert refused.value.code == "notice.unknown"


def test_facts_moved_to_another_row_do_not_open(hall: Flask):
    one, two = (issue(hall="luolong", actor=CLERK, at=MARCH)["id"] for _ in range(2))
    rows = {row.id: row for row in database.db.session.query(NoticeRow)}
    rows[one].facts = rows[two].facts
    database.db.session.commit()
    with pytest.raises(privacy.Unsealable):
        queries.notice("luolong", one)
