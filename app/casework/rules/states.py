"""The life of a case as one table: (state, step) → state (DOMAIN §4)."""

from __future__ import annotations

from enum import StrEnum


class CaseState(StrEnum):
    RECEIVED = "received"  # 已收件
    CORRECTION = "correction"  # 待补正
    ACCEPTED = "accepted"  # 已受理
    REVIEW = "review"  # 审查中
    SPECIAL = "special"  # 特别程序
    REVIEW_CORRECTION = "review_correction"  # 审查补正
    FORWARDED = "forwarded"  # 已转报
    GRANTED = "granted"  # 准予
    REFUSED = "refused"  # 不予
    READY = "ready"  # 待领取
    DELIVERED = "delivered"  # 已送达
    NOT_ACCEPTED = "not_accepted"  # 不予受理
    WITHDRAWN = "withdrawn"  # 已撤回
    DEEMED_WITHDRAWN = "deemed_withdrawn"  # 视为撤回


class CaseStep(StrEnum):
    ACCEPT = "accept"  # 受理
    DEEM_ACCEPT = "deem-accept"  # 视为受理
    REQUEST_SUPPLEMENT = "request-supplement"  # 一次性告知
    SUPPLY = "supply"  # 收到部分补正
    COMPLETE = "complete"  # 补正齐全
    NO_REQUEST = "no-request"  # 不予受理请示
    NOT_ACCEPT = "not-accept"  # 不予受理
    TAKE = "take"  # 领办
    REVIEW = "review"  # 一个部门已审，其他部门未审
    GRANT = "grant"  # 准予
    REFUSE = "refuse"  # 不予
    SUSPEND = "suspend"  # 进入特别程序
    RESUME = "resume"  # 特别程序结束
    EXTEND = "extend"  # 延期
    RETURN = "return"  # 退回
    FORWARD = "forward"  # 转报
    READY = "ready"  # 结果到窗
    HAND_OVER = "hand-over"  # 领取
    DISPATCH = "dispatch"  # 寄出
    WITHDRAW = "withdraw"  # 撤回
    DEEM_WITHDRAW = "deem-withdraw"  # 视为撤回


S, T = CaseState, CaseStep

STEPS: dict[tuple[CaseState, CaseStep], CaseState] = {
    (S.RECEIVED, T.ACCEPT): S.ACCEPTED,
    (S.RECEIVED, T.DEEM_ACCEPT): S.ACCEPTED,
    (S.RECEIVED, T.REQUEST_SUPPLEMENT): S.CORRECTION,
    (S.RECEIVED, T.SUPPLY): S.RECEIVED,
    (S.RECEIVED, T.NO_REQUEST): S.RECEIVED,
    (S.RECEIVED, T.NOT_ACCEPT): S.NOT_ACCEPTED,
    (S.RECEIVED, T.WITHDRAW): S.WITHDRAWN,
    (S.CORRECTION, T.REQUEST_SUPPLEMENT): S.CORRECTION,
    (S.CORRECTION, T.SUPPLY): S.CORRECTION,
    (S.CORRECTION, T.COMPLETE): S.ACCEPTED,
    (S.CORRECTION, T.NO_REQUEST): S.CORRECTION,
    (S.CORRECTION, T.NOT_ACCEPT): S.NOT_ACCEPTED,
    (S.CORRECTION, T.WITHDRAW): S.WITHDRAWN,
    (S.CORRECTION, T.DEEM_WITHDRAW): S.DEEMED_WITHDRAWN,
    **{
        step: state
        for at in (S.ACCEPTED, S.REVIEW)
        for step, state in {
            (at, T.TAKE): S.REVIEW,
            (at, T.REVIEW): S.REVIEW,
            (at, T.GRANT): S.GRANTED,
            (at, T.REFUSE): S.REFUSED,
            (at, T.SUPPLY): at,
            (at, T.REQUEST_SUPPLEMENT): S.REVIEW_CORRECTION,
            (at, T.SUSPEND): S.SPECIAL,
            (at, T.EXTEND): at,
            (at, T.RETURN): S.ACCEPTED,
            (at, T.FORWARD): S.FORWARDED,
            (at, T.WITHDRAW): S.WITHDRAWN,
            (at, T.DEEM_WITHDRAW): S.DEEMED_WITHDRAWN,
        }.items()
    },
    (S.SPECIAL, T.RESUME): S.REVIEW,
    (S.SPECIAL, T.WITHDRAW): S.WITHDRAWN,
    (S.REVIEW_CORRECTION, T.SUPPLY): S.REVIEW_CORRECTION,
    (S.REVIEW_CORRECTION, T.COMPLETE): S.REVIEW,
    (S.REVIEW_CORRECTION, T.WITHDRAW): S.WITHDRAWN,
    (S.FORWARDED, T.GRANT): S.GRANTED,
    (S.FORWARDED, T.REFUSE): S.REFUSED,
    (S.FORWARDED, T.RETURN): S.ACCEPTED,
    (S.FORWARDED, T.WITHDRAW): S.WITHDRAWN,
    (S.GRANTED, T.READY): S.READY,
    (S.GRANTED, T.HAND_OVER): S.DELIVERED,
    (S.GRANTED, T.DISPATCH): S.DELIVERED,
    (S.READY, T.HAND_OVER): S.DELIVERED,
    (S.READY, T.DISPATCH): S.DELIVERED,
    (S.REFUSED, T.HAND_OVER): S.DELIVERED,
    (S.REFUSED, T.DISPATCH): S.DELIVERED,
}

INTAKE = frozenset({S.RECEIVED, S.CORRECTION})  # not accepted yet: no clock runs
DECIDING = frozenset({S.ACCEPTED, S.REVIEW, S.SPECIAL, S.REVIEW_CORRECTION, S.FORWARDED})  # both clocks matter
PICKUP = frozenset({S.GRANTED, S.REFUSED, S.READY})  # decided, not yet in the applicant's hands
OVER = frozenset({S.DELIVERED, S.NOT_ACCEPTED, S.WITHDRAWN, S.DEEMED_WITHDRAWN})


def next_state(state: CaseState, step: CaseStep) -> CaseState | None:
    """The state after the step, or None when the step is not legal."""
    return STEPS.get((state, step))


def legal_steps(state: CaseState) -> list[CaseStep]:
    """What may be done with a case in this state, in the order of the table."""
    return [step for (at, step) in STEPS if at == state]
