"""Procedure sets and claims: what is brought for one procedure, and what was taken without a scan. Pure.

The rules that must not be broken: used and returned together are what was brought, always (D11); a claim names the
moment at which the pieces left, not the moment at which somebody said so.
"""

import hashlib
from collections.abc import Sequence

from msgspec.structs import replace

from edge_agent.core.lines import used
from edge_agent.core.recognise import Draft
from edge_agent.core.work.arrive import bindings
from edge_agent.core.work.bodies import entries, entry, raw, staff, uses
from edge_agent.core.work.scene import Decision, Document, Scene, Unclaimed, did, refuse
from edge_agent.core.work.states import Doing
from edge_agent.core.work.words import Word
from protocols.codes.label import Ticket
from protocols.movements.posting import Flag, PostingLine
from protocols.readers.scanner import Beep
from protocols.values.ids import UnitId
from protocols.values.instant import plus, seconds_between

CLAIM_GROUP_S = 120.0
"""Pieces that left within two minutes of each other left with one person: one claim."""
PATIENT_HASH_BYTES = 12


def patient_ref(key: bytes, token: str) -> str:
    """Return what stands in the ledger for a patient: a keyed hash (BLAKE2b, RFC 7693), never the token itself."""
    return hashlib.blake2b(token.encode(), digest_size=PATIENT_HASH_BYTES, key=key[:64]).hexdigest()


def pick_set(scene: Scene) -> Decision:
    """A procedure set's card: the first time it is brought, later it is at hand for use and return."""
    assert isinstance(scene.meaning, Ticket)
    brought = scene.facts.document
    if brought is None or brought.sort != "set":
        about = {"number": scene.meaning.code}
        visit = replace(scene.present, doing=Doing.SETTING)
        return Decision(visit, Beep.LOOK, Word.UNKNOWN_NOTE, about, (raw(scene),))
    visit = replace(scene.present, document=brought.number)
    if brought.brought:
        return Decision(visit, Beep.OK, Word.SET_OPEN, {"number": brought.number})
    drafts = (*bindings(scene, brought.bindings), *entries(scene, "set_brought", brought.lines, refs=(brought.number,)))
    qty = sum(line.qty for line in brought.lines)
    return did(visit, drafts, (), Word.SET_BROUGHT, number=brought.number, qty=qty)


def use_of_set(scene: Scene) -> Decision:
    """One piece of the set is used."""
    facts, visit, ward = scene.facts, scene.present, scene.room.ward
    line = _of_set(scene.facts.document, facts.unit, facts.item.code if facts.item else "", facts.lot)
    if line is None:
        name = facts.unit or scene.label.product
        return refuse(scene, Word.NOT_OF_SET, item=name, number=visit.document)
    lying = replace(line, qty=1, source=ward, source_position=line.target_position, target=scene.at("patient"))
    lines = used(replace(lying, target_position=""), ward)
    draft = entry(scene, "set_used", lines, refs=(visit.document,), patient=visit.patient)
    return did(visit, (draft,), (), Word.USED, qty=1)


def _of_set(document: Document | None, unit: str, item: str, lot: str | None) -> PostingLine | None:
    for line in document.rest if document is not None else ():
        by_name = line.unit == unit if unit else line.item == item and lot in (None, line.lot)
        if line.qty and by_name:
            return line
    return None


def return_set(scene: Scene) -> Decision:
    """The rest of the set goes back to its supplier, whatever was not used."""
    visit, document = scene.present, scene.facts.document
    rest = document.rest if document is not None else ()
    back = [
        replace(
            line,
            source=line.target,
            target=line.source,
            source_position=line.target_position,
            target_position="",
        )
        for line in rest
        if line.qty
    ]
    drafts = tuple(entries(scene, "set_returned", back, refs=(visit.document,)))
    after = replace(visit, document="")
    return did(after, drafts, (), Word.SET_RETURNED, number=visit.document, qty=sum(line.qty for line in back))


# --- patients and claims ---


def for_patient(scene: Scene) -> Decision:
    """A patient's token: for them is used what is in the hand, else what waits to be claimed, else the next items."""
    assert isinstance(scene.meaning, Ticket)
    visit = scene.present
    if not scene.room.patient_key:
        return refuse(scene, Word.NO_PATIENT_KEY)
    patient = patient_ref(scene.room.patient_key, scene.meaning.code)
    renewed = replace(visit, patient=patient)
    if visit.doing is Doing.TAKING and visit.in_hand:
        drafts = uses(scene, visit.in_hand, patient)
        qty = sum(line.qty for line in visit.in_hand)
        return Decision(renewed, Beep.OK, Word.USED, {"qty": qty}, drafts)  # a number card still waits for its item
    if visit.doing is Doing.TAKING and not visit.done and scene.facts.unclaimed:
        return _claim(replace(scene, visit=renewed))
    return Decision(renewed, Beep.OK, Word.PATIENT_NEXT)


def claim(scene: Scene) -> Decision:
    """The card CLAIM: what left during this visit was taken by this person, else what waits longest."""
    if not scene.facts.unclaimed:
        return refuse(scene, Word.NOTHING_TO_CLAIM)
    return _claim(scene)


def proposed(unclaimed: Sequence[Unclaimed], began: int) -> tuple[Unclaimed, ...]:
    """Return what one scan would claim: what left since the visit began, else the group that waits longest."""
    ordered = sorted(unclaimed, key=lambda one: (one.since, one.stock.unit))
    now_gone = tuple(one for one in ordered if one.since >= began)
    if now_gone or not ordered:
        return now_gone
    return tuple(one for one in ordered if seconds_between(ordered[0].since, one.since) <= CLAIM_GROUP_S)


def _claim(scene: Scene) -> Decision:
    visit, ward = scene.present, scene.room.ward
    group = proposed(scene.facts.unclaimed, plus(visit.began, -CLAIM_GROUP_S))
    lines = [
        PostingLine(
            item=one.stock.item,
            qty=1,
            source=ward,
            target=scene.at("issued"),
            lot=one.stock.lot,
            owner=one.stock.owner,
            unit=UnitId(one.stock.unit),
            source_position=one.stock.position,
        )
        for one in group
    ]
    flags = (Flag.CLAIMED,)
    drafts: tuple[Draft, ...] = (entry(scene, "issue", lines, flags, occurred_at=group[0].since),)
    if visit.patient:
        drafts += uses(scene, lines, visit.patient, flags)
    return did(visit, drafts, flags, Word.CLAIMED, actor=staff(visit.actor), qty=len(lines))
