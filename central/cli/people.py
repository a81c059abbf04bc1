"""`wardstock-central user`: accounts with their roles, invitations to set a password, tokens for programs.

It asks `services.accounts` and prints what that says. The rule that must not be broken: an invitation or a token is
printed once, to whoever asked, and is kept nowhere readable.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from central.bootstrap.parts import accounts_of, clock_of, store_of
from central.cli.options import ConfigOption, JsonOption
from central.config import read_config
from central.core.rights import RIGHTS_OF, WARD_ROLES, Role, grants_named
from central.core.signin import TOKEN_DAYS_MAX
from central.services.accounts import OPERATOR, Accounts, staff_number, told
from central.store.queries_people import people

PersonArgument = Annotated[str, typer.Argument(metavar="STAFF_NUMBER", help="The person's staff number.")]

users = typer.Typer(
    name="user",
    help="People: accounts with their roles, invitations to set a password, tokens for programs.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@users.command(
    "add", epilog="Example: wardstock-central user add --config central.toml 10023 --name 王某 --role purchaser"
)
def _user_add(
    config: ConfigOption,
    person: PersonArgument,
    name: Annotated[str, typer.Option("--name", help="What people call the person.")],
    role: Annotated[list[str], typer.Option("--role", help="A role; may be said again. See `user roles`.")],
    ward: Annotated[list[str] | None, typer.Option("--ward", help="A storeroom for the roles of a ward.")] = None,
) -> None:
    """Make an account and print its invitation, by which the person sets a password, once, within three days."""
    with _accounts(config) as accounts:
        secret = accounts.add(OPERATOR, staff_number(person), name, grants_named(role, ward or []))
    print(f"/invited/{secret}")


@users.command("invite", epilog="Example: wardstock-central user invite --config central.toml 10023")
def _user_invite(config: ConfigOption, person: PersonArgument) -> None:
    """Print a new invitation for a person who forgot the password; the old password ends at once."""
    with _accounts(config) as accounts:
        print(f"/invited/{accounts.invite(OPERATOR, staff_number(person))}")


@users.command(
    "token", epilog="Example: wardstock-central user token --config central.toml 10023 --name report --days 90"
)
def _user_token(
    config: ConfigOption,
    person: PersonArgument,
    name: Annotated[str, typer.Option("--name", help="What the token is for.")],
    days: Annotated[int, typer.Option("--days", min=1, max=TOKEN_DAYS_MAX, help="Days until it ends.")] = 90,
    read_only: Annotated[bool, typer.Option("--read-only", help="It may look, and change nothing.")] = False,
) -> None:
    """Print a token by which a program acts for a person at the API; it is not shown again."""
    with _accounts(config) as accounts:
        print(accounts.add_token(OPERATOR, staff_number(person), name, read_only=read_only, days=days))


@users.command("revoke", epilog="Example: wardstock-central user revoke --config central.toml 10023 --name report")
def _user_revoke(
    config: ConfigOption, person: PersonArgument, name: Annotated[str, typer.Option("--name", help="The token's name.")]
) -> None:
    """Revoke a person's tokens of one name."""
    with _accounts(config) as accounts:
        print(f"{accounts.revoke_tokens(OPERATOR, staff_number(person), name)} revoked")


@users.command("off", epilog="Example: wardstock-central user off --config central.toml 10023")
def _user_off(config: ConfigOption, person: PersonArgument) -> None:
    """Switch an account off: its sessions, tokens and invitations end at once."""
    with _accounts(config) as accounts:
        accounts.switch(OPERATOR, staff_number(person), active=False)


@users.command("on", epilog="Example: wardstock-central user on --config central.toml 10023")
def _user_on(config: ConfigOption, person: PersonArgument) -> None:
    """Switch an account on again."""
    with _accounts(config) as accounts:
        accounts.switch(OPERATOR, staff_number(person), active=True)


@users.command("roles", epilog="Example: wardstock-central user roles")
def _user_roles() -> None:
    """List the roles and the rights of each."""
    for role in Role:
        where = " (for named storerooms)" if role in WARD_ROLES else ""
        print(f"{role}{where}: {', '.join(sorted(RIGHTS_OF[role]))}")


@users.command("list", epilog="Example: wardstock-central user list --config central.toml --json")
def _user_list(config: ConfigOption, as_json: JsonOption = False) -> None:
    """List the accounts."""
    with _accounts(config) as accounts, accounts.store.read() as connection:
        found = people(connection, accounts.hospital)
    for one in found:
        roles = told(one.grants)
        row = {"person": one.person, "name": one.name, "active": one.active, "roles": roles}
        print(
            json.dumps(row, ensure_ascii=False)
            if as_json
            else f"{one.person}  {one.name}  {' '.join(roles)}" + ("" if one.active else "  (off)")
        )


@contextmanager
def _accounts(config: Path) -> Iterator[Accounts]:
    loaded = read_config(config)
    with store_of(loaded) as store:
        yield accounts_of(loaded, store, clock_of(loaded))


def add_commands(app: typer.Typer) -> None:
    """Add these commands to the program's."""
    app.add_typer(users)
