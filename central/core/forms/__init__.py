"""The files a hospital imports: their forms as data, and the one reading of them. These are their names for others."""

from collections.abc import Mapping
from types import MappingProxyType

from central.core.forms.purchasing import PURCHASING_FORMS
from central.core.forms.sheet import Fault, Form, Row, Sheet, faulty, read_cells, read_form, unknown_references
from central.core.forms.stock import STOCK_FORMS

FORMS: Mapping[str, Form] = MappingProxyType({form.file: form for form in (*STOCK_FORMS, *PURCHASING_FORMS)})
"""Every file that can be imported, by name, in the order in which they refer to each other."""

__all__ = ["FORMS", "Fault", "Form", "Row", "Sheet", "faulty", "read_cells", "read_form", "unknown_references"]
