"""An application as it is entered, be it for one item or for a one-thing case 一件事: its number, its codes, its people."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app import privacy
from app.action import Transaction
from app.casework.cases import NO_DUE, keep_guide, next_serial, seal_field
from app.casework.parties import agent_of, applicant_of, delivery_of
from app.hall.models import Hall
from app.hall.rules.lights import Light
from app.hall.settings import keep_schedule, schedule_in


@dataclass(frozen=True, slots=True)
class Entered:
    """An application that has its number. `codes` is what the receipt prints, `columns` what its row keeps."""

    id: int
    number: str
    codes: dict[str, str]
    columns: dict[str, Any]


def enter(
    tx: Transaction,
    *,
    kind: str,
    mark: str = "",
    guide: Mapping[str, Any],
    applicant: Mapping[str, Any],
    agent: Mapping[str, Any] | None,
    delivery: Mapping[str, Any] | None,
    ticket_id: int | None,
    window: str | None,
) -> Entered:
    """Part of an action: give an application its number, the `mark` in it, and seal what people said of themselves.

    Numbers of one `kind` are counted together. Refuses case.applicant_kind and bad words.
    """
    person, helper = applicant_of(applicant), agent_of(agent) if agent else None
    sent = delivery_of(delivery) if delivery else None
    prefix = tx.execute(select(Hall.case_prefix).where(Hall.code == tx.hall)).scalar_one()
    number = f"{prefix}{mark}{tx.day:%Y%m%d}{next_serial(tx, kind):04d}"
    row = tx.new_id()
    codes = {
        "query_code": privacy.new_code(6),
        "query_token": privacy.new_token(),
        "pickup_code": f"{secrets.randbelow(10**6):06d}",
    }
    columns = {
        "hall": tx.hall,
        "id": row,
        "number": number,
        "guide_digest": keep_guide(tx, guide),
        "order_at": NO_DUE,
        "applicant_kind": person["kind"],
        "applicant_key": privacy.blind_index("id_number", person["id_number"]) if person.get("id_number") else None,
        "applicant_sealed": seal_field(tx.hall, row, "applicant", person),
        "agent_sealed": seal_field(tx.hall, row, "agent", helper) if helper else None,
        "delivery_sealed": seal_field(tx.hall, row, "delivery", sent) if sent else None,
        "ticket_id": ticket_id,
        "window": window,
        "received_by": tx.actor.id,
        "light": Light.green,
        "schedule_version": keep_schedule(tx, schedule_in(tx)),
    }
    return Entered(row, number, codes, columns | coded(tx.hall, row, number, codes))


def coded(hall: str, row: int, number: str, codes: Mapping[str, str]) -> dict[str, str]:
    """How a row keeps its codes: to compare with what is shown, and sealed for a reprint."""
    return {
        "query_hash": privacy.blind_index("query", number + codes["query_code"]),
        "query_token_hash": privacy.token_hash(codes["query_token"]),
        "pickup_hash": privacy.blind_index("pickup", number + codes["pickup_code"]),
        "codes_sealed": seal_field(hall, row, "codes", codes),
    }
