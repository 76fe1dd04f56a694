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


def upgrade() -> None:
    with op.batch_alter_table("case_materials", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tolerated", sa.Boolean(), server_default=sa.false(), nullable=False))

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
            "kind IN ('check', 'delivery', 'gap', 'gap-soon', 'notice', 'stage', 'stop', 'supplement', 'unclaimed-10', 'unclaimed-3', 'unclaimed-7', 'urge')",
        )

    # a township sends on what a village collected
    with op.batch_alter_table("manifests", schema=None) as batch_op:
        if op.get_bind().dialect.name == "postgresql":
            batch_op.drop_constraint(op.f("ck_manifests_halls"), type_="check")
        batch_op.create_check_constraint(op.f("ck_manifests_halls"), "from_hall <> to_hall")

    # what was accepted already keeps the promise of the schedule that it was last computed with
    op.execute(
        "UPDATE cases SET promise_version = schedule_version WHERE printed_due_at IS NOT NULL AND promise_at IS NULL"
    )
    op.execute("UPDATE joint_cases SET promise_version = schedule_version WHERE accepted_at IS NOT NULL")

    # a case lies where its papers or results arrived last, else where it was entered
    op.execute(
        "UPDATE cases SET handled_in = coalesce((SELECT manifests.to_hall FROM manifest_entries "
        "JOIN manifests ON manifests.hall = manifest_entries.hall AND manifests.id = manifest_entries.manifest_id "
        "WHERE manifest_entries.hall = cases.hall AND manifest_entries.case_id = cases.id "
        "AND manifest_entries.state = 'arrived' ORDER BY manifests.id DESC LIMIT 1), hall)"
    )

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
    op.execute("UPDATE manifests SET from_hall = hall WHERE hall NOT IN (from_hall, to_hall)")
    with op.batch_alter_table("manifests", schema=None) as batch_op:
        if op.get_bind().dialect.name == "postgresql":
            batch_op.drop_constraint(op.f("ck_manifests_halls"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_manifests_halls"), "hall IN (from_hall, to_hall) AND from_hall <> to_hall"
        )

    op.execute("DELETE FROM case_alarms WHERE kind = 'delivery'")
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

    with op.batch_alter_table("cases", schema=None) as batch_op:
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

    with op.batch_alter_table("case_materials", schema=None) as batch_op:
        batch_op.drop_column("tolerated")
