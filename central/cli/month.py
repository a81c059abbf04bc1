"""`wardstock-central month`: the months of the stock book on the command line, to look, to close, to take out."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from central.bootstrap.parts import clock_of, store_of
from central.cli.options import ConfigOption, JsonOption
from central.config import Config, read_config
from central.core.month import Month, Row, grouped, month_named
from central.errors import BadInput
from central.services.accounts import OPERATOR
from central.services.finance import journal_csv, journal_json, journal_of
from central.services.month_close import close_now
from central.services.stock_book import book_of, months_of
from central.store.engine import Store
from protocols.values.ids import ActorId
from protocols.values.instant import Instant
from protocols.values.money import rounded_fen

months = typer.Typer(
    name="month",
    help="Months of the stock book: what they come to, closing one, entries for finance.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

MonthArgument = Annotated[str, typer.Argument(metavar="MONTH", help="A month such as 2026-03.")]


@contextmanager
def _opened(config: Path) -> Iterator[tuple[Config, Store, Instant]]:
    loaded = read_config(config)
    with store_of(loaded) as store:
        yield loaded, store, clock_of(loaded).now()


@months.command("list", epilog="Example: wardstock-central month list --config central.toml")
def _list(config: ConfigOption, as_json: JsonOption = False) -> None:
    """List the months, the last first, with what those that are closed came to."""
    with _opened(config) as (loaded, store, now), store.read() as connection:
        found = months_of(connection, loaded.hospital_id, now)
    rows = [
        {"month": str(month), "closed": one is not None, "value": None if one is None else str(rounded_fen(one.value))}
        for month, one in found
    ]
    if as_json:
        print(json.dumps({"months": rows}))
        return
    for row in rows:
        print(f"{row['month']}  {'closed  ' + str(row['value']) + ' yuan' if row['closed'] else 'open'}")


@months.command("show", epilog="Example: wardstock-central month show 2026-03 --config central.toml")
def _show(month: MonthArgument, config: ConfigOption, as_json: JsonOption = False) -> None:
    """Show the roll-forward of a month by storeroom: opening + in - out = closing, in yuan."""
    with _opened(config) as (loaded, store, now), store.read() as connection:
        book = book_of(connection, loaded.hospital_id, month_named(month), now)
    rooms = grouped({key: row for key, row in book.rows.items() if not key.consigned}, lambda key: key.place)
    rows = {place: _yuan(row) for place, row in rooms.items()}
    if as_json:
        print(json.dumps({"month": month, "closed": book.closed is not None, "places": rows}))
        return
    for place, row in rows.items():
        print(f"{place:24} {row['opening']:>14} + {row['in']:>14} - {row['out']:>14} = {row['closing']:>14}")


def _yuan(row: Row) -> dict[str, str]:
    sums = {"opening": row.opening, "in": row.total_in, "out": row.total_out, "closing": row.closing}
    return {name: str(rounded_fen(one.value)) for name, one in sums.items()}


@months.command("close", epilog="Example: wardstock-central month close 2026-03 --config central.toml")
def _close(month: MonthArgument, config: ConfigOption) -> None:
    """Close a month for good and settle what was used on consignment; it must be the first open one, and over."""
    with _opened(config) as (loaded, store, now):
        done = close_now(store, loaded.hospital_id, month_named(month), ActorId(OPERATOR), now)
    print(f"{month} is closed with {done.closed.lines} value lines; {len(done.notes)} settlements were made")


@months.command("entries", epilog="Example: wardstock-central month entries 2026-03 --config central.toml --out 03.csv")
def _entries(
    month: MonthArgument,
    config: ConfigOption,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where they go: .csv or .json.")],
) -> None:
    """Write a month's balanced entries for finance to import."""
    if out.suffix not in {".csv", ".json"}:
        raise BadInput(f"--out: expected a file that ends in .csv or .json, got {out.name}")
    named: Month = month_named(month)
    with _opened(config) as (loaded, store, now), store.read() as connection:
        journal = journal_of(connection, loaded.hospital_id, named, now)
    text = journal_csv(journal) if out.suffix == ".csv" else journal_json(journal)
    try:
        out.write_text(text, "utf-8")
    except OSError as error:
        raise BadInput(f"{out}: expected to write the entries there: {error.strerror}") from error
    print(f"{len(journal.entries)} entries of {month}{'' if journal.closed else ', which is still open'}")


def add_commands(app: typer.Typer) -> None:
    """Add these commands to the program's."""
    app.add_typer(months)
