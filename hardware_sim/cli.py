"""`wardstock-sim`: simulated readers, sample data, and a whole small hospital on this machine.

It reads options and shows errors; what a command does is elsewhere. The rule that must not be broken: no traceback
reaches a person, and the exit status says 0 done, 1 failed, 2 wrong use.
"""

import contextlib
import json
import os
import random
import sys
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from hardware_sim.clock import Clock, any_seed, real_time
from hardware_sim.demo.options import RATE_DEFAULT, Break, BrokerKind, Options
from hardware_sim.demo.play import play
from hardware_sim.demo.signals import wait_for_end
from hardware_sim.devices.llrp import LlrpReaderDevice
from hardware_sim.errors import PartFailed, SimError, WrongUse
from hardware_sim.noise import Radio, Steady
from hardware_sim.sample.files import write_sample
from hardware_sim.scenario.draw import HOURS_DEFAULT, START
from hardware_sim.serve import HOST, ReaderPort
from hardware_sim.story.words import Lang
from hardware_sim.world import Storeroom, read_room
from protocols.errors import ProtocolsError
from protocols.values.instant import business_day

FAILED, WRONG_USE = 1, 2
PACKAGES = ("hardware_sim", "protocols", "migrations", "edge_agent", "central")
"""What the distribution ships; they belong together, and others have packages of such names too."""

app = typer.Typer(
    name="wardstock-sim",
    help="Storerooms, devices and a whole small hospital, without hardware.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command()
def demo(  # noqa: PLR0913, PLR0917 - options are arguments to typer
    ends: Annotated[bool, typer.Option("--exit", help="Play the story once, judge it, end.")] = False,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the summary here (with --exit).")] = None,
    state: Annotated[Path | None, typer.Option(help="Keep everything in this new or empty folder.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The same seed plans the same evening.")] = None,
    wards: Annotated[int, typer.Option(help="Wards: an edge, a reader and a scanner each.")] = 2,
    no_take: Annotated[bool, typer.Option("--no-take", help="Nobody takes a piece without a scan.")] = False,
    break_how: Annotated[
        Break | None, typer.Option("--break", help="Spoil central's file after the story; the checker must notice.")
    ] = None,
    broker: Annotated[BrokerKind, typer.Option(help="The MQTT broker in the middle.")] = BrokerKind.AMQTT,
    rate: Annotated[float, typer.Option(help="Story seconds a real second.")] = RATE_DEFAULT,
    hours: Annotated[float, typer.Option(help="Length of the evening, from 16:00.")] = HOURS_DEFAULT,
    port: Annotated[int, typer.Option(help="Port of the page; 0 takes any free one.")] = 0,
    lang: Annotated[Lang, typer.Option(help="Language of the terminal.")] = Lang.EN,
) -> None:
    """Play a small hospital on this machine: readers, scanners, people, edges, broker, central and its page.

    Without --exit it runs until Ctrl-C. Exit status: 0 done, 1 the story was judged and is not right, 2 wrong use.

    Example: wardstock-sim demo --exit --json summary.json --state ./evening --seed 7
    """
    options = Options(
        seed=any_seed() if seed is None else seed,
        wards=wards,
        ends=ends,
        json=json_path,
        state=state,
        with_take=not no_take,
        break_how=break_how,
        broker=broker,
        rate=rate,
        hours=hours,
        http_port=port,
        lang=lang,
    )
    raise typer.Exit(play(options))


@app.command()
def reader(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="TCP port; 0 takes any free one, LLRP's own is 5084.")],
    tags: Annotated[int, typer.Option(help="Made-up tags in the field.")] = 100,
    rate: Annotated[float, typer.Option(help="Reads a second, over all tags.")] = 200.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same tags.")] = 1,
    world: Annotated[Path | None, typer.Option(help="A storeroom's file instead of made-up tags.")] = None,
) -> None:
    """Run one simulated LLRP reader on TCP until Ctrl-C. Prints `listening HOST:PORT` when it serves.

    A world is the file that `wardstock-sim demo --state DIR` leaves as DIR/sim/WARD/world.json.

    Example: wardstock-sim reader --port 5084 --tags 150 --rate 300
    """
    rng = random.Random(seed)
    field = Steady(tags=tags, reads_a_s=rate, rng=rng) if world is None else Radio(_room_of(world), rng)
    served = ReaderPort(LlrpReaderDevice(field.inventory), Clock(real_time()), port=port)
    served.start()
    print(f"listening {HOST}:{served.port}", flush=True)
    try:
        wait_for_end()
    finally:
        served.close()


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    wards: Annotated[int, typer.Option(help="Wards among the places.")] = 2,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day after the last day of use.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Say what was written as JSON.")] = False,
) -> None:
    """Write the sample hospital as CSV files for `wardstock-central import`: items, suppliers, lots, use, stock.

    Example: wardstock-sim sample ./sample --wards 2
    """
    write_sample(folder, wards=wards, until=business_day(START) if until is None else until.date())
    names = sorted(path.name for path in folder.iterdir())
    print(json.dumps({"folder": str(folder), "files": names}) if as_json else f"wrote {', '.join(names)} in {folder}")


def main() -> None:
    """Run the program and exit with its status."""
    sys.exit(start(sys.argv[1:]))


def start(arguments: list[str]) -> int:
    """Run one command; returns 0 done, 1 failed, 2 wrong use. No traceback reaches a user."""
    try:
        check_packages()
        app(arguments, prog_name="wardstock-sim")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED
    except WrongUse as error:
        return _failed(str(error), WRONG_USE)
    except (SimError, ProtocolsError) as error:
        return _failed(str(error), FAILED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read our words is gone
        return FAILED
    except OSError as error:
        return _failed(str(error), FAILED)
    except Exception as error:  # noqa: BLE001 - the outermost frame: a bug is one line that says where
        return _failed(f"this is a fault of the program, please report it: {_where(error)}", FAILED)
    return 0


def check_packages() -> None:
    """Check that our five packages share one folder. Raises `PartFailed` naming one that does not."""
    home = Path(__file__).resolve().parents[1]
    for name in PACKAGES:
        spec = find_spec(name)
        found = list(spec.submodule_search_locations or [spec.origin or "built in"]) if spec else []
        if not any(Path(place).resolve().parent == home and Path(place).name == name for place in found):
            where = found[0] if found else "nowhere"
            raise PartFailed(f"package {name}: expected it in {home}, found {where}; remove the other of that name")


def _where(error: Exception) -> str:
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    place = "" if at is None else f" at {Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}"
    return f"{type(error).__name__}: {error}{place}"


def _failed(line: str, status: int) -> int:
    with contextlib.suppress(OSError):
        print(f"wardstock-sim: {line}", file=sys.stderr)
    return status


def _room_of(path: Path) -> Storeroom:
    try:
        return read_room(path.read_bytes())
    except OSError as error:
        raise WrongUse(f"--world {path}: expected a file that can be read; {error.strerror}") from error


if __name__ == "__main__":
    main()
