"""List the backup sets and where their copies are

Below them it lists what other tools claim ('portalops backup adopt'). Reads the ledger only.

Example: portalops backup list

EXIT STATUS: 0 listed, 2 there is no such medium, 3 a record cannot be read
"""

from __future__ import annotations

from typing import Annotated

import typer

from commands.backup.options import require_listed_medium
from commands.backup.views import ClaimShape, SetShape, claim_data, claims_view, set_data, sets_view
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from portalops.ledger.heeded import numbers_mistimed
from portalops.locale import _
from portalops.model.message import msg, nmsg
from portalops.model.reading import limits_of
from portalops.registers.adopted import read_claims
from portalops.registers.backups import recorded_sets
from portalops.reports.document import Block, Paragraph


def list_(
    ctx: typer.Context,
    medium: Annotated[
        str | None, typer.Option("--medium", metavar="ID", help=_("Only the sets with a copy on this medium"))
    ] = None,
) -> Result[tuple[SetShape | ClaimShape, ...]]:
    session = open_session(ctx)
    recorded = recorded_sets(session.reader, pass_over=session.pass_over)
    if medium is not None:
        require_listed_medium(session, recorded, medium)
    mistimed = numbers_mistimed(session.reader)
    unknown = [made.set.id for made in recorded if made.seq in mistimed]
    if unknown:
        session.warnings.append(
            nmsg(
                "{n} set was made while the clock was wrong, so its time says nothing: {sets}",
                "{n} sets were made while the clock was wrong, so their times say nothing: {sets}",
                len(unknown),
                sets=", ".join(unknown),
            )
        )
    sets = [made for made in recorded if medium in {None, *(copy.medium for copy in made.copies)}]
    worth = limits_of(session.rulebook.numbers), session.clock.now()
    view: list[Block] = sets_view(sets, *worth) if sets else [Paragraph(msg("No backup set is recorded yet"))]
    claims = read_claims(session.reader, pass_over=session.pass_over) if medium is None else ()
    view += claims_view(claims)
    data: tuple[SetShape | ClaimShape, ...] = (
        *(SetShape(**set_data(made, *worth)) for made in sets),
        *map(claim_data, claims),
    )
    return Result(data, view, exit_code=session.exit_code_of_lists)


VERB = Verb(list_)
