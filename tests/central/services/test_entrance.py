"""Signing in, on a real store."""

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from central.core.rights import Grant, Right, Role
from central.core.signin import FAILURES_MAX, INVITATION_S, LOCKED_S, SESSION_IDLE_S, SESSION_S, check_password
from central.errors import BadInput, NotAllowed, NotNow, NotSignedIn, NotThere, TooMany
from central.services.desk import Desk
from central.services.entrance import TRIES_MAX, TRIES_S
from central.store.audit import acts, broken_at
from central.store.queries_people import change_person, people
from central.store.tables.people import AUDIT, PERSON, SESSION
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import plus
from tests.central.doors import SETUP_CODE, Watch, desk
from tests.central.hospital import HOSPITAL, START
from tests.central.stores import migrated_store

ADMIN, BUYER = ActorId("10001"), ActorId("10023")
PASSWORD, OTHER = "seven green kettles 7", "nine blue saucers 9"
HERE = "10.0.0.7"


@pytest.fixture
def watch() -> Watch:
    return Watch(START)


@pytest.fixture
def door(watch: Watch) -> Desk:
    """A hospital with an administrator and a buyer who has set a password."""
    made = desk(migrated_store(), watch)
    made.entrance.make_first(SETUP_CODE, ADMIN, "Keeper", PASSWORD, HERE)
    secret = made.accounts.add(ADMIN, BUYER, "Buyer", [Grant(Role.PURCHASER)])
    made.entrance.accept(secret, PASSWORD, HERE)
    return made


def fail_once(door: Desk, watch: Watch) -> None:
    watch.now = plus(watch.now, TRIES_S)
    with pytest.raises(NotSignedIn):
        door.entrance.sign_in(BUYER, OTHER, "", HERE)


def test_who_signed_in_is_known_by_the_session(door: Desk) -> None:
    caller = door.entrance.by_session(door.entrance.sign_in(BUYER, PASSWORD, "", HERE))
    assert (caller.person, caller.name) == (BUYER, "Buyer")
    assert caller.may(Right.APPROVE)


def test_no_secret_is_kept_as_it_is(door: Desk) -> None:
    secret = door.entrance.sign_in(BUYER, PASSWORD, "", HERE)
    with door.store.read() as connection:
        rows = [str(row) for table in (PERSON, SESSION, AUDIT) for row in connection.execute(table.select())]
    assert rows
    assert not [row for row in rows if secret in row or PASSWORD in row]


@pytest.mark.parametrize(("staff", "password"), [(BUYER, OTHER), ("99999", PASSWORD), ("", ""), ("no blanks!", "x")])
def test_a_wrong_number_and_a_wrong_password_are_answered_alike(door: Desk, staff: str, password: str) -> None:
    with pytest.raises(NotSignedIn, match="expected a staff number with its password"):
        door.entrance.sign_in(staff, password, "", HERE)


def test_after_five_failures_the_right_password_is_refused_too_and_works_again_later(door: Desk, watch: Watch) -> None:
    for _ in range(FAILURES_MAX):
        fail_once(door, watch)
    with pytest.raises(NotSignedIn):
        door.entrance.sign_in(BUYER, PASSWORD, "", "10.0.0.8")
    watch.now = plus(watch.now, LOCKED_S)
    assert door.entrance.sign_in(BUYER, PASSWORD, "", "10.0.0.8")


def test_a_success_forgets_the_failures_before_it(door: Desk, watch: Watch) -> None:
    for _ in range(FAILURES_MAX - 1):
        fail_once(door, watch)
    door.entrance.sign_in(BUYER, PASSWORD, "", HERE)
    fail_once(door, watch)
    assert door.entrance.sign_in(BUYER, PASSWORD, "", HERE)


def test_an_address_that_tries_and_tries_must_wait(door: Desk, watch: Watch) -> None:
    for _ in range(TRIES_MAX):
        with pytest.raises(NotSignedIn):
            door.entrance.sign_in("99999", "x", "", "10.0.0.9")
    with pytest.raises(TooMany):
        door.entrance.sign_in("99999", "x", "", "10.0.0.9")
    assert door.entrance.sign_in(BUYER, PASSWORD, "", HERE), "another place is not held up"
    watch.now = plus(watch.now, TRIES_S)
    with pytest.raises(NotSignedIn):
        door.entrance.sign_in("99999", "x", "", "10.0.0.9")


def test_a_session_ends_idle_and_ends_with_the_shift(door: Desk, watch: Watch) -> None:
    secret = door.entrance.sign_in(BUYER, PASSWORD, "", HERE)
    for _ in range(int(SESSION_S / (SESSION_IDLE_S / 2)) - 1):
        watch.now = plus(watch.now, SESSION_IDLE_S / 2)
        assert door.entrance.by_session(secret).person == BUYER
    watch.now = plus(watch.now, SESSION_IDLE_S / 2)
    with pytest.raises(NotSignedIn):
        door.entrance.by_session(secret)
    secret = door.entrance.sign_in(BUYER, PASSWORD, "", HERE)
    watch.now = plus(watch.now, SESSION_IDLE_S)
    with pytest.raises(NotSignedIn):
        door.entrance.by_session(secret)


def test_who_signs_out_is_out(door: Desk) -> None:
    secret = door.entrance.sign_in(BUYER, PASSWORD, "", HERE)
    door.entrance.sign_out(secret)
    with pytest.raises(NotSignedIn):
        door.entrance.by_session(secret)


def test_one_time_codes_are_asked_for_where_they_are_set_up(door: Desk, watch: Watch) -> None:
    key = b"12345678901234567890"
    with door.store.write() as connection:
        change_person(connection, HOSPITAL, BUYER, totp_secret="GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    code = TOTP(key, 6, SHA1(), 30).generate(watch.now // 1_000_000).decode()
    with pytest.raises(NotSignedIn):
        door.entrance.sign_in(BUYER, PASSWORD, "", HERE)
    assert door.entrance.sign_in(BUYER, PASSWORD, code, HERE)


def test_an_invitation_works_once_and_for_three_days(door: Desk, watch: Watch) -> None:
    secret = door.accounts.invite(ADMIN, BUYER)
    door.entrance.accept(secret, OTHER, HERE)
    with pytest.raises(NotNow):
        door.entrance.accept(secret, PASSWORD, HERE)
    late = door.accounts.invite(ADMIN, BUYER)
    watch.now = plus(watch.now, INVITATION_S)
    with pytest.raises(NotNow):
        door.entrance.accept(late, PASSWORD, HERE)


def test_a_new_invitation_ends_the_password_and_the_sessions_before(door: Desk) -> None:
    secret = door.entrance.sign_in(BUYER, PASSWORD, "", HERE)
    door.accounts.invite(ADMIN, BUYER)
    with pytest.raises(NotSignedIn):
        door.entrance.by_session(secret)
    with pytest.raises(NotSignedIn):
        door.entrance.sign_in(BUYER, PASSWORD, "", HERE)


def test_an_account_switched_off_ends_everything_at_once(door: Desk) -> None:
    session = door.entrance.sign_in(BUYER, PASSWORD, "", HERE)
    token = door.accounts.add_token(ADMIN, BUYER, "report", read_only=True, days=30)
    assert door.entrance.by_token(token).read_only
    door.accounts.switch(ADMIN, BUYER, active=False)
    for refused in (
        lambda: door.entrance.by_session(session),
        lambda: door.entrance.by_token(token),
        lambda: door.entrance.sign_in(BUYER, PASSWORD, "", HERE),
    ):
        with pytest.raises(NotSignedIn):
            refused()


def test_a_token_ends_on_its_day_and_when_revoked(door: Desk, watch: Watch) -> None:
    short = door.accounts.add_token(ADMIN, BUYER, "short", read_only=False, days=1)
    long = door.accounts.add_token(ADMIN, BUYER, "long", read_only=False, days=30)
    watch.now = plus(watch.now, 86_400)
    with pytest.raises(NotSignedIn):
        door.entrance.by_token(short)
    assert door.entrance.by_token(long).may(Right.APPROVE)
    door.accounts.revoke_tokens(ADMIN, BUYER, "long")
    with pytest.raises(NotSignedIn):
        door.entrance.by_token(long)


def test_the_first_account_needs_the_code_of_the_log_and_comes_once(watch: Watch) -> None:
    made = desk(migrated_store(), watch)
    assert made.entrance.is_new()
    with pytest.raises(BadInput, match="set-up code"):
        made.entrance.make_first("guess", ADMIN, "Keeper", PASSWORD, HERE)
    made.entrance.make_first(SETUP_CODE, ADMIN, "Keeper", PASSWORD, HERE)
    assert not made.entrance.is_new()
    with pytest.raises(NotNow):
        made.entrance.make_first(SETUP_CODE, BUYER, "Second", PASSWORD, HERE)


def test_the_last_administrator_stays_and_nobody_changes_their_own_roles(door: Desk) -> None:
    with pytest.raises(NotNow, match="administrator"):
        door.accounts.switch(BUYER, ADMIN, active=False)
    with pytest.raises(NotNow, match="administrator"):
        door.accounts.set_roles(BUYER, ADMIN, [Grant(Role.FINANCE)])
    with pytest.raises(NotAllowed):
        door.accounts.set_roles(ADMIN, ADMIN, [Grant(Role.PURCHASER)])
    with door.store.read() as connection:
        (kept,) = people(connection, HOSPITAL, person=ADMIN)
    assert (kept.active, kept.grants) == (True, (Grant(Role.ADMINISTRATOR),))


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda one: one.add(ADMIN, BUYER, "Again", [Grant(Role.FINANCE)]), NotNow),
        (lambda one: one.add(ADMIN, ActorId("2"), " ", [Grant(Role.FINANCE)]), BadInput),
        (lambda one: one.add(ADMIN, ActorId("2"), "N", [Grant(Role.NURSE, frozenset({PlaceId("ward-77")}))]), BadInput),
        (lambda one: one.invite(ADMIN, ActorId("404")), NotThere),
        (lambda one: one.add_token(ADMIN, BUYER, "t", read_only=True, days=0), BadInput),
        (lambda one: one.revoke_tokens(ADMIN, BUYER, "none"), NotThere),
    ],
)
def test_a_wrong_change_of_accounts_is_refused_and_leaves_no_trace(
    door: Desk, wrong: Callable[[object], object], error: type[Exception]
) -> None:
    with door.store.read() as connection:
        before = acts(connection, HOSPITAL)
    with pytest.raises(error):
        wrong(door.accounts)
    with door.store.read() as connection:
        assert acts(connection, HOSPITAL) == before


@pytest.mark.parametrize(
    "text", ["short 1", "onlyletterswithoutend", "10023 is my number", "aaaaaaaaaaaaaaaa1", "x1" * 65]
)
def test_a_weak_password_is_refused_with_what_is_lacking(text: str) -> None:
    with pytest.raises(BadInput, match=r"password: expected .*, got|password: expected one without"):
        check_password(text, "10023")


def test_everything_done_stands_in_the_record_in_order(door: Desk) -> None:
    door.entrance.sign_in(BUYER, PASSWORD, "", HERE)
    with door.store.read() as connection:
        found = [(one.person, one.act, one.subject) for one in reversed(acts(connection, HOSPITAL))]
        assert broken_at(connection, HOSPITAL) is None
    assert found == [
        (ADMIN, "first-account", ""),
        (ADMIN, "add-person", BUYER),
        (BUYER, "set-password", ""),
        (BUYER, "sign-in", ""),
    ]


def test_a_row_of_the_record_altered_or_removed_is_found(door: Desk) -> None:
    with door.store.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_no_update")
        connection.execute(AUDIT.update().where(AUDIT.c.seq == 1).values(subject="10099"))
    with door.store.read() as connection:
        assert broken_at(connection, HOSPITAL) == 1


def test_a_look_at_prices_is_noted_once_an_hour(door: Desk, watch: Watch) -> None:
    buyer = door.entrance.by_session(door.entrance.sign_in(BUYER, PASSWORD, "", HERE))

    def looks() -> int:
        with door.store.read() as connection:
            return sum(one.act == "see-prices" for one in acts(connection, HOSPITAL))

    for _ in range(3):
        door.looks.saw(buyer, "see-prices", "orders")
    assert looks() == 1
    watch.now = plus(watch.now, 3600)
    door.looks.saw(buyer, "see-prices", "orders")
    assert looks() == 2
