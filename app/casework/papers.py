"""Part of an action: issues the papers of a case, with the facts as they stand at this moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import select

from app import privacy
from app.action import Transaction
from app.casework.cases import material_states, open_field, reviews_of
from app.casework.models import Case
from app.casework.moves import print_promise
from app.casework.rules.alarms import rings_at
from app.casework.rules.materials import HERE
from app.hall.models import Hall
from app.hall.queries import pay_place
from app.hall.rules.clock import Unit
from app.hall.settings import schedule_in
from app.notices.issue import issue_notice
from app.notices.models import NoticeRow
from app.now import due_day, iso
from app.people.models import Staff

PROMISING = frozenset(
    {
        "acceptance",
        "tolerant_acceptance",
        "special_procedure",
        "review_supplement",
        "review_supplement_receipt",
        "extension",
        "deadline_change",
    }
)
"""The papers that tell until when the promise runs, or that it stands still: what they say is kept (C14)."""

_UNITS = {Unit.WD: "个工作日", Unit.WH: "个工作小时", Unit.ND: "日", Unit.NH: "小时"}
_MATTERS = {"licensing": "行政许可", "confirmation": "行政确认"}


def limit_text(limit: dict[str, Any]) -> str:
    """20 个工作日."""
    return f"{limit['amount']} {_UNITS[Unit(limit['unit'])]}"


def fee_text(fee: dict[str, Any]) -> str:
    """不收费, or the amount in yuan with its basis; without an amount, by its rates."""
    if not fee["basis"]:
        return "不收费"
    amount = f"{fee['amount_fen'] / 100:.2f} 元" if fee["amount_fen"] else "按标准收费"
    return f"{amount}（{fee['basis']}）"


def basis_text(basis: dict[str, Any]) -> str:
    """《中华人民共和国公司法》第三十条."""
    return f"《{basis['law']}》{basis['article']}"


def issue(tx: Transaction, case: Case, kind: str, **more: Any) -> dict[str, Any]:
    """Issue one paper: the common facts of the case and what this kind adds. Tells NoticeIssued.

    A paper of PROMISING is issued after the clocks have moved: the promise that it prints is the one that is kept.
    """
    facts = {key: value for key, value in {**_facts(tx, case), **more}.items() if value is not None}
    if kind in PROMISING:
        print_promise(case)
    return issue_notice(tx, kind=kind, facts=facts, case_id=case.id)


def issue_fee(tx: Transaction, case: Case) -> None:
    """Issue the fee notice 缴费通知书 of an item that costs a set amount; nothing for a free one.

    It says where the hall that handles the case takes the money and, where the item's guide does, by when.
    """
    fee = case.guide["fee"]
    if not fee["basis"] or not fee["amount_fen"]:
        return
    line = {"name": case.guide["name"], "basis": fee["basis"], "amount_fen": fee["amount_fen"]}
    place, within = pay_place(case.handled_in, tx.session), fee.get("pay_within")  # guides of old do not have it
    due_at = rings_at(tx.at, within, schedule_in(tx)) if within else None
    told = {"pay_where": place["words"], "pay_where_en": place["words_en"]}
    told |= {"pay_within": limit_text(within)} if within else {}
    issue(tx, case, "fee", fees=[line], pay_by_on=due_day(due_at).isoformat() if due_at else None, **told)


def _facts(tx: Transaction, case: Case) -> dict[str, Any]:
    hall = tx.execute(select(Hall).where(Hall.code == case.handled_in)).scalar_one()
    applicant, agent, codes = open_field(case, "applicant"), open_field(case, "agent"), open_field(case, "codes")
    guide = case.guide
    return {
        "hall_name": hall.name_zh,
        "hall_address": hall.address,
        "hall_phone": hall.phone,
        "case_number": case.number,
        "query_code": codes["query_code"],
        "acceptance_number": case.acceptance_number,
        "item_name": guide["name"],
        "item_code": case.item,
        "departments": [r.department for r in reviews_of(tx.session, tx.hall, case.id)] or guide["departments"],
        "applicant_name": applicant["name"],
        "applicant_id_masked": privacy.mask_id(applicant["id_number"]) if applicant.get("id_number") else None,
        "agent_name": agent["name"] if agent else None,
        "materials": materials(tx, case),
        "promised_limit": limit_text(case.converted or guide["promised"]),
        "promised_due_on": day_of(case, case.promised_due_at),
        "statutory_limit": limit_text(guide["statutory"]),
        "statutory_due_on": day_of(case, case.statutory_due_at),
        "provisional": case.provisional,
        "received_at": iso(case.received_at),
        "accepted_at": iso(case.accepted_at),
        "clerk_name": name_of(tx) or None,
        "window": case.window if tx.actor.id == case.received_by and case.handled_in == tx.hall else None,
        "fee": fee_text(guide["fee"]),
        "legal_basis": [basis_text(b) for b in guide["legal_basis"]],
        "result_name": guide["result_name"],
        "qr_url": f"{current_app.extensions['settings'].public_url}/c/{codes['query_token']}",
    }


def materials(tx: Transaction, case: Case, codes: set[str] | None = None) -> list[dict[str, Any]]:
    """The lines of the list of materials, all or only those of `codes`; tolerated gaps say so."""
    states = material_states(tx.session, tx.hall, case.id)
    lines = []
    for material in case.guide["materials"]:
        row = states.get(material["code"])
        if codes is not None and material["code"] not in codes:
            continue
        state = row.state if row else "missing"
        if state == "missing" and not material["required"]:
            state = "not_needed"
        if row is not None and row.tolerated:
            state = "tolerated"
        problem = None
        if row is not None and row.problem_sealed and row.state not in HERE:
            problem = privacy.open_sealed(row.problem_sealed, f"case_materials.problem|{tx.hall}|{case.id}|{row.code}")
        line = {"name": material["name"], "form": material["form"], "copies": material["copies"], "state": state}
        lines.append({**line, "problem": problem})
    return lines


def matter(case: Case) -> str | None:
    """行政许可 or 行政确认, for the title of a decision."""
    return _MATTERS.get(case.guide["regime"])


def verdict(case: Case) -> str:
    """The name of the decision: 准予行政许可决定书, 不予办理决定书."""
    return f"{'准予' if case.outcome == 'granted' else '不予'}{matter(case) or '办理'}决定书"


def documents(tx: Transaction, case: Case) -> list[dict[str, Any]]:
    """What a decided case puts into the applicant's hands: the decision and, if it was granted, the result."""
    served: list[dict[str, Any]] = []
    number = number_of(tx, case, "decision")
    if number:
        served.append({"name": verdict(case), "number": number, "copies": 1})
    if case.outcome == "granted":
        served.append({"name": case.guide["result_name"], "copies": 1})
    return served


def number_of(tx: Transaction, case: Case, kind: str) -> str | None:
    """The number of the last paper of a kind that the case was given."""
    mine = (NoticeRow.hall == tx.hall, NoticeRow.case_id == case.id, NoticeRow.kind == kind)
    return tx.execute(select(NoticeRow.number).where(*mine).order_by(NoticeRow.id.desc()).limit(1)).scalar_one_or_none()


def law_of(case: Case, rule: str) -> str | None:
    """The law on which a rule of the case's regime rests: 《中华人民共和国行政许可法》第四十二条."""
    sources = (source for source in case.guide["rules"]["sources"] if rule in source["rule"])
    return next((basis_text(source) for source in sources if source["mark"] == "L"), None)


def name_of(tx: Transaction) -> str:
    """The name of whoever acts, as papers print it; empty for the timer."""
    if tx.actor.kind != "staff":
        return ""
    return tx.execute(select(Staff.name).where(Staff.id == tx.actor.id)).scalar_one_or_none() or ""


def day_of(case: Case, at: datetime | None) -> str | None:
    """The local day of a due instant; None while a needed calendar has not been announced."""
    return None if at is None or case.provisional else due_day(at).isoformat()
