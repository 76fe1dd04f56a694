"""Going on at the applicant's word: tolerated gaps 容缺受理 (C4) and notification with commitment 告知承诺."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.action import Transaction
from app.casework.cases import change, seal_field, set_alarm, wait
from app.casework.models import Case, CaseAlarm, CaseMaterial
from app.casework.rules.alarms import Alarm, reminder_at
from app.casework.rules.clocks import deferred, read_limit
from app.casework.rules.materials import Paper, may_tolerate
from app.catalog.rules.classes import not_longer
from app.errors import Refusal
from app.hall.rules.clock import DeadlineTooFar, Limit, Unit, reckon
from app.hall.settings import schedule_in
from app.words import clean


def may_follow(session: Session, case: Case) -> set[str]:
    """The codes of the papers that may still follow; none when nothing was tolerated, or all of it has come in."""
    mine = (CaseMaterial.hall == case.hall, CaseMaterial.case_id == case.id, CaseMaterial.tolerated)
    return set(session.execute(select(CaseMaterial.code).where(*mine)).scalars())


def open_gap(tx: Transaction, case: Case) -> bool:
    """Whether a tolerated paper is still missing and the item may not be decided without it."""
    return not case.guide["gap_pass"] and bool(may_follow(tx.session, case))


def tolerate(
    tx: Transaction, case: Case, lacking: list[Paper], tolerant: Mapping[str, Any], day_zero: datetime
) -> None:
    """Part of an action: let secondary papers follow within a limit that ends no later than the promise.

    Both count from the acceptance's `day_zero`, which lies back where the law has accepted the case already. The
    applicant is reminded before it ends. Refuses case.tolerant_main, case.tolerant_commitment, case.tolerant_gap.
    """
    _secondary_only(lacking)
    if not str(tolerant.get("commitment") or "").strip():
        raise Refusal("case.tolerant_commitment")
    given = tolerant.get("gap_limit") or case.guide["promised"]
    try:
        gap = read_limit(given) if isinstance(given, Mapping) else Limit(int(given), Unit.WD)
    except (ValueError, KeyError, TypeError):
        raise Refusal("case.tolerant_gap") from None
    promised, next_day = read_limit(case.guide["promised"]), deferred(case.guide["rules"])
    calendar, limits = schedule_in(tx), (promised, gap)
    try:
        latest, due_at = (reckon(day_zero, each, [], calendar, receipt_next_day=next_day).due_at for each in limits)
    except DeadlineTooFar:
        raise Refusal("case.tolerant_gap") from None
    if due_at is None or latest is None:  # no calendar yet: then by their size
        too_long = not not_longer(gap, promised)
    else:
        too_long = due_at > latest
    if too_long or (due_at is not None and due_at <= tx.at):
        raise Refusal("case.tolerant_gap")
    _keep_word(tx, case, str(tolerant["commitment"]))
    change(tx, case, tolerant=True)
    _mark(tx, case, [paper.code for paper in lacking], tolerated=True)
    set_gap(tx, case, wait(tx, case, Alarm.GAP, gap, day_zero, next_day=next_day))


def commit(tx: Transaction, case: Case, lacking: list[Paper], commitment: Mapping[str, Any]) -> None:
    """Part of an action: take the applicant's written word in place of evidence; a check follows the decision.

    Refuses case.not_on_commitment (the item's guide does not offer it), case.commitment_required, case.tolerant_main.
    """
    if case.guide["commitment"] is None:
        raise Refusal("case.not_on_commitment")
    if not str(commitment.get("text") or "").strip():
        raise Refusal("case.commitment_required")
    _secondary_only(lacking)
    _keep_word(tx, case, str(commitment["text"]))
    change(tx, case, on_commitment=True)


def await_check(tx: Transaction, case: Case) -> datetime | None:
    """Part of deciding a case that was granted on the applicant's word: when it must have been checked, if known."""
    if not case.on_commitment:
        return None
    return wait(tx, case, Alarm.CHECK, read_limit(case.guide["commitment"]["check_within"]))


def gap_limit(tx: Transaction, case: Case) -> dict[str, Any]:
    """The limit of the open gap, as it was agreed."""
    mine = (CaseAlarm.hall == tx.hall, CaseAlarm.case_id == case.id, CaseAlarm.kind == Alarm.GAP)
    return tx.execute(select(CaseAlarm.within).where(*mine)).scalar_one()


def set_gap(tx: Transaction, case: Case, due_at: datetime | None) -> None:
    """Part of an action: until when the gap is open, and when the applicant is reminded, if that is still to come."""
    change(tx, case, gap_due_at=due_at)
    soon = reminder_at(due_at, schedule_in(tx)) if due_at else None
    set_alarm(tx, case, Alarm.GAP_SOON, soon if soon and soon > tx.at else None)


def fill_gap(tx: Transaction, case: Case, brought: Collection[str]) -> None:
    """Part of an action: these papers have come in; the last of the tolerated ones closes the gap."""
    gap = may_follow(tx.session, case)
    _mark(tx, case, gap & set(brought), tolerated=False)
    if gap and gap <= set(brought):
        close_gap(tx, case)


def close_gap(tx: Transaction, case: Case) -> None:
    """Part of an action: nothing may follow any more, for all has come in or the case has ended."""
    _mark(tx, case, may_follow(tx.session, case), tolerated=False)
    change(tx, case, gap_due_at=None)
    set_alarm(tx, case, Alarm.GAP, None)
    set_alarm(tx, case, Alarm.GAP_SOON, None)


def _mark(tx: Transaction, case: Case, codes: Collection[str], *, tolerated: bool) -> None:
    these = (CaseMaterial.hall == tx.hall, CaseMaterial.case_id == case.id, CaseMaterial.code.in_(codes))
    tx.execute(update(CaseMaterial).where(*these).values(tolerated=tolerated))
    tx.session.expire_all()


def _secondary_only(lacking: list[Paper]) -> None:
    if not may_tolerate(lacking):
        raise Refusal("case.tolerant_main", names="、".join(paper.name for paper in lacking if paper.main))


def _keep_word(tx: Transaction, case: Case, word: str) -> None:
    word = clean(word, "commitment", limit=500, lines=True)
    change(tx, case, commitment_sealed=seal_field(tx.hall, case.id, "commitment", word))
