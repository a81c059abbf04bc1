"""What is believed of a tag before its first bin, by what the book says: nearly what the book says.

The rule that must not be broken: no state begins at nothing, for the book may be wrong from the first day.
"""

from collections.abc import Mapping

from edge_agent.core.presence.ward import Place

OPENING: Mapping[Place, tuple[float, float, float, float, float, float]] = {
    Place.HERE: (0.955, 0.02, 0.015, 0.001, 0.007, 0.002),
    Place.NEXT: (0.001, 0.0005, 0.0005, 0.988, 0.0095, 0.0005),
    Place.OUT: (0.001, 0.0005, 0.0005, 0.001, 0.9965, 0.0005),
}
"""States h, b, z, n, g, d."""
