"""The rules of calling in plain words: each rule a sentence, each figure with its name and unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext, lazy_gettext

from app.queueing.calling_rules import CallingRules
from app.queueing.rules.policy import BOUNDS, CALL_BY_MIN, MOST_MIN, MOST_SHARE, Condition, Policy
from app.queueing.rules.states import Lane
from app.web import times, wording

_ = lazy_gettext

MINUTES, SECONDS, TIMES, PLACES = _("分钟"), _("秒"), _("次"), _("位")

# figure → its name, its unit, what it does; in the order of the form
FIGURES: dict[str, tuple[Any, Any, Any]] = {
    "recalls": (_("最多重呼"), TIMES, _("重呼用完仍不到，才能按过号处理")),
    "recall_gap_s": (_("重呼间隔"), SECONDS, _("两次重呼之间至少隔这么久")),
    "restore_within_min": (_("过号可恢复"), MINUTES, _("过号后这段时间内可以恢复排队")),
    "restore_behind": (_("恢复后排在"), PLACES, _("排在接下来的几位之后")),
    "rejoin_within_min": (_("暂离可归队"), MINUTES, _("自己暂离的人，这段时间内回来仍算原来的号")),
    "park_remind_min": (_("挂起提醒"), MINUTES, _("挂起的号到时提醒窗口")),
    "transfer_cap": (_("最多转移"), TIMES, _("一个号最多转移几次")),
    "rest_s": (_("派单前休息"), SECONDS, _("办完一件，至少歇这么久才自动派下一位")),
    "quick_s": (_("过快结束"), SECONDS, _("叫号后这么快就结束且没有办理的，列入督查")),
    "service_level_min": (_("及时等候"), MINUTES, _("等候不超过这么久算及时")),
}
CALLING = ("recalls", "recall_gap_s", "restore_within_min", "restore_behind", "rejoin_within_min", "park_remind_min")
WORKING = ("transfer_cap", "rest_s", "quick_s", "service_level_min")


def in_words(rules: CallingRules, queues: Mapping[str, str]) -> list[str]:
    """The rules in the order in which they decide; `queues` names queues."""
    policy = rules.policy
    return [
        *_first(policy),
        *_lanes(policy),
        *_weights(rules, queues),
        *(condition(each, queues) for each in policy.conditions),
        *_conditions_end(policy),
        gettext("补正返回的号和转到本窗口的号直接排到最前。"),
        _bound(rules),
        *_afterwards(policy),
    ]


def _first(policy: Policy) -> list[str]:
    said = []
    if policy.call_by_min is not None:
        limit = times.minutes(60 * policy.call_by_min)
        said.append(gettext("等候满 %(limit)s的人先于其他一切规则，先到的先叫。", limit=limit))
    if policy.ratio:
        normal, priority = policy.ratio
        said.append(
            gettext(
                "普通和优先都有人等时，每叫 %(n)s 个普通号叫 %(m)s 个优先号，多叫不超过一个。", n=normal, m=priority
            )
        )
    return said


def _lanes(policy: Policy) -> list[str]:
    early, booked = policy.head_start_min[Lane.PRIORITY], policy.head_start_min[Lane.APPOINTMENT]
    return [
        gettext("普通号按取号时间先后叫，一样早先叫先取的号。"),
        gettext("优先号按早到 %(span)s计。", span=times.minutes(60 * early))
        if early
        else gettext("优先号与普通号一样，按取号时间先后叫。"),
        gettext("预约号从预约时间起算，再按早到 %(span)s计。", span=times.minutes(60 * booked))
        if booked
        else gettext("预约号从预约时间起算，来得再早也不提前。"),
    ]


def _weights(rules: CallingRules, queues: Mapping[str, str]) -> list[str]:
    said = []
    for queue in sorted({queue for own in rules.weights.values() for queue in own}):
        at = {window: own[queue] for window, own in rules.weights.items() if own.get(queue)}
        for minutes in sorted(set(at.values()), reverse=True):
            windows = gettext("、").join(window for window in sorted(at) if at[window] == minutes)
            span, name = times.minutes(60 * minutes), queues.get(queue, queue)
            said.append(gettext("%(queue)s在 %(windows)s 多 %(span)s", queue=name, windows=windows, span=span))
    if not said:
        return []
    return [gettext("在专长窗口按多等了这么久计：%(windows)s。", windows=gettext("；").join(said))]


def condition(when: Condition, queues: Mapping[str, str]) -> str:
    """WHEN … THEN … as one sentence."""
    who = [
        queues.get(when.queue, when.queue) if when.queue else "",
        wording.word(when.lane, "lane") if when.lane else "",
    ]
    asked = [
        gettext("在窗口 %(window)s", window=when.window) if when.window else "",
        gettext("本队等候超过 %(count)s 人", count=when.waiting_over) if when.waiting_over is not None else "",
        gettext("已等候超过 %(span)s", span=times.minutes(60 * when.waited_over_min))
        if when.waited_over_min is not None
        else "",
        _hours(when),
    ]
    when_said = gettext("，并且").join(each for each in asked if each)
    return gettext(
        "当%(when)s，%(who)s按再多等 %(span)s计。",
        when=when_said or gettext("任何时候"),
        who=" · ".join(each for each in who if each) or gettext("所有人"),
        span=times.minutes(60 * when.minutes),
    )


def _hours(when: Condition) -> str:
    if when.since and when.until:
        return gettext("%(since)s 至 %(until)s", since=f"{when.since:%H:%M}", until=f"{when.until:%H:%M}")
    if when.since:
        return gettext("%(since)s 以后", since=f"{when.since:%H:%M}")
    return gettext("%(until)s 以前", until=f"{when.until:%H:%M}") if when.until else ""


def _conditions_end(policy: Policy) -> list[str]:
    if sum(each.minutes for each in policy.conditions) <= MOST_MIN:
        return []
    return [gettext("几个条件同时成立时相加，最多 %(span)s。", span=times.minutes(60 * MOST_MIN))]


def _bound(rules: CallingRules) -> str:
    span = times.minutes(60 * rules.furthest_min)
    if not rules.furthest_min:
        return gettext("所以除了直接排到最前的号，谁都不会被晚到的人超过。")
    if rules.policy.ratio:
        return gettext("所以除了比例和直接排到最前的号，谁都不会被晚到超过 %(span)s的人超过。", span=span)
    return gettext("所以除了直接排到最前的号，谁都不会被晚到超过 %(span)s的人超过。", span=span)


def _afterwards(policy: Policy) -> list[str]:
    said = [
        gettext(
            "叫号后最多重呼 %(count)s 次，每次至少隔 %(gap)s 秒；过号 %(span)s内可恢复，排在接下来 %(behind)s 位之后。",
            count=policy.recalls,
            gap=policy.recall_gap_s,
            span=times.minutes(60 * policy.restore_within_min),
            behind=policy.restore_behind,
        )
    ]
    if policy.dispatch:
        said.append(gettext("自动派单：空闲最久的窗口歇满 %(rest)s 秒，就派给下一位。", rest=policy.rest_s))
    return said


def differences(before: CallingRules, after: CallingRules, queues: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """What a proposal changes: (name, how it is, how it would be)."""
    old, new = before.policy, after.policy
    said: list[tuple[Any, str, str]] = [
        (name, *(times.minutes(60 * each.head_start_min[lane]) for each in (old, new)))
        for lane, name in ((Lane.PRIORITY, gettext("优先号早到")), (Lane.APPOINTMENT, gettext("预约号早到")))
        if old.head_start_min[lane] != new.head_start_min[lane]
    ]
    if old.ratio != new.ratio:
        said.append((gettext("比例"), *(_ratio(each) for each in (old, new))))
    if old.call_by_min != new.call_by_min:
        said.append((gettext("最长等候"), *(_limit(each.call_by_min) for each in (old, new))))
    if old.conditions != new.conditions:
        lists: Sequence[str] = [
            " ".join(condition(when, queues) for when in each.conditions) or gettext("不设") for each in (old, new)
        ]
        said.append((gettext("附加条件"), *lists))
    for window, own in after.weights.items():
        for queue, minutes in own.items():
            was = before.weights[window][queue]
            if was != minutes:
                name = gettext("窗口 %(window)s · %(queue)s", window=window, queue=queues.get(queue, queue))
                said.append((name, *(times.minutes(60 * each) for each in (was, minutes))))
    if old.dispatch != new.dispatch:
        said.append(
            (gettext("自动派单"), *(gettext("已开启") if each.dispatch else gettext("未开启") for each in (old, new)))
        )
    for name in FIGURES:
        if getattr(old, name) != getattr(new, name):
            label, unit, _about = FIGURES[name]
            said.append((label, *(f"{getattr(each, name)} {unit}" for each in (old, new))))
    return [(str(name), was, is_) for name, was, is_ in said]


def _ratio(policy: Policy) -> str:
    return f"{policy.ratio[0]}∶{policy.ratio[1]}" if policy.ratio else gettext("不设")


def _limit(minutes: int | None) -> str:
    return gettext("不设") if minutes is None else times.minutes(60 * minutes)


def wrong(field: str) -> str:
    """What is wrong with a field that read_policy named, and what it may be."""
    head, *rest = field.split(".")
    if head == "head_start_min":
        return gettext("提前分钟数应为 0–%(most)s 的整数", most=MOST_MIN)
    if head == "ratio":
        return gettext("比例的两个数都应为 1–%(most)s 的整数，或者都不填", most=MOST_SHARE)
    if head == "call_by_min":
        return gettext("最长等候应为 %(least)s–%(most)s 分钟，或者不填", least=CALL_BY_MIN[0], most=CALL_BY_MIN[1])
    if head == "conditions":
        return _wrong_condition(rest)
    if head in FIGURES:
        label, unit, _about = FIGURES[head]
        least, most = BOUNDS[head]
        return gettext("%(name)s应为 %(least)s–%(most)s %(unit)s", name=label, least=least, most=most, unit=unit)
    return gettext("填写有误：%(field)s", field=field)


def _wrong_condition(rest: Sequence[str]) -> str:
    if len(rest) < 2:
        return gettext("附加条件太多")
    number, part = int(rest[0]) + 1, rest[1]
    about = {
        "minutes": gettext("“按再多等”应为 1–%(most)s 分钟", most=MOST_MIN),
        "waiting_over": gettext("等候人数应为 0–1000"),
        "waited_over_min": gettext("已等候应为 0–480 分钟"),
        "since": gettext("时间写作 09:00"),
        "until": gettext("结束时间写作 09:00，并晚于开始时间"),
    }
    fault = about.get(part, gettext("请重新选择"))
    return gettext("第 %(number)s 个条件：%(fault)s", number=number, fault=fault)
