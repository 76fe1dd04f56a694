"""Makes the app: settings in, a Flask application out. No business lives here."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Flask, Response, g, jsonify, make_response, request
from flask_babel import Babel, get_locale
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from app import api, cli, db, privacy, web
from app.config import Settings
from app.errors import Refusal
from app.people import gate

LANGUAGES = ("zh", "en")
csrf = CSRFProtect()
limiter = Limiter(get_remote_address, headers_enabled=True)

_HTTP_CODES = {
    400: "request.invalid",
    404: "request.not_found",
    405: "request.method",
    413: "request.too_large",
    415: "request.media_type",
    429: "request.too_many",
}


class Id(IntegerConverter):
    """A number in an address that a database can hold; a longer one leads nowhere."""

    def __init__(self, map: Map, *arguments: Any, max: int | None = 2**31 - 1, **more: Any) -> None:
        super().__init__(map, *arguments, max=max, **more)


def create_app(settings: Settings) -> Flask:
    """The application with every room of `app/` in it. Screens and printers are added above it, in wsgi.py."""
    app = Flask("app", static_folder=None)
    app.url_map.converters["int"] = Id
    app.extensions["settings"] = settings
    privacy.use_keys(settings.secret_key, settings.secret_key_fallbacks)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SECRET_KEY_FALLBACKS=list(settings.secret_key_fallbacks),
        MAX_CONTENT_LENGTH=256 * 1024,
        MAX_FORM_MEMORY_SIZE=256 * 1024,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,  # checked below: a Bearer token cannot be sent by another site's form
        BABEL_DEFAULT_LOCALE="zh",
        BABEL_TRANSLATION_DIRECTORIES="translations",
        RATELIMIT_STORAGE_URI=settings.redis_url or "memory://",
        RATELIMIT_IN_MEMORY_FALLBACK_ENABLED=True,
        JSON_SORT_KEYS=False,
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    if settings.proxy_hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxy_hops, x_proto=settings.proxy_hops)  # type: ignore[method-assign]
    db.init_app(app, settings)
    Babel(app, locale_selector=_language)
    csrf.init_app(app)
    limiter.init_app(app)
    gate.init_app(app)
    app.before_request(_check_csrf)
    app.after_request(_headers)
    app.context_processor(lambda: {"csp_nonce": csp_nonce, "language": _language()})
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(CSRFError, lambda _error: _refused(Refusal("request.csrf")))
    app.register_error_handler(HTTPException, _http_error)
    api.register(app, limiter)
    web.register(app, limiter)
    cli.register(app)
    return app


def _language() -> str:
    """`?lang=` beats the cookie, the cookie beats the browser; Chinese otherwise."""
    for wish in (request.args.get("lang"), request.cookies.get("hall_lang")):
        if wish in LANGUAGES:
            return wish
    return request.accept_languages.best_match(["zh", "zh-CN", "en"], "zh")[:2]


def csp_nonce() -> str:
    """The nonce of this response's Content-Security-Policy, for the few inline tags that templates need."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return g.csp_nonce


def _check_csrf() -> None:
    if gate.bearer() is None and not request.path.startswith("/api/"):
        csrf.protect()


def _headers(response: Response) -> Response:
    nonce = f"'nonce-{g.csp_nonce}'" if "csp_nonce" in g else ""
    policy = (
        f"default-src 'self'; script-src 'self' {nonce}; style-src 'self' {nonce}; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    )
    for name, value in {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    }.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if not (request.endpoint or "").endswith("static"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def wants_json() -> bool:
    """Whether the answer to this request is for a program."""
    return request.path.startswith(("/api/", "/openapi", "/healthz", "/readyz", "/metrics"))


def _refused(refusal: Refusal) -> Any:
    if not wants_json():
        return web.refused(refusal)
    return problem(refusal)


def problem(refusal: Refusal) -> Response:
    """RFC 9457 problem details with our stable `code`."""
    language = str(get_locale() or "zh")
    response = jsonify(
        {
            "type": f"/problems#{refusal.code}",
            "title": refusal.sentence(language),
            "status": refusal.status,
            "code": refusal.code,
            **({"facts": refusal.facts} if refusal.facts else {}),
        }
    )
    response.status_code = refusal.status
    response.mimetype = "application/problem+json"
    if refusal.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if refusal.status == 503:
        response.headers["Retry-After"] = "1"
    return response


def _http_error(error: HTTPException) -> Any:
    if error.code is None or error.code < 400:
        return error
    if error.code == 429 and (response := getattr(error, "response", None)) is not None:
        return response
    if error.code >= 500:
        return _refused(Refusal("server.failed"))  # what happened is in the log, never in the answer
    code = _HTTP_CODES.get(error.code, "request.invalid")
    answer = make_response(_refused(Refusal(code, detail=error.description or error.name)))
    if methods := getattr(error, "valid_methods", None):
        answer.headers["Allow"] = ", ".join(sorted(methods))
    return answer
