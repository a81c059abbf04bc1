"""What entries say of tags: bound to a unit, replaced, killed, and believed to be here or gone.

A belief is an entry beside the book and never changes it. The rule that must not be broken: a unit keeps its name when
its tag is replaced.
"""

import msgspec

from protocols.errors import BadValue
from protocols.movements.bodies import storable

SIGHTED = "sighted-1"
"""The model of an `observe` about a tag that is bound to nothing at its device: heard as if it stood there.

It is told to the storeroom that books the piece, and is no belief of that storeroom's own.
"""


class Binding(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """One tag bound to one unit: EPC hex <-> GTIN, lot, serial; `expiry` an ISO date.

    `unit` names the unit where the tag is not its first: a replaced tag leaves the unit its name.
    """

    epc: str
    item: str
    gtin: str = ""
    lot: str = ""
    serial: str = ""
    expiry: str = ""
    unit: str = ""

    @property
    def names(self) -> str:
        """Return the unit that the tag names."""
        return self.unit or self.epc


class BindBody(msgspec.Struct, frozen=True):
    """The body of `bind_tag`."""

    bindings: tuple[Binding, ...]


class TagBody(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """The body of `tag_replaced` (old and new EPC hex of one unit) and `tag_killed` (old alone)."""

    old: str
    new: str = ""


class ObserveBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of `observe`: the belief that a tag is here, `p` in 0..1, held by `model` since an instant (µs UTC).

    `dead`, beside `p`: that the piece is here and only its tag is dead; left out where a model does not tell. `door` is
    when a reader at the door heard it shortly before, 0 where none did. `position` is another shelf than the book's on
    which it is heard; empty where it is heard on its own, or a model does not tell.
    """

    epc: str
    p: float
    model: str
    since: int
    dead: float = 0.0
    door: int = 0
    position: str = ""

    def __post_init__(self) -> None:
        if not 0.0 <= self.p <= 1.0 or not 0.0 <= self.dead <= 1.0:
            raise BadValue(f"observe: expected a probability from 0 to 1, got {self.p} and {self.dead}")
        storable("since", self.since)
