"""Administration of the rules of calling: what they are in words, trying others on a day that was, and setting them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app.errors import Refusal
from app.now import local_day, now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing.calling_rules import last_day, preview, proposed, rules_in_force, set_policy
from app.queueing.queries import queues_of_hall, windows_of_hall
from app.queueing.rules.policy import (
    BOUNDS,
    CALL_BY_MIN,
    MOST_CONDITIONS,
    MOST_MIN,
    MOST_SHARE,
    OVER,
    SET_LANES,
    read_policy,
    write_policy,
)
from app.queueing.rules.states import Lane
from app.web import calling_words, wording
from app.web.admin_parts import pages
from app.web.desk import hall_at_desk, hall_choices, in_years, sentence
from app.web.forms import new_key, once

SHOWN = 20
PARTS = ("queue", "lane", "window", "waiting_over", "waited_over_min", "since", "until", "minutes")
NUMBERS = ("waiting_over", "waited_over_min", "minutes")
LARGEST = 20_000  # characters of a proposal on its way from the preview to the confirmation

Data = dict[str, Any]


@dataclass
class Draft:
    """What the form says: as data for `read_policy`, where a figure that is none stays the text that was typed."""

    policy: Data
    weights: dict[str, dict[str, Any]]


def _number(text: str | None) -> Any:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else text


def _typed(form: Mapping[str, str]) -> Draft:
    """The form as it was sent; an empty condition is none, an empty limit or ratio is none."""
    policy: Data = {name: _number(form.get(name)) for name in BOUNDS}
    policy["head_start_min"] = {lane.value: _number(form.get(f"start-{lane.value}")) for lane in SET_LANES}
    policy["call_by_min"] = _number(form.get("call_by_min")) if form.get("call_by_min", "").strip() else None
    pair = [_number(form.get(f"ratio-{name}")) for name in ("normal", "priority")]
    policy["ratio"] = pair if any(each != "" for each in pair) else None
    policy["dispatch"] = form.get("dispatch") == "1"
    rows = []
    for n in range(MOST_CONDITIONS + 1):
        given = {name: form.get(f"c{n}-{name}", "").strip() for name in PARTS}
        row = {name: _number(text) if name in NUMBERS else text for name, text in given.items() if text}
        if row:
            rows.append(row)
    policy["conditions"] = rows
    weights: dict[str, dict[str, Any]] = {}
    for name, text in form.items():
        if name.startswith("w-") and name.count("-") == 2:
            _w, window, queue = name.split("-")
            weights.setdefault(window, {})[queue] = _number(text or "0")
    return Draft(policy, weights)


def _page(hall: dict[str, Any], draft: Draft | None = None, error: str = "", field: str = "", blank: int = 0) -> str:
    in_force = rules_in_force(hall["code"])
    queues, windows = queues_of_hall(hall["code"], now()), windows_of_hall(hall["code"])
    draft = draft or Draft(in_force.said, {window: dict(own) for window, own in in_force.weights.items()})
    conditions = [*draft.policy["conditions"], *({} for _ in range(blank))][:MOST_CONDITIONS]
    return render_template(
        "admin/calling.html",
        hall=hall,
        halls=hall_choices(g.actor),
        words=calling_words.in_words(in_force, _names(queues)),
        draft=draft,
        conditions=conditions,
        can_add=len(conditions) < MOST_CONDITIONS,
        queues=queues,
        windows=[window for window in windows if window["code"] in in_force.weights],
        served=in_force.weights,
        lanes=[(lane.value, wording.word(lane, "lane")) for lane in Lane],
        figures=calling_words.FIGURES,
        calling=calling_words.CALLING,
        working=calling_words.WORKING,
        bounds={**BOUNDS, **OVER, "minutes": (1, MOST_MIN), "start": (0, MOST_MIN), "call_by_min": CALL_BY_MIN},
        most_share=MOST_SHARE,
        error=error,
        field=field,
    )


def _names(queues: list[dict[str, Any]]) -> dict[str, str]:
    return {queue["code"]: f"{queue['prefix']} {wording.named(queue, 'name')}" for queue in queues}


@pages.get("/calling")
@requires(Permission.WINDOW_MANAGE)
def calling() -> str:
    """The rules in force in words, and the form that proposes others."""
    return _page(hall_at_desk(g.actor))


@pages.post("/calling/preview")
@requires(Permission.WINDOW_MANAGE)
def calling_preview() -> str | tuple[str, int]:
    """What the proposed rules change, and what they would have made of a day; or the form with a row more or less."""
    hall, form = hall_at_desk(g.actor), request.form
    if form.get("rules"):
        draft = _carried(form["rules"])
    else:
        draft = _typed(form)
    do = form.get("do", "")
    if do == "add":
        return _page(hall, draft, blank=1)
    if do.startswith("remove-"):
        kept = form.copy()
        for name in PARTS:
            kept.pop(f"c{do.removeprefix('remove-')}-{name}", None)
        return _page(hall, _typed(kept))
    if do == "edit":
        return _page(hall, draft)
    try:
        return _preview(hall, draft)
    except Refusal as refusal:
        return _refused(hall, draft, refusal)


def _preview(hall: dict[str, Any], draft: Draft) -> str:
    at = now()
    in_force, wanted = rules_in_force(hall["code"]), proposed(hall["code"], draft.policy, draft.weights)
    if wanted == in_force:
        raise Refusal("policy.unchanged")
    today = local_day(at)
    day = _day(request.form.get("day")) or last_day(hall["code"], today)
    names = _names(queues_of_hall(hall["code"], at))
    return render_template(
        "admin/calling_preview.html",
        hall=hall,
        changes=calling_words.differences(in_force, wanted, names),
        words=calling_words.in_words(wanted, names),
        found=preview(hall["code"], day, at, wanted),
        names=names,
        day=day,
        today=today,
        shown=SHOWN,
        rules=json.dumps({"policy": draft.policy, "weights": draft.weights}),
        seen=in_force.seen,
        key=new_key(),
    )


def _day(text: str | None) -> date | None:
    """The day asked for; None when none can be read. Refuses request.invalid."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return in_years(day)


def _carried(text: str) -> Draft:
    """The proposal as the preview sent it along. Refuses request.invalid."""
    try:
        given = json.loads(text) if len(text) < LARGEST else {}
        weights = {window: dict(own) for window, own in given["weights"].items()}
        return Draft(write_policy(read_policy(given["policy"])), weights)
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError):  # PolicyInvalid is a ValueError
        raise Refusal("request.invalid", detail=gettext("请重新填写")) from None


def _refused(hall: dict[str, Any], draft: Draft, refusal: Refusal) -> tuple[str, int]:
    field = str(refusal.facts.get("field", ""))
    said = calling_words.wrong(field) if refusal.code == "policy.invalid" else sentence(refusal)
    return _page(hall, draft, said, field), refusal.status


@pages.post("/calling")
@requires(Permission.WINDOW_MANAGE)
def calling_set() -> tuple[str, int] | AnyResponse:
    """Set what was previewed."""
    hall = hall_at_desk(g.actor)
    draft = _carried(request.form.get("rules", ""))
    given: Data = {"policy": draft.policy, "weights": draft.weights, "seen": request.form.get("seen", "")}
    try:
        with once(g.actor):
            set_policy(hall=hall["code"], actor=g.actor, at=now(), **given)
    except Refusal as refusal:
        return _refused(hall, draft, refusal)
    flash(gettext("新的叫号规则已生效"), "ok")
    return redirect(url_for("admin.calling", hall=hall["code"]), code=303)
