"""`wardstock-central rule`: the policy rules on the command line: list them, show one, set one from a day on.

What loosens a control is only proposed here: the second person agrees to it on the page or through the API, signed in.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from central.bootstrap.parts import clock_of, store_of
from central.cli.options import ConfigOption, JsonOption
from central.config import read_config
from central.core.policy import PolicyRow
from central.core.rights import Caller, Role, grants_of
from central.errors import BadInput
from central.services.accounts import OPERATOR
from central.services.documents import Documents
from central.services.rules import RuleBook, RuleState, Version

rules = typer.Typer(
    name="rule",
    help="Policy rules: what each says today, its history, and setting one from a day on.",
    epilog="Example: wardstock-central rule set approval.automatic 1 --source 'minutes 7' --why pilot --config c.toml",
    no_args_is_help=True,
    rich_markup_mode=None,
)

CodeArgument = Annotated[str, typer.Argument(metavar="CODE", help="A rule such as approval.automatic.")]


@contextmanager
def _opened(config: Path) -> Iterator[RuleBook]:
    loaded = read_config(config)
    with store_of(loaded) as store:
        yield RuleBook(Documents(store, loaded.hospital_id, clock_of(loaded)))


@rules.command("list", epilog="Example: wardstock-central rule list approval --config central.toml")
def _list(
    config: ConfigOption,
    question: Annotated[str, typer.Argument(metavar="TEXT", help="Only rules whose code or words hold this.")] = "",
    as_json: JsonOption = False,
) -> None:
    """List the rules with what each says today."""
    with _opened(config) as book:
        found = book.standing(question)
    if as_json:
        told = [
            {"code": one.kind.code, "scope": one.scope, "value": None if one.now is None else one.now.value,
             "coming": [_row(row) for row in one.coming], "waits": one.waits}
            for one in found
        ]  # fmt: skip
        print(json.dumps({"rules": told}, ensure_ascii=False))
        return
    for one in found:
        name = f"{one.kind.code} {one.scope}".strip()
        waits = "  (a change waits for a second person)" if one.waits else ""
        print(f"{name:36} {'-' if one.now is None else one.now.value:>12}  {one.kind.en}{waits}")


@rules.command("show", epilog="Example: wardstock-central rule show approval.automatic --config central.toml")
def _show(code: CodeArgument, config: ConfigOption, as_json: JsonOption = False) -> None:
    """Show every version of a rule and every change people made of it, the newest first."""
    with _opened(config) as book:
        found = book.told(code)
    if as_json:
        changes = [
            {"change": one.change, "scope": one.scope, "value": one.value, "from": str(one.effective_from),
             "state": one.state, "person": one.proposed_by, "reason": one.reason}
            for one in found.changes
        ]  # fmt: skip
        versions = [_row(row) | {"source": row.source_doc} for row in found.rows]
        print(json.dumps({"code": code, "versions": versions, "changes": changes}, ensure_ascii=False))
        return
    for row in found.rows:
        until = "" if row.effective_to is None else f" until {row.effective_to}"
        print(f"{row.effective_from}{until}  {row.scope or '-'}  {row.value}  {row.source_doc}")
    for one in found.changes:
        print(f"{one.change}  {one.state}  {one.scope or '-'}  {one.value}  {one.proposed_by}: {one.reason}")


@rules.command(
    "set",
    epilog="Example: wardstock-central rule set check.certificate 2 --source 'B6' --why 'audit' --config central.toml",
)
def _set(
    code: CodeArgument,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="Plain decimals; switches are 0 and 1.")],
    config: ConfigOption,
    source: Annotated[str, typer.Option("--source", metavar="TEXT", help="The document it is from.")],
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="Why it is set now.")],
    scope: Annotated[str, typer.Option("--scope", metavar="WORD", help="For what; left out: everything.")] = "",
    days: Annotated[
        str, typer.Option("--days", metavar="FIRST[..END]", help="Its first day, and the first no longer; else today.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Set a rule from a day on. What loosens a control waits until a second person agrees, signed in."""
    first, _, end = days.partition("..")
    given = Version(code, scope, value, _day(first), _day(end), source, why)
    with _opened(config) as book:
        made = book.set(_operator(), given)
    if as_json:
        print(json.dumps({"change": made.change, "state": made.state}))
    elif made.state == RuleState.PROPOSED:
        print(f"{made.change}: it loosens a control; a second person agrees on the page of the rule")
    else:
        print(f"{made.change}: {code} is {made.value} from {made.effective_from} on")


def _row(row: PolicyRow) -> dict[str, object]:
    until = None if row.effective_to is None else str(row.effective_to)
    return {"scope": row.scope, "value": row.value, "from": str(row.effective_from), "to": until}


def _operator() -> Caller:
    """Return whoever keeps this machine: may set every rule, and is one person like any other."""
    roles = (Role.HEAD_OF_CONSUMABLES, Role.FINANCE, Role.ADMINISTRATOR)
    return Caller(OPERATOR, OPERATOR, grants_of((role.value, "") for role in roles))


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"--days: expected 2026-04-01 or 2026-04-01..2026-07-01, got {text!r:.30}") from error


def add_commands(app: typer.Typer) -> None:
    """Add these commands to the program's."""
    app.add_typer(rules)
