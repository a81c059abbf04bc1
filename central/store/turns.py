"""Turns: who checks what stands and then writes waits for whoever is doing so.

A database with one writer has no need of it; PostgreSQL lets two transactions read the same before either has written.
The rule that must not be broken: a turn is taken before anything is read that decides.
"""

from sqlalchemy import Connection, func, select

from protocols.values.ids import HospitalId


def one_at_a_time(connection: Connection, hospital: HospitalId, what: str) -> None:
    """Wait until no other transaction of a hospital is at the same kind of work; ours ends with its transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{hospital}/{what}", 0))))
