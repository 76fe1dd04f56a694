"""Races for the last waiting ticket, and what becomes of them with the hall's lock taken out."""

from __future__ import annotations

import pytest
from flask import Flask

from app.db import db
from benchmarks import races
from benchmarks.history import check_hall
from tests.concurrency.conftest import HALL

RACES, TWIN_RACES = 100, 20  # ten thousand: python -m benchmarks races


@pytest.fixture(autouse=True)
def nothing_open(app: Flask) -> None:
    db.session.remove()


@pytest.mark.slow
def test_the_last_waiting_ticket_has_one_winner(app: Flask) -> None:
    found = races.run(app, RACES)
    assert (found.races, found.one_winner, dict(found.others)) == (RACES, RACES, {})
    assert found.overlapping > RACES * 0.5, "they did not race"
    assert sum(op.outcome == "empty" for op in found.ops) == RACES * (races.CLERKS - 1)
    assert check_hall(found.ops, HALL)[0].all() == []


@pytest.mark.slow
def test_without_the_lock_some_races_go_wrong(app: Flask) -> None:
    """The twin. The database's own guards still refuse a second winner; but clerks are answered with errors."""
    found = races.run(app, TWIN_RACES, locked=False)
    assert found.one_winner < found.races, "without the lock nothing went wrong: the races above prove nothing any more"
    assert check_hall(found.ops, HALL)[0].answers
