"""Puts the rooms together: the pages and the API with the screens, and the live gateway."""

from __future__ import annotations

import gc
from typing import Any

from flask import Flask, g

from app.config import Settings
from app.factory import create_app
from app.people.permissions import Permission
from app.queueing.forecasts import in_background
from app.realtime import Bus, Gateway
from displays.screens import screens_blueprint
from workers.bare import bare_app
from workers.board import Boards, board_blueprint


def web(settings: Settings) -> Flask:
    """Everything that answers HTTP."""
    app = create_app(settings)
    board = Boards()
    app.register_blueprint(board_blueprint(board))
    app.register_blueprint(screens_blueprint(board, _may_watch, settings.data_dir / "clips"))
    return app


def gateway(settings: Settings | None = None) -> Gateway:
    """The live line; one process of it holds many thousand screens and phones."""
    settings = settings or Settings.from_env()
    live = Gateway(bare_app(settings), Boards(), bus=Bus(settings.redis_url))
    live.keep_time()
    gc.freeze()
    gc.set_threshold(50_000, 50, 1_000)
    return live


def _may_watch(hall: str) -> str | None:
    """Whether the visitor's cookie opens the hall's screens. The answer is no token: the cookie goes by itself."""
    fit = [caller for caller in g.callers if caller.may(Permission.SCREEN_READ) and caller.hall in (None, hall)]
    return "" if fit else None


def __getattr__(name: str) -> Any:
    """`wsgi:application`, made when a server asks for it: the gateway's processes never do."""
    if name == "application":
        application = web(Settings.from_env())
        in_background(application)
        return application
    raise AttributeError(name)
