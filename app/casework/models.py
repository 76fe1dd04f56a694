"""Tables of casework. What people told us is sealed; what the law computes with is plain and indexed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, and_, false, or_, select
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, Session, mapped_column, object_session

from app.casework.rules.alarms import Alarm
from app.casework.rules.ladder import Level, Rung
from app.casework.rules.materials import MaterialState
from app.casework.rules.states import DECIDING, OPEN_TABS, CaseState
from app.db import among, db, only_where
from app.hall.rules.lights import Light

_SENT = "dispatched_at IS NOT NULL AND signed_at IS NULL"
_RISEN = "forwarded_to IS NOT NULL"
LATE_OPEN = f"tab IN ({', '.join(repr(tab) for tab in OPEN_TABS)}) AND light IN ('yellow', 'red')"
_LATE_RISEN = f"{_RISEN} AND {LATE_OPEN}"
NOT_RED_YET = f"tab IN ({', '.join(repr(tab) for tab in OPEN_TABS)}) AND light <> 'red'"
UNEXPLAINED = (  # late, open or decided, and nobody said why: what was said of the promise says nothing of the law
    "light IN ('yellow', 'red') AND state NOT IN ('deemed_withdrawn', 'withdrawn') "
    "AND (overdue_told_at IS NULL OR (light = 'red' AND overdue_told_at < statutory_due_at))"
)
_NOT_RED_RISEN, _UNEXPLAINED_RISEN = f"{_RISEN} AND {NOT_RED_YET}", f"{_RISEN} AND {UNEXPLAINED}"
TO_COLLECT = "tab = 'pickup'"
# both clocks run, also of what was granted on the spot until it is there
RUNNING = f"({among('state', DECIDING)} OR (state = 'granted' AND took IS NULL))"
_LATE_PART = f"state = 'open' AND {LATE_OPEN}"


class CaseSerial(db.Model):
    """The last serial of one kind of number on one local day; moved in the case's own transaction."""

    __tablename__ = "case_serials"

    hall: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    serial: Mapped[int]


class KeptGuide(db.Model):
    """A guide as it stood when a case was received, named by its own digest and shared by all cases that have it."""

    __tablename__ = "kept_guides"

    digest: Mapped[str] = mapped_column(primary_key=True)
    guide: Mapped[dict[str, Any]]


_guides: dict[str, dict[str, Any]] = {}  # a digest names its content, so that one cache serves every database
_MOST_GUIDES = 4096


def kept_guide(of: Any, digest: str) -> dict[str, Any]:
    """The guide kept under this digest, for a loaded row `of` a case; nobody may change it."""
    if digest not in _guides:
        if len(_guides) >= _MOST_GUIDES:
            _guides.clear()
        _guides[digest] = object_session(of).get_one(KeptGuide, digest).guide  # type: ignore[union-attr]  # it is loaded
    return _guides[digest]


def read_guides(session: Session, digests: set[str]) -> None:
    """Read those of these guides that were not read yet, in one statement; for whoever works on many cases."""
    missing = digests - _guides.keys()
    if missing:
        for row in session.execute(select(KeptGuide).where(KeptGuide.digest.in_(missing))).scalars():
            kept_guide(row, row.digest)


class Application:
    """What every application has, be it for one item or for a one-thing case 一件事; not a table of its own."""

    hall: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[str]
    guide_digest: Mapped[str] = mapped_column(ForeignKey("kept_guides.digest"))
    state: Mapped[str]
    order_at: Mapped[datetime]  # the first due instant, or the end of time without one
    applicant_kind: Mapped[str]
    applicant_key: Mapped[str | None]
    applicant_sealed: Mapped[str]
    agent_sealed: Mapped[str | None]
    delivery_sealed: Mapped[str | None]
    ticket_id: Mapped[int | None]
    window: Mapped[str | None]
    received_by: Mapped[int]
    accepted_by: Mapped[int | None]
    query_hash: Mapped[str]
    query_token_hash: Mapped[str]
    codes_sealed: Mapped[str]  # query code, query token, pickup code: printed again on a reprint
    pickup_hash: Mapped[str]
    accepted_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    extension: Mapped[dict[str, Any] | None]  # {"amount": 10, "unit": "WD"}
    extension_sealed: Mapped[str | None]  # why, as told to the applicant
    promised_due_at: Mapped[datetime | None]
    statutory_due_at: Mapped[datetime | None]
    provisional: Mapped[bool] = mapped_column(default=False)
    light: Mapped[str]
    schedule_version: Mapped[str]
    receiver_sealed: Mapped[str | None]

    @property
    def guide(self) -> dict[str, Any]:
        """The guide of the item or theme as it stood at receipt: its limits and materials hold. Nobody may change it."""
        return kept_guide(self, self.guide_digest)


def own_hall(context: DefaultExecutionContext) -> str:
    """A case lies where it was entered until its papers have gone up."""
    return str(context.get_current_parameters()["hall"])


class Case(Application, db.Model):
    """A case 办件. `tab` and `order_at` say where inboxes find it."""

    __tablename__ = "cases"
    __table_args__ = (
        CheckConstraint(among("state", CaseState), name="state"),
        CheckConstraint(among("light", Light), name="light"),
        CheckConstraint("applicant_kind IN ('person', 'organisation')", name="applicant_kind"),
        Index("uq_cases_number", "number", unique=True),
        Index("uq_cases_query_token", "query_token_hash", unique=True),
        Index("ix_cases_applicant", "applicant_key"),
        Index("ix_cases_ticket", "hall", "ticket_id"),
        Index("ix_cases_joint", "hall", "joint_id", **only_where("joint_id IS NOT NULL")),
        Index("ix_cases_state", "hall", "state"),
        Index("ix_cases_next_light", "hall", "next_light_at", **only_where("next_light_at IS NOT NULL")),
        Index("ix_cases_open", "hall", "schedule_version", **only_where(RUNNING)),
        Index("ix_cases_received", "hall", "received_at"),
        Index("ix_cases_forwarded", "forwarded_to", "state", **only_where(_RISEN)),
        Index("ix_cases_forwarded_tab", "forwarded_to", "tab", "order_at", "id", **only_where(_RISEN)),
        Index("ix_cases_forwarded_overdue", "forwarded_to", "order_at", "id", **only_where(_LATE_RISEN)),
        Index("ix_cases_decided", "hall", "decided_at", **only_where("decided_at IS NOT NULL")),
        Index("ix_cases_delivered", "hall", "delivered_at", **only_where("delivered_at IS NOT NULL")),
        Index("ix_cases_tab", "tab", "order_at", "id"),
        Index("ix_cases_hall_tab", "hall", "tab", "order_at", "id"),
        Index("ix_cases_unsigned", "handled_in", "dispatched_at", **only_where(_SENT)),
        Index("ix_cases_pickup", "handled_in", "state", **only_where(TO_COLLECT)),
        Index("ix_cases_overdue", "hall", "order_at", "id", **only_where(LATE_OPEN)),
        Index("ix_cases_statutory", "hall", "statutory_due_at", "id", **only_where(NOT_RED_YET)),
        Index("ix_cases_forwarded_statutory", "forwarded_to", "statutory_due_at", "id", **only_where(_NOT_RED_RISEN)),
        Index("ix_cases_unexplained", "hall", "order_at", "id", **only_where(UNEXPLAINED)),
        Index("ix_cases_forwarded_unexplained", "forwarded_to", "order_at", "id", **only_where(_UNEXPLAINED_RISEN)),
    )

    acceptance_number: Mapped[str | None]
    item: Mapped[str]
    tab: Mapped[str]
    joint_id: Mapped[int | None]  # the one-thing case of which this is a part
    agency_id: Mapped[int | None]  # the errand 代办 that brought it
    tolerant: Mapped[bool] = mapped_column(default=False)
    deemed_accepted: Mapped[bool] = mapped_column(default=False)
    extended: Mapped[bool] = mapped_column(default=False)
    converted: Mapped[dict[str, Any] | None]  # the promised limit of an instant case that could not be finished at once
    on_commitment: Mapped[bool] = mapped_column(default=False)  # 告知承诺: decided on the applicant's word
    checked_at: Mapped[datetime | None]
    check_outcome: Mapped[str | None]
    supplement_notices: Mapped[int] = mapped_column(default=0)  # at intake; the law allows one
    review_notices: Mapped[int] = mapped_column(default=0)  # during the review: the most that one department gave
    collected_at: Mapped[datetime | None]  # 代收: at a point that may not receive
    received_at: Mapped[datetime | None]
    clock_from_at: Mapped[datetime | None]
    ready_at: Mapped[datetime | None]
    dispatched_at: Mapped[datetime | None]
    signed_at: Mapped[datetime | None]  # the courier's slip came back
    returned_at: Mapped[datetime | None]  # the courier brought the parcel back
    revoked_at: Mapped[datetime | None]
    notice_due_at: Mapped[datetime | None]
    supplied_at: Mapped[datetime | None]  # since when all that was asked for is in
    gap_due_at: Mapped[datetime | None]
    printed_due_at: Mapped[datetime | None]  # the promise as last printed on a paper
    promise_version: Mapped[str | None]  # the schedule that the printed promise was counted with
    promise_at: Mapped[datetime | None]  # that promise, kept against a newer calendar
    next_light_at: Mapped[datetime | None]
    took: Mapped[int | None]  # of the promised limit, until the decision: days, or minutes of a limit in hours
    outcome: Mapped[str | None]
    shelf: Mapped[str | None]
    forwarded_to: Mapped[str | None]  # the hall above that has to do with it
    handled_in: Mapped[str] = mapped_column(default=own_hall, server_default="")  # where its papers or results lie
    delivered_how: Mapped[str | None]
    signature_sealed: Mapped[str | None]  # the receiver's signature, a PNG in base64
    courier: Mapped[dict[str, Any] | None]  # carrier, zone, fee in fen
    overdue_told_at: Mapped[datetime | None]
    overdue_sealed: Mapped[str | None]  # why it is late, as the public is told (优化营商环境条例 §36)
    no_request_kind: Mapped[str | None]
    no_request_answer: Mapped[str | None]
    no_request_sealed: Mapped[str | None]
    commitment_sealed: Mapped[str | None]  # what the applicant promised for a tolerated gap
    backdate_sealed: Mapped[str | None]  # why the instant of receipt was corrected
    conversion_sealed: Mapped[str | None]  # why an instant case was not finished at once
    check_sealed: Mapped[str | None]  # what the check after a commitment found
    end_sealed: Mapped[str | None]  # why a case was voided or revoked

    @property
    def explained(self) -> bool:
        """Whether the public was told why the case is late; of one past both limits, why it is past the law's."""
        told_at, due_at = self.overdue_told_at, self.statutory_due_at
        return told_at is not None and not (self.light == Light.red and due_at is not None and told_at < due_at)

    @property
    def under_way(self) -> bool:
        """Whether a courier has the result: nobody has signed for it yet."""
        return self.state == CaseState.DELIVERED and self.dispatched_at is not None and self.signed_at is None


# what should never have been entered does not count; a decision that was revoked did
ENTERED = or_(Case.state != CaseState.VOID, Case.outcome.is_not(None))
UNDER_WAY = and_(Case.state == CaseState.DELIVERED, Case.dispatched_at.is_not(None), Case.signed_at.is_(None))


class CaseMaterial(db.Model):
    """The state of one material of one case.

    `requested` once the one-time notice has named it; `tolerated` while it may follow the acceptance 容缺, until it comes
    in or the case ends.
    """

    __tablename__ = "case_materials"
    __table_args__ = (
        ForeignKeyConstraint(["hall", "case_id"], ["cases.hall", "cases.id"]),
        CheckConstraint(among("state", MaterialState), name="state"),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    requested: Mapped[bool] = mapped_column(default=False)
    tolerated: Mapped[bool] = mapped_column(default=False, server_default=false())
    problem_sealed: Mapped[str | None]
    shared_sealed: Mapped[str | None]  # the e-licences that stand for the paper, as they were when it was shared


class CaseStop(db.Model):
    """A stop of a case's clocks: `clocks` is "both" or "promised"; open while `until_at` is null.

    `days` is the time that the applicant was told it needs; 0 for a supplement, which the applicant ends. `department`
    is whose stop it is; stops of old do not say.
    """

    __tablename__ = "case_stops"
    __table_args__ = (
        ForeignKeyConstraint(["hall", "case_id"], ["cases.hall", "cases.id"]),
        CheckConstraint("clocks IN ('both', 'promised')", name="clocks"),
        Index("ix_case_stops_case", "hall", "case_id"),
        Index("ix_case_stops_from", "hall", "from_at"),
        Index("uq_case_stops_open", "hall", "case_id", unique=True, **only_where("until_at IS NULL")),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    case_id: Mapped[int]
    clocks: Mapped[str]
    ground: Mapped[str]
    days: Mapped[int]
    department: Mapped[str | None]
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]


class CaseReview(db.Model):
    """One department's part in deciding a case. `state`: waiting its turn, open, granted or refused.

    `tab`, `order_at`, `light` and `forwarded_to` repeat the case's, so that a department's inbox reads one index: that
    of the network, of one hall, or of what came up to one.
    """

    __tablename__ = "case_reviews"
    __table_args__ = (
        ForeignKeyConstraint(["hall", "case_id"], ["cases.hall", "cases.id"]),
        CheckConstraint("state IN ('waiting', 'open', 'granted', 'refused')", name="state"),
        Index("ix_case_reviews_tab", "department", "tab", "order_at", "case_id"),
        Index("ix_case_reviews_overdue", "department", "order_at", "case_id", **only_where(_LATE_PART)),
        Index("ix_case_reviews_hall_tab", "hall", "department", "tab", "order_at", "case_id"),
        Index("ix_case_reviews_hall_overdue", "hall", "department", "order_at", "case_id", **only_where(_LATE_PART)),
        Index(
            "ix_case_reviews_forwarded_tab",
            *("forwarded_to", "department", "tab", "order_at", "case_id"),
            **only_where(_RISEN),
        ),
        Index(
            "ix_case_reviews_forwarded_overdue",
            *("forwarded_to", "department", "order_at", "case_id"),
            **only_where(f"{_RISEN} AND {_LATE_PART}"),
        ),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(primary_key=True)
    department: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    state: Mapped[str]
    tab: Mapped[str]
    order_at: Mapped[datetime]
    light: Mapped[str]
    forwarded_to: Mapped[str | None]
    taken_by: Mapped[str | None]
    proposed_by: Mapped[str | None]  # who signed before the decision, in their order
    proposal: Mapped[str | None]  # granted or refused
    signatures: Mapped[int] = mapped_column(default=0)
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    took: Mapped[int | None]  # of the promised limit, until its own end, where the case went on or another ended it
    note_sealed: Mapped[str | None]  # to whoever goes on: why it is proposed, why it came back
    reason_sealed: Mapped[str | None]
    basis: Mapped[str | None]


class CaseAlarm(db.Model):
    """One thing that happens to a case by itself when nobody acts before `due_at`.

    What is counted in working time keeps its limit (`within`) and start, and the schedule it was computed with, so that
    a new calendar moves it; its `due_at` is empty while the year is not announced. Without a version it stands.
    """

    __tablename__ = "case_alarms"
    __table_args__ = (
        ForeignKeyConstraint(["hall", "case_id"], ["cases.hall", "cases.id"]),
        CheckConstraint(among("kind", Alarm), name="kind"),
        Index("ix_case_alarms_due", "hall", "due_at", **only_where("due_at IS NOT NULL")),
        Index("ix_case_alarms_version", "hall", "schedule_version", **only_where("schedule_version IS NOT NULL")),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime | None]
    from_at: Mapped[datetime | None]
    within: Mapped[dict[str, Any] | None]  # {"amount": 5, "unit": "WD", "next_day": false}
    schedule_version: Mapped[str | None]


class CaseSignal(db.Model):
    """A signal about a case's light, once a level and rung, told in working hours only (K8).

    It keeps what it tells of happened when (`from_at`) and the schedule that `tell_at` was planned with, so that a new
    calendar plans it anew. Without a version it stays as it was planned.
    """

    __tablename__ = "case_signals"
    __table_args__ = (
        ForeignKeyConstraint(["hall", "case_id"], ["cases.hall", "cases.id"]),
        CheckConstraint(among("level", Level), name="level"),
        CheckConstraint(among("rung", Rung), name="rung"),
        Index("uq_case_signals_once", "hall", "case_id", "level", "rung", "department", unique=True),
        Index("ix_case_signals_due", "hall", "tell_at", **only_where("told_at IS NULL")),
        Index("ix_case_signals_version", "hall", "schedule_version", **only_where("told_at IS NULL")),
        Index("ix_case_signals_told", "rung", "told_at", **only_where("told_at IS NOT NULL")),
        Index("ix_case_signals_new", "rung", "department", **only_where("told_at IS NOT NULL AND seen_at IS NULL")),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    case_id: Mapped[int]
    level: Mapped[str]
    rung: Mapped[str]
    department: Mapped[str]  # of the owner; the department that the others are told about
    from_at: Mapped[datetime | None]
    tell_at: Mapped[datetime]
    schedule_version: Mapped[str | None]
    told_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]


class CaseUrge(db.Model):
    """A supervisor's urging 督办 and the answer it must get; what was written is sealed."""

    __tablename__ = "case_urges"
    __table_args__ = (
        ForeignKeyConstraint(["hall", "case_id"], ["cases.hall", "cases.id"]),
        Index("uq_case_urges_open", "hall", "case_id", unique=True, **only_where("answered_at IS NULL")),
    )

    hall: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    case_id: Mapped[int]
    department: Mapped[str]
    urged_by: Mapped[str]
    urged_at: Mapped[datetime]
    note_sealed: Mapped[str]
    answer_due_at: Mapped[datetime | None]
    answered_by: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    answer_sealed: Mapped[str | None]
