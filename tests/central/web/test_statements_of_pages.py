"""A page asks the store as often in a hospital of many wards, suppliers and proposals as in one of few.

What is counted is what the database itself is given. A page that asks once for each ward is found here before fifty
people find it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.services.alarms import look
from central.services.counts import ask
from central.services.figures import keep_figures
from central.services.imports import import_folder
from central.services.orders import approve
from central.services.reconcile import reconcile
from central.services.replenish import replenish
from central.store.engine import Store
from central.store.queries_work import discrepancies, proposals
from protocols.movements.bodies import write_body
from protocols.movements.counts import CountBody, CountLine
from protocols.movements.posting import MovementBody, PostingLine
from protocols.values.ids import ActorId
from protocols.values.instant import plus
from tests.central.hospital import (
    FILES,
    GAUZE,
    HOSPITAL,
    KIT,
    START,
    STORY_DAY,
    Ward,
    fresh_store,
    frozen_clock,
    tags,
    write_files,
)  # fmt: skip

FEW, MANY = 2, 7
"""Wards, and suppliers, of the two hospitals."""
ASKED_MAX = 60
"""Statements of one page; that of all suppliers asks most."""
USED_DAYS = 90
NOW = plus(START, 3_000)
BUYER = ActorId("page")

PAGES = (
    "/",
    "/stock?place=ward-01",
    "/stock?place=ward-01&q=k1",
    "/stock?place=ward-01&differing=1",
    "/trace?q=K1",
    "/lots?item=HC-KIT&lot=K1",
    "/items/HC-KIT",
    "/search?q=gau",
    "/expiry",
    "/recalls",
    "/counts",
    "/discrepancies",
    "/discrepancies/{gap}",
    "/conflicts",
    "/quarantine",
    "/alarms",
    "/permits",
    "/devices",
    "/statements",
    "/charges",
    "/figures",
    "/figures/line-match.2",
    "/figures/turnover-days.1",
    "/figures/trace-rate.1",
    "/figures/overstock-value.1",
    "/proposals",
    "/orders",
    "/orders/{order}",
    "/batches",
    "/requisitions",
    "/returns",
    "/invoices",
    "/consignment",
    "/suppliers",
    "/suppliers/S01",
    "/catalogue",
    "/catalogue/review",
    "/agreements",
    "/agreements/alerts",
    "/months",
    "/reports",
    "/imports",
    "/people",
    "/acts",
    "/tokens",
    "/jobs",
    "/rules",
)
"""Pages that people open, each of which exists in both hospitals."""


def live(ward: Ward, number: int) -> None:
    """Let a ward have a missing piece, a used one, loose stock and a count, each at a moment of its own."""
    units, began = tags(4, 1 + 4 * number), float(number)
    ward.open(KIT, "K1", units, began)
    ward.receive(GAUZE, "G1", 5, began + 20)
    ward.observe(units[0], 0.02, began + 900, since_s=300)
    ward.observe(units[1], 0.99, began + 920)
    ward.issue(KIT, "K1", units[2], began + 1_000)
    used = PostingLine(KIT, 1, f"issued@{ward.name}", f"patient@{ward.name}", lot="K1", unit=units[2])
    ward.say("use", write_body(MovementBody((used,), patient="p")), began + 1_020, actor="N1001")
    counted = CountBody(f"s{number}", "line", ward.name, lines=(CountLine(GAUZE, 4, "G1"),))
    ward.say("count_daily", write_body(counted), began + 1_040, actor="N1001")


def grown(folder: Path, size: int) -> Store:
    """Return a hospital of so many wards and suppliers, in each of which the same happens."""
    rooms = range(1, size + 1)
    places = [f"ward-{n:02d},2,病区{n},Ward {n},main-store,ward-{n:02d}" for n in rooms]
    firms = [f"S{n:02d},示例{n},Firm {n}" for n in rooms]
    terms = [f"{item},S{n:02d},{n},2.00,1,1,3,YP{n}" for item in (GAUZE, KIT) for n in rooms]
    used = [
        f"ward-{n:02d},{item},{STORY_DAY - timedelta(days=ago)},{qty}"
        for item, qty in ((GAUZE, 20), (KIT, 1))
        for n in rooms
        for ago in range(1, USED_DAYS)
    ]
    files = {
        **FILES,
        "places.csv": FILES["places.csv"].partition("ward-01")[0] + "\n".join([*places, ""]),
        "suppliers.csv": "\n".join(["supplier,name_zh,name_en", *firms, ""]),
        "item_suppliers.csv": "\n".join([FILES["item_suppliers.csv"].partition("\n")[0], *terms, ""]),
        "use.csv": "\n".join(["place,item,day,qty", *used, ""]),
    }
    store = fresh_store()
    import_folder(store, HOSPITAL, write_files(folder / "files", files), frozen_clock())
    for number in rooms:
        live(Ward(store, f"ward-{number:02d}"), number)
    reconcile(store, HOSPITAL, NOW)
    replenish(store, HOSPITAL, NOW, policy="3x", run="r")
    with store.read() as connection:
        made = proposals(connection, HOSPITAL)
    for one in made[::2]:
        approve(store, HOSPITAL, one.id, BUYER, NOW)
    ask(store, HOSPITAL, NOW)
    look(store, HOSPITAL, NOW)
    keep_figures(store, HOSPITAL, NOW)
    return store


def served(folder: Path, store: Store) -> FastAPI:
    path = folder / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    return build_app(read_config(path), store, frozen_clock(NOW))


@contextmanager
def counting(store: Store) -> Iterator[list[str]]:
    """Give what SQLite is asked meanwhile."""
    asked: list[str] = []
    raw = store.engine.raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.set_trace_callback(asked.append)
    try:
        yield asked
    finally:
        driver.set_trace_callback(None)
        raw.close()


class Hospital:
    """One hospital with its pages."""

    def __init__(self, folder: Path, size: int) -> None:
        folder.mkdir()
        self.store = grown(folder, size)
        self.client = TestClient(served(folder, self.store), base_url="http://127.0.0.1")
        with self.store.read() as connection:
            gaps = discrepancies(connection, HOSPITAL)
            orders = connection.exec_driver_sql("SELECT min(order_no) FROM purchase_order").scalar()
        self.names = {"gap": gaps[0].id, "order": orders}
        assert len(gaps) == size

    def asked(self, page: str) -> list[str]:
        """Open a page twice and return what the second time asked: the first may note that somebody looked."""
        address = page.format(**self.names)
        assert self.client.get(address).status_code == 200, address
        with counting(self.store) as asked:
            self.client.get(address)
        return [one for one in asked if not one.startswith(("BEGIN", "ROLLBACK", "COMMIT"))]


@pytest.fixture(scope="module")
def hospitals(tmp_path_factory: pytest.TempPathFactory) -> tuple[Hospital, Hospital]:
    folder = Path(tmp_path_factory.mktemp("hospitals"))
    return Hospital(folder / "few", FEW), Hospital(folder / "many", MANY)


@pytest.mark.parametrize("page", ["/suppliers", "/suppliers/S01", "/api/v1/suppliers"])
def test_what_suppliers_delivered_is_reckoned_once_for_all_that_is_told_of_them(
    hospitals: tuple[Hospital, Hospital], page: str
) -> None:
    _, many = hospitals
    assert sum("FROM receipt_line" in one for one in many.asked(page)) == 2, "once for lines, once for inspections"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_as_often_of_many_wards_as_of_few(hospitals: tuple[Hospital, Hospital], page: str) -> None:
    few, many = (hospital.asked(page) for hospital in hospitals)
    assert len(many) == len(few), "\n".join(sorted({one[:200] for one in many if many.count(one) > 1}))
    assert len(many) <= ASKED_MAX
