"""Both simulated modules read and write the memory of the tags before them, as our own sessions order it."""

from collections.abc import Iterable

import pytest

from hardware_sim.devices.device import Heard
from hardware_sim.devices.m100 import M100Device
from hardware_sim.devices.tag_memory import TagMemory
from hardware_sim.devices.uhfreader18 import Uhf18Device
from protocols.readers.access import AccessOrder
from protocols.readers.m100.session import M100Session
from protocols.readers.outcomes import Outcome, Send
from protocols.readers.reads import AccessDone, TagRead
from protocols.readers.uhfreader18.session import Uhf18Session
from protocols.readers.use import ReaderUse
from protocols.values.instant import Instant, plus

T0 = Instant(1_000_000)
EPC, OTHER = "3066C4409047E140075BCD15", "3066C4409047E140075BCD16"
TID, OTHER_TID = "E280110520001234ABCDEF01", "E280110520001234ABCDEF02"
KINDS = ("m100", "uhfreader18", "uhfreader288")


class Bench:
    """A module with two tags before it, and our session."""

    def __init__(self, kind: str, **memory: int) -> None:
        self.tags = {
            OTHER: TagMemory(OTHER, OTHER_TID),
            EPC: TagMemory(EPC, TID, access_password=memory.get("password", 0), locked="password" in memory),
        }
        use = ReaderUse(round_s=0.5, keepalive_s=5.0)
        self.session: M100Session | Uhf18Session = M100Session(use) if kind == "m100" else Uhf18Session(use)
        self.device: M100Device | Uhf18Device
        if kind == "m100":
            self.device = M100Device(self.heard, tags=self.tags)
        else:
            self.device = Uhf18Device(self.heard, antennas=4 if kind == "uhfreader288" else 1, tags=self.tags)
        self.now, self.seen = T0, list[Outcome]()
        self.take(self.session.opened(self.now))

    def heard(self, at: Instant, antennas: tuple[int, ...]) -> list[Heard]:
        del at
        return [(code, antennas[0], -50, 1) for code in (OTHER, EPC)]

    def take(self, outcomes: Iterable[Outcome]) -> None:
        for each in outcomes:
            self.seen.append(each)
            if isinstance(each, Send):
                self.take(self.session.receive(self.device.receive(each.data, self.now, self.now), self.now))

    def run(self, seconds: float = 2.0) -> None:
        until = plus(self.now, seconds)
        while self.now < until:
            self.now = plus(self.now, 0.02)
            self.take(self.session.receive(self.device.tick(self.now, self.now), self.now))
            self.take(self.session.tick(self.now))

    def order(self, order: AccessOrder) -> AccessDone:
        self.run()
        self.take(self.session.access(order, self.now))
        self.run()
        [done] = [each for each in self.seen if isinstance(each, AccessDone)]
        return done


@pytest.mark.parametrize("kind", KINDS)
def test_the_user_bank_of_the_named_tag_is_written_and_read_back(kind: str) -> None:
    bench = Bench(kind)
    done = bench.order(AccessOrder(TID, bank=3, word=1, data="CAFE0001", epc=EPC))
    assert done == AccessDone(TID, ok=True, data="CAFE0001")
    assert bench.tags[EPC].banks[3].hex() == "0000cafe00010000"
    assert bench.tags[OTHER].banks[3].hex() == "0" * 16


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_epc_is_heard_from_then_on(kind: str) -> None:
    bench, new = Bench(kind), "30340242201D8D4000000001"
    assert bench.order(AccessOrder(TID, bank=1, word=2, data=new, epc=EPC)).ok
    bench.seen.clear()
    bench.run()
    assert {each.epc for each in bench.seen if isinstance(each, TagRead)} == {OTHER, new}


@pytest.mark.parametrize("kind", KINDS)
def test_a_locked_tag_wants_its_password(kind: str) -> None:
    assert (
        Bench(kind, password=0x1234).order(AccessOrder(TID, bank=3, word=0, data="CAFE", password=0x1234, epc=EPC)).ok
    )
    for wrong in (0, 0x4321):
        bench = Bench(kind, password=0x1234)
        assert not bench.order(AccessOrder(TID, bank=3, word=0, data="CAFE", password=wrong, epc=EPC)).ok
        assert bench.tags[EPC].banks[3].hex() == "0" * 16


@pytest.mark.parametrize("kind", KINDS)
def test_words_that_are_not_there_and_a_tag_that_is_not_there_are_failures(kind: str) -> None:
    assert not Bench(kind).order(AccessOrder(TID, bank=3, word=3, words=2, epc=EPC)).ok
    assert not Bench(kind).order(AccessOrder("E2801105FFFF", bank=3, word=0, words=1, epc="30" * 12)).ok
