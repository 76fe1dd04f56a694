"""Statistics of the queue 排队统计: waits and times of a day, week or month by queue, window, clerk, item, hour or day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext, lazy_gettext

from app.casework.rules.tally import Period, Span
from app.events import Actor
from app.now import local, local_day, now
from app.people.gate import requires
from app.people.permissions import Permission
from app.queueing import statistics
from app.web import sheets, times, wording
from app.web.desk import hall_at_desk, hall_choices, staff_with
from app.web.forms import limited
from app.web.report_words import percent, period_words
from app.web.reports import EXPORTS, span_asked

pages = Blueprint("queue_statistics", __name__, url_prefix="/supervisor")

_ = lazy_gettext
Row = Mapping[str, Any]

SIDES: dict[str, Any] = {
    "queue": _("队列"),
    "window": _("窗口"),
    "clerk": _("人员"),
    "item": _("事项"),
    "hour": _("时段"),
    "day": _("日期"),
}
INTO = ("queue", "window", "clerk", "item")  # of which one can be looked at alone
TIMES: dict[str, Any] = {"waiting": _("等候"), "walking": _("走到窗口"), "serving": _("办理"), "total": _("全程")}
PARTS: dict[str, Any] = {"mean_s": _("平均"), "p50_s": _("一半"), "p90_s": _("九成"), "most_s": _("最长")}
COUNTS: dict[str, Any] = {
    "calls": _("叫号"),
    "in_time": _("及时叫到"),
    "in_time_rate": _("及时率"),
    "missed": _("过号"),
    "given_up": _("到窗前弃号"),
    "transferred": _("转出"),
    "parked": _("挂起"),
    "chosen": _("指定叫号"),
    "issued": _("取号数"),
    "served": _("办结"),
    "left": _("取消弃号"),
    "absent": _("过号未归"),
    "expired": _("失效"),
    "lost_rate": _("未办成率"),
}
RATES = ("in_time_rate", "lost_rate")
BARS = 16


def _asked() -> tuple[Actor, dict[str, Any], Span, str, tuple[str, str] | None, datetime]:
    actor, at = staff_with(Permission.HALL_WATCH), now()
    by = request.args.get("side", "")
    into, key = request.args.get("into", ""), request.args.get("key", "")[:80]
    only = (into, key) if into in INTO and key else None
    by = by if by in SIDES else "queue"
    if only and by == only[0]:
        by = "hour"
    return actor, hall_at_desk(actor), span_asked(at), by, only, at


@pages.get("/queues")
@requires(Permission.HALL_WATCH)
def desk() -> str:
    """The figures of a period with their charts; a row leads to its own hours, a day to itself."""
    actor, hall, span, by, only, at = _asked()
    found = statistics.statistics(hall["code"], span.first, span.last, by, at, only)
    before, after = span.before(), span.after()
    address = {"hall": hall["code"], "period": span.period.value, "on": span.first.isoformat(), "side": by}
    address |= {"into": only[0], "key": only[1]} if only else {}
    report = {"period": span.period.value, "from": found["from"], "to": found["to"]}
    return render_template(
        "supervisor/queues.html",
        hall=hall,
        halls=hall_choices(actor),
        found=found,
        before=statistics.totals(hall["code"], before.first, before.last, only),
        period=period_words(report),
        periods=list(Period),
        span=span,
        today=local_day(at).isoformat(),
        on_today=local_day(at).isoformat() if span.first <= local_day(at) <= span.last else span.first.isoformat(),
        earlier=before.first.isoformat(),
        later=after.first.isoformat() if after.first <= local_day(at) else None,
        sides={code: name for code, name in SIDES.items() if code != "day" or span.first != span.last},
        side_names=SIDES,
        address=address,
        only=only and {"side": only[0], "key": only[1], "name": _name(hall["code"], only)},
        into=lambda row: _into(row, by, address),
        row_name=lambda row: row_name(row, by),
        chart=_chart(found, by),
        times=TIMES,
        parts=PARTS,
        counts=COUNTS,
        figure=figure,
        time_of=time_of,
        time_unit=time_unit,
    )


def _name(hall: str, only: tuple[str, str]) -> str:
    name, name_en = statistics.name_of(hall, *only)
    return str(wording.named({"name": name, "name_en": name_en}))


def _into(row: Row, by: str, address: Mapping[str, str]) -> str | None:
    """Where a row leads: a queue, window, clerk or item to its own hours, a day to itself."""
    if not row["key"] or by == "hour":
        return None
    if by == "day":
        return url_for("queue_statistics.desk", **{**address, "period": "day", "on": row["key"], "side": "queue"})
    if "into" in address:
        return None
    return url_for("queue_statistics.desk", **address | {"side": "hour", "into": by, "key": row["key"]})


def row_name(row: Row, by: str) -> str:
    """What a row is called: an hour and a day in words, a queue with its letter."""
    if by == "hour":
        return f"{row['key']}:00–{int(row['key']) + 1:02d}:00"
    if by == "day":
        return times.day(row["key"], weekday=True)
    if not row["key"]:
        return gettext("未记录")
    return f"{row['key']} {wording.named(row)}" if by == "queue" else str(wording.named(row))


def figure(row: Row, name: str) -> str:
    """A count or a rate as it is read; a dash where there is none."""
    value = row[name]
    return percent(value) if name in RATES else "—" if value is None else f"{value:,}"


def time_of(seconds: float | None) -> str:
    """Minutes and seconds, 12:05; hours from sixty minutes on, 2:10:00; a dash for none."""
    if seconds is None:
        return "—"
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def time_unit(seconds: float | None) -> str:
    """What the parts of `time_of` are; nothing for a dash."""
    if seconds is None:
        return ""
    return gettext("时:分:秒") if round(seconds) >= 3600 else gettext("分:秒")


def _minutes(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds / 60, 1)


def _chart(found: Mapping[str, Any], by: str) -> dict[str, Any]:
    """What the three charts draw; the tables say the same."""
    rows = [row for row in found["rows"] if row["waiting"]["count"]][:BARS]
    hours = sorted({cell["hour"] for cell in found["heat"]})
    span = list(range(hours[0], hours[-1] + 1)) if hours else []
    by_hour = {row["hour"]: row for row in found["hours"]}
    line = [by_hour.get(hour, {}) for hour in span]
    return {
        "hours": [f"{hour:02d}:00" for hour in span],
        "waits": {name: [_minutes(row.get(name)) for row in line] for name in ("mean_s", "p50_s", "p90_s")},
        "people": [row.get("count", 0) for row in line],
        "rows": [row["key"] if by == "queue" else row_name(row, by) for row in rows],
        "mean": [_minutes(row["waiting"]["mean_s"]) for row in rows],
        "p90": [_minutes(row["waiting"]["p90_s"]) for row in rows],
        "days": [str(name) for name in times.WEEKDAYS],
        "heat": [
            [span.index(cell["hour"]), cell["weekday"], _minutes(cell["mean_s"]), cell["count"]]
            for cell in found["heat"]
        ],
        "words": {
            "mean": gettext("平均"),
            "p50": gettext("一半的人不超过"),
            "p90": gettext("九成的人不超过"),
            "people": gettext("叫号次数"),
            "minutes": gettext("分钟"),
        },
    }


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────


def sheet(found: Mapping[str, Any], by: str) -> tuple[list[str], list[list[sheets.Value]]]:
    """The whole table: a row a key and the sum; counts, rates, and each time in seconds."""
    head = [str(SIDES[by]), *(str(name) for name in COUNTS.values())]
    for time in TIMES.values():
        head += [gettext("%(time)s%(part)s（秒）", time=time, part=part) for part in PARTS.values()]
    rows = []
    for row in [*found["rows"], found["total"]]:
        name = row_name(row, by) if "key" in row else gettext("合计")
        figures = [row[code] for code in COUNTS]
        rows.append([name, *figures, *(row[time][part] for time in TIMES for part in PARTS)])
    return head, rows


def _file(ending: str) -> Response:
    _actor, hall, span, by, only, at = _asked()
    limited(EXPORTS)
    found = statistics.statistics(hall["code"], span.first, span.last, by, at, only)
    head, rows = sheet(found, by)
    name = f"queue-{hall['code']}-{by}-{found['from']}-{found['to']}.{ending}"
    if ending == "csv":
        return download(sheets.csv_of(head, rows), sheets.CSV_TYPE, name)
    report = {"period": span.period.value, "from": found["from"], "to": found["to"]}
    title = f"{wording.named(hall)} {gettext('排队统计')} {period_words(report)}"
    return download(sheets.xlsx_of(title, head, rows, made_at=local(at), sums=True), sheets.XLSX_TYPE, name)


def download(content: bytes, kind: str, name: str) -> Response:
    """A file that the browser saves, and nobody keeps on the way."""
    answer = Response(content, content_type=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@pages.get("/queues.csv")
@requires(Permission.HALL_WATCH)
def as_csv() -> Response:
    """The table as CSV."""
    return _file("csv")


@pages.get("/queues.xlsx")
@requires(Permission.HALL_WATCH)
def as_xlsx() -> Response:
    """The same table as XLSX."""
    return _file("xlsx")
