"""The jobs of the worker: what the configuration names, how often, and by which service.

Nothing is decided here. The rule that must not be broken: a job that only some hospitals have stands in the list only
where their configuration asks for it.
"""

from collections.abc import Callable
from functools import partial

from central.bootstrap.parts import his_of
from central.clock import Clock
from central.config import Config
from central.core.jobs import Job
from central.links.his_view import HisView
from central.links.notices import send as send_notice
from central.services.acts_kept import ACTS_S, let_old_acts_go
from central.services.alarms import ALARMS_S
from central.services.alarms import look as look_for_alarms
from central.services.charge_intake import Intake, read_view
from central.services.conflicts import settle_conflicts
from central.services.documents import Documents
from central.services.feed.keeper import FeedKeeper
from central.services.master import Master
from central.services.notices import NOTICES_S, Notices
from central.services.reports import REPORTS_S, make_due
from central.services.sources import Sources
from central.services.standby import STANDBY_S, StandbyWatch
from central.services.statements import Signer, make
from central.services.worker import Duties
from central.store.engine import Store
from protocols.values.instant import Instant

MASTER_S = 3600
"""Changes of master data that are to hold from a day on are looked for every hour."""

READER = "his-view"
"""Who charges that were read from a view are said to be sent by."""


def duties_of(
    config: Config, store: Store, clock: Clock, feed: FeedKeeper, signer: Signer, sources: Sources | None
) -> Duties:
    """Return what the worker does, and how often."""
    return Duties(
        config.policy.reorder,
        config.jobs.reconcile_s,
        config.jobs.replenish_s,
        lambda now: len(make(store, config.hospital_id, now, signer)),
        feed.round,
        his_of(config, Documents(store, config.hospital_id, clock)).settle,
        lambda rooms: settle_conflicts(store, config.hospital_id, clock, rooms).moved,
        (
            *_configured_jobs(config, store, clock, sources),
            *_standby_jobs(config, store),
            *_outgoing_jobs(config, store, clock, signer),
        ),
    )


def _configured_jobs(
    config: Config, store: Store, clock: Clock, sources: Sources | None
) -> tuple[tuple[Job, Callable[[Instant], str]], ...]:
    """Return the jobs beside the comparing ones: coming changes of master data, and what only some hospitals have."""
    master = Master(Documents(store, config.hospital_id, clock))
    jobs: list[tuple[Job, Callable[[Instant], str]]] = [
        (Job("master", MASTER_S), lambda now: f"{master.apply_due(now)} changes took effect")
    ]
    jobs.append((Job("alarms", ALARMS_S), lambda now: _alarms_said(look_for_alarms(store, config.hospital_id, now))))
    jobs.append((Job("acts", ACTS_S), lambda _now: let_old_acts_go(store, config.hospital_id, clock.real_now())))
    if sources is not None:
        look_s = min(one.look_s for one in (config.ldap, config.oidc))
        jobs.append((Job("sources", look_s), lambda _now: sources.look_again()))
    said = config.his
    if said.charges_url:
        documents = Documents(store, config.hospital_id, clock)
        intake = Intake(his_of(config, documents), documents, "view", "view", said.wards, used=said.charges_use)
        view = HisView(said.charges_url, said.charges_view, said.charges_mark)
        read = partial(read_view, intake, view, said.charges_columns, READER)
        jobs.append((Job("charges", said.charges_every_s), lambda _now: read()))
    return tuple(jobs)


def _alarms_said(done: tuple[int, int]) -> str:
    return f"{done[0]} alarms raised, {done[1]} ended"


def _standby_jobs(config: Config, store: Store) -> tuple[tuple[Job, Callable[[Instant], str]], ...]:
    """Return the look at the store's standbys, for a store that can have some."""
    return () if store.is_sqlite else ((Job("standby", STANDBY_S), StandbyWatch(store, config.hospital_id).look),)


def _outgoing_jobs(
    config: Config, store: Store, clock: Clock, signer: Signer
) -> tuple[tuple[Job, Callable[[Instant], str]], ...]:
    """Return the jobs that report by month and quarter, and tell roles what needs them where addresses stand."""
    report = (Job("reports", REPORTS_S), lambda now: make_due(store, config.hospital_id, now, signer))
    said = config.notices
    if not said.urls:
        return (report,)
    zh = said.language == "zh"
    notices = Notices(store, config.hospital_id, clock.now, said.starts, said.urls, send_notice, zh)
    return report, (Job("notices", NOTICES_S), notices.work)
