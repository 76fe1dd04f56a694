"""The front page, signing in and out, pairing a browser as a device, and the demo's own corner."""

from __future__ import annotations

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, flash, g, make_response, redirect, render_template, request, session, url_for
from flask_babel import gettext, lazy_gettext
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.db import db
from app.errors import Refusal
from app.events import SYSTEM, Actor
from app.hall.queries import hall as hall_of
from app.hall.queries import halls
from app.now import now
from app.people import gate
from app.people.devices import hall_of_code, next_device_id, pair_device, register_device
from app.people.gate import DEVICE_COOKIE, SESSION_COOKIE, public
from app.people.models import Staff
from app.people.permissions import ROLES, Permission
from app.people.sessions import check_password, close_session, open_session
from app.queueing.queries import queues_of_hall, windows_of_hall
from app.web import wording
from app.web.forms import limited, safe_next, settings
from app.web.opening import open_now

pages = Blueprint("home", __name__)

_ = lazy_gettext
DEVICE_COOKIE_S = 400 * 24 * 3600  # the longest that browsers keep a cookie

# who may do this works at that desk; the first that fits is where one lands after signing in
DESKS: tuple[tuple[Permission, str, str, str, Any], ...] = (
    (Permission.STAFF_MANAGE, "admin", "/admin", "settings", _("系统管理")),
    (Permission.CASE_ACCEPT, "clerk", "/clerk", "device-desktop", _("窗口")),
    (Permission.CASE_HAND_OVER, "pickup", "/pickup", "package", _("出件")),
    (Permission.CASE_DECIDE, "approver", "/approver", "clipboard-check", _("审批")),
    (Permission.HALL_WATCH, "supervisor", "/supervisor", "chart-bar", _("督办")),
    (Permission.TICKET_ISSUE, "guide", "/guide", "help-circle", _("导办")),
    (Permission.CASE_ACCEPT, "joint", "/joint", "list-check", _("一件事")),
    (Permission.CASE_EXTEND_JOINT, "joint", "/joint", "list-check", _("一件事")),
    (Permission.CASE_ACCEPT, "manifests", "/manifests", "transfer", _("交接")),
    (Permission.CASE_HAND_OVER, "manifests", "/manifests", "transfer", _("交接")),
    (Permission.AGENCY_HANDLE, "agency", "/agency", "heart-handshake", _("代办")),
)


def me() -> dict[str, Any] | None:
    """Who is signed in, for the bar of staff pages: name, role, hall and the desks that are theirs."""
    actor = gate.staff() if "callers" in g else None
    if actor is None:
        return None
    if "me" not in g:
        row = db.session.execute(select(Staff.name, Staff.roles).where(Staff.id == actor.id)).one()
        roles = [ROLES[role][1 if wording.english() else 0] for role in row.roles if role in ROLES]
        g.me = {
            "name": row.name,
            "username": actor.name,
            "role": gettext("、").join(roles),
            "hall": actor.hall,
            "hall_name": wording.named(hall_of(actor.hall)) if actor.hall else "",
            "department": actor.department,
            "desks": [
                {"tab": tab, "href": href, "icon": icon, "name": str(name)}
                for tab, href, icon, name in dict.fromkeys(desk[1:] for desk in DESKS if actor.may(desk[0]))
            ],
        }
    return g.me


def desk_of(actor: Actor) -> str:
    """The page of the actor's work; the front page for who has none."""
    return next((href for permission, _tab, href, _icon, _name in DESKS if actor.may(permission)), "/")


@pages.get("/")
@public
def front() -> str:
    """The halls of the network and what one can do in them."""
    at = now()
    rows = []
    for hall in halls():
        queues = queues_of_hall(hall["code"], at)
        rows.append(
            {
                **hall,
                "open": open_now(hall["code"], at),
                "waiting": sum(queue["waiting"] for queue in queues),
                "windows_open": sum(window["state"] == "open" for window in windows_of_hall(hall["code"])),
            }
        )
    demo = settings().demo
    accounts = _demo_accounts() if demo else []
    password = settings().demo_password if demo and _at_this_machine() else ""
    may_watch = any(caller.may(Permission.SCREEN_READ) for caller in g.callers)
    return render_template(
        "home/front.html", halls=rows, demo=demo, accounts=accounts, password=password, may_watch=may_watch
    )


def _demo_accounts() -> list[dict[str, Any]]:
    """One account of each role and hall: enough to look around."""
    seen: set[tuple[str, str | None]] = set()
    accounts = []
    for row in db.session.execute(select(Staff).where(Staff.active).order_by(Staff.username)).scalars():
        role = row.roles[0] if row.roles else ""
        if role in ROLES and (role, row.hall) not in seen:
            seen.add((role, row.hall))
            hall = wording.named(hall_of(row.hall)) if row.hall else ""
            role_name = ROLES[role][1 if wording.english() else 0]
            accounts.append(
                {"username": row.username, "role": role_name, "order": list(ROLES).index(role), "hall": hall}
            )
    return sorted(accounts, key=lambda account: (account["order"], account["username"]))


def _at_this_machine() -> bool:
    """Whether server, address and every proxy named are loopback, so that nobody else can be looking.

    The name of the host counts too: a foreign site may point its own name at 127.0.0.1.
    """
    named = [request.remote_addr or "", settings().bind, urlsplit(f"//{request.host}").hostname or ""]
    named += re.split(
        r"[,\s]+", ",".join(request.headers.getlist("X-Forwarded-For") + request.headers.getlist("X-Real-IP"))
    )
    return all(_loopback(name) for name in named if name) and "Forwarded" not in request.headers


def _loopback(name: str) -> bool:
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


# ── signing in and out ──────────────────────────────────────────────────────────────────────────────────────────


@pages.get("/login")
@public
def login() -> str | AnyResponse:
    actor = gate.staff()
    if actor is not None and not request.args.get("next"):
        return redirect(desk_of(actor))
    return _login_page()


def _login_page(error: str = "", username: str = "") -> str:
    wish = safe_next(request.values.get("next"), "")
    return render_template("home/login.html", error=error, username=username, next=wish)


@pages.post("/login")
@public
def sign_in() -> tuple[str, int] | AnyResponse:
    """Open a session and go to the desk. An old session of this browser ends: a token never outlives its sign-in."""
    username = request.form.get("username", "").strip()[:60]
    limited(settings().login_limit, username)
    try:
        actor = check_password(username, request.form.get("password", "")[:200])
    except Refusal as refusal:
        return _login_page(refusal.sentence("en" if wording.english() else "zh"), username), refusal.status
    old = request.cookies.get(SESSION_COOKIE)
    if old:
        close_session(actor=gate.staff() or actor, at=now(), token=old)
    opened = open_session(actor=actor, at=now(), hours=settings().session_hours)
    session.clear()
    response = make_response(redirect(safe_next(request.form.get("next"), desk_of(actor))))
    _give_cookie(response, SESSION_COOKIE, opened["token"], settings().session_hours * 3600)
    return response


@pages.post("/logout")
@public
def sign_out() -> AnyResponse:
    token, actor = request.cookies.get(SESSION_COOKIE), gate.staff()
    if token and actor:
        close_session(actor=actor, at=now(), token=token)
    session.clear()
    flash(gettext("您已退出"), "ok")
    response = make_response(redirect(url_for("home.login")))
    response.delete_cookie(SESSION_COOKIE, samesite="Lax", httponly=True)
    return response


def _give_cookie(response: Response, name: str, token: str, seconds: int) -> None:
    secure = settings().secure_cookies
    response.set_cookie(name, token, max_age=seconds, httponly=True, samesite="Lax", secure=secure)


# ── devices ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pages.get("/pair")
@public
def pair() -> str:
    """Where a kiosk or a screen is told its six figures."""
    return render_template("home/pair.html", error="")


@pages.post("/pair")
@public
def pair_with_code() -> tuple[str, int] | AnyResponse:
    limited(settings().login_limit)
    code = re.sub(r"\D", "", request.form.get("code", ""))[:6]
    try:
        hall = hall_of_code(code)
        device = pair_device(hall=hall, actor=SYSTEM, at=now(), code=code)
    except Refusal as refusal:
        sentence = refusal.sentence("en" if wording.english() else "zh")
        return render_template("home/pair.html", error=sentence), refusal.status
    return _device_answer(hall, device["kind"], device["token"])


def _device_answer(hall: str, kind: str, token: str) -> AnyResponse:
    response = make_response(redirect(url_for("kiosk.start") if kind == "kiosk" else f"/screens/{hall}/board"))
    _give_cookie(response, DEVICE_COOKIE, token, DEVICE_COOKIE_S)
    return response


@pages.post("/demo/pair")
@public
def demo_pair() -> AnyResponse:
    """In the demo only: make this browser a kiosk or a board of a hall. Refuses request.not_found elsewhere."""
    if not settings().demo:
        raise Refusal("request.not_found")
    limited(settings().ticket_limit)
    hall, kind = hall_of(request.form.get("hall", ""))["code"], request.form.get("kind", "")
    if kind not in ("kiosk", "screen"):
        raise Refusal("device.kind")
    name = gettext("演示取号机") if kind == "kiosk" else gettext("演示大屏")
    device = register_device(
        hall=hall, actor=SYSTEM, at=now(), device_id=next_device_id(), kind=kind, name=name, pairing_minutes=0
    )
    return _device_answer(hall, kind, device["token"])
