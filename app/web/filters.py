"""What templates may call: words, times and masks, and the few counts and pictures that only they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import segno
from flask import Flask
from flask_babel import gettext, ngettext
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from app.casework.rules.states import CaseState
from app.hall.rules.lights import Light
from app.privacy import mask_id, mask_name, mask_phone
from app.web import times, wording


def people(count: int) -> str:
    """How many people, as a phrase: 3 人."""
    return ngettext("%(num)d 人", "%(num)d 人", count)


def windows(count: int) -> str:
    """How many windows, as a phrase: 3 个窗口."""
    return ngettext("%(num)d 个窗口", "%(num)d 个窗口", count)


def fee(value: Mapping[str, Any] | None) -> str:
    """What an item costs: free without a basis, by its rates without an amount."""
    if not value or not value.get("basis"):
        return gettext("不收费")
    if not value.get("amount_fen"):
        return gettext("按标准收费")
    yuan, fen = divmod(int(value["amount_fen"]), 100)
    return gettext("%(yuan)s 元", yuan=f"{yuan}.{fen:02d}" if fen else str(yuan))


def owners(thing: Mapping[str, Any], departments: Sequence[Any]) -> str:
    """The department of an item, and how many decide where it is not alone."""
    first = wording.named(thing, "department")
    if len(departments) < 2:
        return first
    return gettext("%(department)s等 %(count)s 个部门", department=first, count=len(departments))


def silent(case: Mapping[str, Any]) -> bool:
    """Whether a case is late and the public has not been told why; what was withdrawn owes no reason."""
    owes = case["state"] not in (CaseState.WITHDRAWN, CaseState.DEEMED_WITHDRAWN)
    return owes and case["light"] in (Light.yellow, Light.red) and not case["explained"]


def qr_svg(text: str, label: str = "") -> Markup:
    """A QR code as inline SVG, black on white, sized by the page's style."""
    drawn = segno.make(text, error="m", micro=False)
    return Markup(drawn.svg_inline(border=2, omitsize=True, title=label or None))  # noqa: S704  # segno escapes the title


@pass_context
def word(_context: Context, code: Any, of: str) -> str:
    """The word for a code. It asks for the context: else `"kept"|word("kept")` would be folded into the template as a
    constant, in the language of its first reader."""
    return wording.word(code, of)


@pass_context
def light_word(_context: Context, code: Any) -> str:
    """The word for a light, never folded either."""
    return wording.light_word(code)


def init_app(app: Flask) -> None:
    """Make all of these Jinja filters and globals."""
    app.jinja_env.filters.update(
        clock=times.clock,
        day=times.day,
        fee=fee,
        hours=times.hours,
        light_tone=wording.light_tone,
        light_word=light_word,
        limit=times.limit,
        agreed=times.agreed,
        mask_id=mask_id,
        mask_name=mask_name,
        mask_phone=mask_phone,
        minutes=times.minutes,
        named=wording.named,
        owners=owners,
        people=people,
        remaining=times.remaining,
        silent=silent,
        stamp=times.stamp,
        tone=wording.tone,
        wait_range=times.wait_range,
        windows=windows,
        word=word,
    )
    app.jinja_env.globals.update(
        LIGHTS=wording.LIGHTS, WORDS=wording.WORDS, english=wording.english, qr_svg=qr_svg, span=times.span
    )
