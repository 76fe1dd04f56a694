"""Sixteen issuers and sixteen clerks at the front door of a real house, with repeated and unheard requests; then the check."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from app.config import Settings
from app.db import db
from benchmarks import tables
from benchmarks.crowd import Crowd, furnish
from benchmarks.history import check_hall, summary
from benchmarks.house import DATABASES, HALL, PASSWORD, House, database
from benchmarks.load import Log
from workers.bare import bare_app

ISSUERS, CLERKS, EACH = 16, 16, 30
AGAIN, UNHEARD = 0.1, 0.05  # shares of the requests that are asked twice, and whose first answer nobody waits for


def measure(kind: str) -> dict[str, Any]:
    """One run on a new house: web processes as the launcher starts them, everything through HTTP."""
    with database(kind) as (url, _), House(url, "web") as house:
        client = house.client
        reading = bare_app(Settings.from_env({name: v for name, v in house.env.items() if name.startswith("HALL_")}))
        with reading.app_context():
            furnish(HALL, CLERKS, PASSWORD)
            db.session.remove()
        names = [f"clerk{n:02d}" for n in range(1, CLERKS + 1)]
        admin = client.sign_in("admin01")
        log = Log(client.ask, patience_s=60, again=AGAIN, unheard=UNHEARD, leave=client.leave)
        crowd = Crowd(
            log,
            HALL,
            kiosks=[client.device("kiosk", admin) for _ in range(ISSUERS)],
            clerks={name: client.sign_in(name) for name in names},
            windows=[f"W{n:02d}" for n in range(1, CLERKS + 1)],
            admin=admin,
            items=[line["code"] for line in client.must("GET", f"/halls/{HALL}/items")["items"]],
            leads=frozenset(names[11:]),
        )
        began = time.monotonic()
        crowd.play(EACH)
        seconds = time.monotonic() - began
        with reading.app_context():
            found, events = check_hall(log.ops, HALL)
            db.session.remove()
            db.engine.dispose()
    steps = Counter(op.what for op in log.ops if op.outcome == "ok")
    return {
        "database": kind,
        "report": summary(log.ops, found, events=events),
        "seconds": round(seconds, 1),
        "requests": len(log.ops),
        "pressed_twice": log.presses,
        "unheard": log.unwaited,
        "sent_again": log.repeats,
        "declined": sum(op.outcome == "declined" for op in log.ops),
        "events": events,
        "steps": dict(steps.most_common()),
        "wrong": found.all(),
    }


def main() -> dict[str, Any]:
    """Both databases."""
    results = [measure(kind) for kind in DATABASES]
    columns = ("requests", "pressed_twice", "unheard", "sent_again", "declined", "events", "seconds")
    rows = [[each["database"], *(each[name] for name in columns), len(each["wrong"])] for each in results]
    title = f"{ISSUERS} issuers and {CLERKS} clerks do everything"
    tables.show(title, ["", *(name.replace("_", " ") for name in columns), "found by the checker"], rows)
    for each in results:
        for sentence in each["wrong"][:10]:
            print(f"  WRONG on {each['database']}: {sentence}")
    result = {"issuers": ISSUERS, "clerks": CLERKS, "runs": results}
    tables.keep("crowded", result)
    return result
