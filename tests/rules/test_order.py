"""Who is called next: examples, the same rule worked out a second way, and what the rule promises over a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import groupby
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.queueing.rules.order import LaneHead, Tally, choose_next, head_start, pick, rank, waits_since
from app.queueing.rules.policy import MOST_MIN, Condition, Policy, furthest_min
from app.queueing.rules.states import Lane
from tests.rules.order_oracle import Arrival, Play, oracle

NOON = datetime(2026, 3, 11, 4, 0, tzinfo=UTC)  # 12:00 in the hall
MORNING = datetime(2026, 3, 11, 0, 30, tzinfo=UTC)
N, P, A, R = Lane.NORMAL, Lane.PRIORITY, Lane.APPOINTMENT, Lane.RETURNING


def head(
    ticket: int, minutes_ago: float, lane: Lane = N, queue: str = "A", direct: bool = False, waiting: int = 0
) -> LaneHead:
    number = f"{queue}{ticket:03d}"
    return LaneHead(ticket, number, queue, lane, NOON - timedelta(minutes=minutes_ago), direct, waiting)


def starts(priority: int = 15, appointment: int = 0) -> dict[Lane, int]:
    return {N: 0, P: priority, A: appointment, R: 1440}


# people of any lane and queue; a negative wait is an appointment that came early
people = st.lists(
    st.builds(
        head,
        st.integers(1, 500),
        st.integers(-15, 300) | st.sampled_from([9.5, 60.0, 60.0001]),
        st.sampled_from(list(Lane)),
        st.sampled_from("ABC"),
        st.booleans(),
    ),
    max_size=14,
    unique_by=lambda h: h.ticket,
)
conditions = st.builds(
    Condition,
    minutes=st.integers(1, 120),
    queue=st.none() | st.sampled_from("ABC"),
    lane=st.none() | st.sampled_from(list(Lane)),
    window=st.none() | st.sampled_from(["W01", "W02"]),
    waiting_over=st.none() | st.integers(0, 6),
    waited_over_min=st.none() | st.integers(0, 120),
    since=st.none() | st.sampled_from([time(8), time(12), time(12, 30)]),
    until=st.none() | st.sampled_from([time(12), time(14), time(17, 30)]),
)
ratios = st.tuples(st.integers(1, 5), st.integers(1, 3))
policies = st.builds(
    Policy,
    head_start_min=st.builds(starts, st.integers(0, MOST_MIN), st.integers(0, MOST_MIN)),
    weight_min=st.dictionaries(st.sampled_from("ABC"), st.integers(0, MOST_MIN)),
    conditions=st.lists(conditions, max_size=4).map(tuple),
    ratio=st.none() | ratios,
    call_by_min=st.none() | st.integers(5, 240),
)
tallies = st.builds(Tally, st.integers(0, 9), st.integers(0, 9))


def waiting_counted(everyone: list[LaneHead]) -> list[LaneHead]:
    """Each knows how many wait in its queue, as the hall counts them."""
    length = {q: sum(h.queue == q and not h.direct for h in everyone) for q in "ABC"}
    return [LaneHead(h.ticket, h.number, h.queue, h.lane, h.queued_at, h.direct, length[h.queue]) for h in everyone]


def heads_of(everyone: list[LaneHead]) -> list[LaneHead]:
    """The first of each lane, and the first of those who were sent to this window: all that the hall reads."""
    heads: dict[Any, LaneHead] = {}
    for each in sorted(everyone, key=lambda h: (h.queued_at, h.ticket)):
        heads.setdefault("direct" if each.direct else (each.queue, each.lane), each)
    return list(heads.values())


# ── examples ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_waits_so_nobody_is_called() -> None:
    assert choose_next([], Policy(), NOON) is None
    assert pick([], Policy(), NOON) is None


def test_first_come_first_served_within_a_lane() -> None:
    assert choose_next([head(2, 5), head(1, 9)], Policy(), NOON)[0].number == "A001"


def test_equal_arrivals_are_called_in_the_order_of_issue() -> None:
    assert choose_next([head(8, 5), head(7, 5)], Policy(), NOON)[0].ticket == 7


def test_priority_overtakes_those_who_came_up_to_fifteen_minutes_earlier_and_nobody_else() -> None:
    assert choose_next([head(1, 14), head(2, 0, P)], Policy(), NOON)[0].ticket == 2
    assert choose_next([head(1, 16), head(2, 0, P)], Policy(), NOON)[0].ticket == 1


def test_a_supplement_returning_goes_straight_to_the_front() -> None:
    assert choose_next([head(1, 200), head(2, 0, R)], Policy(), NOON)[0].ticket == 2


def test_an_appointment_counts_from_its_booked_time_also_when_it_came_early() -> None:
    early = head(2, -10, A)  # booked for ten past twelve
    assert choose_next([head(1, 1), early], Policy(), NOON)[0].ticket == 1
    _, why, _ = choose_next([early], Policy(), NOON)
    assert why["candidates"][0]["waited_s"] == -600


def test_a_window_prefers_its_speciality_by_its_weight() -> None:
    policy = Policy(weight_min={"B": 10})
    assert choose_next([head(1, 9), head(2, 0, queue="B")], policy, NOON)[0].queue == "B"
    assert choose_next([head(1, 11), head(2, 0, queue="B")], policy, NOON)[0].queue == "A"


def test_somebody_sent_to_this_very_window_comes_first() -> None:
    assert choose_next([head(1, 60), head(2, 1, direct=True)], Policy(), NOON)[0].ticket == 2


@pytest.mark.parametrize(
    ("when", "gains"),
    [
        ({}, True),
        ({"queue": "A"}, True),
        ({"queue": "B"}, False),
        ({"lane": N}, True),
        ({"lane": P}, False),
        ({"window": "W01"}, True),
        ({"window": "W02"}, False),
        ({"waiting_over": 6}, True),
        ({"waiting_over": 7}, False),
        ({"waited_over_min": 29}, True),
        ({"waited_over_min": 30}, False),
        ({"since": time(12, 0)}, True),
        ({"since": time(12, 1)}, False),
        ({"until": time(12, 1)}, True),
        ({"until": time(12, 0)}, False),
        ({"queue": "A", "waited_over_min": 30}, False),
    ],
)
def test_a_condition_holds_when_all_that_it_asks_is_so(when: dict[str, Any], gains: bool) -> None:
    policy = Policy(conditions=(Condition(minutes=20, **when),))
    assert head_start(head(1, 30, waiting=7), policy, NOON, "W01")["conditions"] == (20 if gains else 0)


def test_conditions_together_give_two_hours_at_most() -> None:
    policy = Policy(conditions=(Condition(minutes=100), Condition(minutes=100)))
    assert rank(head(1, 0), policy, NOON) == NOON - timedelta(minutes=MOST_MIN)


def test_whoever_waited_the_limit_comes_before_every_other_rule() -> None:
    heads = [head(1, 60), head(2, 59, P), head(3, 1, R), head(4, 0, direct=True)]
    chosen, why, tally = choose_next(heads, Policy(call_by_min=60, ratio=(1, 1)), NOON, tally=Tally(5, 1))
    assert (chosen.ticket, why["rule"], why["call_by_min"], tally) == (1, "call_by", 60, Tally(5, 1))
    assert "ratio" not in why
    assert choose_next(heads, Policy(call_by_min=61), NOON)[0].ticket == 3


def test_the_ratio_lets_the_owed_lane_go_first_and_says_so() -> None:
    heads, policy = [head(1, 5), head(2, 5, P)], Policy(ratio=(2, 1))
    seen, tally = [], Tally()
    for _ in range(6):
        chosen, why, tally = choose_next(heads, policy, NOON, tally=tally)
        seen.append((chosen.lane.value[0], why["rule"], tuple(why["ratio"]["called"])))
    assert [lane for lane, _, _ in seen] == ["n", "p", "n", "n", "p", "n"]
    assert [rule for _, rule, _ in seen] == ["ratio", "rank", "ratio", "ratio", "rank", "ratio"]
    assert seen[-1][2] == (2, 1) and why["ratio"]["of"] == [2, 1]


def test_the_ratio_rests_while_only_one_lane_waits() -> None:
    chosen, why, tally = choose_next([head(2, 5, P), head(3, 9, A)], Policy(ratio=(2, 1)), NOON, tally=Tally(0, 4))
    assert (chosen.ticket, why["rule"], tally) == (2, "rank", Tally(0, 4)) and "ratio" not in why


def test_who_was_sent_to_this_window_stands_outside_the_ratio() -> None:
    heads, policy = [head(1, 0, N, direct=True), head(2, 5), head(3, 5, P)], Policy(ratio=(1, 1))
    chosen, _, tally = choose_next(heads, policy, NOON, tally=Tally(3, 0))  # the priority lane is owed
    assert chosen.ticket == 1 and tally == Tally(3, 0)
    only = [head(1, 0, N, direct=True), head(3, 5, P)]
    assert choose_next(only, policy, NOON, tally=Tally(3, 0))[2] == Tally(3, 0)


def test_the_explanation_names_every_candidate_its_standing_and_the_minutes_that_made_it() -> None:
    policy = Policy(weight_min={"B": 5}, conditions=(Condition(minutes=3, queue="B"),))
    _, why, _ = choose_next([head(1, 14), head(2, 0, P, "B"), head(3, 0, direct=True)], policy, NOON)
    assert why["rule"] == "rank" and why["chosen"] == "A003"
    assert [c["standing_s"] for c in why["candidates"]] == [86400, 1380, 840]
    assert [c["waited_s"] for c in why["candidates"]] == [0, 0, 840]
    assert [c["minutes"] for c in why["candidates"]] == [
        {"direct": 1440},
        {"lane": 15, "window": 5, "conditions": 3},
        {},
    ]


# ── any hall, any moment ────────────────────────────────────────────────────────────────────────────────────────


@given(people, policies, tallies, st.randoms())
def test_the_order_of_the_input_does_not_matter(given_heads, policy, tally, random) -> None:
    shuffled = list(given_heads)
    random.shuffle(shuffled)
    first, second = (choose_next(each, policy, NOON, "W01", tally) for each in (given_heads, shuffled))
    assert first == second


@settings(max_examples=250)
@given(people, policies, tallies, st.sampled_from(["W01", "W02"]))
def test_the_heads_of_lanes_say_what_everybody_against_everybody_says(everyone, policy, tally, window) -> None:
    everyone = waiting_counted(everyone)
    made = choose_next(heads_of(everyone), policy, NOON, window, tally)
    assert (made and made[0].ticket) == oracle(everyone, policy, NOON, window, tally)


@given(people.filter(bool), policies, tallies)
def test_the_explanation_agrees_with_the_choice(given_heads, policy, tally) -> None:
    chosen, why, after = choose_next(given_heads, policy, NOON, "W01", tally)
    assert pick(given_heads, policy, NOON, "W01", tally) == (chosen, why["rule"], after)
    assert why["chosen"] == chosen.number and len(why["candidates"]) == len(given_heads)
    standings = [c["standing_s"] for c in why["candidates"]]
    assert standings == sorted(standings, reverse=True)
    assert ("ratio" in why) == (after != tally)
    if why["rule"] == "rank":
        assert why["candidates"][0]["number"] == chosen.number
    for c in why["candidates"]:
        assert c["standing_s"] == c["waited_s"] + 60 * sum(c["minutes"].values())


@given(people.filter(bool), policies, tallies, st.lists(st.integers(0, 90), min_size=14, max_size=14))
def test_who_came_back_stands_where_they_were_put_and_has_waited_since(given_heads, policy, tally, minutes) -> None:
    """A place changes nothing about the wait, nor the wait about the place; call by asks for the wait."""
    again = {head.ticket: NOON - timedelta(minutes=ago) for head, ago in zip(given_heads, minutes)}
    arrived = {head.ticket: again[head.ticket] - timedelta(minutes=5 * (head.ticket % 7)) for head in given_heads}
    back = [
        replace(head, since=waits_since(head.queued_at, arrived[head.ticket], again[head.ticket]))
        for head in given_heads
    ]
    chosen, why, _ = choose_next(back, policy, NOON, "W01", tally)
    said = {c["number"]: c for c in why["candidates"]}
    for head in back:
        c = said[head.number]
        least, most = (NOON - since[head.ticket] for since in (again, arrived))
        waited = min(max(NOON - head.queued_at, least), most)
        assert c["waited_s"] == waited // timedelta(seconds=1) >= 0
        assert c["standing_s"] == c["waited_s"] + 60 * sum(c["minutes"].values()) - c.get("back_s", 0)
        assert ("back_s" in c) == (not arrived[head.ticket] <= head.queued_at <= again[head.ticket])
    placed, told, _ = choose_next(given_heads, replace(policy, call_by_min=None), NOON, "W01", tally)
    if why["rule"] != "call_by":
        assert (chosen.ticket, why["rule"]) == (placed.ticket, told["rule"])
    else:
        assert all((chosen.waited_from, chosen.ticket) <= (head.waited_from, head.ticket) for head in back)
        assert NOON - chosen.waited_from >= timedelta(minutes=policy.call_by_min)


@settings(max_examples=150)
@given(people.filter(bool), policies)
@example([head(1, 15), head(2, 0, P)], Policy())  # exactly as far as may be: a tie, and the lower ticket goes first
@example([head(2, 15), head(1, 0, P)], Policy())
def test_by_rank_nobody_is_overtaken_by_anyone_who_came_later_than_the_bound(given_heads, policy) -> None:
    chosen, rule, _ = pick(given_heads, policy, NOON, "W01")
    if rule == "rank" and policy.ratio is None and not chosen.direct and chosen.lane != R:
        bound = timedelta(minutes=furthest_min(policy))
        assert all(chosen.queued_at - other.queued_at <= bound for other in given_heads)


@pytest.mark.parametrize("later", [True, False])
def test_the_bound_is_reached_and_not_passed(later: bool) -> None:
    policy = Policy(starts(20), {"B": 10}, (Condition(minutes=5, lane=P),))
    assert furthest_min(policy) == 35
    ago = 34.9 if later else 35.1
    assert (choose_next([head(1, ago), head(2, 0, P, "B")], policy, NOON)[0].ticket == 2) is later


@given(people.filter(bool), policies, tallies)
def test_an_appointment_is_overtaken_by_nobody_who_counts_from_after_its_booked_time(heads, policy, tally) -> None:
    """Whatever the ratio and call-by: who goes first came, less the minutes that count for them, before its time."""
    chosen, _, _ = pick(heads, policy, NOON, "W01", tally)
    counts_from = rank(chosen, policy, NOON, "W01")
    for booked in (h for h in heads if h.lane == A):
        assert counts_from <= booked.queued_at


@given(people.filter(bool), policies.filter(lambda p: p.call_by_min is not None), tallies)
def test_whoever_is_overdue_is_overtaken_by_nobody_who_came_later(heads, policy, tally) -> None:
    chosen, _, _ = pick(heads, policy, NOON, "W01", tally)
    for other in heads:
        if NOON - other.queued_at >= timedelta(minutes=policy.call_by_min):
            assert (chosen.queued_at, chosen.ticket) <= (other.queued_at, other.ticket)


@given(people.filter(bool), policies, st.integers(1, 10**6))
def test_without_conditions_and_limits_it_does_not_matter_when_the_button_is_pressed(heads, policy, seconds) -> None:
    plain = Policy(policy.head_start_min, policy.weight_min)
    later = NOON + timedelta(seconds=seconds)
    assert choose_next(heads, plain, NOON)[0] == choose_next(heads, plain, later)[0]


# ── a whole day ─────────────────────────────────────────────────────────────────────────────────────────────────

arrivals = st.lists(
    st.builds(
        Arrival,
        st.integers(0, 360),
        st.sampled_from("AB"),
        st.sampled_from([N, N, N, P, P, R]),
    )
    | st.builds(
        lambda booked, early: Arrival(max(booked - early, 0), "A", A, booked), st.integers(0, 360), st.integers(-10, 15)
    ),
    max_size=90,
)
days = st.builds(
    lambda policy, came, windows, service: Play(MORNING, policy, windows, service).run(came, 420),
    policies,
    arrivals,
    st.sampled_from([{"W01": {"A": 0, "B": 5}}, {"W01": {"A": 10, "B": 0}, "W02": {"B": 0}}]),
    st.sampled_from([3.0, 7.5, 12.0]),
)


@settings(max_examples=30)
@given(days)
def test_within_a_lane_nobody_is_overtaken_whatever_the_conditions(day: Play) -> None:
    for call in day.calls:
        same = [w for w in call.others if (w.queue, w.lane) == (call.chosen.queue, call.chosen.lane)]
        assert all((call.chosen.queued_at, call.chosen.ticket) < (w.queued_at, w.ticket) for w in same)


@settings(max_examples=30)
@given(days.filter(lambda d: d.policy.ratio is not None))
def test_the_ratio_is_kept_within_one_call_at_every_moment(day: Play) -> None:
    normal, priority = day.policy.ratio
    for call in day.calls:
        ahead = call.tally.normal * priority - call.tally.priority * normal
        assert -normal < ahead <= priority  # either lane has at most one call more than its share


@given(ratios, ratios, st.integers(0, 60))
def test_a_changed_ratio_makes_neither_lane_wait_for_what_was_before(before, after, calls) -> None:
    both, tally, lanes = [head(1, 9), head(2, 9, P)], Tally(), []
    for n in range(calls + 60):
        policy = Policy(ratio=before if n < calls else after)
        chosen, _, tally = pick(both, policy, NOON, "W01", tally)
        lanes.append(chosen.lane)
    runs = [len(list(same)) for _, same in groupby(lanes[calls:])]
    assert max(runs) <= max(after) + 1


@settings(max_examples=30)
@given(days.filter(lambda d: d.policy.ratio is not None and d.policy.call_by_min is None))
def test_the_ratio_bounds_how_often_one_is_overtaken(day: Play) -> None:
    """At one window: while k of my lane are called before me, fewer than (k + 1) · theirs/mine + 1 of the other."""
    share = dict(zip((N, P), day.policy.ratio))
    for window in day.windows:
        mine = [call for call in day.calls if call.window == window]
        for ticket in (c.chosen for c in mine if c.chosen.lane in share):
            other = P if ticket.lane == N else N
            waited = [c for c in mine if any(w.ticket == ticket.ticket for w in c.others)]
            contested = [c for c in waited if {N, P} <= {w.lane for w in (*c.others, c.chosen)}]
            k = sum(c.chosen.lane == ticket.lane for c in contested)
            overtaken = sum(c.chosen.lane == other for c in contested)
            assert overtaken < (k + 1) * share[other] / share[ticket.lane] + 1


def test_with_the_default_rules_a_flood_of_priority_starves_nobody() -> None:
    """Eight hours of more priority tickets than the hall can serve: each normal one is overtaken by those only who came
    within fifteen minutes after it, and is called when they are through."""
    flood = [Arrival(minute, "A", P) for minute in range(480)]
    ordinary = [Arrival(minute, "A", N) for minute in range(5, 480, 10)]
    day = Play(MORNING, Policy(), {"W01": {"A": 0}, "W02": {"A": 0}}, 5).run(flood + ordinary, 2000)
    assert not day.waiting
    for ticket, came in day.came_at.items():
        call = day.calls[day.called(ticket)]
        if call.chosen.lane == N:
            before = [c.chosen for c in day.calls[: day.called(ticket)]]
            overtook = [w for w in before if day.came_at[w.ticket] > came]
            assert overtook and all(w.lane == P for w in overtook)
            assert len(overtook) <= 15
            assert max(day.came_at[w.ticket] for w in overtook) - came <= timedelta(minutes=15)


@pytest.mark.parametrize("adversary", [P, R])
def test_with_call_by_nobody_waits_longer_than_it_and_those_who_came_before(adversary: Lane) -> None:
    """An adversary who sends somebody better placed before every single call, all day long."""
    policy, limit, service = Policy(starts(120), call_by_min=40), 40, 5.0
    came = [Arrival(minute / 2, "A", adversary) for minute in range(0, 900, 5)]
    came += [Arrival(minute, "A", N) for minute in range(1, 450, 30)]
    day = Play(MORNING, policy, {"W01": {"A": 0}}, service).run(came, 3000)
    assert not day.waiting
    waits = []
    for number, call in enumerate(day.calls):
        if call.chosen.lane == N:
            wait = (call.at - call.chosen.queued_at).total_seconds() / 60
            due = call.chosen.queued_at + timedelta(minutes=limit)
            overdue = sum(c.at >= due and c.chosen.queued_at <= call.chosen.queued_at for c in day.calls[:number])
            assert wait <= limit + service * (overdue + 1) + 0.5
            assert all(c.chosen.queued_at <= call.chosen.queued_at for c in day.calls[:number] if c.at >= due)
            waits.append(wait)
    assert max(waits) > limit  # the adversary was a real one
