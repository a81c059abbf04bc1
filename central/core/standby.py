"""What a standby proves: that chains stand at it too, as far as it has flushed the log that committed them. Pure.

What was read at a place of the log is safe once a standby has flushed that place. The rules that must not be broken: a
place is compared only with heads read before it was asked for; without a standby that flushes, nothing is vouched for.
"""

from dataclasses import dataclass

Heads = tuple[tuple[bytes, int], ...]
"""Chains with the last seq of each."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Heads as they stood when the log ended at `lsn`, in bytes from its beginning."""

    lsn: int
    heads: Heads


@dataclass(frozen=True, slots=True)
class Said:
    """What is vouched for from now on, None where that does not change; and what waits to be flushed."""

    vouched: Heads | None
    waits: Mark | None


def hear(waits: Mark | None, flushed: int | None, now: Mark) -> Said:
    """Return what follows from how far the standby that is ahead has flushed, None where none streams."""
    if flushed is None:
        return Said((), None)
    if flushed >= now.lsn:
        return Said(now.heads, None)
    if waits is None:
        return Said(None, now)
    return Said(waits.heads, now) if flushed >= waits.lsn else Said(None, waits)
