"""Pulling facts: entries that concern a storeroom and that its own ledger does not hold, by version. No I/O, no clock.

The edge holds a version and the sum of all facts up to it; central says from where to pull, and one PULL is answered
by one FACTS. The rule that must not be broken: a FACTS counts only if it begins at the version asked for and its
entries come to its sum.
"""

import hashlib
import math
from collections.abc import Iterable

from protocols.entry import content_hash, decode_entry
from protocols.errors import BadValue, PeerBroke
from protocols.sync.codec import unpack_entries
from protocols.sync.frames import Facts, Pull
from protocols.values.ids import DeviceId, device_id

SUM_TAG = b"wardstock.facts.1"
SEPARATOR = b"\0"


def sum_of(before: bytes, contents: Iterable[bytes]) -> bytes:
    """Return the sum of facts that continue others, from their content hashes."""
    for content in contents:
        before = hashlib.sha256(SUM_TAG + before + content).digest()
    return before


def pack_fact(device: DeviceId, raw: bytes) -> bytes:
    """Return a fact as FACTS carries it."""
    return device.encode() + SEPARATOR + raw


class Puller:
    """What is held, what is there, and whether an answer is waited for."""

    def __init__(self, version: int, total: bytes) -> None:
        self.version, self.sum = version, total
        self._from, self._last = version, version
        self._asked_at = -math.inf
        self._waits = False

    @property
    def behind(self) -> bool:
        """Whether central has more."""
        return self._from < self._last or self._from != self.version

    def heard(self, pull_from: int, last: int) -> None:
        """Take what the WELCOME said."""
        self._from, self._last = min(pull_from, last), last
        self._waits = False

    def ask(self, now: float) -> Pull:
        """Return the question, and wait for its answer."""
        self._asked_at, self._waits = now, True
        return Pull(self._from)

    def stop(self) -> None:
        """Wait no more."""
        self._waits = False

    def due_at(self, resend_s: float) -> float:
        """Return when the question is to be asked again; infinite when none waits."""
        return self._asked_at + resend_s if self._waits else math.inf

    def take(self, message: Facts) -> tuple[tuple[DeviceId, bytes], ...] | None:
        """Return the entries of an answer that was waited for, else None. Raises `PeerBroke`."""
        if not self._waits or message.version != self._from or not message.version <= message.upto <= message.last:
            return None
        raws = unpack_entries(message.entries) if message.n else ()
        if len(raws) != message.n:
            raise PeerBroke(f"facts: expected {message.n} entries, got {len(raws)}")
        facts = tuple(_fact(raw) for raw in raws)
        known = self.sum if self._from == self.version else b""
        if sum_of(known, (content_hash(device, raw) for device, raw in facts)) != message.facts_sum:
            raise PeerBroke("facts: expected entries that come to the sum said")
        self._last = message.last
        return facts

    def posted(self, upto: int, total: bytes) -> None:
        """Note that facts up to a version are kept."""
        self.version = self._from = upto
        self.sum = total
        self._waits = False


def _fact(raw: bytes) -> tuple[DeviceId, bytes]:
    device, separator, entry = raw.partition(SEPARATOR)
    try:
        if separator:
            decode_entry(entry)
            return device_id(device.decode()), entry
    except (BadValue, UnicodeDecodeError) as error:
        raise PeerBroke(f"facts: expected a device before each entry; {error}") from error
    raise PeerBroke("facts: expected a device, a zero byte and an entry")
