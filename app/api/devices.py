"""Devices: kiosks, screens and printers, registered by an admin."""

from __future__ import annotations

from typing import Any

from flask import Response, g

from app.api.noun import Noun
from app.api.reading import own_hall, row_id
from app.api.schemas import Nothing, Shape, Text, maybe, said
from app.errors import Refusal
from app.hall.queries import zones
from app.now import now
from app.people import devices
from app.people.gate import requires
from app.people.permissions import Permission
from app.words import clean

noun = Noun("devices", "Kiosks, screens and printers")


class NewDevice(Shape):
    hall = Text(limit=40, required=True)
    kind = Text(limit=20, required=True, metadata={"enum": ["kiosk", "screen", "printer"]})
    zone = Text(limit=10, allow_none=True, load_default=None)
    name = Text(limit=60, load_default="")


class RegisteredDevice(Shape):
    id = said()
    hall = said()
    kind = said()
    zone = maybe()
    token = said(metadata={"description": "Shown once"})
    pairing_code = said(metadata={"description": "Six figures for a browser; good for 30 minutes, once"})


class Pairing(Shape):
    id = said()
    pairing_code = said()


def _public(answer: dict[str, Any], hall: str) -> dict[str, Any]:
    return answer | {"id": f"{hall}-{answer['id']}"}


@noun.post("/devices", refuses="hall.unknown auth.foreign_hall device.kind text.empty")
@requires(Permission.DEVICE_MANAGE)
@noun.arguments(NewDevice)
@noun.response(201, RegisteredDevice)
def register_device(given: dict[str, Any]) -> Any:
    """Register a device of a hall; the token is shown once."""
    hall = own_hall(g.actor, given["hall"])
    if given["zone"] is not None and given["zone"] not in {zone["code"] for zone in zones(hall)}:
        raise Refusal("request.invalid", detail="zone: not a zone of this hall")
    answer = devices.register_device(
        hall=hall,
        actor=g.actor,
        at=now(),
        device_id=devices.next_device_id(),
        kind=given["kind"],
        zone=given["zone"],
        name=clean(given["name"], "name", empty=True),
    )
    return _public(answer, hall)


@noun.post("/devices/<device_id>/pairing-code", refuses="device.unknown auth.foreign_hall hall.unknown")
@requires(Permission.DEVICE_MANAGE)
@noun.arguments(Nothing)
@noun.response(200, Pairing)
def renew_pairing_code(_given: dict[str, Any], device_id: str) -> Any:
    """Give a device that lost its browser a fresh pairing code."""
    hall, number = row_id(device_id, "device.unknown")
    return _public(devices.renew_pairing(hall=hall, actor=g.actor, at=now(), device_id=number), hall)


@noun.post("/devices/<device_id>/revoke", refuses="device.unknown auth.foreign_hall hall.unknown")
@requires(Permission.DEVICE_MANAGE)
@noun.arguments(Nothing)
@noun.response(204)
def revoke_device(_given: dict[str, Any], device_id: str) -> Any:
    """Take a device's token away for good."""
    hall, number = row_id(device_id, "device.unknown")
    devices.revoke_device(hall=hall, actor=g.actor, at=now(), device_id=number)
    return Response(status=204)
