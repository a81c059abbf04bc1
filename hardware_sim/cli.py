"""`wardstock-sim`: simulated readers, sample data, and a whole small hospital on this machine.

It reads options and shows errors; what a command does is elsewhere. The rule that must not be broken: no traceback
reaches a person, and the exit status says 0 done, 1 failed, 2 wrong use.
"""

import contextlib
import json
import os
import sys
from collections.abc import Iterable
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from hardware_sim.clock import any_seed
from hardware_sim.demo.options import RATE_DEFAULT, RATE_LOW, Break, BrokerKind, Options
from hardware_sim.demo.play import play
from hardware_sim.devices_cli import DEVICES, READER, RECORD, devices, reader, record_reader
from hardware_sim.errors import PartFailed, SimError, WrongUse
from hardware_sim.load.command import is_delivered, load_hospital, load_words
from hardware_sim.load.hospital import WARDS_MAX as LOAD_WARDS_MAX
from hardware_sim.load.hospital import Load, write_places
from hardware_sim.sample.files import WARDS_MAX, write_sample
from hardware_sim.scenario.draw import HOURS_DEFAULT, HOURS_MAX, HOURS_MIN, START
from hardware_sim.storeroom.command import Asked, plan_of, rate_words, words, write_storeroom
from hardware_sim.storeroom.rates import WORLDS, described
from hardware_sim.storeroom.stock import DAYS_MAX
from hardware_sim.story.words import Lang
from protocols.errors import ProtocolsError
from protocols.values.instant import RATE_MAX, business_day

FAILED, WRONG_USE = 1, 2
PACKAGES = ("hardware_sim", "protocols", "migrations", "edge_agent", "central")
"""What the distribution ships; they belong together, and others have packages of such names too."""


EXPECTED = {"int_parsing": "a whole number", "float_parsing": "a number", "int_from_float": "a whole number"}
"""What typer's own words for a wrong value do not say."""

DEMO = ("wardstock-sim demo", "wardstock-sim demo --exit --json evening.json --state evening")
STOREROOM = (
    "wardstock-sim storeroom --out week --days 7 --tags 300 --seed 1",
    "wardstock-sim storeroom --out hard --world hard --set unscanned=0.05 --looks 3",
    "wardstock-sim storeroom --out story --story differences",
    "wardstock-sim storeroom --rates --world hard",
)
HOSPITAL = (
    "wardstock-sim hospital --wards 50 --days 1 --speed 3600",
    "wardstock-sim hospital --wards 200 --days 7 --speed 0 --broker mosquitto --json",
)
SAMPLE = ("wardstock-sim sample hospital --wards 2",)


def example(commands: Iterable[str]) -> str:
    """Return commands as the end of a help text: each on a line of its own that is not wrapped, to be copied."""
    return "\n".join(("\b", "Example:", *(f"  {command}" for command in commands)))


app = typer.Typer(
    name="wardstock-sim",
    help="Storerooms, devices and a whole small hospital, without hardware.",
    epilog=example((*DEMO, *READER, *DEVICES, *RECORD, *STOREROOM, *HOSPITAL, *SAMPLE)),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command(epilog=example(DEMO))
def demo(  # noqa: PLR0913, PLR0917 - options are arguments to typer
    ends: Annotated[bool, typer.Option("--exit", help="Play the story once, judge it, end.")] = False,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the summary here (with --exit).")] = None,
    state: Annotated[Path | None, typer.Option(help="Keep everything in this new or empty folder.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The same seed plans the same evening.")] = None,
    wards: Annotated[int, typer.Option(help=f"Wards, 1..{WARDS_MAX}: an edge, a reader and a scanner each.")] = 2,
    no_take: Annotated[bool, typer.Option("--no-take", help="Nobody takes a piece without a scan.")] = False,
    break_how: Annotated[
        Break | None, typer.Option("--break", help="Spoil central's file after the story; the checker must notice.")
    ] = None,
    broker: Annotated[BrokerKind, typer.Option(help="The MQTT broker in the middle.")] = BrokerKind.AMQTT,
    rate: Annotated[float, typer.Option(help=f"Story seconds a real second, {RATE_LOW:g}..{RATE_MAX}.")] = RATE_DEFAULT,
    hours: Annotated[
        float, typer.Option(help=f"Length of the evening from 16:00, {HOURS_MIN:g}..{HOURS_MAX:g}.")
    ] = HOURS_DEFAULT,
    port: Annotated[int, typer.Option(help="Port of the page; 0 takes any free one.")] = 0,
    lang: Annotated[Lang, typer.Option(help="Language of the terminal.")] = Lang.EN,
) -> None:
    """Play a small hospital on this machine: readers, scanners, people, edges, broker, central and its page.

    Without --exit it runs until Ctrl-C. Exit status: 0 done, 1 the story was judged and is not right, 2 wrong use.
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


app.command(epilog=example(READER))(reader)


@app.command(epilog=example(STOREROOM))
def storeroom(  # noqa: PLR0913, PLR0917 - options are arguments to typer
    out: Annotated[Path | None, typer.Option(help="A new or empty folder for the trace.")] = None,
    days: Annotated[int | None, typer.Option(help=f"Days from a Monday on, 1..{DAYS_MAX}; 7 unless said.")] = None,
    tags: Annotated[int | None, typer.Option(help="Tags on the shelves at first; 300 unless said.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The same seed and options write the same bytes.")] = None,
    world: Annotated[str | None, typer.Option(help=f"How often things go wrong: {', '.join(WORLDS)}.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="RATE=NUMBER", help="One rate of the world; may be repeated.")
    ] = None,
    looks: Annotated[int | None, typer.Option(help="Lines a day that a person looks at: 0, 3 or 6.")] = None,
    story: Annotated[str | None, typer.Option(help="A file of events to happen, or `differences`.")] = None,
    rates: Annotated[
        bool, typer.Option("--rates", help="Only say every rate of the world that --set may change.")
    ] = False,
    ant_every: Annotated[int, typer.Option(help="Bins from one that tells antennas apart to the next; 0 never.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Say what was written as JSON.")] = False,
) -> None:
    """Draw days of one storeroom and write its trace for `wardstock-edge replay`; the truth stands beside it."""
    asked = Asked(seed, days, tags, world, tuple(settings or ()), looks, ant_every, story)
    if rates:
        figures = described(plan_of(asked).rates)
        print(json.dumps(figures) if as_json else rate_words(figures))
        return
    if out is None:
        raise WrongUse(
            "--out: expected a new or empty folder for the trace, got none; see wardstock-sim storeroom --help"
        )
    table = write_storeroom(plan_of(asked), out)
    print(json.dumps(table) if as_json else words(table))


app.command(epilog=example(DEVICES))(devices)
app.command("record", epilog=example(RECORD))(record_reader)


@app.command(epilog=example(HOSPITAL))
def hospital(  # noqa: PLR0913, PLR0917 - options are arguments to typer
    wards: Annotated[int, typer.Option(help=f"Wards, 1..{LOAD_WARDS_MAX}: an edge each.")] = 20,
    days: Annotated[int, typer.Option(help="Days of work in every ward.")] = 1,
    speed: Annotated[
        float, typer.Option(help=f"Story seconds a real second, 1..{RATE_MAX}; 0: all days are a backlog that drains.")
    ] = 3600.0,
    tags: Annotated[int, typer.Option(help="Tagged pieces in every ward.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same days.")] = 1,
    broker: Annotated[str, typer.Option(help="amqtt or mosquitto, and a central; or mqtt://HOST:PORT.")] = "amqtt",
    settle: Annotated[float, typer.Option(help="Real seconds given to the last acknowledgements.")] = 120.0,
    state: Annotated[Path | None, typer.Option(help="Keep broker's and central's files in this new folder.")] = None,
    places: Annotated[Path | None, typer.Option(help="Only write what central imports first.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Say the figures as JSON.")] = False,
) -> None:
    """Put a hospital's load on a broker and central: every ward's days as real frames of real ledger entries.

    Exit status: 0 every entry was acknowledged (and central verified), 1 not, 2 wrong use. With the address of a broker
    its central must know the wards (import the folder of --places first) and hold no entry of theirs yet.
    """
    load = Load(wards, days, speed, tags, seed, broker, settle)
    if places is not None:
        write_places(places, load)
        print(f"wrote {places}; now: wardstock-central import {places}")
        return
    table = load_hospital(load, state)
    print(json.dumps(table) if as_json else load_words(table))
    raise typer.Exit(0 if is_delivered(table) else FAILED)


@app.command(epilog=example(SAMPLE))
def sample(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")],
    wards: Annotated[int, typer.Option(help=f"Wards among the places, 1..{WARDS_MAX}.")] = 2,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day after the last day of use.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Say what was written as JSON.")] = False,
) -> None:
    """Write the sample hospital as CSV files for `wardstock-central import`: items, suppliers, lots, use, stock."""
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
        return _called(arguments)
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


def _called(arguments: list[str]) -> int:
    """Let typer read the options and call the command; an option's wrong value is told with what came."""
    try:
        if not arguments:
            app(["--help"], prog_name="wardstock-sim", standalone_mode=False)
            return WRONG_USE
        status = app(arguments, prog_name="wardstock-sim", standalone_mode=False)
    except typer.TyperException as error:
        fault = error.__cause__
        if isinstance(error, typer.BadParameter) and isinstance(fault, ValidationError) and error.param is not None:
            said = fault.errors()[0]
            text = f"{error.param.opts[0]}: expected {_expected(said)}, got {said['input']!s:.40}"
        else:
            text = error.format_message().rstrip(".")
        raise WrongUse(f"{text}; see wardstock-sim {_command_in(arguments)}--help") from error
    return status if isinstance(status, int) else 0


def _command_in(arguments: list[str]) -> str:
    known = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    return f"{arguments[0]} " if arguments and arguments[0] in known else ""


def _expected(fault: ErrorDetails) -> str:
    """Return what an option takes, in words for a person at a terminal."""
    if fault["type"] in EXPECTED:
        return EXPECTED[fault["type"]]
    said = fault["msg"].removeprefix("Input should be ").removeprefix("Value error, ").rstrip(".")
    return "a day such as 2026-03-02" if "formats" in said else said.rpartition(" is not ")[2]


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


if __name__ == "__main__":
    main()
