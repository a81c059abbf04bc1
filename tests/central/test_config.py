from pathlib import Path

import pytest

from central.config import read_config
from central.errors import BadConfig
from protocols.values.instant import from_iso

LEAST = '[broker]\nurls = ["mqtt://127.0.0.1:1883"]\n'


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "central.toml"
    path.write_text(text, "utf-8")
    return path


def test_only_the_broker_must_be_named(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, LEAST))
    assert (config.hospital_id, config.http.host, config.http.port, config.policy.reorder) == (
        "main",
        "127.0.0.1",
        0,
        "3x",
    )
    assert config.sync.unsigned is False
    assert config.story() is None


def test_a_story_clock_is_read_with_the_instant_from_which_it_runs_at_rate_one(tmp_path: Path) -> None:
    clock = (
        '[clock]\nstart = "2026-03-02T16:00:00+08:00"\nrate = 540.0\nsince_monotonic_ns = 5\n'
        'real_from = "2026-03-03T02:30:00+08:00"\n'
    )
    story = read_config(written(tmp_path, LEAST + clock)).story()
    assert story is not None
    assert (story.rate, story.real_from) == (540, from_iso("2026-03-03T02:30:00+08:00"))


def test_every_fault_is_told_at_once_by_its_key(tmp_path: Path) -> None:
    text = """
[hospital]
id = "Main X"
[clock]
start = "2026-03-02"
rate = 0
[http]
host = "0.0.0.0"
port = "x"
prot = 1
[policy]
reorder = "4x"
[jobbs]
reconcile_s = 1
[broker]
urls = ["http://127.0.0.1"]
"""
    with pytest.raises(BadConfig) as caught:
        read_config(written(tmp_path, text))
    assert caught.value.faults == (
        """broker.urls: expected a list of 1..8 such as ["mqtt://127.0.0.1:1883"], got ['http://127.0.0.1']""",
        "hospital.id: expected a lower-case name such as 'main', got 'Main X'",
        "clock.start: expected a time with its zone such as '2026-03-02T16:00:00+08:00', got '2026-03-02'",
        "clock.rate: expected a number above 0, up to 10000, got 0",
        "clock.since_monotonic_ns: it is missing; expected a whole number, 0 or more, such as 123456789000",
        "http.port: expected a whole number from 0 (a free one) to 65535, got 'x'",
        "http.prot: this key is unknown; look at its spelling",
        "policy.reorder: expected one of 3x, 3x-literal, min-max, on-request, engine-item, engine-system, got '4x'",
        "jobbs: this section is unknown; look at its spelling",
    )


def test_everyone_may_be_one_person_on_this_machine_only(tmp_path: Path) -> None:
    open_door = LEAST + '[people]\neveryone_is = "demo-buyer"\n'
    assert read_config(written(tmp_path, open_door)).people.everyone_is == "demo-buyer"
    with pytest.raises(BadConfig, match=r"people\.everyone_is: expected http\.host to be one of 127"):
        read_config(written(tmp_path, open_door + '[http]\nhost = "0.0.0.0"\n'))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", 'broker.urls: it is missing; expected a list of 1..8 such as ["mqtt://127.0.0.1:1883"]'),
        (
            '[broker]\nurls = "mqtt://x"\n',
            """broker.urls: expected a list of 1..8 such as ["mqtt://127.0.0.1:1883"], got 'mqtt://x'""",
        ),
        (
            '[broker]\nurls = ["mqtt://x:port", "http://y"]\n',
            """broker.urls: expected a list of 1..8 such as ["mqtt://127.0.0.1:1883"], got ['mqtt://x:port', 'http://y']""",
        ),
        (f"http = 5\n{LEAST}", "http: expected a table written [http], got 5"),
        (f"{LEAST}[clock]\nrate = inf\n", "clock.rate: expected a number above 0, up to 10000, got inf"),
    ],
)
def test_a_fault_says_key_and_what_was_expected_and_what_came(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BadConfig) as caught:
        read_config(written(tmp_path, text))
    assert says in caught.value.faults
    assert len(caught.value.faults) == len(set(caught.value.faults))


def test_a_story_that_is_over_before_it_starts_is_a_fault_of_the_clock(tmp_path: Path) -> None:
    clock = (
        '[clock]\nstart = "2026-03-02T16:00:00+08:00"\nrate = 1.0\nsince_monotonic_ns = 5\n'
        'real_from = "2026-03-01T02:30:00+08:00"\n'
    )
    with pytest.raises(BadConfig) as caught:
        read_config(written(tmp_path, LEAST + clock))
    (said,) = caught.value.faults
    assert said.startswith("clock: clock real_from: expected not before the start, got 2026-03-01")


def test_a_file_that_is_not_there_or_is_no_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="readable file"):
        read_config(tmp_path / "nothing.toml")
    with pytest.raises(BadConfig, match="expected TOML"):
        read_config(written(tmp_path, "[broker\n"))
