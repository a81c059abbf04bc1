"""A form of the hospital as PDF: A4, or the continuous three-part paper of dot-matrix printers, with boxes to sign in.

It knows no document; what stands on the form comes in. The fonts and the setting are libraries', the layout is
`form.typ`. The rules that must not be broken: the same form makes the same bytes, its font is embedded, and no word of
it is read as markup.
"""

import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib.resources import as_file, files
from typing import Literal

import segno
import typst
from pylopdf_fonts_zh_cn import sans_path

from central.errors import BadInput

ROWS_MAX = 2_000
"""Lines of one form: a storeroom's count sheet of some 60 pages."""
FACTS_MAX, SIGNED_MAX = 18, 6
MARK_PIXELS = 6


class Size(StrEnum):
    """The papers forms are printed on; the continuous ones are 241 mm wide, whole sheets cut in two or in three."""

    A4 = "a4"
    HALF = "241x140"
    THIRD = "241x93"


@dataclass(frozen=True, slots=True)
class _Measures:
    """Of a paper, in millimetres; `text` in points."""

    width: float
    height: float
    margin: float
    text: float
    inset: float
    sign: float
    mark: float


MEASURES = {
    Size.A4: _Measures(210, 297, 14, 9.5, 1.4, 20, 20),
    Size.HALF: _Measures(241, 140, 12, 9, 0.9, 13, 16),
    Size.THIRD: _Measures(241, 93, 11, 8, 0.6, 10, 13),
}
"""The edges of continuous paper with its holes are 12.7 mm each side; margins are inside the printable 216 mm."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its head, its width in millimetres (0: what is left), and whether it holds numbers."""

    head: str
    width: float = 0
    number: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """What stands on a form; every text is as it is printed, `lang` is zh or en."""

    lang: str
    hospital: str
    title: str
    number: str
    facts: Sequence[tuple[str, str]]
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    signed: Sequence[str]
    sums: Sequence[tuple[str, str]] = ()
    note: str = ""
    dated: str = ""
    code: str = ""
    """What its mark says where that is not its number: a ticket that a storeroom's scanner reads."""

    def __post_init__(self) -> None:
        if not self.signed or len(self.signed) > SIGNED_MAX or len(self.facts) > FACTS_MAX:
            raise BadInput(f"form: expected 1 to {SIGNED_MAX} boxes and at most {FACTS_MAX} facts")
        if len(self.rows) > ROWS_MAX:
            raise BadInput(f"form: expected at most {ROWS_MAX} lines, got {len(self.rows)}; ask for less")
        if any(len(row) != len(self.columns) for row in self.rows):
            raise BadInput(f"form: expected {len(self.columns)} cells in every line")


def pdf_of(form: Form, size: Size) -> bytes:
    """Return a form as PDF on a paper."""
    return _set(form, size, "pdf")[0]


def pictures_of(form: Form, size: Size, dots_an_inch: int = 80) -> list[bytes]:
    """Return the pages of a form as PNG."""
    return _set(form, size, "png", dots_an_inch)


def _set(form: Form, size: Size, kind: Literal["pdf", "png"], dots_an_inch: int = 80) -> list[bytes]:
    said = asdict(form) | {
        "size": asdict(MEASURES[size]),
        "mark": _mark(form.code or form.number),
        "foot": f"{form.title} {form.number}",
        "rows": [list(row) for row in form.rows],
    }
    with as_file(files("central.links").joinpath("form.typ")) as layout:
        made = typst.compile(
            layout,
            format=kind,
            ppi=float(dots_an_inch),
            font_paths=[sans_path().parent],
            ignore_system_fonts=True,
            sys_inputs={"form": json.dumps(said, ensure_ascii=False)},
        )
    return [made] if isinstance(made, bytes) else list(made)


def _mark(number: str) -> str:
    """Return a QR code of a document's number as SVG, nothing for a form without one."""
    if not number:
        return ""
    told = io.BytesIO()
    segno.make(number, error="m", micro=False).save(told, kind="svg", scale=MARK_PIXELS, border=1, xmldecl=False)
    return told.getvalue().decode()
