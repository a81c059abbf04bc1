"""Both ends' keys: what each believes, and what it does not."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from central.links import keys as central_keys
from edge_agent.errors import BadConfig
from edge_agent.links.keys import EdgeKeys, believed, signing_with
from protocols.errors import BadValue, PeerBroke
from protocols.sync.certified import (
    CERTIFIED_BYTES_MAX,
    CertifiedKey,
    KeyKind,
    is_over,
    read_certified,
    write_certified,
)
from protocols.sync.codec import Envelope, Signing, seal, unseal
from protocols.sync.frames import NOTHING, Ack, Pull
from protocols.values.ids import DeviceId, incarnation
from protocols.values.instant import Instant, plus

WARD, OTHER = DeviceId("ward-01"), DeviceId("ward-02")
ENVELOPE = Envelope(WARD, incarnation(b"i" * 16), b"n" * 16, b"t" * 16, 1)
ROOT, SYNC, OWN, STRANGER = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in range(4))
CERTIFIED = central_keys.certify(ROOT, "sync-1", SYNC.public_key())
ACK = Ack(3, b"h" * 32, NOTHING, ())


def key_of(device: DeviceId, key_id: str) -> Ed25519PublicKey | None:
    return OWN.public_key() if (device, key_id) == (WARD, "device") else None


def edge(own: Ed25519PrivateKey = OWN) -> Signing:
    return signing_with(WARD, EdgeKeys("device", own, believed(ROOT.public_key(), [CERTIFIED])))


CENTRAL = central_keys.signing_with("sync-1", SYNC, key_of)


def test_each_end_believes_the_other() -> None:
    assert unseal(seal(ENVELOPE, ACK, CENTRAL), edge()) == (ENVELOPE, ACK)
    assert unseal(seal(ENVELOPE, Pull(3), edge()), CENTRAL) == (ENVELOPE, Pull(3))


def test_an_edge_does_not_believe_its_own_messages_nor_another_devices() -> None:
    for data in (seal(ENVELOPE, ACK, edge()), seal(replace(ENVELOPE, device=OTHER), ACK, CENTRAL)):
        with pytest.raises(PeerBroke, match="by key"):
            unseal(data, edge())


def test_central_does_not_believe_a_stranger_nor_a_device_under_anothers_name() -> None:
    for data in (seal(ENVELOPE, ACK, edge(STRANGER)), seal(replace(ENVELOPE, device=OTHER), ACK, edge())):
        with pytest.raises(PeerBroke, match="by key"):
            unseal(data, CENTRAL)


def test_a_sync_key_that_the_root_has_not_signed_is_refused() -> None:
    stolen = central_keys.certify(STRANGER, "sync-1", STRANGER.public_key())
    renamed = replace(CERTIFIED, key_id="sync-2")
    for wrong in (stolen, renamed):
        with pytest.raises(BadConfig, match="root's signature"):
            believed(ROOT.public_key(), [wrong])


def test_two_sync_keys_may_stand_at_a_time_and_no_more_nor_none() -> None:
    more = [central_keys.certify(ROOT, f"sync-{n}", SYNC.public_key()) for n in range(3)]
    assert list(believed(ROOT.public_key(), more[:2])) == ["sync-0", "sync-1"]
    for wrong in (more, []):
        with pytest.raises(BadConfig, match=r"1\.\.2"):
            believed(ROOT.public_key(), wrong)


def test_a_key_whose_last_instant_has_passed_is_not_believed_once_the_next_is_here() -> None:
    day = Instant(1_772_438_400_000_000)
    first = central_keys.certify(ROOT, "sync-1", SYNC.public_key(), until=day)
    second = central_keys.certify(ROOT, "sync-2", STRANGER.public_key(), until=plus(day, 86_400))
    keys = EdgeKeys("device", OWN, believed(ROOT.public_key(), [first, second]))
    for now, stands in ((day, True), (plus(day, 1), False)):
        signing = signing_with(WARD, keys, lambda key_id, now=now: is_over([first, second], key_id, now))  # type: ignore[misc] # the default binds it
        data = seal(ENVELOPE, ACK, CENTRAL)
        if stands:
            assert unseal(data, signing) == (ENVELOPE, ACK)
        else:
            with pytest.raises(PeerBroke, match="by key"):
                unseal(data, signing)


def test_the_last_key_stays_believed_so_that_a_clock_far_ahead_shuts_nobody_out() -> None:
    day = Instant(1_772_438_400_000_000)
    policy = central_keys.certify(ROOT, "policy-1", SYNC.public_key(), kind=KeyKind.POLICY)
    only = central_keys.certify(ROOT, "sync-1", SYNC.public_key(), until=day)
    assert not is_over([only, policy], "sync-1", plus(day, 40 * 365 * 86_400))


def test_a_key_without_a_name_is_none() -> None:
    with pytest.raises(BadValue, match="sync key"):
        CertifiedKey("", bytes(32), b"")


def test_a_key_that_signs_something_else_is_no_sync_key() -> None:
    policy = central_keys.certify(ROOT, "sync-1", SYNC.public_key(), kind=KeyKind.POLICY)
    with pytest.raises(BadConfig, match="got one for policy"):
        believed(ROOT.public_key(), [policy])
    with pytest.raises(BadConfig, match="root's signature"):
        believed(ROOT.public_key(), [replace(policy, kind=KeyKind.SYNC)])


def test_a_certified_key_reads_back_as_it_was_written() -> None:
    assert read_certified(write_certified(CERTIFIED)) == CERTIFIED
    for wrong in (b"", b"{}", b'{"kind":"sync"}', write_certified(CERTIFIED) + b" " * CERTIFIED_BYTES_MAX):
        with pytest.raises(BadValue, match="certified key"):
            read_certified(wrong)
