"""The ticket slip: what stands on it, as blocks that any printer can be told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

# ── the layout language ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Text:
    """Some text; it wraps. `size` is a multiple (1–8) of the printer's plain characters."""

    text: str
    size: int = 1
    align: str = "center"  # left, center, right
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A dashed line over the whole width."""


@dataclass(frozen=True, slots=True)
class Qr:
    """A QR code in the middle; `module` dots a square (1–16)."""

    data: str
    module: int = 6


@dataclass(frozen=True, slots=True)
class Feed:
    """Empty lines of plain height."""

    lines: int = 1


@dataclass(frozen=True, slots=True)
class Cut:
    """The end of the paper: feed past the knife and cut."""


Block = Text | Rule | Qr | Feed | Cut

# ── the slip ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """A slip's values; no person is named on it.

    `copy` counts the prints of one ticket; `issued_at` is local text; `windows` are names as people read
    them; `ahead` None leaves the line out; `language` is zh, or en for both.
    """

    hall: str
    ticket: int
    number: str
    hall_name_zh: str
    queue_name_zh: str
    issued_at: str
    hall_name_en: str = ""
    queue_name_en: str = ""
    zone: str = ""
    windows: tuple[str, ...] = ()
    ahead: int | None = None
    item_name: str = ""
    no_show_rule: str = ""
    hall_phone: str = ""
    qr_url: str = ""
    copy: int = 1
    reprint: bool = False
    language: str = "zh"

    @property
    def name(self) -> str:
        """What makes this print one print: printing it again under the same name does nothing."""
        return f"{self.hall}-{self.ticket}-{self.copy}"


def to_facts(slip: Slip) -> dict[str, Any]:
    """The slip as a JSON object, for a job or for the PDF."""
    return {**asdict(slip), "windows": list(slip.windows)}


def from_facts(facts: Mapping[str, Any]) -> Slip:
    """The slip that `to_facts` came from; keys of a later version are dropped."""
    names = {f.name for f in fields(Slip)}
    known: dict[str, Any] = {name: value for name, value in facts.items() if name in names}
    return Slip(**{**known, "windows": tuple(known.get("windows", ()))})


def no_show_rule(minutes: int, places: int, language: str = "zh") -> str:
    """The sentence about a missed call: restored within `minutes`, then behind the next `places`."""
    if language == "en":
        return f"Missed your call? Within {minutes} min you can rejoin behind the next {places}."
    return f"过号 {minutes} 分钟内可恢复，排在其后 {places} 位之后；超过须重新取号。"


def compose(slip: Slip) -> list[Block]:
    """The blocks of a slip, top to bottom, ending with the cut."""
    both = slip.language == "en"
    blocks: list[Block] = [Text(slip.hall_name_zh, bold=True)]

    def put(zh: str, en: str = "", *, size: int = 1, bold: bool = False) -> None:
        if zh:
            blocks.append(Text(zh, size=size, bold=bold))
        if both and en and en != zh:
            blocks.append(Text(en))

    if both and slip.hall_name_en:
        blocks.append(Text(slip.hall_name_en))
    if slip.reprint:
        put("（补打）", "(reprint)")
    blocks += [Feed(), Text(slip.number, size=4, bold=True), Feed()]
    put(slip.queue_name_zh, slip.queue_name_en, size=2, bold=True)
    put(slip.item_name)
    blocks.append(Rule())
    if slip.ahead is not None:
        n = slip.ahead
        put(f"前面还有 {n} 位" if n else "前面无人等候", f"{n or 'Nobody'} waiting before you", bold=True)
    if slip.zone:
        put(f"等候区域：{slip.zone}", f"Please wait in zone {slip.zone}" if slip.zone.isascii() else "")
    if slip.windows:
        put(
            f"办理窗口：{'、'.join(slip.windows)}",
            f"Windows {', '.join(slip.windows)}" if _ascii(slip.windows) else "",
        )
    if slip.qr_url:
        blocks += [Feed(), Qr(slip.qr_url)]
        put("扫码查看排队进度", "Scan to follow your place in the queue")
    blocks.append(Rule())
    put(slip.no_show_rule)
    put(f"取号时间 {slip.issued_at}", f"Taken {slip.issued_at}")
    if slip.hall_phone:
        put(f"咨询电话 {slip.hall_phone}", f"Phone {slip.hall_phone}")
    return [*blocks, Cut()]


def _ascii(texts: tuple[str, ...]) -> bool:
    return all(text.isascii() for text in texts)


# ── lines ─────────────────────────────────────────────────────────────────────────────────────────────────

NO_START = frozenset("，。、；：！？）】》〉」』”’…,.;:!?)]}")
NO_END = frozenset("（【《〈「『“‘([{")


def wrap(text: str, measure: float, width: Callable[[str], float]) -> list[str]:
    """Break text into lines of at most `measure`, with `width` of one character in the same unit.

    Latin words stay whole, punctuation clings to its Han character; what is wider than a line is cut.
    """
    lines, line, used = [], "", 0.0
    for word in _words(text):
        total = sum(map(width, word))
        if line and used + sum(map(width, word.rstrip(" "))) > measure:
            lines.append(line.rstrip(" "))
            line, used = "", 0.0
        if total > measure:
            for character in word:
                if line and used + width(character) > measure:
                    lines.append(line)
                    line, used = "", 0.0
                line, used = line + character, used + width(character)
        else:
            line, used = line + word, used + total
    return [*lines, line.rstrip(" ")] if line.strip(" ") else lines


def _words(text: str) -> Iterator[str]:
    word = ""
    for character in text:
        if word and not _clings(word[-1], character):
            yield word
            word = ""
        word += character
    if word:
        yield word


def _clings(a: str, b: str) -> bool:
    if b == " " or b in NO_START or a in NO_END:
        return True
    return a not in " -/" and ord(a) < 0x2E80 and ord(b) < 0x2E80
