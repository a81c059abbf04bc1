"""What is kept of a secret: of a password an argon2id hash, of what was drawn at random its SHA-256.

It draws nothing and stores nothing. The rule that must not be broken: a secret is never logged and never kept as it is.
"""

import hashlib
from base64 import b32decode
from hmac import compare_digest

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from protocols.values.instant import Instant

COST = RFC_9106_LOW_MEMORY
"""What a guess costs: RFC 9106, section 4, the second recommended option, 64 MiB and three passes."""
_HASHER = PasswordHasher.from_parameters(COST)

CODE_LENGTH, CODE_PERIOD_S = 6, 30
"""RFC 6238 as every authenticator app does it: SHA-1, six digits, thirty seconds."""


def digest(secret: str) -> bytes:
    """Return what is kept of a secret that was drawn at random (256 bits, so no salt is needed)."""
    return hashlib.sha256(secret.encode()).digest()


def hash_password(password: str) -> str:
    """Return what is kept of a password: argon2id with its own salt and parameters (RFC 9106)."""
    return _HASHER.hash(password)


def is_password(kept: str, password: str) -> bool:
    """Tell whether a password is the one kept; takes as long when nothing is kept."""
    try:
        return _HASHER.verify(kept or _nobodys(), password) and bool(kept)
    except (VerificationError, InvalidHashError):
        return False


def _nobodys() -> str:
    """Return what a password is compared with where nobody has that staff number, so that both answers take as long."""
    salt, hashed = ("A" * -(-size * 8 // 6) for size in (_HASHER.salt_len, _HASHER.hash_len))
    cost = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${hashed}"


def code_step(secret: str, code: str, now: Instant) -> int | None:
    """Return the period a one-time code (RFC 6238) is of: that of now or the one before; `secret` is base32."""
    try:
        key = b32decode(secret)
    except ValueError:
        return None
    totp = TOTP(key, CODE_LENGTH, SHA1(), CODE_PERIOD_S, enforce_key_length=False)
    seconds = now // 1_000_000
    for moment in (seconds, seconds - CODE_PERIOD_S):
        try:
            totp.verify("".join(code.split()).encode(), moment)
        except InvalidToken:
            continue
        return moment // CODE_PERIOD_S
    return None


def same(one: str, other: str) -> bool:
    """Compare two secrets in a time that tells nothing."""
    return compare_digest(one.encode(), other.encode())


def form_word(session: str) -> str:
    """Return the word that forms of a session carry, so that another site's form is known for what it is."""
    return hashlib.sha256(b"wardstock.form.1" + session.encode()).hexdigest()[:32]
