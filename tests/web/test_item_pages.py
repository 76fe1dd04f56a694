"""The catalogue for everybody: finding an item, and the guide of one."""

from __future__ import annotations

import pytest

from app.catalog.queries import search_items
from app.web import citizen
from tests.web.visit import Visitor, an_item, said

HALL = "luolong"


@pytest.mark.parametrize("q", ["身份证", "shenfenzheng", "sfz"])
def test_items_are_found_by_text_pinyin_and_initials(visitor: Visitor, q: str) -> None:
    assert "居民身份证办理" in said(visitor.get(f"/halls/{HALL}/items?q={q}").text)


def test_items_can_be_narrowed_and_paged(visitor: Visitor) -> None:
    everything = visitor.get(f"/halls/{HALL}/items").text
    assert "共 1135 项" in said(everything)
    assert len(visitor.links("/items/")) == citizen.PER_PAGE
    police = said(visitor.get(f"/halls/{HALL}/items?department=区公安分局&zone=A").text)
    assert "旅馆业特种行业许可" in police
    assert "居民身份证办理" not in police
    first = visitor.get(f"/halls/{HALL}/items?page=1").text
    assert (
        first.split('class="h-results"')[1]
        != visitor.get(f"/halls/{HALL}/items?page=2").text.split('class="h-results"')[1]
    )
    for odd in ("0", "-3", "99999", "two", "1e9"):
        assert visitor.get(f"/halls/{HALL}/items?page={odd}").status_code == 200
    assert "没有找到相符的事项" in said(visitor.get(f"/halls/{HALL}/items?q=qqqqqq").text)


@pytest.mark.parametrize("path", ["/halls/nowhere/items", "/items/none", "/items/" + "9" * 200])
def test_what_is_not_in_the_catalogue_is_refused(visitor: Visitor, path: str) -> None:
    assert visitor.get(path).status_code in (404, 422)


def test_a_guide_has_all_that_one_must_know_before_coming(visitor: Visitor) -> None:
    item = an_item()
    page = visitor.get(f"/items/{item['code']}").text
    text = said(page)
    for words in (
        item["name"],
        item["department"],
        f"{item['promised']['amount']} 个工作日",
        item["limit_source"],
        item["result_name"],
        item["legal_basis"][0]["law"],
        *(material["name"] for material in item["materials"]),
        "洛龙区政务服务中心",
        "0379-65980000",
        "码上告知",
    ):
        assert words in text
    assert "<svg" in page.split('class="h-qr"')[1]


def test_a_default_guide_says_that_it_is_one(visitor: Visitor) -> None:
    default = next(
        row for page in range(4, 30) for row in search_items(page=page)["items"] if row["guide_source"] != "written"
    )
    assert "部门尚未逐项填写" in said(visitor.get(f"/items/{default['code']}").text)


def test_what_people_type_is_never_markup(visitor: Visitor) -> None:
    evil = "<script>alert(1)</script>"
    for path in (f"/halls/{HALL}/items?q={evil}", f"/login?next=/{evil}"):
        assert "<script>alert" not in visitor.get(path).text
    visitor.get("/progress")
    assert "<script>alert" not in visitor.post("/progress", {"number": evil, "query_code": evil}).text
