"""Going on in a new chain: in one transaction, or in several that a start finishes."""

from collections.abc import Callable

import pytest

from edge_agent.errors import StoreFault
from edge_agent.store import adoption
from edge_agent.store.adoption import adopt, finish_adoption
from edge_agent.store.connection import Connection
from edge_agent.store.ledger import Ledger
from edge_agent.store.verify import verify
from protocols.sync.frames import Head
from protocols.values.ids import Incarnation
from tests.edge_agent.conftest import BORN, START, WARD, Scribe

CHILD = Incarnation(b"c" * 16)
AT_ONCE = 3


@pytest.fixture
def behind(ledger: Ledger, scribe: Scribe) -> Head:
    ledger.append([scribe.visit() for _ in range(12)])
    digest = ledger.hash_at(1)
    assert digest is not None
    return Head(BORN, 1, digest)


def test_a_long_ledger_is_written_again_in_several_transactions(ledger: Ledger, behind: Head) -> None:
    raws = ledger.entries_raw(2, 20, 100_000)
    adopt(ledger.connection, WARD, ledger.way(), CHILD, behind, START, at_once=AT_ONCE)
    assert ledger.entries_raw(0, 20, 100_000, CHILD) == raws
    assert verify(ledger.connection).problems == []


@pytest.mark.parametrize("survive", range(1, 5))
def test_what_a_power_cut_ended_is_finished_by_the_next_start(
    ledger: Ledger, behind: Head, open_again: Callable[..., Ledger], monkeypatch: pytest.MonkeyPatch, survive: int
) -> None:
    raws = ledger.entries_raw(2, 20, 100_000)
    left, copy = [survive], adoption._copy

    def dies(*values: object) -> bool:
        if left[0] == 0:
            raise StoreFault("the power is gone")
        left[0] -= 1
        return copy(*values)  # type: ignore[arg-type] # as they came

    monkeypatch.setattr(adoption, "_copy", dies)
    adopted = _tried(lambda: adopt(ledger.connection, WARD, ledger.way(), CHILD, behind, START, at_once=AT_ONCE))
    ledger.close()
    monkeypatch.undo()
    again = open_again()
    assert (again.head().incarnation, again.head().seq) == (CHILD, 9)
    assert again.entries_raw(0, 20, 100_000) == raws
    assert verify(again.connection).problems == []
    assert adopted is (survive > 3)


def _tried(work: Callable[[], None]) -> bool:
    try:
        work()
    except StoreFault:
        return False
    return True


def test_a_start_with_nothing_to_finish_changes_nothing(ledger: Ledger, behind: Head) -> None:
    connection: Connection = ledger.connection
    finish_adoption(connection, WARD)
    assert behind.seq == 1
    assert [leg.incarnation for leg in ledger.way()] == [BORN]
