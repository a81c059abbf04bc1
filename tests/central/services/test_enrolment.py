"""Enrolment: a token lets one key of one device in, its key renews the certificate, and who is shut out stays out."""

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from central.core.enrolment import Enrolment
from central.core.rights import Caller, Grant, Role
from central.errors import BadInput, NotAllowed, NotNow, NotThere, TooMany
from central.links.authority import fingerprint
from central.links.tls_files import load_authority
from central.services.device_keys import SEEN_S, DeviceKeys
from central.services.enrolment import CERTIFICATES_A_DAY_MAX, Devices
from central.store.audit import acts
from edge_agent.links.keys import believed
from protocols.errors import PeerBroke
from protocols.sync.certified import KeyKind
from protocols.sync.codec import Envelope, Signing, seal, unseal
from protocols.sync.enrolment import Asking, Renewing
from protocols.sync.frames import Pull
from protocols.values.ids import ActorId, DeviceId, incarnation
from protocols.values.instant import plus
from tests.central.services.fleet import ADMIN, MAIN, OTHER, WARD, Fleet, request
from tests.central.services.parties import START, VirtualClock

DAY_S = 86_400.0
KEY, SECOND = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path, START)


def standing(fleet: Fleet, device: DeviceId = WARD) -> Enrolment:
    return next(one.standing for one in fleet.devices.standings() if one.known.device == device)


def test_a_token_lets_a_device_in_with_all_it_needs(fleet: Fleet) -> None:
    ticket = fleet.devices.ticket(ADMIN, WARD, 30)
    assert ticket.fingerprint == fingerprint(load_authority(fleet.keys))
    said = fleet.devices.enrol(Asking(ticket.token, WARD, request(KEY)))
    made = x509.load_pem_x509_certificate(said.certificate.encode())
    assert made.subject.rfc4514_string() == "CN=ward-01"
    assert (said.until - START) / 1_000_000 == pytest.approx(90 * DAY_S)
    assert (said.hospital, said.place, said.brokers) == (MAIN, "ward-01", ("mqtts://broker.lan:8883",))
    assert said.shard == 165  # crc32("ward-01") % 256
    certified = [key for key in said.keys if key.kind is KeyKind.SYNC]
    assert list(believed(Ed25519PublicKey.from_public_bytes(said.root), certified)) == ["sync-1", "sync-2"]
    assert standing(fleet) is Enrolment.ENROLLED
    assert standing(fleet, OTHER) is Enrolment.WITHOUT


def test_a_token_is_worth_one_key_and_an_answer_that_was_lost_is_said_again(fleet: Fleet) -> None:
    ticket = fleet.devices.ticket(ADMIN, WARD, 30)
    first = fleet.devices.enrol(Asking(ticket.token, WARD, request(KEY)))
    assert fleet.devices.enrol(Asking(ticket.token, WARD, request(KEY))).key_id == first.key_id
    with pytest.raises(NotAllowed, match="let nobody in yet"):
        fleet.devices.enrol(Asking(ticket.token, WARD, request(SECOND)))


@pytest.mark.parametrize("earlier_s", [0.0, 60.0])
def test_a_used_token_gives_no_certificate_for_a_key_that_was_revoked(fleet: Fleet, earlier_s: float) -> None:
    ticket = fleet.devices.ticket(ADMIN, WARD, 30)
    asking = Asking(ticket.token, WARD, request(KEY))
    fleet.devices.enrol(asking)
    fleet.now = plus(START, 120)
    fleet.devices.revoke(ADMIN, WARD, "stolen")
    fleet.now = plus(fleet.now, -earlier_s)  # the server's clock was put right
    with pytest.raises(NotAllowed):
        fleet.devices.enrol(asking)
    assert standing(fleet) is Enrolment.REVOKED


def test_a_token_is_good_for_its_device_only_and_not_for_long(fleet: Fleet) -> None:
    ticket = fleet.devices.ticket(ADMIN, WARD, 30)
    for wrong in (Asking(ticket.token, OTHER, request(KEY)), Asking("A" * 26, WARD, request(KEY))):
        with pytest.raises(NotAllowed):
            fleet.devices.enrol(wrong)
    fleet.now = plus(START, 30 * 60 + 1)
    with pytest.raises(NotAllowed, match="it was good until"):
        fleet.devices.enrol(Asking(ticket.token, WARD, request(KEY)))
    assert standing(fleet) is Enrolment.WITHOUT


def test_a_new_token_ends_the_one_before(fleet: Fleet) -> None:
    old = fleet.devices.ticket(ADMIN, WARD, 30)
    fleet.now = plus(START, 1)
    fleet.devices.ticket(ADMIN, WARD, 30)
    fleet.now = plus(START, 2)
    with pytest.raises(NotAllowed):
        fleet.devices.enrol(Asking(old.token, WARD, request(KEY)))


def test_only_the_tokens_hash_is_kept(fleet: Fleet) -> None:
    ticket = fleet.devices.ticket(ADMIN, WARD, 30)
    with fleet.store.read() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        assert not any(ticket.token in line for line in raw.iterdump())


def test_a_certificate_is_renewed_by_the_key_that_stands_even_a_while_after_its_end(fleet: Fleet) -> None:
    first = fleet.let_in(KEY)
    fleet.now = plus(first.until, 30 * DAY_S)
    assert standing(fleet) is Enrolment.ENDED
    second = fleet.devices.renew(Renewing(WARD, request(KEY)))
    assert second.until > first.until
    assert standing(fleet) is Enrolment.ENROLLED
    fleet.now = plus(second.until, 91 * DAY_S)
    with pytest.raises(NotAllowed, match="new token"):
        fleet.devices.renew(Renewing(WARD, request(KEY)))


def test_a_device_is_given_so_many_certificates_a_day_and_no_more(fleet: Fleet) -> None:
    fleet.let_in(KEY)
    for _ in range(CERTIFICATES_A_DAY_MAX - 1):
        fleet.devices.renew(Renewing(WARD, request(KEY)))
    with pytest.raises(TooMany, match="at most 24 a day for ward-01"):
        fleet.devices.renew(Renewing(WARD, request(KEY)))
    fleet.let_in(SECOND, OTHER)
    fleet.now = plus(fleet.now, 86_401)
    fleet.devices.renew(Renewing(WARD, request(KEY)))


def test_no_other_key_and_no_other_device_renews(fleet: Fleet) -> None:
    fleet.let_in(KEY)
    for wrong in (Renewing(WARD, request(SECOND)), Renewing(OTHER, request(KEY)), Renewing("nobody", request(KEY))):
        with pytest.raises(NotAllowed):
            fleet.devices.renew(wrong)


def test_who_is_revoked_renews_nothing_and_is_listed_until_the_certificate_ends(fleet: Fleet) -> None:
    first = fleet.let_in(KEY)
    open_token = fleet.devices.ticket(ADMIN, WARD, 30)
    fleet.now = plus(START, 5)
    fleet.devices.revoke(ADMIN, WARD, "stolen from the ward")
    fleet.now = plus(START, 6)
    assert standing(fleet) is Enrolment.REVOKED
    serial = x509.load_pem_x509_certificate(first.certificate.encode()).serial_number
    assert fleet.devices.revoked() == [(serial, plus(START, 5))]
    with pytest.raises(NotAllowed):
        fleet.devices.renew(Renewing(WARD, request(KEY)))
    with pytest.raises(NotAllowed):
        fleet.devices.enrol(Asking(open_token.token, WARD, request(SECOND)))
    with pytest.raises(NotNow):
        fleet.devices.revoke(ADMIN, WARD, "again")
    fleet.now = plus(first.until, 1)
    assert fleet.devices.revoked() == []


def test_a_device_enrolled_anew_keeps_its_shard_and_loses_its_old_key(fleet: Fleet) -> None:
    first = fleet.let_in(KEY)
    second = fleet.let_in(SECOND)
    assert second.shard == first.shard
    assert second.key_id != first.key_id
    with pytest.raises(NotAllowed):
        fleet.devices.renew(Renewing(WARD, request(KEY)))
    assert fleet.devices.renew(Renewing(WARD, request(SECOND))).key_id == second.key_id


def test_a_device_that_nobody_imported_and_central_itself_get_no_token(fleet: Fleet) -> None:
    for wrong in ("ward-99", "central"):
        with pytest.raises(NotThere, match=r"places\.csv"):
            fleet.devices.ticket(ADMIN, DeviceId(wrong), 30)
    with pytest.raises(BadInput, match="minutes"):
        fleet.devices.ticket(ADMIN, WARD, 0)
    with pytest.raises(BadInput, match="reason"):
        fleet.devices.revoke(ADMIN, WARD, " ")


def test_where_nobody_is_enrolled_it_says_what_to_set(fleet: Fleet) -> None:
    held = fleet.devices
    without = Devices(held.store, MAIN, held.now, held.draw, held.keys, None)
    with pytest.raises(NotNow, match=r"central\.toml"):
        without.ticket(ADMIN, WARD, 30)


def test_every_act_stands_in_the_record(fleet: Fleet) -> None:
    fleet.let_in(KEY)
    fleet.devices.renew(Renewing(WARD, request(KEY)))
    fleet.devices.revoke(ADMIN, WARD, "lost")
    with fleet.store.read() as connection:
        found = [(one.act, one.person, one.subject) for one in reversed(acts(connection, MAIN))]
    assert found == [
        ("make-enrolment-token", "N1", "ward-01"),
        ("enrol-device", "N1", "ward-01"),
        ("renew-certificate", "ward-01", "ward-01"),
        ("revoke-device", "N1", "ward-01"),
    ]


def test_the_list_of_devices_is_for_who_looks_after_them(fleet: Fleet) -> None:
    keeper = Caller(ActorId("N2"), "N", (Grant(Role.ADMINISTRATOR),))
    assert {one.known.device for one in fleet.devices.listed(keeper)} == {WARD, OTHER}
    with pytest.raises(NotAllowed):
        fleet.devices.listed(Caller(ActorId("N3"), "N", (Grant(Role.PURCHASER),)))


# --- whose key signed a message --------------------------------------------------------------------------------------

ENVELOPE = Envelope(WARD, incarnation(b"i" * 16), b"n" * 16, b"t" * 16, 1)


def sealed(key: Ed25519PrivateKey, key_id: str, device: DeviceId = WARD) -> bytes:
    own = Signing(key_id=key_id, sign=key.sign, verify=lambda *_: False)
    return seal(Envelope(device, ENVELOPE.incarnation, b"n" * 16, b"t" * 16, 1), Pull(1), own)


def believes(fleet: Fleet, keys: DeviceKeys, data: bytes) -> bool:
    base = Signing(key_id="sync-1", sign=KEY.sign, verify=lambda *_: False)
    with fleet.store.read() as connection:
        try:
            unseal(data, keys.signing(connection, base))
        except PeerBroke:
            return False
    return True


def test_central_believes_the_enrolled_key_for_its_own_device_until_it_is_revoked(fleet: Fleet) -> None:
    clock = VirtualClock()
    keys, key_id = DeviceKeys(MAIN, clock), fleet.let_in(KEY).key_id
    other_id = fleet.let_in(SECOND, OTHER).key_id
    assert believes(fleet, keys, sealed(KEY, key_id))
    assert believes(fleet, keys, sealed(SECOND, other_id, OTHER))
    assert not believes(fleet, keys, sealed(SECOND, other_id))  # ward-02 under ward-01's name
    assert not believes(fleet, keys, sealed(SECOND, key_id))
    fleet.devices.revoke(ADMIN, WARD, "stolen")
    clock.at += SEEN_S
    assert not believes(fleet, keys, sealed(KEY, key_id))


@pytest.mark.parametrize("after", ["nothing", "enrolled", "revoked"])
def test_why_a_greeting_is_not_believed_tells_what_to_do(fleet: Fleet, after: str) -> None:
    keys = DeviceKeys(MAIN, VirtualClock())
    if after != "nothing":
        fleet.let_in(KEY)
    if after == "revoked":
        fleet.devices.revoke(ADMIN, WARD, "stolen")
    with fleet.store.read() as connection:
        said, unsigned = keys.why_not(connection, WARD, "k"), keys.why_not(connection, WARD, "")
    wanted = {"nothing": "is not enrolled", "enrolled": "not with the one", "revoked": "was revoked on 20"}
    assert wanted[after] in said
    assert "wardstock-central enrol ward-01" in said
    assert ("unsigned = true" in unsigned) is (after == "enrolled")
