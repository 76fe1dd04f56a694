"""The hall itself: its zones, queues, windows, calendar and hours, and the catalogue it serves from."""

from __future__ import annotations

from app.events.base import Event, published


@published
class HallDefined(Event, kind="hall.defined"):
    hall: str
    name_zh: str
    name_en: str


@published
class ZoneDefined(Event, kind="zone.defined"):
    zone: str
    name_zh: str
    name_en: str


@published
class QueueDefined(Event, kind="queue.defined"):
    queue: str
    prefix: str
    name_zh: str
    name_en: str
    zone: str
    active: bool = True


@published
class WindowDefined(Event, kind="window.defined"):
    window: str
    window_kind: str
    name_zh: str
    name_en: str
    zone: str
    queues: tuple[str, ...]
    active: bool = True
    weights: tuple[int, ...] = ()  # minutes, in the order of the queues


@published
class CalendarImported(Event, kind="calendar.imported"):
    version: str
    years: tuple[int, ...]


@published
class ClosureDefined(Event, kind="closure.defined"):
    from_at: str
    to_at: str
    opens: bool  # True: a voluntary session; False: an exceptional closure
    removed: bool = False


@published
class HoursChanged(Event, kind="hours.changed"):
    hours: tuple[str, ...]  # daily opening intervals, e.g. "08:30-12:00"
    from_on: str = ""  # the first local day with them; at once where no day was said yet


@published
class PayPlaceChanged(Event, kind="pay_place.changed"):
    words: str  # where fees are paid, as the fee notice prints it
    words_en: str


@published
class CatalogImported(Event, kind="catalog.imported"):
    version: str
    items: int
    guides: int
