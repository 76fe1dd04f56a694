"""The parts of system administration, and the blueprint that their pages belong to."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, url_for
from flask_babel import lazy_gettext

from app.people.permissions import Permission
from app.web.desk import staff_with

pages = Blueprint("admin", __name__, url_prefix="/admin")

_ = lazy_gettext
P = Permission
AREAS = (P.STAFF_MANAGE, P.WINDOW_MANAGE, P.DEVICE_MANAGE, P.CALENDAR_MANAGE, P.CATALOG_MANAGE)

# permission → endpoint, icon, name, what one does there
PARTS: tuple[tuple[Permission, str, str, Any, Any], ...] = (
    (P.STAFF_MANAGE, "admin.staff", "users", _("人员"), _("账号、角色、所在大厅和部门")),
    (P.WINDOW_MANAGE, "admin.windows", "layout-grid", _("窗口与队列"), _("哪个窗口办哪些队列，停止和恢复取号")),
    (
        P.WINDOW_MANAGE,
        "admin.calling",
        "adjustments",
        _("叫号规则"),
        _("谁先叫：提前、比例、最长等候、附加条件；先看影响再改"),
    ),
    (P.WINDOW_MANAGE, "admin.appointments", "calendar-event", _("预约规则"), _("时段和名额、报到时间、每人限额、爽约")),
    (P.DEVICE_MANAGE, "admin.devices", "device-tv", _("设备"), _("取号机、显示屏、打印机的登记与配对")),
    (P.CALENDAR_MANAGE, "admin.calendar", "calendar", _("日历"), _("节假日调休、临时闭厅、时限试算")),
    (P.CATALOG_MANAGE, "admin.catalog", "book-2", _("事项目录"), _("查看事项和办事指南")),
)


@pages.app_template_global()
def admin_parts() -> list[dict[str, Any]]:
    """The parts of administration that are the viewer's, with the one that is open."""
    actor = staff_with(*AREAS)
    here = request.endpoint or ""
    return [
        {"href": url_for(endpoint), "icon": icon, "name": name, "about": about, "here": here.startswith(endpoint)}
        for permission, endpoint, icon, name, about in PARTS
        if actor.may(permission)
    ]
