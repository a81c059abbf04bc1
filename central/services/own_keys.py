"""What central itself signs with and believes, from the files its configuration names.

The rule that must not be broken: where the configuration does not say `unsigned`, nothing starts without keys.
"""

import logging
from pathlib import Path

from central.clock import Clock, new_token
from central.config import Config
from central.errors import NotReady
from central.links.key_files import load_signing_key
from central.links.tls_files import broker_tls
from central.services.device_keys import DeviceKeys, Gate
from central.services.enrolment import Devices, Reach
from central.services.key_making import Where
from central.store.engine import Store
from protocols.sync.certified import KeyKind
from protocols.sync.codec import Signing
from protocols.values.instant import plus, to_iso

WARN_S = 90 * 86_400.0
"""Before a key's last day, a start says so."""

log = logging.getLogger("wardstock.keys")


def signing_of(config: Config, clock: Clock) -> Signing:
    """Return how central signs. Raises `NotReady` when its keys are not there or may not be used."""
    if config.sync.unsigned:
        return Signing(unsigned=True)
    try:
        own = load_signing_key(config.key_folder, KeyKind.SYNC, clock.real_now())
    except NotReady as error:
        raise NotReady(
            f"{error}; a demonstration says `unsigned = true` under [sync] instead, here and at every edge"
        ) from error
    if clock.real_now() > plus(own.certified.until, -WARN_S):
        log.warning("keys: %s signs until %s; rotate before then", own.key_id, to_iso(own.certified.until))
    return Signing(key_id=own.key_id, sign=own.sign, verify=lambda *_: False)  # whom to believe is the gate's


def gate_of(config: Config, clock: Clock) -> Gate | None:
    """Return whom central believes, None where messages are not signed. Raises `NotReady`."""
    if config.sync.unsigned:
        return None
    return Gate(DeviceKeys(config.hospital_id, clock), broker_tls(config.key_folder, clock.real_now()))


def devices_of(config: Config, store: Store, clock: Clock) -> Devices:
    """Return the devices of a configuration's hospital."""
    said = config.enrolment
    reach = None if said.port is None else Reach(config.enrolment_hosts[0], said.port, config.brokers_told)
    return Devices(store, config.hospital_id, clock.real_now, new_token, config.key_folder, reach)


def key_places(config: Config, root: Path) -> Where:
    """Return where keys are made."""
    return Where(config.hospital_id, root, config.key_folder, config.statement_key)
