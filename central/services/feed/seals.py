"""Which keys sign what goes down the feed: policies by the policy key, the heads of a day by the head key.

Where messages go unsigned policies do too; heads are then signed by the statements' key, which is always there. The
rule that must not be broken: a policy is never signed by the key that signs messages, for that one is on every server.
"""

from central.clock import Clock
from central.config import Config
from central.links.key_files import load_key_at, load_root, load_signing_key
from central.services.feed.keeper import FeedKeeper, Seals, Times
from central.services.feed.policies import Seal
from central.store.engine import Store
from protocols.sync.certified import KeyKind


def seals_of(config: Config, clock: Clock, statements: Seal) -> Seals:
    """Return the keys of a configuration. Raises `NotReady` when they are not there or may not be used."""
    if config.sync.unsigned:
        return Seals(None, statements)
    now, folder = clock.real_now(), config.key_folder
    return Seals(
        load_signing_key(folder, KeyKind.POLICY, now),
        load_key_at(config.statement_key, KeyKind.HEAD, load_root(folder), now),
    )


def feed_of(config: Config, store: Store, clock: Clock, statements: Seal) -> FeedKeeper:
    """Return what keeps a configuration's feed. Raises `NotReady`."""
    times = Times(clock.now, clock.link_s)
    return FeedKeeper(store, config.hospital_id, times, seals_of(config, clock, statements))
