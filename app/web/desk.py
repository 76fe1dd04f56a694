"""What desks share: who sits there, for which hall, how a no is said, what was typed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import g, request
from flask_babel import gettext

from app.errors import Refusal
from app.events import Actor
from app.hall.queries import hall as hall_of
from app.hall.queries import halls
from app.now import SHANGHAI
from app.people import gate
from app.people.permissions import Permission
from app.web import times, wording

YEARS = range(1990, 2101)


def staff(*any_of: Permission) -> Actor:
    """The staff member who asks, with one of these permissions; a device of the same browser has no desk.

    Refuses auth.required, auth.forbidden.
    """
    actor = gate.staff()
    if actor is None:
        raise Refusal("auth.required")
    if any_of and not any(actor.may(permission) for permission in any_of):
        raise Refusal("auth.forbidden")
    return actor


def staff_of_hall(*any_of: Permission) -> tuple[Actor, str]:
    """The same, and the hall they work in. Refuses auth.required, auth.forbidden, auth.foreign_hall (no one hall)."""
    actor = staff(*any_of)
    if actor.hall is None:
        raise Refusal("auth.foreign_hall")
    return actor, actor.hall


def staff_with(*any_of: Permission) -> Actor:
    """The same as `staff`, and from here on the actor of the request."""
    g.actor = staff(*any_of)
    return g.actor


def hall_at_desk(actor: Actor) -> dict[str, Any]:
    """The hall of the staff member; whoever is of the whole network chooses one by `hall`. Refuses auth.foreign_hall."""
    wish = request.values.get("hall", "")
    if actor.hall:
        if wish and wish != actor.hall:
            raise Refusal("auth.foreign_hall")
        return hall_of(actor.hall)
    return hall_of(wish) if wish else halls()[0]


def hall_choices(actor: Actor) -> list[dict[str, Any]]:
    """What the chooser of halls offers: nothing to who has a hall."""
    return [] if actor.hall else halls()


def sentence(refusal: Refusal) -> str:
    """The refusal in the reader's language."""
    return refusal.sentence("en" if wording.english() else "zh")


def left(row: dict[str, Any]) -> str:
    """What is left of the limit that the light is about, in words; a limit that has just passed has nothing left."""
    clock = row["statutory"] if row["light"] == "red" else row["promised"]
    return times.remaining(clock)


def whole(text: str | None, otherwise: int = 0, most: int = 10**9) -> int:
    """A whole number that somebody typed, at most `most`; `otherwise` for anything else."""
    text = (text or "").strip()
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 12 else otherwise


def in_years(day: date) -> date:
    """A day that somebody gave, if a hall can have had it. Refuses request.invalid."""
    if day.year not in YEARS:
        raise Refusal("request.invalid", detail=gettext("请填写%(what)s", what=gettext("日期")))
    return day


def instant(text: str | None, what: str) -> datetime:
    """A time of the hall's wall that a datetime field gave. Refuses request.invalid."""
    try:
        at = datetime.fromisoformat((text or "").strip())
    except ValueError:
        raise Refusal("request.invalid", detail=gettext("请填写%(what)s", what=what)) from None
    if at.year not in YEARS:
        raise Refusal("request.invalid", detail=gettext("请填写%(what)s", what=what))
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)
