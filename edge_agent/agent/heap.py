"""How the C library keeps memory for this process: it runs for months on a small machine, and not for a race.

glibc gives every thread a heap of its own and keeps what was freed; an agent has some ten threads of which one works at
a time. The rule that must not be broken: nothing here is needed for the agent to work; another C library is left alone.
"""

import ctypes

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8
"""Names of mallopt(3), from malloc.h."""
LARGE_BYTES = 128 * 1024
"""A block from this size on goes back to the system when it is freed; said aloud, glibc does not raise it by itself."""


def hold_little() -> None:
    """Use one heap for all threads. To be called before there are any."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)


def give_back() -> None:
    """Give the system back what was freed: once, after the last library is loaded (malloc_trim(3))."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
