"""The ledger of a deadline as a person reads it: equal days folded into one line, and their sum in one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any

from flask import Flask, Response
from flask_babel import gettext, ngettext

from app.casework.annex import ledger_paper
from app.hall.rules.calendar import in_english
from app.web import times, wording

Row = Mapping[str, Any]


def init_app(app: Flask) -> None:
    """The filters of templates/shared/ledger.html."""
    app.jinja_env.filters.update(
        ledger_lines=lines, ledger_sum=summary, ledger_why=why, ledger_counts=counts, ledger_dates=dates
    )


def lines(rows: Sequence[Row], *, daily: bool = False) -> list[dict[str, Any]]:
    """Neighbouring days that are alike in everything as one line; with `daily`, each day its own."""

    def alike(row: Row) -> tuple[Any, ...]:
        alone = row["date"] if daily or row["start"] or row["due"] else ""
        return alone, row["why"], row["why_name"], row["exception"], row["paused"], row["counted"]

    groups = [list(group) for _key, group in groupby(rows, key=alike)]
    return [
        {**days[-1], "first": days[0]["date"], "days": len(days), "counted": sum(day["counted"] for day in days)}
        for days in groups
    ]


def dates(line: Row) -> str:
    """The days of a line: 3月12日 星期四, 3月12–13日, 3月30日–4月3日."""
    if line["days"] == 1:
        return times.day(line["date"], weekday=True)
    first, last = date.fromisoformat(line["first"]), date.fromisoformat(line["date"])
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{times.day(last)}" if wording.english() else f"{times.day(first)}–{last.day}日"
    return f"{times.day(first)} – {times.day(last)}"


def why(row: Row) -> str:
    """What kind of day it is: 工作日, 国庆节, 临时闭厅."""
    name = row["why_name_en"] if wording.english() else row["why_name"]
    exception = row["exception"] and row["exception"] != row["why"]
    return f"{name} · {wording.word(row['exception'], 'day')}" if exception else str(name)


def counts(line: Row, unit: str) -> str:
    """What a line counts, in words; `unit` is `day` or `minute`."""
    if not line["counted"]:
        return gettext("不计")
    if unit == "day":
        return ngettext("计 %(num)d 天", "计 %(num)d 天", line["counted"])
    return gettext("计 %(span)s", span=times.minutes(line["counted"] * 60))


def summary(rows: Sequence[Row], clock: Mapping[str, Any]) -> str:
    """The whole ledger in one sentence: 共 20 个工作日，扣除停钟 3 天，周末和节假日 8 天不计，于 4月9日 18:00 到期。"""
    unit, in_days = clock["limit"]["unit"], clock["unit"] == "day"
    natural = unit in ("ND", "NH")
    whole = rows[0]["limit"] if in_days else rows[0]["limit"] // 60  # with its extension
    due = next((n for n, row in enumerate(rows, 1) if row["due"]), len(rows))  # overdue days explain nothing
    rows = rows[:due]
    stopped = sum(row["paused"] and (natural or bool(row["working"])) for row in rows)
    free = sum(not row["counted"] and not row["paused"] and not row["start"] and not row["working"] for row in rows)
    parts = [gettext("共 %(limit)s", limit=times.span(whole, unit))]
    if stopped and in_days:
        parts.append(ngettext("扣除停钟 %(num)d 天", "扣除停钟 %(num)d 天", stopped))
    elif stopped:
        parts.append(ngettext("其中 %(num)d 天有停钟，停的时间不计", "其中 %(num)d 天有停钟，停的时间不计", stopped))
    if free:
        parts.append(ngettext("周末和节假日 %(num)d 天不计", "周末和节假日 %(num)d 天不计", free))
    if clock["due_at"]:
        parts.append(gettext("于 %(when)s 到期", when=times.stamp(clock["due_at"])))
    elif clock["stopped"]:
        parts.append(gettext("现在停钟，恢复后接着数"))
    else:
        parts.append(gettext("日历尚未公布到期满那天，暂不定日期"))
    return gettext("，").join(parts) + gettext("。")


def ledger_answer(hall: str, case_id: int, at: datetime) -> Response:
    """The ledger as PDF, in the reader's language beside Chinese."""
    body = ledger_paper(hall, case_id, at, language="en" if wording.english() else "zh")
    answer = Response(body, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = "inline; filename=deadline.pdf"
    return answer


def day_reason(code: str, name: str) -> str:
    """What the calendar says of a day, in words: 工作日, 春节（放假）, 春节调休（上班）."""
    if wording.english():
        words = in_english(code, name)
        return f"{words} (day off)" if code == "holiday" else words
    return {"holiday": f"{name}（放假）", "makeup": f"{name}（上班）"}.get(code, name)
