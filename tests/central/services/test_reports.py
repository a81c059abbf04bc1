"""Reports by month and quarter: made once, signed, and the same however often they are asked for."""

import json
from pathlib import Path

import pytest

from central.core.statement import canonical
from central.core.suppliers import CaseKind
from central.errors import NotThere
from central.services.desk import Desk
from central.services.orders import approve
from central.services.reports import make_due, report_text, reports
from central.services.statements import Signer, checker_at, signer_at
from protocols.values.instant import Instant, from_iso
from protocols.values.money import yuan
from tests.central.hospital import HOSPITAL, KIT, START
from tests.central.purchases import BUYER, HEAD, buying_hospital, propose

IN_APRIL = from_iso("2026-04-01T09:00:00+08:00")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """In March a kit was ordered off the platform's list, and its supplier was cut off."""
    at = buying_hospital(tmp_path / "files")
    approve(at.store, HOSPITAL, propose(at, KIT, "S02", yuan("268")), HEAD.person, START)
    at.suppliers.open_case(BUYER, CaseKind.DISRUPTION, "S02", KIT, "工厂停产")
    return at


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return signer_at(tmp_path / "statement.key")


def text(desk: Desk, kind: str, period: str) -> str:
    with desk.store.read() as connection:
        return report_text(connection, HOSPITAL, kind, period)


def test_g3_a_month_and_a_quarter_are_reported_once_signed_and_never_otherwise(
    desk: Desk, signer: Signer, tmp_path: Path
) -> None:
    assert make_due(desk.store, HOSPITAL, IN_APRIL, signer) == "2 reports made"
    month, quarter = text(desk, "supply", "2026-03"), text(desk, "vbp", "2026Q1")
    check, key_id = checker_at(tmp_path / "statement.pub")
    for one in map(json.loads, (month, quarter)):
        assert one["signature"]["key"] == key_id
        assert check(canonical(one["statement"]), bytes.fromhex(one["signature"]["value"]))
    content = json.loads(month)["statement"]["content"]
    assert [(one["supplier"], one["item"]) for one in content["disruptions"]] == [("S02", KIT)]
    assert {one["supplier"] for one in content["deliveries"]} == {"S01", "S02"}
    assert make_due(desk.store, HOSPITAL, Instant(IN_APRIL + 86_400_000_000), signer) == "0 reports made"
    assert text(desk, "supply", "2026-03") == month
    with desk.store.read() as connection:
        assert {(one.kind.value, one.period) for one in reports(connection, HOSPITAL)} == {
            ("supply", "2026-03"), ("vbp", "2026Q1"),
        }  # fmt: skip


def test_a_quarter_before_the_hospital_began_is_not_reported(desk: Desk, signer: Signer) -> None:
    assert make_due(desk.store, HOSPITAL, START, signer) == "1 reports made"
    with desk.store.read() as connection:
        assert [(one.kind.value, one.period) for one in reports(connection, HOSPITAL)] == [("supply", "2026-02")]


def test_a_report_that_was_not_made_is_not_there(desk: Desk) -> None:
    with pytest.raises(NotThere, match="expected one that was made"):
        text(desk, "supply", "2020-01")
