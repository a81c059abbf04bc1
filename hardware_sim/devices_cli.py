"""The commands of `wardstock-sim` that put devices on ports: one reader, a rack of all kinds, a recorder.

It reads options and joins parts; `cli` shows errors and says the exit status. The rule that must not be broken: a place
where a device listens is printed only once it does.
"""

import random
import sys
import threading
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hardware_sim.clock import Clock, real_time
from hardware_sim.demo.signals import wait_for_end
from hardware_sim.devices.faults import Kind as FaultKind
from hardware_sim.devices.faults import say_fault
from hardware_sim.devices.replay import Piece, read_recording
from hardware_sim.errors import WrongUse
from hardware_sim.ndjson import NdjsonFile
from hardware_sim.noise import READS_A_S_MAX, Radio, Steady
from hardware_sim.rack import EACH_MAX, EVERY_DEFAULT_S, Faults, Place, Rack, Wanted, hang_reader, hang_replay, rack_in
from hardware_sim.recorder import SerialRecorder, Source, Tape, TcpRecorder, source_of
from hardware_sim.storeroom.live import LiveRoom, live_room
from hardware_sim.storeroom.world_file import is_world, read_world
from hardware_sim.world import ANTENNAS, TAGS_MAX, read_room


class Kind(StrEnum):
    """The readers by the names that a configuration gives them."""

    LLRP = "llrp"
    M100 = "m100"
    UHFREADER18 = "uhfreader18"


READER = (
    "wardstock-sim reader --port 5084 --tags 150 --rate 300",
    "wardstock-sim reader --port 5084 --fault drop@10 --fault stall@20+8",
    "wardstock-sim reader --port 5084 --faults 7 --every 5 --log deliveries.ndjson",
)
DEVICES = (
    "wardstock-sim devices --state bench",
    "wardstock-sim devices --state bench --llrp 2 --faults 7 --every 5",
)
RECORD = (
    "wardstock-sim record --from tcp://192.0.2.7:5084 --port 5084 --out reader.ndjson",
    "wardstock-sim reader --port 5084 --replay reader.ndjson",
)

FAULT = typer.Option(help="KIND@SECONDS[+LASTS], as often as wanted; see --faults.", metavar="FAULT")
FAULTS = typer.Option(help=f"Draw faults of every kind from this seed: {', '.join(FaultKind)}.", min=0, metavar="SEED")
EVERY = typer.Option(help="Seconds from one drawn fault to the next, about.")
LOG = typer.Option(help="Write what was really delivered here, one JSON line a read.", metavar="FILE")


def reader(  # noqa: PLR0913, PLR0917 - options are arguments to typer
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="TCP port; 0 takes any free one, LLRP's own is 5084.")
    ] = 0,
    kind: Annotated[Kind, typer.Option(help="What it speaks; the serial modules as behind a converter.")] = Kind.LLRP,
    link: Annotated[
        Path | None, typer.Option(help="Where a serial module's port is put, instead of TCP.", metavar="PATH")
    ] = None,
    tags: Annotated[int, typer.Option(help=f"Made-up tags in the field, 1..{TAGS_MAX}.")] = 100,
    rate: Annotated[
        float, typer.Option(help=f"Reads a second over all tags, above 0 and at most {READS_A_S_MAX:g}.")
    ] = 200.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same tags.")] = 1,
    world: Annotated[Path | None, typer.Option(help="A storeroom's file instead of made-up tags.")] = None,
    fault: Annotated[list[str] | None, FAULT] = None,
    faults: Annotated[int | None, FAULTS] = None,
    every: Annotated[float, EVERY] = EVERY_DEFAULT_S,
    log: Annotated[Path | None, LOG] = None,
    replay: Annotated[Path | None, typer.Option(help="Say again what `record` wrote down.", metavar="FILE")] = None,
) -> None:
    """Run one simulated reader until Ctrl-C. Prints `listening HOST:PORT` (or the link's path) when it serves.

    A world is the file that `wardstock-sim demo --state DIR` leaves as DIR/sim/WARD/world.json, or the world.json of
    `wardstock-sim storeroom`: its days begin when the reader does. What the reader really
    delivered goes to --log, one JSON line a read, with what was told of each fault.
    """
    rng = random.Random(seed)
    field = Steady(tags=tags, reads_a_s=rate, rng=rng) if world is None else _field_of(world, rng)
    book = None if log is None else NdjsonFile(log)
    trouble = Faults([say_fault(each) for each in fault or ()], faults, every)
    place = Place(port, link, len(ANTENNAS) if isinstance(field, Radio | Steady) else field.antennas)
    if replay is None:
        served = hang_reader("r1", kind, field, place, Clock(real_time()), faults=trouble, book=book)
    else:
        served = hang_replay(kind, _recording_of(replay), place, Clock(real_time()), faults=trouble)
    served.start()
    print(f"listening {served.where}", flush=True)
    try:
        wait_for_end()
    finally:
        served.close()
        if book is not None:
            book.close()


def devices(  # noqa: PLR0913, PLR0917 - options are arguments to typer
    llrp: Annotated[int, typer.Option(help=f"LLRP readers with a door contact and lights, 0..{EACH_MAX}.")] = 1,
    m100: Annotated[int, typer.Option(help=f"M100 modules, 0..{EACH_MAX}.")] = 1,
    uhfreader18: Annotated[int, typer.Option(help=f"UHFReader18 boards, 0..{EACH_MAX}.")] = 1,
    scanners: Annotated[int, typer.Option(help=f"Barcode scanners, 0..{EACH_MAX}.")] = 1,
    cards: Annotated[int, typer.Option(help=f"HF card readers for badges, 0..{EACH_MAX}.")] = 1,
    printers: Annotated[int, typer.Option(help=f"RFID label printers, 0..{EACH_MAX}.")] = 1,
    duds: Annotated[float, typer.Option(help="Chance of an inlay that cannot be written.")] = 0.0,
    tcp: Annotated[bool, typer.Option("--tcp", help="The modules behind converters, instead of on ports.")] = False,
    tags: Annotated[int, typer.Option(help=f"Made-up tags before each reader, 1..{TAGS_MAX}.")] = 40,
    rate: Annotated[float, typer.Option(help="Reads a second of each reader.")] = 20.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same tags.")] = 1,
    state: Annotated[Path | None, typer.Option(help="Folder for links, edge.toml and deliveries.ndjson.")] = None,
    fault: Annotated[list[str] | None, FAULT] = None,
    faults: Annotated[int | None, FAULTS] = None,
    every: Annotated[float, EVERY] = EVERY_DEFAULT_S,
) -> None:
    """Run devices of every kind until Ctrl-C, with an edge.toml for `wardstock-edge run` that fits them.

    Prints `listening NAME KIND WHERE` for each, then `ready FOLDER`. Lines on its input are what a person does:
    `scan s1 TEXT`, `open r1`, `close r1`, `antenna r1 2 out`, `card c1 UID`, `load p1 100`; beeps,
    lights and labels are printed.
    """
    wanted = Wanted(llrp, m100, uhfreader18, scanners, tags, rate, seed, tcp, printers, duds, cards)
    trouble = Faults([say_fault(each) for each in fault or ()], faults, every)
    with rack_in(state, wanted, trouble, _tell) as (rack, folder):
        for name, (kind, where) in rack.where().items():
            _tell(f"listening {name} {kind} {where}")
        _tell(f"ready {folder}")
        wait_for_end(threading.Thread(target=_obey, args=(rack,), name="hand", daemon=True).start)


def record_reader(
    source: Annotated[str, typer.Option("--from", help="The real reader: tcp://HOST:PORT or serial:PATH.")],
    out: Annotated[Path, typer.Option(help="File for the recording; it is added to.", metavar="FILE")],
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Where the host finds it instead; 0: any.")] = 0,
    link: Annotated[Path | None, typer.Option(help="The same for a serial reader: a port's name.")] = None,
    baud: Annotated[int, typer.Option(help="Rate of the serial port.")] = 115_200,
) -> None:
    """Stand between a real reader and its host and write down what both say, until Ctrl-C.

    Prints `listening WHERE`: there the host finds the reader. `wardstock-sim reader --replay FILE` plays it again.
    """
    found = source_of(source, baud)
    if (found.port is None) != (link is None):
        raise WrongUse("--link: expected for a reader on a serial port, and only there; say where its host finds it")
    book = NdjsonFile(out)
    try:
        _run_recorder(found, port, link, Tape(book))
    finally:
        book.close()


def _run_recorder(found: Source, port: int, link: Path | None, tape: Tape) -> None:
    if found.address is not None:
        recorder: TcpRecorder | SerialRecorder = TcpRecorder(found.address, port, tape)
    else:
        assert link is not None  # it was asked for
        recorder = SerialRecorder(found, link, tape)
    ended = threading.Event()
    thread = threading.Thread(target=recorder.run, args=(ended,), name="recorder")
    thread.start()
    print(f"listening {recorder.where}", flush=True)
    wait_for_end()
    ended.set()
    thread.join()


def _recording_of(path: Path) -> list[Piece]:
    try:
        return read_recording(path.read_bytes())
    except OSError as error:
        raise WrongUse(f"--replay {path}: expected a file that can be read; {error.strerror}") from error


def _tell(line: str) -> None:
    print(line, flush=True)


def _obey(rack: Rack) -> None:
    """Do what stands on the input, line by line, until it ends."""
    with open(sys.stdin.fileno(), encoding="utf-8", errors="replace", closefd=False) as lines:
        for line in filter(str.strip, lines):
            _tell(rack.do(line.strip()))


def _field_of(path: Path, rng: random.Random) -> Radio | LiveRoom:
    """Return the field of a world's file: a room of the demo, or a drawn storeroom."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise WrongUse(f"--world {path}: expected a file that can be read; {error.strerror}") from error
    return live_room(read_world(raw), Clock(real_time()).now()) if is_world(raw) else Radio(read_room(raw), rng)
