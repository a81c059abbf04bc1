"""`wardstock-central`: the server and its tools. Options and words only; each command calls one thing.

Exit status: 0 done, 1 failed, 2 wrong use. The rule that must not be broken: no traceback reaches a user; a fault of
our own is one line that says where.
"""

import json
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

from central.bootstrap.hearing import take_in_alone
from central.bootstrap.parts import clock_of, migrate_store, store_of
from central.bootstrap.server import serve
from central.cli import bench as bench_commands
from central.cli import charges as charge_commands
from central.cli import devices as devices_commands
from central.cli import month as month_commands
from central.cli import people as people_commands
from central.cli import quarantine as quarantine_commands
from central.cli import rules as rule_commands
from central.cli import safety as safety_commands
from central.cli import statements as statement_commands
from central.cli.options import DONE, FAILED, WRONG_USE, ConfigOption, JsonOption, progress
from central.config import read_config
from central.errors import BadFile, BadInput, CentralError, NotReady
from central.services.imports import import_folder
from central.services.verify import verify
from protocols.errors import BadValue
from protocols.sync.topics import SHARD_MAX, shards_of

LOG_LINE, LOG_TIME = "%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S%z"
"""A line of the log: real time with its zone, whatever the story's clock says."""

PACKAGES = ("central", "protocols", "migrations", "edge_agent", "hardware_sim")
"""What the distribution ships; they belong together, and others have packages of such names too."""

app = typer.Typer(
    name="wardstock-central",
    help="The server of one hospital: what its storerooms should hold, do hold, and what to order.",
    epilog="Example: wardstock-central migrate --config central.toml && wardstock-central serve --config central.toml",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


people_commands.add_commands(app)
devices_commands.add_commands(app)
safety_commands.add_commands(app)
quarantine_commands.add_commands(app)
month_commands.add_commands(app)
rule_commands.add_commands(app)
statement_commands.add_commands(app)
bench_commands.add_commands(app)
app.command("charges", epilog="Example: wardstock-central charges --config central.toml charges.csv")(
    charge_commands.take_in_charges
)

ParentPipeOption = Annotated[
    int | None, typer.Option("--parent-pipe", metavar="FD", help="End at the end of this inherited pipe.")
]


def main() -> None:
    """Run the program and exit with its status."""
    sys.exit(start(sys.argv[1:]))


def start(arguments: list[str]) -> int:
    """Run one command; returns 0 done, 1 failed, 2 wrong use."""
    try:
        check_packages()
        app(arguments, prog_name="wardstock-central")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED
    except CentralError as error:
        wrong_use = isinstance(error, BadInput) and not isinstance(error, BadFile)
        return _complain(str(error), WRONG_USE if wrong_use else FAILED)
    except SQLAlchemyError as error:
        return _complain(
            f"store: expected a database that answers, got: {error.args[0] if error.args else error}", FAILED
        )
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whoever read our output has gone; let the last flush go too
        return FAILED
    except Exception as error:  # noqa: BLE001 # the outermost frame: a bug is one line that says where
        return _complain(f"this is a fault of the program, please report it: {_where(error)}", FAILED)
    return DONE


@app.command("serve", epilog="Example: wardstock-central serve --config central.toml")
def _serve(
    config: ConfigOption,
    ingest: Annotated[
        bool, typer.Option("--ingest/--no-ingest", help="Take in what devices say, or leave it to `ingest`.")
    ] = True,
    parent_pipe: ParentPipeOption = None,
) -> None:
    """Serve API and page, take in what devices say, and propose orders, until asked to stop.

    Prints `listening HOST:PORT` once requests are answered.
    """
    _log()
    ends = None if parent_pipe is None else _pipe_end(parent_pipe)
    heard = read_config(config)
    serve(heard, lambda host, port: print(f"listening {host}:{port}", flush=True), ends, ingest=ingest)


@app.command("ingest", epilog="Example: wardstock-central ingest --config central.toml --shards 0-127")
def _ingest(
    config: ConfigOption,
    shards: Annotated[
        str, typer.Option("--shards", metavar="RANGES", help="Whose devices: such as 0-127 or 0-3,200.")
    ] = f"0-{SHARD_MAX}",
    parent_pipe: ParentPipeOption = None,
) -> None:
    """Take in what devices of some shards say, beside `serve --no-ingest`; PostgreSQL only.

    As many of these as there are processors, each with its shards, on any machine that reaches store and brokers.
    Prints `ingesting` once it listens.
    """
    _log()
    try:
        mine = shards_of(shards)
    except BadValue as error:
        raise BadInput(f"--shards: {error}") from error
    ends = None if parent_pipe is None else _pipe_end(parent_pipe)
    take_in_alone(read_config(config), mine, lambda: print("ingesting", flush=True), ends)


def _log() -> None:
    logging.basicConfig(level=logging.INFO, format=LOG_LINE, datefmt=LOG_TIME, stream=sys.stderr)
    for library in ("apscheduler", "alembic"):
        logging.getLogger(library).setLevel(logging.WARNING)


@app.command("migrate", epilog="Example: wardstock-central migrate --config central.toml")
def _migrate(
    config: ConfigOption,
    owner_url: Annotated[
        str, typer.Option("--owner-url", metavar="URL", help="The store's address for the role that owns its schema.")
    ] = "",
    app_role: Annotated[
        str, typer.Option("--app-role", metavar="ROLE", help="The role that serve and ingest run as (PostgreSQL).")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Bring the store to the schema of this version, and fill its policy table. Doing it again changes nothing.

    On PostgreSQL two roles keep the ledger safer: one owns the schema and migrates, the other only reads and adds.
    """
    reached, rules = migrate_store(read_config(config), owner_url=owner_url, app_role=app_role)
    if as_json:
        print(json.dumps({"schema": reached, "rules_added": rules}))
    else:
        print(f"store: schema {reached}, {rules} policy rules added")


@app.command("import", epilog="Example: wardstock-central import --config central.toml sample/")
def _import(
    config: ConfigOption,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder with items.csv, suppliers.csv, places.csv …")],
    as_json: JsonOption = False,
) -> None:
    """Import catalogue, suppliers, storerooms, past use and opening stock from CSV files.

    One fault anywhere, and nothing is imported. Importing the same folder again changes nothing.
    """
    loaded = read_config(config)
    with store_of(loaded) as store, progress() as tell:
        done = import_folder(store, loaded.hospital_id, folder, clock_of(loaded), tell)
    if as_json:
        print(json.dumps({"rows": dict(done.rows), "opened": done.opened}))
        return
    for name, rows in done.rows.items():
        print(f"{name}: {rows} rows")
    print(f"stock: {done.opened} lines opened")


@app.command("verify", epilog="Example: wardstock-central verify --config central.toml --json")
def _verify(config: ConfigOption, as_json: JsonOption = False) -> None:
    """Check the whole store without changing it.

    Covers: each entry's hash and its chain to the head; each event, posting line, balance, belief and tag binding
    against the entries; the record of acts; each discrepancy against the entries it rests on, and that none is missing
    that book and beliefs call for; each order and its line against the proposal it was approved from. Does not cover
    imported tables (items, suppliers, storerooms, use), who approved an order, and closed discrepancies that were
    removed.
    """
    with store_of(read_config(config)) as store, progress() as tell:
        tell("reading the store", 0)
        report = verify(store, tell)
    if as_json:
        print(json.dumps({"ok": report.ok, **asdict(report)}))
    else:
        print(f"{report.entries} entries in {report.chains} chains, {report.events} events")
        print(f"{report.discrepancies} discrepancies, {report.orders} orders")
        print(f"{report.quarantined} entries in quarantine")
        if report.waiting:
            print(f"{report.waiting} differences wait for the next comparison")
        for fault in report.faults:
            print(f"fault: {fault}")
        print("sound" if report.ok else f"{report.fault_count} faults")
    if not report.ok:
        raise typer.Exit(FAILED)


def _pipe_end(pipe: int) -> Callable[[], None]:
    """Return what waits for the end of a pipe. Raises `BadInput` for a descriptor that is not open."""
    try:
        os.fstat(pipe)
    except OSError as error:
        raise BadInput(f"--parent-pipe: expected an inherited descriptor, {pipe} is not open") from error

    def wait() -> None:
        while os.read(pipe, 1):
            pass

    return wait


def check_packages() -> None:
    """Check that our five packages share one folder. Raises `NotReady` naming one that does not."""
    home = Path(__file__).resolve().parents[2]
    for name in PACKAGES:
        spec = find_spec(name)
        found = list(spec.submodule_search_locations or [spec.origin or "built in"]) if spec else []
        if not any(Path(place).resolve().parent == home and Path(place).name == name for place in found):
            where = found[0] if found else "nowhere"
            raise NotReady(f"package {name}: expected it in {home}, found {where}; remove the other of that name")


def _complain(line: str, status: int) -> int:
    print(f"wardstock-central: {line}", file=sys.stderr)
    return status


def _where(error: Exception) -> str:
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    place = "" if at is None else f" at {Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}"
    return f"{type(error).__name__}: {error}{place}"
