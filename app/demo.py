"""The demo network: three halls, their windows, queues and staff, the calendars and the real catalogue (CONTRACT)."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import insert, select

from app.casework.licences import store_licences
from app.catalog.items import DATA, import_catalog, read_catalog
from app.catalog.queries import departments
from app.config import Settings
from app.db import NETWORK, HallHead, db
from app.events import SYSTEM
from app.hall import holidays
from app.hall.models import Hall
from app.hall.settings import define_hall, found_hall, import_calendar
from app.now import now
from app.people.devices import next_device_id, register_device, renew_pairing
from app.people.models import Device
from app.people.sessions import hasher
from app.people.staff import add_staff
from app.queueing.setup import add_queues, add_windows

ZONES = (
    ("A", "商事登记", "Business registration"),
    ("B", "不动产登记", "Real estate registration"),
    ("C", "医疗社保", "Health and social insurance"),
    ("D", "投资项目审批", "Investment projects"),
    ("E", "社会事务综合受理", "Social affairs"),
    ("F", "便民服务", "Citizen services"),
)
ALL_ZONES = [code for code, _, _ in ZONES]
SPECIALITY_MIN = 10  # a window's own zone counts as having waited this much longer


def _days(issued_on: str, valid_until: str | None = None) -> dict[str, str | None]:
    return {"issued_on": issued_on, "valid_until": valid_until}


HALLS: tuple[dict[str, Any], ...] = (
    {
        "code": "luolong",
        "name_zh": "洛龙区政务服务中心",
        "name_en": "Luolong District Service Hall",
        "level": "county",
        "parent": None,
        "case_prefix": "LL",
        "address": "洛龙区开元大道 218 号",
        "phone": "0379-65980000",
        "hours": [["08:30", "12:00"], ["13:30", "18:00"]],
    },
    {
        "code": "lilou",
        "name_zh": "李楼镇便民服务中心",
        "name_en": "Lilou Township Service Centre",
        "level": "township",
        "parent": "luolong",
        "case_prefix": "LR",
        "address": "李楼镇政府院内",
        "phone": "0379-65950000",
        "hours": [["09:00", "12:00"], ["13:00", "17:00"]],
    },
    {
        "code": "dongcun",
        "name_zh": "东村便民服务点",
        "name_en": "Dongcun Village Service Point",
        "level": "village",
        "parent": "lilou",
        "case_prefix": "DC",
        "address": "东村村委会",
        "phone": "0379-65910000",
        "hours": [["09:00", "12:00"], ["13:00", "17:00"]],
    },
)

# e-licences to look up; the check digits are wrong, so that nobody has these numbers
_PERSON, _COMPANY = "410311198805120020", "91410311MA00000000"
LICENCES: tuple[dict[str, Any], ...] = tuple(
    {"id_number": holder, "kind": kind, "title": title, "number": number, "issuer": issuer, **days}
    for holder, kind, title, number, issuer, days in (
        (_PERSON, "person", "居民身份证", _PERSON, "洛阳市公安局洛龙分局", _days("2016-05-12", "2036-05-12")),
        (_PERSON, "person", "居民户口簿", "0311204", "洛阳市公安局洛龙分局", _days("2009-03-02")),
        (_PERSON, "person", "社会保障卡", "B41031120", "洛龙区人力资源和社会保障局", _days("2021-09-01", "2031-08-31")),
        (_PERSON, "person", "护士执业证书", "202041000120", "洛阳市卫生健康委员会", _days("2020-07-01", "2025-06-30")),
        (_COMPANY, "organisation", "营业执照", _COMPANY, "洛龙区市场监督管理局", _days("2019-04-18")),
        (
            *(_COMPANY, "organisation", "食品经营许可证", "JY14103110000000", "洛龙区市场监督管理局"),
            _days("2021-04-18", "2026-04-17"),
        ),
    )
)

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = ("敏", "静", "丽华", "建国", "晓明", "志强", "秀英", "海燕", "文博", "思远", "玉兰", "振宇")


def _name(n: int) -> str:
    return _SURNAMES[n % len(_SURNAMES)] + _GIVEN[n * 5 % len(_GIVEN)]


def is_empty() -> bool:
    """Whether no hall has been entered yet."""
    return db.session.execute(select(Hall.code)).first() is None


def ensure_demo(app: Flask) -> bool:
    """Load the demo network into an empty database; True when it did. Needs the migrated schema."""
    settings: Settings = app.extensions["settings"]
    with app.app_context():
        if not is_empty():
            return False
        load(settings.demo_password)
        return True


def load(password: str) -> None:
    """Enter the whole network with real actions, in the order in which a county would."""
    found_network()
    at, system = now(), SYSTEM
    import_calendar(actor=system, at=at, data=holidays.read().to_json())
    rows, guides, problems = read_catalog((DATA / "service-items.csv").read_bytes())
    if problems:
        raise ValueError(f"the catalogue that comes with the project cannot be read: {problems[:3]}")
    import_catalog(actor=system, at=at, rows=rows, guides=guides)
    for hall in HALLS:
        found(hall, devices=True)
    _people(password)
    store_licences(hall="luolong", actor=system, at=at, licences=LICENCES)


def found(hall: dict[str, Any], *, devices: bool) -> None:
    """Enter one hall with zones, queues and windows fit for its level, and, for the demo, a kiosk and a screen."""
    found_hall(actor=SYSTEM, at=now(), **hall)
    _furnish(hall["code"], hall["level"])
    for kind, name in (("kiosk", "取号机"), ("screen", "大厅主屏")) if devices else ():
        given = {"device_id": next_device_id(), "kind": kind, "name": name}
        register_device(hall=hall["code"], actor=SYSTEM, at=now(), **given)


def found_network() -> None:
    """The head of the network's own history, once; without it no network action can begin."""
    if db.session.get(HallHead, NETWORK) is None:
        with db.engine.begin() as connection:
            row = {"hall": NETWORK, "seq": 0, "mac": "", "last_id": 0, "last_at": None}
            connection.execute(insert(HallHead.__table__), row)
        db.session.rollback()


def _furnish(hall: str, level: str) -> None:
    at = now()
    if level == "county":
        zones = ZONES
    else:
        zones = (("A", "综合服务", "Comprehensive services"),)
    define_hall(
        hall=hall, actor=SYSTEM, at=at, zones=[{"code": c, "name_zh": zh, "name_en": en} for c, zh, en in zones]
    )
    add_queues(
        hall=hall,
        actor=SYSTEM,
        at=at,
        queues=[
            {
                "code": code,
                "prefix": code,
                "name_zh": zh,
                "name_en": en,
                "zone": code,
                "takes": [code] if level == "county" else ALL_ZONES,
            }
            for code, zh, en in zones
        ],
    )
    add_windows(hall=hall, actor=SYSTEM, at=at, windows=_windows(level))


def _windows(level: str) -> list[dict[str, Any]]:
    if level != "county":
        count = 3 if level == "township" else 1
        return [_window(n, "A", {"A": 0}) for n in range(1, count + 1)]
    windows = []
    for n in range(1, 13):
        own = ALL_ZONES[(n - 1) // 2]
        windows.append(_window(n, own, {code: SPECIALITY_MIN if code == own else 0 for code in ALL_ZONES}))
    windows.extend(
        {
            "code": f"P{n:02d}",
            "kind": "pickup",
            "name_zh": f"出件 {n} 号窗口",
            "name_en": f"Pickup {n}",
            "zone": "F",
            "queues": {},
        }
        for n in (1, 2)
    )
    return windows


def _window(n: int, zone: str, queues: dict[str, int]) -> dict[str, Any]:
    names = {"name_zh": f"{n} 号窗口", "name_en": f"Window {n}"}
    return {"code": f"W{n:02d}", "kind": "comprehensive", "zone": zone, "queues": queues, **names}


def accounts() -> list[dict[str, Any]]:
    """Every demo account: username, roles, home hall, department."""
    listed: list[dict[str, Any]] = [
        {"username": "guide01", "roles": ["guide"], "home": "luolong"},
        *({"username": f"clerk{n:02d}", "roles": ["clerk"], "home": "luolong"} for n in range(1, 12)),
        {"username": "clerk12", "roles": ["lead", "clerk"], "home": "luolong"},
        {"username": "pickup01", "roles": ["pickup"], "home": "luolong"},
        {"username": "clerk21", "roles": ["clerk", "pickup"], "home": "lilou"},
        {"username": "clerk31", "roles": ["clerk", "pickup"], "home": "dongcun"},
        {"username": "chief01", "roles": ["chief"], "home": None},
        {"username": "supervisor01", "roles": ["supervisor"], "home": None},
        {"username": "admin01", "roles": ["admin"], "home": None},
    ]
    for n, department in enumerate(departments(), start=1):
        listed.append(
            {
                "username": f"approver{n:02d}",
                "roles": ["approver", "head"],
                "home": None,
                "department": department["name"],
            }
        )
    return listed


def _people(password: str) -> None:
    shared = hasher.hash(password)  # one password for all demo accounts, hashed once
    for n, account in enumerate(accounts()):
        add_staff(actor=SYSTEM, at=now(), name=_name(n), password_hash=shared, **account)


def pairing_codes(minutes: int = 24 * 60) -> list[dict[str, Any]]:
    """Fresh pairing codes for the demo devices of every hall, shown by the launcher."""
    rows = db.session.execute(select(Device.id, Device.hall, Device.kind).where(Device.revoked_at.is_(None))).all()
    codes = []
    for row in rows:
        renewed = renew_pairing(hall=row.hall, actor=SYSTEM, at=now(), device_id=row.id, minutes=minutes)
        codes.append({"hall": row.hall, "kind": row.kind, "code": renewed["pairing_code"]})
    return codes
