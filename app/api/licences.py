"""E-licences: what the store has in place of a paper."""

from __future__ import annotations

from app.api.cases import CASE
from app.api.noun import Noun
from app.api.schemas import Shape, Text
from app.api.steps import Steps
from app.casework import sharing
from app.people.permissions import Permission

noun = Noun("licences", "E-licences in place of papers")
step = Steps(noun, CASE, "case.illegal_step")


class Sharing(Shape):
    code = Text(limit=80, required=True, metadata={"description": "Of a sharable material of the case"})


step(
    "share",
    sharing.share_material,
    Permission.CASE_ACCEPT,
    says="Take the applicant's e-licence for a missing material; the licence is frozen into the case.",
    takes=Sharing,
    refuses="case.material_unknown case.nothing_missing case.not_sharable licence.none licence.expired licence.revoked",
)
