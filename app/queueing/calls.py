"""Actions of calling: whose turn it is, whom a clerk chose, again, missed, restored, called back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, select

from app.action import Transaction, action
from app.errors import Refusal
from app.events import TicketCalled, TicketMissed, TicketRecalled, TicketRestored, TicketUnparked
from app.now import local_day
from app.people.permissions import Permission
from app.queueing.heads import ahead_of, head_of, heads_of_lanes, policy_of, waiting_in, weights_of
from app.queueing.models import Call
from app.queueing.rules.order import Tally, choose_next
from app.queueing.rules.policy import Policy
from app.queueing.rules.reasons import ChoiceReason
from app.queueing.rules.states import TicketState, TicketStep
from app.queueing.seats import at_window, refuse_occupied, set_free
from app.queueing.serving import abandon, finish, next_item, park, start, transfer
from app.queueing.steps import (
    answer,
    at_mine,
    call_to,
    checked,
    end_call,
    exactly,
    find_ticket,
    move,
    one_of,
    refuse_other_live,
    refuse_past_day,
    said,
    seal_note,
    wait_behind_the_next,
    waited_s,
)

__all__ = [  # every step of a clerk is found here
    "abandon",
    "call_chosen",
    "call_next",
    "finish",
    "next_item",
    "no_show",
    "park",
    "recall",
    "restore",
    "start",
    "transfer",
    "unpark",
]

_LAST_CALL = (
    select(Call.tally_normal, Call.tally_priority, Call.called_at)
    .where(Call.hall == bindparam("key"), Call.window == bindparam("at"))
    .order_by(Call.id.desc())
    .limit(1)
)


@action
def call_next(tx: Transaction, *, window: str) -> dict[str, Any] | None:
    """Call the next ticket 叫号 to the actor's window; None when nobody waits there.

    Refuses window.not_open, window.not_yours, window.occupied. Locks the hall. Tells TicketCalled with the reason.
    """
    seat = at_window(tx, window, calling=True)
    refuse_occupied(tx, window)
    return call_turn(tx, window, seat.staff)


def call_turn(tx: Transaction, window: str, staff: str, *, mode: str = "rule") -> dict[str, Any] | None:
    """Part of an action: call whoever's turn it is to this free and open window; None when nobody waits for it."""
    weights = weights_of(tx.session, tx.hall, window)
    policy = policy_of(tx.session, tx.hall, weights)
    tally = _tally(tx, window, policy)
    heads = heads_of_lanes(tx.session, tx.hall, tx.day, window, staff, policy)
    choice = choose_next(heads, policy, tx.at, window, tally)
    if choice is None:
        return None
    head, why, after = choice
    if mode != "rule":
        why["mode"] = mode
    row = find_ticket(tx, head.ticket)
    waited = waited_s(tx, row)
    call_to(tx, row, window=window, staff=staff, why=why, mode=mode, tally=after, waited_s=waited)
    tx.record(TicketCalled(**said(row), lane=row.lane, window=window, waited_s=waited, why=why, mode=mode))
    return {"ticket": answer(tx, row, TicketState.CALLED, waited_s=waited, window=window), "why": why}


@action
def call_chosen(tx: Transaction, *, ticket_id: int, window: str, reason: str, note: str = "") -> dict[str, Any]:
    """Call somebody whose turn it is not 指定叫号, with a reason; who was passed over is kept with it (Q7).

    Refuses auth.forbidden without ticket:call-any, reason.unknown, reason.note_required, window.not_open,
    window.not_yours, window.occupied, ticket.illegal_step, ticket.day_over. Locks the hall. Tells TicketCalled.
    """
    if not tx.actor.may(Permission.TICKET_CALL_ANY):
        raise Refusal("auth.forbidden")
    code = one_of(ChoiceReason, reason)
    if code == ChoiceReason.OTHER and not note.strip():
        raise Refusal("reason.note_required")
    seat = at_window(tx, window, calling=True)
    refuse_occupied(tx, window)
    row, _ = checked(tx, ticket_id, TicketStep.CALL)
    refuse_past_day(tx, row)
    policy = policy_of(tx.session, tx.hall, weights_of(tx.session, tx.hall, window))
    heads = heads_of_lanes(tx.session, tx.hall, tx.day, window, seat.staff, policy)
    tally = _tally(tx, window, policy)
    by_rule = choose_next(heads, policy, tx.at, window, tally)
    sent_here = row.to_window == window or row.to_staff == seat.staff
    own = head_of(row, direct=sent_here, waiting=waiting_in(tx.session, tx.hall, tx.day, {row.queue}).get(row.queue, 0))
    among = heads if any(head.ticket == row.id for head in heads) else [*heads, own]
    shown = choose_next(among, policy, tx.at, window, tally)
    candidates = shown[1]["candidates"] if shown else []
    turn_of = by_rule[0].number if by_rule else None
    why = {
        "rule": "chosen",
        "chosen": row.number,
        "reason": code.value,
        "by_rule": turn_of,
        "passed_over": _passed_over(row.number, turn_of, candidates),
        "ahead": ahead_of(tx.session, tx.hall, row.day, row.queue, row.lane, row.queued_us, row.id),
        "candidates": candidates,
    }
    waited = waited_s(tx, row)
    call_to(
        tx,
        row,
        window=window,
        staff=seat.staff,
        why=why,
        mode="chosen",
        tally=tally,
        waited_s=waited,
        reason=code.value,
        reason_sealed=seal_note(tx, row, note),
    )
    event = TicketCalled(
        **said(row), lane=row.lane, window=window, waited_s=waited, why=why, mode="chosen", reason=code.value
    )
    tx.record(event)
    return {"ticket": answer(tx, row, TicketState.CALLED, waited_s=waited, window=window), "why": why}


@action
def unpark(tx: Transaction, *, ticket_id: int, window: str) -> dict[str, Any]:
    """Call a parked ticket back to the actor's window.

    Refuses ticket.illegal_step (also for who went away of their own accord: they rejoin the queue), window.not_open,
    window.not_yours, window.occupied. Locks the hall. Tells TicketUnparked.
    """
    row, state = checked(tx, ticket_id, TicketStep.UNPARK)
    seat = at_window(tx, window, calling=True)
    refuse_occupied(tx, window)
    tally = _tally(tx, window, policy_of(tx.session, tx.hall, {}))
    why = {"rule": "unpark", "chosen": row.number, "candidates": []}
    call_to(tx, row, window=window, staff=seat.staff, why=why, mode="unpark", tally=tally, waited_s=None)
    tx.record(TicketUnparked(**said(row), window=window))
    return answer(tx, row, state, window=window)


@action
def recall(tx: Transaction, *, ticket_id: int) -> dict[str, Any]:
    """Call the same ticket again 重呼.

    Refuses ticket.illegal_step, ticket.not_at_window, ticket.recall_too_soon, ticket.recall_limit. Locks the hall.
    Tells TicketRecalled.
    """
    row, state = at_mine(tx, ticket_id, TicketStep.RECALL)
    policy = policy_of(tx.session, tx.hall, {})
    if row.recalls >= policy.recalls:
        raise Refusal("ticket.recall_limit", limit=policy.recalls)
    since = tx.at - (row.recalled_at or row.called_at)
    gap = timedelta(seconds=policy.recall_gap_s)
    if since < gap:
        raise Refusal("ticket.recall_too_soon", seconds=_whole_seconds(gap - since))
    move(tx, row, state, recalls=row.recalls + 1, recalled_at=tx.at)
    tx.record(TicketRecalled(**said(row), window=row.window, recall=row.recalls + 1))
    return answer(tx, row, state, recall=row.recalls + 1)


@action
def no_show(tx: Transaction, *, ticket_id: int) -> dict[str, Any]:
    """Nobody came 过号.

    Refuses ticket.illegal_step, ticket.not_at_window. Locks the hall. Tells TicketMissed.
    """
    row, state = at_mine(tx, ticket_id, TicketStep.NO_SHOW)
    move(tx, row, state, missed_at=tx.at)
    end_call(tx, row, "no_show")
    set_free(tx, row.window)
    tx.record(TicketMissed(**said(row), window=row.window))
    return answer(tx, row, state)


@action
def restore(tx: Transaction, *, ticket_id: int) -> dict[str, Any]:
    """A missed ticket waits again 过号恢复, behind the next three of its queue, never before its own old place (Q8).

    Refuses ticket.illegal_step, ticket.restore_too_late, ticket.day_over, and ticket.live_elsewhere when the person has
    meanwhile taken a new number of this queue. Locks the hall. Tells TicketRestored.
    """
    row, state = checked(tx, ticket_id, TicketStep.RESTORE)
    refuse_past_day(tx, row)
    policy = policy_of(tx.session, tx.hall, {})
    if tx.at - row.missed_at > timedelta(minutes=policy.restore_within_min):
        raise Refusal("ticket.restore_too_late", minutes=policy.restore_within_min)
    refuse_other_live(tx, row, row.queue)
    queued_us = wait_behind_the_next(tx, row, policy)
    tx.record(TicketRestored(**said(row), queued_at=exactly(queued_us)))
    return answer(tx, row, state, window=None)


def _passed_over(chosen: str, by_rule: str | None, candidates: list[dict[str, Any]]) -> list[str]:
    """Whose turn it was, first, and the other heads of lanes that stood before the chosen one."""
    numbers = [each["number"] for each in candidates]
    before = numbers[: numbers.index(chosen)]
    return list(dict.fromkeys([by_rule, *before])) if by_rule not in (None, chosen) else before


def _tally(tx: Transaction, window: str, policy: Policy) -> Tally:
    """What the window's ratio stands at today, from its last call; where there is no ratio, nothing is read."""
    if policy.ratio is None:
        return Tally()
    last = tx.execute(_LAST_CALL, {"key": tx.hall, "at": window}).one_or_none()
    if last is None or local_day(last.called_at) != tx.day:
        return Tally()
    return Tally(last.tally_normal, last.tally_priority)


def _whole_seconds(span: timedelta) -> int:
    return int(span.total_seconds()) + 1
