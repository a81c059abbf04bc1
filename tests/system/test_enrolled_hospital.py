"""From a ticket to a scan at central, with keys, certificates and a broker that knows everybody; and who is kept out.

Real processes: mosquitto with the files of `broker-conf`, `wardstock-central serve`, `wardstock-edge enrol` and `run`.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from central.clock import Clock
from central.links.authority import DEVICE_S, Wanted, issue, pem
from central.links.tls_files import load_issuer
from edge_agent.links.enrolment import enrol
from edge_agent.links.key_files import certificate_path, keep_enrolment, load_key, next_key, read_enrolment
from protocols.codes.label import make_badge
from protocols.readers.scanner import Beep
from protocols.sync.codec import Envelope, Signing, seal
from protocols.sync.enrolment import read_ticket
from protocols.sync.frames import NOTHING, Ack, Branch, Frame, Hello, Welcome
from protocols.sync.topics import Topics
from protocols.values.ids import ActorId, DeviceId, HospitalId, incarnation
from protocols.values.instant import from_datetime, plus
from tests.system.edge_ward import WAIT_S, label
from tests.system.enrolled_hospital import (
    EnrolledWard,
    Hospital,
    Listener,
    eventually,
    greets_without_certificate,
    opened,
)
from tests.system.strangers import last_of

pytestmark = [pytest.mark.needs_linux, pytest.mark.needs_mosquitto, pytest.mark.slow]

BADGE = make_badge(ActorId("1001"))
MAIN, WARD, OTHER = HospitalId("main"), DeviceId("ward-01"), DeviceId("ward-02")
DAY_S = 86_400.0


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    with closing(Hospital(tmp_path_factory.mktemp("hospital"))) as made:
        yield made


@pytest.fixture
def ward(tmp_path: Path, hospital: Hospital) -> Iterator[EnrolledWard]:
    with closing(EnrolledWard(tmp_path)) as made:
        assert hospital.server.poll() is None
        yield made


def live(hospital: Hospital, ward: EnrolledWard) -> None:
    """Enrol the ward and see its first entries at central."""
    ward.enrol_here(hospital.ticket())
    ward.start_ready()
    eventually(lambda: ward.events() <= hospital.events(), ward.log)


def own_topics(ward: EnrolledWard) -> Topics:
    given = read_enrolment(ward.folder / "keys")
    assert given is not None
    return Topics(MAIN, given.said.shard, WARD)


def as_device(hospital: Hospital, folder: Path, device: str) -> Listener:
    """Come to the broker with the certificate of a device that was enrolled properly."""
    given = enrol(read_ticket(hospital.ticket(device)), next_key(folder))
    keep_enrolment(folder, given)
    load_key(folder, given.said.key_id)
    authority = hospital.folder / "keys" / "authority.pem"
    return Listener(hospital.port, authority, certificate_path(folder, given), folder / "device.key")


def as_central(hospital: Hospital) -> Listener:
    """Come to the broker as whoever stole central's certificate for brokers, without its signing key."""
    keys = hospital.folder / "keys"
    return Listener(hospital.port, keys / "authority.pem", keys / "central.pem", keys / "central.key")


def test_from_a_ticket_to_a_scan_that_reaches_central(hospital: Hospital, ward: EnrolledWard) -> None:
    refused = ward.tool("run", "--config", str(ward.config))
    assert refused.returncode == 2
    assert "wardstock-edge enrol" in refused.stderr
    ticket = hospital.ticket()
    assert "is enrolled until" in ward.enrol(ticket).stdout
    ward.start_ready()
    assert ward.plug.scan(BADGE, label(1), label(2)) == [Beep.OK] * 3
    eventually(lambda: ward.events() <= hospital.events(), ward.log)
    eventually(lambda: ward.acked() == len(ward.events()) - 1)
    assert "by key" in ward.tool("status", "--config", str(ward.config)).stdout
    assert "certificate until" in ward.tool("doctor", "--config", str(ward.config)).stdout
    again = ward.enrol(ticket)
    assert again.returncode == 1
    assert "central says: token: expected one made for this device that let nobody in yet" in again.stderr


def test_a_ticket_is_taken_in_by_the_wards_own_scanner(hospital: Hospital, ward: EnrolledWard) -> None:
    done: list[str] = []
    scanning = threading.Thread(
        target=lambda: done.append(ward.tool("enrol", "--config", str(ward.config), "--scan", "s1").stdout)
    )
    ticket = hospital.ticket()
    scanning.start()
    until = time.monotonic() + WAIT_S
    while scanning.is_alive() and time.monotonic() < until:
        ward.plug.send(f"]Q1{ticket}\r".encode())
        time.sleep(0.5)
    scanning.join(WAIT_S)
    assert "ward-01 is enrolled until" in done[0]


def test_a_second_device_on_a_stolen_topic_is_refused_by_the_broker_and_by_central(
    hospital: Hospital, ward: EnrolledWard, tmp_path: Path
) -> None:
    live(hospital, ward)
    topics = own_topics(ward)
    other = as_device(hospital, tmp_path / "other", "ward-02")
    other.listen(topics.down)
    hello = Hello(1, "0", 1, 1, (Branch(b"x" * 16, NOTHING, bytes(32), NOTHING),), 0, 0, b"", {}, Clock().now(), 0)
    given = read_enrolment(tmp_path / "other")
    assert given is not None
    key = load_key(tmp_path / "other", given.said.key_id)
    own = Signing(key_id=given.said.key_id, sign=key.sign, verify=lambda *_: True)
    envelope = Envelope(WARD, incarnation(b"x" * 16), b"n" * 16, b"", 0)
    other.say(topics.up, seal(envelope, hello, own))  # dropped by the broker
    log = hospital.folder / "central.log"
    ups = Topics(MAIN, given.said.shard, OTHER)
    other.listen(ups.down)
    other.say(ups.up, seal(envelope, hello, own))  # its own topic, ward-01's name: dropped by central
    eventually(lambda: "as in the topic" in log.read_text() or "by key" in log.read_text(), log.read_text)
    assert ward.plug.scan(BADGE) == [Beep.OK]
    eventually(lambda: ward.acked() == len(ward.events()) - 1)  # much was said to ward-01 meanwhile
    assert other.heard == []
    before = hospital.events()
    other.say(ups.up, seal(replace(envelope, device=OTHER), hello, own))  # its own name: it is heard
    eventually(lambda: other.heard)
    assert isinstance(opened(other.heard[0][1])[1], Welcome)
    assert hospital.events() - before <= ward.events()  # the ward lives on; of the other nothing was taken in
    other.close()


def test_nobody_comes_in_without_a_certificate(hospital: Hospital) -> None:
    with pytest.raises(OSError, match=r"(?i)certificate required|eof|reset|broken pipe"):  # as the alert races the end
        greets_without_certificate(hospital.port, hospital.folder / "keys" / "authority.pem")


def test_a_forged_acknowledgement_moves_nothing(hospital: Hospital, ward: EnrolledWard) -> None:
    live(hospital, ward)
    eventually(lambda: ward.acked() == len(ward.events()) - 1)
    spy_on = own_topics(ward)
    spy = as_central(hospital)
    spy.listen(spy_on.up)
    hospital.end(hospital.server)
    assert ward.plug.scan(BADGE, label(3)) == [Beep.OK] * 2
    acked = ward.acked()
    eventually(lambda: any(type(opened(data)[1]).__name__ == "Frame" for _, data in spy.heard))
    envelope, frame = next(each for _, data in spy.heard if type((each := opened(data))[1]).__name__ == "Frame")
    stranger = Ed25519PrivateKey.generate()
    forged = Signing(key_id="sync-1", sign=stranger.sign, verify=lambda *_: True)
    head = len(ward.events()) - 1
    assert isinstance(frame, Frame)
    ack = Ack(head, last_of(envelope.device, envelope.incarnation, frame), NOTHING, ())
    for signing in (forged, Signing(unsigned=True)):
        spy.say(spy_on.down, seal(envelope, ack, signing))
    heard = len(spy.heard)
    eventually(lambda: len(spy.heard) > heard)  # the edge goes on sending
    assert ward.acked() == acked
    spy.close()
    hospital.serve()
    eventually(lambda: ward.acked() == len(ward.events()) - 1, ward.log)


def test_central_rotates_its_keys_and_every_edge_goes_on_the_one_that_slept_too(
    hospital: Hospital, ward: EnrolledWard
) -> None:
    live(hospital, ward)
    rotate = ("keys", "rotate", "--root", str(hospital.folder / "medium"))
    hospital.call(*rotate)
    hospital.end(hospital.server)
    hospital.serve()
    assert ward.plug.scan(BADGE, label(5)) == [Beep.OK] * 2
    eventually(lambda: ward.acked() == len(ward.events()) - 1, ward.log)  # the next key was known
    ward.agents[-1].kill()
    ward.agents[-1].wait(WAIT_S)
    hospital.call(*rotate)
    hospital.call(*rotate)
    hospital.end(hospital.server)
    hospital.serve()
    ward.start_ready()
    assert ward.plug.scan(BADGE, label(6)) == [Beep.OK] * 2
    eventually(lambda: ward.acked() == len(ward.events()) - 1, ward.log)
    assert "central's keys are now" in ward.log()


def test_an_edge_whose_certificate_ended_while_it_slept_renews_it_and_speaks_again(
    hospital: Hospital, ward: EnrolledWard
) -> None:
    ward.enrol_here(hospital.ticket())
    folder = ward.folder / "keys"
    given = read_enrolment(folder)
    assert given is not None
    public = load_key(folder, given.said.key_id).public_key()
    slept = plus(Clock().now(), -100 * DAY_S)
    ended = issue(load_issuer(hospital.folder / "keys"), Wanted(WARD, asks=True), public, DEVICE_S, slept)
    until = from_datetime(ended.not_valid_after_utc)
    keep_enrolment(folder, replace(given, said=replace(given.said, certificate=pem(ended), until=until)))
    ward.start_ready()
    assert ward.plug.scan(BADGE, label(4)) == [Beep.OK] * 2
    eventually(lambda: ward.events() <= hospital.events(), ward.log)
    assert "a new certificate, good until" in ward.log()
    renewed = x509.load_pem_x509_certificate((folder / "device.pem").read_bytes())
    assert from_datetime(renewed.not_valid_after_utc) > Clock().now()


def test_a_revoked_device_is_refused_in_words_and_then_by_the_broker(hospital: Hospital, ward: EnrolledWard) -> None:
    live(hospital, ward)
    hospital.call("revoke", "ward-01", "--reason", "stolen from the ward")
    ward.wait_for("central refuses: ward-01 was revoked")
    assert "stolen from the ward" in ward.log()
    assert ward.plug.scan(BADGE) == [Beep.OK]  # people's acts are kept whatever central says
    before = hospital.events()
    hospital.end(hospital.broker)
    hospital.start_broker()
    log = hospital.folder / "broker.log"
    eventually(lambda: "certificate verify failed" in log.read_text(), log.read_text)
    ward.wait_for("is this device's certificate good")
    assert hospital.events() == before
    assert not ward.events() <= before
    ward.enrol_here(hospital.ticket())  # a person decides that it is over
    ward.agents[-1].kill()
    ward.agents[-1].wait(WAIT_S)
    ward.start_ready()
    eventually(lambda: ward.events() <= hospital.events(), ward.log)
