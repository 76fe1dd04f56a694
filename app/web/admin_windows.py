"""Administration of windows and queues: which window serves which queue, and whether a queue gives tickets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.db import db
from app.errors import Refusal
from app.hall.queries import pay_place
from app.hall.settings import set_pay_place
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing.models import WindowQueue
from app.queueing.queries import queues_of_hall, windows_of_hall
from app.queueing.rules.policy import MOST_MIN
from app.queueing.setup import assign_queues, set_queue_active
from app.web.admin_parts import pages
from app.web.desk import hall_at_desk, hall_choices, sentence
from app.web.forms import new_key, once


def _page(
    hall: dict[str, Any],
    error: str = "",
    window: str = "",
    typed: dict[str, str] | None = None,
    place: Mapping[str, str] | None = None,
) -> str:
    rows = select(WindowQueue.window, WindowQueue.queue, WindowQueue.weight_min).where(WindowQueue.hall == hall["code"])
    weights: dict[str, dict[str, Any]] = {}
    for code, queue, weight in db.session.execute(rows):
        weights.setdefault(code, {})[queue] = weight
    if typed is not None:
        weights[window] = dict(typed)  # what was refused stays as it was typed
    windows = windows_of_hall(hall["code"])
    queues = queues_of_hall(hall["code"], now())
    return render_template(
        "admin/windows.html",
        hall=hall,
        halls=hall_choices(g.actor),
        windows=windows,
        queues=queues,
        weights=weights,
        heaviest=MOST_MIN,
        place=place or pay_place(hall["code"]),
        key=new_key,
        keys={code: new_key() for code in [*(w["id"] for w in windows), *(q["code"] for q in queues)]},
        error=error,
        refused=window,
    )


@pages.get("/windows")
@requires(Permission.WINDOW_MANAGE)
def windows() -> str:
    """Windows × queues of one hall."""
    return _page(hall_at_desk(g.actor))


@pages.post("/windows/<window>")
@requires(Permission.WINDOW_MANAGE)
def windows_assign(window: str) -> tuple[str, int] | AnyResponse:
    """Which queues this window serves, with the minutes its speciality counts."""
    hall, form = hall_at_desk(g.actor), request.form
    typed = {queue: form.get(f"weight-{queue}", "") for queue in form.getlist("queue")}
    try:
        queues = {queue: _weight(text) for queue, text in typed.items()}
        with once(g.actor):
            assign_queues(hall=hall["code"], actor=g.actor, at=now(), window=window, queues=queues)
    except Refusal as refusal:
        return _page(hall, sentence(refusal), window, typed), refusal.status
    flash(gettext("已保存窗口 %(window)s", window=window), "ok")
    return redirect(url_for("admin.windows", hall=hall["code"]), code=303)


@pages.post("/pay-place")
@requires(Permission.WINDOW_MANAGE)
def windows_pay_place() -> tuple[str, int] | AnyResponse:
    """Where fees are paid, as the fee notices print it from now on."""
    hall, form = hall_at_desk(g.actor), request.form
    place = {name: form.get(name, "") for name in ("words", "words_en")}
    try:
        with once(g.actor):
            set_pay_place(hall=hall["code"], actor=g.actor, at=now(), **place)
    except Refusal as refusal:
        return _page(hall, sentence(refusal), place=place), refusal.status
    flash(gettext("已保存缴费地点"), "ok")
    return redirect(url_for("admin.windows", hall=hall["code"]), code=303)


def _weight(text: str) -> int:
    text = text.strip() or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 5 and int(text) <= MOST_MIN):
        raise Refusal("weight.invalid", most=MOST_MIN)
    return int(text)


@pages.post("/queues/<queue>")
@requires(Permission.WINDOW_MANAGE)
def windows_queue(queue: str) -> tuple[str, int] | AnyResponse:
    """Stop or resume giving tickets of a queue."""
    hall, active = hall_at_desk(g.actor), request.form.get("active") == "1"
    try:
        with once(g.actor):
            set_queue_active(hall=hall["code"], actor=g.actor, at=now(), queue=queue, active=active)
    except Refusal as refusal:
        return _page(hall, sentence(refusal)), refusal.status
    said = (
        gettext("队列 %(queue)s 已恢复取号", queue=queue)
        if active
        else gettext("队列 %(queue)s 已停止取号", queue=queue)
    )
    flash(said, "ok")
    return redirect(url_for("admin.windows", hall=hall["code"]), code=303)
