"""What stands before a decision: a held piece says why it is held."""

from edge_agent.store.ledger import Ledger
from edge_agent.store.scene import stock_of
from protocols.movements.bodies import write_body
from protocols.movements.reports import StandingBody
from protocols.values.ids import PlaceId
from tests.edge_agent.conftest import WARD, Scribe

UNIT, FREE = "30340242201D8D4000000001", "30340242201D8D4000000002"


def test_a_piece_that_is_held_says_by_which_act(ledger: Ledger, scribe: Scribe) -> None:
    ledger.append([scribe.bind(UNIT, FREE), scribe.opening(UNIT, FREE)])
    ledger.append([scribe.entry("hold_expired", write_body(StandingBody((UNIT,), ())))])
    held = {each.unit: each.held for each in stock_of(ledger.connection, PlaceId(WARD), "C001")}
    assert held == {UNIT: "hold_expired", FREE: ""}
