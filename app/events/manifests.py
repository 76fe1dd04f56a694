"""Papers on their way between two halls."""

from __future__ import annotations

from app.events.base import Event, published


@published
class ManifestEvent(Event):
    """What every event of a bundle of papers between two halls says."""

    manifest: int
    number: str
    from_hall: str
    to_hall: str


@published
class ManifestSent(ManifestEvent, kind="manifest.sent"):
    cases: tuple[str, ...]


@published
class ManifestArrived(ManifestEvent, kind="manifest.arrived"):
    """`missing`: cases on the list whose papers were not in the bundle."""

    cases: tuple[str, ...]
    missing: tuple[str, ...]
