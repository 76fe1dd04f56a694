"""One-thing cases 一件事: themes, one form and one set of papers for several departments, one answer for the whole."""

from __future__ import annotations

from typing import Any

from flask import g

from app.api.case_shapes import shown
from app.api.intake import RECEIVING, at_window
from app.api.joint_shapes import (
    FilledForm,
    FormReveal,
    JointCaseOut,
    JointFilter,
    JointHandOver,
    JointNotice,
    JointPage,
    JointQuestion,
    JointReason,
    JointShelf,
    JointSupply,
    NewJointCase,
    PublicJointCase,
    ReceivedJointCase,
    Theme,
    ThemeLine,
)
from app.api.noun import Noun
from app.api.reading import plain, watched_hall
from app.api.steps import Steps, Subject
from app.casework import joint, joint_collection, joint_queries, joint_receipt, reveal
from app.catalog import queries as catalog
from app.now import now
from app.people.gate import public, requires
from app.people.permissions import Permission

noun = Noun("joint-cases", "One-thing cases: several departments, one set of papers")

JOINT = Subject("/joint-cases", "joint", "joint_id", joint_queries.find_joint, JointCaseOut)
step = Steps(noun, JOINT, "joint.illegal_step text.empty")

ACCEPT, HAND_OVER = Permission.CASE_ACCEPT, Permission.CASE_HAND_OVER


@noun.get("/themes")
@public
@noun.response(200, ThemeLine(many=True))
def list_themes() -> Any:
    """What can be done as one thing."""
    return catalog.themes()


@noun.get("/themes/<theme>", refuses="theme.unknown")
@public
@noun.response(200, Theme)
def read_theme(theme: str) -> Any:
    """One theme: its form, its merged materials, its parts."""
    return catalog.theme(plain(theme, "theme.unknown"))


@noun.post("/joint-cases", refuses=f"theme.unknown ticket.unknown {RECEIVING}")
@requires(ACCEPT)
@noun.arguments(NewJointCase)
@noun.response(201, ReceivedJointCase)
def receive_joint_case(given: dict[str, Any]) -> Any:
    """Receive a one-thing case: one number and one receipt over a case for each department."""
    given["form"] = {key: value for key, value in given["form"].items() if value is not None}
    return shown(joint_receipt.receive_joint(actor=g.actor, at=now(), **at_window(given)))


@noun.get("/joint-cases", refuses="hall.unknown auth.foreign_hall")
@requires(Permission.CASE_READ)
@noun.arguments(JointFilter, location="query")
@noun.response(200, JointPage)
def list_joint_cases(given: dict[str, Any]) -> Any:
    """The open ones by due time, soonest first, or those of one state."""
    return joint_queries.joint_list(at=now(), hall=watched_hall(g.actor, given.pop("hall")), **given)


@noun.get("/joint-cases/<number>", refuses=JOINT.refuses)
@requires(Permission.CASE_READ)
@noun.response(200, JointCaseOut)
def read_joint_case(number: str) -> Any:
    """One one-thing case: its parts, its clocks, its papers. People are masked."""
    return shown(joint_queries.joint_view(*JOINT.seen(number), now()))


step(
    "accept",
    joint.accept_joint,
    ACCEPT,
    says="Accept every part whose turn it is, at once.",
    refuses="case.materials_missing case.no_request_open",
    named="accept_joint_case",
)
step(
    "request-supplement",
    joint.request_joint_supplement,
    ACCEPT,
    says="Tell the applicant once, on one paper, all that is missing for every part.",
    takes=JointNotice,
    refuses="case.nothing_missing case.material_unknown case.second_notice case.told_late case.reason_required",
)
step(
    "supply",
    joint.supply_joint,
    ACCEPT,
    says="Take merged materials in: supplements, or the papers of a later stage.",
    takes=JointSupply,
    refuses="case.nothing_missing case.material_unknown licence.expired licence.revoked",
    named="supply_joint_case",
)
step(
    "extend",
    joint.extend_joint,
    Permission.CASE_EXTEND_JOINT,
    says="Extend the unified limit once, as the law allows.",
    takes=JointReason,
    refuses="case.reason_required case.not_extendable case.extended_once case.too_late",
    named="extend_joint_case",
)
step(
    "ready",
    joint_collection.ready_joint,
    HAND_OVER,
    says="All results that were granted lie at the pickup window.",
    takes=JointShelf,
    refuses="joint.nothing_granted",
    named="ready_joint_case",
)
step(
    "hand-over",
    joint_collection.hand_over_joint,
    HAND_OVER,
    says="Give out at once all that is decided, against the one code or the applicant's ID.",
    takes=JointHandOver,
    refuses="case.receiver_mismatch case.receiver_name case.agent_letter joint.nothing_decided person.bad_id",
    named="hand_over_joint_case",
    limited="codes",
)
step(
    "withdraw",
    joint.withdraw_joint,
    ACCEPT,
    says="The applicant takes the whole back; what is decided stays decided.",
    named="withdraw_joint_case",
)


@noun.post("/joint-cases/<number>/reveal", refuses=f"{JOINT.refuses} reveal.reason")
@requires(Permission.CASE_REVEAL)
@noun.arguments(FormReveal)
@noun.response(200, FilledForm)
def reveal_form(given: dict[str, Any], number: str) -> Any:
    """The merged form as it was filled in; the look goes into the record."""
    return JOINT.act(reveal.reveal_form, number, **given)


@noun.post("/joint-case-queries", refuses="joint.query_mismatch", acts=False, limited="tickets")
@public
@noun.arguments(JointQuestion)
@noun.response(200, PublicJointCase)
def query_joint_case(given: dict[str, Any]) -> Any:
    """How the whole stands, for whoever knows its number and the code on the joint receipt."""
    return joint_queries.public_joint(*joint_queries.find_joint_by_query(given["number"], given["query_code"]), now())
