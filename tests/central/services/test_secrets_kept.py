"""What a password is kept as, and what a guess at one costs."""

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

from central.services import secrets_kept
from central.services.secrets_kept import hash_password, is_password


def test_a_guess_costs_in_service_what_rfc_9106_asks_where_memory_is_short(in_service: PasswordHasher) -> None:
    assert in_service.hash("seven green kettles").startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_who_does_not_exist_costs_a_guess_as_much_and_is_never_let_in(in_service: PasswordHasher) -> None:
    kept, nobodys = hash_password("seven green kettles"), secrets_kept._nobodys()
    assert extract_parameters(nobodys) == extract_parameters(kept)
    with pytest.raises(VerifyMismatchError):
        in_service.verify(nobodys, "seven green kettles")
    assert is_password(kept, "seven green kettles")
    assert not is_password(kept, "nine blue saucers")
    assert not is_password("", "seven green kettles")
