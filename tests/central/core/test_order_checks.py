"""What is held against a line: each check at its border, the modes, and the waivers that let it pass."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from central.core.order_checks import Asked, Excuse, Finding, Mode, Waiver, findings, lifted_by
from central.errors import BadInput
from protocols.values.money import Money, yuan

BLOCKS = dict.fromkeys(Finding, Mode.BLOCK)
LINE = Asked("A", "S1", yuan("12.50"), winning_price=yuan("12.50"), on_platform=True)
DAY = date(2026, 3, 2)


def found(asked: Asked, modes: dict[Finding, Mode] | None = None, factor: str = "1") -> list[tuple[Finding, Mode]]:
    return [(one.finding, one.mode) for one in findings(asked, BLOCKS if modes is None else modes, Fraction(factor))]


def test_a7_one_fen_over_the_winning_price_is_blocked_whatever_the_policy_says() -> None:
    assert found(LINE) == []
    over = replace(LINE, price=Money(LINE.price + 100))
    for mode in Mode:
        assert found(over, dict.fromkeys(Finding, mode)) == [(Finding.WINNING_PRICE, Mode.BLOCK)]
    least = replace(LINE, price=Money(LINE.price + 1))
    assert found(least, {}) == [(Finding.WINNING_PRICE, Mode.BLOCK)]


@pytest.mark.parametrize(("price", "is_dear"), [("15.00", False), ("15.0001", True)])
def test_c5_a_product_not_selected_is_dear_above_k_times_the_selected_price(price: str, *, is_dear: bool) -> None:
    line = Asked("B", "S1", yuan(price), selected_price=yuan("10"))
    assert (found(line, factor="1.5") == [(Finding.HIGH_PRICE, Mode.BLOCK)]) is is_dear


@pytest.mark.parametrize(
    ("changed", "finding"),
    [
        ({"on_platform": False}, Finding.OFF_PLATFORM),
        ({"list_price": yuan("12.49")}, Finding.LIST_PRICE),
        ({"agreement_price": yuan("12.4999")}, Finding.AGREEMENT_PRICE),
        ({"agreement_over": True}, Finding.AGREEMENT_OVER),
        ({"lapsed": ("R-1",)}, Finding.CERTIFICATE),
        ({"supplier_blocked": True}, Finding.SUPPLIER_BLOCKED),
        ({"grade": "C"}, Finding.GRADE_C),
        ({"active": False}, Finding.NOT_ACTIVE),
    ],
)
def test_each_check_finds_its_own_and_is_off_warns_or_blocks_by_policy(
    changed: dict[str, object], finding: Finding
) -> None:
    line = replace(LINE, **changed)  # type: ignore[arg-type] # the table's cells are of several types
    for mode, said in ((Mode.OFF, []), (Mode.WARN, [(finding, Mode.WARN)]), (Mode.BLOCK, [(finding, Mode.BLOCK)])):
        assert found(line, dict.fromkeys(Finding, mode)) == said


def test_a_platform_that_was_never_imported_is_not_judged() -> None:
    assert found(replace(LINE, on_platform=None)) == []


def waiver(**changed: object) -> Waiver:
    one = Waiver("W1", Finding.HIGH_PRICE, "A", "S1", Excuse.MEDICAL, "", DAY, date(2026, 6, 30), "40001")
    return replace(one, **changed)  # type: ignore[arg-type] # the table's cells are of several types


def test_c5_a_waiver_lifts_its_finding_of_its_item_and_supplier_through_its_last_day() -> None:
    line = Asked("A", "S1", yuan("30"), selected_price=yuan("10"))
    (one,) = findings(line, BLOCKS, Fraction(1))
    for day, lifted in ((DAY, True), (date(2026, 6, 30), True), (date(2026, 7, 1), False), (date(2026, 3, 1), False)):
        assert (lifted_by(one, line, [waiver()], day) is not None) is lifted
    for other in ({"item": "B"}, {"supplier": "S2"}, {"finding": Finding.OFF_PLATFORM}):
        assert lifted_by(one, line, [waiver(**other)], DAY) is None


def test_a7_no_waiver_lets_a_price_over_the_winning_price_pass() -> None:
    with pytest.raises(BadInput, match="never let pass"):
        waiver(finding=Finding.WINNING_PRICE)


def test_a_waiver_ends_within_a_year_and_another_reason_says_which() -> None:
    for changed in ({"last": date(2026, 3, 1)}, {"last": date(2027, 3, 4)}, {"reason": Excuse.OTHER, "remark": " "}):
        with pytest.raises(BadInput):
            waiver(**changed)
