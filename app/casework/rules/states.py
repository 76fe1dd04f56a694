"""The life of a case as one table: (state, step) → state, with who may, what must hold, what the clocks do, and why.

Actions ask `line` before they do anything; the API, the pages, docs/states.md and the tests read the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from app.people.permissions import Permission


class CaseState(StrEnum):
    DRAFT = "draft"  # 代收
    RECEIVED = "received"  # 已收件
    CORRECTION = "correction"  # 待补正
    ACCEPTED = "accepted"  # 已受理
    REVIEW = "review"  # 审查中
    SPECIAL = "special"  # 特别程序
    SITE_CHECK = "site_check"  # 现场勘验
    REVIEW_CORRECTION = "review_correction"  # 审查补正
    FORWARDED = "forwarded"  # 已转报
    GRANTED = "granted"  # 准予
    REFUSED = "refused"  # 不予
    READY = "ready"  # 待领取
    DELIVERED = "delivered"  # 已送达
    NOT_REQUIRED = "not_required"  # 不需许可
    NOT_ACCEPTED = "not_accepted"  # 不予受理
    WITHDRAWN = "withdrawn"  # 已撤回
    DEEMED_WITHDRAWN = "deemed_withdrawn"  # 视为撤回
    VOID = "void"  # 作废


class CaseStep(StrEnum):
    RECEIVE = "receive"  # 到窗收件
    BACKDATE = "backdate"  # 更正收件时间
    ACCEPT = "accept"  # 受理
    DEEM_ACCEPT = "deem-accept"  # 视为受理
    REQUEST_SUPPLEMENT = "request-supplement"  # 一次性告知
    SUPPLY = "supply"  # 收到部分补正
    COMPLETE = "complete"  # 补正齐全
    NO_REQUEST = "no-request"  # 不予受理请示
    GO_ON = "go-on"  # 答复继续办理
    NOT_ACCEPT = "not-accept"  # 不予受理
    NOT_REQUIRE = "not-require"  # 不需许可
    CONVERT = "convert"  # 即办转承诺
    TAKE = "take"  # 领办
    PROPOSE = "propose"  # 拟办
    REVIEW = "review"  # 一个部门已审，其他部门未审
    GRANT = "grant"  # 准予
    REFUSE = "refuse"  # 不予
    SUSPEND = "suspend"  # 进入特别程序
    CHECK_SITE = "check-site"  # 进入现场勘验
    RESUME = "resume"  # 恢复审查
    EXTEND = "extend"  # 延期
    RETURN = "return"  # 退回
    FORWARD = "forward"  # 转报
    URGE = "urge"  # 督办
    ANSWER_URGE = "answer-urge"  # 督办答复
    EXPLAIN_OVERDUE = "explain-overdue"  # 超期说明
    READY = "ready"  # 结果到窗
    FINISH = "finish"  # 当场办结
    HAND_OVER = "hand-over"  # 领取
    DISPATCH = "dispatch"  # 寄出
    SIGN = "sign"  # 签收
    COME_BACK = "come-back"  # 退件
    CHECK = "check"  # 事后核查
    REVOKE = "revoke"  # 撤销
    WITHDRAW = "withdraw"  # 撤回
    DEEM_WITHDRAW = "deem-withdraw"  # 视为撤回
    VOID = "void"  # 作废


class Effect(StrEnum):
    """What a step does to the clocks."""

    NONE = "none"  # 不变
    NOTICE = "notice"  # 一次性告知期限起算
    NOTICE_ENDS = "notice-ends"  # 一次性告知期限终止
    START = "start"  # 两个时限起算
    START_AT_RECEIPT = "start-at-receipt"  # 两个时限自收件起算
    STOP_BOTH = "stop-both"  # 两个时限停止
    STOP_PROMISED = "stop-promised"  # 只停承诺时限
    RUN_ON = "run-on"  # 继续计时
    CHANGE_PROMISED = "change-promised"  # 改用承诺件时限
    LENGTHEN = "lengthen"  # 延长
    FREEZE = "freeze"  # 定格
    DELIVERED = "delivered"  # 送达期限终止


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table.

    `who` holds the permissions of which one is needed; empty: only the timer. `guards` are the refusals besides
    illegal steps and missing permissions. `law` is the ground that the step stands on.
    """

    state: CaseState
    step: CaseStep
    to: CaseState
    who: frozenset[Permission]
    effect: Effect
    guards: tuple[str, ...]
    law: str


S, T, E, P = CaseState, CaseStep, Effect, Permission

INTAKE = frozenset({S.RECEIVED, S.CORRECTION})  # not accepted yet: no clock runs
DECIDING = frozenset({S.ACCEPTED, S.REVIEW, S.SPECIAL, S.SITE_CHECK, S.REVIEW_CORRECTION, S.FORWARDED})  # both run
STOPPED = frozenset({S.SPECIAL, S.SITE_CHECK, S.REVIEW_CORRECTION})
PICKUP = frozenset({S.GRANTED, S.REFUSED, S.READY})  # decided, neither in the applicant's hands nor on its way there
OVER = frozenset({S.DELIVERED, S.NOT_REQUIRED, S.NOT_ACCEPTED, S.WITHDRAWN, S.DEEMED_WITHDRAWN, S.VOID})

# where the inboxes show a case of each state
TABS: dict[str, frozenset[CaseState]] = {
    "draft": frozenset({S.DRAFT}),
    "intake": INTAKE,
    "todo": frozenset({S.ACCEPTED, S.REVIEW, S.FORWARDED}),
    "correction": frozenset({S.REVIEW_CORRECTION}),
    "special": frozenset({S.SPECIAL, S.SITE_CHECK}),
    "pickup": PICKUP,
    "done": OVER,
}
TAB_OF = {state: tab for tab, states in TABS.items() for state in states}
OPEN_TABS = ("todo", "correction", "special")

_SAME = None  # the step does not change the state
_REVIEWING = (S.ACCEPTED, S.REVIEW)
_REASON = ("case.reason_required",)
_SIGNED = ("case.reason_required", "case.basis_required")
_ANSWERS = ("auth.foreign_department",)
_OWN = (*_ANSWERS, "case.not_authorised")
_DECIDING_GUARDS = (
    *_OWN,
    "case.intake_is_approver",
    "case.own_proposal",
    "case.gap_open",
)


def _lines(
    states: Iterable[CaseState],
    step: CaseStep,
    to: CaseState | None,
    who: Iterable[Permission] = (),
    effect: Effect = E.NONE,
    guards: tuple[str, ...] = (),
    law: str = "",
) -> list[Line]:
    return [Line(state, step, to or state, frozenset(who), effect, guards, law) for state in states]


A, D, H, N, W, X = (
    P.CASE_ACCEPT,
    P.CASE_DECIDE,
    P.CASE_HAND_OVER,
    P.CASE_ANSWER,
    P.CASE_OVERRIDE,
    P.CASE_EXTEND,
)
_IN, _ON, _DECIDED = sorted(INTAKE), sorted(DECIDING), [*sorted(PICKUP), S.DELIVERED, S.VOID]

TABLE: tuple[Line, ...] = tuple(
    line
    for lines in (
        # ── collected at a point below, not received yet
        _lines([S.DRAFT], T.RECEIVE, S.RECEIVED, [A], E.NOTICE, law="行政许可法 §32"),
        _lines([S.DRAFT], T.VOID, S.VOID, [A, W], guards=_REASON),
        # ── received: the one-time notice is due
        _lines([S.RECEIVED], T.BACKDATE, _SAME, [W], E.NOTICE, ("case.reason_required", "case.backdate_bounds")),
        _lines(
            [S.RECEIVED],
            T.ACCEPT,
            S.ACCEPTED,
            [A],
            E.START,
            (
                "case.no_request_open",
                "case.materials_missing",
                "case.tolerant_main",
                "case.tolerant_commitment",
                "case.tolerant_gap",
                "case.not_on_commitment",
                "case.commitment_required",
            ),
            "行政许可法 §32(5)",
        ),
        _lines([S.RECEIVED], T.DEEM_ACCEPT, S.ACCEPTED, [], E.START_AT_RECEIPT, law="行政许可法 §32(4)"),
        _lines(
            [S.RECEIVED],
            T.REQUEST_SUPPLEMENT,
            S.CORRECTION,
            [A, W],
            E.NOTICE_ENDS,
            ("case.nothing_missing", "case.told_late", "case.second_notice", *_REASON),
            "行政许可法 §32(4)",
        ),
        _lines(
            [S.CORRECTION],
            T.REQUEST_SUPPLEMENT,
            _SAME,
            [A, W],
            guards=("case.second_notice", "case.told_late", *_REASON),
            law="行政许可法 §72(4)",
        ),
        _lines(_IN, T.SUPPLY, _SAME, [A], guards=("case.nothing_missing",)),
        _lines([S.CORRECTION], T.COMPLETE, S.ACCEPTED, [A, N], E.START, law="行政许可法 §32(5)"),
        _lines([S.CORRECTION], T.DEEM_WITHDRAW, S.DEEMED_WITHDRAWN, [], law="按事项所属程序规则"),
        _lines(_IN, T.NO_REQUEST, _SAME, [A], guards=("case.no_request_open", *_REASON), law="窗口无否决权"),
        _lines(_IN, T.GO_ON, _SAME, [N], guards=("case.no_request_none",)),
        _lines(
            _IN,
            T.NOT_ACCEPT,
            S.NOT_ACCEPTED,
            [N],
            E.NOTICE_ENDS,
            ("case.no_request_none", "case.told_late", *_SIGNED),
            "行政许可法 §32(2)",
        ),
        _lines(
            _IN,
            T.NOT_REQUIRE,
            S.NOT_REQUIRED,
            [N],
            E.NOTICE_ENDS,
            ("case.no_request_none", "case.told_late", *_SIGNED),
            "行政许可法 §32(1)",
        ),
        _lines([S.RECEIVED], T.VOID, S.VOID, [W], E.NOTICE_ENDS, _REASON),
        # ── accepted: the departments decide while both clocks run
        _lines(
            _REVIEWING,
            T.CONVERT,
            _SAME,
            [A, D],
            E.CHANGE_PROMISED,
            (*_OWN, "case.not_instant", *_REASON, "case.convert_limit", "case.convert_late"),
        ),
        _lines([*_REVIEWING, S.FORWARDED], T.TAKE, S.REVIEW, [D], guards=(*_OWN, "case.intake_is_approver")),
        _lines(
            [*_REVIEWING, S.FORWARDED],
            T.PROPOSE,
            S.REVIEW,
            [D],
            guards=(*_OWN, "case.intake_is_approver", "case.signatures"),
            law="北京市优化营商环境条例 §35",
        ),
        _lines([*_REVIEWING, S.FORWARDED], T.REVIEW, S.REVIEW, [D], guards=_DECIDING_GUARDS),
        _lines([*_REVIEWING, S.FORWARDED], T.GRANT, S.GRANTED, [D], E.FREEZE, _DECIDING_GUARDS, "行政许可法 §38"),
        _lines(
            [*_REVIEWING, S.FORWARDED],
            T.REFUSE,
            S.REFUSED,
            [D],
            E.FREEZE,
            (*_DECIDING_GUARDS, *_SIGNED),
            "行政许可法 §38",
        ),
        _lines(
            _REVIEWING, T.SUSPEND, S.SPECIAL, [D], E.STOP_BOTH, (*_OWN, "case.ground", "case.days"), "行政许可法 §45"
        ),
        _lines(_REVIEWING, T.CHECK_SITE, S.SITE_CHECK, [D], E.STOP_PROMISED, (*_OWN, "case.days"), "行政许可法 §34"),
        _lines(
            _REVIEWING,
            T.REQUEST_SUPPLEMENT,
            S.REVIEW_CORRECTION,
            [D, W],
            E.STOP_PROMISED,
            (*_OWN, "case.nothing_missing", "case.second_notice", *_REASON),
        ),
        _lines([S.SPECIAL, S.SITE_CHECK, S.REVIEW_CORRECTION], T.RESUME, S.REVIEW, [D], E.RUN_ON, _OWN),
        _lines([S.REVIEW_CORRECTION], T.COMPLETE, S.REVIEW, [A], E.RUN_ON),
        _lines(
            [*_REVIEWING, S.FORWARDED],
            T.EXTEND,
            _SAME,
            [X],
            E.LENGTHEN,
            (*_OWN, *_REASON, "case.extended_once", "case.too_late", "case.not_extendable", "case.rank"),
            "行政许可法 §42",
        ),
        _lines([*_REVIEWING, S.FORWARDED], T.RETURN, S.ACCEPTED, [D], guards=(*_OWN, *_REASON)),
        _lines(_REVIEWING, T.FORWARD, S.FORWARDED, [D], guards=(*_OWN, "case.to_hall"), law="行政许可法 §43"),
        _lines(_ON, T.SUPPLY, _SAME, [A], guards=("case.nothing_missing",)),
        _lines(_ON, T.URGE, _SAME, [W], guards=(*_REASON, "case.urge_open")),
        _lines(
            [*_ON, *_DECIDED, S.WITHDRAWN, S.DEEMED_WITHDRAWN],  # whatever became of it, who was urged owes an answer
            T.ANSWER_URGE,
            _SAME,
            [D],
            guards=(*_ANSWERS, *_REASON, "case.urge_none"),
        ),
        _lines(
            [*_ON, *_DECIDED],  # a late decision does not settle why it was late
            T.EXPLAIN_OVERDUE,
            _SAME,
            [D],
            guards=(*_ANSWERS, *_REASON, "case.not_overdue"),
            law="优化营商环境条例 §36",
        ),
        _lines(_ON, T.DEEM_WITHDRAW, S.DEEMED_WITHDRAWN, [], E.FREEZE, law="按事项所属程序规则"),
        # ── decided: the result goes to the applicant
        _lines([S.GRANTED, S.READY], T.READY, S.READY, [H], law="行政许可法 §44"),
        _lines([S.GRANTED], T.FINISH, S.DELIVERED, [A], E.DELIVERED, ("case.not_instant", "case.on_the_spot")),
        _lines(
            sorted(PICKUP),
            T.HAND_OVER,
            S.DELIVERED,
            [H],
            E.DELIVERED,
            ("case.receiver_mismatch", "case.receiver_name", "case.agent_letter", "case.signature"),
            "行政许可法 §44",
        ),
        _lines(sorted(PICKUP), T.DISPATCH, S.DELIVERED, [H], guards=("case.courier_zone",), law="行政许可法 §44"),
        _lines(
            [S.DELIVERED],
            T.SIGN,
            _SAME,
            [H],
            E.DELIVERED,
            ("case.not_dispatched", "case.sign_date"),
            "民事诉讼法 §91（参照）",
        ),
        _lines([S.DELIVERED], T.COME_BACK, S.READY, [H], guards=("case.not_dispatched",)),
        _lines([S.GRANTED, S.READY, S.DELIVERED], T.SUPPLY, _SAME, [A], guards=("case.nothing_missing",)),  # 容缺通过
        _lines([S.GRANTED, S.READY, S.DELIVERED], T.CHECK, _SAME, [D], guards=(*_OWN, "case.no_check")),
        _lines(
            [S.GRANTED, S.READY, S.DELIVERED], T.REVOKE, S.VOID, [D], guards=(*_OWN, *_SIGNED), law="行政许可法 §69"
        ),
        # ── the applicant takes it back
        _lines([*_IN, *_ON], T.WITHDRAW, S.WITHDRAWN, [A], E.FREEZE),
    )
    for line in lines
)

STEPS: dict[tuple[CaseState, CaseStep], CaseState] = {(line.state, line.step): line.to for line in TABLE}
_BY_KEY = {(line.state, line.step): line for line in TABLE}


def line_of(state: CaseState, step: CaseStep) -> Line | None:
    """The row of a step, or None when the step is not legal in this state."""
    return _BY_KEY.get((state, step))


def next_state(state: CaseState, step: CaseStep) -> CaseState | None:
    """The state after the step, or None when the step is not legal."""
    return STEPS.get((state, step))


def legal_steps(state: CaseState) -> list[CaseStep]:
    """What may be done with a case in this state, in the order of the table."""
    return [line.step for line in TABLE if line.state == state]
