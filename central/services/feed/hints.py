"""How devices hear that there is something new: a small message on their `hint` topic, which the broker keeps.

It is of no session and proves nothing; a device that reads it asks, and believes the answer. Signed like everything
that goes down, so that a stranger on the broker cannot make devices ask for nothing.
"""

from collections.abc import Callable

from central.store.feeds import Listener
from protocols.sync.codec import NO_TOKEN, Envelope, Signing, seal
from protocols.sync.frames import Hint
from protocols.sync.topics import Topics
from protocols.values.ids import HospitalId, Incarnation

NOBODY = bytes(16)
"""The chain and the boot nonce of a message that is of no session."""

Say = Callable[[Listener, Hint], None]


def hinter(keep: Callable[[str, bytes], None], hospital: HospitalId, signing: Signing) -> Say:
    """Return what says a hint by way of `keep(topic, bytes)`, which lets the brokers keep a message."""

    def say(to: Listener, hint: Hint) -> None:
        data = seal(Envelope(to.device, Incarnation(NOBODY), NOBODY, NO_TOKEN, 0), hint, signing)
        keep(Topics(hospital, to.shard, to.device).hint, data)

    return say
