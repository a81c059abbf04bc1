"""Send a short text to an address of any messenger: WeCom, DingTalk, Feishu, mail, a web hook. The library is apprise.

It decides nothing and retries nothing. The rule that must not be broken: an address is a secret; neither we nor the
library say it in a log or an error.
"""

import hashlib
import logging

DIGITS = 16
QUIET = logging.CRITICAL + 1


def name_of(url: str) -> str:
    """Return what an address is known by where it must not be said."""
    return hashlib.sha256(url.encode()).hexdigest()[:DIGITS]


def send(url: str, title: str, body: str) -> bool:
    """Send a text to one address; tells whether it was taken. It waits some seconds at most (the library's limits)."""
    import apprise  # a hospital without notices does not load it

    logging.getLogger("apprise").setLevel(QUIET)  # it writes addresses into its messages
    post = apprise.Apprise()
    if not post.add(url):
        return False
    return bool(post.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT))
