"""Who stands at the window to collect: what one result and those of a one-thing case ask for alike."""

from __future__ import annotations

import re
from typing import Any

from flask import request
from flask_babel import gettext

from app.errors import Refusal
from app.web.forms import limited, settings

_AT_FIELD = {
    "case.receiver_mismatch": "pickup_code",
    "case.receiver_name": "receiver",
    "case.agent_letter": "agent_letter",
    "person.bad_id": "agent_id_number",
    "case.signature": "signature",
}


def missing(number: str) -> tuple[str, str] | None:
    """(sentence, field) of what the form leaves open; counts as a try at this number. Refuses request.too_many."""
    limited(settings().code_limit, number)
    if not (_code() or _id_number()):
        return gettext("请输入领取码，或者申请人证件号"), "pickup_code"
    if request.form.get("confirmed") != "1":
        return gettext("请先核对姓名和编号，再交付"), "confirmed"
    return None


def given() -> dict[str, Any]:
    """The words of `hand_over` as the form says them: who, against what, for whom, and what was drawn."""
    fields = request.form
    agent = None
    if fields.get("who") == "agent":
        agent = {"name": fields.get("receiver", ""), "letter": fields.get("agent_letter", "")}
        agent["id_number"] = fields.get("agent_id_number", "").strip()
    return {
        "receiver": fields.get("receiver", ""),
        "pickup_code": _code() or None,
        "id_number": _id_number() or None,
        "agent": agent,
        "signature": fields.get("signature") or None,
    }


def at_field(refusal: Refusal) -> str:
    """The field beside which a refusal is told; empty where it is of none."""
    if refusal.code == "case.receiver_mismatch" and not _code():
        return "id_number"
    return _AT_FIELD.get(refusal.code, "")


def _code() -> str:
    return re.sub(r"\s", "", request.form.get("pickup_code", ""))


def _id_number() -> str:
    return request.form.get("id_number", "").strip()
