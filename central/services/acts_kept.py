"""Let the record of acts go where it is older than the policy keeps it, day by day.

The record itself holds to what must stay and to its chain; here the days come from the policy table. The rule that must
not be broken: real time throughout, for the record is about people at a screen.
"""

from central.services.policy import rules_at
from central.store.audit import let_go
from central.store.engine import Store
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant

ACTS_S = 86_400
"""How often old acts are looked for."""
KEPT_DAYS = "audit.kept_days"


def let_old_acts_go(store: Store, hospital: HospitalId, now: Instant) -> str:
    """Let go of the acts that the policy no longer keeps; returns what to say of it. Raises as `let_go` does."""
    with store.write() as connection:
        days = rules_at(connection, hospital, now).whole(KEPT_DAYS)
        return f"{let_go(connection, hospital, now, days)} acts let go"
