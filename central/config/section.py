"""What every table of central.toml is: checked strictly, and a key it does not know is a fault.

It knows no table. The rule that must not be broken: nothing is guessed, not even a number out of a text.
"""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of the file; a key it does not know is a fault."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
