"""The reorder engine: what one place should order of one item, from whom, and why. These are its names for others."""

from central.core.reorder.policies import (
    FREE,
    POLICIES,
    Decision,
    Facts,
    Plan,
    Position,
    Source,
    decide,
    fair_trigger,
    literal_trigger,
    plan_of,
    trigger_of,
)

__all__ = [
    "FREE",
    "POLICIES",
    "Decision",
    "Facts",
    "Plan",
    "Position",
    "Source",
    "decide",
    "fair_trigger",
    "literal_trigger",
    "plan_of",
    "trigger_of",
]
