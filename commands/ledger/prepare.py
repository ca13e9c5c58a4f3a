"""Make a ledger's tables and roles in a database

Run it once, with the database's owner as the configured account; or let the server's administrator run what --print
prints. Existing tables stay as they are.

Example: portalops ledger prepare --print | sudo -u postgres psql -d portalops

EXIT STATUS: 0 the tables are there, 4 they could not be made, 78 the configuration names no database
"""

from __future__ import annotations

from typing import Annotated, Protocol, cast, runtime_checkable

import typer

from checks.updates import observation_database
from checks.updates.observation_database import prepare as made
from commands.cli.ledger_store import kept_as_configured
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.ledger_server import LedgerDatabase, database_of
from portalops.errors import ConfigurationError
from portalops.ledger.postgresql_tables import script
from portalops.locale import _
from portalops.model.message import msg
from portalops.reports.document import Paragraph, Verbatim


@runtime_checkable
class Prepared(Protocol):
    """A store whose tables are made apart from using it."""

    place: str

    def prepare(self) -> bool:
        """Make the tables, all or none; say whether they were not there."""
        ...


@shape
class PreparedShape:
    """What a database was given; each is false where it was there already."""

    place: str
    """The database."""
    made: bool
    """The tables and roles of the ledger."""
    observations_made: bool
    """The tables of observations."""
    queue_made: bool
    """The queue of the cluster."""


@shape
class SqlShape:
    """What makes it all: --print."""

    sql: str


def prepare(
    ctx: typer.Context,
    *,
    print_: Annotated[bool, typer.Option("--print", help=_("Print the SQL, and do nothing"))] = False,
) -> Result[PreparedShape | SqlShape]:
    session = open_session(ctx)
    if print_:
        return _printed()
    table = session.settings.ledger_store
    if table is None:
        raise ConfigurationError(
            msg("the configuration names no database for the ledger"),
            msg("Add a table [ledger.store]; without one the ledger is in the state folder and needs no preparing."),
        )
    store = cast("Prepared", kept_as_configured(session.settings, session.environment, writable=True).records)
    made = store.prepare()
    said = (
        msg("the tables and roles of the ledger were made in {place}", place=store.place)
        if made
        else msg("the tables of the ledger are in {place} already", place=store.place)
    )
    database = database_of(session.settings, session.environment)
    observations = _observations_made(database)
    queue = _queue_made(database)
    view = [Paragraph(said)]
    if observations:
        view.append(Paragraph(msg("the tables of observations were made in {place}", place=store.place)))
    if queue:
        view.append(Paragraph(msg("the queue of the cluster was made in {place}", place=store.place)))
    return Result(PreparedShape(store.place, made, observations, queue), view)


def _observations_made(database: LedgerDatabase) -> bool:
    """Make the store of observations of updates, and set one of another version aside; say whether there was none of this one."""
    from commands.jobs.fan import connection_of, driver_errors  # noqa: PLC0415  # an extra, which --sql does without

    with connection_of(database) as connection, driver_errors(database):
        return made(connection)


def _queue_made(database: LedgerDatabase) -> bool:
    """Make the queue of a cluster too, where pgqueuer is installed; say whether it was not there."""
    try:
        from portalops.cluster import queue  # noqa: PLC0415  # an extra
    except ImportError:
        return False
    from commands.jobs.fan import connection_of, driver_errors  # noqa: PLC0415  # an extra, which --sql does without

    with connection_of(database) as connection, driver_errors(database):
        return queue.prepare(connection)


def _printed() -> Result[SqlShape]:
    """Return the SQL for the ledger and the observations, and for the queue of a cluster where pgqueuer is installed."""
    text = f"{script()}\n{observation_database.script()}"
    try:
        from portalops.cluster import queue  # noqa: PLC0415  # an extra
    except ImportError:
        warnings = [msg("the queue of a cluster is left out: the extra 'cluster' is not installed")]
    else:
        text, warnings = f"{text}\n{queue.script()}", []
    return Result(SqlShape(text), [Verbatim(text)], warnings)


VERB = Verb(prepare)
