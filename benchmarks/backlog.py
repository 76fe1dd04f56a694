"""A desk with very many open cases: what a sweep, an inbox page, a deadline cost must not grow with their number."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import select, text, update

from app import privacy
from app.casework.cases import seal_field
from app.casework.inbox import inbox, tab_counts
from app.casework.intake import accept_case, receive_case
from app.casework.models import Case, CaseReview
from app.casework.queries import case_view, deadline_ledger, find_case
from app.casework.sweeps import sweep_lights
from app.catalog.queries import departments, search_items
from app.catalog.queries import item as guide_of
from app.config import Settings
from app.db import db
from app.demo import ensure_demo
from app.events import SYSTEM
from app.now import now
from benchmarks import tables
from benchmarks.house import HALL, PASSWORD, SECRET, database
from migrations.run import upgrade
from workers.bare import bare_app

OPEN = (10_000, 1_000_000)
DUE = 100  # lights to change in one sweep
SWEEPS = 7
LOOKS = 100
FIRST = 10_000_000  # the ids of the copies
MOST_RATIO = 1.5


@dataclass
class Desk:
    """One hall with its open cases, in a database of its own; `swept` counts the lights that were changed."""

    app: Flask
    size: int
    swept: int = 0


def measure(sizes: tuple[int, ...] = OPEN) -> dict[str, Any]:
    """Medians in ms at each number of open cases, on PostgreSQL; the desks take turns, so that noise falls on all."""
    with database("postgresql") as (_, server), tempfile.TemporaryDirectory(prefix="yichuang-bench-") as folder:
        assert server is not None
        desks, filling = [], {}
        for size in sizes:
            server.create_database(f"desk_{size}")
            began = time.perf_counter()
            desks.append(_desk(server.url(f"desk_{size}"), folder, size))
            filling[size] = time.perf_counter() - began
        figures: dict[str, dict[int, float]] = {name: _in_turn(desks, LOOKS, look) for name, look in _looks().items()}
        figures[f"sweep of {DUE} due lights"] = _in_turn(desks, SWEEPS, _sweep)
        for desk in desks:
            with desk.app.app_context():
                db.engine.dispose()
    ratios = {name: took[sizes[-1]] / took[sizes[0]] for name, took in figures.items()}
    return {"open": list(sizes), "median_ms": figures, "ratio": ratios, "filled_in_s": filling, "due": DUE}


def _desk(url: str, folder: str, size: int) -> Desk:
    env = {"HALL_DATA_DIR": folder, "HALL_DATABASE_URL": url, "HALL_SECRET_KEY": SECRET}
    settings = replace(Settings.from_env(env), demo_password=PASSWORD)
    upgrade(settings)
    app = bare_app(settings)
    ensure_demo(app)
    with app.app_context():
        _copy(_pattern(), size)
        db.session.remove()
    return Desk(app, size)


def _in_turn(desks: list[Desk], rounds: int, look: Callable[[Desk], Any]) -> dict[int, float]:
    """The median of a look at each desk; the first round only warms up."""
    took: dict[int, list[float]] = {desk.size: [] for desk in desks}
    for turn in range(rounds + 1):
        for desk in desks:
            with desk.app.app_context():
                began = time.perf_counter()
                look(desk)
                if turn:
                    took[desk.size].append((time.perf_counter() - began) * 1000)
                db.session.remove()
    return {size: tables.median(times) for size, times in took.items()}


def _pattern() -> dict[str, dict[str, Any]]:
    """One real accepted case, from which the others are copied: its row, its part, as the tables hold them."""
    item = next(found for found in search_items("食品经营许可")["items"] if found["guide_source"] == "written")
    given = [{"code": material["code"], "state": "received"} for material in guide_of(item["code"])["materials"]]
    person = {"kind": "person", "name": "张三丰", "id_number": "410305199001010011", "phone": "13812341234"}
    received = receive_case(hall=HALL, actor=SYSTEM, at=now(), item=item["code"], applicant=person, materials=given)
    case_id = find_case(received["number"])[1]
    db.session.rollback()
    accept_case(hall=HALL, actor=SYSTEM, at=now(), case_id=case_id)
    rows = {}
    for name, model, key in (("cases", Case, Case.id), ("case_reviews", CaseReview, CaseReview.case_id)):
        table = model.__table__
        query = select(table).where(table.c.hall == HALL, key == case_id)
        rows[name] = dict(db.session.execute(query).mappings().first() or {})
    rows["cases"]["applicant"] = person
    db.session.execute(update(Case).where(Case.id == case_id).values(next_light_at=None))
    db.session.commit()
    return rows


def _copy(pattern: dict[str, dict[str, Any]], size: int) -> None:
    """So many open cases, of all departments in turn, each with a light that changes in a second of its own."""
    names = [department["name"] for department in departments()]
    connection = db.session.connection().connection.driver_connection
    with connection.cursor() as cursor:
        _load(cursor, "cases", (_case(pattern, number) for number in range(size)))
        _load(cursor, "case_reviews", (_review(pattern, number, names) for number in range(size)))
    db.session.commit()
    for table in ("cases", "case_reviews"):
        db.session.execute(text(f"ANALYZE {table}"))
    db.session.commit()


def _load(cursor: Any, table: str, rows: Iterator[dict[str, Any]]) -> None:
    types = {column.name: column.type for column in db.metadata.tables[table].columns}
    dialect = db.engine.dialect
    columns = ", ".join(f'"{name}"' for name in types)
    with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        bind = {name: type_.dialect_impl(dialect).bind_processor(dialect) for name, type_ in types.items()}
        for row in rows:
            copy.write_row([_bound(bind[name], row[name]) for name in types])


def _bound(processor: Callable[[Any], Any] | None, value: Any) -> Any:
    return processor(value) if processor and value is not None else value


def _case(pattern: dict[str, dict[str, Any]], number: int) -> dict[str, Any]:
    row = dict(pattern["cases"])
    case_id = FIRST + number
    return row | {
        "id": case_id,
        "number": f"LLX{case_id}",
        "acceptance_number": f"LLSLX{case_id}",
        "query_token_hash": privacy.token_hash(str(case_id)),
        "applicant_sealed": seal_field(HALL, case_id, "applicant", pattern["cases"]["applicant"]),
        "order_at": row["order_at"] + timedelta(milliseconds=number),
        "next_light_at": row["next_light_at"] + timedelta(seconds=number),
    }


def _review(pattern: dict[str, dict[str, Any]], number: int, names: list[str]) -> dict[str, Any]:
    row = dict(pattern["case_reviews"])
    department = names[number % len(names)]
    at = row["order_at"] + timedelta(milliseconds=number)
    return row | {"case_id": FIRST + number, "department": department, "order_at": at}


def _looks() -> dict[str, Callable[[Desk], Any]]:
    """What people do all day."""
    at, draw = now(), random.Random(1)
    return {
        "inbox page of a department": lambda _: inbox(at=at, hall=HALL, department=_department(), state="todo"),
        "inbox page of a hall": lambda _: inbox(at=at, hall=HALL),
        "counts on the tabs": lambda _: tab_counts(department=_department(), hall=HALL),
        "one case with its deadlines": lambda desk: case_view(HALL, FIRST + draw.randrange(desk.size), at),
        "explain one deadline": lambda desk: deadline_ledger(HALL, FIRST + draw.randrange(desk.size), at),
    }


def _department() -> str:
    return str(departments()[3]["name"])


def _sweep(desk: Desk) -> None:
    """What the timer does when so many lights are due at once; each of its transactions holds the lock anew."""
    start = db.session.execute(select(Case.next_light_at).where(Case.id == FIRST + desk.swept)).scalar_one()
    db.session.rollback()
    at, changed = start + timedelta(seconds=DUE - 1), 0
    while changed < DUE:
        done = sweep_lights(hall=HALL, actor=SYSTEM, at=at)
        assert done["changed"], done
        changed += done["changed"]
    assert changed == DUE, changed
    desk.swept += DUE


def main() -> dict[str, Any]:
    """Measure, show, keep."""
    result = measure()
    rows = [[name, *took.values(), result["ratio"][name]] for name, took in result["median_ms"].items()]
    tables.show(
        f"With very many open cases, PostgreSQL (median ms; a ratio of at most {MOST_RATIO} is asked for)",
        ["", *(f"{size:,} open" for size in OPEN), f"ratio {OPEN[-1] // OPEN[0]}×"],
        rows,
    )
    tables.keep("backlog", result)
    return result
