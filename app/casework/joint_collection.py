"""Collecting what a one-thing case 一件事 came to: all results in one slot, given out at once against one code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.action import Transaction, action
from app.casework import joint_papers, papers
from app.casework.cases import open_field, seal_field
from app.casework.delivery import drawn_signature, free_slot, give, make_ready, matches, read_receiver
from app.casework.joint_parts import cases_of, checked, follow, load, named, write
from app.casework.joint_queries import joint_answer
from app.casework.rules.joint import JointStep
from app.casework.rules.states import PICKUP, CaseState
from app.errors import Refusal
from app.events import JointHandedOver, JointReady
from app.now import iso


@action
def ready_joint(tx: Transaction, *, joint_id: int, shelf: str = "") -> dict[str, Any]:
    """All results that were granted lie in one slot of the pickup window; one notice tells the one code.

    Refuses joint.illegal_step, auth.forbidden, joint.nothing_granted, bad words. Locks the hall. Tells CaseReady of the
    parts, JointReady, NoticeIssued.
    """
    joint = checked(tx, joint_id, JointStep.READY)
    cases = cases_of(tx.session, joint)
    granted = [case for case in cases if case.state == CaseState.GRANTED]
    if not granted:
        raise Refusal("joint.nothing_granted")
    lying = next((case.shelf for case in cases if case.state == CaseState.READY and case.shelf), None)
    slot = shelf or lying or free_slot(tx, tx.hall)
    for case in granted:
        make_ready(tx, case, slot, paper=False)
    tx.record(JointReady(**named(joint), cases=tuple(case.number for case in granted)))
    code = open_field(joint, "codes")["pickup_code"]
    told = {"pickup_code": code, "ready_at": iso(tx.at), "decided_at": iso(joint.decided_at)}
    joint_papers.issue(tx, joint, "pickup", **told, **joint_papers.only(joint, granted))
    follow(tx, joint.id)
    return joint_answer(tx, load(tx, joint_id))


@action
def hand_over_joint(
    tx: Transaction,
    *,
    joint_id: int,
    receiver: str,
    pickup_code: str | None = None,
    id_number: str | None = None,
    agent: Mapping[str, Any] | None = None,
    signature: str | None = None,
    only: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Give out at once all that is decided, against the one code or the applicant's ID, with one proof of service.

    The applicant may take what there is before the rest is decided, and choose: `only` names the cases wanted. Refuses
    joint.illegal_step, auth.forbidden, case.receiver_mismatch, case.receiver_name, case.agent_letter, case.signature,
    joint.nothing_decided, bad words. Locks the hall. Tells CaseDelivered of the parts, JointHandedOver, NoticeIssued.
    """
    joint = checked(tx, joint_id, JointStep.HAND_OVER)
    if not matches(joint, pickup_code, id_number):
        raise Refusal("case.receiver_mismatch")
    who = read_receiver(joint, receiver, agent)
    decided = [case for case in cases_of(tx.session, joint) if case.state in PICKUP]
    chosen = [case for case in decided if only is None or case.number in only]
    if not chosen or (only is not None and {case.number for case in chosen} != set(only)):
        raise Refusal("joint.nothing_decided")
    served = [document for case in chosen for document in papers.documents(tx, case)]
    for case in chosen:
        give(tx, case, who, signature=signature, paper=False)
    write(tx, joint, receiver_sealed=seal_field(tx.hall, joint.id, "receiver", who))
    tx.record(JointHandedOver(**named(joint), cases=tuple(case.number for case in chosen)))
    proof = {"documents": served, "mode": "direct", "recipient": who["receiver"], "served_at": iso(tx.at)}
    proof |= {"recipient_relation": who.get("relation"), "signature": drawn_signature(signature)}
    joint_papers.issue(tx, joint, "service", server_name=papers.name_of(tx) or None, **proof)
    follow(tx, joint.id)
    return joint_answer(tx, load(tx, joint_id))
