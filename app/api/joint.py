"""One-thing cases 一件事: themes, one form and one set of papers for several departments, one answer for the whole."""

from __future__ import annotations

from typing import Any

from flask import g
from marshmallow import fields, validate

from app.api.case_shapes import OPTIONAL_INSTANT, STATES, CaseClock, Clocks, HistoryLine, MaskedParty, NoticeLine, shown
from app.api.delivery import AgentWithLetter
from app.api.intake import Agent, Applicant, MaterialIn, Supplied
from app.api.items import Limit
from app.api.noun import Noun
from app.api.reading import own_hall, plain, row_id
from app.api.schemas import Nothing, PageQuery, Shape, Text, instant, listed, maybe, said
from app.casework import joint, joint_queries
from app.casework.rules.joint import JointState
from app.catalog import queries as catalog
from app.errors import Refusal
from app.now import now
from app.people.gate import public, requires
from app.people.permissions import Permission
from app.queueing.queries import ticket_view, window_of_staff

noun = Noun("joint-cases", "One-thing cases: several departments, one set of papers")

OF_JOINT = "joint.unknown auth.foreign_hall hall.unknown"
STEP = f"{OF_JOINT} joint.illegal_step text.empty"
JOINT_STATES = [state.value for state in JointState]


# ── themes ──────────────────────────────────────────────────────────────────────────────────────────────────────


class ThemeField(Shape):
    key = said()
    label = said()
    label_en = said()
    type = said(metadata={"enum": ["text", "id", "phone", "number", "choice", "address"]})
    required = fields.Boolean(required=True)
    choices = fields.List(fields.Dict(keys=fields.String()), required=True)


class Serves(Shape):
    item = said()
    material = said()


class ThemeMaterial(Shape):
    code = said()
    name = said()
    name_en = said()
    kind = said()
    form = said()
    copies = fields.Integer(required=True)
    sharable = fields.Boolean(required=True)
    required = fields.Boolean(required=True)
    serves = fields.List(fields.Nested(Serves), required=True)


class ThemeChild(Shape):
    """A part. Parts of an equal `position` go side by side; later ones begin when the earlier are decided."""

    item = said()
    name = said()
    name_en = said()
    department = said()
    department_en = said()
    promised = fields.Nested(Limit, required=True)
    position = fields.Integer(required=True)
    stage = said()


class ThemeLine(Shape):
    code = said()
    name = said()
    name_en = said()
    lead_department = said()
    lead_department_en = said()
    art26 = fields.Boolean(required=True, metadata={"description": "One limit for all by 行政许可法 §26"})
    promised = fields.Nested(Limit, required=True)
    statutory = fields.Nested(Limit, required=True)


class Theme(ThemeLine):
    form = fields.List(fields.Nested(ThemeField), required=True)
    materials = fields.List(fields.Nested(ThemeMaterial), required=True)
    children = fields.List(fields.Nested(ThemeChild), required=True)


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


# ── a joint case ────────────────────────────────────────────────────────────────────────────────────────────────


class NewJointCase(Shape):
    theme = Text(limit=80, required=True)
    applicant = fields.Nested(Applicant, required=True)
    form = fields.Dict(keys=Text(limit=60), values=Text(limit=300, allow_none=True), load_default=dict)
    materials = listed(fields.Nested(MaterialIn), load_default=list)
    ticket = Text(limit=60, allow_none=True, load_default=None, metadata={"description": "Of the present visit"})
    agent = fields.Nested(Agent, allow_none=True, load_default=None)
    delivery = fields.Dict(keys=Text(limit=20), values=Text(limit=200), allow_none=True, load_default=None)
    hall = Text(limit=40, allow_none=True, load_default=None, metadata={"description": "One's own by default"})


class JointProblem(Shape):
    code = Text(limit=80, required=True, metadata={"description": "Of a merged material"})
    problem = Text(limit=200, allow_none=True)
    defect = Text(limit=20, allow_none=True, validate=validate.OneOf(["incomplete", "form"]))


class JointNotice(Shape):
    items = listed(fields.Nested(JointProblem), required=True)


class JointSupply(Shape):
    items = listed(
        Supplied(metadata={"oneOf": [{"type": "string"}, {"$ref": "#/components/schemas/MaterialIn"}]}), required=True
    )


class JointReason(Shape):
    reason = Text(limit=500, load_default="")


class JointShelf(Shape):
    shelf = Text(limit=20, load_default="")


class JointHandOver(Shape):
    """`pickup_code` or the applicant's `id_number`; `only` names the cases that are wanted, all by default."""

    receiver = Text(limit=60, required=True)
    pickup_code = Text(limit=20, allow_none=True, load_default=None)
    id_number = Text(limit=60, allow_none=True, load_default=None)
    agent = fields.Nested(AgentWithLetter, allow_none=True, load_default=None)
    only = listed(Text(limit=40), allow_none=True, load_default=None)


class JointQuestion(Shape):
    number = Text(limit=40, required=True)
    query_code = Text(limit=20, required=True)


class JointFilter(PageQuery):
    state = Text(limit=20, load_default=None, validate=validate.OneOf(JOINT_STATES))
    hall = Text(limit=40, load_default=None)


class JointTheme(ThemeLine):
    result_name = said()
    result_name_en = said()


class JointAnswer(Shape):
    """One line of the merged form as it was answered; numbers of people are masked."""

    label = said()
    label_en = said()
    value = said()
    value_en = said()


class ServedPart(Shape):
    item = said()
    name = said()
    name_en = said()


class JointMaterialOut(Shape):
    """A merged material; `wanted` unless only later stages need it."""

    code = said()
    name = said()
    name_en = said()
    kind = said()
    form = said()
    copies = fields.Integer(required=True)
    sharable = fields.Boolean(required=True)
    required = fields.Boolean(required=True)
    serves = fields.List(fields.Nested(ServedPart), required=True)
    state = said()
    requested = fields.Boolean(required=True)
    problem = maybe()
    wanted = fields.Boolean(required=True)


class PublicPart(Shape):
    number = said()
    name = said()
    name_en = said()
    department = said()
    department_en = said()
    position = fields.Integer(required=True)
    stage = said()
    result_name = said()
    result_name_en = said()
    state = said(metadata={"enum": STATES})
    outcome = maybe()
    light = said()
    promised = fields.Nested(CaseClock, required=True)
    accepted_at = instant(**OPTIONAL_INSTANT)
    decided_at = instant(**OPTIONAL_INSTANT)
    delivered_at = instant(**OPTIONAL_INSTANT)


class JointPart(PublicPart):
    item = said()
    overdue = fields.Boolean(required=True)
    shelf = maybe()


class JointDates(Shape):
    number = said()
    hall = said()
    theme = fields.Nested(JointTheme, required=True)
    state = said(metadata={"enum": JOINT_STATES})
    received_at = instant(required=True)
    accepted_at = instant(**OPTIONAL_INSTANT)
    decided_at = instant(**OPTIONAL_INSTANT)
    delivered_at = instant(**OPTIONAL_INSTANT)


class JointCaseOut(JointDates):
    """A one-thing case as staff see it. Its clocks run while the clock of any part runs."""

    applicant = fields.Nested(MaskedParty, required=True)
    agent = fields.Nested(MaskedParty, required=True, allow_none=True)
    form = fields.List(fields.Nested(JointAnswer), required=True)
    materials = fields.List(fields.Nested(JointMaterialOut), required=True)
    light = said()
    clocks = fields.Nested(Clocks, required=True)
    children = fields.List(fields.Nested(JointPart), required=True)
    extension = maybe()
    window = maybe()
    ticket = maybe()
    history = fields.List(fields.Nested(HistoryLine), required=True)
    notices = fields.List(fields.Nested(NoticeLine), required=True)
    steps = fields.List(fields.String(), required=True)


class ReceivedJointCase(JointCaseOut):
    """The codes that the joint receipt prints; every part has the same two. They are not shown again here."""

    query_code = said()
    query_token = said()
    pickup_code = said()


class JointLine(Shape):
    number = said()
    hall = said()
    theme = fields.Nested(JointTheme, required=True)
    applicant = said(metadata={"description": "Masked"})
    state = said(metadata={"enum": JOINT_STATES})
    light = said()
    received_at = instant(required=True)
    promised = fields.Nested(CaseClock, required=True)
    parts = fields.Integer(required=True)
    settled = fields.Integer(required=True)


class JointPage(Shape):
    items = fields.List(fields.Nested(JointLine), required=True)
    total = fields.Integer(required=True)
    page = fields.Integer(required=True)
    pages = fields.Integer(required=True)


class JointToBring(Shape):
    name = said()
    name_en = said()
    problem = maybe()
    form = said()
    copies = fields.Integer(required=True)


class PublicJointCase(JointDates):
    """What the applicant sees. No personal data."""

    promised = fields.Nested(CaseClock, required=True)
    statutory = fields.Nested(CaseClock, required=True)
    to_bring = fields.List(fields.Nested(JointToBring), required=True)
    children = fields.List(fields.Nested(PublicPart), required=True)


def own_joint(number: str) -> tuple[str, int]:
    """(hall, id) of a one-thing case that the caller may see. Refuses joint.unknown, auth.foreign_hall."""
    hall, joint_id = joint_queries.find_joint(plain(number, "joint.unknown"))
    if g.actor.hall not in (None, hall):
        raise Refusal("auth.foreign_hall")
    return hall, joint_id


def act(action: Any, number: str, **more: Any) -> dict[str, Any]:
    """Run an action on the one-thing case of this number as the caller, now."""
    hall, joint_id = joint_queries.find_joint(plain(number, "joint.unknown"))
    return shown(action(hall=hall, actor=g.actor, at=now(), joint_id=joint_id, **more))


@noun.post(
    "/joint-cases",
    refuses="theme.unknown case.applicant_kind case.material_unknown ticket.unknown auth.foreign_hall hall.unknown "
    "text.empty person.bad_id person.bad_phone licence.expired licence.revoked",
)
@requires(Permission.CASE_ACCEPT)
@noun.arguments(NewJointCase)
@noun.response(201, ReceivedJointCase)
def receive_joint_case(given: dict[str, Any]) -> Any:
    """Receive a one-thing case: one number and one receipt over a case for each department."""
    ticket = row_id(given.pop("ticket"), "ticket.unknown") if given["ticket"] else given.pop("ticket")
    hall = given.pop("hall") or g.actor.hall or (ticket[0] if ticket else None)
    if not hall:
        raise Refusal("request.invalid", detail="hall: required of those who belong to no single hall")
    own_hall(g.actor, hall)
    if ticket is not None:
        if ticket[0] != hall:
            raise Refusal("ticket.unknown")
        ticket_view(*ticket, now())
    window, ticket_id = window_of_staff(hall, g.actor.id), ticket[1] if ticket else None
    given["form"] = {key: value for key, value in given["form"].items() if value is not None}
    return shown(joint.receive_joint(hall=hall, actor=g.actor, at=now(), window=window, ticket_id=ticket_id, **given))


@noun.get("/joint-cases", refuses="hall.unknown auth.foreign_hall")
@requires(Permission.CASE_READ)
@noun.arguments(JointFilter, location="query")
@noun.response(200, JointPage)
def list_joint_cases(given: dict[str, Any]) -> Any:
    """The open ones by due time, soonest first, or those of one state."""
    hall = own_hall(g.actor, given.pop("hall")) if given["hall"] else given.pop("hall") or g.actor.hall
    return joint_queries.joint_list(at=now(), hall=hall, **given)


@noun.get("/joint-cases/<number>", refuses=OF_JOINT)
@requires(Permission.CASE_READ)
@noun.response(200, JointCaseOut)
def read_joint_case(number: str) -> Any:
    """One one-thing case: its parts, its clocks, its papers. People are masked."""
    return shown(joint_queries.joint_view(*own_joint(number), now()))


@noun.post("/joint-cases/<number>/accept", refuses=f"{STEP} case.materials_missing case.no_request_open")
@requires(Permission.CASE_ACCEPT)
@noun.arguments(Nothing)
@noun.response(200, JointCaseOut)
def accept_joint_case(_given: dict[str, Any], number: str) -> Any:
    """Accept every part whose turn it is, at once."""
    return act(joint.accept_joint, number)


@noun.post(
    "/joint-cases/<number>/request-supplement",
    refuses=f"{STEP} case.nothing_missing case.material_unknown case.second_notice case.told_late",
)
@requires(Permission.CASE_ACCEPT)
@noun.arguments(JointNotice)
@noun.response(200, JointCaseOut)
def request_joint_supplement(given: dict[str, Any], number: str) -> Any:
    """Tell the applicant once, on one paper, all that is missing for every part."""
    return act(joint.request_joint_supplement, number, items=given["items"])


@noun.post(
    "/joint-cases/<number>/supply",
    refuses=f"{STEP} case.nothing_missing case.material_unknown licence.expired licence.revoked",
)
@requires(Permission.CASE_ACCEPT)
@noun.arguments(JointSupply)
@noun.response(200, JointCaseOut)
def supply_joint_case(given: dict[str, Any], number: str) -> Any:
    """Take merged materials in: supplements, or the papers of a later stage."""
    return act(joint.supply_joint, number, items=given["items"])


@noun.post(
    "/joint-cases/<number>/extend",
    refuses=f"{STEP} case.reason_required case.not_extendable case.extended_once case.too_late",
)
@requires(Permission.CASE_EXTEND_JOINT)
@noun.arguments(JointReason)
@noun.response(200, JointCaseOut)
def extend_joint_case(given: dict[str, Any], number: str) -> Any:
    """Extend the unified limit once, as the law allows."""
    return act(joint.extend_joint, number, **given)


@noun.post("/joint-cases/<number>/ready", refuses=f"{STEP} joint.nothing_granted")
@requires(Permission.CASE_HAND_OVER)
@noun.arguments(JointShelf)
@noun.response(200, JointCaseOut)
def ready_joint_case(given: dict[str, Any], number: str) -> Any:
    """All results that were granted lie at the pickup window."""
    return act(joint.ready_joint, number, **given)


@noun.post(
    "/joint-cases/<number>/hand-over",
    refuses=f"{STEP} case.receiver_mismatch case.agent_letter joint.nothing_decided person.bad_id",
)
@requires(Permission.CASE_HAND_OVER)
@noun.arguments(JointHandOver)
@noun.response(200, JointCaseOut)
def hand_over_joint_case(given: dict[str, Any], number: str) -> Any:
    """Give out at once all that is decided, against the one code or the applicant's ID."""
    return act(joint.hand_over_joint, number, **given)


@noun.post("/joint-cases/<number>/withdraw", refuses=STEP)
@requires(Permission.CASE_ACCEPT)
@noun.arguments(Nothing)
@noun.response(200, JointCaseOut)
def withdraw_joint_case(_given: dict[str, Any], number: str) -> Any:
    """The applicant takes the whole back; what is decided stays decided."""
    return act(joint.withdraw_joint, number)


@noun.post("/joint-case-queries", refuses="joint.query_mismatch", acts=False, limited="tickets")
@public
@noun.arguments(JointQuestion)
@noun.response(200, PublicJointCase)
def query_joint_case(given: dict[str, Any]) -> Any:
    """How the whole stands, for whoever knows its number and the code on the joint receipt."""
    return joint_queries.public_joint(*joint_queries.find_joint_by_query(given["number"], given["query_code"]), now())
