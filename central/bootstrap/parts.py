"""What commands make first from a configuration: the store, the clock, the accounts, the other system's side.

Nothing runs here yet. The rule that must not be broken: a store is given out only when it is of this version's schema.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from central.clock import Clock, new_secret
from central.config import Config
from central.errors import BadInput, NotReady
from central.links.patient_key import read_patient_key
from central.services.accounts import Accounts
from central.services.documents import Documents
from central.services.his import His
from central.services.policy import rules_lacking, seed_policy
from central.store.engine import BadStoreUrl, NoStore, Store, open_store
from central.store.migrate import migrate, pending


@contextmanager
def store_of(config: Config, *, migrated: bool = True, url: str = "") -> Iterator[Store]:
    """Open a configuration's store. Raises `BadInput` for its address, `NotReady` when it is not migrated."""
    try:
        store = open_store(url or config.store.url, base=config.path.parent, existing=migrated)
    except BadStoreUrl as error:
        raise BadInput(f"store.url: {error}") from error
    except NoStore as error:
        raise NotReady(f"{error}; run `wardstock-central migrate` first") from error
    try:
        if migrated:
            _refuse_unlike(store, config)
        yield store
    finally:
        store.close()


def _refuse_unlike(store: Store, config: Config) -> None:
    """Raise `NotReady` for a store whose tables or rules are not those that this version works with."""
    lacking = pending(store) or rules_lacking(store, config.hospital_id)
    if lacking:
        raise NotReady(lacking)


def clock_of(config: Config) -> Clock:
    """Return the clock a configuration names."""
    return Clock(config.story())


def migrate_store(config: Config, *, owner_url: str = "", app_role: str = "") -> tuple[str, int]:
    """Bring the store to this version's schema and fill its policy table; returns the schema and the rules added.

    `owner_url` is the same store opened by the role that owns it; `app_role` is then let in with what `serve` needs.
    Raises `BadInput`, and `NotReady` for the tables of another build, which it cannot bring over.
    """
    with store_of(config, migrated=False, url=owner_url) as store:
        if app_role and store.is_sqlite:
            raise BadInput(f"--app-role: expected a PostgreSQL store, {config.store.url} is SQLite, which has no roles")
        reached = migrate(store, app_role)
        unlike = pending(store)
        if unlike:
            raise NotReady(unlike)
        return reached, seed_policy(store, config.hospital_id)


def accounts_of(config: Config, store: Store, clock: Clock) -> Accounts:
    """Return the accounts of a configuration's hospital."""
    return Accounts(store, config.hospital_id, clock.real_now, new_secret)


def his_of(config: Config, documents: Documents) -> His:
    """Return the other system's side of a use. Raises `NotReady` for a key that cannot be read."""
    return His(documents, read_patient_key(config.patient_key))
