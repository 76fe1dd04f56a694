"""Review: what approvers, their heads and the chief representative do with a case."""

from __future__ import annotations

from app.api.cases import CASE, STEP
from app.api.noun import Noun
from app.api.schemas import Shape, Text, whole
from app.api.steps import Reason, Steps
from app.casework import review, special
from app.casework.rules.clocks import Ground, SiteGround
from app.people.permissions import Permission

noun = Noun("review", "Approving cases")
step = Steps(noun, CASE, f"{STEP} auth.foreign_department case.not_authorised")

DECIDE, ANSWER = Permission.CASE_DECIDE, Permission.CASE_ANSWER
SIGNED = "case.reason_required case.basis_required"
OUTCOME = {"enum": list(review.OUTCOMES)}


class Proposal(Shape):
    outcome = Text(limit=20, required=True, metadata=OUTCOME)
    note = Text(limit=1000, load_default="", metadata={"description": "For whoever decides"})


class Decision(Shape):
    outcome = Text(limit=20, required=True, metadata=OUTCOME)
    reason = Text(limit=1000, load_default="", metadata={"description": "Required of a refusal"})
    basis = Text(limit=300, load_default="", metadata={"description": "The legal basis; required of a refusal"})


class Suspension(Shape):
    ground = Text(limit=20, required=True, metadata={"enum": [ground.value for ground in Ground]})
    days = whole(-(2**31), 2**31 - 1, required=True, metadata={"description": "Natural days that it needs"})


class SiteCheck(Suspension):
    ground = Text(limit=20, load_default="site_check", metadata={"enum": [ground.value for ground in SiteGround]})


class Forwarding(Shape):
    to_hall = Text(limit=40, allow_none=True, load_default=None, metadata={"description": "The hall above by default"})


class Answer(Shape):
    answer = Text(limit=20, required=True, metadata={"enum": list(review.ANSWERS)})
    reason = Text(limit=1000, load_default="", metadata={"description": "Required of a no"})
    basis = Text(limit=300, load_default="", metadata={"description": "Required of a no"})
    go_to = Text(limit=100, load_default="", metadata={"description": "The authority that does take the matter"})


class Finding(Shape):
    outcome = Text(limit=20, required=True, metadata={"enum": list(review.FOUND)})
    note = Text(limit=1000, load_default="", metadata={"description": "What was found; required of a broken word"})


class Revocation(Shape):
    reason = Text(limit=1000, load_default="")
    basis = Text(limit=300, load_default="")


step("take", review.take_case, DECIDE, says="Begin to review.", refuses="case.intake_is_approver")
step(
    "propose",
    review.propose_case,
    DECIDE,
    says="Sign first: propose to somebody else of the department how to decide.",
    takes=Proposal,
    refuses="case.outcome case.intake_is_approver case.signatures case.own_proposal",
)
step(
    "decide",
    review.decide_case,
    DECIDE,
    says="Grant or refuse for one's department; the last grant, or any refusal, decides the case.",
    takes=Decision,
    refuses=f"case.outcome case.intake_is_approver case.own_proposal case.gap_open {SIGNED}",
)
step(
    "suspend",
    special.suspend_case,
    DECIDE,
    says="Stop both clocks for a special procedure, telling how many days it needs.",
    takes=Suspension,
    refuses="case.ground case.days",
)
step(
    "check-site",
    special.check_site,
    DECIDE,
    says="Go and see, or have it reviewed: the promised clock stops, the statutory one runs on.",
    takes=SiteCheck,
    refuses="case.ground case.days",
)
step(
    "resume",
    special.resume_case,
    DECIDE,
    says="The procedure, the check or the wait for a supplement is over; the clocks run on.",
)
step(
    "extend",
    special.extend_case,
    Permission.CASE_EXTEND,
    says="Extend once, as far as the regime allows, before the statutory limit has passed.",
    takes=Reason,
    refuses="case.reason_required case.extended_once case.too_late case.not_extendable case.rank",
)
step(
    "return",
    review.return_case,
    DECIDE,
    says="Give the case back to the department before, or to one's own inbox; the clocks run on.",
    takes=Reason,
    refuses="case.reason_required",
)
step(
    "forward",
    review.forward_case,
    DECIDE,
    says="Send the case up to a hall above.",
    takes=Forwarding,
    refuses="case.to_hall",
)
step(
    "answer-no-request",
    review.answer_no_request,
    ANSWER,
    says="Answer the window: go on with the case, or say no in writing, and where to go instead.",
    takes=Answer,
    refuses=f"case.no_request_none case.told_late {SIGNED}",
)
step(
    "check",
    review.check_case,
    DECIDE,
    says="Say whether the applicant kept the word on which the case was granted.",
    takes=Finding,
    refuses="case.no_check case.reason_required",
)
step(
    "revoke",
    review.revoke_case,
    DECIDE,
    says="Take a granted decision back.",
    takes=Revocation,
    refuses=f"case.intake_is_approver {SIGNED}",
)
