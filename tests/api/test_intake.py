"""The intake's own steps through the API: on the spot, on a word, put right; what is refused comes first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from app.catalog.queries import item as guide_of
from app.catalog.queries import search_items
from app.db import db
from app.now import iso, now
from tests.api.asking import Asking
from tests.api.test_cases import CLERK, PICKUP, SUPERVISOR, approver_of, materials, received


def found(wanted: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """A written guide that one department decides and that is as wanted."""
    for line in search_items(per_page=1200)["items"]:
        guide = guide_of(line["code"])
        if line["guide_source"] == "written" and len(guide["departments"]) == 1 and wanted(guide):
            db.session.rollback()
            return guide
    raise AssertionError("no such item")


def instant(guide: dict[str, Any]) -> bool:
    return guide["time_class"] == "instant" and guide["statutory"]["unit"] == "WD"


def test_an_instant_case_is_finished_or_converted(ask: Asking) -> None:
    guide = found(instant)
    approver = {"who": approver_of(ask, guide["departments"][0])}
    numbers = [received(ask, guide)["number"] for _ in range(2)]
    for number in numbers:
        ask.post(f"/cases/{number}/accept", **CLERK)
    first, second = numbers
    ask.refused("case.illegal_step", "POST", f"/cases/{first}/finish", **CLERK)
    ask.refused("auth.forbidden", "POST", f"/cases/{first}/finish", **PICKUP)
    path, new = f"/cases/{second}/convert", {"limit": {"amount": 1, "unit": "WD"}, "reason": "须现场核查"}
    ask.refused("case.reason_required", "POST", path, {**new, "reason": " "}, **CLERK)
    ask.refused("case.convert_limit", "POST", path, {**new, "limit": {"amount": 300}}, **CLERK)
    for limit in ({"amount": 0}, {"amount": "one"}, 3, None):
        ask.refused("request.invalid", "POST", path, {**new, "limit": limit}, **CLERK)
    ask.refused("auth.forbidden", "POST", path, new, **PICKUP)
    converted = ask.post(path, new, key="convert-1", **approver)
    assert converted["conversion"] == {"limit": {"amount": 1, "unit": "WD"}, "reason": "须现场核查"}
    assert converted["clocks"]["promised"]["limit"] == {"amount": 1, "unit": "WD"}
    assert "convert" not in converted["steps"]
    assert ask.post(path, new, key="convert-1", **approver) == converted
    ask.refused("case.not_instant", "POST", path, new, **CLERK)
    ask.post(f"/cases/{first}/decide", {"outcome": "granted"}, **approver)
    ask.refused("case.on_the_spot", "POST", f"/cases/{first}/finish", who="clerk02")
    done = ask.post(f"/cases/{first}/finish", **CLERK)
    assert (done["state"], done["delivered_how"]) == ("delivered", "on_the_spot")


def test_a_word_is_taken_where_the_item_offers_that(ask: Asking) -> None:
    plain = found(lambda guide: not guide["commitment"])
    path = f"/cases/{received(ask, plain)['number']}/accept"
    ask.refused("case.not_on_commitment", "POST", path, {"commitment": {"text": "符合条件"}}, **CLERK)
    path = f"/cases/{received(ask, found(lambda guide: guide['commitment']))['number']}/accept"
    ask.refused("case.commitment_required", "POST", path, {"commitment": {}}, **CLERK)
    for commitment in ("符合条件", {"text": 5}, []):
        ask.refused("request.invalid", "POST", path, {"commitment": commitment}, **CLERK)
    case = ask.post(path, {"commitment": {"text": "符合告知的条件"}}, **CLERK)
    assert case["flags"]["on_commitment"]
    assert case["commitment"] == "符合告知的条件"


def test_a_supervisor_puts_a_receipt_right(ask: Asking) -> None:
    guide = found(lambda guide: True)
    number = received(ask, guide)["number"]
    path, earlier = f"/cases/{number}/backdate", iso(now() - timedelta(minutes=90))
    given = {"received_at": earlier, "reason": "停电补录"}
    ask.refused("auth.forbidden", "POST", path, given, **CLERK)
    ask.refused("request.invalid", "POST", path, {"reason": "x"}, **SUPERVISOR)
    ask.refused("deadline.invalid", "POST", path, {**given, "received_at": "yesterday"}, **SUPERVISOR)
    ask.refused("case.reason_required", "POST", path, {**given, "reason": ""}, **SUPERVISOR)
    for out_of_bounds in ("2026-01-01T09:00:00+08:00", iso(now() + timedelta(days=1))):
        ask.refused("case.backdate_bounds", "POST", path, {**given, "received_at": out_of_bounds}, **SUPERVISOR)
    case = ask.post(path, given, **SUPERVISOR)
    assert (case["received_at"], case["backdated"]) == (earlier, "停电补录")
    ask.refused("auth.forbidden", "POST", f"/cases/{number}/void", {"reason": "重复"}, **CLERK)
    ask.refused("case.reason_required", "POST", f"/cases/{number}/void", **SUPERVISOR)
    voided = ask.post(f"/cases/{number}/void", {"reason": "重复录入"}, **SUPERVISOR)
    assert (voided["state"], voided["ended"]) == ("void", "重复录入")


def test_a_second_notice_says_why(ask: Asking) -> None:
    guide = found(lambda guide: any(m["kind"] == "main" and m["required"] for m in guide["materials"]))
    case = received(ask, guide, "main")
    lacking = [m["code"] for m in materials(guide, "main") if m["state"] == "missing"]
    path = f"/cases/{case['number']}/request-supplement"
    ask.refused("request.invalid", "POST", path, {"items": [{"code": lacking[0], "defect": "ugly"}]}, **CLERK)
    told = ask.post(path, {"items": [{"code": lacking[0], "defect": "form"}]}, **CLERK)
    assert told["supplement_due_at"]
    public = ask.post("/case-queries", {"number": case["number"], "query_code": case["query_code"]})
    assert public["bring_by"] == told["supplement_due_at"]
    again = {"items": [{"code": lacking[0]}], "repeat_reason": "漏列一项"}
    ask.refused("case.second_notice", "POST", path, again, **CLERK)
    assert ask.post(path, again, **SUPERVISOR)["state"] == "correction"
