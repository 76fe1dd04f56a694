"""Administration of time: the calendar in force and its notices, exceptional hours, and what would be due if accepted now."""

from __future__ import annotations

from calendar import Calendar
from collections.abc import Callable
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app.errors import Refusal
from app.hall.queries import calendar as calendar_in_force
from app.hall.queries import exceptions, schedule
from app.hall.rules.calendar import CalendarUnknown, WorkCalendar
from app.hall.rules.clock import DeadlineTooFar, Limit, Unit, reckon
from app.hall.rules.hours import OpeningHours, Schedule
from app.hall.rules.ledger import explain
from app.hall.settings import add_exception, amend_calendar, remove_exception, set_hours
from app.now import iso, local, local_day, now
from app.people.gate import requires
from app.people.permissions import Permission
from app.web import times, wording
from app.web.admin_parts import pages
from app.web.desk import hall_at_desk, hall_choices, instant, sentence, whole
from app.web.forms import once

MOST = 366  # units of a limit that somebody tries out
KINDS = ("closure", "session")
FORMS = ("hours", "exception", "day")


def page_of(hall: dict[str, Any], *, form: Any = None, error: str = "", at: str = "") -> str:
    """The page; after a refusal with what was typed and its sentence beside the form `at` which it belongs."""
    in_force, today = calendar_in_force(), local_day(now())
    years = sorted(in_force.years)
    wish = whole(request.args.get("year"))
    year = wish if wish in years else today.year if today.year in years else (years[-1] if years else None)
    trial, hours, tomorrow = _trial(hall["code"]), schedule(hall["code"]), today + timedelta(days=1)
    return render_template(
        "admin/calendar.html",
        hall=hall,
        halls=hall_choices(g.actor),
        calendar=in_force,
        years=years,
        year=year,
        this_year=today.year,
        today=today,
        months=_months(in_force, year) if year else [],
        festivals=_runs(in_force.days_off, year) if year else [],
        makeup=[(day, name) for day, name in in_force.makeup.items() if day.year == year],
        exceptions=exceptions(hall["code"]),
        hours_text=hours_text(hours.hours_on(tomorrow)),
        hours_to_come=_hours_to_come(hours, today),
        tomorrow=tomorrow,
        whole_network=g.actor.hall is None,
        forms={**{each: {} for each in FORMS}, at: form or {}},
        errors={at: error},
        trial=trial,
        units=list(Unit),
    )


def hours_text(hours: OpeningHours) -> str:
    """Daily hours as they are typed: "08:30-12:00 13:30-18:00"."""
    return " ".join("-".join(pair) for pair in hours.to_json())


def _hours_to_come(hours: Schedule, today: date) -> list[dict[str, Any]]:
    """Changes of the daily hours that lie ahead, each with the hours that hold until then."""
    return [
        {"from": day, "hours": after.to_json(), "before": hours_text(hours.hours_on(day - timedelta(days=1)))}
        for day, after in hours.later_hours
        if day > today
    ]


def _months(in_force: WorkCalendar, year: int) -> list[dict[str, Any]]:
    """Twelve months of weeks from Monday; a day is (date, code, name), None outside the month."""
    weeks = Calendar(firstweekday=0)
    return [
        {
            "month": date(year, month, 1),
            "weeks": [
                [(day, *in_force.reason(day)) if day.month == month else None for day in week]
                for week in weeks.monthdatescalendar(year, month)
            ],
        }
        for month in range(1, 13)
    ]


def _runs(days_off: Any, year: int) -> list[dict[str, Any]]:
    """The days off of a year as spans of one name."""
    days = [(day, name) for day, name in days_off.items() if day.year == year]
    spans = groupby(enumerate(days), key=lambda pair: (pair[1][0] - timedelta(days=pair[0]), pair[1][1]))
    runs = []
    for (_start, name), members in spans:
        dates = [day for _n, (day, _name) in members]
        runs.append({"name": name, "from": dates[0], "to": dates[-1], "days": len(dates)})
    return runs


def _trial(hall: str) -> dict[str, Any]:
    """What the form of the tester asked and what came out: the due instant and the ledger behind it, or a sentence."""
    given = {
        "start": request.args.get("start", "")[:30] or local(now()).strftime("%Y-%m-%dT%H:%M"),
        "limit": request.args.get("limit", "")[:5] or "5",
        "unit": request.args.get("unit", Unit.WD.value),
    }
    trial: dict[str, Any] = {"given": given, "clock": None, "ledger": [], "error": ""}
    if "limit" not in request.args:
        return trial
    try:
        start = instant(given["start"], gettext("受理时间"))
        amount = whole(given["limit"])
        if not 1 <= amount <= MOST or given["unit"] not in set(Unit):
            raise Refusal("request.invalid", detail=gettext("时限应为 1–%(most)s", most=MOST))
        limit, hours = Limit(amount, Unit(given["unit"])), schedule(hall)
        found = reckon(start, limit, [], hours)
        trial["clock"] = {
            "limit": {"amount": amount, "unit": limit.unit.value},
            "unit": "day" if limit.unit.in_days else "minute",
            "due_at": iso(found.due_at),
            "stopped": False,
        }
        trial["ledger"] = [row.to_dict() for row in explain(start, limit, [], hours)]
    except Refusal as refusal:
        trial["error"] = sentence(refusal)
    except (CalendarUnknown, DeadlineTooFar) as error:
        trial["error"] = sentence(Refusal("deadline.invalid", detail=str(error)[:120]))
    return trial


@pages.get("/calendar")
@requires(Permission.CALENDAR_MANAGE)
def calendar() -> str:
    """The calendar in force, one year of it, the hall's exceptions, the tester."""
    return page_of(hall_at_desk(g.actor))


@pages.post("/calendar/exceptions")
@requires(Permission.CALENDAR_MANAGE)
def calendar_except() -> tuple[str, int] | AnyResponse:
    """Shut the hall exceptionally, or open it for a voluntary session."""
    form = request.form

    def change(hall: dict[str, Any]) -> None:
        kind = form.get("kind", "")
        if kind not in KINDS:
            raise Refusal("request.invalid", detail=gettext("请选择闭厅或延时服务"))
        begin, end = instant(form.get("from"), gettext("开始时间")), instant(form.get("to"), gettext("结束时间"))
        span = {"from_at": begin, "to_at": end, "opens": kind == "session", "reason": form.get("reason", "")}
        add_exception(hall=hall["code"], actor=g.actor, at=now(), **span)

    return _done(change, at="exception")


@pages.post("/calendar/exceptions/<int:exception_id>/remove")
@requires(Permission.CALENDAR_MANAGE)
def calendar_restore(exception_id: int) -> tuple[str, int] | AnyResponse:
    """Take an exceptional closure or session back."""

    def change(hall: dict[str, Any]) -> None:
        remove_exception(hall=hall["code"], actor=g.actor, at=now(), exception_id=exception_id)

    return _done(change, at="restore")


@pages.post("/calendar/hours")
@requires(Permission.CALENDAR_MANAGE)
def calendar_hours() -> tuple[str, int] | AnyResponse:
    """Change the hall's daily hours from a day on, as previewed."""
    form = request.form

    def change(hall: dict[str, Any]) -> None:
        wish = {"hours": form.get("hours", ""), "from_on": day_asked(form.get("from")), "seen": form.get("seen")}
        set_hours(hall=hall["code"], actor=g.actor, at=now(), **wish)

    return _done(change, at="hours")


@pages.post("/calendar/days")
@requires(Permission.CALENDAR_MANAGE)
def calendar_day() -> tuple[str, int] | AnyResponse:
    """Change one day of the calendar for the whole network, as previewed."""
    form = request.form

    def change(_hall: dict[str, Any]) -> None:
        wish = {name: form.get(name, "") for name in ("kind", "name", "notice")}
        amend_calendar(actor=g.actor, at=now(), day=day_asked(form.get("day")), seen=form.get("seen"), **wish)

    return _done(change, at="day")


def _done(change: Callable[[dict[str, Any]], Any], at: str) -> tuple[str, int] | AnyResponse:
    """Make a change once, and go back to the page; a refusal is said beside the form `at` which it was asked for."""
    hall = hall_at_desk(g.actor)
    try:
        with once(g.actor):
            change(hall)
    except Refusal as refusal:
        return page_of(hall, form=request.form, error=told(refusal), at=at), refusal.status
    flash(gettext("已生效，在办件的时限会随之重算；已经印出的承诺日期不会推后"), "ok")
    return redirect(url_for("admin.calendar", hall=hall["code"]), code=303)


def day_asked(text: str | None) -> date:
    """A day that a date field gave. Refuses request.invalid."""
    try:
        return date.fromisoformat((text or "").strip())
    except ValueError:
        raise Refusal("request.invalid", detail=gettext("请填写日期")) from None


def told(refusal: Refusal) -> str:
    """The sentence, with the field of a text refusal by its name on the page."""
    names = {"reason": gettext("原因"), "name": gettext("名称"), "notice": gettext("依据的通知")}
    if refusal.facts.get("field") in names:
        refusal.facts["field"] = names[refusal.facts["field"]]
    return sentence(refusal)


@pages.app_template_filter("weekday")
def weekday(number: int) -> str:
    """The name of a day of the week, 1 Monday … 7 Sunday."""
    return str(times.WEEKDAYS[number - 1])


@pages.app_template_filter("month_name")
def month_name(day: date) -> str:
    """11月 or November."""
    return f"{day:%B}" if wording.english() else f"{day.month}月"


@pages.app_template_global()
def weekday_letters() -> list[str]:
    """The heads of a month's columns, Monday first."""
    return ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"] if wording.english() else list("一二三四五六日")
