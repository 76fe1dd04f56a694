"""The slip of a ticket as a page: found by its number of today, written from what the ticket says."""

from __future__ import annotations

from flask import url_for
from flask_babel import gettext
from sqlalchemy import select

from app.catalog.queries import item_asked_for
from app.db import db
from app.hall.queries import hall as hall_of
from app.notices.paper import render
from app.now import local_day, now
from app.queueing.models import Ticket
from app.queueing.queries import policy_of, ticket_view, token_of
from app.web import times, wording
from app.web.forms import settings


def find_today(hall: str, number: str) -> int | None:
    """The id of today's ticket with this printed number."""
    query = select(Ticket.id).where(Ticket.hall == hall, Ticket.day == local_day(now()), Ticket.number == number)
    return db.session.execute(query).scalar_one_or_none()


def is_on_paper(hall: str, ticket_id: int) -> bool:
    """Whether the first slip of a ticket was printed, as the printers of this machine note it."""
    name, spool = f"{hall}-{ticket_id}-1", settings().data_dir / "spool"
    return (spool / "sent" / name).exists() or (spool / f"{name}.bin").exists()


def slip_pdf(hall: str, ticket_id: int, *, reprint: bool = False) -> bytes:
    """An 80 mm page with number, queue, rule and QR code, in the reader's language."""
    at = now()
    view, home = ticket_view(hall, ticket_id, at), hall_of(hall)
    facts = {
        "hall": hall,
        "ticket": ticket_id,
        "hall_name_zh": home["name"],
        "hall_name_en": home["name_en"],
        "number": view["number"],
        "queue_name_zh": view["queue_name"],
        "queue_name_en": view["queue_name_en"],
        "zone": view["zone"],
        "ahead": view["ahead"] if view["state"] == "waiting" else None,
        "issued_at": times.stamp(view["issued_at"]),
        "no_show_rule": no_show_rule(hall),
        "hall_phone": home["phone"],
        "qr_url": f"{settings().public_url}{url_for('citizen.ticket', token=token_of(hall, ticket_id))}",
        "reprint": reprint,
        "language": "en" if wording.english() else "zh",
    }
    item = item_asked_for(view["item"])
    if item:
        facts["item_name"] = wording.named(item)
    return render("slip", facts)


def no_show_rule(hall: str) -> str:
    """What happens to who misses the call, with the hall's own figures."""
    policy = policy_of(db.session(), hall, {})
    return gettext(
        "过号后 %(minutes)s 分钟内到窗口或导办台可恢复，排在后 %(behind)s 位；超过时间请重新取号。",
        minutes=policy.restore_within_min,
        behind=policy.restore_behind,
    )
