"""What the terminal shows of a share is what the page shows."""

import pytest

from hardware_sim.demo.terminal import percent


@pytest.mark.parametrize(
    ("share", "shown"), [(79 / 80, "98.7"), (0.8998, "89.9"), (1.0, "100.0"), (0.99999, "99.9"), (0.29, "29.0")]
)
def test_a_share_is_cut_and_never_rounded_up(share: float, shown: str) -> None:
    assert percent(share) == shown
