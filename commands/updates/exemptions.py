"""List exemptions with their documents and remarks

Example: portalops updates exemptions

EXIT STATUS: 0 listed
"""

from __future__ import annotations

import typer

from commands.cli.entries import unit_name
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.updates.steps import exemption_remarks, lost_exemptions
from commands.updates.views import ShownExemption, exemption_data
from portalops.model.message import msg, nmsg
from portalops.registers.exemptions import read_exemptions
from portalops.reports.document import Status, TableBlock, Tone
from portalops.reports.words import EXEMPTION_KINDS as KIND_WORDS
from portalops.reports.words import EXEMPTION_SCOPES, joined


def exemptions(ctx: typer.Context) -> Result[tuple[ShownExemption, ...]]:
    session = open_session(ctx)
    read = read_exemptions(session.reader)
    headers = (
        msg("Exemption"), msg("Unit"), msg("Exempt from"), msg("Kind"), msg("From"), msg("To"), msg("Document"), msg("Approved by"), msg("Remarks"),
    )  # fmt: skip
    rows, data = [], []
    for each in read.exemptions:
        one = each.exemption
        stands = each.limit_to_force(session.zone_of_portal)
        remarks = list(exemption_remarks(session, each))
        if each.withdrawn_at is not None:
            remarks.insert(
                0, msg("withdrawn on {day}", day=each.withdrawn_at.astimezone(session.zone_of_portal).date())
            )
        rows.append(
            (
                one.id,
                unit_name(session, one.unit),
                joined([EXEMPTION_SCOPES[scope] for scope in one.scopes]) if one.scopes else None,
                KIND_WORDS[one.kind],
                one.first,
                stands.last if stands else None,
                one.document,
                one.approver,
                Status(joined(remarks), Tone.UNSURE) if remarks else None,
            )
        )
        data.append(exemption_data(each, session, each.seq))
    lost = tuple(lost_exemptions(read))
    return Result(
        tuple(data), [TableBlock(nmsg("{n} exemption", "{n} exemptions", len(rows)), headers, rows)], warnings=lost
    )


VERB = Verb(exemptions)
