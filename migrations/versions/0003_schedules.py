"""Daily hours from a day on; what is open follows a new schedule; gaps, notices and results are watched to their end.

Revision 0003, after 0002.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_DECIDING = "state IN ('accepted', 'forwarded', 'review', 'review_correction', 'site_check', 'special')"
_RUNNING = f"({_DECIDING} OR (state = 'granted' AND took IS NULL))"
_UNDATED = "due_at IS NULL AND state = 'running'"
_RISEN = "forwarded_to IS NOT NULL AND "
_NOT_RED_YET = "tab IN ('todo', 'correction', 'special') AND light <> 'red'"
_UNEXPLAINED = (
    "light IN ('yellow', 'red') AND state NOT IN ('deemed_withdrawn', 'withdrawn') "
    "AND (overdue_told_at IS NULL OR (light = 'red' AND overdue_told_at < statutory_due_at))"
)

_PARTS_FOLLOW = (
    "UPDATE case_reviews SET order_at = (SELECT cases.order_at FROM cases WHERE cases.hall = case_reviews.hall "
    "AND cases.id = case_reviews.case_id) WHERE EXISTS (SELECT 1 FROM cases WHERE cases.hall = case_reviews.hall "
    "AND cases.id = case_reviews.case_id AND cases.statutory_due_at < cases.promised_due_at)"
)


def upgrade() -> None:
    with op.batch_alter_table("case_materials", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tolerated", sa.Boolean(), server_default=sa.false(), nullable=False))

    with op.batch_alter_table("case_reviews", schema=None) as batch_op:
        batch_op.add_column(sa.Column("took", sa.Integer(), nullable=True))

    with op.batch_alter_table("case_signals", schema=None) as batch_op:
        batch_op.add_column(sa.Column("from_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("schedule_version", sa.String(), nullable=True))
        batch_op.create_index(
            "ix_case_signals_version",
            ["hall", "schedule_version"],
            unique=False,
            sqlite_where=sa.text("told_at IS NULL"),
            postgresql_where=sa.text("told_at IS NULL"),
        )

    with op.batch_alter_table("case_stops", schema=None) as batch_op:
        batch_op.add_column(sa.Column("department", sa.String(), nullable=True))

    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("supplied_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("promise_version", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("handled_in", sa.String(), server_default="", nullable=False))
        batch_op.drop_index(
            "ix_cases_unsigned",
            sqlite_where=sa.text("dispatched_at IS NOT NULL AND signed_at IS NULL"),
            postgresql_where=sa.text("dispatched_at IS NOT NULL AND signed_at IS NULL"),
        )
        batch_op.create_index(
            "ix_cases_unsigned",
            ["handled_in", "dispatched_at"],
            unique=False,
            sqlite_where=sa.text("dispatched_at IS NOT NULL AND signed_at IS NULL"),
            postgresql_where=sa.text("dispatched_at IS NOT NULL AND signed_at IS NULL"),
        )
        batch_op.create_index(
            "ix_cases_joint",
            ["hall", "joint_id"],
            unique=False,
            sqlite_where=sa.text("joint_id IS NOT NULL"),
            postgresql_where=sa.text("joint_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_cases_pickup",
            ["handled_in", "state"],
            unique=False,
            sqlite_where=sa.text("tab = 'pickup'"),
            postgresql_where=sa.text("tab = 'pickup'"),
        )
        batch_op.drop_index("ix_cases_open", sqlite_where=sa.text(_DECIDING), postgresql_where=sa.text(_DECIDING))
        batch_op.create_index(
            "ix_cases_open",
            ["hall", "schedule_version"],
            unique=False,
            sqlite_where=sa.text(_RUNNING),
            postgresql_where=sa.text(_RUNNING),
        )
        batch_op.create_index(
            "ix_cases_statutory",
            ["hall", "statutory_due_at", "id"],
            unique=False,
            sqlite_where=sa.text(_NOT_RED_YET),
            postgresql_where=sa.text(_NOT_RED_YET),
        )
        batch_op.create_index(
            "ix_cases_unexplained",
            ["hall", "order_at", "id"],
            unique=False,
            sqlite_where=sa.text(_UNEXPLAINED),
            postgresql_where=sa.text(_UNEXPLAINED),
        )
        batch_op.create_index(
            "ix_cases_forwarded_statutory",
            ["forwarded_to", "statutory_due_at", "id"],
            unique=False,
            sqlite_where=sa.text(_RISEN + _NOT_RED_YET),
            postgresql_where=sa.text(_RISEN + _NOT_RED_YET),
        )
        batch_op.create_index(
            "ix_cases_forwarded_unexplained",
            ["forwarded_to", "order_at", "id"],
            unique=False,
            sqlite_where=sa.text(_RISEN + _UNEXPLAINED),
            postgresql_where=sa.text(_RISEN + _UNEXPLAINED),
        )

    with op.batch_alter_table("agency_orders", schema=None) as batch_op:
        batch_op.create_index(
            "ix_agency_orders_undated",
            ["hall", "schedule_version"],
            unique=False,
            sqlite_where=sa.text(_UNDATED),
            postgresql_where=sa.text(_UNDATED),
        )

    with op.batch_alter_table("halls", schema=None) as batch_op:
        batch_op.add_column(sa.Column("later_hours", sa.Text(), server_default="[]", nullable=False))

    with op.batch_alter_table("joint_cases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("promise_version", sa.String(), nullable=True))
        batch_op.create_index(
            "ix_joint_cases_version",
            ["hall", "schedule_version"],
            unique=False,
            sqlite_where=sa.text("decided_at IS NULL"),
            postgresql_where=sa.text("decided_at IS NULL"),
        )

    with op.batch_alter_table("schedule_versions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("later_hours", sa.Text(), server_default="[]", nullable=False))

    with op.batch_alter_table("case_alarms", schema=None) as batch_op:
        if op.get_bind().dialect.name == "postgresql":  # a table that SQLite writes anew has only the new one
            batch_op.drop_constraint(op.f("ck_case_alarms_kind"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_case_alarms_kind"),
            "kind IN ('check', 'delivery', 'gap', 'gap-soon', 'notice', 'pre-review', 'stage', 'stop', 'supplement', 'unclaimed-10', 'unclaimed-3', 'unclaimed-7', 'urge')",
        )

    with op.batch_alter_table("case_signals", schema=None) as batch_op:
        if op.get_bind().dialect.name == "postgresql":
            batch_op.drop_constraint(op.f("ck_case_signals_level"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_case_signals_level"),
            "level IN ('amber', 'check', 'delivery', 'gap', 'overrun', 'pre-review', 'red', 'stage', 'unanswered', 'urged', 'yellow')",
        )

    # a township sends on what a village collected
    with op.batch_alter_table("manifests", schema=None) as batch_op:
        if op.get_bind().dialect.name == "postgresql":
            batch_op.drop_constraint(op.f("ck_manifests_halls"), type_="check")
        batch_op.create_check_constraint(op.f("ck_manifests_halls"), "from_hall <> to_hall")

    # a case lies where its papers or results arrived last, else where it was entered; what was accepted already keeps
    # the promise of the schedule that it was last computed with
    op.execute(
        "UPDATE cases SET handled_in = coalesce((SELECT manifests.to_hall FROM manifest_entries "
        "JOIN manifests ON manifests.hall = manifest_entries.hall AND manifests.id = manifest_entries.manifest_id "
        "WHERE manifest_entries.hall = cases.hall AND manifest_entries.case_id = cases.id "
        "AND manifest_entries.state = 'arrived' ORDER BY manifests.id DESC LIMIT 1), hall), promise_version = "
        "CASE WHEN printed_due_at IS NOT NULL AND promise_at IS NULL THEN schedule_version END"
    )
    op.execute("UPDATE joint_cases SET promise_version = schedule_version WHERE accepted_at IS NOT NULL")

    # a case that the law ends before its promise stands where it ends first
    op.execute("UPDATE cases SET order_at = statutory_due_at WHERE statutory_due_at < promised_due_at")
    op.execute(_PARTS_FOLLOW)

    # of a gap that is still open the papers may follow that no department has asked for since
    connection = op.get_bind()
    gaps = sa.text(
        "SELECT cases.hall, cases.id, kept_guides.guide FROM cases JOIN kept_guides ON digest = guide_digest "
        "WHERE tolerant AND state NOT IN ('void', 'withdrawn', 'deemed_withdrawn') "
        "AND coalesce(outcome, 'granted') = 'granted' AND (gap_due_at IS NOT NULL OR EXISTS (SELECT 1 FROM case_alarms "
        "WHERE case_alarms.hall = cases.hall AND case_id = cases.id AND kind = 'gap'))"
    )
    follow = sa.text(
        "UPDATE case_materials SET tolerated = true WHERE hall = :hall AND case_id = :case_id AND code = :code "
        "AND state IN ('missing', 'not_needed') AND NOT requested"
    )
    for hall, case_id, guide in connection.execute(gaps).all():
        for material in json.loads(guide)["materials"]:
            if material["required"] and material["kind"] == "secondary":
                connection.execute(follow, {"hall": hall, "case_id": case_id, "code": material["code"]})
    op.execute(
        "UPDATE cases SET gap_due_at = NULL WHERE gap_due_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM case_materials "
        "WHERE case_materials.hall = cases.hall AND case_materials.case_id = cases.id AND tolerated)"
    )

    # what a courier has is delivered when it is signed for; when a decision was revoked was not kept so far
    op.execute("UPDATE cases SET delivered_at = signed_at WHERE dispatched_at IS NOT NULL")
    op.execute(
        "UPDATE joint_cases SET state = 'decided', delivered_at = NULL WHERE state = 'delivered' AND EXISTS (SELECT 1 "
        "FROM cases WHERE cases.hall = joint_cases.hall AND cases.joint_id = joint_cases.id "
        "AND cases.dispatched_at IS NOT NULL AND cases.signed_at IS NULL)"
    )
    op.execute("UPDATE cases SET revoked_at = decided_at WHERE state = 'void' AND outcome = 'granted'")

    # a result that is not in the applicant's hands yet is watched too: the timer counts its days with the next calendar
    waiting = sa.text(
        "SELECT cases.hall, cases.id, kept_guides.guide FROM cases JOIN kept_guides ON digest = guide_digest "
        "WHERE decided_at IS NOT NULL AND (state IN ('granted', 'refused', 'ready') "
        "OR (state = 'delivered' AND dispatched_at IS NOT NULL AND signed_at IS NULL))"
    )
    watch = sa.text(
        "INSERT INTO case_alarms (hall, case_id, kind, from_at, within, schedule_version) "
        "SELECT hall, id, 'delivery', decided_at, :within, '' FROM cases WHERE hall = :hall AND id = :case_id"
    )
    for hall, case_id, guide in connection.execute(waiting).all():
        limit = json.loads(guide)["rules"]["delivery_limit"]
        if limit:
            connection.execute(watch, {"hall": hall, "case_id": case_id, "within": json.dumps(limit)})


def downgrade() -> None:
    with op.batch_alter_table("agency_orders", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_agency_orders_undated", sqlite_where=sa.text(_UNDATED), postgresql_where=sa.text(_UNDATED)
        )

    op.execute("UPDATE manifests SET from_hall = hall WHERE hall NOT IN (from_hall, to_hall)")
    with op.batch_alter_table("manifests", schema=None) as batch_op:
        if op.get_bind().dialect.name == "postgresql":
            batch_op.drop_constraint(op.f("ck_manifests_halls"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_manifests_halls"), "hall IN (from_hall, to_hall) AND from_hall <> to_hall"
        )

    op.execute("DELETE FROM case_signals WHERE level = 'pre-review'")
    with op.batch_alter_table("case_signals", schema=None) as batch_op:
        if op.get_bind().dialect.name == "postgresql":
            batch_op.drop_constraint(op.f("ck_case_signals_level"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_case_signals_level"),
            "level IN ('amber', 'check', 'delivery', 'gap', 'overrun', 'red', 'stage', 'unanswered', 'urged', 'yellow')",
        )

    op.execute("DELETE FROM case_alarms WHERE kind IN ('delivery', 'pre-review')")
    with op.batch_alter_table("case_alarms", schema=None) as batch_op:
        if op.get_bind().dialect.name == "postgresql":  # a table that SQLite writes anew has only the new one
            batch_op.drop_constraint(op.f("ck_case_alarms_kind"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_case_alarms_kind"),
            "kind IN ('check', 'gap', 'gap-soon', 'notice', 'stage', 'stop', 'supplement', 'unclaimed-10', 'unclaimed-3', 'unclaimed-7', 'urge')",
        )

    with op.batch_alter_table("schedule_versions", schema=None) as batch_op:
        batch_op.drop_column("later_hours")

    with op.batch_alter_table("joint_cases", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_joint_cases_version",
            sqlite_where=sa.text("decided_at IS NULL"),
            postgresql_where=sa.text("decided_at IS NULL"),
        )
        batch_op.drop_column("promise_version")

    with op.batch_alter_table("halls", schema=None) as batch_op:
        batch_op.drop_column("later_hours")

    op.execute("UPDATE cases SET order_at = promised_due_at WHERE statutory_due_at < promised_due_at")
    op.execute(_PARTS_FOLLOW)
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_cases_forwarded_unexplained",
            sqlite_where=sa.text(_RISEN + _UNEXPLAINED),
            postgresql_where=sa.text(_RISEN + _UNEXPLAINED),
        )
        batch_op.drop_index(
            "ix_cases_forwarded_statutory",
            sqlite_where=sa.text(_RISEN + _NOT_RED_YET),
            postgresql_where=sa.text(_RISEN + _NOT_RED_YET),
        )
        batch_op.drop_index(
            "ix_cases_unexplained", sqlite_where=sa.text(_UNEXPLAINED), postgresql_where=sa.text(_UNEXPLAINED)
        )
        batch_op.drop_index(
            "ix_cases_statutory", sqlite_where=sa.text(_NOT_RED_YET), postgresql_where=sa.text(_NOT_RED_YET)
        )
        batch_op.drop_index("ix_cases_open", sqlite_where=sa.text(_RUNNING), postgresql_where=sa.text(_RUNNING))
        batch_op.create_index(
            "ix_cases_open",
            ["hall", "schedule_version"],
            unique=False,
            sqlite_where=sa.text(_DECIDING),
            postgresql_where=sa.text(_DECIDING),
        )
        batch_op.drop_index(
            "ix_cases_pickup", sqlite_where=sa.text("tab = 'pickup'"), postgresql_where=sa.text("tab = 'pickup'")
        )
        batch_op.drop_index(
            "ix_cases_joint",
            sqlite_where=sa.text("joint_id IS NOT NULL"),
            postgresql_where=sa.text("joint_id IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_cases_unsigned",
            sqlite_where=sa.text("dispatched_at IS NOT NULL AND signed_at IS NULL"),
            postgresql_where=sa.text("dispatched_at IS NOT NULL AND signed_at IS NULL"),
        )
        batch_op.create_index(
            "ix_cases_unsigned",
            ["hall", "dispatched_at"],
            unique=False,
            sqlite_where=sa.text("dispatched_at IS NOT NULL AND signed_at IS NULL"),
            postgresql_where=sa.text("dispatched_at IS NOT NULL AND signed_at IS NULL"),
        )
        batch_op.drop_column("handled_in")
        batch_op.drop_column("promise_version")
        batch_op.drop_column("supplied_at")
        batch_op.drop_column("revoked_at")
        batch_op.drop_column("returned_at")

    with op.batch_alter_table("case_stops", schema=None) as batch_op:
        batch_op.drop_column("department")

    with op.batch_alter_table("case_signals", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_case_signals_version",
            sqlite_where=sa.text("told_at IS NULL"),
            postgresql_where=sa.text("told_at IS NULL"),
        )
        batch_op.drop_column("schedule_version")
        batch_op.drop_column("from_at")

    with op.batch_alter_table("case_reviews", schema=None) as batch_op:
        batch_op.drop_column("took")

    with op.batch_alter_table("case_materials", schema=None) as batch_op:
        batch_op.drop_column("tolerated")
