"""A winter of cases of every kind in two halls, over two ends of a month and the end of a year."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from app.casework import finish, intake, joint, oversight, queries, review, special, supplement, sweeps
from app.casework.corrections import void_case
from app.catalog.queries import item as guide_of
from app.db import HallHead, db
from app.events import SYSTEM
from app.now import SHANGHAI
from tests.actions import joint_hall
from tests.actions.conftest import Hall, change_guide

NO = {"reason": "不符合条件", "basis": "《中华人民共和国行政许可法》第三十八条"}
HALLS = ("luolong", "lilou")
BUS = "511A0138900000-511602000000-000-115113016823646795-1-00"  # 校车: three departments side by side, 8 and 11 WD
ROAD = "511A17017003-511602000000-000-115113016823646795-1-00"  # 占道: two side by side, 7 and 20 WD
TRADE = "511A0005200004-511602000000-000-115113016823646795-1-00"  # 食品经营: two in turn, 7 and 10 WD
RENEWAL = "511A0005200008-511602000000-000-115113016823646795-1-00"  # 食品经营延续: one, 5 and 10 WD
POCKET = "512036001003-511602000000-000-11511301MB15537661-1-00"  # 居民参保: on the spot, 2 WH

Story = Iterator[datetime]  # what it waits for


def on(month: int, day: int, hour: int = 10, minute: int = 0) -> datetime:
    """An instant of the winter of 2025 to 2026: the 1st to 3rd of January are free, the 4th is a working Sunday."""
    return datetime(2025 if month > 6 else 2026, month, day, hour, minute, tzinfo=SHANGHAI)


class Winter:
    """The two halls, and each story's case by its name."""

    def __init__(self, hall: Hall) -> None:
        db.session.query(HallHead).update({"last_at": on(12, 1)})
        db.session.commit()
        self.hall, self.cases = hall, {}

    def run(self) -> None:
        """Tell all stories side by side; the timer comes each morning."""
        told = [story(self) for story in STORIES]
        agenda = [(next(story), n, story) for n, story in enumerate(told)]
        heapq.heapify(agenda)
        while agenda:
            at, n, story = heapq.heappop(agenda)
            new_day, self.hall.at = at.date() != self.hall.at.date(), at
            for code in HALLS if new_day else ():
                self.hall.do(sweeps.sweep_lights, SYSTEM, hall=code)
                self.hall.do(sweeps.ring_alarms, SYSTEM, hall=code)
            for next_at in story:
                heapq.heappush(agenda, (next_at, n, story))
                break

    def take(self, name: str, item: str, *, accept: bool = True, who: str = "clerk01", **more: Any) -> Case:
        view, case_id = self.hall.receive(item=item, who=who, **more)
        case = self.cases[name] = Case(self.hall, view, case_id)
        if accept:
            case.do(intake.accept_case, who)
        return case


class Case:
    """A case of the winter with what happens to it."""

    def __init__(self, hall: Hall, view: dict[str, Any], case_id: int) -> None:
        self.hall, self.view, self.id = hall, view, case_id

    def do(self, action: Any, who: Any, **given: Any) -> None:
        self.view = self.hall.do(action, who, hall=self.view["hall"], case_id=self.id, **given)

    def by(self, position: int) -> str:
        return self.hall.approver(self.view, position)

    def grant(self, *positions: int) -> None:
        for position in positions:
            self.do(review.decide_case, self.by(position), outcome="granted")

    def refuse(self, position: int) -> None:
        self.do(review.decide_case, self.by(position), outcome="refused", **NO)


# ── one department ──────────────────────────────────────────────────────────────────────────────────────────────


def over_the_year(winter: Winter) -> Story:
    yield on(12, 30, 16)
    case = winter.take("over the year", RENEWAL)
    yield on(1, 5)
    case.grant(0)


def revoked(winter: Winter) -> Story:
    yield on(12, 31, 9)
    case = winter.take("revoked", RENEWAL, who="clerk02")
    yield on(12, 31, 15)
    case.grant(0)
    yield on(1, 6)
    case.do(review.revoke_case, case.by(0), **NO)


def without_a_word_in_time(winter: Winter) -> Story:
    yield on(12, 30)
    case = winter.take("deemed", RENEWAL, accept=False, states={"M1": "missing"})
    yield on(1, 8, 11)
    case.view = queries.case_view("luolong", case.id, winter.hall.at)
    case.refuse(0)


def taken_back(winter: Winter) -> Story:
    yield on(12, 31, 11)
    case = winter.take("withdrawn at intake", RENEWAL, accept=False)
    side_by_side = winter.take("withdrawn in review", ROAD)
    yield on(1, 5, 9)
    case.do(intake.withdraw_case, "clerk01")
    side_by_side.do(intake.withdraw_case, "clerk01")


def void(winter: Winter) -> Story:
    yield on(12, 31, 12)
    case = winter.take("void", ROAD, accept=False)
    yield on(12, 31, 14)
    case.do(void_case, "supervisor01", reason="重复录入")


def said_no(winter: Winter) -> Story:
    yield on(12, 31, 16)
    case = winter.take("not accepted", BUS, accept=False)
    case.do(intake.raise_no_request, "clerk01", kind="out_of_scope", reason="不属于本区")
    yield on(1, 4)
    case.do(review.answer_no_request, "chief01", answer="not_accepted", **NO)


def on_the_spot(winter: Winter) -> Story:
    yield on(12, 31, 9, 30)
    case, other = (winter.take(name, POCKET) for name in ("converted", "on the spot, late"))
    case.do(finish.convert_case, "clerk01", limit={"amount": 3, "unit": "WD"}, reason="须核查")
    yield on(12, 31, 10, 30)
    other.grant(0)
    yield on(12, 31, 17)
    other.do(finish.finish_case, "clerk01")
    yield on(1, 5, 14)
    case.grant(0)


# ── side by side ────────────────────────────────────────────────────────────────────────────────────────────────


def one_in_time_two_late(winter: Winter) -> Story:
    """Three departments, eight working days promised and eleven by law: until the 9th and the 14th of January."""
    yield on(12, 29)
    case = winter.take("explained", BUS)
    silent = winter.take("silent", BUS, who="clerk02")
    yield on(12, 31, 10, 10)
    case.grant(0)
    silent.grant(2)
    yield on(1, 12)
    case.grant(1)
    case.do(oversight.explain_overdue, case.by(2), reason="系统检修")
    yield on(1, 13)
    silent.grant(0, 1)
    yield on(1, 15)
    case.grant(2)


def refused_over_the_other(winter: Winter) -> Story:
    """Seven working days end on the 4th of January; nobody has decided by then."""
    yield on(12, 23)
    case = winter.take("refused late", ROAD)
    yield on(1, 6, 11)
    case.refuse(0)


def each_its_own(winter: Winter) -> Story:
    yield on(12, 29, 11)
    case = winter.take("one yes, one no", ROAD, who="clerk02")
    yield on(12, 30, 11)
    case.grant(0)
    yield on(12, 31, 11, 30)
    case.refuse(1)


def each_its_own_stops(winter: Winter) -> Story:
    yield on(1, 29)
    case = winter.take("stopped", ROAD)
    yield on(1, 30)
    case.do(special.suspend_case, case.by(1), ground="testing", days=3)
    yield on(1, 30, 17)
    case.do(special.resume_case, case.by(1))
    for day in (2, 4):
        yield on(2, day)
        case.do(special.check_site, case.by(0), days=1)
        yield on(2, day, 15)
        case.do(special.resume_case, case.by(0))
    yield on(2, 5)
    case.do(special.extend_case, case.by(0), reason="案情复杂")
    yield on(2, 6)
    case.grant(1)
    yield on(2, 27)
    case.grant(0)


def asked_twice(winter: Winter) -> Story:
    yield on(1, 28)
    case = winter.take("asked twice", ROAD)
    item = {"items": [{"code": "M1", "problem": "未签字"}]}
    for day, who, why in ((29, case.by(0), ""), (30, "supervisor01", "漏列一页")):
        yield on(1, day, 9)
        case.do(supplement.request_supplement, who, **item, repeat_reason=why)
        yield on(1, day, 11)
        case.do(supplement.supply, "clerk01", items=["M1"])
    yield on(2, 3)
    case.grant(1, 0)


def instant_of_two(winter: Winter) -> Story:
    """Both decide at once and the result comes late: that is the last one's (K5)."""
    yield on(12, 31, 9, 45)
    alone = guide_of(POCKET)["departments"]
    change_guide(POCKET, departments=[*alone, "区民政局"], routing="parallel")
    case = winter.take("instant of two", POCKET)
    change_guide(POCKET, departments=alone, routing="in_turn")
    yield on(12, 31, 9, 50)
    case.grant(1)
    yield on(12, 31, 10)
    case.grant(0)
    yield on(12, 31, 17, 30)
    case.do(finish.finish_case, "clerk01")


# ── in turn, together, elsewhere ────────────────────────────────────────────────────────────────────────────────


def given_back(winter: Winter) -> Story:
    yield on(1, 28, 11)
    case = winter.take("given back", TRADE)
    yield on(1, 29, 11)
    case.grant(0)
    yield on(1, 30, 11)
    case.do(review.return_case, case.by(1), reason="请核对面积")
    yield on(2, 2)
    case.grant(0)
    yield on(2, 3, 11)
    case.grant(1)


def never_its_turn(winter: Winter) -> Story:
    yield on(1, 29, 9)
    case = winter.take("never its turn", TRADE, who="clerk02")
    yield on(1, 30, 12)
    case.refuse(0)


def one_thing(winter: Winter) -> Story:
    yield on(12, 31, 9, 15)
    view, joint_id = joint_hall.receive(winter.hall)
    winter.hall.do(joint.accept_joint, "clerk01", joint_id=joint_id)
    yield on(12, 31, 15, 30)
    joint_hall.decide(winter.hall, view, 0)
    yield on(1, 4, 15)
    joint_hall.decide(winter.hall, view, 1)
    yield on(1, 5, 15)
    joint_hall.decide(winter.hall, view, 2, "refused")


def elsewhere(winter: Winter) -> Story:
    yield on(12, 31, 9, 20)
    case = winter.take("elsewhere", ROAD, who="clerk21", hall="lilou")
    up = winter.take("sent up", RENEWAL, who="clerk21", hall="lilou")
    up.do(review.forward_case, up.by(0), to_hall="luolong")
    yield on(1, 4, 11)
    case.grant(1, 0)
    yield on(1, 30, 15)
    up.grant(0)


def open_still(winter: Winter) -> Story:
    yield on(1, 26)
    case = winter.take("open", BUS)
    yield on(1, 27)
    case.grant(0)
    yield on(2, 28)


STORIES = (
    over_the_year,
    revoked,
    without_a_word_in_time,
    taken_back,
    void,
    said_no,
    on_the_spot,
    one_in_time_two_late,
    refused_over_the_other,
    each_its_own,
    each_its_own_stops,
    asked_twice,
    instant_of_two,
    given_back,
    never_its_turn,
    one_thing,
    elsewhere,
    open_still,
)
