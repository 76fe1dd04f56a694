"""The pickup window: one field finds a case, results arrive on their shelf, and go to the right hands or by courier."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from app.casework.delivery import (
    CAME_BACK,
    come_back,
    dispatch_case,
    hand_over,
    next_shelf,
    ready_case,
    sign_delivery,
)
from app.casework.inbox import inbox, pickup_list, unsigned
from app.casework.joint_queries import find_joint_by_token, joint_number
from app.casework.levels_queries import works_with
from app.casework.queries import case_view, find_by_query_token
from app.casework.rules.states import PICKUP
from app.catalog.queries import courier_zones
from app.db import db
from app.errors import Refusal
from app.events import Actor
from app.hall.queries import schedule
from app.hall.rules.calendar import CalendarUnknown
from app.hall.rules.hours import Schedule
from app.now import local_day, now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing.queries import window_of_staff, windows_of_hall
from app.web import receiving, wording
from app.web.case_history import paper_title
from app.web.cases import own_case, whole_of
from app.web.desk import staff_of_hall
from app.web.forms import new_key, once

pages = Blueprint("pickup", __name__, url_prefix="/pickup")

STEPS = {
    "ready": ready_case,
    "hand-over": hand_over,
    "dispatch": dispatch_case,
    "sign": sign_delivery,
    "come-back": come_back,
}
AGES = ((10, "bad"), (7, "yellow"), (3, "warn"))  # working days unclaimed → tone (DOMAIN C13)
SHORTEST = 4  # characters below which a search would find half the hall
_JOINT = re.compile(r"\b[A-Z]{1,8}YJ\d{12}\b")  # the number of a one-thing case: its results go out together
_LINK = re.compile(r"/c/([A-Za-z0-9_-]{16,128})(?:[/?#].*)?$")


def clerk() -> tuple[Actor, str]:
    """Who hands out, and in which hall. Refuses auth.required, auth.forbidden, auth.foreign_hall (staff of no one hall)."""
    return staff_of_hall(Permission.CASE_HAND_OVER)


def unclaimed_days(since: date, today: date, calendar: Schedule) -> int:
    """Working days after `since` up to and with `today`; of a year without a calendar, its weekdays."""
    count, day = 0, since
    while day < today:
        day += timedelta(days=1)
        try:
            count += calendar.is_working(day)
        except CalendarUnknown:
            count += day.isoweekday() < 6
    return count


def _aged(row: dict[str, Any], at: datetime, calendar: Schedule) -> dict[str, Any]:
    since = datetime.fromisoformat(row["since"])
    days = unclaimed_days(local_day(since), local_day(at), calendar)
    return {**row, "days": days, "tone": next((tone for least, tone in AGES if days >= least), "")}


def _desk(**more: Any) -> str:
    actor, hall = clerk()
    at = now()
    windows = [window for window in windows_of_hall(hall) if window["kind"] == "pickup"]
    mine = window_of_staff(hall, actor.id)
    rows = pickup_list(hall, at)
    calendar = schedule(hall)
    waiting = [_aged(row, at, calendar) for row in rows if row["state"] != "granted"]
    return render_template(
        "pickup/desk.html",
        **{"found": None, "q": "", "error": "", **more},
        windows=windows,
        mine=next((window for window in windows if window["code"] == mine), None),
        arriving=[row for row in rows if row["state"] == "granted"],
        waiting=waiting,
        sent=unsigned(hall, at),
        shelf=next_shelf(db.session(), hall),
        late={days: sum(row["days"] >= days for row in waiting) for days in (3, 10)},
        key=new_key,
    )


@pages.get("")
@requires(Permission.CASE_HAND_OVER)
def desk() -> str:
    """The field, what arrives and what waits to be collected."""
    return _desk()


@pages.post("/find")
@requires(Permission.CASE_HAND_OVER)
def find() -> str | tuple[str, int] | Response:
    """The case of a scanned or typed text: receipt number, QR code, or ID number (posted, so that no address holds one)."""
    _actor, hall = clerk()
    q = request.form.get("q", "").strip()[:200]
    whole = _whole(q)
    if whole:
        return redirect(url_for("joint.page", number=whole), code=303)
    try:
        rows = _matches(q, hall)
    except Refusal as refusal:
        return _desk(q="", error=wording.told(refusal)), refusal.status
    if len(rows) == 1:
        return redirect(url_for("pickup.case", number=rows[0]["number"]), code=303)
    return _desk(found=rows, q=q if q.isascii() and len(q) < 18 else "")


def _whole(q: str) -> str | None:
    """The number of the one-thing case whose receipt was scanned or typed; None for anything else."""
    number, link = _JOINT.search(q.upper()), _LINK.search(q)
    if number:
        return number[0]
    try:
        return joint_number(*find_joint_by_token(link[1])) if link else None
    except Refusal:
        return None


def _matches(q: str, hall: str) -> list[dict[str, Any]]:
    link = _LINK.search(q)
    if link:
        where, case_id = find_by_query_token(link[1])
        if not works_with(hall, where, case_id):
            raise Refusal("auth.foreign_hall")
        return [case_view(where, case_id, now())]
    if len(q) < SHORTEST:
        raise Refusal("request.invalid", detail=gettext("请扫码，或输入完整的编号或证件号"))
    rows = inbox(at=now(), hall=hall, q=q)["items"]
    return sorted(rows, key=lambda row: row["state"] not in PICKUP)


def _case_page(number: str, **more: Any) -> str:
    actor, hall = clerk()
    where, case_id = own_case(number, actor)
    view = case_view(where, case_id, now())
    return render_template(
        "pickup/case.html",
        **{"form": {}, "step": "", "error": "", "error_field": "", **more},
        case=view,
        whole=whole_of(where, case_id),
        shelf=view["result"]["shelf"] or next_shelf(db.session(), hall),
        zones=courier_zones(),
        came_back=CAME_BACK,
        today=local_day(now()).isoformat(),
        paper_title=paper_title,
        key=new_key,
    )


@pages.get("/cases/<number>")
@requires(Permission.CASE_HAND_OVER)
def case(number: str) -> str:
    """One case at the window: whose it is, where it lies, to whom it goes."""
    return _case_page(number)


_AT_FIELD = {"case.courier_zone": "zone", "case.sign_date": "signed_on"}


@pages.post("/cases/<number>/<step>")
@requires(Permission.CASE_HAND_OVER)
def take(number: str, step: str) -> tuple[str, int] | Response:
    """Put on the shelf, hand over or send. What is refused comes back with what was typed."""
    if step not in STEPS:
        raise Refusal("request.not_found")
    actor, _hall = clerk()
    hall, case_id = own_case(number, actor)
    if step == "hand-over" and (lacking := receiving.missing(number)):
        error, field = lacking
        return _case_page(number, form=request.form, step=step, error=error, error_field=field), 422
    try:
        with once(actor):
            view = STEPS[step](hall=hall, actor=actor, at=now(), case_id=case_id, **_read(step))
    except Refusal as refusal:
        at_field = receiving.at_field(refusal) or _AT_FIELD.get(refusal.code, "")
        if refusal.status not in (409, 422) and not at_field:
            raise
        at_field = at_field or str(refusal.facts.get("field", ""))
        page = _case_page(number, form=request.form, step=step, error=wording.told(refusal), error_field=at_field)
        return page, refusal.status
    flash(_done(step, view), "ok")
    by_hand = step == "dispatch" or (step == "hand-over" and not view["delivery"]["signed"])
    where = url_for("pickup.case", number=number) if by_hand else url_for("pickup.desk")  # there its paper is printed
    return make_response(redirect(where, code=303))


def _read(step: str) -> dict[str, Any]:
    fields = request.form
    if step == "ready":
        return {"shelf": fields.get("shelf", "")}
    if step == "come-back":
        return {"reason": fields.get("reason", ""), "shelf": fields.get("shelf", "")}
    if step == "dispatch":
        words = {name: fields.get(name, "") for name in ("carrier", "tracking_number")}
        return words | {name: fields.get(name, "").strip() or None for name in ("zone", "address")}
    if step == "sign":
        return {"receiver": fields.get("receiver", ""), "signed_on": _day(fields.get("signed_on", ""))}
    return receiving.given()


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Refusal("case.sign_date") from None


def _done(step: str, view: dict[str, Any]) -> str:
    named = {"number": view["number"], "name": view["applicant"]["name"]}
    if step == "ready":
        return gettext("%(number)s 已到窗，可以领取", **named)
    if step == "dispatch":
        return gettext("%(number)s 已寄出（%(name)s）", **named)
    if step == "sign":
        return gettext("%(number)s 已签收（%(name)s）", **named)
    if step == "come-back":
        shelf = view["result"]["shelf"]
        return gettext("%(number)s 已登记退件，放在 %(shelf)s，可以再领取或重新寄出", **named, shelf=shelf)
    return gettext("%(number)s 已交付（%(name)s）", **named)
