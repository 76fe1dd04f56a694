"""Staff, their sessions and devices, and who looked at whose data."""

from __future__ import annotations

from app.events.base import Event, published


@published
class StaffDefined(Event, kind="staff.defined"):
    staff: str
    roles: tuple[str, ...]
    active: bool = True


@published
class SessionOpened(Event, kind="session.opened"):
    staff: str


@published
class SessionClosed(Event, kind="session.closed"):
    staff: str


@published
class DeviceRegistered(Event, kind="device.registered"):
    device: int
    device_kind: str
    zone: str | None


@published
class DevicePaired(Event, kind="device.paired"):
    device: int


@published
class DeviceRevoked(Event, kind="device.revoked"):
    device: int


@published
class FieldRevealed(Event, kind="field.revealed"):
    """Somebody looked at a masked value, or at a `notice` that names people; `reason` is a code of a fixed list."""

    of: str
    field: str
    reason: str
    notice: int | None = None

    @property
    def subject(self) -> str:
        return self.of


@published
class ApplicantRecalled(Event, kind="field.recalled"):
    """A clerk looked whether an applicant is known, by the full ID number, and saw masked data of `case` or nobody."""

    case: int | None

    @property
    def subject(self) -> str:
        return f"case:{self.case}" if self.case else "field:recalled"


@published
class LicenceStored(Event, kind="licence.stored"):
    """An e-licence came into the local store; `case` when it is a result of our own."""

    licence: int
    title: str
    case: int | None = None

    @property
    def subject(self) -> str:
        return f"case:{self.case}" if self.case else f"licence:{self.licence}"
