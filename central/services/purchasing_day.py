"""What purchasing makes by itself when its day has come: the half year's bargaining list, the quarter's scores, the end
of a disruption, January's baseline, the quarter's review of the catalogue, the month's classes.

It holds no rule. The rule that must not be broken: each thing is made once for its period, however often it is asked.
"""

from central.services.agreements import list_bargains
from central.services.catalogue import classify_month, freeze_baseline, review_quarter
from central.services.supplier_scores import score_quarter
from central.services.suppliers import restore_supplied
from central.store.engine import Store
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day


def purchasing_day(store: Store, hospital: HospitalId, now: Instant) -> str:
    """Make what is due on the day of an instant and say what was made."""
    with store.write() as connection:
        listed = list_bargains(connection, hospital, now)
        scored = score_quarter(connection, hospital, now)
        restored = restore_supplied(connection, hospital, now)
        frozen = freeze_baseline(connection, hospital, now) if business_day(now).month == 1 else 0
        reviewed = review_quarter(connection, hospital, now)
        classed = classify_month(connection, hospital, now)
    return (
        f"{listed} items listed for bargaining, {scored} suppliers scored, {restored} disruptions over, "
        f"{frozen} items frozen as baseline, {reviewed} listed for review, {classed} classed"
    )
