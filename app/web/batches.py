"""Many papers at once: chosen by case numbers, drawn by the worker, watched, and fetched as one file."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app.errors import Refusal
from app.events import Actor
from app.notices import batches
from app.notices.queries import notices_of_case
from app.notices.registry import NOTICES
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.web import wording
from app.web.cases import own_case
from app.web.desk import staff_with
from app.web.forms import new_key, once, settings

pages = Blueprint("batches", __name__, url_prefix="/notices/batches")

READ = Permission.CASE_READ
_ID = re.compile(r"([a-z][a-z0-9-]{0,38})-([1-9][0-9]{0,8})", re.ASCII)


@pages.get("")
@requires(READ)
def desk() -> str:
    """Which papers to print, and the batches that this person asked for last."""
    return _desk(staff_with(READ))


@pages.post("")
@requires(READ)
def ask() -> tuple[str, int] | AnyResponse:
    """Ask for the papers of the cases named. What is refused comes back with what was typed."""
    actor = staff_with(READ)
    try:
        hall, numbers = _chosen(actor)
        with once(actor):
            made = batches.request_batch(hall=hall, actor=actor, at=now(), notices=numbers)
    except Refusal as refusal:
        if refusal.status not in (404, 422):
            raise
        of = f"{refusal.facts['number']}{gettext('：')}" if "number" in refusal.facts else ""
        return _desk(actor, form=request.form, error=of + wording.told(refusal)), refusal.status
    return redirect(url_for("batches.page", batch_id=made["id"]), code=303)


@pages.get("/<batch_id>")
@requires(READ)
def page(batch_id: str) -> str:
    """How far a batch is; the part that changes is fetched again by itself, or with the whole page where no script runs."""
    hall, number = _own(staff_with(READ), batch_id)
    template = "batches/_progress.html" if request.headers.get("HX-Request") else "batches/page.html"
    return render_template(template, batch=batches.batch(hall, number, settings()), key=new_key)


@pages.post("/<batch_id>/again")
@requires(READ)
def again(batch_id: str) -> AnyResponse:
    """Make a file again that is gone."""
    actor = staff_with(READ)
    hall, number = _own(actor, batch_id)
    with once(actor):
        batches.renew_batch(hall=hall, actor=actor, at=now(), batch_id=number)
    return redirect(url_for("batches.page", batch_id=batch_id), code=303)


@pages.get("/<batch_id>/file")
@requires(READ)
def file(batch_id: str) -> Response:
    """All papers of a batch as one PDF. They name people in full."""
    actor = staff_with(READ)
    hall, number = _own(actor, batch_id)
    answer = Response(batches.read_file(hall, number, actor.ref, settings()), mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{batch_id}.pdf"'
    return answer


def _desk(actor: Actor, *, form: Any = None, error: str = "") -> str:
    names = [(kind, notice.name[1 if wording.english() else 0]) for kind, notice in NOTICES.items()]
    kinds = [("", gettext("全部文书")), *names]
    mine = batches.batches(actor.hall, actor.ref, settings()) if actor.hall else []
    return render_template("batches/desk.html", kinds=kinds, mine=mine, form=form or {}, error=error, key=new_key)


def _chosen(actor: Actor) -> tuple[str, list[int]]:
    """The hall and the papers that the form names. Refuses case.unknown, auth.foreign_hall, batch.empty, batch.one_hall."""
    kind, numbers = request.form.get("kind", ""), request.form.get("cases", "").split()
    if len(numbers) > batches.MOST:
        raise Refusal("batch.too_many", limit=batches.MOST)
    found = [_case(number, actor) for number in dict.fromkeys(numbers)]
    papers = [paper for case in found for paper in notices_of_case(*case) if kind in ("", paper["kind"])]
    return batches.of_one_hall([(paper["hall"], paper["id"]) for paper in papers])


def _case(number: str, actor: Actor) -> tuple[str, int]:
    """The case of one number. Whatever refuses it says which number it was."""
    try:
        return own_case(number, actor)
    except Refusal as refusal:
        raise Refusal(refusal.code, **{**refusal.facts, "number": number[:20]}) from None


def _own(actor: Actor, text: str) -> tuple[str, int]:
    found = _ID.fullmatch(text)
    if found is None:
        raise Refusal("batch.unknown")
    if actor.hall not in (None, found[1]):
        raise Refusal("auth.foreign_hall")
    return found[1], int(found[2])
