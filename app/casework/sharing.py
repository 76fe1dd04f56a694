"""Sharing: an e-licence of the applicant takes the place of a paper that is still missing."""

from __future__ import annotations

from typing import Any

from app.action import Transaction, visiting_action
from app.casework.cases import checked, open_field
from app.casework.licences import look_up, names_of, refuse_worthless
from app.casework.queries import case_answer
from app.casework.rules.materials import MaterialState
from app.casework.rules.states import CaseStep
from app.casework.supplement import supply_to
from app.errors import Refusal


@visiting_action
def share_material(tx: Transaction, *, case_id: int, code: str) -> dict[str, Any]:
    """Look the material up in the store of e-licences and take what is found for the paper 共享获取.

    When nothing is missing any more the case goes on by itself, as after any supplement. Refuses case.illegal_step,
    case.material_unknown, case.nothing_missing, case.not_sharable, licence.none, licence.expired, licence.revoked. Locks
    the hall. Tells SupplementReceived, MaterialShared and, when complete, CaseAccepted or CaseResumed.
    """
    case, _ = checked(tx, case_id, CaseStep.SUPPLY)
    material = next((each for each in case.guide["materials"] if each["code"] == code), None)
    if material is None:
        raise Refusal("case.material_unknown", code=code[:20])
    if not material["sharable"]:
        raise Refusal("case.not_sharable", code=code)
    id_number = open_field(case, "applicant").get("id_number")
    found = look_up(material, case.applicant_kind, id_number, tx.day) if id_number else None
    if found is None or found.validity is None:
        raise Refusal("licence.none", **names_of(material))
    refuse_worthless(material, found)
    supply_to(tx, case, {code: MaterialState.SHARED.value})
    return case_answer(tx, case)
