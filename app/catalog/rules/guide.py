"""A service guide as plain values: all that a hall says of an item besides its name and codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.catalog.rules.classes import TimeClass
from app.hall.rules.clock import Limit


class Regime(StrEnum):
    """Which rules of procedure a case of the item follows."""

    LICENSING = "licensing"  # 行政许可
    CONFIRMATION = "confirmation"  # 行政确认、备案、裁决、奖励
    PUBLIC_SERVICE = "public_service"  # 公共服务、行政给付
    INFORMATION_DISCLOSURE = "information_disclosure"  # 政府信息公开
    HOTLINE = "hotline"  # 政务服务便民热线
    PUBLIC_OPINION = "public_opinion"  # 网络舆情


class Routing(StrEnum):
    """How several deciding departments work on one case."""

    IN_TURN = "in_turn"  # 依次办理
    PARALLEL = "parallel"  # 并联办理


class ResultKind(StrEnum):
    LICENCE = "licence"  # 证照
    APPROVAL = "approval"  # 批文、审查意见
    CERTIFICATE = "certificate"  # 证明
    RECORD = "record"  # 登记、备案凭证
    BENEFIT = "benefit"  # 待遇、补贴
    ANSWER = "answer"  # 答复、当场服务


class Channel(StrEnum):
    WINDOW = "window"  # 窗口
    ONLINE = "online"  # 网上
    KIOSK = "kiosk"  # 自助终端
    POST = "post"  # 邮寄


class MaterialKind(StrEnum):
    MAIN = "main"  # 主要材料
    SECONDARY = "secondary"  # 次要材料：缺了可以容缺受理


class MaterialForm(StrEnum):
    ORIGINAL = "original"  # 原件
    COPY = "copy"  # 复印件
    BOTH = "both"  # 原件和复印件


class GuideSource(StrEnum):
    WRITTEN = "written"  # 逐项编写
    DEFAULT = "default"  # 默认指南，待部门填写


@dataclass(frozen=True, slots=True)
class Material:
    """One paper of an item.

    `copies` counts the papers handed in, the shown original not among them when `form` is copy. `sharable`:
    may be taken from an e-licence or another office's data instead. `required` False: only in the case its
    name tells.
    """

    code: str
    name: str
    name_en: str
    kind: MaterialKind
    form: MaterialForm
    copies: int
    sharable: bool
    source: str
    required: bool


@dataclass(frozen=True, slots=True)
class Fee:
    """What the item costs, in fen (100 fen = 1 yuan). No basis: free. A basis, no amount: by its rates.

    `pay_within`: from the fee notice 缴费通知书; None where nothing sets a day.
    """

    amount_fen: int = 0
    basis: str = ""
    pay_within: Limit | None = None

    @property
    def free(self) -> bool:
        return not self.basis


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """A law by its full title and, only where it is certain, the article (第…条)."""

    law: str
    article: str = ""

    def __str__(self) -> str:
        return f"《{self.law}》{self.article}"


@dataclass(frozen=True, slots=True)
class Commitment:
    """告知承诺: what the applicant commits to; decided on the spot, checked within `check_within` of the decision."""

    check_within: Limit
    conditions: tuple[str, ...]
    conditions_en: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Guide:
    """A guide, written by hand or default; `code` is the implementation code of its item.

    `departments` decide, one after the other or side by side as `routing` says. `visits` is how often the
    applicant must come. `theme` names the file's subject; a default guide has none, no English name and no
    conditions. `gap_pass` 容缺通过: may be decided while a tolerated paper is still missing. `signatures`: how many
    people sign a decision at most. `regime_because`: why the regime is not that of the item's type.
    """

    code: str
    name_en: str
    zone: str
    time_class: TimeClass
    promised: Limit
    statutory: Limit
    limit_source: str
    regime: Regime
    fee: Fee
    legal_basis: tuple[LegalBasis, ...]
    departments: tuple[str, ...]
    routing: Routing
    chief_may_decide: bool
    result_name: str
    result_name_en: str
    result_kind: ResultKind
    visits: int
    channels: tuple[Channel, ...]
    conditions: tuple[str, ...]
    conditions_en: tuple[str, ...]
    materials: tuple[Material, ...]
    source: GuideSource
    theme: str = ""
    gap_pass: bool = False
    commitment: Commitment | None = None
    signatures: int = 2
    regime_because: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """English names of departments, by their Chinese ones, and names of zones in both, by prefix letter."""

    departments_en: Mapping[str, str]
    zones_zh: Mapping[str, str]
    zones_en: Mapping[str, str]
