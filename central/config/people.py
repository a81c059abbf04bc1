"""The tables `[ldap]` and `[oidc]` of central.toml: where staff are known, and which roles their groups mean.

It asks nobody. The rule that must not be broken: a password or a code goes to a source through TLS, or on this machine.
"""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from central.config.section import Section
from central.core.directory import read_mapping
from central.errors import BadInput

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
MAPPED_MAX = 2_000
TIMEOUT_S_MAX = 30
MAPPING = 'a table from groups to roles, such as {"cn=icu,ou=groups,dc=hospital" = ["nurse@ward-01"]}'


def _mapping(given: dict[str, list[str]]) -> dict[str, list[str]]:
    try:
        read_mapping(given)
    except BadInput as error:
        raise ValueError(str(error)) from error
    return given


def _closed(url: str, secure: str, plain: str) -> str:
    parts = urlsplit(url)
    if url and (
        not parts.hostname or (parts.scheme != secure and (parts.scheme, parts.hostname in LOOPBACK) != (plain, True))
    ):
        raise ValueError(url)
    return url


def _ldap_url(url: str) -> str:
    return _closed(url, "ldaps", "ldap")


def _web_url(url: str) -> str:
    return _closed(url, "https", "http")


Mapping = Annotated[dict[str, list[str]], AfterValidator(_mapping)]


class LdapSection(Section):
    """The hospital's directory; without an address accounts are kept here."""

    url: Annotated[str, AfterValidator(_ldap_url)] = Field(
        default="", description="an address such as 'ldaps://ldap.hospital.lan', plain only on this machine"
    )
    ca_file: str = Field(default="", description="a file such as 'ldap-ca.pem'")
    base: str = Field(default="", description="where staff are, such as 'ou=staff,dc=hospital'")
    reader: str = Field(default="", description="who searches, such as 'cn=wardstock,dc=hospital'")
    password_file: str = Field(default="", description="a file with that account's password")
    filter: str = Field(
        default="(&(objectClass=person)(uid={staff}))", pattern=r"^\(.*\{staff\}.*\)$",
        description="a filter with {staff} in it, such as '(&(objectClass=person)(uid={staff})(!(employeeType=left)))'",
    )  # fmt: skip
    name: str = Field(default="cn", min_length=1, description="an attribute such as 'cn'")
    member_of: str = Field(default="memberOf", description="an attribute of the person that names groups, or nothing")
    group_base: str = Field(default="", description="where groups are, such as 'ou=groups,dc=hospital', or nothing")
    groups: Mapping = Field(default={}, max_length=MAPPED_MAX, description=MAPPING)
    timeout_s: int = Field(default=5, ge=1, le=TIMEOUT_S_MAX, description=f"a whole number from 1 to {TIMEOUT_S_MAX}")
    look_s: int = Field(default=300, ge=10, le=86_400, description="a whole number from 10 to 86400")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.url and not (self.base and self.groups):
            raise ValueError(
                "ldap.base, ldap.groups: expected both with ldap.url; say where staff are and what groups mean"
            )
        return self


class OidcSection(Section):
    """The hospital's issuer of identities (OpenID Connect); without an address nobody is sent there."""

    issuer: Annotated[str, AfterValidator(_web_url)] = Field(
        default="",
        description="an address such as 'https://login.hospital.lan/realms/staff', plain only on this machine",
    )
    client_id: str = Field(default="", description="the name this server has there, such as 'wardstock'")
    secret_file: str = Field(default="", description="a file with this server's secret there")
    staff_claim: str = Field(
        default="preferred_username", min_length=1, description="a claim such as 'employee_number'"
    )
    groups_claim: str = Field(default="groups", min_length=1, description="a claim such as 'groups'")
    groups: Mapping = Field(default={}, max_length=MAPPED_MAX, description=MAPPING)
    timeout_s: int = Field(default=5, ge=1, le=TIMEOUT_S_MAX, description=f"a whole number from 1 to {TIMEOUT_S_MAX}")
    look_s: int = Field(default=300, ge=10, le=86_400, description="a whole number from 10 to 86400")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.issuer and not (self.client_id and self.groups):
            raise ValueError(
                "oidc.client_id, oidc.groups: expected both with oidc.issuer; say who we are and what groups mean"
            )
        return self
