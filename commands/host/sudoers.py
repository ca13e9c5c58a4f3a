"""Print the sudoers file: what the account may run as root

Names exactly the commands that a scan runs as root, by absolute path, without wildcards. With HOST, the host is asked
where its programs are; missing ones are left out.

Example: portalops host sudoers web1 > portalops.sudoers; on the host: visudo -cf portalops.sudoers && install -m 440
portalops.sudoers /etc/sudoers.d/portalops

EXIT STATUS: 0 printed, 2 wrong usage, 3 the host cannot be asked
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from checks.servers.gather import AnswerRejected, gather, parse_answer
from checks.servers.privileges import helper_program, root_probes, sudoers_text
from checks.servers.probe import MissingFact, Output, Probe, fact_of
from commands.cli.result import Result
from commands.cli.session import Session, open_session
from commands.cli.shapes import shape
from commands.cli.verb import Verb
from commands.jobs.servers import all_probes, known_host, shells_of
from portalops.errors import HostUnreachable, InternalFault, UsageError
from portalops.locale import _
from portalops.model.message import msg, verbatim
from portalops.model.text import show_text
from portalops.reports.document import Verbatim

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portalops.model.organisation import Host

_PATH = re.compile(r"/[A-Za-z0-9+._/-]{1,200}")
"""A host could put anything into the file that it is asked for."""


@shape
class SudoersFile:
    """A file for sudo."""

    id: str
    """The host, or `any`."""
    user: str
    text: str


def sudoers(
    ctx: typer.Context,
    host: Annotated[
        str | None, typer.Argument(metavar="HOST", help=_("Only for this host; for any host by default"))
    ] = None,  # Typer reads it at run time
    *,
    user: Annotated[str, typer.Option(help=_("The account; the configured one by default"))] = "",
) -> Result[SudoersFile]:
    session = open_session(ctx)
    probes = all_probes()
    known = known_host(session.settings.hosts, host) if host is not None else None
    account = user or _account(session, known)
    _require_account(account)
    paths = paths_on(session, known, probes) if known else None
    digest = hashlib.sha256(helper_program(probes.values())).hexdigest()
    text = sudoers_text(probes.values(), account, paths=paths, helper_sha256=digest)
    _require_valid(session, text)
    return Result(SudoersFile(host or "any", account, text), [Verbatim(text)])


def paths_on(session: Session, host: Host, probes: Mapping[str, Probe[Any]]) -> dict[str, str]:
    """Return where the programs are that are run as root on a host; those that it lacks are not in it.

    Raises:
        HostUnreachable: it cannot be asked.
    """
    names = sorted({"timeout", *(one.command[0] for one in root_probes(probes.values()))})

    def parse(output: Output) -> dict[str, str]:
        pairs = (line.partition(" ") for line in output.lines())
        return {name: path for name, _space, path in pairs if name in names and _PATH.fullmatch(path)}

    script = 'for p in "$@"; do printf "%s %s\\n" "$p" "$(command -v "$p")"; done'
    probe = Probe("host.paths", ("sh", "-c", script, "sh", *names), parse)
    raw = gather(shells_of(session.settings.servers.ways, session.reader)(host), [probe])
    try:
        section = parse_answer(raw).sections.get(probe.id)
    except AnswerRejected as error:
        raise HostUnreachable(
            msg("{host}: {seen}", host=host.id, seen=error.missing.seen),
            msg("Run 'portalops host test {host}' to see what works.", host=host.id),
        ) from error
    fact: dict[str, str] | MissingFact | None = None
    if section is not None:
        fact = fact_of(probe, section)
    if fact is None or isinstance(fact, MissingFact):
        raise HostUnreachable(
            msg("{host} gave no answer about where its programs are", host=host.id),
            msg("Run 'portalops host test {host}' to see what works.", host=host.id),
        )
    return fact


def _account(session: Session, host: Host | None) -> str:
    way = session.settings.servers.ways.get(host.id) if host else None
    return way.user if way else session.settings.servers.user


def _require_account(account: str) -> None:
    if not re.fullmatch(r"[a-z_][a-z0-9_.-]{0,31}", account) or account == "root":
        raise UsageError(
            msg("{account} cannot be an account for sudo", account=show_text(account, 60)),
            msg(
                "Name the account that portalops logs in with, by --user or as user in [checks.ssh]; root needs no sudo."
            ),
        )


def _require_valid(session: Session, text: str) -> None:
    """Let sudo's own checker read the file, where this machine has it.

    Raises:
        InternalFault: it does not take it.
    """
    done = session.runner.run(("visudo", "-cf", "-"), stdin=text.encode(), timeout_seconds=10)
    if done.exit_code not in {0, 126, 127}:
        said = show_text((done.stderr + done.stdout).decode("utf-8", "replace"), 300)
        raise InternalFault(
            msg("visudo refuses the file: {cause}", cause=verbatim(said)), msg("Do not install it; report this error.")
        )


VERB = Verb(sudoers)
