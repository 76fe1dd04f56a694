"""E-licences: what the store has in place of a paper."""

from __future__ import annotations

from typing import Any

from app.api.case_shapes import StaffCase
from app.api.cases import OF_CASE, act
from app.api.noun import Noun
from app.api.schemas import Shape, Text
from app.casework import sharing
from app.people.gate import requires
from app.people.permissions import Permission

noun = Noun("licences", "E-licences in place of papers")


class Sharing(Shape):
    code = Text(limit=80, required=True, metadata={"description": "Of a sharable material of the case"})


@noun.post(
    "/cases/<number>/share",
    refuses=f"{OF_CASE} case.illegal_step case.material_unknown case.not_sharable licence.none licence.expired "
    "licence.revoked",
)
@requires(Permission.CASE_ACCEPT)
@noun.arguments(Sharing)
@noun.response(200, StaffCase)
def share_material(given: dict[str, Any], number: str) -> Any:
    """Take the applicant's e-licence for a missing material; the licence is frozen into the case."""
    return act(sharing.share_material, number, code=given["code"])
