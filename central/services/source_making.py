"""Make the sources of accounts from the configuration: the directory, the issuer, and what their groups mean.

It asks nobody yet. The rule that must not be broken: a secret comes from a file of its own and is never logged.
"""

from pathlib import Path

from central.clock import Clock, new_secret
from central.config import Config
from central.core.directory import read_mapping
from central.errors import NotReady
from central.links.directory import Directory
from central.links.issuer import Issuer
from central.services.sources import Sources
from central.store.engine import Store


def sources_of(config: Config, store: Store, clock: Clock) -> Sources | None:
    """Return where accounts are kept that are not kept here, None where all are. Raises `NotReady`."""
    directory, issuer = config.ldap, config.oidc
    if not directory.url and not issuer.issuer:
        return None
    return Sources(
        store,
        config.hospital_id,
        clock.real_now,
        new_secret,
        _directory(config) if directory.url else None,
        read_mapping(directory.groups),
        _issuer(config, clock) if issuer.issuer else None,
        read_mapping(issuer.groups),
    )


def _directory(config: Config) -> Directory:
    said = config.ldap
    folder = config.path.parent
    return Directory(
        url=said.url,
        base=said.base,
        filter=said.filter,
        name=said.name,
        reader=said.reader,
        password=_secret(folder, said.password_file, "ldap.password_file"),
        member_of=said.member_of,
        group_base=said.group_base,
        ca_file=str(folder / said.ca_file) if said.ca_file else "",
        timeout_s=said.timeout_s,
    )


def _issuer(config: Config, clock: Clock) -> Issuer:
    said = config.oidc
    secret = _secret(config.path.parent, said.secret_file, "oidc.secret_file")
    return Issuer(
        said.issuer, said.client_id, secret, said.staff_claim, said.groups_claim, said.timeout_s, clock.real_now
    )


def _secret(folder: Path, name: str, key: str) -> str:
    if not name:
        return ""
    try:
        return (folder / name).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotReady(f"{key}: expected a readable file {name}, got: {error}") from error
