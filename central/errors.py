"""The one error tree of `central`.

    CentralError
    ├── BadInput      what a person or a file gave is not what was expected
    │   ├── BadConfig the configuration file, every fault at once, by key
    │   ├── BadFile   a file to import, every fault at once, by file, row and column
    │   └── BadSheet  a spreadsheet that cannot be taken as it is, in both languages
    ├── NotThere      the thing named does not exist
    ├── NotNow        a rule said no: the state of the thing does not admit it
    │   ├── ChangedSince  somebody else changed it since it was seen
    │   └── Stopped   a check stands in the way of an order until it is waived
    ├── NotSignedIn   nobody is known to ask: no session, no token, or one that is over
    │   └── CodesNeeded   who asks is known and must set up one-time codes first
    ├── NotAllowed    who asks is known and does not hold the right
    ├── TooMany       too many tries; later it works again
    └── NotReady      the surroundings are not as they must be: an unmigrated store, a port in use

Core and services raise; the command line prints one line of it, the API maps the type to a status in one table. A
message says what was expected, what came, and what to do.
"""


class CentralError(Exception):
    """Root of every error this package raises on purpose."""


class BadInput(CentralError):
    """Something from outside was not what was expected."""


class _ManyFaults(BadInput):
    """Several faults found in one reading, one a line."""

    def __init__(self, title: str, faults: tuple[str, ...]) -> None:
        super().__init__("\n  ".join((title, *faults)))
        self.title = title
        self.faults = faults


class BadConfig(_ManyFaults):
    """The configuration file cannot be used; `faults` names each key."""


class BadFile(_ManyFaults):
    """A directory of files cannot be imported; `faults` names file, row and column."""


class BadSheet(BadInput):
    """A spreadsheet cannot be taken as it is; `zh` says why in Chinese."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh


class NotThere(CentralError):
    """The thing that was named does not exist."""


class NotNow(CentralError):
    """A rule or the state of the thing does not admit the request."""


class ChangedSince(NotNow):
    """Somebody else changed the thing since the one who asks saw it."""


class Stopped(NotNow):
    """A check stands in the way of an order until it is waived; `found` names what was found."""

    def __init__(self, said: str, found: tuple[str, ...] = ()) -> None:
        super().__init__(said)
        self.found = found


class NotSignedIn(CentralError):
    """Nobody is known to ask."""


class CodesNeeded(NotSignedIn):
    """Who asks must set up one-time codes before anything else."""


class NotAllowed(CentralError):
    """Who asks does not hold the right."""


class TooMany(CentralError):
    """Too many tries in too short a time; `wait_s` tells after how many seconds another may be made."""

    def __init__(self, said: str, wait_s: int = 60) -> None:
        super().__init__(said)
        self.wait_s = wait_s


class NotReady(CentralError):
    """The surroundings are not as they must be."""
