"""What may be done, and which role may do it: one table."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """`noun:verb`, sorted. A route names one; an action checks the object."""

    AGENCY_HANDLE = "agency:handle"  # run errands for those who cannot come
    CALENDAR_MANAGE = "calendar:manage"
    CASE_ACCEPT = "case:accept"
    CASE_ANSWER = "case:answer"  # answer a window's no-request
    CASE_DECIDE = "case:decide"
    CASE_EXTEND = "case:extend"  # of rank: the organ's head may lengthen the limit
    CASE_EXTEND_JOINT = "case:extend-joint"  # the same for joint cases: the government's head
    CASE_HAND_OVER = "case:hand-over"
    CASE_OVERRIDE = "case:override"  # a second notice, another receipt date, urging, voiding
    CASE_READ = "case:read"
    CASE_REVEAL = "case:reveal"
    CATALOG_MANAGE = "catalog:manage"
    DEVICE_MANAGE = "device:manage"
    EVENTS_READ = "events:read"
    HALL_WATCH = "hall:watch"
    SCREEN_READ = "screen:read"
    STAFF_MANAGE = "staff:manage"
    TICKET_CALL = "ticket:call"
    TICKET_CALL_ANY = "ticket:call-any"
    TICKET_ISSUE = "ticket:issue"
    TICKET_LEASE = "ticket:lease"  # of kiosks: numbers for when they are cut off
    WINDOW_MANAGE = "window:manage"
    WINDOW_OPEN = "window:open"


P = Permission

# role → (中文, English, permissions)
ROLES: dict[str, tuple[str, str, frozenset[Permission]]] = {
    "guide": ("导办员", "Guide", frozenset({P.AGENCY_HANDLE, P.TICKET_ISSUE, P.SCREEN_READ})),
    "clerk": (
        "窗口受理员",
        "Window clerk",
        frozenset(
            {
                P.AGENCY_HANDLE,
                P.WINDOW_OPEN,
                P.TICKET_CALL,
                P.CASE_ACCEPT,
                P.CASE_READ,
                P.CASE_REVEAL,
                P.SCREEN_READ,
            }
        ),
    ),
    "lead": ("窗口组长", "Lead clerk", frozenset({P.WINDOW_OPEN, P.TICKET_CALL, P.TICKET_CALL_ANY})),
    "approver": ("审批员", "Approver", frozenset({P.CASE_DECIDE, P.CASE_READ, P.CASE_REVEAL})),
    "head": ("部门负责人", "Head of department", frozenset({P.CASE_EXTEND, P.CASE_READ})),
    "chief": (
        "首席代表",
        "Chief representative",
        frozenset(
            {
                P.CASE_ANSWER,
                P.CASE_DECIDE,
                P.CASE_EXTEND,
                P.CASE_EXTEND_JOINT,
                P.CASE_READ,
                P.CASE_REVEAL,
                P.HALL_WATCH,
            }
        ),
    ),
    "pickup": (
        "出件员",
        "Pickup clerk",
        frozenset({P.WINDOW_OPEN, P.TICKET_CALL, P.CASE_HAND_OVER, P.CASE_READ, P.CASE_REVEAL, P.SCREEN_READ}),
    ),
    "supervisor": (
        "督办员",
        "Supervisor",
        frozenset({P.HALL_WATCH, P.CASE_READ, P.CASE_OVERRIDE, P.EVENTS_READ, P.SCREEN_READ, P.WINDOW_MANAGE}),
    ),
    "admin": (
        "系统管理员",
        "Administrator",
        frozenset(
            {
                P.CALENDAR_MANAGE,
                P.CATALOG_MANAGE,
                P.DEVICE_MANAGE,
                P.EVENTS_READ,
                P.HALL_WATCH,
                P.SCREEN_READ,
                P.STAFF_MANAGE,
                P.TICKET_ISSUE,
                P.WINDOW_MANAGE,
            }
        ),
    ),
}

DEVICES: dict[str, frozenset[Permission]] = {
    "kiosk": frozenset({P.TICKET_ISSUE, P.TICKET_LEASE}),
    "screen": frozenset({P.SCREEN_READ, P.EVENTS_READ}),
    "printer": frozenset({P.EVENTS_READ}),
}


def permissions_of(roles: list[str] | tuple[str, ...]) -> frozenset[str]:
    """All that the roles together allow; an unknown role allows nothing."""
    return frozenset().union(*(ROLES[role][2] for role in roles if role in ROLES))
