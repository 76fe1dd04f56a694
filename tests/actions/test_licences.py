"""Sharing: an e-licence takes a paper's place only when it is the applicant's own and holds; our results become one."""

from __future__ import annotations

import json
from datetime import date

import pytest
from sqlalchemy import select

from app import privacy
from app.casework import licences
from app.casework.licence_models import ELicence
from app.casework.licences import store_licences, use_store
from app.casework.models import CaseMaterial
from app.casework.queries import case_view
from app.casework.recall import applicant_again, recall_applicant
from app.casework.review import decide_case, revoke_case
from app.casework.rules.licences import Licence
from app.casework.sharing import share_material
from app.casework.supplement import request_supplement
from app.catalog.queries import item as guide_of
from app.catalog.queries import search_items
from app.db import db
from app.errors import Refusal
from app.eventlog import read
from app.events import SYSTEM, encode
from tests.actions.conftest import ID, Hall

RENEWAL = "食品经营许可延续"


@pytest.fixture
def sharable(hall: Hall) -> dict:
    """The permit that a renewal asks for."""
    code = search_items(RENEWAL)["items"][0]["code"]
    return next(m for m in guide_of(code)["materials"] if m["sharable"])


def licence(hall: Hall, title: str = "食品经营许可证", until: str | None = None, holder: str = ID) -> None:
    row = {"id_number": holder, "title": title, "number": "91410311MA0001", "issuer": "区市场监督管理局"}
    days = {"issued_on": "2019-04-18", "valid_until": until}
    hall.do(store_licences, SYSTEM, licences=[{**row, **days}])


def missing(hall: Hall, material: dict) -> int:
    return hall.receive(RENEWAL, states={material["code"]: "missing"})[1]


# ── refusals first ──────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_shared_that_the_store_does_not_know(hall: Hall, sharable: dict) -> None:
    case_id = missing(hall, sharable)
    licence(hall, holder="511602199001011234")  # somebody else's
    licence(hall, title="食品生产许可证")
    with pytest.raises(Refusal, match="licence.none") as refused:
        hall.do(share_material, "clerk01", case_id=case_id, code=sharable["code"])
    assert sharable["name"] in refused.value.sentence("zh") and sharable["name_en"] in refused.value.sentence("en")
    with pytest.raises(Refusal, match="case.material_unknown"):
        hall.do(share_material, "clerk01", case_id=case_id, code="M99")


def test_an_expired_licence_is_refused_with_its_last_day(hall: Hall, sharable: dict) -> None:
    licence(hall, until="2026-12-31")
    case_id = missing(hall, sharable)
    with pytest.raises(Refusal, match="licence.expired") as refused:
        hall.do(share_material, "clerk01", case_id=case_id, code=sharable["code"])
    assert "2026-12-31" in refused.value.sentence("zh") and "expired" in refused.value.sentence("en")
    with pytest.raises(Refusal, match="licence.expired"):  # also when the clerk only says so at receipt
        hall.receive(RENEWAL, states={sharable["code"]: "shared"})


def test_only_the_window_shares_and_only_sharable_papers(hall: Hall, sharable: dict) -> None:
    licence(hall)
    case_id = missing(hall, sharable)
    with pytest.raises(Refusal, match="auth.forbidden"):
        hall.do(share_material, "approver01", case_id=case_id, code=sharable["code"])
    plain = next(
        m["code"] for m in guide_of(search_items(RENEWAL)["items"][0]["code"])["materials"] if not m["sharable"]
    )
    with pytest.raises(Refusal, match="case.not_sharable"):
        hall.do(share_material, "clerk01", case_id=case_id, code=plain)


def test_licences_are_entered_all_or_none(hall: Hall) -> None:
    good = {"id_number": ID, "title": "居住证", "number": "1", "issuer": "公安", "issued_on": "2020-01-01"}
    with pytest.raises(Refusal, match="request.invalid"):
        hall.do(store_licences, SYSTEM, licences=[good, {**good, "issued_on": "yesterday"}])
    assert db.session.execute(select(ELicence).where(ELicence.title == "居住证")).all() == []


# ── what is shared ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_licence_that_holds_takes_the_papers_place_and_is_frozen(hall: Hall, sharable: dict) -> None:
    licence(hall, until="2027-01-04")  # through the very day
    case_id = missing(hall, sharable)
    view = hall.do(share_material, "clerk01", case_id=case_id, code=sharable["code"])
    row = next(m for m in view["materials"] if m["code"] == sharable["code"])
    assert row["state"] == "shared"
    assert row["licences"] == [
        {
            "title": "食品经营许可证",
            "number": "9" + "*" * 12 + "1",
            "issuer": "区市场监督管理局",
            "issued_on": "2019-04-18",
            "valid_until": "2027-01-04",
        }
    ]
    kept = db.session.execute(select(CaseMaterial).where(CaseMaterial.case_id == case_id)).scalars()
    assert all("91410311MA0001" not in (each.shared_sealed or "") for each in kept)
    licence(hall, until="2030-01-01")  # a newer one changes nothing in the case
    again = next(m for m in case_view("luolong", case_id, hall.at)["materials"] if m["code"] == sharable["code"])
    assert again["licences"] == row["licences"]
    kinds = [each["kind"] for each in view["history"]]
    assert "case.material_shared" in kinds
    recorded = json.dumps([encode(each.event) for each in read("luolong", 0, 10_000)])
    assert "91410311MA0001" not in recorded and ID not in recorded


def test_sharing_the_last_missing_paper_of_a_notice_accepts_the_case(hall: Hall, sharable: dict) -> None:
    case_id = missing(hall, sharable)
    hall.do(request_supplement, "clerk01", case_id=case_id, items=[{"code": sharable["code"]}])
    licence(hall)
    assert (
        hall.later(hours=1).do(share_material, "clerk01", case_id=case_id, code=sharable["code"])["state"] == "accepted"
    )


def test_at_receipt_the_licence_backs_the_clerks_word_where_there_is_one(hall: Hall, sharable: dict) -> None:
    case, case_id = hall.receive(RENEWAL, states={sharable["code"]: "shared"})
    row = next(m for m in case["materials"] if m["code"] == sharable["code"])
    assert (row["state"], row["licences"]) == ("shared", [])  # the contract: shared by other means
    licence(hall)
    case, _ = hall.receive(RENEWAL, states={sharable["code"]: "shared"})
    row = next(m for m in case["materials"] if m["code"] == sharable["code"])
    assert row["licences"][0]["title"] == "食品经营许可证"


def test_a_granted_licence_is_an_e_licence_for_the_next_case_until_it_is_revoked(hall: Hall, sharable: dict) -> None:
    case, case_id = hall.accepted(RENEWAL)
    approver = hall.approver(case)
    assert case["result"]["kind"] == "licence"
    hall.do(decide_case, approver, case_id=case_id, outcome="granted")
    stored = db.session.execute(select(ELicence).where(ELicence.case_id == case_id)).scalar_one()
    assert (stored.title, stored.issued_on, stored.revoked_on) == ("食品经营许可证", hall.at.date(), None)
    _, next_id = hall.receive(RENEWAL, states={sharable["code"]: "missing"})
    _, other_id = hall.receive(RENEWAL, states={sharable["code"]: "missing"})
    view = hall.do(share_material, "clerk01", case_id=other_id, code=sharable["code"])
    assert view["materials"][1]["licences"][0]["number"] == privacy.mask_id(case["acceptance_number"])
    hall.do(revoke_case, approver, case_id=case_id, reason="以欺骗手段取得", basis="行政许可法第六十九条")
    with pytest.raises(Refusal, match="licence.revoked"):
        hall.do(share_material, "clerk01", case_id=next_id, code=sharable["code"])


def test_another_store_may_be_brought(hall: Hall, sharable: dict) -> None:
    asked = []

    class Province:
        def find(self, title: str, id_number: str, on: date) -> Licence | None:
            asked.append((title, id_number, on))
            return Licence(title, "P-7", "省电子证照库", date(2024, 5, 1), None)

    before = licences._store
    use_store(Province())
    try:
        case_id = missing(hall, sharable)
        view = hall.do(share_material, "clerk01", case_id=case_id, code=sharable["code"])
    finally:
        use_store(before)
    assert asked == [("食品经营许可证", ID, hall.at.date())] * 2  # looked up, then frozen
    assert (
        next(m for m in view["materials"] if m["code"] == sharable["code"])["licences"][0]["issuer"] == "省电子证照库"
    )


# ── knowing an applicant again ──────────────────────────────────────────────────────────────────────────────────


def test_an_applicant_is_known_by_the_full_number_masked_and_written_down(hall: Hall) -> None:
    _, case_id = hall.receive()
    answer = hall.do(recall_applicant, "clerk02", id_number=" 4103 0519 9001 0100 11 ")
    assert answer == {
        "found": True,
        "case_id": case_id,
        "kind": "person",
        "name": "张*丰",
        "id_number": "4" + "*" * 16 + "1",
        "phone": "138****1234",
    }
    assert applicant_again("luolong", case_id)["name"] == "张三丰"
    for part in (ID[:17], ID[1:], "410305199001010012"):
        assert hall.do(recall_applicant, "clerk02", id_number=part) == {"found": False}
    looks = [each.event.case for each in read("luolong", 0, 10_000) if each.event.kind == "field.recalled"]
    assert looks == [case_id, None, None, None]
    with pytest.raises(Refusal, match="person.bad_id"):
        hall.do(recall_applicant, "clerk02", id_number="?")


def test_another_halls_applicants_are_not_known(hall: Hall) -> None:
    _, case_id = hall.receive()
    assert hall.do(recall_applicant, "clerk21", hall="lilou", id_number=ID) == {"found": False}
    with pytest.raises(Refusal, match="case.unknown"):
        applicant_again("lilou", case_id)
    with pytest.raises(Refusal, match="auth.foreign_hall"):
        hall.do(recall_applicant, "clerk21", id_number=ID)
