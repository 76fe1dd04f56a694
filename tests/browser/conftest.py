"""A whole hall in its own processes, and a real Chromium that visits it. A failing test leaves a picture."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect, sync_playwright

from tools import chromium
from tools.screenshots import PASSWORD, Morning, hall

FAILURES = Path(__file__).parent / "failures"
DESKTOP = {"width": 1366, "height": 768}
PATIENCE = 20_000  # ms; a machine that does much else is slow, not wrong

expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.path).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def base() -> Iterator[str]:
    with hall() as address:
        yield address


@pytest.fixture(scope="session")
def morning(base: str) -> Morning:
    return Morning(base)


@pytest.fixture
def empty_hall(morning: Morning) -> Iterator[Morning]:
    """The hall before anybody sits down: whoever other tests left waiting or at a window is gone, and so is this
    test's own afterwards.
    """
    morning.end()
    yield morning
    morning.end()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = chromium.find()
    with sync_playwright() as playwright:
        env = {**os.environ, **found.env}
        made = playwright.chromium.launch(executable_path=found.path, args=list(found.arguments), env=env)
        yield made
        made.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call" and report.failed:
        FAILURES.mkdir(exist_ok=True)
        for n, page in enumerate(getattr(item, "pages", [])):
            if not page.is_closed():
                page.screenshot(path=FAILURES / f"{item.name.replace(chr(47), chr(95))}-{n}.png", full_page=True)
    return report


@pytest.fixture(scope="session")
def signed_in() -> dict[tuple[str, str], StorageState]:
    """The cookies of whoever has signed in once, by account and language: who comes again is still signed in."""
    return {}


@pytest.fixture
def visit(
    browser: Browser, base: str, signed_in: dict[tuple[str, str], StorageState], request: pytest.FixtureRequest
) -> Iterator[Callable[..., Page]]:
    """Open a page as somebody, in a browser of their own. Errors in the console or in scripts fail the test."""
    contexts: list[BrowserContext] = []
    trouble: list[str] = []
    request.node.pages = []

    def open_page(
        path: str, who: str = "", *, language: str = "zh-CN", size: dict[str, int] | None = None, scripts: bool = True
    ) -> Page:
        context = browser.new_context(
            viewport=size or DESKTOP,
            locale=language,
            java_script_enabled=scripts,
            storage_state=signed_in.get((who, language)),
        )
        contexts.append(context)
        page = context.new_page()
        request.node.pages.append(page)
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: trouble.append(f"{page.url}: {error}"))
        page.on("console", lambda said: trouble.append(f"{page.url}: {said.text}") if _is_trouble(said) else None)
        if who and (who, language) not in signed_in:
            page.goto(f"{base}/login?lang={language[:2]}")
            page.fill("[name=username]", who)
            page.fill("[name=password]", PASSWORD)
            page.press("[name=password]", "Enter")
            page.wait_for_url(lambda url: "/login" not in url)
            signed_in[who, language] = {"cookies": context.cookies(), "origins": []}
        page.goto(base + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not trouble, trouble


def _is_trouble(said: object) -> bool:
    text, kind = said.text, said.type  # type: ignore[attr-defined]
    return kind == "error" and "Failed to load resource" not in text and "WebSocket" not in text
