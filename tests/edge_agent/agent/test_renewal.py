"""The renewal, driven by a clock that is a value: at two thirds, after the end, through outages, over a rotation."""

import io
import threading
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from central.api.enrolling import EnrolmentServer, Served
from central.links.key_files import load_certified
from central.links.keys import certify
from central.links.tls_files import keep_server
from central.services.enrolment import Devices
from central.services.key_making import Where, rotate_keys
from edge_agent.agent.renewal import LAST_THIRD_S, LOOK_S, RETRY_S, Renewal, Surroundings
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock
from edge_agent.links.enrolment import enrol
from edge_agent.links.key_files import Enrolment, keep_enrolment, load_key, next_key, read_enrolment
from protocols.sync.certified import CertifiedKey, KeyKind
from protocols.values.instant import Instant, plus, seconds_between
from tests.central.services.fleet import ADMIN, MAIN, WARD
from tests.edge_agent.enrolling import Central, serving
from tests.system.brokers import HOST

DAY_S = 86_400.0


class Device:
    """An enrolled device with its renewal; `now` is its real time and central's."""

    def __init__(self, central: Central, folder: Path) -> None:
        self.central, self.folder, self.log = central, folder, io.StringIO()
        self.given = enrol(central.ticket(), next_key(folder))
        keep_enrolment(folder, self.given)
        self.heard: list[Enrolment] = []
        self.now = central.fleet.now
        around = Surroundings(lambda: self.now, lambda: 1.0, Voice(Clock(), self.log))
        key = load_key(folder, self.given.said.key_id)
        self.renewal = Renewal(folder, self.given, key, around, self.heard.append)

    def step_at(self, now: Instant) -> float:
        self.now = self.central.fleet.now = now
        return self.renewal.step()


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    with serving(tmp_path / "central") as central:
        yield Device(central, tmp_path / "keys")


def test_a_certificate_is_renewed_at_two_thirds_and_not_before(device: Device) -> None:
    until = device.given.said.until
    due = plus(until, -LAST_THIRD_S)
    assert device.step_at(plus(due, -3600)) == pytest.approx(3600)
    assert device.heard == []
    assert device.step_at(due) == LOOK_S
    (newer,) = device.heard
    assert seconds_between(until, newer.said.until) == pytest.approx(60 * DAY_S, abs=2)
    assert newer.said.key_id == device.given.said.key_id
    assert read_enrolment(device.folder) == newer
    assert "a new certificate, good until" in device.log.getvalue()


def test_a_certificate_that_ended_while_the_device_slept_is_renewed_at_once(device: Device) -> None:
    device.step_at(plus(device.given.said.until, 20 * DAY_S))
    (newer,) = device.heard
    assert newer.said.until > device.now


def test_while_central_is_away_it_tries_again_and_says_what_is_at_stake(device: Device) -> None:
    device.central.server.stop()
    until = device.given.said.until
    assert device.step_at(plus(until, -LAST_THIRD_S - DAY_S)) == RETRY_S
    assert device.log.getvalue() == ""
    assert device.step_at(plus(until, -DAY_S)) == RETRY_S
    assert "the certificate ends on" in device.log.getvalue()
    device.step_at(plus(until, DAY_S))
    assert "the certificate ended on" in device.log.getvalue()
    assert read_enrolment(device.folder) == device.given


def test_who_was_revoked_is_not_renewed_and_reads_why(device: Device) -> None:
    device.central.fleet.devices.revoke(ADMIN, WARD, "stolen")
    assert device.step_at(plus(device.given.said.until, -DAY_S)) == RETRY_S
    assert "central says: renewal" in device.log.getvalue()
    assert device.heard == []


class TakenOver(Devices):
    """Central with its certificate and its sync keys in a stranger's hands, who has no key of the root's."""

    def certified(self) -> tuple[CertifiedKey, ...]:
        root = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
        sync = load_certified(self.keys, KeyKind.SYNC)
        return (*sync, certify(root, "policy-1", root.public_key(), kind=KeyKind.POLICY))


def test_a_policy_key_that_the_root_has_not_signed_is_never_kept(device: Device) -> None:
    central = device.central
    central.server.stop()
    its = {field.name: getattr(central.fleet.devices, field.name) for field in fields(Devices)}
    central.server = EnrolmentServer(
        TakenOver(**its),
        Served(HOST, central.port, *keep_server(central.fleet.keys, ["localhost"], device.now)),
    )
    central.server.start(threading.Event().wait)
    assert device.step_at(plus(device.now, 60)) == RETRY_S
    assert device.heard == []
    assert read_enrolment(device.folder) == device.given


def test_a_rotation_at_central_reaches_the_device_before_the_key_is_used(device: Device) -> None:
    keys = device.central.fleet.keys
    where = Where(MAIN, keys.parent / "medium", keys, keys.parent / "statement.key")
    rotate_keys(where, device.now, [KeyKind.SYNC])
    device.step_at(plus(device.now, 60))
    (newer,) = device.heard
    names = [key.key_id for key in newer.said.keys if key.kind is KeyKind.SYNC]
    assert names == ["sync-2", "sync-3"]
    assert device.step_at(plus(device.now, LOOK_S)) == LOOK_S
    assert len(device.heard) == 1  # nothing new, nothing said
