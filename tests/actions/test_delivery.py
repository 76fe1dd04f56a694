"""The pickup window: shelves, reminders, the right hands, the courier and its slip; what is refused comes first."""

from __future__ import annotations

import base64
from datetime import date, datetime, timedelta

import pytest

from app.casework import delivery, inbox, intake, queries, review, sweeps
from app.casework.models import Case, CaseSignal
from app.catalog.queries import item as guide_of
from app.db import db
from app.events import SYSTEM
from app.notices.paper import render
from app.now import SHANGHAI, iso
from tests.actions.conftest import ID, Hall, alarms_of, last_paper, refused
from tests.actions.test_supplement import change_rules
from tests.rules.test_delivery import png, url

UNCLAIMED = {"unclaimed-3", "unclaimed-7", "unclaimed-10"}
PARCEL = {"carrier": "EMS", "tracking_number": "EA1"}
INK = png(rows=3 * (b"\0" + 16 * b"\xff"))
REASON, BASIS = "条件不符", "《中华人民共和国食品安全法》第三十五条"


def granted(hall: Hall, **more) -> int:
    case, case_id = hall.accepted(**more)
    hall.do(review.decide_case, hall.approver(case), case_id=case_id, outcome="granted")
    return case_id


def ready(hall: Hall, **more) -> int:
    case_id = granted(hall, **more)
    hall.do(delivery.ready_case, "pickup01", case_id=case_id)
    return case_id


def view(hall: Hall, case_id: int) -> dict:
    return queries.case_view("luolong", case_id, hall.at)


# ── on the shelf ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_result_lies_in_the_next_free_slot_and_is_told_once(spring) -> None:
    _, undecided = spring.accepted()
    with refused("case.illegal_step"):
        spring.do(delivery.ready_case, "pickup01", case_id=undecided)
    with refused("auth.forbidden"):
        spring.do(delivery.ready_case, "clerk01", case_id=granted(spring))
    ids = [ready(spring) for _ in range(3)]
    assert [view(spring, i)["result"]["shelf"] for i in ids] == ["A-01", "A-02", "A-03"]
    spring.do(delivery.hand_over, "pickup01", case_id=ids[1], receiver="张三丰", id_number=ID)
    assert delivery.next_shelf(db.session(), "luolong") == "A-02"
    assert delivery.next_shelf(db.session(), "lilou") == "A-01"
    named = granted(spring)
    assert spring.do(delivery.ready_case, "pickup01", case_id=named, shelf="B-12")["result"]["shelf"] == "B-12"
    before = view(spring, ids[0])
    moved = spring.later(hours=3).do(delivery.ready_case, "pickup01", case_id=ids[0], shelf="C-01")
    assert moved["result"]["shelf"] == "C-01" and moved["ready_at"] == before["ready_at"]
    assert moved["notices"] == before["notices"] and moved["history"] == before["history"]


def test_the_hall_above_gives_out_what_it_was_sent_and_nothing_else(spring) -> None:
    ready(spring)
    given = {"item": queries.case_view("luolong", granted(spring), spring.at)["item"]["code"]}
    papers = [{"code": m["code"], "state": "received"} for m in guide_of(given["item"])["materials"]]
    given |= {"applicant": {"kind": "person", "name": "张三", "id_number": ID}, "materials": papers}
    case = spring.do(intake.receive_case, "clerk21", hall="lilou", **given)
    case_id = queries.find_case(case["number"])[1]
    case = spring.do(intake.accept_case, "clerk21", hall="lilou", case_id=case_id)
    own = spring.do(intake.receive_case, "clerk21", hall="lilou", **given)
    own_id = queries.find_case(own["number"])[1]
    spring.do(intake.accept_case, "clerk21", hall="lilou", case_id=own_id)
    spring.do(review.forward_case, spring.approver(case), hall="lilou", case_id=case_id)
    for decided in (case_id, own_id):
        spring.do(review.decide_case, spring.approver(case), hall="lilou", case_id=decided, outcome="granted")
    with refused("auth.foreign_hall"):
        spring.do(delivery.ready_case, "pickup01", hall="lilou", case_id=own_id)
    lies = spring.do(delivery.ready_case, "pickup01", hall="lilou", case_id=case_id)
    assert lies["result"]["shelf"] == "A-02"  # of the hall where it lies
    assert delivery.next_shelf(db.session(), "luolong") == "A-03"
    done = spring.do(delivery.hand_over, "pickup01", hall="lilou", case_id=case_id, receiver="张三", id_number=ID)
    assert done["state"] == "delivered"


def test_what_nobody_collects_makes_itself_heard_until_it_is_collected(spring) -> None:
    case_id = ready(spring)  # Monday 2 March
    rings = alarms_of(case_id)
    assert {kind: iso(at)[:16] for kind, at in rings.items()} == {
        "unclaimed-3": "2026-03-05T18:00",
        "unclaimed-7": "2026-03-11T18:00",
        "unclaimed-10": "2026-03-16T18:00",
        "delivery": "2026-03-16T18:00",
    }
    spring.do(delivery.hand_over, "pickup01", case_id=case_id, receiver="张三丰", id_number=ID)
    assert alarms_of(case_id) == {}
    sent = ready(spring)
    assert alarms_of(sent).keys() == UNCLAIMED | {"delivery"}
    spring.do(delivery.dispatch_case, "pickup01", case_id=sent, **PARCEL)
    assert alarms_of(sent).keys() == {"delivery"}


# ── into the right hands ────────────────────────────────────────────────────────────────────────────────────────


def test_a_result_is_given_only_to_whoever_proves_it(hall) -> None:
    case, case_id = hall.accepted()
    code = queries.codes_of("luolong", case_id)["pickup_code"]
    with refused("case.illegal_step"):
        hall.do(delivery.hand_over, "pickup01", case_id=case_id, receiver="张三丰", id_number=ID)
    hall.do(review.decide_case, hall.approver(case), case_id=case_id, outcome="granted")
    hall.do(delivery.ready_case, "pickup01", case_id=case_id)
    for proof in ({}, {"pickup_code": "000000"}, {"id_number": "410305199001010012"}):
        with refused("case.receiver_mismatch"):
            hall.do(delivery.hand_over, "pickup01", case_id=case_id, receiver="李四", **proof)
    agent = {"name": "李四"}
    with refused("case.agent_letter"):
        hall.do(delivery.hand_over, "pickup01", case_id=case_id, receiver="李四", pickup_code=code, agent=agent)
    for signature in ("李四", url(b"GIF89a"), url(png()[:-1])):
        with refused("case.signature"):
            hall.do(
                delivery.hand_over,
                "pickup01",
                case_id=case_id,
                receiver="张三丰",
                pickup_code=code,
                signature=signature,
            )
    done = hall.do(delivery.hand_over, "pickup01", case_id=case_id, receiver="张三丰", pickup_code=code)
    assert done["state"] == "delivered" and done["steps"] == ["revoke"]
    assert done["delivery"]["how"] == "window" and not done["delivery"]["signed"]
    with refused("case.illegal_step"):
        hall.do(delivery.hand_over, "pickup01", case_id=case_id, receiver="张三丰", pickup_code=code)


def test_an_agent_signs_on_the_pad_and_the_proof_of_service_says_so(hall) -> None:
    case_id = ready(hall)
    agent = {"name": "李四海", "letter": "委托书 1 号", "id_number": "110105199001011234"}
    done = hall.do(
        delivery.hand_over,
        "pickup01",
        case_id=case_id,
        receiver="李四海",
        id_number=ID,
        agent=agent,
        signature=url(INK),
    )
    assert done["delivery"]["signed"] and done["delivery"]["signed_at"] == done["delivered_at"]
    case = db.session.query(Case).filter_by(id=case_id).one()
    for sealed in (case.receiver_sealed, case.signature_sealed):
        assert "四海" not in sealed and "iVBOR" not in sealed
    db.session.rollback()
    paper = last_paper(done)
    assert done["notices"][-1]["kind"] == "service" and paper["mode"] == "direct"
    assert (paper["recipient"], paper["recipient_relation"]) == ("李四海", "受托人（委托书 1 号）")
    assert base64.b64decode(paper["signature"]) == INK
    with_line, signed = (render("service", {**paper, "signature": ink}) for ink in (None, paper["signature"]))
    assert b"/Subtype /Image" not in with_line and b"/Subtype /Image" in signed
    assert paper["place"] == "洛龙区政务服务中心出件窗口"
    assert [document["name"] for document in paper["documents"]] == ["准予行政许可决定书", paper["result_name"]]
    assert "四海" not in str(done) and "四海" not in str(queries.public_view("luolong", case_id, hall.at))


@pytest.mark.parametrize(
    ("receiver", "relation"),
    [("洛阳(中国)商贸", None), ("阿布都·买买提", "法定代表人"), ("李 四海", "受托人（委托书 1 号）"), ("王五", "")],
)
def test_only_who_stands_for_the_applicant_takes_it_without_a_letter(hall, receiver: str, relation: str | None) -> None:
    applicant = {"kind": "organisation", "name": "洛阳（中国）商贸", "id_number": ID, "representative": "阿布都•买买提"}
    agent = {"name": "李四海", "letter": "委托书 1 号"}
    given = {"receiver": receiver, "case_id": ready(hall, applicant=applicant, agent=agent), "id_number": ID}
    if relation == "":
        with refused("case.receiver_name"):  # although he knows the code and the number
            hall.do(delivery.hand_over, "pickup01", **given)
        return
    paper = last_paper(hall.do(delivery.hand_over, "pickup01", **given))
    assert (paper["recipient"], paper.get("recipient_relation")) == (receiver, relation)


def test_a_person_is_not_represented_by_whoever_the_form_names(hall) -> None:
    applicant = {"kind": "person", "name": "张三丰", "id_number": ID, "representative": "王五"}
    case_id = ready(hall, applicant=applicant)
    for receiver in ("王五", "张三", "·"):
        with refused("case.receiver_name"):
            hall.do(delivery.hand_over, "pickup01", case_id=case_id, receiver=receiver, id_number=ID)
    hall.do(delivery.hand_over, "pickup01", case_id=case_id, receiver="张三丰", id_number=ID)


def test_a_refusal_is_served_too(hall) -> None:
    case, case_id = hall.accepted()
    hall.do(review.decide_case, hall.approver(case), case_id=case_id, outcome="refused", reason=REASON, basis=BASIS)
    done = hall.do(delivery.hand_over, "pickup01", case_id=case_id, receiver="张三丰", id_number=ID)
    assert [document["name"] for document in last_paper(done)["documents"]] == ["不予行政许可决定书"]
    assert done["steps"] == []
    with refused("case.illegal_step"):
        hall.do(review.revoke_case, hall.approver(case), case_id=case_id, reason=REASON, basis=BASIS)


# ── by courier ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_result_is_sent_at_the_fee_of_its_zone(hall) -> None:
    case_id = granted(hall, delivery={"method": "courier", "address": "开元大道 1 号"})
    sent = {"carrier": "邮政速递", "tracking_number": "EA123456789CN"}
    with refused("case.courier_zone"):
        hall.do(delivery.dispatch_case, "pickup01", case_id=case_id, zone="moon", **sent)
    with refused("text.empty"):
        hall.do(delivery.dispatch_case, "pickup01", case_id=case_id, carrier=" ", tracking_number="1")
    done = hall.do(delivery.dispatch_case, "pickup01", case_id=case_id, zone="township", **sent)
    assert done["state"] == "delivered" and done["delivered_how"] == "courier" and "sign" in done["steps"]
    assert done["delivery"] == {
        "how": "courier",
        "carrier": "邮政速递",
        "zone": "township",
        "fee_fen": 600,
        "dispatched_at": iso(hall.at),
        "signed": False,
        "signed_at": None,
        "tracking_number": "EA123456789CN",
    }
    paper = last_paper(done)
    assert (paper["receiver_name"], paper["receiver_address"]) == ("张三丰", "开元大道 1 号")
    assert (paper["courier_fee"], paper["tracking_number"]) == ("6.00 元", "EA123456789CN")
    assert "开元大道" not in str(done)


@pytest.mark.parametrize(("zone", "fee"), [("city", "4.00 元"), ("outside", "按承运人资费标准"), (None, None)])
def test_a_fee_may_be_the_carriers_own_or_not_be_said(hall, zone: str | None, fee: str | None) -> None:
    sent = {"carrier": "EMS", "tracking_number": "EA1", "zone": zone, "address": "王城大道 2 号"}
    paper = last_paper(hall.do(delivery.dispatch_case, "pickup01", case_id=granted(hall), **sent))
    assert (paper.get("courier_fee"), paper["receiver_address"]) == (fee, "王城大道 2 号")


def test_the_courier_brings_a_signed_slip_back(spring) -> None:
    handed = ready(spring)
    spring.do(delivery.hand_over, "pickup01", case_id=handed, receiver="张三丰", id_number=ID)
    with refused("case.not_dispatched"):
        spring.do(delivery.sign_delivery, "pickup01", case_id=handed, receiver="张三丰")
    case_id = granted(spring)
    spring.do(delivery.dispatch_case, "pickup01", case_id=case_id, carrier="EMS", tracking_number="EA1")
    spring.later(days=4)
    for day in (spring.at.date() + timedelta(days=1), date(2026, 3, 1)):
        with refused("case.sign_date"):
            spring.do(delivery.sign_delivery, "pickup01", case_id=case_id, receiver="张三丰", signed_on=day)
    with refused("auth.forbidden"):
        spring.do(delivery.sign_delivery, "clerk01", case_id=case_id, receiver="张三丰")
    assert view(spring, case_id)["delivered_at"] is None  # delivered when signed for, not when it leaves
    given = {"receiver": "张三丰", "signed_on": date(2026, 3, 4)}
    done = spring.do(delivery.sign_delivery, "pickup01", case_id=case_id, **given)
    assert done["delivered_at"] == done["delivery"]["signed_at"]
    assert [row["kind"] for row in done["history"][-3:]] == ["case.signed", "case.delivered", "notice.issued"]
    assert done["delivery"]["signed"] and done["delivery"]["signed_at"].startswith("2026-03-04")
    assert done["delivery"]["tracking_number"] == "EA1" and "sign" not in done["steps"]
    paper = last_paper(done)
    assert (paper["mode"], paper["served_at"], paper["tracking_number"]) == ("post", "2026-03-04", "EA1")
    with refused("case.not_dispatched"):
        spring.do(delivery.sign_delivery, "pickup01", case_id=case_id, receiver="张三丰")


def test_a_parcel_that_comes_back_is_ready_again_and_goes_out_again(spring) -> None:
    case_id = granted(spring)
    other = ready(spring)
    with refused("case.illegal_step"):
        spring.do(delivery.come_back, "pickup01", case_id=other, reason="refused")
    spring.do(delivery.dispatch_case, "pickup01", case_id=case_id, **PARCEL)
    sent_at, due = spring.at, alarms_of(case_id)["delivery"]
    spring.later(days=7)  # five working days
    with refused("request.invalid"):
        spring.do(delivery.come_back, "pickup01", case_id=case_id, reason="张三丰拒收")
    with refused("auth.forbidden"):
        spring.do(delivery.come_back, "clerk01", case_id=case_id, reason="refused")
    back = spring.do(delivery.come_back, "pickup01", case_id=case_id, reason="refused")
    assert (back["state"], back["result"]["shelf"], back["delivery"]) == ("ready", "A-02", None)
    assert (back["ready_at"], back["returned_at"]) == (iso(sent_at), iso(spring.at))
    assert {"hand-over", "dispatch"} <= set(back["steps"]) and not {"sign", "come-back"} & set(back["steps"])
    told = next(row for row in back["history"] if row["kind"] == "case.came_back")
    assert told["body"] == {"reason": "refused"}
    assert (back["notices"][-1]["kind"], last_paper(back)["ready_at"]) == ("pickup", iso(spring.at))
    rings = alarms_of(case_id)
    assert rings.keys() == UNCLAIMED | {"delivery"} and rings["delivery"] == due  # the time to deliver runs on
    assert rings["unclaimed-3"].date().isoformat() == "2026-03-12"
    desk = {row["number"]: row for row in inbox.pickup_list("luolong", spring.at)}
    assert desk[back["number"]]["since"] == iso(spring.at) and inbox.unsigned("luolong", spring.at) == []

    spring.do(delivery.dispatch_case, "pickup01", case_id=case_id, carrier="EMS", tracking_number="EA2")
    again = spring.later(days=1).do(delivery.come_back, "pickup01", case_id=case_id, reason="absent", shelf="C-07")
    assert (again["state"], again["result"]["shelf"], again["returned_at"]) == ("ready", "C-07", iso(spring.at))
    done = spring.do(delivery.hand_over, "pickup01", case_id=case_id, receiver="张三丰", id_number=ID)
    assert (done["state"], done["delivered_at"], alarms_of(case_id)) == ("delivered", iso(spring.at), {})
    with refused("case.not_dispatched"):
        spring.do(delivery.come_back, "pickup01", case_id=case_id, reason="refused")


def test_what_came_back_says_what_lies_there(spring) -> None:
    case, case_id = spring.accepted()
    spring.do(review.decide_case, spring.approver(case), case_id=case_id, outcome="refused", reason=REASON, basis=BASIS)
    spring.do(delivery.dispatch_case, "pickup01", case_id=case_id, **PARCEL)
    back = spring.do(delivery.come_back, "pickup01", case_id=case_id, reason="address")
    assert back["state"] == "ready" and last_paper(back)["result_name"] == "不予行政许可决定书"


# ── within the time to deliver ──────────────────────────────────────────────────────────────────────────────────


def rung(hall: Hall, case_id: int) -> list[str]:
    """What was signalled of the case once all that is due has rung."""
    while hall.do(sweeps.ring_alarms, SYSTEM)["more"]:
        pass
    found = [row.level for row in db.session.query(CaseSignal.level).filter_by(case_id=case_id)]
    db.session.rollback()
    return found


def march(day: int, hour: int = 10) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=SHANGHAI)


@pytest.mark.parametrize("outcome", ["granted", "refused"])
def test_what_is_decided_is_delivered_within_ten_working_days_or_told_of(spring, outcome: str) -> None:
    case, case_id = spring.accepted()
    words = {} if outcome == "granted" else {"reason": REASON, "basis": BASIS}
    spring.do(review.decide_case, spring.approver(case), case_id=case_id, outcome=outcome, **words)
    spring.at = march(13)
    if outcome == "granted":  # it arrives on the ninth working day: the law counts from the decision
        spring.do(delivery.ready_case, "pickup01", case_id=case_id)
    spring.at = march(16, 17)
    assert "delivery" not in rung(spring, case_id)
    spring.at = march(16, 18)
    assert "delivery" in rung(spring, case_id)


def test_what_reached_the_applicant_in_time_is_told_of_to_nobody(spring) -> None:
    handed, signed = granted(spring), granted(spring)
    spring.do(delivery.hand_over, "pickup01", case_id=handed, receiver="张三丰", id_number=ID)
    spring.do(delivery.dispatch_case, "pickup01", case_id=signed, **PARCEL)
    spring.later(days=2).do(delivery.sign_delivery, "pickup01", case_id=signed, receiver="张三丰")
    spring.at = march(31)
    assert rung(spring, handed) == rung(spring, signed) == []


def test_a_parcel_that_nobody_signs_for_is_told_of(spring) -> None:
    case_id = granted(spring)
    spring.do(delivery.dispatch_case, "pickup01", case_id=case_id, **PARCEL)
    spring.at = march(17)
    assert rung(spring, case_id) == ["delivery"]
    spring.do(delivery.come_back, "pickup01", case_id=case_id, reason="absent")
    assert rung(spring, case_id) == []  # that is settled; a new parcel has ten working days of its own
    spring.do(delivery.dispatch_case, "pickup01", case_id=case_id, **PARCEL)
    assert alarms_of(case_id)["delivery"] == march(31, 18)
    spring.at = march(31, 18)
    assert rung(spring, case_id) == ["delivery"]


def test_where_no_rule_sets_a_time_to_deliver_only_a_parcel_is_watched(spring, monkeypatch) -> None:
    change_rules(monkeypatch, delivery_limit=None)
    case_id = granted(spring)
    assert alarms_of(case_id) == {}
    spring.do(delivery.dispatch_case, "pickup01", case_id=case_id, **PARCEL)
    assert alarms_of(case_id) == {"delivery": march(16, 18)}
