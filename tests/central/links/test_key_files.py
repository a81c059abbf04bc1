"""The keys as files: what is made, what is used, and every reason for which one is not."""

import resource
import signal
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from central.errors import BadInput, NotReady
from central.links.key_files import (
    load_certified,
    load_key_at,
    load_root,
    load_signing_key,
    write_certificate,
    write_key,
    write_public,
)
from central.links.keys import certify
from central.services.key_making import KEY_S, Where, make_keys, rotate_keys
from edge_agent.links.keys import believed
from protocols.sync.certified import KeyKind
from protocols.values.ids import HospitalId
from protocols.values.instant import from_iso, plus

MAIN = HospitalId("main")
NOW = from_iso("2026-03-02T16:00:00+08:00")


@pytest.fixture
def where(tmp_path: Path) -> Where:
    found = Where(MAIN, tmp_path / "medium", tmp_path / "keys", tmp_path / "statement.key")
    make_keys(found, NOW)
    return found


def test_two_keys_of_each_kind_are_made_once_and_the_first_is_in_use(where: Where) -> None:
    assert make_keys(where, NOW) == []
    for kind in (KeyKind.SYNC, KeyKind.POLICY):
        used = load_signing_key(where.folder, kind, NOW)
        assert used.key_id == f"{kind}-1"
        assert [each.key_id for each in load_certified(where.folder, kind)] == [f"{kind}-1", f"{kind}-2"]
    assert {path.stat().st_mode & 0o777 for path in where.folder.glob("*.key")} == {0o600}
    assert not (where.folder / "root.key").exists()


def test_a_disk_that_is_full_leaves_the_file_that_stood(tmp_path: Path) -> None:
    path = tmp_path / "server.pem"
    write_public(path, b"what stood")
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    kept_signal = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4, kept[1]))
    try:
        with pytest.raises(NotReady, match=r"expected to write .*server\.pem"):
            write_public(path, b"what comes next")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)
        signal.signal(signal.SIGXFSZ, kept_signal)
    assert path.read_bytes() == b"what stood"
    write_public(path, b"what comes next")
    assert path.read_bytes() == b"what comes next"


def test_an_edge_believes_what_a_used_key_signs(where: Where) -> None:
    root = load_root(where.folder)
    keys = believed(root, load_certified(where.folder, KeyKind.POLICY), KeyKind.POLICY)
    used = load_signing_key(where.folder, KeyKind.POLICY, NOW)
    keys[used.key_id].verify(used.sign(b"rules"), b"rules")


def test_the_statements_key_is_certified_for_heads_where_it_lies(where: Where) -> None:
    used = load_key_at(where.statement, KeyKind.HEAD, load_root(where.folder), NOW)
    assert isinstance(used.private.public_key(), Ed25519PublicKey)
    with pytest.raises(NotReady, match="expected a key that signs sync"):
        load_key_at(where.statement, KeyKind.SYNC, load_root(where.folder), NOW)


def test_a_rotation_uses_the_key_that_edges_know_already_and_makes_the_one_after(where: Where) -> None:
    told = {each.key_id for each in load_certified(where.folder, KeyKind.SYNC)}
    rotate_keys(where, NOW, [KeyKind.SYNC])
    used = load_signing_key(where.folder, KeyKind.SYNC, NOW)
    assert used.key_id == "sync-2"
    assert used.key_id in told
    assert [each.key_id for each in load_certified(where.folder, KeyKind.SYNC)] == ["sync-2", "sync-3"]
    assert make_keys(where, NOW) == []
    assert load_signing_key(where.folder, KeyKind.POLICY, NOW).key_id == "policy-1"


def test_a_rotation_needs_the_root_that_made_the_keys(where: Where, tmp_path: Path) -> None:
    other = Where(MAIN, tmp_path / "other", tmp_path / "elsewhere", tmp_path / "another.key")
    make_keys(other, NOW)
    with pytest.raises(NotReady, match="put that one in"):
        rotate_keys(Where(MAIN, other.root, where.folder, where.statement), NOW)
    with pytest.raises(NotReady, match="root's medium"):
        rotate_keys(Where(MAIN, tmp_path / "empty", where.folder, where.statement), NOW)


def test_no_second_root_is_made_for_a_service_that_has_one(where: Where, tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="root's medium"):
        make_keys(Where(MAIN, tmp_path / "empty", where.folder, where.statement), NOW)
    assert not (tmp_path / "empty").exists()


def test_a_new_root_after_the_old_folder_was_put_aside_certifies_the_statements_key_again(
    where: Where, tmp_path: Path
) -> None:
    where.folder.rename(tmp_path / "aside")
    again = Where(MAIN, tmp_path / "second", where.folder, where.statement)
    made = make_keys(again, NOW)
    assert where.statement.with_suffix(".cert") in made
    assert where.statement not in made
    load_key_at(where.statement, KeyKind.HEAD, load_root(where.folder), NOW)


def test_the_root_may_not_lie_among_the_services_keys(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="apart from"):
        make_keys(Where(MAIN, tmp_path / "keys" / "root", tmp_path / "keys", tmp_path / "statement.key"), NOW)


def test_a_key_that_others_may_read_is_refused(where: Where) -> None:
    (where.folder / "sync-1.key").chmod(0o640)
    with pytest.raises(NotReady, match="its mode is 640; run chmod 600"):
        load_signing_key(where.folder, KeyKind.SYNC, NOW)


def test_a_key_whose_time_is_over_is_refused(where: Where) -> None:
    with pytest.raises(NotReady, match="keys rotate"):
        load_signing_key(where.folder, KeyKind.SYNC, plus(NOW, KEY_S + 1))


def test_a_key_of_another_kind_is_refused(where: Where) -> None:
    (where.folder / "policy-1.cert").replace(where.folder / "sync-1.cert")
    with pytest.raises(NotReady, match=r"signs sync in .* got one for policy"):
        load_signing_key(where.folder, KeyKind.SYNC, NOW)


def test_a_key_that_the_root_has_not_signed_is_refused(where: Where) -> None:
    own = Ed25519PrivateKey.generate()
    write_certificate(where.folder / "sync-1.cert", certify(own, "sync-1", own.public_key()))
    with pytest.raises(NotReady, match="expected the root's signature"):
        load_signing_key(where.folder, KeyKind.SYNC, NOW)


def test_a_key_beside_anothers_certificate_is_refused(where: Where) -> None:
    (where.folder / "sync-2.cert").replace(where.folder / "sync-1.cert")
    with pytest.raises(NotReady, match="one pair"):
        load_signing_key(where.folder, KeyKind.SYNC, NOW)


def test_a_key_of_another_sort_and_a_file_that_is_none_are_refused(where: Where) -> None:
    path = where.folder / "sync-1.key"
    pem = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for wrong in (pem, b"nothing of the kind", b""):
        path.write_bytes(wrong)
        with pytest.raises(NotReady, match="expected an Ed25519 key"):
            load_signing_key(where.folder, KeyKind.SYNC, NOW)
    path.unlink()
    with pytest.raises(NotReady):
        load_key_at(path, KeyKind.SYNC, load_root(where.folder), NOW)


def test_a_folder_without_keys_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="keys init"):
        load_signing_key(tmp_path, KeyKind.SYNC, NOW)


def test_a_key_is_never_written_over(where: Where) -> None:
    with pytest.raises(NotReady, match="what stands there is kept"):
        write_key(where.folder / "sync-1.key", Ed25519PrivateKey.generate())
