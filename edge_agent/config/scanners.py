"""The scanners and card readers of edge.toml: where each is, how it was set, and how a person hears the answer.

The rule that must not be broken: a scanner that cannot beep at the host's word needs a light, for a person must learn
whether a scan was kept.
"""

from dataclasses import dataclass, field
from pathlib import Path

from edge_agent.config import forms
from edge_agent.config.forms import Section
from edge_agent.config.readers import BAUDS
from protocols.errors import BadValue
from protocols.readers.scanner import SUFFIXES, ScanForm

SCANNER, KEYBOARD, CARD = SCANNER_KINDS = ("scanner", "keyboard", "card")
HOST_BEEP, LIGHT = FEEDBACKS = ("host-beep", "light")


@dataclass(frozen=True, slots=True)
class ScannerConfig:
    """One barcode scanner or card reader. A `keyboard` is an input device, the others are serial ports."""

    name: str
    port: Path
    baud: int
    kind: str = SCANNER
    feedback: str = HOST_BEEP
    form: ScanForm = field(default_factory=ScanForm)


def read_scanner(table: Section, root: Path) -> ScannerConfig:
    """Read one [[scanner]]; faults stay with the table."""
    kind = table.take("kind", forms.word_of(*SCANNER_KINDS), SCANNER)
    feedback = table.need("feedback", forms.word_of(*FEEDBACKS))
    if kind != SCANNER and feedback == HOST_BEEP:
        table.note(".feedback", f'expected "light" for a {kind}, which cannot beep at the host\'s word')
    keys = kind == KEYBOARD
    return ScannerConfig(
        name=table.need("name", forms.NAME),
        port=table.need("url", forms.input_under(root) if keys else forms.serial_under(root)),
        baud=9600 if keys else table.take("baud", forms.one_of(*BAUDS), 9600),
        kind=kind,
        feedback=feedback,
        form=ScanForm() if kind == CARD else _form(table),
    )


def _form(table: Section) -> ScanForm:
    suffix = table.take("suffix", forms.word_of(*SUFFIXES), "CR")
    prefix = table.take("prefix", forms.TEXT, "")
    aim = table.take("aim", forms.TRUTH, False)
    try:
        return ScanForm(prefix, suffix, aim)
    except BadValue as error:
        table.note(".prefix", str(error))
        return ScanForm()
