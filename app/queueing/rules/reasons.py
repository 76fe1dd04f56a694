"""The reasons that may be given for a step out of the ordinary, as codes: what the record keeps and the ledger counts."""

from __future__ import annotations

from enum import StrEnum


class Ground(StrEnum):
    """Why somebody is in the priority lane."""

    ELDERLY = "elderly"  # 老年人
    DISABLED = "disabled"  # 残疾人
    PREGNANT = "pregnant"  # 孕妇
    INFANT = "infant"  # 携带婴幼儿
    MILITARY = "military"  # 军人及优抚对象


class ChoiceReason(StrEnum):
    """Why a clerk called somebody whose turn it was not (Q7)."""

    ILLNESS = "illness"  # 身体不适
    FRAIL = "frail"  # 行动不便
    CONTINUED = "continued"  # 续办未完事项
    CALLED_BACK = "called-back"  # 通知回窗办理
    MISTAKE = "mistake"  # 纠正叫号差错
    ORDER = "order"  # 维护现场秩序
    OTHER = "other"  # 其他


class ParkReason(StrEnum):
    """Why a visit is set aside."""

    COPY = "copy"  # 复印材料
    FORM = "form"  # 填写表格
    FETCH = "fetch"  # 取材料
    PHOTO = "photo"  # 拍照
    PAY = "pay"  # 缴费
    COLLEAGUE = "colleague"  # 等待会商
    OTHER = "other"  # 其他


class AbandonReason(StrEnum):
    """Why a ticket ends without service."""

    GAVE_UP = "gave-up"  # 本人放弃
    WRONG_QUEUE = "wrong-queue"  # 取错号
    NOT_READY = "not-ready"  # 材料未备齐
    ELSEWHERE = "elsewhere"  # 已在别处办理
    GONE = "gone"  # 人已离开
    OTHER = "other"  # 其他


class ExpiryReason(StrEnum):
    """Why what still waited was not served. The first two come by themselves, the others from a supervisor."""

    ROLLOVER = "rollover"  # 跨日失效
    NOT_BACK = "not-back"  # 暂离未归
    CLOSING = "closing"  # 下班闭厅
    AGREED = "agreed"  # 已约改日
    EMERGENCY = "emergency"  # 突发情况
    OUTAGE = "outage"  # 系统故障


BY_ITSELF = frozenset({ExpiryReason.ROLLOVER, ExpiryReason.NOT_BACK})


class Place(StrEnum):
    """Where a transferred ticket stands among those who wait there."""

    FIRST = "first"  # 排在最前
    SORTED = "sorted"  # 按到达先后
    LAST = "last"  # 排在最后
