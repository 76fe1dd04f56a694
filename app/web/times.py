"""How times are said on a page: instants and days, spans and limits, what is left of a clock, opening hours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from flask_babel import gettext, lazy_gettext, ngettext

from app.now import due_day, local, local_day, now
from app.web.wording import english

_ = lazy_gettext

WEEKDAYS = (_("星期一"), _("星期二"), _("星期三"), _("星期四"), _("星期五"), _("星期六"), _("星期日"))


def _instant(at: datetime | str | None) -> datetime | None:
    if not at:
        return None
    return local(datetime.fromisoformat(at) if isinstance(at, str) else at)


def _day(on: date | datetime | str | None) -> date | None:
    if isinstance(on, str):
        on = datetime.fromisoformat(on) if "T" in on else date.fromisoformat(on)
    if isinstance(on, datetime):
        return local(on).date() if on.tzinfo else on.date()
    return on


def clock(at: datetime | str | None) -> str:
    """The time of day in the hall, 14:32."""
    moment = _instant(at)
    return f"{moment:%H:%M}" if moment else ""


def day(on: date | datetime | str | None, *, year: bool | None = None, weekday: bool = False) -> str:
    """11月22日 or 22 Nov; with its year when that is not the present one, or when asked for."""
    when = _day(on)
    if when is None:
        return ""
    with_year = when.year != local(now()).year if year is None else year
    if english():
        text = f"{when.day} {when:%b}" + (f" {when.year}" if with_year else "")
        return f"{WEEKDAYS[when.weekday()]}, {text}" if weekday else text
    text = (f"{when.year}年" if with_year else "") + f"{when.month}月{when.day}日"
    return f"{text} {WEEKDAYS[when.weekday()]}" if weekday else text


def stamp(at: datetime | str | None) -> str:
    """Day and time, 11月22日 14:32."""
    return f"{day(at)} {clock(at)}" if at else ""


def minutes(seconds: float | None) -> str:
    """A span in words, rounded up to whole minutes: 5 分钟, 1 小时 20 分钟."""
    if seconds is None:
        return ""
    total = max(-(-int(seconds) // 60), 0)
    hours, rest = divmod(total, 60)
    if not hours:
        return ngettext("%(num)d 分钟", "%(num)d 分钟", rest)
    text = ngettext("%(num)d 小时", "%(num)d 小时", hours)
    return f"{text} {ngettext('%(num)d 分钟', '%(num)d 分钟', rest)}" if rest else text


def wait_range(row: Mapping[str, Any]) -> str:
    """`wait_low_s` to `wait_high_s` in words, empty when the hall has nothing to go by."""
    low, high = row.get("wait_low_s"), row.get("wait_high_s")
    if low is None or high is None:
        return ""
    least, most = int(low) // 60, max(-(-int(high) // 60), 1)
    if most <= 1:
        return gettext("1 分钟以内")
    if least < 1:
        return gettext("%(most)s 分钟以内", most=most)
    if least == most:
        return gettext("%(most)s 分钟左右", most=most)
    return gettext("%(least)s–%(most)s 分钟", least=least, most=most)


def limit(value: Mapping[str, Any] | None) -> str:
    """A limit {amount, unit} in words: 20 个工作日."""
    if not value:
        return ""
    return span(int(value["amount"]), str(value["unit"]))


def agreed(clock: Mapping[str, Any]) -> str:
    """The limit of a clock {limit, longer} in words, with its extension: 20 个工作日，延长 10 个工作日."""
    if not clock["longer"]:
        return limit(clock["limit"])
    more = span(clock["longer"], str(clock["limit"]["unit"]))
    return gettext("%(limit)s，延长 %(more)s", limit=limit(clock["limit"]), more=more)


def span(amount: int, unit: str) -> str:
    """So many of a unit (WD, WH, ND, NH) in words."""
    if unit == "WD":
        return ngettext("%(num)d 个工作日", "%(num)d 个工作日", amount)
    if unit == "WH":
        return ngettext("%(num)d 个工作小时", "%(num)d 个工作小时", amount)
    if unit == "ND":
        return ngettext("%(num)d 天", "%(num)d 天", amount)
    return ngettext("%(num)d 小时", "%(num)d 小时", amount)


def remaining(reckoned: Mapping[str, Any] | None) -> str:
    """What is left of a clock {remaining, limit, stopped, …} in words; `remaining` is in days (WD, ND), else minutes.

    A clock that has nothing left is due today, or on the working day to which its end was moved, or has passed its limit.
    """
    if not reckoned or reckoned.get("remaining") is None:
        return ""
    left, unit = int(reckoned["remaining"]), str(reckoned["limit"]["unit"])
    ends = due_day(datetime.fromisoformat(reckoned["due_at"])) if reckoned.get("due_at") else None
    if left >= 0 and reckoned.get("late"):
        return gettext("刚刚超期") if ends == local_day(now()) else gettext("已超期")
    if left == 0 and ends and reckoned.get("running"):
        return gettext("今天到期") if ends == local_day(now()) else gettext("%(day)s到期", day=day(ends))
    text = span(abs(left), unit) if unit in ("WD", "ND") else minutes(abs(left) * 60)
    if left < 0:
        return gettext("超期 %(span)s", span=text)
    return gettext("停钟，剩 %(span)s", span=text) if reckoned.get("stopped") else gettext("剩 %(span)s", span=text)


def hours(intervals: list[list[str]]) -> str:
    """Opening hours as people write them: 08:30–12:00，13:30–18:00."""
    return gettext("，").join(f"{begin}–{end}" for begin, end in intervals)
