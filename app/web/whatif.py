"""Window balance 窗口推演: the supervisor plays a day again with other windows or rules, and sees how true forecasts were."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext

from app.errors import Refusal
from app.now import local_day, now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing import replay
from app.queueing.accuracy import accuracy
from app.web import times, wording
from app.web.desk import hall_at_desk, hall_choices, in_years, staff_with, whole
from app.web.forms import limited

pages = Blueprint("whatif", __name__, url_prefix="/supervisor")

REPLAYS = "60/minute"
ALL = "*"  # all queues that any window serves
ADVICE = 8  # suggestions shown
RATIOS = ("2:1", "3:1", "4:1", "5:1")
SPANS = (1, 7, 28)  # days that a score of forecasts looks back


@pages.get("/what-if")
@requires(Permission.HALL_WATCH)
def desk() -> str:
    """A day again, with the changes that the address names."""
    actor, at = staff_with(Permission.HALL_WATCH), now()
    hall = hall_at_desk(actor)
    limited(REPLAYS)
    day = _day(at)
    kept = replay.day_of(hall["code"], day, at)
    known = replay.names(hall["code"])
    found, advice, said, error = None, [], {}, ""
    if kept.day.visits:
        try:
            wish = replay.read_changes(hall["code"], day, kept, _asked(kept))
            said = wish.said
        except Refusal as refusal:
            error, wish = wording.told(refusal), replay.read_changes(hall["code"], day, kept, {})
        found = replay.what_if(kept, wish.changes)
        advice = replay.suggestions(hall["code"], day, kept)
    address = {"hall": hall["code"], "day": day.isoformat()}
    return render_template(
        "supervisor/whatif.html",
        hall=hall,
        halls=hall_choices(actor),
        day=day.isoformat(),
        today=local_day(at).isoformat(),
        known=known,
        found=found,
        error=error,
        chips=[
            {"text": words, "without": url_for("whatif.desk", **address, **query(left))}
            for words, left in _chips(said, known)
        ],
        kept_fields=[(name, value) for name, own in query(said).items() for value in own],
        advice=[
            {
                **each,
                "text": gettext("；").join(words for words, _left in _chips(each["changes"], known)),
                "address": url_for("whatif.desk", **address, **query(each["changes"])),
            }
            for each in advice[:ADVICE]
        ],
        chart=_charts(found, bool(said)) if found else None,
        ratios=RATIOS,
        name_of=lambda kind, code: _name(known, kind, code),
    )


def _day(at: datetime) -> date:
    """The day asked for, never one to come; today when none can be read. Refuses request.invalid."""
    try:
        day = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return local_day(at)
    return min(in_years(day), local_day(at))


# ── changes in an address: ?open=W07:C,D@09:00-12:00&teach=W03:B=10&ratio=3:1&call_by=30&all=1 ──────────────────


def _asked(kept: replay.Kept) -> dict[str, Any]:
    """The changes of the address, with those that the form adds. What cannot be read is left out."""
    every = sorted({queue for desk in kept.day.desks for queue in desk.weight_min})
    args = request.args
    wanted: dict[str, Any] = {
        "open": [each for text in args.getlist("open")[:40] if (each := _opening(text))],
        "teach": [each for text in args.getlist("teach")[:60] if (each := _lesson(text))],
        "comprehensive": args.get("all") == "1",
    }
    if window := args.get("open_window", "").strip():
        queue = args.get("open_queue", ALL)
        span = {name: args.get(f"open_{name}", "").strip()[:5] for name in ("from", "until")}
        wanted["open"].append({"window": window, "queues": every if queue == ALL else [queue], **span})
    if window := args.get("teach_window", "").strip():
        weight = whole(args.get("teach_weight"), 0, most=120)
        wanted["teach"].append({"window": window, "queue": args.get("teach_queue", ""), "weight_min": weight})
    if ratio := args.get("ratio", ""):
        normal, _colon, priority = ratio.partition(":")
        wanted["ratio"] = [whole(normal), whole(priority)] if ratio != "none" else None
    if call_by := whole(args.get("call_by")):
        wanted["call_by_min"] = call_by
    if "policy" in args:
        try:
            more = json.loads(args["policy"][:4000])
        except (ValueError, RecursionError):
            more = {}
        wanted |= {name: more[name] for name in replay.POLICY_FIELDS if isinstance(more, dict) and name in more}
    return wanted


def _opening(text: str) -> dict[str, Any] | None:
    head, _at, hours = text.partition("@")
    window, _colon, queues = head.partition(":")
    begin, _dash, end = hours.partition("-")
    if not window or not queues:
        return None
    return {"window": window, "queues": queues.split(","), "from": begin, "until": end}


def _lesson(text: str) -> dict[str, Any] | None:
    window, _colon, lesson = text.partition(":")
    queue, _equals, weight = lesson.partition("=")
    return {"window": window, "queue": queue, "weight_min": whole(weight, 0, most=120)} if queue else None


def query(said: Mapping[str, Any]) -> dict[str, list[str]]:
    """Changes as arguments of an address."""
    found: dict[str, list[str]] = {}
    for each in said.get("open", ()):
        hours = f"@{each['from']}-{each['until']}"
        found.setdefault("open", []).append(f"{each['window']}:{','.join(each['queues'])}{hours}")
    for each in said.get("teach", ()):
        found.setdefault("teach", []).append(f"{each['window']}:{each['queue']}={each['weight_min']}")
    if said.get("comprehensive"):
        found["all"] = ["1"]
    if "ratio" in said:
        found["ratio"] = [":".join(map(str, said["ratio"])) if said["ratio"] else "none"]
    if said.get("call_by_min"):
        found["call_by"] = [str(said["call_by_min"])]
    more = {name: said[name] for name in replay.POLICY_FIELDS if name in said and name not in ("ratio", "call_by_min")}
    if more:
        found["policy"] = [json.dumps(more, separators=(",", ":"))]
    return found


def _chips(said: Mapping[str, Any], known: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Each change in words, with all the others."""
    rows: list[tuple[str, dict[str, Any]]] = []
    for name in ("open", "teach"):
        for n, each in enumerate(said.get(name, ())):
            others = [own for m, own in enumerate(said[name]) if m != n]
            rows.append((_words(name, each, known), {**said, name: others}))
    single = [name for name in ("comprehensive", *replay.POLICY_FIELDS) if name in said]
    rows.extend((_words(n, said[n], known), {key: own for key, own in said.items() if key != n}) for n in single)
    return rows


def _words(name: str, value: Any, known: Mapping[str, Any]) -> str:
    match name:
        case "open":
            served = gettext("、").join(_name(known, "queues", queue) for queue in value["queues"])
            facts = {"window": _name(known, "windows", value["window"]), "queues": served}
            return gettext("%(window)s %(from_)s–%(until)s 加开，办理 %(queues)s", **facts, **_span(value))
        case "teach":
            facts = {name: _name(known, f"{name}s", value[name]) for name in ("window", "queue")}
            if value["weight_min"]:
                return gettext("%(window)s 兼办 %(queue)s（计 %(minutes)s 分钟）", **facts, minutes=value["weight_min"])
            return gettext("%(window)s 兼办 %(queue)s", **facts)
        case "comprehensive":
            return gettext("所有窗口综合受理，什么队列都办")
        case "ratio" if value:
            return gettext("普通与优先按 %(normal)s:%(priority)s 叫号", normal=value[0], priority=value[1])
        case "ratio":
            return gettext("普通与优先不按比例叫号")
        case "call_by_min" if value:
            return gettext("等满 %(minutes)s 分钟的先叫", minutes=value)
        case _:
            return gettext("其他叫号规则")


def _span(value: Mapping[str, Any]) -> dict[str, str]:
    return {"from_": value["from"], "until": value["until"]}


def _name(known: Mapping[str, Any], kind: str, code: str) -> str:
    row = next((row for row in known[kind] if row["code"] == code), None)
    if row is None:
        return code
    return f"{code} {wording.named(row)}" if kind == "queues" else str(wording.named(row))


def _charts(found: Mapping[str, Any], changed: bool) -> dict[str, Any]:
    """What the two charts draw; the tables say the same. A day without changes is drawn once."""
    days = [("after", gettext("改动后") if changed else "", found["after"])]
    if changed:
        days.insert(0, ("before", gettext("改动前"), found["before"]))
    windows = found["after"]["windows"]
    parts = (("busy", gettext("办理")), ("cold", gettext("有人等却闲着")))
    return {
        "halves": [times.clock(row["at"]) for row in found["before"]["curve"]],
        "people": [row["people"] for row in found["before"]["curve"]],
        "waits": [
            {"when": when, "name": title or gettext("平均等候"), "values": [row["mean"] for row in day["curve"]]}
            for when, title, day in days
        ],
        "windows": [row["window"] for row in windows],
        "loads": [
            {"when": when, "part": part, "name": f"{word} · {title}" if title else word, **_parts(day, windows, part)}
            for when, title, day in days
            for part, word in parts
        ],
        "words": {"people": gettext("取号人数"), "minutes": gettext("分钟"), "persons": gettext("人")},
    }


def _parts(day: Mapping[str, Any], windows: list[dict[str, Any]], part: str) -> dict[str, list[int]]:
    own = {row["window"]: row[part] for row in day["windows"]}
    return {"values": [own.get(row["window"], 0) for row in windows]}


# ── how true forecasts were ─────────────────────────────────────────────────────────────────────────────────────


@pages.get("/forecasts")
@requires(Permission.HALL_WATCH)
def forecasts() -> str:
    """The promised waits of the last days against what came."""
    actor = staff_with(Permission.HALL_WATCH)
    hall, today = hall_at_desk(actor), local_day(now())
    days = whole(request.args.get("days"), 7)
    days = days if days in SPANS else 7
    known = replay.names(hall["code"])
    return render_template(
        "supervisor/forecasts.html",
        hall=hall,
        halls=hall_choices(actor),
        score=accuracy(hall["code"], today - timedelta(days=days - 1), today),
        days=days,
        spans=SPANS,
        name_of=lambda code: _name(known, "queues", code),
    )
