"""The rules of signing in: which password is admitted, when an account is locked, how long a session lives.

Pure: no hashing, no store; instants are real time, for they are about people at a screen. The rule that must not be
broken: a wrong staff number and a wrong password are answered alike.

Source: GB/T 22239-2019 (等级保护 2.0) 8.1.4.1: identity, complexity, ending a session on failures and on idleness.
"""

from dataclasses import dataclass

from central.errors import BadInput
from protocols.values.instant import Instant, plus, seconds_between

PASSWORD_LENGTH_MIN, PASSWORD_LENGTH_MAX = 10, 128
PASSWORD_KINDS_MIN = 2
"""Of letters, digits and other signs; length does more than kinds."""

FAILURES_MAX = 5
LOCKED_S = 15 * 60.0
"""After so many failures in a row an account rests for so long."""

SESSION_IDLE_S = 60 * 60.0
SESSION_S = 12 * 3600.0
"""A session ends after an hour without a request, and after a shift whatever happens."""

SESSION_TOUCH_S = 60.0
"""How much younger a session's last use must be before it is written again."""

INVITATION_S = 72 * 3600.0
TOKEN_DAYS_MAX = 366


def check_password(text: str, person: str) -> None:
    """Check a new password. Raises `BadInput` that says what is lacking."""
    if not PASSWORD_LENGTH_MIN <= len(text) <= PASSWORD_LENGTH_MAX:
        raise BadInput(
            f"password: expected {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters, got {len(text)}; "
            "a short sentence is easy to remember"
        )
    kinds = {("letter" if one.isalpha() else "digit" if one.isdigit() else "sign") for one in text}
    if len(kinds) < PASSWORD_KINDS_MIN:
        raise BadInput("password: expected at least two of letters, digits and other signs, got one kind; add another")
    if person.lower() in text.lower():
        raise BadInput("password: expected one without the staff number in it; choose another")
    if len(set(text)) <= len(text) // 4:
        raise BadInput("password: expected different characters, got the same ones again and again; choose another")


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failures in a row, and until when the account is locked, if it is."""

    failures: int = 0
    locked_until: Instant | None = None

    def is_locked(self, now: Instant) -> bool:
        """Tell whether no password is looked at now."""
        return self.locked_until is not None and now < self.locked_until

    def failed(self, now: Instant) -> "Attempts":
        """Return what a failure leads to."""
        failures = self.failures + 1
        if failures < FAILURES_MAX:
            return Attempts(failures, None)
        return Attempts(0, plus(now, LOCKED_S))


def session_stands(made_at: Instant, seen_at: Instant, now: Instant) -> bool:
    """Tell whether a session may still be used."""
    return seconds_between(made_at, now) < SESSION_S and seconds_between(seen_at, now) < SESSION_IDLE_S
