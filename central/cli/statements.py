"""`wardstock-central statement` and `verify-statement`: write a day's signed statements, and check some from files.

The rule that must not be broken: checking needs the file and the public key, never a store or a configuration.
"""

import json
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from central.bootstrap.parts import clock_of, store_of
from central.cli.options import FAILED, ConfigOption
from central.config import read_config
from central.core.statement import FORM_BEFORE
from central.errors import BadInput
from central.services.statements import (
    Lacking,
    lacking,
    last_day,
    make,
    signer_at,
    so_far,
    statements,
    verify_file,
)


def _statement(
    config: ConfigOption,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the files go.")] = Path(),
    day: Annotated[
        str, typer.Option("--day", metavar="DATE", help="A day, such as 2026-03-02; the one that ended last without.")
    ] = "",
    unfinished: Annotated[
        bool, typer.Option("--so-far", help="Of today until now instead: signed, and not kept as the day's.")
    ] = False,
) -> None:
    """Write the signed statements of a business day that is over: ledger, lines, match, open discrepancies, readers.

    One is made of each storeroom and day; the same day again writes the same files. Storerooms that have none are named
    with the reason. `verify-statement` checks one from the file alone.
    """
    loaded = read_config(config)
    if unfinished and day:
        raise BadInput("--so-far: expected it without --day, for it is of today; leave one of them out")
    with store_of(loaded) as store:
        now, signer = clock_of(loaded).now(), signer_at(loaded.statement_key)
        if unfinished:
            made, none = so_far(store, loaded.hospital_id, now, signer), {}
        else:
            asked = _day(day) if day else last_day(now)
            made = make(store, loaded.hospital_id, now, signer) if asked == last_day(now) else {}
            made = made or statements(store, loaded.hospital_id, asked)
            none = lacking(store, loaded.hospital_id, asked, now)
    out.mkdir(parents=True, exist_ok=True)
    for place, text in made.items():
        path = out / f"{place}.{json.loads(text)['statement']['day']}{'.so-far' * unfinished}.json"
        path.write_text(text, "utf-8")
        print(path)
    for place, why in sorted(none.items()):
        print(f"none of {place}: {WHY_NONE[why]}", file=sys.stderr)
    if not made:
        raise typer.Exit(FAILED)


WHY_NONE: Mapping[Lacking, str] = {
    Lacking.NOT_OVER: "that day is not over; --so-far states today until now",
    Lacking.NOT_KNOWN: "nothing was known of it by the end of that day",
    Lacking.NOT_MADE: "none was made while that day was the last; an earlier day cannot be stated any more",
}


def _verify_statement(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Statements, each checked.")],
    key: Annotated[
        Path | None, typer.Option("--key", metavar="PUB", help="The public key; statement.pub beside FILE without.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer with one JSON object a line, one for each.")] = False,
) -> None:
    """Check signed statements from files alone, without a store or a configuration; exit 1 when one is not whole."""
    sound = True
    for file in files:
        try:
            whole, said, why = verify_file(file, file.parent / "statement.pub" if key is None else key)
        except BadInput as error:
            if len(files) == 1:
                raise
            whole, said, why = False, {}, str(error)
        sound = sound and whole
        if as_json:
            print(json.dumps({"file": str(file), "ok": whole, "why": why, "statement": said}, ensure_ascii=False))
        else:
            print("\n".join(_told(file.name, said)) if whole else f"NOT WHOLE: {file.name}: {why}")
    if not sound:
        raise typer.Exit(FAILED)


def _told(name: str, said: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a whole statement says, in lines for a person."""
    match, readers = said["match"], said["readers"]
    if said["form"] == FORM_BEFORE:
        first = f"whole: {name}: {said['place']} on {said['day']}, of a form that took the book for a look at the shelf"
    else:
        span = f"{said['from']} until {said['until']}" + ("" if said["day_over"] else " (the day was not over)")
        found = f"{match['lines_matching']} match, {match['lines_differing']} differ"
        first = (
            f"whole: {name}: {said['place']} on {said['day']}, {span}; "
            f"of {match['lines']} lines {found}, {match['lines_not_observed']} not observed,"
        )
    made = f"made at {said['at']}"
    if readers["offline"]:
        made += f"; its readers were offline, last heard {readers['last_contact'] or 'never'}"
    return (
        first,
        f"{said['lines_certified']} lines certified, {len(said['discrepancies'])} discrepancies open",
        _heard(readers),
        made,
    )


def _heard(readers: Mapping[str, Any]) -> str:
    """Say for how much of the time readers listened."""
    if readers["coverage"] is None:
        return (
            "no device watches it" if readers.get("why") == "no_device" else "its device told nothing of antennas yet"
        )
    share = 100 * float(readers["coverage"])
    return f"readers listened {share:.1f} % of the time until {readers['covered_until']}, as its device told"


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"--day: expected one such as 2026-03-02, got {text!r:.20}") from error


def add_commands(app: typer.Typer) -> None:
    """Add these commands to the program's."""
    example = "Example: wardstock-central"
    app.command("statement", epilog=f"{example} statement --config central.toml --out statements/")(_statement)
    several = f"{example} verify-statement statements/ward-0*.json --key statement.pub"
    app.command("verify-statement", epilog=several)(_verify_statement)
