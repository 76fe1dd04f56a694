"""Simulated days as open data: who comes when with what, and when windows are open. `python -m benchmarks.days` writes them.

Four days of a made-up hall, each the same for ever by its seed, as CSV in tests/data/days: `<day>.csv` has a line a
person, `<day>-windows.csv` a line for each stretch that a window was open, and `before-…` the day before of the same
hall, which a forecast may know. Nobody in them exists.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random

from app.now import SHANGHAI
from app.queueing.rules.day import Day, Desk, Span, Turn, Visit
from app.queueing.rules.states import Lane

FOLDER = Path(__file__).parent.parent / "tests" / "data" / "days"
ON = date(2026, 11, 16)  # a Monday
WHOLE, SPLIT = (("09:00", "17:00"),), (("08:30", "12:00"), ("13:30", "18:00"))
SPECIALITY_MIN = 10
# middle service time in seconds by queue, as clerks of such windows tell it; single ones vary a lot
MIDDLE_S = {"A": 540, "B": 720, "C": 300, "D": 660, "E": 360, "F": 240}


@dataclass(frozen=True)
class Kind:
    """How a day is made: the doors, the windows with their queues, how many come, when, and which windows stay at noon."""

    seed: int
    doors: tuple[tuple[str, str], ...]
    windows: Mapping[str, Mapping[str, int]]
    people: int
    shares: Mapping[str, float]
    comes: Callable[[Random], float]  # hours after midnight
    late: Mapping[str, float]  # a window that opens so many minutes after the doors
    stay: tuple[str, ...] = ()


def _comprehensive(windows: int, queues: str) -> dict[str, dict[str, int]]:
    """Every window serves all queues; its own counts as having waited longer."""
    per = windows / len(queues)
    return {
        f"W{n + 1:02d}": {queue: SPECIALITY_MIN if queue == queues[int(n / per)] else 0 for queue in queues}
        for n in range(windows)
    }


def _bureaus(windows: int, queues: str) -> dict[str, dict[str, int]]:
    """Every window serves its own bureau's queue and no other."""
    per = windows / len(queues)
    return {f"W{n + 1:02d}": {queues[int(n / per)]: 0} for n in range(windows)}


def _flat(begin: float, end: float) -> Callable[[Random], float]:
    return lambda lots: lots.uniform(begin, end)


def _morning(lots: Random) -> float:
    return lots.triangular(8.2, 10.2, 8.8) if lots.random() < 0.4 else lots.uniform(9.0, 17.4)


def _with_noon(lots: Random) -> float:
    share = lots.random()
    if share < 0.1:
        return lots.uniform(11.9, 13.5)
    return lots.triangular(8.4, 12.0, 9.8) if share < 0.6 else lots.triangular(13.3, 17.4, 14.6)


KINDS = {
    "steady": Kind(
        11, WHOLE, _comprehensive(6, "ABC"), 290, {"A": 0.35, "B": 0.25, "C": 0.4}, _flat(9.0, 16.6), {"W06": 20}
    ),
    "lunch": Kind(
        *(23, SPLIT, _comprehensive(6, "ABC"), 280, {"A": 0.35, "B": 0.25, "C": 0.4}, _with_noon),
        late={"W05": 10},
        stay=("W01", "W04"),
    ),
    "morning": Kind(
        *(37, SPLIT, _comprehensive(8, "ABCE"), 345, {"A": 0.3, "B": 0.2, "C": 0.3, "E": 0.2}, _morning),
        late={"W07": 30, "W08": 45},
    ),
    # two windows a bureau: what company registration has too much of, project approval has not enough of
    "bureaus": Kind(
        *(53, SPLIT, _bureaus(12, "ABCDEF"), 420),
        {"A": 0.25, "B": 0.14, "C": 0.27, "D": 0.03, "E": 0.14, "F": 0.17},
        _with_noon,
        {},
    ),
}


@dataclass(frozen=True)
class Told:
    """A day as its files tell it, with what could be known from the day before."""

    day: Day
    doors: tuple[Span, ...]
    before_s: Mapping[str, Sequence[float]]
    usual: Mapping[str, tuple[Span, ...]]


def load(name: str, folder: Path = FOLDER) -> Told:
    """One of the days, ready to be simulated."""
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        visits = tuple(_visit(row) for row in csv.DictReader(file))
    doors = tuple((_at(begin), _at(end)) for begin, end in KINDS[name].doors)
    before: dict[str, list[float]] = {}
    with (folder / f"{name}-before.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            before.setdefault(row["queue"], []).append(float(row["occupied_s"]))
    desks = tuple(
        Desk(code, KINDS[name].windows[code], spans, (8.0,), 8.0) for code, spans in _hours(folder, name).items()
    )
    begins = min(visits[0].at, doors[0][0]) - timedelta(hours=1)
    return Told(Day(begins, visits, desks), doors, before, _hours(folder, f"{name}-before"))


def _hours(folder: Path, name: str) -> dict[str, tuple[Span, ...]]:
    spans: dict[str, list[Span]] = {}
    with (folder / f"{name}-windows.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            spans.setdefault(row["window"], []).append((_at(row["from"]), _at(row["until"])))
    return {window: tuple(each) for window, each in spans.items()}


def _visit(row: Mapping[str, str]) -> Visit:
    at = _at(row["came"])
    leaves = at + timedelta(seconds=int(row["patience_s"])) if row["patience_s"] else None
    turn = Turn(
        *(row["queue"], Lane(row["lane"]), float(row["service_s"]), float(row["walk_s"]), row["comes"] == "1"),
        leaves_at=leaves,
    )
    return Visit(int(row["ticket"]), row["number"], at, (turn,))


def _at(clock: str) -> datetime:
    return datetime.combine(ON, time.fromisoformat(clock), SHANGHAI)


# ── making them ─────────────────────────────────────────────────────────────────────────────────────────────────


def write(folder: Path = FOLDER) -> list[Path]:
    """Make all days anew; the same bytes every time."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, kind in KINDS.items():
        lots = Random(kind.seed)
        before = _people(kind, lots)
        occupied = [(row[2], int(row[5]) + int(row[6]) * int(row[7])) for row in before]
        tables = {
            f"{name}-before": (("queue", "occupied_s"), occupied),
            f"{name}-before-windows": (("window", "from", "until"), _open(kind, lots)),
            name: (
                ("ticket", "number", "queue", "lane", "came", "walk_s", "service_s", "comes", "patience_s"),
                _people(kind, lots),
            ),
            f"{name}-windows": (("window", "from", "until"), _open(kind, lots)),
        }
        for stem, (head, rows) in tables.items():
            path = folder / f"{stem}.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(head)
                writer.writerows(rows)
            written.append(path)
    return written


def _people(kind: Kind, lots: Random) -> list[tuple[str, ...]]:
    came = sorted(int(kind.comes(lots) * 3600) for _ in range(kind.people))
    serial: dict[str, int] = {}
    rows = []
    for ticket, second in enumerate(came, start=1):
        queue = lots.choices(list(kind.shares), list(kind.shares.values()))[0]
        serial[queue] = serial.get(queue, 0) + 1
        slow = 1.0 + 0.12 * (second > 15 * 3600)  # the afternoon gets slower
        service = max(int(MIDDLE_S[queue] * slow * lots.lognormvariate(0, 0.55)), 40)
        comes = lots.random() >= 0.05
        walk = int(lots.uniform(12, 45)) if comes else 60
        patience = str(int(lots.uniform(15, 60) * 60)) if lots.random() < 0.04 else ""
        lane = Lane.PRIORITY if lots.random() < 0.08 else Lane.NORMAL
        clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        rows.append(
            (
                *(str(ticket), f"{queue}{serial[queue]:03d}", queue, lane.value, clock),
                *(str(walk), str(service), str(int(comes)), patience),
            )
        )
    return rows


def _open(kind: Kind, lots: Random) -> list[tuple[str, str, str]]:
    """Clerks sit down a little before or after the doors open, and leave for noon a little early or late."""
    rows = []
    for window in kind.windows:
        spans = []
        for n, (begin, end) in enumerate(kind.doors):
            late = kind.late.get(window, 0) if n == 0 else 0
            spans.append([_minute(begin) + late + lots.uniform(-1, 5), _minute(end) + lots.uniform(-8, 4)])
        spans[-1][1] = _minute(kind.doors[-1][1])
        if window in kind.stay:
            spans = [[spans[0][0], spans[-1][1]]]
        rows.extend((window, _told(begin), _told(end)) for begin, end in spans)
    return rows


def _minute(clock: str) -> float:
    return int(clock[:2]) * 60 + int(clock[3:])


def _told(minute: float) -> str:
    second = int(minute * 60)
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


if __name__ == "__main__":
    for path in write():
        print(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
