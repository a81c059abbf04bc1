"""Messages that central never said, made by somebody who reads the broker.

He copies the envelope of the last message he heard, so that session and token are right, and claims an acknowledgement.
Some of his messages bear no signature of central, most do, as if its key were stolen: then what he cannot know is the
hash of an entry that he has not seen acknowledged.
"""

from collections.abc import Sequence

from protocols.errors import PeerBroke
from protocols.sync.codec import Signing, seal, unseal
from protocols.sync.frames import NOTHING, Ack
from tests.simulation.keyring import Keyring
from tests.simulation.ward import Ward

LISTENS = Signing(unsigned=True, sign=lambda _data: b"", verify=lambda *_: True)
STOLEN_FROM = 0.2
WRITES = Signing(unsigned=True)


def forged(said: Sequence[bytes], ward: Ward, size: float, keys: Keyring) -> bytes | None:
    """Return an acknowledgement of the ledger's very end, with a made-up hash; None when nothing can be copied."""
    if ward.ledger is None:
        return None
    try:
        envelope, _ = unseal(said[-1], LISTENS)
    except PeerBroke:
        return None
    claim = Ack(ward.ledger.head().seq, bytes([int(size * 255)]) * 32, NOTHING, ())
    return seal(envelope, claim, WRITES if size < STOLEN_FROM else keys.central())
