"""What a hall's screens show: the record folded, event by event, into one small state, and the whole frame drawn from it.

Pure: the relay stores the state beside its cursor and hands in each recorded event once, in order. The state holds
counts of those who wait and the few tickets that stand at windows, are set aside or were missed; tickets that are done
leave nothing behind. It is a JSON value and knows no person.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.events import (
    DayClosed,
    Event,
    HallDefined,
    ItemFollowed,
    QueueDefined,
    Recorded,
    TicketCalled,
    TicketDeferred,
    TicketEvent,
    TicketIssued,
    TicketMissed,
    TicketParked,
    TicketRecalled,
    TicketRejoined,
    TicketReminded,
    TicketRestored,
    TicketStarted,
    TicketTransferred,
    TicketUnparked,
    WindowClosed,
    WindowDefined,
    WindowOpened,
    WindowPaused,
    WindowTakenOver,
    ZoneDefined,
)
from displays import voice

SHANGHAI = ZoneInfo("Asia/Shanghai")
RECENT = 7  # calls on a board, and on the board of each zone
MISSED = 8  # missed numbers of each zone on screen

_CALLS = (TicketCalled, TicketRecalled, TicketUnparked)
_INTO_QUEUE = (TicketIssued, TicketRejoined, TicketRestored, TicketTransferred)
_STAY = (ItemFollowed, TicketReminded)  # the ticket stays where it is
_WINDOW_STATES = {WindowOpened: "open", WindowPaused: "paused", WindowClosed: "closed", WindowTakenOver: "open"}
_KINDS = {"comprehensive": 0, "pickup": 1, "consult": 2}


class FrameGap(Exception):
    """The event is not the next one: read the record again from `after`."""

    def __init__(self, hall: str, after: int, seq: int) -> None:
        super().__init__(f"{hall}: event {seq} does not follow {after}")
        self.hall, self.after, self.seq = hall, after, seq


def empty(hall: str) -> dict[str, Any]:
    """The state of a hall of which nothing has been read yet: seq 0."""
    return {
        "hall": hall,
        "name_zh": hall,
        "name_en": hall,
        "seq": 0,
        "at": None,
        "day": None,
        "zones": {},
        "queues": {},
        "windows": {},
        "waiting": {},  # queue → how many; no entry for none
        "held": {},  # ticket → called, serving, missed, or aside (parked); who waits is only counted
        "recent": [],  # calls, newest first
    }


def fold(state: dict[str, Any], recorded: Recorded) -> dict[str, Any]:
    """The state after one more event, as a new value; an event already folded changes nothing.

    Raises FrameGap when events are missing before this one, ValueError for another hall's event.
    """
    if recorded.hall != state["hall"]:
        raise ValueError(f"an event of {recorded.hall} has no place on the screens of {state['hall']}")
    if recorded.seq <= state["seq"]:
        return state
    if recorded.seq != state["seq"] + 1:
        raise FrameGap(state["hall"], state["seq"], recorded.seq)
    after = {**state, "seq": recorded.seq, "at": _wall(recorded.at)}
    after.update(_morning(after, recorded))
    after.update(_changed(after, recorded))
    return after


def frame(state: dict[str, Any]) -> dict[str, Any]:
    """The whole board of the contract, newest first; `at` is the instant of the last event, None before the first."""
    windows = _windows(state)
    queues = _queues(state)
    return {
        "hall": state["hall"],
        "hall_name_zh": state["name_zh"],
        "hall_name_en": state["name_en"],
        "seq": state["seq"],
        "at": state["at"],
        "day": state["day"],
        "now_serving": _now_serving(state),
        "missed": _missed(state),
        "zones": _zones(state, queues, windows),
        "queues": queues,
        "windows": windows,
        "recent": [_shown(state, call) for call in state["recent"][:RECENT]],
    }


def call(state: dict[str, Any], recorded: Recorded) -> dict[str, Any] | None:
    """The `call` message of an event that calls somebody, else None. `state` gives the names of windows and zones."""
    event = recorded.event
    if not isinstance(event, _CALLS):
        return None
    recall = event.recall if isinstance(event, TicketRecalled) else 0
    window = _window(state, event.window)
    message: dict[str, Any] = {
        "seq": recorded.seq,
        "hall": recorded.hall,
        "number": event.number,
        "window": event.window,
        "window_name_zh": window["name_zh"],
        "window_name_en": window["name_en"],
        "window_kind": window["kind"],
        "queue": event.queue,
        "zone": _zone(state, event.queue, event.window),
        "recall": recall,
        "at": _wall(recorded.at),
        "text_zh": voice.text_zh(event.number, event.window, window["kind"], recall),
        "text_en": voice.text_en(event.number, event.window, window["kind"], recall),
    }
    message["clips"] = {
        language: {
            "full": voice.clips(message, language),
            "short": voice.clips(message, language, short=True),
        }
        for language in ("zh", "en")
    }
    return message


# ── folding ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _morning(state: dict[str, Any], recorded: Recorded) -> dict[str, Any]:
    """The first ticket of a new business day, or whatever else is first recorded on it, clears yesterday's lists."""
    event = recorded.event
    day = event.day if isinstance(event, TicketEvent) else _wall(recorded.at)[:10]
    if state["day"] is not None and day <= state["day"]:
        return {}
    return {"day": day, "waiting": {}, "held": {}, "recent": []}


def _changed(state: dict[str, Any], recorded: Recorded) -> dict[str, Any]:
    """The parts of the state that the event changes."""
    match recorded.event:
        case TicketEvent():
            return _ticket(state, recorded, recorded.event)
        case WindowOpened() | WindowPaused() | WindowClosed() | WindowTakenOver() as e:
            known = _window(state, e.window)
            return {"windows": {**state["windows"], e.window: {**known, "state": _WINDOW_STATES[type(e)]}}}
        case DayClosed(day=day) if day >= state["day"]:
            return _closed(state)
        case HallDefined(hall=hall, name_zh=zh, name_en=en) if hall == state["hall"]:
            return {"name_zh": zh, "name_en": en}
        case ZoneDefined() as e:
            return {"zones": {**state["zones"], e.zone: {"name_zh": e.name_zh, "name_en": e.name_en}}}
        case QueueDefined() as e:
            names = {"prefix": e.prefix, "name_zh": e.name_zh, "name_en": e.name_en}
            return {"queues": {**state["queues"], e.queue: {**names, "zone": e.zone, "active": e.active}}}
        case WindowDefined() as e:
            defined = {
                "kind": e.window_kind,
                "name_zh": e.name_zh,
                "name_en": e.name_en,
                "zone": e.zone,
                "queues": list(e.queues),
                "active": e.active,
                "state": _window(state, e.window)["state"],
            }
            return {"windows": {**state["windows"], e.window: defined}}
    return {}


def _ticket(state: dict[str, Any], recorded: Recorded, event: TicketEvent) -> dict[str, Any]:
    """One step of one ticket; stragglers of a day before count no more."""
    if event.day < state["day"] or isinstance(event, _STAY):
        return {}
    key = str(event.ticket)  # JSON keys are text
    held = dict(state["held"])
    was = held.pop(key, None)
    waiting = dict(state["waiting"])
    if was is None and not isinstance(event, TicketIssued):  # who is not held was waiting
        left = event.from_queue if isinstance(event, TicketTransferred) else event.queue
        waiting[left] = waiting.get(left, 0) - 1
    if isinstance(event, _INTO_QUEUE):
        waiting[event.queue] = waiting.get(event.queue, 0) + 1
    now = _held(was, event, recorded)
    recent = state["recent"]
    if now is not None:
        held[key] = now
        if isinstance(event, _CALLS):
            recent = _with_call(state, recent, now)
    waiting = {queue: n for queue, n in waiting.items() if n}
    return {"waiting": waiting, "held": held, "recent": recent}


def _held(was: dict[str, Any] | None, event: Event, recorded: Recorded) -> dict[str, Any] | None:
    """The ticket as it is held after its event; None when it waits in a queue or is done."""
    match event:
        case TicketCalled() | TicketRecalled() | TicketUnparked() as e:
            stands = {"state": "called", "recall": e.recall if isinstance(e, TicketRecalled) else 0}
        case TicketStarted() as e:
            if was is not None:  # the instant and place of a call stay what they were
                return {**was, "state": "serving", "window": e.window}
            stands = {"state": "serving", "recall": 0}
        case TicketMissed() as e:
            stands = {"state": "missed", "recall": 0}
        case TicketParked() | TicketDeferred() as e:  # who went away of their own accord is at no window
            stands = {"state": "aside", "recall": 0}
        case _:
            return None
    entry = {
        "number": e.number,
        "queue": e.queue,
        "at": _wall(recorded.at),
        "seq": recorded.seq,
    }
    return {"window": getattr(e, "window", ""), **entry, **stands}


def _with_call(state: dict[str, Any], recent: list[dict[str, Any]], called: dict[str, Any]) -> list[dict[str, Any]]:
    """Recent calls with one more in front; of each number the last call, of each zone the last few."""
    entry = {k: called[k] for k in ("seq", "number", "window", "queue", "at", "recall")}
    kept, in_zone = [entry], {_zone(state, entry["queue"], entry["window"]): 1}
    for old in recent:
        if old["number"] == entry["number"]:
            continue
        zone = _zone(state, old["queue"], old["window"])
        in_zone[zone] = in_zone.get(zone, 0) + 1
        if len(kept) < RECENT or in_zone[zone] <= RECENT:
            kept.append(old)
    return kept


def _closed(state: dict[str, Any]) -> dict[str, Any]:
    """After closing: only who still stands at a window is shown. Missed tickets stay known until each has expired."""
    held = {k: {**t, "state": "aside"} if t["state"] == "missed" else t for k, t in state["held"].items()}
    return {"held": held, "recent": []}


# ── drawing ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _now_serving(state: dict[str, Any]) -> list[dict[str, Any]]:
    at_windows = [t for t in state["held"].values() if t["state"] in ("called", "serving")]
    return [
        {**_shown(state, t), "state": t["state"], "queue": t["queue"]}
        for t in sorted(at_windows, key=lambda t: t["seq"], reverse=True)
    ]


def _missed(state: dict[str, Any]) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = []
    in_zone: dict[str, int] = {}
    for t in sorted(state["held"].values(), key=lambda t: t["seq"], reverse=True):
        if t["state"] != "missed":
            continue
        zone = _zone(state, t["queue"], t["window"])
        in_zone[zone] = in_zone.get(zone, 0) + 1
        if in_zone[zone] <= MISSED:
            shown.append({"number": t["number"], "window": t["window"], "at": t["at"], "zone": zone})
    return shown


def _queues(state: dict[str, Any]) -> list[dict[str, Any]]:
    rows = []
    for code in sorted(state["queues"].keys() | state["waiting"].keys()):
        queue = state["queues"].get(code) or _unnamed_queue(code)
        waiting = state["waiting"].get(code, 0)
        if not (queue["active"] or waiting):
            continue
        open_here = [w for w in state["windows"].values() if w["state"] == "open" and code in w["queues"]]
        rows.append(
            {
                "code": code,
                "prefix": queue["prefix"],
                "name": queue["name_zh"],
                "name_zh": queue["name_zh"],
                "name_en": queue["name_en"],
                "zone": queue["zone"],
                "waiting": waiting,
                "windows_open": len(open_here),
            }
        )
    return rows


def _windows(state: dict[str, Any]) -> list[dict[str, Any]]:
    at_window = {t["window"]: t for t in state["held"].values() if t["state"] in ("called", "serving")}
    rows = []
    for code, window in sorted(state["windows"].items(), key=lambda w: (_KINDS.get(w[1]["kind"], 9), w[0])):
        ticket = at_window.get(code)
        if not (window["active"] or ticket):
            continue
        rows.append(
            {
                "code": code,
                "kind": window["kind"],
                "name_zh": window["name_zh"],
                "name_en": window["name_en"],
                "zone": window["zone"],
                "queues": window["queues"],
                "state": window["state"],
                "number": ticket["number"] if ticket else None,
                "ticket_state": ticket["state"] if ticket else None,
            }
        )
    return rows


def _zones(state: dict[str, Any], queues: list[dict[str, Any]], windows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each zone with its own count and its own last calls, for boards that hang in one zone."""
    rows = []
    for code, zone in sorted(state["zones"].items()):
        calls = [_shown(state, c) for c in state["recent"] if _zone(state, c["queue"], c["window"]) == code]
        rows.append(
            {
                "zone": code,
                **zone,
                "waiting": sum(q["waiting"] for q in queues if q["zone"] == code),
                "windows_open": sum(w["state"] == "open" for w in windows if w["zone"] == code),
                "recent": calls[:RECENT],
            }
        )
    return rows


def _shown(state: dict[str, Any], called: dict[str, Any]) -> dict[str, Any]:
    window = _window(state, called["window"])
    return {
        "seq": called["seq"],
        "number": called["number"],
        "window": called["window"],
        "window_name_zh": window["name_zh"],
        "window_name_en": window["name_en"],
        "at": called["at"],
        "recall": called["recall"],
        "zone": _zone(state, called["queue"], called["window"]),
    }


def _zone(state: dict[str, Any], queue: str, window: str) -> str:
    """Where a call is seen and heard: the zone of the ticket's queue, for there its holder sits."""
    known = state["queues"].get(queue)
    return known["zone"] if known else _window(state, window)["zone"]


def _window(state: dict[str, Any], code: str) -> dict[str, Any]:
    unnamed = {
        "kind": "comprehensive",
        "name_zh": code,
        "name_en": code,
        "zone": "",
        "queues": [],
        "active": True,
    }
    return state["windows"].get(code) or {**unnamed, "state": "closed"}


def _unnamed_queue(code: str) -> dict[str, Any]:
    return {"prefix": code, "name_zh": code, "name_en": code, "zone": "", "active": True}


def _wall(at: datetime) -> str:
    """RFC 3339 on the hall's wall."""
    return at.astimezone(SHANGHAI).isoformat(timespec="milliseconds")
