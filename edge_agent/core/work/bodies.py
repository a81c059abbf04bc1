"""The entries that deeds write: one function from lines and what was unusual to a draft. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from edge_agent.core.lines import used
from edge_agent.core.recognise import Draft
from edge_agent.core.stock import Part
from edge_agent.core.work.scene import Decision, Scene, refuse
from edge_agent.core.work.words import Word
from protocols.movements.bodies import write_body
from protocols.movements.posting import Flag, MovementBody, PostingLine
from protocols.movements.reports import UnknownBody
from protocols.movements.table import MOVEMENTS, Who
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import Instant

LINES_A_DRAFT = 100
"""Lines of one entry: with the longest ids a hundred lines stay within the limit of a body."""


def entry(
    scene: Scene,
    kind: str,
    lines: Iterable[PostingLine],
    flags: Sequence[Flag] = (),
    *,
    proposed: str = "",
    refs: tuple[str, ...] = (),
    patient: str = "",
    occurred_at: Instant | None = None,
) -> Draft:
    """Return the draft of one posting entry; it carries the versions it was made by and what the visit said before."""
    visit = scene.present
    reason = visit.reason or ("unsaid" if Flag.NOT_FIRST in flags else "")
    body = MovementBody(
        tuple(lines),
        occurred_at=occurred_at,
        refs=refs,
        flags=tuple(flags),
        reason=reason,
        proposed=proposed,
        patient=patient,
        policy=scene.room.standing.version,
        master=scene.room.master,
    )
    return Draft(kind, write_body(body), visit.actor)


def entries(
    scene: Scene, kind: str, lines: Sequence[PostingLine], flags: Sequence[Flag] = (), *, refs: tuple[str, ...] = ()
) -> Iterator[Draft]:
    """Return as many entries as the lines of a whole document need."""
    for start in range(0, len(lines), LINES_A_DRAFT):
        yield entry(scene, kind, lines[start : start + LINES_A_DRAFT], flags, refs=refs)


def uses(scene: Scene, in_hand: Sequence[PostingLine], patient: str, flags: Sequence[Flag] = ()) -> tuple[Draft, ...]:
    """Return the entries that use for a patient what was issued by some lines."""
    lying = [replace(line, source=line.target, source_position="", target=scene.at("patient")) for line in in_hand]
    lines = [one for line in lying for one in used(line, scene.room.ward)]
    starts = range(0, len(lines), LINES_A_DRAFT)  # a sale's two lines share an entry: a hundred is even
    return tuple(entry(scene, "use", lines[at : at + LINES_A_DRAFT], flags, patient=patient) for at in starts)


def raw(scene: Scene, flags: Sequence[Flag] = ()) -> Draft:
    """Return the entry that keeps a scanned text as it came."""
    visit = scene.present
    qty = visit.number or 1
    return Draft(
        "unknown_label", write_body(UnknownBody(scene.text, visit.doing.value, qty, tuple(flags))), visit.actor
    )


def lines_of_parts(parts: Iterable[Part], source: PlaceId, target: PlaceId) -> list[PostingLine]:
    """Return one line for each part of a quantity."""
    return [
        PostingLine(
            item=part.stock.item,
            qty=part.qty,
            source=source,
            target=target,
            lot=part.stock.lot,
            owner=part.stock.owner,
            source_position=part.stock.position,
        )
        for part in parts
    ]


def who_may(roles: tuple[str, ...] | None, kind: str) -> bool:
    """Tell whether somebody of these roles may record a kind; of whom nothing is known may everything."""
    return roles is None or not roles or any(who.value in roles for who in MOVEMENTS[kind].who)


def not_yours(scene: Scene, kind: str, act: str = "") -> Decision:
    """Return that whoever is here may not record a kind, and who may; `act` is what it is called where not its kind."""
    who = " or ".join(who.value for who in MOVEMENTS[kind].who if who is not Who.DEVICE)
    return refuse(scene, Word.NOT_YOURS, kind=act or kind, actor=staff(scene.present.actor), who=who)


def staff(actor: ActorId) -> str:
    """Return a person's number for a sentence."""
    return actor or "nobody known"
