"""Two hundred proposals in a real browser: accepted, changed and refused in a few minutes of one person's time.

The hands are counted, the server's processor time is measured; what a person sees at 1366x768 can be kept as pictures
(`WARDSTOCK_PICTURES=DIR`).
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from central.bootstrap.application import build_app
from central.config import read_config
from central.core.orders import State
from central.services.desk import Desk
from central.services.imports import import_folder
from central.store.paging import PageAsked
from central.store.queries_work import proposals_page
from protocols.values.instant import plus
from protocols.values.money import yuan
from tests.central.doors import Watch, desk
from tests.central.hospital import FILES, HOSPITAL, START, fresh_store, frozen_clock, write_files
from tests.central.purchases import propose
from tests.system.test_page_in_a_browser import CONFIG, browser, open_page, served

__all__ = ["browser", "open_page"]

pytestmark = [pytest.mark.needs_browser, pytest.mark.slow]

LINES = 200
CHANGED, REFUSED = 10, 10
PACK = 5
GESTURES_MAX = 120
"""Clicks and keys for all of it: at two seconds each, four minutes."""
SERVER_S_A_LINE_MAX = 0.1
"""Processor seconds of the server a line: two hundred are answered while a person still looks."""
NAMES = (
    "一次性使用输液器",
    "无菌手术手套",
    "医用缝合线",
    "一次性注射器",
    "中心静脉导管包",
    "医用纱布块",
    "负压引流装置",
    "留置针",
)


@pytest.fixture(scope="module")
def hospital_of_lines(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("lines")
    items = [
        f"HC-{n:04},{NAMES[n % len(NAMES)]} {n},Item number {n},规格 {n}×{n % 7 + 1},,件,piece,{PACK},low,"
        f"{'vital' if n % 25 == 0 else 'normal'},0,room"
        for n in range(LINES)
    ]
    terms = [f"HC-{n:04},S0{n % 2 + 1},1,{n % 90 + 1}.50,{PACK},{PACK},3,YP{n}" for n in range(LINES)]
    files = dict(FILES)
    files["items.csv"] += "\n".join(items) + "\n"
    files["item_suppliers.csv"] += "\n".join(terms) + "\n"
    store = fresh_store()
    import_folder(store, HOSPITAL, write_files(folder, files), frozen_clock())
    made = desk(store, Watch(START))
    for n in range(LINES):
        propose(made, f"HC-{n:04}", f"S0{n % 2 + 1}", yuan(f"{n % 90 + 1}.50"), PACK * (n % 8 + 1), id=f"p{n:04}")
    return made


@pytest.fixture(scope="module")
def central(hospital_of_lines: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("config") / "central.toml"
    path.write_text(CONFIG, "utf-8")
    with served(build_app(read_config(path), hospital_of_lines.store, frozen_clock(plus(START, 60)))) as address:
        yield address


@dataclass
class Hand:
    """A person's hand at a page: every click and key is counted."""

    page: Page
    gestures: int = 0

    def click(self, at: Locator) -> None:
        self.gestures += 1
        at.click()

    def types(self, at: Locator, text: str) -> None:
        """Go into a field, which marks what stands there, and type over it."""
        self.click(at)
        at.press("ControlOrMeta+a")
        at.press_sequentially(text)
        self.gestures += 1 + len(text)

    def chooses(self, at: Locator, value: str) -> None:
        self.gestures += 2
        at.select_option(value)

    def picture(self, name: str) -> None:
        if folder := os.environ.get("WARDSTOCK_PICTURES"):
            self.page.screenshot(path=Path(folder) / f"{name}.png")


def test_two_hundred_lines_are_accepted_changed_and_refused_in_minutes(
    open_page: Callable[..., Page], central: str, hospital_of_lines: Desk
) -> None:
    page = open_page()
    page.set_viewport_size({"width": 1366, "height": 768})
    hand = Hand(page)
    page.goto(f"{central}/proposals?lang=zh")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(LINES)
    hand.picture("1-opened")
    hand.click(page.get_by_role("button", name="全选"))
    for n in range(CHANGED):
        hand.types(rows.nth(n).locator("input[name=qty]"), str(PACK * 20))
    for n in range(LINES - REFUSED, LINES):
        hand.click(rows.nth(n).locator("input[name=chosen]"))
    hand.chooses(page.locator("select[name=another]"), "more-use")
    hand.picture("2-chosen")
    began = time.process_time()
    hand.click(page.get_by_role("button", name="批准所选"))
    expect(rows).to_have_count(REFUSED)
    spent_s = time.process_time() - began
    hand.picture("3-approved")
    hand.click(page.get_by_role("button", name="全选"))
    hand.chooses(page.locator("select[name=refusal]"), "enough-stock")
    hand.picture("4-refusing")
    hand.click(page.get_by_role("button", name="拒绝所选"))
    expect(rows).to_have_count(0)
    hand.picture("5-done")
    print(f"{hand.gestures} clicks and keys, {spent_s:.2f} s of processor for {LINES - REFUSED} orders")
    with hospital_of_lines.store.read() as connection:
        found = proposals_page(connection, HOSPITAL, PageAsked(500, "")).items
    assert Counter(one.status for one in found) == {State.ORDERED: LINES - REFUSED, State.REJECTED: REFUSED}
    assert sum(one.qty == PACK * 20 for one in found) == CHANGED
    assert hand.gestures <= GESTURES_MAX
    assert spent_s <= SERVER_S_A_LINE_MAX * LINES
