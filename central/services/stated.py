"""What a storeroom's daily statement says: its lines with who observed them, its match, what stands open, its readers.

It gathers and decides nothing. The rule that must not be broken: all of one statement is read in one transaction, and
its match is the one that figures and pages show.
"""

import json
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, select

from central.core.certainty import Certainty, certainty
from central.core.figures import FigureId, match_parts, total
from central.core.match import Observed, match_of
from central.core.reconcile import Line, UnitState, presence_in
from central.core.statement import LedgerHead, Stated, StatedLine, content
from central.services.antennas import antennas_told
from central.services.match import at_work, observed_in
from central.services.policy import rules_at
from central.services.wards import Standing
from central.store.chains import OWN_DEVICE
from central.store.queries_book import loose_in, units_of
from central.store.queries_misplaced import misplaced_lines
from central.store.queries_settling import prices
from central.store.queries_work import discrepancies
from central.store.tables.ledger import DEVICE, INCARNATION
from central.store.tables.statement import STATEMENT
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, day_start, to_iso


def stated_of(connection: Connection, hospital: HospitalId, one: Standing, day: date, now: Instant) -> dict[str, Any]:
    """Return what a storeroom's statement of a business day says, made at an instant."""
    place, rules = one.place.place, rules_at(connection, hospital, now)
    units = units_of(connection, hospital, place)
    seen = observed_in(connection, hospital, place, units, rules, now)
    values = total(
        FigureId.VALUE_MATCH, match_parts(FigureId.VALUE_MATCH, place, seen, prices(connection, hospital)), None
    )
    over = day_start(day + timedelta(days=1))
    return content(
        Stated(
            hospital=hospital,
            place=place,
            day=day,
            begun=day_start(day),
            until=min(over, now),
            is_over=now >= over,
            at=now,
            head=_head(connection, hospital, one.place.device),
            before=_before(connection, hospital, place, day),
            match=match_of(seen, misplaced_lines(connection, hospital).get(place, 0)),
            value_match=values.value,
            lines=_sure(place, seen, units, loose_in(connection, hospital, place)),
            discrepancies=[
                {
                    "id": found.id,
                    "kind": found.kind,
                    "item": found.item,
                    "lot": found.lot,
                    "unit": found.unit,
                    "opened_at": to_iso(found.opened_at),
                }
                for found in discrepancies(connection, hospital, status="open", place=place)
            ],
            readers=_readers(one)
            | {"listening": bool(at_work(connection, hospital, place, rules, now))}
            | _coverage(connection, hospital, one.place.device),
            policy_version=rules.version,
        )
    )


def _sure(
    place: str, seen: list[Observed], units: list[UnitState], loose: dict[tuple[str, str], int]
) -> list[StatedLine]:
    told = sure_lines(place, [one.line for one in seen], units, loose)
    return [StatedLine(one, sure) for one, (_, sure) in zip(seen, told, strict=True)]


def _before(connection: Connection, hospital: HospitalId, place: str, day: date) -> dict[str, Any] | None:
    """Return what the last statement before a day said of the ledger."""
    row = connection.execute(
        select(STATEMENT.c.day, STATEMENT.c.text)
        .where(STATEMENT.c.hospital == hospital, STATEMENT.c.place == place, STATEMENT.c.day < day)
        .order_by(STATEMENT.c.day.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    return {"day": row.day.isoformat(), "ledger": json.loads(row.text)["statement"]["ledger"]}


def sure_lines(
    place: str, lines: list[Line], units: list[UnitState], loose: dict[tuple[str, str], int]
) -> list[tuple[Line, Certainty]]:
    """Return each line with how sure it is; a piece that no reader ever spoke of counts as loose."""
    chances: dict[tuple[str, str], list[float]] = {}
    unheard: dict[tuple[str, str], int] = {}
    for unit in units:
        key, chance = (unit.item, unit.lot), presence_in(unit, place)
        if unit.heard() is None:
            unheard[key] = unheard.get(key, 0) + round(chance)
        else:
            chances.setdefault(key, []).append(chance)
    return [
        (
            line,
            certainty(
                line.book,
                chances.get((line.item, line.lot), []),
                loose.get((line.item, line.lot), 0) + unheard.get((line.item, line.lot), 0),
            ),
        )
        for line in lines
    ]


def _readers(one: Standing) -> dict[str, Any]:
    seen = one.seen
    return {
        "device": one.place.device,
        "last_contact": None if seen is None or seen.last_seen_at is None else to_iso(seen.last_seen_at),
        "offline": one.offline,
        "status": "" if seen is None else seen.status,
        "entries_pending": 0 if seen is None else seen.pending,
    }


def _coverage(connection: Connection, hospital: HospitalId, device: str) -> dict[str, Any]:
    """Return for how much of a time each antenna listened, as the device last recorded it, and until when that was.

    `coverage` is the mean over antennas. All are None where no device has recorded any, and `why` says so.
    """
    told = next(antennas_told(connection, hospital, device), None)
    if told is None:
        why = "no_device" if device in {"", OWN_DEVICE} else "not_told"
        return {"antennas": None, "coverage": None, "covered_until": None, "why": why}
    shares = {name: f"{share / 1000:.3f}" for name, share in sorted(told.heard.items())}
    until = to_iso(told.at)
    return {"antennas": shares, "coverage": f"{told.coverage:.3f}", "covered_until": until, "why": ""}


def _head(connection: Connection, hospital: HospitalId, device: str) -> LedgerHead | None:
    row = connection.execute(
        select(INCARNATION)
        .join(
            DEVICE, (DEVICE.c.hospital == INCARNATION.c.hospital) & (DEVICE.c.incarnation == INCARNATION.c.incarnation)
        )
        .where(DEVICE.c.hospital == hospital, DEVICE.c.device == device)
    ).first()
    if row is None:
        return None
    return LedgerHead(device, bytes(row.incarnation).hex(), row.head_seq, bytes(row.head_hash).hex())
