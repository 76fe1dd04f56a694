"""Part of an action: the papers of a one-thing case, one for all its parts."""

from __future__ import annotations

from typing import Any

from flask import current_app
from sqlalchemy import select

from app import privacy
from app.action import Transaction
from app.casework.cases import open_field
from app.casework.joint_models import JointCase, JointMaterial
from app.casework.models import Case
from app.casework.moves import print_promise
from app.casework.papers import basis_text, limit_text, name_of
from app.hall.models import Hall
from app.notices.issue import issue_notice
from app.now import iso, local


def issue(tx: Transaction, joint: JointCase, kind: str, /, **more: Any) -> dict[str, Any]:
    """Issue one paper for the whole: the common facts and what this kind adds. Tells NoticeIssued."""
    facts = {key: value for key, value in {**_facts(tx, joint), **more}.items() if value is not None}
    return issue_notice(tx, kind=kind, facts=facts, case_id=joint.id)


def issue_receipt(tx: Transaction, joint: JointCase, cases: list[Case]) -> None:
    """Issue the joint receipt 一件事综合受理单: at receipt without dates, at acceptance with those that run now.

    A promised day that it prints is kept for its part as any printed promise is.
    """
    children = {child["item"]: child for child in joint.guide["children"]}
    lines = []
    for case in cases:
        child = children[case.item]
        if case.accepted_at is not None:
            print_promise(case)
        lines.append(
            {
                "item_name": child["name"],
                "department": child["department"],
                "limit": limit_text(child["promised"]),
                "due_on": None if case.provisional else _day(case.promised_due_at),
                "case_number": case.number,
                "result_name": child["result_name"],
            }
        )
    issue(
        tx,
        joint,
        "joint_receipt",
        theme=joint.guide["name"],
        children=lines,
        lead_department=joint.guide["lead_department"],
        materials=lines_of(tx, joint),
    )


def only(joint: JointCase, cases: list[Case]) -> dict[str, Any]:
    """The facts of a paper that speaks of some of the parts: their names, departments and results."""
    children = {child["item"]: child for child in joint.guide["children"]}
    mine = [children[case.item] for case in cases]
    names = "、".join(child["name"] for child in mine)
    whole = len(mine) == len(children)
    return {
        "item_name": joint.guide["name"] if whole else f"{joint.guide['name']}（{names}）",
        "departments": list(dict.fromkeys(child["department"] for child in mine)),
        "result_name": "、".join(dict.fromkeys(child["result_name"] for child in mine)),
    }


def lines_of(tx: Transaction, joint: JointCase, codes: set[str] | None = None) -> list[dict[str, Any]]:
    """The merged materials as lines of a paper, all or those of `codes`; each says which matters it is for."""
    query = select(JointMaterial).where(JointMaterial.hall == joint.hall, JointMaterial.joint_id == joint.id)
    rows = {row.code: row for row in tx.execute(query).scalars()}
    names = {child["item"]: child["name"] for child in joint.guide["children"]}
    lines = []
    for material in joint.guide["materials"]:
        row = rows[material["code"]]
        if codes is not None and material["code"] not in codes:
            continue
        state = "not_needed" if row.state == "missing" and not (material["required"] or row.requested) else row.state
        line = {name: material[name] for name in ("name", "form", "copies")}
        items = dict.fromkeys(names[use["item"]] for use in material["serves"])
        problem = open_problem(row)
        lines.append({**line, "state": state, "problem": problem, "matter": "、".join(items)})
    return lines


def seal_problem(joint: JointCase, code: str, problem: str) -> str:
    return privacy.seal(problem, f"joint_materials.problem|{joint.hall}|{joint.id}|{code}")


def open_problem(row: JointMaterial) -> str | None:
    """What was said to be wrong with a merged material."""
    if row.problem_sealed is None:
        return None
    return privacy.open_sealed(row.problem_sealed, f"joint_materials.problem|{row.hall}|{row.joint_id}|{row.code}")


def _facts(tx: Transaction, joint: JointCase) -> dict[str, Any]:
    hall = tx.execute(select(Hall).where(Hall.code == tx.hall)).scalar_one()
    applicant, agent, codes = open_field(joint, "applicant"), open_field(joint, "agent"), open_field(joint, "codes")
    theme = joint.guide
    dates = joint.accepted_at is not None and not joint.provisional
    return {
        "hall_name": hall.name_zh,
        "hall_address": hall.address,
        "hall_phone": hall.phone,
        "case_number": joint.number,
        "query_code": codes["query_code"],
        "item_name": theme["name"],
        "departments": list(dict.fromkeys(child["department"] for child in theme["children"])),
        "applicant_name": applicant["name"],
        "applicant_id_masked": privacy.mask_id(applicant["id_number"]) if applicant.get("id_number") else None,
        "agent_name": agent["name"] if agent else None,
        "promised_limit": limit_text(theme["promised"]),
        "promised_due_on": _day(joint.promised_due_at) if dates else None,
        "statutory_limit": limit_text(theme["statutory"]),
        "statutory_due_on": _day(joint.statutory_due_at) if dates else None,
        "provisional": joint.provisional,
        "received_at": iso(joint.received_at),
        "accepted_at": iso(joint.accepted_at),
        "clerk_name": name_of(tx) or None,
        "window": joint.window,
        "legal_basis": [basis_text(basis) for basis in theme["legal_basis"]],
        "result_name": theme["result_name"],
        "qr_url": f"{current_app.extensions['settings'].public_url}/c/{codes['query_token']}",
    }


def _day(at: Any) -> str | None:
    return None if at is None else local(at).date().isoformat()
