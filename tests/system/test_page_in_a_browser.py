"""The page in a real browser: it fits, it is legible, it asks nobody else, and its button works with scripts off."""

import re
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from central.bootstrap.application import build_app
from central.config import read_config
from central.services.orders import Approved
from central.services.overview import Overview
from central.services.replenish import replenish
from central.store.engine import Store
from central.web.pages import PageSources, build_pages
from central.web.render import About
from protocols.values.ids import OrderNo
from protocols.values.instant import plus
from tests.central.doors import open_desk
from tests.central.hospital import HOSPITAL, KIT, START, Ward, frozen_clock, short_of_kits
from tests.central.stores import migrated_store
from tests.central.web import hospitals

pytestmark = pytest.mark.needs_browser

STARTED_S_MAX = 60.0
SEEN_MS_MAX = 30_000
WIDTHS = (1366, 390)
LANGUAGES = ("zh", "en")
AA = 4.5
BROWSER_ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
CONFIG = """[hospital]
name_zh = "示例市第一医院"
name_en = "Sample City First Hospital"
[broker]
urls = ["mqtt://127.0.0.1:1883"]
[sync]
unsigned = true
[people]
everyone_is = "page"
"""

OUTSIDE = """() => [...document.querySelectorAll('body *')].filter(one => {
    const box = one.getBoundingClientRect();
    return box.width > 1 && box.height > 1 && getComputedStyle(one).clipPath === 'none' && !one.closest('thead, .skip')
        && (box.right > innerWidth + 0.5 || box.left < -0.5);
}).map(one => one.outerHTML.slice(0, 120))"""

SPILLING = """() => [...document.querySelectorAll('.cell, .tile, .chip, button, h1, h2, p, caption')]
    .filter(one => getComputedStyle(one).display !== 'inline' && one.scrollWidth > one.clientWidth + 1)
    .map(one => one.outerHTML.slice(0, 120))"""

OVERLAPPING = """() => {
    const boxes = [...document.querySelectorAll('.tile, .chip, button, .legend li, tbody td, tbody th')]
        .map(one => [one, one.getBoundingClientRect()]).filter(([, box]) => box.width > 0);
    const apart = (a, b) => a.right <= b.left + 0.5 || b.right <= a.left + 0.5
        || a.bottom <= b.top + 0.5 || b.bottom <= a.top + 0.5;
    return boxes.flatMap(([one, a], i) => boxes.slice(i + 1)
        .filter(([other, b]) => !one.contains(other) && !other.contains(one) && !apart(a, b))
        .map(([other]) => one.outerHTML.slice(0, 60) + ' / ' + other.outerHTML.slice(0, 60)));
}"""

PALE = """(least) => {
    const parts = text => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
        .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = one => {
        for (let at = one; at; at = at.parentElement) {
            const [r, g, b, a = 1] = parts(getComputedStyle(at).backgroundColor);
            if (a === 1) return [r, g, b];
        }
        return [255, 255, 255];
    };
    return [...document.querySelectorAll('body *')].filter(one => {
        if (![...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim())) return false;
        const pair = [light(parts(getComputedStyle(one).color)), light(ground(one))].sort((a, b) => b - a);
        return (pair[0] + 0.05) / (pair[1] + 0.05) < least;
    }).map(one => one.outerHTML.slice(0, 120));
}"""


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an application on a port of this machine and give its address."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    deadline = time.monotonic() + STARTED_S_MAX
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    assert server.started
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(BROWSER_ARGS))
        yield made
        made.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    contexts = []

    def opened(width: int = 1366, *, scripts: bool = True, locale: str = "zh-CN") -> Page:
        viewport: ViewportSize = {"width": width, "height": 800}
        context = browser.new_context(viewport=viewport, java_script_enabled=scripts, locale=locale)
        context.set_default_timeout(SEEN_MS_MAX)
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()


def pages_of(overview: Callable[[], Overview], refresh_s: int = 30) -> FastAPI:
    done = Approved(OrderNo(hospitals.orders()[0].number), fresh=True)
    sources = PageSources(
        overview=lambda _caller: overview(),
        approve=lambda _caller, _proposal, _seen: done,
        desk=open_desk(migrated_store(), START),
        refresh_s=refresh_s,
        about=About("1.2.3", told_time=True),
    )
    return build_pages(sources)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return short_of_kits(tmp_path / "files")


@pytest.fixture
def central(store: Store, tmp_path: Path) -> Iterator[str]:
    """The real application over that store, API and pages."""
    (tmp_path / "central.toml").write_text(CONFIG, "utf-8")
    with served(build_app(read_config(tmp_path / "central.toml"), store, frozen_clock(plus(START, 1000)))) as address:
        yield address


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("overview", [hospitals.troubled, hospitals.half_connected, hospitals.calm, hospitals.empty])
def test_nothing_is_wider_than_the_window_or_lies_over_another(
    open_page: Callable[..., Page], overview: Callable[[], Overview], language: str, width: int
) -> None:
    page = open_page(width)
    with served(pages_of(overview)) as address:
        page.goto(f"{address}/?lang={language}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(OUTSIDE) == []
        assert page.evaluate(SPILLING) == []
        assert page.evaluate(OVERLAPPING) == []
        assert page.evaluate(PALE, AA) == []


@pytest.mark.parametrize("width", [390, 1366])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_head_of_the_pages_opens_inside_the_window(
    open_page: Callable[..., Page], central: str, language: str, width: int
) -> None:
    page = open_page(width, scripts=False)
    page.goto(f"{central}/?lang={language}")
    heads = page.locator("nav.pages summary")
    assert heads.count() > 1
    for number in range(heads.count()):
        heads.nth(number).click()
        expect(page.locator("nav.pages details[open] a").first).to_be_visible()
        assert page.evaluate(OUTSIDE) == []
        heads.nth(number).click()


def test_nothing_is_asked_of_another_host_and_the_policy_is_never_broken(
    open_page: Callable[..., Page], central: str
) -> None:
    page = open_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{central}/?lang=en", wait_until="networkidle")
    assert len(asked) >= 3
    assert [url for url in asked if not url.startswith(central)] == []
    assert said == []


@pytest.mark.parametrize("scripts", [True, False])
def test_one_press_makes_one_order_with_or_without_scripts(
    open_page: Callable[..., Page], central: str, scripts: bool
) -> None:
    page = open_page(scripts=scripts)
    page.goto(f"{central}/?lang=en")
    page.locator("main").get_by_role("button").click()
    expect(page.get_by_role("status").filter(has_text="Approved.")).to_be_visible()
    number = re.search(r"PO-\d{8}-[0-9A-F]{8}", page.inner_text(".notice"))
    assert number is not None
    expect(page.locator("#orders tbody tr")).to_have_count(1)
    expect(page.locator("#orders")).to_contain_text(number[0])
    expect(page.locator("main").get_by_role("button")).to_have_count(0)


def test_a_second_tab_is_told_that_it_was_approved_already(open_page: Callable[..., Page], central: str) -> None:
    first, second = open_page(scripts=False), open_page(scripts=False)
    for page in (first, second):
        page.goto(f"{central}/?lang=en")
    first.locator("main").get_by_role("button").click()
    expect(first.get_by_role("status")).to_contain_text("Approved.")
    second.locator("main").get_by_role("button").click()
    expect(second.get_by_role("status")).to_contain_text("Already approved at")
    expect(second.locator("#orders tbody tr")).to_have_count(1)


def test_a_proposal_that_changed_since_it_was_read_is_not_ordered(
    open_page: Callable[..., Page], central: str, store: Store
) -> None:
    page = open_page(scripts=False)
    page.goto(f"{central}/?lang=zh")
    Ward(store).receive(KIT, "K2", 40, 950)
    replenish(store, HOSPITAL, plus(START, 960), policy="3x", run="replenish:2")
    page.locator("main").get_by_role("button").click()
    expect(page.get_by_role("status")).to_contain_text("未生成订单。")
    expect(page.locator("#orders tbody tr")).to_have_count(0)


def test_the_language_is_kept_from_page_to_page(open_page: Callable[..., Page], central: str) -> None:
    page = open_page(locale="en-US")
    page.goto(central)
    expect(page.get_by_role("heading", level=1)).to_have_text("科室库房总览")
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ward storerooms")
    page.goto(f"{central}/nowhere")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")


def test_the_page_reads_itself_again_and_says_when_it_cannot(open_page: Callable[..., Page]) -> None:
    shown = [hospitals.calm()]
    page = open_page()
    with served(pages_of(lambda: shown[0], refresh_s=2)) as address:
        page.goto(f"{address}/?lang=en")
        expect(page.locator("#wards tbody tr")).to_have_count(3)
        shown[0] = replace(hospitals.troubled())
        expect(page.locator("#wards tbody tr")).to_have_count(4, timeout=SEEN_MS_MAX)
        expect(page.locator("#stale")).to_be_hidden()
    expect(page.locator("#stale")).to_be_visible(timeout=SEEN_MS_MAX)


def test_the_keyboard_reaches_the_content_and_shows_where_it_is(open_page: Callable[..., Page], central: str) -> None:
    page = open_page()
    page.goto(f"{central}/?lang=en")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to content")).to_be_focused()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.locator("main").get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Approved.")).to_be_visible()
