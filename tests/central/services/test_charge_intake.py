"""Charges from a view and a file: mapped, incremental, and rows that do not fit are told by row."""

import sqlite3
from datetime import date
from pathlib import Path

import pytest

from central.core.rights import Caller, Grant, Role
from central.errors import NotReady
from central.links.his_view import HisView
from central.services.charge_intake import Intake, read_view
from central.services.charges import differences
from central.services.his import Outcome
from central.store import queries_charges as kept
from central.store.tables.charges import CHARGE_ITEM
from protocols.values.ids import ActorId
from tests.central.hospital import HOSPITAL, KIT, STORY_DAY
from tests.central.services.test_his import HIS, UNITS, Room, consume

HEAD = Caller(ActorId("20009"), "H", (Grant(Role.HEAD_OF_CONSUMABLES),))
COLUMNS = {
    "charge": "FEE_ID", "refunds": "REFUND_OF", "at": "FEE_TIME", "ward": "DEPT", "code": "FEE_CODE",
    "label": "BARCODE", "qty": "QTY", "patient": "PAT_ID",
}  # fmt: skip
WARDS = {"0301": "ward-01"}


class Theirs:
    """Another system's database with a view of charges, as a file of its own."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "his.db"
        self.connection = sqlite3.connect(self.path)
        names = ", ".join(COLUMNS.values())
        self.connection.execute(f"CREATE TABLE fees (ID INTEGER PRIMARY KEY, {names})")
        self.connection.execute("CREATE VIEW charges AS SELECT * FROM fees")

    @property
    def view(self) -> HisView:
        return HisView(f"sqlite:///{self.path}", "charges", "ID")

    def charge(
        self, number: str, label: str = "", code: str = "", qty: object = 1, dept: str = "0301", of: str = ""
    ) -> None:
        row = (number, of, "2026-03-02 16:30:00", dept, code, label, qty, "P1")
        marks = ", ".join("?" * len(row))
        self.connection.execute(f"INSERT INTO fees ({', '.join(COLUMNS.values())}) VALUES ({marks})", row)
        self.connection.commit()


@pytest.fixture
def room(tmp_path: Path) -> Room:
    room = Room(tmp_path)
    with room.store.write() as connection:
        row = {"hospital": HOSPITAL, "code": "F-KIT", "item": KIT, "effective_from": date(2026, 1, 1), "ratio": 1}
        connection.execute(CHARGE_ITEM.insert().values(**row))
    return room


@pytest.fixture
def theirs(tmp_path: Path) -> Theirs:
    return Theirs(tmp_path)


def intake(room: Room, *, used: bool = False) -> Intake:
    return Intake(room.his, room.desk.purchasing.documents, "view", "view", WARDS, used=used)


def test_a_view_is_read_once_and_goes_on_behind_its_mark(room: Room, theirs: Theirs) -> None:
    room.use(UNITS[0])
    theirs.charge("F1", UNITS[0], "F-KIT")
    assert read_view(intake(room), theirs.view, COLUMNS, "his-view").startswith("1 charges taken in, 0 known")
    assert read_view(intake(room), theirs.view, COLUMNS, "his-view") == "no new charges"
    theirs.charge("R1", qty=-1, of="F1")
    assert read_view(intake(room), theirs.view, COLUMNS, "his-view").startswith("1 charges taken in")
    (line,) = differences(room.desk, HEAD, STORY_DAY, STORY_DAY)
    assert (line.used, line.charged, line.difference) == (1, 0, 1)


def test_a_charge_that_is_read_writes_a_use_only_where_that_is_configured(room: Room, theirs: Theirs) -> None:
    theirs.charge("F1", UNITS[0])
    read_view(intake(room), theirs.view, COLUMNS, "his-view")
    assert room.lies(UNITS[0]) == {"ward-01": 1}
    theirs.charge("F2", UNITS[1])
    read_view(intake(room, used=True), theirs.view, COLUMNS, "his-view")
    assert room.lies(UNITS[1]) == {"patient@ward-01": 1}


def test_what_the_api_said_before_is_known_when_the_view_shows_it(room: Room, theirs: Theirs) -> None:
    assert room.his.consume(HIS, consume("F1", UNITS[0])).outcome is Outcome.USED
    theirs.charge("F1", UNITS[0], "F-KIT")
    assert read_view(intake(room), theirs.view, COLUMNS, "his-view").startswith("0 charges taken in, 1 known")


def test_rows_that_do_not_fit_are_told_by_row_and_forgotten_once_they_do(room: Room, theirs: Theirs) -> None:
    theirs.charge("F1", "never-seen")
    theirs.charge("F2", UNITS[0], qty="1.5")
    theirs.charge("F3", UNITS[0], dept="9999")
    theirs.charge("F4", code="F-GONE")
    theirs.charge("F5", UNITS[2])
    said = read_view(intake(room), theirs.view, COLUMNS, "his-view")
    assert said == "1 charges taken in, 0 known already, 4 do not fit"
    with room.store.read() as connection:
        told = {one.row: one.fault for one in kept.faults(connection, HOSPITAL)}
    assert {row: fault.partition(":")[0] for row, fault in told.items()} == {
        "ID 1": "code", "ID 2": "qty", "ID 3": "ward", "ID 4": "code",
    }  # fmt: skip
    assert "9999" in told["ID 3"]
    theirs.connection.execute("UPDATE fees SET QTY = 1 WHERE ID = 2")
    theirs.connection.commit()
    with room.store.write() as connection:
        kept.keep_mark(connection, HOSPITAL, "view", "1", room.desk.now())
    read_view(intake(room), theirs.view, COLUMNS, "his-view")
    with room.store.read() as connection:
        assert "ID 2" not in {one.row for one in kept.faults(connection, HOSPITAL)}


def test_the_view_is_only_ever_read_and_one_that_does_not_answer_is_told(tmp_path: Path, theirs: Theirs) -> None:
    with pytest.raises(NotReady, match="no such table: gone"):
        HisView(theirs.view.url, "gone", "ID").rows("")
    with pytest.raises(NotReady, match="expected charges to answer"):
        HisView("nosuchdatabase://x", "charges", "ID").rows("")
