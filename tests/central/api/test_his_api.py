"""The other system's side over HTTP: a token of the role `his`, one number one use, problems that say what stands."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.bootstrap.parts import accounts_of
from central.config import read_config
from central.core.rights import Grant, Role
from central.store.engine import Store
from protocols.values.ids import ActorId, PlaceId
from tests.central.hospital import KIT, Ward, frozen_clock, hospital, tags

UNITS = tags(3)
BODY = {"charge": "F1", "code": UNITS[0], "place": "ward-01", "patient": "P1"}


class Site:
    """A server whose people sign in, with a token for the other system and one for a nurse."""

    def __init__(self, folder: Path) -> None:
        self.store: Store = hospital(folder / "files", {})
        Ward(self.store).open(KIT, "K1", UNITS)
        (folder / "patient.key").write_bytes(b"a key that hides patients\n")
        path = folder / "central.toml"
        path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[his]\npatient_key = "patient.key"\n', "utf-8")
        config, clock = read_config(path), frozen_clock()
        accounts = accounts_of(config, self.store, clock)
        self.token: dict[str, dict[str, str]] = {}
        for name, grant in (
            ("his", Grant(Role.HIS)),
            ("nurse", Grant(Role.NURSE, frozenset({PlaceId("ward-01")}))),
            ("reader", Grant(Role.HIS)),
        ):
            accounts.add(ActorId("op"), ActorId(name), name, [grant])
            secret = accounts.add_token(ActorId("op"), ActorId(name), "t", read_only=name == "reader", days=1)
            self.token[name] = {"Authorization": f"Bearer {secret}"}
        self.app = build_app(config, self.store, clock)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture
def client(site: Site) -> Iterator[TestClient]:
    with TestClient(site.app, base_url="http://127.0.0.1", headers=site.token["his"]) as one:
        yield one


def test_I2_a_piece_is_resolved_consumed_once_and_undone_over_http(client: TestClient) -> None:  # noqa: N802
    told = client.get("/api/v1/his/resolve", params={"code": UNITS[0], "place": "ward-01"}).json()
    assert (told["item"], told["place"], told["used_at"], told["warnings"]) == (KIT, "ward-01", None, [])
    first = client.post("/api/v1/his/consume", json=BODY)
    again = client.post("/api/v1/his/consume", json=BODY)
    assert (first.status_code, first.json()) == (200, again.json())
    assert first.json()["outcome"] == "used"
    other = client.post("/api/v1/his/consume", json=BODY | {"charge": "F2"})
    assert (other.status_code, other.headers["content-type"]) == (409, "application/problem+json")
    assert "F1" in other.json()["detail"]
    undone = client.post("/api/v1/his/unconsume", json={"charge": "R1", "of": "F1", "reason": "not opened"})
    assert undone.json()["outcome"] == "undone"
    days = {"first": "2026-03-02", "last": "2026-03-02"}
    assert client.get("/api/v1/charges", params=days).json() == {"items": [], "next": None}
    listed = client.get("/api/v1/charges/pieces", params={"day": "2026-03-02", "place": "ward-01", "item": KIT}).json()
    assert {one["unit"]: one["state"] for one in listed["items"]} == {
        UNITS[0]: "returned", UNITS[1]: "on-shelf", UNITS[2]: "on-shelf",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (BODY | {"place": "ward-99"}, 404),
        (BODY | {"code": "nothing"}, 404),
        (BODY | {"at": "yesterday"}, 422),
        (BODY | {"at": "2020-01-01T00:00:00+08:00"}, 422),
        (BODY | {"qty": 2}, 422),
        (BODY | {"code": KIT, "qty": 1_000_000_001}, 422),
        (BODY | {"code": "\u0000"}, 404),
        (BODY | {"charge": "\u0000", "code": "批号"}, 404),
        (BODY | {"at": "0001-01-01T00:00:00+14:00"}, 422),
        (BODY | {"patient": ""}, 422),
    ],
)
def test_what_does_not_fit_is_a_problem(client: TestClient, body: dict[str, object], status: int) -> None:
    answer = client.post("/api/v1/his/consume", json=body)
    assert (answer.status_code, answer.json()["status"]) == (status, status)


def test_only_a_token_with_the_right_may_consume(client: TestClient, site: Site) -> None:
    for name in ("nurse", "reader"):
        assert client.post("/api/v1/his/consume", json=BODY, headers=site.token[name]).status_code == 403
    assert client.get("/api/v1/orders", headers=site.token["his"]).status_code == 403


def test_a_patients_token_is_never_kept(client: TestClient, site: Site) -> None:
    client.post("/api/v1/his/consume", json=BODY | {"patient": "ZY-0001-SECRET"})
    with site.store.read() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        assert "ZY-0001-SECRET" not in "\n".join(raw.iterdump())
