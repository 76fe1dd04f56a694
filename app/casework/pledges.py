"""Going on at the applicant's word: tolerated gaps 容缺受理 (C4) and notification with commitment 告知承诺."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.action import Transaction
from app.casework.cases import change, lacking_papers, seal_field, set_alarm, wait
from app.casework.models import Case, CaseAlarm
from app.casework.rules.alarms import Alarm, reminder_at
from app.casework.rules.clocks import read_limit
from app.casework.rules.materials import Paper, may_tolerate
from app.catalog.rules.classes import not_longer
from app.errors import Refusal
from app.hall.rules.clock import Limit, Unit, reckon
from app.hall.settings import schedule_in
from app.words import clean


def open_gap(tx: Transaction, case: Case) -> bool:
    """Whether a tolerated paper is still missing and the item may not be decided without it."""
    return case.tolerant and not case.guide["gap_pass"] and bool(lacking_papers(tx, case))


def tolerate(tx: Transaction, case: Case, lacking: list[Paper], tolerant: Mapping[str, Any]) -> None:
    """Part of an action: let secondary papers follow within a limit that ends no later than the promise.

    The applicant is reminded before it ends. Refuses case.tolerant_main, case.tolerant_commitment, case.tolerant_gap.
    """
    _secondary_only(lacking)
    if not str(tolerant.get("commitment") or "").strip():
        raise Refusal("case.tolerant_commitment")
    given = tolerant.get("gap_limit") or case.guide["promised"]
    try:
        gap = read_limit(given) if isinstance(given, Mapping) else Limit(int(given), Unit.WD)
    except (ValueError, KeyError, TypeError):
        raise Refusal("case.tolerant_gap") from None
    calendar = schedule_in(tx)
    promised = read_limit(case.guide["promised"])
    latest, due_at = (reckon(tx.at, limit, [], calendar).due_at for limit in (promised, gap))
    if due_at is None or latest is None:  # no calendar yet: then by their size
        too_long = not not_longer(gap, promised)
    else:
        too_long = due_at > latest
    if too_long:
        raise Refusal("case.tolerant_gap")
    _keep_word(tx, case, str(tolerant["commitment"]))
    change(tx, case, tolerant=True)
    set_gap(tx, case, wait(tx, case, Alarm.GAP, gap))


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


def close_gap(tx: Transaction, case: Case) -> None:
    """Part of an action: every tolerated paper has come in."""
    change(tx, case, gap_due_at=None)
    set_alarm(tx, case, Alarm.GAP, None)
    set_alarm(tx, case, Alarm.GAP_SOON, None)


def _secondary_only(lacking: list[Paper]) -> None:
    if not may_tolerate(lacking):
        raise Refusal("case.tolerant_main", names="、".join(paper.name for paper in lacking if paper.main))


def _keep_word(tx: Transaction, case: Case, word: str) -> None:
    word = clean(word, "commitment", limit=500, lines=True)
    change(tx, case, commitment_sealed=seal_field(tx.hall, case.id, "commitment", word))
