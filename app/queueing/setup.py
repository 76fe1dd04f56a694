"""Actions of an admin on queues and on which windows serve them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, select, update

from app.action import Transaction, action
from app.errors import Refusal
from app.events import QueueDefined
from app.hall.models import Window
from app.hall.settings import define_window
from app.queueing.models import Queue, WindowQueue
from app.queueing.rules.numbers import number
from app.queueing.rules.policy import MOST_MIN


@action
def add_queues(tx: Transaction, *, queues: list[dict[str, Any]]) -> dict[str, Any]:
    """Enter queues: code, prefix, name_zh, name_en, zone, takes. Raises ValueError for a bad prefix.

    Tells QueueDefined. Locks the hall.
    """
    for queue in queues:
        number(queue["prefix"], 1)
        tx.execute(insert(Queue), {"hall": tx.hall, "active": True, **queue})
        tx.record(QueueDefined(queue=queue["code"], **_named(queue)))
    return {"queues": [queue["code"] for queue in queues]}


@action
def add_windows(tx: Transaction, *, windows: list[dict[str, Any]]) -> dict[str, Any]:
    """Enter windows: code, kind, name_zh, name_en, zone, and `queues` as {queue: weight_min}.

    Refuses weight.invalid. Tells WindowDefined. Locks the hall.
    """
    for window in windows:
        refuse_weights(window["queues"])
        values = {key: value for key, value in window.items() if key != "queues"}
        define_window(tx, values, window["queues"])
        _serve(tx, window["code"], window["queues"])
    return {"windows": [window["code"] for window in windows]}


@action
def assign_queues(tx: Transaction, *, window: str, queues: dict[str, int]) -> dict[str, Any]:
    """Set which queues a window serves, with their weights in minutes.

    Refuses window.unknown, queue.unknown, weight.invalid. Tells WindowDefined. Locks the hall.
    """
    known = set(tx.execute(select(Queue.code).where(Queue.hall == tx.hall)).scalars())
    if not set(queues) <= known:
        raise Refusal("queue.unknown")
    serve(tx, window, queues)
    return {"window": window, "queues": queues}


def serve(tx: Transaction, window: str, queues: dict[str, int]) -> None:
    """Part of an action: let a window serve these queues with these weights. Refuses window.unknown, weight.invalid."""
    refuse_weights(queues)
    row = tx.execute(select(Window).where(Window.hall == tx.hall, Window.code == window)).scalar_one_or_none()
    if row is None:
        raise Refusal("window.unknown")
    values = {"code": row.code, "kind": row.kind, "name_zh": row.name_zh, "name_en": row.name_en, "zone": row.zone}
    define_window(tx, values | {"active": row.active}, queues)
    _serve(tx, window, queues)


def refuse_weights(queues: Mapping[str, Any]) -> None:
    """Refuses weight.invalid for what is no whole number of minutes from 0 to MOST_MIN."""
    for minutes in queues.values():
        if not isinstance(minutes, int) or isinstance(minutes, bool) or not 0 <= minutes <= MOST_MIN:
            raise Refusal("weight.invalid", most=MOST_MIN)


@action
def set_queue_active(tx: Transaction, *, queue: str, active: bool) -> dict[str, Any]:
    """Stop or resume giving tickets of a queue; who waits is still called.

    Refuses queue.unknown. Tells QueueDefined. Locks the hall.
    """
    one = (Queue.hall == tx.hall, Queue.code == queue)
    row = tx.execute(select(Queue).where(*one)).scalar_one_or_none()
    if row is None:
        raise Refusal("queue.unknown")
    named = {"prefix": row.prefix, "name_zh": row.name_zh, "name_en": row.name_en, "zone": row.zone}
    tx.execute(update(Queue).where(*one).values(active=active))
    tx.record(QueueDefined(queue=queue, active=active, **named))
    return {"queue": queue, "active": active}


def _named(queue: dict[str, Any]) -> dict[str, Any]:
    return {key: queue[key] for key in ("prefix", "name_zh", "name_en", "zone")}


def _serve(tx: Transaction, window: str, queues: dict[str, int]) -> None:
    tx.execute(delete(WindowQueue).where(WindowQueue.hall == tx.hall, WindowQueue.window == window))
    for queue, weight in queues.items():
        tx.execute(insert(WindowQueue), {"hall": tx.hall, "window": window, "queue": queue, "weight_min": weight})
