"""The shapes of a case: as staff see it, as a line of a list, as its applicant sees it."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from app.api.items import Limit, Material
from app.api.schemas import Named, OfDepartment, Page, Shape, dated, instant, listed, maybe, said
from app.casework.rules.states import CaseState
from app.hall.rules.lights import Light

STATES = [state.value for state in CaseState]
LIGHTS = [light.value for light in Light]
EXPLAINED = "The public was told why the case is late; of one past both limits, why it is past the law's"


class CaseItem(Named, OfDepartment):
    code = said()
    time_class = said()
    regime = said()
    chief_may_decide = fields.Boolean(required=True)


class MaskedParty(Shape):
    """People are masked: 张*三, first and last character of an ID, 138****1234."""

    kind = fields.String()
    name = said()
    id_number = maybe()
    phone = maybe()


class SharedLicence(Shape):
    """An e-licence that stands for a material; its number is masked."""

    title = said()
    number = said()
    issuer = said()
    issued_on = said()
    valid_until = maybe()


class CaseMaterial(Material):
    source = said()
    state = said(metadata={"enum": ["received", "missing", "not_needed", "shared"]})
    requested = fields.Boolean(required=True)
    tolerated = fields.Boolean(
        required=True, metadata={"description": "May follow the acceptance, and has not come yet"}
    )
    wanted = fields.Boolean(required=True, metadata={"description": "The applicant is to bring it now"})
    bring_by = maybe(instant)
    problem = maybe()
    licences = listed(fields.Nested(SharedLicence), required=True)


class CaseClock(Shape):
    """`remaining` (below zero: overdrawn) and `used` in `unit`. `due_at` is null while stopped or provisional."""

    limit = fields.Nested(Limit, required=True)
    longer = fields.Integer(required=True, metadata={"description": "By how much it was extended, in units of `limit`"})
    unit = said(metadata={"enum": ["day", "minute"]})
    due_at = maybe(instant)
    remaining = fields.Integer(required=True)
    used = fields.Integer(required=True)
    light = said(metadata={"enum": LIGHTS})
    late = fields.Boolean(required=True, metadata={"description": "From the due instant on"})
    kept = fields.Boolean(
        required=True, metadata={"description": "Printed before a newer calendar would have put it off, and kept"}
    )
    provisional = fields.Boolean(required=True)
    stopped = fields.Boolean(required=True)
    running = fields.Boolean(required=True)


class Clocks(Shape):
    promised = fields.Nested(CaseClock, required=True)
    statutory = fields.Nested(CaseClock, required=True)


class Flags(Shape):
    told = fields.Boolean(required=True, metadata={"description": "The one-time notice has been given at intake"})
    tolerant = fields.Boolean(required=True)
    deemed_accepted = fields.Boolean(required=True)
    extended = fields.Boolean(required=True)
    on_commitment = fields.Boolean(required=True)


class DepartmentPart(OfDepartment):
    state = said(metadata={"enum": ["waiting", "open", "granted", "refused"]})


class DecidedPart(DepartmentPart):
    decided_at = maybe(instant)


class Review(DecidedPart):
    position = fields.Integer(required=True)
    taken_by = maybe()
    proposed_by = maybe(metadata={"description": "Who signed before the decision, separated by spaces"})
    proposal = maybe(metadata={"enum": ["granted", "refused", None]})
    note = maybe(metadata={"description": "Why it is proposed, or why the case came back"})
    signatures = fields.Integer(required=True)
    decided_by = maybe()
    asked = fields.Boolean(required=True, metadata={"description": "It has asked for papers during its review"})


class Stop(Shape):
    clocks = said(metadata={"enum": ["both", "promised"]})
    ground = said()
    days = fields.Integer(required=True)
    department = maybe(metadata={"description": "Whose stop it is; unknown of old ones"})
    from_at = instant(required=True)
    until_at = maybe(instant)


class Urge(OfDepartment):
    """A supervisor's urging and its answer, null while it is awaited."""

    urged_by = said()
    urged_at = instant(required=True)
    note = said()
    answer_due_at = maybe(instant)
    answered_by = maybe()
    answered_at = maybe(instant)
    answer = maybe()


class Overdue(Shape):
    """Why a case is late, as the public is told."""

    reason = said()
    clock = said(metadata={"enum": ["promised", "statutory"]})
    estimate_on = dated(allow_none=True)
    told_at = instant(required=True)


class NoRequest(Shape):
    kind = said()
    reason = said()
    by = said()
    answer = maybe()


class Result(Named):
    kind = said()
    shelf = fields.String(allow_none=True)


class Delivery(Shape):
    """How the result went to the applicant. What went by courier is signed for when its slip is back."""

    how = said(metadata={"description": "window, courier, or on the spot"})
    carrier = maybe()
    zone = maybe()
    fee_fen = maybe(fields.Integer)
    dispatched_at = maybe(instant)
    signed = fields.Boolean(required=True)
    signed_at = maybe(instant)


class StaffDelivery(Delivery):
    tracking_number = maybe()


class AfterCheck(Shape):
    """The check of a decision on commitment; empty until it is made."""

    outcome = maybe(metadata={"enum": ["kept", "broken", None]})
    at = maybe(instant)
    note = maybe()


class HistoryLine(Shape):
    seq = fields.Integer(required=True)
    kind = said()
    at = instant(required=True)
    actor = said()
    body = fields.Dict(keys=fields.String(), required=True)


class NoticeLine(Shape):
    """An issued paper; `pdf` is where it can be had."""

    id = said()
    kind = said()
    number = said()
    title_zh = said()
    title_en = said()
    language = said()
    issued_at = instant(required=True)
    issued_by = said()
    pdf = said()


class Stepwise(Shape):
    """What staff see of all that goes by steps; `steps` is what the state allows, who may take it is another matter."""

    history = fields.List(fields.Nested(HistoryLine), required=True)
    notices = fields.List(fields.Nested(NoticeLine), required=True)
    steps = fields.List(fields.String(), required=True)


class Codes(Shape):
    """What the receipt prints, for the applicant to ask and collect with. It is not shown again here."""

    query_code = said()
    query_token = said()
    pickup_code = said()


class CaseDates(Shape):
    number = said()
    hall = said()
    item = fields.Nested(CaseItem, required=True)
    state = said(metadata={"enum": STATES})
    received_at = maybe(instant)
    accepted_at = maybe(instant)
    decided_at = maybe(instant)
    ready_at = maybe(instant)
    delivered_at = maybe(instant)


class Conversion(Shape):
    """An instant case that goes on with a promised limit, and why."""

    limit = fields.Nested(Limit, required=True)
    reason = said()


class StaffCase(CaseDates, Stepwise):
    """A case as staff see it."""

    acceptance_number = maybe()
    applicant = fields.Nested(MaskedParty, required=True)
    agent = fields.Nested(MaskedParty, required=True, allow_none=True)
    materials = fields.List(fields.Nested(CaseMaterial), required=True)
    light = said(metadata={"enum": LIGHTS})
    flags = fields.Nested(Flags, required=True)
    clocks = fields.Nested(Clocks, required=True)
    notice_due_at = maybe(instant)
    gap_due_at = maybe(instant)
    supplement_due_at = maybe(instant)
    routing = said()
    departments = fields.List(fields.Nested(Review), required=True)
    stops = fields.List(fields.Nested(Stop), required=True)
    commitment = maybe(metadata={"description": "What the applicant promised for a gap, or in place of evidence"})
    extension = maybe(metadata={"description": "Why the case was extended"})
    conversion = fields.Nested(Conversion, required=True, allow_none=True)
    backdated = maybe(metadata={"description": "Why the receipt was moved back"})
    overdue = fields.Nested(Overdue, required=True, allow_none=True)
    explained = fields.Boolean(required=True, metadata={"description": EXPLAINED})
    urges = fields.List(fields.Nested(Urge), required=True, metadata={"description": "The newest first"})
    no_request = fields.Nested(NoRequest, required=True, allow_none=True)
    outcome = maybe()
    result = fields.Nested(Result, required=True)
    window = maybe()
    window_name = maybe()
    window_name_en = maybe()
    forwarded_to = maybe()
    handled_in = said(metadata={"description": "The hall where its papers or its results lie now"})
    returned_at = maybe(instant)
    delivered_how = maybe()
    delivery = fields.Nested(StaffDelivery, required=True, allow_none=True)
    check = fields.Nested(AfterCheck, required=True, allow_none=True)
    ended = maybe(metadata={"description": "Why the case was voided or its decision revoked"})
    printed_due_at = maybe(instant)


class ReceivedCase(StaffCase, Codes):
    """The case just received."""


class CaseLine(CaseDates):
    applicant = said(metadata={"description": "Masked"})
    light = said(metadata={"enum": LIGHTS})
    promised = fields.Nested(CaseClock, required=True)
    statutory = fields.Nested(CaseClock, required=True)
    departments = fields.List(fields.Nested(DecidedPart), required=True)
    shelf = maybe()
    no_request = fields.Boolean(required=True)
    urged = fields.Boolean(required=True, metadata={"description": "A supervisor waits for an answer"})
    explained = fields.Boolean(required=True, metadata={"description": EXPLAINED})
    ended_at = maybe(instant)


class CasePage(Page):
    items = fields.List(fields.Nested(CaseLine), required=True)
    total = fields.Integer(required=True, metadata={"description": "Counted to 1000"})
    more = fields.Boolean(required=True, metadata={"description": "There are more than were counted"})


class ToBring(Named):
    problem = maybe()
    form = said()
    copies = fields.Integer(required=True)


class CaseToBring(ToBring):
    """A material of one case: until when it is to be brought; `tolerated` where the acceptance did not wait for it."""

    tolerated = fields.Boolean(required=True)
    bring_by = maybe(instant)


class PublicCase(CaseDates):
    """What the applicant sees. No personal data. `bring_by` is the first of the days of what is to be brought."""

    acceptance_number = maybe()
    handled_in = said(metadata={"description": "The hall where its papers or its results lie now"})
    under_way_to = maybe(metadata={"description": "The hall to which they travel at this moment"})
    outcome = maybe()
    overdue = fields.Nested(Overdue, required=True, allow_none=True)
    promised = fields.Nested(CaseClock, required=True)
    statutory = fields.Nested(CaseClock, required=True)
    to_bring = fields.List(fields.Nested(CaseToBring), required=True)
    bring_by = maybe(instant)
    departments = fields.List(fields.Nested(DepartmentPart), required=True)
    result = fields.Nested(Result, required=True)
    delivery = fields.Nested(Delivery, required=True, allow_none=True)
    flags = fields.Nested(Flags, required=True)


class LedgerLine(Shape):
    """One local day of a limit; `counted`, `total` and `limit` in days, or minutes for limits in hours."""

    date = dated()
    weekday = fields.Integer(required=True, metadata={"description": "1 Monday … 7 Sunday"})
    working = maybe(fields.Boolean)
    why = said(metadata={"enum": ["workday", "weekend", "holiday", "makeup", "closure", "session", "unknown"]})
    why_name = said()
    why_name_en = said()
    counted = fields.Integer(required=True)
    total = fields.Integer(required=True)
    limit = fields.Integer(required=True)
    paused = fields.Boolean(required=True)
    exception = said()
    start = fields.Boolean(required=True)
    due = fields.Boolean(required=True)


class Ledgers(Shape):
    promised = fields.List(fields.Nested(LedgerLine), required=True)
    statutory = fields.List(fields.Nested(LedgerLine), required=True)


def shown(view: dict[str, Any]) -> dict[str, Any]:
    """The staff view with its notices by their public ids."""
    return view | {"notices": [notice_line(notice) for notice in view["notices"]]}


def notice_line(notice: dict[str, Any]) -> dict[str, Any]:
    """A notice by its public id, with the place of its paper."""
    public_id = f"{notice['hall']}-{notice['id']}"
    return notice | {"id": public_id, "pdf": f"/api/v1/notices/{public_id}.pdf"}
