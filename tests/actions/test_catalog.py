"""The catalogue in the database: guides with the rules of the day, themes to freeze, and their import."""

from __future__ import annotations

import json
from datetime import date

import pytest
from sqlalchemy import update

from app.catalog.items import DATA, import_catalog, read_catalog
from app.catalog.models import ServiceItem
from app.catalog.queries import courier_zones, item, regime_rules, search_items, theme, themes
from app.db import db
from app.errors import Refusal
from app.events import SYSTEM
from app.now import local_day, now

TODAY = date(2026, 11, 22)


def refusal(function, *arguments) -> str:
    with pytest.raises(Refusal) as caught:
        function(*arguments)
    return caught.value.code


def test_a_guide_carries_the_rules_of_the_day_it_is_asked_for(hall) -> None:
    code = search_items("食品经营许可延续")["items"][0]["code"]
    assert item(code, date(2019, 1, 1))["rules"]["version"] == "2004-07-01"
    guide = item(code, TODAY)
    assert guide["rules"]["version"] == "2019-04-23"
    assert guide["rules"] == regime_rules(guide["regime"], TODAY)
    assert item(code)["rules"] == item(code, local_day(now()))["rules"]
    assert json.loads(json.dumps(guide)) == guide
    assert (guide["signatures"], guide["gap_pass"], guide["commitment"]) == (2, False, None)
    assert refusal(regime_rules, "cat") == "regime.unknown"


def test_what_a_guide_adds_is_stored_with_the_item(hall) -> None:
    committing = item(search_items("出版物零售单位和个体工商户设立审批")["items"][0]["code"])
    assert committing["commitment"]["check_within"] == {"amount": 30, "unit": "WD"}
    assert len(committing["commitment"]["conditions"]) == len(committing["commitment"]["conditions_en"]) == 2
    assert item(search_items("护士延续执业注册")["items"][0]["code"])["gap_pass"] is True
    hotline = item(search_items("电话咨询")["items"][0]["code"])
    assert hotline["rules"]["regime"] == "hotline"
    assert hotline["regime_because"]


def test_a_theme_reads_like_a_guide_and_gives_its_steps_theirs(hall) -> None:
    found = theme("start-company", TODAY)
    assert json.loads(json.dumps(found)) == found
    assert set(item(found["children"][0]["item"])) <= set(found)
    assert (found["promised"], found["rules"]["version"]) == ({"amount": 7, "unit": "WH"}, "2019-04-23")
    company, seal, invoices = found["children"]
    assert company["guide"] == item(company["item"], TODAY)
    assert invoices["guide"] == item(invoices["item"], TODAY) | {"promised": {"amount": 3, "unit": "WH"}}
    assert (seal["guide"]["name"], seal["guide"]["department"]) == ("印章刻制", "区公安分局")
    assert seal["guide"]["regime"] == seal["guide"]["rules"]["regime"] == "confirmation"
    assert set(seal["guide"]) == set(company["guide"])
    assert [line["name"] for line in found["results"]] == ["营业执照", "印章和备案凭证", "发票票种核定结果"]


def test_papers_of_a_project_come_stage_by_stage(hall) -> None:
    project = theme("construction")
    stages = {material["name"]: material["stage"] for material in project["materials"]}
    assert stages["建设单位营业执照或者主体资格证明"] == "site"
    assert stages["施工合同或者中标通知书"] == "building"
    assert stages["工程质量保修书"] == "completion"
    assert {material["stage"] for material in theme("start-company")["materials"]} == {""}


def test_a_theme_is_offered_only_with_all_its_items(hall) -> None:
    offered = {found["code"]: found for found in themes(TODAY)}
    assert set(offered) == {"start-company", "construction", "construction-simple", "open-restaurant"}
    assert all("guide" not in child for found in offered.values() for child in found["children"])
    seal = offered["start-company"]["children"][1]["item"]
    db.session.execute(update(ServiceItem).where(ServiceItem.code == seal).values(active=False))
    assert "start-company" not in {found["code"] for found in themes(TODAY)}
    assert refusal(theme, "start-company") == refusal(theme, "nothing") == "theme.unknown"
    db.session.rollback()


def test_importing_again_changes_nothing_but_the_version(hall) -> None:
    code = theme("start-company")["children"][0]["item"]
    before = item(code, TODAY)
    rows, guides, problems = read_catalog((DATA / "service-items.csv").read_bytes())
    assert problems == []
    done = import_catalog(actor=SYSTEM, at=hall.at, rows=rows, guides=guides)
    assert (done["items"], done["guides"], done["closed"]) == (1135, 126, 0)
    assert item(code, TODAY) == before


def test_the_courier_zones(hall) -> None:
    zones = courier_zones()
    assert [(zone["code"], zone["fee_fen"]) for zone in zones] == [
        ("city", 400),
        ("township", 600),
        ("prefecture", 800),
        ("outside", None),
    ]
    assert all(set(zone) == {"code", "name", "name_en", "fee_fen"} for zone in zones)
