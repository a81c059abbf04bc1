"""`label --reader`: one tag is written through a real link to a simulated reader, and only while it is alone."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hardware_sim.clock import Clock, real_time
from hardware_sim.devices.device import Heard
from hardware_sim.devices.llrp import LlrpReaderDevice
from hardware_sim.devices.m100 import M100Device
from hardware_sim.devices.tag_memory import TagMemory
from hardware_sim.serve import ReaderPort
from protocols.values.instant import Instant
from tests.system.edge_ward import CONFIG, GTIN, PIECES, Ward

pytestmark = pytest.mark.needs_linux

BLANK, OTHER = "E28011052000000000000001", "E28011052000000000000002"
TID = "E2801105200000A1"
WRITTEN = "30364433400D1EC0000001F4"
READER = """
[[reader]]
name = "r1"
kind = "KIND"
url = "tcp://127.0.0.1:PORT"
antennas = [1]
round_s = 0.3
keepalive_s = 1
"""


class Bench:
    """A reader with a tag that can be written, and whatever else lies before it."""

    def __init__(self, *others: str, kind: str = "llrp") -> None:
        self.tags = {BLANK: TagMemory(BLANK, TID)}
        self.others, self.kind = others, kind
        device = LlrpReaderDevice if kind == "llrp" else M100Device
        self.port = ReaderPort(device(self.hear, tags=self.tags), Clock(real_time()))
        self.port.start()

    def hear(self, at: Instant, antennas: tuple[int, ...]) -> list[Heard]:
        del at
        return [(code, each, -50, 1) for each in antennas for code in (BLANK, *self.others)]

    def holds(self) -> str:
        return self.tags[BLANK].banks[1].hex().upper()[8:32]


@pytest.fixture
def bench() -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(*others: str, kind: str = "llrp") -> Bench:
        made.append(Bench(*others, kind=kind))
        return made[-1]

    yield make
    for each in made:
        each.port.close()


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    with closing(Ward(tmp_path)) as made:
        yield made


def write(ward: Ward, bench: Bench, *more: str) -> tuple[int, str, str]:
    config = CONFIG.replace("fit = 1", "fit = 2") + READER.replace("PORT", str(bench.port.port)).replace(
        "KIND", bench.kind
    )
    ward.config.write_text(config)
    what = ("--gtin", GTIN, "--prefix-digits", "7", "--lot", "L1", "--expiry", "2027-03-31", "--serial", "500")
    done = ward.tool("label", "--config", str(ward.config), *what, "--reader", "r1", "--json", *more)
    return done.returncode, done.stdout, done.stderr


def test_d2_the_only_tag_takes_the_epc_by_its_tid_and_its_serial_is_used(
    ward: Ward, bench: Callable[..., Bench]
) -> None:
    one = bench()
    status, said, error = write(ward, one)
    assert status == 0, error
    told = json.loads(said)
    assert (told["ok"], told["epc"], told["tid"], told["state"]) == (True, WRITTEN, TID, "printed")
    assert one.holds() == WRITTEN
    status, _, error = write(ward, one)
    assert (status, "a label of it was printed; take the next serial" in error) == (1, True)
    ward.config.write_text(CONFIG)
    ward.start_ready()
    ward.wait_for("labels: 1 printed labels are of products not known here yet")
    with closing(sqlite3.connect(ward.ledger)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM binding").fetchone() == (PIECES,)


def test_a_module_behind_a_converter_writes_as_well(ward: Ward, bench: Callable[..., Bench]) -> None:
    module = bench(kind="m100")
    status, said, error = write(ward, module)
    assert (status, json.loads(said)["tid"]) == (0, TID), error
    assert module.holds() == WRITTEN


def test_while_two_tags_answer_nothing_is_written_and_the_serial_stays_free(
    ward: Ward, bench: Callable[..., Bench]
) -> None:
    two = bench(OTHER)
    status, _, error = write(ward, two)
    assert status == 1
    assert "expected one tag before it, 2 answer; lay only the tag to be written before the antenna" in error
    assert len(error.splitlines()) == 1
    assert two.holds() == BLANK
    assert write(ward, bench())[0] == 0


def test_wrong_use_is_told_in_one_line(ward: Ward, bench: Callable[..., Bench]) -> None:
    status, _, error = write(ward, bench(), "--count", "2")
    assert (status, "the last for one label" in error) == (2, True)
