"""Reading the queue: the one door to what its rooms can say. Nothing here writes."""

from app.queueing.hall_queries import (
    longest_wait_s,
    queue_for,
    queues_of_hall,
    window_of_staff,
    windows_of_hall,
    zones_taken,
)
from app.queueing.heads import ahead_of, heads_of_lanes, policy_of, ranked_waiting, waiting_numbers
from app.queueing.ticket_queries import find_by_token, person_of, set_aside, ticket_view, token_of, why_called

__all__ = [
    "ahead_of",
    "find_by_token",
    "heads_of_lanes",
    "longest_wait_s",
    "person_of",
    "policy_of",
    "queue_for",
    "queues_of_hall",
    "ranked_waiting",
    "set_aside",
    "ticket_view",
    "token_of",
    "waiting_numbers",
    "why_called",
    "window_of_staff",
    "windows_of_hall",
    "zones_taken",
]
