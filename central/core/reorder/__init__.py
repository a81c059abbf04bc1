"""The reorder engine: what one place should order of one item, from whom, and why. These are its names for others."""

from central.core.reorder.batch import Outline, outlines
from central.core.reorder.facts import FREE, NO_LIMITS, Decision, Facts, Limits, Past, Plan, Position, Source
from central.core.reorder.policies import ENGINES, POLICIES, SYSTEM, can_order_level, decide, plan_of, policy_of

__all__ = [
    "ENGINES",
    "FREE",
    "NO_LIMITS",
    "POLICIES",
    "SYSTEM",
    "Decision",
    "Facts",
    "Limits",
    "Outline",
    "Past",
    "Plan",
    "Position",
    "Source",
    "can_order_level",
    "decide",
    "outlines",
    "plan_of",
    "policy_of",
]
