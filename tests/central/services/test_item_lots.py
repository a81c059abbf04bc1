"""An item with more lots than anybody reads: those that expire first are told, with all that is told of a lot."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import insert

from central.core.rights import Caller, Grant, Role
from central.services import find
from central.services.find import item_here
from central.store.tables.master import LOT
from protocols.values.ids import ActorId
from protocols.values.instant import plus
from tests.central.doors import open_desk
from tests.central.hospital import GAUZE, HOSPITAL, START, Ward, hospital

AUDITOR = Caller(ActorId("20001"), "A", (Grant(Role.AUDITOR),))


def test_of_many_lots_those_that_expire_first_are_told_as_they_are_told_among_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = hospital(tmp_path)
    for at_s, place in ((20, "ward-01"), (40, "ward-02")):
        ward = Ward(store, place)
        for number in range(6):
            ward.receive(GAUZE, f"N{number}", 5 + number, at_s + number)
    with store.write() as connection:
        days = {"N4": date(2026, 5, 1), "N1": date(2026, 6, 1), "N2": date(2027, 1, 1)}
        row = {"hospital": HOSPITAL, "item": GAUZE, "made": None}
        connection.execute(insert(LOT), [{**row, "lot": lot, "expiry": day} for lot, day in days.items()])
    desk = open_desk(store, plus(START, 2_000))
    _, every, whole = item_here(desk, AUDITOR, GAUZE)
    lots = list(dict.fromkeys(one.lot for one in every))
    assert (whole, lots) == (True, ["N4", "N1", "N2", "G1", "N0", "N3", "N5"])
    assert sum(one.lot == "N4" for one in every) == 2
    for most in range(1, len(lots)):
        monkeypatch.setattr(find, "LOTS_MAX", most)
        _, first, whole = item_here(desk, AUDITOR, GAUZE)
        assert (first, whole) == ([one for one in every if one.lot in lots[:most]], False)
    monkeypatch.setattr(find, "LOTS_MAX", len(lots))
    assert item_here(desk, AUDITOR, GAUZE)[1:] == (every, True)
