"""The table `[his]` of central.toml: the hospital information system's side, and how its charges are read.

It reads nothing. The rule that must not be broken: a mapping names our columns by our words, and each once.
"""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from central.config.section import Section
from central.core.charge_rows import COLUMNS, NEEDED

WARDS_MAX = 2_000


def _columns(given: dict[str, str]) -> dict[str, str]:
    foreign, lacking = sorted(set(given) - set(COLUMNS)), sorted(set(NEEDED) - set(given))
    if foreign or (given and lacking):
        raise ValueError("columns")
    return given


class HisSection(Section):
    """The other system: the key that hides patients, and the view in which it shows what it charged."""

    patient_key: str = Field(default="", description="a file such as 'patient.key'")
    charges_url: str = Field(default="", description="a database's address such as 'postgresql://reader@his/his'")
    charges_view: str = Field(
        default="", pattern=r"^([A-Za-z_][\w$]*\.)?([A-Za-z_][\w$]*)?$", description="a view such as 'charges'"
    )
    charges_mark: str = Field(
        default="", pattern=r"^([A-Za-z_][\w$]*)?$", description="a column that only grows, such as 'ID'"
    )
    charges_columns: Annotated[dict[str, str], AfterValidator(_columns)] = Field(
        default={}, description=f"a table from our columns ({', '.join(COLUMNS)}) to the view's; needed: "
        f"{', '.join(NEEDED)}"
    )  # fmt: skip
    charges_use: bool = Field(default=False, description="true where a charge also writes its use, else false")
    charges_every_s: int = Field(default=300, ge=10, le=86_400, description="a whole number from 10 to 86400")
    wards: dict[str, str] = Field(
        default={},
        max_length=WARDS_MAX,
        description='a table from their wards to storerooms, such as {"0301" = "ward-01"}',
    )

    @model_validator(mode="after")
    def _view_is_whole(self) -> Self:
        if self.charges_url and not (self.charges_view and self.charges_mark):
            raise ValueError("his.charges_view, his.charges_mark: expected both with charges_url; name the view")
        return self
