"""The guide of an item: nothing that the hall knows of it is left out of the answer."""

from __future__ import annotations

from app.api.items import ItemGuide
from app.catalog.items import written_guides
from app.catalog.queries import item
from app.catalog.rules.guide import Regime
from tests.api.asking import Asking
from tests.api.test_cases import dropped


def test_a_guide_tells_its_commitment_its_gaps_and_the_rules_it_follows(ask: Asking) -> None:
    on_commitment = next(guide for guide in written_guides().values() if guide.commitment)
    told = ask.get(f"/items/{on_commitment.code}")
    assert told["commitment"]["check_within"]["unit"] == on_commitment.commitment.check_within.unit
    assert told["commitment"]["conditions"] == list(on_commitment.commitment.conditions)
    gap = next(guide for guide in written_guides().values() if guide.gap_pass)
    told = ask.get(f"/items/{gap.code}")
    assert told["gap_pass"] is True and told["commitment"] is None and told["signatures"] == gap.signatures
    licence = next(guide for guide in written_guides().values() if guide.regime == Regime.LICENSING)
    rules = ask.get(f"/items/{licence.code}")["rules"]
    assert (rules["regime"], rules["notice_limit"]) == ("licensing", {"amount": 5, "unit": "WD"})
    assert rules["extension"] == {"amount": 10, "unit": "WD", "by": "head"}
    article = next(source for source in rules["sources"] if "notice_limit" in source["rule"])
    assert (article["law"], article["article"], article["mark"]) == ("中华人民共和国行政许可法", "第三十二条", "L")


def test_no_guide_says_more_than_the_answer(app: object) -> None:
    for code in written_guides():
        assert dropped(item(code), ItemGuide()) == {"regime_because", "source"} & set(item(code)), code
