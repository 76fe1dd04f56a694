"""Who is called next: the rule itself, with no database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.queueing.rules.order import LaneHead, Policy, choose_next, rank
from app.queueing.rules.states import Lane

NOON = datetime(2026, 3, 11, 4, 0, tzinfo=UTC)


def head(ticket: int, minutes_ago: float, lane: Lane = Lane.NORMAL, queue: str = "A", direct: bool = False) -> LaneHead:
    return LaneHead(ticket, f"{queue}{ticket:03d}", queue, lane, NOON - timedelta(minutes=minutes_ago), direct)


heads = st.lists(
    st.builds(
        head,
        st.integers(1, 500),
        st.integers(0, 240),
        st.sampled_from(list(Lane)),
        st.sampled_from("ABC"),
        st.booleans(),
    ),
    max_size=12,
    unique_by=lambda h: h.ticket,
)
policies = st.builds(
    lambda priority, weights: Policy(
        head_start_min={Lane.NORMAL: 0, Lane.PRIORITY: priority, Lane.APPOINTMENT: 0, Lane.RETURNING: 1440},
        weight_min=weights,
    ),
    st.integers(0, 60),
    st.dictionaries(st.sampled_from("ABC"), st.integers(0, 30)),
)


def test_nobody_waits_so_nobody_is_called() -> None:
    assert choose_next([], Policy(), NOON) is None


def test_first_come_first_served_within_a_lane() -> None:
    chosen, _ = choose_next([head(2, 5), head(1, 9)], Policy(), NOON)
    assert chosen.number == "A001"


def test_equal_arrivals_are_called_in_the_order_of_issue() -> None:
    chosen, _ = choose_next([head(8, 5), head(7, 5)], Policy(), NOON)
    assert chosen.ticket == 7


def test_priority_overtakes_those_who_came_up_to_fifteen_minutes_earlier_and_nobody_else() -> None:
    assert choose_next([head(1, 14), head(2, 0, Lane.PRIORITY)], Policy(), NOON)[0].ticket == 2
    assert choose_next([head(1, 16), head(2, 0, Lane.PRIORITY)], Policy(), NOON)[0].ticket == 1


def test_a_supplement_returning_goes_straight_to_the_front() -> None:
    assert choose_next([head(1, 200), head(2, 0, Lane.RETURNING)], Policy(), NOON)[0].ticket == 2


def test_a_window_prefers_its_speciality_by_its_weight() -> None:
    policy = Policy(weight_min={"B": 10})
    assert choose_next([head(1, 9, queue="A"), head(2, 0, queue="B")], policy, NOON)[0].queue == "B"
    assert choose_next([head(1, 11, queue="A"), head(2, 0, queue="B")], policy, NOON)[0].queue == "A"


def test_somebody_sent_to_this_very_window_comes_first() -> None:
    assert choose_next([head(1, 60), head(2, 1, direct=True)], Policy(), NOON)[0].ticket == 2


def test_the_explanation_names_every_candidate_and_its_standing() -> None:
    _, why = choose_next([head(1, 14), head(2, 0, Lane.PRIORITY)], Policy(), NOON)
    assert why["chosen"] == "A002"
    assert [c["standing_s"] for c in why["candidates"]] == [900, 840]
    assert [c["waited_s"] for c in why["candidates"]] == [0, 840]


@given(heads, policies, st.randoms())
def test_the_order_of_the_input_does_not_matter(given_heads, policy, random) -> None:
    shuffled = list(given_heads)
    random.shuffle(shuffled)
    assert choose_next(given_heads, policy, NOON) == choose_next(shuffled, policy, NOON)


@given(heads.filter(bool), policies)
def test_nobody_is_overtaken_by_anyone_who_came_later_than_the_largest_head_start(given_heads, policy) -> None:
    chosen, _ = choose_next(given_heads, policy, NOON)
    largest = max((rank_gain(h, policy) for h in given_heads), default=timedelta())
    for other in given_heads:
        assert chosen.queued_at - other.queued_at <= largest


@given(heads.filter(bool), policies, st.integers(1, 10**6))
def test_the_choice_does_not_depend_on_when_the_button_is_pressed(given_heads, policy, seconds) -> None:
    later = NOON + timedelta(seconds=seconds)
    assert choose_next(given_heads, policy, NOON)[0] == choose_next(given_heads, policy, later)[0]


def rank_gain(h: LaneHead, policy: Policy) -> timedelta:
    return h.queued_at - rank(h, policy)
