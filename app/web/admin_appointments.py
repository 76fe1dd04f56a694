"""Administration of appointments: how many a slot, how far ahead, how often for one person, who is blocked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response as AnyResponse

from app.errors import Refusal
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing.appointment_queries import rules_digest, rules_of
from app.queueing.appointment_rules import set_rules
from app.queueing.queries import queues_of_hall
from app.queueing.rules.appointments import BOUNDS, write_rules
from app.web import wording
from app.web.admin_parts import pages
from app.web.desk import hall_at_desk, hall_choices
from app.web.forms import new_key, once

_ = lazy_gettext

# field → its name, its unit, what it does
FIGURES: dict[str, tuple[Any, Any, Any]] = {
    "slot_min": (_("每个时段"), _("分钟"), _("从开门起一段接一段，午休和闭厅不设")),
    "capacity": (_("每个时段的名额"), _("人"), _("每个队列各有这么多；0 为不接受预约")),
    "days_ahead": (_("可以提前"), _("天"), _("今天以外再往后几天")),
    "lead_min": (_("截止预约"), _("分钟前"), _("时段开始前多久停止预约和候补递补")),
    "waiting": (_("每个时段的候补"), _("人"), _("约满后还可以排候补；0 为不设候补")),
    "early_min": (_("最早报到"), _("分钟前"), _("预约时间前多久开始可以报到")),
    "late_min": (_("最迟报到"), _("分钟后"), _("再晚来的转为普通号")),
    "per_day": (_("每人每天"), _("次"), ""),
    "per_week": (_("每人每周"), _("次"), _("星期一起算")),
    "per_month": (_("每人每月"), _("次"), _("按自然月")),
    "misses": (_("一个月内爽约"), _("次"), _("达到就暂停预约；0 为不限")),
    "block_months": (_("暂停预约"), _("个月"), _("从当月最后一次爽约起算；现场取号不受影响")),
}
PARTS = (
    (_("时段与名额"), "calendar", ("slot_min", "capacity", "days_ahead", "lead_min", "waiting")),
    (_("报到"), "clock", ("early_min", "late_min")),
    (_("每人限额"), "user", ("per_day", "per_week", "per_month", "misses", "block_months")),
)


def _number(text: str | None) -> Any:
    """The number that was typed; what is none stays the text, which the rules refuse by its field."""
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else text


def _typed(form: Mapping[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = {name: _number(form.get(name)) for name in FIGURES}
    queues = {name.removeprefix("q-"): text for name, text in form.items() if name.startswith("q-") and text.strip()}
    return given | {"open": form.get("open") == "1", "by_queue": {code: _number(text) for code, text in queues.items()}}


def _page(hall: dict[str, Any], draft: dict[str, Any] | None = None, error: str = "", field: str = "") -> str:
    in_force = rules_of(hall["code"])
    return render_template(
        "admin/appointments.html",
        hall=hall,
        halls=hall_choices(g.actor),
        rules=draft or write_rules(in_force),
        seen=rules_digest(in_force),
        queues=queues_of_hall(hall["code"], now()),
        figures=FIGURES,
        parts=PARTS,
        bounds=BOUNDS,
        key=new_key(),
        error=error,
        field=field,
    )


@pages.get("/appointments")
@requires(Permission.WINDOW_MANAGE)
def appointments() -> str:
    """The rules in force, ready to be changed."""
    return _page(hall_at_desk(g.actor))


@pages.post("/appointments")
@requires(Permission.WINDOW_MANAGE)
def appointments_set() -> tuple[str, int] | AnyResponse:
    """Set them from now on; what is booked stays booked."""
    hall, form = hall_at_desk(g.actor), request.form
    draft = _typed(form)
    try:
        with once(g.actor):
            set_rules(hall=hall["code"], actor=g.actor, at=now(), rules=draft, seen=form.get("seen") or None)
    except Refusal as refusal:
        if not refusal.code.startswith("appointment_rules."):
            raise
        field = str(refusal.facts.get("field", ""))
        said = wording.told(refusal)
        if field:
            name = FIGURES[field][0] if field in FIGURES else gettext("队列 %(queue)s", queue=field.rpartition(".")[2])
            said = gettext("%(name)s 填写有误", name=name)
        return _page(hall, draft, said, field), refusal.status
    flash(gettext("已启用新的预约规则"), "ok")
    return redirect(url_for("admin.appointments", hall=None if g.actor.hall else hall["code"]), code=303)
