"""Five faults in mid-load on the real processes, and nothing that was acknowledged is lost."""

from __future__ import annotations

import pytest

from benchmarks.chaos import run
from benchmarks.house import DATABASES

FAULTS = {
    "sqlite": ("web", "redis", "relay", "flushall", "gateway"),
    "postgresql": ("web-worker", "postgres", "redis", "worker", "front"),
}


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", DATABASES)
def test_a_killed_process_loses_nothing(kind: str) -> None:
    found, line, this = run(kind, FAULTS[kind], seed=7)
    print(line)
    assert sum(this.faults.values()) == len(FAULTS[kind])
    assert found.acked > 50
    assert found.all() == []
