"""Money by month as people see it on the pages and ask for it of the API, each in their own role."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.core.rights import Grant, Role
from central.services.consignment import Consignment
from protocols.values.ids import ActorId
from protocols.values.instant import from_iso
from protocols.values.money import Money
from tests.central.doors import Watch, desk
from tests.central.hospital import GAUZE, HOSPITAL, KIT, frozen_clock
from tests.central.purchases import BUYER
from tests.central.services.test_month import CATHETER, SWAB, Story, day
from tests.central.web.test_order_pages import PASSWORD, Somebody

NOW = from_iso("2026-04-02T09:00:00+08:00")
PEOPLE = {
    "10001": Role.HEAD_OF_CONSUMABLES,
    "10023": Role.PURCHASER,
    "20001": Role.STOREKEEPER,
    "30001": Role.FINANCE,
}
PAGES = ("/months", "/months/2026-03", "/months/2026-03/finance", "/consignment", "/price-changes")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    story = Story(tmp_path)
    consignment = Consignment(story.at(day(3)).purchasing.documents)
    consignment.set_term(BUYER, KIT, "S02", date(2026, 3, 1), None, CATHETER, 20)
    story.buys(GAUZE, "S01", SWAB, 1000, day(3), "G2")
    story.buys(KIT, "S02", CATHETER, 20, day(3, 10), "K1")
    story.sends(KIT, "K1", 5, day(4), owner="S02")
    story.uses(KIT, "K1", 3, day(5), owner="S02")
    door = desk(story.store, Watch(frozen_clock().real_now()))
    door.entrance.make_first("set-up-code!", ActorId("99999"), "Keeper", PASSWORD, "")
    for number, role in PEOPLE.items():
        secret = door.accounts.add(ActorId("99999"), ActorId(number), number, [Grant(role)])
        door.entrance.accept(secret, PASSWORD, "")
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n', "utf-8")
    app = build_app(read_config(path), story.store, frozen_clock(NOW))
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as one:
        yield one


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_is_drawn_in_both_languages(client: TestClient, language: str) -> None:
    finance = Somebody(client, "30001")
    for path in PAGES:
        assert finance.get(f"{path}?lang={language}")
    for by in ("place", "category", "item"):
        assert finance.get(f"/months/2026-03?by={by}&lang={language}")


def test_a_figure_opens_to_its_row_and_the_row_to_lines_that_sum_to_it(client: TestClient) -> None:
    finance = Somebody(client, "30001")
    page = finance.get("/months/2026-03?by=place&of=main-store&lang=en")
    assert "¥1,275.00" in page, "500 and 1000 swabs at 0.85"
    lines = finance.get(f"/months/2026-03/lines?place=main-store&item={GAUZE}&lang=en")
    assert "Opening ¥0.00, in ¥1,275.00, out ¥0.00, closing ¥1,275.00." in lines
    told = client.get(f"/api/v1/months/2026-03/stock/lines?place=main-store&item={GAUZE}").json()
    assert sum(one["value"] for one in told["items"]) == 1500 * SWAB
    for path in (f"stock/lines?place=main-store&item={GAUZE}", "stock?place=main-store", "accruals?"):
        whole = client.get(f"/api/v1/months/2026-03/{path}").json()["items"]
        following, found = f"/api/v1/months/2026-03/{path}&limit=1", whole[:0]
        while following:
            shown = client.get(following).json()
            found, following = found + shown["items"], shown["next"]
        assert found == whole, path
    assert client.get("/months/2026-03/lines?place=nowhere&item=x").status_code == 404


def test_finance_closes_the_month_and_what_was_used_on_consignment_is_settled(client: TestClient) -> None:
    finance = Somebody(client, "30001")
    assert "Close 2026-03 for good" in finance.get("/months?lang=en")
    page = finance.get("/consignment?lang=en")
    assert "Used so far, and not settled yet" in page
    assert "¥804.00" in page
    (told,) = client.get("/api/v1/consignment/running").json()["items"]
    assert (told["month"], told["amount"]) == ("2026-03", 8_040_000)
    assert finance.post("/months/2026-03/close") == 303
    assert finance.post("/months/2026-03/close") == 409
    assert "Used so far" not in finance.get("/consignment?lang=en")
    assert "closed for good" in finance.get("/months?lang=en")
    page = finance.get("/consignment?lang=en")
    assert "¥804.00" in page
    assert "not told" in page
    (note,) = client.get("/api/v1/consignment/settlements").json()["items"]
    assert finance.post(f"/consignment/{note['note']}/agree") == 409, "who closed made it"
    buyer = Somebody(client, "10023")
    assert "Say what the supplier disputes" in buyer.said(f"/consignment/{note['note']}/dispute?lang=en", said=" ")
    assert buyer.post(f"/consignment/{note['note']}/agree") == 303
    assert "agreed, may be invoiced" in buyer.get("/consignment?lang=en")
    asked = f"/invoices?order={note['note']}"
    assert f"{asked}#enter-title" in buyer.get("/consignment?lang=en")
    assert 'name="qty"' in buyer.get(asked)
    fields = {"order_no": note["note"], "line_no": 1, "invoice": "FP-9", "dated": "2026-04-02"}
    assert buyer.post("/invoices", **fields, qty="3", price="268") == 303
    page = Somebody(client, "30001").get("/invoices?lang=en")
    assert ">matched<" in page
    invoice = client.get("/api/v1/invoices").json()["items"][0]["document"]
    assert Somebody(client, "30001").post(f"/invoices/{invoice}/pay") == 303


def test_d9_a_buyer_agrees_on_the_page_that_a_supplier_lays_an_item_in(client: TestClient) -> None:
    buyer = Somebody(client, "10023")
    form = {"item": GAUZE, "supplier": "S01", "first": "2026-04-01", "last": "", "price": "0.85", "level": "500"}
    assert "Agree that a supplier lays an item in" not in Somebody(client, "30001").get("/consignment?lang=en")
    buyer = Somebody(client, "10023")
    for wrong in ({"first": ""}, {"last": "2026-03-01"}, {"price": "0"}, {"level": "many"}, {"supplier": "S02"}):
        said = buyer.said("/consignment/terms?lang=en", **{**form, **wrong})
        assert ("an item that this supplier offers" in said) is True, wrong
    assert buyer.post("/consignment/terms", **form) == 303
    (term,) = [one for one in client.get("/api/v1/consignment/terms").json()["items"] if one["item"] == GAUZE]
    assert (term["level"], term["price"], term["supplier"]) == (500, 8500, "S01")


def test_who_closed_a_month_is_not_offered_to_agree_to_its_settlements(client: TestClient) -> None:
    finance = Somebody(client, "30001")
    assert finance.post("/months/2026-03/close") == 303
    assert '/agree"' not in finance.get("/consignment")
    assert '/agree"' in Somebody(client, "10023").get("/consignment")


def test_accounts_are_told_in_the_readers_language(client: TestClient) -> None:
    finance = Somebody(client, "30001")
    page = finance.get("/months/2026-03/finance?lang=en")
    assert re.search(r'<b class="code">1302</b> <span class="line quiet">stock <span lang="zh">', page)
    assert '<span lang="zh">' not in finance.get("/months/2026-03/finance?lang=zh")


def test_entries_leave_as_csv_and_balance(client: TestClient) -> None:
    Somebody(client, "30001")
    answer = client.get("/months/2026-03/journal.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="journal-2026-03.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert sum(float(one["debit"]) for one in rows) == pytest.approx(sum(float(one["credit"]) for one in rows))
    assert {one["role"] for one in rows} == {"stock", "opening", "accrued", "consumed", "consigned"}
    told = client.get("/api/v1/months/2026-03/journal.json").json()
    assert (told["closed"], len(told["lines"])) == (False, len(rows))


def test_a_price_change_is_proposed_by_one_and_approved_by_another(client: TestClient) -> None:
    finance = Somebody(client, "30001")
    assert "Nothing was proposed." in finance.said("/price-changes?lang=en", item=GAUZE, price="cheap", reason="x")
    assert finance.post("/price-changes", item=GAUZE, price="0.80", reason="new agreement") == 303
    (change,) = client.get("/api/v1/price-changes").json()["items"]
    assert (change["price"], change["state"]) == (8_000, "proposed")
    assert finance.post(f"/price-changes/{change['change']}/approve") == 403
    head = Somebody(client, "10001")
    assert head.post(f"/price-changes/{change['change']}/approve") == 303
    assert head.post(f"/price-changes/{change['change']}/refuse") == 409
    assert "approved" in head.get("/price-changes?lang=en")


def test_who_may_not_see_prices_sees_none_of_it(client: TestClient) -> None:
    Somebody(client, "20001")
    for path in (*PAGES, "/months/2026-03/journal.csv", "/api/v1/months", "/api/v1/months/2026-03/stock"):
        assert client.get(path).status_code == 403, path
    assert client.get("/api/v1/payables").status_code == 403


def test_the_api_tells_accruals_payables_and_accounts(client: TestClient) -> None:
    Somebody(client, "30001")
    told = client.get("/api/v1/months/2026-03/accruals").json()
    assert told["closing"]["value"] == 1000 * SWAB + 3 * CATHETER
    assert client.get("/api/v1/payables").json() == {"items": [], "next": None}
    assert client.get("/api/v1/finance/accounts").json()["accounts"]["stock"]["code"] == "1302"
    assert client.get("/api/v1/months/2026-13/stock").status_code == 422
    assert client.get("/api/v1/months/2025-01/stock").status_code == 404
    (term,) = client.get("/api/v1/consignment/terms").json()["items"]
    assert (term["supplier"], term["level"], term["price"]) == ("S02", 20, Money(CATHETER))
    assert HOSPITAL == "main"
