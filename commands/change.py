"""Keep the register of changes: asked for, notified to the Department, approved by the Committee, made, closed (Article 12.2).

Every step is a record of the ledger, and is allowed only from where the register says that the change stands.
"""

from __future__ import annotations

import typer

from commands import _change_correct, _change_drift, _change_request, _change_steps, _change_views

app = typer.Typer(no_args_is_help=True)

app.command("list", help=_change_views.HELP_LIST)(_change_views.list_)
app.command(help=_change_views.HELP_SHOW)(_change_views.show)
app.command(help=_change_request.HELP)(_change_request.request)
app.command(help=_change_correct.HELP)(_change_correct.correct)
app.command(help=_change_steps.HELP_NOTIFY)(_change_steps.notify)
app.command(help=_change_steps.HELP_APPROVE)(_change_steps.approve)
app.command(help=_change_steps.HELP_START)(_change_steps.start)
app.command(help=_change_steps.HELP_FINISH)(_change_steps.finish)
app.command(help=_change_steps.HELP_CLOSE)(_change_steps.close)
app.command(help=_change_drift.HELP)(_change_drift.drift)
