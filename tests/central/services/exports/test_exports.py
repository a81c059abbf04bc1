"""Every list as a table: what it holds, whose rows, without prices for who may not see them, and through both doors."""

import csv
import gc
import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook

from central.bootstrap.application import build_app
from central.config import read_config
from central.core.rights import RIGHTS_OF, WARD_ROLES, Caller, Grant, Right, Role
from central.core.suppliers import CaseKind
from central.errors import BadInput, NotAllowed, NotThere
from central.services.agreements import list_bargains
from central.services.approvals import approve_as
from central.services.desk import Desk
from central.services.exports.form import Form, chunks_of, table_of
from central.services.exports.lists import EXPORTS, export_named
from central.services.figures import opened
from central.store import queries_exports
from central.store.queries_work import proposals
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.values.ids import ActorId, PlaceId
from protocols.values.money import yuan
from tests.central.hospital import HOSPITAL, KIT, START, Ward, frozen_clock, tags
from tests.central.purchases import BUYER, HEAD, buying_hospital, person, propose

UNITS = tags(3)
KEEPER = Caller(ActorId("30001"), "K", (Grant(Role.WARD_KEEPER, frozenset({PlaceId("ward-01")})),))
FILTERS: dict[str, dict[str, str]] = {
    "trace": {"q": KIT},
    "figure-rows": {"id": "line-match.2"},
    "figure-ledger": {"id": "line-match.2", "place": "ward-01", "item": KIT, "lot": "K1"},
    "lot": {"item": KIT, "lot": "K1"},
}
"""What some tables cannot be made without."""
AUDITOR = person("50001", Role.AUDITOR)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A hospital that buys, with three kits in ward-01 of which one was issued, and an order."""
    at = buying_hospital(tmp_path_factory.mktemp("hospital"))
    ward = Ward(at.store)
    ward.open(KIT, "K1", UNITS)
    ward.issue(KIT, "K1", UNITS[0], 60)
    other = Ward(at.store, "ward-02")
    line = PostingLine(KIT, 4, "opening@ward-02", "ward-02", lot="K2")
    other.say("opening", write_body(MovementBody((line,))), 70)
    id = propose(at, KIT, "S02", yuan("268"))
    with at.store.read() as connection:
        (seen,) = [one.version for one in proposals(connection, HOSPITAL, id=id)]
    approve_as(HEAD, at.store, HOSPITAL, id, START, seen)
    return at


def table(desk: Desk, caller: Caller, name: str, zh: bool = False, /, **filters: str) -> list[dict[str, str]]:
    made = table_of(export_named(name), Form.CSV, desk, caller, filters, zh)
    return list(csv.DictReader(io.StringIO(b"".join(chunks_of(made)).decode("utf-8-sig"))))


def reader_of(name: str) -> Caller:
    """The head may have every table but the record of acts, which is the auditor's."""
    return AUDITOR if export_named(name).right is Right.SEE_AUDIT else HEAD


@pytest.mark.parametrize("name", EXPORTS)
@pytest.mark.parametrize("form", Form)
def test_every_table_can_be_made_in_both_forms_and_languages(desk: Desk, name: str, form: Form) -> None:
    export = export_named(name)
    filters = FILTERS.get(name, {})
    for zh in (True, False):
        made = table_of(export, form, desk, reader_of(name), filters, zh)
        content = b"".join(chunks_of(made))
        if form is Form.XLSX:
            head = [str(cell.value) for cell in load_workbook(io.BytesIO(content)).worksheets[0][1]]
        else:
            (head, *_) = csv.reader(io.StringIO(content.decode("utf-8-sig")))
        assert head == [column.zh if zh else column.en for column in export.columns]


def test_stock_and_ledger_hold_the_storerooms_their_reader_may_see(desk: Desk) -> None:
    everything = table(desk, AUDITOR, "stock")
    assert {row["storeroom"] for row in everything} == {"main-store", "ward-01", "ward-02"}
    mine = table(desk, KEEPER, "stock")
    assert [(row["storeroom"], row["item"], row["lot"], row["book"]) for row in mine] == [("ward-01", KIT, "K1", "2")]
    assert {row["movement"] for row in table(desk, KEEPER, "ledger")} == {"opening stock", "issued"}
    assert not any("ward-02" in row["from"] + row["to"] for row in table(desk, KEEPER, "ledger"))
    assert {row["业务类型"] for row in table(desk, AUDITOR, "ledger", True, lot="K2")} == {"期初入库"}
    with pytest.raises(NotAllowed):
        table(desk, KEEPER, "stock", place="ward-02")


def test_a_ledger_of_days_holds_those_days(desk: Desk) -> None:
    assert len(table(desk, AUDITOR, "ledger", first="2026-03-02", last="2026-03-02", item=KIT)) == 5
    assert table(desk, AUDITOR, "ledger", first="2026-03-03") == []
    with pytest.raises(BadInput, match="first: expected a day"):
        table(desk, AUDITOR, "ledger", first="yesterday")


def test_a_period_that_ends_before_it_begins_is_refused_and_no_empty_table_is_given(desk: Desk) -> None:
    days = {"first": "2026-03-02", "last": "2026-03-01"}
    dated = [one for one in EXPORTS.values() if {"first", "last"} <= set(one.filters)]
    assert len(dated) > 4
    for one in dated:
        who = next(role for role in Role if one.right in RIGHTS_OF[role])
        scope = frozenset({PlaceId("ward-01")}) if who in WARD_ROLES else frozenset()
        caller = Caller(ActorId("30002"), "P", (Grant(who, scope),))
        with pytest.raises(BadInput, match="expected a day from 2026-03-02 on"):
            table_of(one, Form.CSV, desk, caller, days, zh=False)


def test_an_order_is_a_row_a_line_and_prices_leave_only_with_who_may_see_them(desk: Desk) -> None:
    (row,) = table(desk, BUYER, "orders")
    assert (row["item"], row["quantity"], row["price (yuan)"], row["amount (yuan)"], row["state"]) == (
        KIT, "5", "268.0000", "1340.0000", "approved",
    )  # fmt: skip
    assert table(desk, BUYER, "orders", state="received") == []
    storekeeper = person("20001", Role.STOREKEEPER)
    (seen,) = table(desk, storekeeper, "orders")
    assert "price (yuan)" not in seen
    assert "amount (yuan)" not in seen


def test_a_filter_or_a_table_that_is_not_there_is_refused(desk: Desk) -> None:
    with pytest.raises(BadInput, match="colour: expected a filter of this table"):
        table(desk, HEAD, "orders", colour="red")
    with pytest.raises(NotThere, match="table: expected one of stock, "):
        export_named("everything")


@pytest.mark.parametrize("name", EXPORTS)
def test_who_holds_no_right_gets_no_table(desk: Desk, name: str) -> None:
    holds = export_named(name).right in RIGHTS_OF[Role.ADMINISTRATOR]
    without = person("90001", Role.DELIVERY if holds else Role.ADMINISTRATOR)
    with pytest.raises(NotAllowed):
        table(desk, without, name, **FILTERS.get(name, {}))
    assert export_named(name).right in set(Right)


def test_rows_are_read_in_blocks_and_never_all_held(desk: Desk) -> None:
    with desk.store.read() as connection:
        rows = queries_exports.movements(connection, HOSPITAL, AUDITOR.scope(Right.SEE_STOCK))
        first = next(rows)
        assert first.item
        assert connection.get_execution_options().get("yield_per") is None  # the option is the query's, not the room's


@pytest.fixture
def client(tmp_path: Path, desk: Desk) -> Iterator[TestClient]:
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    with TestClient(build_app(read_config(path), desk.store, frozen_clock()), base_url="http://127.0.0.1") as one:
        yield one


def test_pages_and_api_give_the_same_table(client: TestClient) -> None:
    page = client.get("/exports/ledger.csv", params={"item": KIT, "lang": "en"})
    api = client.get("/api/v1/exports/ledger.csv", params={"item": KIT, "lang": "en"})
    assert page.content == api.content
    assert page.headers["content-disposition"] == 'attachment; filename="ledger.csv"'
    assert [one["name"] for one in client.get("/api/v1/exports").json()["items"]] == list(EXPORTS)
    assert client.get("/api/v1/exports/ledger.csv", params={"first": "x"}).status_code in {400, 422}
    assert client.get("/exports/nothing.csv").status_code == 404
    assert client.get("/exports/stock.pdf").status_code == 400


def test_bargaining_cases_charges_and_rules_leave_with_their_rows(desk: Desk) -> None:
    with desk.store.write() as connection:
        list_bargains(connection, HOSPITAL, START)
    (line,) = table(desk, HEAD, "bargaining")
    assert (line["half-year"], line["amount (yuan)"], line["price reached (yuan)"]) == ("2026H1", "500000.0000", "")
    desk.suppliers.open_case(BUYER, CaseKind.TICKET, "S02", KIT, "a torn wrapper")
    (case,) = table(desk, HEAD, "cases")
    assert (case["kind"], case["what happened"], case["limit (hours)"]) == ("ticket", "a torn wrapper", "48")
    assert table(desk, HEAD, "charges", first="2026-03-02", last="2026-03-02") == [], "issued is not used yet"
    assert {row["code"] for row in table(desk, HEAD, "rules", q="approval")} >= {"approval.automatic"}
    assert [row["orders"] for row in table(desk, HEAD, "batches")] == ["1"]
    assert len(table(desk, AUDITOR, "acts")) >= 1


def test_figures_leave_in_yuan_and_with_the_wall_clock(desk: Desk) -> None:
    (figure,) = [row for row in table(desk, HEAD, "figures") if row["figure"] == "tagged-value.1"]
    rows = table(desk, HEAD, "figure-rows", id="tagged-value.1")
    stood = opened(desk, HEAD, "tagged-value.1", "").figure.below
    assert figure["below"] == f"{Decimal(stood) / 10_000:.4f}", "yuan, and not ten-thousandths of one"
    assert sum(Decimal(row["below"]) for row in rows) == Decimal(figure["below"]) > 0
    assert {Decimal(row["quantity"]) * Decimal(row["price (yuan)"]) == Decimal(row["below"]) for row in rows} == {True}
    asked = {"place": "ward-01", "item": KIT}
    for id, each in (("tagged-value.1", "quantity"), ("turnover-days.1", "used")):
        (row,) = [one for one in table(desk, HEAD, "figure-rows", id=id, place="ward-01") if one["item"] == KIT]
        lines = table(desk, HEAD, "figure-ledger", id=id, **asked)
        for sum_ in ("above", "below"):
            assert sum(Decimal(line[sum_]) for line in lines) == Decimal(row[sum_])
        assert all(Decimal(line[each]) * Decimal(line["price (yuan)"]) == Decimal(line["below"]) for line in lines)
    with pytest.raises(NotAllowed, match="see-prices"):
        table(desk, KEEPER, "figure-ledger", id="turnover-days.1", **asked)
    assert figure["as of"].startswith("2026-03-02 ")
    assert {row["below"] for row in table(desk, HEAD, "figure-rows", id="coverage.1")} == {"1"}, "no money"


@pytest.mark.parametrize("begun", [False, True])
def test_a_table_whose_reader_left_is_closed(desk: Desk, begun: bool) -> None:
    made = table_of(export_named("stock"), Form.CSV, desk, reader_of("stock"), {}, zh=True)
    chunks = chunks_of(made)
    if begun:
        next(chunks)
    del chunks
    gc.collect()
    assert made.closed
