"""Who may do what, proved address by address: every route of the API and of the pages, asked by every role.

tests/vectors/rights/matrix.tsv is the table: `y` is let in, `o` in the own ward only, `-` is refused. A route without
a row fails, and so does a row without a route. looks.tsv beside it lists every address whose reading is recorded.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from central.core.rights import CHANGES, RIGHTS_OF, WARD_ROLES, Right, Role
from central.store.audit import acts
from tests.central.addresses import Address, ask, every_address
from tests.central.hospital import HOSPITAL
from tests.central.town import OTHER, OWN, Town, town

TABLE = Path(__file__).parents[1] / "vectors" / "rights" / "matrix.tsv"
LOOKS = TABLE.with_name("looks.tsv")
COLUMNS = ("nobody", *(role.value for role in Role))
KIT_PRICE = ("268.00", "2680000", "1340.00", "13400000")
"""The price of the kit, and of the five that were invoiced, as a page or a program would read them."""

Row = Mapping[str, str]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return town(tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="module")
def client(there: Town) -> Iterator[TestClient]:
    with TestClient(there.app, base_url="http://127.0.0.1", follow_redirects=False) as one:
        yield one


def written() -> dict[tuple[str, str], Row]:
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return {(row["method"], row["address"]): row for row in csv.DictReader(lines, delimiter="\t")}


def is_refused(status: int, location: str) -> bool:
    return status in {401, 403} or (status == 303 and location.startswith("/sign-in"))


def found(client: TestClient, there: Town, address: Address) -> dict[str, str]:
    """Return the row of an address as it really answers; whatever was done is undone."""
    row = {}
    for column in COLUMNS:
        callers = [f"{column}@{OWN}", f"{column}@{OTHER}"] if column in set(WARD_ROLES) else [column]
        seen = [_asked(client, there, address, None if one == "nobody" else one) for one in callers]
        let_in = [not is_refused(status, location) for status, location in seen]
        if len(seen) > 1 and seen[1][0] == 404 != seen[0][0]:
            let_in[1] = False  # whose storeroom it is not, is told that there is none
        row[column] = "y" if all(let_in) else "o" if let_in[0] else "-"
        assert let_in[0] or not any(let_in), f"{address.row}: {callers[-1]} is let in where {callers[0]} is not"
    return row


def _asked(client: TestClient, there: Town, address: Address, caller: str | None) -> tuple[int, str]:
    answer = ask(client, there, address, caller)
    assert answer.status_code < 500 or answer.status_code == 503, (address.row, caller, answer.text[:300])
    refused = is_refused(answer.status_code, answer.headers.get("location", ""))
    if address.method != "GET" and not refused:
        there.restore()
    if caller is not None and not refused:
        _check_hidden(there, address, caller, answer.text)
    return answer.status_code, answer.headers.get("location", "")


def _check_hidden(there: Town, address: Address, caller: str, text: str) -> None:
    """Check that nothing of another's ward and no price stands in an answer."""
    if caller.endswith(f"@{OTHER}"):
        asked = {there.names[name] for name in there.names if f"{{{name}}}" in address.path}
        shown = [one for one in there.hidden if one in text and one not in asked]
        assert not shown, f"{address.row} shows {caller} {shown}"
    if Right.SEE_PRICES not in RIGHTS_OF[Role(caller.partition("@")[0])]:
        shown = [one for one in KIT_PRICE if one in text]
        assert not shown, f"{address.row} shows {caller} the price {shown}"


def test_every_address_admits_and_refuses_whom_the_table_says(client: TestClient, there: Town) -> None:
    table, wrong = written(), []
    for address in every_address(there.app):
        row = found(client, there, address)
        told = table.pop(address.row, None)
        if told is None or any(told[name] != row[name] for name in COLUMNS):
            wrong.append("\t".join((*address.row, *(row[name] for name in COLUMNS))))
    assert not wrong, "rows as the product answers; judge each, then correct it or the table:\n" + "\n".join(wrong)
    assert not table, f"rows of addresses that are no more: {sorted(table)}"


def test_the_administrator_is_refused_all_business_and_the_auditor_writes_audits_only() -> None:
    changes = [row for row in written().values() if row["method"] != "GET" and row["nobody"] == "-"]
    business = [row["address"] for row in changes if row["administrator"] != "-"]
    own = ("/people", "/devices", "/api/v1/enrolments", "/tokens", "/sign-out", "/account")
    assert [address for address in business if not address.startswith(own)] == []
    audits = [row["address"] for row in changes if row["auditor"] != "-"]
    assert "/api/v1/permits/{place}/audits" in audits
    allowed = ("/permits/", "/api/v1/permits/{place}/audits", "/tokens", "/sign-out", "/account", "/statements")
    assert [address for address in audits if not address.startswith(allowed)] == []


def test_no_right_that_changes_something_is_held_by_who_only_looks() -> None:
    assert RIGHTS_OF[Role.AUDITOR] & CHANGES == {Right.WRITE_AUDIT}
    assert RIGHTS_OF[Role.ADMINISTRATOR] & CHANGES == {Right.MANAGE_PEOPLE, Right.MANAGE_FLEET}
    assert not RIGHTS_OF[Role.ADMINISTRATOR] & {Right.SEE_STOCK, Right.SEE_ORDERS, Right.SEE_PRICES}


LOOKERS = (Role.HEAD_OF_CONSUMABLES, Role.AUDITOR)
"""Between them they may look at everything whose looks are recorded."""


def looks() -> dict[str, str]:
    """Return by address which looks its reading is recorded as: prices, people, devices, patients, acts."""
    with LOOKS.open(encoding="utf-8", newline="") as lines:
        return {row["address"]: row["looks"] for row in csv.DictReader(lines, delimiter="\t")}


def test_who_reads_prices_or_people_stands_in_the_record_of_acts_where_the_table_says(
    client: TestClient, there: Town
) -> None:
    silent, noted = [], {}
    for number, address in enumerate(one for one in every_address(there.app) if one.method == "GET"):
        seen: set[str] = set()
        for role in LOOKERS:
            looker = f"looker-{number}-{role}"
            answer = ask(client, there.newcomer(looker, role), address, looker)
            with there.store.read() as connection:
                mine = {one.act for one in acts(connection, HOSPITAL, person=looker)}
            seen |= {act.removeprefix("see-") for act in mine if act.startswith("see-")}
            if any(price in answer.text for price in KIT_PRICE) and "see-prices" not in mine:
                silent.append(address.row)
        if seen:
            noted[address.path] = " ".join(sorted(seen))
    assert not silent, "prices were shown and nobody noted it"
    rows = [f"{path}\t{told}" for path, told in sorted(noted.items()) if looks().get(path) != told]
    assert not rows, "rows as the product notes them; judge each, then correct it or the table:\n" + "\n".join(rows)
    assert set(looks()) == set(noted), "rows of addresses that note nothing any more"
