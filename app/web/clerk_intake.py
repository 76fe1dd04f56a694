"""Receiving at the window: one field that is scanned or typed into, the applicant, the materials, the check, the case."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import make_response, redirect, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from app import privacy
from app.casework.intake import accept_case, receive_case
from app.casework.licences import look_up
from app.casework.queries import case_view, find_by_query_token, find_case
from app.casework.recall import applicant_again, recall_applicant
from app.casework.rules.licences import Validity
from app.catalog.queries import item as item_of
from app.catalog.queries import search_items
from app.errors import Refusal
from app.now import local_day, now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing.queries import person_of, window_of_staff
from app.web import wording
from app.web.case_history import paper_title
from app.web.clerk_parts import pages, part, ticket_at_window
from app.web.desk import staff_of_hall
from app.web.forms import limited, new_key, once
from app.web.scan import Scanned, read_scan
from app.words import clean, clean_id_number, clean_phone

FOUND = 8
LOOKS = "60/minute"  # of one clerk for applicants: a window serves nobody that fast
PRESSED = ("csrf_token", "idempotency_key", "next", "scan", "drop", "pick", "share")  # of one press, never of the form
WHO = (
    *("known", "as_ticket", "name", "id_number", "phone", "representative"),
    *("agent_name", "agent_id_number", "agent_phone", "agent_letter"),
)  # the fields that say who applies


class Typed(Exception):
    """Something in the form has to be put right: the sentence and the field beside which it stands."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.sentence, self.field = sentence, field


# ── the form as it stands ───────────────────────────────────────────────────────────────────────────────────────


def form_values(fields: Mapping[str, str], ticket_id: int | None, **more: Any) -> dict[str, Any]:
    """What the form's template shows: the item, who is known, what the store of e-licences has, what was typed."""
    _, hall = staff_of_hall()
    fields = {name: value for name, value in fields.items() if name not in PRESSED}
    code = fields.get("item", "")
    guide = item_of(code) if code else None
    hint = person_of(hall, ticket_id) if ticket_id else {}
    known = _known(fields, ticket_id)
    of_ticket = None if known else _of_ticket(fields, hint)
    who = known or of_ticket or {"kind": fields.get("kind", "person"), **_typed(fields)}
    return {
        "form": fields,
        "guide": guide,
        "known": known,
        "of_ticket": of_ticket,
        "ticket_name": hint.get("name", ""),
        "form_ticket": ticket_id or "",
        "licences": _licences(guide, who) if guide else {},
        "found": None,
        "q": "",
        "error": "",
        "error_field": "",
        "goal": "",
        **more,
    }


def _known(fields: Mapping[str, str], ticket_id: int | None) -> dict[str, str] | None:
    """The applicant of an earlier case whom the form carries as a sealed reference. Refuses another visit's."""
    if not fields.get("known"):
        return None
    _, hall = staff_of_hall()
    try:
        case_id = json.loads(privacy.open_sealed(fields["known"], _visit(ticket_id)))
    except (privacy.Unsealable, ValueError):
        raise Typed(gettext("窗口的号票已经变了，请重新核对申请人"), "scan") from None
    return applicant_again(hall, case_id)


def _visit(ticket_id: int | None) -> str:
    """What a reference to an applicant is bound to: this clerk, this hall, this visit."""
    actor, hall = staff_of_hall()
    return f"clerk.known|{hall}|{actor.ref}|{ticket_id or ''}"


def _of_ticket(fields: Mapping[str, str], hint: Mapping[str, Any]) -> dict[str, str] | None:
    if not hint.get("name") or (fields and fields.get("as_ticket") != "1" and "kind" in fields):
        return None
    own = {name: value for name, value in _typed(fields).items() if value}
    return {"kind": "person", **{name: hint.get(name) or "" for name in ("name", "id_number", "phone")}, **own}


def _typed(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: fields.get(name, "").strip() for name in ("name", "id_number", "phone")}


def _licences(guide: Mapping[str, Any], who: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """material → what the store of e-licences has of this applicant for it."""
    try:
        id_number = clean_id_number(who.get("id_number") or "")
    except Refusal:
        return {}
    found = {}
    for material in guide["materials"]:
        look = look_up(material, who["kind"], id_number, local_day(now()))
        if look.validity is not None:
            rows = [{"title": one.title, "valid_until": one.valid_until} for one in look.licences]
            found[material["code"]] = {
                "good": look.validity is Validity.VALID,
                "why": look.validity.value,
                "rows": rows,
            }
    return found


def form_part(fields: Mapping[str, str], **more: Any) -> str:
    """The form, alone or in a page of its own; whoever was typed or recalled during another visit is let go."""
    ticket_id = ticket_at_window()
    told = {"error": gettext("窗口的号票已经变了，请重新核对申请人"), "error_field": "scan", "goal": "scan"}
    fields, changed = _of_this_visit(fields, ticket_id)
    if changed:
        more = told | more
    try:
        values = form_values(fields, ticket_id, **more)
    except Typed:  # a reference that another clerk's page made
        values = form_values({**fields, "known": ""}, ticket_id, **more | told)
    return part("clerk/form.html", **values, key=new_key)


def _of_this_visit(fields: Mapping[str, str], ticket_id: int | None) -> tuple[dict[str, str], bool]:
    """The form without those who were at the window before this visit, and whether there was anybody."""
    own = str(ticket_id or "")
    if fields.get("ticket", own) == own:
        return dict(fields), False
    kept = {name: value for name, value in fields.items() if name not in (*WHO, "kind", "ticket")}
    return kept, any(fields.get(name) for name in WHO)


@pages.get("/form")
@requires(Permission.CASE_ACCEPT)
def form() -> str:
    """The form of one item, or an empty one."""
    return form_part({"item": request.args.get("item", "")} if request.args.get("item") else {})


# ── the one field ───────────────────────────────────────────────────────────────────────────────────────────────


@pages.post("/found")
@requires(Permission.CASE_ACCEPT)
def found() -> str:
    """The items that match what was typed, for the list under the field. It is posted: it may be an ID number."""
    scan = read_scan(request.form.get("scan", "")[:300])
    q = scan.value[:40] if scan.what is Scanned.WORDS else ""
    rows = search_items(q=q, per_page=FOUND) if q else None
    return part("clerk/found.html", found=rows, q=q)


@pages.post("/scan")
@requires(Permission.CASE_ACCEPT)
def scan() -> str | Response:
    """Take what was scanned or typed into the form: the person, the item, or the case to open."""
    fields, changed = _of_this_visit(request.form.to_dict(), ticket_at_window())
    if changed:
        return form_part(request.form.to_dict())
    dropped, text = fields.get("drop", ""), fields.get("scan", "")[:300]
    if dropped == "person":
        return form_part({"kind": "person", **fields, **dict.fromkeys(WHO, "")}, goal="scan")
    if dropped == "typed":
        kept = {name: value for name, value in fields.items() if name not in (*WHO, "kind")}
        return form_part(kept | {"as_ticket": "1"}, goal="next")
    if dropped == "item":
        kept = {name: value for name, value in fields.items() if not name.startswith("m-")}
        return form_part(kept | {"item": ""}, goal="scan")
    if fields.get("pick"):
        return _with_item(fields, fields["pick"])
    seen = read_scan(text)
    try:
        if seen.what is Scanned.PERSON:
            return _with_person(fields, seen.value)
        if seen.what is Scanned.ITEM:
            return _with_item(fields, seen.value)
        if seen.what is Scanned.CASE:
            return _to_case(find_case(seen.value))
        if seen.what is Scanned.RECEIPT:
            return _to_case(find_by_query_token(seen.value))
        rows = search_items(q=seen.value[:40], per_page=1)["items"] if seen.value else []
        if rows:
            return _with_item(fields, rows[0]["code"])
    except Refusal as refusal:
        if refusal.status not in (404, 422):
            raise
        return form_part(fields, error=wording.told(refusal), error_field="scan", goal="scan")
    sentence = gettext("没有找到“%(q)s”，试试事项名称的拼音首字母", q=seen.value[:40])
    return form_part(fields, error=sentence, error_field="scan", goal="scan")


def _with_person(fields: dict[str, str], id_number: str) -> str:
    """The form with the person of this ID number: recalled when known here, else the number alone, to be completed."""
    actor, hall = staff_of_hall()
    limited(LOOKS, actor.ref)
    answer = recall_applicant(hall=hall, actor=actor, at=now(), id_number=id_number)
    blank = dict.fromkeys(WHO[:6], "")
    if answer["found"]:
        token = privacy.seal(json.dumps(answer["case_id"]), _visit(ticket_at_window()))
        return form_part({**fields, **blank, "known": token, "kind": answer["kind"]}, goal="next")
    kind = "organisation" if len(id_number) == 18 and not id_number[:17].isdigit() else "person"
    return form_part({**fields, **blank, "id_number": id_number, "kind": kind}, goal="name")


def _with_item(fields: dict[str, str], code: str) -> str:
    """The form for this item; who applies stays as it was."""
    states = {name for name in fields if name.startswith("m-")} if fields.get("item") != code else set()
    return form_part(
        {name: value for name, value in fields.items() if name not in states} | {"item": code}, goal="next"
    )


def _to_case(place: tuple[str, int]) -> Response:
    """Open the case that was scanned. Refuses auth.foreign_hall."""
    hall, case_id = place
    if staff_of_hall()[1] != hall:
        raise Refusal("auth.foreign_hall")
    address = url_for("cases.page", number=case_view(hall, case_id, now())["number"])
    if request.headers.get("HX-Request"):
        answer = make_response("")
        answer.headers["HX-Redirect"] = address
        return answer
    return redirect(address, code=303)


# ── reading, checking, receiving ────────────────────────────────────────────────────────────────────────────────


def _read() -> dict[str, Any]:
    """The case that the form describes. Data of the ticket or of an earlier case stay on the server.

    A form that was opened for another visit is never taken for this one: names of two people could be mixed up.
    """
    _, hall = staff_of_hall()
    fields = request.form
    ticket_id = ticket_at_window()
    if fields.get("ticket", "") != str(ticket_id or ""):
        raise Typed(gettext("窗口的号票已经变了，请重新核对申请人"), "name")
    applicant = dict(_known(fields, ticket_id) or {})
    if applicant:
        applicant["phone"] = fields.get("phone", "").strip() or applicant.get("phone", "")
    else:
        hint = person_of(hall, ticket_id) if ticket_id and fields.get("as_ticket") else {}
        applicant = {"kind": fields.get("kind", "person")}
        applicant |= {name: value or hint.get(name, "") or "" for name, value in _typed(fields).items()}
        if applicant["kind"] == "organisation" and fields.get("representative", "").strip():
            applicant["representative"] = fields["representative"]
    if not applicant["name"]:
        raise Typed(gettext("请填写申请人的姓名或名称"), "name")
    agent = {name: fields.get(f"agent_{name}", "").strip() for name in ("name", "id_number", "phone", "letter")}
    if any(agent.values()) and not agent["name"]:
        raise Typed(gettext("请填写代办人的姓名"), "agent_name")
    materials = [
        {"code": name.removeprefix("m-"), "state": value} for name, value in fields.items() if name.startswith("m-")
    ]
    _proofread(applicant, "")
    _proofread(agent, "agent_")
    return {
        "item": fields.get("item", ""),
        "applicant": applicant,
        "agent": agent if agent["name"] else None,
        "materials": materials,
        "ticket_id": ticket_id,
    }


def _proofread(party: Mapping[str, str], prefix: str) -> None:
    """Say beside its field what no case could be received with."""
    for name, value in party.items():
        try:
            if name == "id_number" and value:
                clean_id_number(value)
            elif name == "phone" and value:
                clean_phone(value)
            elif name in ("name", "representative", "letter"):
                clean(value, name, limit={"representative": 60}.get(name, 100), empty=True)
        except Refusal as refusal:
            raise Typed(wording.told(refusal), prefix + name) from None


def _again(sentence: str, field: str = "") -> str:
    """The form with what was typed and the sentence beside its field; htmx swaps it in where the form was."""
    return form_part(request.form.to_dict(), error=sentence, error_field=field)


@pages.post("/check")
@requires(Permission.CASE_ACCEPT)
def check() -> str:
    """Check the answers before the case is taken in."""
    try:
        case = _read()
    except Typed as fault:
        return _again(fault.sentence, fault.field)
    guide = item_of(case["item"])
    states = {m["code"]: m["state"] for m in case["materials"]}
    licences = _licences(guide, case["applicant"])
    if request.form.get("share"):
        states |= {code: "shared" for code, one in licences.items() if one["good"] and _lacks(states.get(code))}
    lines = [
        {**m, "state": states.get(m["code"], "missing" if m["required"] else "not_needed")} for m in guide["materials"]
    ]
    lacking = [m for m in lines if m["required"] and _lacks(m["state"])]
    form = {name: value for name, value in request.form.items() if name not in PRESSED}
    return part(
        "clerk/check.html",
        case=case,
        guide=guide,
        lines=lines,
        lacking=lacking,
        sharable=[m["code"] for m in lacking if licences.get(m["code"], {}).get("good")],
        licences=licences,
        form=form | {f"m-{code}": state for code, state in states.items()},
        key=new_key(),
    )


def _lacks(state: str | None) -> bool:
    return state not in ("received", "shared")


@pages.post("/receive")
@requires(Permission.CASE_ACCEPT)
def receive() -> str | Response:
    """Take the case in and, when asked and nothing is missing, accept it at once: two actions, each done once."""
    actor, hall = staff_of_hall()
    if request.form.get("next") == "back":
        return _again("")
    try:
        given = _read()
        with once(actor):
            case = receive_case(hall=hall, actor=actor, at=now(), window=window_of_staff(hall, actor.id), **given)
    except Typed as fault:
        return _again(fault.sentence, fault.field)
    except Refusal as refusal:
        if refusal.status != 422 and not refusal.code.startswith("licence."):
            raise
        return _again(wording.told(refusal), str(refusal.facts.get("field", "")))
    _, case_id = find_case(case["number"])
    error = ""
    if request.form.get("next") == "accept":
        try:
            with once(actor, "accept"):
                accept_case(hall=hall, actor=actor, at=now(), case_id=case_id)
        except Refusal as refusal:  # it is received all the same
            error = wording.told(refusal)
    codes = {name: case[name] for name in ("query_code", "pickup_code")}
    view = case_view(hall, case_id, now())
    answer = make_response(part("clerk/received.html", case=view, codes=codes, error=error, paper_title=paper_title))
    answer.headers["HX-Trigger"] = "case-received"
    return answer
