"""Compare the archive with its last inventory

Reads and digests everything again and names what is gone or changed since the newest inventory without faults.
Records nothing: 'portalops archive inventory' does.

Example: portalops archive verify

EXIT STATUS: 0 all is there, 1 an item lacks something, or something belongs to no item, 3 a collection could not be
read, 4 there is no inventory to compare with, 5 something is gone or changed, 78 configuration
"""

from __future__ import annotations

import typer

from commands.archive.views import InventoryShape, inventory_data, inventory_view
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.jobs.kinds.inventory import exit_code_of, inspect_archive, parts_of
from commands.jobs.validity import require_valid


def verify(ctx: typer.Context) -> Result[InventoryShape]:
    session = open_session(ctx)
    require_valid(session.settings)
    found = inspect_archive(parts_of(session, session.reader), must_compare=True)
    return Result(inventory_data(found), inventory_view(found), exit_code=exit_code_of(found))


VERB = Verb(verify)
