"""Two people who do the same in the same moment, on a real PostgreSQL: never more goods than there are."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from central.core.returns import Back, Claimed, ReturnKind, Why
from central.core.rights import Caller
from central.errors import NotNow
from central.services.desk import Desk
from central.services.imports import import_folder
from central.services.orders import approve
from central.services.policy import seed_policy
from central.services.purchasing import Inspected
from central.services.replenish import replenish
from central.store import queries_charges, queries_purchasing, queries_returns
from central.store.queries_work import proposals
from protocols.values.ids import OrderNo
from protocols.values.instant import plus
from protocols.values.money import Money
from tests.central.doors import Watch, desk
from tests.central.hospital import (
    FILES,
    GAUZE,
    HOSPITAL,
    KIT,
    START,
    Ward,
    frozen_clock,
    tags,
    use_file,
    write_files,
)
from tests.central.services.test_his import HIS, consume
from tests.central.services.test_purchasing import BUYER, HEAD, STORE, ordered_qty, sent
from tests.system.postgresql import migrated_cluster

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.slow]
BOTH_S = 2.0
"""How long the first waits for the second to have read as well."""


@pytest.fixture
def ordered(tmp_path: Path) -> Iterator[tuple[Desk, OrderNo]]:
    """Give a hospital that has sent an order for swabs."""
    with migrated_cluster() as store:
        seed_policy(store, HOSPITAL)
        used = use_file({GAUZE: 300}).replace("ward-01,", "main-store,")
        import_folder(store, HOSPITAL, write_files(tmp_path, {**FILES, "use.csv": used}), frozen_clock())
        replenish(store, HOSPITAL, plus(START, 60), policy="3x", run="replenish:1")
        with store.read() as connection:
            (one,) = [one for one in proposals(connection, HOSPITAL, status="open") if one.place == "main-store"]
        order = approve(store, HOSPITAL, one.id, HEAD.person, plus(START, 120)).order_no
        at_desk = desk(store, Watch(plus(START, 3600)))
        sent(at_desk, order)
        yield at_desk, order


def waiting(write: Callable[..., None]) -> Callable[..., None]:
    """Return a write that waits until two are about to write, if there are two."""
    both = threading.Barrier(2)

    def written(*what: Any) -> None:  # noqa: ANN401 # what it is given
        with suppress(threading.BrokenBarrierError):
            both.wait(BOTH_S)
        write(*what)

    return written


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Do everything in threads of its own; returns what was refused."""
    refused = list[str]()

    def tried(act: Callable[[], object]) -> None:
        try:
            act()
        except NotNow as error:
            refused.append(str(error))

    people = [threading.Thread(target=tried, args=(act,)) for act in acts]
    for each in people:
        each.start()
    for each in people:
        each.join()
    return refused


def swabs(qty: int) -> list[Inspected]:
    """Return so many swabs of one lot, all of them good."""
    return [Inspected(1, "G2", None, accepted=qty, refused=0)]


def test_two_who_ask_at_once_never_send_back_more_than_came(
    ordered: tuple[Desk, OrderNo], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_desk, order = ordered
    receipt = at_desk.purchasing.receive(STORE, order, "DN-1", swabs(50))
    monkeypatch.setattr(queries_returns, "add", waiting(queries_returns.add))

    def ask(caller: Caller, qty: int) -> object:
        back = (Back(receipt, 1, qty),)
        return at_desk.returns.ask(caller, Claimed(ReturnKind.RETURN, Why.DAMAGED, back, Money(0), "wet"))

    assert len(at_once(lambda: ask(STORE, 40), lambda: ask(BUYER, 45))) == 1
    with at_desk.store.read() as connection:
        assert queries_returns.asked_back(connection, HOSPITAL, receipt)[1] in {40, 45}


def test_two_who_receive_at_once_never_take_in_more_than_was_ordered(
    ordered: tuple[Desk, OrderNo], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_desk, order = ordered
    qty = ordered_qty(at_desk, order)
    monkeypatch.setattr(queries_purchasing, "add_receipt", waiting(queries_purchasing.add_receipt))
    refused = at_once(
        lambda: at_desk.purchasing.receive(STORE, order, "DN-1", swabs(qty)),
        lambda: at_desk.purchasing.receive(STORE, order, "DN-2", swabs(qty)),
    )
    assert refused == [f"receipt line 1: expected at most 0 still owed, got {qty}; refuse the rest"]


@pytest.mark.parametrize("numbers", [("F1", "F2"), ("F1", "F1")])
def test_two_terminals_at_once_charge_a_piece_once(
    ordered: tuple[Desk, OrderNo], monkeypatch: pytest.MonkeyPatch, numbers: tuple[str, str]
) -> None:
    at_desk, _ = ordered
    (unit,) = tags(1)
    Ward(at_desk.store).open(KIT, "K1", [unit])
    monkeypatch.setattr(queries_charges, "add_charge", waiting(queries_charges.add_charge))
    refused = at_once(*(partial(at_desk.his.consume, HIS, consume(number, unit)) for number in numbers))
    assert len(refused) == len(set(numbers)) - 1
    assert all("is charged already, by F" in one for one in refused)
    with at_desk.store.read() as connection:
        assert queries_charges.standing(connection, HOSPITAL, [unit]) == {unit: 1}
        assert [one.qty for one in queries_charges.lying(connection, HOSPITAL, unit=unit) if one.qty > 0] == [1]
