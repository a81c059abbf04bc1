"""A device and central over real HTTPS: whom it believes before it says its token, and what it keeps."""

import resource
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent.errors import BadConfig, LinkFault
from edge_agent.links.enrolment import ask_keys, enrol, renew
from edge_agent.links.key_files import (
    Enrolment,
    certificate_path,
    keep_enrolment,
    keep_keys,
    load_key,
    next_key,
    read_enrolment,
)
from edge_agent.links.keys import key_id_of, sync_keys
from tests.central.services.fleet import ADMIN, WARD
from tests.edge_agent.enrolling import Central, serving


@pytest.fixture
def central(tmp_path: Path) -> Iterator[Central]:
    with serving(tmp_path / "central") as central:
        yield central


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "edge" / "keys"


def enrolled(central: Central, folder: Path) -> Enrolment:
    given = enrol(central.ticket(), next_key(folder))
    keep_enrolment(folder, given)
    return given


def test_a_device_keeps_what_it_is_given_and_reads_it_back(central: Central, folder: Path) -> None:
    given = enrolled(central, folder)
    assert read_enrolment(folder) == given
    key = load_key(folder, given.said.key_id)
    assert renew(given, key).key_id == given.said.key_id
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == {
        "device.key": 0o600,
        "device.pem": 0o600,
        "enrolment.json": 0o600,
    }
    assert certificate_path(folder, given).read_text() == given.said.certificate


def test_nothing_is_said_to_a_server_of_another_fingerprint(central: Central, folder: Path) -> None:
    ticket = central.ticket()
    with pytest.raises(LinkFault, match="nothing was told to it"):
        enrol(replace(ticket, fingerprint=bytes(32)), next_key(folder))
    assert enrol(ticket, next_key(folder)).said.device == WARD  # the token was not used


def test_a_ticket_used_with_another_key_is_refused_in_centrals_words(central: Central, folder: Path) -> None:
    ticket = central.ticket()
    enrol(ticket, next_key(folder))
    enrol(ticket, next_key(folder))  # an answer that was lost: the same key again
    with pytest.raises(LinkFault, match="central says: token: expected one made for this device"):
        enrol(ticket, next_key(folder.with_name("other")))


def test_a_server_that_is_away_or_is_another_is_named(central: Central, folder: Path) -> None:
    given = enrolled(central, folder)
    with pytest.raises(LinkFault, match="shows a certificate"):
        renew(replace(given, host="127.0.0.1"), load_key(folder, given.said.key_id))
    central.server.stop()
    with pytest.raises(LinkFault, match="does not answer at localhost"):
        ask_keys(given)


def test_a_power_cut_before_the_keys_last_step_is_mended(central: Central, folder: Path) -> None:
    first = enrolled(central, folder)
    load_key(folder, first.said.key_id)
    second = enrolled(central, folder)
    assert (folder / "device.key.new").exists()
    load_key(folder, second.said.key_id)
    assert not (folder / "device.key.new").exists()
    with pytest.raises(BadConfig, match="expected the key that was enrolled"):
        load_key(folder, first.said.key_id)


def test_a_new_key_that_was_not_written_whole_is_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    kept_signal = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, kept[1]))
    try:
        with pytest.raises(LinkFault, match="expected to write it"):
            next_key(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)
        signal.signal(signal.SIGXFSZ, kept_signal)
    assert key_id_of(next_key(folder).public_key()) == key_id_of(next_key(folder).public_key())
    assert [path.name for path in folder.iterdir()] == ["device.key.new"]


def test_a_key_that_others_may_read_is_not_used(central: Central, folder: Path) -> None:
    given = enrolled(central, folder)
    load_key(folder, given.said.key_id)
    (folder / "device.key").chmod(0o644)
    with pytest.raises(BadConfig, match="its mode is 644; run chmod 600"):
        load_key(folder, given.said.key_id)


def test_a_device_that_was_never_enrolled_has_nothing_and_a_spoilt_file_says_so(tmp_path: Path) -> None:
    assert read_enrolment(tmp_path) is None
    (tmp_path / "enrolment.json").write_text("{}")
    with pytest.raises(BadConfig, match="wardstock-edge enrol"):
        read_enrolment(tmp_path)
    with pytest.raises(BadConfig, match="expected this device's key"):
        load_key(tmp_path, "0" * 16)


def test_another_root_is_never_taken_from_a_message(central: Central, folder: Path) -> None:
    given = enrolled(central, folder)
    with pytest.raises(LinkFault, match="another root"):
        keep_keys(folder, given, replace(given.said, root=bytes(32)))
    with pytest.raises(LinkFault, match="root's signature"):
        sync_keys(given.said.root, tuple(replace(key, public=bytes(32)) for key in given.said.keys))
    assert read_enrolment(folder) == given


def test_a_revoked_device_gets_no_new_certificate(central: Central, folder: Path) -> None:
    given = enrolled(central, folder)
    central.fleet.devices.revoke(ADMIN, WARD, "stolen")
    with pytest.raises(LinkFault, match="central says: renewal"):
        renew(given, load_key(folder, given.said.key_id))
