"""What a change of hours or calendar would do to the cases that are open, shown before anybody makes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flask import g, render_template, request, url_for
from flask_babel import gettext

from app.casework.preview import moved_by
from app.errors import Refusal
from app.events import Actor
from app.hall.queries import exceptions, halls, schedule
from app.hall.rules.hours import Schedule
from app.hall.settings import amended, read_hours, rehoured
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.web import times, wording
from app.web.admin_calendar import KINDS, day_asked, hours_text, page_of, told
from app.web.admin_parts import pages
from app.web.desk import hall_at_desk, instant, whole
from app.web.forms import new_key
from app.web.ledger import day_reason
from app.words import clean

SHOWN = 50


@dataclass(frozen=True)
class Change:
    """A change about to be made: in words, as the schedules it would give, and as the form that makes it."""

    says: list[tuple[str, str]]
    after: dict[str, Schedule]  # hall → its schedule then
    action: str
    fields: dict[str, str]


def _hours(hall: dict[str, Any]) -> Change:
    in_force, from_on = schedule(hall["code"]), day_asked(request.args.get("from", ""))
    wanted = read_hours(request.args.get("hours", ""))
    after = rehoured(in_force, wanted, from_on, now())
    says = [
        (gettext("从哪天起"), times.day(from_on, year=True, weekday=True)),
        (gettext("原来"), times.hours(in_force.hours_on(from_on).to_json())),
        (gettext("改为"), times.hours(wanted.to_json())),
    ]
    fields = {"hours": hours_text(wanted), "from": from_on.isoformat(), "seen": in_force.version}
    return Change(says, {hall["code"]: after}, url_for("admin.calendar_hours"), fields)


def _day(hall: dict[str, Any]) -> Change:
    actor: Actor = g.actor
    if actor.hall:
        raise Refusal("auth.foreign_hall")
    day, kind = day_asked(request.args.get("day", "")), request.args.get("kind", "")
    name, notice = request.args.get("name", ""), request.args.get("notice", "")
    before = {row["code"]: schedule(row["code"]) for row in halls()}
    in_force = next(iter(before.values())).calendar
    after = amended(in_force, day, kind, name, notice)
    says = [
        (gettext("日期"), times.day(day, year=True, weekday=True)),
        (gettext("现在"), day_reason(*in_force.reason(day))),
        (gettext("改为"), day_reason(*after.reason(day))),
        (gettext("依据"), notice.strip()),
        (gettext("新版本"), after.version),
    ]
    fields = {"day": day.isoformat(), "kind": kind, "name": name, "notice": notice, "seen": in_force.version}
    schedules = {code: replace(each, calendar=after) for code, each in before.items()}
    return Change(says, schedules, url_for("admin.calendar_day"), fields)


def _exception(hall: dict[str, Any]) -> Change:
    args = request.args
    kind = args.get("kind", "")
    if kind not in KINDS:
        raise Refusal("request.invalid", detail=gettext("请选择闭厅或延时服务"))
    begin, end = instant(args.get("from"), gettext("开始时间")), instant(args.get("to"), gettext("结束时间"))
    if end <= begin:
        raise Refusal("closure.invalid")
    reason = clean(args.get("reason", ""), "reason", limit=100)
    in_force = schedule(hall["code"])
    spans = "closures" if kind == "closure" else "sessions"
    after = replace(in_force, **{spans: (*getattr(in_force, spans), (begin, end))})
    says = [
        (wording.word(kind, "day"), f"{times.stamp(begin)} – {times.stamp(end)}"),
        (gettext("原因"), reason),
    ]
    fields = {"kind": kind, "from": args["from"], "to": args["to"], "reason": reason}
    return Change(says, {hall["code"]: after}, url_for("admin.calendar_except"), fields)


def _restore(hall: dict[str, Any]) -> Change:
    number = whole(request.args.get("exception"))
    row = next((row for row in exceptions(hall["code"]) if row["id"] == number), None)
    if row is None:
        raise Refusal("closure.invalid")
    kind = wording.word("session" if row["opens"] else "closure", "day")
    says = [
        (gettext("取消"), f"{kind} {times.stamp(row['from_at'])} – {times.stamp(row['to_at'])}"),
        (gettext("原因"), row["reason"]),
    ]
    after = {hall["code"]: schedule(hall["code"], without=number)}
    return Change(says, after, url_for("admin.calendar_restore", exception_id=number), {})


CHANGES: dict[str, Callable[[dict[str, Any]], Change]] = {
    "hours": _hours,
    "day": _day,
    "exception": _exception,
    "restore": _restore,
}


@pages.get("/calendar/preview")
@requires(Permission.CALENDAR_MANAGE)
def calendar_preview() -> str | tuple[str, int]:
    """The open cases that a change would move, from when to when, and whose printed promise would be kept."""
    hall = hall_at_desk(g.actor)
    kind = request.args.get("change", "")
    try:
        if kind not in CHANGES:
            raise Refusal("request.not_found")
        change = CHANGES[kind](hall)
    except Refusal as refusal:
        return page_of(hall, form=request.args, error=told(refusal), at=kind), refusal.status
    at, names = now(), {row["code"]: row for row in halls()}
    found = {code: moved_by(code, after, at, SHOWN) for code, after in change.after.items()}
    counts = {name: sum(part[name] for part in found.values()) for name in ("total", "earlier", "later", "kept")}
    items = [{**item, "hall": names[code]} for code, part in found.items() for item in part["items"]]
    items.sort(key=lambda item: item["promised"]["before"] or item["statutory"]["before"] or "9")
    return render_template(
        "admin/calendar_preview.html",
        hall=hall,
        change=change,
        counts=counts,
        items=items[:SHOWN],
        unlooked=sum(part["open"] - part["looked"] for part in found.values()),
        looked=sum(part["looked"] for part in found.values()),
        many_halls=len(found) > 1,
        key=new_key(),
    )
