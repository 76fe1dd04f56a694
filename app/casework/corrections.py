"""Putting right what was entered wrongly: a case that should not be, a receipt with a wrong instant (C15)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.action import Transaction, action
from app.casework import papers
from app.casework.cases import change, checked, clear_alarms, said, seal_field
from app.casework.intake import await_notice
from app.casework.models import Case
from app.casework.queries import case_answer
from app.casework.rules.alarms import working_day_before
from app.casework.rules.states import CaseStep
from app.errors import Refusal
from app.events import CaseBackdated, CaseVoided
from app.hall.rules.hours import ONE_DAY
from app.hall.settings import schedule_in
from app.now import iso, local
from app.words import clean

BACKDATE_WD = 5  # our own bound [D]; the law has none


@action
def void_case(tx: Transaction, *, case_id: int, reason: str) -> dict[str, Any]:
    """Void 作废 what should never have been entered, before anything was done with it; the number is not used again.

    A supervisor does; what was only collected the window itself may void. Refuses case.illegal_step,
    case.reason_required. Locks the hall. Tells CaseVoided.
    """
    case, state = checked(tx, case_id, CaseStep.VOID)
    sealed = _sealed_reason(tx, case, "end", reason)
    clear_alarms(tx, case)
    change(tx, case, state=state, decided_at=tx.at, notice_due_at=None, end_sealed=sealed)
    tx.record(CaseVoided(**said(case)))
    return case_answer(tx, case)


@action
def backdate_receipt(tx: Transaction, *, case_id: int, received_at: datetime, reason: str) -> dict[str, Any]:
    """A supervisor moves a receipt back to when the papers really came in; the applicant gets a new receipt (C15).

    Not before the collection of the papers and no more than five working days back; the time to tell what is missing
    counts from the corrected receipt. Refuses case.illegal_step, case.reason_required, case.backdate_bounds. Locks the
    hall. Tells CaseBackdated, NoticeIssued.
    """
    case, state = checked(tx, case_id, CaseStep.BACKDATE)
    sealed = _sealed_reason(tx, case, "backdate", reason)
    calendar, before = schedule_in(tx), case.received_at
    oldest = working_day_before(tx.day, BACKDATE_WD, calendar) or tx.day - BACKDATE_WD * ONE_DAY
    earliest = max(filter(None, [calendar.whole(oldest)[0], case.collected_at]))
    if not earliest <= received_at < before:
        raise Refusal("case.backdate_bounds", earliest=f"{local(earliest):%Y-%m-%d %H:%M}")
    change(tx, case, state=state, received_at=received_at, backdate_sealed=sealed)
    tx.record(CaseBackdated(**said(case), received_at=iso(received_at), before=iso(before)))
    await_notice(tx, case)
    papers.issue(tx, case, "receipt")
    return case_answer(tx, case)


def _sealed_reason(tx: Transaction, case: Case, column: str, reason: str) -> str:
    if not reason.strip():
        raise Refusal("case.reason_required")
    return seal_field(tx.hall, case.id, column, clean(reason, "reason", limit=500, lines=True))
