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
from protocols.sync.frames import Ack, Fork, Head, NewInc, Welcome
from protocols.sync.reception import Standing, dispute
from protocols.values.ids import ActorId
from tests.central.services.parties import CHAIN, WARD, Central, Device, a_central, issue, line, opening


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


def test_after_a_dispute_the_machine_that_stays_goes_on_and_what_the_other_wrote_comes_back_in_a_new_chain() -> None:
    central = a_central()
    stays, other = Device(central), Device(central, nonce=b"m" * 16)
    for machine in (stays, other):
        machine.write(opening(1))
    stays.greet()
    stays.say(stays.frame(0, 1))
    for _ in range(5):
        other.greet()
        central.clock.at += 5
        stays.greet()
        central.clock.at += 5
    with central.store.write() as connection:
        assert [device for device, _ in suspects(connection, central.hospital)] == [WARD]
        settle_clone(connection, central.hospital, WARD, "10023", central.clock.now())
        assert suspects(connection, central.hospital) == []
    assert isinstance(stays.greet(number=9), Welcome)
    stays.write(issue(2))
    (answer,) = stays.say(stays.frame(1, 2))
    assert isinstance(answer, Ack)
    assert answer.seq == 1

    other.write(issue(3))  # its disk is put into the storeroom's machine later: the same chain, another end
    assert isinstance(other.greet(number=10), Welcome)
    places = tuple(Head(CHAIN, each.seq, each.hash) for each in reversed(other.chained))
    (granted,) = other.say(Fork(10, places))
    assert isinstance(granted, NewInc)
    assert granted.behind == places[-1]
    with central.store.read() as connection:
        assert suspects(connection, central.hospital) == []
