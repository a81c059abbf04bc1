"""Orders and invoices as people work them on the pages, each in their own role, with a real store behind."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap import build_app
from central.config import read_config
from central.core.rights import Grant, Role
from central.services.imports import import_folder
from central.services.replenish import replenish
from central.services.secrets_kept import form_word
from protocols.values.ids import ActorId
from protocols.values.instant import plus
from tests.central.doors import Watch, desk
from tests.central.hospital import FILES, GAUZE, HOSPITAL, START, frozen_clock, hospital, use_file, write_files

PASSWORD = "seven green kettles 7"
FROM_HERE = {"sec-fetch-site": "same-origin"}
PEOPLE = {"10001": Role.HEAD_OF_CONSUMABLES, "10023": Role.PURCHASER, "20001": Role.STOREKEEPER, "30001": Role.FINANCE}


class Somebody:
    """One person at a browser."""

    def __init__(self, client: TestClient, person: str) -> None:
        client.cookies.clear()
        client.post("/sign-in?lang=en", data={"staff": person, "password": PASSWORD}, headers=FROM_HERE)
        self._client, self._word = client, form_word(client.cookies["wardstock_session"])

    def get(self, path: str) -> str:
        answer = self._client.get(path)
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    def post(self, path: str, **fields: object) -> int:
        return int(self._client.post(path, data={**fields, "word": self._word}, headers=FROM_HERE).status_code)

    def said(self, path: str, **fields: object) -> str:
        return str(self._client.post(path, data={**fields, "word": self._word}, headers=FROM_HERE).text)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    store = hospital(tmp_path / "files", {})
    of_the_store = use_file({GAUZE: 300}).replace("ward-01,", "main-store,")
    import_folder(store, HOSPITAL, write_files(tmp_path / "more", {**FILES, "use.csv": of_the_store}), frozen_clock())
    replenish(store, HOSPITAL, START, policy="3x", run="replenish:1")
    door = desk(store, Watch(frozen_clock().real_now()))
    door.entrance.make_first("set-up-code!", ActorId("99999"), "Keeper", PASSWORD, "")
    for number, role in PEOPLE.items():
        secret = door.accounts.add(ActorId("99999"), ActorId(number), number, [Grant(role)])
        door.entrance.accept(secret, PASSWORD, "")
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n', "utf-8")
    app = build_app(read_config(path), store, frozen_clock(plus(START, 3600)))
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as one:
        yield one


def approved(client: TestClient) -> tuple[str, int]:
    """Let the head approve the one proposal; returns the order and its quantity."""
    head = Somebody(client, "10001")
    page = head.get("/?lang=en")
    found = re.search(r'action="/proposals/(\w+)/approve', page)
    version = re.search(r'name="version" value="(\w+)"', page)
    assert found is not None
    assert version is not None
    assert head.post(f"/proposals/{found[1]}/approve", version=version[1]) == 303
    (order,) = client.get("/api/v1/orders").json()["items"]
    return order["order_no"], order["lines"][0]["qty"]


def test_an_order_is_worked_to_its_payment_by_four_people(client: TestClient) -> None:
    order, qty = approved(client)
    buyer = Somebody(client, "10023")
    page = buyer.get(f"/orders/{order}")
    assert "Sent to the supplier" in page
    assert "Accept a delivery" not in page
    assert buyer.post(f"/orders/{order}/send", platform_order_no="YP-1") == 303
    assert buyer.post(f"/orders/{order}/confirm", promised="2026-03-05") == 303
    keeper = Somebody(client, "20001")
    page = keeper.get(f"/orders/{order}")
    assert "Accept a delivery" in page
    assert "¥" not in page, "a storekeeper sees no price"
    receipt = f"/orders/{order}/receipts/new"
    assert keeper.post(receipt, delivery_note="DN-1", line_no=1, lot="G2", accepted=qty, refused=0) == 303
    assert "all received" in keeper.get(f"/orders/{order}")
    buyer = Somebody(client, "10023")
    fields = {"order_no": order, "invoice": "INV-1", "dated": "2026-03-06", "qty": qty, "price": "0.85"}
    assert buyer.post("/invoices", **fields) == 303
    page = buyer.get("/invoices")
    assert ">matched<" in page
    assert ">Pay<" not in page, "a buyer does not pay"
    cashier = Somebody(client, "30001")
    found = re.search(r'action="/invoices/([\w-]+)/pay"', cashier.get("/invoices"))
    assert found is not None
    assert cashier.post(f"/invoices/{found[1]}/pay") == 303
    assert ">paid<" in cashier.get("/invoices")
    assert "received" in cashier.get("/orders?state=received")


@pytest.mark.parametrize(
    ("step", "fields", "says"),
    [
        ("cancel", {}, "Say why."),
        ("confirm", {"promised": "2026-03-05"}, "Somebody may have changed it meanwhile"),
    ],
)
def test_a_step_that_is_refused_is_told_in_plain_words(
    client: TestClient, step: str, fields: dict[str, str], says: str
) -> None:
    order, _ = approved(client)
    assert says in Somebody(client, "10023").said(f"/orders/{order}/{step}", **fields)


def test_more_than_was_ordered_is_not_accepted(client: TestClient) -> None:
    order, qty = approved(client)
    Somebody(client, "10023").post(f"/orders/{order}/send")
    keeper = Somebody(client, "20001")
    told = keeper.said(f"/orders/{order}/receipts/new", delivery_note="DN-1", accepted=qty + 1)
    assert "More than is still owed cannot be" in told


def test_the_head_who_approved_is_not_offered_to_accept(client: TestClient) -> None:
    order, _ = approved(client)
    assert Somebody(client, "10001").post(f"/orders/{order}/send") == 303
    assert "Accept a delivery" not in Somebody(client, "10001").get(f"/orders/{order}")


@pytest.mark.parametrize(("price", "says"), [("0.85001", "four decimals"), ("-1", "four decimals"), ("x", "yuan")])
def test_a_price_that_is_none_is_told_in_plain_words(client: TestClient, price: str, says: str) -> None:
    order, _ = approved(client)
    fields = {"order_no": order, "invoice": "INV-1", "dated": "2026-03-06", "qty": 1, "price": price}
    assert says in Somebody(client, "10023").said("/invoices", **fields)


def test_the_pages_of_orders_are_whole_in_chinese(client: TestClient) -> None:
    order, _ = approved(client)
    buyer = Somebody(client, "10023")
    for path in ("/proposals?lang=zh", "/orders?lang=zh", f"/orders/{order}?lang=zh", "/invoices?lang=zh"):
        words = re.sub(r"<[^>]+>", " ", buyer.get(path).split("<main", 1)[1].split("</main>", 1)[0])
        assert re.findall(r"[A-Za-z]{4,} [A-Za-z]{3,}", words) == [], path


def form_of(page: str) -> dict[str, list[str]]:
    """Return the columns of the form of proposals."""
    return {name: re.findall(rf'name="{name}" value="(\w+)"', page) for name in ("id", "version", "qty")}


def test_a_buyer_changes_a_quantity_and_approves_it_in_one_press(client: TestClient) -> None:
    buyer = Somebody(client, "10023")
    form = form_of(buyer.get("/proposals?lang=en"))
    qty = str(int(form["qty"][0]) + 50)
    told = buyer.said("/proposals?lang=en", act="approve", chosen=form["id"], **{**form, "qty": [qty]})
    assert "1 order made." in told
    (order,) = client.get("/api/v1/orders").json()["items"]
    assert (order["lines"][0]["qty"], order["approved_by"]) == (int(qty), "10023")
    assert order["lines"][0]["reason"]["changed"] == {"from": int(form["qty"][0]), "by": "10023"}


@pytest.mark.parametrize("qty", ["7", "0", "", "x", "99999999999"])
def test_a_quantity_that_is_no_whole_pack_is_left_as_it_was(client: TestClient, qty: str) -> None:
    buyer = Somebody(client, "10023")
    form = form_of(buyer.get("/proposals?lang=en"))
    told = buyer.said("/proposals?lang=en", act="approve", chosen=form["id"], **{**form, "qty": [qty]})
    assert "1 was not done" in told
    assert client.get("/api/v1/orders").json()["items"] == []
    assert form_of(buyer.get("/proposals"))["qty"] == form["qty"]


def test_a_refused_proposal_needs_a_reason_and_is_not_proposed_again_at_once(client: TestClient) -> None:
    buyer = Somebody(client, "10023")
    form = form_of(buyer.get("/proposals?lang=en"))
    assert "1 was not done" in buyer.said("/proposals?lang=en", act="reject", chosen=form["id"], **form)
    told = buyer.said("/proposals?lang=en", act="reject", reason="closing", chosen=form["id"], **form)
    assert "1 proposal refused." in told
    assert "No proposal is open." in told


def test_what_changed_meanwhile_is_not_approved_and_shown_again(client: TestClient) -> None:
    buyer = Somebody(client, "10023")
    form = form_of(buyer.get("/proposals?lang=en"))
    stale = {**form, "version": ["0" * 16]}
    assert "1 was not done" in buyer.said("/proposals?lang=en", act="approve", chosen=form["id"], **stale)
    assert buyer.post("/proposals", act="approve", chosen=form["id"], id=form["id"], version=[], qty=[]) == 400
