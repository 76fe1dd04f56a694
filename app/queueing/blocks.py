"""Numbers lent to kiosks 号段: leased while the server can be reached, told back when it can be reached again.

A kiosk that is cut off prints from its block and keeps what it gave. The numbers are a run of their own, which begins at
9001, so that the queue's main run stays without gaps whatever happens to a kiosk.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, exists, func, insert, select, update

from app import privacy
from app.action import Transaction, action
from app.catalog.models import ServiceItem
from app.errors import Refusal
from app.events import BlockClosed, BlockLeased
from app.hall.models import Hall
from app.now import iso, local_day
from app.queueing.closing import expire
from app.queueing.heads import is_closed_for
from app.queueing.models import NumberBlock, Queue, Ticket
from app.queueing.rules.numbers import OFFLINE_FIRST, OFFLINE_LAST, number
from app.queueing.rules.reasons import ExpiryReason
from app.queueing.rules.states import Lane
from app.queueing.tickets import Printed, give

LARGEST_BLOCK = 200
LANES = frozenset({Lane.NORMAL, Lane.PRIORITY})  # the others need somebody who proves the right to them


@action
def lease_block(tx: Transaction, *, queue: str, size: int) -> dict[str, Any]:
    """Lend the device that asks `size` numbers of the queue's offline run for today, with their tokens.

    A device has one block a queue and day until that is told to be done: a second browser with the device's token, or one
    that forgot its block, is lent nothing that day, for numbers of the first may be in somebody's hand. Whose answer was
    lost asks again with the same Idempotency-Key.
    Refuses auth.forbidden (no device), queue.unknown, queue.closed, queue.closed_for_today, block.size, block.held,
    block.none_left. Locks the hall. Tells BlockLeased.
    """
    if tx.actor.kind != "device":
        raise Refusal("auth.forbidden")
    if not 1 <= size <= LARGEST_BLOCK:
        raise Refusal("block.size", limit=LARGEST_BLOCK)
    of = select(Queue.prefix, Queue.active, Hall.settings).join(Hall, Hall.code == Queue.hall)
    known = tx.execute(of.where(Queue.hall == tx.hall, Queue.code == queue)).one_or_none()
    if known is None:
        raise Refusal("queue.unknown")
    if not known.active:
        raise Refusal("queue.closed")
    if is_closed_for(known.settings, tx.day.isoformat()):
        raise Refusal("queue.closed_for_today")
    of_day = (NumberBlock.hall == tx.hall, NumberBlock.queue == queue, NumberBlock.day == tx.day)
    held = (*of_day, NumberBlock.device_id == tx.actor.id, NumberBlock.state == "leased")
    if tx.execute(select(exists().where(*held))).scalar_one():
        raise Refusal("block.held")
    # blocks are never deleted, so the last one says where the run stands; the unique index watches
    first = (tx.execute(select(func.max(NumberBlock.last)).where(*of_day)).scalar_one() or OFFLINE_FIRST - 1) + 1
    last = min(first + size - 1, OFFLINE_LAST)
    if first > last:
        raise Refusal("block.none_left")
    block_id = tx.new_id()
    tokens = [privacy.new_token() for _ in range(first, last + 1)]
    values = {
        "hall": tx.hall,
        "id": block_id,
        "device_id": tx.actor.id,
        "queue": queue,
        "day": tx.day,
        "first": first,
        "last": last,
        "state": "leased",
        "leased_at": tx.at,
        "tokens_sealed": privacy.seal(json.dumps(tokens), _context(tx.hall, block_id)),
    }
    tx.execute(insert(NumberBlock), values)
    tx.record(
        BlockLeased(
            block=block_id,
            device=tx.actor.ref,
            queue=queue,
            day=tx.day.isoformat(),
            first=number(known.prefix, first),
            last=number(known.prefix, last),
        )
    )
    row = tx.execute(select(NumberBlock.__table__).where(*held)).one()
    return _lease(tx, row, known.prefix)


@action
def reconcile(
    tx: Transaction, *, block_id: int, taken: Sequence[Mapping[str, Any]], done: bool = True, proof: str | None = None
) -> dict[str, Any]:
    """Hear what a kiosk gave from its block: it becomes tickets that arrived when the kiosk says.

    Each of `taken` has number, lane, taken_at, and perhaps item, ground, party. A moment after now counts as now, one
    before the lease as the lease. `done`: the kiosk gives nothing more from it, so the rest is void and the block closed;
    so is one of a day that is over. Told again nothing is doubled: each number is answered as it stands, `void` for one
    that is first told of when its block is closed. `proof`, which came with the lease, lets a kiosk tell that was paired
    anew as another device since.
    Refuses block.unknown, auth.forbidden (another device's, without its proof), block.foreign_number (then nothing is taken), lane.unknown,
    ground.unknown, party.size. Locks the hall. Tells TicketIssued for each and BlockClosed.
    """
    row = tx.execute(
        select(NumberBlock.__table__).where(NumberBlock.hall == tx.hall, NumberBlock.id == block_id)
    ).one_or_none()
    if row is None:
        raise Refusal("block.unknown")
    lessee = row.device_id == tx.actor.id or hmac.compare_digest((proof or "").encode(), _proof(row).encode())
    if tx.actor.kind != "device" or not lessee:
        raise Refusal("auth.forbidden")
    prefix = tx.execute(select(Queue.prefix).where(Queue.hall == tx.hall, Queue.code == row.queue)).scalar_one()
    lent = _lent(row, prefix)
    told: dict[str, Mapping[str, Any]] = {}
    for each in taken:
        if each["number"] not in lent:
            raise Refusal("block.foreign_number", number=each["number"])
        if each["lane"] not in LANES:
            raise Refusal("lane.unknown")
        told.setdefault(each["number"], each)
    closed = row.state != "leased"
    if not closed:
        known = _given(tx, block_id)
        _give_all(tx, row, [each for printed, each in told.items() if printed not in known], lent)
        if row.day < tx.day:  # told too late: that day is closed, nobody will be called on it
            expire(tx, Ticket.__table__.c.block_id == row.id, reason=ExpiryReason.ROLLOVER)
        closed = done or row.day < tx.day
        if closed:
            _close(tx, row, prefix)
    given = _given(tx, block_id)
    return {
        "id": f"{tx.hall}-{block_id}",
        "queue": row.queue,
        "state": "closed" if closed else "leased",
        "used": len(given),
        "tickets": [
            {"number": printed, "ticket": given.get(printed), "state": "issued" if printed in given else "void"}
            for printed in told
        ],
    }


def _give_all(
    tx: Transaction, row: Row[Any], told: Sequence[Mapping[str, Any]], lent: Mapping[str, tuple[int, str]]
) -> None:
    """In the order in which they were taken; numbers decide between two of one moment. The paper is in somebody's hand:
    an item that the catalogue has never had is left out.
    """

    def arrival(each: Mapping[str, Any]) -> datetime:
        at: datetime = min(max(each["taken_at"], row.leased_at), tx.at)
        return at if local_day(at) == row.day else row.leased_at  # a clock that went wrong over midnight

    items = {each.get("item") for each in told}
    known = set(tx.execute(select(ServiceItem.code).where(ServiceItem.code.in_(items))).scalars())
    for each in sorted(told, key=lambda one: (arrival(one), lent[one["number"]][0])):
        give(
            tx,
            queue=row.queue,
            channel="kiosk",
            lane=each["lane"],
            item=each["item"] if each.get("item") in known else None,
            ground=each.get("ground"),
            party=each.get("party") or 1,
            block=Printed(row.id, each["number"], lent[each["number"]][1], arrival(each)),
        )


def _close(tx: Transaction, row: Row[Any], prefix: str) -> None:
    used = _given(tx, row.id)
    of = NumberBlock.__table__.c
    closed = update(NumberBlock.__table__).where(of.hall == tx.hall, of.id == row.id)
    tx.execute(closed.values(state="closed", closed_at=tx.at, used=len(used)))
    void = tuple(printed for printed in _numbers(row, prefix) if printed not in used)
    tx.record(BlockClosed(block=row.id, queue=row.queue, day=row.day.isoformat(), used=len(used), void=void))


def _given(tx: Transaction, block_id: int) -> dict[str, str]:
    """The tickets of a block: their ids by printed number."""
    query = select(Ticket.number, Ticket.id).where(Ticket.hall == tx.hall, Ticket.block_id == block_id)
    return {printed: f"{tx.hall}-{ticket}" for printed, ticket in tx.execute(query.order_by(Ticket.id))}


def _numbers(row: Row[Any], prefix: str) -> list[str]:
    return [number(prefix, serial) for serial in range(row.first, row.last + 1)]


def _lent(row: Row[Any], prefix: str) -> dict[str, tuple[int, str]]:
    """Printed number → its serial and token."""
    tokens = json.loads(privacy.open_sealed(row.tokens_sealed, _context(row.hall, row.id)))
    serials = range(row.first, row.last + 1)
    return {number(prefix, serial): (serial, token) for serial, token in zip(serials, tokens, strict=True)}


def _lease(tx: Transaction, row: Row[Any], prefix: str) -> dict[str, Any]:
    return {
        "id": f"{tx.hall}-{row.id}",
        "queue": row.queue,
        "day": row.day.isoformat(),
        "leased_at": iso(row.leased_at),
        "proof": _proof(row),
        "numbers": [{"number": printed, "token": token} for printed, (_, token) in _lent(row, prefix).items()],
    }


def _proof(row: Row[Any]) -> str:
    """What only the browser knows that was lent the block."""
    return privacy.blind_index("block", f"{row.hall}/{row.id}")


def _context(hall: str, block_id: int) -> str:
    return f"number_blocks.tokens|{hall}|{block_id}"
