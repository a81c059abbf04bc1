"""Two bins of a low-value item: when one is empty its card is scanned, or thrown where an antenna reads it. Pure.

A card noted is one need; the same card noted again while its bin cannot have been filled is the same need. A card that
an antenna reads lies there until that antenna ended enough rounds without it. The rule that must not be broken: an
empty bin is never lost for a card that is read too often, and never counted twice for one that keeps lying there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from protocols.errors import BadValue
from protocols.movements.reports import NeedBody
from protocols.readers.reads import LinkDown, ReaderEvent, RoundEnded, TagRead
from protocols.values.ids import ItemId
from protocols.values.instant import MICROS, Instant, seconds_between

AGAIN_S = 24 * 3600.0
"""A bin is filled a day after its card at the earliest: within it the same card is the same need."""
ABSENT_S = 600.0
"""Proven seconds without a read after which a card was taken away."""
STEP_S_MAX = 60.0
"""One ended round proves at most so long a silence."""
BINS_MAX = 10_000
CARD_MAX = 128
QTY_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin: its card's EPC or printed code, the item, base units of one filling, the shelf."""

    card: str
    item: ItemId
    qty: int
    position: str = ""

    def __post_init__(self) -> None:
        if not 1 <= len(self.card) <= CARD_MAX or not self.card.isprintable():
            raise BadValue(f"card: expected 1..{CARD_MAX} printable characters, got {self.card!r:.60}")
        if not 1 <= self.qty <= QTY_MAX:
            raise BadValue(f"qty: expected 1..{QTY_MAX} base units, got {self.qty}")

    def need(self) -> NeedBody:
        """Return what an entry says of this bin when it is empty."""
        return NeedBody(item=self.item, qty=self.qty, card=self.card, position=self.position)


@dataclass(slots=True)
class _Lying:
    """A card on an antenna: which reader reads it, and its proven microseconds without a read."""

    reader: str
    silent: int = 0


class Kanban:
    """Every bin of one storeroom. `noted` tells when the ledger noted a card last; `antennas` read thrown cards."""

    def __init__(
        self, bins: Iterable[Bin], noted: Mapping[str, Instant], antennas: Mapping[str, frozenset[int]], now: Instant
    ) -> None:
        self._bins = {each.card: each for each in bins}
        self._noted = {card: at for card, at in noted.items() if card in self._bins}
        self._antennas = antennas
        fresh = [card for card, at in self._noted.items() if seconds_between(at, now) < AGAIN_S]
        self._lying = {card: _Lying(name) for card in fresh for name in antennas}
        self._last_end: dict[str, Instant] = {}

    def of(self, text: str) -> Bin | None:
        """Return the bin whose card a scanned text is."""
        return self._bins.get(text)

    def noted_within(self, card: str, now: Instant) -> Instant | None:
        """Return when this card was noted, if that is the same need still."""
        at = self._noted.get(card)
        return at if at is not None and 0 <= seconds_between(at, now) < AGAIN_S else None

    def note(self, card: str, at: Instant) -> None:
        """Take that the ledger has noted a card."""
        self._noted[card] = at

    def hear(self, name: str, event: ReaderEvent) -> Bin | None:
        """Take what a reader says; returns the bin of a card that was not lying there before."""
        match event:
            case TagRead() if event.antenna in self._antennas.get(name, ()):
                return self._read(name, event)
            case RoundEnded():
                self._round(name, event)
            case LinkDown():
                self._last_end.pop(name, None)
            case _:
                pass
        return None

    def _read(self, name: str, read: TagRead) -> Bin | None:
        found = self._bins.get(read.epc)
        if found is None:
            return None
        lying = self._lying.get(found.card)
        self._lying[found.card] = _Lying(name)
        return found if lying is None else None

    def _round(self, name: str, ended: RoundEnded) -> None:
        last = self._last_end.get(name)
        self._last_end[name] = ended.at
        heard = self._antennas.get(name, frozenset()) & set(ended.antennas)
        if last is None or not heard or not ended.proves_silence:
            return
        step = min(max(0, ended.at - last), round(STEP_S_MAX * MICROS))
        for card, lying in tuple(self._lying.items()):
            lying.silent += step if lying.reader == name else 0
            if lying.silent >= ABSENT_S * MICROS:
                del self._lying[card]
