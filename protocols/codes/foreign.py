"""Codes that are not read here, known by their marks, so that a person is told what the label is and what to scan.

It reads nothing out of them. The rule that must not be broken: a code is named only by a mark that no label we do read
can have.

Sources: ISBT 128 Standard Technical Specification section 2.4 (data identifiers begin with = or &); IFA specification
PPN code (data identifier 9N, ISO/IEC 15434 format 06); NMPA drug traceability code (20 digits, the first of them 8);
Unicode block Halfwidth and Fullwidth Forms.
"""

import re

from protocols.errors import BadValue

_FOREIGN: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"[\s\S]*[\uff01-\uff5e\u3000]"),
        "full-width characters: the text was typed through an input method; switch it off, or the scanner to serial",
    ),
    (
        re.compile(r"[=&][A-Za-z0-9%$<>)(,!;\[\]/?+*.\-]"),
        "an ISBT 128 code of blood or tissue: these are not kept here; scan the product's GS1, HIBC or MA code",
    ),
    (
        re.compile(r"(?:\[\)>\x1e06\x1d)?9N[0-9]{4}"),
        "a PPN code (IFA, format 06): it is not read here; scan the GS1 code beside it",
    ),
    (
        re.compile(r"\[\)>\x1e(?!05\x1d)"),
        "an ISO/IEC 15434 envelope of another format than 05: it is not read here; scan another code of the label",
    ),
    (
        re.compile(r"8[0-9]{19}\Z"),
        "a drug traceability code of 20 digits: it names no lot or expiry; scan the GS1 code beside it",
    ),
    (
        re.compile(r"ma\.[0-9]{3}\.|\+[a-z][a-z0-9]{3}"),
        "letters in lower case: the scanner types with Caps Lock on; set it to serial, or switch Caps Lock off",
    ),
)


def refuse_foreign(content: str) -> None:
    """Raise `BadValue` with its name for a code that is known and not read here."""
    for mark, name in _FOREIGN:
        if mark.match(content):
            raise BadValue(f"label: this is {name}")
