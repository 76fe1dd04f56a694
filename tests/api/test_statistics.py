"""Statistics and the ledger over HTTP: who may look, at what, and that it says what was done."""

from __future__ import annotations

import pytest

from app.db import db
from app.people.models import Staff
from tests.api.asking import Asking

STATISTICS = "/halls/luolong/statistics"
LEDGER = "/halls/luolong/ledger"


def serve_somebody(ask: Asking) -> str:
    """One visit at W01 by clerk01, and somebody who goes on waiting; the number that was served."""
    kiosk = ask.device("kiosk")
    for _ in range(2):
        ask.post("/halls/luolong/tickets", {"queue": "A"}, status=201, token=kiosk)
    ask.post("/windows/luolong-W01/open", who="clerk01")
    called = ask.post("/windows/luolong-W01/call-next", who="clerk01")["ticket"]
    for step in ("start", "finish"):
        ask.post(f"/tickets/{called['id']}/{step}", who="clerk01")
    return called["number"]


def test_a_visit_is_in_the_figures_of_its_days(ask: Asking) -> None:
    serve_somebody(ask)
    for by in ("queue", "window", "clerk", "item", "hour", "day"):
        found = ask.get(f"{STATISTICS}?by={by}", who="supervisor01")
        total = found["total"]
        assert (total["calls"], total["issued"], total["served"], total["total"]["count"]) == (1, 2, 1, 1), by
        assert sum(row["calls"] for row in found["rows"]) == 1 and found["before"]["calls"] == 0
    assert ask.get(f"{STATISTICS}?by=clerk", who="chief01")["rows"][0]["key"] == "clerk01"
    (queue,) = ask.get(f"{STATISTICS}?by=queue", who="chief01")["rows"]
    assert (queue["key"], queue["issued"]) == ("A", 2) and queue["name"] != queue["name_en"]


@pytest.mark.parametrize(
    "query", ["by=lane", "from=x", "from=2026-01-01&to=2026-04-03", "from=2026-02-02&to=2026-02-01"]
)
def test_a_strange_question_is_refused(ask: Asking, query: str) -> None:
    ask.refused("request.invalid", "GET", f"{STATISTICS}?{query}", who="supervisor01")


@pytest.mark.parametrize("path", [STATISTICS, LEDGER])
def test_only_who_watches_the_hall_may_look(ask: Asking, path: str) -> None:
    ask.refused("auth.required", "GET", path)
    ask.refused("auth.forbidden", "GET", path, who="clerk01")
    ask.refused("hall.unknown", "GET", path.replace("luolong", "nowhere"), who="admin01")
    db.session.query(Staff).filter_by(username="clerk21").update({"roles": ["supervisor"]})
    db.session.commit()
    assert ask("GET", path.replace("luolong", "lilou"), who="clerk21").status_code == 200
    ask.refused("auth.foreign_hall", "GET", path, who="clerk21")


def test_the_clerk_sees_of_themselves_what_the_supervisor_sees(ask: Asking) -> None:
    number = serve_somebody(ask)
    ask.post("/windows/luolong-W02/open", who="clerk02")
    whole = ask.get(LEDGER, who="supervisor01")
    assert [row["key"] for row in whole["windows"]] == ["W01", "W02"]
    assert [row["number"] for row in whole["stretches"] if row["use"] == "serving"] == [number]
    seen = ask.get(f"{LEDGER}?clerk=clerk01", who="supervisor01")
    own = ask.get("/ledger", who="clerk01")
    ends = {"end"}  # of the day so far, and of the stretch that goes on
    assert {row["staff"] for row in own["stretches"]} == {"clerk01"} and own["windows"] == []
    assert [{k: v for k, v in row.items() if k not in ends} for row in own["stretches"][:-1]] == [
        {k: v for k, v in row.items() if k not in ends} for row in seen["stretches"][:-1]
    ]
    assert own["entries"] == seen["entries"]
    assert [row["key"] for row in own["clerks"]] == ["clerk01"]
    assert {row["window"] for row in ask.get(f"{LEDGER}?window=W02", who="supervisor01")["stretches"]} == {"W02"}
    assert ask.get(f"{LEDGER}?least_s=3600", who="supervisor01")["stretches"] == []
    ask.refused("auth.forbidden", "GET", "/ledger", who="supervisor01")
    ask.refused("auth.required", "GET", "/ledger")
