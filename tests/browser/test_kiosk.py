"""A kiosk whose server is really stopped: it goes on giving numbers, and each of them is one ticket afterwards."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect
from simple_websocket import ConnectionClosed, Server
from werkzeug.serving import make_server

from tools.screenshots import PASSWORD, ROOT, _until_ready

STANDING = {"width": 1080, "height": 1920}
WAIT_MS = 60_000
CARD = "410305199001010011"


class Reader:
    """The small program beside a card reader: a real websocket server that tells whoever is connected what it read."""

    def __init__(self) -> None:
        self._server = make_server("127.0.0.1", 0, self._connected, threaded=True)
        self.address = f"ws://127.0.0.1:{self._server.server_port}"
        self._lines: list[Server] = []
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _connected(self, environ: dict[str, Any], _start: Callable[..., Any]) -> Any:
        line = Server.accept(environ)
        self._lines.append(line)
        try:
            while True:
                line.receive()
        except ConnectionClosed:
            self._lines.remove(line)
        raise ConnectionError  # there is no answer to write: the line was the answer

    def tell(self, **message: str) -> None:
        for line in list(self._lines):
            line.send(json.dumps(message))

    def unplug(self) -> None:
        for line in list(self._lines):
            line.close()

    def stop(self) -> None:
        self.unplug()
        self._server.shutdown()


class House:
    """A hall that can be switched off and on again at the same address, with the same data."""

    def __init__(self, reader: str) -> None:
        self.reader = reader
        self.folder = Path(tempfile.mkdtemp(prefix="hall"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def on(self) -> None:
        own = {"HALL_DATA_DIR": str(self.folder), "HALL_PORT": str(self.port), "HALL_DEMO_PASSWORD": PASSWORD}
        env = {**os.environ, **own, "HALL_KIOSK_BLOCK": "5", "HALL_KIOSK_READER": self.reader}
        env["HALL_LOGIN_LIMIT"] = "1000/minute"
        command = [sys.executable, "-m", "workers", "launch"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
        _until_ready(self.base, self.process)

    def off(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self.process = None

    def ask(self, path: str, **body: Any) -> Any:
        token = requests.post(
            f"{self.base}/api/v1/sessions", json={"username": "admin01", "password": PASSWORD}, timeout=20
        ).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        address = f"{self.base}/api/v1{path}"
        answer = (
            requests.post(address, json=body, headers=headers, timeout=20)
            if body
            else requests.get(address, headers=headers, timeout=20)
        )
        assert answer.ok, answer.text
        return answer.json()

    def issued(self) -> list[dict[str, Any]]:
        """Every ticket that the record of the hall knows, as events."""
        return [row for row in self.record() if row["kind"] == "ticket.issued"]

    def record(self) -> list[dict[str, Any]]:
        return self.ask("/halls/luolong/events?after=0&limit=1000")


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    made = Reader()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def house(reader: Reader) -> Iterator[House]:
    made = House(reader.address)
    made.on()
    yield made
    if made.process is not None:
        made.off()
    shutil.rmtree(made.folder, ignore_errors=True)


@pytest.fixture
def kiosk(browser: Browser, house: House, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A browser that is paired as a kiosk and has been lent its numbers."""
    device = house.ask("/devices", hall="luolong", kind="kiosk")
    context = browser.new_context(viewport=STANDING, locale="zh-CN")
    page = context.new_page()
    request.node.pages = [page]
    page.set_default_timeout(WAIT_MS)
    page.add_init_script("window.print = () => (window.prints = (window.prints ?? 0) + 1)")
    page.goto(f"{house.base}/pair?kind=kiosk")
    page.fill("[name=code]", device["pairing_code"])
    page.press("[name=code]", "Enter")
    page.wait_for_url("**/kiosk*")
    ready(page)
    yield page
    context.close()


COUNT = """async (state) => {
    const base = await new Promise((done) => (indexedDB.open("kiosk", 1).onsuccess = (e) => done(e.target.result)));
    if (!base.objectStoreNames.contains("blocks")) return -1;
    const store = base.transaction("blocks").objectStore("blocks");
    const blocks = await new Promise((done) => (store.getAll().onsuccess = (e) => done(e.target.result)));
    base.close();
    return blocks.filter((block) => !state || block.state === state).length;
}"""


NUMBERS = """async (queue) => {
    const base = await new Promise((done) => (indexedDB.open("kiosk", 1).onsuccess = (e) => done(e.target.result)));
    const store = base.transaction("blocks").objectStore("blocks");
    const blocks = await new Promise((done) => (store.getAll().onsuccess = (e) => done(e.target.result)));
    base.close();
    return blocks.find((block) => block.queue === queue).numbers.map((each) => each.number);
}"""


# tell and stock up, as the first page does; the next number of each queue
SETTLE = """() => import('/static/blocks.js').then(async (blocks) => {
    await blocks.settle("luolong", JSON.parse(document.querySelector("[data-home]").dataset.queues));
    return (await blocks.left()).map((block) => block.numbers[0].number);
})"""


def until(page: Page, question: str, answer: Any, given: Any = None) -> None:
    """Ask the page again and again: its policy forbids what `wait_for_function` does."""
    for _ in range(300):
        found = page.evaluate(question, given)
        if found == answer:
            return
        page.wait_for_timeout(200)
    raise AssertionError((question, found))


def ready(page: Page) -> None:
    """Six blocks are in the store, and the service worker holds the page for the time without a server."""
    page.goto(page.url.split("/kiosk")[0] + "/kiosk")
    until(page, "() => navigator.serviceWorker.controller !== null", True)
    until(page, "() => caches.match('/kiosk/offline?lang=zh').then(Boolean)", True)
    until(page, COUNT, 6, "leased")


def take_offline(page: Page, queue: str, ground: str = "") -> str:
    page.click(f"[data-queue={queue}]")
    if ground:
        page.check(f"[name=ground][value={ground}]")
    page.click("[data-take]")
    expect(page.locator(".h-qr svg path")).to_have_count(2)
    return page.locator("h1[data-slip-number]").inner_text()


def back_home(page: Page) -> None:
    page.wait_for_selector("[data-home]", timeout=WAIT_MS)
    expect(page.locator("[data-untold]")).to_be_hidden()


def test_three_numbers_without_a_server_are_three_tickets_with_it(kiosk: Page, house: House) -> None:
    before = len(house.issued())
    house.off()
    kiosk.click("text=商事登记")  # in the middle of it the house is gone
    kiosk.wait_for_selector("[data-queue=A]")
    assert "暂时连不上" in kiosk.inner_text(".k-note")
    first = take_offline(kiosk, "A")
    kiosk.click("[data-done]")
    second = take_offline(kiosk, "A", "elderly")
    kiosk.reload()  # the kiosk is switched off and on
    third = take_offline(kiosk, "C")
    assert (first[0], second, third[0]) == ("A", f"A{int(first[1:]) + 1}", "C")
    assert kiosk.evaluate("window.prints") == 1
    kiosk.click("[data-done]")
    house.on()
    back_home(kiosk)
    made = {row["body"]["number"]: row["body"] for row in house.issued()[before:]}
    assert sorted(made) == sorted([first, second, third])
    assert len(house.issued()) == before + 3
    assert made[second]["lane"] == "priority"
    assert made[second]["ground"] == "elderly"
    assert made[first]["arrived_at"] < made[second]["arrived_at"] < made[third]["arrived_at"]
    rest = [f"A{int(second[1:]) + n}" for n in range(1, 4)]
    assert kiosk.evaluate(NUMBERS, "A") == rest  # the block goes on: no number of the run is wasted
    assert not [row for row in house.record() if row["kind"] == "block.closed"]


def test_a_block_of_which_little_is_left_is_told_and_another_lent(kiosk: Page, house: House) -> None:
    before = len(house.issued())
    house.off()
    kiosk.click("text=不动产登记")
    kiosk.wait_for_selector("[data-queue=B]")
    given = []
    for _ in range(3):  # of five
        given.append(take_offline(kiosk, "B"))
        kiosk.click("[data-done]")
    house.on()
    back_home(kiosk)
    until(kiosk, COUNT, 6, "leased")
    assert sorted(row["body"]["number"] for row in house.issued()[before:]) == given
    (closed,) = [row["body"] for row in house.record() if row["kind"] == "block.closed"]
    assert (closed["queue"], closed["used"], len(closed["void"])) == ("B", 3, 2)
    fresh = kiosk.evaluate(NUMBERS, "B")
    assert len(fresh) == 5 and not set(fresh) & {*given, *closed["void"]}


def test_a_second_browser_of_the_same_kiosk_is_lent_nothing(kiosk: Page, house: House, browser: Browser) -> None:
    mine = kiosk.evaluate(NUMBERS, "A")
    twin = browser.new_context(viewport=STANDING, locale="zh-CN", storage_state=kiosk.context.storage_state())
    page = twin.new_page()
    page.goto(f"{house.base}/kiosk")
    assert page.evaluate(SETTLE) == []
    page.goto(f"{house.base}/kiosk/offline")
    expect(page.locator("[data-none]")).to_be_visible()  # what to do instead is said
    expect(page.locator("[data-giving]").first).to_be_hidden()
    twin.close()
    assert kiosk.evaluate(NUMBERS, "A") == mine


def test_a_kiosk_that_is_paired_anew_tells_what_it_had_printed_before(kiosk: Page, house: House) -> None:
    before = len(house.issued())
    kiosk.context.set_offline(True)
    kiosk.goto(f"{house.base}/kiosk")
    kiosk.wait_for_selector("[data-queue=A]")
    number = take_offline(kiosk, "A")
    kiosk.goto("about:blank")  # nothing is told while nobody looks
    kiosk.context.set_offline(False)
    device = house.ask("/devices", hall="luolong", kind="kiosk")
    kiosk.context.clear_cookies()
    kiosk.goto(f"{house.base}/pair?kind=kiosk")
    kiosk.fill("[name=code]", device["pairing_code"])
    kiosk.press("[name=code]", "Enter")
    kiosk.wait_for_url("**/kiosk*")
    for _ in range(100):
        if len(house.issued()) > before:
            break
        kiosk.wait_for_timeout(200)
    (issued,) = house.issued()[before:]
    assert (issued["body"]["number"], issued["actor"]) == (number, device["id"].replace("luolong-", "device:kiosk-"))


def test_a_kiosk_with_a_wrong_clock_keeps_its_numbers(kiosk: Page) -> None:
    kiosk.evaluate("() => { const real = Date.now.bind(Date); Date.now = () => real() + 2 * 864e5; }")
    kiosk.evaluate(SETTLE)  # the clock has jumped: the blocks of another day are told and new ones lent
    lent = kiosk.evaluate(SETTLE)
    assert len(lent) == 6
    assert kiosk.evaluate(SETTLE) == lent


def test_an_upload_whose_answer_is_lost_doubles_nothing(kiosk: Page, house: House) -> None:
    before = len(house.issued())
    context: BrowserContext = kiosk.context
    cut = {"on": True}
    told = []

    def answer(route: Any) -> None:
        if not cut["on"]:
            route.continue_()
        elif "/reconcile" in route.request.url and told:
            route.fetch()  # the server hears it, and the kiosk does not hear the answer
            told.append(route.request.url)
            route.abort()
        else:
            route.abort()

    context.route("**/*", answer)
    kiosk.goto(f"{house.base}/kiosk")
    kiosk.wait_for_selector("[data-queue=B]")
    number = take_offline(kiosk, "B")
    kiosk.click("[data-done]")
    told.append("from now on")
    kiosk.evaluate("import('/static/blocks.js').then((blocks) => blocks.tell())")
    assert len(told) == 2
    assert kiosk.evaluate("import('/static/blocks.js').then((blocks) => blocks.untold())") == 1
    another = take_offline(kiosk, "B")  # the block goes on meanwhile
    kiosk.click("[data-done]")
    cut["on"] = False
    back_home(kiosk)
    assert [row["body"]["number"] for row in house.issued()[before:]] == [number, another]


def test_nothing_of_a_person_is_left_in_the_browser(kiosk: Page, house: House) -> None:
    kiosk.goto(f"{house.base}/kiosk/take?queue=F")
    kiosk.click("[data-person] summary")
    kiosk.keyboard.type(CARD + "\n")
    expect(kiosk.locator("[data-card] p")).to_have_text("已读身份证 4103**********0011")
    assert CARD not in kiosk.inner_text("body")
    kiosk.click(".k-btn--main")
    kiosk.wait_for_url("**/kiosk/ticket/*")
    number = kiosk.inner_text(".k-slip__number")
    kept = kiosk.evaluate(
        """async () => {
            const texts = [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie];
            for (const name of await caches.keys())
                for (const request of await (await caches.open(name)).keys())
                    texts.push(request.url, /offline/.test(request.url) ? await (await caches.match(request)).text() : "");
            const base = await new Promise((done) => (indexedDB.open("kiosk", 1).onsuccess = (e) => done(e.target.result)));
            const store = base.transaction("blocks").objectStore("blocks");
            texts.push(JSON.stringify(await new Promise((done) => (store.getAll().onsuccess = (e) => done(e.target.result)))));
            base.close();
            return texts.join("\\n");
        }"""
    )
    assert CARD not in kept
    assert "/kiosk/ticket/" not in kept
    kiosk.goto(f"{house.base}/kiosk/scan")
    kiosk.keyboard.type(CARD + "\n")  # a reader that types, as keyboards do
    kiosk.wait_for_url("**/kiosk/ticket/*")
    assert kiosk.inner_text(".k-slip__number") == number


def test_a_card_typed_by_a_reader_does_not_stay_in_the_field_with_the_focus(kiosk: Page, house: House) -> None:
    kiosk.goto(f"{house.base}/kiosk/take?queue=F")
    kiosk.click("[data-person] summary")
    kiosk.focus("#phone")
    kiosk.keyboard.type(CARD + "\n")
    expect(kiosk.locator("[data-card] p")).to_have_text("已读身份证 4103**********0011")
    assert kiosk.input_value("#phone") == ""
    assert "/kiosk/take" in kiosk.url
    kiosk.click("[data-card-forget]")
    assert kiosk.input_value("#id_number") == ""


def test_a_reader_on_its_own_line_reads_cards_and_codes_and_says_that_the_paper_is_out(
    kiosk: Page, house: House, reader: Reader
) -> None:
    words = kiosk.locator("[data-card] p")
    kiosk.goto(f"{house.base}/kiosk/take?queue=F")
    kiosk.click("[data-person] summary")
    expect(words).to_have_text("请把身份证放在读卡区")
    reader.unplug()
    expect(words).to_have_text("读卡器没有连接，请用键盘输入")
    expect(words).to_have_text("请把身份证放在读卡区", timeout=WAIT_MS)  # plugged in again
    reader.tell(card="nothing that is one")
    reader.tell(card=CARD)
    expect(words).to_have_text("已读身份证 4103**********0011")
    kiosk.click(".k-btn--main")
    kiosk.wait_for_url("**/kiosk/ticket/*")
    number, address = kiosk.inner_text(".k-slip__number"), kiosk.url.replace("/kiosk/ticket/", "/t/")
    for _ in range(50):  # this page has its line to the reader a moment after it is there
        reader.tell(printer="out")
        if kiosk.is_visible("[data-nopaper]"):
            break
        kiosk.wait_for_timeout(100)
    assert kiosk.is_visible("[data-nopaper]")
    for read in ({"card": CARD}, {"code": address}):
        kiosk.goto(f"{house.base}/kiosk/scan")
        expect(words).to_have_text("请把身份证放在读卡区")
        reader.tell(**read)
        kiosk.wait_for_url("**/kiosk/ticket/*")
        assert kiosk.inner_text(".k-slip__number") == number


def test_a_hall_without_a_reader_shows_cards_to_tap(kiosk: Page, house: House) -> None:
    def simulated(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace(house.reader, "simulated"))

    kiosk.context.route("**/kiosk/take*", simulated)
    kiosk.goto(f"{house.base}/kiosk/take?queue=F")
    kiosk.click("[data-person] summary")
    kiosk.click(f"[data-card-simulated] [data-number='{CARD}']")
    expect(kiosk.locator("[data-card] p")).to_have_text("已读身份证 4103**********0011")
