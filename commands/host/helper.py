"""Print the helper, which reads as root what sudo alone cannot be let read

It is a short program for sh that belongs to root; its subcommands are fixed and take nothing. The sudoers file names
it with its digest. Print both anew after each update of portalops.

Example: portalops host helper > portalops-helper; on the host: install -D -o root -g root -m 755 portalops-helper
/usr/local/libexec/portalops-helper

EXIT STATUS: 0 printed
"""

from __future__ import annotations

import hashlib

import typer

from checks.servers.privileges import HELPER, helper_program
from commands.cli.result import JsonValue, Result
from commands.cli.session import open_session
from commands.cli.verb import Verb
from commands.jobs.servers import all_probes
from portalops.reports.document import Verbatim


def helper(ctx: typer.Context) -> Result[JsonValue]:
    open_session(ctx)
    program = helper_program(all_probes().values())
    data: JsonValue = {"id": HELPER, "sha256": hashlib.sha256(program).hexdigest(), "text": program.decode()}
    return Result(data, [Verbatim(program.decode())])


VERB = Verb(helper)
