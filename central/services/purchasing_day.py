"""What purchasing makes by itself when its day has come: the half year's bargaining list.

It holds no rule. The rule that must not be broken: each thing is made once for its period, however often it is asked.
"""

from central.services.agreements import list_bargains
from central.store.engine import Store
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant


def purchasing_day(store: Store, hospital: HospitalId, now: Instant) -> str:
    """Make what is due on the day of an instant and say what was made."""
    with store.write() as connection:
        listed = list_bargains(connection, hospital, now)
    return f"{listed} items listed for bargaining"
