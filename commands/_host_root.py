"""`portalops host sudoers`, `helper` and `authorized-key`: what is put in place on a server, as text to be copied.

With standard output going to a file, the file is what is to be installed, byte for byte.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from commands._result import JsonValue, Result
from commands._servers import known_host, shells_of
from commands._session import Session, open_session
from portalops.errors import HostUnreachable, InternalFault, UsageError
from portalops.locale import _
from portalops.model.message import msg, verbatim
from portalops.model.text import show_text
from portalops.reports.document import Verbatim

if TYPE_CHECKING:
    from collections.abc import Mapping

    from checks.servers.probe import Probe
    from portalops.model.organisation import Host

HELP_SUDOERS = _(
    "Print what the account may run as root, for sudo\n\nExactly the commands that a round runs as root, by absolute path, without a"
    " wildcard. With a host, it is asked where its programs are, and what it lacks is left out.\n\nExample: portalops host sudoers web1 >"
    " portalops.sudoers; on the host: visudo -cf portalops.sudoers && install -m 440 portalops.sudoers /etc/sudoers.d/portalops"
    "\n\nEXIT STATUS: 0 printed, 2 wrong usage, 3 the host cannot be looked at"
)
HELP_HELPER = _(
    "Print the helper, which reads as root what sudo alone cannot be let read\n\nIt is a short program for sh that belongs to root; its"
    " subcommands are fixed and take nothing. The sudoers file names it with its digest. Print both anew after each update of portalops."
    "\n\nExample: portalops host helper > portalops-helper; on the host: install -D -o root -g root -m 755 portalops-helper"
    " /usr/local/libexec/portalops-helper\n\nEXIT STATUS: 0 printed"
)
HELP_KEY = _(
    "Print the line that lets portalops in, for the account's authorized_keys\n\nThe key may do nothing but run commands, and only from"
    " the addresses given: no forwarding, no terminal. On a host that others are reached through it may also pass on to those, and"
    " to nothing else.\n\nExample: portalops host authorized-key web1 --from 10.20.0.5 >> authorized_keys"
    "\n\nEXIT STATUS: 0 printed, 2 wrong usage"
)

_PATH = re.compile(r"/[A-Za-z0-9+._/-]{1,200}")
"""A host could put anything into the file that it is asked for."""


def sudoers(
    ctx: typer.Context,
    host: Annotated[Optional[str], typer.Argument(metavar="HOST", help=_("For this host; for any by default"))] = None,  # noqa: UP045  # Typer reads it at run time
    *,
    user: Annotated[str, typer.Option(help=_("The account; the configured one by default"))] = "",
) -> Result:
    from checks.servers.privileges import helper_program, sudoers_text  # noqa: PLC0415  # start-up time

    session = open_session(ctx)
    probes = all_probes()
    known = known_host(session, host) if host is not None else None
    account = user or _account(session, known)
    _require_account(account)
    paths = paths_on(session, known, probes) if known else None
    digest = hashlib.sha256(helper_program(probes.values())).hexdigest()
    text = sudoers_text(probes.values(), account, paths=paths, helper_sha256=digest)
    _require_valid(session, text)
    return Result({"id": host or "any", "user": account, "text": text}, [Verbatim(text)])


def helper(ctx: typer.Context) -> Result:
    from checks.servers.privileges import HELPER, helper_program  # noqa: PLC0415  # start-up time

    open_session(ctx)
    program = helper_program(all_probes().values())
    data: JsonValue = {"id": HELPER, "sha256": hashlib.sha256(program).hexdigest(), "text": program.decode()}
    return Result(data, [Verbatim(program.decode())])


def authorized_key(
    ctx: typer.Context,
    host: Annotated[Optional[str], typer.Argument(metavar="HOST", help=_("For this host; for any by default"))] = None,  # noqa: UP045  # Typer reads it at run time
    *,
    sources: Annotated[
        Optional[list[str]],  # noqa: UP045  # as above
        typer.Option("--from", metavar="ADDRESS", help=_("Where portalops comes from, or a network; may be repeated")),
    ] = None,
) -> Result:
    from portalops.system.ssh import public_key_of  # noqa: PLC0415  # start-up time

    session = open_session(ctx)
    known = known_host(session, host) if host is not None else None
    way = session.settings.servers.ways.get(known.id) if known else None
    identity = way.identity if way else session.settings.servers.identity
    if identity is None:
        raise UsageError(
            msg("no private key is configured"),
            msg("Name one as identity_file in [checks.ssh]; 'ssh-keygen -t ed25519' makes it."),
        )
    if not sources:
        raise UsageError(
            msg("--from is needed: the addresses that portalops comes from"),
            msg("A key that is stolen is then of no use elsewhere; 'ip -brief address' shows this machine's."),
        )
    for each in sources:
        if not _is_source(each):
            raise UsageError(
                msg("{value} is no address and no network", value=show_text(each, 60)),
                msg("Such as 10.20.0.5 or 10.20.0.0/28."),
            )
    onward = sorted(
        f'permitopen="{f"[{each.host}]" if ":" in each.host else each.host}:{each.port}"'
        for each in session.settings.servers.ways.values()
        if known is not None and each.jump == known.id
    )
    options = ",".join(("restrict", f'from="{",".join(sources)}"', *(("port-forwarding", *onward) if onward else ())))
    line = f"{options} {public_key_of(identity)} portalops@{session.settings.portal.id}"
    return Result({"id": host or "any", "line": line}, [Verbatim(line)])


def all_probes() -> Mapping[str, Probe[Any]]:
    """Return every probe of a whole round."""
    from checks.servers.catalogue import checks, probes_of  # noqa: PLC0415  # start-up time

    return probes_of(checks())


def paths_on(session: Session, host: Host, probes: Mapping[str, Probe[Any]]) -> dict[str, str]:
    """Return where the programs are that are run as root on a host; those that it lacks are not in it.

    Raises:
        HostUnreachable: it cannot be asked.
    """
    from checks.servers.gather import AnswerRejected, gather, parse_answer  # noqa: PLC0415  # start-up time
    from checks.servers.privileges import root_probes  # noqa: PLC0415  # as above
    from checks.servers.probe import Missing, Output, Probe, fact_of  # noqa: PLC0415  # as above

    names = sorted({"timeout", *(one.command[0] for one in root_probes(probes.values()))})

    def parse(output: Output) -> dict[str, str]:
        pairs = (line.partition(" ") for line in output.lines())
        return {name: path for name, _space, path in pairs if name in names and _PATH.fullmatch(path)}

    script = 'for p in "$@"; do printf "%s %s\\n" "$p" "$(command -v "$p")"; done'
    probe = Probe("host.paths", ("sh", "-c", script, "sh", *names), parse)
    raw = gather(shells_of(session)(host), [probe])
    try:
        section = parse_answer(raw).sections.get(probe.id)
    except AnswerRejected as error:
        raise HostUnreachable(
            msg("{host}: {seen}", host=host.id, seen=error.missing.seen),
            msg("Run 'portalops host test {host}' to see what works.", host=host.id),
        ) from error
    fact: dict[str, str] | Missing | None = None
    if section is not None:
        fact = fact_of(probe, section)
    if fact is None or isinstance(fact, Missing):
        raise HostUnreachable(
            msg("{host} does not tell where its programs are", host=host.id),
            msg("Run 'portalops host test {host}' to see what works.", host=host.id),
        )
    return fact


def _account(session: Session, host: Host | None) -> str:
    way = session.settings.servers.ways.get(host.id) if host else None
    return way.user if way else session.settings.servers.user


def _require_account(account: str) -> None:
    if not re.fullmatch(r"[a-z_][a-z0-9_.-]{0,31}", account) or account == "root":
        raise UsageError(
            msg("{account} is no account for sudo", account=show_text(account, 60)),
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
            msg("visudo does not take the file: {cause}", cause=verbatim(said)), msg("Do not install it; report this.")
        )


def _is_source(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
