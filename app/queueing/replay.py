"""Playing a day again (窗口均衡): the record's own day under the real rule, with other windows or other rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from app import eventlog
from app.db import db
from app.errors import Refusal
from app.eventlog import EventRow
from app.events import PolicyChanged, WindowDefined, decode
from app.events.queue import POLICY
from app.hall.models import Hall, Window
from app.hall.queries import schedule
from app.hall.rules.calendar import CalendarUnknown
from app.now import SHANGHAI, iso, local
from app.queueing import days
from app.queueing.models import Queue, WindowQueue
from app.queueing.rules.balance import Balance, Suggestion, Waits, measure, suggest
from app.queueing.rules.changes import Changes, Lesson, Opening, changed
from app.queueing.rules.day import Day, Span
from app.queueing.rules.policy import Policy, PolicyInvalid, read_policy, write_policy
from app.queueing.rules.record import Kept, fold
from app.queueing.rules.simulate import Outcome, run

MOST_CHANGES = 60
POLICY_FIELDS = ("ratio", "call_by_min", "head_start_min", "conditions", "dispatch", "rest_s")


def day_of(hall: str, day: date, at: datetime) -> Kept:
    """A day as the record tells it; of today, what has been until `at`. Refuses hall.unknown, request.invalid."""
    begins, ends = days.span(day)
    if db.session.execute(select(Hall.code).where(Hall.code == hall)).scalar_one_or_none() is None:
        raise Refusal("hall.unknown", hall=hall)
    rows = eventlog.between(hall, begins, min(ends, at + timedelta(microseconds=1)))
    last = rows[-1].seq if rows else 0
    given = {"weights": weights_on(hall, last), "policy": policy_on(hall, last)}
    return fold(rows, begins=begins, until=min(ends, at), **given)


def policy_on(hall: str, seq: int) -> Policy:
    """The rules of calling that were in force at a place in the record."""
    found = _last(hall, POLICY, PolicyChanged.kind, seq)
    if found is not None:
        return read_policy(found["policy"])
    if _last(hall, POLICY, PolicyChanged.kind, None) is not None:
        return Policy()  # the first change came later
    settings = db.session.execute(select(Hall.settings).where(Hall.code == hall)).scalar_one()
    return read_policy(settings.get("queue", {}))


def weights_on(hall: str, seq: int) -> dict[str, dict[str, int]]:
    """Which window served which queues, with what weights, at a place in the record."""
    own: dict[str, dict[str, int]] = {}
    columns = (WindowQueue.window, WindowQueue.queue, WindowQueue.weight_min)
    for window, queue, weight in db.session.execute(select(*columns).where(WindowQueue.hall == hall)):
        own.setdefault(window, {})[queue] = weight
    for window in db.session.execute(select(Window.code).where(Window.hall == hall)).scalars():
        found = _last(hall, f"window:{window}", WindowDefined.kind, seq)
        if found is not None and len(found.get("weights", ())) == len(found["queues"]):
            own[window] = dict(zip(found["queues"], found["weights"], strict=True))
    return own


def _last(hall: str, subject: str, kind: str, seq: int | None) -> dict[str, Any] | None:
    """The fields of the last such event, up to a place in the record."""
    query = select(EventRow.body).where(EventRow.hall == hall, EventRow.subject == subject, EventRow.kind == kind)
    if seq is not None:
        query = query.where(EventRow.seq <= seq)
    body = db.session.execute(query.order_by(EventRow.seq.desc()).limit(1)).scalar_one_or_none()
    return None if body is None else vars(decode(kind, body))


# ── what if ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Wish:
    """What somebody wants to try, read and found possible; `said` is the same as plain data."""

    changes: Changes
    said: dict[str, Any]


def read_changes(hall: str, day: date, kept: Kept, data: Mapping[str, Any]) -> Wish:
    """Changes as people give them: `open` [{window, queues, from, until}], `teach` [{window, queue, weight_min}], and the
    fields of a policy that are to be other than they were (`ratio`, `call_by_min`, `head_start_min`, `conditions` …).
    `comprehensive`: every window serves all queues.

    `queues` is a list, or {queue: minutes}. Without `from` and `until` a window is open whenever the doors are.
    Refuses window.unknown, queue.unknown, policy.invalid, replay.too_many.
    """
    windows = set(db.session.execute(select(Window.code).where(Window.hall == hall)).scalars())
    queues = set(db.session.execute(select(Queue.code).where(Queue.hall == hall)).scalars())
    open_, teach = list(data.get("open") or ()), list(data.get("teach") or ())
    if len(open_) + len(teach) > MOST_CHANGES:
        raise Refusal("replay.too_many", most=MOST_CHANGES)
    openings = []
    for each in open_:
        given = each["queues"]
        weights = dict(given) if isinstance(given, Mapping) else dict.fromkeys(given, 0)
        _known(each["window"] in windows, set(weights) <= queues)
        hours = _hours(hall, day, each.get("from"), each.get("until"))
        openings.append(Opening(each["window"], weights, hours))
    for each in teach:
        _known(each["window"] in windows, each["queue"] in queues)
    lessons = tuple(Lesson(each["window"], each["queue"], int(each.get("weight_min") or 0)) for each in teach)
    policy = _policy(kept.day.policy, data)
    changes = Changes(tuple(openings), lessons, policy, bool(data.get("comprehensive")))
    return Wish(changes, said_changes(changes, kept.day.policy))


def _known(window: bool, queue: bool) -> None:
    if not window:
        raise Refusal("window.unknown")
    if not queue:
        raise Refusal("queue.unknown")


def _policy(own: Policy, data: Mapping[str, Any]) -> Policy | None:
    wanted = {name: data[name] for name in POLICY_FIELDS if name in data}
    if not wanted:
        return None
    try:
        return read_policy({**write_policy(own), **wanted})
    except PolicyInvalid as invalid:
        raise Refusal("policy.invalid", field=invalid.field) from invalid


def doors(hall: str, day: date) -> tuple[Span, ...]:
    """When the hall was open; its daily hours where no calendar says."""
    known = schedule(hall)
    try:
        return known.open_intervals(day) or tuple(known.ordinary(day))
    except CalendarUnknown:
        return tuple(known.ordinary(day))


def _hours(hall: str, day: date, begin: str | None, end: str | None) -> tuple[Span, ...]:
    if not begin and not end:
        return doors(hall, day)
    try:
        first, last = (time.fromisoformat(each or other) for each, other in ((begin, "00:00"), (end, "23:59")))
    except ValueError:
        raise Refusal("request.invalid", detail="from, until: HH:MM") from None
    span = datetime.combine(day, first, SHANGHAI), datetime.combine(day, last, SHANGHAI)
    if span[1] <= span[0]:
        raise Refusal("request.invalid", detail="from < until")
    return (span,)


def said_changes(changes: Changes, own: Policy) -> dict[str, Any]:
    """Changes as plain data that `read_changes` takes again."""
    said: dict[str, Any] = {"comprehensive": True} if changes.comprehensive else {}
    if changes.open:
        said["open"] = [
            {"window": each.window, "queues": dict(each.weight_min), "from": f"{begin:%H:%M}", "until": f"{end:%H:%M}"}
            for each in changes.open
            for begin, end in ((local(begin), local(end)) for begin, end in each.hours)
        ]
    if changes.teach:
        said["teach"] = [
            {"window": each.window, "queue": each.queue, "weight_min": each.weight_min} for each in changes.teach
        ]
    if changes.policy is not None:
        before, after = write_policy(own), write_policy(changes.policy)
        said |= {name: after[name] for name in POLICY_FIELDS if after[name] != before[name]}
    return said


def what_if(kept: Kept, changes: Changes) -> dict[str, Any]:
    """The day as it was recorded, as the simulation says it was, and as it would have been. Minutes, one decimal."""
    day = kept.day
    before, after = run(day), run(day, changes)
    other = changed(day, changes)
    first, second = measure(day, before), measure(other, after)
    return {
        "people": len(day.visits),
        "recorded": waits_said(_recorded(kept).everybody),
        "before": balance_said(first),
        "after": balance_said(second),
        "saved_min": round(first.waiting_min - second.waiting_min),
        "drift": drift(kept, before),
    }


def drift(kept: Kept, simulated: Outcome) -> dict[str, Any]:
    """How far the simulated day is from the recorded one: calls of another window, and the mean difference of waits."""
    same = [ticket for ticket in kept.waits if ticket in simulated.waits]
    apart = [abs(kept.waits[ticket] - simulated.waits[ticket]) / 60 for ticket in same]
    recorded = {(each.ticket, each.turn): each.window for each in kept.calls}
    agree = sum(recorded.get((each.ticket, each.turn)) == each.window for each in simulated.calls)
    return {
        "calls": len(kept.calls),
        "same_window": agree,
        "mean_min": round(sum(apart) / len(apart), 1) if apart else 0.0,
        "chosen": kept.chosen,
    }


def _recorded(kept: Kept) -> Balance:
    return measure(kept.day, Outcome(kept.calls, kept.waits, (), ()))


def balance_said(found: Balance) -> dict[str, Any]:
    """A day's figures as plain data."""
    return {
        **waits_said(found.everybody),
        "unserved": found.unserved,
        "waiting_min": round(found.waiting_min),
        "queues": [{"queue": queue, **waits_said(waits)} for queue, waits in found.queues.items()],
        "windows": [
            {
                "window": load.window,
                "calls": load.calls,
                **{name: round(getattr(load, name)) for name in ("open", "busy", "idle", "cold")},
            }
            for load in found.windows
        ],
        "curve": [{"at": iso(at), "mean": round(mean, 1), "people": people} for at, mean, people in found.curve],
    }


def waits_said(found: Waits) -> dict[str, Any]:
    figures = {name: round(getattr(found, name), 1) for name in ("mean", "p50", "p90", "most")}
    return {"people": found.people, "served": found.served, **figures}


def suggestions(hall: str, day: date, kept: Kept) -> list[dict[str, Any]]:
    """What would have helped, the most first: `changes` as `read_changes` takes them, and what they save."""
    everything: Sequence[str] = (
        db.session.execute(
            select(Window.code)
            .where(Window.hall == hall, Window.active, Window.kind == "comprehensive")
            .order_by(Window.code)
        )
        .scalars()
        .all()
    )
    used = {desk.window for desk in kept.day.desks}
    found = suggest(kept.day, [code for code in everything if code not in used], doors(hall, day))
    return [_suggested(each, kept.day) for each in found]


def _suggested(each: Suggestion, day: Day) -> dict[str, Any]:
    said = said_changes(each.changes, day.policy)
    return {"changes": said, "saved_min": round(each.saved_min), "mean_min": round(each.mean_min, 1)}


def names(hall: str) -> dict[str, list[dict[str, Any]]]:
    """The windows and queues that a change may speak of, with their names."""
    windows = select(Window).where(Window.hall == hall, Window.active, Window.kind == "comprehensive")
    queues = select(Queue).where(Queue.hall == hall).order_by(Queue.prefix)
    return {
        "windows": [
            {"code": row.code, "name": row.name_zh, "name_en": row.name_en}
            for row in db.session.execute(windows.order_by(Window.code)).scalars()
        ],
        "queues": [
            {"code": row.code, "name": row.name_zh, "name_en": row.name_en}
            for row in db.session.execute(queues).scalars()
        ],
    }
