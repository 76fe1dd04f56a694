"""The kinds of paper there are, one module each, in the order of a case's life."""

from __future__ import annotations

from app.notices import (
    acceptance,
    agency,
    commitment,
    courier,
    deadline_change,
    decision,
    extension,
    fee,
    joint_receipt,
    ledger,
    manifest,
    non_acceptance,
    overdue,
    pickup,
    receipt,
    reminder,
    review_supplement,
    review_supplement_receipt,
    revocation,
    service,
    special_procedure,
    supplement,
    supplement_receipt,
    tolerant_acceptance,
    withdrawal,
)
from app.notices.notice import Notice

PRIVATE = frozenset({"courier"})  # tell more of a person than the name: phone and address
NOTICES: dict[str, Notice] = {
    module.NOTICE.kind: module.NOTICE
    for module in (
        receipt,
        joint_receipt,
        supplement,
        supplement_receipt,
        acceptance,
        tolerant_acceptance,
        commitment,
        non_acceptance,
        agency,
        manifest,
        fee,
        special_procedure,
        review_supplement,
        review_supplement_receipt,
        extension,
        deadline_change,
        ledger,
        overdue,
        decision,
        revocation,
        withdrawal,
        pickup,
        courier,
        service,
        reminder,
    )
}
