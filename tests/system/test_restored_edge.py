"""A storeroom's disk dies; its backup goes onto another one: the edge goes on in a new chain, and both books agree.

Central keeps what it had of the old chain, tells the edge the facts that its backup lacks, and posts nothing twice.
"""

import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from protocols.codes.label import make_badge
from protocols.readers.scanner import Beep
from protocols.values.ids import ActorId
from tests.system.brokers import BrokerProcess
from tests.system.edge_ward import CONFIG, PIECES, WAIT_S, Plug, Ward, label
from tests.system.week.central import Central, network
from tests.system.week.hospital import read_only
from tests.system.week.room import Key

pytestmark = pytest.mark.needs_linux

BADGE = make_badge(ActorId("1001"))
LINK = "unsigned = true\nhello_s = 0.5\nresend_s = 1\nbackoff_max_s = 0.5\nspread_s = 0.1\nidle_hello_s = 1"
WATCHED = ("ward-01", "issued@ward-01")


def eventually(true: Callable[[], bool], said: Callable[[], object]) -> None:
    until = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < until, said()
        time.sleep(0.05)


@pytest.fixture
def pipe(tmp_path: Path) -> BrokerProcess:
    return BrokerProcess("amqtt", tmp_path)


@pytest.fixture
def ward(tmp_path: Path, pipe: BrokerProcess) -> Iterator[Ward]:
    with closing(Ward(tmp_path)) as made:
        made.config.write_text(CONFIG.replace("mqtt://127.0.0.1:9", pipe.url).replace("unsigned = true", LINK))
        yield made


def book_of(ward: Ward) -> dict[Key, int]:
    found: Counter[Key] = Counter()
    with closing(read_only(ward.ledger)) as ledger:
        for where, shelf, item, lot, qty in ledger.query("SELECT place, position, item, lot, qty FROM balance"):
            found[where, shelf, item, lot] += qty
    return {key: qty for key, qty in found.items() if qty and key[0] in WATCHED}


def chains_of(ward: Ward) -> int:
    with closing(read_only(ward.ledger)) as ledger:
        return len(ledger.query("SELECT 1 FROM incarnation"))


def agree(ward: Ward, central: Central) -> bool:
    return {key: qty for key, qty in central.book().items() if key[0] in WATCHED} == book_of(ward)


def take_two_and_lose_the_disk(ward: Ward, central: Central, lost: Path) -> None:
    """Have a nurse take two pieces, which central hears; then the machine stops, and nobody reads its disk again."""
    agent = ward.start_ready()
    assert ward.plug.scan(BADGE, label(1), label(2)) == [Beep.OK] * 3
    eventually(lambda: central.events() == len(ward.kinds()), ward.log)
    agent.kill()
    agent.wait(WAIT_S)
    for old in ward.folder.glob("ledger.db*"):
        shutil.move(old, lost / f"lost-{old.name}")


def test_a_backup_on_another_disk_goes_on_in_a_new_chain_and_central_ends_with_the_same_book(
    ward: Ward, pipe: BrokerProcess, tmp_path: Path
) -> None:
    with network(pipe, tmp_path) as central:
        agent = ward.start_ready()
        assert ward.plug.scan(BADGE, label(1), label(2)) == [Beep.OK] * 3
        config = ("--config", str(ward.config))
        backup = json.loads(ward.tool("backup", *config, "--to", str(tmp_path / "copies"), "--json").stdout)["backup"]
        assert ward.plug.scan(label(3), label(4)) == [Beep.OK] * 2
        eventually(lambda: central.events() == len(ward.kinds()), ward.log)
        agent.kill()
        agent.wait(WAIT_S)

        for old in ward.folder.glob("ledger.db*"):
            shutil.move(old, tmp_path / "copies")  # the disk is gone; nobody will read it again
        ward.plug.pull()
        ward.plug = Plug(ward.folder / "scanner")
        done = ward.tool("restore", "--from", backup, *config, "--json")
        assert done.returncode == 0, done.stderr
        ward.start_ready()
        assert ward.plug.scan(BADGE, label(5)) == [Beep.OK] * 2
        eventually(lambda: agree(ward, central), lambda: (central.book(), book_of(ward), ward.log()))
        assert central.book()["issued@ward-01", "", "C001", "L1"] == 5
        assert book_of(ward)["ward-01", "S1", "C001", "L1"] == PIECES - 5
        assert chains_of(ward) == 2
        assert ward.plug.scan(label(3), label(6)) == [Beep.NO, Beep.OK]  # what the backup lacked came back
        eventually(lambda: agree(ward, central), lambda: (central.book(), book_of(ward), ward.log()))
        assert central.faults() == []
        assert ward.tool("verify", str(ward.ledger)).returncode == 0
        assert "Traceback" not in ward.log()


def test_a_disk_without_a_backup_begins_anew_and_gets_its_book_from_central(
    ward: Ward, pipe: BrokerProcess, tmp_path: Path
) -> None:
    with network(pipe, tmp_path) as central:
        take_two_and_lose_the_disk(ward, central, tmp_path)
        ward.config.write_text(ward.config.read_text().replace('opening = "opening.csv"\n', ""))
        ward.plug.pull()
        ward.plug = Plug(ward.folder / "scanner")
        ward.start_ready()
        eventually(lambda: agree(ward, central), lambda: (central.book(), book_of(ward), ward.log()))
        assert book_of(ward)["ward-01", "S1", "C001", "L1"] == PIECES - 2
        assert ward.plug.scan(BADGE, label(2), label(3)) == [Beep.OK, Beep.NO, Beep.OK]
        eventually(lambda: agree(ward, central), lambda: (central.book(), book_of(ward), ward.log()))
        assert central.faults() == []
        assert ward.tool("verify", str(ward.ledger)).returncode == 0


def test_a_disk_that_begins_anew_with_its_opening_still_configured_opens_the_storeroom_no_second_time(
    ward: Ward, pipe: BrokerProcess, tmp_path: Path
) -> None:
    with network(pipe, tmp_path) as central:
        take_two_and_lose_the_disk(ward, central, tmp_path)
        ward.plug.pull()
        ward.plug = Plug(ward.folder / "scanner")
        ward.start_ready()
        assert ward.plug.scan(BADGE, label(3)) == [Beep.OK] * 2
        eventually(
            lambda: agree(ward, central) and central.book()["issued@ward-01", "", "C001", "L1"] == 3,
            lambda: (central.book(), book_of(ward), ward.log()),
        )
        assert book_of(ward)["ward-01", "S1", "C001", "L1"] == PIECES - 3
        assert ward.plug.scan(BADGE, label(2)) == [Beep.OK, Beep.NO]
        assert ward.log().count("no entry stood in it yet") == 2
        assert central.faults() == []
        assert ward.tool("verify", str(ward.ledger)).returncode == 0
        assert "Traceback" not in ward.log()
