"""The pages of the hall's screens: the main board (or one zone's), the bar over a window, and the clips they speak.

A page draws the frame it was born with and lives on Socket.IO from then on. Whether somebody may watch, and what the
board shows, is handed in by whoever puts the rooms together.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import (
    Blueprint,
    Response,
    abort,
    make_response,
    redirect,
    render_template,
    request,
    send_from_directory,
)
from werkzeug.wrappers import Response as AnyResponse

from displays import voice

DEFAULT_CLIPS = Path(__file__).parent / "static" / "vendor" / "clips"
LANGUAGES = {"zh": ("zh",), "zh-en": ("zh", "en"), "off": ()}

WATCH = frozenset({"screen:read"})
ANYONE: frozenset[str] = frozenset()


def screens_blueprint(
    board: Callable[[str], dict[str, Any]],
    may_watch: Callable[[str], str | None],
    recordings: Path | None = None,
) -> Blueprint:
    """The blueprint of all screens.

    `board(hall)` is the present frame; it raises what the app turns into 404 for a hall that does not exist.
    `may_watch(hall)` is the token with which the page opens Socket.IO and asks for the board, "" when the visitor's
    cookies open both, or None: then the visitor is sent to pair the device. `recordings` is a folder whose WAV files
    stand in for clips of the same name.
    """
    pages = Blueprint(
        "screens",
        __name__,
        static_folder="static",
        static_url_path="/screens/static",
        template_folder="templates",
    )

    def page(template: str, hall: str, **facts: Any) -> AnyResponse:
        token = may_watch(hall)
        if token is None:
            return redirect("/pair?next=" + quote(request.full_path.rstrip("?"), safe="/"))
        frame = board(hall)
        _find(frame, facts)
        answer = make_response(render_template(f"displays/{template}", hall=hall, token=token, frame=frame, **facts))
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @pages.get("/screens/<hall>/board")
    def main_board(hall: str) -> AnyResponse:
        spoken = request.args.get("voice", "zh")
        return page(
            "board.html",
            hall,
            zone=request.args.get("zone") or None,
            languages=LANGUAGES.get(spoken, LANGUAGES["zh"]),
            ladder=[[least, step.repeats, step.short] for least, step in voice.LADDER],
            bank=sorted(voice.BANK),
        )

    @pages.get("/screens/<hall>/window/<code>")
    def window_bar(hall: str, code: str) -> AnyResponse:
        return page("window.html", hall, window=code)

    @pages.get("/screens/clips/<name>.wav")
    def clip(name: str) -> Response:
        if name not in voice.BANK:
            abort(404)
        file = f"{name}.wav"
        own = recordings is not None and (recordings / file).is_file()
        folder = recordings if own else DEFAULT_CLIPS
        return send_from_directory(folder, file, mimetype="audio/wav", max_age=3600)  # type: ignore[arg-type]

    # what each route demands; read by the test that walks the URL map, held by `may_watch`
    main_board.demands = window_bar.demands = WATCH  # type: ignore[attr-defined]
    clip.demands = ANYONE  # type: ignore[attr-defined]
    return pages


def _find(frame: dict[str, Any], facts: dict[str, Any]) -> None:
    """404 for a zone or window that the hall does not have: a screen set up wrongly must not look like an idle one."""
    zone, window = facts.get("zone"), facts.get("window")
    if zone is not None and all(z["zone"] != zone for z in frame["zones"]):
        abort(404)
    if window is not None and all(w["code"] != window for w in frame["windows"]):
        abort(404)
