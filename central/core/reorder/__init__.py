"""The reorder engine: what one place should order of one item, from whom, and why. These are its names for others."""

from central.core.reorder.facts import FREE, Decision, Facts, Limits, Past, Plan, Position, Source
from central.core.reorder.policies import ENGINES, POLICIES, SYSTEM, decide, plan_of, policy_of

__all__ = [
    "ENGINES",
    "FREE",
    "POLICIES",
    "SYSTEM",
    "Decision",
    "Facts",
    "Limits",
    "Past",
    "Plan",
    "Position",
    "Source",
    "decide",
    "plan_of",
    "policy_of",
]
