"""`wardstock-central`: the server and its tools. Options and words only; each command calls one thing.

Exit status: 0 done, 1 failed, 2 wrong use. The rule that must not be broken: no traceback reaches a user; a fault of
our own is one line that says where.
"""

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import SQLAlchemyError

from central.bootstrap import accounts_of, clock_of, migrate_store, serve, store_of, take_in_alone
from central.cli import charges as charge_commands
from central.cli import devices as devices_commands
from central.cli import month as month_commands
from central.cli import safety as safety_commands
from central.cli.options import ConfigOption, JsonOption
from central.config import read_config
from central.core.rights import RIGHTS_OF, WARD_ROLES, Role, grants_named
from central.core.signin import TOKEN_DAYS_MAX
from central.errors import BadFile, BadInput, CentralError, NotReady
from central.services.accounts import OPERATOR, Accounts, staff_number, told
from central.services.imports import import_folder
from central.services.reorder_bench.run import COVER_DAYS, bench_reorder
from central.services.reorder_bench.words import lines_of
from central.services.statements import make, signer_at, verify_file
from central.services.verify import verify
from central.store.queries_people import people
from protocols.errors import BadValue
from protocols.sync.topics import SHARD_MAX, shards_of

DONE, FAILED, WRONG_USE = 0, 1, 2
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


users = typer.Typer(
    name="user",
    help="People: accounts with their roles, invitations to set a password, tokens for programs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(users)
devices_commands.add_commands(app)
safety_commands.add_commands(app)
month_commands.add_commands(app)
app.command("charges", epilog="Example: wardstock-central charges --config central.toml charges.csv")(
    charge_commands.take_in_charges
)

ParentPipeOption = Annotated[
    int | None, typer.Option("--parent-pipe", metavar="FD", help="End at the end of this inherited pipe.")
]
PersonArgument = Annotated[str, typer.Argument(metavar="STAFF_NUMBER", help="The person's staff number.")]


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
    with store_of(loaded) as store, _progress() as tell:
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
    with store_of(read_config(config)) as store, _progress() as tell:
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


@app.command("statement", epilog="Example: wardstock-central statement --config central.toml --out statements/")
def _statement(
    config: ConfigOption,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the files go.")] = Path(),
    day: Annotated[str, typer.Option("--day", metavar="DATE", help="A day, such as 2026-03-02; today without.")] = "",
) -> None:
    """Write the signed statement of each storeroom: head of its ledger, lines, match, open discrepancies, readers.

    One is made a day; the same day again writes the same files. `verify-statement` checks one from the file alone.
    """
    loaded = read_config(config)
    asked = None if not day else _day(day)
    with store_of(loaded) as store:
        made = make(store, loaded.hospital_id, clock_of(loaded).now(), signer_at(loaded.statement_key), day=asked)
    out.mkdir(parents=True, exist_ok=True)
    for place, text in made.items():
        path = out / f"{place}.{json.loads(text)['statement']['day']}.json"
        path.write_text(text, "utf-8")
        print(path)


@app.command("verify-statement", epilog="Example: wardstock-central verify-statement ward-01.2026-03-02.json")
def _verify_statement(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A statement.")],
    key: Annotated[
        Path | None, typer.Option("--key", metavar="PUB", help="The public key; statement.pub beside FILE without.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check a signed statement from files alone, without a store or a configuration; exit 1 when it is not whole."""
    whole, said, why = verify_file(file, file.parent / "statement.pub" if key is None else key)
    if as_json:
        print(json.dumps({"ok": whole, "why": why, "statement": said}, ensure_ascii=False))
    elif whole:
        match = said["match"]
        print(f"whole: {said['place']} on {said['day']}, {match['lines_right']} of {match['lines']} lines match,")
        print(f"{said['lines_certified']} lines certified, {len(said['discrepancies'])} discrepancies open")
    else:
        print(f"NOT WHOLE: {why}")
    if not whole:
        raise typer.Exit(FAILED)


@users.command(
    "add", epilog="Example: wardstock-central user add --config central.toml 10023 --name 王某 --role purchaser"
)
def _user_add(
    config: ConfigOption,
    person: PersonArgument,
    name: Annotated[str, typer.Option("--name", help="What people call the person.")],
    role: Annotated[list[str], typer.Option("--role", help="A role; may be said again. See `user roles`.")],
    ward: Annotated[list[str] | None, typer.Option("--ward", help="A storeroom for the roles of a ward.")] = None,
) -> None:
    """Make an account and print its invitation, by which the person sets a password, once, within three days."""
    with _accounts(config) as accounts:
        secret = accounts.add(OPERATOR, staff_number(person), name, grants_named(role, ward or []))
    print(f"/invited/{secret}")


@users.command("invite", epilog="Example: wardstock-central user invite --config central.toml 10023")
def _user_invite(config: ConfigOption, person: PersonArgument) -> None:
    """Print a new invitation for a person who forgot the password; the old password ends at once."""
    with _accounts(config) as accounts:
        print(f"/invited/{accounts.invite(OPERATOR, staff_number(person))}")


@users.command(
    "token", epilog="Example: wardstock-central user token --config central.toml 10023 --name report --days 90"
)
def _user_token(
    config: ConfigOption,
    person: PersonArgument,
    name: Annotated[str, typer.Option("--name", help="What the token is for.")],
    days: Annotated[int, typer.Option("--days", min=1, max=TOKEN_DAYS_MAX, help="Days until it ends.")] = 90,
    read_only: Annotated[bool, typer.Option("--read-only", help="It may look, and change nothing.")] = False,
) -> None:
    """Print a token by which a program acts for a person at the API; it is not shown again."""
    with _accounts(config) as accounts:
        print(accounts.add_token(OPERATOR, staff_number(person), name, read_only=read_only, days=days))


@users.command("revoke", epilog="Example: wardstock-central user revoke --config central.toml 10023 --name report")
def _user_revoke(
    config: ConfigOption, person: PersonArgument, name: Annotated[str, typer.Option("--name", help="The token's name.")]
) -> None:
    """Revoke a person's tokens of one name."""
    with _accounts(config) as accounts:
        print(f"{accounts.revoke_tokens(OPERATOR, staff_number(person), name)} revoked")


@users.command("off", epilog="Example: wardstock-central user off --config central.toml 10023")
def _user_off(config: ConfigOption, person: PersonArgument) -> None:
    """Switch an account off: its sessions, tokens and invitations end at once."""
    with _accounts(config) as accounts:
        accounts.switch(OPERATOR, staff_number(person), active=False)


@users.command("on", epilog="Example: wardstock-central user on --config central.toml 10023")
def _user_on(config: ConfigOption, person: PersonArgument) -> None:
    """Switch an account on again."""
    with _accounts(config) as accounts:
        accounts.switch(OPERATOR, staff_number(person), active=True)


@users.command("roles", epilog="Example: wardstock-central user roles")
def _user_roles() -> None:
    """List the roles and the rights of each."""
    for role in Role:
        where = " (for named storerooms)" if role in WARD_ROLES else ""
        print(f"{role}{where}: {', '.join(sorted(RIGHTS_OF[role]))}")


@users.command("list", epilog="Example: wardstock-central user list --config central.toml --json")
def _user_list(config: ConfigOption, as_json: JsonOption = False) -> None:
    """List the accounts."""
    with _accounts(config) as accounts, accounts.store.read() as connection:
        found = people(connection, accounts.hospital)
    for one in found:
        roles = told(one.grants)
        row = {"person": one.person, "name": one.name, "active": one.active, "roles": roles}
        print(
            json.dumps(row, ensure_ascii=False)
            if as_json
            else f"{one.person}  {one.name}  {' '.join(roles)}" + ("" if one.active else "  (off)")
        )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"--day: expected one such as 2026-03-02, got {text!r:.20}") from error


@contextmanager
def _accounts(config: Path) -> Iterator[Accounts]:
    loaded = read_config(config)
    with store_of(loaded) as store:
        yield accounts_of(loaded, store, clock_of(loaded))


bench = typer.Typer(name="bench", help="Compare the product with plain ways of doing its work.", no_args_is_help=True)
app.add_typer(bench)


@bench.command("reorder", epilog="Example: wardstock-central bench reorder --data use/ --json")
def _bench_reorder(
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="A folder with past use, orders and own levels.")],
    cover_days: Annotated[
        float, typer.Option("--cover-days", min=1, max=60, help="Days of use that one order of the engine covers.")
    ] = COVER_DAYS,
    as_json: JsonOption = False,
) -> None:
    """Play the reorder policies over a hospital's past use and compare fill, stock and order lines.

    Settings are picked on the first half of the days; figures are of the second. Columns tell files apart: use has
    Log_Date_Time, NSVCode, Total_Qty, Ward, Site1; orders (if any) NSVCode, SupplierSupplier_Value, DateOrdered,
    DateReceived; own levels (if any) NSV_Code, Site1, Re_Order_Packsize, Re_Order_Level, Re_Order_Quantity.
    """
    with _progress() as tell:
        report = bench_reorder(data, cover_days, tell)
    if not as_json:
        print(lines_of(report))
        return
    print(json.dumps(report))


@contextmanager
def _progress() -> Iterator[Callable[[str, int], None]]:
    """Show what is going on while a person watches; silent else."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda what, count: bar.update(task, description=f"{what} {count or ''}")


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
