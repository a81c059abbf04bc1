"""The policy table: filled from the rows that come with the product, read as the rules of a day.

The rule that must not be broken: rows a hospital added or changed are never overwritten by the product's.
"""

import csv
from datetime import date
from functools import lru_cache
from importlib.resources import files

from sqlalchemy import Connection

from central.core.policy import PolicyRow, Rules, rules_on
from central.store.engine import Store
from central.store.merge import add_new
from central.store.queries_master import PolicyValues, policy_values
from central.store.tables.work import POLICY_RULE
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day

RULES_FILE = "policy_rules.csv"
RULES_KEPT = 32
"""Sets of rules remembered: today's, and those of days that somebody looks back to."""


def shipped_rows() -> list[PolicyRow]:
    """Return the rules that come with the product."""
    text = files("central.store").joinpath(RULES_FILE).read_text("utf-8")
    return [
        PolicyRow(
            row["code"],
            row["scope"],
            row["value"],
            date.fromisoformat(row["effective_from"]),
            date.fromisoformat(row["effective_to"]) if row["effective_to"] else None,
            row["source_doc"],
        )
        for row in csv.DictReader(text.splitlines())
    ]


def seed_policy(store: Store, hospital: HospitalId) -> int:
    """Add the shipped rules that a hospital's table lacks and return how many were added."""
    rows = [
        {
            "hospital": hospital,
            "code": row.code,
            "scope": row.scope,
            "value": row.value,
            "effective_from": row.effective_from,
            "effective_to": row.effective_to,
            "source_doc": row.source_doc,
        }
        for row in shipped_rows()
    ]
    with store.write() as connection:
        return add_new(connection, POLICY_RULE, rows)


def rules_at(connection: Connection, hospital: HospitalId, now: Instant) -> Rules:
    """Return the rules in force on the business day of an instant."""
    return _rules_of(business_day(now), policy_values(connection, hospital))


@lru_cache(RULES_KEPT)
def _rules_of(day: date, rows: tuple[PolicyValues, ...]) -> Rules:
    """Return what some rows come to on a day; the same rows are read once, for every page asks."""
    return rules_on(day, [PolicyRow(*values) for values in rows])
