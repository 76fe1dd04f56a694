"""The whole web application with a day's work in it, and a visitor of every role."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import inspect, text

import wsgi
from app import privacy
from app.casework import agency, delivery, intake, joint_receipt, levels, queries, review
from app.catalog.queries import item as guide_of
from app.catalog.queries import search_items
from app.catalog.queries import theme as theme_of
from app.config import Settings
from app.db import db
from app.demo import accounts
from app.events import SYSTEM, Actor
from app.hall.settings import add_exception
from app.notices import batches
from app.notices.queries import pdf
from app.now import SHANGHAI, local, now
from app.people.devices import next_device_id, register_device
from app.people.gate import DEVICE_COOKIE, SESSION_COOKIE
from app.people.models import Staff
from app.people.permissions import DEVICES, ROLES, permissions_of
from app.people.sessions import open_session
from app.queueing import calls, tickets, windows
from app.queueing.appointment_models import Appointment
from tools.docs import Route

HALL = "luolong"
APPOINTMENT = 900_001
WHO = ["nobody", *ROLES, *DEVICES]


@pytest.fixture
def database() -> str:
    """One database is enough for what the code is; `test_migrations` takes both."""
    return "sqlite"


_houses: dict[str, Flask] = {}


class Browser(FlaskClient):
    """Each request in a context of its own, as in a server: nothing of one is left to the next."""

    def open(self, *arguments: Any, **more: Any) -> Any:
        with self.application.app_context():
            return super().open(*arguments, **more)


@pytest.fixture
def house(settings: Settings) -> Iterator[Flask]:
    """Everything that answers HTTP, screens included."""
    if settings.database_url not in _houses:
        _houses[settings.database_url] = wsgi.web(settings)
        _houses[settings.database_url].test_client_class = Browser
    made = _houses[settings.database_url]
    with made.app_context():
        yield made
        db.session.remove()
        db.engine.dispose()


def actor_of(username: str) -> Actor:
    row = db.session.query(Staff).filter_by(username=username).one()
    actor = Actor("staff", row.id, row.username, row.hall, permissions_of(row.roles), row.department)
    db.session.rollback()
    return actor


def username_of(role: str) -> str:
    """The first demo account of the role."""
    return next(account["username"] for account in accounts() if role in account["roles"])


_days: dict[tuple[str, date], tuple[Path, dict[str, str]]] = {}


@pytest.fixture
def day(house: Flask, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Something of everything, and by what name a route asks for it: done once a process, and once more at midnight."""
    place = house.extensions["settings"].database_url.removeprefix("sqlite:///")
    today = (place, local(now()).date())
    if today not in _days:
        made = _a_day(house)
        _away_from_the_database()
        kept = tmp_path_factory.mktemp("day") / "hall.db"
        shutil.copy(place, kept)  # all of it: who closes a database last empties its log into it
        assert not Path(f"{place}-wal").exists()
        _days[today] = (kept, made)
    kept, made = _days[today]
    _away_from_the_database()
    shutil.copy(kept, place)
    return dict(made)


def _away_from_the_database() -> None:
    db.session.remove()
    db.engine.dispose()


def _a_day(house: Flask) -> dict[str, str]:
    def do(action: Callable[..., Any], who: Actor, **arguments: Any) -> Any:
        return action(hall=HALL, actor=who, at=now(), **arguments)

    clerk, pickup = actor_of("clerk01"), actor_of("pickup01")
    kiosk = Actor("device", 7, "kiosk-7", HALL, DEVICES["kiosk"])
    person = {"name": "张三丰", "id_number": "410305199001010011", "phone": "13812341234"}
    do(windows.open_window, clerk, window="W01")
    do(tickets.issue_ticket, kiosk, queue="A", channel="kiosk", person=person)
    called = do(calls.call_next, clerk, window="W01")["ticket"]
    waiting = do(
        tickets.issue_ticket, kiosk, queue="A", channel="kiosk", person=person | {"id_number": None, "phone": None}
    )
    guide = guide_of(search_items("食品经营许可延续")["items"][0]["code"])
    materials = [{"code": material["code"], "state": "received"} for material in guide["materials"]]
    wish = {"item": guide["code"], "applicant": {"kind": "person", **person}, "materials": materials, "window": "W01"}
    made = []
    for _ in range(3):  # received, granted, ready
        case = do(intake.receive_case, clerk, ticket_id=int(called["id"].split("-")[1]), **wish)
        made.append((case, queries.find_case(case["number"])[1]))
    for case, case_id in made[1:]:
        accepted = do(intake.accept_case, clerk, case_id=case_id)
        department = accepted["departments"][0]["department"]
        name = db.session.query(Staff.username).filter_by(department=department).scalar()
        do(review.decide_case, actor_of(name), case_id=case_id, outcome="granted", reason="", basis="")
    do(delivery.ready_case, pickup, case_id=made[2][1], shelf="A-1")
    notice = queries.case_view(HALL, made[1][1], now())["notices"][0]["id"]
    theme = theme_of("start-company")
    form = {f["key"]: f["choices"][0]["code"] if f["choices"] else person["phone"] for f in theme["form"]}
    whole = do(
        joint_receipt.receive_joint, clerk, theme=theme["code"], form=form, applicant=wish["applicant"], materials=[]
    )
    village = {"hall": "dongcun", "actor": actor_of("clerk31"), "at": now()}
    draft = levels.collect_case(**village, item=guide["code"], applicant=wish["applicant"], materials=materials)
    sent = levels.send_manifest(**village, case_ids=[queries.find_case(draft["number"])[1]], to_hall=HALL)
    order = do(agency.order_errand, clerk, beneficiary="elderly", principal=person, wish="代办优待证")
    batch = do(batches.request_batch, clerk, notices=[notice])["id"]
    drawn = batches.file_of(house.extensions["settings"], *batch.rsplit("-", 1))
    drawn.parent.mkdir(parents=True, exist_ok=True)
    drawn.write_bytes(pdf(HALL, notice))
    db.session.rollback()
    token = made[1][0]["query_token"]
    appointment = _appointment(person)
    device = do(register_device, SYSTEM, device_id=next_device_id(), kind="screen", name="x")
    closed = {"from_at": datetime(2027, 5, 5, 9, tzinfo=SHANGHAI), "to_at": datetime(2027, 5, 5, 12, tzinfo=SHANGHAI)}
    exception = do(add_exception, SYSTEM, reason="停电", opens=False, **closed)
    return {
        "hall": HALL,
        "ticket_id": waiting["id"],
        "<int:ticket_id>": waiting["id"].split("-")[1],
        "token": waiting["token"],
        "/c/<token>": token,
        "/a/<token>": appointment,
        "/appointments/<token>": appointment,
        "/appointments/<int:number>": str(APPOINTMENT),
        "step": "cancel",
        "number": made[1][0]["number"],
        "/pickup/cases/<number>": made[2][0]["number"],
        "tickets/<number>": waiting["number"],
        "/joint/<number>": whole["number"],
        "/joint-cases/<number>": whole["number"],
        "/joint/<number>/<step>": "accept",
        "/joint/new/<code>": theme["code"],
        "theme": theme["code"],
        "batch_id": batch,
        "way": "accept",
        "/manifests/<number>": sent["number"],
        "/manifests/<number>/<int:notice_id>": str(sent["notices"][0]["id"]),
        "/agency/<number>": order["number"],
        "/agency-orders/<number>": order["number"],
        "/agency/<number>/<step>": "accept",
        "/agency/<number>/<int:notice_id>": str(order["notices"][0]["id"]),
        "code": guide["code"],
        "/halls/<code>": HALL,
        "/kiosk/queue/<code>": "A",
        "/window/<code>": "W01",
        "/windows/<code>": "W01",
        "queue": "A",
        "block": f"{HALL}-999999",
        "window": "W01",
        "/api/v1/windows/<window>": f"{HALL}-W01",
        "notice_id": f"{HALL}-{notice}",
        "public_id": f"{HALL}-{notice}",
        "device_id": f"{HALL}-{device['id']}",
        "<int:device_id>": str(device["id"]),
        "<int:exception_id>": str(exception["id"]),
        "name": "chime",
        "username": "clerk02",
        "/clerk/tickets/<int:ticket_id>/<step>": "start",
        "/clerk/windows/<code>/<step>": "open",
        "/cases/<number>/<step>": "accept",
        "/pickup/cases/<number>/<step>": "ready",
    }


def _appointment(person: dict[str, str]) -> str:
    """An appointment of tomorrow, put there as it is kept, for in a year without a calendar nobody could book it."""
    token, key = privacy.new_token(), privacy.blind_index("id_number", person["id_number"])
    slot_at = (local(now()) + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
    kept = {"person_sealed": json.dumps(person), "token_sealed": token}
    sealed = {
        name: privacy.seal(text, f"appointments.{name.removesuffix('_sealed')}|{HALL}|{APPOINTMENT}")
        for name, text in kept.items()
    }
    row = {"hall": HALL, "id": APPOINTMENT, "queue": "A", "day": slot_at.date(), "slot_at": slot_at, "state": "booked"}
    more = {
        "channel": "web",
        "person_key": key,
        "phone_key": key,
        "token_hash": privacy.token_hash(token),
        "made_at": now(),
    }
    db.session.add(Appointment(**row, **more, **sealed))
    db.session.commit()
    return token


def addressed(route: Route, day: dict[str, str]) -> str:
    """An address of the route that leads to something real: the longest key that ends where the name ends wins."""
    rule, address = route.rule, route.rule
    for match in reversed(list(re.finditer(r"<(?:[^:<>]+:)?([^<>]+)>", rule))):
        until = rule[: match.end()]
        fit = [key for key in day if until.endswith(key)]
        key = max(fit, key=len) if fit else match[1]
        assert key in day, f"{rule}: tests/architecture/conftest.py knows nothing real for {match[0]}"
        address = address[: match.start()] + day[key] + address[match.end() :]
    return address


@pytest.fixture
def visitor(house: Flask) -> Callable[[str], FlaskClient]:
    """A browser of somebody: `nobody`, a role, or a kind of device."""

    def make(who: str) -> FlaskClient:
        client = house.test_client()
        if who in DEVICES:
            made = register_device(hall=HALL, actor=SYSTEM, at=now(), device_id=next_device_id(), kind=who, name=who)
            client.set_cookie(DEVICE_COOKIE, made["token"])
        elif who != "nobody":
            opened = open_session(actor=actor_of(username_of(who)), at=now(), hours=1)
            client.set_cookie(SESSION_COOKIE, opened["token"])
        return client

    return make


def fingerprints() -> dict[str, str]:
    """Table → a digest of all its rows."""
    db.session.rollback()
    prints = {}
    for table in sorted(inspect(db.engine).get_table_names()):
        rows = sorted(repr(tuple(row)) for row in db.session.execute(text(f'SELECT * FROM "{table}"')))
        prints[table] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    db.session.rollback()
    return prints
