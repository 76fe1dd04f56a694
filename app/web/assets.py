"""Static files: served compressed, named with their version so that browsers keep them, never from another host.

A style sheet that is a list of `@import "part.css";` is sent with its parts in it: many files to write, one to fetch.
"""

from __future__ import annotations

import gzip
import re
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request, send_from_directory, url_for

from app.people.gate import public

ROOT = Path(__file__).parent / "static"
YEAR_S = 365 * 24 * 3600
TEXTS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".json": "application/json"}
IMPORT = re.compile(r'^@import "([^"]+)";$', re.M)
SMALL = 1024  # bytes below which compressing gains nothing


def init_app(app: Flask) -> None:
    """Serve `/static` and give templates `asset(name)`."""
    app.add_url_rule("/static/<path:filename>", "static", _static)
    app.jinja_env.globals["asset"] = asset


def asset(name: str) -> str:
    """The address of a static file, with the time of its last change in it."""
    try:
        version = f"{_newest_ns(ROOT / name):x}"[-10:]
    except FileNotFoundError:
        version = None  # not built yet: the page still works, plainly
    return url_for("static", filename=name, v=version)


@public
def _static(filename: str) -> Response:
    response = send_from_directory(ROOT, filename, conditional=True)
    path = ROOT / filename
    if len(_parts(path)) > 1:
        response = Response(_read(path), mimetype="text/css")
        response.set_etag(f"{_newest_ns(path):x}")
        response.cache_control.no_cache = True
        response.make_conditional(request)
    if request.args.get("v"):
        response.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
    kind = TEXTS.get(path.suffix)
    if response.status_code != 200 or kind is None:
        return response
    response.headers["Vary"] = "Accept-Encoding"
    size = sum(part.stat().st_size for part in _parts(path))
    if request.accept_encodings["gzip"] and size > SMALL and request.method == "GET":
        response.direct_passthrough = False
        response.set_data(_compressed(path, _newest_ns(path)))
        response.headers["Content-Encoding"] = "gzip"
        response.set_etag(f"{response.get_etag()[0]}-gzip")
    return response


def _parts(path: Path) -> tuple[Path, ...]:
    """The files that make up a static file: those a style sheet imports, in their order, or itself alone."""
    return _imported(path, path.stat().st_mtime_ns) if path.suffix == ".css" else (path,)


@lru_cache(maxsize=64)
def _imported(path: Path, _changed_ns: int) -> tuple[Path, ...]:
    return tuple(path.parent / name for name in IMPORT.findall(path.read_text(encoding="utf-8"))) or (path,)


def _read(path: Path) -> bytes:
    return b"".join(part.read_bytes() for part in _parts(path))


def _newest_ns(path: Path) -> int:
    return max(file.stat().st_mtime_ns for file in (path, *_parts(path)))


@lru_cache(maxsize=64)
def _compressed(path: Path, _changed_ns: int) -> bytes:
    return gzip.compress(_read(path), compresslevel=6, mtime=0)
