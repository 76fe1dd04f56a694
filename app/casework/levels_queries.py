"""Reading manifests: what a hall has to send, what is on its way, what it has to take over. Nothing here writes."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from app import privacy
from app.action import Transaction
from app.casework.cases import open_field
from app.casework.joint_models import Manifest, ManifestEntry
from app.casework.models import Case
from app.casework.queries import item_view
from app.casework.rules.states import DECIDING, PICKUP, CaseState
from app.db import db
from app.errors import Refusal
from app.hall.queries import halls, halls_above
from app.notices.queries import notices_of_case
from app.now import iso

MOST = 200  # lines of a list
RECENT = timedelta(days=7)


def find_manifest(number: str) -> tuple[str, int]:
    """(hall, id) of a printed number. Refuses manifest.unknown."""
    query = select(Manifest.hall, Manifest.id).where(Manifest.number == number.strip().upper())
    row = db.session.execute(query).one_or_none()
    if row is None:
        raise Refusal("manifest.unknown")
    return row.hall, row.id


def works_with(actor_hall: str | None, hall: str, case_id: int) -> bool:
    """Whether staff of a hall (None: of the network) have to do with a case.

    That is its own hall, the one to which it went up, and the one in which its papers still lie.
    """
    if actor_hall in (None, hall):
        return True
    query = select(Case.forwarded_to, Case.handled_in).where(Case.hall == hall, Case.id == case_id)
    return actor_hall in (db.session.execute(query).one_or_none() or ())


def halls_told(hall: str, cases: Collection[str], manifests: Collection[str]) -> dict[tuple[str, str], set[str]]:
    """("case" or "manifest", number) → the other halls that have to do with it: where it went up, where papers lie or go."""
    session, told = db.session(), {}
    if cases:
        went = select(Case.number, Case.forwarded_to, Case.handled_in).where(Case.hall == hall, Case.number.in_(cases))
        for number, *others in session.execute(went.where(Case.forwarded_to.is_not(None))):
            told["case", number] = set(others) - {hall}
    if manifests:
        road = select(Manifest.number, Manifest.from_hall, Manifest.to_hall)
        for number, *ends in session.execute(road.where(Manifest.hall == hall, Manifest.number.in_(manifests))):
            told["manifest", number] = set(ends) - {hall}
    return told


def manifest_view(hall: str, manifest_id: int) -> dict[str, Any]:
    """One manifest with its cases, people masked. Refuses manifest.unknown."""
    session = db.session()
    query = select(Manifest).where(Manifest.hall == hall, Manifest.id == manifest_id)
    row = session.execute(query).scalar_one_or_none()
    if row is None:
        raise Refusal("manifest.unknown")
    return _view(session, row)


def manifest_answer(tx: Transaction, manifest: Manifest) -> dict[str, Any]:
    """What an action returns: the manifest as it will stand after the commit."""
    tx.write_record()
    tx.session.expire_all()
    return _view(tx.session, manifest)


def _view(session: Session, manifest: Manifest) -> dict[str, Any]:
    of_bundle = (ManifestEntry.hall == manifest.hall, ManifestEntry.manifest_id == manifest.id)
    same = and_(Case.hall == ManifestEntry.hall, Case.id == ManifestEntry.case_id)
    query = select(ManifestEntry, Case).join(Case, same).where(*of_bundle).order_by(Case.number)
    rows = session.execute(query).all()
    return {
        **_line(manifest, len(rows)),
        "note": _opened(manifest.note_sealed, manifest, "note"),
        "entries": [
            {
                **_case(case),
                "entry": entry.state,
                "note": _opened(entry.note_sealed, manifest, str(case.id)),
            }
            for entry, case in rows
        ],
        "notices": notices_of_case(manifest.hall, manifest.id),
    }


def _line(manifest: Manifest, cases: int) -> dict[str, Any]:
    return {
        "number": manifest.number,
        "hall": manifest.hall,
        "from_hall": manifest.from_hall,
        "to_hall": manifest.to_hall,
        "down": manifest.to_hall == manifest.hall,
        "state": manifest.state,
        "cases": cases,
        "sent_at": iso(manifest.sent_at),
        "sent_by": manifest.sent_by,
        "arrived_at": iso(manifest.arrived_at),
        "arrived_by": manifest.arrived_by,
    }


def _case(case: Case) -> dict[str, Any]:
    return {
        "number": case.number,
        "hall": case.hall,
        "item": item_view(case),
        "applicant": privacy.mask_name(open_field(case, "applicant")["name"]),
        "state": case.state,
        "forwarded_to": case.forwarded_to,
    }


def _opened(sealed: str | None, manifest: Manifest, of: str) -> str:
    if sealed is None:
        return ""
    return json.loads(privacy.open_sealed(sealed, f"manifests.{of}|{manifest.hall}|{manifest.id}"))


def manifest_desk(hall: str, at: datetime) -> dict[str, Any]:
    """A hall's papers between the levels: to send up or on, results to send down by hall, on the way, to take over, recent.

    `on`: forwarded cases of other halls that go on from here, by whose they are and where they go.
    """
    session = db.session()
    sent = Manifest.state == "sent"
    down: dict[str, list[dict[str, Any]]] = {}
    for case in _cases(session, Case.forwarded_to == hall, _is_result(hall), ~_travelled(hall)):
        down.setdefault(case["hall"], []).append(case)
    on: dict[tuple[str, str], list[dict[str, Any]]] = {}
    chain = above(hall)
    gone_up = and_(Case.forwarded_to.in_([row["code"] for row in chain]), Case.state.in_(sorted(DECIDING)))
    collected = and_(Case.state == CaseState.DRAFT, Case.joint_id.is_(None))
    lies_here = and_(Case.handled_in == hall, ~_on_the_way())
    for case in _cases(session, gone_up, lies_here, Case.hall != hall):
        on.setdefault((case["hall"], case["forwarded_to"]), []).append(case)
    return {
        "above": chain,
        "on": [{"of": of, "to_hall": to, "cases": cases} for (of, to), cases in on.items()],
        "up": _cases(session, Case.hall == hall, or_(collected, gone_up), lies_here),
        "down": down,
        "on_the_way": _manifests(session, sent, Manifest.from_hall == hall),
        "to_receive": _manifests(session, sent, Manifest.to_hall == hall),
        "recent": _manifests(
            session,
            Manifest.state == "arrived",
            Manifest.sent_at > at - RECENT,
            or_(Manifest.from_hall == hall, Manifest.to_hall == hall),
        ),
    }


def _is_result(hall: str) -> ColumnElement[bool]:
    """Whether a result may go down from this hall: it is decided, and does not lie on another hall's shelf."""
    return and_(Case.state.in_(sorted(PICKUP)), or_(Case.state != CaseState.READY, Case.handled_in == hall))


def _on_the_way() -> ColumnElement[bool]:
    same = (ManifestEntry.hall == Case.hall, ManifestEntry.case_id == Case.id)
    return exists().where(*same, ManifestEntry.state == "sent")


def _travelled(from_hall: str) -> ColumnElement[bool]:
    """Whether the papers of a case left this hall and arrived, or are on their way; what was missing may go again."""
    same = (ManifestEntry.hall == Case.hall, ManifestEntry.case_id == Case.id, ManifestEntry.state != "missing")
    bundle = (Manifest.hall == ManifestEntry.hall, Manifest.id == ManifestEntry.manifest_id)
    return exists().where(*same, *bundle, Manifest.from_hall == from_hall)


def _cases(session: Session, *conditions: ColumnElement[bool]) -> list[dict[str, Any]]:
    query = select(Case).where(*conditions).order_by(Case.id).limit(MOST)
    return [_case(case) for case in session.execute(query).scalars()]


def _manifests(session: Session, *conditions: ColumnElement[bool]) -> list[dict[str, Any]]:
    query = select(Manifest).where(*conditions).order_by(Manifest.sent_at.desc()).limit(MOST)
    rows = list(session.execute(query).scalars())
    lines = []
    for row in rows:
        of_bundle = (ManifestEntry.hall == row.hall, ManifestEntry.manifest_id == row.id)
        ids = session.execute(select(ManifestEntry.case_id).where(*of_bundle)).scalars().all()
        lines.append(_line(row, len(ids)))
    return lines


def above(hall: str) -> list[dict[str, Any]]:
    """The halls above, the nearest first."""
    known = {row["code"]: row for row in halls()}
    return [known[code] for code in halls_above(hall)]
