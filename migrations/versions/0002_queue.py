"""The whole queue.

Revision 0002, after 0001.
"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "appointments",
        sa.Column("hall", sa.String(), nullable=False),
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("slot_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("person_key", sa.String(), nullable=False),
        sa.Column("phone_key", sa.String(), nullable=False),
        sa.Column("person_sealed", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("token_sealed", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('booked', 'cancelled', 'checked_in', 'expired', 'no_show', 'waitlisted')",
            name=op.f("ck_appointments_state"),
        ),
        sa.PrimaryKeyConstraint("hall", "id", name=op.f("pk_appointments")),
    )
    with op.batch_alter_table("appointments", schema=None) as batch_op:
        batch_op.create_index("ix_appointments_day", ["hall", "day", "slot_at"], unique=False)
        batch_op.create_index(
            "ix_appointments_due",
            ["hall", "slot_at"],
            unique=False,
            sqlite_where=sa.text("state IN ('booked', 'waitlisted')"),
            postgresql_where=sa.text("state IN ('booked', 'waitlisted')"),
        )
        batch_op.create_index("ix_appointments_person", ["person_key", "day"], unique=False)
        batch_op.create_index("ix_appointments_phone", ["phone_key", "day"], unique=False)
        batch_op.create_index(
            "ix_appointments_slot",
            ["hall", "queue", "slot_at"],
            unique=False,
            sqlite_where=sa.text("state IN ('booked', 'checked_in', 'no_show', 'waitlisted')"),
            postgresql_where=sa.text("state IN ('booked', 'checked_in', 'no_show', 'waitlisted')"),
        )
        batch_op.create_index("uq_appointments_token", ["token_hash"], unique=True)

    op.create_table(
        "number_blocks",
        sa.Column("hall", sa.String(), nullable=False),
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("device_id", sa.Integer(), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("leased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tokens_sealed", sa.String(), nullable=False),
        sa.CheckConstraint("state IN ('leased', 'closed')", name=op.f("ck_number_blocks_state")),
        sa.PrimaryKeyConstraint("hall", "id", name=op.f("pk_number_blocks")),
    )
    with op.batch_alter_table("number_blocks", schema=None) as batch_op:
        batch_op.create_index(
            "uq_number_blocks_device",
            ["hall", "device_id", "queue", "day"],
            unique=True,
            sqlite_where=sa.text("state = 'leased'"),
            postgresql_where=sa.text("state = 'leased'"),
        )
        batch_op.create_index("uq_number_blocks_first", ["hall", "queue", "day", "first"], unique=True)

    op.create_table(
        "window_pauses",
        sa.Column("hall", sa.String(), nullable=False),
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("window", sa.String(), nullable=False),
        sa.Column("staff", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("to_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("hall", "id", name=op.f("pk_window_pauses")),
    )
    with op.batch_alter_table("window_pauses", schema=None) as batch_op:
        batch_op.create_index("ix_window_pauses_from", ["hall", "from_at"], unique=False)
        batch_op.create_index(
            "uq_window_pauses_open",
            ["hall", "window"],
            unique=True,
            sqlite_where=sa.text("to_at IS NULL"),
            postgresql_where=sa.text("to_at IS NULL"),
        )

    op.create_table(
        "services",
        sa.Column("hall", sa.String(), nullable=False),
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.Integer(), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("window", sa.String(), nullable=False),
        sa.Column("staff", sa.String(), nullable=False),
        sa.Column("item", sa.String(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["hall", "ticket_id"], ["tickets.hall", "tickets.id"], name=op.f("fk_services_hall_ticket_id")
        ),
        sa.PrimaryKeyConstraint("hall", "id", name=op.f("pk_services")),
    )
    with op.batch_alter_table("services", schema=None) as batch_op:
        batch_op.create_index("ix_services_ended", ["hall", "queue", "ended_at"], unique=False)
        batch_op.create_index("ix_services_started", ["hall", "started_at"], unique=False)
        batch_op.create_index(
            "uq_services_ticket",
            ["hall", "ticket_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    with op.batch_alter_table("calls", schema=None) as batch_op:
        batch_op.add_column(sa.Column("queue", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("lane", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("mode", sa.String(), server_default="rule", nullable=False))
        batch_op.add_column(sa.Column("reason", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("reason_sealed", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("waited_s", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("tally_normal", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("tally_priority", sa.Integer(), server_default="0", nullable=False))
        batch_op.create_index("ix_calls_at", ["hall", "called_at"], unique=False)
        batch_op.create_index("ix_calls_window_last", ["hall", "window", "id"], unique=False)

    with op.batch_alter_table("case_reviews", schema=None) as batch_op:
        batch_op.add_column(sa.Column("forwarded_to", sa.String(), nullable=True))
        batch_op.create_index(
            "ix_case_reviews_forwarded_overdue",
            ["forwarded_to", "department", "order_at", "case_id"],
            unique=False,
            sqlite_where=sa.text(
                "forwarded_to IS NOT NULL AND state = 'open' AND tab IN ('todo', 'correction', 'special') AND light IN ('yellow', 'red')"
            ),
            postgresql_where=sa.text(
                "forwarded_to IS NOT NULL AND state = 'open' AND tab IN ('todo', 'correction', 'special') AND light IN ('yellow', 'red')"
            ),
        )
        batch_op.create_index(
            "ix_case_reviews_forwarded_tab",
            ["forwarded_to", "department", "tab", "order_at", "case_id"],
            unique=False,
            sqlite_where=sa.text("forwarded_to IS NOT NULL"),
            postgresql_where=sa.text("forwarded_to IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_case_reviews_hall_overdue",
            ["hall", "department", "order_at", "case_id"],
            unique=False,
            sqlite_where=sa.text(
                "state = 'open' AND tab IN ('todo', 'correction', 'special') AND light IN ('yellow', 'red')"
            ),
            postgresql_where=sa.text(
                "state = 'open' AND tab IN ('todo', 'correction', 'special') AND light IN ('yellow', 'red')"
            ),
        )
        batch_op.create_index(
            "ix_case_reviews_hall_tab", ["hall", "department", "tab", "order_at", "case_id"], unique=False
        )

    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.create_index(
            "ix_cases_forwarded_overdue",
            ["forwarded_to", "order_at", "id"],
            unique=False,
            sqlite_where=sa.text(
                "forwarded_to IS NOT NULL AND tab IN ('todo', 'correction', 'special') AND light IN ('yellow', 'red')"
            ),
            postgresql_where=sa.text(
                "forwarded_to IS NOT NULL AND tab IN ('todo', 'correction', 'special') AND light IN ('yellow', 'red')"
            ),
        )
        batch_op.create_index(
            "ix_cases_forwarded_tab",
            ["forwarded_to", "tab", "order_at", "id"],
            unique=False,
            sqlite_where=sa.text("forwarded_to IS NOT NULL"),
            postgresql_where=sa.text("forwarded_to IS NOT NULL"),
        )

    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("phone_key", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("ground", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("party", sa.Integer(), server_default="1", nullable=False))
        batch_op.add_column(sa.Column("to_staff", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("transfers", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("first_called_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("remind_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("deferred_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("left_reason", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("appointment_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("case_number", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("block_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("forecast_low_s", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("forecast_high_s", sa.Integer(), nullable=True))
        batch_op.drop_index(
            batch_op.f("ix_tickets_waiting"),
            sqlite_where=sa.text("state = 'waiting' AND to_window IS NULL"),
            postgresql_where=sa.text("state = 'waiting' AND to_window IS NULL"),
        )
        batch_op.create_index(
            "ix_tickets_case",
            ["hall", "case_number"],
            unique=False,
            sqlite_where=sa.text("case_number IS NOT NULL"),
            postgresql_where=sa.text("case_number IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_tickets_named",
            ["hall", "day", "to_staff", "queued_us", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting' AND to_staff IS NOT NULL"),
            postgresql_where=sa.text("state = 'waiting' AND to_staff IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_tickets_phone",
            ["hall", "queue", "day", "phone_key"],
            unique=False,
            sqlite_where=sa.text("phone_key IS NOT NULL"),
            postgresql_where=sa.text("phone_key IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_tickets_pool",
            ["hall", "day", "queue", "lane", "queued_us", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting' AND to_window IS NULL AND to_staff IS NULL"),
            postgresql_where=sa.text("state = 'waiting' AND to_window IS NULL AND to_staff IS NULL"),
        )
        batch_op.create_index(
            "ix_tickets_remind",
            ["hall", "remind_at"],
            unique=False,
            sqlite_where=sa.text("remind_at IS NOT NULL"),
            postgresql_where=sa.text("remind_at IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_tickets_block",
            ["hall", "block_id", "number"],
            unique=True,
            sqlite_where=sa.text("block_id IS NOT NULL"),
            postgresql_where=sa.text("block_id IS NOT NULL"),
        )

    with op.batch_alter_table("window_sessions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("free_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("taken_from", sa.String(), nullable=True))

    # a case that went up is in the inbox of the hall above from now on
    op.execute(
        "UPDATE case_reviews SET forwarded_to = (SELECT c.forwarded_to FROM cases c"
        " WHERE c.hall = case_reviews.hall AND c.id = case_reviews.case_id)"
    )

    # who had nobody is free since the last call, or since the window was opened
    op.execute(
        "UPDATE window_sessions SET free_at = COALESCE((SELECT MAX(c.ended_at) FROM calls c"
        ' WHERE c.hall = window_sessions.hall AND c."window" = window_sessions."window"'
        " AND c.ended_at > window_sessions.changed_at), changed_at)"
        " WHERE state = 'open' AND NOT EXISTS (SELECT 1 FROM tickets t WHERE t.hall = window_sessions.hall"
        """ AND t."window" = window_sessions."window" AND t.state IN ('called', 'serving'))"""
    )
    _tell_calls(op.get_bind())


def _tell_calls(connection: sa.Connection) -> None:
    """Old calls say their queue, lane and wait too: what was told then, so that a transfer since changes nothing."""
    calls = sa.table(
        "calls",
        *(sa.column(name) for name in ("hall", "id", "ticket_id", "why", "queue", "lane", "mode", "waited_s")),
        sa.column("called_at", sa.DateTime(timezone=True)),
    )
    tickets = sa.table(
        "tickets",
        *(sa.column(name) for name in ("hall", "id", "queue", "lane")),
        sa.column("issued_at", sa.DateTime(timezone=True)),
    )
    query = (
        sa.select(calls.c.hall, calls.c.id, calls.c.why, calls.c.called_at, tickets)
        .join(tickets, (tickets.c.hall == calls.c.hall) & (tickets.c.id == calls.c.ticket_id))
        .order_by(calls.c.hall, calls.c.id)
        .limit(1000)
    )
    one = (calls.c.hall == sa.bindparam("of_hall"), calls.c.id == sa.bindparam("of_call"))
    told = sa.update(calls).where(*one)
    last: tuple[str, int] = ("", 0)
    while rows := connection.execute(query.where(sa.tuple_(calls.c.hall, calls.c.id) > last)).all():
        last = (rows[-1][0], rows[-1][1])
        values = []
        for hall, call, stored, called_at, _, _, queue, lane, issued_at in rows:
            why = json.loads(stored)
            own = next((each for each in why["candidates"] if each["number"] == why["chosen"]), {"queue": queue})
            back = why["rule"] == "unpark"
            waited_s = None if back else max(int((called_at - issued_at).total_seconds()), 0)
            said = {"queue": own["queue"], "lane": lane, "mode": "unpark" if back else "rule", "waited_s": waited_s}
            values.append({"of_hall": hall, "of_call": call, **said})
        connection.execute(told, values)


def downgrade() -> None:
    with op.batch_alter_table("window_sessions", schema=None) as batch_op:
        batch_op.drop_column("taken_from")
        batch_op.drop_column("free_at")

    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_tickets_block",
            sqlite_where=sa.text("block_id IS NOT NULL"),
            postgresql_where=sa.text("block_id IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_tickets_remind",
            sqlite_where=sa.text("remind_at IS NOT NULL"),
            postgresql_where=sa.text("remind_at IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_tickets_pool",
            sqlite_where=sa.text("state = 'waiting' AND to_window IS NULL AND to_staff IS NULL"),
            postgresql_where=sa.text("state = 'waiting' AND to_window IS NULL AND to_staff IS NULL"),
        )
        batch_op.drop_index(
            "ix_tickets_phone",
            sqlite_where=sa.text("phone_key IS NOT NULL"),
            postgresql_where=sa.text("phone_key IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_tickets_named",
            sqlite_where=sa.text("state = 'waiting' AND to_staff IS NOT NULL"),
            postgresql_where=sa.text("state = 'waiting' AND to_staff IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_tickets_case",
            sqlite_where=sa.text("case_number IS NOT NULL"),
            postgresql_where=sa.text("case_number IS NOT NULL"),
        )
        batch_op.create_index(
            batch_op.f("ix_tickets_waiting"),
            ["hall", "day", "queue", "lane", "queued_us", "id"],
            unique=False,
            sqlite_where=sa.text("state = 'waiting' AND to_window IS NULL"),
            postgresql_where=sa.text("state = 'waiting' AND to_window IS NULL"),
        )
        batch_op.drop_column("forecast_high_s")
        batch_op.drop_column("forecast_low_s")
        batch_op.drop_column("block_id")
        batch_op.drop_column("case_number")
        batch_op.drop_column("appointment_id")
        batch_op.drop_column("left_reason")
        batch_op.drop_column("deferred_at")
        batch_op.drop_column("remind_at")
        batch_op.drop_column("first_called_at")
        batch_op.drop_column("transfers")
        batch_op.drop_column("to_staff")
        batch_op.drop_column("party")
        batch_op.drop_column("ground")
        batch_op.drop_column("waiting_since")
        batch_op.drop_column("phone_key")

    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_cases_forwarded_tab",
            sqlite_where=sa.text("forwarded_to IS NOT NULL"),
            postgresql_where=sa.text("forwarded_to IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_cases_forwarded_overdue",
            sqlite_where=sa.text(
                "forwarded_to IS NOT NULL AND tab IN ('todo', 'correction', 'special') AND light IN ('yellow', 'red')"
            ),
            postgresql_where=sa.text(
                "forwarded_to IS NOT NULL AND tab IN ('todo', 'correction', 'special') AND light IN ('yellow', 'red')"
            ),
        )

    with op.batch_alter_table("case_reviews", schema=None) as batch_op:
        batch_op.drop_index("ix_case_reviews_hall_tab")
        batch_op.drop_index(
            "ix_case_reviews_hall_overdue",
            sqlite_where=sa.text(
                "state = 'open' AND tab IN ('todo', 'correction', 'special') AND light IN ('yellow', 'red')"
            ),
            postgresql_where=sa.text(
                "state = 'open' AND tab IN ('todo', 'correction', 'special') AND light IN ('yellow', 'red')"
            ),
        )
        batch_op.drop_index(
            "ix_case_reviews_forwarded_tab",
            sqlite_where=sa.text("forwarded_to IS NOT NULL"),
            postgresql_where=sa.text("forwarded_to IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_case_reviews_forwarded_overdue",
            sqlite_where=sa.text(
                "forwarded_to IS NOT NULL AND state = 'open' AND tab IN ('todo', 'correction', 'special') AND light IN ('yellow', 'red')"
            ),
            postgresql_where=sa.text(
                "forwarded_to IS NOT NULL AND state = 'open' AND tab IN ('todo', 'correction', 'special') AND light IN ('yellow', 'red')"
            ),
        )
        batch_op.drop_column("forwarded_to")

    with op.batch_alter_table("calls", schema=None) as batch_op:
        batch_op.drop_index("ix_calls_window_last")
        batch_op.drop_index("ix_calls_at")
        batch_op.drop_column("tally_priority")
        batch_op.drop_column("tally_normal")
        batch_op.drop_column("arrived_at")
        batch_op.drop_column("waited_s")
        batch_op.drop_column("reason_sealed")
        batch_op.drop_column("reason")
        batch_op.drop_column("mode")
        batch_op.drop_column("lane")
        batch_op.drop_column("queue")

    with op.batch_alter_table("services", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_services_ticket", sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL")
        )
        batch_op.drop_index("ix_services_started")
        batch_op.drop_index("ix_services_ended")

    op.drop_table("services")
    with op.batch_alter_table("window_pauses", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_window_pauses_open", sqlite_where=sa.text("to_at IS NULL"), postgresql_where=sa.text("to_at IS NULL")
        )
        batch_op.drop_index("ix_window_pauses_from")

    op.drop_table("window_pauses")
    with op.batch_alter_table("number_blocks", schema=None) as batch_op:
        batch_op.drop_index("uq_number_blocks_first")
        batch_op.drop_index(
            "uq_number_blocks_device",
            sqlite_where=sa.text("state = 'leased'"),
            postgresql_where=sa.text("state = 'leased'"),
        )

    op.drop_table("number_blocks")
    with op.batch_alter_table("appointments", schema=None) as batch_op:
        batch_op.drop_index("uq_appointments_token")
        batch_op.drop_index(
            "ix_appointments_slot",
            sqlite_where=sa.text("state IN ('booked', 'checked_in', 'no_show', 'waitlisted')"),
            postgresql_where=sa.text("state IN ('booked', 'checked_in', 'no_show', 'waitlisted')"),
        )
        batch_op.drop_index("ix_appointments_phone")
        batch_op.drop_index("ix_appointments_person")
        batch_op.drop_index(
            "ix_appointments_due",
            sqlite_where=sa.text("state IN ('booked', 'waitlisted')"),
            postgresql_where=sa.text("state IN ('booked', 'waitlisted')"),
        )
        batch_op.drop_index("ix_appointments_day")

    op.drop_table("appointments")
