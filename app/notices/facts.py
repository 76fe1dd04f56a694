"""What each paper must be told: one contract a kind.

Facts are plain JSON values, frozen when a paper is issued. `…_at` is an instant in RFC 3339, `…_on` a day
`YYYY-MM-DD`; both are printed in hall time. Any other text stands as it is. A key left out, None or "" leaves its
line off. The types are checked too, those of inner entries included (shapes.py).
"""

# No postponed annotations here: TypedDict would not see `Required` in them.

from typing import Literal, Required, TypedDict

from app.notices.entries import Child, ClockMove, Document, Entry, FeeLine, Ledger, Material


class FactsWrong(ValueError):
    """A paper was asked for with facts it cannot be made of: a mistake in the code, never in the input."""


class Issued(TypedDict):
    """What issuing adds to a paper's facts."""

    number: str
    issued_at: str


class PaperFacts(TypedDict, total=False):
    """What any paper may say. `applicant_name` is whole: the paper belongs to the applicant."""

    hall_name: Required[str]
    hall_address: str | None
    hall_phone: str | None
    supervision_phone: str | None
    case_number: str | None
    query_code: str | None
    acceptance_number: str | None
    item_name: str | None
    item_code: str | None
    departments: list[str]
    applicant_name: str | None
    applicant_id_masked: str | None
    agent_name: str | None
    materials: list[Material]
    promised_limit: str | None  # "5 个工作日"
    promised_due_on: str | None  # None while the year's calendar is unknown
    statutory_limit: str | None
    statutory_due_on: str | None
    provisional: bool  # a needed calendar has not been announced: 以公布为准, no date
    received_at: str | None
    accepted_at: str | None
    clerk_name: str | None
    window: str | None
    fee: str | None
    legal_basis: list[str]
    reasons: list[str]
    result_name: str | None
    pickup_code: str | None
    qr_url: str | None


class RemedyFacts(TypedDict, total=False):
    """To whom one may turn against the paper."""

    review_authority: str | None
    court: str | None


class CaseFacts(PaperFacts, total=False):
    """What all papers of one case say."""

    case_number: Required[str]  # type: ignore[misc]  # narrowed, here and below
    item_name: Required[str]  # type: ignore[misc]
    applicant_name: Required[str]  # type: ignore[misc]


class ReceiptFacts(CaseFacts):
    received_at: Required[str]  # type: ignore[misc]
    materials: Required[list[Material]]  # type: ignore[misc]


class SupplementFacts(CaseFacts, total=False):
    materials: Required[list[Material]]  # type: ignore[misc]  # only those to be supplied, each with its problem
    supplement_due_on: str | None
    consequence: str | None  # what follows when the day passes, where the item's regime says so
    repeat_reason: str | None  # why a second notice was allowed


class SupplementReceiptFacts(CaseFacts, total=False):
    materials: Required[list[Material]]  # type: ignore[misc]  # those brought now
    supplied_at: Required[str]
    complete: Required[bool]
    outstanding: list[Material]
    supplement_number: str | None
    held: bool | None  # all is in, but a question about the acceptance is still open


class AcceptanceFacts(CaseFacts, total=False):
    acceptance_number: Required[str]  # type: ignore[misc]
    accepted_at: Required[str]  # type: ignore[misc]
    deemed: bool  # accepted because nobody told the applicant in time (行政许可法 §32)
    delivery: str | None  # a code of DELIVERIES or words
    special: str | None  # the special procedure that is foreseen, and its length


class TolerantAcceptanceFacts(CaseFacts, total=False):
    acceptance_number: Required[str]  # type: ignore[misc]
    accepted_at: Required[str]  # type: ignore[misc]
    deemed: bool  # accepted because nobody told the applicant in time (行政许可法 §32)
    gaps: Required[list[Material]]
    gap_limit: Required[str]
    gap_due_on: str | None
    commitment: Required[str]
    consequence: str | None


class NonAcceptanceFacts(CaseFacts, RemedyFacts, total=False):
    """`not_required`: no licence is needed 不受理. Every other ground is 不予受理."""

    reasons: Required[list[str]]  # type: ignore[misc]
    legal_basis: Required[list[str]]  # type: ignore[misc]
    ground: Literal["not_required", "out_of_scope", "conditions_unmet", "materials_short", "grey_area"] | None
    go_to: str | None  # the authority that does take this matter


class SpecialProcedureFacts(CaseFacts, total=False):
    """`days` are those the applicant is told. A site or technical check stops only the promised clock."""

    ground: Required[
        Literal[
            "hearing",
            "tender",
            "auction",
            "inspection",
            "testing",
            "quarantine",
            "appraisal",
            "expert_review",
            "third_party",
            "site_check",
            "technical_review",
        ]
    ]
    days: Required[int]
    from_at: Required[str]
    clock: Literal["both", "promised", "statutory"] | None
    until_on: str | None
    performer: str | None


class ReviewSupplementFacts(CaseFacts, total=False):
    materials: Required[list[Material]]  # type: ignore[misc]
    findings: list[str]
    from_at: str | None  # since when the promised clock stands still
    pause_basis: str | None
    supplement_due_on: str | None
    consequence: str | None
    repeat_reason: str | None  # why a second notice was allowed


class ReviewSupplementReceiptFacts(SupplementReceiptFacts, total=False):
    resumed_at: str | None


class ExtensionFacts(CaseFacts, total=False):
    reasons: Required[list[str]]  # type: ignore[misc]
    days: Required[int]  # working days
    clock: Literal["both", "statutory"]  # what was lengthened; papers of before say nothing and mean both
    approved_by: Required[str]
    joint: bool
    previous_due_on: str | None
    law: str | None


class DecisionFacts(CaseFacts, RemedyFacts, total=False):
    outcome: Required[Literal["granted", "refused"]]
    department: str | None  # the one that decided; else the first of `departments`
    matter_kind: str | None  # 行政许可, 行政确认, …: becomes part of the title
    result_number: str | None
    valid_until: str | None


class RevocationFacts(CaseFacts, RemedyFacts, total=False):
    reasons: Required[list[str]]  # type: ignore[misc]
    legal_basis: Required[list[str]]  # type: ignore[misc]
    decision_number: str | None
    decided_at: str | None
    department: str | None
    matter_kind: str | None
    result_number: str | None


class ServiceFacts(CaseFacts, total=False):
    """What is not told is printed as a line to fill in by hand."""

    documents: Required[list[Document]]
    mode: Required[Literal["direct", "leave", "post", "electronic", "public"]]
    recipient: str | None  # else the applicant
    recipient_relation: str | None
    place: str | None
    served_at: str | None
    server_name: str | None
    signature: str | None  # drawn on the pad: a PNG in base64; else there is a line to sign on
    refusal: str | None
    witness: str | None
    tracking_number: str | None


class PickupFacts(CaseFacts, total=False):
    pickup_code: Required[str]  # type: ignore[misc]
    ready_at: str | None
    decided_at: str | None
    opening_hours: str | None


class CourierFacts(CaseFacts, total=False):
    carrier: Required[str]
    receiver_name: Required[str]
    receiver_address: Required[str]
    receiver_phone: str | None
    documents: Required[list[Document]]
    tracking_number: str | None
    zone: str | None
    courier_fee: str | None
    paid: bool
    dispatched_at: str | None


class ManifestFacts(PaperFacts, total=False):
    from_name: Required[str]
    to_name: Required[str]
    entries: Required[list[Entry]]
    purpose: str | None
    carrier: str | None
    handed_over_at: str | None
    handed_over_by: str | None
    taken_over_at: str | None
    taken_over_by: str | None


class FeeFacts(CaseFacts, total=False):
    fees: Required[list[FeeLine]]
    pay_by_on: str | None
    pay_within: str | None
    pay_where: str | None
    pay_where_en: str | None
    consequence: str | None


class AgencyFacts(PaperFacts, total=False):
    form: Required[Literal["order", "acceptance", "interruption", "completion"]]
    order_number: Required[str]
    applicant_name: Required[str]  # type: ignore[misc]
    item_name: Required[str]  # type: ignore[misc]
    beneficiary: str | None
    agent_phone: str | None
    tasks: list[str]
    authority: list[str]
    valid_until: str | None
    ordered_at: str | None
    limit: str | None
    due_on: str | None
    result: str | None
    stopped_at: str | None
    completed_at: str | None


class CommitmentFacts(CaseFacts, total=False):
    conditions: Required[list[str]]
    commitments: list[str]
    liability: list[str]
    check_by_on: str | None
    check_limit: str | None
    committed_at: str | None


class WithdrawalFacts(CaseFacts, RemedyFacts, total=False):
    withdrawn_at: Required[str]
    deemed: bool
    supplement_due_on: str | None
    returned: list[Material]


class JointReceiptFacts(CaseFacts, total=False):
    theme: Required[str]
    children: Required[list[Child]]
    received_at: Required[str]  # type: ignore[misc]
    materials: Required[list[Material]]  # type: ignore[misc]
    lead_department: str | None
    delivery: str | None


class OverdueFacts(CaseFacts, total=False):
    """A public paper: it prints neither the applicant nor anything that leads to the case's own page."""

    reasons: Required[list[str]]  # type: ignore[misc]
    clock: Required[Literal["promised", "statutory"]]
    overdue_since: Required[str]
    ended_at: str | None  # when it was completed, if it was
    estimate_on: str | None
    estimate: str | None
    department: str | None
    measures: list[str]


class ReminderFacts(CaseFacts, total=False):
    of: Required[Literal["collect", "supplement", "gap"]]
    times: int | None
    ready_at: str | None
    waited: str | None
    opening_hours: str | None
    due_on: str | None
    consequence: str | None


class DeadlineChangeFacts(CaseFacts, total=False):
    cause: Required[Literal["announced", "calendar", "closure", "resumed", "corrected"]]
    clocks: Required[list[ClockMove]]
    calendar: str | None


class LedgerFacts(CaseFacts, total=False):
    ledgers: Required[list[Ledger]]
    calendar: str | None
    hours: str | None


class SlipFacts(TypedDict, total=False):
    """The ticket slip; the same names as `printers.slips.Slip`."""

    hall: Required[str]
    ticket: Required[int]
    copy: int
    hall_name_zh: Required[str]
    hall_name_en: str
    number: Required[str]
    queue_name_zh: Required[str]
    queue_name_en: str
    zone: str
    windows: list[str]
    ahead: int | None
    issued_at: Required[str]  # local text, printed as it is
    item_name: str
    no_show_rule: str
    hall_phone: str
    qr_url: str
    reprint: bool
    language: str
