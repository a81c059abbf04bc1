"""Labels as pictures for any printer: PNG or PDF, GS1 DataMatrix beside its text. No inlay is written, nothing is sent.

The symbol is zint's, the page Pillow's; both are loaded only where a picture is wanted. The rule that must not be
broken: a module of the symbol is a whole number of dots, so that no printer smears it.
"""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from zint import InputMode, Symbol, Symbology

from edge_agent.core.labels import Label
from edge_agent.errors import BadConfig

DPI = 300
MODULE_DOTS = 6
"""Dots of one module: 0.5 mm at 300 dpi, as on the RFID printer's labels."""
MARGIN, GAP, LINE = 30, 40, 40
"""Dots around, between symbol and text, and of one line of text; the margin is five modules, GS1 asks for one."""
FONT_DOTS = 30
ENDINGS = (".png", ".pdf")


def write_pictures(labels: Sequence[Label], path: Path) -> list[Path]:
    """Write labels to a .pdf, a page each, or to a .png each, numbered by serial; returns what was written.

    Raises `BadConfig` for another ending or a folder that refuses.
    """
    pages = [picture_of(label) for label in labels]
    try:
        if path.suffix.lower() == ".pdf":
            pages[0].save(path, save_all=True, append_images=pages[1:], resolution=DPI)
            return [path]
        if path.suffix.lower() == ".png":
            names = [path] if len(pages) == 1 else [_numbered(path, label) for label in labels]
            for page, name in zip(pages, names, strict=True):
                page.save(name, dpi=(DPI, DPI))
            return names
    except OSError as error:
        raise BadConfig(f"--out {path}: expected a file one may write; {error.strerror}") from error
    raise BadConfig(f"--out: expected a name that ends in {' or '.join(ENDINGS)}, got {path.name!r:.60}")


def picture_of(label: Label) -> Image.Image:
    """Return one label in black and white."""
    symbol, font = _symbol(label), ImageFont.load_default(FONT_DOTS)
    lines = [line for line in (label.text, *(f"({ai}) {value}" for ai, value in label.elements)) if line]
    width = max(round(font.getlength(line)) for line in lines)
    height = max(symbol.height, LINE * len(lines))
    page = Image.new("L", (2 * MARGIN + symbol.width + GAP + width, 2 * MARGIN + height), 255)
    page.paste(symbol, (MARGIN, MARGIN))
    draw = ImageDraw.Draw(page)
    for row, line in enumerate(lines):
        draw.text((MARGIN + symbol.width + GAP, MARGIN + row * LINE), line, fill=0, font=font)
    return page.convert("1")


def _symbol(label: Label) -> Image.Image:
    symbol = Symbol()
    symbol.symbology, symbol.input_mode, symbol.scale = Symbology.DATAMATRIX, InputMode.GS1, MODULE_DOTS / 2
    symbol.encode("".join(f"[{ai}]{value}" for ai, value in label.elements))
    symbol.buffer()
    dots = symbol.bitmap
    assert dots is not None
    assert dots.shape is not None
    return Image.frombytes("RGB", (dots.shape[1], dots.shape[0]), dots.tobytes()).convert("L")


def _numbered(path: Path, label: Label) -> Path:
    return path.with_name(f"{path.stem}-{label.serial}{path.suffix}")
