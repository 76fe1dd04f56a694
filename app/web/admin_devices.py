"""Administration of devices: registered, paired by six figures, revoked. Code and token are shown once."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from app.db import db
from app.errors import Refusal
from app.hall.queries import zones
from app.now import now
from app.people.devices import PAIRING_MINUTES, next_device_id, register_device, renew_pairing, revoke_device
from app.people.gate import requires
from app.people.models import Device
from app.people.permissions import DEVICES, Permission
from app.web.admin_parts import pages
from app.web.desk import hall_at_desk, hall_choices, sentence
from app.web.forms import new_key, once
from app.words import clean


def _page(hall: dict[str, Any], *, form: Any = None, error: str = "", once_shown: dict[str, Any] | None = None) -> str:
    at = now()
    rows = db.session.execute(
        select(Device).where(Device.hall == hall["code"]).order_by(Device.revoked_at.is_not(None), Device.registered_at)
    ).scalars()
    devices = [
        {
            "id": row.id,
            "kind": row.kind,
            "name": row.name,
            "zone": row.zone,
            "registered_at": row.registered_at,
            "revoked_at": row.revoked_at,
            "awaits": row.pairing_hash is not None and row.pairing_until is not None and row.pairing_until > at,
            "key": new_key(),
        }
        for row in rows
    ]
    return render_template(
        "admin/devices.html",
        hall=hall,
        halls=hall_choices(g.actor),
        zones=zones(hall["code"]),
        kinds=list(DEVICES),
        devices=devices,
        form=form or {},
        error=error,
        shown=once_shown,
        minutes=PAIRING_MINUTES,
        key=new_key(),
    )


@pages.get("/devices")
@requires(Permission.DEVICE_MANAGE)
def devices() -> str:
    """The devices of one hall."""
    return _page(hall_at_desk(g.actor))


@pages.post("/devices")
@requires(Permission.DEVICE_MANAGE)
def devices_register() -> str | tuple[str, int]:
    """A new device: this answer alone shows its pairing code and its token."""
    hall, form = hall_at_desk(g.actor), request.form
    try:
        zone = form.get("zone") or None
        if zone and zone not in {row["code"] for row in zones(hall["code"])}:
            raise Refusal("request.invalid", detail=gettext("没有这个区域"))
        name = clean(form.get("name", ""), gettext("名称"), limit=40, empty=True)
        with once(g.actor):
            made = register_device(
                hall=hall["code"],
                actor=g.actor,
                at=now(),
                device_id=next_device_id(),
                kind=form.get("kind", ""),
                zone=zone,
                name=name,
            )
    except Refusal as refusal:
        return _page(hall, form=form, error=sentence(refusal)), refusal.status
    return _page(hall, once_shown=made)


@pages.post("/devices/<int:device_id>/pairing")
@requires(Permission.DEVICE_MANAGE)
def devices_pairing(device_id: int) -> str | tuple[str, int]:
    """A fresh pairing code, shown by this answer alone."""
    hall = hall_at_desk(g.actor)
    try:
        with once(g.actor):
            made = renew_pairing(hall=hall["code"], actor=g.actor, at=now(), device_id=device_id)
    except Refusal as refusal:
        return _page(hall, error=sentence(refusal)), refusal.status
    return _page(hall, once_shown=made)


@pages.post("/devices/<int:device_id>/revoke")
@requires(Permission.DEVICE_MANAGE)
def devices_revoke(device_id: int) -> tuple[str, int] | AnyResponse:
    """Take the device's token away for good."""
    hall = hall_at_desk(g.actor)
    try:
        with once(g.actor):
            revoke_device(hall=hall["code"], actor=g.actor, at=now(), device_id=device_id)
    except Refusal as refusal:
        return _page(hall, error=sentence(refusal)), refusal.status
    flash(gettext("设备已停用"), "ok")
    return redirect(url_for("admin.devices", hall=hall["code"]), code=303)
