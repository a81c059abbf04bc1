"""The hospital's key that hides patients, read from its file: the same file as at the storerooms.

It makes no key: two keys would be two names for one patient. The rule that must not be broken: the key is never logged.
"""

from pathlib import Path

from central.core.charging import PATIENT_KEY_MAX, PATIENT_KEY_MIN
from central.errors import NotReady


def read_patient_key(path: Path | None) -> bytes:
    """Return the key, a last line end left out; empty where none is configured. Raises `NotReady`."""
    if path is None:
        return b""
    try:
        key = path.read_bytes().removesuffix(b"\n").removesuffix(b"\r")
    except OSError as error:
        raise NotReady(f"his.patient_key: expected the hospital's key in {path.name}; {error.strerror}") from error
    if not PATIENT_KEY_MIN <= len(key) <= PATIENT_KEY_MAX:
        expected = f"{PATIENT_KEY_MIN} to {PATIENT_KEY_MAX} bytes"
        raise NotReady(f"his.patient_key: expected a key of {expected} in {path.name}, got {len(key)}")
    return key
