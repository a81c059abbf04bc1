"""Whom this edge believes and how it signs: from its files where it is enrolled, not at all where it says so.

What enrolment gave fills what edge.toml leaves open: the brokers and the shard. The rule that must not be broken: an
edge that does not say `unsigned` does not run without its keys.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock, chance
from edge_agent.config import Config
from edge_agent.errors import BadConfig, LinkFault
from protocols.sync.certified import is_over
from protocols.sync.codec import Signing
from protocols.values.instant import Instant, to_iso

if TYPE_CHECKING:
    from ssl import SSLContext

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from edge_agent.agent.renewal import Renewal
    from edge_agent.links.key_files import Enrolment


class Trust:
    """How one run of the agent signs, and whom it believes; `None` in its fields where messages are unsigned."""

    def __init__(self, signing: Signing, tls: "Callable[[], SSLContext] | None", renewal: "Renewal | None") -> None:
        self.signing, self.tls, self._renewal = signing, tls, renewal
        self.proves: Callable[[str, bytes, bytes], bool] | None = None
        """Tells whether central's policy key signed some bytes; None where policies go unsigned."""
        self.on_fresh: Callable[[], object] = lambda: None
        """Called on the renewal's thread once a newer certificate or key is believed."""

    def start(self) -> None:
        """Begin to keep certificate and keys fresh."""
        if self._renewal is not None:
            self._renewal.start()

    def stop(self) -> None:
        """End that."""
        if self._renewal is not None:
            self._renewal.stop()


def enrolled_config(config: Config) -> "tuple[Config, Enrolment | None]":
    """Return a configuration with what enrolment gave filled in, and what it gave. Raises `BadConfig`."""
    if config.sync.unsigned:
        return config, None
    from edge_agent.links.key_files import ENROL_IT, read_enrolment

    given = read_enrolment(config.keys)
    if given is None:
        raise BadConfig(
            f"{config.path}: this device is not enrolled: {ENROL_IT}; "
            "a demonstration says `unsigned = true` under [sync] instead, here and at central"
        )
    said, device = given.said, config.device
    if (said.device, said.hospital) != (device.id, device.hospital):
        raise BadConfig(
            f"{config.path}: device.id: expected {said.device} of hospital {said.hospital}, for which "
            f"{config.keys} was enrolled, got {device.id} of {device.hospital}; correct it, or enrol this device anew"
        )
    shard = said.shard if device.shard is None else device.shard
    brokers = config.sync.brokers or said.brokers
    return replace(config, device=replace(device, shard=shard), sync=replace(config.sync, brokers=brokers)), given


def make_trust(config: Config, given: "Enrolment | None", clock: Clock, voice: Voice) -> Trust:
    """Return how this run signs. Raises `BadConfig` where a key may not be used."""
    if given is None:
        return Trust(Signing(unsigned=True), None, None)
    from edge_agent.agent.renewal import Renewal, Surroundings
    from edge_agent.links.key_files import load_key
    from edge_agent.links.keys import EdgeKeys, policy_keys, proving_with, signing_with, sync_keys

    own = load_key(config.keys, given.said.key_id)
    try:
        central = sync_keys(given.said.root, given.said.keys)
        policy = policy_keys(given.said.root, given.said.keys)
    except LinkFault as fault:
        raise BadConfig(f"{config.keys}: {fault}") from fault
    standing = [given]

    def fresh(newer: "Enrolment") -> None:
        standing[0] = newer
        _replace_keys(central, sync_keys(newer.said.root, newer.said.keys))
        _replace_keys(policy, policy_keys(newer.said.root, newer.said.keys))
        trust.on_fresh()

    renewal = Renewal(config.keys, given, own, Surroundings(clock.real_now, chance, voice, config.sync.spread_s), fresh)

    def over(key_id: str) -> bool:
        return is_over(standing[0].said.keys, key_id, clock.real_now())

    signing = signing_with(config.device.id, EdgeKeys(given.said.key_id, own, central), over)
    trust = Trust(signing, lambda: broker_tls(config.keys, standing[0]), renewal)
    trust.proves = proving_with(policy, over)
    return trust


def signing_said(config: Config) -> str:
    """Return in a few words how a configuration's device signs."""
    if config.sync.unsigned:
        return "unsigned"
    try:
        given = enrolled_config(config)[1]
    except BadConfig:
        return "not enrolled: run refuses"
    assert given is not None  # an unsigned one was answered above
    return f"by key {given.said.key_id}, certificate until {to_iso(given.said.until)}"


def check_keys(config: Config, now: Instant) -> None:
    """Check that this device's key and certificate may be used now. Raises `BadConfig` with what to do."""
    from edge_agent.links.key_files import ENROL_IT, load_key

    _, given = enrolled_config(config)
    if given is None:
        return
    load_key(config.keys, given.said.key_id)
    until = given.said.until
    if now > until:
        raise BadConfig(
            f"{config.keys}: the certificate ended on {to_iso(until)}; the agent renews it once it reaches "
            f"https://{given.host}:{given.port}; is this machine's clock right? After 90 days more {ENROL_IT} anew"
        )


def broker_tls(folder: Path, given: "Enrolment") -> "SSLContext":
    """Return how this device speaks to brokers: it believes the hospital's authority and shows its certificate.

    Raises `LinkFault`.
    """
    from edge_agent.links.enrolment import trusting
    from edge_agent.links.key_files import KEY, certificate_path

    context = trusting(given.said.authority)
    try:
        context.load_cert_chain(certificate_path(folder, given), folder / KEY)
    except OSError as error:
        raise LinkFault(
            f"{folder}: expected a certificate and its key, got: {error}; enrol this device anew"
        ) from error
    return context


def _replace_keys(held: "dict[str, Ed25519PublicKey]", newer: "dict[str, Ed25519PublicKey]") -> None:
    """Put newer keys in place of those held, at no moment with none; another thread reads them."""
    held.update(newer)
    for gone in set(held) - set(newer):
        del held[gone]
