"""Review: what approvers and the chief representative do with a case."""

from __future__ import annotations

from typing import Any

from app.api.case_shapes import StaffCase
from app.api.cases import OF_CASE, act
from app.api.noun import Noun
from app.api.schemas import Nothing, Shape, Text, whole
from app.casework import review
from app.casework.rules.clocks import Ground
from app.people.gate import requires
from app.people.permissions import Permission

noun = Noun("review", "Approving cases")

STEP = f"{OF_CASE} case.illegal_step auth.foreign_department case.not_authorised text.empty"


class Decision(Shape):
    outcome = Text(limit=20, required=True, metadata={"enum": ["granted", "refused"]})
    reason = Text(limit=1000, load_default="", metadata={"description": "Required of a refusal"})
    basis = Text(limit=300, load_default="", metadata={"description": "The legal basis; required of a refusal"})


class Suspension(Shape):
    ground = Text(limit=20, required=True, metadata={"enum": [ground.value for ground in Ground]})
    days = whole(-(2**31), 2**31 - 1, required=True)


class Reason(Shape):
    reason = Text(limit=500, load_default="")


class Forwarding(Shape):
    to_hall = Text(limit=40, allow_none=True, load_default=None, metadata={"description": "The hall above by default"})


class Answer(Shape):
    answer = Text(limit=20, required=True, metadata={"enum": ["accept", "not_accepted"]})
    reason = Text(limit=1000, load_default="", metadata={"description": "Required of not_accepted"})
    basis = Text(limit=300, load_default="", metadata={"description": "Required of not_accepted"})


@noun.post("/cases/<number>/take", refuses=f"{STEP} case.intake_is_approver")
@requires(Permission.CASE_DECIDE)
@noun.arguments(Nothing)
@noun.response(200, StaffCase)
def take_case(_given: dict[str, Any], number: str) -> Any:
    """Begin to review."""
    return act(review.take_case, number)


@noun.post(
    "/cases/<number>/decide",
    refuses=f"{STEP} case.outcome case.intake_is_approver case.gap_open case.reason_required case.basis_required",
)
@requires(Permission.CASE_DECIDE)
@noun.arguments(Decision)
@noun.response(200, StaffCase)
def decide_case(given: dict[str, Any], number: str) -> Any:
    """Grant or refuse for one's department; the last grant, or any refusal, decides the case."""
    return act(review.decide_case, number, **given)


@noun.post("/cases/<number>/suspend", refuses=f"{STEP} case.ground case.days")
@requires(Permission.CASE_DECIDE)
@noun.arguments(Suspension)
@noun.response(200, StaffCase)
def suspend_case(given: dict[str, Any], number: str) -> Any:
    """Stop both clocks for a special procedure, telling how many days it needs."""
    return act(review.suspend_case, number, **given)


@noun.post("/cases/<number>/resume", refuses=STEP)
@requires(Permission.CASE_DECIDE)
@noun.arguments(Nothing)
@noun.response(200, StaffCase)
def resume_case(_given: dict[str, Any], number: str) -> Any:
    """The special procedure is over; the clocks run on."""
    return act(review.resume_case, number)


@noun.post(
    "/cases/<number>/extend",
    refuses=f"{STEP} case.reason_required case.extended_once case.too_late case.not_extendable",
)
@requires(Permission.CASE_DECIDE)
@noun.arguments(Reason)
@noun.response(200, StaffCase)
def extend_case(given: dict[str, Any], number: str) -> Any:
    """Extend once by ten working days, before the statutory limit has passed."""
    return act(review.extend_case, number, **given)


@noun.post("/cases/<number>/return", refuses=f"{STEP} case.reason_required")
@requires(Permission.CASE_DECIDE)
@noun.arguments(Reason)
@noun.response(200, StaffCase)
def return_case(given: dict[str, Any], number: str) -> Any:
    """Give the case back to the department before, or to one's own inbox; the clocks run on."""
    return act(review.return_case, number, **given)


@noun.post("/cases/<number>/forward", refuses=f"{STEP} case.to_hall")
@requires(Permission.CASE_DECIDE)
@noun.arguments(Forwarding)
@noun.response(200, StaffCase)
def forward_case(given: dict[str, Any], number: str) -> Any:
    """Send the case up to the hall above."""
    return act(review.forward_case, number, **given)


@noun.post(
    "/cases/<number>/answer-no-request",
    refuses=f"{OF_CASE} case.illegal_step case.no_request_none case.reason_required case.basis_required text.empty",
)
@requires(Permission.CASE_ANSWER)
@noun.arguments(Answer)
@noun.response(200, StaffCase)
def answer_no_request(given: dict[str, Any], number: str) -> Any:
    """Answer the window: go on with the case, or do not accept it, with a written slip."""
    return act(review.answer_no_request, number, **given)
