"""What entries say of tags."""

import pytest

from protocols.errors import BadValue
from protocols.movements.tags import ObserveBody


@pytest.mark.parametrize("p", [-0.1, 1.1])
def test_a_belief_is_a_probability(p: float) -> None:
    with pytest.raises(BadValue, match="probability"):
        ObserveBody(epc="3066C4409047E140075BCD15", p=p, model="window-1", since=0)
