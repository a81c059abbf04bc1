"""Central's own chain: what central does goes the same way as everyone's entries, and is proven the same way."""

import pytest
from sqlalchemy import select

from central.clock import Clock
from central.errors import BadInput
from central.services.own_chain import Draft, append
from central.services.verify import verify
from central.store.chains import OWN_DEVICE
from central.store.tables.ledger import DEVICE, LEDGER
from protocols.errors import WeBroke
from protocols.values.ids import ActorId
from tests.central.services.parties import a_central, line


def an_opening(qty: int = 100) -> Draft:
    return Draft("opening", {"lines": [line("A1", "opening@main-store", "main-store", qty=qty)]}, ActorId("importer"))


def test_an_opening_by_central_moves_the_book_and_stands_in_a_chain_of_its_own() -> None:
    central = a_central()
    first = append(central.store, central.hospital, [an_opening(), an_opening(5)], central.clock)
    second = append(central.store, central.hospital, [an_opening(1)], central.clock)
    assert [each.seq for each in first + second] == [0, 1, 2]
    assert len({each.incarnation for each in first + second}) == 1
    assert second[0].prev_hash == first[1].hash
    assert central.balance()["main-store", "A1"] == 106
    assert verify(central.store).ok


def test_the_clock_of_the_own_chain_never_runs_backwards_over_a_restart() -> None:
    central = a_central()
    append(central.store, central.hospital, [an_opening()], Clock())
    append(central.store, central.hospital, [an_opening()], central.clock)  # a story that is years behind
    with central.store.read() as connection:
        clocks = list(connection.scalars(select(LEDGER.c.hlc).order_by(LEDGER.c.seq)))
    assert clocks[1] == clocks[0] + 1


def test_more_entries_than_a_frame_holds_are_one_transaction() -> None:
    central = a_central()
    append(central.store, central.hospital, [an_opening(1)] * 1_100, central.clock)
    assert central.balance()["main-store", "A1"] == 1_100
    assert verify(central.store).entries == 1_100


@pytest.mark.parametrize(
    ("draft", "error"),
    [
        (Draft("opening", {"lines": []}), BadInput),
        (Draft("from_the_future", {}), BadInput),
        (Draft("visit", {"x": object()}), WeBroke),
    ],
)
def test_what_the_book_does_not_admit_is_not_written_at_all(draft: Draft, error: type[Exception]) -> None:
    central = a_central()
    with pytest.raises(error, match="expected"):
        append(central.store, central.hospital, [an_opening(), draft], central.clock)
    assert central.balance() == {}
    assert central.raws(OWN_DEVICE) == []


def test_each_hospital_has_its_own_chain() -> None:
    north = a_central("north")
    south = a_central("south", north.store)
    for central in (north, south):
        append(central.store, central.hospital, [an_opening()], central.clock)
    with north.store.read() as connection:
        rows = connection.execute(select(DEVICE.c.incarnation).where(DEVICE.c.device == OWN_DEVICE)).all()
    assert len({row.incarnation for row in rows}) == 2
