"""Papers between the levels: a point below collects, bundles are sent with a manifest and taken over by scan or ticks."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app.casework.levels import arrive_manifest, collect_case, send_manifest
from app.casework.levels_queries import find_manifest, manifest_desk, manifest_view
from app.casework.queries import find_case
from app.catalog.queries import item as item_of
from app.catalog.queries import search_items
from app.errors import Refusal
from app.events import Actor
from app.hall.queries import halls
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing.queries import window_of_staff
from app.web import wording
from app.web.case_history import names_of, paper_title
from app.web.desk import staff_of_hall
from app.web.forms import new_key, once
from app.web.prints import paper_answer

pages = Blueprint("manifests", __name__, url_prefix="/manifests")

P = Permission
FOUND = 8
AT_FIELD = {"person.bad_id": "id_number", "person.bad_phone": "phone"}


def _halls() -> dict[str, dict[str, Any]]:
    return {hall["code"]: hall for hall in halls()}


@pages.get("")
@requires(P.CASE_ACCEPT, P.CASE_HAND_OVER)
def desk() -> str:
    """What to send, what is on its way, what to take over."""
    return _desk()


def _desk(**more: Any) -> str:
    actor, hall = staff_of_hall()
    return render_template(
        "manifests/desk.html",
        **{"error": "", "refused": "", "ticked": [], **more},
        desk=manifest_desk(hall, now()),
        collects=actor.may(P.CASE_ACCEPT),
        halls=_halls(),
        key=new_key,
    )


@pages.post("/find")
@requires(P.CASE_ACCEPT, P.CASE_HAND_OVER)
def find() -> AnyResponse | tuple[str, int]:
    """Open the bundle whose code was scanned: its number, or the address in its QR code."""
    number = request.form.get("q", "").strip()[:200].rstrip("/").rsplit("/", 1)[-1]
    try:
        find_manifest(number)
    except Refusal as refusal:
        return _desk(error=wording.told(refusal)), refusal.status
    return redirect(url_for("manifests.page", number=number.upper()), code=303)


@pages.post("/send")
@requires(P.CASE_ACCEPT, P.CASE_HAND_OVER)
def send() -> AnyResponse | tuple[str, int]:
    """Bundle the ticked cases and send them on."""
    actor, hall = staff_of_hall()
    numbers = request.form.getlist("case")[:100]
    where = request.form.get("of", hall)
    try:
        found = [find_case(number) for number in numbers]
        if any(of != where for of, _ in found):
            raise Refusal("manifest.to_hall")
        given = {"to_hall": request.form.get("to_hall") or None, "note": request.form.get("note", "")}
        with once(actor):
            ids = [case_id for _, case_id in found]
            view = send_manifest(hall=where, actor=actor, at=now(), case_ids=ids, **given)
    except Refusal as refusal:
        if refusal.status not in (404, 409, 422):
            raise
        return _desk(refused=wording.told(refusal), ticked=numbers), refusal.status
    flash(gettext("交接单 %(number)s 已出，请打印后随材料送出", number=view["number"]), "ok")
    return redirect(url_for("manifests.page", number=view["number"]), code=303)


def _own(number: str) -> tuple[Actor, dict[str, Any]]:
    """A bundle that comes from or goes to the actor's hall. Refuses manifest.unknown, auth.foreign_hall."""
    actor, hall = staff_of_hall()
    view = manifest_view(*find_manifest(number[:40]))
    if hall not in (view["from_hall"], view["to_hall"]):
        raise Refusal("auth.foreign_hall")
    return actor, view


def _page(number: str, **more: Any) -> str:
    actor, view = _own(number)
    return render_template(
        "manifests/page.html",
        **{"error": "", "form": {}, **more},
        manifest=view,
        people=names_of({name for name in (view["sent_by"], view["arrived_by"]) if name}),
        halls=_halls(),
        arriving=view["state"] == "sent" and view["to_hall"] == actor.hall,
        hands_out=actor.may(P.CASE_HAND_OVER),
        key=new_key,
        paper_title=paper_title,
    )


@pages.get("/<number>")
@requires(P.CASE_ACCEPT, P.CASE_HAND_OVER)
def page(number: str) -> str:
    """One bundle: what is in it, where it is."""
    return _page(number)


@pages.post("/<number>/arrive")
@requires(P.CASE_ACCEPT, P.CASE_HAND_OVER)
def arrive(number: str) -> AnyResponse | tuple[str, int]:
    """Take the bundle over; what is not ticked was not in it."""
    actor, view = _own(number)
    here = set(request.form.getlist("case"))
    numbers = [entry["number"] for entry in view["entries"]]
    notes = {each: request.form.get(f"note-{each}", "") for each in numbers}
    hall, manifest_id = find_manifest(number[:40])
    try:
        with once(actor):
            view = arrive_manifest(
                hall=hall,
                actor=actor,
                at=now(),
                manifest_id=manifest_id,
                missing=[each for each in numbers if each not in here],
                notes={each: note for each, note in notes.items() if note},
                accept_complete=request.form.get("accept") == "1",
                shelf=request.form.get("shelf", ""),
            )
    except Refusal as refusal:
        if refusal.status not in (409, 422):
            raise
        return _page(number, error=wording.told(refusal), form=request.form), refusal.status
    missing = sum(entry["entry"] == "missing" for entry in view["entries"])
    told = gettext("已接收，%(count)s 件不在袋内，已记入交接单", count=missing) if missing else gettext("已全部接收")
    flash(told, "warn" if missing else "ok")
    return redirect(url_for("manifests.page", number=view["number"]), code=303)


@pages.get("/<number>/<int:notice_id>.pdf")
@requires(P.CASE_ACCEPT, P.CASE_HAND_OVER)
def paper(number: str, notice_id: int) -> Response:
    """The manifest itself, for both halls."""
    _actor, view = _own(number)
    if notice_id not in {one["id"] for one in view["notices"]}:
        raise Refusal("notice.unknown")
    return paper_answer(view["hall"], notice_id)


# ── collecting ──────────────────────────────────────────────────────────────────────────────────────────────────


@pages.get("/collect")
@requires(P.CASE_ACCEPT)
def collect() -> str:
    """Collect for the hall above: find the item, then who and what."""
    return _collect(request.args.get("item", "")[:80])


def _collect(code: str, **more: Any) -> str:
    staff_of_hall()
    q = request.args.get("q", "")[:40]
    return render_template(
        "manifests/collect.html",
        **{"form": {}, "error": "", "error_field": "", **more},
        guide=item_of(code) if code else None,
        found=search_items(q=q, per_page=FOUND) if q.strip() and not code else None,
        q=q,
        key=new_key(),
    )


@pages.post("/collect")
@requires(P.CASE_ACCEPT)
def collected() -> str | tuple[str, int]:
    """The draft with its number and slip. A second press changes nothing."""
    actor, hall = staff_of_hall()
    fields = request.form
    code = fields.get("item", "")[:80]
    applicant = {"kind": fields.get("kind", "person")}
    applicant |= {name: fields.get(name, "").strip() for name in ("name", "id_number", "phone")}
    materials = [
        {"code": name.removeprefix("m-"), "state": value} for name, value in fields.items() if name.startswith("m-")
    ]
    given = {"item": code, "applicant": applicant, "materials": materials, "window": window_of_staff(hall, actor.id)}
    try:
        with once(actor):
            case = collect_case(hall=hall, actor=actor, at=now(), **given)
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        at_field = str(refusal.facts.get("field") or AT_FIELD.get(refusal.code, ""))
        return _collect(code, form=fields, error=wording.told(refusal), error_field=at_field), refusal.status
    g.here = url_for("cases.page", number=case["number"])
    return render_template("manifests/collected.html", case=case, paper_title=paper_title)
