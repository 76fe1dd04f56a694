"""Batches: many issued papers printed as one file. What is asked for is kept; file and progress may be lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from redis import RedisError
from sqlalchemy import insert, select, update

from app.action import Transaction, action
from app.broker import redis_client
from app.config import Settings
from app.db import db
from app.errors import Refusal
from app.events import BatchRequested
from app.notices.models import NoticeBatch, NoticeRow
from app.notices.queries import opens_to
from app.now import iso

MOST = 200  # papers of one batch: seconds of drawing, in which this worker prints no slip
KEEP = timedelta(days=2)  # how long the file lies ready: it names people, and can be made again


@action
def request_batch(tx: Transaction, *, notices: list[int]) -> dict[str, Any]:
    """Ask for these papers of the hall as one file, in this order, each once, but for those that ask the actor why.

    Refuses batch.empty, batch.too_many, notice.unknown. Locks the hall. Tells BatchRequested.
    """
    wanted = list(dict.fromkeys(notices))
    if not wanted:
        raise Refusal("batch.empty")
    if len(wanted) > MOST:
        raise Refusal("batch.too_many", limit=MOST)
    papers = select(NoticeRow.id, NoticeRow.kind, NoticeRow.issued_by)
    known = {row.id: row for row in tx.execute(papers.where(NoticeRow.hall == tx.hall, NoticeRow.id.in_(wanted)))}
    if len(known) < len(wanted):
        raise Refusal("notice.unknown")
    wanted = [each for each in wanted if opens_to(tx.actor.ref, known[each].kind, known[each].issued_by)]
    if not wanted:
        raise Refusal("batch.empty")
    batch_id = tx.new_id()
    row = {"hall": tx.hall, "id": batch_id, "notices": wanted, "requested_at": tx.at, "requested_by": tx.actor.ref}
    tx.execute(insert(NoticeBatch.__table__), row)
    tx.record(BatchRequested(batch=batch_id, total=len(wanted)))
    return {"id": f"{tx.hall}-{batch_id}", "total": len(wanted)}


@action
def renew_batch(tx: Transaction, *, batch_id: int) -> dict[str, Any]:
    """Ask again for a batch whose file is gone. Refuses batch.unknown. Locks the hall. Tells BatchRequested."""
    one = (NoticeBatch.hall == tx.hall, NoticeBatch.id == batch_id)
    notices = tx.execute(select(NoticeBatch.notices).where(*one)).scalar_one_or_none()
    if notices is None:
        raise Refusal("batch.unknown")
    tx.execute(update(NoticeBatch).where(*one).values(requested_at=tx.at))
    tx.record(BatchRequested(batch=batch_id, total=len(notices)))
    return {"id": f"{tx.hall}-{batch_id}", "total": len(notices)}


def papers_of_batch(hall: str, batch_id: int) -> list[int]:
    """The ids of its papers, in order. Refuses batch.unknown."""
    return list(_row(hall, batch_id).notices)


def batch(hall: str, batch_id: int, settings: Settings) -> dict[str, Any]:
    """Where a batch stands; `done` is what Redis remembers, and 0 while it remembers nothing. Refuses batch.unknown."""
    return _standing(_row(hall, batch_id), settings)


def read_file(hall: str, batch_id: int, by: str, settings: Settings) -> bytes:
    """All papers of a batch as one PDF, for who asked for them (an actor's `ref`) and saw to what may be in it.

    Refuses batch.unknown, auth.forbidden, batch.not_ready.
    """
    if _row(hall, batch_id).requested_by != by:
        raise Refusal("auth.forbidden")
    try:
        return file_of(settings, hall, batch_id).read_bytes()
    except FileNotFoundError:
        raise Refusal("batch.not_ready") from None


def of_one_hall(papers: Sequence[tuple[str, int]]) -> tuple[str, list[int]]:
    """The hall that all of these papers are of, and their ids. Refuses batch.empty, batch.one_hall."""
    halls = {hall for hall, _ in papers}
    if not halls:
        raise Refusal("batch.empty")
    if len(halls) > 1:
        raise Refusal("batch.one_hall")
    return halls.pop(), [number for _, number in papers]


def batches(hall: str, by: str, settings: Settings, limit: int = 10) -> list[dict[str, Any]]:
    """The last batches that somebody asked for, newest first. `by` is an actor's `ref`."""
    query = select(NoticeBatch).where(NoticeBatch.hall == hall, NoticeBatch.requested_by == by)
    rows = db.session.execute(query.order_by(NoticeBatch.id.desc()).limit(limit)).scalars()
    return [_standing(row, settings) for row in rows]


def unmade(hall: str, before: datetime, settings: Settings) -> list[int]:
    """Batches asked for in the last two days but not after `before` that have no file: their job was lost, or failed."""
    span = (NoticeBatch.requested_at > before - KEEP, NoticeBatch.requested_at < before)
    query = select(NoticeBatch.id).where(NoticeBatch.hall == hall, *span).order_by(NoticeBatch.id)
    return [each for each in db.session.execute(query).scalars() if not file_of(settings, hall, each).exists()]


def file_of(settings: Settings, hall: str, batch_id: int) -> Path:
    """Where the file of a batch lies when it is ready."""
    return folder_of(settings) / hall / f"{batch_id}.pdf"


def folder_of(settings: Settings) -> Path:
    return settings.data_dir / "batches"


def forget_files(settings: Settings, at: datetime) -> int:
    """Remove files that have lain ready for two days, and drafts as old; answers how many."""
    old = [path for path in folder_of(settings).glob("*/*") if path.stat().st_mtime < (at - KEEP).timestamp()]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


class Progress:
    """How many papers of a batch are drawn: one number in Redis, that nobody misses when it is gone."""

    def __init__(self, settings: Settings, hall: str, batch_id: int) -> None:
        self._redis = redis_client(settings.redis_url) if settings.redis_url else None
        self._key = f"yichuang:batch:{hall}:{batch_id}"

    def tell(self, done: int) -> None:
        if self._redis is not None:
            try:
                self._redis.set(self._key, done, ex=KEEP)
            except RedisError:
                return  # the file counts, not the figure

    def told(self) -> int:
        if self._redis is None:
            return 0
        try:
            with self._redis as client:
                return int(client.get(self._key) or 0)
        except RedisError:
            return 0


def _row(hall: str, batch_id: int) -> NoticeBatch:
    query = select(NoticeBatch).where(NoticeBatch.hall == hall, NoticeBatch.id == batch_id)
    row = db.session.execute(query).scalar_one_or_none()
    if row is None:
        raise Refusal("batch.unknown")
    return row


def _standing(row: NoticeBatch, settings: Settings) -> dict[str, Any]:
    total: Sequence[int] = row.notices
    ready = file_of(settings, row.hall, row.id).exists()
    done = len(total) if ready else min(Progress(settings, row.hall, row.id).told(), len(total))
    return {
        "id": f"{row.hall}-{row.id}",
        "total": len(total),
        "done": done,
        "ready": ready,
        "requested_at": iso(row.requested_at),
        "requested_by": row.requested_by,
    }
