"""Daily hours from a day on; signals and one-thing cases follow a new schedule.

Revision 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
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

    # what was accepted already keeps the promise of the schedule that it was last computed with
    op.execute("UPDATE joint_cases SET promise_version = schedule_version WHERE accepted_at IS NOT NULL")


def downgrade() -> None:
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

    with op.batch_alter_table("case_signals", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_case_signals_version",
            sqlite_where=sa.text("told_at IS NULL"),
            postgresql_where=sa.text("told_at IS NULL"),
        )
        batch_op.drop_column("schedule_version")
        batch_op.drop_column("from_at")
