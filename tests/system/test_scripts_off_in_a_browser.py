"""Whole tasks of people who sign in, in a real browser whose scripts are off, in Chinese and in English.

What is pressed is named by what it sends and not by its words, so that one play serves both languages; the words that
answer are read.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from central.bootstrap.application import build_app
from central.config import read_config
from central.core.rights import Grant, Role
from central.services.reconcile import reconcile
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import plus
from protocols.values.money import yuan
from tests.central.doors import Watch, desk
from tests.central.hospital import HOSPITAL, KIT, START, Ward, frozen_clock, tags
from tests.central.purchases import buying_hospital, propose
from tests.central.services.messy import messy_items
from tests.system.test_page_in_a_browser import CONFIG, browser, open_page, served

__all__ = ["browser", "open_page"]

pytestmark = [pytest.mark.needs_browser, pytest.mark.slow]

PASSWORD = "seven green kettles 7"
WARD = frozenset({PlaceId("ward-01")})
PEOPLE = {
    "10001": Grant(Role.HEAD_OF_CONSUMABLES),
    "10023": Grant(Role.PURCHASER),
    "20001": Grant(Role.STOREKEEPER),
    "30001": Grant(Role.WARD_KEEPER, WARD),
    "30002": Grant(Role.NURSE, WARD),
}
LANGUAGES = pytest.mark.parametrize("language", ["zh", "en"])


@dataclass
class Hall:
    """A browser without scripts at a served hospital."""

    page: Page
    address: str
    language: str

    def go(self, path: str) -> None:
        self.page.goto(f"{self.address}{path}{'&' if '?' in path else '?'}lang={self.language}")

    def sign_in(self, staff: str, password: str = PASSWORD) -> None:
        self.go("/sign-in")
        self.page.locator("#staff").fill(staff)
        self.page.locator("#password").fill(password)
        self.page.locator("form[action='/sign-in'] button").click()

    def sign_out(self) -> None:
        self.page.locator("form[action='/sign-out'] button").click()

    def said(self, zh: str, en: str) -> re.Pattern[str]:
        return re.compile(zh if self.language == "zh" else en)


@pytest.fixture
def hall(open_page: Callable[..., Page], tmp_path: Path, language: str) -> Iterator[Hall]:
    """A hospital with a proposal to approve and a kit that is gone; everybody has an account and a password."""
    store = buying_hospital(tmp_path).store
    at_desk = desk(store, Watch(frozen_clock().real_now()))
    at_desk.entrance.make_first("set-up-code!", ActorId("99999"), "Keeper", PASSWORD, "")
    for number, grant in PEOPLE.items():
        at_desk.entrance.accept(at_desk.accounts.add(ActorId("99999"), ActorId(number), "A", [grant]), PASSWORD, "")
    ward = Ward(store)
    ward.open(KIT, "K1", tags(2))
    ward.observe(tags(1)[0], 0.02, 900, since_s=300)
    reconcile(store, HOSPITAL, plus(START, 901))
    propose(at_desk, KIT, "S02", yuan("268"))
    path = tmp_path / "central.toml"
    path.write_text(CONFIG.replace('[people]\neveryone_is = "page"\n', ""), "utf-8")
    with served(build_app(read_config(path), store, frozen_clock(plus(START, 1000)))) as address:
        yield Hall(open_page(scripts=False), address, language)


@LANGUAGES
def test_somebody_signs_in_after_a_slip_and_out_again(hall: Hall) -> None:
    hall.sign_in("10023", "not the password")
    expect(hall.page.locator(".fault")).to_have_text(hall.said(".*[\u4e00-\u9fff].*", "[A-Z][a-z].*"))
    hall.sign_in("10023")
    expect(hall.page.locator(".who form[action='/sign-out']")).to_have_count(1)
    hall.sign_out()
    hall.go("/orders")
    expect(hall.page.locator("#staff")).to_have_count(1)


@LANGUAGES
def test_a_head_approves_an_order_and_saves_the_orders_as_a_workbook(hall: Hall, tmp_path: Path) -> None:
    hall.sign_in("10001")
    hall.go("/proposals")
    hall.page.locator("input[name=chosen]").check()
    hall.page.locator("button[name=act][value=approve]").click()
    hall.go("/orders")
    expect(hall.page.locator("a[href^='/orders/PO-']")).to_have_count(1)
    with hall.page.expect_download() as saved:
        hall.page.locator("a[href*='/exports/orders.xlsx']").first.click()
    saved.value.save_as(tmp_path / "orders.xlsx")
    rows = list(load_workbook(tmp_path / "orders.xlsx").worksheets[0].iter_rows(values_only=True))
    assert KIT in {cell for row in rows for cell in row}
    assert hall.said("数量", "quantity").search(" ".join(str(cell) for cell in rows[0]))


@LANGUAGES
def test_a_keeper_proposes_to_close_a_dear_discrepancy_and_another_person_agrees(hall: Hall) -> None:
    hall.sign_in("30001")
    hall.page.locator("a[href^='/discrepancies/']").first.click()
    case = hall.page.url.partition("?")[0].removeprefix(hall.address)
    hall.page.locator("#cause").select_option("unscanned_take")
    hall.page.locator("#remark").fill("used in the night")
    hall.page.locator("form[action$='/settle'] button").click()
    expect(hall.page.locator(".told[role=status]")).to_have_text(hall.said("须第二人同意", "second person"))
    expect(hall.page.locator("form[action$='/approve']")).to_have_count(0)
    hall.sign_out()
    hall.sign_in("10001")
    hall.go(case)
    hall.page.locator("form[action$='/approve'] button").click()
    expect(hall.page.locator("[role=status]")).to_have_text(hall.said("已关闭", "closed"))


@LANGUAGES
def test_a_storekeeper_imports_a_messy_workbook(hall: Hall, tmp_path: Path) -> None:
    (tmp_path / "items.xlsx").write_bytes(messy_items())
    hall.sign_in("20001")
    hall.go("/imports")
    hall.page.locator("#kind").select_option("items")
    hall.page.locator("#file").set_input_files(tmp_path / "items.xlsx")
    hall.page.locator("form[enctype] button").click()
    hall.page.locator("form[action$='/plan'] button").click()
    expect(hall.page.locator("main")).to_contain_text(hall.said("数字已丢失", "digits are lost"))
    hall.page.locator("form[action$='/apply'] button").click()
    hall.go("/master?kind=item&q=HC-2001")
    expect(hall.page.locator("main")).to_contain_text("HC-2001")


@LANGUAGES
def test_a_nurse_asks_for_goods_and_a_buyer_grants_them(hall: Hall) -> None:
    hall.sign_in("30002")
    hall.go(f"/requisitions/new?q={KIT}")
    hall.page.locator("input[name=qty]").first.fill("2")
    hall.page.locator("[name=reason]").first.fill("burns")
    hall.page.locator("button[name=act][value=send]").click()
    expect(hall.page.locator("h1")).to_contain_text("RQ-")
    asked = hall.page.url.partition("?")[0].rpartition("/")[2]
    hall.sign_out()
    hall.sign_in("10023")
    hall.go(f"/requisitions/{asked}")
    hall.page.locator("button[formaction$='/approve']").click()
    expect(hall.page.locator(".fault")).to_have_count(0)
    expect(hall.page.locator("a[href^='/orders/']").first).to_be_visible()
