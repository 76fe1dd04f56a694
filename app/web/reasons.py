"""Why a number was called (Q9), in sentences that citizens, clerks and supervisors can all read: numbers, no names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from flask_babel import gettext

from app.queueing.rules.policy import FRONT_MIN
from app.web import times, wording

Call = Mapping[str, Any]  # as queries.why_called gives them: at, mode, why; `why` as choose_next explained it then


def init_app(app: Flask) -> None:
    """Let templates say it; shared/why.html does."""
    app.jinja_env.filters.update(why_sentence=sentence, why_rows=rows)


def sentence(call: Call, citizen: bool = False) -> str:
    """Why it was this number's turn. A citizen is not told why a clerk chose, nor whom the rule would have called."""
    why = call["why"]
    if why["rule"] == "unpark":
        return gettext("这个号暂时离开后由窗口叫回，不重新排队。")
    if why["rule"] == "chosen":
        return _chosen(why, citizen)
    said = _by_rule(call)
    return gettext("自动派给空闲最久的窗口。%(why)s", why=said) if call.get("mode") == "dispatch" else said


def _chosen(why: Mapping[str, Any], citizen: bool) -> str:
    if citizen:
        return gettext("工作人员先叫了这个号；原因已留存备查。")
    said = gettext(
        "工作人员指定叫了这个号，原因：%(reason)s。", reason=wording.word(why.get("reason"), "choice_reason")
    )
    by_rule = why.get("by_rule")
    if by_rule == why["chosen"]:
        return said + gettext("按规则本来也轮到它。")
    return said + gettext("按规则应叫 %(number)s。", number=by_rule) if by_rule else said


def _by_rule(call: Call) -> str:
    why, others = call["why"], call["why"].get("candidates") or []
    own = next((each for each in others if each["number"] == why["chosen"]), None)
    if own is None:
        return gettext("按叫号规则轮到这个号。")
    waited = times.minutes(own["waited_s"])
    if why["rule"] == "call_by":
        return gettext(
            "这个号已等候 %(waited)s，达到最长等候 %(limit)s，先于其他规则叫号。",
            waited=waited,
            limit=times.minutes(60 * why["call_by_min"]),
        )
    if why["rule"] == "ratio":
        return _by_ratio(why, own)
    if len(others) == 1:
        return _with_booking(call, own, gettext("当时这个窗口能叫的号里只有它在等候。"))
    if own["direct"]:
        return gettext("这个号是转到本窗口的，直接排到最前；已等候 %(waited)s。", waited=waited)
    if _in_front(own):
        if own["lane"] == "returning":
            return gettext("这个号补正后返回，直接排到最前；已等候 %(waited)s。", waited=waited)
        return gettext("这个号转来时排到了最前；已等候 %(waited)s。", waited=waited)
    if _by_booking(own):
        return _with_booking(call, own, gettext("各队排在最前的 %(count)s 个号里，轮到这个预约号。", count=len(others)))
    parts = extra_parts(own)
    if parts:
        return gettext(
            "各队排在最前的 %(count)s 个号里，它的排序时长最长：等候 %(waited)s，加%(parts)s，合计 %(standing)s。",
            count=len(others),
            waited=waited,
            parts=gettext("、").join(parts),
            standing=_span(own["standing_s"]),
        )
    return gettext("各队排在最前的 %(count)s 个号里，它等候最久：%(waited)s。", count=len(others), waited=waited)


def _by_ratio(why: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    said = why.get("ratio")
    if said is None:
        return gettext("普通和优先都有人等候，按比例轮到这个号。")
    return gettext(
        "普通和优先都有人等候，按 %(normal)s∶%(priority)s 的比例轮到%(lane)s；连同这一次，本窗口这一轮叫了普通 %(of_normal)s 个、优先 %(of_priority)s 个。",
        normal=said["of"][0],
        priority=said["of"][1],
        lane=wording.word(own["lane"], "lane"),
        of_normal=said["called"][0],
        of_priority=said["called"][1],
    )


def _with_booking(call: Call, own: Mapping[str, Any], said: str) -> str:
    """The sentence, and since when the number counts: its booked time, or how long it has waited."""
    if _by_booking(own):
        return said + gettext("按预约时间 %(time)s 排队。", time=_booked(call, own))
    return said + gettext("已等候 %(waited)s。", waited=times.minutes(own["waited_s"]))


def extra_parts(candidate: Mapping[str, Any]) -> list[str]:
    """What a candidate counts as having waited longer, part by part; reasons of old calls say only the sum."""
    minutes = candidate.get("minutes")
    if minutes is None:
        extra = candidate["standing_s"] - candidate["waited_s"]
        minutes = {"all": extra // 60} if extra else {}
    parts = []
    back_s = 0 if _by_booking(candidate) else candidate.get("back_s", 0)
    if back_s > 0:  # its lane and its place behind others in one
        parts = [gettext("归队位次 %(span)s", span=_span(60 * minutes.get("lane", 0) - back_s))]
        minutes = {name: value for name, value in minutes.items() if name != "lane"}
    words = {
        "lane": lambda span: gettext("%(lane)s %(span)s", lane=wording.word(candidate["lane"], "lane"), span=span),
        "window": lambda span: gettext("窗口专长 %(span)s", span=span),
        "conditions": lambda span: gettext("附加条件 %(span)s", span=span),
        "all": lambda span: gettext("提前量 %(span)s", span=span),
    }
    given = [words[name](times.minutes(60 * value)) for name, value in minutes.items() if name in words and value]
    if back_s <= -60:
        given.append(gettext("转来时提前 %(span)s", span=_span(-back_s)))
    return parts + given


def rows(call: Call) -> list[dict[str, Any]]:
    """The first of each line at that moment, in the order in which the rule saw them."""
    why = call["why"]
    return [
        {
            "number": each["number"],
            "lane": wording.word(each["lane"], "lane"),
            "waited": _waited(call, each),
            "extra": gettext("直接到最前") if _in_front(each) else gettext("、").join(extra_parts(each)) or "—",
            "standing": gettext("最前") if _in_front(each) else _span(each["standing_s"]),
            "chosen": each["number"] == why["chosen"],
            "direct": each["direct"],
        }
        for each in why.get("candidates") or []
    ]


def _waited(call: Call, candidate: Mapping[str, Any]) -> str:
    if not _by_booking(candidate):
        return times.minutes(candidate["waited_s"])
    return gettext("预约 %(time)s", time=_booked(call, candidate))


def _by_booking(candidate: Mapping[str, Any]) -> bool:
    """Whether an appointment stands where it was booked, and not where a transfer put it."""
    return candidate["lane"] == "appointment" and candidate.get("back_s", 0) >= 0


def _booked(call: Call, candidate: Mapping[str, Any]) -> str:
    """The queue time of an appointment: when it is booked for."""
    counted = candidate["waited_s"] - candidate.get("back_s", 0)
    return times.clock(datetime.fromisoformat(call["at"]) - timedelta(seconds=counted))


def _span(seconds: int) -> str:
    return f"−{times.minutes(-seconds)}" if seconds < 0 else times.minutes(seconds)


def _in_front(candidate: Mapping[str, Any]) -> bool:
    """Whether it stands before all who have not been put there too."""
    return candidate["direct"] or candidate["standing_s"] >= 60 * FRONT_MIN
