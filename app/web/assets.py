"""Static files: served compressed, named with their version so that browsers keep them, never from another host."""

from __future__ import annotations

import gzip
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request, send_from_directory, url_for

from app.people.gate import public

ROOT = Path(__file__).parent / "static"
YEAR_S = 365 * 24 * 3600
TEXTS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".json": "application/json"}
SMALL = 1024  # bytes below which compressing gains nothing


def init_app(app: Flask) -> None:
    """Serve `/static` and give templates `asset(name)`."""
    app.add_url_rule("/static/<path:filename>", "static", _static)
    app.jinja_env.globals["asset"] = asset


def asset(name: str) -> str:
    """The address of a static file, with the time of its last change in it."""
    try:
        version = f"{(ROOT / name).stat().st_mtime_ns:x}"[-10:]
    except FileNotFoundError:
        version = None  # not built yet: the page still works, plainly
    return url_for("static", filename=name, v=version)


@public
def _static(filename: str) -> Response:
    response = send_from_directory(ROOT, filename, conditional=True)
    if request.args.get("v"):
        response.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
    path = ROOT / filename
    kind = TEXTS.get(path.suffix)
    if response.status_code != 200 or kind is None:
        return response
    response.headers["Vary"] = "Accept-Encoding"
    if request.accept_encodings["gzip"] and path.stat().st_size > SMALL and request.method == "GET":
        response.direct_passthrough = False
        response.set_data(_compressed(path, path.stat().st_mtime_ns))
        response.headers["Content-Encoding"] = "gzip"
        response.set_etag(f"{response.get_etag()[0]}-gzip")
    return response


@lru_cache(maxsize=64)
def _compressed(path: Path, _changed_ns: int) -> bytes:
    return gzip.compress(path.read_bytes(), compresslevel=6, mtime=0)
