"""Official calendars: makes them from `chinesecalendar`, each year under its State Council notice.

The library is a source for the import only. A year whose notice is not named here is refused, however much
the library may know about it: a calendar without its source explains no deadline. `python -m
app.hall.holidays` prints the calendar file of all years named here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType

from app.hall.rules.calendar import WorkCalendar

BUNDLED = Path(__file__).parent / "data" / "holidays.json"


@dataclass(frozen=True)
class Notice:
    """A notice of the General Office of the State Council that arranges the days off of one year."""

    year: int
    number: str
    issued_on: date
    url: str

    @property
    def source(self) -> str:
        on = self.issued_on
        title = f"国务院办公厅关于{self.year}年部分节假日安排的通知"
        return f"{title}（{self.number}，{on.year}年{on.month}月{on.day}日）"


NOTICES = {
    notice.year: notice
    for notice in (
        Notice(
            2025,
            "国办发明电〔2024〕12号",
            date(2024, 11, 12),
            "https://www.gov.cn/zhengce/zhengceku/202411/content_6986383.htm",
        ),
        Notice(
            2026,
            "国办发明电〔2025〕7号",
            date(2025, 11, 4),
            "https://www.gov.cn/zhengce/zhengceku/202511/content_7047091.htm",
        ),
    )
}
FESTIVALS = {  # the library's names → the headings of the notices
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "Mid-autumn Festival": "中秋节",
    "National Day": "国庆节",
}


class NoticeUnknown(LookupError):
    """A year whose State Council notice is not named here, or whose days the library does not hold."""


def from_chinesecalendar(years: Iterable[int], named: Mapping[int, str] = MappingProxyType({})) -> WorkCalendar:
    """The calendar of `years`, each under its notice here or, announced since, under the one `named` for it.

    Raises NoticeUnknown for a year without a notice or without data.
    """
    from chinese_calendar import constants  # here, so that only an import of calendars needs the library

    wanted = sorted(set(years))
    source = {year: notice.source for year, notice in NOTICES.items()} | dict(named)
    for year in wanted:
        if year not in source or not any(day.year == year for day in constants.holidays):
            raise NoticeUnknown(f"no announced calendar for {year}")
    off = {day: FESTIVALS[name] for day, name in constants.holidays.items() if day.year in wanted}
    made_up = {day: FESTIVALS[name] for day, name in constants.workdays.items() if day.year in wanted}
    return WorkCalendar.of(
        days_off=off,
        makeup={day: f"{name}调休" for day, name in made_up.items()},
        source={year: source[year] for year in wanted},
    )


def render(calendar: WorkCalendar) -> str:
    """The text of a calendar file, made to be read and compared line by line."""
    return json.dumps(calendar.to_json(), ensure_ascii=False, indent=2) + "\n"


def read(path: Path = BUNDLED) -> WorkCalendar:
    """The calendar in a file. Raises ValueError when it is unreadable or a year has no source."""
    calendar = WorkCalendar.from_json(path.read_text(encoding="utf-8"))
    unnamed = sorted(year for year in calendar.years if not calendar.source.get(year))
    if unnamed:
        raise ValueError(f"no notice is named for {unnamed}")
    return calendar


if __name__ == "__main__":
    print(render(from_chinesecalendar(NOTICES)), end="")
