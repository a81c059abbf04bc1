"""The ward panel in a real browser on a 10-inch screen: a real agent, a real scanner, and what a nurse sees."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from protocols.codes.label import CommandName, make_badge, make_command
from protocols.readers.scanner import Beep
from protocols.values.ids import ActorId
from tests.system.edge_ward import GTIN, Ward, label

pytestmark = [pytest.mark.needs_browser, pytest.mark.needs_linux]

BROWSER_ARGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
SEEN_MS_MAX = 30_000
MORE = '[visit]\nidle_s = 1800\n[panel]\nlisten = "127.0.0.1:0"\n'
ITEMS = f"item,name_zh,name_en,gtin,pack\nC001,一次性使用中心静脉导管包,Central venous catheter kit,{GTIN},5\n"
BADGE = make_badge(ActorId("1001"))
OUTSIDE = """() => [...document.querySelectorAll('body *')].filter(one => {
    const box = one.getBoundingClientRect();
    return box.width > 1 && (box.right > innerWidth + 0.5 || box.left < -0.5);
}).map(one => one.outerHTML.slice(0, 120))"""


HALF = """() => { const list = document.querySelector('#history ol').getBoundingClientRect();
    return [...document.querySelectorAll('#history li')].filter(one =>
        one.getBoundingClientRect().bottom > list.bottom + 0.5).length; }"""


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    made = Ward(tmp_path)
    (tmp_path / "items.csv").write_text(ITEMS, "utf-8")
    config = made.config.read_text("utf-8").replace("[master]\n", '[master]\nitems = "items.csv"\n')
    made.config.write_text(config + MORE, "utf-8")
    yield made
    made.close()


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(BROWSER_ARGS))
        yield made
        made.close()


def address_of(ward: Ward) -> str:
    ward.wait_for("panel: http://")
    (found,) = re.findall(r"panel: (http://\S+)", ward.log())
    return str(found)


def open_panel(ward: Ward, browser: Browser) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(SEEN_MS_MAX)
    page.goto(address_of(ward))
    return page


def test_a_nurse_sees_who_is_in_what_was_scanned_what_is_next_and_why_not(
    ward: Ward, browser: Browser, tmp_path: Path
) -> None:
    agent = ward.start_ready()
    page = open_panel(ward, browser)
    expect(page.locator("#who")).to_contain_text("请扫工牌")
    assert ward.plug.scan(BADGE, label(1), label(2), label(1)) == [Beep.OK, Beep.OK, Beep.OK, Beep.NO]
    expect(page.locator("#who")).to_contain_text("1001")
    expect(page.locator("#last")).to_have_class("no")
    expect(page.locator("#last")).to_contain_text("已由 1001")
    expect(page.locator("#next")).to_contain_text("物资")
    page.locator("#language").click()
    expect(page.locator("#last")).to_contain_text("already taken by 1001")
    assert page.evaluate(OUTSIDE) == []
    page.locator("#language").click()
    assert ward.plug.scan(make_command(CommandName.COUNT), label(3)) == [Beep.OK, Beep.OK]
    expect(page.locator("#side")).to_contain_text("盘点清单")
    expect(page.locator("#last")).to_have_class("ok")
    expect(page.locator("#last")).to_contain_text("一次性使用中心静脉导管包")
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate(HALF) == 0
    page.screenshot(path=tmp_path / "panel.png")
    agent.terminate()
    expect(page.locator("body")).to_have_class("lost")
    assert agent.wait(SEEN_MS_MAX / 1000) == 0
