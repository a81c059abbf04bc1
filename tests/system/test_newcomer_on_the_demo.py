"""Somebody new at `wardstock-sim demo` itself, with a real browser and what its terminal says; nothing is prepared.

One evening is played, past midnight, when the day's statements are made. On its pages the first hour goes word by
word, a mismatch gets its cause, the quarter's pack is saved, a piece is traced to its patient, a signed statement is
checked on the page and by the printed command.
"""

import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from tests.system.test_demo import END_LIMIT_S, demo, eventually
from tests.system.test_page_in_a_browser import browser, open_page

__all__ = ["browser", "open_page"]

pytestmark = [pytest.mark.needs_linux, pytest.mark.needs_browser, pytest.mark.slow]

DRESSINGS = "(01)06999990602452(17)270831(10)HD2602"
RATE = "400"
"""Story seconds a second, slower than a demo's own: its verdict has tests of its own, here it is only lived in."""
ACTIONS_MS = 20_000
"""The demo shares its two cores with this browser."""
HEADS = {"zh": {"purchasing": "采购管理", "checks": "核查"}, "en": {"purchasing": "Purchasing", "checks": "Checks"}}


@dataclass
class Evening:
    """A demo that is over and runs on, and all that its terminal said."""

    said: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.said)

    def told(self, pattern: str) -> str:
        found = re.search(pattern, self.text)
        assert found is not None, f"{pattern} in {self.text}"
        return found[1]

    def listen(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        self.said.extend(iter(process.stdout.readline, ""))


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    folder = tmp_path_factory.mktemp("newcomer")
    one = Evening()
    with demo("--rate", RATE, "--seed", "11", "--state", str(folder / "state")) as process:
        threading.Thread(target=one.listen, args=(process,), daemon=True).start()
        assert eventually(lambda: "Ctrl-C ends" in one.text or process.poll() is not None), one.text
        assert process.poll() is None, one.text
        yield one
        process.send_signal(signal.SIGINT)
        assert process.wait(END_LIMIT_S) == 0


def opened(open_page: Callable[..., Page], evening: Evening, language: str, scripts: bool, person: str = "") -> Page:
    """Open the page that the terminal names, and sign in as it says."""
    page = open_page(scripts=scripts)
    page.set_default_timeout(ACTIONS_MS)
    page.goto(evening.told(r"The page: (\S+)") + f"?lang={language}")
    if person:
        page.locator(".who a[href='/sign-in']").click()
        page.locator("#staff").fill(person)
        page.locator("#password").fill(evening.told(r"password (\S+) :"))
        page.locator("form[action='/sign-in'] button").click()
        expect(page.locator(".who")).not_to_contain_text("demo-buyer")
    return page


def under(page: Page, head: str, address: str) -> None:
    """Go to a page by the bar at the top."""
    page.locator("nav.pages summary", has_text=head).click()
    page.locator(f"nav.pages a[href='{address}']").click()


@pytest.mark.parametrize(("language", "scripts"), [("zh", True), ("en", False)])
def test_a_newcomer_finds_why_a_line_differs_and_saves_the_quarters_pack(
    open_page: Callable[..., Page], evening: Evening, language: str, scripts: bool, tmp_path: Path
) -> None:
    page = opened(open_page, evening, language, scripts, "P1001")
    page.locator(".tile.alarm").first.click()
    page.locator("a[href^='/discrepancies/']").first.click()
    expect(page.locator("#causes-title ~ *").first).to_contain_text("%")
    under(page, HEADS[language]["purchasing"], "/agreements")
    expect(page.locator("table.vbp tbody tr")).to_have_count(4)
    with page.expect_download() as saved:
        page.locator("a[href*='pack.xlsx']").first.click()
    saved.value.save_as(tmp_path / "pack.xlsx")
    sheets = load_workbook(tmp_path / "pack.xlsx").worksheets
    cells = {cell for sheet in sheets for row in sheet.iter_rows(values_only=True) for cell in row}
    assert {200, 360} <= cells


def test_the_first_hour_goes_as_the_page_of_help_says_from_a_messy_sheet_to_an_order_that_is_sent(
    open_page: Callable[..., Page], evening: Evening
) -> None:
    page = opened(open_page, evening, "en", False)
    page.locator("nav.pages a[href='/help']").click()
    page.locator(".hour a[href='/imports']").click()
    page.locator("#file").set_input_files(evening.told(r"import with: (\S+)"))
    page.locator("form[enctype] button").click()
    page.locator("form[action$='/plan'] button[type=submit]").last.click()
    expect(page.locator("tr.alarm")).to_have_count(3)
    page.locator("form[action$='/apply'] button").click()
    expect(page.locator("tbody .chip.calm")).to_be_visible()
    count_by_phone(opened(open_page, evening, "en", False, "K1001"))
    buyer = opened(open_page, evening, "en", False, "P1001")
    buyer.locator(".tile.order").click()
    buyer.locator("form[action*='/approve'] button").first.click()
    expect(buyer.locator(".notice.approved")).to_contain_text("PO-")
    assert eventually(lambda: "approved on the page; order PO-" in evening.text, END_LIMIT_S)
    under(buyer, HEADS["en"]["purchasing"], "/orders")
    buyer.locator("tbody a[href^='/orders/PO-']").first.click()
    buyer.locator("form[action$='/send'] button").click()
    buyer.locator("nav.pages a[href='/help']").click()
    expect(buyer.locator(".hour .chip.calm")).to_have_count(7)


def count_by_phone(page: Page) -> None:
    """Count a ward without a device, as its keeper; a keeper approves no orders."""
    expect(page.locator("form[action*='/approve'] button")).to_have_count(0)
    page.locator("nav.pages a[href='/hand']").click()
    page.locator(".doings a[href*='doing=count']").click()
    page.locator("#code").fill(DRESSINGS)
    page.locator("#qty").fill("28")
    page.locator("#scan button[type=submit]").click()
    page.locator("form[action$='/close'] button").click()
    expect(page.locator("#differs-title ~ ul")).to_contain_text("28 counted, book 30 -2")


@pytest.mark.parametrize(("language", "scripts"), [("zh", False), ("en", True)])
def test_an_auditor_traces_a_piece_to_its_patient_and_checks_the_days_statement(
    open_page: Callable[..., Page], evening: Evening, language: str, scripts: bool, tmp_path: Path
) -> None:
    page = opened(open_page, evening, language, scripts, "A1001")
    page.goto(evening.told(r"to its patient: (\S+)"))
    steps = page.locator(".moved tbody tr")
    expect(steps).to_have_count(2)
    expect(steps.nth(0)).to_contain_text("N1001")
    expect(steps.nth(0).locator(".line.code")).to_have_text(re.compile(r"^[0-9a-f]{16,}$"))
    expect(steps.nth(1)).to_contain_text("K1001")
    under(page, HEADS[language]["checks"], "/statements")
    expect(page.locator("tr", has_text={"zh": "普外科", "en": "General surgery"}[language])).to_contain_text("/ 4")
    with page.expect_download() as saved:
        page.locator("a[href$='/ward-02.json']").click()
    file = tmp_path / "statement.json"
    saved.value.save_as(file)
    page.locator("#file").set_input_files(file)
    page.locator("form[enctype] button").click()
    expect(page.locator("#check-title ~ .told .chip.calm")).to_be_visible()
    command = evening.told(r"\n +(\S+ verify-statement \S+ --key \S+)").split()
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    command[2] = str(file)
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    file.write_text(file.read_text("utf-8").replace('"book": ', '"book": 1'), "utf-8")
    assert subprocess.run(command, check=False, capture_output=True).returncode == 1
