"""Orders and invoices as people work them on the pages, each in their own role, with a real store behind."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
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


def test_an_order_is_changed_on_the_page_and_every_version_is_shown(client: TestClient) -> None:
    order, qty = approved(client)
    buyer = Somebody(client, "10023")
    assert "Change the order (version 2)" in buyer.get(f"/orders/{order}?lang=en")
    change = {"qty": [str(qty + 50)], "price": ["0.80"], "wanted": "2026-03-20", "reason": "bargained"}
    assert buyer.post(f"/orders/{order}/versions/new", **change) == 303
    page = buyer.get(f"/orders/{order}")
    assert "made a new version of an order" in page
    assert "in force" in page
    assert "0.80" in page
    halved = {"qty": [str(qty + 50), "7"], "price": ["0.70"], "reason": "a row came in half"}
    assert "another quantity, price or day" in buyer.said(f"/orders/{order}/versions/new", **halved)
    again = {"qty": [str(qty + 50)], "price": [""], "reason": "the same"}
    assert "another quantity, price or day" in buyer.said(f"/orders/{order}/versions/new", **again)
    told = client.get(f"/api/v1/orders/{order}/versions").json()["versions"]
    assert [(one["version"], one["lines"][0]["qty"]) for one in told] == [(1, qty), (2, qty + 50)]


def test_an_amendment_that_is_refused_says_why_and_the_page_names_who_approved_it(client: TestClient) -> None:
    order, qty = approved(client)
    buyer, form = Somebody(client, "10023"), f"/orders/{order}/versions/new"
    change = {"qty": [str(qty)], "price": [""], "reason": "another"}
    assert "the head of consumables decides" in buyer.said(form, **{**change, "qty": ["100000"]})
    assert "whole packs" in buyer.said(form, **{**change, "qty": [str(qty + 1)]})
    assert "not before today, and within a year" in buyer.said(form, **{**change, "wanted": "1999-01-01"})
    page = buyer.get(f"/orders/{order}")
    assert '<span class="code">10001</span></li>' in page
    assert buyer.post(form, **{**change, "price": ["8.50"]}) == 303
    page = buyer.get(f"/orders/{order}")
    assert '<span class="code">10023</span></li>' in page
    assert '<span class="code">10001</span></li>' not in page
    assert "another price than at the last order" in page


def test_goods_go_back_by_three_people_on_the_pages(client: TestClient) -> None:
    order, qty = approved(client)
    buyer, goods = Somebody(client, "10023"), {"delivery_note": "DN-1", "line_no": 1, "lot": "G2", "accepted": qty}
    assert buyer.post(f"/orders/{order}/send") == 303
    keeper = Somebody(client, "20001")
    assert keeper.post(f"/orders/{order}/receipts/new", **goods) == 303
    assert f"/returns/new/{order}" in keeper.get(f"/orders/{order}?lang=en")
    form = f"/returns/new/{order}"
    line = re.search(r'name="line" value="([^"]+)"', keeper.get(form))
    assert line is not None
    wanted = {"kind": "return", "why": "damaged", "said": "wet", "claim": "3", "line": [line[1]], "qty": [str(qty + 1)]}
    assert "not more than is left of it" in keeper.said(form, **wanted)
    assert keeper.post(form, **{**wanted, "qty": ["5"]}) == 303
    number = re.search(r"/returns/(RT-\w+)", keeper.get("/returns"))
    assert number is not None
    page = f"/returns/{number[1]}"
    buyer = Somebody(client, "10023")
    assert buyer.post(f"{page}/approve") == 303
    assert Somebody(client, "20001").post(f"{page}/ship") == 303
    buyer = Somebody(client, "10023")
    note = {"number": "RED-1", "dated": "2026-03-02", "claim": "2.50"}
    assert "credit note owed" in buyer.get(page)
    assert "above what was claimed" in buyer.said(f"{page}/credit", **{**note, "claim": "4"})
    assert buyer.post(f"{page}/credit", **note) == 303
    assert "RED-1" in buyer.get(page)
    (told,) = client.get("/api/v1/returns").json()["items"]
    assert (told["state"], told["goods"], told["credited"]) == ("credited", 5 * 8_500, 5 * 8_500 + 25_000)
    assert client.get(f"/papers/goods-return/{number[1]}.pdf").headers["content-type"] == "application/pdf"


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
    fields = {"order_no": order, "invoice": "INV-1", "dated": "2026-03-02", "qty": qty, "price": "0.85"}
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


def test_a_day_that_cannot_be_meant_is_told_in_plain_words(client: TestClient) -> None:
    order, _ = approved(client)
    buyer = Somebody(client, "10023")
    buyer.post(f"/orders/{order}/send")
    for said in ("next week", "9999-12-31"):
        assert "not before the order was made, and within a year" in buyer.said(
            f"/orders/{order}/confirm", promised=said
        )
    fields = {"order_no": order, "invoice": "INV-1", "dated": "2031-01-01", "qty": 1, "price": "0.85"}
    assert "票面日期不得早于下单日，也不得晚于今天" in buyer.said("/invoices?lang=zh", **fields)


def test_more_than_was_ordered_is_not_accepted(client: TestClient) -> None:
    order, qty = approved(client)
    Somebody(client, "10023").post(f"/orders/{order}/send")
    keeper = Somebody(client, "20001")
    told = keeper.said(f"/orders/{order}/receipts/new", delivery_note="DN-1", accepted=qty + 1)
    assert "More than is still owed cannot be" in told


def test_the_form_of_a_receipt_begins_with_what_is_still_owed(client: TestClient) -> None:
    order, qty = approved(client)
    Somebody(client, "10023").post(f"/orders/{order}/send")
    keeper, form = Somebody(client, "20001"), f"/orders/{order}/receipts/new"
    assert f'name="accepted" maxlength="10" value="{qty}"' in keeper.get(f"/orders/{order}")
    assert keeper.post(form, delivery_note="DN-1", lot="G7", accepted=50) == 303
    assert f'name="accepted" maxlength="10" value="{qty - 50}"' in keeper.get(f"/orders/{order}")


def test_a_receipt_sent_twice_is_taken_once_and_an_expired_lot_is_not_taken(client: TestClient) -> None:
    order, _ = approved(client)
    Somebody(client, "10023").post(f"/orders/{order}/send")
    keeper, form = Somebody(client, "20001"), f"/orders/{order}/receipts/new"
    assert 'name="seen" value="0"' in keeper.get(f"/orders/{order}")
    goods = {"delivery_note": "DN-1", "lot": "G7", "accepted": 50, "seen": 0}
    assert "last day of this lot is over" in keeper.said(form, **goods, expiry="2020-01-01")
    assert keeper.post(form, **goods, expiry="2028-06-01") == 303
    assert "Somebody may have changed it meanwhile" in keeper.said(form, **goods, expiry="2028-06-01")
    assert 'name="seen" value="1"' in keeper.get(f"/orders/{order}")
    assert f"/orders/{order}/cancel" not in Somebody(client, "10023").get(f"/orders/{order}")
    told = client.get("/exports/stock.csv?place=main-store&q=G7").text
    assert ",G7,2028-06-01,50," in told


def test_the_head_who_approved_is_not_offered_to_accept(client: TestClient) -> None:
    order, _ = approved(client)
    assert Somebody(client, "10001").post(f"/orders/{order}/send") == 303
    assert "Accept a delivery" not in Somebody(client, "10001").get(f"/orders/{order}")


@pytest.mark.parametrize(("price", "says"), [("0.85001", "four decimals"), ("-1", "four decimals"), ("x", "yuan")])
def test_a_price_that_is_none_is_told_in_plain_words(client: TestClient, price: str, says: str) -> None:
    order, _ = approved(client)
    fields = {"order_no": order, "invoice": "INV-1", "dated": "2026-03-02", "qty": 1, "price": price}
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
    proposed = int(form["qty"][0])
    qty, told_before = str(proposed + 50), client.get("/api/v1/proposals").json()["items"][0]
    changed = {"act": "approve", "chosen": form["id"], **form, "qty": [qty]}
    for lacking in ({}, {"another": "other"}):
        told = buyer.said("/proposals?lang=en", **changed, **lacking)
        assert "1 was not done." in told
        assert "Another quantity than proposed needs its reason" in told
        assert f'name="qty" value="{qty}"' in told, "what was typed stays"
    assert "1 order made." in buyer.said("/proposals?lang=en", **changed, another="more-use", text="two new beds")
    (order,) = client.get("/api/v1/orders").json()["items"]
    (line,) = order["lines"]
    assert (line["qty"], order["approved_by"]) == (int(qty), "10023")
    why = {"from": proposed, "to": int(qty), "by": "10023", "why": "more-use", "text": "two new beds"}
    assert line["reason"] == {**told_before["reason"], "changed": why}, "what was proposed, and why, stays as it was"
    said = f"{told_before['reason_en']} Proposed {proposed}, ordered {qty} by 10023: more will be used (two new beds)."
    assert line["reason_en"] == said
    page = buyer.get(f"/orders/{order['order_no']}?lang=en")
    assert f"Proposed {proposed}, ordered {qty} by 10023: more will be used (two new beds)." in page
    assert f"建议 {proposed}，10023 改订 {qty}：近期用量将增加（two new beds）。" in buyer.get(
        f"/orders/{order['order_no']}?lang=zh"
    )


def test_a_program_approves_another_quantity_with_its_reason(client: TestClient) -> None:
    buyer = Somebody(client, "10023")
    (one,) = client.get("/api/v1/proposals").json()["items"]
    path, headers = f"/api/v1/proposals/{one['id']}/approve", {"x-form-word": buyer._word}
    body = {"version": one["version"], "qty": one["qty"] + 50}
    assert client.post(path, json=body, headers=headers).status_code == 422
    assert client.post(path, json={**body, "why": "more-use"}, headers=headers).status_code == 201
    (order,) = client.get("/api/v1/orders").json()["items"]
    assert order["lines"][0]["qty"] == one["qty"] + 50 == one["proposed_qty"] + 50


@pytest.mark.parametrize("qty", ["7", "0", "", "x", "99999999999"])
def test_a_quantity_that_is_no_whole_pack_is_left_as_it_was(client: TestClient, qty: str) -> None:
    buyer = Somebody(client, "10023")
    form = form_of(buyer.get("/proposals?lang=en"))
    told = buyer.said("/proposals?lang=en", act="approve", chosen=form["id"], **{**form, "qty": [qty]})
    assert "1 was not done" in told
    words = re.sub(r"<[^>]+>|\s+", " ", told)
    assert re.search(r"Gauze swab +HC-GAUZE +· Central store +– a quantity is whole packs, and not less", words), words
    assert client.get("/api/v1/orders").json()["items"] == []
    assert form_of(buyer.get("/proposals"))["qty"] == form["qty"]


def test_a_refused_proposal_needs_a_reason_and_is_not_proposed_again_at_once(client: TestClient) -> None:
    buyer = Somebody(client, "10023")
    form = form_of(buyer.get("/proposals?lang=en"))
    nothing = buyer.said("/proposals?lang=en", act="reject", chosen=form["id"], **form)
    assert "1 was not done" in nothing
    assert "Choose why not from the list" in nothing
    told = buyer.said("/proposals?lang=en", act="reject", refusal="enough-stock", chosen=form["id"], **form)
    assert "1 proposal refused." in told
    assert "No proposal is open." in told
    assert "1 proposal was refused lately" in told
    assert "enough in stock" in told


def test_what_changed_meanwhile_is_not_approved_and_shown_again(client: TestClient) -> None:
    buyer = Somebody(client, "10023")
    form = form_of(buyer.get("/proposals?lang=en"))
    stale = {**form, "version": ["0" * 16]}
    told = buyer.said("/proposals?lang=en", act="approve", chosen=form["id"], **stale)
    assert "1 was not done" in told
    assert "it has changed since you saw it" in told
    assert "whole packs, and" not in told
    assert buyer.post("/proposals", act="approve", chosen=form["id"], id=form["id"], version=[], qty=[]) == 400


def test_several_lots_of_one_delivery_are_one_receipt_and_an_item_kept_by_lot_names_each(client: TestClient) -> None:
    order, qty = approved(client)
    assert Somebody(client, "10023").post(f"/orders/{order}/send") == 303
    keeper, form = Somebody(client, "20001"), f"/orders/{order}/receipts/new"
    page = keeper.get(f"/orders/{order}?lang=en")
    assert page.count('name="lot"') == 4
    assert f'name="accepted" maxlength="10" value="{qty}"' in page
    rows = {
        "line_no": [1, 1, 1], "lot": ["G7", "G8", ""], "expiry": ["2028-06-01", "", ""],
        "accepted": [str(qty - 50), "30", ""], "refused": ["", "20", ""], "why": ["", "wet", ""],
    }  # fmt: skip
    refused = keeper.said(form, delivery_note="DN-1", **{**rows, "lot": ["G7", "", ""]})
    assert "kept by lot" in refused
    assert 'value="2028-06-01"' in refused, "what was typed stays"
    assert "Nothing was accepted" in keeper.said(form, delivery_note="DN-1", lot="G7", accepted="many")
    assert keeper.post(form, delivery_note="DN-1", **rows) == 303
    page = keeper.get(f"/orders/{order}?lang=en")
    assert page.count('<span class="code quiet">GR-') == 2
    assert len(set(re.findall(r"GR-\w+", page))) == 1
    assert "wet" in page


def test_an_invoice_asks_for_several_orders_and_an_unknown_one_is_named(client: TestClient) -> None:
    order, _ = approved(client)
    buyer = Somebody(client, "10023")
    assert "No order or settlement that you may see has this number" in client.get("/invoices?order=PO-1&lang=en").text
    page = buyer.get(f"/invoices?order={order}")
    assert page.count('name="line_no"') == 1
    fields = {"invoice": "INV-1", "dated": "2026-03-02", "order_no": [order, order], "line_no": [1, 1]}
    said = buyer.said("/invoices", **fields, qty=["", ""], price=["1", "2"])
    assert "Enter for at least one line" in said
    assert 'value="INV-1"' in said, "what was typed stays"
    assert buyer.post("/invoices", **fields, qty=["5", ""], price=["0.85", ""]) == 303
