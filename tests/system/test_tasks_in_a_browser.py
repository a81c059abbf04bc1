"""Whole tasks with nothing but the pages, in a real browser: an auditor traces and checks, a newcomer buys and exports.

With the keyboard alone where it says so, with scripts off where it says so, in Chinese and in English.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from central.bootstrap.application import build_app
from central.config import read_config
from central.services.imports import import_folder
from central.services.purchasing_day import purchasing_day
from central.services.reconcile import reconcile
from central.services.statements import make, signer_at
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.movements.tags import BindBody, Binding
from protocols.values.instant import plus
from protocols.values.money import yuan
from tests.central.hospital import HOSPITAL, KIT, START, Ward, frozen_clock, tags, write_files
from tests.central.purchases import CATALOGUE_FILES, SUPPLIER_FILES, buying_hospital, propose
from tests.system.test_page_in_a_browser import CONFIG, browser, open_page, served

__all__ = ["browser", "open_page"]

pytestmark = pytest.mark.needs_browser

UNIT, LOST = tags(2)
PATIENT = "ab12cd34ef56"
TABS_MAX = 80


@pytest.fixture(scope="module")
def central(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A piece that came from its supplier and was used on a patient, one that is gone, and a line that runs out."""
    folder = tmp_path_factory.mktemp("tasks")
    at_desk = buying_hospital(folder)
    store = at_desk.store
    import_folder(store, HOSPITAL, write_files(folder / "more", {**SUPPLIER_FILES, **CATALOGUE_FILES}), frozen_clock())
    ward = Ward(store)
    bound = tuple(Binding(unit, KIT, lot="K1", serial=unit[-4:]) for unit in (UNIT, LOST))
    ward.say("bind_tag", write_body(BindBody(bound)), 5, actor="N1001")
    came = tuple(PostingLine(KIT, 1, "supplier@ward-01", "ward-01", lot="K1", unit=unit) for unit in (UNIT, LOST))
    ward.say("ward_receipt", write_body(MovementBody(came)), 10, actor="N1001")
    ward.issue(KIT, "K1", UNIT, 60)
    used = PostingLine(KIT, 1, "issued@ward-01", "patient@ward-01", lot="K1", unit=UNIT)
    ward.say("use", write_body(MovementBody((used,), patient=PATIENT)), 120, actor="N1002")
    ward.observe(LOST, 0.02, 900, since_s=300)
    reconcile(store, HOSPITAL, plus(START, 901))
    purchasing_day(store, HOSPITAL, START)
    propose(at_desk, KIT, "S02", yuan("268"))
    (folder / "central.toml").write_text(CONFIG, "utf-8")
    config = read_config(folder / "central.toml")
    make(store, HOSPITAL, plus(START, 9 * 3600), signer_at(config.statement_key))
    with served(build_app(config, store, frozen_clock(plus(START, 9 * 3600 + 60)))) as address:
        yield address


@pytest.mark.parametrize(("language", "scripts"), [("zh", True), ("en", False)])
def test_an_auditor_traces_a_piece_to_its_patient_and_checks_the_days_statement(
    open_page: Callable[..., Page], central: str, language: str, scripts: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    page = open_page(scripts=scripts)
    page.goto(f"{central}/trace?lang={language}")
    page.locator("#q").fill(UNIT)
    page.locator("#q").press("Enter")
    steps = page.locator(".moved tbody tr")
    expect(steps).to_have_count(3)
    expect(steps.nth(0)).to_contain_text(PATIENT)
    expect(steps.nth(0)).to_contain_text("N1002")
    expect(steps.nth(2)).to_contain_text("N1001")
    page.locator("nav.pages summary", has_text={"zh": "核查", "en": "Checks"}[language]).click()
    page.locator("nav.pages a[href='/statements']").click()
    expect(page.locator(".chip.calm").first).to_be_visible()
    with page.expect_download() as saved:
        page.locator("a[href$='/ward-01.json']").click()
    file = tmp_path_factory.mktemp("saved") / "statement.json"
    saved.value.save_as(file)
    page.locator("#file").set_input_files(file)
    page.locator("form[enctype] button").click()
    expect(page.locator("#check-title ~ .told .chip.calm")).to_be_visible()
    file.write_text(file.read_text("utf-8").replace('"book": ', '"book": 1'), "utf-8")
    page.locator("#file").set_input_files(file)
    page.locator("form[enctype] button").click()
    expect(page.locator("#check-title ~ .fault .chip.alarm")).to_be_visible()


@pytest.mark.parametrize(("language", "scripts"), [("en", True), ("zh", False)])
def test_a_newcomer_finds_why_a_line_differs_and_exports_the_quarters_pack(
    open_page: Callable[..., Page], central: str, language: str, scripts: bool
) -> None:
    page = open_page(scripts=scripts)
    page.goto(f"{central}/help?lang={language}")
    page.locator("main a[href='/']").first.click()
    page.locator("a[href^='/discrepancies/']").first.click()
    expect(page.locator("main")).to_contain_text(LOST)
    page.locator("nav.pages a[href='/help']").click()
    page.locator("main a[href='/agreements']").click()
    with page.expect_download() as saved:
        page.locator("a[href*='pack.xlsx']").first.click()
    assert saved.value.suggested_filename.endswith(".xlsx")


def test_a_newcomer_approves_an_order_with_the_keyboard_alone(open_page: Callable[..., Page], central: str) -> None:
    page = open_page()
    page.goto(f"{central}/help?lang=en")
    tab_to(page, "main a[href='/proposals']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/proposals*")
    page.goto(f"{central}/?lang=en")
    tab_to(page, "form[action*='/approve'] button")
    page.keyboard.press("Enter")
    expect(page.locator(".notice.approved")).to_be_visible()


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element is reached, as somebody without a mouse does."""
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is not reached within {TABS_MAX} steps")


def test_printed_pages_leave_out_what_is_for_a_screen(open_page: Callable[..., Page], central: str) -> None:
    page = open_page()
    page.emulate_media(media="print")
    for path in ("/", "/charges", "/statements", f"/trace?q={UNIT}", f"/master/item/of/{KIT}"):
        page.goto(f"{central}{path}")
        expect(page.locator("nav.pages")).to_be_hidden()
        expect(page.locator("main h1, header h1").first).to_be_visible()
