"""Every page in a real browser: axe finds nothing serious, nothing is fetched from outside, it fits screen and phone.

The pages are those the application has: a page that is added is looked at without being named here. What needs a name
in its address is named below.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Page
from starlette.routing import Mount, Route

from central.bootstrap import build_app
from central.config import read_config
from central.services.imports import import_folder
from central.services.purchasing_day import purchasing_day
from central.services.reconcile import reconcile
from central.services.statements import make, signer_at
from protocols.movements import MovementBody, PostingLine, write_body
from protocols.values.instant import plus
from tests.central.hospital import HOSPITAL, KIT, START, Ward, frozen_clock, tags, write_files
from tests.central.purchases import CATALOGUE_FILES, SUPPLIER_FILES, buying_hospital
from tests.system.test_page_in_a_browser import CONFIG, OUTSIDE, SPILLING, browser, open_page, served

__all__ = ["browser", "open_page"]

pytestmark = [pytest.mark.needs_browser, pytest.mark.slow]

UNIT = tags(1)[0]
NAMED = (
    *("/suppliers/S02", f"/catalogue/items/{KIT}", f"/trace?q={UNIT}", "/stock?place=ward-01", "/no-such-page"),
    *(f"/master/item/of/{KIT}", "/master/position/new", "/charges?first=2026-03-02&last=2026-03-02", "/search?q=K1"),
)
LEFT_OUT = {"/sign-in", "/first-account", "/hand", "/sign-in/issuer", "/sign-in/issuer/back", "/account/codes"}
"""Where a session leads elsewhere; the entrance and the wards' pages have tests of their own."""
RULES = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
"""The levels A and AA of WCAG 2.1; axe then spends no time on what it finds right."""
WORST = {"serious", "critical"}
LOOKS = (("zh", 390), ("en", 1366))
"""Each language on one size: the words and the layout are looked at together."""


def addresses_of(app: FastAPI) -> list[str]:
    """Return every page without a name in its address; what is saved as a file is none."""
    (pages,) = (one.app for one in app.routes if isinstance(one, Mount) and isinstance(one.app, FastAPI))
    paths = {
        one.path for one in pages.routes
        if isinstance(one, Route) and "GET" in (one.methods or ()) and "{" not in one.path and "." not in one.path
    }  # fmt: skip
    return sorted(paths - LEFT_OUT)


@pytest.fixture(scope="module")
def central(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[str]]]:
    """A hospital that buys, with a ward that used a kit on a patient and lost another, stated and compared."""
    folder = tmp_path_factory.mktemp("pages")
    at_desk = buying_hospital(folder)
    import_folder(
        at_desk.store, HOSPITAL, write_files(folder / "more", {**SUPPLIER_FILES, **CATALOGUE_FILES}), frozen_clock()
    )
    ward = Ward(at_desk.store)
    ward.open(KIT, "K1", [UNIT, *tags(3, start=2)])
    ward.issue(KIT, "K1", UNIT, 60)
    used = PostingLine(KIT, 1, "issued@ward-01", "patient@ward-01", lot="K1", unit=UNIT)
    ward.say("use", write_body(MovementBody((used,), patient="ab12cd34")), 120, actor="N1001")
    ward.observe(tags(1, start=2)[0], 0.02, 900, since_s=300)
    reconcile(at_desk.store, HOSPITAL, plus(START, 901))
    purchasing_day(at_desk.store, HOSPITAL, START)
    (folder / "central.toml").write_text(CONFIG, "utf-8")
    config = read_config(folder / "central.toml")
    make(at_desk.store, HOSPITAL, plus(START, 902), signer_at(config.statement_key))
    app = build_app(config, at_desk.store, frozen_clock(plus(START, 1000)))
    with served(app) as address:
        yield address, [*addresses_of(app), *NAMED]


@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_every_page_is_sound(
    open_page: Callable[..., Page], central: tuple[str, list[str]], language: str, width: int, tmp_path: Path
) -> None:
    address, paths = central
    page, axe = open_page(width), Axe()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text) if "Content Security Policy" in message.text else None)
    faults = []
    for path in paths:
        answer = page.goto(f"{address}{path}{'&' if '?' in path else '?'}lang={language}")
        assert answer is not None
        if answer.status >= 500 or (answer.status == 404 and path != "/no-such-page"):
            faults.append(f"{path}: status {answer.status}")
        page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true; })")
        if page.evaluate("document.documentElement.scrollWidth") > width:
            faults.append(f"{path}: wider than {width}")
        faults += [f"{path}: {one}" for found in (OUTSIDE, SPILLING) for one in page.evaluate(found)]
        for broken in axe.run(page, options=RULES).response["violations"]:
            if broken["impact"] in WORST:
                nodes = [node["html"][:100] for node in broken["nodes"]][:3]
                faults.append(f"{path}: axe {broken['impact']} {broken['id']}: {nodes}")
    assert faults == []
    assert [one for one in asked if not one.startswith(f"{address}/")] == []
    assert said == []
