"""Signals and urgings, on both databases; what is refused comes first."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app import eventlog
from app.casework import intake, oversight, review, special, sweeps, watch
from app.casework.models import Case, CaseAlarm, CaseSignal
from app.casework.queries import case_view
from app.casework.rules.alarms import Alarm
from app.db import HallHead, db
from app.errors import Refusal
from app.events import SYSTEM
from app.hall.queries import schedule
from app.hall.settings import add_exception, amend_calendar, set_hours
from app.now import SHANGHAI
from tests.actions.conftest import Hall, alarms_of
from tests.actions.test_review import with_departments
from tests.actions.test_sweeps import announce


def refused(code: str) -> Any:
    return pytest.raises(Refusal, match=f"^{code}$")


@pytest.fixture
def spring(hall: Hall) -> Hall:
    """The hall on Monday 2 March 2026; the demo network was founded before."""
    db.session.query(HallHead).update({"last_at": datetime(2026, 1, 1, tzinfo=SHANGHAI)})
    db.session.commit()
    hall.at = datetime(2026, 3, 2, 10, 0, tzinfo=SHANGHAI)
    return hall


def row_of(case_id: int) -> Case:
    db.session.expire_all()
    row = db.session.get_one(Case, ("luolong", case_id))
    db.session.expunge(row)
    db.session.rollback()
    return row


def pass_limit(hall: Hall, case_id: int, clock: str = "promised") -> None:
    """Go to a second after the due instant and turn the lights."""
    hall.at = getattr(row_of(case_id), f"{clock}_due_at") + timedelta(seconds=1)
    hall.do(sweeps.sweep_lights, SYSTEM)


def tell(hall: Hall) -> int:
    return hall.do(oversight.tell_signals, SYSTEM)["told"]


def told(case_id: int) -> list[tuple[str, str]]:
    """(level, rung) of what was told, in the order of the record."""
    rows = eventlog.read_subject("luolong", f"case:{case_id}")
    db.session.rollback()
    return [(r.event.level, r.event.rung) for r in rows if r.event.kind == "case.signalled"]


# ── signals ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_light_is_told_once_in_working_hours_up_the_ladder(spring: Hall) -> None:
    _, case_id = spring.accepted()
    spring.at = row_of(case_id).next_light_at
    spring.do(sweeps.sweep_lights, SYSTEM)
    assert tell(spring) == 1 and told(case_id) == [("amber", "owner")]

    pass_limit(spring, case_id)  # the limit ends with the office: nobody is told that evening
    assert row_of(case_id).light == "yellow"
    assert tell(spring) == 0 and tell(spring.later(hours=3)) == 0
    assert tell(doors_open(spring)) == 2 and tell(spring.later(minutes=1)) == 0  # once
    assert sorted(told(case_id)[1:]) == [("yellow", "chief"), ("yellow", "owner")]
    assert tell(doors_open(spring.later(hours=12))) == 1
    assert told(case_id)[3:] == [("yellow", "supervisor")]

    pass_limit(spring, case_id, "statutory")
    assert tell(doors_open(spring)) == 3
    assert sorted(told(case_id)[4:]) == [("red", "chief"), ("red", "owner"), ("red", "supervisor")]


def test_each_special_procedure_that_overruns_is_told_and_only_while_it_lasts(spring: Hall) -> None:
    case, case_id = spring.accepted()
    approver = spring.approver(case)

    def overrun() -> list[str]:
        return [rung for level, rung in told(case_id) if level == "overrun"]

    def ring_and_tell(hall: Hall) -> list[str]:
        hall.do(sweeps.ring_alarms, SYSTEM)
        tell(hall)
        return overrun()

    spring.do(review.take_case, approver, case_id=case_id)
    spring.do(special.suspend_case, approver, case_id=case_id, ground="testing", days=1)
    assert ring_and_tell(spring.later(days=1)) == ["owner"]
    spring.do(special.resume_case, approver, case_id=case_id)
    spring.do(special.suspend_case, approver, case_id=case_id, ground="appraisal", days=3)
    assert ring_and_tell(spring.later(days=1)) == ["owner"]  # what the chief was to hear today is over
    assert ring_and_tell(spring.later(days=2)) == ["owner", "owner"]
    assert ring_and_tell(doors_open(spring.later(days=3))) == ["owner", "owner", "chief"]


def doors_open(hall: Hall) -> Hall:
    """Go on to the next instant at which the doors are open."""
    hall.at = schedule("luolong").next_open(hall.at) or hall.at
    db.session.rollback()
    return hall


def test_what_was_settled_meanwhile_is_told_to_nobody(spring: Hall) -> None:
    case, case_id = spring.accepted()
    pass_limit(spring, case_id)
    spring.do(review.decide_case, spring.approver(case), case_id=case_id, outcome="granted")
    assert tell(doors_open(spring.later(days=5))) == 0 and told(case_id) == []
    assert not db.session.execute(select(CaseSignal).where(CaseSignal.told_at.is_(None))).all()


def test_a_late_timer_does_not_wake_anybody(spring: Hall) -> None:
    _, case_id = spring.accepted()
    spring.at = row_of(case_id).next_light_at
    spring.do(sweeps.sweep_lights, SYSTEM)
    spring.at = spring.at.replace(hour=23)  # the signal was due this morning, the timer stood still all day
    assert tell(spring) == 0 and told(case_id) == []
    planned = db.session.execute(select(CaseSignal.tell_at)).scalars().all()
    assert planned == [doors_open(spring).at]


def test_a_closure_keeps_the_signals_back(spring: Hall) -> None:
    _, case_id = spring.accepted()
    at = row_of(case_id).next_light_at
    spring.do(
        add_exception,
        "admin01",
        from_at=at - timedelta(hours=1),
        to_at=at + timedelta(hours=2),
        opens=False,
        reason="停电",
    )
    spring.at = at
    spring.do(sweeps.sweep_lights, SYSTEM)
    assert tell(spring) == 0
    assert tell(spring.later(hours=2)) == 1


FRIDAY = datetime(2026, 3, 6, 18, 0, tzinfo=SHANGHAI)


def yellow_on_friday(hall: Hall) -> int:
    """A case whose promise passes when the doors shut for a weekend, and the owner's signals of before told."""
    hall.at = datetime(2026, 2, 28, 10, 0, tzinfo=SHANGHAI)
    _, case_id = hall.accepted()
    hall.at = row_of(case_id).next_light_at
    hall.do(sweeps.sweep_lights, SYSTEM)
    assert tell(hall) == 1
    hall.at = FRIDAY
    hall.do(sweeps.sweep_lights, SYSTEM)
    assert row_of(case_id).light == "yellow" and tell(hall) == 0
    return case_id


def amend(hall: Hall, day: date, kind: str) -> None:
    amend_calendar(actor=SYSTEM, at=hall.at, day=day, kind=kind, name="临时安排", notice="市政府通知")


def planned() -> dict[str, datetime]:
    """Rung → when it will be told."""
    rows = db.session.execute(select(CaseSignal.rung, CaseSignal.tell_at).where(CaseSignal.told_at.is_(None))).all()
    db.session.rollback()
    return {rung: tell_at.astimezone(SHANGHAI) for rung, tell_at in rows}


def opening(day: int) -> datetime:
    return datetime(2026, 3, day, 8, 30, tzinfo=SHANGHAI)


def test_a_day_made_a_working_one_brings_the_signals_forward(spring: Hall) -> None:
    yellow_on_friday(spring)
    assert planned() == {"owner": opening(9), "chief": opening(9), "supervisor": opening(10)}
    amend(spring, date(2026, 3, 7), "makeup")
    assert spring.do(sweeps.sweep_calendar, SYSTEM)["signals"] == 3
    assert spring.do(sweeps.sweep_calendar, SYSTEM)["signals"] == 0
    assert planned() == {"owner": opening(7), "chief": opening(7), "supervisor": opening(9)}
    spring.at = opening(7)
    assert tell(spring) == 2


def test_nobody_is_told_on_a_day_that_became_free(spring: Hall) -> None:
    case_id = yellow_on_friday(spring)
    amend(spring, date(2026, 3, 9), "off")
    spring.at = opening(9)
    assert tell(spring) == 0  # though nothing was planned anew yet
    spring.do(sweeps.sweep_calendar, SYSTEM)
    assert tell(spring) == 0
    assert planned() == {"owner": opening(10), "chief": opening(10), "supervisor": opening(11)}
    spring.at = opening(10)
    assert tell(spring) == 2 and told(case_id)[-2:] == [("yellow", "owner"), ("yellow", "chief")]


def test_a_signal_planned_with_another_calendar_waits_until_it_is_planned_anew(spring: Hall) -> None:
    yellow_on_friday(spring)
    spring.at = opening(9)
    amend(spring, date(2026, 4, 10), "off")
    assert tell(spring) == 0
    spring.do(sweeps.sweep_calendar, SYSTEM)
    assert tell(spring) == 2


def test_the_day_of_an_answer_follows_the_calendar(spring: Hall) -> None:
    _, case_id = spring.accepted()
    urged = spring.do(oversight.urge_case, "supervisor01", case_id=case_id, note="请速办")
    assert urged["urges"][0]["answer_due_at"].startswith("2026-03-03T18:00")
    spring.do(oversight.answer_urge, spring.approver(urged), case_id=case_id, answer="今日办结")
    spring.do(oversight.urge_case, "supervisor01", case_id=case_id, note="仍未办结")
    amend(spring, date(2026, 3, 3), "off")
    spring.do(sweeps.sweep_calendar, SYSTEM)
    days = [urge["answer_due_at"][:10] for urge in case_view("luolong", case_id, spring.at)["urges"]]
    assert days == ["2026-03-04", "2026-03-03"]  # what was answered keeps the day that it had
    assert alarms_of(case_id)["urge"].astimezone(SHANGHAI) == datetime(2026, 3, 4, 18, tzinfo=SHANGHAI)


def test_who_is_urged_past_the_announced_year_learns_the_day_with_the_next(spring: Hall) -> None:
    spring.at = datetime(2026, 12, 31, 10, tzinfo=SHANGHAI)
    _, case_id = spring.accepted()
    urged = spring.do(oversight.urge_case, "supervisor01", case_id=case_id, note="请速办")
    assert urged["urges"][0]["answer_due_at"] is None
    announce(spring)
    spring.do(sweeps.sweep_calendar, SYSTEM)
    assert case_view("luolong", case_id, spring.at)["urges"][0]["answer_due_at"].startswith("2027-01-04T18:00")


def test_signals_follow_new_daily_hours(spring: Hall) -> None:
    yellow_on_friday(spring)
    spring.do(set_hours, "admin01", hours="10:00-16:00", from_on=date(2026, 3, 9))
    spring.do(sweeps.sweep_calendar, SYSTEM)
    later = {rung: at.replace(hour=10, minute=0) for rung, at in planned().items()}
    assert (
        planned()
        == later
        == {
            rung: opening(day).replace(hour=10, minute=0)
            for rung, day in (("owner", 9), ("chief", 9), ("supervisor", 10))
        }
    )


def test_a_desk_sees_its_own_signals_and_what_it_opened_is_seen(spring: Hall) -> None:
    case, case_id = spring.accepted()
    owner, other = spring.staff(spring.approver(case)), spring.staff("approver01")
    assert owner.department != other.department
    spring.at = row_of(case_id).next_light_at
    spring.do(sweeps.sweep_lights, SYSTEM)
    tell(spring)
    assert watch.new_signals(owner) == 1
    assert [watch.new_signals(spring.staff(who)) for who in ("approver01", "chief01", "supervisor01", "clerk01")] == [
        0
    ] * 4
    (signal,) = watch.signals_of(owner)["new"]
    assert signal["number"] == case["number"] and signal["level"] == "amber"
    db.session.rollback()
    assert spring.do(oversight.see_signals, other, signal_ids=[signal["id"]]) == {"seen": 0}
    assert spring.do(oversight.see_signals, owner, signal_ids=[signal["id"]]) == {"seen": 1}
    assert watch.new_signals(owner) == 0 and watch.signals_of(owner)["seen"][0]["id"] == signal["id"]
    db.session.rollback()
    assert spring.do(oversight.see_signals, owner) == {"seen": 0}


# ── urging ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_may_urge_and_answer(spring: Hall) -> None:
    case, case_id = spring.accepted()
    owner = spring.approver(case)
    with refused("auth.forbidden"):
        spring.do(oversight.urge_case, owner, case_id=case_id, note="请尽快办理")
    with refused("case.reason_required"):
        spring.do(oversight.urge_case, "supervisor01", case_id=case_id, note=" \n")
    with refused("text.invalid"):
        spring.do(oversight.urge_case, "supervisor01", case_id=case_id, note="\u202e快")
    with refused("case.urge_none"):
        spring.do(oversight.answer_urge, owner, case_id=case_id, answer="正在办理")
    spring.do(oversight.urge_case, "supervisor01", case_id=case_id, note="请尽快办理")
    with refused("case.urge_open"):
        spring.do(oversight.urge_case, "supervisor01", case_id=case_id, note="再催一次")
    with refused("auth.foreign_department"):
        spring.do(oversight.answer_urge, "approver01", case_id=case_id, answer="正在办理")
    with refused("auth.forbidden"):
        spring.do(oversight.answer_urge, "supervisor01", case_id=case_id, answer="正在办理")
    with refused("case.reason_required"):
        spring.do(oversight.answer_urge, owner, case_id=case_id, answer="")
    received, received_id = spring.receive()
    with refused("case.illegal_step"):
        spring.do(oversight.urge_case, "supervisor01", case_id=received_id, note="请尽快办理")


def test_an_urging_gets_its_answer_and_both_stay_with_the_case(spring: Hall) -> None:
    case, case_id = spring.accepted()
    owner = spring.approver(case)
    department = case["departments"][0]["department"]
    view = spring.do(oversight.urge_case, "supervisor01", case_id=case_id, note="群众来电询问")
    (urge,) = view["urges"]
    assert urge["note"] == "群众来电询问" and urge["answered_at"] is None
    assert urge["answer_due_at"].startswith("2026-03-03T18:00")  # the end of the next working day
    assert [row["number"] for row in watch.open_urges(department=department)] == [case["number"]]
    assert watch.open_urges(department="不存在") == []
    alarms = select(CaseAlarm.due_at).where(CaseAlarm.case_id == case_id, CaseAlarm.kind == Alarm.URGE)
    assert db.session.execute(alarms).scalars().all() == [datetime(2026, 3, 3, 18, tzinfo=SHANGHAI)]
    db.session.rollback()
    assert tell(spring) == 1 and told(case_id) == [("urged", "owner")]

    view = spring.do(oversight.answer_urge, owner, case_id=case_id, answer="已联系企业，今日办结。")
    assert view["urges"][0]["answer"] == "已联系企业，今日办结。" and view["urges"][0]["answered_by"] == owner
    assert watch.open_urges() == [] and db.session.execute(alarms).all() == []
    db.session.rollback()
    kinds = [row["kind"] for row in view["history"]]
    assert kinds.index("case.urged") < kinds.index("case.signalled") < kinds.index("case.urge_answered")
    spoken = [r.event for r in eventlog.read_subject("luolong", f"case:{case_id}") if "urge" in r.event.kind]
    assert "群众" not in str(spoken) and "企业" not in str(spoken)  # what people wrote stays out of the record
    db.session.rollback()

    view = spring.do(oversight.urge_case, "supervisor01", case_id=case_id, note="仍未办结")
    assert [u["note"] for u in view["urges"]] == ["仍未办结", "群众来电询问"]
    assert tell(spring) == 1  # an urging is told anew


@pytest.mark.parametrize("routing", ["in_turn", "parallel"])
def test_an_urging_goes_with_the_case_to_whoever_has_it(spring: Hall, routing: str) -> None:
    case, case_id = spring.accepted(item=with_departments(routing))
    spring.do(oversight.urge_case, "supervisor01", case_id=case_id, note="请尽快办理")
    departments = [part["department"] for part in case["departments"]]
    number = case["number"]

    def listed() -> dict[str, list[str]]:
        found = {name: [row["number"] for row in watch.open_urges(department=name)] for name in departments}
        db.session.rollback()
        return found

    now = departments if routing == "parallel" else departments[:1]
    assert listed() == {name: [number] if name in now else [] for name in departments}
    assert [row["department"] for row in watch.open_urges()] == ["、".join(now)]
    db.session.rollback()
    spring.do(review.decide_case, spring.approver(case), case_id=case_id, outcome="granted")
    assert listed()[departments[0]] == [] and listed()[departments[1]] == [number]
    tell(doors_open(spring))
    urged = [
        row.event.department
        for row in eventlog.read_subject("luolong", f"case:{case_id}")
        if row.event.kind == "case.signalled" and row.event.level == "urged"
    ]
    db.session.rollback()
    assert urged == (departments if routing == "parallel" else departments[1:])  # who is done with it hears no more
    with refused("auth.foreign_department"):
        spring.do(oversight.answer_urge, spring.approver(case), case_id=case_id, answer="已审结")
    spring.do(oversight.answer_urge, spring.approver(case, 1), case_id=case_id, answer="正在办理")
    assert not any(listed().values())
    rows = eventlog.read_subject("luolong", f"case:{case_id}")
    assert [row.event.department for row in rows if "answered" in row.event.kind] == [departments[1]]
    db.session.rollback()


def test_whoever_gets_a_case_that_is_late_already_hears_of_it(spring: Hall) -> None:
    case, case_id = spring.accepted(item=with_departments("in_turn"))
    pass_limit(spring, case_id)
    tell(doors_open(spring))
    first, second = spring.approver(case), spring.approver(case, 1)

    def heard(name: str) -> list[str]:
        levels = [signal["level"] for signal in watch.signals_of(spring.staff(name))["new"]]
        db.session.rollback()
        return levels

    assert heard(second) == [] and "yellow" in heard(first)
    spring.do(review.decide_case, first, case_id=case_id, outcome="granted")
    spring.later(minutes=5)
    tell(spring)
    assert heard(second) == ["yellow"]
    assert [rung for level, rung in told(case_id) if level == "yellow"] == ["owner", "chief", "owner"]


def test_an_urging_without_an_answer_goes_to_the_chief(spring: Hall) -> None:
    _, case_id = spring.accepted()
    spring.do(oversight.urge_case, "supervisor01", case_id=case_id, note="请答复")
    assert tell(spring) == 1
    spring.at = datetime(2026, 3, 3, 17, 59, tzinfo=SHANGHAI)
    spring.do(sweeps.ring_alarms, SYSTEM)
    assert tell(spring) == 0 and watch.new_signals(spring.staff("chief01")) == 0
    spring.at = datetime(2026, 3, 3, 18, 0, tzinfo=SHANGHAI)
    spring.do(sweeps.ring_alarms, SYSTEM)
    assert tell(doors_open(spring)) >= 1
    assert ("unanswered", "chief") in told(case_id) and watch.new_signals(spring.staff("chief01")) == 1
    db.session.rollback()


@pytest.mark.parametrize("ends", ["granted", "withdrawn"])
def test_whoever_was_urged_owes_the_answer_whatever_becomes_of_the_case(spring: Hall, ends: str) -> None:
    case, case_id = spring.accepted()
    owner = spring.approver(case)
    spring.do(oversight.urge_case, "supervisor01", case_id=case_id, note="请速办")
    later, later_id = spring.later(hours=1).accepted()
    spring.do(oversight.urge_case, "supervisor01", case_id=later_id, note="也请速办")
    if ends == "granted":
        spring.do(review.decide_case, owner, case_id=case_id, outcome="granted")
    else:
        spring.do(intake.withdraw_case, "clerk01", case_id=case_id)
    assert "answer-urge" in case_view("luolong", case_id, spring.at)["steps"]
    assert [row["number"] for row in watch.open_urges(hall="luolong")] == [case["number"], later["number"]]
    db.session.rollback()
    spring.at = datetime(2026, 3, 3, 18, 0, tzinfo=SHANGHAI)
    spring.do(sweeps.ring_alarms, SYSTEM)
    tell(doors_open(spring))
    assert ("urged", "owner") in told(case_id) and ("unanswered", "chief") in told(case_id)
    numbers = [row["number"] for row in watch.signals_of(spring.staff("chief01"))["new"]]
    assert sorted(numbers) == [case["number"], later["number"]]
    db.session.rollback()

    view = spring.do(oversight.answer_urge, owner, case_id=case_id, answer="已经办完，此前等省厅核验。")
    assert view["urges"][0]["answered_by"] == owner and "answer-urge" not in view["steps"]
    assert [row["number"] for row in watch.open_urges(hall="luolong")] == [later["number"]]
    assert Alarm.URGE not in alarms_of(case_id)
    with refused("case.urge_none"):
        spring.do(oversight.answer_urge, owner, case_id=case_id, answer="再答复一次")
    with refused("case.illegal_step"):
        spring.do(oversight.urge_case, "supervisor01", case_id=case_id, note="请速办")
