"""Agency orders 代办: the list with its lights, a new order, and the page of one, for guides and clerks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from app.casework import agency
from app.casework.agency_queries import find_order, order_list, order_view
from app.casework.rules.agency import LIMIT, Beneficiary, OrderState
from app.catalog.queries import search_items
from app.errors import Refusal
from app.events import Actor
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.privacy import REASONS
from app.web import times, wording
from app.web.case_history import names_of, paper_title
from app.web.desk import staff_of_hall
from app.web.forms import new_key, once
from app.web.prints import paper_answer
from app.web.stories import tell

pages = Blueprint("agency", __name__, url_prefix="/agency")

P = Permission
STEPS: dict[str, Any] = {
    "accept": agency.accept_order,
    "start": agency.start_order,
    "interrupt": agency.interrupt_order,
    "resume": agency.resume_order,
    "complete": agency.complete_order,
    "call-back": agency.call_back,
    "cancel": agency.cancel_order,
}
AT_FIELD = {
    "person.bad_id": "id_number",
    "person.bad_phone": "phone",
    "case.unknown": "case_number",
    "agency.foreign_case": "case_number",
}
HIDE_AFTER_S = 30


@pages.get("")
@requires(P.AGENCY_HANDLE)
def desk() -> str:
    """The orders that still ask for something, soonest due first; or those of one state."""
    _actor, hall = staff_of_hall()
    state = request.args.get("state", "")
    chosen = state if state in set(OrderState) else None
    page = request.args.get("page", 1, type=int)
    return render_template(
        "agency/desk.html",
        found=order_list(at=now(), hall=hall, state=chosen, page=page),
        state=chosen or "",
        states=[s.value for s in OrderState],
        limit={"amount": LIMIT.amount, "unit": LIMIT.unit.value},
    )


@pages.get("/new")
@requires(P.AGENCY_HANDLE)
def new() -> str:
    """The form of a new order."""
    staff_of_hall()
    return _form()


def _form(**more: Any) -> str:
    kinds = [(kind.value, wording.word(kind.value, "beneficiary")) for kind in Beneficiary]
    return render_template(
        "agency/form.html", **{"form": {}, "error": "", "error_field": "", **more}, kinds=kinds, key=new_key()
    )


@pages.post("/new")
@requires(P.AGENCY_HANDLE)
def order() -> AnyResponse | tuple[str, int]:
    """Take the order; its letter of authority is there to be signed."""
    actor, hall = staff_of_hall()
    fields = request.form
    words = {name: fields.get(name, "") for name in ("beneficiary", "wish", "letter", "address")}
    principal = {name: fields.get(name, "").strip() for name in ("name", "id_number", "phone")}
    try:
        item = _item(fields.get("item", ""))
        with once(actor):
            view = agency.order_errand(hall=hall, actor=actor, at=now(), principal=principal, item=item, **words)
    except Refusal as refusal:
        if refusal.status not in (404, 409, 422):
            raise
        at_field = str(refusal.facts.get("field") or AT_FIELD.get(refusal.code, ""))
        at_field = "item" if refusal.code == "item.unknown" else at_field
        return _form(form=fields, error=wording.told(refusal), error_field=at_field), 422
    flash(gettext("已登记 %(number)s，请打印委托书由委托人签字", number=view["number"]), "ok")
    return redirect(url_for("agency.page", number=view["number"]), code=303)


def _item(typed: str) -> str | None:
    """The code of the item that was typed: a code, or words that name one first. Refuses item.unknown."""
    typed = typed.strip()[:80]
    if not typed:
        return None
    found = search_items(q=typed, per_page=1)["items"]
    if not found:
        raise Refusal("item.unknown")
    return str(found[0]["code"])


def _own(number: str) -> tuple[Actor, str, int]:
    actor, own = staff_of_hall()
    hall, order_id = find_order(number[:40])
    if own != hall:
        raise Refusal("auth.foreign_hall")
    return actor, hall, order_id


def _page(number: str, **more: Any) -> str:
    _actor, hall, order_id = _own(number)
    view = order_view(hall, order_id, now())
    return render_template(
        "agency/page.html",
        **{"form": {}, "step": "", "error": "", "error_field": "", "revealed": None, **more},
        order=view,
        story=tell(view),
        reasons=REASONS,
        key=new_key,
        paper_title=paper_title,
        people=names_of({view["handled_by"]} - {None}),
    )


@pages.get("/<number>")
@requires(P.AGENCY_HANDLE)
def page(number: str) -> str:
    """One order, the principal masked."""
    return _page(number)


@pages.post("/<number>/reveal")
@requires(P.AGENCY_HANDLE)
def reveal(number: str) -> Response:
    """Whom to visit or call, in full, with a reason that goes into the record; hidden again after half a minute."""
    actor, hall, order_id = _own(number)
    reason = request.form.get("reason", "")
    shown = agency.reveal_principal(hall=hall, actor=actor, at=now(), order_id=order_id, reason=reason)
    answer = Response(_page(number, revealed=shown))
    answer.headers["Refresh"] = f"{HIDE_AFTER_S}; url={url_for('agency.page', number=number)}"
    return answer


@pages.post("/<number>/<step>")
@requires(P.AGENCY_HANDLE)
def take(number: str, step: str) -> AnyResponse | tuple[str, int]:
    """One step of an order. What is refused comes back with what was typed."""
    if step not in STEPS:
        raise Refusal("request.not_found")
    actor, hall, order_id = _own(number)
    try:
        with once(actor):
            view = STEPS[step](hall=hall, actor=actor, at=now(), order_id=order_id, **_given(step))
    except Refusal as refusal:
        at_field = str(refusal.facts.get("field") or AT_FIELD.get(refusal.code, ""))
        if refusal.status not in (409, 422) and not at_field:
            raise
        told = {"form": request.form, "step": step, "error": wording.told(refusal), "error_field": at_field}
        return _page(number, **told), 422 if refusal.status == 404 else refusal.status
    flash(_done(step, view), "ok")
    return redirect(url_for("agency.page", number=view["number"]), code=303)


def _given(step: str) -> dict[str, Any]:
    fields = request.form
    if step == "accept":
        return {"complete": fields.get("complete") == "1"}
    if step in ("interrupt", "cancel"):
        return {"reason": fields.get("reason", "")}
    if step == "complete":
        return {"result": fields.get("result", ""), "case_number": fields.get("case_number", "").strip() or None}
    if step == "call-back":
        if fields.get("satisfied") not in ("yes", "no"):
            raise Refusal("request.invalid", detail=gettext("请选择是否满意"))
        return {"satisfied": fields["satisfied"] == "yes", "note": fields.get("note", "")}
    return {}


def _done(step: str, view: Mapping[str, Any]) -> str:
    due = view["clock"]["due_at"]
    if step == "resume":
        return gettext("继续计时，%(when)s 到期", when=times.stamp(due)) if due else gettext("继续计时")
    if step == "start" or (step == "accept" and view["state"] == "running"):
        return gettext("开始计时，%(when)s 到期", when=times.stamp(due)) if due else gettext("开始计时")
    return {
        "accept": gettext("已受理，材料交齐后开始计时"),
        "interrupt": gettext("已中止，时限停止计算"),
        "complete": gettext("已办结，请按时回访"),
        "call-back": gettext("回访已记下"),
        "cancel": gettext("已终止，请把材料退还委托人"),
    }[step]


@pages.get("/<number>/<int:notice_id>.pdf")
@requires(P.AGENCY_HANDLE)
def paper(number: str, notice_id: int) -> Response:
    """One paper of the order; guides may not open papers of cases."""
    _actor, hall, order_id = _own(number)
    if notice_id not in {one["id"] for one in order_view(hall, order_id, now())["notices"]}:
        raise Refusal("notice.unknown")
    return paper_answer(hall, notice_id)
