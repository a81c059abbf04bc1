"""The policy table: filled from the rows that come with the product, read as the rules of a day.

The rule that must not be broken: rows a hospital added or changed are never overwritten by the product's.
"""

import csv
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from functools import lru_cache
from importlib.resources import files

from sqlalchemy import Connection

from central.core.policy import PolicyRow, Rules, rules_on
from central.core.policy_kinds import Area, Kind, Loosens, RuleKind
from central.store.engine import Store
from central.store.merge import add_new
from central.store.queries_master import PolicyValues, policy_values
from central.store.tables.work import POLICY_RULE
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day

RULES_FILE, KINDS_FILE, SOURCES_FILE = "policy_rules.csv", "policy_kinds.csv", "policy_sources.csv"
RULES_NAMED_MAX = 3
"""Missing rules that are named; the others are only counted."""

RULES_KEPT = 32
"""Sets of rules remembered: today's, and those of days that somebody looks back to."""


@lru_cache(1)
def _sources_zh() -> Mapping[str, str]:
    text = files("central.store").joinpath(SOURCES_FILE).read_text("utf-8")
    return {row["source_doc"]: row["zh"] for row in csv.DictReader(text.splitlines())}


def source_zh(source_doc: str) -> str:
    """Return what the source of a rule that comes with the product is called in Chinese; a person's own as it is."""
    return _sources_zh().get(source_doc, source_doc)


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


@lru_cache(1)
def rule_kinds() -> Mapping[str, RuleKind]:
    """Return what each rule is, by its code."""
    text = files("central.store").joinpath(KINDS_FILE).read_text("utf-8")
    return {row["code"]: _kind(row) for row in csv.DictReader(text.splitlines())}


def _kind(row: Mapping[str, str]) -> RuleKind:
    return RuleKind(
        row["code"], Kind(row["kind"]), Fraction(row["low"]), Fraction(row["high"]), Loosens(row["loosens"]),
        Area(row["area"]), row["zh"], row["en"], tuple("" if one == "-" else one for one in row["scopes"].split()),
    )  # fmt: skip


def seed_policy(store: Store, hospital: HospitalId) -> int:
    """Add the shipped rules that a hospital's table lacks and return how many were added."""
    rows = [
        {
            "hospital": hospital,
            "code": row.code,
            "scope": row.scope,
            "value": row.value,
            "effective_from": row.effective_from,
            "seq": row.seq,
            "effective_to": row.effective_to,
            "source_doc": row.source_doc,
        }
        for row in shipped_rows()
    ]
    with store.write() as connection:
        return add_new(connection, POLICY_RULE, rows)


def rules_lacking(store: Store, hospital: HospitalId) -> str:
    """Return one line naming the shipped rules that a hospital's table lacks and what to do, empty when none."""
    wanted = {row.code for row in shipped_rows()}
    with store.read() as connection:
        lacking = sorted(wanted - {row[0] for row in policy_values(connection, hospital)})
    if not lacking:
        return ""
    named = ", ".join(lacking[:RULES_NAMED_MAX]) + (" …" if len(lacking) > RULES_NAMED_MAX else "")
    return (
        f"store: expected the {len(wanted)} policy rules of this version for hospital {hospital}, {len(lacking)} are "
        f"missing: {named}; run `wardstock-central migrate`, which adds them and changes no other"
    )


def rules_at(connection: Connection, hospital: HospitalId, now: Instant, *codes: str) -> Rules:
    """Return the rules in force on the business day of an instant, or those of the codes named, which read faster.

    Only all of them together have the version that a decision names.
    """
    return _rules_of(business_day(now), policy_values(connection, hospital, *codes))


@lru_cache(RULES_KEPT)
def _rules_of(day: date, rows: tuple[PolicyValues, ...]) -> Rules:
    """Return what some rows come to on a day; the same rows are read once, for every page asks."""
    return rules_on(day, [PolicyRow(*values) for values in rows])
