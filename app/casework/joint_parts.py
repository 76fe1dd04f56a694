"""The parts that actions on a one-thing case 一件事 share: finding it, its cases, its clocks, and how it follows them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.action import Transaction
from app.casework import joint_papers
from app.casework.cases import NO_DUE, change, clocks_of, lacking_papers, seal_field, set_alarm, to_state
from app.casework.intake import accept, register
from app.casework.joint_models import JointCase, JointMaterial
from app.casework.models import Case
from app.casework.pledges import may_follow
from app.casework.rules.alarms import Alarm
from app.casework.rules.clocks import CaseClocks, Clock, Extension, Standing, Stop, read_limit, reckoned, standing
from app.casework.rules.joint import (
    JointState,
    JointStep,
    Part,
    Run,
    beginning,
    impossible,
    line_of,
    pauses,
    state_of,
)
from app.casework.rules.materials import BROUGHT
from app.casework.rules.states import INTAKE, CaseState, CaseStep
from app.casework.steps import question_open
from app.errors import Refusal
from app.events import SYSTEM, CaseVoided, JointAccepted, JointBegan, JointDecided, JointDelivered, JointWithdrawn
from app.hall.queries import schedule, schedule_named
from app.hall.rules.hours import Schedule
from app.hall.settings import keep_schedule

NO_GROUND = "所依据的前序事项未获准予，本环节不再办理"


def load(tx: Transaction, joint_id: int) -> JointCase:
    """The one-thing case for the action to read. Refuses joint.unknown."""
    row = tx.execute(select(JointCase).where(JointCase.hall == tx.hall, JointCase.id == joint_id)).scalar_one_or_none()
    if row is None:
        raise Refusal("joint.unknown")
    return row


def checked(tx: Transaction, joint_id: int, step: JointStep) -> JointCase:
    """The one-thing case, if the table lets this actor take the step. Refuses joint.illegal_step, auth.forbidden."""
    joint = load(tx, joint_id)
    line = line_of(JointState(joint.state), step)
    if line is None:
        raise Refusal("joint.illegal_step", number=joint.number, state=joint.state)
    if not any(tx.actor.may(permission) for permission in line.who):
        raise Refusal("auth.forbidden")
    return joint


def write(tx: Transaction, joint: JointCase, **values: Any) -> None:
    """Write columns; the loaded object follows."""
    for name, value in values.items():
        setattr(joint, name, value)
    tx.session.flush()


def named(joint: JointCase) -> dict[str, Any]:
    """The two fields that every event of a one-thing case has."""
    return {"joint": joint.id, "number": joint.number}


def cases_of(session: Session, joint: JointCase) -> list[Case]:
    """The parts in the order of the theme."""
    order = {child["item"]: place for place, child in enumerate(joint.guide["children"])}
    rows = session.execute(select(Case).where(Case.hall == joint.hall, Case.joint_id == joint.id)).scalars()
    return sorted(rows, key=lambda case: (order[case.item], case.id))


def materials_of(session: Session, joint: JointCase) -> dict[str, JointMaterial]:
    """code → row of the merged materials."""
    query = select(JointMaterial).where(JointMaterial.hall == joint.hall, JointMaterial.joint_id == joint.id)
    return {row.code: row for row in session.execute(query).scalars()}


def serves(theme: dict[str, Any], code: str) -> dict[str, list[str]]:
    """item → its own materials that the merged material `code` serves."""
    found: dict[str, list[str]] = {}
    for material in theme["materials"]:
        for use in material["serves"] if material["code"] == code else ():
            found.setdefault(use["item"], []).append(use["material"])
    return found


def still_following(session: Session, joint: JointCase, cases: list[Case]) -> set[str]:
    """The merged materials that may still follow what parts were accepted or decided over (C4)."""
    open_ = {(case.item, code) for case in cases for code in may_follow(session, case)}
    return {
        material["code"]
        for material in joint.guide["materials"]
        if any((use["item"], use["material"]) in open_ for use in material["serves"])
    }


def parts_of(joint: JointCase, cases: list[Case]) -> list[Part]:
    """The parts as the rules see them, in the order of `cases`."""
    position = {child["item"]: child["position"] for child in joint.guide["children"]}
    leans: dict[str, set[str]] = {}
    for paper in joint.guide["handed_on"]:
        leans.setdefault(paper["item"], set()).add(paper["made_by"])
    return [
        Part(
            case.item,
            position[case.item],
            CaseState(case.state),
            case.outcome,
            frozenset(leans.get(case.item, ())),
            case.under_way,
        )
        for case in cases
    ]


# ── the clocks ──────────────────────────────────────────────────────────────────────────────────────────────────


def joint_clocks(session: Session, joint: JointCase, cases: list[Case]) -> CaseClocks | None:
    """What the clocks of the whole are computed from; None before the first part was accepted.

    No calendar puts its promise off beyond what the one of its acceptance says (K6).
    """
    starts = [case.clock_from_at for case in cases if case.clock_from_at]
    if not starts:
        return None
    stops: list[Stop] = []
    for clock in Clock:
        runs = [run for case in cases if (run := _run(session, case, clock)) is not None]
        gaps = pauses(runs, min(starts), joint.decided_at)
        stops += [Stop(frozenset({clock}), gap.from_at, gap.until_at) for gap in gaps]
    clocks = CaseClocks(
        promised=read_limit(joint.guide["promised"]),
        statutory=read_limit(joint.guide["statutory"]),
        start_at=min(starts),
        stops=stops,
        extension=Extension.read(joint.extension) if joint.extension else None,
    )
    if joint.promise_version is None:
        return clocks
    printed = schedule_named(joint.hall, joint.promise_version, session)
    due_at = reckoned(clocks, Clock.PROMISED, printed, clocks.start_at).due_at
    return replace(clocks, promise_at=due_at, promise_by=printed)


def _run(session: Session, case: Case, clock: Clock) -> Run | None:
    clocks = clocks_of(session, case)
    if clocks is None:
        return None
    return Run(clocks.start_at, case.decided_at, [(gap.from_at, gap.until_at) for gap in clocks.pauses(clock)])


def joint_calendar(session: Session, joint: JointCase) -> Schedule:
    """The schedule that the clocks follow: today's, or once decided the one of the decision (K6)."""
    if joint.decided_at is None:
        return schedule(joint.hall, session)
    return schedule_named(joint.hall, joint.schedule_version, session)


def joint_stands(
    session: Session, joint: JointCase, cases: list[Case], at: datetime, calendar: Schedule | None = None
) -> Standing | None:
    """Both clocks and the light of the whole at `at`, or at its decision if that was earlier."""
    clocks = joint_clocks(session, joint, cases)
    if clocks is None:
        return None
    done = joint.decided_at is not None and joint.decided_at <= at
    moment = joint.decided_at if joint.decided_at and done else at
    return standing(clocks, calendar or joint_calendar(session, joint), moment, done=done)


def move_clocks(tx: Transaction, joint: JointCase, cases: list[Case]) -> None:
    """Part of an action: recompute both clocks and the light; of a decided whole they stay what they were (K6).

    Before the acceptance there is nothing to compute, by whatever schedule.
    """
    if joint.decided_at is not None and joint.decided_at < tx.at:
        return
    calendar = schedule(tx.hall, tx.session)
    now, version = joint_stands(tx.session, joint, cases, tx.at, calendar), keep_schedule(tx, calendar)
    if now is None:
        write(tx, joint, schedule_version=version)
        return
    due, latest = now.promised.due_at, now.statutory.due_at
    write(
        tx,
        joint,
        promised_due_at=due,
        statutory_due_at=latest,
        order_at=due or latest or NO_DUE,
        provisional=now.provisional,
        light=now.light.value,
        schedule_version=version,
    )


# ── following the parts ─────────────────────────────────────────────────────────────────────────────────────────


def follow(tx: Transaction, joint_id: int) -> None:
    """Part of an action: after a part has moved, begin what has its turn and set the whole where its parts stand.

    What happens to other parts is recorded as done by the system: the approver of one department receives nothing for
    the next. Tells JointBegan, JointAccepted, JointDecided, JointDelivered, JointWithdrawn and what happens to the parts.
    """
    joint = load(tx, joint_id)
    before = joint.state
    _accept_together(tx, joint)
    while _begin(tx, joint) or _stand(tx, joint):
        pass
    cases = cases_of(tx.session, joint)
    move_clocks(tx, joint, cases)
    if joint.state == JointState.ACCEPTED and before != joint.state:
        write(tx, joint, promise_version=joint.schedule_version)
        joint_papers.issue_receipt(tx, joint, cases)


@contextmanager
def _by_itself(tx: Transaction) -> Iterator[None]:
    """What is recorded meanwhile is the system's doing."""
    actor, tx.actor = tx.actor, SYSTEM
    try:
        yield
    finally:
        tx.actor = actor


def _stand(tx: Transaction, joint: JointCase) -> bool:
    """Set the whole where its parts stand; False when it stands there already, or is over."""
    cases = cases_of(tx.session, joint)
    parts = parts_of(joint, cases)
    state = state_of(parts, accepted=joint.accepted_at is not None)
    if joint.state in (state, JointState.DELIVERED, JointState.WITHDRAWN):
        return False
    write(tx, joint, state=state)
    if state is JointState.ACCEPTED:
        write(tx, joint, accepted_at=tx.at, accepted_by=joint.received_by)
        tx.record(JointAccepted(**named(joint)))
    elif state not in (JointState.RECEIVED, JointState.CORRECTION) and joint.decided_at is None:
        write(tx, joint, decided_at=tx.at)
    if state is JointState.DECIDED:
        tx.record(JointDecided(**named(joint), granted=sum(part.granted for part in parts), parts=len(parts)))
    elif state is JointState.DELIVERED:
        write(tx, joint, delivered_at=max(case.delivered_at for case in cases if case.delivered_at))
        tx.record(JointDelivered(**named(joint)))
    elif state is JointState.WITHDRAWN:
        tx.record(JointWithdrawn(**named(joint)))
    return True


def _begin(tx: Transaction, joint: JointCase) -> bool:
    """Receive the drafts whose turn and papers have come, accept those that lack nothing, end what can never begin."""
    cases = {case.item: case for case in cases_of(tx.session, joint)}
    parts = parts_of(joint, list(cases.values()))
    hopeless = impossible(parts)
    turn = beginning(parts) if joint.accepted_at is not None and not hopeless else []
    ready = [part for part in turn if _filed(tx, joint, cases[part.item])]
    if ready:
        tx.record(JointBegan(**named(joint), cases=tuple(cases[part.item].number for part in ready)))
    with _by_itself(tx):
        for part in hopeless:
            drop(tx, cases[part.item], NO_GROUND)
        for part in ready:
            case = cases[part.item]
            register(tx, case)
            change(tx, case, received_by=joint.received_by)
            if not lacking_papers(tx, case):
                _accept(tx, joint, case, paper=True)
    return bool(hopeless or ready)


def _filed(tx: Transaction, joint: JointCase, case: Case) -> bool:
    """Whether papers of this part have been handed in, besides those of earlier ones; or nothing is wanted any more.

    Until then nothing has been received: the law's days to tell what is missing count from the papers (行政许可法 §32).
    """
    if not lacking_papers(tx, case):
        return True
    position = {child["item"]: child["position"] for child in joint.guide["children"]}
    rows = materials_of(tx.session, joint)
    for material in joint.guide["materials"]:
        turns = {use["item"]: position[use["item"]] for use in material["serves"]}
        if turns.get(case.item) == min(turns.values()) and rows[material["code"]].state in BROUGHT:
            return True
    return False


def drop(tx: Transaction, case: Case, reason: str) -> None:
    """Part of an action: a part that has not begun will not begin."""
    sealed = seal_field(tx.hall, case.id, "end", reason)
    change(tx, case, state=to_state(case, CaseStep.VOID), decided_at=tx.at, end_sealed=sealed)
    tx.record(CaseVoided(case=case.id, number=case.number))


def _accept_together(tx: Transaction, joint: JointCase) -> None:
    """Parts that lacked nothing waited for those of which papers were asked; now they are accepted too."""
    if joint.state != JointState.CORRECTION:
        return
    cases = cases_of(tx.session, joint)
    if any(case.state == CaseState.CORRECTION for case in cases):
        return
    with _by_itself(tx):
        for case in cases:
            if case.state == CaseState.RECEIVED and not lacking_papers(tx, case) and not question_open(case):
                _accept(tx, joint, case, paper=False)


def _accept(tx: Transaction, joint: JointCase, case: Case, *, paper: bool) -> None:
    accept(tx, case, CaseStep.ACCEPT, paper=paper)
    change(tx, case, accepted_by=joint.received_by)


def wait_together(tx: Transaction, cases: list[Case]) -> None:
    """Part of an action: the applicant was told once and in time for the whole, so for every part of it.

    No part is deemed accepted on its own, and none may be asked for more.
    """
    for case in cases:
        if case.state == CaseState.RECEIVED:
            change(tx, case, notice_due_at=None, supplement_notices=1)
            set_alarm(tx, case, Alarm.NOTICE, None)


def awaited(joint: JointCase, cases: list[Case]) -> set[str]:
    """The items of the parts whose turn has come, but none of whose own papers have."""
    return {part.item for part in beginning(parts_of(joint, cases))}


def at_intake(cases: list[Case]) -> list[Case]:
    """The parts that have not been accepted yet, those of later stages left out."""
    return [case for case in cases if case.state in INTAKE]
