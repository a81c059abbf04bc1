"""`wardstock-central charges`: take in a CSV of what the hospital information system charged.

It reads the file's form and calls the intake. The rule that must not be broken: every row that does not fit is told.
"""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from central.bootstrap.parts import clock_of, his_of, store_of
from central.cli.options import ConfigOption, JsonOption
from central.config import read_config
from central.core.charge_rows import NEEDED
from central.errors import BadFile, BadInput
from central.services.accounts import OPERATOR
from central.services.charge_intake import Intake, SourceRow, named_by_us
from central.services.documents import Documents

FAULTS_SHOWN = 40


def take_in_charges(
    config: ConfigOption,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV in UTF-8 with a head.")],
    as_json: JsonOption = False,
) -> None:
    """Take in charges and refunds from a CSV; a row that is known already changes nothing.

    The columns are those of [his] charges_columns, else charge, refunds, at, ward, code, label, qty, patient, reason.
    """
    loaded = read_config(config)
    with store_of(loaded) as store:
        documents = Documents(store, loaded.hospital_id, clock_of(loaded))
        intake = Intake(
            his_of(loaded, documents), documents, "csv", file.name, loaded.his.wards, used=loaded.his.charges_use
        )
        done = intake.take_in(_rows(file, loaded.his.charges_columns), OPERATOR)
    told = {"fresh": done.fresh, "known": done.known, "faults": [f"{one.row}: {one.fault}" for one in done.faults]}
    if as_json:
        print(json.dumps(told, ensure_ascii=False))
    else:
        print(f"{done.fresh} charges taken in, {done.known} known already, {len(done.faults)} rows do not fit")
    if done.faults:
        shown = tuple(f"{one.row}: {one.fault}" for one in done.faults[:FAULTS_SHOWN])
        raise BadFile(f"{file.name}: expected every row to fit, {len(done.faults)} do not; the rest is in", shown)


def _rows(file: Path, columns: dict[str, str]) -> Iterator[SourceRow]:
    wanted = [columns.get(name, "") if columns else name for name in NEEDED]
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            table = csv.DictReader(text)
            lacking = [name for name in wanted if name not in (table.fieldnames or [])]
            if lacking:
                raise BadInput(f"{file.name} row 1: expected the columns {', '.join(wanted)}; it lacks {lacking[0]}")
            for number, cells in enumerate(table, start=2):
                yield SourceRow(f"row {number}", named_by_us(cells, columns))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"{file.name}: expected a CSV in UTF-8, got: {error}") from error
