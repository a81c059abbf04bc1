"""The one error tree of `protocols`.

    ProtocolsError
    ├── BadValue      a value that must not exist (an id, an instant, a quantity, a label field)
    ├── PeerBroke     the other party's bytes break the agreement; keep the bytes, go on
    └── WeBroke       our own code asked for something the agreement cannot express

A message says what was expected, what came, and what to do. Decoders let nothing but these escape.
"""


class ProtocolsError(Exception):
    """Root of every error this package raises on purpose."""


class BadValue(ProtocolsError, ValueError):
    """A value was refused when it was made."""


class PeerBroke(ProtocolsError):
    """Bytes from outside broke the format or its limits."""


class WeBroke(ProtocolsError):
    """Our side asked an encoder or a session for something impossible."""
