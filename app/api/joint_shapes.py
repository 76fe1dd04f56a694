"""The shapes of a one-thing case 一件事 and its themes: as staff see it, as a line of a list, as its applicant sees it."""

from __future__ import annotations

from marshmallow import fields, validate

from app.api.case_shapes import STATES, CaseClock, Clocks, Codes, MaskedParty, Stepwise, ToBring
from app.api.delivery import Receiver
from app.api.intake import Application, Lacking, Supply
from app.api.items import Limit, Material
from app.api.schemas import (
    HallPageQuery,
    Named,
    OfDepartment,
    Page,
    Shape,
    Text,
    instant,
    listed,
    maybe,
    said,
)
from app.api.steps import Reason
from app.casework.rules.joint import JointState
from app.privacy import REASONS

JOINT_STATES = [state.value for state in JointState]


# ── themes ──────────────────────────────────────────────────────────────────────────────────────────────────────


class ThemeField(Shape):
    key = said()
    label = said()
    label_en = said()
    type = said(metadata={"enum": ["text", "id", "phone", "number", "choice", "address"]})
    required = fields.Boolean(required=True)
    choices = fields.List(fields.Dict(keys=fields.String()), required=True)
    person = fields.Boolean(required=True, metadata={"description": "The answer names a person and is shown masked"})


class Serves(Shape):
    item = said()
    material = said()


class ThemeMaterial(Material):
    serves = fields.List(fields.Nested(Serves), required=True)


class InTurn(Named, OfDepartment):
    """A part. Parts of an equal `position` go side by side; later ones begin when the earlier are decided."""

    position = fields.Integer(required=True)
    stage = said()


class ThemeChild(InTurn):
    item = said()
    promised = fields.Nested(Limit, required=True)


class ThemeLine(Named):
    code = said()
    lead_department = said()
    lead_department_en = said()
    art26 = fields.Boolean(required=True, metadata={"description": "One limit for all by 行政许可法 §26"})
    promised = fields.Nested(Limit, required=True)
    statutory = fields.Nested(Limit, required=True)


class Theme(ThemeLine):
    form = fields.List(fields.Nested(ThemeField), required=True)
    materials = fields.List(fields.Nested(ThemeMaterial), required=True)
    children = fields.List(fields.Nested(ThemeChild), required=True)


# ── what goes in ────────────────────────────────────────────────────────────────────────────────────────────────


class NewJointCase(Application):
    theme = Text(limit=80, required=True)
    form = fields.Dict(keys=Text(limit=60), values=Text(limit=300, allow_none=True), load_default=dict)


class JointProblem(Lacking):
    code = Text(limit=80, required=True, metadata={"description": "Of a merged material"})


class JointNotice(Shape):
    items = listed(fields.Nested(JointProblem), required=True)


class JointSupply(Supply):
    """Of merged materials."""


class JointReason(Reason):
    """Why the whole is extended."""


class JointShelf(Shape):
    shelf = Text(limit=20, load_default="")


class JointHandOver(Receiver):
    """`only` names the cases that are wanted, all by default."""

    only = listed(Text(limit=40), allow_none=True, load_default=None)


class JointQuestion(Shape):
    number = Text(limit=40, required=True)
    query_code = Text(limit=20, required=True)


class JointFilter(HallPageQuery):
    state = Text(limit=20, load_default=None, validate=validate.OneOf(JOINT_STATES))


# ── what goes out ───────────────────────────────────────────────────────────────────────────────────────────────


class JointTheme(ThemeLine):
    result_name = said()
    result_name_en = said()


class JointAnswer(Shape):
    """One line of the merged form as it was answered; names, numbers and addresses are masked."""

    label = said()
    label_en = said()
    value = said()
    value_en = said()


class ServedPart(Named):
    item = said()


class JointMaterialOut(Material):
    """A merged material; `wanted` unless only later stages need it, `tolerated` while it may still follow 容缺."""

    serves = fields.List(fields.Nested(ServedPart), required=True)
    state = said()
    requested = fields.Boolean(required=True)
    problem = maybe()
    wanted = fields.Boolean(required=True)
    tolerated = fields.Boolean(required=True)


class PublicPart(InTurn):
    """A part; `awaited` when its turn has come and its papers have not."""

    number = said()
    result_name = said()
    result_name_en = said()
    state = said(metadata={"enum": STATES})
    awaited = fields.Boolean(required=True)
    outcome = maybe()
    light = said()
    promised = fields.Nested(CaseClock, required=True)
    accepted_at = maybe(instant)
    decided_at = maybe(instant)
    delivered_at = maybe(instant)


class JointPart(PublicPart):
    item = said()
    overdue = fields.Boolean(required=True)
    shelf = maybe()


class JointHead(Shape):
    number = said()
    hall = said()
    theme = fields.Nested(JointTheme, required=True)
    state = said(metadata={"enum": JOINT_STATES})
    received_at = instant(required=True)


class JointDates(JointHead):
    accepted_at = maybe(instant)
    decided_at = maybe(instant)
    delivered_at = maybe(instant)


class FormReveal(Shape):
    reason = Text(limit=20, required=True, metadata={"enum": list(REASONS)})


class FilledForm(Shape):
    """The merged form, nothing masked."""

    form = fields.List(fields.Nested(JointAnswer), required=True)


class JointCaseOut(JointDates, Stepwise):
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


class ReceivedJointCase(JointCaseOut, Codes):
    """The case just received; every part has the same two codes."""


class JointLine(JointHead):
    applicant = said(metadata={"description": "Masked"})
    light = said()
    promised = fields.Nested(CaseClock, required=True)
    parts = fields.Integer(required=True)
    settled = fields.Integer(required=True)


class JointPage(Page):
    items = fields.List(fields.Nested(JointLine), required=True)


class JointToBring(ToBring):
    """A merged material."""


class PublicJointCase(JointDates):
    """What the applicant sees. No personal data."""

    promised = fields.Nested(CaseClock, required=True)
    statutory = fields.Nested(CaseClock, required=True)
    to_bring = fields.List(fields.Nested(JointToBring), required=True)
    children = fields.List(fields.Nested(PublicPart), required=True)
