"""Requisitions, returns and invoices of years: no row is cut off without a way to it, and a state is asked of all."""

import re
from collections.abc import Iterator
from html import unescape
from itertools import islice

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.core.rights import Caller, Grant, Role
from central.services.requisitions import to_decide
from central.store.engine import Store
from central.store.paging import PageAsked
from central.store.queries_purchasing import invoices_page, overdue
from central.store.tables.purchasing import DOCUMENT_STEP, INVOICE
from central.store.tables.requisitions import REQUISITION
from central.store.tables.returns import SUPPLIER_RETURN
from protocols.values.ids import ActorId
from protocols.values.instant import business_day, plus
from tests.central.hospital import HOSPITAL, START, fresh_store, frozen_clock

MANY = 620
"""Above what any page shows, and above what lists once were cut at."""
FIRST = {"requisition": "asked", "return": "asked", "invoice": "matched"}
LATER = {"requisition": "refused", "return": "closed", "invoice": "paid"}
LISTS = {"requisition": "requisitions", "return": "returns", "invoice": "invoices"}


def row(kind: str, number: int) -> dict[str, object]:
    """Return one document; the one with number 0 is the oldest and still waits."""
    at, day = plus(START, number), business_day(plus(START, number * 86_400))
    return {
        "requisition": {
            "requisition": f"R{number:04}", "place": "ward-01", "asked_by": "N1001", "asked_at": at,
            "emergency": False, "reason": "as usual",
        },
        "return": {
            "return_no": f"R{number:04}", "kind": "return", "supplier": "S01", "place": "main-store", "why": "damaged",
            "claim": 0, "said": "", "asked_at": at, "asked_by": "20001",
        },
        "invoice": {
            "document": f"R{number:04}", "supplier": "S01", "invoice": f"N{number}", "version": 1, "dated": day,
            "due": day, "amount": 12_340_000, "entered_at": at, "entered_by": "30001",
        },
    }[kind] | {"hospital": HOSPITAL}  # fmt: skip


@pytest.fixture(scope="module")
def store() -> Store:
    made = fresh_store()
    table = {"requisition": REQUISITION, "return": SUPPLIER_RETURN, "invoice": INVOICE}
    with made.write() as connection:
        for kind in LISTS:
            step = {"hospital": HOSPITAL, "kind": kind, "step": "x", "at": START, "actor": "10023", "detail": "{}"}
            names = [f"R{number:04}" for number in range(MANY)]
            steps = [{**step, "document": f"{kind}-{name}", "seq": 1, "state": FIRST[kind]} for name in names]
            steps += [{**step, "document": f"{kind}-{name}", "seq": 2, "state": LATER[kind]} for name in names[1:]]
            key = {"requisition": "requisition", "return": "return_no", "invoice": "document"}[kind]
            rows = [row(kind, number) | {key: f"{kind}-R{number:04}"} for number in range(MANY)]
            connection.execute(table[kind].insert(), rows)
            connection.execute(DOCUMENT_STEP.insert(), steps)
    return made


@pytest.fixture(scope="module")
def client(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    path = tmp_path_factory.mktemp("long") / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    with TestClient(build_app(read_config(path), store, frozen_clock()), base_url="http://127.0.0.1") as one:
        yield one


def pages(client: TestClient, address: str) -> Iterator[str]:
    """Give a list's pages by following its links, at most ten."""
    for _ in range(10):
        answer = client.get(address)
        assert answer.status_code == 200
        yield answer.text
        link = re.search(r'rel="next" href="([^"]+)"', answer.text)
        if link is None:
            return
        address = unescape(link[1])


def shown(kind: str, page: str) -> list[str]:
    return re.findall(rf'href="/{LISTS[kind]}/({kind}-R\d+)"', page)


@pytest.mark.parametrize("kind", LISTS)
def test_following_the_links_shows_every_row_once(client: TestClient, kind: str) -> None:
    found = [one for page in pages(client, f"/{LISTS[kind]}?lang=en") for one in dict.fromkeys(shown(kind, page))]
    assert len(found) == MANY
    assert len(set(found)) == MANY


def test_all_invoices_begin_with_the_newest_and_those_to_pay_with_the_one_due_first(
    client: TestClient, store: Store
) -> None:
    found = [one for page in pages(client, "/invoices?lang=en") for one in dict.fromkeys(shown("invoice", page))]
    assert found == [f"invoice-R{number:04}" for number in reversed(range(MANY))]
    assert "Invoices, those due first on top" in client.get("/invoices?state=matched&lang=en").text
    with store.read() as connection:
        assert [one.number for one in invoices_page(connection, HOSPITAL, PageAsked(2)).items] == ["N0", "N1"]


@pytest.mark.parametrize("kind", LISTS)
def test_what_waits_since_long_is_found_by_its_state_on_the_page_and_by_a_program(
    client: TestClient, kind: str
) -> None:
    (page,) = pages(client, f"/{LISTS[kind]}?state={FIRST[kind]}")
    assert set(shown(kind, page)) == {f"{kind}-R0000"}
    told = client.get(f"/api/v1/{LISTS[kind]}", params={"state": FIRST[kind]}).json()
    assert len(told["items"]) == 1
    assert told["next"] is None
    later = next(islice(pages(client, f"/{LISTS[kind]}?state={LATER[kind]}"), 1, None))
    assert f"{kind}-R0000" not in shown(kind, later), "the second page is of the same state"
    assert client.get(f"/api/v1/{LISTS[kind]}", params={"state": "lost"}).status_code == 422


@pytest.mark.parametrize("kind", LISTS)
def test_a_cursor_of_another_list_is_refused_in_plain_words(client: TestClient, kind: str) -> None:
    answer = client.get(f"/{LISTS[kind]}?cursor=nonsense&lang=en")
    assert answer.status_code == 400
    assert "<h1" in answer.text


def test_a_requisition_that_waits_behind_hundreds_of_newer_ones_still_waits_for_its_decision(store: Store) -> None:
    head = Caller(ActorId("10001"), "head", (Grant(Role.HEAD_OF_CONSUMABLES),))
    with store.read() as connection:
        assert [one.requisition for one in to_decide(connection, HOSPITAL, head)] == ["requisition-R0000"]


def test_overdue_invoices_are_counted_among_all_and_a_paid_one_is_none(store: Store) -> None:
    with store.read() as connection:
        late = business_day(plus(START, 5 * 86_400))
        assert overdue(connection, HOSPITAL, late, ["disputed", "matched"]) == 1
        assert overdue(connection, HOSPITAL, business_day(START), ["disputed", "matched"]) == 0, "due today is not late"
        assert overdue(connection, HOSPITAL, late, ["paid"]) == 4
