"""Metrics for Prometheus: requests of this process, halls as the database has them, nobody's data."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, request, request_finished, request_started
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from app import eventlog
from app.api.health import relay_lag
from app.db import NETWORK, db
from app.now import local_day, now
from app.people.gate import public
from app.queueing.models import Queue, Ticket
from app.queueing.rules.states import TicketState

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})

pages = Blueprint("metrics", __name__)


class Halls(Collector):
    """What the database says of the halls at the moment of the scrape; gauges named `hall_…`."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        waiting = GaugeMetricFamily("hall_tickets_waiting", "People waiting today", labels=["hall", "queue"])
        for (hall, queue), number in _waiting().items():
            waiting.add_metric([hall, queue], number)
        yield waiting
        seq = GaugeMetricFamily("hall_events_seq", "Last sequence number of a hall's record", labels=["hall"])
        for hall, last in eventlog.heads().items():
            if hall != NETWORK:
                seq.add_metric([hall], last)
        yield seq
        lag = GaugeMetricFamily("hall_relay_lag_events", "Recorded events not on the screens yet", labels=["hall"])
        for hall, behind in relay_lag().items():
            lag.add_metric([hall], behind)
        yield lag


def _waiting() -> dict[tuple[str, str], int]:
    counts = dict.fromkeys(db.session.execute(select(Queue.hall, Queue.code)), 0)
    query = (
        select(Ticket.hall, Ticket.queue, func.count())
        .where(Ticket.hall.in_({hall for hall, _ in counts}), Ticket.day == local_day(now()))
        .where(Ticket.state == TicketState.WAITING)
        .group_by(Ticket.hall, Ticket.queue)
    )
    return counts | {(hall, queue): number for hall, queue, number in db.session.execute(query)}


def init_app(app: Flask) -> None:
    """Count and time every request of this app, by route and never by address."""
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    requests = Counter("http_requests", "Requests answered", ["method", "route", "status"], registry=registry)
    seconds = Histogram(
        "http_request_seconds", "Time to answer", ["method", "route"], buckets=BUCKETS_S, registry=registry
    )
    app.extensions["metrics"] = registry
    app.register_blueprint(pages)

    def begin(_app: Flask, **_more: Any) -> None:
        g.began = perf_counter()

    def end(_app: Flask, response: Response, **_more: Any) -> None:
        route = request.url_rule.rule if request.url_rule else "none"
        method = request.method if request.method in METHODS else "other"
        requests.labels(method, route, str(response.status_code)).inc()
        if "began" in g:
            seconds.labels(method, route).observe(perf_counter() - g.began)

    request_started.connect(begin, app, weak=False)
    request_finished.connect(end, app, weak=False)


@pages.get("/metrics")
@public
def read_metrics() -> Response:
    """The numbers in Prometheus' text format."""
    halls = CollectorRegistry(auto_describe=False)
    halls.register(Halls())
    text = generate_latest(current_app.extensions["metrics"]) + generate_latest(halls)
    return Response(text, content_type=CONTENT_TYPE_LATEST)
