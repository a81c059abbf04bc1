"""Let devices in, keep their certificates fresh, and shut one out: tokens, enrolment, renewal, revocation.

The private key is made on the device and never leaves it; central keeps the public half and who let it in. Instants are
real time. The rule that must not be broken: a token lets one key in, and every act stands in the record of acts, in the
same transaction.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection

from central.core.enrolment import (
    REASON_MAX,
    TOKEN_MINUTES_MAX,
    Enrolment,
    KeyStanding,
    may_renew,
    shard_of,
    standing_of,
)
from central.core.rights import Caller, Right
from central.errors import BadInput, NotAllowed, NotNow, NotThere, TooMany
from central.links.authority import DEVICE_S, Wanted, device_key_in, fingerprint, issue, pem
from central.links.key_files import load_certified, load_root, public_bytes
from central.links.keys import key_id_of
from central.links.tls_files import load_authority, load_issuer
from central.services.secrets_kept import digest
from central.store import queries_enrolment as kept
from central.store.audit import note
from central.store.chains import OWN_DEVICE
from central.store.engine import Store
from protocols.sync.certified import CertifiedKey, KeyKind
from protocols.sync.enrolment import Asking, Enrolled, Renewing, Ticket, token_text
from protocols.values.ids import ActorId, DeviceId, HospitalId
from protocols.values.instant import Instant, from_datetime, plus, to_iso

REPLACED = "enrolled anew"
DAY_S = 86_400
CERTIFICATES_A_DAY_MAX = 24
"""Certificates given to one device in a day: a renewal is tried again by the hour, and rows are never removed."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Where devices find central for enrolment, and the brokers they are given."""

    host: str
    port: int
    brokers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DeviceStanding:
    """A device as the list of devices shows it; `token_until` is set while a token for it is open."""

    known: kept.KnownDevice
    key: kept.DeviceKey | None
    standing: Enrolment
    token_until: Instant | None


@dataclass(frozen=True, slots=True)
class Devices:
    """The devices of one hospital. `keys` is the folder of central's keys, `draw` gives random bytes."""

    store: Store
    hospital: HospitalId
    now: Callable[[], Instant]
    draw: Callable[[], bytes]
    keys: Path
    reach: Reach | None
    """None where this central enrols nobody: `unsigned`, or no port to enrol at."""

    def ticket(self, by: ActorId, device: DeviceId, minutes: int) -> Ticket:
        """Return a new ticket, to be shown once; earlier ones of the device end.

        Raises `BadInput`, `NotThere` for a device that was not imported, `NotNow` where nobody is enrolled.
        """
        reach = self._reach()
        if not 1 <= minutes <= TOKEN_MINUTES_MAX:
            raise BadInput(f"minutes: expected 1 to {TOKEN_MINUTES_MAX}, got {minutes}")
        pin, token, now = fingerprint(load_authority(self.keys)), token_text(self.draw()), self.now()
        ticket = Ticket(reach.host, reach.port, device, token, pin)
        with self.store.write() as connection:
            self._known(connection, device)
            kept.end_tokens(connection, self.hospital, device, now)
            made = kept.Token(device, now, by, plus(now, minutes * 60.0), "")
            kept.add_token(connection, self.hospital, digest(token), made)
            self._note(connection, by, "make-enrolment-token", device, {"minutes": minutes})
        return ticket

    def enrol(self, asking: Asking) -> Enrolled:
        """Let a device's key in by its token. The same token and key again get the same answer, for an answer lost.

        Raises `BadInput` for the request, `NotAllowed` for the token.
        """
        reach, now = self._reach(), self.now()
        public = device_key_in(asking.csr)
        key_id, hashed = key_id_of(public), digest(asking.token)
        with self.store.write() as connection:
            token = kept.token_with(connection, self.hospital, hashed)
            if token is None or token.device != asking.device or token.key_id not in {"", key_id}:
                raise NotAllowed("token: expected one made for this device that let nobody in yet; make a new one")
            if now >= token.ends_at:
                raise NotAllowed(f"token: it was good until {to_iso(token.ends_at)}; make a new one")
            if not token.key_id:
                self._admit(connection, token, public, now)
                kept.use_token(connection, self.hospital, hashed, key_id)
            elif kept.standing_key(connection, self.hospital, token.device, key_id) is None:
                raise NotAllowed("token: the key it let in was revoked since; make a new one")
            return self._certify(connection, reach, token.device, public, now)

    def renew(self, renewing: Renewing) -> Enrolled:
        """Give a standing key a new certificate. Raises `BadInput`, `TooMany`; `NotAllowed`: the key does not stand."""
        reach, now = self._reach(), self.now()
        public = device_key_in(renewing.csr)
        with self.store.write() as connection:
            held = kept.device_keys(connection, self.hospital, DeviceId(renewing.device))
            key = next((one for one in held if one.key_id == key_id_of(public)), None)
            if key is None or not may_renew(standing(key), now):
                raise NotAllowed(
                    f"renewal: expected a key of {renewing.device} that stands and ended at most 90 days ago; "
                    "enrol the device with a new token"
                )
            self._note(connection, ActorId(key.device), "renew-certificate", key.device, {"key": key.key_id})
            return self._certify(connection, reach, key.device, public, now)

    def revoke(self, by: ActorId, device: DeviceId, reason: str) -> None:
        """Shut a device out, its open tokens too. Raises `BadInput`, `NotThere`, `NotNow` when it has no key."""
        if not 1 <= len(reason.strip()) <= REASON_MAX:
            raise BadInput(f"reason: expected 1 to {REASON_MAX} characters, got {len(reason.strip())}")
        with self.store.write() as connection:
            self._known(connection, device)
            now = self.now()
            kept.end_tokens(connection, self.hospital, device, now)
            if not kept.revoke_keys(connection, self.hospital, device, now, by=by, reason=reason.strip()):
                raise NotNow(f"device: expected {device} to be enrolled, it has no key that stands")
            self._note(connection, by, "revoke-device", device, {"reason": reason.strip()})

    def listed(self, caller: Caller) -> list[DeviceStanding]:
        """Return every device with how it stands. Raises `NotAllowed`."""
        caller.need(Right.SEE_FLEET)
        return self.standings()

    def standings(self) -> list[DeviceStanding]:
        """Return every device with how it stands."""
        now = self.now()
        with self.store.read() as connection:
            known = kept.known_devices(connection, self.hospital)
            keys = kept.devices_of(kept.device_keys(connection, self.hospital))
            tokens = kept.open_tokens(connection, self.hospital, now)
        return [
            DeviceStanding(
                one,
                keys.get(one.device),
                standing_of(standing(keys[one.device]) if one.device in keys else None, now),
                tokens.get(one.device),
            )
            for one in known
            if one.device != OWN_DEVICE
        ]

    def revoked(self) -> list[tuple[int, Instant]]:
        """Return serial number and instant of each revoked certificate that has not ended by itself."""
        with self.store.read() as connection:
            return kept.revoked_certificates(connection, self.hospital, self.now())

    def certified(self) -> tuple[CertifiedKey, ...]:
        """Return central's public keys with the root's word: those in use and those that follow."""
        return tuple(key for kind in (KeyKind.SYNC, KeyKind.POLICY) for key in load_certified(self.keys, kind))

    def authority(self) -> str:
        """Return the authority's certificate as PEM."""
        return pem(load_authority(self.keys))

    def _reach(self) -> Reach:
        if self.reach is None:
            raise NotNow("enrolment: expected a port to enrol at; set [enrolment] port and names in central.toml")
        return self.reach

    def _known(self, connection: Connection, device: DeviceId) -> kept.KnownDevice:
        found = kept.known_devices(connection, self.hospital, device)
        if not found or device == OWN_DEVICE:
            raise NotThere(f"device: expected one that places.csv names, got {device!r:.40}; import it there first")
        return found[0]

    def _admit(self, connection: Connection, token: kept.Token, public: Ed25519PublicKey, now: Instant) -> None:
        """Let a key stand for a device in place of those before."""
        device, key_id = token.device, key_id_of(public)
        if not kept.device_keys(connection, self.hospital, device):
            kept.set_shard(connection, self.hospital, device, shard_of(device))
        kept.revoke_keys(connection, self.hospital, device, now, by=token.made_by, reason=REPLACED)
        made = kept.DeviceKey(device, key_id, public_bytes(public), now, token.made_by, now, None, "", "")
        kept.add_key(connection, self.hospital, made)
        self._note(connection, ActorId(token.made_by), "enrol-device", device, {"key": key_id})

    def _certify(
        self, connection: Connection, reach: Reach, device: DeviceId, public: Ed25519PublicKey, now: Instant
    ) -> Enrolled:
        if kept.certificates_since(connection, self.hospital, device, plus(now, -DAY_S)) >= CERTIFICATES_A_DAY_MAX:
            raise TooMany(
                f"certificate: expected at most {CERTIFICATES_A_DAY_MAX} a day for {device}, which a device that works "
                "needs once in two months; look at its log"
            )
        known, key_id = self._known(connection, device), key_id_of(public)
        issuer = load_issuer(self.keys)
        made = issue(issuer, Wanted(device, asks=True), public, DEVICE_S, now)
        until = from_datetime(made.not_valid_after_utc)
        kept.add_certificate(
            connection, self.hospital, kept.Certificate(made.serial_number, device, key_id, now, until)
        )
        return Enrolled(
            device=device,
            hospital=self.hospital,
            place=known.place,
            shard=known.shard,
            key_id=key_id,
            until=until,
            certificate=pem(made),
            authority=pem(issuer[0]),
            root=public_bytes(load_root(self.keys)),
            brokers=reach.brokers,
            keys=self.certified(),
        )

    def _note(self, connection: Connection, by: ActorId, act: str, device: str, detail: dict[str, object]) -> None:
        note(connection, self.hospital, self.now(), person=by, act=act, subject=device, detail=detail)


def standing(key: kept.DeviceKey) -> KeyStanding:
    """Return what the rules ask of a key."""
    return KeyStanding(key.key_id, key.until, key.revoked_at, key.reason)
