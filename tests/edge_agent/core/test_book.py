"""What an entry says to the edge's book."""

import msgspec
import pytest

from edge_agent.core.book import effect_of
from protocols.errors import BadValue
from protocols.movements import MovementBody, PostingLine
from protocols.values.instant import INSTANT_MAX

TAKEN = PostingLine(item="06901234567892", lot="L1", qty=1, source="ward-01", target="issued@ward-01")


def test_what_happened_before_it_was_written_keeps_its_instant() -> None:
    assert (
        effect_of("issue", msgspec.json.encode(MovementBody((TAKEN,), occurred_at=INSTANT_MAX))).occurred_at
        == INSTANT_MAX
    )


@pytest.mark.parametrize("beyond", [-1, INSTANT_MAX + 1, 2**63, 2**70])
def test_an_instant_that_no_calendar_has_is_refused_before_the_book_is_asked(beyond: int) -> None:
    with pytest.raises(BadValue, match="instant: expected microseconds"):
        effect_of("issue", msgspec.json.encode(MovementBody((TAKEN,), occurred_at=beyond)))
