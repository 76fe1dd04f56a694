"""A hall's board as of now: the record folded up to the head, and the route that hands it out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from flask import Blueprint, g, jsonify
from flask.typing import ResponseReturnValue

from app import eventlog
from app.db import NETWORK, db
from app.errors import Refusal
from app.people.gate import requires
from app.people.permissions import Permission
from displays import frames

SCREENS = "screens"  # the consumer whose cursor keeps the folded state
BATCH = 500  # events read at once

Board = Callable[[str], dict[str, Any]]


def folded(hall: str, state: dict[str, Any] | None, upto: int) -> dict[str, Any]:
    """The state folded on to `upto`, inclusive; from the beginning when it is None or cannot be used any more.

    A state was written by the code of its day: when today's code cannot draw it, the record can still be read again.
    """
    if state is not None:
        try:
            return _fold_on(state, upto)
        except (frames.FrameGap, KeyError, TypeError, AttributeError):
            pass
    return _fold_on(frames.empty(hall), upto)


def _fold_on(state: dict[str, Any], upto: int) -> dict[str, Any]:
    frames.frame(state)  # a state of another day shows itself here
    while state["seq"] < upto and (rows := eventlog.read(state["hall"], state["seq"], BATCH)):
        for recorded in rows:
            state = frames.fold(state, recorded)
    return state


class Boards:
    """The boards of all halls in one process, each folded on from where it last was.

    The first look at a hall starts from the relay's stored state, so that it costs little however long the record is.
    """

    def __init__(self) -> None:
        self._states: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def __call__(self, hall: str) -> dict[str, Any]:
        """The whole frame of the hall, up to its last event. Refuses hall.unknown."""
        with self._lock:
            db.session.rollback()  # ends the read that looked up who is asking: the head is the one of now
            head = eventlog.heads().get(hall)
            if head is None or hall == NETWORK:
                raise Refusal("hall.unknown")
            state = self._states.get(hall)
            if state is None or state["seq"] > head:  # nothing yet, or the database was put back to an earlier time
                kept_seq, kept = eventlog.cursor(SCREENS, hall)
                state = kept if kept_seq <= head else None
            self._states[hall] = folded(hall, state, head)
            return frames.frame(self._states[hall])


def board_blueprint(board: Board) -> Blueprint:
    """`GET /api/v1/halls/<hall>/board`: what a screen asks for when it has seen a gap."""
    blueprint = Blueprint("board", __name__, url_prefix="/api/v1")

    @blueprint.get("/halls/<hall>/board")
    @requires(Permission.SCREEN_READ)
    def show(hall: str) -> ResponseReturnValue:
        """The whole frame of a hall, with its `seq`."""
        if g.actor.hall not in (None, hall):
            raise Refusal("auth.foreign_hall")
        return jsonify(board(hall))

    return blueprint
