"""A load without wires: edges drive their days into a real central in memory, through a line that may lose things."""

import queue
import random
from collections.abc import Callable

import pytest

from hardware_sim.errors import WrongUse
from hardware_sim.hospital.acts import Book, acts_of
from hardware_sim.load.command import is_delivered, load_words
from hardware_sim.load.drive import Drive, Pace
from hardware_sim.load.edge import Edge, share_of
from hardware_sim.load.hospital import Load
from hardware_sim.load.pipes import News, address_of
from hardware_sim.storeroom.ward import START, Plan, draw_ward
from protocols.sync.codec import Signing
from protocols.sync.machine import Timing
from protocols.sync.topics import Topics
from protocols.values.ids import DeviceId, HospitalId, PlaceId
from protocols.values.instant import business_day, from_iso
from tests.central.services.parties import Central, a_central

QUICK = Timing(hello_s=0.2, resend_s=0.2, backoff_max_s=0.2, spread_s=0.01, idle_hello_s=60, refused_retry_s=1)
BEGIN = from_iso(START)


class Wire:
    """Carries a message to central and the answers back; `loses` says which are lost on the way up."""

    def __init__(self, central: Central, inbox: "queue.Queue[News]", loses: Callable[[], bool]) -> None:
        self._central, self._inbox, self._loses = central, inbox, loses
        self.lost = 0

    def publish(self, topics: Topics, data: bytes) -> bool:
        if self._loses():
            self.lost += 1
            return True
        for reply in self._central.hear(data, topics.device):
            self._inbox.put(News(topics.device, reply))
        return True


def taken(central: Central) -> int:
    return sum(len(central.raws(DeviceId(f"ward-{number:02d}"))) for number in range(1, 4))


def driven(
    *, wards: int, speed: float, loses: Callable[[], bool] = lambda: False, settle_s: float = 20.0
) -> tuple[Drive, Central, Wire]:
    central = a_central()
    inbox: queue.Queue[News] = queue.Queue()
    wire = Wire(central, inbox, loses)
    edges, acts = [], {}
    for number in range(1, wards + 1):
        device = DeviceId(f"ward-{number:02d}")
        central.enrol(device)
        topics = Topics(HospitalId("main"), 0, device)
        edges.append(Edge(topics, timing=QUICK, signing=Signing(unsigned=True), rng=random.Random(number)))
        ward = draw_ward(Plan(seed=number, days=1, tags=20))
        acts[device] = acts_of(ward, Book(PlaceId(device), business_day(BEGIN), BEGIN))
        inbox.put(News(device, up=True))
    drive = Drive(edges, acts, dict.fromkeys(acts, wire), inbox, Pace(BEGIN, speed, settle_s))
    return drive, central, wire


@pytest.mark.parametrize("speed", [0.0, 1e6])
def test_every_entry_reaches_centrals_ledger_once_and_none_is_set_aside(speed: float) -> None:
    drive, central, _ = driven(wards=3, speed=speed)
    if speed == 0:
        drive.write_all()
    said: list[tuple[int, int]] = []
    drive.run(lambda entries, waiting: said.append((entries, waiting)))
    assert drive.waiting == 0
    assert said[-1] == (drive.entries, 0)
    assert taken(central) == drive.entries > 100
    assert not central.quarantine()


def test_what_the_line_loses_is_sent_again() -> None:
    chance = random.Random(4)
    drive, central, wire = driven(wards=2, speed=1e6, loses=lambda: chance.random() < 0.2)
    drive.run(lambda entries, waiting: None)
    assert wire.lost > 0
    assert drive.waiting == 0
    assert taken(central) == drive.entries


def test_a_load_that_is_never_answered_ends_at_its_limit_and_says_so() -> None:
    drive, _, _ = driven(wards=1, speed=0.0, loses=lambda: True, settle_s=0.5)
    drive.write_all()
    drive.run(lambda entries, waiting: None)
    assert drive.waiting == drive.entries > 0


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"wards": 0}, "--wards: expected 1..2000, got 0"),
        ({"days": 61}, "--days: expected 1..60"),
        ({"wards": 2000, "days": 60}, "wards x days at most 7000"),
        ({"tags": 0}, "--tags: expected 1..2000"),
        ({"speed": 0.5}, "--speed: expected 0 or 1..10000"),
        ({"settle_s": 0.0}, "--settle: expected above 0"),
        ({"broker": "rabbit"}, "--broker: expected amqtt, mosquitto or mqtt://HOST:PORT, got 'rabbit'"),
    ],
)
def test_a_load_that_cannot_be_is_one_clear_error(wrong: dict[str, object], says: str) -> None:
    right = {"wards": 1, "days": 1, "speed": 1.0, "tags": 1, "seed": 1, "broker": "amqtt", "settle_s": 1.0}
    with pytest.raises(WrongUse, match=says):
        Load(**(right | wrong))  # type: ignore[arg-type] # a table of wrong figures


def test_an_address_has_a_port_or_the_usual_one() -> None:
    assert address_of("mqtt://127.0.0.1:1999") == ("127.0.0.1", 1999)
    assert address_of("mqtt://broker") == ("broker", 1883)


def test_figures_are_told_with_what_went_wrong() -> None:
    right = {
        "acknowledged": 10, "entries": 10, "wards": 1, "seconds": 2.0, "entries_a_second": 5.0, "bytes_an_entry": 60.0,
        "lag_s": {"p50": 0.1}, "waiting": 0, "refused": [], "verified": True, "quarantined": 0,
    }  # fmt: skip
    assert is_delivered(right)
    assert "10 of 10 entries of 1 wards acknowledged in 2.0 s" in load_words(right)
    wrong = right | {"verified": False, "verify_fault": "two rows differ", "refused": ["why"], "waiting": 3}
    assert not is_delivered(wrong)
    assert "two rows differ" in load_words(wrong)
    assert "why" in load_words(wrong)


def test_the_share_of_values_is_the_value_below_which_they_lie() -> None:
    assert share_of([3.0, 1.0, 2.0, 4.0], 0.5) == 3.0
    assert share_of([1.0], 0.99) == 1.0
    assert str(share_of([], 0.5)) == "nan"
