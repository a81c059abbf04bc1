"""A central that signs: it hears enrolled devices, and tells the others why not in words a person can act on."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from central.links.key_files import load_signing_key
from central.services.device_keys import SEEN_S, DeviceKeys
from central.services.ingest import Ingest
from edge_agent.links.keys import EdgeKeys, believed, signing_with
from protocols.entry import GENESIS
from protocols.sync.certified import KeyKind
from protocols.sync.codec import Envelope, Signing, seal, unseal
from protocols.sync.enrolment import Enrolled
from protocols.sync.frames import NOTHING, Branch, Hello, Message, Pull, Refused, Welcome
from protocols.sync.topics import Topics
from protocols.values.ids import DeviceId, incarnation
from tests.central.services.fleet import ADMIN, MAIN, OTHER, WARD, Fleet
from tests.central.services.parties import START, VirtualClock

KEY, SECOND = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))
CHAIN = incarnation(b"i" * 16)
HELLO = Hello(1, "0.1.0", 1, 1, (Branch(CHAIN, NOTHING, GENESIS, NOTHING),), 0, 0, b"", {}, START, 0)
OPEN = Signing(unsigned=True)


class Signed:
    """A signing central and what devices hear of it."""

    def __init__(self, folder: Path) -> None:
        self.fleet, self.clock = Fleet(folder, START), VirtualClock()
        own = load_signing_key(self.fleet.keys, KeyKind.SYNC, START)
        signing = Signing(key_id=own.key_id, sign=own.sign, verify=lambda *_: False)
        keys = DeviceKeys(MAIN, self.clock)
        self.ingest = Ingest(self.fleet.store, self.clock, signing, lambda *_: None, keys=keys)

    def hears(
        self, signing: Signing, said: Message, *, speaker: DeviceId = WARD, topic: DeviceId = WARD
    ) -> list[bytes]:
        self.clock.at += SEEN_S
        answers: list[bytes] = []
        data = seal(Envelope(speaker, CHAIN, b"n" * 16, b"", 0), said, signing)
        self.ingest.arrive(Topics(MAIN, 0, topic).up, data, lambda _topic, reply: answers.append(reply))
        while self.ingest.step(0):
            pass
        return answers


def as_device(enrolled: Enrolled, key: Ed25519PrivateKey, device: DeviceId = WARD) -> Signing:
    root = Ed25519PublicKey.from_public_bytes(enrolled.root)
    certified = [one for one in enrolled.keys if one.kind is KeyKind.SYNC]
    return signing_with(device, EdgeKeys(enrolled.key_id, key, believed(root, certified)))


@pytest.fixture
def central(tmp_path: Path) -> Signed:
    return Signed(tmp_path)


def test_an_enrolled_device_is_welcomed_and_believes_the_welcome(central: Signed) -> None:
    own = as_device(central.fleet.let_in(KEY), KEY)
    (answer,) = central.hears(own, HELLO)
    assert isinstance(unseal(answer, own)[1], Welcome)


def test_a_revoked_device_is_refused_and_told_why_and_nothing_else_it_says_is_heard(central: Signed) -> None:
    own = as_device(central.fleet.let_in(KEY), KEY)
    central.hears(own, HELLO)
    central.fleet.devices.revoke(ADMIN, WARD, "stolen from the ward")
    (answer,) = central.hears(own, HELLO)
    refused = unseal(answer, own)[1]
    assert isinstance(refused, Refused)
    assert "stolen from the ward" in refused.reason
    assert central.hears(own, Pull(1)) == []


def test_a_device_without_a_key_here_is_refused_and_told_how_to_get_one(central: Signed) -> None:
    elsewhere = as_device(central.fleet.let_in(SECOND, OTHER), SECOND)
    (answer,) = central.hears(elsewhere, HELLO)
    refused = unseal(answer, as_device(central.fleet.let_in(KEY), KEY))[1]
    assert isinstance(refused, Refused)
    assert "wardstock-central enrol ward-01" in refused.reason


def test_a_device_that_does_not_sign_reads_why_it_must(central: Signed) -> None:
    central.fleet.let_in(KEY)
    (answer,) = central.hears(OPEN, HELLO)
    refused = unseal(answer, OPEN)[1]
    assert isinstance(refused, Refused)
    assert "unsigned = true" in refused.reason


def test_another_devices_topic_or_name_gets_no_word(central: Signed) -> None:
    other = as_device(central.fleet.let_in(SECOND, OTHER), SECOND, OTHER)
    central.fleet.let_in(KEY)
    assert central.hears(other, HELLO, speaker=OTHER, topic=WARD) == []
    assert central.hears(other, HELLO, speaker=WARD, topic=OTHER) == []
    assert central.ingest.counts.refused_bytes == 2
    assert len(central.hears(other, HELLO, speaker=OTHER, topic=OTHER)) == 1


def test_a_refusal_is_said_once_a_second_at_most(central: Signed) -> None:
    assert len(central.hears(OPEN, HELLO)) == 1
    central.clock.at -= SEEN_S
    assert central.hears(OPEN, HELLO) == []
