"""Print the helper, which reads as root what sudo alone cannot safely permit

It is a short program for sh, owned by root; its subcommands are fixed and take no arguments. The sudoers file names
it with its digest. Print both again after each update of portalops.

Example: portalops host helper > portalops-helper; on the host: install -D -o root -g root -m 755 portalops-helper
/usr/local/libexec/portalops-helper

EXIT STATUS: 0 printed
"""

from __future__ import annotations

import hashlib

import typer

from checks.servers.privileges import HELPER, helper_program
from commands.cli.result import Result
from commands.cli.session import open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.servers import all_probes
from portalops.reports.document import Verbatim


@shape
class HelperProgram:
    """The helper."""

    id: str
    """Where it is installed."""
    sha256: str
    text: str


def helper(ctx: typer.Context) -> Result[HelperProgram]:
    open_session(ctx)
    program = helper_program(all_probes().values())
    data = HelperProgram(HELPER, hashlib.sha256(program).hexdigest(), program.decode())
    return Result(data, [Verbatim(program.decode())])


VERB = Verb(helper)
