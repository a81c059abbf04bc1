"""Issue each storeroom's policy and keep it: signed by the policy key, with a lease that is renewed at its half.

What holds is decided in `core.permits`. The rule that must not be broken: what goes down is the text that was signed.
"""

from typing import Protocol

from sqlalchemy import Connection

from central.core.permits import Standing, is_spent, policy_for, standing
from central.core.policy import Rules
from central.store.queries_permits import add_policy, policies, standings
from protocols.policy import PolicyText, SignedText, signed_bytes, text_of
from protocols.values.ids import HospitalId, PlaceId
from protocols.values.instant import Instant

NEVER_MOVED: Standing = standing(())


class Seal(Protocol):
    """A key that signs for central, and the name edges know it by."""

    @property
    def key_id(self) -> str:
        """Return its name."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature of a message."""


def sealed(seal: Seal | None, said: bytes) -> tuple[str, bytes]:
    """Return the key's name and the signature; both are empty where nobody signs, as in a demo."""
    return ("", b"") if seal is None else (seal.key_id, seal.sign(said))


def issue(
    connection: Connection, hospital: HospitalId, places: list[PlaceId], rules: Rules, seal: Seal | None, now: Instant
) -> dict[PlaceId, SignedText]:
    """Return each storeroom's policy, issued anew where it must be. The caller holds a write transaction."""
    issued, stands = policies(connection, hospital), standings(connection, hospital)
    lease_days = rules.whole("permit.lease_days")
    key_id = "" if seal is None else seal.key_id
    found: dict[PlaceId, SignedText] = {}
    for place in places:
        stand = stands.get(place, NEVER_MOVED)
        last = issued.get(place)
        if last is not None and last[1].key == key_id and not is_spent(last[0], stand, now):
            found[place] = last[1]
            continue
        after = 0 if last is None else last[0].issued_at + 1
        found[place] = _issue(
            connection, policy_for(hospital, place, stand, Instant(max(now, after)), lease_days), seal
        )
    return found


def _issue(connection: Connection, policy: PolicyText, seal: Seal | None) -> SignedText:
    text = text_of(policy)
    key_id, signature = sealed(seal, signed_bytes(PolicyText, text))
    add_policy(connection, HospitalId(policy.hospital), policy, text, key_id, signature)
    return SignedText(text, key_id, signature.hex())
