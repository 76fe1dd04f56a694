"""The ledger of windows 窗口台账: how the day went at each window, with evidence; the same for supervisors and for the clerk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext, lazy_gettext

from app.now import local, local_day, now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing import ledgers
from app.web import clerk_parts, sheets, times, wording
from app.web.desk import YEARS, hall_at_desk, hall_choices, staff_of_hall, staff_with
from app.web.forms import limited
from app.web.queue_statistics import download, time_of, time_unit
from app.web.reports import EXPORTS

pages = Blueprint("window_ledger", __name__, url_prefix="/supervisor")

_ = lazy_gettext
Row = Mapping[str, Any]

USES: dict[str, Any] = {
    "serving": _("办理"),
    "walking": _("等人到窗"),
    "idle": _("空闲而有人等"),
    "free": _("空闲无人等"),
    "paused": _("暂停"),
}
KINDS: dict[str, Any] = {
    "quick": _("叫号后很快结束"),
    "chosen": _("指定叫号"),
    "few-recalls": _("重呼偏少"),
    "fast-recalls": _("重呼间隔最短"),
    "all-recalls": _("重呼用满"),
    "taken-over": _("窗口接管"),
    "sent-first": _("转到最前"),
    "cleared": _("未叫即弃号"),
}
ENDED: dict[str, Any] = {
    "missed": _("按过号处理"),
    "abandoned": _("按弃号处理"),
    "transferred": _("转走"),
    "parked": _("挂起"),
    "finished": _("办结"),
}
COUNTS: dict[str, Any] = {
    "calls": _("叫号"),
    "finished": _("办结"),
    "missed": _("过号"),
    "recalls": _("重呼次数"),
    "quick": _("很快结束"),
    "chosen": _("指定叫号"),
    "transferred": _("转出"),
    "parked": _("挂起"),
    "abandoned": _("弃号"),
}
SHOWN = ("calls", "finished", "missed", "quick", "chosen")
PARTS = ("windows", "clerks", "stretches", "entries")
ENTRIES = 100
LISTED = 20


def _day(at: datetime) -> date:
    try:
        day = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        return local_day(at)
    return min(day, local_day(at)) if day.year in YEARS else local_day(at)


@pages.get("/ledger")
@requires(Permission.HALL_WATCH)
def desk() -> str:
    """A day of all windows, of one window, or of one clerk."""
    actor, at = staff_with(Permission.HALL_WATCH), now()
    hall, day = hall_at_desk(actor), _day(at)
    whole = ledgers.day_ledger(hall["code"], day, at)
    window, clerk = _choice(whole)
    address = {"hall": hall["code"], "window": window, "clerk": clerk}
    return render_template(
        "supervisor/ledger.html",
        hall=hall,
        halls=hall_choices(actor),
        window=window,
        clerk=clerk,
        windows=whole["windows"],
        clerks=whole["clerks"],
        may_read=actor.may(Permission.EVENTS_READ),
        address={name: value for name, value in address.items() if value},
        **_shown(_part(whole, window, clerk), whole, at),
    )


@clerk_parts.pages.get("/ledger")
@requires(Permission.WINDOW_OPEN)
def ledger() -> str:
    """What the ledger says about the clerk who asks: the same that the supervisor sees about them."""
    actor, hall = staff_of_hall(Permission.WINDOW_OPEN)
    at = now()
    whole = ledgers.day_ledger(hall, _day(at), at)
    shown = _shown(ledgers.of_clerk(whole, actor.name), whole, at)
    return render_template("clerk/ledger.html", window="", clerk=actor.name, may_read=False, address={}, **shown)


def _choice(whole: Mapping[str, Any]) -> tuple[str, str]:
    """The window or the clerk that is looked at; one that was not there that day is still shown, as empty."""
    window, clerk = request.args.get("window", "")[:20], request.args.get("clerk", "")[:60]
    return ("", clerk) if clerk else (window, "")


def _part(whole: dict[str, Any], window: str, clerk: str) -> dict[str, Any]:
    if clerk:
        return ledgers.of_clerk(whole, clerk)
    return ledgers.of_window(whole, window) if window else whole


def _shown(found: Mapping[str, Any], whole: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """What a page of the ledger shows of the part of it that is looked at."""
    day = date.fromisoformat(found["day"])
    today = local_day(at)
    rest_s = found["policy"]["rest_s"]
    idle = [row for row in found["stretches"] if row["use"] == "idle"]
    long = sorted((row for row in idle if row["seconds"] >= rest_s), key=lambda row: -row["seconds"])
    short = [row["seconds"] for row in idle if row["seconds"] < rest_s]
    sums = found["clerks"] or found["windows"]
    names = {row["key"]: row for row in (*whole["windows"], *whole["clerks"])}

    def named(key: str) -> str:
        return str(wording.named(names[key])) if key in names else key

    return {
        "found": found,
        "day": found["day"],
        "today": today.isoformat(),
        "earlier": (day - timedelta(days=1)).isoformat(),
        "later": (day + timedelta(days=1)).isoformat() if day < today else None,
        "total": {name: sum(row[name] for row in sums) for name in (*(f"{u}_s" for u in USES), "open_s", *COUNTS)},
        "idle": long[:LISTED],
        "idle_more": len(long) - LISTED,
        "short": {"count": len(short), "seconds": sum(short)},
        "pauses": [row for row in found["stretches"] if row["use"] == "paused"][:LISTED],
        "entries": found["entries"][-ENTRIES:][::-1],
        "entries_more": len(found["entries"]) - ENTRIES,
        "uses": USES,
        "kinds": KINDS,
        "counts": COUNTS,
        "shown": SHOWN,
        "chart": _chart(found),
        "time_of": time_of,
        "time_unit": time_unit,
        "sentence": lambda entry: sentence(entry, named),
        "named": named,
        "part_of": lambda part, whole: f"{100 * part / whole:.0f}%" if whole else "—",
    }


def sentence(entry: Row, named: Callable[[str], str] = str) -> str:
    """What happened, in plain words and without a mark; `named` says what a clerk is called."""
    facts, kind = entry["facts"], entry["kind"]
    if kind == "taken-over":
        both = {"staff": named(entry["staff"]), "other": named(facts["from_staff"])}
        return gettext("%(staff)s 接管了 %(other)s 打开的窗口", **both)
    if kind == "quick":
        how = ENDED.get(facts["how"], facts["how"])
        limits = {"seconds": facts["seconds"], "how": how, "recalls": facts["recalls"]}
        return gettext("叫号 %(seconds)s 秒后%(how)s，没有办理；重呼 %(recalls)s 次", **limits)
    if kind == "chosen":
        return _chosen(facts)
    if kind == "sent-first":
        return gettext("转移时排到 %(to)s 的最前", to=facts["to"])
    if kind == "cleared":
        reason = wording.word(facts["reason"], "abandon_reason") if facts["reason"] else gettext("未记录")
        return gettext("没有叫号就按弃号处理，原因：%(reason)s", reason=reason)
    limits = {name: facts[name] for name in ("recalls", "usual", "seconds", "most")}
    if kind == "few-recalls":
        return gettext("重呼 %(recalls)s 次后过号；当天全厅过号前多为 %(usual)s 次或更多", **limits)
    if kind == "fast-recalls":
        return gettext("叫号 %(seconds)s 秒后过号，%(recalls)s 次重呼都在允许的最短间隔", **limits)
    return gettext("重呼 %(recalls)s 次后过号，最多允许 %(most)s 次", **limits)


def _chosen(facts: Row) -> str:
    said = gettext(
        "原因：%(reason)s；已等候 %(waited)s",
        reason=wording.word(facts["reason"], "choice_reason"),
        waited=times.minutes(facts["waited_s"]),
    )
    over = facts["passed_over"]
    if not over:
        return gettext("%(said)s；按规则本来也轮到它", said=said)
    return gettext("%(said)s；排在它前面的队首：%(numbers)s", said=said, numbers=gettext("、").join(over))


def _chart(found: Mapping[str, Any]) -> dict[str, Any]:
    """The day as a bar a window: [row, from, to (seconds of the day), use, what to say of it].

    Idle times shorter than a rest are drawn as free: else each arrival in a quiet hall would cut every bar in pieces.
    """
    rows = sorted({row["window"] for row in found["stretches"]})
    begin = datetime.fromisoformat(found["begin"])

    def seconds(at: str) -> int:
        return int((datetime.fromisoformat(at) - begin).total_seconds())

    uses, free = list(USES), list(USES).index("free")
    bars: list[list[Any]] = []
    for row in found["stretches"]:
        short = row["use"] == "idle" and row["seconds"] < found["policy"]["rest_s"]
        use = free if short else uses.index(row["use"])
        at, begins, ends = rows.index(row["window"]), seconds(row["begin"]), seconds(row["end"])
        last = bars[-1] if bars else None
        if last and use == free and (last[0], last[2], last[3]) == (at, begins, free):
            last[2] = ends
        else:
            bars.append([at, begins, ends, use, "" if use == free else _mark(row)])
    return {
        "rows": rows,
        "bars": bars,
        "uses": [str(word) for word in USES.values()],
        "from": min((bar[1] for bar in bars), default=0),
        "to": max((bar[2] for bar in bars), default=0),
    }


def _mark(row: Row) -> str:
    if row["use"] == "idle":
        return gettext("%(count)s 人在等", count=row["waiting"])
    return row["reason"] or row["number"] or ""


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────


def sheet(found: Mapping[str, Any], part: str) -> tuple[list[str], list[list[sheets.Value]]]:
    """One part of the ledger as a table: sums by window or clerk, stretches, or what is worth a second look."""
    if part == "stretches":
        head = [_("窗口"), _("人员"), _("状态"), _("从"), _("到"), _("秒"), _("号码"), _("等候人数"), _("原因")]
        head += [_("记录起"), _("记录止")]
        fields = ("number", "waiting", "reason", "from_seq", "to_seq")
        rows = [
            [
                *(row["window"], row["staff"], str(USES[row["use"]]), _clock(row["begin"]), _clock(row["end"])),
                *(row["seconds"], *(row[name] for name in fields)),
            ]
            for row in found["stretches"]
        ]
    elif part == "entries":
        head = [_("时间"), _("窗口"), _("人员"), _("号码"), _("事项"), _("说明"), _("记录起"), _("记录止")]
        rows = [
            [
                *(_clock(row["at"]), row["window"], row["staff"], row["number"], str(KINDS[row["kind"]])),
                *(sentence(row), row["from_seq"], row["to_seq"]),
            ]
            for row in found["entries"]
        ]
    else:
        side = _("窗口") if part == "windows" else _("人员")
        head = [side, _("名称"), _("开放（秒）"), *(gettext("%(use)s（秒）", use=word) for word in USES.values())]
        head += [_("最长空闲（秒）"), *COUNTS.values()]
        times_s = ("open_s", *(f"{use}_s" for use in USES), "longest_idle_s")
        rows = [
            [row["key"], str(wording.named(row)), *(row[name] for name in (*times_s, *COUNTS))] for row in found[part]
        ]
    return [str(name) for name in head], rows


def _clock(at: str) -> datetime:
    return local(datetime.fromisoformat(at)).replace(tzinfo=None, microsecond=0)


def _file(ending: str) -> Response:
    actor, at = staff_with(Permission.HALL_WATCH), now()
    hall = hall_at_desk(actor)
    limited(EXPORTS)
    part = request.args.get("part", "")
    part = part if part in PARTS else "windows"
    whole = ledgers.day_ledger(hall["code"], _day(at), at)
    found = _part(whole, *_choice(whole)) if part in ("stretches", "entries") else whole
    head, rows = sheet(found, part)
    name = f"ledger-{hall['code']}-{part}-{found['day']}.{ending}"
    if ending == "csv":
        return download(sheets.csv_of(head, rows), sheets.CSV_TYPE, name)
    title = f"{wording.named(hall)} {gettext('窗口台账')} {times.day(found['day'], year=True)}"
    return download(sheets.xlsx_of(title, head, rows, made_at=local(at)), sheets.XLSX_TYPE, name)


@pages.get("/ledger.csv")
@requires(Permission.HALL_WATCH)
def as_csv() -> Response:
    """One part of the ledger as CSV."""
    return _file("csv")


@pages.get("/ledger.xlsx")
@requires(Permission.HALL_WATCH)
def as_xlsx() -> Response:
    """The same as XLSX."""
    return _file("xlsx")
