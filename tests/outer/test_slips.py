"""The slip: what stands on it, how lines break, and how it reaches a printer exactly once."""

from __future__ import annotations

import json
import os
import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.notices import typeface
from printers import agent, escpos, raster, slips
from printers.drivers import BadPrinter, PrinterFailed, driver_for
from printers.slips import Cut, Qr, Slip, Text

SLIP = Slip(
    hall="luolong",
    ticket=31,
    number="A017",
    hall_name_zh="洛龙区政务服务中心",
    hall_name_en="Luolong Government Service Centre",
    queue_name_zh="商事登记",
    queue_name_en="Business registration",
    zone="A",
    windows=("W01", "W02"),
    ahead=5,
    issued_at="2026-03-02 09:12",
    item_name="公司设立登记",
    no_show_rule=slips.no_show_rule(30, 3),
    hall_phone="0379-12345",
    qr_url="http://127.0.0.1:8000/t/abc",
)


def texts(slip: Slip) -> list[str]:
    return [block.text for block in slips.compose(slip) if isinstance(block, Text)]


def test_a_slip_says_everything_a_citizen_needs():
    assert texts(SLIP) == [
        "洛龙区政务服务中心",
        "A017",
        "商事登记",
        "公司设立登记",
        "前面还有 5 位",
        "等候区域：A",
        "办理窗口：W01、W02",
        "扫码查看排队进度",
        "过号 30 分钟内可恢复，排在其后 3 位之后；超过须重新取号。",
        "取号时间 2026-03-02 09:12",
        "咨询电话 0379-12345",
    ]
    blocks = slips.compose(SLIP)
    assert Qr("http://127.0.0.1:8000/t/abc") in blocks
    assert blocks[-1] == Cut()
    assert max(blocks, key=lambda block: getattr(block, "size", 0)).text == "A017"


def test_what_is_not_known_leaves_no_line():
    bare = Slip(hall="h", ticket=1, number="B001", hall_name_zh="大厅", queue_name_zh="队", issued_at="09:00")
    assert texts(bare) == ["大厅", "B001", "队", "取号时间 09:00"]
    assert not any(isinstance(block, Qr) for block in slips.compose(bare))
    assert "前面无人等候" in texts(replace(bare, ahead=0))


def test_english_stands_under_the_chinese_and_a_reprint_says_so():
    said = texts(replace(SLIP, language="en", reprint=True))
    assert said.index("Business registration") == said.index("商事登记") + 1
    assert "5 waiting before you" in said
    assert "Windows W01, W02" in said
    assert "（补打）" in said and "(reprint)" in said
    assert "（补打）" not in texts(SLIP)


def test_a_slip_survives_the_way_through_a_job():
    assert slips.from_facts(json.loads(json.dumps(slips.to_facts(SLIP)))) == SLIP
    assert slips.from_facts({**slips.to_facts(SLIP), "colour": "blue"}) == SLIP


def test_lines_break_between_words_and_never_before_punctuation():
    assert slips.wrap("Service Centre of Luolong", 14, escpos.columns) == ["Service Centre", "of Luolong"]
    assert slips.wrap("前面还有五位，请稍候", 12, escpos.columns) == ["前面还有五", "位，请稍候"]
    assert slips.wrap("ABCDEFGHIJ", 4, escpos.columns) == ["ABCD", "EFGH", "IJ"]
    assert slips.wrap("", 10, escpos.columns) == []


@given(st.text(), st.integers(6, 48))
def test_no_line_is_wider_than_the_paper_and_no_ink_is_lost(text: str, measure: int):
    clean = escpos.plain(text)
    lines = slips.wrap(clean, measure, escpos.columns)
    assert all(sum(map(escpos.columns, line)) <= measure for line in lines)
    assert "".join(lines).replace(" ", "") == clean.replace(" ", "")


# ── to the printer ────────────────────────────────────────────────────────────────────────────────────────


def test_the_spool_keeps_bytes_text_and_page_once_for_each_copy(tmp_path: Path):
    assert agent.print_slip(SLIP, "spool", tmp_path, pdf=b"%PDF") == "luolong-31-1"
    assert sorted(os.listdir(tmp_path)) == ["luolong-31-1.bin", "luolong-31-1.pdf", "luolong-31-1.txt"]
    assert (tmp_path / "luolong-31-1.bin").read_bytes() == escpos.encode(slips.compose(SLIP))
    agent.print_slip(SLIP, "spool", tmp_path / "new")
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0
    before = (tmp_path / "luolong-31-1.bin").stat()
    agent.print_slip(replace(SLIP, ahead=4), "spool", tmp_path)
    assert (tmp_path / "luolong-31-1.bin").stat() == before
    agent.print_slip(replace(SLIP, copy=2, reprint=True), "spool", tmp_path)
    assert "（补打）" in (tmp_path / "luolong-31-2.txt").read_text()


def test_a_spool_that_cannot_be_written_is_a_failed_printer(tmp_path: Path):
    (tmp_path / "spool").write_text("not a folder")
    with pytest.raises(PrinterFailed):
        agent.print_slip(SLIP, "spool", tmp_path / "spool")


def test_no_printer_prints_nothing(tmp_path: Path):
    agent.print_slip(SLIP, "off", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def printer():
    """A network printer that keeps what it is told."""
    listener = socket.create_server(("127.0.0.1", 0))
    jobs: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                jobs.append(stream.read())

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"tcp://127.0.0.1:{listener.getsockname()[1]}", jobs
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def eventually(jobs: list[bytes], count: int) -> list[bytes]:
    for _ in range(500):
        if len(jobs) >= count:
            break
        threading.Event().wait(0.01)
    return jobs


def test_a_network_printer_gets_the_bytes_once(tmp_path: Path, printer):
    url, jobs = printer
    agent.print_slip(SLIP, url, tmp_path)
    agent.print_slip(SLIP, url, tmp_path)
    agent.print_slip(replace(SLIP, copy=2), url, tmp_path)
    assert eventually(jobs, 2) == [escpos.encode(slips.compose(SLIP))] * 2


def test_a_printer_that_is_away_fails_and_is_tried_again(tmp_path: Path, printer):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"tcp://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(PrinterFailed):
        agent.print_slip(SLIP, nobody, tmp_path)
    url, jobs = printer
    agent.print_slip(SLIP, url, tmp_path)
    assert len(eventually(jobs, 1)) == 1


def test_a_device_file_is_written_and_must_exist(tmp_path: Path):
    with pytest.raises(PrinterFailed):
        agent.print_slip(SLIP, f"file://{tmp_path}/lp0", tmp_path)
    device = tmp_path / "lp0"
    device.touch()
    agent.print_slip(SLIP, f"file://{device}", tmp_path / "spool")
    agent.print_slip(SLIP, f"file://{device}", tmp_path / "spool")
    assert device.read_bytes() == escpos.encode(slips.compose(SLIP))


def test_a_device_that_takes_nothing_does_not_hang_the_worker(tmp_path: Path):
    pipe = tmp_path / "lp0"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # opened, but nobody ever reads
    try:
        driver = driver_for(f"file://{pipe}", tmp_path)
        driver._timeout_s = 0.2
        from printers.drivers import Job

        with pytest.raises(PrinterFailed):
            driver.deliver(Job("h-1-1", b"x" * 1_000_000))
    finally:
        os.close(reader)


@pytest.mark.parametrize(
    "url", ["", "spool2", "tcp://", "tcp://h:99999", "tcp://h:1/x", "file://host/dev/lp0", "http://x"]
)
def test_a_url_that_names_no_printer_is_refused(url: str, tmp_path: Path):
    with pytest.raises(BadPrinter):
        driver_for(url, tmp_path)


@pytest.mark.parametrize("hall", ["../x", "a/b", "", "大厅"])
def test_a_name_never_leaves_the_spool(hall: str, tmp_path: Path):
    with pytest.raises(ValueError, match="no name"):
        agent.print_slip(replace(SLIP, hall=hall), "spool", tmp_path)


def test_old_prints_are_forgotten(tmp_path: Path):
    agent.print_slip(SLIP, "spool", tmp_path)
    agent.print_slip(replace(SLIP, ticket=32), "spool", tmp_path)
    for path in tmp_path.glob("luolong-31-*"):
        os.utime(path, (0, 0))
    assert agent.forget(tmp_path, 3600) == 2
    assert sorted(os.listdir(tmp_path)) == ["luolong-32-1.bin", "luolong-32-1.txt"]


# ── drawn ─────────────────────────────────────────────────────────────────────────────────────────────────

FACE = typeface.FOLDER / f"{typeface.REGULAR}.ttf"


def ink(bitmap: escpos.Bitmap) -> int:
    return sum(byte.bit_count() for byte in bitmap.rows)


def test_a_drawn_slip_is_as_wide_as_the_paper():
    bitmap = raster.draw(slips.compose(SLIP), FACE)
    assert bitmap.width == 576 and bitmap.height > 500
    assert 0.02 < ink(bitmap) / (bitmap.width * bitmap.height) < 0.25
    assert raster.draw(slips.compose(SLIP), FACE, paper_mm=58).width == 384
    assert raster.draw(slips.compose(SLIP), FACE) == bitmap


def test_a_character_the_face_lacks_is_marked_not_blank():
    def drawn(text: str) -> escpos.Bitmap:
        return raster.draw([Text(text)], FACE)

    assert drawn("\U000f0000") == drawn("〓")
    assert drawn("田") != drawn("〓")
    assert ink(drawn("〓")) > 0


def test_drawing_without_the_built_font_says_how_to_get_it(tmp_path: Path):
    with pytest.raises(raster.FontMissing, match="make assets"):
        agent.print_slip(SLIP, "spool", tmp_path, "raster", font=tmp_path / "none.ttf")
    with pytest.raises(ValueError, match="no way to print"):
        agent.print_slip(SLIP, "spool", tmp_path, "raster")


def test_a_drawn_slip_is_spooled_like_any_other(tmp_path: Path):
    agent.print_slip(SLIP, "spool", tmp_path, "raster", font=FACE)
    assert b"\x1dv0" in (tmp_path / "luolong-31-1.bin").read_bytes()
    assert "A017" in (tmp_path / "luolong-31-1.txt").read_text()
