"""Options that several commands of `wardstock-central` share."""

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[Path, typer.Option("--config", metavar="FILE", help="The server's central.toml.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")]
