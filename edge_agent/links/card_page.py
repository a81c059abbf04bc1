"""Cards as one page for any browser's printer: HTML with each symbol as lines, so that no font is drawn here.

The symbol is zint's, and loaded only where a page is wanted. The rule that must not be broken: a module of a symbol is
a millimetre, which a scanner reads from an arm's length.
"""

from collections.abc import Sequence
from html import escape

from zint import Symbol, Symbology

from edge_agent.core.cards import Card

MODULE_MM = 1.0
SQUARE = 100
"""zint's word for square symbols only."""
QUIET = 2
"""Modules left white around a symbol; ISO/IEC 16022 asks for one."""

_PAGE = """<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<title>Wardstock</title>
<style>
@page {{ size: A4; margin: 12mm }}
body {{ margin: 0; font: 10pt/1.3 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif }}
main {{ display: grid; grid-template-columns: repeat(2, 86mm); gap: 4mm }}
section {{ box-sizing: border-box; height: 46mm; padding: 4mm; border: 1px solid; border-radius: 2mm;
  display: grid; grid-template-columns: auto 1fr; gap: 4mm; align-items: center; break-inside: avoid }}
h2 {{ margin: 0; font-size: 16pt }}
p {{ margin: 0 }}
code {{ font-size: 8pt }}
</style>
</head>
<body><main>
{cards}
</main></body>
</html>
"""
_CARD = """<section>{symbol}<div><h2>{zh}</h2><p>{then_zh}</p><p lang="en"><b>{en}</b><br>{then_en}</p>
<code>{text}</code></div></section>"""


def page_of(cards: Sequence[Card]) -> str:
    """Return the page of some cards."""
    return _PAGE.format(cards="\n".join(map(_card, cards)))


def _card(card: Card) -> str:
    words = {name: escape(getattr(card, name)) for name in ("text", "zh", "en", "then_zh", "then_en")}
    return _CARD.format(symbol=_svg(card.text), **words)


def _svg(text: str) -> str:
    """Return a DataMatrix as a drawing: one line for each run of dark modules."""
    rows = _modules(text)
    runs = [f"M{at + QUIET} {row + QUIET}.5h{length}" for row, line in enumerate(rows) for at, length in _runs(line)]
    size = len(rows) + 2 * QUIET
    width = f"{size * MODULE_MM:g}mm"
    return (
        f'<svg width="{width}" height="{width}" viewBox="0 0 {size} {size}" shape-rendering="crispEdges">'
        f'<path d="{"".join(runs)}" stroke="#000" fill="none"/></svg>'
    )


def _runs(line: Sequence[bool]) -> list[tuple[int, int]]:
    """Return where each run of dark modules begins, and how long it is."""
    starts = [at for at, dark in enumerate(line) if dark and (at == 0 or not line[at - 1])]
    return [(at, next((end for end in range(at, len(line)) if not line[end]), len(line)) - at) for at in starts]


def _modules(text: str) -> list[list[bool]]:
    symbol = Symbol()
    symbol.symbology, symbol.option_3 = Symbology.DATAMATRIX, SQUARE
    symbol.encode(text)
    rows = symbol.encoded_data
    assert rows.shape is not None
    raw, length = rows.tobytes(), rows.shape[1]
    return [
        [raw[row * length + at // 8] >> at % 8 & 1 == 1 for at in range(symbol.width)] for row in range(symbol.rows)
    ]
