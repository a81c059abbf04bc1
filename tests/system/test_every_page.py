"""Every page in a real browser, as each role sees it: axe finds nothing serious, nothing comes from outside, it fits.

The pages are those the application has: a page that is added is looked at without being named here. What needs a name
in its address is named below. A page that is drawn as another role had it is not asked of axe again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Page, expect
from starlette.routing import Mount, Route

from central.bootstrap.application import build_app
from central.bootstrap.parts import accounts_of
from central.config import read_config
from central.core.rights import Grant, Role
from central.services.imports import import_folder
from central.services.purchasing_day import purchasing_day
from central.services.reconcile import reconcile
from central.services.statements import make, signer_at
from central.store.queries_work import discrepancies
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.values.ids import ActorId, PlaceId
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
    "/rules/of/approval.automatic",
)
LEFT_OUT = {"/sign-in", "/first-account", "/hand", "/sign-in/issuer", "/sign-in/issuer/back", "/account/codes"}
"""Where a session leads elsewhere; the entrance and the wards' pages have tests of their own."""
RULES = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
"""The levels A and AA of WCAG 2.1; axe then spends no time on what it finds right."""
WARDS = {Role.HEAD_NURSE: frozenset({PlaceId("ward-01")})}
WORST = {"serious", "critical"}
EVERYONE = "everyone"
"""Who acts where nobody signs in: sees and may do everything."""
LOOKS = (
    *((EVERYONE, "zh", 390), (EVERYONE, "en", 1366), (Role.PURCHASER, "en", 390), (Role.AUDITOR, "zh", 1366)),
    *((Role.HEAD_OF_CONSUMABLES, "zh", 1366), (Role.STOREKEEPER, "zh", 390), (Role.HEAD_NURSE, "en", 390)),
    (Role.ADMINISTRATOR, "en", 1366),
)
"""Everything in both languages and, with less to press, each role: words and layout are looked at together."""
PASSWORD = "a long sentence 1"
DRAWN = """() => [document.documentElement.lang, ...[...document.querySelectorAll('body *')].map(one => [
    one.tagName, one.className, one.getAttribute('role'), one.getAttribute('type'), one.getAttribute('aria-label'),
    one.getAttribute('for'), one.id, [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim()),
].join())].filter((one, at, all) => all.indexOf(one) === at).join(' ')"""
"""What a page is drawn of, each sort of thing once: two pages alike in this are alike to axe."""
UNSENDABLE = """() => [...document.forms].filter(one =>
    !one.getAttribute('action')?.startsWith('/')
    || !['get', 'post'].includes(one.method)
    || ![...one.elements].some(each => each.type === 'submit')
    || (one.method === 'post' && !one.elements.namedItem('word'))
).map(one => one.outerHTML.slice(0, 120))"""
"""Forms that would not work with scripts off, or would be refused."""


@dataclass
class Site:
    """A served hospital: its address, its pages, an invitation a role, and what axe has looked at already."""

    address: str
    paths: list[str]
    invited: dict[str, str]
    seen: set[str] = field(default_factory=set)


def addresses_of(app: FastAPI) -> list[str]:
    """Return every page without a name in its address; what is saved as a file is none."""
    (pages,) = (one.app for one in app.routes if isinstance(one, Mount) and isinstance(one.app, FastAPI))
    paths = {
        one.path for one in pages.routes
        if isinstance(one, Route) and "GET" in (one.methods or ()) and "{" not in one.path and "." not in one.path
    }  # fmt: skip
    return sorted(paths - LEFT_OUT)


@pytest.fixture(scope="module")
def central(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
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
    make(at_desk.store, HOSPITAL, plus(START, 9 * 3600), signer_at(config.statement_key))
    app = build_app(config, at_desk.store, frozen_clock(plus(START, 1000)))
    with at_desk.store.read() as connection:
        found = [f"/discrepancies/{one.id}" for one in discrepancies(connection, HOSPITAL)]
    assert found
    people = accounts_of(config, at_desk.store, frozen_clock(plus(START, 1000)))
    roles = [one for one in dict.fromkeys(look[0] for look in LOOKS) if isinstance(one, Role)]
    invited = {
        role.value: people.add(
            ActorId("op"), ActorId(f"4000{number}"), "A", [Grant(role, WARDS.get(role, frozenset()))]
        )
        for number, role in enumerate(roles)
    }
    with served(app) as address:
        yield Site(address, [*addresses_of(app), *NAMED, *found], invited)


def come_in(page: Page, central: Site, role: str) -> None:
    """Sign in as somebody of a role: by the invitation the first time, with the password after."""
    secret = central.invited.get(role, "")
    if not secret:
        return
    page.goto(f"{central.address}/invited/{secret}")
    if page.locator("#password").count():
        page.locator("#password").fill(PASSWORD)
    else:
        number = list(central.invited).index(role)
        page.goto(f"{central.address}/sign-in")
        page.locator("#staff").fill(f"4000{number}")
        page.locator("#password").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    expect(page.locator(".who form")).to_have_count(1)


@pytest.mark.parametrize(("role", "language", "width"), LOOKS)
def test_every_page_is_sound(
    open_page: Callable[..., Page], central: Site, role: str, language: str, width: int
) -> None:
    address, paths = central.address, central.paths
    page, axe = open_page(width), Axe()
    come_in(page, central, role)
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text) if "Content Security Policy" in message.text else None)
    faults = []
    for path in paths:
        answer = page.goto(f"{address}{path}{'&' if '?' in path else '?'}lang={language}")
        assert answer is not None
        if answer.status >= 500 or (answer.status == 404 and path != "/no-such-page" and role == EVERYONE):
            faults.append(f"{path}: status {answer.status}")
        page.evaluate("() => document.querySelectorAll('details').forEach(one => { one.open = true; })")
        if page.evaluate("document.documentElement.scrollWidth") > width:
            faults.append(f"{path}: wider than {width}")
        faults += [f"{path}: {one}" for found in (OUTSIDE, SPILLING, UNSENDABLE) for one in page.evaluate(found)]
        drawn = page.evaluate(DRAWN)
        if drawn in central.seen:
            continue
        central.seen.add(drawn)
        for broken in axe.run(page, options=RULES).response["violations"]:
            if broken["impact"] in WORST:
                nodes = [node["html"][:100] for node in broken["nodes"]][:3]
                faults.append(f"{path}: axe {broken['impact']} {broken['id']}: {nodes}")
    assert faults == []
    assert [one for one in asked if not one.startswith(f"{address}/")] == []
    assert said == []
