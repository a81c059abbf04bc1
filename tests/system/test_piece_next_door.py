"""A piece carried into the next storeroom, whose edge knows nothing of it: sighted there, told through central, missed
at home, and one misplaced line beside the match rates.

Two live filters, a ledger and central; only reader wires and the broker are left out.
"""

import random
from pathlib import Path

import pytest

from central.services.causes import first_causes
from central.services.reconcile import reconcile
from central.services.wards import standings
from central.store.engine import Store
from central.store.queries_work import discrepancies
from central.store.ward_facts import facts_behind
from edge_agent.agent.model import hear
from edge_agent.core.presence import Belief
from edge_agent.core.presence.live import Filter
from edge_agent.store.ledger import Ledger, open_ledger
from protocols.entry import decode_entry
from protocols.readers.reads import InputChanged, RoundEnded, TagRead
from protocols.values.ids import DeviceId, PlaceId, epc
from protocols.values.instant import plus
from tests.central.hospital import HOSPITAL, KIT, START, Ward, hospital, tags
from tests.edge_agent.conftest import BORN

pytestmark = pytest.mark.slow
UNITS = tags(5)
MOVED = UNITS[2]
ROUND_S = 10
MOVED_AT_MIN, ENDS_MIN = 90, 300
COMPARED_EVERY_MIN = 10


class Room:
    """One storeroom's edge: a reader with two antennas, and what its filter says in the name of its device."""

    def __init__(self, store: Store, folder: Path, name: str) -> None:
        self.ward, self.place = Ward(store, name), PlaceId(name)
        self.filter = Filter({"r1": (1, 2)}, round_s=ROUND_S)
        self.ledger: Ledger = open_ledger(folder / f"{name}.db", DeviceId(name), newborn=BORN, now=START)
        self.told, self.chance = 0, random.Random(name)

    def minute(self, number: int, here: set[str]) -> None:
        for turn in range(6):
            at = plus(START, number * 60 + turn * ROUND_S)
            for unit in sorted(here):
                if self.chance.random() < 0.8:
                    self.filter.receive(TagRead(epc(unit), 1, -55, at, at), "r1")
            for said in self.filter.receive(RoundEnded(at, (1, 2)), "r1"):
                if isinstance(said, Belief):
                    draft = said.draft()
                    self.ward.say(draft.kind, dict(draft.body), number * 60 + turn * ROUND_S + 1)

    def pull(self, store: Store) -> None:
        """Take the facts that central has for this storeroom, as the agent does."""
        with store.read() as connection:
            facts = facts_behind(connection, HOSPITAL, self.place, self.told, 100)
        for version, total, device, raw in facts:
            self.ledger.post_facts(version, total, [(device, raw)])
            hear(self.filter, self.ledger.connection, [(device, decode_entry(raw))], self.ledger.device, self.place)
            self.told = version


def play(folder: Path, *, through_central: bool) -> Store:
    store = hospital(folder / "files")
    home, beside = Room(store, folder, "ward-01"), Room(store, folder, "ward-02")
    home.ward.open(KIT, "K1", UNITS)
    for unit in UNITS:
        home.filter.book(epc(unit), True, START)
    there = set(UNITS)
    for number in range(ENDS_MIN):
        if number == MOVED_AT_MIN:
            home.filter.receive(InputChanged(1, True, plus(START, number * 60)), "r1")
            there.remove(MOVED)
        home.minute(number, there)
        beside.minute(number, set(UNITS) - there)
        if number % COMPARED_EVERY_MIN == 0:
            reconcile(store, HOSPITAL, plus(START, number * 60 + 59))
            if through_central:
                home.pull(store)
    for room in (home, beside):
        room.ledger.close()
    return store


def test_a_piece_carried_next_door_is_missed_there_found_here_and_one_line_is_misplaced(tmp_path: Path) -> None:
    store = play(tmp_path, through_central=True)
    with store.read() as connection:
        found = discrepancies(connection, HOSPITAL, status="open")
        causes = first_causes(connection, HOSPITAL, [one.id for one in found])
        lines = {one.place.place: one.match and one.match.misplaced for one in standings(connection, HOSPITAL, START)}
    assert {(one.unit, one.kind, one.place): causes[one.id] for one in found} == {
        (MOVED, "missing", "ward-01"): "moved_next_door",
        (MOVED, "unexpected", "ward-02"): "moved_next_door",
    }
    assert (lines["ward-01"], lines["ward-02"]) == (1, 0)
    assert max((one.found_at - plus(START, MOVED_AT_MIN * 60)) / 60e6 for one in found) < 150


def test_without_what_central_tells_a_silent_piece_waits_and_nothing_is_opened_in_the_other_room(
    tmp_path: Path,
) -> None:
    store = play(tmp_path, through_central=False)
    with store.read() as connection:
        assert discrepancies(connection, HOSPITAL, status="open") == []
