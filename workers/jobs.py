"""The jobs: each is given ids, reads the rest, and does nothing when its work is already there."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path

from flask import Flask
from sqlalchemy import select

from app.catalog.queries import item as guide_of
from app.config import Settings
from app.db import db
from app.errors import Refusal
from app.hall.models import Window
from app.hall.queries import hall as hall_of
from app.notices import paper, typeface
from app.notices.batches import Progress, file_of, papers_of_batch
from app.notices.queries import notice, pdf
from app.now import iso, now
from app.queueing.models import WindowQueue
from app.queueing.queries import policy_of, ticket_view, token_of
from printers import slips
from printers.agent import forget
from printers.agent import print_slip as put_on_paper
from workers.bare import bare_app

log = logging.getLogger("yichuang.jobs")

KEEP_PRINTS = timedelta(days=2)


@cache
def house() -> Flask:
    """The application of this worker, made once; a forked job gets it ready."""
    return bare_app(Settings.from_env())


def _job(function: Callable[[Settings, str, int], str]) -> Callable[[str, int], str]:
    """A job as RQ calls it: with the application, and with database connections of its own after the fork."""

    def run(hall: str, number: int) -> str:
        app = house()
        with app.app_context():
            try:
                return function(app.extensions["settings"], hall, number)
            finally:
                db.session.remove()

    run.__name__ = run.__qualname__ = function.__name__.removeprefix("_")
    run.__doc__ = function.__doc__
    return run


def _print_slip(settings: Settings, hall: str, ticket_id: int) -> str:
    """Print the slip of a ticket. Done before: nothing. Raises PrinterFailed; the timer then asks for it again."""
    slip = slip_of(settings, hall, ticket_id)
    spool = spool_of(settings)
    page = _page(slip) if settings.printer == "spool" else None
    return put_on_paper(slip, settings.printer, spool, pdf=page)


def _page(slip: slips.Slip) -> bytes | None:
    try:
        return paper.render("slip", slips.to_facts(slip))
    except typeface.FontMissing:
        return None  # the printer has letters of its own


def _archive_notice(settings: Settings, hall: str, notice_id: int) -> str:
    """Write a notice as PDF into the archive. Refuses notice.unknown."""
    path = paper_of(settings, hall, notice_id)
    if not path.exists():
        _keep(path, pdf(hall, notice_id))
    return path.name


def _render_batch(settings: Settings, hall: str, batch_id: int) -> str:
    """Draw all papers of a batch into one PDF. Refuses batch.unknown."""
    path = file_of(settings, hall, batch_id)
    if not path.exists():
        ids, progress = papers_of_batch(hall, batch_id), Progress(settings, hall, batch_id)
        place = hall_of(hall)
        db.session.rollback()
        pdf_of_all = paper.render_all(
            (_order(hall, notice_id) for notice_id in ids),
            title=f"{place['name']} {len(ids)} 份文书",
            author=place["name"],
            at=iso(now()) or "",
            done=progress.tell,
        )
        _keep(path, pdf_of_all)
    return path.name


def _order(hall: str, notice_id: int) -> paper.Order:
    issued = notice(hall, notice_id)
    db.session.rollback()  # a read must not stay open over the drawing
    return paper.Order(issued["kind"], issued["facts"], issued["language"])


def _keep(path: Path, pdf_bytes: bytes) -> None:
    """Put a file in its place at once, for its owner alone: it names people."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.part")
    draft.touch(0o600)
    draft.write_bytes(pdf_bytes)
    draft.replace(path)


print_slip = _job(_print_slip)
archive_notice = _job(_archive_notice)
render_batch = _job(_render_batch)


def paper_of(settings: Settings, hall: str, notice_id: int) -> Path:
    """Where the archive keeps a notice."""
    return settings.data_dir / "papers" / hall / f"{notice_id}.pdf"


def spool_of(settings: Settings) -> Path:
    """Where prints and the marks of what was printed are."""
    return settings.data_dir / "spool"


def is_printed(settings: Settings, hall: str, ticket_id: int) -> bool:
    """Whether the first slip of a ticket is done with."""
    name, spool = f"{hall}-{ticket_id}-1", spool_of(settings)
    return settings.printer == "off" or (spool / "sent" / name).exists() or (spool / f"{name}.bin").exists()


def forget_prints(settings: Settings) -> int:
    """Clear the spool of what is days old; answers how many files went."""
    return forget(spool_of(settings), KEEP_PRINTS.total_seconds())


def slip_of(settings: Settings, hall: str, ticket_id: int) -> slips.Slip:
    """What stands on the slip of a ticket; no person is named. Refuses ticket.unknown."""
    view, place = ticket_view(hall, ticket_id, now()), hall_of(hall)
    policy = policy_of(db.session(), hall, {})
    serving = (
        select(Window.name_zh)
        .join(WindowQueue, (WindowQueue.hall == Window.hall) & (WindowQueue.window == Window.code))
        .where(Window.hall == hall, Window.active, WindowQueue.queue == view["queue"])
    )
    windows = db.session.execute(serving.order_by(WindowQueue.weight_min.desc(), Window.code)).scalars().all()
    return slips.Slip(
        hall=hall,
        ticket=ticket_id,
        number=view["number"],
        hall_name_zh=place["name"],
        hall_name_en=place["name_en"],
        hall_phone=place["phone"],
        queue_name_zh=view["queue_name"],
        queue_name_en=view["queue_name_en"],
        zone=view["zone"],
        windows=tuple(windows) if len(windows) <= 3 else (),  # every window of the hall is no direction
        ahead=view["ahead"] if view["state"] == "waiting" else None,
        item_name=_item_name(view["item"]),
        no_show_rule=slips.no_show_rule(policy.restore_within_min, policy.restore_behind),
        issued_at=view["issued_at"][:16].replace("T", " "),  # in hall time, to the minute
        qr_url=f"{settings.public_url}/t/{token_of(hall, ticket_id)}",
    )


def _item_name(code: str | None) -> str:
    try:
        return str(guide_of(code)["name"]) if code else ""
    except Refusal:
        return ""  # the catalogue has changed since


def warm_up() -> None:
    """Do once, before any fork, what every job would do again: make the app, read the fonts. Opens no connection."""
    house()
    try:
        typeface.load()
    except typeface.FontMissing as missing:
        log.warning("%s", missing)
