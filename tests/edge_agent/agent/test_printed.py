"""D2: a label printed beside the agent is bound in the ledger, once, as soon as its product is known."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_agent.agent.printed import AGAIN_S, PrintedLabels
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock, Pen
from edge_agent.core.labels import Label, label_of
from edge_agent.errors import StoreFault
from edge_agent.store.feed import Row, checksum_of, take_snapshot
from edge_agent.store.labels import PRINTED, SUFFIX, open_labels
from edge_agent.store.ledger import Ledger
from protocols.entry import decode_body
from protocols.values.hlc import Hlc
from protocols.values.instant import StoryTime
from tests.edge_agent.conftest import START, Scribe

GTIN = "09506000134352"


class Print:
    """A printing tool beside an agent, both on one ledger's folder."""

    def __init__(self, path: Path, ledger: Ledger) -> None:
        self.path, self.ledger, self.ns = path, ledger, 0
        clock = Clock(StoryTime(START, 1.0, 0), monotonic_ns=lambda: self.ns)
        self.said = io.StringIO()
        self.printed = PrintedLabels(path, clock=clock, voice=Voice(clock, self.said))
        self.pen = Pen(clock, Hlc(0))

    def label(self, serial: int, state: str = PRINTED) -> Label:
        label = label_of(GTIN, "L1", "2027-03-31", serial, 7)
        with open_labels(self.path) as labels:
            labels.claim(label, START)
            labels.settle(label.epc, state, "E280", START)
        return label

    def look(self, after_s: float = 2.0) -> int:
        self.ns += round(after_s * 1e9)
        return len(self.printed.write(self.ledger, self.pen)) if self.printed.due else 0

    def known(self) -> None:
        rows = [Row("item", "C001", {"products": [{"code": GTIN}]})]
        take_snapshot(self.ledger.connection, "global", 1, rows, checksum=checksum_of(rows), now=START)

    def bound(self) -> list[str]:
        return [epc for (epc,) in self.ledger.connection.query("SELECT epc FROM binding ORDER BY serial")]


@pytest.fixture
def printing(open_again: Callable[..., Ledger], ledger_path: Path) -> Print:
    return Print(ledger_path, open_again())


def test_d2_good_labels_are_bound_in_one_entry_and_never_again(printing: Print) -> None:
    printing.known()
    assert printing.look() == 0
    epcs = [printing.label(serial).epc for serial in (1, 2)]
    void = printing.label(3, "void")
    assert printing.look() == 1
    assert printing.bound() == epcs
    ((body,),) = printing.ledger.connection.query("SELECT body FROM ledger WHERE kind = 'bind_tag'")
    assert decode_body(body)["bindings"][0] == {
        "epc": epcs[0], "item": "C001", "gtin": GTIN, "lot": "L1", "serial": "1", "expiry": "2027-03-31",
    }  # fmt: skip
    assert void.epc not in printing.bound()
    assert (printing.look(), printing.look()) == (0, 0)


def test_d2_the_same_serial_twice_is_refused_also_after_its_tag_is_bound_and_killed(
    printing: Print, scribe: Scribe
) -> None:
    printing.known()
    label = printing.label(1)
    assert printing.look() == 1
    printing.ledger.append([scribe.entry("tag_killed", {"old": label.epc})])
    with pytest.raises(StoreFault, match="a label of it was printed; take the next serial"):
        printing.label(1)
    again = Print(printing.path, printing.ledger)
    assert again.look() == 0
    assert printing.bound() == []


def test_d2_a_label_of_an_unknown_product_waits_for_the_hospitals_data(printing: Print) -> None:
    printing.label(1)
    assert printing.look() == 0
    assert "products not known here yet" in printing.said.getvalue()
    printing.known()
    assert printing.look() == 0
    assert printing.look(AGAIN_S) == 1


def test_d2_a_cut_after_the_entry_and_before_the_label_is_struck_off_binds_nothing_twice(printing: Print) -> None:
    printing.known()
    label = printing.label(1)
    assert printing.look() == 1
    with open_labels(printing.path) as labels:
        labels.settle(label.epc, PRINTED, "E280", START)
    assert printing.look() == 0
    assert len(printing.ledger.connection.query("SELECT 1 FROM ledger WHERE kind = 'bind_tag'")) == 1


def test_a_file_of_labels_that_is_damaged_keeps_nobody_waiting(printing: Print) -> None:
    printing.path.with_name(printing.path.name + SUFFIX).write_bytes(b"no database" * 100)
    assert printing.look() == 0
    assert "expected a sound SQLite file" in printing.said.getvalue()
