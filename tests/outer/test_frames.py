"""The fold behind the screens agrees with a plain recount, loses nothing, repeats nothing and stays small."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import events as e
from displays import frames

HALL = "luolong"
START = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)  # 08:30 in the hall
QUEUES = ("A", "B", "C")
WINDOWS = ("W01", "W02", "W03", "P01")

# state → what may happen to a ticket in it, and the state after (DOMAIN Q3)
STEPS: dict[str, dict[type[e.TicketEvent], str]] = {
    "waiting": {
        e.TicketCalled: "called",
        e.TicketAbandoned: "gone",
        e.TicketCancelled: "gone",
        e.TicketExpired: "gone",
        e.TicketTransferred: "waiting",  # released by the window it waited for
        e.TicketDeferred: "parked",
    },
    "called": {
        e.TicketRecalled: "called",
        e.TicketStarted: "serving",
        e.TicketMissed: "missed",
        e.TicketTransferred: "waiting",
        e.TicketAbandoned: "gone",
    },
    "serving": {
        e.ItemFollowed: "serving",
        e.TicketFinished: "gone",
        e.TicketParked: "parked",
        e.TicketTransferred: "waiting",
    },
    "missed": {e.TicketRestored: "waiting", e.TicketCancelled: "gone", e.TicketExpired: "gone"},
    "parked": {
        e.TicketReminded: "parked",
        e.TicketUnparked: "called",
        e.TicketRejoined: "waiting",
        e.TicketCancelled: "gone",
        e.TicketAbandoned: "gone",
        e.TicketExpired: "gone",
    },
}
MORE = {
    e.TicketCalled: {"lane": "normal", "waited_s": 60, "why": {}},
    e.ItemFollowed: {"served_s": 60},
    e.TicketFinished: {"served_s": 60},
    e.TicketRejoined: {"queued_at": "2026-03-02T08:30:00.000000+08:00"},
    e.TicketIssued: {"lane": "normal", "channel": "kiosk"},
}
AT_WINDOW = (
    e.TicketCalled,
    e.TicketRecalled,
    e.TicketStarted,
    e.ItemFollowed,
    e.TicketReminded,
    e.TicketFinished,
    e.TicketMissed,
    e.TicketParked,
    e.TicketUnparked,
    e.TicketTransferred,
)


def hall_events() -> list[e.Event]:
    """What a hall records when it is set up: two zones, three queues, four windows."""
    return [
        e.HallDefined(hall=HALL, name_zh="洛龙区政务服务中心", name_en="Luolong Hall"),
        e.ZoneDefined(zone="A", name_zh="商事登记", name_en="Business"),
        e.ZoneDefined(zone="B", name_zh="不动产登记", name_en="Real estate"),
        e.QueueDefined(queue="A", prefix="A", name_zh="商事登记", name_en="Business", zone="A"),
        e.QueueDefined(queue="B", prefix="B", name_zh="不动产", name_en="Real estate", zone="B"),
        e.QueueDefined(queue="C", prefix="C", name_zh="出件", name_en="Pickup", zone="B"),
        *(
            e.WindowDefined(
                window=f"W{n:02}",
                window_kind="comprehensive",
                name_zh=f"{n}号窗口",
                name_en=f"Window {n}",
                zone="A" if n < 3 else "B",
                queues=("A", "B"),
            )
            for n in (1, 2, 3)
        ),
        e.WindowDefined(
            window="P01",
            window_kind="pickup",
            name_zh="1号出件窗口",
            name_en="Pickup window 1",
            zone="B",
            queues=("C",),
        ),
    ]


def record(events: list[e.Event], after: int = 0) -> list[e.Recorded]:
    """The events with the hall's own sequence numbers, ten seconds apart."""
    return [
        e.Recorded(HALL, seq, event, "staff:clerk01", START + timedelta(seconds=10 * seq))
        for seq, event in enumerate(events, after + 1)
    ]


def folded(events: list[e.Event]) -> dict:
    state = frames.empty(HALL)
    for recorded in record(events):
        state = frames.fold(state, recorded)
    return state


def ticket(kind: type[e.TicketEvent], number: str = "A001", **more: object) -> e.TicketEvent:
    base = {
        "ticket": int(number[1:]) + 1000 * ord(number[0]),
        "number": number,
        "queue": number[0],
        "day": "2026-03-02",
    }
    return kind(**{**base, **MORE.get(kind, {}), **({"window": "W01"} if kind in AT_WINDOW else {}), **more})


# ── the fold against a recount ──────────────────────────────────────────────────────────────────────────────────


@st.composite
def histories(draw: st.DrawFn) -> list[e.Event]:
    """Legal histories of many tickets over three days, stragglers of the day before among them."""
    events: list[e.Event] = []
    live: dict[int, dict] = {}
    issued: Counter[tuple[str, str]] = Counter()
    day = 2
    long = draw(st.sampled_from([3, 30, 100]))  # left alone, hypothesis would tell seven events a day
    for pick in draw(st.lists(st.integers(0, 10_000), min_size=long, max_size=long)):
        if pick % 29 == 0:
            events.append(e.WindowOpened(window=WINDOWS[pick % 4], staff="clerk01"))
            continue
        if pick % 23 == 1 and day < 4:
            day += 1
            continue
        if not live or pick % 3 == 0:
            queue, today = QUEUES[pick % 7 % 3], f"2026-03-{day:02}"
            issued[queue, today] += 1
            key = {
                "ticket": sum(issued.values()),
                "number": f"{queue}{issued[queue, today]:03}",
                "day": today,
            }
            live[key["ticket"]] = {**key, "queue": queue, "state": "waiting"}
            events.append(e.TicketIssued(**key, queue=queue, **MORE[e.TicketIssued]))
            continue
        chosen = live[sorted(live)[pick % len(live)]]
        kind, after = list(STEPS[chosen["state"]].items())[pick // 7 % len(STEPS[chosen["state"]])]
        more = dict(MORE.get(kind, {}))
        if kind in AT_WINDOW:
            more["window"] = WINDOWS[pick // 11 % 4]
        if kind is e.ItemFollowed:
            more["window"] = chosen["window"]
        if "window" in more:
            chosen["window"] = more["window"]
        if kind is e.TicketTransferred and chosen["state"] == "waiting":
            more["window"] = None
        if kind is e.TicketRecalled:
            more["recall"] = 1
        if kind is e.TicketTransferred:
            more["from_queue"] = chosen["queue"]
            chosen["queue"] = QUEUES[pick // 13 % 3]
        events.append(kind(**{k: chosen[k] for k in ("ticket", "number", "queue", "day")}, **more))
        chosen["state"] = after
        if after == "gone":
            del live[chosen["ticket"]]
    return events


def recount(events: list[e.Event]) -> dict:
    """What a screen should show, found the long way: the last word on every ticket of the last day."""
    said = [event for event in events if isinstance(event, e.TicketEvent)]
    today = max((event.day for event in said), default=None)
    stay = (e.ItemFollowed, e.TicketReminded)
    last = {event.ticket: event for event in said if event.day == today and not isinstance(event, stay)}
    waits = (e.TicketIssued, e.TicketRejoined, e.TicketRestored, e.TicketTransferred)
    stands = (e.TicketCalled, e.TicketRecalled, e.TicketUnparked, e.TicketStarted)
    return {
        "waiting": Counter(event.queue for event in last.values() if isinstance(event, waits)),
        "now_serving": {
            event.number: (event.window, "serving" if isinstance(event, e.TicketStarted) else "called")
            for event in last.values()
            if isinstance(event, stands)
        },
        "missed": {event.number for event in last.values() if isinstance(event, e.TicketMissed)},
    }


@given(histories())
def test_fold_agrees_with_a_recount(history: list[e.Event]) -> None:
    state = frames.empty(HALL)
    for recorded in record(hall_events() + history):
        state = json.loads(json.dumps(frames.fold(state, recorded)))  # as the relay keeps it
        drawn = frames.frame(state)
        assert drawn["seq"] == recorded.seq
    assert all(state["waiting"].values())
    truth = recount(history)
    assert {q["code"]: q["waiting"] for q in drawn["queues"]} == {q: truth["waiting"][q] for q in QUEUES}
    assert {z["zone"]: z["waiting"] for z in drawn["zones"]} == {
        "A": truth["waiting"]["A"],
        "B": truth["waiting"]["B"] + truth["waiting"]["C"],
    }
    assert {s["number"]: (s["window"], s["state"]) for s in drawn["now_serving"]} == truth["now_serving"]
    shown = {m["number"] for m in drawn["missed"]}
    assert shown <= truth["missed"] and len(shown) >= min(len(truth["missed"]), frames.MISSED)
    for newest_first in (drawn["now_serving"], drawn["recent"]):
        seqs = [entry["seq"] for entry in newest_first]
        assert seqs == sorted(seqs, reverse=True)


@given(histories(), st.data())
def test_events_told_twice_change_nothing(history: list[e.Event], data: st.DataObject) -> None:
    told = record(hall_events() + history)
    state = frames.empty(HALL)
    for recorded in told:
        state = frames.fold(state, recorded)
        again = told[data.draw(st.integers(0, recorded.seq - 1))]
        assert frames.fold(state, again) == state


@given(histories())
def test_fold_leaves_the_old_state_alone(history: list[e.Event]) -> None:
    state = frames.empty(HALL)
    for recorded in record(hall_events() + history):
        before = json.dumps(state)
        after = frames.fold(state, recorded)
        assert json.dumps(state) == before
        state = after


def test_a_gap_is_refused_and_names_where_to_read_on() -> None:
    told = record(hall_events())
    state = frames.fold(frames.empty(HALL), told[0])
    with pytest.raises(frames.FrameGap) as gap:
        frames.fold(state, told[2])
    assert (gap.value.hall, gap.value.after, gap.value.seq) == (HALL, 1, 3)


def test_another_halls_event_is_refused() -> None:
    other = e.Recorded("lilou", 1, e.HallDefined(hall="lilou", name_zh="李楼", name_en="Lilou"), "system:system", START)
    with pytest.raises(ValueError, match="lilou"):
        frames.fold(frames.empty(HALL), other)


def test_state_does_not_grow_with_history_nor_with_those_who_wait() -> None:
    def size(done: int, waiting: int) -> int:
        events = hall_events()
        for n in range(1, done + 1):
            number = f"A{n:03}"
            for kind in (e.TicketIssued, e.TicketCalled, e.TicketStarted, e.TicketFinished):
                events.append(ticket(kind, number))
        events += [ticket(e.TicketIssued, f"B{n:03}") for n in range(1, waiting + 1)]
        return len(json.dumps(folded(events)))

    assert size(900, 900) <= size(10, 10) + 40  # a few digits more, nothing else


# ── what the frame says ─────────────────────────────────────────────────────────────────────────────────────────


def test_empty_hall_draws_an_empty_frame() -> None:
    drawn = frames.frame(frames.empty(HALL))
    assert drawn["seq"] == 0 and drawn["at"] is None and drawn["day"] is None
    assert drawn["now_serving"] == drawn["missed"] == drawn["queues"] == drawn["windows"] == drawn["recent"] == []


def test_events_that_no_screen_shows_still_number_the_frame() -> None:
    before = frames.frame(folded(hall_events()))
    after = frames.frame(folded([*hall_events(), e.SessionOpened(staff="clerk01")]))
    assert after["seq"] == before["seq"] + 1
    assert {**after, "seq": 0, "at": ""} == {**before, "seq": 0, "at": ""}


def test_a_call_stands_on_the_board_with_its_window_and_the_halls_time() -> None:
    events = [*hall_events(), e.WindowOpened(window="W01", staff="clerk01"), ticket(e.TicketIssued)]
    drawn = frames.frame(folded([*events, ticket(e.TicketCalled)]))
    (now,) = drawn["now_serving"]
    assert now == {
        "seq": drawn["seq"],
        "number": "A001",
        "window": "W01",
        "window_name_zh": "1号窗口",
        "window_name_en": "Window 1",
        "at": "2026-03-02T08:32:10.000+08:00",
        "recall": 0,
        "state": "called",
        "queue": "A",
        "zone": "A",
    }
    assert drawn["hall_name_zh"] == "洛龙区政务服务中心" and drawn["day"] == "2026-03-02"
    window = next(w for w in drawn["windows"] if w["code"] == "W01")
    assert (window["state"], window["number"], window["ticket_state"]) == ("open", "A001", "called")
    assert [q["windows_open"] for q in drawn["queues"]] == [1, 1, 0]


def test_starting_keeps_the_instant_of_the_call_and_recall_renews_it() -> None:
    events = [*hall_events(), ticket(e.TicketIssued), ticket(e.TicketCalled)]
    called = frames.frame(folded(events))["now_serving"][0]
    started = frames.frame(folded([*events, ticket(e.TicketStarted)]))["now_serving"][0]
    assert started == {**called, "state": "serving"}
    again = frames.frame(folded([*events, ticket(e.TicketRecalled, recall=1)]))
    assert again["now_serving"][0]["recall"] == 1 and again["now_serving"][0]["at"] > called["at"]
    assert [c["number"] for c in again["recent"]] == ["A001"]


def test_another_item_a_reminder_and_a_takeover_leave_the_number_where_it_is() -> None:
    events = [*hall_events(), e.WindowOpened(window="W01", staff="clerk01")]
    events += [ticket(kind) for kind in (e.TicketIssued, e.TicketCalled, e.TicketStarted)]
    before = frames.frame(folded(events))
    events += [ticket(e.ItemFollowed), e.WindowTakenOver(window="W01", staff="clerk02", from_staff="clerk01")]
    after = frames.frame(folded(events))
    assert after["now_serving"] == before["now_serving"] and after["windows"] == before["windows"]
    events += [ticket(e.TicketParked), ticket(e.TicketIssued, "A002"), ticket(e.TicketReminded)]
    parked = frames.frame(folded(events))
    assert parked["now_serving"] == [] and [q["waiting"] for q in parked["queues"]] == [1, 0, 0]


def test_a_window_that_is_taken_over_while_it_pauses_is_open() -> None:
    events = [*hall_events(), e.WindowPaused(window="W01", staff="clerk01")]
    events += [e.WindowTakenOver(window="W01", staff="clerk02", from_staff="clerk01")]
    assert next(w for w in frames.frame(folded(events))["windows"] if w["code"] == "W01")["state"] == "open"


def test_who_goes_away_waits_no_more_until_they_are_back() -> None:
    events = [*hall_events(), ticket(e.TicketIssued), ticket(e.TicketIssued, "A002"), ticket(e.TicketDeferred)]
    away = frames.frame(folded(events))
    assert [q["waiting"] for q in away["queues"]] == [1, 0, 0]
    assert away["missed"] == away["now_serving"] == away["recent"] == []
    back = frames.frame(folded([*events, ticket(e.TicketRejoined)]))
    assert [q["waiting"] for q in back["queues"]] == [2, 0, 0]


def test_recent_keeps_seven_of_the_hall_and_seven_of_each_zone() -> None:
    events = hall_events()
    for number in ["B001", "B002", *(f"A{n:03}" for n in range(1, 21))]:
        events += [
            ticket(e.TicketIssued, number),
            ticket(e.TicketCalled, number),
            ticket(e.TicketStarted, number),
        ]
        events += [ticket(e.TicketFinished, number)]
    drawn = frames.frame(folded(events))
    assert [c["number"] for c in drawn["recent"]] == [f"A{n:03}" for n in range(20, 13, -1)]
    assert {z["zone"]: [c["number"] for c in z["recent"]] for z in drawn["zones"]} == {
        "A": [f"A{n:03}" for n in range(20, 13, -1)],
        "B": ["B002", "B001"],
    }


def test_missed_shows_the_newest_eight_of_each_zone() -> None:
    events = hall_events()
    for number in ["B001", *(f"A{n:03}" for n in range(1, 13))]:
        events += [
            ticket(e.TicketIssued, number),
            ticket(e.TicketCalled, number),
            ticket(e.TicketMissed, number),
        ]
    shown = [m["number"] for m in frames.frame(folded(events))["missed"]]
    assert shown == [*(f"A{n:03}" for n in range(12, 4, -1)), "B001"]


def test_a_new_day_clears_the_board_and_yesterdays_stragglers_count_no_more() -> None:
    events = [*hall_events(), *(ticket(e.TicketIssued, f"A{n:03}") for n in (1, 2, 3))]
    events += [ticket(e.TicketCalled), ticket(e.TicketMissed), ticket(e.TicketCalled, "A002")]
    events += [ticket(e.TicketIssued, "A001", ticket=7, day="2026-03-03")]
    morning = frames.frame(folded(events))
    assert morning["day"] == "2026-03-03"
    assert morning["now_serving"] == morning["missed"] == morning["recent"] == []
    assert morning["queues"][0]["waiting"] == 1
    late = frames.frame(folded([*events, ticket(e.TicketExpired, "A003"), e.DayClosed(day="2026-03-02", expired=1)]))
    assert {**late, "seq": 0, "at": ""} == {**morning, "seq": 0, "at": ""}


def test_a_morning_without_tickets_does_not_show_yesterday() -> None:
    told = record([*hall_events(), ticket(e.TicketIssued), ticket(e.TicketCalled), ticket(e.TicketIssued, "A002")])
    opened = e.WindowOpened(window="W01", staff="clerk01")
    told.append(e.Recorded(HALL, len(told) + 1, opened, "staff:clerk01", START + timedelta(days=1)))
    state = frames.empty(HALL)
    for recorded in told:
        state = frames.fold(state, recorded)
    drawn = frames.frame(state)
    assert drawn["day"] == "2026-03-03" and drawn["now_serving"] == drawn["recent"] == []
    assert [q["waiting"] for q in drawn["queues"]] == [0, 0, 0]
    assert drawn["windows"][0]["state"] == "open"


@pytest.mark.parametrize("closing_first", [True, False])
def test_closing_clears_missed_and_recent_whatever_the_order(closing_first: bool) -> None:
    events = [*hall_events(), *(ticket(e.TicketIssued, f"A{n:03}") for n in (1, 2, 3))]
    events += [ticket(e.TicketCalled), ticket(e.TicketMissed), ticket(e.TicketCalled, "A002")]
    end = [ticket(e.TicketExpired, "A001"), ticket(e.TicketExpired, "A003")]
    closing = e.DayClosed(day="2026-03-02", expired=2)
    drawn = frames.frame(folded(events + ([closing, *end] if closing_first else [*end, closing])))
    assert drawn["missed"] == drawn["recent"] == []
    assert drawn["queues"][0]["waiting"] == 0
    assert [s["number"] for s in drawn["now_serving"]] == ["A002"]  # who stands at a window is served out


def test_windows_pause_close_and_leave_the_board() -> None:
    events = [
        *hall_events(),
        e.WindowOpened(window="W02", staff="c"),
        e.WindowPaused(window="W02", staff="c"),
    ]

    def state_of(more: list[e.Event]) -> dict[str, str]:
        return {w["code"]: w["state"] for w in frames.frame(folded(events + more))["windows"]}

    assert state_of([]) == {"W01": "closed", "W02": "paused", "W03": "closed", "P01": "closed"}
    renamed = e.WindowDefined(
        window="W02", window_kind="comprehensive", name_zh="二号", name_en="Two", zone="A", queues=("A",)
    )
    assert state_of([renamed])["W02"] == "paused"
    gone = e.WindowDefined(
        window="W02",
        window_kind="comprehensive",
        name_zh="二号",
        name_en="Two",
        zone="A",
        queues=(),
        active=False,
    )
    assert "W02" not in state_of([gone])


def test_a_queue_out_of_use_stays_while_somebody_waits_in_it() -> None:
    closed = e.QueueDefined(queue="A", prefix="A", name_zh="商事登记", name_en="Business", zone="A", active=False)
    events = [*hall_events(), ticket(e.TicketIssued), closed]
    assert "A" in [q["code"] for q in frames.frame(folded(events))["queues"]]
    assert "A" not in [q["code"] for q in frames.frame(folded([*events, ticket(e.TicketCancelled)]))["queues"]]


# ── the call ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_only_calls_are_spoken() -> None:
    state = folded(hall_events())
    spoken = {
        kind
        for kind in (e.TicketIssued, e.TicketRestored, e.TicketCancelled, *AT_WINDOW)
        for more in [{"recall": 2} if kind is e.TicketRecalled else {}]
        for more in [{**more, "from_queue": "A"} if kind is e.TicketTransferred else more]
        if frames.call(state, record([ticket(kind, **more)], state["seq"])[0])
    }
    assert spoken == {e.TicketCalled, e.TicketRecalled, e.TicketUnparked}


def test_a_call_says_all_that_a_voice_needs() -> None:
    state = folded(hall_events())
    (recorded,) = record([ticket(e.TicketRecalled, "C012", window="P01", recall=2)], state["seq"])
    said = frames.call(state, recorded)
    assert said is not None
    assert said["seq"] == recorded.seq and said["number"] == "C012" and said["window"] == "P01"
    assert said["recall"] == 2 and said["zone"] == "B" and said["at"].endswith("+08:00")
    assert said["text_zh"] == "再次呼叫，请C零一二号到一号出件窗口领取"
    assert said["text_en"] == "Calling again. Ticket C012, please go to pickup window 1."
    assert said["clips"]["zh"]["short"] == [
        "zh-C",
        "zh-0",
        "zh-1",
        "zh-2",
        "pause",
        "zh-1",
        "zh-number",
        "zh-pickup-window",
    ]
