"""Part of other actions: the pre-review 初审 of a township, watched until the papers are sent up (C12).

A township decides on the spot or passes on: “乡镇初审、转报件 3 个工作日内办结，即办件 1 个工作日内办结” (玉门). So all that it
accepts and does not finish on the spot is its pre-review, from the acceptance there (行政许可法 §43: 自受理之日起) until
its papers set out, for opinion and papers go up together. How long that may take the rules of the case say.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.action import Transaction
from app.casework.cases import material_states, set_alarm, wait
from app.casework.joint_models import ManifestEntry
from app.casework.models import Case
from app.casework.rules.alarms import Alarm
from app.casework.rules.clocks import deferred, read_limit
from app.casework.rules.ladder import Level
from app.casework.rules.materials import MaterialState
from app.casework.rules.states import DECIDING, STOPPED, CaseState
from app.casework.signals import forget_signals
from app.catalog.rules.classes import TimeClass
from app.hall.models import Hall


def pre_reviewing(session: Session) -> set[str]:
    """The halls that review first what a hall above decides: the townships that have one above."""
    townships = (Hall.level == "township", Hall.parent.is_not(None))
    return set(session.execute(select(Hall.code).where(*townships)).scalars())


def await_sending_up(tx: Transaction, case: Case, start: datetime | None = None) -> None:
    """The papers lie in a township: from `start` (now) it has so long to send them up, by the calendar of the case.

    The case's own clocks run on. While the case stands still nobody can go on with it: then it is awaited anew after.
    """
    limit = case.guide["rules"].get("pre_review_limit")  # rules of old do not have it
    on_the_spot = TimeClass(case.guide["time_class"]).on_the_spot and not case.converted
    if limit is None or on_the_spot or CaseState(case.state) not in DECIDING - STOPPED:
        return
    if case.forwarded_to not in (None, case.handled_in) and not _lie_below(tx, case):
        return
    if case.handled_in in pre_reviewing(tx.session):
        forget_signals(tx, case, Level.PRE_REVIEW)
        wait(tx, case, Alarm.PRE_REVIEW, read_limit(limit), start, next_day=deferred(case.guide["rules"]))


def end_pre_review(tx: Transaction, case: Case) -> None:
    """The township has sent the case up, or cannot go on with it now."""
    set_alarm(tx, case, Alarm.PRE_REVIEW, None)
    forget_signals(tx, case, Level.PRE_REVIEW)


def _lie_below(tx: Transaction, case: Case) -> bool:
    """Whether papers of a case that went up are still to be sent after it."""
    travels = (ManifestEntry.hall == tx.hall, ManifestEntry.case_id == case.id, ManifestEntry.state == "sent")
    return has_papers(tx, case) and tx.execute(select(ManifestEntry.case_id).where(*travels)).first() is None


def has_papers(tx: Transaction, case: Case) -> bool:
    """Whether anything was handed in on paper; a case without goes up by being forwarded."""
    return any(row.state == MaterialState.RECEIVED for row in material_states(tx.session, tx.hall, case.id).values())
