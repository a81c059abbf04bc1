"""The hospital's directory over LDAP: is this password theirs, and who are they now.

The person is searched by the reader's account, then bound as, with their own password. The rules that must not be
broken: an empty password is refused here, because a directory takes it for nobody's; every question has a time limit.

Sources: RFC 4511 4.2 (bind), RFC 4513 5.1.2 (an unauthenticated bind succeeds), RFC 4515 (escaping of filters).
"""

import socket
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from central.core.directory import GROUPS_MAX, Known
from central.errors import NotReady
from protocols.errors import BadValue
from protocols.values.ids import actor_id

LDAP, LDAPS = 389, 636
FOUND_MAX = 2
"""Two of one staff number are as bad as none, and are told."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Where staff are known. `member_of` or `group_base` say where their groups stand."""

    url: str
    base: str
    filter: str
    name: str
    reader: str = ""
    password: str = field(default="", repr=False)
    member_of: str = "memberOf"
    group_base: str = ""
    ca_file: str = ""
    timeout_s: int = 5

    def check(self, staff: str, password: str) -> Known | None:
        """Return who has this staff number and password, None for nobody. Raises `NotReady` where nobody answers."""
        if not password:
            return None
        with self._bound(self.reader, self.password) as asking:
            if asking is None:
                raise NotReady(
                    "directory: expected the reader's account to be let in, it was not; look at [ldap] reader"
                )
            found = self._find(asking, staff)
        if found is None:
            return None
        dn, known = found
        with self._bound(dn, password) as theirs:
            return None if theirs is None else known

    def find(self, staff: str) -> Known | None:
        """Return who has this staff number now, None for nobody any more. Raises `NotReady`."""
        with self._bound(self.reader, self.password) as asking:
            if asking is None:
                raise NotReady(
                    "directory: expected the reader's account to be let in, it was not; look at [ldap] reader"
                )
            found = self._find(asking, staff)
        return None if found is None else found[1]

    @contextmanager
    def _bound(self, dn: str, password: str) -> Iterator[Any]:
        """Give a connection bound as somebody, None where the directory refuses them."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # ldap3 asks pyasn1 by two old names
            import ldap3
            from ldap3.core.exceptions import LDAPException
        tls = ldap3.Tls(ssl.CERT_REQUIRED, ca_certs_file=self.ca_file or None) if self.url.startswith("ldaps") else None
        server = ldap3.Server(self.url, tls=tls, connect_timeout=self.timeout_s, get_info=ldap3.NONE)
        connection = ldap3.Connection(
            server, dn or None, password or None, receive_timeout=self.timeout_s, read_only=True,
            authentication=ldap3.SIMPLE if dn else ldap3.ANONYMOUS,
        )  # fmt: skip
        try:
            self._knock()
            yield connection if connection.bind() else None
        except (LDAPException, OSError) as error:
            said = str(error).splitlines()[0][:160]
            raise NotReady(
                f"directory: expected {self.url} to answer within {self.timeout_s} s, got: {said}"
            ) from error
        finally:
            connection.unbind()

    def _knock(self) -> None:
        """Raise `OSError` where nothing listens: ldap3 would leave the socket it tried with open."""
        parts = urlsplit(self.url)
        port = parts.port or (LDAPS if parts.scheme == "ldaps" else LDAP)
        socket.create_connection((parts.hostname or "", port), self.timeout_s).close()

    def _find(self, asking: Any, staff: str) -> tuple[str, Known] | None:  # noqa: ANN401 # ldap3 is loaded when asked
        from ldap3 import SUBTREE
        from ldap3.utils.conv import escape_filter_chars

        try:
            number = actor_id(staff.strip())
        except BadValue:
            return None
        asked = self.filter.replace("{staff}", escape_filter_chars(number))
        names = [one for one in (self.name, self.member_of) if one]
        asking.search(self.base, asked, SUBTREE, attributes=names, size_limit=FOUND_MAX, time_limit=self.timeout_s)
        people = [one for one in asking.response or [] if one.get("type") == "searchResEntry"]
        if len(people) != 1 or not number:
            return None
        dn, held = people[0]["dn"], people[0]["attributes"]
        groups = {str(one) for one in _several(held.get(self.member_of))} if self.member_of else set()
        if self.group_base:
            member = f"(|(member={escape_filter_chars(dn)})(memberUid={escape_filter_chars(number)}))"
            asking.search(
                self.group_base, member, SUBTREE, attributes=[], size_limit=GROUPS_MAX, time_limit=self.timeout_s
            )
            groups |= {one["dn"] for one in asking.response or [] if one.get("type") == "searchResEntry"}
        name = next((str(one) for one in _several(held.get(self.name))), "") or number
        return dn, Known(number, name[:64], frozenset(sorted(groups)[:GROUPS_MAX]))


def _several(value: object) -> list[object]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
