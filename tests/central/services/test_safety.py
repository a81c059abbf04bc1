"""What is safe elsewhere comes from a copy that was restored and verified, and clones are settled by a person."""

from dataclasses import replace

import msgspec
import pytest

from central.errors import BadInput, NotThere
from central.services.own_chain import Draft, append
from central.services.safety import Manifest, accept, forget, prove, settle_clone, suspects
from central.store.audit import acts
from central.store.chains import OWN_DEVICE, keep_device, registered
from central.store.safety import safe_at
from protocols.sync.reception import Standing, dispute
from protocols.values.ids import ActorId
from tests.central.services.parties import Central, a_central, line


def an_opening(qty: int = 1) -> Draft:
    return Draft("opening", {"lines": [line("A1", "opening@main-store", "main-store", qty=qty)]}, ActorId("importer"))


def written(entries: int = 3) -> tuple[Central, bytes]:
    central = a_central()
    chained = append(central.store, central.hospital, [an_opening() for _ in range(entries)], central.clock)
    return central, chained[0].incarnation


def safe(central: Central, chain: bytes) -> int:
    with central.store.read() as connection:
        return safe_at(connection, central.hospital, [chain])[chain]


def test_nothing_is_safe_before_a_backup_was_proved() -> None:
    central, chain = written()
    assert safe(central, chain) == -1


def test_a_proven_copy_makes_safe_what_it_holds_and_no_more_and_it_may_fall() -> None:
    central, chain = written()
    manifest = prove(central.store, central.clock.now())
    append(central.store, central.hospital, [an_opening()], central.clock)
    assert accept(central.store, central.hospital, "weekly", manifest, central.clock.now()).chains == 1
    assert safe(central, chain) == 2
    forget(central.store, central.hospital, "weekly")
    assert safe(central, chain) == -1


def test_a_manifest_of_another_hospitals_past_vouches_for_nothing() -> None:
    central, chain = written()
    other, _ = written()
    done = accept(central.store, central.hospital, "x", prove(other.store, other.clock.now()), central.clock.now())
    assert (done.chains, done.unknown, safe(central, chain)) == (0, 1, -1)


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"form":"x","made_at":1,"entries":1,"heads":[]}'])
def test_what_is_no_manifest_is_told(raw: bytes) -> None:
    central, _ = written()
    with pytest.raises(BadInput, match="manifest: expected"):
        accept(central.store, central.hospital, "x", raw, central.clock.now())


def test_a_manifest_names_every_head_by_its_hash() -> None:
    central, chain = written()
    said = msgspec.json.decode(prove(central.store, central.clock.now()), type=Manifest)
    assert [(head.incarnation, head.seq) for head in said.heads] == [(chain.hex(), 2)]


def test_a_suspected_clone_is_settled_once_and_it_is_recorded() -> None:
    central, _ = written()
    with central.store.write() as connection:
        stored = registered(connection, central.hospital, OWN_DEVICE)
        assert stored is not None
        keep_device(connection, central.hospital, dispute(replace(stored), "two machines speak"))
        assert suspects(connection, central.hospital) == [(OWN_DEVICE, "two machines speak")]
        now = central.clock.now()
        assert settle_clone(connection, central.hospital, OWN_DEVICE, "10023", now) == "two machines speak"
        settled = registered(connection, central.hospital, OWN_DEVICE)
        assert settled is not None
        assert settled.standing is Standing.LIVE
        assert suspects(connection, central.hospital) == []
        assert acts(connection, central.hospital)[0].act == "settle-clone"
        with pytest.raises(NotThere, match="suspected clone"):
            settle_clone(connection, central.hospital, OWN_DEVICE, "10023", now)
