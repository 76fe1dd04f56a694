"""Static files: named by version, compressed, style sheets of several files sent as one; words are never kept in a template."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import force_locale

from app.web import assets
from tests.web.visit import Visitor

SHEETS = sorted(path for path in (assets.ROOT / "css").iterdir() if path.suffix == ".css")


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


def test_static_files_are_named_by_version_and_compressed(visitor: Visitor, app: Flask) -> None:
    with app.test_request_context():
        address = app.jinja_env.globals["asset"]("css/hall.css")
    plain = visitor.get(address)
    small = visitor.get(address, headers={"Accept-Encoding": "gzip"})
    assert plain.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert small.headers["Content-Encoding"] == "gzip"
    assert len(small.data) * 3 < len(plain.data)
    assert "immutable" not in visitor.get("/static/css/hall.css").headers["Cache-Control"]
    assert visitor.get("/static/../home.py").status_code == 404


@pytest.mark.parametrize(
    "sheet", [sheet for sheet in SHEETS if sheet.with_suffix("").is_dir()], ids=lambda sheet: sheet.stem
)
def test_a_sheet_of_parts_is_sent_whole_and_leaves_none_out(visitor: Visitor, sheet: Path) -> None:
    parts = assets.IMPORT.findall(sheet.read_text(encoding="utf-8"))
    assert sorted(parts) == sorted(f"{sheet.stem}/{part.name}" for part in sheet.with_suffix("").iterdir())
    sent = visitor.get(f"/static/css/{sheet.name}")
    assert sent.text == "".join((sheet.parent / part).read_text(encoding="utf-8") for part in parts)
    assert sent.mimetype == "text/css"
    again = visitor.get(f"/static/css/{sheet.name}", headers={"If-None-Match": sent.headers["ETag"]})
    assert again.status_code == 304


def test_a_sheet_gets_a_new_address_when_one_of_its_parts_changes(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets, "ROOT", tmp_path)
    (tmp_path / "look.css").write_text('@import "look/ink.css";\n')
    (tmp_path / "look").mkdir()
    part = tmp_path / "look" / "ink.css"
    part.write_text("p { color: #000 }\n")
    with app.test_request_context():
        before = assets.asset("look.css")
        changed = part.stat().st_mtime_ns + 10**9
        os.utime(part, ns=(changed, changed))
        assert assets.asset("look.css") != before


@pytest.mark.parametrize("said", ['"green"|light_word', '"kept"|word("kept")'])
def test_a_constant_is_said_in_the_language_of_each_reader(app: Flask, said: str) -> None:
    with app.test_request_context():
        template = app.jinja_env.from_string("{{ " + said + " }}")
        with force_locale("zh_CN"):
            chinese = template.render()
        with force_locale("en"):
            assert template.render() != chinese
