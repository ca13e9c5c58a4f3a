"""Keep the register of incidents: what happened, when, whose access it was, who was told, why, and what was learnt (Article 12.5).

Every step is a record of the ledger. A report counts as in time by when it was recorded, its paper kept by digest.
"""

from __future__ import annotations

import typer

from commands import _incident_end, _incident_letter, _incident_open, _incident_steps, _incident_views
from commands._credentials import STRICT

app = typer.Typer(no_args_is_help=True)

app.command("open", help=_incident_open.HELP_OPEN, context_settings=STRICT)(_incident_open.open_)
app.command(help=_incident_open.HELP_CORRECT, context_settings=STRICT)(_incident_open.correct)
app.command(help=_incident_steps.HELP_NOTE, context_settings=STRICT)(_incident_steps.note)
app.command(help=_incident_steps.HELP_REPORT, context_settings=STRICT)(_incident_steps.report)
app.command(help=_incident_end.HELP_CLOSE, context_settings=STRICT)(_incident_end.close)
app.command(help=_incident_end.HELP_REOPEN, context_settings=STRICT)(_incident_end.reopen)
app.command(help=_incident_end.HELP_ATTEST, context_settings=STRICT)(_incident_end.attest)
app.command("list", help=_incident_views.HELP_LIST, context_settings=STRICT)(_incident_views.list_)
app.command(help=_incident_views.HELP_SHOW, context_settings=STRICT)(_incident_views.show)
app.command(help=_incident_letter.HELP, context_settings=STRICT)(_incident_letter.letter)
