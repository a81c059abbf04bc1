"""The printed sheet that sets a scanner up: what it must be set to, how one maker's commands say it, and a test label.

`judge_scan` reads what a scanner made of the test label and says which setting is lost. It prints nothing. Commands are
facts of makers' guides; for a maker that is not here the sheet names the settings, and the scanner's own guide has the
codes. The rule that must not be broken: the test label holds exactly one separator and one identifier, so that each
fault shows by itself.

Source of the commands: Zebra/Symbol product reference guides (DS and LI series), parameters by their SSI number.
"""

from dataclasses import dataclass

FNC1 = "\x1d"
TEST_SYMBOL = "]d2"
TEST_GTIN = "06901234567892"
TEST_LOT, TEST_SERIAL = "WARDSTOCK", "TEST"
TEST_DATA = f"01{TEST_GTIN}10{TEST_LOT}{FNC1}21{TEST_SERIAL}"
"""What the DataMatrix of the test label holds behind its first FNC1."""

LOOKALIKES = {"\x1e": "RS", "|": "|", "~": "~", "^": "^", " ": "a space", "#": "#", "\t": "a tab", "{GS}": "{GS}"}
"""What scanners send instead of GS when they are told to make it visible or cannot type it."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One setting of the sheet: what for, and the parameter and value that say it in a maker's commands."""

    setting: str
    why: str
    parameter: str
    value: str


ZEBRA: tuple[SheetRow, ...] = (
    SheetRow(
        "USB as a serial port (CDC)", "a keyboard types into whatever window is open", "USB device type", "CDC host"
    ),
    SheetRow("AIM identifiers on", "only they say that a text is GS1", "2Dh", "01h"),
    SheetRow("data, then suffix 1", "a scan is over when its suffix came", "EBh", "01h"),
    SheetRow("suffix 1 is CR", "a scan is over when its suffix came", "68h", "0Dh"),
    SheetRow("no beep after a good read", "the only beep is the host's, after the scan was kept", "38h", "00h"),
)


def judge_scan(text: str) -> tuple[str, ...]:
    """Return what is wrong with a scanner by what it made of the test label, suffix gone; () when it is set right."""
    if text == TEST_SYMBOL + TEST_DATA:
        return ()
    faults = []
    start = text.find(f"01{TEST_GTIN}10{TEST_LOT}")
    if start < 0:
        return (f"another label: scan the test label of the set-up sheet, got {text!r:.80}",)
    before, rest = text[:start], text[start + len(f"01{TEST_GTIN}10{TEST_LOT}") :]
    if TEST_SYMBOL not in before:
        faults.append("AIM id off: switch on the scanner's symbology identifiers")
    elif before != TEST_SYMBOL:
        faults.append(f"prefix {before.replace(TEST_SYMBOL, '')!r:.20}: take it off, or name it in the configuration")
    between, found, behind = rest.partition(f"21{TEST_SERIAL}")
    if found and between != FNC1:
        seen = LOOKALIKES.get(between, repr(between)[:20] if between else "nothing")
        faults.append(f"GS lost: {seen} came for the separator; let the scanner send GS (1D hex) as it is")
    if behind or not found:
        faults.append(f"suffix {(behind or rest)!r:.20}: set it to CR")
    return tuple(faults)
