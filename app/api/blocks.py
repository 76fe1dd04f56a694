"""Blocks of numbers: what a kiosk prints from while it cannot reach the server, and what it tells when it can again."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import segno
from flask import current_app, g, url_for
from marshmallow import fields, validate

from app.api.noun import Noun
from app.api.reading import own_hall, row_id
from app.api.schemas import Shape, Text, dated, instant, listed, maybe, said, whole
from app.catalog.queries import item as guide_of
from app.errors import Refusal
from app.now import now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing import blocks
from app.queueing.rules.reasons import Ground
from app.queueing.tickets import LARGEST_PARTY

noun = Noun("blocks", "Numbers lent to kiosks")


class BlockWish(Shape):
    queue = Text(limit=10, required=True)


class LentNumber(Shape):
    """`url` is what the QR code says, `qr` the code itself: an SVG path over a square of `qr_size` units."""

    number = said()
    url = said()
    qr = said()
    qr_size = fields.Integer(required=True)


class LeasedBlock(Shape):
    id = said()
    queue = said()
    day = dated()
    leased_at = instant(required=True)
    proof = said(metadata={"description": "Lets this browser tell of the block when it is another device by then"})
    numbers = fields.List(fields.Nested(LentNumber), required=True)


class TakenNumber(Shape):
    """A number that the kiosk gave; `taken_at` is its own clock's and is kept between the lease and now."""

    number = Text(limit=8, required=True)
    lane = Text(limit=20, load_default="normal", validate=validate.OneOf(sorted(blocks.LANES)))
    ground = Text(
        limit=20, allow_none=True, load_default=None, validate=validate.OneOf([None, *(each.value for each in Ground)])
    )
    party = whole(1, LARGEST_PARTY, load_default=1)
    item = Text(limit=80, allow_none=True, load_default=None)
    taken_at = fields.AwareDateTime(required=True, default_timezone=UTC)


class Reconciliation(Shape):
    """`done`: the kiosk gives nothing more from the block, which is closed then; false keeps it. `proof` is needed of a
    kiosk that was paired anew since the lease.
    """

    done = fields.Boolean(load_default=True)
    proof = Text(limit=80, allow_none=True, load_default=None)
    taken = listed(fields.Nested(TakenNumber), most=blocks.LARGEST_BLOCK, required=True)


class ReconciledNumber(Shape):
    """`ticket` is null for a number that had been closed before the kiosk told of it."""

    number = said()
    ticket = maybe()
    state = said(metadata={"enum": ["issued", "void"]})


class ReconciledBlock(Shape):
    id = said()
    queue = said()
    state = said(metadata={"enum": ["leased", "closed"]})
    used = fields.Integer(required=True)
    tickets = fields.List(fields.Nested(ReconciledNumber), required=True)


@noun.post(
    "/halls/<hall>/blocks",
    refuses="hall.unknown auth.foreign_hall queue.unknown queue.closed queue.closed_for_today block.size block.held "
    "block.none_left",
)
@requires(Permission.TICKET_LEASE)
@noun.arguments(BlockWish)
@noun.response(201, LeasedBlock)
def lease_block(given: dict[str, Any], hall: str) -> Any:
    """Lend the kiosk numbers of a queue for today, one block at a time. Ask with an Idempotency-Key: an answer that was
    lost is had again by it alone.
    """
    own_hall(g.actor, hall)
    size = current_app.extensions["settings"].kiosk_block
    lent = blocks.lease_block(hall=hall, actor=g.actor, at=now(), queue=given["queue"], size=size)
    return lent | {"numbers": [_with_code(each["number"], each["token"]) for each in lent["numbers"]]}


@noun.post(
    "/blocks/<block>/reconcile",
    refuses="hall.unknown auth.foreign_hall block.unknown block.foreign_number lane.unknown ground.unknown party.size "
    "queue.unknown",
)
@requires(Permission.TICKET_LEASE)
@noun.arguments(Reconciliation)
@noun.response(200, ReconciledBlock)
def reconcile_block(given: dict[str, Any], block: str) -> Any:
    """Tell what was given from a block, and whether the kiosk is done with it; told again, nothing is doubled."""
    hall, number = row_id(block, "block.unknown")
    own_hall(g.actor, hall)
    taken = [{**each, "item": _offered(each["item"])} for each in given["taken"]]
    told = {"taken": taken, "done": given["done"], "proof": given["proof"]}
    return blocks.reconcile(hall=hall, actor=g.actor, at=now(), block_id=number, **told)


def _offered(code: str | None) -> str | None:
    """The item, if it is still offered: the number is in somebody's hand either way."""
    try:
        return guide_of(code)["code"] if code else None
    except Refusal:
        return None


def _with_code(number: str, token: str) -> dict[str, Any]:
    url = f"{current_app.extensions['settings'].public_url}{url_for('citizen.ticket', token=token)}"
    path, size = _drawn(url)
    return {"number": number, "url": url, "qr": path, "qr_size": size}


def _drawn(text: str) -> tuple[str, int]:
    """A QR code as an SVG path with its quiet margin, and the side of the square that it stands in."""
    parts, side = [], 0
    for y, row in enumerate(segno.make(text, error="m", micro=False).matrix_iter(border=2)):
        line = list(row)
        side, x = len(line), 0
        while x < side:
            begun = x
            while x < side and line[x]:
                x += 1
            if x > begun:
                parts.append(f"M{begun} {y}h{x - begun}v1h-{x - begun}z")
            x += 1
    return "".join(parts), side
