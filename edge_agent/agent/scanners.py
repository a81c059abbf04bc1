"""Which decoder a configured scanner gets: lines of a serial scanner, keys of a keyboard, cards of a card reader.

A card becomes the badge of its holder here, so that nobody downstream knows how a person said who they are. The rule
that must not be broken: a card that lies on the reader and is told again and again is one badge.
"""

from collections.abc import Callable, Mapping

from edge_agent.agent.counter import ScanDecoder
from edge_agent.config.scanners import CARD, KEYBOARD, ScannerConfig
from protocols.codes.label import make_badge
from protocols.readers.card import CardDecoder, CardFrame
from protocols.readers.keyboard import KeyboardDecoder
from protocols.readers.reads import BadFrame
from protocols.readers.scanner import ScanFrame, ScannerDecoder
from protocols.values.ids import ActorId

AGAIN_S = 3.0
"""Seconds of silence after which the same card was taken away and laid down anew."""


class CardScans:
    """The cards of one reader as scans of badges. `holders` are staff numbers by UID, `link_s()` tells link time."""

    def __init__(self, holders: Mapping[str, ActorId], link_s: Callable[[], float]) -> None:
        self._holders, self._link_s = holders, link_s
        self._cards = CardDecoder()
        self._last, self._told_s = "", -AGAIN_S

    def receive(self, data: bytes) -> list[ScanFrame | BadFrame]:
        """Take bytes and return the badges they complete."""
        scans = (each if isinstance(each, BadFrame) else self._scan(each) for each in self._cards.receive(data))
        return [each for each in scans if each is not None]

    def reset(self) -> None:
        """Forget half a line."""
        self._cards.reset()

    def _scan(self, card: CardFrame) -> ScanFrame | BadFrame | None:
        now_s = self._link_s()
        again = card.uid == self._last and now_s - self._told_s < AGAIN_S
        self._last, self._told_s = card.uid, now_s
        if again:
            return None
        holder = self._holders.get(card.uid)
        if holder is None:
            reason = f"card {card.uid}: nobody's card here; let the keeper add it to the cards of [master]"
            return BadFrame(reason, card.uid.encode())
        return ScanFrame(make_badge(holder))


def scanner_decoder(
    config: ScannerConfig, holders: Mapping[str, ActorId], link_s: Callable[[], float]
) -> ScannerDecoder | KeyboardDecoder | CardScans:
    """Return what cuts a configured scanner's bytes into scans."""
    if config.kind == CARD:
        return CardScans(holders, link_s)
    return KeyboardDecoder(config.form) if config.kind == KEYBOARD else ScannerDecoder(config.form)


def decoders_of(
    scanners: tuple[ScannerConfig, ...], holders: Mapping[str, ActorId], link_s: Callable[[], float]
) -> dict[str, ScanDecoder]:
    """Return the decoder of each configured scanner by its name."""
    return {each.name: scanner_decoder(each, holders, link_s) for each in scanners}
