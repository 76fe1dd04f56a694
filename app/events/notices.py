"""Issued papers, one by one and many in one file."""

from __future__ import annotations

from app.events.base import Event, published


@published
class BatchRequested(Event, kind="batch.requested"):
    """Somebody wants issued papers as one file; asked for again when the file is gone."""

    batch: int
    total: int


@published
class NoticeIssued(Event, kind="notice.issued"):
    notice: int
    notice_kind: str
    number: str
    case: int | None = None

    @property
    def subject(self) -> str:
        return f"case:{self.case}" if self.case else f"notice:{self.notice}"
