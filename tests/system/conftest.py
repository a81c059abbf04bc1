"""What every system test shares: how long a page may take to show what it is expected to.

The rule that must not be broken: no test of a browser judges how quick the machine is; a limit is only there so that a
page that never shows something is told.
"""

import pytest

SEEN_MS_MAX = 30_000


@pytest.fixture(autouse=True, scope="session")
def patience() -> None:
    """Let a browser look again for that long; the library's own five seconds are lost on a busy machine."""
    from playwright.sync_api import expect

    expect.set_options(timeout=SEEN_MS_MAX)
