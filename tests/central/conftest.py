"""What every test of central shares: how little a password costs."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from central.services import secrets_kept


@pytest.fixture(autouse=True, scope="session")
def in_service() -> Iterator[PasswordHasher]:
    """Keep passwords by argon2 itself at its least cost, which no test is about; gives what hashes them in service."""
    with pytest.MonkeyPatch.context() as patch:
        hasher = secrets_kept._HASHER
        patch.setattr(secrets_kept, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield hasher
