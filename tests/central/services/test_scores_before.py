"""What was counted of suppliers in quarters before this system did, brought in by a file: grades from the first day."""

from datetime import date
from pathlib import Path

import pytest

from central.core.forms import FORMS
from central.core.suppliers import Dimension, Grade
from central.errors import BadFile, BadInput
from central.services.imports import import_folder
from central.services.supplier_scores import score_quarter
from central.store.engine import Store
from central.store.queries_suppliers import grades_on, scores, tasks
from protocols.values.instant import business_day
from tests.central.hospital import HOSPITAL, START, frozen_clock, hospital, write_files

HEAD = ",".join(column.name for column in FORMS["supplier_scores.csv"].columns) + "\n"
GOOD, LATE, POOR = "60,60,60,60,3,3,2,2", "58,60,60,60,3,3,2,2", "19,28,20,28,0,2,1,3"


def bring(store: Store, folder: Path, *rows: str) -> None:
    files = {"supplier_scores.csv": HEAD + "".join(f"{row}\n" for row in rows)}
    import_folder(store, HOSPITAL, write_files(folder, files), frozen_clock())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return hospital(tmp_path / "hospital", {})


def test_b2_grades_stand_from_the_first_day_by_the_rules_that_score_every_quarter(store: Store, tmp_path: Path) -> None:
    bring(store, tmp_path / "scores", f"S01,2025Q3,{LATE}", f"S01,2025Q4,{GOOD}", f"S02,2025Q4,{POOR}")
    with store.read() as connection:
        now = grades_on(connection, HOSPITAL, business_day(START))
        assert {name: one.grade for name, one in now.items()} == {"S01": Grade.A, "S02": Grade.C}
        assert now["S01"].effective_from == date(2026, 1, 1)
        assert now["S02"].tallies[Dimension.ON_TIME].asked == 28
        assert grades_on(connection, HOSPITAL, date(2025, 12, 31))["S01"].grade is Grade.B
        work = {(one.kind, one.supplier) for one in tasks(connection, HOSPITAL)}
    assert work == {("offer-presettlement", "S01"), ("find-substitute", "S02")}


def test_a_quarter_brought_in_is_not_scored_again_and_stays_as_it_was_first(store: Store, tmp_path: Path) -> None:
    bring(store, tmp_path / "once", f"S01,2025Q4,{GOOD}")
    bring(store, tmp_path / "again", f"S01,2025Q4,{POOR}")
    with store.write() as connection:
        assert score_quarter(connection, HOSPITAL, START) == 0
        assert [one.grade for one in scores(connection, HOSPITAL)] == [Grade.A]


@pytest.mark.parametrize("row", ["S01,2025Q4,61,60,60,60,3,3,2,2", f"S01,2026Q1,{GOOD}"])
def test_more_done_than_asked_and_a_quarter_that_is_not_over_are_refused(
    store: Store, tmp_path: Path, row: str
) -> None:
    with pytest.raises(BadInput, match="expected done of all of a quarter that is over"):
        bring(store, tmp_path / "wrong", row)


def test_a_quarter_that_is_none_is_a_fault_of_its_cell(store: Store, tmp_path: Path) -> None:
    with pytest.raises(BadFile) as told:
        bring(store, tmp_path / "wrong", f"S01,2025-4,{GOOD}")
    assert "a quarter such as 2025Q4" in str(told.value.__dict__)
