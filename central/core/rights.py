"""Who may do what: the hospital's roles, the rights of each, and a caller who holds some of them for some storerooms.

It is not about signing in. Two tables say everything: `RIGHTS_OF` gives each role its rights, `WARD_ROLES` names the
roles that only ever hold for named storerooms. The rule that must not be broken: what is not granted is refused, and
the administrator, who grants, holds no right over stock, orders or prices.

Sources: the roles of a hospital's first day and the separation of the auditor (writes only own audit sheets) and of the
administrator (no business rights), requirements of the SPD model in REQUIREMENTS "Day one".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from central.errors import BadInput, NotAllowed
from protocols.values.ids import ActorId, PlaceId

GRANTS_MAX = 64
"""Roles, each for some storerooms, that one person may hold; a hospital has some fifteen roles."""

CALLERS_KEPT = 1_024
"""Callers remembered, each by all that makes it; a hospital's people of one shift."""


class Right(StrEnum):
    """One thing a person may do."""

    SEE_STOCK = "see-stock"
    SEE_ORDERS = "see-orders"
    SEE_PRICES = "see-prices"
    SEE_FLEET = "see-fleet"
    SEE_PEOPLE = "see-people"
    SEE_AUDIT = "see-audit"
    APPROVE = "approve"
    APPROVE_HIGH = "approve-high"
    PURCHASE = "purchase"
    RECEIVE = "receive"
    INVOICE = "invoice"
    PAY = "pay"
    SETTLE = "settle"
    GIVE_MEDICAL_REASON = "give-medical-reason"
    MANAGE_MASTER = "manage-master"
    MANAGE_PEOPLE = "manage-people"
    MANAGE_FLEET = "manage-fleet"
    WRITE_AUDIT = "write-audit"
    JUDGE_WARDS = "judge-wards"
    CHARGE = "charge"
    MOVE_STOCK = "move-stock"
    REQUEST = "request"


class Role(StrEnum):
    """What a person is in the hospital; the Chinese names stand in docs/glossary.md."""

    WARD_KEEPER = "ward-keeper"
    NURSE = "nurse"
    HEAD_NURSE = "head-nurse"
    STOREKEEPER = "storekeeper"
    PURCHASER = "purchaser"
    HEAD_OF_CONSUMABLES = "head-of-consumables"
    NURSING_DEPARTMENT = "nursing-department"
    MEDICAL_AFFAIRS = "medical-affairs"
    AUDITOR = "auditor"
    FINANCE = "finance"
    DELIVERY = "delivery"
    SPD_OPERATOR = "spd-operator"
    ADMINISTRATOR = "administrator"
    HIS = "his"


_LOOKS = frozenset({Right.SEE_STOCK, Right.SEE_ORDERS})
_BUYS = _LOOKS | {Right.SEE_PRICES, Right.APPROVE, Right.PURCHASE, Right.INVOICE}

RIGHTS_OF: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {
        Role.WARD_KEEPER: _LOOKS | {Right.SETTLE, Right.MOVE_STOCK, Right.REQUEST},
        Role.NURSE: frozenset({Right.SEE_STOCK, Right.MOVE_STOCK, Right.REQUEST}),
        Role.HEAD_NURSE: _LOOKS | {Right.SETTLE, Right.MOVE_STOCK, Right.REQUEST},
        Role.STOREKEEPER: _LOOKS | {Right.SETTLE, Right.SEE_FLEET, Right.MANAGE_MASTER, Right.RECEIVE, Right.REQUEST},
        Role.PURCHASER: _BUYS | {Right.MANAGE_MASTER},
        Role.HEAD_OF_CONSUMABLES: _BUYS
        | {
            Right.APPROVE_HIGH,
            Right.JUDGE_WARDS,
            Right.SETTLE,
            Right.SEE_FLEET,
            Right.SEE_PEOPLE,
            Right.GIVE_MEDICAL_REASON,
        },
        Role.NURSING_DEPARTMENT: _LOOKS | {Right.JUDGE_WARDS},
        Role.MEDICAL_AFFAIRS: _LOOKS | {Right.SEE_PRICES, Right.GIVE_MEDICAL_REASON},
        Role.AUDITOR: _LOOKS
        | {Right.SEE_PRICES, Right.SEE_PEOPLE, Right.SEE_AUDIT, Right.SEE_FLEET, Right.WRITE_AUDIT},
        Role.FINANCE: _LOOKS | {Right.SEE_PRICES, Right.INVOICE, Right.PAY},
        Role.DELIVERY: frozenset({Right.SEE_ORDERS}),
        Role.SPD_OPERATOR: _LOOKS | {Right.SEE_FLEET},
        Role.HIS: frozenset({Right.SEE_STOCK, Right.CHARGE}),
        Role.ADMINISTRATOR: frozenset(
            {Right.SEE_FLEET, Right.MANAGE_FLEET, Right.SEE_PEOPLE, Right.MANAGE_PEOPLE, Right.SEE_AUDIT}
        ),
    }
)
"""The permission matrix; whatever does not stand here is refused."""

WARD_ROLES = frozenset({Role.WARD_KEEPER, Role.NURSE, Role.HEAD_NURSE})
"""Roles that hold for named storerooms only."""

CHANGES = frozenset(
    {
        *(Right.APPROVE, Right.APPROVE_HIGH, Right.PURCHASE, Right.RECEIVE, Right.INVOICE, Right.PAY),
        Right.JUDGE_WARDS,
        *(Right.CHARGE, Right.MOVE_STOCK, Right.REQUEST),
        *(
            Right.SETTLE,
            Right.GIVE_MEDICAL_REASON,
            Right.MANAGE_MASTER,
            Right.MANAGE_PEOPLE,
            Right.MANAGE_FLEET,
            Right.WRITE_AUDIT,
        ),
    }
)
"""Rights that change something; a token of scope `read` never carries them."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One role for some storerooms; no storeroom means the whole hospital, which a ward's role never has."""

    role: Role
    places: frozenset[PlaceId] = frozenset()

    def __post_init__(self) -> None:
        if self.role in WARD_ROLES and not self.places:
            raise BadInput(f"role: expected the storerooms a {self.role} is for, got none; name them, such as ward-01")


@dataclass(frozen=True, slots=True)
class Scope:
    """The storerooms a right holds for: all of them, or those named."""

    everywhere: bool
    places: frozenset[PlaceId] = frozenset()

    def __contains__(self, place: object) -> bool:
        return self.everywhere or place in self.places

    @property
    def is_empty(self) -> bool:
        """Tell whether it holds nowhere."""
        return not self.everywhere and not self.places


EVERYWHERE = Scope(everywhere=True)
"""The whole hospital: what the programs of central themselves read."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the staff number that everything done is signed with, and the roles held. `read_only` is a token's."""

    person: ActorId
    name: str
    grants: tuple[Grant, ...]
    read_only: bool = False
    _scopes: Mapping[Right, Scope] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.person:
            raise BadInput("person: expected a staff number, got nothing")
        if len(self.grants) > GRANTS_MAX:
            raise BadInput(f"roles: expected at most {GRANTS_MAX} for one person, got {len(self.grants)}")
        object.__setattr__(self, "_scopes", {right: self._scope_of(right) for right in Right})

    def _scope_of(self, right: Right) -> Scope:
        if self.read_only and right in CHANGES:
            return Scope(everywhere=False)
        held = [grant.places for grant in self.grants if right in RIGHTS_OF[grant.role]]
        return Scope(any(not places for places in held), frozenset().union(*held) if held else frozenset())

    def scope(self, right: Right) -> Scope:
        """Return where a right holds."""
        return self._scopes[right]

    def may(self, right: Right, place: PlaceId | None = None) -> bool:
        """Tell whether a right holds in a storeroom, or, without one, anywhere."""
        scope = self._scopes[right]
        return not scope.is_empty if place is None else place in scope

    def need(self, right: Right, place: PlaceId | None = None) -> None:
        """Raise `NotAllowed` unless a right holds in a storeroom, or, without one, anywhere."""
        if not self.may(right, place):
            where = "" if place is None else f" in {place}"
            raise NotAllowed(
                f"expected the right '{right}'{where}, {self.person} does not hold it; ask whoever keeps the accounts"
            )


@lru_cache(CALLERS_KEPT)
def caller_of(person: ActorId, name: str, grants: tuple[Grant, ...], read_only: bool) -> Caller:
    """Return who asks; the same account with the same roles is reckoned once, for each request asks."""
    return Caller(person, name, grants, read_only)


def grants_of(pairs: Iterable[tuple[str, str]]) -> tuple[Grant, ...]:
    """Build grants from (role, place) pairs as they are stored; an empty place means the whole hospital.

    Raises `BadInput` for a role that is not in the table.
    """
    return _grants_of(tuple(pairs))


@lru_cache(CALLERS_KEPT)
def _grants_of(pairs: tuple[tuple[str, str], ...]) -> tuple[Grant, ...]:
    found: dict[Role, set[PlaceId]] = {}
    wide: set[Role] = set()
    for name, place in pairs:
        role = role_of(name)
        found.setdefault(role, set())
        if place:
            found[role].add(PlaceId(place))
        else:
            wide.add(role)
    return tuple(
        Grant(role, frozenset() if role in wide else frozenset(places)) for role, places in sorted(found.items())
    )


def grants_named(roles: Sequence[str], wards: Sequence[str]) -> list[Grant]:
    """Return the grants a person asks for by name: each role of a ward for the wards named. Raises `BadInput`."""
    asked = [role_of(name) for name in dict.fromkeys(roles)]
    if not asked:
        raise BadInput(f"role: expected at least one of {', '.join(Role)}, got none; choose one")
    named = frozenset(PlaceId(ward) for ward in wards)
    return [Grant(role, named if role in WARD_ROLES else frozenset()) for role in asked]


def role_of(text: str) -> Role:
    """Parse a role. Raises `BadInput` naming the roles there are."""
    if text not in set(Role):
        raise BadInput(f"role: expected one of {', '.join(Role)}, got {text!r:.40}")
    return Role(text)
