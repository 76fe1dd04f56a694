"""Whole days of a small hall, at random: the real actions do what a small model of the rules says, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from app import eventlog
from app.catalog.models import ServiceItem
from app.db import db
from app.errors import Refusal
from app.events import CITIZEN, SYSTEM
from app.events.base import KINDS
from app.queueing import calls, closing, dispatch, queries, setup, tickets, windows
from app.queueing.models import Call, Service, Ticket, WindowPause, WindowSession
from app.queueing.rules.states import AT_WINDOW, LIVE, TicketState, TicketStep, legal_steps
from displays import frames
from tests.actions.conftest import Hall
from tests.actions.looking import set_policy
from tests.actions.paper_hall import BEHIND, CAP, CLERKS, HEAD, PEOPLE, REST_S, WEIGHTS, Model, Paper, Place

S, T = TicketState, TicketStep
STEPS: dict[TicketStep, Any] = {
    T.RECALL: calls.recall,
    T.START: calls.start,
    T.NEXT_ITEM: calls.next_item,
    T.FINISH: calls.finish,
    T.NO_SHOW: calls.no_show,
    T.RESTORE: calls.restore,
    T.PARK: calls.park,
    T.UNPARK: calls.unpark,
    T.TRANSFER: calls.transfer,
    T.ABANDON: calls.abandon,
    T.CANCEL: tickets.cancel_ticket,
    T.DEFER: tickets.defer_ticket,
    T.REJOIN: tickets.rejoin_ticket,
}


def life(hall: Hall, item: str) -> type[RuleBasedStateMachine]:
    """The machine, bound to a hall; each life is a day of its own."""

    class Day(Model, RuleBasedStateMachine):
        @initialize(dispatching=st.booleans(), people=st.integers(7, 12))
        def morning(self, dispatching: bool, people: int) -> None:
            hall.at = (hall.at + timedelta(days=1)).replace(hour=9, minute=0, second=0)
            self.hall, self.papers, self.places = hall, {}, {}
            self.stopped = False
            self.dispatching = dispatching
            set_policy(dispatch=dispatching, rest_s=REST_S, transfer_cap=CAP, restore_behind=BEHIND)
            for window in ("W01", "W02"):
                self.open(window, window, over=False)
            for n in range(people):
                self.take("AAAB"[n % 4], "priority" if n % 4 == 2 else "normal", None if n % 3 else n // 3 % 2)
            for step in (T.PARK, T.NO_SHOW):  # one is set aside already, one was missed, one stands there
                self.next("W01", foreign=5)
                paper = self.at("W01")
                assert paper
                if step == T.PARK:
                    self.do(T.START, paper, "clerk01", "W01")
                self.do(step, paper, "clerk01", "W01")
            self.next("W01", foreign=5)

        def refused(self, action: Any, who: Any, **given: Any) -> str | None:
            """Do it; the code of the refusal, after which nothing has changed."""
            db.session.rollback()
            before = eventlog.heads()
            db.session.rollback()
            try:
                self.said = hall.do(action, who, **given)
            except Refusal as refusal:
                assert eventlog.heads() == before, refusal.code
                return refusal.code
            finally:
                db.session.rollback()
            return None

        # ── what may happen ──

        @rule(s=st.integers(1, 1500))
        def time_passes(self, s: int) -> None:
            if hall.at.hour < 20:  # midnight has its own tests
                hall.later(seconds=s)

        @rule(
            queue=st.sampled_from("AB"), lane=st.sampled_from(sorted(HEAD)), person=st.sampled_from([None, None, 0, 1])
        )
        def take(self, queue: str, lane: str, person: int | None) -> None:
            hall.later(seconds=1)
            known = None if person is None else PEOPLE[person]
            held = [
                p for p in self.papers.values() if known and (p.person, p.queue) == (person, queue) and p.state in LIVE
            ]
            code = self.refused(tickets.issue_ticket, hall.kiosk, queue=queue, channel="kiosk", lane=lane, person=known)
            if held and held[0].deferred and hall.at - held[0].deferred > timedelta(minutes=60):
                if not self.stopped:
                    held.pop().state = S.EXPIRED
                else:
                    held = []
                    assert code == "queue.closed_for_today"
            if held:
                assert code is None and not self.said["created"] and self.said["number"] == held[0].number
                if held[0].deferred:
                    self.behind(held[0])
            elif self.stopped:
                assert code == "queue.closed_for_today"
            else:
                assert code is None and self.said["created"]
                ticket = int(self.said["id"].rsplit("-", 1)[1])
                self.papers[ticket] = Paper(ticket, self.said["number"], queue, lane, person, hall.at)

        @rule(window=st.sampled_from(sorted(WEIGHTS)), who=st.sampled_from(sorted(WEIGHTS)), over=st.booleans())
        def open(self, window: str, who: str, over: bool) -> None:
            hall.later(seconds=1)
            clerk = CLERKS[who]
            code = self.refused(windows.open_window, clerk, window=window, take_over=over)
            here = self.places.get(window)
            elsewhere = any(p.clerk == clerk for code_, p in self.places.items() if code_ != window)
            if here and here.clerk == clerk:
                assert code is None
                if here.paused:
                    here.paused, here.free = False, hall.at
            elif here and not over:
                assert code == "window.already_open"
            elif elsewhere:
                assert code == "window.staff_elsewhere"
            else:
                assert code is None
                self.places[window] = Place(clerk, free=None if self.at(window) else hall.at)

        @rule(window=st.sampled_from(sorted(WEIGHTS)), who=st.sampled_from(sorted(WEIGHTS)), pause=st.booleans())
        def rest(self, window: str, who: str, pause: bool) -> None:
            hall.later(seconds=1)
            action, more = (windows.pause_window, {"reason": "午休"}) if pause else (windows.close_window, {})
            code = self.refused(action, CLERKS[who], window=window, **more)
            here = self.places.get(window)
            if here is None or (pause and here.paused):
                assert code == "window.not_open"
            elif here.clerk != CLERKS[who]:
                assert code == "window.not_yours"
            elif self.at(window):
                assert code == "window.occupied"
            else:
                assert code is None
                here.paused, here.free = True, None
                for paper in self.papers.values():
                    if paper.to == window and paper.state == S.WAITING:
                        paper.to = None
                if not pause:
                    del self.places[window]

        @rule(data=st.data(), legal=st.integers(1, 5))
        def another_step(self, data: st.DataObject, legal: int) -> None:
            """The same again: most of a day is steps."""
            self.step(data, True, legal)

        @rule(data=st.data())
        def a_visit(self, data: st.DataObject) -> None:
            """Somebody is called and one legal step is taken with them, or with whom they left behind."""
            free = [code for code, seat in self.places.items() if not seat.paused and not self.at(code)]
            if free:
                self.next(data.draw(st.sampled_from(free)), foreign=5)
            for _ in range(2):
                self.step(data, data.draw(st.booleans()), 5)

        @rule(window=st.sampled_from(sorted(WEIGHTS)), foreign=st.integers(0, 5))
        def next(self, window: str, foreign: int) -> None:
            here = self.places.get(window)
            who = CLERKS[window] if here is None or foreign == 0 else here.clerk
            hall.later(seconds=1)
            expected = self.turn(window)
            code = self.refused(calls.call_next, who, window=window)
            if here is None or here.paused:
                assert code == "window.not_open"
            elif here.clerk != who:
                assert code == "window.not_yours"
            elif self.at(window):
                assert code == "window.occupied"
            elif expected is None:
                assert code is None and self.said is None
            else:
                assert code is None and self.said["ticket"]["number"] == expected.number
                self.call(expected, window)

        @rule()
        def dispatch(self) -> None:
            hall.later(seconds=1)
            rested = [
                (place.free, window)
                for window, place in self.places.items()
                if place.free and hall.at - place.free >= timedelta(seconds=REST_S)
            ]
            able = [(free, window) for free, window in rested if self.turn(window)]
            assert self.refused(dispatch.dispatch_next, SYSTEM) is None
            if not self.dispatching or not able:
                assert self.said is None
                return
            longest = min(able)[0]
            assert (longest, self.said["window"]) in able
            expected = self.turn(self.said["window"])
            assert expected and self.said["ticket"]["number"] == expected.number
            self.call(expected, self.said["window"])

        @rule(data=st.data(), at_windows=st.booleans(), legal=st.integers(0, 5))
        def step(self, data: st.DataObject, at_windows: bool, legal: int) -> None:
            every = list(self.papers.values())
            here = [p for p in every if p.state in AT_WINDOW]
            alive = [p for p in every if legal_steps(p.state)]
            paper = data.draw(st.sampled_from(here if here and at_windows else alive if alive and legal else every))
            fit = [s for s in legal_steps(paper.state, deferred=paper.deferred is not None) if s in STEPS]
            step = data.draw(st.sampled_from(fit if fit and legal else sorted(STEPS)))
            mine = self.places.get(paper.window or "")
            window = data.draw(st.sampled_from(sorted(WEIGHTS)))
            who = mine.clerk if mine and legal else CLERKS[window]
            hall.later(seconds=data.draw(st.integers(1, 40)))
            target = data.draw(st.sampled_from(["A", "B", *WEIGHTS]))
            place = data.draw(st.sampled_from(["first", "sorted", "last"]))
            if step == T.UNPARK:
                empty = [code for code, seat in self.places.items() if not seat.paused and not self.at(code)]
                window = data.draw(st.sampled_from(empty)) if empty and legal else window
                who = self.places[window].clerk if empty and legal else who
            self.do(step, paper, who, window, target, place)

        def do(self, step: TicketStep, paper: Paper, who: str, window: str, target: str = "A", place: str = "") -> None:
            """Take a step, and hold what comes of it against the model."""
            given: dict[str, Any] = {}
            if step == T.NEXT_ITEM:
                given = {"item": item}
            elif step == T.PARK:
                given = {"reason": "copy"}
            elif step == T.UNPARK:
                given = {"window": window}
            elif step == T.TRANSFER:
                given = {"queue" if target in "AB" else "window": target, "place": place}
            actor = CITIZEN if step in (T.CANCEL, T.DEFER, T.REJOIN) else who
            wanted = self.expected(step, paper, who, window, target)
            code = self.refused(STEPS[step], actor, ticket_id=paper.id, **given)
            assert code == wanted, (step, paper, code, wanted)
            if code is None:
                self.after(step, paper, window, target, place)

        @rule(later=st.booleans())
        def timer(self, later: bool) -> None:
            rings = [p.remind for p in self.papers.values() if p.remind]
            if later and rings and hall.at.hour < 20:
                hall.at = max(hall.at, min(rings))
            due = [p for p in self.papers.values() if p.remind and p.remind <= hall.at]
            assert self.refused(closing.remind_parked, SYSTEM) is None
            assert self.said["reminded"] == len(due)
            for paper in due:
                paper.remind = None
                if paper.deferred:
                    paper.state = S.EXPIRED

        @rule(resume=st.integers(0, 2), expire=st.booleans())
        def close(self, resume: int, expire: bool) -> None:
            if self.stopped and resume:
                assert self.refused(closing.resume_issuing, "supervisor01") is None
                self.stopped = False
            elif resume == 0:
                assert self.refused(closing.stop_issuing, "supervisor01") is None
                self.stopped = True
            if expire and (self.stopped or resume == 1):
                code = self.refused(closing.expire_rest, "supervisor01", reason="closing")
                assert code == (None if self.stopped else "queue.still_issuing")
                rest = [p for p in self.papers.values() if p.state in (S.WAITING, S.PARKED, S.NO_SHOW)]
                for paper in rest if self.stopped else []:
                    paper.state, paper.remind = S.EXPIRED, None

        # ── what always holds ──

        @invariant()
        def every_ticket_is_where_the_model_has_it(self) -> None:
            rows = db.session.execute(select(Ticket).where(Ticket.hall == "luolong", Ticket.day == hall.at.date()))
            found = {r.id: r for r in rows.scalars()}
            assert found.keys() == self.papers.keys()
            for p in self.papers.values():
                row = found[p.id]
                assert (row.state, row.queue, row.number) == (p.state, p.queue, p.number)
                if p.state in (S.WAITING, *AT_WINDOW):
                    assert (row.window, row.to_window, row.transfers) == (p.window, p.to, p.transfers)
                if p.state in LIVE:
                    assert row.remind_at == p.remind and (row.deferred_at or None) == p.deferred
            db.session.rollback()

        @invariant()
        def who_waits_stands_in_the_order_of_the_model(self) -> None:
            for queue in "AB":
                shown = queries.waiting_numbers("luolong", queue, hall.at.date())
                assert shown == [p.number for p in self.pool(queue)]
            db.session.rollback()

        @invariant()
        def calls_services_and_seats_are_those_of_the_windows(self) -> None:
            open_calls = db.session.execute(select(Call.ticket_id, Call.window).where(Call.ended_at.is_(None))).all()
            here = {(p.id, p.window) for p in self.papers.values() if p.state in AT_WINDOW}
            assert {tuple(row) for row in open_calls} == here
            services = db.session.execute(select(Service.ticket_id).where(Service.ended_at.is_(None))).scalars()
            assert set(services) == {p.id for p in self.papers.values() if p.state == S.SERVING}
            seats = db.session.execute(select(WindowSession).where(WindowSession.state != "closed")).scalars()
            sat = {s.window: (s.staff, s.state, s.free_at) for s in seats}
            assert sat == {
                window: (place.clerk, "paused" if place.paused else "open", place.free)
                for window, place in self.places.items()
            }
            pauses = db.session.execute(select(WindowPause.window).where(WindowPause.to_at.is_(None))).scalars()
            assert set(pauses) == {window for window, place in self.places.items() if place.paused}
            db.session.rollback()

        def teardown(self) -> None:
            """The evening: the board says what the model says; what is left is ended, and the record holds."""
            if not hasattr(self, "papers"):
                return
            db.session.rollback()
            state = frames.empty("luolong")
            for recorded in eventlog.read("luolong", 0, 1_000_000):
                state = frames.fold(state, recorded)
            db.session.rollback()
            drawn = frames.frame(state)
            if len(self.papers) and drawn["day"] == hall.at.date().isoformat():
                assert {(s["number"], s["window"], s["state"]) for s in drawn["now_serving"]} == {
                    (p.number, p.window, p.state.value) for p in self.papers.values() if p.state in AT_WINDOW
                }
                shown = {q["code"]: q["waiting"] for q in drawn["queues"]}
                for queue in "AB":
                    waits = [p for p in self.papers.values() if (p.state, p.queue) == (S.WAITING, queue)]
                    assert shown[queue] == len(waits)
            for window, place in self.places.items():
                paper = self.at(window)
                if paper and paper.state == S.SERVING:
                    hall.do(calls.finish, place.clerk, ticket_id=paper.id)
                elif paper:
                    hall.do(calls.abandon, place.clerk, ticket_id=paper.id)
                hall.do(windows.close_window, place.clerk, window=window)
            if self.stopped:
                hall.do(closing.resume_issuing, "supervisor01")
            db.session.rollback()
            hall.do(closing.close_day, SYSTEM, before=(hall.at + timedelta(days=1)).date().isoformat())
            db.session.rollback()

    return Day


@pytest.fixture
def small(hall: Hall) -> Iterator[Hall]:
    """A hall of two queues and three windows."""
    for window, queues in WEIGHTS.items():
        hall.do(setup.assign_queues, "admin01", window=window, queues=queues)
    yield hall


def test_a_hall_lives_by_its_rules(small: Hall) -> None:
    item = db.session.execute(select(ServiceItem.code).limit(1)).scalar_one()
    db.session.rollback()
    run_state_machine_as_test(
        life(small, item),
        settings=settings(
            max_examples=20,
            stateful_step_count=50,
            deadline=None,
            phases=[Phase.generate],  # a day is short enough to read, and making it shorter takes many days
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
    assert eventlog.verify("luolong") is None
    seen = {recorded.event.kind for recorded in eventlog.read("luolong", 0, 1_000_000)}
    db.session.rollback()
    wanted = {kind for kind in KINDS if kind.startswith(("ticket.", "window.", "issuing."))}
    assert len(wanted - seen) <= 4, "the days were too dull: which steps are drawn is chance, but most must have been"


def test_the_machine_tries_every_step_of_the_table() -> None:
    assert set(STEPS) | {T.CALL, T.EXPIRE} == set(TicketStep)
