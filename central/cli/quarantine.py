"""`wardstock-central quarantine`: what was set aside, and posting it once this release reads it."""

import json
from dataclasses import asdict

import typer

from central.bootstrap.parts import clock_of, store_of
from central.cli.options import ConfigOption, JsonOption
from central.config import read_config
from central.services.accounts import OPERATOR
from central.services.documents import Documents
from central.services.quarantine import Quarantine, Replays

quarantine = typer.Typer(
    name="quarantine",
    help="Entries that were set aside: what they are, and posting them after an update.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@quarantine.command("list", epilog="Example: wardstock-central quarantine list --config central.toml --json")
def _list(config: ConfigOption, as_json: JsonOption = False) -> None:
    """Say of each entry that was set aside whether it could be posted now, and else why not."""
    loaded = read_config(config)
    with store_of(loaded) as store:
        found = Quarantine(Documents(store, loaded.hospital_id, clock_of(loaded))).standing()
    _say(found, as_json=as_json, done="could be posted now")


@quarantine.command("replay", epilog="Example: wardstock-central quarantine replay --config central.toml")
def _replay(config: ConfigOption, as_json: JsonOption = False) -> None:
    """Post whatever was set aside and can be posted now. Doing it again posts nothing twice."""
    loaded = read_config(config)
    with store_of(loaded) as store:
        found = Quarantine(Documents(store, loaded.hospital_id, clock_of(loaded))).replay_all(OPERATOR)
    _say(found, as_json=as_json, done="posted")


def add_commands(app: typer.Typer) -> None:
    """Add these commands to the program's."""
    app.add_typer(quarantine)


def _say(found: Replays, *, as_json: bool, done: str) -> None:
    if as_json:
        print(json.dumps({"posted": found.posted, "still": [asdict(one) for one in found.still]}))
        return
    for one in found.still:
        print(f"{one.device}  {one.incarnation}  {one.seq}  {one.why}")
    print(f"{found.posted} {done}, {len(found.still)} stay where they are")
