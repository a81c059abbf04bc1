"""`wardstock-central bench`: the product's policies beside plain ways of doing their work, on a hospital's own data.

The rule that must not be broken: it reads the named folder and changes nothing anywhere.
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from central.cli.options import JsonOption, progress
from central.services.reorder_bench.run import COVER_DAYS, bench_reorder
from central.services.reorder_bench.words import lines_of

bench = typer.Typer(name="bench", help="Compare the product with plain ways of doing its work.", no_args_is_help=True)


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
    with progress() as tell:
        report = bench_reorder(data, cover_days, tell)
    if not as_json:
        print(lines_of(report))
        return
    print(json.dumps(report))


def add_commands(app: typer.Typer) -> None:
    """Add these commands to the program's."""
    app.add_typer(bench)
