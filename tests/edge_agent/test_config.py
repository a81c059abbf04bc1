"""A configuration is used as a whole, or refused with every fault in it."""

from pathlib import Path

import pytest

from edge_agent.config import Config, load_config
from edge_agent.config.forms import Address
from edge_agent.config.readers import AUTO, Door, Lights, Tls
from edge_agent.errors import BadConfig
from protocols.readers.radio import Radio
from protocols.readers.scanner import ScanForm
from protocols.values.instant import from_iso

FULL = """
[device]
id = "ward-01"
hospital = "main"
shard = 0
place = "ward-01"
fit = 2
mode = "live"
[clock]
start = "2026-03-02T16:00:00+08:00"
rate = 540.0
since_monotonic_ns = 123
[store]
path = "ledger.db"
max_pages = 500
[broker]
urls = ["mqtt://127.0.0.1:1883"]
keepalive_s = 2
[sync]
unsigned = true
hello_s = 1
resend_s = 2
backoff_max_s = 1
spread_s = 0.5
[[reader]]
name = "r1"
kind = "llrp"
url = "tcp://127.0.0.1:5084"
keepalive_s = 1
round_s = 60
antennas = [1, 2, 3, 4]
[[scanner]]
name = "s1"
url = "serial:ward-01.pty"
feedback = "host-beep"
[presence]
model = "window"
window_s = 600
claim_wait_s = 0
[visit]
idle_s = 1800
[master]
items = "items.csv"
opening = "opening.csv"
"""

SMALL = """
[device]
id = "ward-01"
fit = 1
[broker]
urls = ["mqtt://127.0.0.1:1883"]
[[scanner]]
name = "s1"
url = "serial:/dev/ttyACM0"
feedback = "host-beep"
"""


def load(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "edge.toml"
    path.write_text(text, "utf-8")
    return load_config(path)


def test_a_full_configuration_is_read(tmp_path: Path) -> None:
    config = load(tmp_path, FULL)
    assert (config.device.id, config.device.fit, config.sync.unsigned) == ("ward-01", 2, True)
    assert config.story is not None
    assert config.story.start == from_iso("2026-03-02T16:00:00+08:00")
    assert (config.ledger, config.max_pages) == (tmp_path / "ledger.db", 500)
    assert config.readers[0].address == Address("127.0.0.1", 5084)
    assert config.readers[0].antennas == (1, 2, 3, 4)
    assert config.scanners[0].port == tmp_path / "ward-01.pty"
    assert (config.items, config.opening) == (tmp_path / "items.csv", tmp_path / "opening.csv")


def test_what_is_not_said_has_a_default(tmp_path: Path) -> None:
    config = load(tmp_path, SMALL)
    assert (config.device.hospital, config.device.place, config.device.shard) == ("main", "ward-01", None)
    assert (config.story, config.max_pages, config.items) == (None, None, None)
    assert (config.window_s, config.visit_idle_s, config.sync.unsigned) == (600.0, 120.0, False)
    assert str(config.scanners[0].port) == "/dev/ttyACM0"


def test_a_serial_module_stands_at_a_port_or_at_a_converter(tmp_path: Path) -> None:
    there = 'kind = "llrp"\nurl = "tcp://127.0.0.1:5084"'
    port = load(tmp_path, FULL.replace(there, 'kind = "uhfreader18"\nbus_address = 3\nurl = "serial:r1.pty"')).readers[
        0
    ]
    assert (port.kind, port.port, port.address, port.baud) == ("uhfreader18", tmp_path / "r1.pty", None, 57_600)
    assert (port.bus_address, port.active, port.power_dbm) == (3, False, None)
    (far,) = load(
        tmp_path,
        FULL.replace(there, 'kind = "m100"\npower_dbm = 20\nurl = "tcp://10.0.0.9:26"').replace("[1, 2, 3, 4]", "[1]"),
    ).readers
    assert (far.kind, far.port, far.address) == ("m100", None, Address("10.0.0.9", 26))
    assert (far.baud, far.power_dbm, far.antennas) == (115_200, 20, (1,))
    with pytest.raises(BadConfig, match="expected serial:PATH or tcp://HOST:PORT"):
        load(tmp_path, FULL.replace(there, 'kind = "uhfreader18"\nurl = "tcp://10.0.0.9"'))


LLRP = """
door = [5]
next = [6]
power_dbm = { 1 = 27, 5 = 24.5 }
session = 1
target = "A"
population = 200
mode = 3
region = "none"
authority = "ca.pem"
certificate = "edge.pem"
key = "edge.key"
door_input = 2
door_open = "low"
lights = { ok = 1, no = 2 }
light_s = 1.5
reference = { 1 = "30340242201D8D40000000F1", 5 = "30340242201D8D40000000f5" }
blind_s = 60
"""


def test_a_reader_of_llrp_is_told_its_radio_its_door_and_its_lights(tmp_path: Path) -> None:
    text = FULL.replace('url = "tcp://127.0.0.1:5084"', 'url = "tls://reader.example"' + LLRP)
    (reader,) = load(tmp_path, text).readers
    assert (reader.address, reader.every) == (Address("reader.example", 5085), (1, 2, 3, 4, 5, 6))
    assert reader.radio == Radio("", ((1, 27.0), (5, 24.5)), mode=3, session=1, target="A", population=200)
    assert reader.tls == Tls(tmp_path / "ca.pem", tmp_path / "edge.pem", tmp_path / "edge.key")
    assert (reader.contact, reader.lights) == (Door(2, open_high=False), Lights(ok=1, no=2, seconds=1.5))
    assert (dict(reader.reference)[5], reader.blind_s) == ("30340242201D8D40000000F5", 60.0)


def test_a_reader_of_llrp_stays_in_the_band_of_china_and_one_power_is_for_every_antenna(tmp_path: Path) -> None:
    (reader,) = load(tmp_path, FULL.replace('kind = "llrp"', 'kind = "llrp"\npower_dbm = 20\ndoor = [9]')).readers
    assert reader.radio == Radio("CN", tuple((antenna, 20.0) for antenna in (1, 2, 3, 4, 9)))
    assert (reader.tls, reader.contact, reader.lights) == (None, None, None)


def test_keyboards_and_card_readers_answer_by_a_light(tmp_path: Path) -> None:
    more = """
[[scanner]]
name = "s2"
kind = "keyboard"
url = "input:event3"
feedback = "light"
aim = true
suffix = "TAB"
[[scanner]]
name = "s3"
kind = "card"
url = "serial:card"
feedback = "light"
"""
    lit = FULL.replace('kind = "llrp"', 'kind = "llrp"\nlights = { ok = 1 }').replace(
        "[master]", '[master]\ncards = "c"'
    )
    config = load(tmp_path, lit + more)
    assert [each.kind for each in config.scanners] == ["scanner", "keyboard", "card"]
    assert (config.scanners[1].port, config.scanners[1].form) == (tmp_path / "event3", ScanForm("", "TAB", True))
    assert config.cards == tmp_path / "c"


def test_one_line_carries_one_reader(tmp_path: Path) -> None:
    twice = '[[reader]]\nname = "r2"\nkind = "m100"\nurl = "serial:ward-01.pty"\n'
    with pytest.raises(BadConfig, match="two readers or scanners stand there; give each a line of its own"):
        load(tmp_path, FULL + twice)


def test_a_module_may_be_searched_for_and_two_alike_may_not(tmp_path: Path) -> None:
    auto = 'kind = "m100"\nurl = "serial:auto"\nantennas = [1]'
    text = FULL.replace('kind = "llrp"\nurl = "tcp://127.0.0.1:5084"', auto).replace("antennas = [1, 2, 3, 4]", "")
    config = load(tmp_path, text + '[ports]\nserial = "names"\n')
    assert (config.readers[0].port, config.serial) == (AUTO, tmp_path / "names")
    with pytest.raises(BadConfig, match="reader m100: two of them are searched for"):
        load(tmp_path, text + f'[[reader]]\nname = "r2"\n{auto}\n')


@pytest.mark.parametrize(
    ("right", "wrong", "why"),
    [
        ("round_s = 60", "door = [4]", "reader[0].antennas: expected each antenna once in antennas, door, next"),
        ("round_s = 60", 'reference = { 9 = "3034" }', "reader[0].reference: expected antennas that this reader uses"),
        ("round_s = 60", 'reference = { a = "3034" }', "reader[0].reference: expected a table of antenna and EPC"),
        ("round_s = 60", 'reference = { 1 = "xyz" }', "reader[0].reference: EPC: expected 4..124 hex digits"),
        (
            "round_s = 60",
            "power_dbm = { 7 = 20 }",
            "reader[0].power_dbm: expected antennas that this reader uses, got 7",
        ),
        ("round_s = 60", "power_dbm = 99", "reader[0].power_dbm: expected dBm from 0 to 36, or a table"),
        ("round_s = 60", 'region = "EU"', "reader[0].region: expected one of CN, none, got 'EU'"),
        ("round_s = 60", "session = 4", "reader[0].session: expected a whole number from 0 to 3"),
        ("round_s = 60", "lights = { red = 1 }", "reader[0].lights: expected a table of ok, look, no and outputs"),
        ("round_s = 60", 'authority = "ca.pem"', "reader[0].authority: this key is unknown"),
        (
            'feedback = "host-beep"',
            'kind = "card"\nfeedback = "host-beep"',
            'scanner[0].feedback: expected "light" for a card',
        ),
        ('feedback = "host-beep"', 'feedback = "light"', "scanner.feedback: expected a reader with `lights`"),
        ('feedback = "host-beep"', 'feedback = "host-beep"\nsuffix = "X"', "scanner[0].suffix: expected one of CR, LF"),
        ('feedback = "host-beep"', 'feedback = "host-beep"\nprefix = "123456789"', "scanner[0].prefix: scanner prefix"),
        ('feedback = "host-beep"', 'kind = "keyboard"\nfeedback = "light"', "scanner[0].url: expected input:PATH"),
        ("tcp://127.0.0.1:5084", "tls://127.0.0.1", "reader[0].authority: it is missing; expected a path"),
        ('id = "ward-01"', 'id = "Ward 01"', "device.id: device: expected a lower-case name such as 'ward-01'"),
        ("fit = 2", "fit = 3", "device.fit: expected a whole number from 1 to 2, got 3"),
        ("fit = 2", "fit = 1", "device.fit: expected 2 with [[reader]], 1 without, got 1 with 1 readers"),
        ("fit = 2", "", "device.fit: it is missing; expected a whole number from 1 to 2"),
        ('place = "ward-01"', 'place = "patient@ward-01"', "device.place: expected the id of a storeroom"),
        ('mode = "live"', 'mode = "dead"', "device.mode: expected one of live, shadow, first-count"),
        ("rate = 540.0", "rate = 0", "clock.rate: expected a number from 0.001 to 10000, got 0"),
        ("rate = 540.0", 'rate = 1\nreal_from = "2020-01-01T00:00:00Z"', "clock: clock real_from: expected not before"),
        ("+08:00", "", "clock.start: instant: expected ISO 8601 with a zone"),
        ("max_pages = 500", "max_pages = true", "store.max_pages: expected a whole number"),
        ("mqtt://127.0.0.1:1883", "http://x", "broker.urls: expected a list of 1..8 such as"),
        ("unsigned = true", 'unsigned = "yes"', "sync.unsigned: expected true or false, got 'yes'"),
        ('kind = "llrp"', 'kind = "r420"', "reader[0].kind: expected one of llrp, m100, uhfreader18, got 'r420'"),
        ('kind = "llrp"', 'kind = "m100"', "reader[0].antennas: expected numbers of 1..1 for m100"),
        ('kind = "llrp"', 'kind = "llrp"\nbaud = 9600', "reader[0].baud: this key is unknown"),
        (
            "tcp://127.0.0.1:5084",
            "tcp://127.0.0.1:99999",
            "reader[0].url: expected tcp://HOST:PORT, or tls://HOST:PORT",
        ),
        ("[1, 2, 3, 4]", "[1, 1]", "reader[0].antennas: expected a list of 1..64 different antenna numbers"),
        ("serial:ward-01.pty", "/dev/x", "scanner[0].url: expected serial:PATH"),
        ('name = "s1"', 'name = "r1"', "r1: two readers or scanners have this name"),
        ("claim_wait_s = 0", "claim_wait_s = 5", "presence.claim_wait_s: expected the number 0"),
        ("idle_s = 1800", "idle = 1800", "visit.idle: this key is unknown"),
        ("[visit]", "[visits]", "visits: this section is unknown"),
        ("[[scanner]]", "[scanner]", "scanner: expected at most 16 tables written [[scanner]]"),
    ],
)
def test_a_wrong_value_is_named_by_its_key(tmp_path: Path, right: str, wrong: str, why: str) -> None:
    assert right in FULL
    with pytest.raises(BadConfig) as caught:
        load(tmp_path, FULL.replace(right, wrong, 1))
    assert why in str(caught.value)
    assert str(tmp_path / "edge.toml") in str(caught.value)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadConfig) as caught:
        load(tmp_path, SMALL.replace("fit = 1", "fit = 7\nfits = 1").replace("serial:", "").replace("1883", "x"))
    keys = [line.split(": ")[1] for line in str(caught.value).splitlines()]
    assert sorted(keys) == ["broker.urls", "device.fit", "device.fits", "scanner[0].url"]


def test_an_empty_file_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(BadConfig) as caught:
        load(tmp_path, "")
    assert "device.id: it is missing" in str(caught.value)


def test_brokers_may_be_left_to_the_enrolment_but_not_by_who_is_unsigned(tmp_path: Path) -> None:
    without = SMALL.replace('urls = ["mqtt://127.0.0.1:1883"]', "")
    assert load(tmp_path, without).sync.brokers == ()
    with pytest.raises(BadConfig, match=r"broker\.urls: it is missing"):
        load(tmp_path, without + "[sync]\nunsigned = true\n")


def test_a_plain_broker_elsewhere_is_for_unsigned_messages_only(tmp_path: Path) -> None:
    elsewhere = SMALL.replace("127.0.0.1:1883", "broker.lan:1883")
    with pytest.raises(BadConfig, match="expected mqtts://"):
        load(tmp_path, elsewhere)
    assert load(tmp_path, elsewhere + "[sync]\nunsigned = true\n").sync.brokers == ("mqtt://broker.lan:1883",)
    assert load(tmp_path, elsewhere.replace("mqtt:", "mqtts:")).sync.brokers == ("mqtts://broker.lan:1883",)


def test_a_file_that_is_missing_or_no_toml_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="No such file or directory; name it with --config"):
        load_config(tmp_path / "edge.toml")
    with pytest.raises(BadConfig, match="expected TOML"):
        load(tmp_path, "[device")
