"""A ward without a device at a phone, in a real browser: typed, by a scanner that types, by the camera, scripts off."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from central.bootstrap.application import build_app
from central.bootstrap.parts import accounts_of
from central.config import read_config
from central.core.rights import Grant, Role
from central.services.imports import import_folder
from protocols.values.ids import ActorId, PlaceId
from tests.central.hospital import FILES, GAUZE, HOSPITAL, fresh_store, frozen_clock, write_files
from tests.central.web.test_hand_pages import GTIN, PASSWORD, PLACES
from tests.system.test_page_in_a_browser import OUTSIDE, SPILLING, browser, open_page, served

__all__ = ["browser", "open_page"]

pytestmark = pytest.mark.needs_browser

PHONE = 390
LABEL = f"(01){GTIN}(17)270630(10)K9(21)S-77"
CAMERA = f"""
globalThis.BarcodeDetector = class {{
    static async getSupportedFormats() {{ return ['data_matrix']; }}
    async detect() {{ return [{{ rawValue: '{LABEL}' }}]; }}
}};
Object.defineProperty(navigator, 'mediaDevices', {{ value: {{ getUserMedia: async () => {{
    const drawn = document.createElement('canvas');
    drawn.getContext('2d').fillRect(0, 0, 10, 10);
    return drawn.captureStream();
}} }} }});
"""
"""What a phone's browser has and Debian's does not: a reader of codes, and a camera that sees one."""


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A server with a ward that has no device; its address and an invitation for that ward's keeper."""
    store = fresh_store()
    import_folder(store, HOSPITAL, write_files(tmp_path / "files", {**FILES, "places.csv": PLACES}), frozen_clock())
    (tmp_path / "patient.key").write_bytes(b"a key that hides patients")
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[his]\npatient_key = "patient.key"\n', "utf-8")
    config, clock = read_config(path), frozen_clock()
    grants = [Grant(Role.WARD_KEEPER, frozenset({PlaceId("ward-02")}))]
    secret = accounts_of(config, store, clock).add(ActorId("op"), ActorId("20001"), "王护士", grants)
    with served(build_app(config, store, clock)) as address:
        yield address, f"{address}/invited/{secret}"


def come_in(page: Page, ward: tuple[str, str], language: str) -> None:
    page.goto(f"{ward[1]}?lang={language}")
    page.locator("#password").fill(PASSWORD)
    page.locator("button[type=submit]").last.click()
    page.goto(f"{ward[0]}/hand?lang={language}")


@pytest.mark.parametrize(("language", "scripts"), [("zh", False), ("en", False), ("en", True)])
def test_a_day_at_a_ward_on_a_phone(
    open_page: Callable[..., Page], ward: tuple[str, str], language: str, scripts: bool
) -> None:
    page = open_page(PHONE, scripts=scripts)
    come_in(page, ward, language)
    for doing, more in (("receive", {}), ("take", {}), ("back", {}), ("use", {"#patient": "P-1"})):
        page.goto(f"{ward[0]}/hand/ward-02?doing={doing}")
        expect(page.locator("#code")).to_be_focused()
        for field, text in more.items():
            page.locator(field).fill(text)
        page.locator("#code").focus()
        page.keyboard.type(LABEL)
        page.keyboard.press("Enter")  # as a scanner that types ends every label
        expect(page.locator(".told")).to_contain_text("K9")
        assert page.evaluate(OUTSIDE) == page.evaluate(SPILLING) == [] if scripts else True
    page.goto(f"{ward[0]}/hand/ward-02?doing=count")
    page.locator("#code").fill(GAUZE)
    page.locator("#qty").fill("12")
    page.locator(".wide-button").click()
    expect(page.locator("#sheet-title .code")).to_contain_text("ward-02.")


def test_the_camera_reads_a_label_and_sends_it(open_page: Callable[..., Page], ward: tuple[str, str]) -> None:
    page = open_page(PHONE)
    page.add_init_script(CAMERA)
    come_in(page, ward, "en")
    page.goto(f"{ward[0]}/hand/ward-02?doing=receive")
    page.get_by_role("button", name="Scan with the camera").click()
    expect(page.locator(".told")).to_contain_text("K9")


def test_without_a_camera_there_is_no_button_for_one(open_page: Callable[..., Page], ward: tuple[str, str]) -> None:
    page = open_page(PHONE)
    come_in(page, ward, "zh")
    page.goto(f"{ward[0]}/hand/ward-02")
    expect(page.locator("#camera")).to_be_hidden()
    assert page.locator(".doings a").first.bounding_box()["height"] >= 44  # type: ignore[index] # it is there; a thumb's
