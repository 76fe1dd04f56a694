"""Queues, tickets, calls and window sessions: who is next, and why."""
