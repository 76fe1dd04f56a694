"""What cannot be swept is undone alone, on both databases: it holds up no other."""

from __future__ import annotations

from typing import Any

import pytest

from app import eventlog
from app.action import Transaction
from app.casework import delivery, review, sweeps
from app.casework.models import Case
from app.db import db
from app.events import SYSTEM
from tests.actions.conftest import Hall, alarms_of, last_paper
from tests.actions.test_intake import found, on, told
from tests.actions.test_sweeps import DAY_OFF, ring, take_off, view


def to_collect(hall: Hall) -> int:
    """A result that lies at the window, of which its applicant is to be reminded."""
    case, case_id = hall.accepted(item=found(lambda guide: len(guide["departments"]) == 1)["code"])
    hall.do(review.decide_case, hall.approver(case), case_id=case_id, outcome="granted")
    hall.do(delivery.ready_case, "pickup01", case_id=case_id)
    return case_id


def test_a_case_that_cannot_be_opened_holds_up_no_other(spring: Hall, caplog: pytest.LogCaptureFixture) -> None:
    ids = [to_collect(spring) for _ in range(2)]
    db.session.query(Case).filter_by(id=ids[0]).update({"codes_sealed": "damaged"})
    db.session.commit()
    before = alarms_of(ids[0]), told(ids[0])
    assert ring(spring, on(3, 5, 18)) == 1
    assert (alarms_of(ids[0]), told(ids[0])) == before  # it stays due, and nothing of it is half done
    assert last_paper(view(spring, ids[1]))["of"] == "collect"
    assert f"case:{ids[0]} of luolong cannot be swept" in caplog.text
    assert eventlog.verify("luolong") is None


def test_however_many_cannot_be_opened_the_others_have_their_turn(
    spring: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "RINGS", 2)
    ids = [to_collect(spring) for _ in range(4)]
    db.session.query(Case).filter(Case.id.in_(ids[:3])).update({"codes_sealed": "damaged"})
    db.session.commit()
    assert ring(spring, on(3, 5, 18)) == 1
    assert last_paper(view(spring, ids[3]))["of"] == "collect"


def test_a_case_that_cannot_be_opened_keeps_no_other_from_the_new_calendar(spring: Hall) -> None:
    (_, bad), (_, good) = spring.accepted(), spring.accepted()
    db.session.query(Case).filter_by(id=bad).update({"applicant_sealed": "damaged"})
    db.session.commit()
    take_off(spring, DAY_OFF)
    versions = {case_id: db.session.get_one(Case, ("luolong", case_id)).schedule_version for case_id in (bad, good)}
    db.session.rollback()
    moved = spring.do(sweeps.sweep_calendar, SYSTEM)
    assert moved["changed"] == 1 and not moved["more"]
    now = {case_id: db.session.get_one(Case, ("luolong", case_id)).schedule_version for case_id in (bad, good)}
    assert now[bad] == versions[bad] and now[good] != versions[good]
    db.session.rollback()
    assert eventlog.verify("luolong") is None


def test_a_light_that_cannot_be_turned_leaves_the_others(spring: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    (_, bad), (_, good) = spring.accepted(), spring.accepted()
    moves = sweeps.move_all

    def failing(tx: Transaction, cases: list[Case], why: str) -> Any:
        moves(tx, cases, why)
        return 1 // all(case.id != bad for case in cases)

    monkeypatch.setattr(sweeps, "move_all", failing)
    spring.at = on(3, 6, 9)
    assert spring.do(sweeps.sweep_lights, SYSTEM) == {"changed": 1, "more": False}
    assert [view(spring, case_id)["light"] for case_id in (bad, good)] == ["green", "amber"]
    assert eventlog.verify("luolong") is None
