"""Actions between the levels of the network: a point below collects 代收, papers travel with a manifest 物料流转 (C12)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import current_app
from sqlalchemy import insert, select, update

from app import privacy
from app.action import Transaction, action, visiting_action
from app.casework import papers
from app.casework.cases import change, lacking_papers, load, next_serial, open_field
from app.casework.delivery import make_ready
from app.casework.intake import accept, register, take_in
from app.casework.joint_models import Manifest, ManifestEntry
from app.casework.levels_queries import manifest_answer
from app.casework.models import Case
from app.casework.pre_review import await_sending_up, end_pre_review
from app.casework.queries import case_answer
from app.casework.rules.states import DECIDING, PICKUP, CaseState
from app.errors import Refusal
from app.events import ManifestArrived, ManifestSent
from app.hall.models import Hall
from app.hall.queries import halls_above
from app.notices.issue import issue_notice
from app.now import iso
from app.people.permissions import Permission
from app.words import clean

HERE = "received"  # of a material that lies in the bundle
SHELVED = frozenset({CaseState.GRANTED, CaseState.READY})  # there is a result that goes on a shelf


@action
def collect_case(
    tx: Transaction,
    *,
    item: str,
    applicant: Mapping[str, Any],
    materials: Sequence[Mapping[str, Any]],
    agent: Mapping[str, Any] | None = None,
    delivery: Mapping[str, Any] | None = None,
    ticket_id: int | None = None,
    window: str | None = None,
) -> dict[str, Any]:
    """Collect papers 代收 for the hall above, which receives them when they arrive; no time runs until then.

    The applicant leaves with the number and a slip that lists what was given. Refuses manifest.to_hall (no hall above),
    item.unknown, case.applicant_kind, case.material_unknown and bad words. Locks the hall. Tells CaseCollected,
    NoticeIssued.
    """
    above = halls_above(tx.hall, tx.session)
    if not above:
        raise Refusal("manifest.to_hall")
    given = {"item": item, "applicant": applicant, "materials": materials, "agent": agent, "delivery": delivery}
    case = take_in(tx, **given, ticket_id=ticket_id, window=window, collected=True)
    names = _names(tx, {tx.hall, above[0]})
    papers.issue(
        tx,
        case,
        "manifest",
        from_name=open_field(case, "applicant")["name"],
        to_name=names[tx.hall],
        entries=_papers(tx, case) or [{"name": "（无纸质材料）", "case_number": case.number}],
        purpose=f"代收申请材料，转送{names[above[0]]}；自材料送达之日起收件。查询码 {open_field(case, 'codes')['query_code']}",
        handed_over_at=iso(tx.at),
        taken_over_by=papers.name_of(tx) or None,
    )
    return case_answer(tx, case) | open_field(case, "codes")


@visiting_action
def send_manifest(
    tx: Transaction, *, case_ids: Sequence[int], to_hall: str | None = None, note: str = ""
) -> dict[str, Any]:
    """Bundle the papers of cases of this hall and send them on with a manifest, which prints its QR code.

    Up, by this hall: what it collected, and forwarded cases. On, by a hall to which they came: what it has forwarded to
    one above itself, `to_hall`. Down, by the hall to which the cases went: their results, to be issued here. Refuses manifest.empty, manifest.to_hall, case.unknown, manifest.not_sendable,
    manifest.on_its_way, auth.forbidden, auth.foreign_hall and bad words. What lay on a shelf leaves its slot. Locks the
    hall whose cases they are. Tells ManifestSent, NoticeIssued.
    """
    if not (tx.actor.may(Permission.CASE_ACCEPT) or tx.actor.may(Permission.CASE_HAND_OVER)):
        raise Refusal("auth.forbidden")
    if not case_ids:
        raise Refusal("manifest.empty")
    here = tx.actor.hall or tx.hall
    down = here != tx.hall and to_hall is None
    above = halls_above(tx.hall if down else here, tx.session)
    upper = here if down else to_hall or next(iter(above), "")
    if upper not in above:
        raise Refusal("auth.foreign_hall" if down else "manifest.to_hall")
    cases = [load(tx, case_id) for case_id in dict.fromkeys(case_ids)]
    for case in cases:
        _refuse_unfit(tx, case, upper, here, down=down)
    from_hall, to = here, tx.hall if down else upper
    prefix = tx.execute(select(Hall.case_prefix).where(Hall.code == tx.hall)).scalar_one()
    number = f"{prefix}JJ{tx.day:%Y%m%d}{next_serial(tx, 'manifest'):04d}"
    manifest_id = tx.new_id()
    words = clean(note, "note", limit=200, lines=True, empty=True)
    manifest = Manifest(
        hall=tx.hall,
        id=manifest_id,
        number=number,
        from_hall=from_hall,
        to_hall=to,
        state="sent",
        sent_by=tx.actor.name,
        sent_at=tx.at,
        note_sealed=seal_note(tx.hall, manifest_id, "note", words),
    )
    tx.session.add(manifest)
    tx.session.flush()
    rows = [{"hall": tx.hall, "manifest_id": manifest_id, "case_id": case.id, "state": "sent"} for case in cases]
    tx.execute(insert(ManifestEntry), rows)
    for case in cases:
        if down:
            change(tx, case, shelf=None)
        else:
            end_pre_review(tx, case)
    numbers = tuple(case.number for case in cases)
    tx.record(ManifestSent(manifest=manifest_id, number=number, from_hall=from_hall, to_hall=to, cases=numbers))
    entries = [line for case in cases for line in (_results(tx, case) if down else _papers(tx, case))]
    _issue(tx, manifest, entries, "发还办理结果，由接收方发放" if down else "移送申请材料", words)
    return manifest_answer(tx, manifest)


def _refuse_unfit(tx: Transaction, case: Case, upper: str, here: str, *, down: bool) -> None:
    """Refuses a case whose papers or result do not go from `here`, up to `upper` or down from it."""
    if (down and case.forwarded_to != upper) or (not down and here not in (tx.hall, case.handled_in)):
        raise Refusal("auth.foreign_hall")
    collected = case.state == CaseState.DRAFT and case.joint_id is None and here == tx.hall
    forwarded = case.state in DECIDING and case.forwarded_to == upper and case.handled_in == here
    result = case.state in PICKUP and (case.state != CaseState.READY or case.handled_in == upper)
    if not (result if down else collected or forwarded):
        raise Refusal("manifest.not_sendable", number=case.number)
    one = (ManifestEntry.hall == tx.hall, ManifestEntry.case_id == case.id, ManifestEntry.state == "sent")
    if tx.execute(select(ManifestEntry.case_id).where(*one)).first():
        raise Refusal("manifest.on_its_way", number=case.number)


@visiting_action
def arrive_manifest(
    tx: Transaction,
    *,
    manifest_id: int,
    missing: Sequence[str] = (),
    notes: Mapping[str, str] | None = None,
    accept_complete: bool = True,
    shelf: str = "",
) -> dict[str, Any]:
    """Take the bundle over at the hall to which it is addressed; `missing` names the cases whose papers are not in it.

    Collected cases are received as of now: their receipt is issued, and with `accept_complete` those whose papers are
    all here are accepted at once. From now on this hall handles what arrived; results that came down lie ready at its
    window, if the actor hands out. What is missing stays where it was and can be sent again. `notes` (case number →
    what was found) stay with the entries. Refuses manifest.unknown, manifest.arrived, manifest.not_in_it (a number that
    is not of this bundle), auth.foreign_hall, auth.forbidden and bad words. Locks the hall whose cases they are. Tells
    ManifestArrived, CaseReceived, CaseAccepted, CaseReady, NoticeIssued.
    """
    manifest = _load(tx, manifest_id)
    if tx.actor.hall not in (None, manifest.to_hall):
        raise Refusal("auth.foreign_hall")
    if not (tx.actor.may(Permission.CASE_ACCEPT) or tx.actor.may(Permission.CASE_HAND_OVER)):
        raise Refusal("auth.forbidden")
    if manifest.state != "sent":
        raise Refusal("manifest.arrived", number=manifest.number)
    of_bundle = (ManifestEntry.hall == tx.hall, ManifestEntry.manifest_id == manifest.id)
    ids = list(tx.execute(select(ManifestEntry.case_id).where(*of_bundle).order_by(ManifestEntry.case_id)).scalars())
    cases = [load(tx, case_id) for case_id in ids]
    strange = {*missing, *(notes or {})} - {case.number for case in cases}
    if strange:
        raise Refusal("manifest.not_in_it", number=manifest.number, case=min(strange))
    here = [case for case in cases if case.number not in set(missing)]
    for case in cases:
        found = clean(str((notes or {}).get(case.number) or ""), "note", limit=200, lines=True, empty=True)
        tx.execute(
            update(ManifestEntry)
            .where(*of_bundle, ManifestEntry.case_id == case.id)
            .values(
                state="arrived" if case in here else "missing",
                note_sealed=seal_note(tx.hall, manifest.id, str(case.id), found),
            )
        )
    manifest.state, manifest.arrived_at, manifest.arrived_by = "arrived", tx.at, tx.actor.name
    tx.session.flush()
    halls = {"from_hall": manifest.from_hall, "to_hall": manifest.to_hall}
    lists = {
        "cases": tuple(case.number for case in here),
        "missing": tuple(case.number for case in cases if case not in here),
    }
    tx.record(ManifestArrived(manifest=manifest.id, number=manifest.number, **halls, **lists))
    for case in cases:
        if case not in here:  # it is the sender's still
            await_sending_up(tx, case)
    for case in here:
        _take_over(tx, manifest, case, accept_complete=accept_complete, shelf=shelf)
    return manifest_answer(tx, _load(tx, manifest_id))


def _take_over(tx: Transaction, manifest: Manifest, case: Case, *, accept_complete: bool, shelf: str) -> None:
    """What the arrival of its papers means for one case."""
    if case.state == CaseState.DRAFT:
        if not tx.actor.may(Permission.CASE_ACCEPT):
            raise Refusal("auth.forbidden")
        change(tx, case, forwarded_to=manifest.to_hall, handled_in=manifest.to_hall)
        register(tx, case)
        papers.issue(tx, case, "receipt")
        if accept_complete and not lacking_papers(tx, case):
            accept(tx, case)
    elif manifest.to_hall == tx.hall and case.state in SHELVED and tx.actor.may(Permission.CASE_HAND_OVER):
        make_ready(tx, case, shelf, place=tx.hall)
    elif manifest.to_hall in (tx.hall, case.forwarded_to):  # else it was called back while its papers travelled
        change(tx, case, handled_in=manifest.to_hall)


def _load(tx: Transaction, manifest_id: int) -> Manifest:
    query = select(Manifest).where(Manifest.hall == tx.hall, Manifest.id == manifest_id)
    row = tx.execute(query).scalar_one_or_none()
    if row is None:
        raise Refusal("manifest.unknown")
    return row


def _names(tx: Transaction, codes: set[str]) -> dict[str, str]:
    return dict(tx.execute(select(Hall.code, Hall.name_zh).where(Hall.code.in_(codes))).all())


def _hall_facts(tx: Transaction, code: str) -> dict[str, Any]:
    """Which hall a paper speaks for."""
    hall = tx.execute(select(Hall).where(Hall.code == code)).scalar_one()
    return {"hall_name": hall.name_zh, "hall_address": hall.address, "hall_phone": hall.phone}


def _papers(tx: Transaction, case: Case) -> list[dict[str, Any]]:
    """The materials of a case that lie in the bundle."""
    lines = [line for line in papers.materials(tx, case) if line["state"] == HERE]
    return [
        {"name": line["name"], "case_number": case.number, "form": line["form"], "copies": line["copies"]}
        for line in lines
    ] or [{"name": f"{case.guide['name']}（无纸质材料）", "case_number": case.number}]


def _results(tx: Transaction, case: Case) -> list[dict[str, Any]]:
    """What a decided case puts into the bundle."""
    return [
        {"name": document["name"], "case_number": case.number, "copies": document["copies"]}
        for document in papers.documents(tx, case)
    ]


def _issue(tx: Transaction, manifest: Manifest, entries: list[dict[str, Any]], purpose: str, note: str) -> None:
    names = _names(tx, {manifest.from_hall, manifest.to_hall})
    facts = {
        **_hall_facts(tx, manifest.from_hall),
        "from_name": names[manifest.from_hall],
        "to_name": names[manifest.to_hall],
        "entries": entries,
        "purpose": f"{purpose}（交接单号 {manifest.number}）" + (f"；{note}" if note else ""),
        "handed_over_at": iso(manifest.sent_at),
        "handed_over_by": papers.name_of(tx),
        "qr_url": f"{current_app.extensions['settings'].public_url}/manifests/{manifest.number}",
    }
    told = {key: value for key, value in facts.items() if value not in (None, "")}
    issue_notice(tx, kind="manifest", facts=told, case_id=manifest.id)


def seal_note(hall: str, manifest_id: int, of: str, words: str) -> str | None:
    """What was written about a bundle (`of` note) or one of its cases (`of` its id); None for nothing."""
    if not words:
        return None
    return privacy.seal(json.dumps(words, ensure_ascii=False), f"manifests.{of}|{hall}|{manifest_id}")
