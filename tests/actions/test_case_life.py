"""A case pushed about at random: every action does what the table says, or refuses and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app import eventlog
from app.casework import corrections, delivery, finish, intake, oversight, queries, review, special, supplement, sweeps
from app.casework.models import Case, CaseReview
from app.casework.rules.alarms import Alarm
from app.casework.rules.states import DECIDING, OVER, TAB_OF, CaseState, CaseStep, line_of
from app.catalog.queries import item as guide_of
from app.catalog.queries import search_items
from app.db import HallHead, db
from app.errors import Refusal
from app.events import SYSTEM, Actor
from app.now import SHANGHAI
from tests.actions.conftest import ID, Hall, alarms_of

BEGIN = datetime(2026, 3, 2, 10, 0, tzinfo=SHANGHAI)
Do = Callable[..., Any]
T = CaseStep

WORDS = {"reason": "理由充分", "basis": "依据条款"}

# what is asked for in each step; {gap} stands for the materials that are missing
ATTEMPTS: dict[CaseStep, list[tuple[Do, dict[str, Any]]]] = {
    T.ACCEPT: [
        (intake.accept_case, {}),
        (intake.accept_case, {"tolerant": {"commitment": "三日内补齐", "gap_limit": 1}}),
        (intake.accept_case, {"commitment": {"text": "符合全部条件"}}),
    ],
    T.REQUEST_SUPPLEMENT: [
        (supplement.request_supplement, {"items": [{"code": "M1", "problem": "缺页"}]}),
        (supplement.request_supplement, {"items": [{"code": "M1"}], "repeat_reason": "漏列一页"}),
    ],
    T.SUPPLY: [(supplement.supply, {"items": ["M1"]}), (supplement.supply, {"items": "{gap}"})],
    T.NO_REQUEST: [(intake.raise_no_request, {"kind": "grey_area", "reason": "拿不准"})],
    T.GO_ON: [(review.answer_no_request, {"answer": "accept"})],
    T.NOT_ACCEPT: [(review.answer_no_request, {"answer": "not_accepted", **WORDS})],
    T.NOT_REQUIRE: [(review.answer_no_request, {"answer": "not_required", **WORDS})],
    T.CONVERT: [(finish.convert_case, {"limit": {"amount": 1, "unit": "WD"}, "reason": "系统故障"})],
    T.TAKE: [(review.take_case, {})],
    T.PROPOSE: [(review.propose_case, {"outcome": "granted"})],
    T.GRANT: [(review.decide_case, {"outcome": "granted"})],
    T.REFUSE: [(review.decide_case, {"outcome": "refused", **WORDS}), (review.decide_case, {"outcome": "refused"})],
    T.SUSPEND: [
        (special.suspend_case, {"ground": "hearing", "days": 5}),
        (special.suspend_case, {"ground": "x", "days": 5}),
    ],
    T.CHECK_SITE: [(special.check_site, {"days": 2})],
    T.RESUME: [(special.resume_case, {})],
    T.EXTEND: [(special.extend_case, {"reason": "案情复杂"}), (special.extend_case, {"reason": " "})],
    T.RETURN: [(review.return_case, {"reason": "重新核对"})],
    T.FORWARD: [(review.forward_case, {"to_hall": "lilou"})],
    T.URGE: [(oversight.urge_case, {"note": "请抓紧办理"})],
    T.ANSWER_URGE: [(oversight.answer_urge, {"answer": "今日办结"})],
    T.EXPLAIN_OVERDUE: [(oversight.explain_overdue, {"reason": "系统升级延误"})],
    T.READY: [(delivery.ready_case, {})],
    T.FINISH: [(finish.finish_case, {})],
    T.HAND_OVER: [
        (delivery.hand_over, {"receiver": "张三丰", "id_number": ID}),
        (delivery.hand_over, {"receiver": "张三丰", "pickup_code": "x"}),
        (delivery.hand_over, {"receiver": "李四", "id_number": ID}),
    ],
    T.DISPATCH: [(delivery.dispatch_case, {"carrier": "邮政", "tracking_number": "EM1"})],
    T.SIGN: [(delivery.sign_delivery, {"receiver": "张三丰"})],
    T.COME_BACK: [(delivery.come_back, {"reason": "refused"})],
    T.CHECK: [(review.check_case, {"outcome": "kept"})],
    T.REVOKE: [(review.revoke_case, WORDS)],
    T.WITHDRAW: [(intake.withdraw_case, {})],
    T.VOID: [(corrections.void_case, {"reason": "重复收件"})],
}
BY_ITSELF = {T.DEEM_ACCEPT, T.DEEM_WITHDRAW, T.COMPLETE, T.REVIEW}  # the timer's, and what follows from others
ELSEWHERE = {T.RECEIVE, T.BACKDATE}  # told in test_levels.py and test_intake.py
FOLLOWS = {T.SUPPLY: T.COMPLETE, T.GO_ON: T.COMPLETE, T.GRANT: T.REVIEW, T.REFUSE: T.REFUSE}
ITEMS = ("食品经营许可延续", "补领结婚证", "公共场所卫生许可")


def test_every_step_of_the_table_is_tried() -> None:
    assert set(ATTEMPTS) | BY_ITSELF | ELSEWHERE == set(CaseStep)


def life(hall: Hall, waited: list[int]) -> type[RuleBasedStateMachine]:
    """The machine, bound to a hall; how many days pass is added to `waited`."""
    actors: dict[str, Actor] = {
        name: hall.staff(name) for name in ("clerk01", "clerk02", "chief01", "supervisor01", "pickup01")
    }

    class Life(RuleBasedStateMachine):
        @initialize(words=st.sampled_from(ITEMS), whole=st.booleans())
        def receive(self, words: str, whole: bool) -> None:
            db.session.query(HallHead).update({"last_at": BEGIN.replace(month=1)})  # each life begins at one instant
            db.session.commit()
            hall.at = BEGIN
            code = search_items(words)["items"][0]["code"]
            required = [m for m in guide_of(code)["materials"] if m["required"]]
            states = {} if whole else {required[-1]["code"]: "missing"}
            case, self.case_id = hall.receive(item=code, states=states)
            self.number = case["number"]
            department = case["item"]["department"]
            self.actors = {**actors, "approver": self._approver(department)}

        @staticmethod
        def _approver(department: str) -> Actor:
            from app.people.models import Staff

            return hall.staff(db.session.query(Staff.username).filter_by(department=department).limit(1).scalar())

        @property
        def row(self) -> Case:
            db.session.rollback()
            return db.session.get_one(Case, ("luolong", self.case_id))

        def seen(self) -> tuple[Any, ...]:
            """All that a refusal must leave alone."""
            row = self.row
            told = len(eventlog.read_subject("luolong", f"case:{self.case_id}"))
            columns = {column.name: getattr(row, column.key) for column in Case.__table__.columns}
            parts = db.session.query(CaseReview.state).filter_by(hall="luolong", case_id=self.case_id).all()
            return told, columns, parts

        def good(self, who: str, step: CaseStep) -> bool:
            line = line_of(CaseState(self.row.state), step)
            return line is not None and any(self.actors[who].may(permission) for permission in line.who)

        @rule(data=st.data(), step=st.sampled_from(sorted(ATTEMPTS)), able=st.integers(0, 4))
        def push(self, data: st.DataObject, step: CaseStep, able: int) -> None:
            able_to = [who for who in self.actors if self.good(who, step)]
            who = data.draw(st.sampled_from(able_to if able and able_to else sorted(self.actors)))
            action, given = data.draw(st.sampled_from(ATTEMPTS[step]))
            line, before = line_of(CaseState(self.row.state), step), self.seen()
            gap = [m["code"] for m in queries.case_view("luolong", self.case_id, hall.at)["materials"] if m["required"]]
            filled = {name: gap if value == "{gap}" else value for name, value in given.items()}
            hall.later(minutes=7)
            db.session.rollback()
            try:
                hall.do(action, self.actors[who], case_id=self.case_id, **filled)
            except Refusal as refusal:
                assert self.seen() == before, (step, refusal.code)
                if line is None or not self.good(who, step):
                    return
                usual = {"case.illegal_step", "auth.forbidden", "case.material_unknown"}
                assert refusal.code in {*line.guards, *usual}, (line, refusal.code)
                return
            assert line is not None, (before[1]["state"], step)
            assert any(self.actors[who].may(permission) for permission in line.who), (step, who)
            state = CaseState(before[1]["state"])
            followed = line_of(state, FOLLOWS[step]) if step in FOLLOWS else None
            assert self.row.state in {line.to, followed.to if followed else line.to}, (state, step, self.row.state)
            assert self.seen()[0] > before[0], "nothing was told"

        @rule(days=st.integers(1, 9))
        def wait(self, days: int) -> None:
            """Time passes, and the timer does what is due: only its own lines may move the case."""
            before = CaseState(self.row.state)
            waited.append(days)
            hall.later(days=days)
            for sweep in (sweeps.ring_alarms, sweeps.sweep_lights, oversight.tell_signals):
                db.session.rollback()
                hall.do(sweep, SYSTEM)
            complete = [T.COMPLETE] if before is CaseState.CORRECTION else []  # no answer came in time to hold it up
            own = [line_of(before, step) for step in (T.DEEM_ACCEPT, T.DEEM_WITHDRAW, *complete)]
            assert self.row.state in {before, *(line.to for line in own if line)}

        @invariant()
        def clocks_add_up(self) -> None:
            view = queries.case_view("luolong", self.case_id, hall.at)
            for clock in view["clocks"].values():
                limit = clock["limit"]["amount"] * (1 if clock["unit"] == "day" else 60)
                assert clock["used"] + clock["remaining"] >= limit
                assert not (clock["stopped"] and clock["running"])
            state = CaseState(view["state"])
            assert all(line_of(state, CaseStep(step)) for step in view["steps"])

        @invariant()
        def is_filed(self) -> None:
            row = self.row
            assert row.tab == TAB_OF[CaseState(row.state)]
            open_ = [part for part in self.parts() if part.state == "open"]
            assert all(part.tab == row.tab for part in open_)
            assert not open_ or row.state in DECIDING
            if row.state in OVER - {CaseState.DELIVERED}:
                assert set(alarms_of(self.case_id)) <= {Alarm.URGE}  # an answer is owed still

        def parts(self) -> list[CaseReview]:
            return db.session.query(CaseReview).filter_by(hall="luolong", case_id=self.case_id).all()

        def teardown(self) -> None:
            db.session.rollback()

    return Life


@pytest.fixture
def database() -> str:
    return "sqlite"


def test_a_case_lives_by_its_table(spring: Hall) -> None:
    waited: list[int] = []
    run_state_machine_as_test(
        life(spring, waited),
        settings=settings(
            max_examples=12,
            stateful_step_count=18,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
    assert eventlog.verify("luolong") is None
    assert waited
