"""Documents as forms to print and sign, by the name in their address. These are their names for others."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from central.errors import BadInput
from central.links.paper import Form
from central.services.papers.asked import Asked
from central.services.papers.lists import count_sheet, settlement
from central.services.papers.orders import batch, goods_return, purchase_order, receipt, refused_return

PAPERS: Mapping[str, Callable[[Asked], Form]] = MappingProxyType(
    {
        "order": purchase_order,
        "batch": batch,
        "receipt": receipt,
        "return": refused_return,
        "goods-return": goods_return,
        "settlement": settlement,
        "count": count_sheet,
    }
)
"""Every form there is, by the name in its address."""


def paper_named(name: str) -> Callable[[Asked], Form]:
    """Return a form by its name. Raises `BadInput`."""
    if name not in PAPERS:
        raise BadInput(f"form: expected one of {', '.join(PAPERS)}, got {name!r:.40}")
    return PAPERS[name]


__all__ = ["PAPERS", "Asked", "paper_named"]
