"""Let the jobs run by themselves: install, look at and remove what starts them, or stay and start them.

What is due is read from the ledger by `portalops run --due`; systemd timers, cron and the watcher only knock.
"""

from __future__ import annotations

import typer

from commands import _schedule_install, _schedule_status, _schedule_watch

app = typer.Typer()

app.command(help=_schedule_install.HELP_INSTALL)(_schedule_install.install)
app.command(help=_schedule_status.HELP)(_schedule_status.status)
app.command(help=_schedule_install.HELP_UNINSTALL)(_schedule_install.uninstall)
app.command(help=_schedule_watch.HELP)(_schedule_watch.watch)
