"""E-licences 电子证照: the store that a sharable material is looked up in, and our own results, which go into it.

`LicenceStore` is the adapter: a hall with access to a provincial store brings its own with `use_store`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, Protocol

from sqlalchemy import insert, select, update

from app import privacy
from app.action import Transaction, action
from app.casework.cases import open_field, said
from app.casework.licence_models import ELicence
from app.casework.models import Case, CaseMaterial
from app.casework.rules.licences import Found, Licence, Validity, title_of, wanted, weigh
from app.catalog.rules.guide import ResultKind
from app.db import db
from app.errors import Refusal
from app.events import LicenceStored, MaterialShared
from app.words import clean, clean_id_number


class LicenceStore(Protocol):
    """Where e-licences are found. It is asked under the hall's lock: a distant one answers from a copy that it keeps near."""

    def find(self, title: str, id_number: str, on: date) -> Licence | None:
        """The holder's licence of this title, the one that holds on the day `on` before all others; None when unknown."""


class LocalStore:
    """The store in our own database: what was entered, and the licences that our halls have issued."""

    def find(self, title: str, id_number: str, on: date) -> Licence | None:
        holder = privacy.blind_index("id_number", id_number)
        query = select(ELicence).where(ELicence.holder_key == holder, ELicence.title == title)
        known = [_opened(row) for row in db.session.execute(query).scalars()]
        return max(known, key=lambda one: (one.validity(on) is Validity.VALID, one.issued_on), default=None)


_store: LicenceStore = LocalStore()


def use_store(store: LicenceStore) -> None:
    """Set the process's store, once, when the app is made."""
    global _store
    _store = store


def look_up(material: Mapping[str, Any], holder: str, id_number: str, on: date) -> Found:
    """What the store has for a sharable material of a `holder` (person or organisation). Writes nothing."""
    want = wanted(material["name"], holder)
    if not material["sharable"] or not want.titles:
        return Found((), None)
    return weigh(want, {title: _store.find(title, id_number, on) for title in want.titles}, on)


def back(tx: Transaction, case: Case, codes: Collection[str]) -> None:
    """Part of an action: freeze the licence that stands behind each material now marked shared.

    Where the store knows no such licence, the clerk's word stands, as for data shared by other means. Refuses
    licence.expired, licence.revoked. Tells MaterialShared.
    """
    id_number = open_field(case, "applicant").get("id_number")
    if not id_number or not codes:
        return
    for material in case.guide["materials"]:
        if material["code"] not in codes:
            continue
        found = look_up(material, case.applicant_kind, id_number, tx.day)
        if found.validity is None:
            continue
        refuse_worthless(material, found)
        told = [_plain(licence) for licence in found.licences]
        sealed = privacy.seal(json.dumps(told, ensure_ascii=False), _shared(case.hall, case.id, material["code"]))
        one = (CaseMaterial.hall == tx.hall, CaseMaterial.case_id == case.id, CaseMaterial.code == material["code"])
        tx.execute(update(CaseMaterial).where(*one).values(shared_sealed=sealed))
        tx.record(MaterialShared(**said(case), material=material["code"]))
    tx.session.expire_all()


def refuse_worthless(material: Mapping[str, Any], found: Found) -> None:
    """Refuses licence.expired, licence.revoked: the store knows the licence, and it holds no longer."""
    if found.validity is Validity.EXPIRED:
        until = found.licences[0].valid_until
        raise Refusal("licence.expired", **names_of(material), day=until.isoformat() if until else "")
    if found.validity is Validity.REVOKED:
        raise Refusal("licence.revoked", **names_of(material))


def names_of(material: Mapping[str, Any]) -> dict[str, str]:
    """A material as a refusal names it, in either language."""
    return {"name": material["name"], "name_en": material.get("name_en") or material["name"]}


def shared_with(row: CaseMaterial) -> list[dict[str, Any]]:
    """The licences that were frozen into a case's material: title, number, issuer, valid_until."""
    if row.shared_sealed is None:
        return []
    return json.loads(privacy.open_sealed(row.shared_sealed, _shared(row.hall, row.case_id, row.code)))


def keep_result(tx: Transaction, case: Case) -> None:
    """Part of an action: a licence that was granted is an e-licence from today on. Nothing for other results.

    Tells LicenceStored.
    """
    if case.guide["result_kind"] != ResultKind.LICENCE or case.applicant_key is None:
        return
    given = {
        "title": title_of(case.guide["result_name"], case.applicant_kind),
        "number": case.acceptance_number or case.number,
        "issuer": case.guide["department"],
        "issued_on": tx.day,
        "valid_until": None,
    }
    _store_one(tx, case.applicant_key, given, case.id)


def drop_result(tx: Transaction, case: Case) -> None:
    """Part of an action: the case's licence was revoked with its decision and stands for nothing any more."""
    mine = (ELicence.hall == tx.hall, ELicence.case_id == case.id, ELicence.revoked_on.is_(None))
    tx.execute(update(ELicence).where(*mine).values(revoked_on=tx.day))


@action
def store_licences(tx: Transaction, *, licences: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Enter e-licences: {id_number, kind, title, number, issuer, issued_on, valid_until}, days as YYYY-MM-DD.

    Refuses person.bad_id, request.invalid and bad words, then enters none. Locks the hall. Tells LicenceStored.
    """
    for given in licences:
        try:
            issued, until = date.fromisoformat(given["issued_on"]), given.get("valid_until")
            last = date.fromisoformat(until) if until else None
        except (KeyError, TypeError, ValueError):
            raise Refusal("request.invalid", detail="issued_on, valid_until: YYYY-MM-DD") from None
        row = {
            "title": title_of(clean(str(given.get("title") or ""), "title"), str(given.get("kind") or "person")),
            "number": clean(str(given.get("number") or ""), "number"),
            "issuer": clean(str(given.get("issuer") or ""), "issuer"),
            "issued_on": issued,
            "valid_until": last,
        }
        _store_one(tx, privacy.blind_index("id_number", clean_id_number(str(given.get("id_number") or ""))), row)
    return {"stored": len(licences)}


def _store_one(tx: Transaction, holder_key: str, given: Mapping[str, Any], case_id: int | None = None) -> None:
    licence_id = tx.new_id()
    sealed = privacy.seal(given["number"], _number(tx.hall, licence_id))
    row = {name: given[name] for name in ("title", "issuer", "issued_on", "valid_until")}
    own = {"hall": tx.hall, "id": licence_id, "holder_key": holder_key, "number_sealed": sealed, "case_id": case_id}
    tx.execute(insert(ELicence), {**row, **own, "revoked_on": None})
    tx.record(LicenceStored(licence=licence_id, title=given["title"], case=case_id))


def _opened(row: ELicence) -> Licence:
    number = privacy.open_sealed(row.number_sealed, _number(row.hall, row.id))
    return Licence(row.title, number, row.issuer, row.issued_on, row.valid_until, row.revoked_on)


def _plain(licence: Licence) -> dict[str, Any]:
    return {
        "title": licence.title,
        "number": licence.number,
        "issuer": licence.issuer,
        "issued_on": licence.issued_on.isoformat(),
        "valid_until": licence.valid_until.isoformat() if licence.valid_until else None,
    }


def _number(hall: str, licence_id: int) -> str:
    return f"e_licences.number|{hall}|{licence_id}"


def _shared(hall: str, case_id: int, code: str) -> str:
    return f"case_materials.shared|{hall}|{case_id}|{code}"
