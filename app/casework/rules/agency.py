"""The life of an agency order 代办 as one table, and whom it is for. Its clock is three working days (DOMAIN C12)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.hall.rules.clock import Limit, Unit


class Beneficiary(StrEnum):
    """For whom an order is; never part of an event, for it says how somebody fares."""

    ELDERLY = "elderly"  # 老年人
    DISABLED = "disabled"  # 残疾人
    SICK = "sick"  # 病人
    WEAK = "weak"  # 行动不便者
    ORPHANED = "orphaned"  # 孤寡、留守儿童
    OTHER = "other"  # 其他不便到场者


class OrderState(StrEnum):
    ORDERED = "ordered"  # 已委托
    ACCEPTED = "accepted"  # 已受理，等材料交齐
    RUNNING = "running"  # 代办中
    INTERRUPTED = "interrupted"  # 已中止
    COMPLETED = "completed"  # 已办结，待回访
    CLOSED = "closed"  # 已回访
    CANCELLED = "cancelled"  # 已终止


class OrderStep(StrEnum):
    ACCEPT = "accept"  # 受理
    START = "start"  # 材料交齐，开始代办
    INTERRUPT = "interrupt"  # 中止
    RESUME = "resume"  # 续办
    COMPLETE = "complete"  # 办结
    CALL_BACK = "call-back"  # 回访
    CANCEL = "cancel"  # 终止


S, T = OrderState, OrderStep
LIMIT = Limit(3, Unit.WD)  # 玉门：代办事项在 3 个工作日内办结


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One row of the table: `clock` says what the step does to the three working days."""

    state: OrderState
    step: OrderStep
    to: OrderState
    clock: str
    guards: tuple[str, ...] = ()


TABLE: tuple[OrderLine, ...] = (
    OrderLine(S.ORDERED, T.ACCEPT, S.ACCEPTED, "none"),
    OrderLine(S.ACCEPTED, T.START, S.RUNNING, "start"),
    OrderLine(S.RUNNING, T.INTERRUPT, S.INTERRUPTED, "stop", ("case.reason_required",)),
    OrderLine(S.INTERRUPTED, T.RESUME, S.RUNNING, "run-on"),
    OrderLine(S.RUNNING, T.COMPLETE, S.COMPLETED, "freeze", ("agency.result_required", "case.unknown")),
    OrderLine(S.COMPLETED, T.CALL_BACK, S.CLOSED, "none"),
    OrderLine(S.ORDERED, T.CANCEL, S.CANCELLED, "none", ("case.reason_required",)),
    OrderLine(S.ACCEPTED, T.CANCEL, S.CANCELLED, "none", ("case.reason_required",)),
    OrderLine(S.RUNNING, T.CANCEL, S.CANCELLED, "freeze", ("case.reason_required",)),
    OrderLine(S.INTERRUPTED, T.CANCEL, S.CANCELLED, "freeze", ("case.reason_required",)),
)
_BY_KEY = {(line.state, line.step): line for line in TABLE}
OPEN = frozenset({S.ORDERED, S.ACCEPTED, S.RUNNING, S.INTERRUPTED})


def next_state(state: OrderState, step: OrderStep) -> OrderState | None:
    """The state after the step, or None when the step is not legal."""
    line = _BY_KEY.get((state, step))
    return line.to if line else None


def legal_steps(state: OrderState) -> list[OrderStep]:
    """What may be done with an order in this state, in the order of the table."""
    return [line.step for line in TABLE if line.state is state]
