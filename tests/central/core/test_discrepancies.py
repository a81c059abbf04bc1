from central.core.discrepancies import Bounds, Finding, Kind, Open, find, newly_open, resolved
from central.core.reconcile import Belief, Moved, UnitState, Written
from protocols.values.instant import Instant

WARD = "ward-01"
BOUNDS = Bounds(missing=0.05, unexpected=0.95, here=0.5)


def state(
    *, place: str = WARD, moved: int = 100, kind: str = "opening", p: float = 0.02, since: int = 150, at: int = 200
) -> UnitState:
    belief = Belief(
        WARD, p, Instant(since), Instant(at), "window-1", f"b{at}", "ward-01", Written("a1", at, Instant(at))
    )
    return UnitState(
        "E1", "A", "L", Moved(place, Instant(moved), kind, f"m{moved}", Written("a1", moved, Instant(moved))), belief
    )


def found(one: UnitState) -> list[Finding]:
    return find(WARD, [one], BOUNDS)


def standing(one: UnitState) -> Open:
    (finding,) = found(one)
    return Open(finding.id, finding.kind, finding.place, finding.unit)


def test_a_booked_unit_nearly_surely_gone_is_missing_since_the_belief_began() -> None:
    (finding,) = found(state())
    assert (finding.kind, finding.item, finding.lot) == (Kind.MISSING, "A", "L")
    assert (finding.found_at, finding.since, finding.event) == (200, 150, "b200")
    assert finding.evidence["belief"] == {
        "p": 0.02, "model": "window-1", "since": 150, "at": 200, "device": "ward-01",
    }  # fmt: skip
    assert finding.evidence["book"] == {"place": WARD, "at": 100, "kind": "opening", "event": "m100"}


def test_a_doubt_opens_nothing() -> None:
    assert found(state(p=0.05)) == []
    assert found(state(place="issued@ward-01", p=0.95, since=150)) == []


def test_an_issued_unit_that_is_gone_is_as_it_should_be() -> None:
    assert found(state(place="issued@ward-01", p=0.01)) == []


def test_an_issued_unit_still_heard_from_before_its_issue_is_not_unexpected() -> None:
    assert found(state(place="issued@ward-01", moved=100, p=0.99, since=90)) == []


def test_an_issued_unit_heard_since_after_its_issue_is_unexpected() -> None:
    (finding,) = found(state(place="issued@ward-01", moved=100, p=0.99, since=101))
    assert finding.kind is Kind.UNEXPECTED


def test_looking_twice_finds_the_same_id_and_opens_nothing_twice() -> None:
    assert found(state()) == found(state())
    assert newly_open(found(state()), [standing(state())]) == []
    assert newly_open(found(state(at=300)), [standing(state())]) == [], "the same belief said again is no second one"


def test_a_missing_unit_that_is_heard_again_closes_with_the_belief() -> None:
    (closing,) = resolved([standing(state())], {"E1": state(p=0.97, since=300, at=320)}, BOUNDS)
    assert (closing.cause, closing.at, closing.event) == ("seen_again", 320, "b320")


def test_a_missing_unit_whose_issue_comes_late_closes_with_the_movement() -> None:
    late = state(place="issued@ward-01", moved=400, kind="issue")
    (closing,) = resolved([standing(state())], {"E1": late}, BOUNDS)
    assert (closing.cause, closing.at, closing.event) == ("issue", 400, "m400")


def test_an_unexpected_unit_that_is_returned_closes_with_the_return() -> None:
    lingering = state(place="issued@ward-01", p=0.99, since=150)
    returned = state(place=WARD, moved=300, kind="return_to_store", p=0.99, since=150, at=200)
    (closing,) = resolved([standing(lingering)], {"E1": returned}, BOUNDS)
    assert closing.cause == "return_to_store"


def test_an_unexpected_unit_that_goes_closes_as_gone_again() -> None:
    lingering = state(place="issued@ward-01", p=0.99, since=150)
    gone = state(place="issued@ward-01", p=0.02, since=500, at=510)
    (closing,) = resolved([standing(lingering)], {"E1": gone}, BOUNDS)
    assert closing.cause == "gone_again"


def test_what_still_differs_stays_open() -> None:
    assert resolved([standing(state())], {"E1": state(at=300, p=0.03)}, BOUNDS) == []
    assert resolved([standing(state())], {}, BOUNDS) == []
