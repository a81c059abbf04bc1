"""The one error tree of `edge_agent`. A message says what was expected, what came, and what to do.

EdgeError
├── BadConfig        edge.toml, master data or an option is wrong; all its faults in one message
├── BadTrace         a recorded trace of reads is not as the format says
├── StoreFault       SQLite or the disk refused; nothing of the transaction was kept
│   ├── DiskFull     no room; free some and act again
│   └── NotALedger   the file is not this device's ledger
├── FeedRefused      master data that do not fit what stands here; the old version works on
└── LinkFault        a port or a device does not open
"""


class EdgeError(Exception):
    """Root of every error this package raises on purpose."""


class BadConfig(EdgeError):
    """The configuration or a file it names cannot be used."""


class BadTrace(EdgeError):
    """A file of a trace cannot be read as one; nothing was guessed."""


class StoreFault(EdgeError):
    """The store could not do what was asked; the transaction is gone as a whole."""


class DiskFull(StoreFault):
    """The store has no room left for what was asked."""


class NotALedger(StoreFault):
    """The file is missing, is no ledger, or is the ledger of another device."""


class FeedRefused(EdgeError):
    """A version of master data cannot be taken in; nothing of it was."""


class LinkFault(EdgeError):
    """A port, a socket or a device does not open; try again later."""
