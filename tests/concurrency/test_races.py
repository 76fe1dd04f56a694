"""Two hands on the same thing at the same moment: one of them wins, and the other is told so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from app import eventlog
from app.action import Answer
from app.db import db
from app.events import SYSTEM, CaseDecided
from app.now import now
from app.people.models import Staff
from app.people.staff import add_staff
from app.queueing.models import Call, Ticket
from tests.concurrency.conftest import HALL, THREADS, Doors, at_once
from tests.conftest import PASSWORD

ROUNDS = 6
PERSON = {"name": "张三丰", "id_number": "410305199001010011"}

Step = Callable[[], tuple[int, Any]]


def outcomes(answers: list[tuple[int, Any]]) -> Counter[Any]:
    """How often each status, or each refusal's code, was answered."""
    return Counter(status if status < 400 else answer["code"] for status, answer in answers)


def posting(doors: Doors, path: str, body: Any, token: str, **headers: str) -> Step:
    return lambda: doors.post(path, body, token, **headers)


@pytest.mark.parametrize("step", ["tickets", "cases"])
def test_the_same_key_from_eight_threads_works_once(doors: Doors, step: str) -> None:
    if step == "tickets":
        path, body, token = f"/halls/{HALL}/tickets", {"queue": "A"}, doors.kiosk()
    else:
        path, body, token = "/cases", new_case(doors), doors.sign_in("clerk01")
    header = {"Idempotency-Key": "one press"}
    header["Idempotency-Key"] = header["Idempotency-Key"].replace(" ", "-")
    answers = at_once([posting(doors, path, body, token, **header)] * THREADS)
    assert outcomes(answers) == {201: THREADS}
    assert len({str(sorted(answer.items(), key=str)) for _, answer in answers}) == 1
    db.session.rollback()
    made = [row for row in eventlog.read(HALL, 0, 10_000) if row.event.kind in ("ticket.issued", "case.received")]
    assert len(made) == 1
    assert db.session.execute(select(func.count()).select_from(Answer)).scalar_one() == 1


def test_eight_kiosks_and_one_person_make_one_ticket(doors: Doors) -> None:
    kiosks = [doors.kiosk() for _ in range(THREADS)]
    answers = at_once(
        [posting(doors, f"/halls/{HALL}/tickets", {"queue": "A", "person": PERSON}, kiosk) for kiosk in kiosks]
    )
    assert outcomes(answers) == {201: 1, 200: THREADS - 1}
    assert len({answer["token"] for _, answer in answers}) == 1
    db.session.rollback()
    assert db.session.execute(select(func.count()).select_from(Ticket)).scalar_one() == 1


def test_two_clerks_sit_down_at_one_window(doors: Doors) -> None:
    clerks = [doors.sign_in(name) for name in ("clerk01", "clerk02")]
    for n in range(1, ROUNDS + 1):
        answers = at_once([posting(doors, f"/windows/{HALL}-W{n:02d}/open", None, token) for token in clerks])
        assert outcomes(answers) == {200: 1, "window.already_open": 1}
        winner = clerks[[status for status, _ in answers].index(200)]
        doors.must(f"/windows/{HALL}-W{n:02d}/close", None, winner)


def test_one_clerk_sits_down_at_two_windows(doors: Doors) -> None:
    clerk = doors.sign_in("clerk01")
    answers = at_once([posting(doors, f"/windows/{HALL}-W{n:02d}/open", None, clerk) for n in range(1, 7)])
    assert outcomes(answers) == {200: 1, "window.staff_elsewhere": 5}


def test_two_clerks_at_one_window_call_once(doors: Doors) -> None:
    """The clerk whose window it is, in two browsers, and a colleague who only thinks so."""
    kiosk, clerk, colleague = doors.kiosk(), doors.sign_in("clerk01"), doors.sign_in("clerk02")
    doors.must(f"/windows/{HALL}-W01/open", None, clerk)
    call = f"/windows/{HALL}-W01/call-next"
    for _ in range(ROUNDS):
        for _ in range(3):
            doors.must(f"/halls/{HALL}/tickets", {"queue": "A"}, kiosk)
        answers = at_once([posting(doors, call, None, token) for token in (clerk, clerk, colleague)])
        assert outcomes(answers) == {200: 1, "window.occupied": 1, "window.not_yours": 1}
        ticket = next(answer["ticket"] for status, answer in answers if status == 200)
        doors.must(f"/tickets/{ticket['id']}/no-show", None, clerk)


def test_many_windows_and_one_ticket(doors: Doors) -> None:
    kiosk = doors.kiosk()
    clerks = [doors.sign_in(f"clerk{n:02d}") for n in range(1, THREADS + 1)]
    for n, token in enumerate(clerks, start=1):
        doors.must(f"/windows/{HALL}-W{n:02d}/open", None, token)
    for _ in range(ROUNDS):
        doors.must(f"/halls/{HALL}/tickets", {"queue": "A"}, kiosk)
        answers = at_once(
            [
                posting(doors, f"/windows/{HALL}-W{n:02d}/call-next", None, token)
                for n, token in enumerate(clerks, start=1)
            ]
        )
        assert outcomes(answers) == {200: 1, 204: THREADS - 1}
        winner = next(n for n, (status, _) in enumerate(answers) if status == 200)
        doors.must(f"/tickets/{answers[winner][1]['ticket']['id']}/no-show", None, clerks[winner])
    db.session.rollback()
    assert set(Counter(db.session.execute(select(Call.ticket_id)).scalars()).values()) == {1}


def test_a_citizen_gives_up_while_being_called(doors: Doors) -> None:
    kiosk, clerk = doors.kiosk(), doors.sign_in("clerk01")
    doors.must(f"/windows/{HALL}-W01/open", None, clerk)
    for _ in range(ROUNDS):
        ticket = doors.must(f"/halls/{HALL}/tickets", {"queue": "A"}, kiosk)
        called, cancelled = at_once(
            [
                posting(doors, f"/windows/{HALL}-W01/call-next", None, clerk),
                posting(doors, f"/tickets/{ticket['token']}/cancel", None, ""),
            ]
        )
        if called[0] == 200:
            assert cancelled[1]["code"] == "ticket.illegal_step"
            doors.must(f"/tickets/{ticket['id']}/no-show", None, clerk)
        else:
            assert (called[0], cancelled[0]) == (204, 200)


def new_case(doors: Doors) -> dict[str, Any]:
    """The body of a case with one deciding department and all its materials."""
    _, found = doors.ask("GET", f"/api/v1/halls/{HALL}/items?q=食品经营许可延续", None, {})
    _, guide = doors.ask("GET", f"/api/v1/items/{found['items'][0]['code']}", None, {})
    materials = [{"code": material["code"], "state": "received"} for material in guide["materials"]]
    return {"item": guide["code"], "applicant": {"kind": "person", **PERSON}, "materials": materials}


def test_two_approvers_decide_one_case(doors: Doors) -> None:
    """One grants and one refuses: the case has one outcome, and one of them is told that it is decided."""
    body, clerk = new_case(doors), doors.sign_in("clerk01")
    case = doors.must("/cases", body, clerk)
    department = doors.must(f"/cases/{case['number']}/accept", None, clerk)["departments"][0]["department"]
    first = db.session.execute(select(Staff.username).where(Staff.department == department)).scalar_one()
    add_staff(
        actor=SYSTEM,
        at=now(),
        username="approver99",
        name="同事",
        roles=["approver"],
        home=None,
        department=department,
        password=PASSWORD,
    )
    approvers = [doors.sign_in(first), doors.sign_in("approver99")]
    wishes = [{"outcome": "granted"}, {"outcome": "refused", "reason": "条件不符", "basis": "行政许可法第三十八条"}]
    for n in range(ROUNDS):
        if n:
            case = doors.must("/cases", body, clerk)
            doors.must(f"/cases/{case['number']}/accept", None, clerk)
        path = f"/cases/{case['number']}/decide"
        answers = at_once([posting(doors, path, wish, token) for wish, token in zip(wishes, approvers, strict=True)])
        assert outcomes(answers) == {200: 1, "case.illegal_step": 1}
        won = next(answer for status, answer in answers if status == 200)
        db.session.rollback()
        decided = [
            row.event
            for row in eventlog.read(HALL, 0, 10_000)
            if isinstance(row.event, CaseDecided) and row.event.number == case["number"]
        ]
        assert [event.outcome for event in decided] == [won["outcome"]]


def test_a_result_is_handed_over_once(doors: Doors) -> None:
    body, clerk, pickup = new_case(doors), doors.sign_in("clerk01"), doors.sign_in("pickup01")
    case = doors.must("/cases", body, clerk)
    accepted = doors.must(f"/cases/{case['number']}/accept", None, clerk)
    department = accepted["departments"][0]["department"]
    approver = db.session.execute(select(Staff.username).where(Staff.department == department)).scalar_one()
    doors.must(f"/cases/{case['number']}/decide", {"outcome": "granted"}, doors.sign_in(approver))
    give = {"pickup_code": case["pickup_code"], "receiver": PERSON["name"]}
    answers = at_once([posting(doors, f"/cases/{case['number']}/hand-over", give, pickup)] * THREADS)
    assert outcomes(answers) == {200: 1, "case.illegal_step": THREADS - 1}


def test_two_results_never_lie_in_one_slot_though_their_cases_are_of_two_halls(doors: Doors) -> None:
    clerks, pickup = [doors.sign_in(who) for who in ("clerk01", "clerk21")], doors.sign_in("pickup01")
    taken: list[str] = []
    for _ in range(ROUNDS):
        ready = []
        for clerk in clerks:
            case = doors.must("/cases", new_case(doors), clerk)
            path = f"/cases/{case['number']}"
            department = doors.must(f"{path}/accept", None, clerk)["departments"][0]["department"]
            approver = db.session.execute(select(Staff.username).where(Staff.department == department)).scalar_one()
            db.session.rollback()
            if case["hall"] != HALL:
                doors.must(f"{path}/forward", None, doors.sign_in(approver))
            doors.must(f"{path}/decide", {"outcome": "granted"}, doors.sign_in(approver))
            ready.append(posting(doors, f"{path}/ready", {}, pickup))
        answers = at_once(ready)
        assert outcomes(answers) == {200: 2}
        taken += [answer["result"]["shelf"] for _, answer in answers]
    assert sorted(taken) == [f"A-{number:02d}" for number in range(1, 2 * ROUNDS + 1)]
