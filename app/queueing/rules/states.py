"""The life of a ticket as one table: (state, step) → state (DOMAIN Q3)."""

from __future__ import annotations

from enum import StrEnum


class TicketState(StrEnum):
    WAITING = "waiting"  # 等候
    CALLED = "called"  # 已叫号
    SERVING = "serving"  # 办理中
    PARKED = "parked"  # 挂起
    NO_SHOW = "no_show"  # 过号
    FINISHED = "finished"  # 办结
    ABANDONED = "abandoned"  # 弃号
    CANCELLED = "cancelled"  # 已取消
    EXPIRED = "expired"  # 已失效


class TicketStep(StrEnum):
    CALL = "call"  # 叫号
    RECALL = "recall"  # 重呼
    START = "start"  # 开始办理
    FINISH = "finish"  # 办结
    NO_SHOW = "no-show"  # 过号
    RESTORE = "restore"  # 过号恢复
    PARK = "park"  # 挂起
    UNPARK = "unpark"  # 取回
    TRANSFER = "transfer"  # 转移
    ABANDON = "abandon"  # 弃号
    CANCEL = "cancel"  # 取消
    DEFER = "defer"  # 暂离
    REJOIN = "rejoin"  # 归队
    NEXT_ITEM = "next-item"  # 续办下一事项
    EXPIRE = "expire"  # 失效


class Lane(StrEnum):
    """How a person joined the queue; each lane gives its own head start."""

    NORMAL = "normal"  # 普通
    PRIORITY = "priority"  # 优先
    APPOINTMENT = "appointment"  # 预约
    RETURNING = "returning"  # 补正返回


S, T = TicketState, TicketStep

STEPS: dict[tuple[TicketState, TicketStep], TicketState] = {
    (S.WAITING, T.CALL): S.CALLED,
    (S.WAITING, T.ABANDON): S.ABANDONED,
    (S.WAITING, T.CANCEL): S.CANCELLED,
    (S.WAITING, T.DEFER): S.PARKED,
    (S.WAITING, T.EXPIRE): S.EXPIRED,
    (S.CALLED, T.RECALL): S.CALLED,
    (S.CALLED, T.START): S.SERVING,
    (S.CALLED, T.NO_SHOW): S.NO_SHOW,
    (S.CALLED, T.TRANSFER): S.WAITING,
    (S.CALLED, T.ABANDON): S.ABANDONED,
    (S.SERVING, T.NEXT_ITEM): S.SERVING,
    (S.SERVING, T.FINISH): S.FINISHED,
    (S.SERVING, T.PARK): S.PARKED,
    (S.SERVING, T.TRANSFER): S.WAITING,
    (S.PARKED, T.UNPARK): S.CALLED,
    (S.PARKED, T.REJOIN): S.WAITING,
    (S.PARKED, T.CANCEL): S.CANCELLED,
    (S.PARKED, T.ABANDON): S.ABANDONED,
    (S.PARKED, T.EXPIRE): S.EXPIRED,
    (S.NO_SHOW, T.RESTORE): S.WAITING,
    (S.NO_SHOW, T.CANCEL): S.CANCELLED,
    (S.NO_SHOW, T.EXPIRE): S.EXPIRED,
}

AT_WINDOW = frozenset({S.CALLED, S.SERVING})  # the ticket occupies a window
LIVE = frozenset({S.WAITING, S.CALLED, S.SERVING, S.PARKED})  # the holder needs no other ticket of this queue
OVER = frozenset({S.FINISHED, S.ABANDONED, S.CANCELLED, S.EXPIRED})  # nothing leads out


def next_state(state: TicketState, step: TicketStep) -> TicketState | None:
    """The state after the step, or None when the step is not legal."""
    return STEPS.get((state, step))


def legal_steps(state: TicketState, *, deferred: bool = False) -> list[TicketStep]:
    """What may be done with a ticket in this state, in the order of the table.

    Who went away of their own accord (`deferred`) rejoins the queue and is not called past it; whom a clerk set aside
    is called back and does not queue again.
    """
    aside = TicketStep.UNPARK if deferred else TicketStep.REJOIN
    return [step for (at, step) in STEPS if at == state and not (at == TicketState.PARKED and step == aside)]
