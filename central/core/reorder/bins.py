"""What an item kept in bins orders: the empty ones, and nothing else, whatever lies in the others.

Where its use is known it also says how much a bin should hold. The rule that must not be broken: what is ordered is
told by cards alone.
"""

from fractions import Fraction

from central.core.reorder.facts import Facts, Levels, Source
from central.core.reorder.line import line_of
from central.core.reorder.two_bin import BIN_QUANTILE, bin_size


def empty_bins(facts: Facts, source: Source) -> Levels:
    """Order what the empty bins ask for, and nothing else: nobody counts what is in the others."""
    asked, because = facts.bins or 0, {"bins": facts.bins or 0}
    line = line_of(facts, source)
    if line.moments.mean > 0:
        because["bin_holds"] = bin_size(line.wait, source.pack)
    return Levels(Fraction(asked), asked, BIN_QUANTILE, 0, because)
