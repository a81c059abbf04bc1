"""The state of a storeroom while its days are drawn: where each piece is, what stands before it, what the book says.

It moves pieces and writes down that they moved; why is decided in `people` and `shields`. The rule that must not be
broken: a piece is in one place at a time, and its changes follow each other in time.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from hardware_sim.storeroom.happenings import Block, Change, Fact, Life, Passage, Shield, bin_of
from hardware_sim.storeroom.stock import Stock, Where

Tags = NDArray[np.int64]


class Room:
    """Columns by tag number; reference tags are never touched."""

    def __init__(self, stock: Stock, reserved: Iterable[int] = ()) -> None:
        self.pieces = stock.pieces
        count = len(stock.pieces)
        self.where = np.array([piece.first for piece in stock.pieces], np.int8)
        self.home = np.array([piece.home for piece in stock.pieces], np.int8)
        self.own_shelf = np.array([piece.shelf for piece in stock.pieces], np.int8)
        self.shelf = self.own_shelf.copy()
        self.block = np.zeros(count, np.int8)
        self.since_s = np.zeros(count)
        names = sorted({piece.item for piece in stock.pieces})
        number = {name: place for place, name in enumerate(names)}
        self.item = np.array([number[piece.item] for piece in stock.pieces], np.int32)
        self.fresh = self.where == Where.OUT
        self.free = np.ones(count, bool)
        self.free[list(reserved)] = False
        self.life = Life()

    def at(self, where: Where, at_s: float, *, home: Where | None = None) -> Tags:
        """Return the pieces that are somewhere and may be moved at an instant."""
        there = (self.where == where) & self.free & (self.since_s < at_s)
        if home is not None:
            there &= self.home == home
        return np.flatnonzero(there)

    def move(self, tag: int, at_s: float, to: Where, *, shelf: int | None = None) -> None:
        """Move a piece; it stands clear where it comes to."""
        if shelf is not None:
            self.shelf[tag] = shelf
        self.where[tag] = to
        self.since_s[tag] = at_s
        self.fresh[tag] = False
        self.life.changes.append(Change(at_s, tag, to, int(self.shelf[tag])))
        if self.block[tag] != Block.CLEAR:
            self.shield(tag, at_s, Block.CLEAR)

    def shield(self, tag: int, at_s: float, block: Block) -> None:
        """Put a shield before a piece, or take it away."""
        self.block[tag] = block
        self.life.shields.append(Shield(at_s, tag, block))

    def pass_door(self, tag: int, at_s: float, *, outward: bool, crowd: int = 0) -> None:
        """Carry a piece through the door."""
        self.life.passages.append(Passage(at_s, tag, outward, crowd))

    def record(self, tag: int, kind: str, to: Where, *, at_s: float, known_s: float | None = None) -> None:
        """Write a fact into the book."""
        known = at_s if known_s is None else known_s
        self.life.facts.append(Fact(bin_of(known), bin_of(at_s), tag, kind, to))
