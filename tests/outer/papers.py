"""Papers to look at: the facts of one of every kind, its variants, and their text once drawn."""

from __future__ import annotations

import re
from functools import cache
from io import BytesIO
from typing import Any

import pypdf

from app.notices import paper
from app.notices.registry import NOTICES

URL = "https://hall.example/c/0123456789abcdef"

MATERIALS = [
    {"name": "公司登记（备案）申请书", "form": "original", "copies": 1, "state": "received"},
    {"name": "住所（经营场所）使用证明", "form": "copy", "copies": 2, "pages": 6, "state": "shared"},
    {
        "name": "公司章程",
        "form": "both",
        "copies": 1,
        "state": "missing",
        "problem": "缺少全体股东签字",
    },
]
ASKED = [
    {
        **MATERIALS[2],
        "defect": "form",
        "basis": "《中华人民共和国公司法》第四十六条",
        "sample": "窗口取阅，或扫办事指南二维码",
        "matter": "企业登记（市场监督管理局）",
    },
    {"name": "股东身份证明", "form": "copy", "copies": 3, "defect": "incomplete", "problem": "缺股东李四的一份"},
]
CASE: dict[str, Any] = {
    "hall_name": "洛龙区政务服务中心",
    "hall_address": "洛龙区开元大道 218 号",
    "hall_phone": "0379-12345",
    "case_number": "LL20260302-0007",
    "query_code": "7KQ4M2XD",
    "acceptance_number": "LLS20260302-0003",
    "item_name": "内资有限责任公司设立登记",
    "item_code": "11410311MB1234567X4000131001",
    "departments": ["市场监督管理局"],
    "applicant_name": "张三",
    "applicant_id_masked": "4****************X",
    "agent_name": "李四",
    "materials": MATERIALS,
    "promised_limit": "5 个工作日",
    "promised_due_on": "2026-03-09",
    "statutory_limit": "15 个工作日",
    "statutory_due_on": "2026-03-23",
    "provisional": False,
    "received_at": "2026-03-02T09:31:00.000+08:00",
    "accepted_at": "2026-03-02T01:52:00+00:00",
    "clerk_name": "王五",
    "window": "W03",
    "fee": "不收费",
    "legal_basis": ["《中华人民共和国公司法》第二十九条"],
    "qr_url": URL,
}
DOCUMENTS = [
    {"name": "营业执照（正本）", "number": "91410311MA0000001X", "copies": 1},
    {"name": "准予行政许可决定书", "number": "决字〔2026〕第31号"},
]


KINDS_OF_DAY = {
    "workday": ("工作日", "working day"),
    "weekend": ("周末", "weekend"),
    "closure": ("临时闭厅", "exceptional closure"),
}


def _day(on: str, weekday: int, why: str, counted: int, total: int, **more: Any) -> dict[str, Any]:
    name, name_en = KINDS_OF_DAY[why]
    plain = {"limit": 5, "paused": False, "exception": "", "start": False, "due": False}
    row = {
        "date": on,
        "weekday": weekday,
        "working": why in ("workday", "makeup"),
        "why": why,
        "why_name": name,
        "why_name_en": name_en,
    }
    return {**row, "counted": counted, "total": total, **plain, **more}


LEDGERS = [
    {
        "clock": "promised",
        "unit": "WD",
        "limit": "5 个工作日",
        "due_at": "2026-03-10T18:00:00+08:00",
        "used": 2,
        "remaining": 3,
        "pauses": [
            {"from_at": "2026-03-04T15:00:00+08:00", "until_at": "2026-03-05T10:00:00+08:00", "name": "现场勘验"}
        ],
        "rows": [
            _day("2026-03-02", 1, "workday", 0, 0, start=True),
            _day("2026-03-03", 2, "workday", 1, 1),
            _day("2026-03-04", 3, "workday", 1, 2),
            _day("2026-03-05", 4, "workday", 0, 2, paused=True),
            _day("2026-03-06", 5, "workday", 1, 3),
            _day("2026-03-07", 6, "weekend", 0, 3),
            _day("2026-03-08", 7, "weekend", 0, 3),
            _day("2026-03-09", 1, "workday", 1, 4),
            _day("2026-03-10", 2, "workday", 1, 5, due=True),
        ],
    },
    {
        "clock": "statutory",
        "unit": "WH",
        "limit": "7 个工作小时",
        "due_at": "2026-03-03T08:59:00+08:00",
        "used": 450,
        "remaining": -30,
        "rows": [
            _day("2026-03-02", 1, "workday", 391, 391, limit=420, start=True),
            _day("2026-03-03", 2, "closure", 29, 420, limit=420, exception="closure", due=True),
        ],
    },
]
CHILDREN = [
    {
        "item_name": "企业设立登记",
        "department": "市场监督管理局",
        "limit": "4 个工作小时",
        "case_number": "LL20260302-0008",
        "result_name": "营业执照",
    },
    {"item_name": "公章刻制备案", "department": "公安局", "limit": "2 个工作小时", "result_name": "印章"},
    {"item_name": "发票申领", "department": "税务局", "limit": "3 个工作日", "due_on": "2026-03-05"},
]
OWN: dict[str, dict[str, Any]] = {
    "receipt": {},
    "joint_receipt": {
        "theme": "企业开办",
        "children": CHILDREN,
        "lead_department": "市场监督管理局",
        "delivery": "courier",
        "promised_limit": "7 个工作小时",
        "promised_due_on": None,
    },
    "supplement": {
        "materials": ASKED,
        "supplement_due_on": "2026-04-01",
        "consequence": "逾期未补正的，视为撤回申请。",
    },
    "supplement_receipt": {
        "materials": MATERIALS[:1],
        "outstanding": ASKED[1:],
        "complete": False,
        "supplied_at": "2026-03-04T10:12:00+08:00",
        "supplement_number": "补字〔2026〕第9号",
        "accepted_at": None,
        "acceptance_number": None,
    },
    "acceptance": {"delivery": "pickup", "special": "专家评审，约 20 日"},
    "tolerant_acceptance": {
        "gaps": ASKED[1:],
        "gap_limit": "5 个工作日",
        "gap_due_on": "2026-03-09",
        "commitment": "本人承诺于五个工作日内补交股东李四的身份证明复印件。",
        "consequence": "逾期未补齐的，视为撤回申请。",
    },
    "commitment": {"conditions": ["经营场所符合消防安全要求。", "从业人员持有健康证明。"], "check_by_on": "2026-05-01"},
    "non_acceptance": {"ground": "out_of_scope", "reasons": ["不属于本机关职权范围。"], "go_to": "河南证监局"},
    "agency": {
        "form": "order",
        "order_number": "DB20260302-0002",
        "beneficiary": "老年人",
        "agent_phone": "138****1234",
        "ordered_at": "2026-03-02T09:00:00+08:00",
        "limit": "3 个工作日",
        "due_on": "2026-03-05",
    },
    "manifest": {
        "from_name": "李楼镇便民服务中心",
        "to_name": "洛龙区政务服务中心",
        "purpose": "转报上级审批",
        "entries": [
            {"name": "公司登记（备案）申请书", "form": "original", "copies": 1, "pages": 4},
            {"name": "初审意见", "copies": 1, "case_number": "LL20260302-0011", "note": "密封"},
        ],
        "handed_over_at": "2026-03-03T16:00:00+08:00",
        "handed_over_by": "clerk21",
    },
    "fee": {
        "fees": [
            {"name": "不动产登记费", "basis": "发改价格规〔2016〕2559号", "amount_fen": 8000},
            {"name": "证书工本费", "basis": "财税〔2016〕79号", "amount_fen": 123450, "note": "每增加一本10元"},
        ],
        "pay_by_on": "2026-03-06",
        "pay_within": "4 个工作日",
        "pay_where": "3 号缴费窗口，或扫描缴费码",
        "pay_where_en": "cashier 3, or by the payment code",
    },
    "special_procedure": {
        "ground": "expert_review",
        "days": 20,
        "from_at": "2026-03-04T09:00:00+08:00",
        "until_on": "2026-03-24",
        "performer": "市专家评审委员会",
    },
    "review_supplement": {
        "materials": ASKED,
        "findings": ["章程未载明出资期限。"],
        "from_at": "2026-03-04T09:00:00+08:00",
        "supplement_due_on": "2026-03-20",
    },
    "review_supplement_receipt": {
        "materials": MATERIALS[2:],
        "complete": True,
        "supplied_at": "2026-03-10T10:12:00+08:00",
        "resumed_at": "2026-03-10T10:12:00+08:00",
    },
    "extension": {
        "reasons": ["需要向上级机关核实历史档案。"],
        "days": 10,
        "approved_by": "本行政机关负责人",
        "previous_due_on": "2026-03-23",
        "statutory_due_on": "2026-04-07",
        "promised_due_on": "2026-03-24",
    },
    "deadline_change": {
        "cause": "calendar",
        "clocks": [
            {
                "clock": "promised",
                "before_on": "2026-03-09",
                "after_on": "2026-03-11",
                "promise_on": "2026-03-09",
            },
            {"clock": "statutory", "before_on": "2026-03-23", "after_on": None},
        ],
        "calendar": "国办发明电〔2025〕7号",
    },
    "ledger": {"ledgers": LEDGERS, "calendar": "国办发明电〔2025〕7号", "hours": "08:30–12:00，13:30–18:00"},
    "overdue": {
        "reasons": ["申请集中，专家评审排期延后。"],
        "clock": "promised",
        "overdue_since": "2026-03-09T18:00:00+08:00",
        "estimate_on": "2026-03-16",
        "measures": ["增派审查人员两名。"],
    },
    "decision": {
        "outcome": "refused",
        "matter_kind": "行政许可",
        "reasons": ["住所不符合条件。", "任职受限。"],
    },
    "revocation": {
        "reasons": ["申请材料经核查系伪造。"],
        "legal_basis": ["《中华人民共和国行政许可法》第六十九条"],
        "decision_number": "决字〔2026〕第31号",
        "decided_at": "2026-02-26T10:00:00+08:00",
        "matter_kind": "行政许可",
    },
    "withdrawal": {"withdrawn_at": "2026-03-05T10:00:00+08:00", "returned": MATERIALS[:2]},
    "pickup": {"pickup_code": "H7K2M9", "result_name": "营业执照", "ready_at": "2026-03-05T10:00:00+08:00"},
    "courier": {
        "carrier": "中国邮政特快专递",
        "receiver_name": "张三",
        "receiver_phone": "13812345678",
        "receiver_address": "洛阳市洛龙区关林街道龙门大道 100 号 3 号楼 2 单元 601 室",
        "documents": DOCUMENTS,
        "zone": "市区",
        "courier_fee": "4.00 元",
        "paid": True,
        "tracking_number": "1234567890123",
    },
    "service": {"documents": DOCUMENTS, "mode": "direct", "place": "出件窗口 P01"},
    "reminder": {
        "of": "collect",
        "times": 2,
        "ready_at": "2026-03-05T10:00:00+08:00",
        "waited": "7 个工作日",
        "pickup_code": "H7K2M9",
        "result_name": "营业执照",
    },
}
# The other faces of a kind: its title and text depend on these facts.
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "acceptance-deemed": ("acceptance", {"deemed": True}),
    "tolerant_acceptance-deemed": ("tolerant_acceptance", {"deemed": True}),
    "agency-acceptance": ("agency", {"form": "acceptance", "tasks": ["提交材料", "领取结果"]}),
    "agency-completion": ("agency", {"form": "completion", "result": "证照已送到家中。", "completed_at": "2026-03-04"}),
    "agency-interruption": (
        "agency",
        {"form": "interruption", "reasons": ["委托人住院。"], "stopped_at": "2026-03-03"},
    ),
    "deadline_change-announced": (
        "deadline_change",
        {
            "cause": "announced",
            "clocks": [
                {"clock": "promised", "after_on": "2027-01-07"},
                {"clock": "statutory", "after_on": "2027-01-21"},
            ],
        },
    ),
    "decision-granted": (
        "decision",
        {
            "outcome": "granted",
            "matter_kind": None,
            "reasons": None,
            "result_name": "营业执照",
            "result_number": "91410311MA0000001X",
            "valid_until": "2031-03-01",
        },
    ),
    "extension-joint": ("extension", {"days": 15, "joint": True, "approved_by": "本级人民政府负责人"}),
    "extension-statutory": ("extension", {"clock": "statutory", "promised_due_on": "2026-03-09"}),
    "non_acceptance-not_required": ("non_acceptance", {"ground": "not_required", "go_to": None}),
    "overdue-completed": ("overdue", {"ended_at": "2026-03-11T10:05:00+08:00", "estimate_on": None}),
    "reminder-gap": (
        "reminder",
        {"of": "gap", "due_on": "2026-03-09", "materials": ASKED[1:], "consequence": "逾期未补齐的，视为撤回申请。"},
    ),
    "review_supplement-again": ("review_supplement", {"repeat_reason": "首次告知漏列一页"}),
    "review_supplement-law": ("review_supplement", {"pause_basis": "《某某条例》第三十条"}),
    "special_procedure-site": ("special_procedure", {"ground": "site_check", "days": 3, "until_on": None}),
    "supplement_receipt-complete": ("supplement_receipt", {"outstanding": [], "complete": True, "materials": ASKED}),
    "supplement_receipt-held": (
        "supplement_receipt",
        {"outstanding": [], "complete": True, "held": True, "materials": ASKED, "accepted_at": None},
    ),
    "supplement_receipt-gap": (
        "supplement_receipt",
        {
            "outstanding": [],
            "complete": True,
            "materials": ASKED,
            "supplement_number": None,
            "accepted_at": "2026-03-02T09:00:00+08:00",
            "acceptance_number": "LLSL202603020007",
        },
    ),
    "withdrawal-deemed": (
        "withdrawal",
        {
            "deemed": True,
            "reasons": ["逾期未补齐容缺材料。"],
            "legal_basis": ["《安阳市政务服务条例》第二十四条"],
            "supplement_due_on": "2026-03-09",
            "returned": [],
        },
    ),
}
FACES: dict[str, tuple[str, dict[str, Any]]] = {**{kind: (kind, {}) for kind in OWN}, **VARIANTS}
SLIP: dict[str, Any] = {
    "hall": "luolong",
    "ticket": 31,
    "number": "A017",
    "hall_name_zh": "洛龙区政务服务中心",
    "queue_name_zh": "商事登记",
    "queue_name_en": "Business registration",
    "zone": "A",
    "windows": ["W01", "W02"],
    "ahead": 5,
    "issued_at": "2026-03-02 09:12",
    "item_name": "公司设立登记",
    "no_show_rule": "过号 30 分钟内可恢复。",
    "qr_url": URL,
}


def told(kind: str, **more: Any) -> dict[str, Any]:
    """Facts of an issued paper; a key given as None is left out."""
    issued = {
        "number": f"{NOTICES[kind].letter}字〔2026〕第12号",
        "issued_at": "2026-03-02T09:52:00.000+08:00",
    }
    facts = {**CASE, **OWN[kind], **issued, **more}
    return {key: value for key, value in facts.items() if value is not None}


@cache
def drawn(face: str, language: str = "zh") -> bytes:
    """One of FACES as PDF, drawn once a run."""
    kind, more = FACES[face]
    return paper.render(kind, told(kind, **more), language=language)


@cache
def text_of(face: str, language: str = "zh") -> tuple[str, ...]:
    """The text of each page of one of FACES; in Chinese of every copy, in English of the first."""
    kind = FACES[face][0]
    return tuple(pages(drawn(face, language)) if language == "zh" else first_copy(kind, drawn(face, language)))


def pages(pdf: bytes, copies: int = 1) -> list[str]:
    """The text of each page, or of those of the first of so many copies."""
    every = pypdf.PdfReader(BytesIO(pdf)).pages
    return [every[n].extract_text() for n in range(len(every) // copies)]


def first_copy(kind: str, pdf: bytes) -> list[str]:
    """The pages of the first copy."""
    return pages(pdf, len(NOTICES[kind].copies))


def words(pdf: bytes, kind: str = "receipt") -> str:
    """All text of the first copy without white space."""
    return squeeze("".join(first_copy(kind, pdf)))


def squeeze(text: str) -> str:
    return re.sub(r"\s", "", text)
