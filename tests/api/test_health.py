"""What stands beside the API: health, readiness, metrics."""

from __future__ import annotations

from app.db import db
from app.eventlog import advance, heads
from tests.api.asking import Asking


def test_the_process_answers(ask: Asking) -> None:
    assert ask.get("/healthz") == {"status": "ok", "checks": {}}


def test_ready_says_what_it_looked_at(ask: Asking) -> None:
    ready = ask.get("/readyz")
    assert ready["status"] == "ok"
    assert ready["checks"]["database"] == {"state": "ok", "dialect": "sqlite"}
    assert ready["checks"]["migrations"]["state"] == "ok"
    assert ready["checks"]["relay"]["lag"] == max(seq for hall, seq in heads().items() if hall != "network")


def test_the_lag_is_the_way_from_the_screens_to_the_head(ask: Asking) -> None:
    for hall, seq in heads().items():
        advance("screens", hall, seq)
    assert ask.get("/readyz")["checks"]["relay"] == {"state": "ok", "lag": 0}
    ask.post("/halls/lilou/tickets", {"queue": "A"}, 201, who="admin01")
    assert ask.get("/readyz")["checks"]["relay"]["lag"] == 1


def test_looking_changes_nothing(ask: Asking) -> None:
    before = heads()
    for path in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
        ask("GET", path)
    assert heads() == before


def test_tables_of_another_version_are_not_ready(ask: Asking) -> None:
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'old'")
    answer = ask("GET", "/readyz")
    assert (answer.status_code, answer.json["checks"]["migrations"]["state"]) == (503, "failing")


def test_tables_made_without_migrations_say_so(ask: Asking) -> None:
    with db.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    assert ask.get("/readyz")["checks"]["migrations"]["state"] == "unmigrated"


def test_a_database_that_cannot_be_written_is_not_ready(ask: Asking) -> None:
    with db.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE consumer_cursors")
        connection.exec_driver_sql("ALTER TABLE hall_heads RENAME TO elsewhere")
    answer = ask("GET", "/readyz")
    assert answer.status_code == 503
    assert answer.json["checks"]["database"]["state"] == answer.json["checks"]["relay"]["state"] == "failing"


def test_metrics_count_requests_and_the_halls(ask: Asking) -> None:
    ticket = ask.post("/halls/luolong/tickets", {"queue": "C", "person": {"name": "王小明"}}, 201, who="guide01")
    ask("GET", f"/tickets/{ticket['token']}")
    ask("GET", "/api/v1/nothing/of/the/kind")
    text = ask("GET", "/metrics").text
    assert 'hall_tickets_waiting{hall="luolong",queue="C"} 1.0' in text
    assert 'hall_tickets_waiting{hall="dongcun",queue="A"} 0.0' in text
    assert f'hall_events_seq{{hall="luolong"}} {float(heads()["luolong"])}' in text
    assert 'hall_relay_lag_events{hall="luolong"}' in text
    assert 'http_requests_total{method="GET",route="/api/v1/tickets/<token>",status="200"} ' in text
    assert 'http_requests_total{method="GET",route="none",status="404"} ' in text
    assert 'http_request_seconds_bucket{le="0.005",method="GET",route="/api/v1/tickets/<token>"}' in text
    assert "process_resident_memory_bytes" in text
    assert ticket["token"] not in text and "nothing" not in text and "王小明" not in text


def test_strange_methods_make_no_new_series(ask: Asking) -> None:
    for n in range(3):
        ask.client.open("/healthz", method=f"BREW{n}")
    text = ask("GET", "/metrics").text
    assert "BREW" not in text and 'method="other"' in text
