"""Sign-in by a real directory (slapd) and by a real issuer that somebody else wrote, each a process on loopback."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import ldap3
import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.bootstrap.parts import accounts_of
from central.clock import Clock
from central.config import read_config
from central.core.rights import Grant, Role
from central.services.entrance import Entrance
from central.services.sources import Sources
from hardware_sim.demo.brokers import free_port
from protocols.values.ids import ActorId
from tests.central.stores import migrated_store

START_S = 60.0
PASSWORD = "the directory's own 1"
SCHEMAS = Path("/etc/ldap/schema")
MODULES = Path("/usr/lib/ldap")


def wait_for(port: int) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens at {port} after {START_S} s")


class Slapd:
    """OpenLDAP's server with two people and two groups, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        (folder / "db").mkdir(parents=True)
        schemas = "\n".join(f"include {SCHEMAS / name}.schema" for name in ("core", "cosine", "inetorgperson"))
        (folder / "slapd.conf").write_text(
            f"{schemas}\nmodulepath {MODULES}\nmoduleload back_mdb\npidfile {folder / 'pid'}\n"
            f'database mdb\nsuffix "dc=hospital"\nrootdn "cn=root,dc=hospital"\nrootpw root-pw\n'
            f"directory {folder / 'db'}\n"
            "access to attrs=userPassword by anonymous auth by * none\n"
            'access to * by dn.exact="cn=reader,dc=hospital" read by users read by * none\n',
            "utf-8",
        )
        program = shutil.which("slapd", path=f"{os.environ.get('PATH', '')}:/usr/sbin") or "slapd"
        command = [program, "-d", "0", "-h", f"ldap://127.0.0.1:{self.port}", "-f", str(folder / "slapd.conf")]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.port)
        self._fill()

    def _fill(self) -> None:
        with self.root() as root:
            root.add("dc=hospital", ["dcObject", "organization"], {"o": "H"})
            for unit in ("staff", "groups"):
                root.add(f"ou={unit},dc=hospital", "organizationalUnit")
            reader = {"sn": "r", "userPassword": "reader-pw"}
            root.add("cn=reader,dc=hospital", "person", reader)
            for number, name in (("30001", "张三"), ("30002", "李四")):
                held = {"cn": name, "sn": name, "userPassword": PASSWORD}
                root.add(f"uid={number},ou=staff,dc=hospital", "inetOrgPerson", held)
            buyers = {"member": ["uid=30001,ou=staff,dc=hospital"]}
            assert root.add("cn=buyers,ou=groups,dc=hospital", "groupOfNames", buyers), root.result

    @contextmanager
    def root(self) -> Iterator[Any]:
        server = ldap3.Server(f"ldap://127.0.0.1:{self.port}", get_info=ldap3.NONE)
        connection = ldap3.Connection(server, "cn=root,dc=hospital", "root-pw", auto_bind=True)
        yield connection
        connection.unbind()

    def change(self, number: str, **values: str) -> None:
        changes = {name: [(ldap3.MODIFY_REPLACE, [value])] for name, value in values.items()}
        with self.root() as root:
            assert root.modify(f"uid={number},ou=staff,dc=hospital", changes), root.result

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


class Site:
    """A server that asks elsewhere for accounts, with one account of its own."""

    def __init__(self, folder: Path, section: str) -> None:
        (folder / "pw").write_text("reader-pw\n", "utf-8")
        path = folder / "central.toml"
        path.write_text(f'[broker]\nurls = ["mqtt://127.0.0.1:1"]\n{section}', "utf-8")
        config, clock = read_config(path), Clock()
        self.store = migrated_store()
        secret = accounts_of(config, self.store, clock).add(
            ActorId("op"), ActorId("10001"), "Local", [Grant(Role.AUDITOR)]
        )
        app = build_app(config, self.store, clock)
        self.entrance: Entrance = app.state.entrance
        assert self.entrance.sources is not None
        self.sources: Sources = self.entrance.sources
        self.entrance.accept(secret, "a sentence kept here 1", "a")
        self.client = TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)

    def sign_in(self, staff: str, password: str) -> int:
        self.client.cookies.clear()
        return int(self.client.post("/sign-in", data={"staff": staff, "password": password}).status_code)

    def me(self) -> dict[str, Any]:
        answer = self.client.get("/api/v1/me")
        return answer.json() if answer.status_code == 200 else {}


def ldap_section(port: int, timeout_s: int = 5) -> str:
    return (
        f'[ldap]\nurl = "ldap://127.0.0.1:{port}"\nbase = "ou=staff,dc=hospital"\nreader = "cn=reader,dc=hospital"\n'
        'password_file = "pw"\nmember_of = ""\ngroup_base = "ou=groups,dc=hospital"\n'
        'filter = "(&(objectClass=inetOrgPerson)(uid={staff})(!(employeeType=left)))"\n'
        f'timeout_s = {timeout_s}\n[ldap.groups]\n"cn=Buyers,ou=groups,dc=hospital" = ["purchaser"]\n'
    )


@pytest.fixture
def slapd(tmp_path: Path) -> Iterator[Slapd]:
    one = Slapd(tmp_path / "slapd")
    yield one
    one.stop()


@pytest.mark.needs_slapd
def test_the_directory_lets_its_people_in_with_the_roles_of_their_groups(slapd: Slapd, tmp_path: Path) -> None:
    site = Site(tmp_path, ldap_section(slapd.port))
    assert site.sign_in("30001", PASSWORD) == 303
    assert (site.me()["name"], [one["role"] for one in site.me()["roles"]]) == ("张三", ["purchaser"])
    for staff, password, status in (
        ("30001", "wrong", 401),
        ("30001", "", 401),
        ("30002", PASSWORD, 403),  # known, but no group of theirs means a role
        ("*", PASSWORD, 401),
        ("30001)(uid=*", PASSWORD, 401),
        ("39999", PASSWORD, 401),
        ("10001", "a sentence kept here 1", 303),
    ):
        assert site.sign_in(staff, password) == status, (staff, password)


@pytest.mark.needs_slapd
def test_who_leaves_the_directory_loses_the_session_at_the_next_look(slapd: Slapd, tmp_path: Path) -> None:
    site = Site(tmp_path, ldap_section(slapd.port))
    site.sign_in("30001", PASSWORD)
    assert site.sources.look_again() == "1 asked about, 0 ended"
    assert site.me()["person"] == "30001"
    slapd.change("30001", employeeType="left")
    assert site.sources.look_again() == "1 asked about, 1 ended"
    assert site.me() == {}
    assert site.sign_in("30001", PASSWORD) == 401
    slapd.change("30001", employeeType="back")
    assert site.sign_in("30001", PASSWORD) == 303
    slapd.process.kill()
    slapd.process.wait(10)
    assert "expected ldap://127.0.0.1" in site.sources.look_again()
    assert site.me()["person"] == "30001"  # a source that does not answer changes nothing


@pytest.mark.needs_slapd
def test_without_an_answer_an_account_kept_here_is_the_way_in(tmp_path: Path) -> None:
    with socket.socket() as mute:  # it takes connections and never says a word
        mute.bind(("127.0.0.1", 0))
        mute.listen(8)
        site = Site(tmp_path, ldap_section(mute.getsockname()[1], timeout_s=1))
        assert site.sign_in("30001", PASSWORD) == 503
        assert site.sign_in("10001", "a sentence kept here 1") == 303


class IssuerProcess:
    """oidc-provider-mock as a process: an issuer with real keys, codes, PKCE and refresh tokens."""

    def __init__(self) -> None:
        self.port = free_port()
        people = [
            {"sub": "zhang", "name": "张三", "preferred_username": "40001", "groups": ["Buyers"]},
            {"sub": "li", "name": "李四", "preferred_username": "40002", "groups": ["cooks"]},
            {"sub": "local", "name": "L", "preferred_username": "10001", "groups": ["Buyers"]},
        ]
        given = [text for one in people for text in ("--user-claims", json.dumps(one))]
        command = [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "oidc_provider_mock",
            "-p",
            str(self.port),
            "-n",
            "true",
            *given,
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.port)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def revoke(self, sub: str) -> None:
        assert httpx.post(f"{self.url}/users/{sub}/revoke-tokens").is_success

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture(scope="module")
def issuer() -> Iterator[IssuerProcess]:
    one = IssuerProcess()
    yield one
    one.stop()


@pytest.fixture
def site(issuer: IssuerProcess, tmp_path: Path) -> Site:
    section = f'[oidc]\nissuer = "{issuer.url}"\nclient_id = "wardstock"\nsecret_file = "pw"\n'
    section += '[oidc.groups]\nbuyers = ["purchaser"]\n'
    return Site(tmp_path, section)


def come_back(site: Site, sub: str, change: Callable[[str], str] = str) -> httpx.Response:
    """Go to the issuer, sign in there as somebody, and come back by the address it gives."""
    away = site.client.get("/sign-in/issuer", params={"next": "/orders"})
    asked = parse_qs(urlsplit(away.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["response_type"] == ["code"]
    back = httpx.post(away.headers["location"], data={"sub": sub}).headers["location"]
    answer: httpx.Response = site.client.get(change(back))
    return answer


def test_the_issuer_lets_its_people_in_and_they_go_where_they_wanted(site: Site) -> None:
    answer = come_back(site, "zhang")
    assert (answer.status_code, answer.headers["location"]) == (303, "/orders")
    assert (site.me()["person"], [one["role"] for one in site.me()["roles"]]) == ("40001", ["purchaser"])


def test_a_code_is_redeemed_once_by_the_browser_that_was_sent(site: Site) -> None:
    kept: list[str] = []
    come_back(site, "zhang", lambda back: kept.append(back) or back)  # type: ignore[func-returns-value] # keeps and goes on
    site.client.cookies.clear()
    assert site.client.get(kept[0]).headers["location"] == "/sign-in?failed=wrong"
    assert (
        come_back(site, "zhang", lambda back: back.replace("state=", "state=x")).headers["location"].endswith("wrong")
    )
    assert come_back(site, "zhang", lambda back: back.replace("code=", "code=x")).headers["location"].endswith("wrong")
    assert site.me() == {}


def test_an_identity_for_another_question_is_refused(site: Site) -> None:
    def other_nonce(back: str) -> str:
        waiting = site.sources._pending
        (state,) = waiting
        waiting[state] = replace(waiting[state], nonce="another")
        return back

    assert come_back(site, "zhang", other_nonce).headers["location"] == "/sign-in?failed=wrong"
    assert site.me() == {}


def test_what_the_issuer_is_asked_with_is_the_digest_of_what_redeems_the_code(site: Site) -> None:
    asked = parse_qs(urlsplit(site.client.get("/sign-in/issuer").headers["location"]).query)
    (waiting,) = site.sources._pending.values()
    digest = hashlib.sha256(waiting.verifier.encode()).digest()
    assert asked["code_challenge"] == [urlsafe_b64encode(digest).rstrip(b"=").decode()]  # RFC 7636 4.2
    assert 43 <= len(waiting.verifier) <= 128


def test_who_has_no_role_or_is_kept_here_does_not_come_in_by_the_issuer(site: Site) -> None:
    assert come_back(site, "li").headers["location"] == "/sign-in?failed=role"
    assert come_back(site, "local").headers["location"] == "/sign-in?failed=role"
    assert site.me() == {}


def test_who_is_revoked_at_the_issuer_loses_the_session_at_the_next_look(site: Site, issuer: IssuerProcess) -> None:
    come_back(site, "zhang")
    assert site.sources.look_again() == "1 asked about, 0 ended"
    assert site.sources.look_again() == "1 asked about, 0 ended"
    issuer.revoke("zhang")
    assert site.sources.look_again() == "1 asked about, 1 ended"
    assert site.me() == {}
    assert come_back(site, "zhang").headers["location"] == "/orders"


def test_an_issuer_that_does_not_answer_is_told(tmp_path: Path) -> None:
    port = free_port()
    section = f'[oidc]\nissuer = "http://127.0.0.1:{port}"\nclient_id = "w"\ntimeout_s = 1\n'
    section += '[oidc.groups]\nb = ["purchaser"]\n'
    site = Site(tmp_path, section)
    assert site.client.get("/sign-in/issuer").headers["location"] == "/sign-in?failed=silent"
