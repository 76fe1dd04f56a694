"""The zone of an item for which nobody has chosen one: by department and the words of its name."""

from __future__ import annotations

import re
from typing import NamedTuple

from app.catalog.rules.csvfile import ItemRow, TaskType

BUSINESS, PROPERTY, HEALTH, PROJECTS, SOCIETY, CONVENIENCE = "ABCDEF"

APPROVAL_BUREAU = "区行政审批局"


class ZoneRule(NamedTuple):
    """Items of `department` (any, when empty) that match `words` (any, when empty) go to `zone`.

    A department's words are looked for in heading and name; words for all departments in the name alone,
    since a heading such as 入学政策咨询及办理 covers enquiries and applications alike.
    """

    zone: str
    department: str = ""
    words: str = ""
    task_type: TaskType | None = None


ZONE_RULES = (
    # 便民服务: whatever is asked, looked up, printed or connected, whichever department owns it
    ZoneRule(
        CONVENIENCE,
        words="查询|咨询|指引|预约|信息发布|信息核查|电话|投诉|调解|招领",
        task_type=TaskType.PUBLIC_SERVICE,
    ),
    ZoneRule(
        CONVENIENCE,
        words="供水报装|供电报装|供气报装|租金缴纳|失信|信用修复",
        task_type=TaskType.PUBLIC_SERVICE,
    ),
    ZoneRule(CONVENIENCE, "区公安分局", "证明", TaskType.PUBLIC_SERVICE),
    ZoneRule(CONVENIENCE, "广安区税务局", "证明|纳税记录"),
    ZoneRule(CONVENIENCE, "区综合执法局", "摊点|招牌"),
    ZoneRule(CONVENIENCE, "区公管办"),
    # 不动产登记 and what people do about a home in the same visit
    ZoneRule(PROPERTY, "广安区税务局", "不动产|财产和行为税"),
    ZoneRule(PROPERTY, "区自然资源和规划局", "抵押备案|土地权属|分割转让"),
    ZoneRule(
        PROPERTY,
        "区住建局",
        "维修资金|商品房|房地产|物业|公有和经济适用住房|公共租赁住房|住房保障|棚户区|危房|管理规约",
    ),
    # 医疗社保
    ZoneRule(HEALTH, "区医疗保障局"),
    ZoneRule(HEALTH, "区卫健局"),
    ZoneRule(HEALTH, "区市监局", "毒性药品"),
    ZoneRule(
        HEALTH,
        "区人社局",
        "社会保障卡|保险|社保|工伤|工亡|养老|退休|待遇|参保|缴费|年金|抚恤金|补助金|医疗机构|异地就医|"
        "旧伤|住院|病残|伤残|辅助器具|权益记录|信息变更",
    ),
    ZoneRule(HEALTH, APPROVAL_BUREAU, "医师|医生|护士|医疗机构|母婴|放射|诊所|毒性药品"),
    # 投资项目审批
    ZoneRule(PROJECTS, "区经信局"),
    ZoneRule(PROJECTS, "区发改局", "投资项目"),
    ZoneRule(PROJECTS, "区政府办"),
    ZoneRule(PROJECTS, "区生态环境局"),
    ZoneRule(PROJECTS, "区水务局"),
    ZoneRule(PROJECTS, "区气象局", "雷电防护|气候可行性"),
    ZoneRule(PROJECTS, "区林业局", "林地|修建"),
    ZoneRule(PROJECTS, "区应急管理局", "建设项目|勘探坑探|地震监测"),
    ZoneRule(PROJECTS, "区综合执法局"),
    ZoneRule(SOCIETY, "区自然资源和规划局", "种子|植物|古树|伐区|草原|野生动物|采种林"),
    ZoneRule(PROJECTS, "区自然资源和规划局"),
    ZoneRule(PROJECTS, "区住建局"),
    ZoneRule(PROJECTS, "区交通运输局", "公路|岸线|港口|码头|水上拖带"),
    ZoneRule(
        PROJECTS,
        APPROVAL_BUREAU,
        "公路|道路|投资项目|施工|建设工程|建设项目|水利|河道|取水|洪水|大坝|水库|灌溉|电力设施|占道|"
        "环卫设施|生活垃圾处置的设施|设计变更|修建码头",
    ),
    # 商事登记 and the permits of a business
    ZoneRule(SOCIETY, APPROVAL_BUREAU, "民办非企业|社会团体|广播电视站|农村公益性墓地"),
    ZoneRule(BUSINESS, "广安区税务局"),
    ZoneRule(BUSINESS, "区市监局"),
    ZoneRule(BUSINESS, "区商务局"),
    ZoneRule(BUSINESS, "区烟草专卖局"),
    ZoneRule(BUSINESS, "区消防大队"),
    ZoneRule(BUSINESS, "区发改局"),
    ZoneRule(BUSINESS, "区应急管理局", "企业|生产经营单位|经营备案|危险化学品"),
    ZoneRule(BUSINESS, "区公安分局", "旅馆业特种|公章刻制|旧货业|旧手机|开锁业|废旧金属|互联网上网服务"),
    ZoneRule(BUSINESS, "区文广旅局", "经营|经纪|旅行社|娱乐场所|演员"),
    ZoneRule(BUSINESS, "区人社局", "劳务派遣|人力资源服务|不定时工作制"),
    ZoneRule(
        BUSINESS,
        APPROVAL_BUREAU,
        "企业|公司|个体工商户|合作社|股权出质|市场主体|证照遗失|增加、减少证照|食品|特种设备|计量|"
        "烟花爆竹|危险化学品|卫生许可|代理记账|人力资源服务|劳务派遣|不定时工作制|出版物|娱乐|互联网上网|"
        "演出|演出场所|广告|张挂|垃圾|高危险性体育|攀岩|游泳|电影放映|视频点播|卫星电视|兽药|农药",
    ),
    # 社会事务综合受理: all the rest
    ZoneRule(SOCIETY),
)


def zone_of(row: ItemRow) -> str:
    """The zone (a letter, A to F) that the first fitting rule of `ZONE_RULES` gives; the last fits all."""
    heading_and_name = f"{row.parent_item} {row.item_name}"
    return next(
        rule.zone
        for rule in ZONE_RULES
        if rule.department in ("", row.department)
        and rule.task_type in (None, row.task_type)
        and (not rule.words or re.search(rule.words, heading_and_name if rule.department else row.item_name))
    )
