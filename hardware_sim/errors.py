"""The one error tree of the simulator.

    SimError
    ├── BadSample      the shipped sample data, or a world file, does not hold together
    ├── WrongUse       options that do not go together, a folder that is not empty, a port in use
    └── PartFailed     a process or a port of the demo did not do what it must

A message says what was expected, what came, and what to do.
"""


class SimError(Exception):
    """Root of every error this package raises on purpose."""


class BadSample(SimError):
    """Data that describes a world is not usable."""


class WrongUse(SimError):
    """The command was asked for something it cannot do."""


class PartFailed(SimError):
    """One part of the demo failed; the message names it and its log."""
