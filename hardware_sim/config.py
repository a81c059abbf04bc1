"""The files a demo writes for the programs it starts: edge.toml, central.toml, mosquitto.conf, each ward's CSV files.

It only writes; what a key means is said by the program that reads it. Texts are written as JSON strings, which are
strings of TOML too.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hardware_sim.sample.files import write_rows
from hardware_sim.scenario.plan import Ward
from hardware_sim.world import ANTENNAS, DOOR_ANTENNAS
from protocols.values.ids import HOSPITAL_DEFAULT, HOSPITAL_OWNED, PlaceId
from protocols.values.instant import StoryTime, to_iso

DEMO_BUYER = "demo-buyer"
"""Whom everyone acts as at the demo's central."""

PATIENT_KEY = "patient.key"
"""Beside central.toml, where patients are recorded."""

ROUND_S = 60
"""Story seconds of one inventory round."""

VISIT_IDLE_S = 1800
RECONCILE_S = 300
REPLENISH_S = 1800
WEEK_S = 604_800
"""The longest that central lets a job wait."""

Value = str | int | float | bool | list[str] | list[int]
Table = Mapping[str, Value]

SYNC: Table = {
    "unsigned": True, "hello_s": 1, "idle_hello_s": 1, "resend_s": 2, "backoff_max_s": 1, "spread_s": 0.5,
}  # fmt: skip
"""Link time made short: an idle ward is heard every few story minutes, so that silence on the page means a cut."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the others are: TCP ports of this machine."""

    broker: int
    reader: int = 0
    http: int = 0


def edge_folder(state: Path, ward: PlaceId) -> Path:
    """Return the folder of one ward's edge."""
    return state / "edge" / ward


def scanner_link(state: Path, ward: PlaceId) -> Path:
    """Return where a ward's scanner is found."""
    return edge_folder(state, ward) / f"{ward}.pty"


def write_edge(state: Path, ward: Ward, ports: Ports, story: StoryTime) -> Path:
    """Write the configuration and the opening of one ward's edge; returns the path of its edge.toml.

    What else it must know comes by the feed.
    """
    folder = edge_folder(state, ward.place)
    folder.mkdir(parents=True, exist_ok=True)
    write_rows(
        folder / "opening.csv",
        ("item", "gtin", "lot", "expiry", "serial", "epc", "position", "owner"),
        (
            (tag.item, tag.gtin, tag.lot, tag.expiry, tag.serial, tag.epc, tag.position, HOSPITAL_OWNED)
            for tag in ward.tags
        ),
    )
    device: Table = {
        "id": ward.place, "hospital": HOSPITAL_DEFAULT, "shard": 0, "place": ward.place, "fit": 2, "mode": "live",
    }  # fmt: skip
    reader: Table = {
        "name": "r1", "kind": "llrp", "url": f"tcp://127.0.0.1:{ports.reader}", "keepalive_s": 1, "round_s": ROUND_S,
        "antennas": list(ANTENNAS), "door": list(DOOR_ANTENNAS),
    }  # fmt: skip
    scanner: Table = {"name": "s1", "url": f"serial:{ward.place}.pty", "feedback": "host-beep"}
    path = folder / "edge.toml"
    path.write_text(
        toml(
            {
                "device": device,
                "clock": clock_table(story),
                "store": {"path": "ledger.db"},
                "broker": {"urls": [f"mqtt://127.0.0.1:{ports.broker}"], "keepalive_s": 2},
                "sync": SYNC,
                "[reader]": reader,
                "[scanner]": scanner,
                "presence": {"model": "filter", "claim_wait_s": 0},
                "visit": {"idle_s": VISIT_IDLE_S},
                "master": {"opening": "opening.csv"},
            }
        ),
        encoding="utf-8",
    )
    return path


def write_central(folder: Path, ports: Ports, story: StoryTime, *, jobs_rate: float = 1.0) -> Path:
    """Write central's configuration; returns its path. It is written anew when the port or the clock is known.

    Its jobs come `jobs_rate` times as seldom in story time as a demo's.
    """
    path = folder / "central.toml"
    path.write_text(
        toml(
            {
                "hospital": {"id": HOSPITAL_DEFAULT, "name_zh": "示例医院", "name_en": "Sample Hospital"},
                "clock": clock_table(story),
                "store": {"url": "sqlite:///central.db"},
                "broker": {"urls": [f"mqtt://127.0.0.1:{ports.broker}"]},
                "sync": {"unsigned": True},
                "http": {"host": "127.0.0.1", "port": ports.http},
                "people": {"everyone_is": DEMO_BUYER},
                **({"his": {"patient_key": PATIENT_KEY}} if (folder / PATIENT_KEY).exists() else {}),
                "policy": {"reorder": "3x"},
                "jobs": {
                    "reconcile_s": min(WEEK_S, round(RECONCILE_S * jobs_rate)),
                    "replenish_s": min(WEEK_S, round(REPLENISH_S * jobs_rate)),
                },
            }
        ),
        encoding="utf-8",
    )
    return path


def write_mosquitto(path: Path, *, port: int, user: str) -> None:
    """Write a mosquitto configuration that keeps nothing. `user` is ours: it must not become another."""
    lines = (f"listener {port} 127.0.0.1", "allow_anonymous true", "persistence false", f"user {user}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def clock_table(story: StoryTime) -> Table:
    """Return the `[clock]` of every program of one story."""
    table: dict[str, Value] = {
        "start": to_iso(story.start),
        "rate": float(story.rate),
        "since_monotonic_ns": story.since_ns,
    }
    if story.real_from is not None:
        table["real_from"] = to_iso(story.real_from)
    return table


def toml(tables: Mapping[str, Table]) -> str:
    """Return tables as TOML; a name in brackets is an array of tables."""
    return "\n".join(
        "\n".join([f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items()), ""])
        for name, table in tables.items()
    )
