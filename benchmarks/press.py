"""What a clerk feels: from F2 on the console until the number is painted, in a real Chromium, through the front door."""

from __future__ import annotations

import os
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks import tables
from benchmarks.house import HALL, PASSWORD, House
from tools import chromium

CALLS = 30
WAITING = 60
TARGET_MS = 150
PAUSE_MS = 1500  # between two keys; a clerk takes longer

# all on the page's own clock: the key, the first change that answers it, the number with its next steps, its paint
WATCH = """() => {
  window.press = {};
  addEventListener("keydown", (event) => { if (event.key === "F2") press.key = performance.now(); }, true);
  new MutationObserver(() => {
    if (!press.key) return;
    press.feedback ??= performance.now();
    if (press.number || !document.querySelector(".h-number") || !document.querySelector("[data-key=F4]")) return;
    press.number = performance.now();
    requestAnimationFrame(() => setTimeout(() => { press.paint = performance.now(); }));
  }).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""
EMPTY = """async () => {
  const began = performance.now();
  await (await fetch("/healthz", { cache: "no-store" })).text();
  return performance.now() - began;
}"""


def measure() -> dict[str, Any]:
    """One clerk, sixty people waiting, thirty calls, on SQLite with every process of `make run`; each call is followed
    by the same browser's fetch of a route that does nothing.
    """
    found = chromium.find()
    with House() as house, sync_playwright() as playwright:
        client = house.client
        desk, clerk = client.sign_in("guide01"), client.sign_in("clerk12")
        for n in range(WAITING):
            client.must("POST", f"/halls/{HALL}/tickets", {"queue": "ABCDEF"[n % 6]}, desk)
        client.must("POST", f"/windows/{HALL}-W12/open", None, clerk)
        browser = playwright.chromium.launch(
            executable_path=found.path, args=list(found.arguments), env={**os.environ, **found.env}
        )
        page = _console(browser.new_page(viewport={"width": 1366, "height": 768}), f"http://127.0.0.1:{house.port}")
        samples = [_one(page) for _ in range(CALLS)]
        browser.close()
    result: dict[str, Any] = {"calls": CALLS, "waiting": WAITING, "target_ms": TARGET_MS, "database": "sqlite"}
    for name in ("feedback", "number", "paint", "empty"):
        values = [sample[name] for sample in samples]
        result[name] = {
            "median_ms": tables.median(values),
            "p95_ms": tables.quantile(values, 0.95),
            "max_ms": max(values),
        }
    return result


def _console(page: Page, base: str) -> Page:
    page.goto(f"{base}/login")
    page.fill("[name=username]", "clerk12")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    page.goto(f"{base}/clerk")
    page.locator("#c-call").wait_for()
    page.evaluate(WATCH)
    return page


def _one(page: Page) -> dict[str, float]:
    """Milliseconds from the key; the number is given back as one that nobody answered."""
    page.wait_for_timeout(PAUSE_MS)  # what the step before set going is over
    page.evaluate("() => { window.press = {}; }")
    page.keyboard.press("F2")
    page.wait_for_function("() => window.press.paint")
    seen = page.evaluate("() => window.press")
    empty = page.evaluate(EMPTY)
    page.wait_for_timeout(PAUSE_MS)
    page.keyboard.press("F8")
    page.locator("#c-call").wait_for()
    return {name: seen[name] - seen["key"] for name in ("feedback", "number", "paint")} | {"empty": empty}


def main() -> dict[str, Any]:
    """Measure, show, keep."""
    result = measure()
    names = {
        "feedback": "the page answers the key",
        "number": "the number is in the page",
        "paint": "the number is painted",
        "empty": "an empty route, for comparison",
    }
    empty = result["empty"]["median_ms"]
    tables.show(
        f"F2 on the console in Chromium, {CALLS} calls, {WAITING} waiting (ms from the key; aim: below {TARGET_MS})",
        ["until", "median", "p95", "max", "median / empty route"],
        [
            [text, *(result[name][f"{q}_ms"] for q in ("median", "p95", "max")), result[name]["median_ms"] / empty]
            for name, text in names.items()
        ],
    )
    tables.keep("press", result)
    return result
