"""One-time codes: set up by their first code, each counts once, recovery codes too, and a role may need them."""

from datetime import date

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from central.core.rights import Grant, Role
from central.errors import BadInput, CodesNeeded, NotNow, NotSignedIn
from central.services.desk import Desk
from central.store.tables.people import PERSON, RECOVERY_CODE
from central.store.tables.work import POLICY_RULE
from protocols.values.ids import ActorId
from protocols.values.instant import plus
from tests.central.doors import Watch, desk
from tests.central.hospital import HOSPITAL, START
from tests.central.stores import migrated_store

PERSON_1, PASSWORD = ActorId("20001"), "a long sentence 1"


class House:
    def __init__(self) -> None:
        self.watch = Watch(START)
        self.store = migrated_store()
        self.desk: Desk = desk(self.store, self.watch)
        secret = self.desk.accounts.add(ActorId("op"), PERSON_1, "P", [Grant(Role.PURCHASER)])
        self.desk.entrance.accept(secret, PASSWORD, "a")
        self.codes = self.desk.entrance.codes

    def app(self, secret: str) -> str:
        from base64 import b32decode

        made = TOTP(b32decode(secret), 6, SHA1(), 30, enforce_key_length=False)
        return made.generate(self.watch.now // 1_000_000).decode()

    def set_up(self) -> tuple[str, list[str]]:
        secret = self.codes.begin()
        return secret, self.codes.set_up(PERSON_1, secret, self.app(secret))

    def sign_in(self, code: str) -> str:
        return self.desk.entrance.sign_in(PERSON_1, PASSWORD, code, "a")

    def later(self, seconds: float = 30) -> None:
        self.watch.now = plus(self.watch.now, seconds)


@pytest.fixture
def house() -> House:
    return House()


def test_a_secret_is_kept_only_once_its_first_code_came_back(house: House) -> None:
    secret = house.codes.begin()
    assert house.codes.address("20001", secret).startswith(f"otpauth://totp/Wardstock%3A20001?secret={secret}&")
    with pytest.raises(BadInput, match="six digits"):
        house.codes.set_up(PERSON_1, secret, "000000")
    assert house.sign_in("")
    secret, recovery = house.set_up()
    assert len(set(recovery)) == 10
    with pytest.raises(NotNow):
        house.codes.set_up(PERSON_1, secret, house.app(secret))
    with pytest.raises(NotSignedIn):
        house.sign_in("")


def test_a_code_counts_once(house: House) -> None:
    secret, _ = house.set_up()
    with pytest.raises(NotSignedIn):
        house.sign_in(house.app(secret))  # the one it was set up with
    house.later()
    code = house.app(secret)
    assert house.sign_in(code)
    with pytest.raises(NotSignedIn):
        house.sign_in(code)


def test_a_recovery_code_counts_once_however_it_is_typed_and_only_its_hash_is_kept(house: House) -> None:
    _, recovery = house.set_up()
    assert house.sign_in(f" {recovery[3].upper().replace('-', ' ')} ")
    with pytest.raises(NotSignedIn):
        house.sign_in(recovery[3])
    assert house.codes.recovery_left(PERSON_1) == 9
    with house.store.read() as connection:
        kept = str(connection.execute(RECOVERY_CODE.select()).all())
    assert not any(one in kept for one in recovery)


def test_codes_are_removed_against_one_of_them(house: House) -> None:
    secret, recovery = house.set_up()
    with pytest.raises(BadInput):
        house.codes.remove(PERSON_1, "123456")
    house.codes.remove(PERSON_1, recovery[0])
    assert house.sign_in("")
    with house.store.read() as connection:
        assert connection.execute(PERSON.select()).one().totp_secret == ""
    assert secret


def test_a_role_that_needs_codes_goes_no_further_without_them(house: House) -> None:
    session = house.sign_in("")
    row = {"hospital": HOSPITAL, "code": "signin.codes", "scope": "purchaser", "value": "1", "source_doc": "test"}
    with house.store.write() as connection:
        connection.execute(POLICY_RULE.insert().values(**row, effective_from=date(2026, 1, 1)))
    with pytest.raises(CodesNeeded):
        house.desk.entrance.by_session(session)
    assert house.desk.entrance.by_session(session, without_codes=True).person == PERSON_1
    _, recovery = house.set_up()
    assert house.desk.entrance.by_session(session).person == PERSON_1
    with pytest.raises(NotNow, match="do without"):
        house.codes.remove(PERSON_1, recovery[0])
