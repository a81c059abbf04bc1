"""The feed with one mistake each. Pages of two versions put together are noticed by the tests of the two ends."""

from collections.abc import Sequence

import pytest

from protocols.sync.feed import Fetcher, Held
from protocols.sync.frames import Offer

Patch = pytest.MonkeyPatch


def the_number_alone_tells(patch: Patch) -> None:
    """A version is known by its number, as if numbers only ever grew: one given by a sequence, say."""

    def believes(self: Fetcher, offers: Sequence[Offer]) -> None:
        newer = [one for one in offers if one.version > self._held.get(one.scope, Held()).version]
        offered(self, newer)

    offered = Fetcher.offered
    patch.setattr(Fetcher, "offered", believes)


def a_version_is_never_looked_at_again(patch: Patch) -> None:
    """What was offered before is not asked for, though the answer was lost on its way."""

    def believes(self: Fetcher, offers: Sequence[Offer]) -> None:
        offered(self, offers)
        self._held |= {one.scope: Held(one.version, one.checksum) for one in offers}

    offered = Fetcher.offered
    patch.setattr(Fetcher, "offered", believes)


MUTANTS = (the_number_alone_tells, a_version_is_never_looked_at_again)
