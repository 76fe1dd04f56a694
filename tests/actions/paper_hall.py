"""A small hall on paper: what the rules say of its numbers and windows, step by step, without any database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.queueing.rules.states import AT_WINDOW, LIVE, TicketState, TicketStep, next_state
from tests.actions.conftest import Hall

REST_S, CAP, BEHIND = 30, 3, 3
HEAD = {"normal": timedelta(), "priority": timedelta(minutes=15)}
WEIGHTS = {"W01": {"A": 10, "B": 0}, "W02": {"A": 0, "B": 5}, "W03": {"B": 0}}
CLERKS = {"W01": "clerk01", "W02": "clerk02", "W03": "clerk03"}
PEOPLE = ({"phone": "13800000001"}, {"phone": "13800000002"})
US = timedelta(microseconds=1)

S, T = TicketState, TicketStep
AT_MINE = {T.RECALL, T.START, T.NEXT_ITEM, T.FINISH, T.NO_SHOW, T.PARK, T.TRANSFER}


@dataclass(slots=True)
class Paper:
    """A number as the model knows it."""

    id: int
    number: str
    queue: str
    lane: str
    person: int | None
    queued: datetime
    state: TicketState = S.WAITING
    window: str | None = None
    to: str | None = None  # the one window it waits for
    deferred: datetime | None = None
    remind: datetime | None = None
    missed: datetime | None = None
    called: datetime | None = None
    recalls: int = 0
    transfers: int = 0
    came: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.came = self.queued


@dataclass(slots=True)
class Place:
    """A window as the model knows it."""

    clerk: str
    paused: bool = False
    free: datetime | None = None


class Model:
    """The hall as the rules say that it must be: papers, windows, and whose turn it is, found the long way."""

    hall: Hall
    papers: dict[int, Paper]
    places: dict[str, Place]

    def pool(self, queue: str) -> list[Paper]:
        found = [p for p in self.papers.values() if (p.state, p.queue, p.to) == (S.WAITING, queue, None)]
        return sorted(found, key=lambda p: (p.queued - HEAD[p.lane], p.id))

    def at(self, window: str) -> Paper | None:
        return next((p for p in self.papers.values() if p.window == window and p.state in AT_WINDOW), None)

    def turn(self, window: str) -> Paper | None:
        """Whose turn it is, found the long way: over everybody who may be called there."""
        standing = []
        for p in self.papers.values():
            if p.state != S.WAITING or (p.to or window) != window:
                continue
            if p.to is None and p.queue not in WEIGHTS[window]:
                continue
            early = HEAD[p.lane] + timedelta(minutes=WEIGHTS[window].get(p.queue, 0))
            standing.append((p.queued - early - timedelta(days=p.to is not None), p.id, p))
        sent = [s for s in standing if s[2].to]  # of those sent there only the first stands with the others
        if sent:
            first = min(sent, key=lambda s: (s[2].queued, s[1]))
            standing = [s for s in standing if not s[2].to or s is first]
        return min(standing)[2] if standing else None

    def other_live(self, paper: Paper, queue: str) -> bool:
        return paper.person is not None and any(
            (p.person, p.queue) == (paper.person, queue) and p.state in LIVE and p is not paper
            for p in self.papers.values()
        )

    def call(self, paper: Paper, window: str) -> None:
        paper.state, paper.window, paper.to = S.CALLED, window, None
        paper.called, paper.recalls, paper.remind = self.hall.at, 0, None
        self.places[window].free = None

    def leave(self, paper: Paper) -> None:
        self.places[paper.window or ""].free = self.hall.at

    def behind(self, paper: Paper) -> None:
        ranks = [p.queued - HEAD[p.lane] for p in self.pool(paper.queue)[:BEHIND]]
        place = ranks[-1] + HEAD[paper.lane] + US if ranks else paper.queued
        paper.queued = max(paper.queued, place)
        paper.state, paper.window, paper.to, paper.deferred, paper.remind = S.WAITING, None, None, None, None

    def expected(self, step: TicketStep, paper: Paper, who: str, window: str, target: str) -> str | None:
        """The refusal that the rules name first, or none."""
        legal = next_state(paper.state, step) is not None
        if step in (T.UNPARK, T.REJOIN) and (paper.deferred is None) == (step == T.REJOIN):
            legal = False
        if not legal:
            return "ticket.illegal_step"
        seat = self.places.get(paper.window or "")
        at_mine = step in AT_MINE or (step == T.ABANDON and paper.state in AT_WINDOW)
        if at_mine and (seat is None or seat.clerk != who):
            return "ticket.not_at_window"
        if step == T.RECALL and paper.recalls >= 3:
            return "ticket.recall_limit"
        if step == T.RECALL and self.hall.at - (paper.called or self.hall.at) < timedelta(seconds=10):
            return "ticket.recall_too_soon"
        if step == T.RESTORE and self.hall.at - (paper.missed or self.hall.at) > timedelta(minutes=30):
            return "ticket.restore_too_late"
        if step == T.RESTORE and self.other_live(paper, paper.queue):
            return "ticket.live_elsewhere"
        if step == T.REJOIN and self.hall.at - (paper.deferred or self.hall.at) > timedelta(minutes=60):
            return "ticket.rejoin_too_late"
        if step == T.UNPARK:
            there = self.places.get(window)
            if there is None or there.paused:
                return "window.not_open"
            if there.clerk != who:
                return "window.not_yours"
            return "window.occupied" if self.at(window) else None
        if step == T.TRANSFER:
            if paper.transfers >= CAP:
                return "ticket.transfer_limit"
            if target in WEIGHTS:
                there = self.places.get(target)
                return "window.not_open" if there is None or there.paused else None
            return "ticket.live_elsewhere" if self.other_live(paper, target) else None
        return None

    def after(self, step: TicketStep, paper: Paper, window: str, target: str, place: str) -> None:
        """What a step makes of the model."""
        state = next_state(paper.state, step)
        assert state is not None
        if step in (T.RESTORE, T.REJOIN):
            return self.behind(paper)
        if step == T.UNPARK:
            return self.call(paper, window)
        if paper.state in AT_WINDOW and state not in AT_WINDOW:
            self.leave(paper)
        if step == T.TRANSFER:
            to = target if target in WEIGHTS else None
            queue = paper.queue if to else target
            first = min(paper.came, self.before_all(paper, queue, to))
            paper.queued = {"first": first, "sorted": paper.came, "last": self.hall.at}[place]
            paper.queue, paper.to, paper.window = queue, to, None
            paper.transfers += 1
        if step == T.RECALL:
            paper.recalls, paper.called = paper.recalls + 1, self.hall.at
        if step == T.NO_SHOW:
            paper.missed = self.hall.at
        if step == T.DEFER:
            paper.deferred, paper.remind = self.hall.at, self.hall.at + timedelta(minutes=60)
        if step == T.PARK:
            paper.remind = self.hall.at + timedelta(minutes=20)
        if step in (T.CANCEL, T.ABANDON):
            paper.remind = None
        paper.state = state
        return None

    def before_all(self, paper: Paper, queue: str, to: str | None) -> datetime:
        if to is None:
            first = self.pool(queue)[:1]
            return first[0].queued - HEAD[first[0].lane] + HEAD[paper.lane] - US if first else paper.came
        sent = [p.queued for p in self.papers.values() if p.to == to and p.state == S.WAITING]
        return min(sent) - US if sent else paper.came
