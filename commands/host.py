"""Keep the servers: where each stands, how it is reached, by which key it is known, and what may be done there as root."""

from __future__ import annotations

import typer

from commands import _host_add, _host_enroll, _host_root, _host_script, _host_sight, _host_test, _host_views

app = typer.Typer()

app.command("list", help=_host_views.HELP_LIST)(_host_views.list_)
app.command(help=_host_views.HELP_SHOW)(_host_views.show)
app.command(help=_host_add.HELP)(_host_add.add)
app.command(help=_host_enroll.HELP)(_host_enroll.enroll)
app.command(help=_host_sight.HELP_SIGHT)(_host_sight.sight)
app.command("hand-over", help=_host_sight.HELP_HAND_OVER)(_host_sight.hand_over)
app.command("test", help=_host_test.HELP)(_host_test.try_out)
app.command(help=_host_views.HELP_FACTS)(_host_views.facts)
app.command(help=_host_root.HELP_SUDOERS)(_host_root.sudoers)
app.command(help=_host_root.HELP_HELPER)(_host_root.helper)
app.command("authorized-key", help=_host_root.HELP_KEY)(_host_root.authorized_key)
app.command(help=_host_script.HELP)(_host_script.script)
