"""Administration of people: accounts, roles, hall, department; a change ends the person's sessions."""

from __future__ import annotations

import re
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from app.catalog.queries import departments
from app.db import db
from app.errors import Refusal
from app.hall.queries import halls
from app.now import now
from app.people.gate import requires
from app.people.models import Staff
from app.people.permissions import ROLES, Permission, permissions_of
from app.people.staff import MIN_PASSWORD, add_staff, change_staff
from app.web import wording
from app.web.admin_parts import pages
from app.web.desk import sentence
from app.web.forms import new_key, once
from app.words import clean

USERNAME = re.compile(r"[a-z][a-z0-9._-]{1,39}")


def role_names() -> list[tuple[str, str]]:
    return [(role, names[1 if wording.english() else 0]) for role, names in ROLES.items()]


@pages.get("/staff")
@requires(Permission.STAFF_MANAGE)
def staff() -> str:
    """Everybody, those who have left last."""
    role, wish = request.args.get("role", ""), request.args.get("q", "").strip()[:40]
    rows = db.session.execute(select(Staff).order_by(Staff.active.desc(), Staff.username)).scalars().all()
    shown = [
        row
        for row in rows
        if (not role or role in row.roles) and (not wish or wish.lower() in row.username or wish in row.name)
    ]
    return render_template(
        "admin/staff.html",
        rows=shown,
        total=len(rows),
        roles=dict(role_names()),
        role=role,
        q=wish,
        halls={hall["code"]: hall for hall in halls()},
        offices={office["name"]: office for office in departments()},
    )


def _form(row: Staff | None, form: Any, error: str = "") -> str:
    return render_template(
        "admin/person.html",
        person=row,
        form=form,
        error=error,
        key=new_key(),
        roles=role_names(),
        halls=halls(),
        departments=departments(),
        shortest=MIN_PASSWORD,
        myself=row is not None and row.id == g.actor.id,
    )


@pages.get("/staff/new")
@requires(Permission.STAFF_MANAGE)
def staff_new() -> str:
    return _form(None, MultiDict({"active": "1"}))


@pages.post("/staff")
@requires(Permission.STAFF_MANAGE)
def staff_add() -> tuple[str, int] | AnyResponse:
    """A new account."""
    form = request.form
    try:
        username = form.get("username", "").strip().lower()
        if not USERNAME.fullmatch(username):
            raise Refusal("request.invalid", detail=gettext("账号须为 2–40 个小写字母、数字、点或横线，以字母开头"))
        name = clean(form.get("name", ""), gettext("姓名"))
        with once(g.actor):
            add_staff(actor=g.actor, at=now(), username=username, name=name, password=_password(), **_rights())
    except Refusal as refusal:
        return _form(None, form, sentence(refusal)), refusal.status
    flash(gettext("已添加 %(username)s", username=username), "ok")
    return redirect(url_for("admin.staff"), code=303)


@pages.get("/staff/<username>")
@requires(Permission.STAFF_MANAGE)
def staff_edit(username: str) -> str:
    row = _person(username)
    given = MultiDict({"home": row.hall or "", "department": row.department or "", "active": "1" if row.active else ""})
    given.setlist("role", row.roles)
    return _form(row, given)


@pages.post("/staff/<username>")
@requires(Permission.STAFF_MANAGE)
def staff_change(username: str) -> tuple[str, int] | AnyResponse:
    """Change roles, hall, department, password, or let the account rest. All its sessions end."""
    row, form = _person(username), request.form
    active = form.get("active") == "1"
    try:
        rights = _rights()
        keeps = active and Permission.STAFF_MANAGE in permissions_of(rights["roles"])
        if row.id == g.actor.id and not keeps:  # else nobody might be left who can undo it
            raise Refusal("request.invalid", detail=gettext("不能停用自己，也不能取消自己的系统管理员角色"))
        with once(g.actor):
            change_staff(
                actor=g.actor, at=now(), username=username, active=active, password=_password() or None, **rights
            )
    except Refusal as refusal:
        db.session.rollback()
        return _form(_person(username), form, sentence(refusal)), refusal.status
    flash(gettext("已保存 %(username)s，其所有登录已退出", username=username), "ok")
    return redirect(url_for("admin.staff"), code=303)


def _person(username: str) -> Staff:
    row = db.session.execute(select(Staff).where(Staff.username == username)).scalar_one_or_none()
    if row is None:
        raise Refusal("staff.unknown")
    return row


def _password() -> str:
    return request.form.get("password", "")[:200]


def _rights() -> dict[str, Any]:
    """Roles, hall and department of the form. Refuses hall.unknown, request.invalid."""
    form = request.form
    roles = list(dict.fromkeys(form.getlist("role")))
    if not roles:
        raise Refusal("request.invalid", detail=gettext("请至少选择一个角色"))
    home, department = form.get("home") or None, form.get("department") or None
    if home and home not in {hall["code"] for hall in halls()}:
        raise Refusal("hall.unknown")
    if department and department not in {row["name"] for row in departments()}:
        raise Refusal("request.invalid", detail=gettext("没有这个部门"))
    if "approver" in roles and not department:
        raise Refusal("request.invalid", detail=gettext("审批员须有部门"))
    return {"roles": roles, "home": home, "department": department}
