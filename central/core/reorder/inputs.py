"""The facts of a line as data, with their hash, and the way back: what a reason needs to be replayed.

Canonical JSON: keys sorted, no spaces. The rule that must not be broken: facts written and read back are the same
facts, so that a decision made from a stored reason has the stored reason's bytes.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from central.core.demand import Demand
from central.core.reorder.expiry import Lots
from central.core.reorder.facts import Facts, Limits, Past, Position, Source
from central.core.reorder.leads import Leads
from central.core.reorder.moments import Sums
from central.errors import BadInput
from protocols.values.money import Money

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

HASH_DIGITS = 16


def inputs_of(facts: Facts) -> tuple[dict[str, Any], str]:
    """Return the facts as data, and their hash."""
    said: dict[str, Any] = {
        "place": facts.place,
        "item": facts.item,
        "demand": {
            "first": facts.demand.first.isoformat(),
            "last": facts.demand.last.isoformat(),
            "sizes": list(facts.demand.sizes),
        },
        "position": _plainly(facts.position),
        "ladder": [_source(one) for one in facts.ladder],
        "safety_days": str(facts.safety_days),
        "cover_days": str(facts.cover_days),
        "past": None if facts.past is None else _past(facts.past),
        "limits": _plainly(facts.limits),
        "joins": facts.joins,
        "granted": facts.granted,
    }
    if facts.bins is not None:
        said["bins"] = facts.bins
    if facts.budget is not None:
        said["budget"] = int(facts.budget)
    if facts.lots:
        said["lots"] = [list(lot) for lot in facts.lots]
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return said, hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]


def _plainly(one: "DataclassInstance") -> dict[str, Any]:
    """Return the fields of a value as they are, without going into them."""
    return {field.name: getattr(one, field.name) for field in fields(one)}


def _past(past: Past) -> dict[str, Any]:
    said = _plainly(past) | {"own": _plainly(past.own), "kin": _plainly(past.kin), "price": int(past.price)}
    season = said.pop("season")
    if said["lately"] is None:
        del said["lately"]
    return said if season is None else said | {"season": list(season)}


def _source(source: Source) -> dict[str, Any]:
    said = _plainly(source) | {"price": int(source.price)}
    said["leads"] = None if source.leads is None else list(source.leads.shares)
    said["on_time"] = None if source.on_time is None else str(source.on_time)
    lots = said.pop("lots")
    return said | {"lots": [list(lot) for lot in lots]} if lots else said


def facts_from(said: Mapping[str, Any]) -> Facts:
    """Return the facts a reason was made from. Raises `BadInput` for data that is no such thing."""
    try:
        return _facts(said)
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"reason: expected the inputs of an engine, cannot read them: {error!r:.80}") from error


def _facts(said: Mapping[str, Any]) -> Facts:
    demand, past = said["demand"], said["past"]
    sizes = tuple(demand["sizes"])
    return Facts(
        said["place"],
        said["item"],
        Demand(date.fromisoformat(demand["first"]), date.fromisoformat(demand["last"]), sum(sizes), sizes),
        Position(**said["position"]),
        tuple(_source_from(one) for one in said["ladder"]),
        Fraction(said["safety_days"]),
        Fraction(said["cover_days"]),
        None if past is None else _past_from(past),
        Limits(**said["limits"]),
        said["joins"],
        said["granted"],
        said.get("bins"),
        _lots_from(said),
        Money(said["budget"]) if "budget" in said else None,
    )


def _past_from(said: Mapping[str, Any]) -> Past:
    sums = {"own": Sums(**said["own"]), "kin": Sums(**said["kin"])}
    season = tuple(said["season"]) if "season" in said else None
    return Past(**{**said, **sums, "price": Money(said["price"]), "season": season})


def _source_from(said: Mapping[str, Any]) -> Source:
    leads, on_time = said["leads"], said["on_time"]
    return Source(
        **{
            **said,
            "price": Money(said["price"]),
            "leads": None if leads is None else Leads(tuple(leads)),
            "on_time": None if on_time is None else Fraction(on_time),
            "price_cap": None if said["price_cap"] is None else Money(said["price_cap"]),
            "lots": _lots_from(said),
        }
    )


def _lots_from(said: Mapping[str, Any]) -> Lots:
    return tuple((int(days), int(qty)) for days, qty in said.get("lots", ()))
