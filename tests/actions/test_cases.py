"""Looking at cases: masked fields, inboxes; on both databases."""

from __future__ import annotations

from app import eventlog
from app.casework import inbox, reveal
from tests.actions.conftest import refused


def test_looking_at_a_masked_field_needs_a_reason_and_is_recorded(hall) -> None:
    _, case_id = hall.receive()
    with refused("reveal.reason"):
        hall.do(reveal.reveal_field, "clerk01", case_id=case_id, field="phone", reason="curious")
    with refused("request.invalid"):
        hall.do(reveal.reveal_field, "clerk01", case_id=case_id, field="codes", reason="contact")
    shown = hall.do(reveal.reveal_field, "clerk01", case_id=case_id, field="phone", reason="contact")
    assert shown["value"] == "13812341234"
    last = eventlog.read_subject("luolong", f"case:{case_id}")[-1]
    assert last.event.field == "phone" and last.actor == "staff:clerk01"
    assert "13812341234" not in str(last)


def test_an_approvers_inbox_shows_what_is_theirs_by_due_time(hall) -> None:
    case, _ = hall.accepted()
    hall.accepted()
    department = case["departments"][0]["department"]
    assert inbox.inbox(at=hall.at, department=department)["total"] == 2
    assert inbox.tab_counts(department=department)["todo"] == 2
    assert inbox.inbox(at=hall.at, department="区气象局", state="todo")["total"] == 0
    assert inbox.inbox(at=hall.at, q=case["number"])["total"] == 1
