"""Takes the pictures of the README, and with `--all` of every page in both languages: `python -m tools.screenshots`.

Starts a hall of its own in a temporary folder, lets a short morning happen through the API, and looks at the pages.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Browser, Page, sync_playwright

from tools import chromium

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "docs" / "images"
PASSWORD = secrets.token_urlsafe(9)
SIZES = {"phone": (390, 844), "desktop": (1366, 768), "wide": (1920, 1080)}
NAMES = ("张三丰", "李小龙", "王安石", "赵云", "欧阳修", "司马光", "苏轼", "辛弃疾", "陆游", "杜甫")


@contextmanager
def hall() -> Iterator[str]:
    """A running hall with an empty day; its address."""
    folder = Path(tempfile.mkdtemp(prefix="hall"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {"HALL_DATA_DIR": str(folder), "HALL_PORT": str(port), "HALL_DEMO_PASSWORD": PASSWORD}
    env = {**os.environ, **own, "HALL_LOGIN_LIMIT": "1000/minute"}  # one visitor signs in as everybody
    process = subprocess.Popen(
        [sys.executable, "-m", "workers", "launch"], cwd=ROOT, env=env, stdout=subprocess.DEVNULL
    )
    base = f"http://127.0.0.1:{port}"
    try:
        _until_ready(base, process)
        yield base
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _until_ready(base: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(240):
        if process.poll() is not None:
            raise SystemExit("the hall ended before it was ready")
        try:
            if urllib.request.urlopen(f"{base}/readyz", timeout=2).status == 200:
                return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.5)
    raise SystemExit("the hall did not become ready")


class Morning:
    """A short morning in the hall, through the API as anybody would use it."""

    def __init__(self, base: str) -> None:
        self.base, self.api = base, f"{base}/api/v1"
        self.tokens: dict[str, str] = {}

    def as_(self, username: str) -> dict[str, str]:
        if username not in self.tokens:
            self.tokens[username] = self.post("/sessions", None, username=username, password=PASSWORD)["token"]
        return {"Authorization": f"Bearer {self.tokens[username]}"}

    def post(self, path: str, who: str | None, **body: Any) -> Any:
        answer = requests.post(self.api + path, json=body, headers=self.as_(who) if who else {}, timeout=20)
        if answer.status_code >= 400:
            raise SystemExit(f"{path}: {answer.text}")
        return answer.json() if answer.content else None

    def get(self, path: str, who: str | None = None) -> Any:
        return requests.get(self.api + path, headers=self.as_(who) if who else {}, timeout=20).json()

    def item(self, words: str) -> dict[str, Any]:
        found = self.get(f"/halls/luolong/items?q={words}")["items"][0]
        return self.get(f"/items/{found.get('implementation_code') or found['code']}")

    def happen(self) -> dict[str, Any]:
        """Tickets in every zone, five windows at work, four cases at different points."""
        tickets = []
        for n in range(22):
            queue = "ABCDEFACCEFABCEFAACEFD"[n]
            person = {
                "name": NAMES[n % 10],
                "id_number": f"41030519{60 + n}0101{1000 + n}",
                "phone": f"1381234{1000 + n}",
            }
            given = {"queue": queue, "person": person, "lane": "priority" if n in (7, 15) else "normal"}
            tickets.append(self.post("/halls/luolong/tickets", "guide01", **given))
        for n in range(1, 7):
            self.post(f"/windows/luolong-W{n:02d}/open", f"clerk{n:02d}")
        self.post("/windows/luolong-W07/open", "clerk07")
        self.post("/windows/luolong-W07/pause", "clerk07", reason="交接")
        called = {}
        for n in range(1, 7):
            called[n] = self.post(f"/windows/luolong-W{n:02d}/call-next", f"clerk{n:02d}")["ticket"]
            if n not in (1, 2):
                self.post(f"/tickets/{called[n]['id']}/start", f"clerk{n:02d}")
        self.post(f"/tickets/{called[2]['id']}/no-show", "clerk02")
        cases = [
            self.case(words, name, n + 3, called[n + 3]["id"])
            for n, (words, name) in enumerate(
                [("食品经营许可延续", "欧阳𠮷"), ("护士执业", "上官婉儿"), ("劳务派遣", "诸葛亮")]
            )
        ]
        for case in cases[:2]:
            self.post(f"/cases/{case['number']}/accept", "clerk03" if case is cases[0] else "clerk04")
        missing = cases[2]["materials"][0]["code"]
        asked = [{"code": missing, "problem": "申请书未签字"}]
        self.post(f"/cases/{cases[2]['number']}/request-supplement", "clerk05", items=asked)
        return {"tickets": tickets, "cases": cases, "item": self.item("食品经营许可延续")}

    def case(self, words: str, name: str, clerk: int, ticket: str) -> dict[str, Any]:
        guide = self.item(words)
        return self.post(
            "/cases",
            f"clerk{clerk:02d}",
            item=guide["code"],
            ticket=ticket,
            applicant={"kind": "person", "name": name, "id_number": "410305199001010011", "phone": "13812341234"},
            materials=[{"code": m["code"], "state": "received"} for m in guide["materials"]],
        )

    def end(self) -> None:
        """Nobody waits any more and every window is left; the hall still gives out numbers."""
        self.post("/halls/luolong/issuing", "supervisor01", open=False)
        self.post("/halls/luolong/expire", "supervisor01", reason="closing")
        self.post("/halls/luolong/issuing", "supervisor01", open=True)
        for seat in self.get("/windows", "clerk12"):
            if seat["state"] == "closed":
                continue
            self.post(f"/windows/{seat['id']}/open", "clerk12", take_over=True)
            if seat["ticket"]:
                step = "finish" if seat["ticket"]["state"] == "serving" else "no-show"
                self.post(f"/tickets/{seat['ticket']['id']}/{step}", "clerk12")
            self.post(f"/windows/{seat['id']}/close", "clerk12")

    def approver(self, case: str = "") -> str:
        """Somebody whose inbox is not empty, or has this case in it."""
        for n in range(1, 35):
            rows = self.get("/cases", f"approver{n:02d}")["items"]
            if any(case in row["number"] for row in rows):
                return f"approver{n:02d}"
        raise SystemExit("no approver has a case")


def signed_in(browser: Browser, base: str, username: str, size: tuple[int, int], language: str) -> Page:
    """A page of somebody's own browser."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale=language)
    page = context.new_page()
    if username:
        page.goto(f"{base}/login?lang={language[:2]}")
        page.fill("[name=username]", username)
        page.fill("[name=password]", PASSWORD)
        page.click("main button:not([type=button])")
        page.wait_for_load_state("networkidle")
    return page


def shoot(page: Page, url: str, target: Path, *, whole: bool = False) -> None:
    """Look at a page once its font is there."""
    page.goto(url)
    page.wait_for_timeout(3000 if "/screens/" in url else 900)  # a screen first finds its line
    page.evaluate("document.fonts.ready")
    target.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=target, full_page=whole)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--all", type=Path, metavar="FOLDER", help="every page, both languages, three sizes")
    given = arguments.parse_args()
    found = chromium.find()
    with hall() as base, sync_playwright() as playwright:
        morning = Morning(base)
        day = morning.happen()
        env = {**os.environ, **found.env}
        browser = playwright.chromium.launch(executable_path=found.path, args=list(found.arguments), env=env)
        for name, username, path, size in (
            ("board", "guide01", "/screens/luolong/board", "wide"),
            ("clerk", "clerk03", f"/clerk?item={day['item']['code']}", "desktop"),
        ):
            page = signed_in(browser, base, username, SIZES[size], "zh-CN")
            shoot(page, base + path, README / f"{name}.png")
            page.context.close()
        if given.all:
            every(browser, base, morning, day, given.all)
        browser.close()
    return 0


def every(browser: Browser, base: str, morning: Morning, day: dict[str, Any], folder: Path) -> None:
    """Every page that a person can come to, for a look."""
    approver = morning.approver()
    case = day["cases"][0]["number"]
    wanted: list[tuple[str, str, str]] = [
        ("", "home", "/"),
        ("", "login", "/login"),
        ("", "pair", "/pair"),
        ("", "progress", "/progress"),
        ("", "ticket", f"/t/{day['tickets'][20]['token']}"),
        ("", "case-public", f"/c/{day['cases'][0]['query_token']}"),
        ("", "case-supplement", f"/c/{day['cases'][2]['query_token']}"),
        ("", "items", "/halls/luolong/items?q=spjy"),
        ("", "item", f"/items/{day['item']['code']}"),
        ("guide01", "kiosk", "/kiosk"),
        ("guide01", "guide", "/guide"),
        ("guide01", "board", "/screens/luolong/board"),
        ("guide01", "window", "/screens/luolong/window/W03"),
        ("clerk01", "clerk-called", "/clerk"),
        ("clerk03", "clerk-serving", f"/clerk?item={day['item']['code']}"),
        ("clerk09", "clerk-closed", "/clerk"),
        ("clerk03", "case-clerk", f"/cases/{case}"),
        ("clerk05", "case-correction", f"/cases/{day['cases'][2]['number']}"),
        (approver, "approver", "/approver"),
        (approver, "case-approver", f"/cases/{case}"),
        ("chief01", "chief", "/approver"),
        ("pickup01", "pickup", "/pickup"),
        ("supervisor01", "supervisor", "/supervisor"),
        ("supervisor01", "record", "/supervisor/record"),
        ("admin01", "admin", "/admin"),
    ]
    for language in ("zh-CN", "en-US"):
        for size, pixels in SIZES.items():
            pages: dict[str, Page] = {}
            for username, name, path in wanted:
                if username not in pages:
                    pages[username] = signed_in(browser, base, username, pixels, language)
                shoot(pages[username], base + path, folder / f"{name}-{language[:2]}-{size}.png", whole=size != "wide")
            for page in pages.values():
                page.context.close()


if __name__ == "__main__":
    sys.exit(main())
