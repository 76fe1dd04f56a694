"""`python -m benchmarks [backlog] [deadlines] [heads] [latency] [throughput]`: prints tables with ratios, writes benchmarks/results/*.json."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

PARTS = ("throughput", "latency", "heads", "backlog", "deadlines")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the named parts, all of them by default. 1 when a call is slower on its screen than it may be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parts = parser.parse_args(arguments).parts or PARTS
    unknown = sorted(set(parts) - set(PARTS))
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}")
    began, late = time.monotonic(), False
    for part in parts:
        if part == "throughput":
            from benchmarks import throughput

            throughput.main()
        elif part == "heads":
            from benchmarks import heads

            heads.main()
        elif part == "deadlines":
            from benchmarks import deadlines

            deadlines.main()
        elif part == "backlog":
            from benchmarks import backlog

            backlog.main()
        else:
            from benchmarks import latency

            result = latency.main()
            late = result["call"]["median_ms"] >= result["target_ms"]
    print(f"\n{time.monotonic() - began:.0f} s; the figures are in benchmarks/results/")
    if late:
        print("A call reaches its screen too late.", file=sys.stderr)
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
