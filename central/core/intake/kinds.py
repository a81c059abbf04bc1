"""What a hospital's spreadsheet may be brought in as: each kind with the forms its rows become, and usual head words.

Data only; the forms themselves stand in `core.forms`. The rules that must not be broken: whatever is brought in becomes
rows of a form and goes where the form's file would go; a value that is not in the sheet is never invented, it is named
here as usual and shown before it is used.

Source: "Day one": items with usual heads such as 物资编码, 品名, 注册证号, 中标价; opening balances; use; open orders.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from central.core.forms import FORMS, Form
from central.core.forms.cells import Column
from central.core.rights import Right


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of sheet: the form every row becomes, and those a row becomes too where its columns are given.

    `beside` names, by file, the columns without which a row does not become one of that file.
    """

    name: str
    zh: str
    en: str
    file: str
    beside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    prices: bool = False

    @property
    def rights(self) -> tuple[Right, ...]:
        """What somebody needs to bring it in."""
        return (Right.MANAGE_MASTER, Right.PURCHASE) if self.prices else (Right.MANAGE_MASTER,)

    @property
    def forms(self) -> tuple[Form, ...]:
        """Its forms, in the order in which they refer to each other."""
        files = {self.file, *self.beside}
        return tuple(form for file, form in FORMS.items() if file in files)

    def columns(self) -> Iterator[tuple[Column, bool]]:
        """Give each column once, and whether every row must have it."""
        primary = FORMS[self.file]
        seen = {column.name for column in primary.columns}
        yield from ((column, column.name not in USUAL.get(self.file, {})) for column in primary.columns)
        for file in self.beside:
            for column in FORMS[file].columns:
                if column.name not in seen:
                    seen.add(column.name)
                    yield column, False

    def becomes(self, given: frozenset[str]) -> tuple[Form, ...]:
        """Return the forms that rows become when these columns are given."""
        return tuple(
            form
            for form in self.forms
            if form.file == self.file or all(name in given for name in self.beside[form.file])
        )


def _beside(file: str, *columns: str) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({file: columns})


_KINDS = (
    Kind("items", "品规与目录", "items and catalogue", "items.csv", _beside("catalogue.csv", "registration")),
    Kind("suppliers", "供应商", "suppliers", "suppliers.csv", _beside("supplier_profiles.csv", "role")),
    Kind("item-suppliers", "供货关系与价格", "suppliers of items", "item_suppliers.csv", prices=True),
    Kind("stock", "期初库存", "opening stock", "stock.csv", _beside("lots.csv", "lot", "expiry")),
    Kind("use", "历史消耗", "history of use", "use.csv"),
    Kind("open-orders", "未到货订单", "open orders", "open_orders.csv", prices=True),
    Kind("agreements", "协议", "agreements", "agreements.csv", prices=True),
    Kind("agreement-prices", "协议价格", "agreement prices", "agreement_prices.csv", prices=True),
    Kind("platform-items", "挂网目录", "platform items", "platform_items.csv", prices=True),
    Kind("certificates", "证照", "certificates", "certificates.csv"),
)  # fmt: skip
KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _KINDS})

LIKE = "="
"""A usual value that begins with it names the column it is taken from."""

USUAL: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "items.csv": {
            "name_en": "=name_zh", "spec": "", "gtin": "", "unit_en": "=unit_zh", "pack": "1", "class": "low",
            "criticality": "normal", "chargeable": "0", "storage": "",
        },
        "suppliers.csv": {"name_en": "=name_zh"},
        "item_suppliers.csv": {"rank": "1", "pack": "1", "moq": "0", "platform_code": ""},
        "stock.csv": {"lot": ""},
        "lots.csv": {"made": "", "expiry": ""},
        "open_orders.csv": {"line_no": "1", "promised": "", "platform_order_no": ""},
        "agreements.csv": {
            "name_en": "=name_zh", "supplier": "", "group_id": "", "parties": "", "freight": "",
        },
        "agreement_prices.csv": {"valid_to": ""},
        "platform_items.csv": {"valid_to": "", "supplier": "", "insurance_code": ""},
        "certificates.csv": {"supplier": "", "item": ""},
        "catalogue.csv": {
            "tier": "", "registration": "", "udi_di": "", "insurance": "", "platform": "", "middle_unit": "",
            "middle": "1", "purchase_unit": "", "purchase": "1", "mode": "usual", "exempt": "0",
        },
        "supplier_profiles.csv": {"region": "", "emergency": "0", "contact": ""},
    }
)  # fmt: skip
"""What a column holds where a sheet has none and the hospital knows no row of that key yet; others must be given."""
