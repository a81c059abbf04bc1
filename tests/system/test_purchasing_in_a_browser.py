"""The pages of purchasing in a real browser: they fit, they are legible, and a dear product is bought with a reason."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from central.bootstrap.application import build_app
from central.config import read_config
from central.core.suppliers import CaseKind
from central.services.imports import import_folder
from central.services.purchasing_day import purchasing_day
from protocols.values.instant import plus
from protocols.values.money import yuan
from tests.central.hospital import HOSPITAL, START, frozen_clock, write_files
from tests.central.purchases import (
    BUYER,
    CATALOGUE_FILES,
    DEAR,
    KIT,
    SUPPLIER_FILES,
    buying_hospital,
    propose,
)
from tests.system.test_page_in_a_browser import (
    AA,
    CONFIG,
    LANGUAGES,
    OUTSIDE,
    OVERLAPPING,
    PALE,
    SPILLING,
    WIDTHS,
    browser,
    open_page,
    served,
)

__all__ = ["browser", "open_page"]

pytestmark = pytest.mark.needs_browser

PAGES = (
    *("/agreements", "/agreements/alerts", "/agreements/frameworks", "/agreements/bargaining", "/agreements/cycle"),
    *("/suppliers", "/suppliers/S02", "/catalogue", f"/catalogue/items/{KIT}", "/catalogue/review", "/proposals"),
)
OPENED = "() => document.querySelectorAll('details').forEach(one => { one.open = true; })"


@pytest.fixture(scope="module")
def central(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("buying")
    at_desk = buying_hospital(folder)
    files = {**SUPPLIER_FILES, **CATALOGUE_FILES}
    import_folder(at_desk.store, HOSPITAL, write_files(folder / "more", files), frozen_clock())
    purchasing_day(at_desk.store, HOSPITAL, START)
    at_desk.suppliers.open_case(BUYER, CaseKind.EMERGENCY, "S02", KIT, "three kits tonight")
    propose(at_desk, DEAR, "S01", yuan("480"))
    (folder / "central.toml").write_text(CONFIG, "utf-8")
    app = build_app(read_config(folder / "central.toml"), at_desk.store, frozen_clock(plus(START, 1000)))
    with served(app) as address:
        yield address


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_wider_than_the_window_or_lies_over_another(
    open_page: Callable[..., Page], central: str, language: str, width: int
) -> None:
    page = open_page(width)
    for path in PAGES:
        page.goto(f"{central}{path}?lang={language}")
        page.evaluate(OPENED)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        for found in (OUTSIDE, SPILLING, OVERLAPPING):
            assert page.evaluate(found) == [], path
        assert page.evaluate(PALE, AA) == [], path


def test_c5_a_red_chip_leads_to_the_waiver_of_that_line(open_page: Callable[..., Page], central: str) -> None:
    page = open_page(scripts=False)
    page.goto(f"{central}/proposals?lang=en")
    page.get_by_role("link", name="dear and not selected").click()
    expect(page.get_by_label("Item code")).to_have_value(DEAR)
    expect(page.get_by_label("Supplier code")).to_have_value("S01")
    page.get_by_label("Until").fill("2026-04-01")
    page.get_by_role("button", name="Let it pass").click()
    expect(page.get_by_role("cell", name="medical need")).to_be_visible()
