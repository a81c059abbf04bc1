"""`[notices]`: who is told of what needs them, once a shift, and through which addresses.

The rule that must not be broken: an address holds a secret, so no message says it.
"""

from collections.abc import Mapping
from datetime import time
from typing import Annotated

from pydantic import AfterValidator, Field

from central.config.section import Section
from central.core.rights import WARD_ROLES, Role
from protocols.errors import BadValue
from protocols.values.ids import place_id

URLS_MAX = 10
SHIFTS_MAX = 6


def _shift(text: str) -> str:
    time.fromisoformat(text)
    return text


def _recipient(text: str) -> str:
    role, _, place = text.partition("@")
    if role not in set(Role) or (role in WARD_ROLES) != bool(place):
        raise ValueError
    try:
        return text if not place else f"{role}@{place_id(place)}"
    except BadValue as error:
        raise ValueError from error


class NoticesSection(Section):
    """When shifts begin, and the addresses of each role as the library apprise writes them; none sends nothing."""

    shifts: list[Annotated[str, AfterValidator(_shift)]] = Field(
        default=["08:00", "20:00"], min_length=1, max_length=SHIFTS_MAX, description='times such as ["08:00", "20:00"]'
    )
    language: str = Field(default="zh", pattern="^(zh|en)$", description="zh or en")
    urls: Mapping[
        Annotated[str, AfterValidator(_recipient)],
        Annotated[list[str], Field(min_length=1, max_length=URLS_MAX)],
    ] = Field(default={}, description="a list of addresses for a role such as purchaser or ward-keeper@ward-01")

    @property
    def starts(self) -> tuple[time, ...]:
        """When shifts begin."""
        return tuple(time.fromisoformat(text) for text in self.shifts)
