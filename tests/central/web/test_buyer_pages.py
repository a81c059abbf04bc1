"""The buyer's path on the pages: tasks lead to what they counted, goods to who takes them in, a dispute to its why."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.core.purchasing import InvoicedLine, OrderStep
from central.core.requisitions import RequisitionStep, Wanted, Wish
from central.core.rights import Caller, Grant, Right, Role
from central.services.desk import Desk
from central.services.needs import needs_of
from central.services.policy import shipped_rows, source_zh
from central.services.purchasing import Inspected
from central.services.requisitions import Said
from central.services.rules import RuleBook
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import business_day, plus
from protocols.values.money import yuan
from tests.central.doors import Watch, desk
from tests.central.hospital import GAUZE, KIT, START, frozen_clock, hospital
from tests.central.services.test_purchasing import BUYER, STORE
from tests.central.services.test_rules import version
from tests.central.web.test_order_pages import PASSWORD, Somebody

PAGE = ActorId("page")
ROLES = (
    *(Grant(Role.PURCHASER), Grant(Role.HEAD_OF_CONSUMABLES), Grant(Role.STOREKEEPER), Grant(Role.FINANCE)),
    Grant(Role.WARD_KEEPER, frozenset({PlaceId("ward-01")})),
)
ASKER = Caller(ActorId("asker"), "asker", (Grant(Role.STOREKEEPER),))
PAGE_CALLER = Caller(PAGE, "page", ROLES)


@pytest.fixture
def at_desk(tmp_path: Path) -> Desk:
    store = hospital(tmp_path / "files")
    door = desk(store, Watch(frozen_clock().real_now()))
    door.entrance.make_first("set-up-code!", ActorId("99999"), "Keeper", PASSWORD, "")
    door.entrance.accept(door.accounts.add(ActorId("99999"), PAGE, "page", ROLES), PASSWORD, "")
    return desk(store, Watch(plus(START, 3600)), clock=frozen_clock(plus(START, 3600)))


@pytest.fixture
def client(tmp_path: Path, at_desk: Desk) -> Iterator[TestClient]:
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n', "utf-8")
    app = build_app(read_config(path), at_desk.store, frozen_clock(plus(START, 3600)))
    with TestClient(app, base_url="http://127.0.0.1") as one:
        Somebody(one, "page")
        yield one


def bought(at_desk: Desk, place: str, *wishes: tuple[str, int]) -> dict[str, str]:
    """Let a buyer order what somebody asked for; returns the orders by item."""
    lines = tuple(Wish(item, qty) for item, qty in wishes)
    asked = at_desk.requisitions.ask(ASKER, Wanted(PlaceId(place), lines, "dressings"))
    done = at_desk.requisitions.step(BUYER, asked.requisition, RequisitionStep.APPROVE, Said())
    return dict(done.orders)


def announced(at_desk: Desk, order_no: str) -> None:
    at_desk.purchasing.step(BUYER, order_no, OrderStep.SEND, {})
    at_desk.purchasing.step(BUYER, order_no, OrderStep.ANNOUNCE, {"delivery_note": "DN-1"})


def counted(at_desk: Desk) -> dict[str, tuple[int, str]]:
    return {one.kind: (one.count, one.address) for one in needs_of(at_desk, PAGE_CALLER)}


def told(client: TestClient, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return str(answer.text.split("<main", 1)[1].split("</main>", 1)[0])


def test_a_task_counts_what_it_says_and_leads_to_just_that(at_desk: Desk, client: TestClient) -> None:
    of_ward = bought(at_desk, "ward-01", (GAUZE, 30), (KIT, 5))
    of_store = bought(at_desk, "main-store", (KIT, 10))
    listed = told(client, counted(at_desk)["send-orders"][1])
    assert counted(at_desk)["send-orders"][0] == 2
    assert of_ward[KIT] in listed
    assert of_store[KIT] in listed
    assert of_ward[GAUZE].startswith("IR-")
    assert of_ward[GAUZE] not in listed, "what goes between storerooms is not sent to a supplier"
    for order_no in (of_ward[KIT], of_store[KIT]):
        announced(at_desk, order_no)
    tasks = counted(at_desk)
    assert "send-orders" not in tasks
    for kind, here, there in (
        ("accept-deliveries", of_store[KIT], of_ward[KIT]),
        ("receive-at-ward", of_ward[KIT], of_store[KIT]),
    ):
        count, address = tasks[kind]
        listed = told(client, address)
        assert count == 1
        assert here in listed
        assert there not in listed


def test_an_order_says_who_takes_its_goods_in_and_how(at_desk: Desk, client: TestClient) -> None:
    of_ward = bought(at_desk, "ward-01", (KIT, 5))[KIT]
    page = told(client, f"/orders/{of_ward}")
    assert "Intensive care receives it with its own scanner" in page
    assert "It must be sent to the supplier first." in page
    announced(at_desk, of_ward)
    page = told(client, f"/orders/{of_ward}")
    assert "must be sent" not in page
    assert "Accept a delivery" not in page
    assert "delivery note</span> <span" in page, "what a step says stands by its name"
    of_store = bought(at_desk, "main-store", (KIT, 5))[KIT]
    announced(at_desk, of_store)
    assert "Accept a delivery" in told(client, f"/orders/{of_store}")


def test_h1_a_disputed_invoice_says_why_line_by_line(at_desk: Desk, client: TestClient) -> None:
    order_no = bought(at_desk, "main-store", (KIT, 10))[KIT]
    announced(at_desk, order_no)
    at_desk.purchasing.receive(STORE, order_no, "DN-1", [Inspected(1, "K1", None, accepted=8, refused=2, why="wet")])
    with at_desk.store.read() as connection:
        order = at_desk.purchasing.documents.order(connection, BUYER, Right.SEE_ORDERS, order_no)
    price = order.lines[0].price
    line = InvoicedLine(order_no, 1, 10, yuan("999"))
    made = at_desk.invoices.enter_invoice(BUYER, order.supplier, "INV-1", business_day(START), [line])
    count, address = counted(at_desk)["settle-invoices"]
    assert (count, "INV-1" in told(client, address)) == (1, True)
    assert "2 more than the 8 accepted" in told(client, address)
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", told(client, f"/invoices/{made.document}")))
    assert "10 invoiced, 2 more than the 8 accepted and not invoiced yet" in page
    assert "over the order's" in page
    assert "over-price" not in page
    chinese = client.get(f"/invoices/{made.document}?lang=zh").text
    assert "比已验收未开票的 8 多 2" in chinese
    said = client.get(f"/api/v1/invoices/{made.document}").json()
    (shown,) = said["lines"]
    assert (shown["ordered"], shown["accepted"], shown["qty"]) == (10, 8, 10)
    assert (shown["ordered_price"], shown["price"]) == (price, yuan("999"))
    assert {one["why"] for one in shown["differences"]} == {"over-price", "not-accepted"}
    assert client.get("/invoices/IV-NONE").status_code == 404


def test_a_loosened_rule_tells_both_who_may_agree(at_desk: Desk, client: TestClient) -> None:
    made = RuleBook(at_desk.master.documents).set(BUYER, version("approval.change", "0.9"))
    assert counted(at_desk)["agree-to-rules"] == (1, "/rules?waits=1")
    waiting = told(client, "/rules?waits=1")
    assert "/rules/of/approval.change" in waiting
    assert "Head of consumables · page" in waiting
    page = told(client, "/rules/of/approval.change")
    assert "May agree:" in page
    (change,) = client.get("/api/v1/rules/approval.change").json()["changes"]
    assert (change["change"], change["may_agree"]) == (made.change, ["head-of-consumables"])
    proposer = Caller(PAGE, "page", (Grant(Role.PURCHASER),))
    assert "agree-to-rules" not in {one.kind for one in needs_of(at_desk, proposer)}


def test_an_error_page_tells_the_time_that_every_other_page_tells(at_desk: Desk, tmp_path: Path) -> None:
    """In a story told faster than the clock on the wall."""
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    with TestClient(build_app(read_config(path), at_desk.store, frozen_clock()), base_url="http://127.0.0.1") as one:
        page = one.get("/nowhere?lang=en")
    assert page.status_code == 404
    assert "2 Mar 2026" in page.text


def test_c7_the_quarters_pack_has_a_link_for_programs_too(client: TestClient) -> None:
    quarter = re.search(r'href="(/api/v1/vbp/packs/\w+)" download', client.get("/agreements?lang=en").text)
    assert quarter is not None
    assert client.get(quarter[1]).json()["quarter"] == quarter[1][-6:]


def test_every_shipped_source_of_a_rule_has_its_chinese_title(client: TestClient) -> None:
    assert [row.source_doc for row in shipped_rows() if source_zh(row.source_doc) == row.source_doc] == []
    assert "A9（S3）：限额内自动审批" in client.get("/rules?lang=zh").text
    assert "A9 (S3): automatic approval within limits" not in client.get("/rules/of/approval.automatic?lang=zh").text
