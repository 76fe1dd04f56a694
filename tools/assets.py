"""Fetches what pages, screens and papers are made of and puts it where they look: `python -m tools.assets`.

Everything comes from npm at the versions of package-lock.json; the folders it fills are never committed.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

from tools import fonts, npm

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "node_modules"
WEB = ROOT / "app" / "web" / "static" / "vendor"
SCREENS = ROOT / "displays" / "static" / "vendor"
PAPER = ROOT / "app" / "notices" / "fonts"
STAMP = WEB / ".stamp"

FILES = {
    "@tabler/core/dist/css/tabler.min.css": [WEB / "tabler.min.css"],
    "echarts/dist/echarts.min.js": [WEB / "echarts.min.js"],
    "htmx.org/dist/htmx.min.js": [WEB / "htmx.min.js"],
    "socket.io-client/dist/socket.io.min.js": [WEB / "socket.io.min.js", SCREENS / "socket.io.min.js"],
}
FACES = {
    400: ("@expo-google-fonts/noto-sans-sc/400Regular/NotoSansSC_400Regular.ttf", PAPER / "NotoSansSC-Regular.ttf"),
    700: ("@expo-google-fonts/noto-sans-sc/700Bold/NotoSansSC_700Bold.ttf", PAPER / "NotoSansSC-Bold.ttf"),
}
RARE_HAN = "@fontsource-variable/noto-sans-jp/files"


def fingerprint() -> str:
    """Changes whenever what is fetched, or how it is laid out, changes."""
    tools = ROOT / "tools"
    parts = [ROOT / "package-lock.json", tools / "icons.txt", tools / "assets.py", tools / "fonts.py"]
    parts.append(ROOT / "displays" / "clips.py")
    return hashlib.sha256(b"\0".join(part.read_bytes() for part in parts)).hexdigest()


def build() -> None:
    """Fetch and lay out everything; nothing happens when it is all there already."""
    wanted = fingerprint()
    targets = [target for targets in FILES.values() for target in targets]
    complete = all(target.exists() for target in [*targets, *(target for _, target in FACES.values())])
    if complete and STAMP.exists() and STAMP.read_text() == wanted:
        return
    STAMP.unlink(missing_ok=True)
    print("fetching the assets of pages, screens and papers …", flush=True)
    npm.run("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", folder=ROOT)
    for source, targets in FILES.items():
        for target in targets:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(MODULES / source, target)
    PAPER.mkdir(parents=True, exist_ok=True)
    for weight, (face, target) in FACES.items():
        fonts.widen(MODULES / face, MODULES / RARE_HAN, weight, target)
    for folder in (WEB / "fonts", SCREENS / "fonts"):
        _web_font(folder)
    (WEB / "icons.svg").write_text(_sprite(), encoding="utf-8")
    _clips()
    shutil.rmtree(MODULES)  # a quarter of a gigabyte of which nothing is needed any more
    STAMP.write_text(wanted)


def _web_font(folder: Path) -> None:
    """The font in slices: a browser fetches only those whose characters a page shows."""
    package = MODULES / "@fontsource-variable" / "noto-sans-sc"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "files").mkdir(parents=True)
    css = (package / "index.css").read_text(encoding="utf-8")
    for name in re.findall(r"\./files/([^)]+\.woff2)", css):
        shutil.copyfile(package / "files" / name, folder / "files" / name)
    (folder / "noto-sans-sc.css").write_text(css, encoding="utf-8")


def _sprite() -> str:
    """One SVG with a symbol for each icon named in icons.txt; strokes take the colour of the text."""
    symbols = []
    for name in sorted(set((ROOT / "tools" / "icons.txt").read_text().split())):
        svg = (MODULES / "@tabler" / "icons" / "icons" / "outline" / f"{name}.svg").read_text()
        inner = re.sub(r"<!--.*?-->", "", svg, flags=re.S).partition(">")[2].rpartition("</svg>")[0]
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{" ".join(inner.split())}</symbol>')
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n'


def _clips() -> None:
    from displays.clips import FOLDER
    from displays.clips import build as build_clips

    build_clips(FOLDER)


if __name__ == "__main__":
    build()
