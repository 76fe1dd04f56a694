"""`python -m benchmarks [PART …]`: prints tables with ratios, writes benchmarks/results/*.json.

How fast: throughput, latency, press, search, heads, backlog, deadlines; how true an expected wait is: wait (these by
default). Whether all is right under load: crowded, races, midnight.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from importlib import import_module

SPEED = ("throughput", "latency", "press", "search", "heads", "backlog", "deadlines", "wait")
EVIDENCE = ("crowded", "races", "midnight")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the named parts. 1 when a call is slower on its screen than it may be, or the history checker found a fault."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join((*SPEED, *EVIDENCE))}")
    parts = parser.parse_args(arguments).parts or SPEED
    unknown = sorted(set(parts) - {*SPEED, *EVIDENCE})
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}")
    began, wrong = time.monotonic(), []
    for part in parts:
        result = import_module(f"benchmarks.{part}").main()
        if part == "latency" and result["call"]["median_ms"] >= result["target_ms"]:
            wrong.append("A call reaches its screen too late.")
        if part in EVIDENCE and any(run["wrong"] for run in result["runs"] if run.get("lock", True)):
            wrong.append(f"{part}: the history checker found faults.")
    print(f"\n{time.monotonic() - began:.0f} s; the figures are in benchmarks/results/")
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
