"""A report of casework in words: the table that page and spreadsheets share, and the printed monthly report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from flask_babel import gettext, lazy_gettext

from app.casework.rules.tally import rate
from app.notices.report import Bars, Columns, Part, Printed, Table
from app.web import times, wording

_ = lazy_gettext
Row = Mapping[str, Any]

# figure → its word; the first are the columns of the page, in this order
FIGURES: dict[str, Any] = {
    "received": _("收件"),
    "decided": _("办结"),
    "in_time": _("按时办结"),
    "in_time_rate": _("按时办结率"),
    "late": _("超期办结"),
    "late_statutory": _("超法定时限"),
    "late_unexplained": _("超期未说明"),
    "instant": _("即办件"),
    "converted": _("转承诺件"),
    "conversion_rate": _("转承诺件率"),
    "special": _("特别程序"),
    "promised_stops": _("勘验补正停钟"),
    "second_notice": _("再次告知"),
    "tolerant": _("容缺受理"),
    "deemed": _("视为受理"),
    "extended": _("延期"),
    "granted": _("准予"),
    "refused": _("不予"),
    "not_accepted": _("不予受理"),
    "withdrawn": _("撤回"),
}
SHOWN = tuple(name for name in list(FIGURES)[:13] if name != "promised_stops")
RATES = ("in_time_rate", "conversion_rate")
SIDES: dict[str, Any] = {"department": _("部门"), "hall": _("大厅"), "clerk": _("收件人员"), "item": _("事项")}
UNITS = {"WD": _("工作日"), "WH": _("工作小时"), "ND": _("天"), "NH": _("小时")}
PACE = {
    "promised": _("承诺平均"),
    "statutory": _("法定平均"),
    "average": _("实际平均"),
    "p50": _("实际中位"),
    "p90": _("实际九成"),
}
BARS_SHOWN = 12
ROWS_PRINTED = 40


def percent(value: float | None) -> str:
    """98.7%, or a dash of nothing."""
    return "—" if value is None else f"{value:g}%"


def figure(row: Row, name: str) -> str:
    """One figure of a row as it is read."""
    return percent(row[name]) if name in RATES else f"{row[name]:,}"


def in_unit(amount: float | None, unit: str) -> str:
    """A time of a pace in its unit: days as they are, minutes as hours; one decimal where it is not whole."""
    if amount is None:
        return "—"
    shown = amount if unit in ("WD", "ND") else amount / 60
    return f"{shown:.1f}".removesuffix(".0")


def period_words(report: Mapping[str, Any]) -> str:
    """2026年11月, or the days from and to."""
    first, last = date.fromisoformat(report["from"]), date.fromisoformat(report["to"])
    if report["period"] == "month":
        return f"{first:%b %Y}" if wording.english() else f"{first.year}年{first.month}月"
    if first == last:
        return times.day(first, year=True)
    return gettext("%(first)s至%(last)s", first=times.day(first, year=True), last=times.day(last, year=True))


def sheet(report: Mapping[str, Any]) -> tuple[list[str], list[list[str | int | float | None]]]:
    """The whole table: a row a key and the sum, every figure, and the pace in each unit that occurs."""
    units = [pace["unit"] for pace in report["total"]["pace"]]
    head = [str(SIDES[report["side"]])]
    head += [gettext("%(figure)s（%%）", figure=name) if code in RATES else str(name) for code, name in FIGURES.items()]
    for unit in units:
        head += [gettext("%(figure)s（%(unit)s）", figure=name, unit=UNITS[unit]) for name in PACE.values()]
    rows = []
    for row in [*report["rows"], report["total"]]:
        line: list[str | int | float | None] = [wording.named(row) or gettext("合计")]
        for name in FIGURES:
            value = row[name]
            line.append(value if name not in RATES or value is None else round(value, 1))
        by_unit = {pace["unit"]: pace for pace in row["pace"]}
        for unit in units:
            pace = by_unit.get(unit)
            for part in PACE:
                amount = pace[part] if pace else None
                line.append(None if amount is None else round(amount if unit in ("WD", "ND") else amount / 60, 2))
        rows.append(line)
    return head, rows


# ── the printed report ──────────────────────────────────────────────────────────────────────────────────────────


def printed(report: Mapping[str, Any], before: Row, hall: Mapping[str, Any] | None) -> Printed:
    """The report as an official paper; `before` are the totals of the period before."""
    total = report["total"]
    organ = wording.named(hall) if hall else gettext("全网政务服务大厅")
    kind = wording.word(report["period"], "period")
    parts = [
        (gettext("总体情况"), _summary(report, before), [_days(report)]),
        (
            gettext("按%(side)s统计的办理情况", side=str(SIDES[report["side"]]).lower()),
            _cut(report),
            _departments(report),
        ),
        (
            gettext("承诺、法定与实际用时"),
            [gettext("用时按承诺时限的单位计算，停钟时间不计入；天数和小时数不相互折算。"), *_cut(report)],
            _pace(report),
        ),
        (gettext("超期办件和公开的理由"), *_late(report)),
        (gettext("特别程序和一次性告知"), _procedures(total), _grounds(report)),
        (gettext("在办件和预测"), _outlook(report), _open(report)),
    ]
    numerals = "一二三四五六七八九十"
    marks = [f"{n}. " if wording.english() else f"{numerals[n - 1]}、" for n in range(1, len(parts) + 1)]
    return Printed(
        organ=organ,
        title=gettext("办件督办%(kind)s", kind=kind),
        period=period_words(report),
        made=times.day(report["made_at"], year=True),
        made_on=report["made_at"][:10],
        seal=gettext("（印章）"),
        page=gettext("第 {page} 页，共 {pages} 页"),
        lang="en" if wording.english() else "zh-CN",
        figures=[(str(FIGURES[name]), figure(total, name)) for name in _HEADLINE],
        parts=[Part(mark + title, text, blocks) for mark, (title, text, blocks) in zip(marks, parts, strict=True)],
        notes_title=gettext("口径说明"),
        notes=notes(),
    )


_HEADLINE = ("received", "decided", "in_time_rate", "late", "instant", "conversion_rate", "special", "second_notice")


def notes() -> list[str]:
    """How the numbers are counted."""
    return [
        gettext("收件、即办件、转承诺件、再次告知、容缺受理、视为受理、不予受理和撤回，按收件时间计入本期。"),
        gettext(
            "办结、按时、超期、延期和用时，按作出准予或者不予决定的时间计入本期；到期时刻以前决定的为按时，即办件量到送达。"
        ),
        gettext("特别程序和勘验、补正停钟，按停钟开始的时间计入本期。"),
        gettext("中位和九成：一半、九成的办件不超过这个用时。"),
        gettext(
            "几个部门并联或者依次决定的办件，按部门统计时各计一件，合计只计一件；准予、不予、停钟、再次告知、是否超期和用时"
            "按各部门自己的计算，因他人不予而未及决定的并联部门随办件计算。"
        ),
    ]


def _summary(report: Mapping[str, Any], before: Row) -> list[str]:
    total = report["total"]
    text = gettext(
        "%(period)s共收件 %(received)s 件，办结 %(decided)s 件，其中准予 %(granted)s 件、不予 %(refused)s 件；按时办结率 %(rate)s，"
        "超期办结 %(late)s 件，其中超过法定时限 %(statutory)s 件。",
        period=period_words(report),
        received=f"{total['received']:,}",
        decided=f"{total['decided']:,}",
        granted=f"{total['granted']:,}",
        refused=f"{total['refused']:,}",
        rate=percent(total["in_time_rate"]),
        late=f"{total['late']:,}",
        statutory=f"{total['late_statutory']:,}",
    )
    then = gettext(
        "上期收件 %(received)s 件，办结 %(decided)s 件，按时办结率 %(rate)s。",
        received=f"{before['received']:,}",
        decided=f"{before['decided']:,}",
        rate=percent(before["in_time_rate"]),
    )
    return [text, then]


def _days(report: Mapping[str, Any]) -> Columns:
    days = report["days"]
    names = [str(date.fromisoformat(row["day"]).day) for row in days]
    series = [[row[name] for row in days] for name in ("received", "decided")]
    return Columns(gettext("每日收件和办结（件）"), names, series, [str(FIGURES["received"]), str(FIGURES["decided"])])


def _departments(report: Mapping[str, Any]) -> list[Table | Bars | Columns]:
    names = ("received", "decided", "in_time", "late", "late_statutory", "in_time_rate")
    rows = [*_fitted(report["rows"], _together), report["total"]]
    table = Table(
        [str(SIDES[report["side"]]), *(str(FIGURES[name]) for name in names)],
        [[wording.named(row) or gettext("合计"), *(figure(row, name) for name in names)] for row in rows],
        [4, 1.5, 1.7, 1.6, 1.7, 1.7, 1.7],
        strong=True,
    )
    some = [row for row in report["rows"] if row["decided"]]
    decided = some[:BARS_SHOWN]
    if not decided:
        return [table]
    rates, title = [row["in_time_rate"] for row in decided], gettext("按时办结率")
    if len(some) > len(decided):
        title = gettext("%(figure)s（办结最多的 %(count)s 行）", figure=title, count=len(decided))
    bars = Bars(title, [wording.named(row) for row in decided], rates, list(map(percent, rates)), 100)
    return [table, bars]


def _cut(report: Mapping[str, Any]) -> list[str]:
    """That rows are left out, where some are."""
    more = len(report["rows"]) - ROWS_PRINTED
    if more <= 0:
        return []
    return [gettext("只列办结最多的 %(count)s 行，其余 %(more)s 行合为一行，不列用时。", count=ROWS_PRINTED, more=more)]


def _fitted(rows: Sequence[Row], together: Callable[[Sequence[Row]], dict[str, Any]]) -> list[Row]:
    """As many rows as are printed; what is left over stands in one, so that the sum still adds up."""
    shown, rest = list(rows[:ROWS_PRINTED]), rows[ROWS_PRINTED:]
    if rest:
        name = gettext("其余 %(count)s 行", count=len(rest))
        shown.append({"name": name, "name_en": name, **together(rest)})
    return shown


def _together(rows: Sequence[Row]) -> dict[str, Any]:
    """The figures of several rows as one."""
    sums = {name: sum(row[name] for row in rows) for name in FIGURES if name not in RATES}
    return {**sums, "in_time_rate": rate(sums["in_time"], sums["decided"])}


def _pace(report: Mapping[str, Any]) -> list[Table | Bars | Columns]:
    rows = [
        [
            wording.named(row) or gettext("合计"),
            str(UNITS[pace["unit"]]),
            str(pace["count"]),
            *(in_unit(pace[part], pace["unit"]) for part in PACE),
        ]
        for row in [*report["rows"][:ROWS_PRINTED], report["total"]]
        for pace in row["pace"]
    ]
    if not rows:
        return []
    head = [
        str(SIDES[report["side"]]),
        gettext("单位"),
        str(FIGURES["decided"]),
        *(str(name) for name in PACE.values()),
    ]
    return [Table(head, rows, [4, 1.9, 1.8, 1.7, 1.7, 1.6, 1.6, 1.6], left=frozenset({0, 1}))]


def _late(report: Mapping[str, Any]) -> tuple[list[str], list[Table | Bars | Columns]]:
    rows = [
        [
            row["number"],
            wording.named(row, "item"),
            wording.named(row, "department"),
            times.day(row["due_at"]),
            times.day(row["ended_at"]) or gettext("尚未送达"),
            row["reason"] or gettext("没有公开理由"),
        ]
        for row in report["late"]
    ]
    if not rows:
        return [gettext("本期没有超期办结的办件。")], []
    told = gettext(
        "超过承诺时限或者法定时限办结 %(late)s 件，其中没有公开理由的 %(silent)s 件。",
        late=report["total"]["late"],
        silent=report["total"]["late_unexplained"],
    )
    head = [
        gettext("办件编号"),
        gettext("事项"),
        gettext("部门"),
        gettext("到期日"),
        gettext("办结"),
        gettext("公开的理由"),
    ]
    text = [told]
    if report["late_more"]:
        more = max(report["total"]["late"] - len(rows), 0)
        text.append(gettext("只列到期最早的 %(count)s 件，另有 %(more)s 件。", count=len(rows), more=more))
    return text, [Table(head, rows, [2.8, 3, 2.6, 1.7, 1.9, 4.2], left=frozenset({0, 1, 2, 5}))]


def _procedures(total: Row) -> list[str]:
    return [
        gettext(
            "进入特别程序 %(special)s 件，因勘验、技术审查或者审查补正停承诺时限 %(stops)s 件；再次告知补正 %(second)s 件，"
            "逾期未告知视为受理 %(deemed)s 件；即办件 %(instant)s 件，转为承诺件 %(converted)s 件。",
            special=total["special"],
            stops=total["promised_stops"],
            second=total["second_notice"],
            deemed=total["deemed"],
            instant=total["instant"],
            converted=total["converted"],
        )
    ]


def _grounds(report: Mapping[str, Any]) -> list[Table | Bars | Columns]:
    if not report["grounds"]:
        return []
    rows = report["grounds"]
    names = [wording.word(row["ground"], "ground") for row in rows]
    values: Sequence[float] = [row["count"] for row in rows]
    return [Bars(gettext("停钟的原因（件次）"), names, values, [str(value) for value in values], max(values))]


def _outlook(report: Mapping[str, Any]) -> list[str]:
    whole = report["open_total"]
    stands = gettext(
        "编制时在办 %(open)s 件，其中超期 %(late)s 件；超期而尚未公开理由的 %(silent)s 件（含已办结的）。",
        open=whole["total"],
        late=whole["yellow"] + whole["red"],
        silent=report["unexplained"],
    )
    coming = report["forecast"]
    if not any(row[light] for row in coming for light in ("yellow", "red")):
        return [stands, gettext("到 %(day)s 为止没有将变黄牌、红牌的办件。", day=times.day(coming[-1]["day"]))]
    today = gettext("如不办结，今天将变黄牌 %(today)s 件，今后各工作日见图。", today=coming[0]["yellow"])
    return [stands, today]


def _open(report: Mapping[str, Any]) -> list[Table | Bars | Columns]:
    coming = report["forecast"]
    names = [times.day(row["day"]) for row in coming]
    series = [[row[light] for row in coming] for light in ("yellow", "red")]
    coloured = any(any(values) for values in series)
    title, kinds = gettext("将变黄牌、红牌的办件（件）"), [gettext("变黄牌"), gettext("变红牌")]
    charts: list[Table | Bars | Columns] = [Columns(title, names, series, kinds)] if coloured else []
    if not report["open"]:
        return charts
    lights = ("green", "amber", "yellow", "red", "stopped", "total")
    fitted = _fitted(report["open"], lambda rest: {light: sum(row[light] for row in rest) for light in lights})
    rows = [[wording.named(row), *(str(row[light]) for light in lights)] for row in fitted]
    head = [gettext("部门"), *(wording.light_word(light) for light in lights[:-1]), gettext("合计")]
    return [Table(head, rows, [5, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2]), *charts]
