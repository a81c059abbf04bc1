"""What a directory or an issuer says of a person, and the roles that its groups mean here. Pure.

Who somebody is and whether they may come in is the source's matter; what they may do is the mapping's. The rule that
must not be broken: a group that is not mapped means nothing, and a person without a mapped group does not come in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from central.core.rights import Grant, Role, grants_of, role_of
from central.errors import BadInput
from protocols.errors import BadValue
from protocols.values.ids import ActorId, place_id

GROUPS_MAX = 500
"""Groups of one person that are looked at."""
DIRECTORY, ISSUER = "ldap", "oidc"
"""Where an account that is not kept here comes from."""


@dataclass(frozen=True, slots=True)
class Known:
    """A person as the source knows them now."""

    staff: ActorId
    name: str
    groups: frozenset[str]


def read_mapping(given: Mapping[str, list[str]]) -> dict[str, tuple[tuple[str, str], ...]]:
    """Read a mapping from groups to roles such as `nurse@ward-01` or `purchaser`; groups are compared in lower case.

    Raises `BadInput` naming the first role that is none.
    """
    return {group.strip().lower(): tuple(_role(text) for text in roles) for group, roles in given.items()}


def _role(text: str) -> tuple[str, str]:
    name, at, place = text.partition("@")
    role = role_of(name)
    if at:
        try:
            place_id(place)
        except BadValue as error:
            raise BadInput(f"role: expected one such as nurse@ward-01, got {text!r:.60}") from error
    if role is Role.ADMINISTRATOR and place:
        raise BadInput(f"role: expected the administrator without a ward, got {text!r:.60}")
    return (role.value, place)


def grants_for(groups: Iterable[str], mapping: Mapping[str, tuple[tuple[str, str], ...]]) -> tuple[Grant, ...]:
    """Return the roles some groups mean; none where no group is mapped."""
    pairs = {pair for group in groups for pair in mapping.get(group.strip().lower(), ())}
    return grants_of(sorted(pairs)) if pairs else ()
