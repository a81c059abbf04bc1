"""Thirteen weeks of a hospital, played through the real services on a real store, the same every time for a seed.

Each day: what is due arrives and is inspected, wards are filled and use, on Mondays and Thursdays the engine proposes
and people approve, on Fridays invoices come, what is due is paid. The third supplier fails from week 6 and is blocked
in week 8, a lot is recalled in week 9, one ward is cut off over a month's end. Nothing here reckons a figure.
"""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from random import Random

from central.services.consignment import Consignment
from central.services.month_close import close_due
from central.services.purchasing_day import purchasing_day
from central.store.engine import Store
from central.store.tables.work import POLICY_RULE
from protocols.values.instant import Instant
from protocols.values.money import yuan
from tests.central.hospital import HOSPITAL
from tests.central.purchases import BUYER
from tests.quarter.events import happen
from tests.quarter.goods import opened
from tests.quarter.people import people_act
from tests.quarter.stage import AFTER, Stage
from tests.quarter.town import (
    FIRST,
    LAST,
    STENT,
    files,
)


def live(stage: Stage, day: date) -> None:
    """Play one day."""
    stage.at(day, 6)
    if day.day <= 6:
        close_due(stage.store, HOSPITAL, stage.now)
    stage.arrivals(day)
    stage.fill_wards(day)
    stage.use(day)
    happen(stage, day)
    people_act(stage, day)
    if day.weekday() in {0, 3}:
        stage.propose(day)
    if day.weekday() == 4:
        stage.invoice(day)
    stage.settle_and_pay(day)


def wind_up(stage: Stage, day: date) -> None:
    """What is left to do when the quarter is over."""
    stage.at(day, 6)
    close_due(stage.store, HOSPITAL, stage.now)
    stage.settle_and_pay(day)


def allow(store: Store, rules: dict[str, str]) -> None:
    """Put rules of the hospital's own in force."""
    with store.write() as connection:
        for code, value in rules.items():
            row = {"hospital": HOSPITAL, "code": code, "scope": "", "effective_from": date(2026, 1, 2), "value": value}
            connection.execute(POLICY_RULE.insert().values(**row, source_doc="the hospital"))


def play(
    store: Store, folder: Path, seed: int, until: date = AFTER, look: Callable[[date, Instant], None] | None = None
) -> Store:
    """Play the quarter on a migrated store, up to a day; `look` is called when a week is over."""
    chance = Random(seed)
    one = Stage(store, chance, folder)
    one.again("base", dict(files(chance)))
    allow(store, {"approval.automatic": "1", "approval.amount_yuan": "20000", "approval.change": "3"})
    one.held.update(opened(folder / "base" / "stock.csv"))
    Consignment(one.desk().purchasing.documents).set_term(BUYER, STENT, "S02", FIRST, None, yuan("2700"), 30)
    day = FIRST
    while day <= until:
        if day <= LAST:
            live(one, day)
        else:
            wind_up(one, day)
        if look is not None and day.weekday() == 6:
            print(f"week ending {day}: {len(one.sent)} orders to suppliers, {len(one.coming)} on their way")
            look(day, one.now)
        day += timedelta(days=1)
    purchasing_day(store, HOSPITAL, one.now)
    return store
