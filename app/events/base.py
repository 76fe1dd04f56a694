"""What an event is: who did it, how it is written down and read again, and the list of all kinds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, get_origin, get_type_hints


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: staff, a device, a citizen holding a token, or the system itself.

    `hall` is None for staff of the whole network; `department` is set for those who decide for one.
    """

    kind: str
    id: int
    name: str
    hall: str | None = None
    permissions: frozenset[str] = frozenset()
    department: str | None = None

    @property
    def ref(self) -> str:
        """How the record names the actor."""
        return f"{self.kind}:{self.name}"

    def may(self, permission: str) -> bool:
        return permission in self.permissions


SYSTEM = Actor("system", 0, "system")
CITIZEN = Actor("citizen", 0, "citizen")

KINDS: dict[str, type[Event]] = {}


class Event:
    """Base of all events. `kind` is `noun.past`; `noun` says what its subject is."""

    __slots__ = ()
    kind: ClassVar[str]

    def __init_subclass__(cls, kind: str = "", **more: Any) -> None:
        super().__init_subclass__(**more)
        if kind:
            cls.kind = kind
            KINDS[kind] = cls

    @property
    def subject(self) -> str:
        """What the event is about, as `noun:id`, for reading one thing's history."""
        noun = self.kind.split(".")[0]
        own = getattr(self, noun, None)
        return "" if own is None else f"{noun}:{own}"


def encode(event: Event) -> dict[str, Any]:
    """The event's fields as a JSON object."""
    return asdict(event)  # type: ignore[call-overload]  # every event is a dataclass


def decode(kind: str, body: dict[str, Any]) -> Event:
    """The event that `encode` came from; fields added since keep their defaults, unknown ones are dropped."""
    cls = KINDS[kind]
    tuples = _tuples(cls)
    values = {k: tuple(v) if tuples[k] else v for k, v in body.items() if k in tuples}
    return cls(**values)


@cache
def _tuples(cls: type[Event]) -> dict[str, bool]:
    """The fields of an event, and whether JSON's lists are tuples there; worked out once, for a day has many events."""
    hints = get_type_hints(cls)
    return {f.name: get_origin(hints[f.name]) is tuple for f in fields(cls)}  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One row of a hall's record: the event, its place in the hall's own order, who and when (aware UTC)."""

    hall: str
    seq: int
    event: Event
    actor: str
    at: datetime


def published(cls: type) -> type:
    return dataclass(frozen=True, kw_only=True)(cls)
