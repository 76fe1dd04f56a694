"""Pages, one file an audience. This file joins them: templates, static files, preferences, and how a page says no."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from flask import Flask, Response, current_app, g, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_limiter import Limiter

from app.errors import Refusal
from app.now import local, now
from app.people import gate
from app.web import (
    admin,
    agency,
    appointments,
    approver,
    assets,
    batches,
    booking,
    cases,
    citizen,
    clerk,
    filters,
    guide,
    guide_steps,
    home,
    joint,
    kiosk,
    kiosk_offline,
    kiosk_scan,
    ledger,
    manifests,
    pickup,
    queue_statistics,
    reasons,
    reports,
    supervisor,
    supervisor_closing,
    supervisor_signals,
    supervisor_steps,
    whatif,
    window_ledger,
    wording,
)

PAGES = (
    home,
    kiosk,
    kiosk_scan,
    kiosk_offline,
    citizen,
    booking,
    appointments,
    guide,
    guide_steps,
    clerk,
    cases,
    batches,
    pickup,
    joint,
    manifests,
    agency,
    approver,
    supervisor,
    reports,
    queue_statistics,
    window_ledger,
    supervisor_closing,
    supervisor_signals,
    supervisor_steps,
    whatif,
    admin,
)

YEAR_S = 365 * 24 * 3600
PREFERENCES = {
    "lang": ("hall_lang", ("zh", "en")),
    "large": ("hall_large", ("0", "1")),
    "low": ("hall_low", ("0", "1")),
}


def register(app: Flask, limiter: Limiter) -> None:
    """Bring in every audience's pages and what all of them share."""
    app.template_folder = "web/templates"
    filters.init_app(app)
    assets.init_app(app)
    ledger.init_app(app)
    reasons.init_app(app)
    app.jinja_env.globals.update(
        fresh_start=lambda: url_for("kiosk.start", lang="zh", large="0", low="0"),  # the next citizen begins anew
        language_now=lambda: "en" if wording.english() else "zh",
        large_now=large_now,
        low_now=low_now,
        me=home.me,
        now_local=lambda: local(now()),
        same_page=same_page,
    )
    app.extensions["page_limiter"] = limiter
    app.after_request(_keep_preferences)
    for pages in PAGES:
        app.register_blueprint(pages.pages)


def large_now() -> bool:
    """Whether 长辈版 is on: `?large=` beats the cookie."""
    return (request.args.get("large") or request.cookies.get("hall_large")) == "1"


def low_now() -> bool:
    """Whether a kiosk has its controls in the lower half, for who sits in a wheelchair or is small."""
    return (request.args.get("low") or request.cookies.get("hall_low")) == "1"


def same_page(**changes: Any) -> str:
    """The address of this page with some arguments changed; None takes one away.

    After a POST it has no arguments, and is `g.here` or the nearest address above that shows a page.
    """
    arguments = request.args.to_dict() if request.method == "GET" else {}
    kept = {name: value for name, value in {**arguments, **changes}.items() if value is not None}
    path = g.get("here") or "/" + quote(_shown_at()).lstrip("/")  # one slash: two would name another host
    return f"{path}?{urlencode(kept)}" if kept else path


def _shown_at() -> str:
    path, asked = request.path, request.url_rule
    if request.method != "POST" or asked is None:
        return path
    if any(rule.rule == asked.rule and "GET" in (rule.methods or ()) for rule in current_app.url_map.iter_rules()):
        return path
    addresses = current_app.url_map.bind("")
    while path := path.rpartition("/")[0]:
        if addresses.test(path, method="GET"):
            return path
    return "/"


def _keep_preferences(response: Response) -> Response:
    if request.endpoint == "kiosk_offline.shell":  # fetched in both languages to be kept: nobody has chosen one
        return response
    for argument, (cookie, values) in PREFERENCES.items():
        value = request.args.get(argument)
        if value in values and request.cookies.get(cookie) != value:
            response.set_cookie(cookie, value, max_age=YEAR_S, samesite="Lax", httponly=True, secure=request.is_secure)
    return response


def refused(refusal: Refusal) -> Any:
    """The page that says no. htmx gets a banner, a visitor of a staff page the sign-in, everybody else a sentence."""
    sentence = wording.told(refusal)
    if request.headers.get("HX-Request"):
        return render_template("shared/refused_banner.html", sentence=sentence), refusal.status
    kiosk_page = request.path.startswith("/kiosk")
    if refusal.status == 401 and request.method == "GET" and not kiosk_page:
        return redirect(url_for("home.login", next=request.full_path.rstrip("?")))
    if kiosk_page and refusal.status in (401, 403):
        return redirect(url_for("home.pair", kind="kiosk"))
    template = "kiosk/refused.html" if kiosk_page else "shared/refused.html"
    answer = render_template(
        template,
        sentence=sentence,
        title=gettext("没有找到") if refusal.status == 404 else gettext("现在不能这样做"),
        status=refusal.status,
        staff=gate.staff() if "callers" in g else None,
    )
    return answer, refusal.status
