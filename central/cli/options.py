"""What several commands of `wardstock-central` share: options, exit status, and what a person sees meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

DONE, FAILED, WRONG_USE = 0, 1, 2

ConfigOption = Annotated[Path, typer.Option("--config", metavar="FILE", help="The server's central.toml.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")]


@contextmanager
def progress() -> Iterator[Callable[[str, int], None]]:
    """Show what is going on while a person watches; silent else."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda what, count: bar.update(task, description=f"{what} {count or ''}")
