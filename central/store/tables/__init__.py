"""Every table of central, in one metadata."""

import importlib
import pkgutil


def every_table() -> None:
    """Import each module of tables, so that the metadata is whole."""
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(module.name)
