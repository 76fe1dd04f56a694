"""A one-thing case 一件事 as rules: its life follows from its parts, and its clock runs while any part's clock runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.casework.rules.states import INTAKE, OVER, PICKUP, CaseState
from app.hall.rules.clock import Pause
from app.people.permissions import Permission

_Span = tuple[datetime, datetime | None]


class JointState(StrEnum):
    RECEIVED = "received"  # 已收件
    CORRECTION = "correction"  # 待补正
    ACCEPTED = "accepted"  # 办理中
    DECIDED = "decided"  # 全部办结
    DELIVERED = "delivered"  # 已送达
    WITHDRAWN = "withdrawn"  # 已撤回


class JointStep(StrEnum):
    """What is done to the whole at once. Everything else happens to the parts, and the whole follows."""

    ACCEPT = "accept"  # 一次受理
    REQUEST_SUPPLEMENT = "request-supplement"  # 合并一次性告知
    SUPPLY = "supply"  # 收补正、收后续阶段材料
    EXTEND = "extend"  # 延期
    READY = "ready"  # 结果到窗
    HAND_OVER = "hand-over"  # 一次领取
    WITHDRAW = "withdraw"  # 撤回


@dataclass(frozen=True, slots=True)
class JointLine:
    """One row of the table. A step has no state of its own to go to: the parts say where the whole then stands."""

    state: JointState
    step: JointStep
    who: frozenset[Permission]
    guards: tuple[str, ...]
    law: str


S, S_, T, P = JointState, CaseState, JointStep, Permission
_INTAKE, _OPEN = (S.RECEIVED, S.CORRECTION), (S.RECEIVED, S.CORRECTION, S.ACCEPTED)

TABLE: tuple[JointLine, ...] = tuple(
    JointLine(state, step, frozenset({who}), guards, law)
    for states, step, who, guards, law in (
        ([S.RECEIVED], T.ACCEPT, P.CASE_ACCEPT, ("case.materials_missing", "case.no_request_open"), "行政许可法 §26"),
        (
            _OPEN,
            T.REQUEST_SUPPLEMENT,
            P.CASE_ACCEPT,
            ("case.nothing_missing", "case.second_notice"),
            "行政许可法 §32(4)",
        ),
        (_OPEN, T.SUPPLY, P.CASE_ACCEPT, ("case.nothing_missing",), "行政许可法 §32(5)"),
        ([S.DECIDED, S.DELIVERED], T.SUPPLY, P.CASE_ACCEPT, ("case.nothing_missing",), ""),  # 容缺通过
        (
            [S.ACCEPTED],
            T.EXTEND,
            P.CASE_EXTEND_JOINT,
            ("case.reason_required", "case.not_extendable", "case.extended_once", "case.too_late"),
            "行政许可法 §42",
        ),
        ([S.ACCEPTED, S.DECIDED], T.READY, P.CASE_HAND_OVER, ("joint.nothing_granted",), "行政许可法 §44"),
        (
            [S.ACCEPTED, S.DECIDED],
            T.HAND_OVER,
            P.CASE_HAND_OVER,
            ("case.receiver_mismatch", "case.receiver_name", "case.agent_letter", "joint.nothing_decided"),
            "行政许可法 §44",
        ),
        (_OPEN, T.WITHDRAW, P.CASE_ACCEPT, (), ""),
    )
    for state in states
)


def line_of(state: JointState, step: JointStep) -> JointLine | None:
    """The row of a step, or None when the step is not legal in this state."""
    return next((line for line in TABLE if line.state is state and line.step is step), None)


@dataclass(frozen=True, slots=True)
class Part:
    """One part as the whole sees it. `leans_on`: the items whose results are papers of this part.

    Parts of an equal `position` go side by side; a later one is a draft until all the earlier ones are settled.
    """

    item: str
    position: int
    state: CaseState
    outcome: str | None = None
    leans_on: frozenset[str] = frozenset()
    under_way: bool = False  # with a courier, and nobody has signed for it

    @property
    def settled(self) -> bool:
        """Whether nothing is left to decide."""
        return self.state in PICKUP or self.state in OVER

    @property
    def granted(self) -> bool:
        return self.state in (S_.GRANTED, S_.READY, S_.DELIVERED) and self.outcome == "granted"


def state_of(parts: Collection[Part], *, accepted: bool) -> JointState:
    """Where the whole stands, from where its parts stand; `accepted`: it was accepted as a whole before.

    It is decided once every part is decided or over; delivered once what was decided is in the applicant's hands; withdrawn
    where nothing was decided because the applicant went another way. A part of a later stage that still wants papers
    takes nothing back: the whole was accepted.
    """
    states = {part.state for part in parts}
    if all(part.settled for part in parts):
        left = states & PICKUP or any(part.under_way for part in parts)
        if S_.DELIVERED in states and not left:
            return S.DELIVERED
        gone = states <= {S_.WITHDRAWN, S_.DEEMED_WITHDRAWN, S_.VOID} and not any(part.outcome for part in parts)
        return S.WITHDRAWN if gone else S.DECIDED
    if accepted or not states & INTAKE:
        return S.ACCEPTED
    return S.CORRECTION if S_.CORRECTION in states else S.RECEIVED


def beginning(parts: Collection[Part]) -> list[Part]:
    """The drafts whose turn has come: every earlier part is settled, and there is ground for them."""
    return [part for part in _next(parts) if _has_ground(part, parts)]


def impossible(parts: Collection[Part]) -> list[Part]:
    """The drafts that can never begin: what they lean on was not granted, or nothing before them was decided at all."""
    return [part for part in _next(parts) if not _has_ground(part, parts)]


def _next(parts: Collection[Part]) -> list[Part]:
    first = min((part.position for part in parts if not part.settled), default=None)
    return [part for part in parts if part.state is S_.DRAFT and part.position == first]


def _has_ground(part: Part, parts: Collection[Part]) -> bool:
    before = [other for other in parts if other.position < part.position]
    decided = not before or any(other.outcome for other in before)
    return decided and all(other.granted for other in before if other.item in part.leans_on)


@dataclass(frozen=True, slots=True)
class Run:
    """When one clock of one part ran: from its start to its decision, but for its stops. `end_at` None: it still does."""

    start_at: datetime
    end_at: datetime | None
    stops: Sequence[_Span] = ()


def pauses(runs: Iterable[Run], start_at: datetime, until: datetime | None = None) -> list[Pause]:
    """The pauses of the whole: the times from `start_at` at which no part's clock ran.

    They are instants, so that the clock's own rule for pauses decides about days: a working day is left out exactly if
    no part counted it (DOMAIN C11). Time between two stages, when no part is open, is left out too: the applicant's
    papers are awaited, not a decision. `until` is the decision of the whole; nothing is a pause from then on.
    """
    gaps: list[Pause] = []
    reached: datetime | None = start_at  # up to here some clock ran, or a gap is written down; None: for ever
    for begin, end in sorted((span for run in runs for span in _running(run)), key=lambda span: span[0]):
        if reached is None:
            break
        if begin > reached:
            gaps.append(Pause(reached, begin))
        reached = None if end is None else max(reached, begin, end)
    if reached is not None and until is None:
        gaps.append(Pause(reached, None))
    return [pause for pause in gaps if until is None or pause.from_at < until]


def _running(run: Run) -> list[_Span]:
    """The stretches of a run outside its stops, which may overlap."""
    stretches: list[_Span] = []
    begin: datetime | None = run.start_at
    for gone, back in sorted(run.stops, key=lambda stop: stop[0]):
        if begin is None or (run.end_at is not None and gone >= run.end_at):
            break
        if gone > begin:
            stretches.append((begin, gone))
        begin = None if back is None else max(begin, back)
    if begin is not None and (run.end_at is None or begin < run.end_at):
        stretches.append((begin, run.end_at))
    return stretches
