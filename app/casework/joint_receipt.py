"""Receiving a one-thing case 一件事: one form and one set of papers, from which a case for each department is made."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert

from app.action import Transaction, action
from app.casework import joint_papers
from app.casework.application import coded, enter
from app.casework.cases import change, open_field, seal_field
from app.casework.intake import given_states, take_in
from app.casework.joint_models import JointCase, JointMaterial
from app.casework.joint_parts import named, serves
from app.casework.joint_queries import joint_answer
from app.casework.models import Case
from app.casework.parties import agent_of, applicant_of
from app.casework.rules.joint import JointState
from app.casework.rules.materials import MaterialState
from app.casework.supplement import set_material
from app.catalog.queries import theme as theme_of
from app.errors import Refusal
from app.events import JointReceived
from app.words import clean, clean_id_number, clean_phone

LONGEST_ANSWER = 300
PARTS = ("name", "id_number", "phone", "letter")  # what a form asks of a person


@action
def receive_joint(
    tx: Transaction,
    *,
    theme: str,
    applicant: Mapping[str, Any],
    form: Mapping[str, Any],
    materials: Sequence[Mapping[str, Any]],
    agent: Mapping[str, Any] | None = None,
    delivery: Mapping[str, Any] | None = None,
    ticket_id: int | None = None,
    window: str | None = None,
) -> dict[str, Any]:
    """Take a one-thing case in: its parts are cases of their own, those of later stages as drafts until their turn.

    A paper that an earlier part's result makes is marked as shared; the applicant brings nothing for it. All parts have
    the query code and the pickup code of the whole. Refuses theme.unknown, case.applicant_kind, case.material_unknown,
    licence.expired, licence.revoked, text.empty and other bad words. Locks the hall. Tells JointReceived, CaseReceived, CaseCollected, NoticeIssued.
    """
    guide = theme_of(theme, on=tx.day)
    answers = read_form(guide["form"], form)  # it may name who represents the applicant
    applicant = {**applicant, "representative": applicant.get("representative") or answers.get("representative")}
    entered = enter(
        tx,
        kind="joint",
        mark="YJ",
        guide=guide,
        applicant=applicant,
        agent=agent,
        delivery=delivery,
        ticket_id=ticket_id,
        window=window,
    )
    states = _states(guide, materials)
    joint = JointCase(
        **entered.columns,
        theme=theme,
        form_sealed=seal_field(tx.hall, entered.id, "form", answers),
        state=JointState.RECEIVED,
        received_at=tx.at,
    )
    tx.session.add(joint)
    tx.session.flush()
    rows = [{"hall": tx.hall, "joint_id": joint.id, "code": code, "state": state} for code, state in states.items()]
    if rows:
        tx.execute(insert(JointMaterial), [{**row, "requested": False} for row in rows])
    cases = _take_parts(tx, joint, applicant, agent, delivery, states, entered.codes)
    numbers = tuple(case.number for case in cases)
    tx.record(JointReceived(**named(joint), theme=theme, cases=numbers, window=window, ticket=ticket_id))
    joint_papers.issue_receipt(tx, joint, cases)
    return joint_answer(tx, joint) | entered.codes


def proofread(theme: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Refusal]:
    """Why `receive_joint` could not take this in, field by field; writes nothing.

    The fields are those of the applicant (`name`), of the agent (`agent_name`) and of the form (`a-` and its key).
    Refuses case.applicant_kind, case.material_unknown, request.invalid, which are about no field that is filled in.
    """
    applicant_of({**given["applicant"], "name": "—", "id_number": "", "phone": ""})
    _states(theme, given["materials"])
    wrong: dict[str, Refusal] = {}
    for prefix, party in (("", given["applicant"]), ("agent_", given.get("agent") or {})):
        for part in PARTS if party else ():
            try:
                agent_of({"name": "—", part: party.get(part)})
            except Refusal as refusal:
                wrong[prefix + part] = refusal
    for field in theme["form"]:
        try:
            read_form([field], given["form"])
        except Refusal as refusal:
            wrong[f"a-{field['key']}"] = refusal
    return wrong


def _states(theme: Mapping[str, Any], materials: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The state of every merged material; one nobody spoken of is missing, or not needed if it is not required."""
    states = {m["code"]: str(MaterialState.MISSING if m["required"] else "not_needed") for m in theme["materials"]}
    return states | given_states(materials, set(states))


def read_form(fields: Sequence[Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, str]:
    """The answers to a theme's form, cleaned by the kind of each field; what was not asked is left out.

    Refuses text.empty for a required answer, person.bad_id, person.bad_phone, request.invalid and bad words.
    """
    answers = {}
    for field in fields:
        key, label = field["key"], field["label"]
        text = clean(str(given.get(key) or ""), label, limit=LONGEST_ANSWER, empty=not field["required"])
        if text and field["type"] == "id":
            text = clean_id_number(text)
        elif text and field["type"] == "phone":
            text = clean_phone(text)
        elif text and not _fits(field, text):
            raise Refusal("request.invalid", detail=label)
        if text:
            answers[key] = text
    return answers


def _fits(field: Mapping[str, Any], text: str) -> bool:
    """Whether a number is one, and a choice one of those offered."""
    if field["type"] == "number":
        return re.fullmatch(r"\d{1,12}(\.\d{1,4})?", text, re.ASCII) is not None
    return field["type"] != "choice" or text in {choice["code"] for choice in field["choices"]}


def _take_parts(
    tx: Transaction,
    joint: JointCase,
    applicant: Mapping[str, Any],
    agent: Mapping[str, Any] | None,
    delivery: Mapping[str, Any] | None,
    states: Mapping[str, str],
    codes: Mapping[str, str],
) -> list[Case]:
    theme = joint.guide
    first = min(child["position"] for child in theme["children"])
    cases = []
    for child in theme["children"]:
        item = child["item"]
        own = {code: state for merged, state in states.items() for code in serves(theme, merged).get(item, ())}
        case = take_in(
            tx,
            item=item,
            guide=child["guide"],
            applicant=applicant,
            agent=agent,
            delivery=delivery,
            materials=[{"code": code, "state": state} for code, state in own.items()],
            ticket_id=joint.ticket_id,
            window=joint.window,
            joint_id=joint.id,
            collected=child["position"] > first,
        )
        for paper in theme["handed_on"]:  # the result of an earlier part, which is not there yet: nothing to look up
            if paper["item"] == item:
                set_material(tx, case, paper["material"], state=MaterialState.SHARED)
                tx.session.expire_all()
        mine = open_field(case, "codes") | {name: codes[name] for name in ("query_code", "pickup_code")}
        change(tx, case, **coded(tx.hall, case.id, case.number, mine))
        cases.append(case)
    return cases
