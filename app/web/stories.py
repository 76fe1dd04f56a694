"""How the histories of one-thing cases, manifests and agency orders read: what was done, by whom, with which paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext, lazy_gettext

from app.web import times, wording
from app.web.case_history import actor_names, lengthened, paper_title

_ = lazy_gettext

# kind of event → (what happened, tone of its dot)
TITLES: dict[str, tuple[Any, str]] = {
    "joint.received": (_("收件"), "accent"),
    "joint.supplement_requested": (_("合并一次性告知"), "warn"),
    "joint.supplemented": (_("收到材料"), "accent"),
    "joint.accepted": (_("已一次受理"), "accent"),
    "joint.began": (_("后续环节开始"), "accent"),
    "joint.extended": (_("延长期限"), "warn"),
    "joint.decided": (_("全部办结"), "good"),
    "joint.ready": (_("结果到出件窗口"), "good"),
    "joint.handed_over": (_("领取"), "good"),
    "joint.delivered": (_("送达"), "good"),
    "joint.withdrawn": (_("撤回"), "bad"),
    "agency.ordered": (_("委托"), "accent"),
    "agency.accepted": (_("受理"), "accent"),
    "agency.started": (_("材料交齐，开始计时"), "accent"),
    "agency.interrupted": (_("中止，停钟"), "warn"),
    "agency.resumed": (_("续办，恢复计时"), "accent"),
    "agency.completed": (_("办结"), "good"),
    "agency.called_back": (_("回访"), "good"),
    "agency.cancelled": (_("终止"), "bad"),
    "notice.issued": (_("出具文书"), ""),
    "field.revealed": (_("查看完整信息"), ""),
}


def tell(view: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The history of a view, newest first: a line each step, its papers under it."""
    names = actor_names(view["history"])
    papers = {paper["id"]: paper for paper in view["notices"]}
    entries: list[dict[str, Any]] = []
    for row in view["history"]:
        title, tone = TITLES.get(row["kind"], (row["kind"], ""))
        line = {"title": str(title), "note": _note(row["kind"], row["body"], papers, view)}
        if row["kind"] == "notice.issued" and entries and entries[-1]["at"] == row["at"]:
            entries[-1]["more"].append(line)
            continue
        who = names.get(row["actor"], "")
        entries.append({**line, "tone": tone, "at": row["at"], "actor": row["actor"], "who": who, "more": []})
    return entries[::-1]


def _note(kind: str, body: Mapping[str, Any], papers: Mapping[int, Any], view: Mapping[str, Any]) -> str:
    if kind == "notice.issued":
        paper = papers.get(body["notice"])
        return f"{paper_title(paper)} {paper['number']}" if paper else ""
    if kind in ("joint.began", "joint.ready", "joint.handed_over"):
        return gettext("、").join(_parts(body["cases"], view))
    if kind in ("joint.supplement_requested", "joint.supplemented"):
        names = {material["code"]: wording.named(material) for material in view["materials"]}
        return gettext("、").join(names.get(code, code) for code in body["materials"])
    if kind == "joint.extended":
        return lengthened(times.span(int(body["amount"]), str(body["unit"])), body["clock"])
    if kind == "joint.decided":
        return gettext("%(parts)s 项中准予 %(granted)s 项", parts=body["parts"], granted=body["granted"])
    if kind == "agency.called_back":
        return gettext("满意") if body["satisfied"] else gettext("不满意")
    if kind in ("agency.started", "agency.resumed") and body["due_at"]:
        return gettext("%(when)s 到期", when=times.stamp(body["due_at"]))
    if kind == "agency.completed":
        return str(body["case"] or "")
    if kind == "field.revealed":
        paper, why = papers.get(body.get("notice")), wording.word(body["reason"], "reveal")
        return f"{paper_title(paper)} · {why}" if paper else why
    return ""


def _parts(numbers: Sequence[str], view: Mapping[str, Any]) -> list[str]:
    names = {child["number"]: wording.named(child) for child in view["children"]}
    return [names.get(number, number) for number in numbers]
