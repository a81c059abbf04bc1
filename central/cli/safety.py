"""`wardstock-central backup` and `settle-clone`: what is safe elsewhere, and which of two machines stays."""

import json
from pathlib import Path
from typing import Annotated

import typer

from central.bootstrap.parts import clock_of, store_of
from central.cli.devices import named
from central.cli.options import ConfigOption, JsonOption
from central.config import read_config
from central.errors import BadInput
from central.services.accounts import OPERATOR
from central.services.safety import accept, forget, prove, settle_clone

NAME_MAX = 60

backups = typer.Typer(
    name="backup",
    help="Backups that were restored and verified: what they hold, edges may trim.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

NameOption = Annotated[str, typer.Option("--name", metavar="NAME", help="What this backup is called.")]


@backups.command("prove", epilog="Example: wardstock-central backup prove --config restored.toml --out proof.json")
def _prove(
    config: ConfigOption,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the manifest goes.")],
) -> None:
    """Verify a copy that was restored somewhere else, whole, and write what it holds.

    Give the configuration of the restored copy, never that of the server.
    """
    loaded = read_config(config)
    with store_of(loaded) as store:
        raw = prove(store, clock_of(loaded).real_now())
    try:
        out.write_bytes(raw)
    except OSError as error:
        raise BadInput(f"{out}: expected to write the manifest there: {error.strerror}") from error
    print(out)


@backups.command("accept", epilog="Example: wardstock-central backup accept --config central.toml proof.json --name w1")
def _accept(
    config: ConfigOption,
    manifest: Annotated[Path, typer.Argument(metavar="FILE", help="What `backup prove` wrote.")],
    name: NameOption,
    as_json: JsonOption = False,
) -> None:
    """Let edges trim what a proven backup holds. Accept the next one under the same name to replace it."""
    loaded = read_config(config)
    try:
        raw = manifest.read_bytes()
    except OSError as error:
        raise BadInput(f"{manifest}: expected a manifest there: {error.strerror}") from error
    with store_of(loaded) as store:
        done = accept(store, loaded.hospital_id, _name(name), raw, clock_of(loaded).now())
    if as_json:
        print(json.dumps({"chains": done.chains, "unknown": done.unknown}))
        return
    print(f"{done.chains} chains are safe up to this backup; {done.unknown} of it are not as this store has them")


@backups.command("forget", epilog="Example: wardstock-central backup forget --config central.toml --name w1")
def _forget(config: ConfigOption, name: NameOption) -> None:
    """Say that a backup was thrown away: edges trim nothing more on its word."""
    loaded = read_config(config)
    with store_of(loaded) as store:
        forget(store, loaded.hospital_id, _name(name))
    print(f"{name} vouches for nothing any more")


def settle(
    config: ConfigOption,
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="A device that is a suspected clone.")],
) -> None:
    """Say that only one machine is left of two that spoke in one device's name; switch the other off first."""
    loaded = read_config(config)
    clock = clock_of(loaded)
    with store_of(loaded) as store, store.write() as connection:
        seen = settle_clone(connection, loaded.hospital_id, named(device), OPERATOR, clock.now())
    print(f"{device} is one machine again; it had been seen that {seen}")


def add_commands(app: typer.Typer) -> None:
    """Add these commands to the program's."""
    app.add_typer(backups)
    app.command("settle-clone", epilog="Example: wardstock-central settle-clone --config central.toml ward-01")(settle)


def _name(text: str) -> str:
    if not 1 <= len(text) <= NAME_MAX or not text.isprintable():
        raise BadInput(f"--name: expected 1..{NAME_MAX} printable characters, got {text!r:.70}")
    return text
