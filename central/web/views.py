"""The page as it is drawn: the overview in the order a buyer reads it, trouble first, with the bars measured.

Not here: words (templates) and how a number is written (`formats`). The rule that must not be broken: what needs a
person is counted from the same overview that is listed below it.
"""

from dataclasses import dataclass
from enum import StrEnum

from central.core.discrepancies import Kind
from central.core.match import Match, together
from central.services.overview import Order, Overview, Proposal, Ward
from protocols.values.instant import Instant

BAR_WIDTH = 100
"""Units of a bar's own scale; the style sheet decides how wide it is on the screen."""


class Contact(StrEnum):
    """How a ward's device is heard."""

    HEARD = "heard"
    SILENT = "silent"
    NEVER = "never"
    NONE = "none"


READ_FIRST = {Contact.SILENT: 0, Contact.NEVER: 1}
"""Which wards stand first on the page; all others are ordered by what is wrong in them."""


def contact_of(ward: Ward) -> Contact:
    """Return how a ward is heard."""
    if not ward.device:
        return Contact.NONE
    if ward.last_contact is None:
        return Contact.NEVER
    return Contact.SILENT if ward.offline else Contact.HEARD


@dataclass(frozen=True, slots=True)
class WardRow:
    """One ward with what is wrong in it; `below_gate` when its line match is under the limit."""

    ward: Ward
    contact: Contact
    missing: int
    unexpected: int
    below_gate: bool

    @property
    def as_of(self) -> Instant | None:
        """When the figures were true: the last contact of a ward that is silent, None where they are of now."""
        return self.ward.last_contact if self.contact is Contact.SILENT else None

    @property
    def out_of_touch(self) -> bool:
        """Tell whether central cannot know what happens there now."""
        return self.contact in {Contact.SILENT, Contact.NEVER}

    @property
    def in_trouble(self) -> bool:
        """Tell whether a person should look, apart from ordering."""
        ward = self.ward
        return self.out_of_touch or self.below_gate or ward.discrepancies > 0 or ward.disputed or ward.quarantined > 0


@dataclass(frozen=True, slots=True)
class Bar:
    """Stock against its limits on one scale, 0 to `BAR_WIDTH`."""

    position: float
    trigger: float
    order_up_to: float
    after: float


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """One proposal with its bar."""

    proposal: Proposal
    bar: Bar


@dataclass(frozen=True, slots=True)
class Needs:
    """What waits for a person, by sort."""

    proposals: int
    discrepancies: int
    wards_silent: int
    wards_never: int


@dataclass(frozen=True, slots=True)
class Together:
    """The match over the observed lines of `storerooms`, and how old it is.

    It was reckoned at `compared_at`, the oldest part of it; what `silent` wards' readers saw is as old as their last
    contact, the oldest of which is `as_of`.
    """

    match: Match
    below_gate: bool
    storerooms: int
    compared_at: Instant | None
    silent: int
    as_of: Instant | None

    @property
    def is_current(self) -> bool:
        """Tell whether there is a rate, and every ward in it is heard."""
        return not self.silent and self.match.line_match is not None


class Said(StrEnum):
    """What the page says after a button was pressed."""

    APPROVED = "approved"
    ALREADY = "already"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Notice:
    """The answer to a button; `order` is the order that was made, None when there is none to show."""

    said: Said
    order: Order | None


@dataclass(frozen=True, slots=True)
class View:
    """Everything the template draws."""

    overview: Overview
    needs: Needs
    match: Together | None
    wards: tuple[WardRow, ...]
    proposals: tuple[ProposalRow, ...]
    notice: Notice | None

    @property
    def at_rest(self) -> bool:
        """Tell whether wards are known and none of them needs anybody."""
        return bool(self.wards) and not self.needs.proposals and not any(row.in_trouble for row in self.wards)


def view_of(overview: Overview, said: Said | None = None, order: str = "") -> View:
    """Return the view of an overview, and the answer to the button that was pressed before, if any."""
    wards = sorted((_ward_row(ward, overview) for ward in overview.wards), key=_reading_order)
    return View(
        overview=overview,
        needs=Needs(
            proposals=overview.proposals_all,
            discrepancies=overview.discrepancies_all,
            wards_silent=sum(row.contact is Contact.SILENT for row in wards),
            wards_never=sum(row.contact is Contact.NEVER for row in wards),
        ),
        match=_together(wards, overview),
        wards=tuple(wards),
        proposals=tuple(ProposalRow(one, bar_of(one)) for one in overview.proposals),
        notice=_notice(overview, said, order),
    )


def _ward_row(ward: Ward, overview: Overview) -> WardRow:
    kinds = [one.kind for one in overview.discrepancies if one.place == ward.place]
    return WardRow(
        ward=ward,
        contact=contact_of(ward),
        missing=kinds.count(Kind.MISSING),
        unexpected=kinds.count(Kind.UNEXPECTED),
        below_gate=_below_gate(ward.match, overview),
    )


def _reading_order(row: WardRow) -> tuple[int, bool, int, int, str]:
    ward = row.ward
    return (
        READ_FIRST.get(row.contact, len(READ_FIRST)),
        not row.in_trouble,
        -ward.discrepancies,
        -ward.proposals,
        ward.place.code,
    )


def _below_gate(match: Match | None, overview: Overview) -> bool:
    rate = match.line_match if match is not None else None
    return rate is not None and rate < overview.line_gate


def _together(wards: list[WardRow], overview: Overview) -> Together | None:
    compared = [row for row in wards if row.ward.match is not None and row.ward.match.lines_all]
    stores = [one for one in overview.stores if one.match.lines_all]
    if not compared and not stores:
        return None
    match = together([*(row.ward.match for row in compared if row.ward.match), *(one.match for one in stores)])
    seen = [row for row in compared if row.ward.match and row.ward.match.lines]
    moments = [*(row.ward.compared_at for row in compared), *(one.at for one in stores)]
    return Together(
        match=match,
        below_gate=_below_gate(match, overview),
        storerooms=len(compared) + len(stores),
        compared_at=min((at for at in moments if at is not None), default=None),
        silent=sum(row.contact is Contact.SILENT for row in seen),
        as_of=min((row.as_of for row in seen if row.as_of is not None), default=None),
    )


def bar_of(proposal: Proposal) -> Bar:
    """Return a proposal's bar: its scale ends at the highest of the levels shown."""
    why = proposal.why
    position = max(why.position, 0)
    after = position + proposal.qty
    scale = max(after, why.order_up_to, why.trigger, 1)

    def along(value: float) -> float:
        return round(value * BAR_WIDTH / scale, 2)

    return Bar(along(position), along(why.trigger), along(why.order_up_to), along(after))


def _notice(overview: Overview, said: Said | None, number: str) -> Notice | None:
    if said is None:
        return None
    order = next((one for one in overview.orders if one.number == number), None)
    return Notice(said, order) if order is not None or said is Said.STALE else None
