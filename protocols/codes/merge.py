"""Labels that belong together: what a second scan adds, what it contradicts, and one label split over two symbols.

It keeps no time of its own: instants and the limit come in. The rule that must not be broken: a scan may add a value or
contradict one; it never blanks one and never replaces one silently.
"""

from dataclasses import dataclass

from protocols.codes.label import Label

_FIELDS = ("issuer", "product", "lot", "expiry", "made", "serial")
_READ_ELSEWHERE = frozenset({"lot", "expiry", "made", "serial", "hour", "raw", "unread"})
"""Elements that may be written in more than one way; their meaning is compared in the fields above."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two labels say different things of `field`. Nothing of the second is taken over."""

    field: str
    known: str
    said: str

    @property
    def reason(self) -> str:
        """Return a sentence for the person who holds the labels."""
        return f"{self.field}: one label says {self.known}, the other {self.said}; are they of one piece?"


def merge(known: Label, said: Label) -> Label | Contradiction:
    """Return both labels as one, or the first thing they do not agree on."""
    for field in _FIELDS:
        one, other = getattr(known, field), getattr(said, field)
        if one is not None and other is not None and one != other:
            return Contradiction(field, str(one), str(other))
    elements = dict(known.elements)
    for name, value in said.elements:
        if elements.setdefault(name, value) != value and name not in _READ_ELSEWHERE:
            return Contradiction(name, elements[name], value)
    if elements.get("link", "") and elements.get("check", elements["link"]) != elements["link"]:
        return Contradiction("link", elements["check"], elements["link"])
    return Label(
        issuer=known.issuer,
        product=said.product if known.product is None else known.product,
        lot=said.lot if known.lot is None else known.lot,
        expiry=said.expiry if known.expiry is None else known.expiry,
        made=said.made if known.made is None else known.made,
        serial=said.serial if known.serial is None else known.serial,
        elements=tuple(elements.items()),
    )


@dataclass(frozen=True, slots=True)
class Half:
    """A label that may be one of two symbols, and until when its other half is waited for, in seconds of any clock."""

    label: Label
    until_s: float


@dataclass(frozen=True, slots=True)
class Joined:
    """What follows from one more symbol: labels that are complete or given up, in order, and the half that waits."""

    labels: tuple[Label, ...]
    waiting: Half | None


def is_whole(label: Label) -> bool:
    """Tell whether a label names one piece, so that no second symbol is needed to act on it."""
    return label.product is not None and label.serial is not None


def join(waiting: Half | None, label: Label, now_s: float, limit_s: float) -> Joined:
    """Take one more symbol. Two that complete each other within the limit come out as one label."""
    given_up = expire(waiting, now_s)
    if given_up.waiting is None:
        return _open(given_up.labels, label, now_s, limit_s)
    known = given_up.waiting.label
    both = merge(known, label)
    adds = isinstance(both, Label) and both != known and (known.product is None) != (label.product is None)
    if isinstance(both, Label) and adds:
        return Joined((both,), None)
    if both == known:
        return Joined((), given_up.waiting)
    return _open((known,), label, now_s, limit_s)


def expire(waiting: Half | None, now_s: float) -> Joined:
    """Give up a half whose time is over: it comes out as it is."""
    if waiting is not None and now_s >= waiting.until_s:
        return Joined((waiting.label,), None)
    return Joined((), waiting)


def _open(before: tuple[Label, ...], label: Label, now_s: float, limit_s: float) -> Joined:
    if is_whole(label):
        return Joined((*before, label), None)
    return Joined(before, Half(label, now_s + limit_s))
