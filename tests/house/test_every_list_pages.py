"""Every list on a page can be saved and goes on behind its last row, or stands here with why not.

A list is a template with rows. A new one fails until it has both, or a reason. What is held here: a list that grows
with the hospital is never cut without a way to the rest.
"""

import re
from importlib.resources import files
from pathlib import Path

TEMPLATES = Path(str(files("central.web"))) / "templates"
SAVES = re.compile(r"\bsave\(|/exports/|\.(?:xlsx|csv)")
GOES_ON = re.compile(r"\bfurther\(|[?;]page=|before=|\?\{\{ more \}\}|\{\{ next \}\}")

OF_ONE = "the rows of one thing"
FORM = "rows of a form that is sent whole"
PART = "part of the overview, which leads to the list itself"
SETTING = "as many as somebody set up: some dozens"
WHOLE = "the heaviest or newest are shown with how many there are; its table holds all"
KEPT_SHORT = "what stands open now; what is done with leaves it"
NO_TABLE = {
    **dict.fromkeys(
        ("catalogue_item", "conflict", "discrepancy", "invoice", "item", "master_one", "requisition"), OF_ONE
    ),
    **dict.fromkeys(("return", "rule", "month_lines"), OF_ONE),
    **dict.fromkeys(("return_new", "requisition_new", "import_plan"), FORM),
    **dict.fromkeys(("discrepancies", "orders", "proposals", "wards"), PART),
    **dict.fromkeys(("jobs", "tokens"), SETTING),
    "records": "the rows that fit a search, to be changed one by one; `frameworks` and `certificates` save them",
    "reports": "each report is a file of its own",
    "search": "the nearest matches",
    "statements": "each statement is a signed file of its own",
}
NO_NEXT = {
    **NO_TABLE,
    **dict.fromkeys(("order", "lot", "supplier", "trace", "import_trial", "figure_ledger"), OF_ONE),
    **dict.fromkeys(("devices", "people", "permits", "rules", "figures", "suppliers", "agreements"), SETTING),
    **dict.fromkeys(("month", "month_finance", "figure", "counts", "charges", "budget_cuts", "frameworks"), WHOLE),
    **dict.fromkeys(("alerts", "cycle"), WHOLE),
    **dict.fromkeys(("batches", "proposals_list", "recalls", "bargaining", "review"), KEPT_SHORT),
    "imports": "the newest fifty files; what came of older ones stands in the record of acts",
    "months": "twelve a year",
}


def lists() -> dict[str, str]:
    """Return the templates that have rows, by name."""
    found = {one.name.removesuffix(".html.j2"): one.read_text("utf-8") for one in TEMPLATES.glob("*.j2")}
    return {name: text for name, text in found.items() if "<tbody" in text}


def test_every_list_on_a_page_can_be_saved() -> None:
    silent = {name for name, text in lists().items() if not SAVES.search(text)}
    assert sorted(silent - NO_TABLE.keys()) == [], "add save(…), or say why there is no table"
    assert sorted(NO_TABLE.keys() - silent) == [], "these have a table now"


def test_every_list_on_a_page_goes_on_behind_its_last_row() -> None:
    cut = {name for name, text in lists().items() if not GOES_ON.search(text)}
    assert sorted(cut - NO_NEXT.keys()) == [], "add further(…), or say why it is short"
    assert sorted(NO_NEXT.keys() - cut) == [], "these have a next page now"
